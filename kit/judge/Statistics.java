// What can be said about latencies that were measured under load, and how surely?
//
// Requests of a load test are not independent: the network, the neighbours and the stores slow whole minutes down at
// once, so tests that count each request as evidence call identical functions different in most runs. Here the unit of
// evidence is therefore a block of time (five minutes, or a slot). A figure (a quantile, CPU per request) is a function
// of how often each block counts, and everything follows from that: its interval from the spread of the blocks, the
// difference of two variants from resampling blocks that both went through together, drift from the row of blocks.
// Whatever is still correlated from block to block widens the interval. Where data are too few the answer is the reason,
// never a number. Answers are values; report/Words puts them in words.
//
// All functions are pure and deterministic: seeded resampling, StrictMath, no clock, no files. StatisticsSimulationTest
// measures on generated noise what is claimed here.

//DEPS org.apache.commons:commons-statistics-distribution:1.2
//DEPS org.apache.commons:commons-statistics-inference:1.2
//SOURCES ../read/Histogram.java
//SOURCES Memory.java
//SOURCES Reason.java

import module java.base;
import org.apache.commons.statistics.distribution.BetaDistribution;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.apache.commons.statistics.distribution.TDistribution;
import org.apache.commons.statistics.inference.MannWhitneyUTest;

/** Intervals, differences, verdicts and change points for correlated measurements, from counts per block of time. */
final class Statistics {
    /** Two-sided error of every interval and test: 95 % is what readers expect when nothing else is said. */
    static final double ALPHA = 0.05;
    /** The power that "the smallest difference this run could have seen" refers to: the usual four times in five. */
    static final double POWER = 0.80;
    /** Fewer blocks than six cannot be significant at 5 % whatever they show: 2 / 2^6 = 3.1 %, 2 / 2^5 = 6.2 %. */
    static final int MINIMUM_BLOCKS = 6;
    /** Below ten blocks two odd ones make any slope. */
    private static final int MINIMUM_SLOPE = 10;
    /** Bootstrap resamples: the standard error is then known to 1/sqrt(2 x 2,000) = 1.6 %. */
    static final int RESAMPLES = 2_000;
    /** Any seed would do, but it must be fixed: the same input gives the same output. */
    static final long SEED = 20261122L;
    /** Differences below 2 % interest nobody who chooses a language, even if they are real. */
    static final double RELATIVE_THRESHOLD = 0.02;
    /** One run cannot tell itself from its day, and the spread of two has no useful bound. */
    static final int MINIMUM_RUNS = 3;
    /** Autocorrelation is capped here (a widening of 4.4): beyond it a run holds no information about its own noise. */
    private static final double LARGEST_CORRELATION = 0.9;
    /** The normal distribution's 97.5 % point. */
    private static final double Z = 1.959963984540054;

    private Statistics() { }

    // ==== Answers ====

    /** What is known about one number: an interval, or why there is none. */
    sealed interface Estimate permits Interval, Unknown { }

    /** What is known about two variants: their difference, or why nothing can be said. */
    sealed interface Comparison permits Difference, Unknown { }

    /** Nothing can be said, and why. */
    record Unknown(Reason reason) implements Estimate, Comparison, Verdict { }

    /** A 95 % interval around a point, in the figure's unit, with the requests (or values) and blocks it rests on. */
    record Interval(double low, double point, double high, long n, int blocks) implements Estimate {
        Interval {
            if (!(low <= point && point <= high))
                throw new IllegalArgumentException("not an interval: " + low + ", " + point + ", " + high);
        }

        boolean contains(double value) { return low <= value && value <= high; }

        /** The same interval in another unit, of which {@code factor} make one of this one. */
        Interval times(double factor) { return new Interval(factor * low, factor * point, factor * high, n, blocks); }

        /** Standard error of the point's logarithm, as t-intervals of {@code blocks} on the log scale are made. */
        double logStandardError() { return StrictMath.log(high / low) / (2 * t(1 - ALPHA / 2, blocks)); }
    }

    /** How two figures are compared. */
    enum Scale {
        /** Times and amounts: 0.9 means that the candidate takes 10 % less. */
        RATIO(1) {
            @Override double between(double baseline, double candidate) {
                return StrictMath.log(candidate / baseline);
            }

            @Override double of(double logarithm) { return StrictMath.exp(logarithm); }
        },
        /** Shares, which may be zero: 0.01 means that the candidate's is larger by one percentage point. */
        POINTS(0) {
            @Override double between(double baseline, double candidate) { return candidate - baseline; }

            @Override double of(double difference) { return difference; }
        };

        /** What the comparison of equal figures gives. */
        final double none;

        Scale(double none) { this.none = none; }

        /** Two figures compared, in what may be averaged; not finite if they cannot be. */
        abstract double between(double baseline, double candidate);

        /** From what may be averaged to what is shown. */
        abstract double of(double between);

        private Interval interval(double low, double point, double high, long n, int blocks) {
            return new Interval(of(low), of(point), of(high), n, blocks);
        }

        /** The figure that lies so far from another; the inverse of {@link #between}. */
        private double from(double figure, double between) {
            return this == RATIO ? figure * of(between) : Math.clamp(figure + between, 0, 1);
        }

