// Did a level change during the run, or does its noise only remember?
//
// A slow swing of the noise looks like a step, and a step like a slow swing. So the two are weighed: how much better do
// the blocks follow from a step (with any memory of the noise that is left beside it) than from the best memory without
// a step? That is the logarithm of a likelihood ratio, less the logarithm of the number of places where the step could
// have been. The noises of test/NoisyRuns.java set the two bounds: at SWINGS_APART even noise that remembers for half an
// hour marks no more than one stationary series of 35 blocks in twenty; from PERHAPS on, noise without a memory does,
// but a swing of a longer one may look the same, and the mark says so.

//SOURCES Memory.java
//SOURCES Statistics.java

import module java.base;
import org.apache.commons.statistics.distribution.NormalDistribution;

/** Changes of level in a series of block values in the order of time; {@link #of} finds them. */
final class Changes {
    /** Below ten blocks a change in the middle cannot be told from two odd blocks. */
    static final int MINIMUM_SERIES = 10;
    /** A change must last: fewer than three blocks on a side are an outlier, not a change. */
    private static final int MINIMUM_SEGMENT = 3;
    /** Evidence from which on a step is more than a swing of the noise; lower marks only say that it may be one. */
    private static final double SWINGS_APART = 3.3, PERHAPS = 1.12;

    private Changes() { }

    /**
     * From block {@code block} on (counted from 0) the level is {@code after}.
     *
     * @param evidence  for the change, as a logarithm: 3 is twenty times likelier than noise that swings
     */
    record Change(int block, double before, double after, double evidence) {
        /** False where noise that remembers for long may have swung as far by itself. */
        boolean sure() { return evidence >= SWINGS_APART; }
    }

    /**
     * Where the level changes. The stretch of blocks that differs most from the rest is taken, ending anywhere, so that a
     * passing disturbance is seen like a lasting one (circular segmentation: Olshen et al., Biostatistics 5 (2004)
     * 557-572), and searched again in its parts. Blocks count by their ranks' normal scores, so that no single one can
     * be a change.
     *
     * @param deployments  of each block: a level that changes with the deployment is the deployment's
     */
    static List<Change> of(double[] series, List<Integer> deployments) {
        var edges = new TreeMap<Integer, Double>();
        search(series, deployments, 0, series.length, edges);
        var bounds = new ArrayList<>(edges.keySet());
        bounds.addFirst(0);
        bounds.addLast(series.length);
        return IntStream.range(1, bounds.size() - 1).mapToObj(i -> new Change(bounds.get(i),
                Statistics.median(Arrays.copyOfRange(series, bounds.get(i - 1), bounds.get(i))),
                Statistics.median(Arrays.copyOfRange(series, bounds.get(i), bounds.get(i + 1))),
                edges.get(bounds.get(i)))).toList();
    }

    private static void search(double[] series, List<Integer> deployments, int from, int to, Map<Integer, Double> edges) {
        if (to - from < MINIMUM_SERIES) return;
        var found = mostDifferent(scores(Arrays.copyOfRange(series, from, to)), deployments.subList(from, to));
        if (found.evidence < PERHAPS) return;
        edges.put(from + found.from, found.evidence);
        search(series, deployments, from, from + found.from, edges);
        search(series, deployments, from + found.from, from + found.to, edges);
        if (from + found.to == to) return;
        edges.put(from + found.to, found.evidence);
        search(series, deployments, from + found.to, to, edges);
    }

    /** Normal scores of the ranks (Blom, 1958); equal values share theirs. */
    private static double[] scores(double[] values) {
        var normal = NormalDistribution.of(0, 1);
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        double[] scores = IntStream.range(0, sorted.length)
                .mapToDouble(rank -> normal.inverseCumulativeProbability((rank + 0.625) / (sorted.length + 0.25))).toArray();
        return Arrays.stream(values).map(value -> IntStream.range(0, sorted.length)
                .filter(rank -> sorted[rank] == value).mapToDouble(rank -> scores[rank]).average().orElseThrow()).toArray();
    }

    /** Blocks from (inclusive) to (exclusive), and by how much a level of their own explains the series better. */
    private record Stretch(int from, int to, double evidence) { }

    /** By generalised least squares under each memory; a stretch's own level is one regressor beside the mean. */
    private static Stretch mostDifferent(double[] scores, List<Integer> deployments) {
        int blocks = scores.length;
        double withoutStep = Double.NEGATIVE_INFINITY;
        double[][] withStep = new double[blocks + 1][blocks + 1];
        for (double[] row : withStep) Arrays.fill(row, Double.NEGATIVE_INFINITY);
        for (var memory : Memory.of(List.copyOf(deployments))) {
            double[][] corners = memory.corners();
            double[] cumulated = cumulated(memory.products(scores));
            double ones = corners[blocks][blocks], mean = cumulated[blocks] / ones;
            double squares = memory.product(scores, scores) - mean * cumulated[blocks];
            if (!(squares > 0)) return new Stretch(0, blocks, Double.NEGATIVE_INFINITY);
            withoutStep = Math.max(withoutStep, logLikelihood(memory, squares, blocks));
            for (int from = MINIMUM_SEGMENT; from <= blocks - MINIMUM_SEGMENT; from++) {
                for (int to = from + MINIMUM_SEGMENT; to <= blocks; to++) {
                    if (isCutOff(to, blocks)) continue;
                    double across = corners[to][blocks] - corners[from][blocks];
                    double inside = corners[to][to] - 2 * corners[from][to] + corners[from][from] - across * across / ones;
                    double product = cumulated[to] - cumulated[from] - mean * across;
                    double left = Math.max(squares - product * product / inside, squares * SMALLEST_LEFT);
                    withStep[from][to] = Math.max(withStep[from][to], logLikelihood(memory, left, blocks));
                }
            }
        }
        var best = new Stretch(0, blocks, Double.NEGATIVE_INFINITY);
        int lasting = blocks - 2 * MINIMUM_SEGMENT + 1, passing = lasting * lasting / 2;
        for (int from = MINIMUM_SEGMENT; from <= blocks - MINIMUM_SEGMENT; from++) {
            for (int to = from + MINIMUM_SEGMENT; to <= blocks; to++) {
                double places = StrictMath.log(to == blocks ? lasting : passing);
                double evidence = withStep[from][to] - withoutStep - places;
                if (evidence > best.evidence) best = new Stretch(from, to, evidence);
            }
        }
        return best;
    }

    /** Whether a stretch leaves fewer blocks after it than a level needs. */
    private static boolean isCutOff(int to, int blocks) { return to < blocks && to > blocks - MINIMUM_SEGMENT; }

    /** Keeps the logarithm finite where a step explains all there is. */
    private static final double SMALLEST_LEFT = 1e-9;

    private static double logLikelihood(Memory memory, double squares, int blocks) {
        return -memory.logDeterminant - blocks / 2.0 * StrictMath.log(squares);
    }

    private static double[] cumulated(double[] values) {
        double[] sums = new double[values.length + 1];
        for (int i = 0; i < values.length; i++) sums[i + 1] = sums[i] + values[i];
        return sums;
    }
}
