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
//SOURCES Reason.java

import module java.base;
import org.apache.commons.statistics.distribution.BetaDistribution;
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
    /** Below ten blocks a change in the middle cannot be told from two odd blocks. */
    static final int MINIMUM_SERIES = 10;
    /** A change must last: fewer than three blocks on a side are an outlier, not a change. */
    static final int MINIMUM_SEGMENT = 3;
    /** Bootstrap resamples: the standard error is then known to 1/sqrt(2 x 2,000) = 1.6 %. */
    static final int RESAMPLES = 2_000;
    /** A report looks for changes in some twenty series: at 5 % each, two reports of three would show a false one. */
    static final double CHANGE_ALPHA = 0.02;
    /** Permutations of a change-point test: p-values in steps of 0.2 %. */
    static final int PERMUTATIONS = 499;
    /** Any number does; a fixed one makes the same input give the same output. */
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

        /** The same in a unit of which there are so many. */
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

        /** How far a value lies from no difference. */
        double size(double value) { return Math.abs(value - none); }
    }

    /**
     * Candidate against baseline.
     *
     * @param interval           the difference of the pooled figures
     * @param beside             the same from single blocks (Hodges-Lehmann), robust against a few odd blocks
     * @param pValue             two-sided, of "no difference"; agrees with {@code interval}
     * @param smallestDetectable the size of a difference that this run would have found four times in five
     * @param baseline           the baseline's figure, in its unit
     */
    record Difference(Scale scale, Interval interval, Interval beside, double pValue, double smallestDetectable,
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

        /** How many values (requests) the figure rests on. */
        long n();

        /** The pooled figure when block i counts weights[i] times; NaN when nothing is left. */
        double value(int[] weights);

        default Scale scale() { return Scale.RATIO; }

        /** Why nothing can be said about this figure from these data, if so. */
        Optional<Reason> shortfall();

        /** The interval, where there is no shortfall. */
        Estimate interval();

        /** The 95 % interval under correlation, or the reason why there is none. */
        default Estimate estimate() {
            return shortfall().<Estimate>map(Unknown::new).orElseGet(this::interval);
        }

        default double value() { return value(ones(blocks())); }

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
        private final int first;
        private final int bins;
        /** Row by row (bin), column by column (block): how many values of the block lie below the bin. */
        private final int[] below;

        Latencies(List<Histogram> histograms) {
            blocks = histograms.size();
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

        public long n() { return latencies.below(latencies.bins, ones(blocks())); }

        public double value(int[] weights) {
            return latencies.below(latencies.bins, weights) == 0 ? Double.NaN
                    : latencies.valueAt(latencies.position(weights, p));
        }

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
    record PerRequest(double[] sums, long[] requests) implements Figure {
        PerRequest {
            if (sums.length != requests.length) throw new IllegalArgumentException("a sum and a count for each block");
        }

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
            double half = t(1 - ALPHA / 2, deviations.length) * standardError(deviations, n()) / value();
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
        double half = t(1 - ALPHA / 2, deviations.length) * standardError(deviations, n);
        double independent = Math.min(n, share * (1 - share) * Z * Z / (half * half));
        double hits = share * independent, misses = independent - hits;
        return new Interval(BetaDistribution.of(hits, misses + 1).inverseCumulativeProbability(ALPHA / 2), share,
                BetaDistribution.of(hits + 1, misses).inverseSurvivalProbability(ALPHA / 2), n, deviations.length);
    }

    /** Standard error of sum/total from the deviations of the blocks, which add up to zero, correlation included. */
    private static double standardError(double[] deviations, double total) {
        double squares = 0;
        for (double deviation : deviations) squares += deviation * deviation;
        int blocks = deviations.length;
        return StrictMath.sqrt(squares * blocks / (blocks - 1)) / total * widening(deviations);
    }

    /**
     * By how much correlation from block to block widens an interval: sqrt((1+r)/(1-r)), for a first-order process with
     * lag-1 correlation r (as in the batch-means procedures Skart and SBatch; see arXiv 2311.04159). Never below 1.
     */
    static double widening(double[] blocks) {
        double r = Math.clamp(correlation(blocks), 0, LARGEST_CORRELATION);
        return StrictMath.sqrt((1 + r) / (1 - r));
    }

    /**
     * Lag-1 correlation, freed of the bias that few blocks give it: E[r] = rho - (1 + 4 rho) / n, Marriott and Pope,
     * Biometrika 41 (1954) 390-402.
     */
    private static double correlation(double[] values) {
        double mean = Arrays.stream(values).average().orElse(0), products = 0, squares = 0;
        for (int i = 0; i < values.length; i++) {
            squares += (values[i] - mean) * (values[i] - mean);
            if (i > 0) products += (values[i] - mean) * (values[i - 1] - mean);
        }
        if (squares == 0 || values.length <= 4) return 0;
        return (products / squares * values.length + 1) / (values.length - 4);
    }

    private static Optional<Reason> tooFew(int blocks) {
        return blocks >= MINIMUM_BLOCKS ? Optional.empty()
                : Optional.of(new Reason.TooFewBlocks(blocks, MINIMUM_BLOCKS));
    }

    private static double t(double probability, int blocks) {
        return TDistribution.of(blocks - 1).inverseCumulativeProbability(probability);
    }

    private static int[] ones(int length) {
        int[] ones = new int[length];
        Arrays.fill(ones, 1);
        return ones;
    }

    // ==== Differences ====

    /**
     * Two variants over paired blocks: block i of both was measured at the same time (or in the same round).
     *
     * The difference of the pooled figures (of times on the log scale) with a paired block bootstrap's standard error;
     * t with blocks-1 and a factor of sqrt(b/(b-1)), because the plain bootstrap is too narrow for few blocks
     * (Hesterberg, The American Statistician 69 (2015), doi:10.1080/00031305.2015.1089789); widened by the correlation
     * of the block differences. Beside it the Hodges-Lehmann estimate of the blocks' differences with its Wilcoxon
     * signed-rank interval. Smallest detectable difference: (t(0.975) + t(0.8)) standard errors (Bloom, Evaluation
     * Review 19 (1995) 547-556). The difference of two shares is never surer than no event at all would make it.
     */
    static Comparison difference(Figure baseline, Figure candidate) {
        if (baseline.blocks() != candidate.blocks())
            throw new IllegalArgumentException("unpaired blocks: " + baseline.blocks() + ", " + candidate.blocks());
        var shortfall = baseline.shortfall().or(candidate::shortfall);
        if (shortfall.isPresent()) return new Unknown(shortfall.get());
        var scale = baseline.scale();
        IntToDoubleFunction ofBlock = block -> scale.between(baseline.block(block), candidate.block(block));
        int[] pairs = IntStream.range(0, baseline.blocks())
                .filter(block -> Double.isFinite(ofBlock.applyAsDouble(block))).toArray();
        if (pairs.length < MINIMUM_BLOCKS)
            return new Unknown(new Reason.TooFewPairedBlocks(pairs.length, MINIMUM_BLOCKS));

        double[] byBlock = Arrays.stream(pairs).mapToDouble(ofBlock).toArray();
        int[] all = new int[baseline.blocks()];
        for (int pair : pairs) all[pair] = 1;
        double t = t(1 - ALPHA / 2, pairs.length), widening = widening(byBlock);
        double point = scale.between(baseline.value(all), candidate.value(all));
        double error = bootstrapError(baseline, candidate, pairs) * widening;
        if (scale == Scale.POINTS) error = Math.max(error, leftOpen(Math.min(baseline.n(), candidate.n())) / t);
        double pValue = error == 0 ? (point == 0 ? 1 : 0)
                : 2 * TDistribution.of(pairs.length - 1).survivalProbability(Math.abs(point) / error);
        double detectable = scale.size(scale.of((t + t(POWER, pairs.length)) * error));
        long n = baseline.n() + candidate.n();
        return new Difference(scale, scale.interval(point - t * error, point, point + t * error, n, pairs.length),
                signedRank(scale, byBlock, widening, n), pValue, detectable, baseline.value(all));
    }

    private static double bootstrapError(Figure baseline, Figure candidate, int[] pairs) {
        var random = new SplittableRandom(SEED);
        double[] differences = new double[RESAMPLES];
        double mean = 0, squares = 0;
        for (int resample = 0; resample < RESAMPLES; resample++) {
            int[] weights = new int[baseline.blocks()];
            for (int draw = 0; draw < pairs.length; draw++) weights[pairs[random.nextInt(pairs.length)]]++;
            differences[resample] = baseline.scale().between(baseline.value(weights), candidate.value(weights));
            mean += differences[resample] / RESAMPLES;
        }
        for (double difference : differences) squares += (difference - mean) * (difference - mean);
        return StrictMath.sqrt(squares / (RESAMPLES - 1) * pairs.length / (pairs.length - 1));
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
        double detectable = StrictMath.expm1(
                StrictMath.log(interval.high / interval.low) / (2 * Z) * (t(1 - ALPHA / 2, m + n) + t(POWER, m + n)));
        double pValue = MannWhitneyUTest.withDefaults().test(b, a).getPValue();
        return new Difference(Scale.RATIO, interval, interval, pValue, detectable, median(baseline));
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
        /** A smaller difference interests nobody. */
        private double threshold(Difference difference) {
            return switch (difference.scale) {
                case RATIO -> Math.max(RELATIVE_THRESHOLD, absolute / difference.baseline);
                case POINTS -> absolute;
            };
        }

        /** The size from which on this run could have said "faster" or "slower"; NaN where it could say nothing. */
        double smallestFinding() {
            return switch (comparison) {
                case Difference difference -> Math.max(difference.smallestDetectable,
                        Math.max(threshold(difference), noise));
                case Unknown _ -> Double.NaN;
            };
        }
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

    /** Neither a difference nor its absence: the interval holds none and more than what matters. */
    record Undecided(Difference difference) implements Verdict { }

    /**
     * The verdicts of a family of questions that are asked together, in their order. A difference must be significant
     * after Holm's correction, large enough to matter, and larger than what identical variants showed. Its absence must
     * be shown too: the interval lies within what matters (equivalence: Schuirmann, J. Pharmacokinetics and
     * Biopharmaceutics 15 (1987) 657-680, at 2.5 % a side).
     */
    static List<Verdict> verdicts(List<Question> family) {
        double[] adjusted = holm(family.stream().mapToDouble(question -> switch (question.comparison) {
            case Difference difference -> difference.pValue;
            case Unknown _ -> 1;
        }).toArray());
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

    /** From block {@code block} on (counted from 0) the level is {@code after}; p is the test's. */
    record Change(int block, double before, double after, double pValue) { }

    /**
     * Where the level of a series of block values changes, in the order of time.
     *
     * The stretch that differs most from the rest by energy distance (E-divisive: Matteson and James, JASA 109 (2014),
     * doi:10.1080/01621459.2013.849605), ending anywhere, so that a passing disturbance is seen like a lasting one
     * (circular segmentation: Olshen et al., Biostatistics 5 (2004) 557-572); tested by permutation and searched again
     * in its parts. Blocks that follow each other resemble each other, so what is permuted is not the blocks but the
     * innovations of a first-order process with their correlation (as Kirch, J. Statistical Planning and Inference 137
     * (2007) 2453-2474, permutes blocks); without correlation this is the plain permutation test.
     */
    static List<Change> changes(double[] series) {
        var edges = new TreeMap<Integer, Double>();
        search(series, 0, series.length, new SplittableRandom(SEED), edges);
        var bounds = new ArrayList<>(edges.keySet());
        bounds.addFirst(0);
        bounds.addLast(series.length);
        return IntStream.range(1, bounds.size() - 1).mapToObj(i -> new Change(bounds.get(i),
                median(Arrays.copyOfRange(series, bounds.get(i - 1), bounds.get(i))),
                median(Arrays.copyOfRange(series, bounds.get(i), bounds.get(i + 1))),
                edges.get(bounds.get(i)))).toList();
    }

    private static void search(double[] series, int from, int to, SplittableRandom random, Map<Integer, Double> edges) {
        if (to - from < MINIMUM_SERIES) return;
        double[] part = Arrays.copyOfRange(series, from, to);
        var stretch = mostDifferent(part);
        double pValue = permutationTest(part, stretch, random);
        if (pValue >= CHANGE_ALPHA) return;
        edges.put(from + stretch.from, pValue);
        search(series, from, from + stretch.from, random, edges);
        search(series, from + stretch.from, from + stretch.to, random, edges);
        if (from + stretch.to == to) return;
        edges.put(from + stretch.to, pValue);
        search(series, from + stretch.to, to, random, edges);
    }

    /** Blocks from (inclusive) to (exclusive), and how much they differ from all others. */
    private record Stretch(int from, int to, double energy) { }

    /** The largest Q = mn/(m+n) (2 mean|x-y| - mean|x-x'| - mean|y-y'|), from cumulated distances. */
    private static Stretch mostDifferent(double[] series) {
        int length = series.length;
        double[][] sums = new double[length + 1][length + 1];
        for (int i = 0; i < length; i++) for (int j = 0; j < length; j++)
            sums[i + 1][j + 1] = sums[i][j + 1] + sums[i + 1][j] - sums[i][j] + Math.abs(series[i] - series[j]);
        var best = new Stretch(0, length, Double.NEGATIVE_INFINITY);
        for (int from = MINIMUM_SEGMENT; from <= length - MINIMUM_SEGMENT; from++) {
            for (int to = from + MINIMUM_SEGMENT; to <= length; to++) {
                if (to < length && to > length - MINIMUM_SEGMENT) continue;
                double m = to - from, n = length - m;
                double inside = sums[to][to] - 2 * sums[from][to] + sums[from][from];
                double across = sums[to][length] - sums[from][length] - inside;
                double outside = sums[length][length] - inside - 2 * across;
                double energy = m * n / (m + n)
                        * (2 * across / (m * n) - inside / (m * (m - 1)) - outside / (n * (n - 1)));
                if (energy > best.energy) best = new Stretch(from, to, energy);
            }
        }
        return best;
    }

    /** The p-value, or some number above the level once it is clear that it lies there. */
    private static double permutationTest(double[] series, Stretch found, SplittableRandom random) {
        int length = series.length;
        double r = correlationWithin(series, found);
        double start = StrictMath.sqrt(1 - r * r), mean = Arrays.stream(series).average().orElseThrow();
        double[] innovations = new double[length], rebuilt = new double[length];
        for (int i = 0; i < length; i++)
            innovations[i] = i == 0 ? (series[i] - mean) * start : series[i] - mean - r * (series[i - 1] - mean);
        int asLarge = 0, tooMany = (int) (CHANGE_ALPHA * (PERMUTATIONS + 1));
        for (int permutation = 0; permutation < PERMUTATIONS && asLarge < tooMany; permutation++) {
            for (int i = length - 1; i > 0; i--) {
                int j = random.nextInt(i + 1);
                double swapped = innovations[i];
                innovations[i] = innovations[j];
                innovations[j] = swapped;
            }
            for (int i = 0; i < length; i++)
                rebuilt[i] = i == 0 ? innovations[i] / start : r * rebuilt[i - 1] + innovations[i];
            if (mostDifferent(rebuilt).energy >= found.energy * (1 - 1e-12)) asLarge++;
        }
        return (asLarge + 1.0) / (PERMUTATIONS + 1);
    }

    /**
     * The correlation that remains when the stretch and the rest keep to their own means: a step is no correlation. One
     * standard error on top, as a correlation taken for too small marks changes where there are none.
     */
    private static double correlationWithin(double[] series, Stretch stretch) {
        int inside = stretch.to - stretch.from, length = series.length;
        double sum = Arrays.stream(series, stretch.from, stretch.to).sum();
        double others = (Arrays.stream(series).sum() - sum) / (length - inside);
        double[] centred = new double[length];
        for (int i = 0; i < length; i++)
            centred[i] = series[i] - (i >= stretch.from && i < stretch.to ? sum / inside : others);
        double r = correlation(centred);
        double error = StrictMath.sqrt(Math.max(0, 1 - r * r) / length);
        return Math.clamp(r + error, 0, LARGEST_CORRELATION);
    }

    /**
     * The slope of y over x: the median of all pairwise slopes with Kendall's interval (Sen, JASA 63 (1968) 1379-1389),
     * widened by the correlation of what the line leaves over.
     */
    static Estimate slope(double[] x, double[] y) {
        int n = x.length;
        if (n < MINIMUM_SERIES) return new Unknown(new Reason.TooFewBlocksForSlope(n, MINIMUM_SERIES));
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