        /** How far a value lies from no difference. */
        double size(double value) { return Math.abs(value - none); }
    }

    /**
     * Candidate against baseline.
     *
     * @param interval           the difference of the pooled figures
     * @param beside             the same from single blocks (Hodges-Lehmann), robust against a few odd blocks
     * @param pValue             two-sided, of "no difference"; agrees with {@code interval}
     * @param error              standard error of the point, on the scale of averages (logarithms, of a ratio)
     * @param freedom            its degrees of freedom
     * @param baseline           the baseline's figure, in its unit
     */
    record Difference(Scale scale, Interval interval, Interval beside, double pValue, double error, int freedom,
                      double baseline) implements Comparison {

        /** Whether pooled and single blocks tell the same story: each point lies in the other's interval. */
        boolean agrees() { return interval.contains(beside.point) && beside.contains(interval.point); }

        double size() { return scale.size(interval.point); }

        /** The larger end of the interval in absolute size: of an A/A twin, the noise below which nothing is said. */
        double largestEnd() { return Math.max(scale.size(interval.low), scale.size(interval.high)); }

        boolean excludesNone() { return !interval.contains(scale.none); }

        boolean isLess() { return interval.point < scale.none; }
    }

    // ==== Figures ====

    /** A number of one variant, as a function of how often each of its blocks of time counts. */
    interface Figure {
        int blocks();

        /** For each block, the deployment that was measured in it: what deployments differ by is noise. */
        List<Integer> deployments();

        /** How many values (requests) the figure rests on. */
        long n();

        /** The pooled figure when block i counts weights[i] times; NaN when nothing is left. */
        double value(int[] weights);

        default Scale scale() { return Scale.RATIO; }

        /** Why nothing can be said about this figure from these data, if so. */
        Optional<Reason> shortfall();

        /** The interval, where there is no shortfall. */
        Estimate interval();

        /** The 95 % interval of this deployment (or of these alone), or the reason why there is none. */
        default Estimate estimate() { return estimate(Spread.UNKNOWN); }

        /** The 95 % interval of any deployment like these, as far as they tell what deployments differ by. */
        default Estimate estimate(Spread spread) {
            if (shortfall().isPresent()) return new Unknown(shortfall().get());
            return interval() instanceof Interval interval ? spread.widen(scale(), interval) : interval();
        }

        default double value() { return value(ones(blocks())); }

        /**
         * The figure of blocks that are drawn anew within each of the strata, {@link #RESAMPLES} times. The draws are the
         * same for all figures, so that two of them stay paired.
         */
        default double[] resampled(List<int[]> strata) {
            var random = new SplittableRandom(SEED);
            return IntStream.range(0, RESAMPLES).mapToDouble(_ -> {
                int[] weights = new int[blocks()];
                for (int[] some : strata) {
                    for (int draw = 0; draw < some.length; draw++) weights[some[random.nextInt(some.length)]]++;
                }
                return value(weights);
            }).toArray();
        }

        /** The figure of one block alone. */
        default double block(int block) {
            var weights = new int[blocks()];
            weights[block] = 1;
            return value(weights);
        }

        /** The blocks that have a value, in the order of time: a round that was not measured is no evidence. */
        default int[] measured() {
            return IntStream.range(0, blocks()).filter(block -> !Double.isNaN(block(block))).toArray();
        }
    }

    /** The latencies of one variant, block by block in the order of time; quantiles of any weighting are cheap. */
    static final class Latencies {
        private final int blocks;
        private final List<Integer> deployments;
        private final int first;
        private final int bins;
        /** Row by row (bin), column by column (block): how many values of the block lie below the bin. */
        private final int[] below;
        /** A variant is compared with many others, and drawing its blocks is what that costs. */
        private final Map<List<Object>, double[]> resampled = new ConcurrentHashMap<>();

        Latencies(List<Histogram> histograms) { this(histograms, oneDeployment(histograms.size())); }

        Latencies(List<Histogram> histograms, List<Integer> deployments) {
            blocks = histograms.size();
            this.deployments = deployments;
            var all = new Histogram();
            histograms.forEach(all::merge);
            var occupied = IntStream.range(0, Histogram.BINS).filter(bin -> all.count(bin) > 0).summaryStatistics();
            first = occupied.getCount() == 0 ? 0 : occupied.getMin();
            bins = occupied.getCount() == 0 ? 0 : occupied.getMax() - first + 1;
            below = new int[(bins + 1) * blocks];
            for (int i = 0; i < bins * blocks; i++)
                below[i + blocks] = Math.toIntExact(below[i] + histograms.get(i % blocks).count(first + i / blocks));
        }

        /** The quantile at p, 0 < p < 1, in the histograms' unit; linear within a bin. */
        Figure quantile(double p) {
            if (!(p > 0 && p < 1)) throw new IllegalArgumentException("a quantile lies between 0 and 1: " + p);
            return new Quantile(this, p);
        }

        private int n(int block) { return below[bins * blocks + block]; }

        private long below(int row, int[] weights) {
            long sum = 0;
            for (int block = 0, i = row * blocks; block < blocks; block++, i++) sum += (long) weights[block] * below[i];
            return sum;
        }

