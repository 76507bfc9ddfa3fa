// How surely is a mean known, if the noise remembers?
//
// Blocks of time that follow one another resemble one another, for seconds or for hours, and a run of an hour cannot
// tell how long its own noise remembers. So nothing is assumed and nothing is estimated once and then believed: each of
// eighteen memories, from none at all to one that never quite forgets, counts as much as it explains the blocks
// (Bayesian model averaging: Hoeting et al., Statistical Science 14 (1999) 382-417). A mean's interval is the one that
// holds under all of them together, and a change of level is one that none of them explains (Changes).
//
// A memory is a correlation of blocks by their distance. Half of them are first-order autoregressive: they forget the
// same share with each block. The others are fractional Gaussian noise (Mandelbrot and Van Ness, SIAM Review 10 (1968)
// 422-437), as sums of many such processes look, and as clouds are.

//DEPS org.apache.commons:commons-statistics-distribution:1.2

import module java.base;
import org.apache.commons.statistics.distribution.TDistribution;

/** A row of so many blocks under one memory of the noise; all of them by {@link #of}. */
final class Memory {
    /** Lag-1 correlations of the autoregressive memories. Beyond 0.9 a row of some thirty blocks is a single value. */
    private static final double[] CORRELATIONS = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9};
    /** Hurst's exponents of the fractional ones: 0.5 is no memory; nearly 1 a level that wanders at will. */
    private static final double[] HURST = {0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9};
    /** What deployments may differ by, as a share of what blocks of one deployment do (variances). */
    private static final double[] BETWEEN_DEPLOYMENTS = {0.3, 1};
    /** Each takes the cube of the number of blocks to make, and a report asks for the same again and again. */
    private static final Map<List<Integer>, List<Memory>> MADE = new ConcurrentHashMap<>();

    private final int blocks;
    /** The inverse of the correlations. */
    private final double[][] precision;
    /** Half the logarithm of the correlations' determinant. */
    final double logDeterminant;
    /** Variance of the mean of all blocks, for blocks of variance 1. */
    private final double varianceOfMean;

    private Memory(double[][] correlations) {
        blocks = correlations.length;
        varianceOfMean = Arrays.stream(correlations).flatMapToDouble(Arrays::stream).sum() / blocks / blocks;
        double[][] root = cholesky(correlations);
        logDeterminant = IntStream.range(0, blocks).mapToDouble(i -> StrictMath.log(root[i][i])).sum();
        precision = inverse(root);
    }

    /** All memories of a row of blocks, of one deployment. */
    static List<Memory> of(int blocks) { return of(Collections.nCopies(blocks, 1)); }

    /** All memories of a row of blocks; with several deployments also those whose levels differ by deployment. */
    static List<Memory> of(List<Integer> deployments) { return MADE.computeIfAbsent(deployments, Memory::make); }

    private static List<Memory> make(List<Integer> deployments) {
        int blocks = deployments.size();
        var byDistance = new ArrayList<double[]>();
        for (double r : CORRELATIONS) {
            byDistance.add(IntStream.range(0, blocks).mapToDouble(lag -> StrictMath.pow(r, lag)).toArray());
        }
        for (double hurst : HURST) {
            DoubleUnaryOperator power = lag -> StrictMath.pow(Math.abs(lag), 2 * hurst);
            byDistance.add(IntStream.range(0, blocks).mapToDouble(lag -> (power.applyAsDouble(lag + 1)
                    - 2 * power.applyAsDouble(lag) + power.applyAsDouble(lag - 1)) / 2).toArray());
        }
        boolean several = deployments.stream().distinct().count() > 1;
        double[] shares = several ? BETWEEN_DEPLOYMENTS : new double[0];
        var memories = new ArrayList<Memory>();
        for (double[] correlation : byDistance) {
            for (double share : DoubleStream.concat(DoubleStream.of(0), DoubleStream.of(shares)).toArray()) {
                double[][] correlations = new double[blocks][blocks];
                for (int i = 0; i < blocks; i++) for (int j = 0; j < blocks; j++) {
                    boolean together = deployments.get(i).equals(deployments.get(j));
                    correlations[i][j] = correlation[Math.abs(i - j)] + (together ? share : 0);
                }
                memories.add(new Memory(correlations));
            }
        }
        return List.copyOf(memories);
    }

    // ==== The mean ====

    /**
     * Half the 95 % interval of the mean of values in the order of time: where the t-distributions of all memories, each
     * with the weight of its restricted likelihood (Patterson and Thompson, Biometrika 58 (1971) 545-554), together
     * leave out 5 %. Zero where all values are the same.
     */
    static double half(double... values) {
        int blocks = values.length;
        var memories = of(blocks);
        double[] weights = new double[memories.size()], errors = new double[memories.size()];
        double[] ones = new double[blocks];
        Arrays.fill(ones, 1);
        for (int i = 0; i < errors.length; i++) {
            var memory = memories.get(i);
            double certainty = memory.product(ones, ones), mean = memory.product(ones, values) / certainty;
            double[] rest = Arrays.stream(values).map(value -> value - mean).toArray();
            double squares = memory.product(rest, rest);
            if (!(squares > 0)) return 0;
            errors[i] = StrictMath.sqrt(squares / (blocks - 1) * memory.varianceOfMean);
            weights[i] = -memory.logDeterminant - StrictMath.log(certainty) / 2
                    - (blocks - 1) / 2.0 * StrictMath.log(squares);
        }
        double best = Arrays.stream(weights).max().orElseThrow();
        Arrays.setAll(weights, i -> StrictMath.exp(weights[i] - best));
        double all = Arrays.stream(weights).sum();
        var t = TDistribution.of(blocks - 1);
        double low = 0, high = t.inverseSurvivalProbability(ERROR / 2) * Arrays.stream(errors).max().orElseThrow();
        for (int halving = 0; halving < 40; halving++) {
            double half = (low + high) / 2, left = 0;
            for (int i = 0; i < errors.length; i++) {
                left += weights[i] / all * 2 * t.survivalProbability(half / errors[i]);
            }
            if (left > ERROR) low = half;
            else high = half;
        }
        return high;
    }

    /** The share that an interval leaves out on both sides together; the same as in Statistics. */
    private static final double ERROR = 0.05;

    /** The product of two rows of blocks, weighted by the inverse correlations: as if their noise had no memory. */
    double product(double[] one, double[] other) {
        double sum = 0;
        for (int i = 0; i < blocks; i++) for (int j = 0; j < blocks; j++) sum += one[i] * precision[i][j] * other[j];
        return sum;
    }

    // ==== A stretch of blocks ====

    /** The products of a row with each block alone. */
    double[] products(double[] row) {
        double[] products = new double[blocks];
        for (int i = 0; i < blocks; i++) for (int j = 0; j < blocks; j++) products[i] += precision[i][j] * row[j];
        return products;
    }

    /** Sums over the precision's upper left corners, from which {@link #product} of any two stretches is at hand. */
    double[][] corners() {
        double[][] corners = new double[blocks + 1][blocks + 1];
        for (int i = 0; i < blocks; i++) for (int j = 0; j < blocks; j++) {
            corners[i + 1][j + 1] = corners[i][j + 1] + corners[i + 1][j] - corners[i][j] + precision[i][j];
        }
        return corners;
    }

    // ==== Matrices ====

    private static double[][] cholesky(double[][] matrix) {
        int n = matrix.length;
        double[][] root = new double[n][n];
        for (int i = 0; i < n; i++) for (int j = 0; j <= i; j++) {
            double sum = matrix[i][j];
            for (int k = 0; k < j; k++) sum -= root[i][k] * root[j][k];
            root[i][j] = i == j ? StrictMath.sqrt(sum) : sum / root[j][j];
        }
        return root;
    }

    /** Of the matrix whose lower root this is. */
    private static double[][] inverse(double[][] root) {
        int n = root.length;
        double[][] lower = new double[n][n], inverse = new double[n][n];
        for (int j = 0; j < n; j++) for (int i = j; i < n; i++) {
            double sum = i == j ? 1 : 0;
            for (int k = j; k < i; k++) sum -= root[i][k] * lower[k][j];
            lower[i][j] = sum / root[i][i];
        }
        for (int i = 0; i < n; i++) for (int j = 0; j < n; j++) {
            for (int k = Math.max(i, j); k < n; k++) inverse[i][j] += lower[k][i] * lower[k][j];
        }
        return inverse;
    }
}