        /** Where the quantile lies, in rows and fractions of a row, by bisection. */
        private double position(int[] weights, double p) {
            double wanted = p * below(bins, weights);
            int low = 0, high = bins;
            while (high - low > 1) {
                int middle = (low + high) >>> 1;
                if (below(middle, weights) <= wanted) low = middle;
                else high = middle;
            }
            long start = below(low, weights);
            return low + Math.clamp((wanted - start) / (below(low + 1, weights) - start), 0, 1);
        }

        /** How many values of a block lie below a position. */
        private double countBelow(double position, int block) {
            int row = Math.min((int) position, bins - 1);
            int start = below[row * blocks + block];
            return start + (position - row) * (below[(row + 1) * blocks + block] - start);
        }

        private double[] resampled(Quantile of, List<int[]> strata) {
            var drawn = Stream.concat(Stream.of(of.p), strata.stream().<Object>map(some -> IntStream.of(some).boxed().toList()));
            return resampled.computeIfAbsent(drawn.toList(), _ -> of.drawn(strata));
        }

        private double valueAt(double position) {
            int row = Math.min((int) position, bins - 1);
            return edge(row) + (position - row) * (edge(row + 1) - edge(row));
        }

        private double edge(int row) {
            int bin = first + row;
            double upper = Histogram.middle(Math.min(bin, Histogram.BINS - 1));
            return bin == 0 ? 0 : (Histogram.middle(bin - 1) + upper) / 2;
        }
    }

    private record Quantile(Latencies latencies, double p) implements Figure {
        public int blocks() { return latencies.blocks; }

        public List<Integer> deployments() { return latencies.deployments; }

        public long n() { return latencies.below(latencies.bins, ones(blocks())); }

        public double value(int[] weights) {
            return latencies.below(latencies.bins, weights) == 0 ? Double.NaN
                    : latencies.valueAt(latencies.position(weights, p));
        }

        public double[] resampled(List<int[]> strata) { return latencies.resampled(this, strata); }

        private double[] drawn(List<int[]> strata) { return Figure.super.resampled(strata); }

        public Optional<Reason> shortfall() {
            long needed = minimumN(p), n = n();
            return n < needed ? Optional.of(new Reason.TooFewValues(p, n, needed)) : tooFew(measured().length);
        }

        /**
         * Batch means of the share of values below the quantile, inverted through the pooled distribution: Woodruff,
         * JASA 1952, doi:10.1080/01621459.1952.10483443; for latencies, LinkedIn's arXiv 1903.08762.
         */
        public Estimate interval() {
            int[] all = ones(blocks());
            double position = latencies.position(all, p);
            double[] deviations = Arrays.stream(measured())
                    .mapToDouble(block -> latencies.countBelow(position, block) - p * latencies.n(block)).toArray();
            var share = limits(p, deviations, n());
            if (share.high * n() >= n() - 1) return new Unknown(new Reason.UnboundedQuantile(p));
            return new Interval(latencies.valueAt(latencies.position(all, share.low)), latencies.valueAt(position),
                    latencies.valueAt(latencies.position(all, share.high)), n(), deviations.length);
        }
    }

    /** The fewest values whose largest exceeds the quantile with 97.5 %: p^n <= 0.025, so 72 for p95, 368 for p99. */
    static long minimumN(double p) {
        return (long) StrictMath.ceil(StrictMath.log(ALPHA / 2) / StrictMath.log(Math.max(p, 1 - p)));
    }

    /** Sums per block over counts per block (CPU time over requests, dollars over requests): the mean per request. */
    record PerRequest(double[] sums, long[] requests, List<Integer> deployments) implements Figure {
        PerRequest {
            if (sums.length != requests.length) throw new IllegalArgumentException("a sum and a count for each block");
        }

        PerRequest(double[] sums, long[] requests) { this(sums, requests, oneDeployment(sums.length)); }

        public int blocks() { return sums.length; }

        public long n() { return Arrays.stream(requests).sum(); }

        public double value(int[] weights) {
            double sum = 0;
            long count = 0;
            for (int block = 0; block < sums.length; block++) {
                sum += weights[block] * sums[block];
                count += weights[block] * requests[block];
            }
            return count == 0 ? Double.NaN : sum / count;
        }

        public Optional<Reason> shortfall() {
            return n() == 0 ? Optional.of(new Reason.NoRequests())
                    : value() == 0 ? Optional.of(new Reason.OnlyZeros()) : tooFew(measured().length);
        }

        /**
         * The ratio estimator's interval (Cochran, Sampling Techniques, 3rd edition, 1977, chapter 6), laid on the log
         * scale, where what cannot be negative belongs.
         */
        public Estimate interval() {
            double[] deviations = deviations();
            double log = StrictMath.log(value());
            double half = half(deviations, n()) / value();
            return Scale.RATIO.interval(log - half, log, log + half, n(), deviations.length);
        }

        private double[] deviations() {
            double mean = value();
            return Arrays.stream(measured()).mapToDouble(block -> sums[block] - mean * requests[block]).toArray();
        }
    }

    /**
     * The share of requests with an event (errors), with an interval from the blocks. With no event the upper end is
     * 3/n, as if requests were independent: Hanley and Lippman-Hand, JAMA 249 (1983) 1743-1745.
     */
    record Share(PerRequest events) implements Figure {
        public int blocks() { return events.blocks(); }

        public List<Integer> deployments() { return events.deployments(); }

        public long n() { return events.n(); }

        public double value(int[] weights) { return events.value(weights); }

        public Scale scale() { return Scale.POINTS; }

        private boolean isAllOrNothing() { return value() == 0 || value() == 1; }

        public Optional<Reason> shortfall() { return isAllOrNothing() ? Optional.empty() : events.shortfall(); }

        public Estimate interval() {
            double share = value(), open = Math.min(1, leftOpen(n()));
            if (!isAllOrNothing()) return limits(share, events.deviations(), n());
            return new Interval(share == 0 ? 0 : 1 - open, share, share == 0 ? open : 1, n(), measured().length);
        }
    }

    /** The share of events that n requests without any leave possible: the rule of three. */
    private static double leftOpen(long n) { return 3.0 / n; }

    /**
     * Limits of a share that was observed in n correlated requests: exact binomial (Clopper-Pearson) ones at the number
     * of independent requests that would spread as the blocks do, which keeps them within 0 and 1 and lets them lean:
     * Korn and Graubard, Survey Methodology 24 (1998) 193-201.
     */
    private static Interval limits(double share, double[] deviations, long n) {
        double half = half(deviations, n);
        double independent = Math.min(n, share * (1 - share) * Z * Z / (half * half));
        double hits = share * independent, misses = independent - hits;
        return new Interval(BetaDistribution.of(hits, misses + 1).inverseCumulativeProbability(ALPHA / 2), share,
                BetaDistribution.of(hits + 1, misses).inverseSurvivalProbability(ALPHA / 2), n, deviations.length);
    }

    /**
     * Half the interval of sum/total from the deviations of the blocks, which add up to zero: what the noise may remember
     * included, and never less than the blocks' lag-1 correlation makes of it, as a steady drift is no noise at all.
     */
    private static double half(double[] deviations, double total) {
        int blocks = deviations.length;
        double drifting = t(1 - ALPHA / 2, blocks) * StrictMath.sqrt(variance(deviations) / blocks) * widening(deviations);
        return blocks * Math.max(Memory.half(deviations), drifting) / total;
    }

    /**
     * By how much correlation from block to block widens an interval: sqrt((1+r)/(1-r)), for a first-order process with
     * lag-1 correlation r (as in the batch-means procedures Skart and SBatch; see arXiv 2311.04159), freed of the bias
     * that few blocks give it: E[r] = rho - (1 + 4 rho) / n, Marriott and Pope, Biometrika 41 (1954) 390-402. Never
     * below 1.
     */
    static double widening(double[] blocks) {
        double mean = Arrays.stream(blocks).average().orElse(0), products = 0, squares = 0;
        for (int i = 0; i < blocks.length; i++) {
            squares += (blocks[i] - mean) * (blocks[i] - mean);
            if (i > 0) products += (blocks[i] - mean) * (blocks[i - 1] - mean);
        }
        if (squares == 0 || blocks.length <= 4) return 1;
        double unbiased = (products / squares * blocks.length + 1) / (blocks.length - 4);
        double r = Math.clamp(unbiased, 0, LARGEST_CORRELATION);
        return StrictMath.sqrt((1 + r) / (1 - r));
    }

    private static Optional<Reason> tooFew(int blocks) {
        return blocks >= MINIMUM_BLOCKS ? Optional.empty()
                : Optional.of(new Reason.TooFewBlocks(blocks, MINIMUM_BLOCKS));
    }

    private static double t(double probability, int blocks) {
        return TDistribution.of(blocks - 1).inverseCumulativeProbability(probability);
    }

    private static List<Integer> oneDeployment(int blocks) { return Collections.nCopies(blocks, 1); }

    private static int[] ones(int length) {
        int[] ones = new int[length];
        Arrays.fill(ones, 1);
        return ones;
    }

    // ==== Differences ====

    /** Two variants of one deployment, or as if these deployments were all there are. */
    static Comparison difference(Figure baseline, Figure candidate) {
        return difference(baseline, candidate, Spread.UNKNOWN);
    }

    /**
     * Two variants over paired blocks: block i of both was measured at the same time (or in the same round).
     *
     * The difference of the pooled figures (of times on the log scale) with a paired block bootstrap's standard error;
     * t with blocks-1 and a factor of sqrt(b/(b-1)), because the plain bootstrap is too narrow for few blocks
     * (Hesterberg, The American Statistician 69 (2015), doi:10.1080/00031305.2015.1089789). With one deployment it is
     * widened by the correlation of the block differences; with several, blocks are drawn within each, and what
     * deployments differ by beyond that, correlation included, is added ({@link Spread}). Beside it the Hodges-Lehmann
     * estimate of the blocks' differences with its Wilcoxon signed-rank interval, widened likewise. The difference of
     * two shares is never surer than no event at all would make it.
     */
    static Comparison difference(Figure baseline, Figure candidate, Spread spread) {
        var shortfall = baseline.shortfall().or(candidate::shortfall);
        if (shortfall.isPresent()) return new Unknown(shortfall.get());
        var pairs = new Pairs(baseline, candidate);
        if (pairs.blocks.length < MINIMUM_BLOCKS)
            return new Unknown(new Reason.TooFewPairedBlocks(pairs.blocks.length, MINIMUM_BLOCKS));

        var scale = baseline.scale();
        double within = pairs.error(), error = spread.error(within, pairs.deployments());
        int freedom = spread.freedom(within, pairs);
        double t = TDistribution.of(freedom).inverseCumulativeProbability(1 - ALPHA / 2);
        double point = pairs.difference(pairs.weights());
        double widening = pairs.widening() * (within == 0 ? 1 : error / within);
        if (scale == Scale.POINTS) error = Math.max(error, leftOpen(Math.min(baseline.n(), candidate.n())) / t);
        double pValue = error == 0 ? (point == 0 ? 1 : 0)
                : 2 * TDistribution.of(freedom).survivalProbability(Math.abs(point) / error);
        long n = baseline.n() + candidate.n();
        int blocks = pairs.blocks.length;
        return new Difference(scale, scale.interval(point - t * error, point, point + t * error, n, blocks),
                signedRank(scale, pairs.byBlock(), widening, n), pValue, error, freedom,
                baseline.value(pairs.weights()));
    }

    /** The blocks in which both variants have a value, by deployment. */
    private static final class Pairs {
        final Figure baseline, candidate;
        final int[] blocks;
        /** The same blocks by deployment; all of them together where a deployment has but one. */
        final List<int[]> strata;

        Pairs(Figure baseline, Figure candidate) {
            if (baseline.blocks() != candidate.blocks() || !baseline.deployments().equals(candidate.deployments()))
                throw new IllegalArgumentException("unpaired blocks: " + baseline.blocks() + ", " + candidate.blocks());
            this.baseline = baseline;
            this.candidate = candidate;
            blocks = IntStream.range(0, baseline.blocks()).filter(block -> Double.isFinite(ofBlock(block))).toArray();
            var byDeployment = Arrays.stream(blocks).boxed()
                    .collect(Collectors.groupingBy(baseline.deployments()::get, TreeMap::new, Collectors.toList()));
            var strata = byDeployment.values().stream()
                    .map(some -> some.stream().mapToInt(Integer::intValue).toArray()).toList();
            this.strata = strata.stream().anyMatch(some -> some.length < 2) ? List.of(blocks) : strata;
        }

        int deployments() { return strata.size(); }

        private double ofBlock(int block) {
            return baseline.scale().between(baseline.block(block), candidate.block(block));
        }

        double[] byBlock() { return Arrays.stream(blocks).mapToDouble(this::ofBlock).toArray(); }

        double difference(int[] weights) {
            return baseline.scale().between(baseline.value(weights), candidate.value(weights));
        }

        int[] weights() { return weights(blocks); }

        private int[] weights(int[] some) {
            int[] weights = new int[baseline.blocks()];
            for (int block : some) weights[block] = 1;
            return weights;
        }

        /** The pooled difference of each deployment alone. */
        double[] byDeployment() { return strata.stream().mapToDouble(some -> difference(weights(some))).toArray(); }

        /** By what correlation from block to block widens it; between several deployments that shows in their spread. */
        double widening() { return deployments() > 1 ? 1 : Statistics.widening(byBlock()); }

        /** Degrees of freedom of {@link #error}. */
        int freedom() { return blocks.length - deployments(); }

        /** Standard error of the pooled difference from blocks drawn anew within each deployment. */
        double error() {
            double[] one = baseline.resampled(strata), other = candidate.resampled(strata);
            double[] differences = IntStream.range(0, RESAMPLES)
                    .mapToDouble(i -> baseline.scale().between(one[i], other[i])).toArray();
            double few = blocks.length / (double) freedom();
            return StrictMath.sqrt(variance(differences) * few) * widening();
        }
    }

    // ==== Deployments ====

    /**
     * What deployments of one function differ by, beyond what their own blocks explain: machines, neighbours, memory
     * layout, and whatever of the noise remembers for longer than a block.
     *
     * @param deployments  that were measured of each variant; with one, nothing is known
     * @param between      variance of the difference of two variants in one deployment, beyond that of its blocks
     * @param observed     the same with that of its blocks: what the differences in single deployments spread by
     * @param freedom      degrees of freedom of {@code observed}
     */
    record Spread(int deployments, double between, double observed, int freedom) {
        static final Spread UNKNOWN = new Spread(1, 0, 0, 0);

        /** Standard deviation of a variant's figure between its deployments, on the scale of averages (0.01 is 1 %). */
        double deviation() { return deployments < 2 ? Double.NaN : StrictMath.sqrt(between / 2); }

        /** The standard error of a difference from its blocks', for any deployment like these. */
        private double error(double within, int deployments) {
            return StrictMath.sqrt(within * within + between / deployments);
        }

        /** Satterthwaite's, of the two variances that add up (Biometrics Bulletin 2 (1946) 110-114). */
        private int freedom(double within, Pairs pairs) {
            int ofBlocks = pairs.freedom();
            if (between == 0) return ofBlocks;
            double error = error(within, pairs.deployments()), added = between / pairs.deployments();
            double squares = StrictMath.pow(within, 4) / ofBlocks + added * added / freedom;
            return Math.clamp((long) (StrictMath.pow(error, 4) / squares), Math.min(freedom, ofBlocks), 1_000);
        }

        /** An interval of one variant that holds for any deployment. */
        private Interval widen(Scale scale, Interval interval) {
            if (between == 0) return interval;
            double added = TDistribution.of(freedom).inverseCumulativeProbability(1 - ALPHA / 2)
                    * StrictMath.sqrt(between / 2 / deployments);
            double low = scale.between(interval.point, interval.low), high = scale.between(interval.point, interval.high);
            return new Interval(scale.from(interval.point, -StrictMath.hypot(low, added)), interval.point,
                    scale.from(interval.point, StrictMath.hypot(high, added)), interval.n, interval.blocks);
        }
    }

    /**
     * What deployments differ by, from all variants that were deployed and measured together: for each pair of them the
     * variance of its differences in single deployments, less what the blocks within explain, averaged over pairs. That
     * is the interaction of variant and deployment in a two-way analysis of variance (Scheffe, 1959, chapter 8); what a
     * deployment changes for all variants at once is no difference.
     */
    static Spread spread(List<? extends Figure> figures) {
        var measured = figures.stream().filter(figure -> figure.shortfall().isEmpty()).toList();
        double within = 0, squares = 0, products = 0;
        int count = 0, deployments = Integer.MAX_VALUE;
        for (int i = 0; i < measured.size(); i++) for (int j = i + 1; j < measured.size(); j++) {
            var pairs = new Pairs(measured.get(i), measured.get(j));
            if (pairs.deployments() < 2) continue;
            double[] differences = pairs.byDeployment();
            double mean = Arrays.stream(differences).average().orElseThrow(), error = pairs.error();
            for (int k = 0; k < differences.length; k++) {
                squares += (differences[k] - mean) * (differences[k] - mean);
                if (k > 0) products += (differences[k] - mean) * (differences[k - 1] - mean);
            }
            within += pairs.deployments() * error * error;
            deployments = Math.min(deployments, pairs.deployments());
            count++;
        }
        if (count == 0) return Spread.UNKNOWN;
        // Neighbours in time that are alike are worth less than as many deployments, and spread less than these would.
        double r = Math.clamp(products / squares + 1.0 / deployments, 0, LARGEST_CORRELATION);
        double observed = squares / count / (deployments - 1) * (1 + r) / (1 - r);
        return new Spread(deployments, Math.max(0, observed - within / count), observed,
                (measured.size() - 1) * (deployments - 1));
    }

    private static double variance(double[] values) {
        double mean = Arrays.stream(values).average().orElseThrow();
        return Arrays.stream(values).map(value -> (value - mean) * (value - mean)).sum() / (values.length - 1);
    }

    /** Median of the pairwise averages, ends by Wilcoxon's signed ranks: Hollander and Wolfe, 2nd edition, 3.1-3.3. */
    private static Interval signedRank(Scale scale, double[] values, double widening, long n) {
        int m = values.length;
        double[] averages = new double[m * (m + 1) / 2];
        for (int i = 0, k = 0; i < m; i++) for (int j = i; j < m; j++) averages[k++] = (values[i] + values[j]) / 2;
        double deviation = StrictMath.sqrt(m * (m + 1.0) * (2 * m + 1) / 24);
        return ranked(scale, averages, deviation, widening, n, m);
    }

    /**
     * Two samples that are nearly independent (cold starts, milliseconds): the Hodges-Lehmann ratio, the median of all
     * quotients, with the Mann-Whitney interval: Hollander and Wolfe, 2nd edition, 4.1-4.3. It is both estimates.
     */
    static Comparison twoSample(double[] baseline, double[] candidate) {
        int m = baseline.length, n = candidate.length;
        double deviation = StrictMath.sqrt(m * (double) n * (m + n + 1) / 12);
        if (m * (double) n / 2 - Z * deviation < 1) return new Unknown(new Reason.SamplesTooSmall(m, n));
        double[] a = logs(baseline), b = logs(candidate);
        double[] shifts = new double[m * n];
        for (int i = 0; i < shifts.length; i++) shifts[i] = b[i / m] - a[i % m];
        var interval = ranked(Scale.RATIO, shifts, deviation, 1, m + n, Math.min(m, n));
        double error = StrictMath.log(interval.high / interval.low) / (2 * Z);
        double pValue = MannWhitneyUTest.withDefaults().test(b, a).getPValue();
        return new Difference(Scale.RATIO, interval, interval, pValue, error, m + n - 1, median(baseline));
    }

    /** The interval that leaves out as many ordered values at either end as the rank test of that deviation allows. */
    private static Interval ranked(
            Scale scale, double[] values, double deviation, double widening, long n, int blocks) {
        Arrays.sort(values);
        double point = median(values);
        int out = Math.max(1, (int) (values.length / 2.0 - Z * deviation));
        return scale.interval(point + widening * (values[out - 1] - point), point,
                point + widening * (values[values.length - out] - point), n, blocks);
    }

    private static double[] logs(double[] values) { return Arrays.stream(values).map(StrictMath::log).toArray(); }

    static double median(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int n = sorted.length;
        return n == 0 ? Double.NaN : (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
    }

    // ==== Verdicts ====

    /**
     * A comparison to be judged.
     *
     * @param comparison candidate against baseline
     * @param absolute   the smallest difference that matters, in the figure's unit (1 ms; 0 where 2 % says it all)
     * @param noise      the twin's {@link Difference#largestEnd()}: what two identical variants differed by; 0 without
     */
    record Question(Comparison comparison, double absolute, double noise) {
        /** The smallest difference that matters. */
        private double threshold(Difference difference) {
            return switch (difference.scale) {
                case RATIO -> Math.max(RELATIVE_THRESHOLD, absolute / difference.baseline);
                case POINTS -> absolute;
            };
        }

        /**
         * The size of a difference that a run like this finds four times in five at a level of significance (Bloom,
         * Evaluation Review 19 (1995) 547-556, for chance alone): it must exceed chance at this level, what matters,
         * and the twins' difference, which is this run's or, in another, so much more as chance makes of it. NaN where
         * nothing could be found.
         */
        private double smallestFinding(double level) {
            if (!(comparison instanceof Difference(var scale, _, _, _, var error, var freedom, _))) return Double.NaN;
            var t = TDistribution.of(freedom);
            double threshold = threshold((Difference) comparison);
            double least = Math.max(t.inverseSurvivalProbability(level / 2) * error,
                    scale.between(scale.none, scale.none + Math.max(threshold, noise)));
            double[] toExceed = noise == 0 ? new double[] {least} : Arrays.stream(BY_CHANCE).map(twins ->
                    Math.max(least, (t.inverseSurvivalProbability(ALPHA / 2) + twins) * error)).toArray();
            double low = least, high = toExceed[toExceed.length - 1] + 10 * error;
            for (int halving = 0; halving < 40; halving++) {
                double size = (low + high) / 2;
                double power = Arrays.stream(toExceed).map(bound -> error == 0 ? 1
                        : t.cumulativeProbability((size - bound) / error)).average().orElseThrow();
                if (power < POWER) low = size;
                else high = size;
            }
            return scale.size(scale.of(high));
        }

        /** How far two identical figures lie apart by chance, in standard errors: twenty quantiles, evenly spread. */
        private static final double[] BY_CHANCE = IntStream.range(0, 20).mapToDouble(i ->
                NormalDistribution.of(0, 1).inverseCumulativeProbability((1 + (i + 0.5) / 20) / 2)).toArray();
    }

    /**
     * For each question of a family the size of a difference that would have been found four times in five, among the
     * answers that the others got: what Holm's correction leaves of the level is shared by those still undecided.
     */
    static double[] smallestFindings(List<Question> family) {
        double[] pValues = pValues(family);
        return IntStream.range(0, pValues.length).mapToDouble(question -> {
            double[] others = IntStream.range(0, pValues.length).filter(i -> i != question)
                    .mapToDouble(i -> pValues[i]).sorted().toArray();
            int sure = 0;
            while (sure < others.length && others[sure] * (pValues.length - sure) < ALPHA) sure++;
            return family.get(question).smallestFinding(ALPHA / (pValues.length - sure));
        }).toArray();
    }

    private static double[] pValues(List<Question> family) {
        return family.stream().mapToDouble(question -> switch (question.comparison) {
            case Difference difference -> difference.pValue;
            case Unknown _ -> 1;
        }).toArray();
    }

    /** What a run says of two variants. A direction is claimed of the first three only. */
    sealed interface Verdict permits Different, TooSmallToMatter, PerhapsTooSmall, PracticallyEqual, ProbablyDifferent,
            WithinNoise, Undecided, Unknown { }

    /** Larger than chance in this family, than what matters, and than the twins' difference. */
    record Different(Difference difference) implements Verdict { }

    /** Larger than chance and than the twins' difference, but the whole interval lies within what matters. */
    record TooSmallToMatter(Difference difference) implements Verdict { }

    /** Larger than chance and than the twins' difference; what matters lies inside the interval, beyond the point. */
    record PerhapsTooSmall(Difference difference) implements Verdict { }

    /** Whatever difference there is, it is at most {@link Difference#largestEnd()}, which is too small to matter. */
    record PracticallyEqual(Difference difference) implements Verdict { }

    /** Larger than chance if it had been the only question, but not in this family of so many. */
    record ProbablyDifferent(Difference difference, int family) implements Verdict { }

    /** Larger than chance, at least alone, but not larger than the {@code noise} that identical variants showed. */
    record WithinNoise(Difference difference, double noise) implements Verdict { }

    /** Neither a difference nor its absence is shown: the interval holds zero, and differences that matter. */
    record Undecided(Difference difference) implements Verdict { }

    /**
     * The verdicts of a family of questions that are asked together, in their order. A difference must be significant
     * after Holm's correction, large enough to matter, and larger than what identical variants showed. Its absence must
     * be shown too: the interval lies within what matters (equivalence: Schuirmann, J. Pharmacokinetics and
     * Biopharmaceutics 15 (1987) 657-680, at 2.5 % a side).
     */
    static List<Verdict> verdicts(List<Question> family) {
        double[] adjusted = holm(pValues(family));
        return IntStream.range(0, adjusted.length).mapToObj(i -> verdict(family.get(i), adjusted[i], adjusted.length))
                .toList();
    }

    private static Verdict verdict(Question question, double adjustedP, int family) {
        return switch (question.comparison) {
            case Unknown unknown -> unknown;
            case Difference difference -> {
                double threshold = question.threshold(difference);
                boolean isBeyondTwins = difference.size() > question.noise;
                boolean isSignificant = difference.excludesNone() && adjustedP < ALPHA;
                if (isSignificant && isBeyondTwins && difference.size() > threshold) yield new Different(difference);
                if (difference.largestEnd() <= threshold) yield isSignificant && isBeyondTwins
                        ? new TooSmallToMatter(difference) : new PracticallyEqual(difference);
                if (!difference.excludesNone()) yield new Undecided(difference);
                if (!isBeyondTwins) yield new WithinNoise(difference, question.noise);
                yield isSignificant ? new PerhapsTooSmall(difference) : new ProbablyDifferent(difference, family);
            }
        };
    }

    /** P-values corrected for being asked together: Holm, Scandinavian Journal of Statistics 6 (1979) 65-70. */
    static double[] holm(double... pValues) {
        int m = pValues.length;
        int[] order = IntStream.range(0, m).boxed().sorted(Comparator.comparingDouble(i -> pValues[i]))
                .mapToInt(Integer::intValue).toArray();
        double[] adjusted = new double[m];
        double largest = 0;
        for (int rank = 0; rank < m; rank++)
            adjusted[order[rank]] = largest = Math.max(largest, Math.min(1, (m - rank) * pValues[order[rank]]));
        return adjusted;
    }

    // ==== Drift ====

    /**
     * The slope of y over x: the median of all pairwise slopes with Kendall's interval (Sen, JASA 63 (1968) 1379-1389),
     * widened by the correlation of what the line leaves over.
     */
    static Estimate slope(double[] x, double[] y) {
        int n = x.length;
        if (n < MINIMUM_SLOPE) return new Unknown(new Reason.TooFewBlocksForSlope(n, MINIMUM_SLOPE));
        double[] slopes = IntStream.range(0, n).boxed().flatMapToDouble(i -> IntStream.range(0, i)
                .mapToDouble(j -> (y[i] - y[j]) / (x[i] - x[j]))).sorted().toArray();
        double point = median(slopes);
        double[] rest = IntStream.range(0, n).mapToDouble(i -> y[i] - point * x[i]).toArray();
        double deviation = StrictMath.sqrt(n * (n - 1.0) * (2 * n + 5) / 18) / 2 * widening(rest);
        int out = Math.max(1, (int) (slopes.length / 2.0 - Z * deviation));
        return new Interval(slopes[out - 1], point, slopes[slopes.length - out], n, n);
    }

    // ==== Several runs ====

    /**
     * What several runs of the same experiment say together.
     *
     * @param betweenRuns standard deviation between runs beyond what each run's own noise explains, of the logarithm
     *                    (0.1 is about 10 %); NaN for fewer than two
     * @param across      the estimate for "a run like these", or why there is none
     */
    record Runs(int count, double betweenRuns, Estimate across) { }

    /**
     * Random effects over runs on the log scale: the spread between runs by DerSimonian and Laird (Controlled Clinical
     * Trials 7 (1986) 177-188); the interval by Hartung and Knapp with t of runs-1, never narrower than the plain one
     * (Roever, Knapp and Friede, doi:10.1186/s12874-015-0091-1). Each run gives a positive figure or a ratio.
     */
    static Runs across(List<Interval> runs) {
        int k = runs.size();
        if (k < 2) return new Runs(k, Double.NaN, new Unknown(new Reason.TooFewRuns(k, MINIMUM_RUNS)));
        if (runs.stream().anyMatch(run -> run.low <= 0))
            return new Runs(k, Double.NaN, new Unknown(new Reason.FigureMayBeZero()));
        double[] y = logs(runs.stream().mapToDouble(Interval::point).toArray());
        double[] v = runs.stream().mapToDouble(run -> StrictMath.pow(run.logStandardError(), 2)).toArray();
        double w = 0, w2 = 0, wy = 0, q = 0;
        for (int i = 0; i < k; i++) { w += 1 / v[i]; w2 += 1 / (v[i] * v[i]); wy += y[i] / v[i]; }
        for (int i = 0; i < k; i++) q += (y[i] - wy / w) * (y[i] - wy / w) / v[i];
        double between = Math.max(0, (q - (k - 1)) / (w - w2 / w));
        double spread = StrictMath.sqrt(between);
        if (k < MINIMUM_RUNS) return new Runs(k, spread, new Unknown(new Reason.TooFewRuns(k, MINIMUM_RUNS)));
        double weights = 0, sum = 0, squares = 0;
        for (int i = 0; i < k; i++) { weights += 1 / (v[i] + between); sum += y[i] / (v[i] + between); }
        double mean = sum / weights;
        for (int i = 0; i < k; i++) squares += (y[i] - mean) * (y[i] - mean) / (v[i] + between);
        double half = t(1 - ALPHA / 2, k) * StrictMath.sqrt(Math.max(1, squares / (k - 1)) / weights);
        long n = runs.stream().mapToLong(Interval::n).sum();
        return new Runs(k, spread, Scale.RATIO.interval(mean - half, mean, mean + half, n, k));
    }
}
