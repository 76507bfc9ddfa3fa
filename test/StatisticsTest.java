///usr/bin/env jbang "$0" "$@" ; exit $?
// The formulas of Statistics against closed forms and against other implementations.
// What they do on noise like that of a load test is StatisticsSimulationTest's subject.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//DEPS org.apache.commons:commons-statistics-interval:1.2
//SOURCES ../kit/judge/Changes.java
//SOURCES ../kit/judge/Memory.java
//SOURCES ../kit/judge/Statistics.java

import module java.base;
import org.apache.commons.statistics.distribution.TDistribution;
import org.apache.commons.statistics.inference.MannWhitneyUTest;
import org.apache.commons.statistics.inference.WilcoxonSignedRankTest;
import org.apache.commons.statistics.interval.BinomialConfidenceInterval;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

final class StatisticsTest {

    // ==== Vocabulary ====

    static final int BLOCKS = 12;

    /** Lognormal latencies around 20 ms, drawn anew for each seed and block. */
    static double[] latencies(long seed, int block, int count) {
        var random = new SplittableRandom(1_000 * seed + block);
        return DoubleStream.generate(() -> 20 * StrictMath.exp(0.3 * random.nextGaussian())).limit(count).toArray();
    }

    static Histogram histogram(double... values) {
        var histogram = new Histogram();
        for (double value : values) histogram.add(value);
        return histogram;
    }

    static Statistics.Latencies measured(long seed, int blocks, int perBlock) {
        return new Statistics.Latencies(IntStream.range(0, blocks)
                .mapToObj(block -> histogram(latencies(seed, block, perBlock))).toList());
    }

    /** One request a block, so that the block's mean is the value itself. */
    static Statistics.PerRequest perRequest(double... values) {
        long[] requests = new long[values.length];
        Arrays.fill(requests, 1);
        return new Statistics.PerRequest(values, requests);
    }

    /** Log ratios without ties and with neighbours on opposite sides, so that no correlation widens their interval. */
    static final double[] LOG_RATIOS =
            {0.031, -0.012, 0.054, -0.027, 0.083, -0.019, 0.062, 0.004, 0.049, -0.035, 0.071, 0.008};

    static Statistics.Difference difference(Statistics.Figure baseline, Statistics.Figure candidate) {
        return assertInstanceOf(Statistics.Difference.class, Statistics.difference(baseline, candidate));
    }

    static Statistics.Interval interval(Statistics.Estimate estimate) {
        return assertInstanceOf(Statistics.Interval.class, estimate);
    }

    static Statistics.Share share(long[] events, long[] requests) {
        return new Statistics.Share(new Statistics.PerRequest(
                Arrays.stream(events).asDoubleStream().toArray(), requests));
    }

    /** So many errors in each block of 1,000 requests. */
    static Statistics.Share errors(long... events) {
        long[] requests = new long[events.length];
        Arrays.fill(requests, 1_000);
        return share(events, requests);
    }

    static Reason reason(Object answer) { return assertInstanceOf(Statistics.Unknown.class, answer).reason(); }

    // ==== One figure ====

    @Test
    void a_quantile_is_bounded_only_from_enough_values_on() {
        assertEquals(List.of(6L, 36L, 72L, 368L, 3_688L), DoubleStream.of(0.5, 0.9, 0.95, 0.99, 0.999)
                .mapToObj(Statistics::minimumN).toList());
        assertEquals(new Reason.TooFewValues(0.99, 360, 368), reason(measured(1, BLOCKS, 30).quantile(0.99).estimate()));
        assertEquals(new Reason.TooFewValues(0.999, 12, 3_688), reason(measured(1, BLOCKS, 1).quantile(0.999).estimate()));
        assertEquals(new Reason.TooFewBlocks(5, 6), reason(measured(1, 5, 1_000).quantile(0.5).estimate()));
    }

    @Test
    void a_quantile_of_blocks_is_that_of_all_their_values() {
        double[] all = IntStream.range(0, BLOCKS).boxed()
                .flatMapToDouble(block -> Arrays.stream(latencies(1, block, 5_000))).sorted().toArray();
        for (double p : new double[] {0.01, 0.5, 0.95, 0.99}) {
            double exact = all[(int) (p * (all.length - 1))];
            assertEquals(exact, measured(1, BLOCKS, 5_000).quantile(p).value(), 0.002 * exact);
        }
    }

    @Test
    void a_block_counts_as_often_as_its_weight_says() {
        var latencies = measured(1, 3, 500);
        var twice = new Statistics.Latencies(List.of(histogram(latencies(1, 0, 500)), histogram(latencies(1, 2, 500)),
                histogram(latencies(1, 2, 500))));
        assertEquals(twice.quantile(0.9).value(), latencies.quantile(0.9).value(new int[] {1, 0, 2}));
    }

    @Test
    void blocks_that_drift_widen_an_interval_beyond_their_spread() {
        double[] mixed = {-3, 4, -1, 2, -5, 1, 5, -4, 3, -2}, sorted = mixed.clone();
        Arrays.sort(sorted);
        assertEquals(1, Statistics.widening(mixed));
        assertTrue(Statistics.widening(sorted) > 2);
    }

    @Test
    void unequal_blocks_cannot_bound_a_high_quantile() {
        var blocks = new ArrayList<>(Collections.nCopies(BLOCKS, histogram(latencies(1, 0, 500))));
        var slow = new Histogram();
        for (double ms : latencies(1, 0, 500)) slow.add(10 * ms);
        blocks.set(5, slow);
        assertEquals(new Reason.UnboundedQuantile(0.99),
                reason(new Statistics.Latencies(blocks).quantile(0.99).estimate()));
    }

    @Test
    void a_steady_drift_is_no_noise_that_averages_out() {
        double[] drift = IntStream.range(0, 30).mapToDouble(i -> 20 + i).toArray();
        double independent = TDistribution.of(29).inverseCumulativeProbability(0.975) * StrictMath.sqrt(77.5 / 30) / 34.5;
        var found = interval(perRequest(drift).estimate());
        assertTrue(StrictMath.log(found.high() / found.point()) > 3 * independent);
    }

    @Test
    void a_mean_per_request_is_less_sure_than_without_a_memory_of_the_noise() {
        double[] values = {4, 6, 3, 7, 5, 5};
        double half = TDistribution.of(5).inverseCumulativeProbability(0.975) * StrictMath.sqrt(2.0 / 6) / 5;
        var found = interval(perRequest(values).estimate());
        assertEquals(5, found.point(), 1e-12);
        assertEquals(25, found.low() * found.high(), 1e-9);
        double wider = StrictMath.log(found.high() / 5) / half;
        assertTrue(wider > 1 && wider < 2.5, () -> "wider by " + wider);
        assertEquals(new Reason.OnlyZeros(), reason(perRequest(0, 0, 0, 0, 0, 0).estimate()));
    }

    @Test
    void memories_have_the_closed_forms_of_their_processes() {
        double[] row = {1, -2, 3, 0.5, -1, 2};
        var memories = Memory.of(6);
        assertEquals(0, memories.getFirst().logDeterminant, 1e-12);
        assertEquals(Arrays.stream(row).map(x -> x * x).sum(), memories.getFirst().product(row, row), 1e-12);
        double r = 0.5, fresh = 1 - r * r, squares = row[0] * row[0];
        for (int i = 1; i < row.length; i++) squares += (row[i] - r * row[i - 1]) * (row[i] - r * row[i - 1]) / fresh;
        var autoregressive = memories.get(5);
        assertEquals(5 * StrictMath.log(fresh) / 2, autoregressive.logDeterminant, 1e-12);
        assertEquals(squares, autoregressive.product(row, row), 1e-9);
    }

    @Test
    void a_mean_is_less_sure_the_longer_its_noise_seems_to_remember() {
        var random = new SplittableRandom(1);
        double[] forgets = random.doubles(30).map(x -> x - 0.5).toArray(), remembers = forgets.clone();
        for (int i = 1; i < 30; i++) remembers[i] = 0.8 * remembers[i - 1] + 0.6 * forgets[i];
        assertTrue(Memory.half(remembers) > 1.5 * Memory.half(forgets),
                () -> Memory.half(remembers) + " " + Memory.half(forgets));
        assertEquals(0, Memory.half(3, 3, 3, 3, 3, 3));
    }

    @Test
    void evenly_spread_errors_have_the_binomial_interval_and_clumped_ones_a_wider() {
        var expected = BinomialConfidenceInterval.CLOPPER_PEARSON.fromErrorRate(12_000, 60, 0.05);
        var found = interval(errors(5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5).estimate());
        assertEquals(expected.getLowerBound(), found.low(), 1e-9);
        assertEquals(expected.getUpperBound(), found.high(), 1e-9);
        var clumped = interval(errors(0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0).estimate());
        assertTrue(clumped.high() > 2 * found.high());
    }

    @Test
    void without_an_error_the_rule_of_three_bounds_the_share() {
        var none = interval(share(new long[3], new long[] {100, 100, 100}).estimate());
        assertEquals("0.0 0.0 0.01", none.low() + " " + none.point() + " " + none.high());
        var all = interval(share(new long[] {150, 150}, new long[] {150, 150}).estimate());
        assertEquals("0.99 1.0 1.0", all.low() + " " + all.point() + " " + all.high());
        assertEquals(new Reason.NoRequests(), reason(share(new long[3], new long[3]).estimate()));
    }

    @Test
    void a_block_without_requests_is_no_evidence() {
        var measured = perRequest(4, 6, 3, 7, 5, 5);
        var gaps = new Statistics.PerRequest(
                Arrays.copyOf(measured.sums(), 20), Arrays.copyOf(measured.requests(), 20));
        assertEquals(interval(measured.estimate()), interval(gaps.estimate()));
        var five = new Statistics.PerRequest(new double[] {1, 2, 3, 2, 1, 0}, new long[] {1, 1, 1, 1, 1, 0});
        assertEquals(new Reason.TooFewBlocks(5, 6), reason(five.estimate()));
    }

    // ==== Two figures ====

    @Test
    void a_variant_compared_with_itself_is_exactly_the_same() {
        var figure = measured(1, BLOCKS, 500).quantile(0.95);
        var found = difference(figure, figure);
        assertEquals("1.0 1.0 1.0, p 1.0", found.interval().low() + " " + found.interval().point() + " "
                + found.interval().high() + ", p " + found.pValue());
        assertTrue(found.agrees());
    }

    @Test
    void a_difference_is_found_with_its_size_and_its_opposite_the_other_way_round() {
        var baseline = measured(1, BLOCKS, 2_000).quantile(0.5);
        var slower = new Statistics.Latencies(IntStream.range(0, BLOCKS).mapToObj(block -> histogram(
                Arrays.stream(latencies(2, block, 2_000)).map(ms -> 1.1 * ms).toArray())).toList()).quantile(0.5);
        var found = difference(baseline, slower);
        var opposite = difference(slower, baseline);
        assertTrue(found.interval().contains(1.1) && found.excludesNone() && found.pValue() < 1e-6);
        assertEquals(1 / found.interval().high(), opposite.interval().low(), 1e-9);
        assertTrue(found.error() > 0.001 && found.error() < 0.02);
    }

    @Test
    void the_bootstrap_of_a_mean_is_the_paired_t_interval() {
        double[] ones = new double[BLOCKS];
        Arrays.fill(ones, 1);
        var found = difference(perRequest(ones), perRequest(Arrays.stream(LOG_RATIOS).map(x -> 1 + x).toArray()));
        double mean = Arrays.stream(LOG_RATIOS).average().orElseThrow();
        double deviation = StrictMath.sqrt(Arrays.stream(LOG_RATIOS).map(x -> (x - mean) * (x - mean)).sum() / 11 / 12);
        double half = TDistribution.of(11).inverseCumulativeProbability(0.975) * deviation;
        assertEquals(1 + mean, found.interval().point(), 1e-12);
        assertEquals(1 + mean + half, found.interval().high(), 0.05 * half);
    }

    @Test
    void the_difference_of_two_shares_is_the_paired_t_interval_in_points() {
        long[] baseline = {1, 0, 2, 1, 0, 3, 1, 2, 0, 1, 2, 1}, candidate = {9, 4, 8, 3, 9, 5, 8, 4, 9, 4, 7, 5};
        double[] gaps = IntStream.range(0, BLOCKS).mapToDouble(i -> (candidate[i] - baseline[i]) / 1e3).toArray();
        double mean = Arrays.stream(gaps).average().orElseThrow();
        double deviation = StrictMath.sqrt(Arrays.stream(gaps).map(x -> (x - mean) * (x - mean)).sum() / 11 / 12);
        double half = TDistribution.of(11).inverseCumulativeProbability(0.975) * deviation;
        var found = difference(errors(baseline), errors(candidate));
        assertEquals(mean, found.interval().point(), 1e-12);
        assertEquals(mean + half, found.interval().high(), 0.05 * half);
    }

    @Test
    void two_shares_of_nothing_differ_by_no_more_than_the_rule_of_three_allows() {
        var found = difference(errors(new long[BLOCKS]), errors(new long[BLOCKS]));
        assertEquals(3.0 / 12_000, found.interval().high(), 1e-12);
        assertEquals(1, found.pValue());
        assertEquals(0, found.interval().point());
    }

    @Test
    void the_interval_of_single_blocks_ends_where_the_signed_rank_test_does() {
        double[] ones = new double[BLOCKS];
        Arrays.fill(ones, 1);
        var found = difference(perRequest(ones), perRequest(Arrays.stream(LOG_RATIOS).map(StrictMath::exp).toArray()));
        DoubleUnaryOperator pValue = shift -> WilcoxonSignedRankTest.withDefaults()
                .test(Arrays.stream(LOG_RATIOS).map(x -> x - shift).toArray()).getPValue();
        double low = StrictMath.log(found.beside().low()), high = StrictMath.log(found.beside().high());
        assertTrue(pValue.applyAsDouble(low - 1e-6) < 0.05 && pValue.applyAsDouble(low + 1e-6) > 0.05);
        assertTrue(pValue.applyAsDouble(high + 1e-6) < 0.05 && pValue.applyAsDouble(high - 1e-6) > 0.05);
    }

    @Test
    void the_interval_of_cold_starts_ends_where_the_mann_whitney_test_does() {
        double[] a = latencies(3, 0, 10), b = latencies(4, 0, 10);
        var found = assertInstanceOf(Statistics.Difference.class, Statistics.twoSample(a, b));
        DoubleUnaryOperator pValue = ratio -> MannWhitneyUTest.withDefaults()
                .test(Arrays.stream(b).map(ms -> ms / ratio).toArray(), a).getPValue();
        double low = found.interval().low(), high = found.interval().high();
        assertTrue(pValue.applyAsDouble(low * (1 - 1e-6)) < 0.05 && pValue.applyAsDouble(low * (1 + 1e-6)) > 0.05);
        assertTrue(pValue.applyAsDouble(high * (1 + 1e-6)) < 0.05 && pValue.applyAsDouble(high * (1 - 1e-6)) > 0.05);
        assertEquals(new Reason.SamplesTooSmall(3, 3),
                reason(Statistics.twoSample(new double[] {1, 2, 3}, new double[] {4, 5, 6})));
    }

    @Test
    void one_odd_block_makes_the_two_estimates_disagree() {
        double[] ones = new double[BLOCKS], odd = new double[BLOCKS];
        Arrays.fill(ones, 1);
        Arrays.setAll(odd, block -> block == 4 ? 40 : 1 + block / 1_000.0);
        assertTrue(!difference(perRequest(ones), perRequest(odd)).agrees());
    }

    @Test
    void a_block_in_which_one_of_both_is_missing_does_not_count() {
        var whole = measured(1, 8, 500);
        var gaps = new Statistics.Latencies(IntStream.range(0, 8)
                .mapToObj(block -> block < 2 ? new Histogram() : histogram(latencies(2, block, 500))).toList());
        assertEquals(6, difference(whole.quantile(0.5), gaps.quantile(0.5)).interval().blocks());
        assertThrows(IllegalArgumentException.class, () ->
                Statistics.difference(whole.quantile(0.5), measured(1, 7, 500).quantile(0.5)));
    }

    @Test
    void the_same_input_gives_the_same_answer() {
        var answers = IntStream.range(0, 8).parallel().mapToObj(_ -> difference(
                measured(1, BLOCKS, 500).quantile(0.99), measured(2, BLOCKS, 500).quantile(0.99))).distinct();
        assertEquals(1, answers.count());
    }

    // ==== Verdicts ====

    static Statistics.Difference difference(double low, double point, double high, double pValue) {
        var ratio = new Statistics.Interval(low, point, high, 10_000, 24);
        return new Statistics.Difference(Statistics.Scale.RATIO, ratio, ratio, pValue,
                StrictMath.log(high / low) / 4, 23, 20);
    }

    /** The verdict's name: of a single question, whose threshold is 2 % or {@code absolute} of 20 ms. */
    static String verdict(double low, double point, double high, double pValue, double absolute, double noise) {
        var question = new Statistics.Question(difference(low, point, high, pValue), absolute, noise);
        return Statistics.verdicts(List.of(question)).getFirst().getClass().getSimpleName();
    }

    @Test
    void a_difference_is_one_if_it_is_beyond_chance_the_threshold_and_the_twins() {
        assertEquals("Different", verdict(0.85, 0.88, 0.906, 0.001, 1, 0.01));
        assertEquals("Different", verdict(1.025, 1.03, 1.035, 0.001, 0.1, 0.01));
        assertEquals("Different", verdict(2.9, 3.1, 3.3, 0.001, 1, 0.01));
        assertEquals("WithinNoise", verdict(0.85, 0.88, 0.91, 0.001, 1, 0.13));
        assertEquals("Undecided", verdict(0.96, 1.03, 1.10, 0.4, 1, 0.01));
        assertEquals("Undecided", verdict(0.96, 1.03, 1.10, 0.4, 1, 0.25));
    }

    @Test
    void what_lies_within_the_threshold_is_equal_or_real_but_too_small() {
        assertEquals("PracticallyEqual", verdict(0.995, 1.005, 1.0141, 0.3, 0.1, 0.01));
        assertEquals("PracticallyEqual", verdict(0.99, 1.02, 1.041, 0.3, 1, 0.01));
        assertEquals("TooSmallToMatter", verdict(1.012, 1.015, 1.018, 0.001, 0.1, 0.01));
        assertEquals("PracticallyEqual", verdict(1.012, 1.015, 1.018, 0.001, 0.1, 0.03),
                "two copies of one function differ by as much");
    }

    @Test
    void what_may_be_larger_or_smaller_than_the_threshold_is_perhaps_too_small() {
        assertEquals("PerhapsTooSmall", verdict(1.010, 1.018, 1.026, 0.001, 0.1, 0.01));
        assertEquals("PerhapsTooSmall", verdict(1.030, 1.045, 1.060, 0.001, 1, 0.01));
        assertEquals("WithinNoise", verdict(1.030, 1.045, 1.060, 0.001, 1, 0.05));
    }

    @Test
    void what_cannot_be_compared_keeps_its_reason() {
        var unknown = new Statistics.Unknown(new Reason.TooFewBlocks(3, 6));
        assertEquals(List.of(unknown), Statistics.verdicts(List.of(new Statistics.Question(unknown, 1, 0))));
    }

    @Test
    void a_difference_among_many_questions_must_be_surer() {
        var sure = new Statistics.Question(difference(0.85, 0.90, 0.95, 0.0001), 1, 0);
        var hardly = new Statistics.Question(difference(0.82, 0.90, 0.99, 0.02), 1, 0);
        var family = new ArrayList<>(Collections.nCopies(17, hardly));
        family.addFirst(sure);
        var verdicts = Statistics.verdicts(family);
        assertInstanceOf(Statistics.Different.class, verdicts.getFirst());
        assertEquals(new Statistics.ProbablyDifferent((Statistics.Difference) hardly.comparison(), 18),
                verdicts.getLast());
        assertInstanceOf(Statistics.Different.class, Statistics.verdicts(List.of(hardly)).getFirst());
    }

    @Test
    void what_would_be_found_among_many_is_larger_than_alone_and_smaller_beside_what_is_sure() {
        var hardly = new Statistics.Question(difference(0.9, 1.02, 1.15, 0.6), 1, 0);
        var sure = new Statistics.Question(difference(0.45, 0.50, 0.55, 1e-9), 1, 0);
        double alone = Statistics.smallestFindings(List.of(hardly))[0];
        double among = Statistics.smallestFindings(Collections.nCopies(18, hardly))[0];
        var family = new ArrayList<>(Collections.nCopies(17, sure));
        family.addFirst(hardly);
        double error = StrictMath.log(1.15 / 0.9) / 4;
        var t = TDistribution.of(23);
        assertEquals(StrictMath.expm1((t.inverseCumulativeProbability(0.975) + t.inverseCumulativeProbability(0.8))
                * error), alone, 1e-6);
        assertEquals(StrictMath.expm1((t.inverseSurvivalProbability(0.025 / 18) + t.inverseCumulativeProbability(0.8))
                * error), among, 1e-6);
        assertEquals(alone, Statistics.smallestFindings(family)[0], 1e-9);
        var beside = new Statistics.Question(difference(0.9, 1.02, 1.15, 0.6), 1, 0.5);
        assertTrue(Statistics.smallestFindings(List.of(beside))[0] > 0.5, "beyond what the twins differed by");
    }

    // ==== Deployments ====

    /** Five deployments of six blocks each, of 1 with independent noise, and what each deployment adds to it. */
    static Statistics.PerRequest deployed(long seed, double... byDeployment) {
        var random = new SplittableRandom(seed);
        double[] values = IntStream.range(0, 30)
                .mapToDouble(i -> 1 + 0.01 * random.nextGaussian() + byDeployment[i / 6]).toArray();
        long[] requests = new long[30];
        Arrays.fill(requests, 1);
        return new Statistics.PerRequest(values, requests, IntStream.range(0, 30).mapToObj(i -> 1 + i / 6).toList());
    }

    @Test
    void what_deployments_differ_by_is_part_of_every_interval() {
        var alike = List.of(deployed(1, 0, 0, 0, 0, 0), deployed(2, 0, 0, 0, 0, 0), deployed(3, 0, 0, 0, 0, 0));
        var apart = List.of(deployed(1, .05, -.05, 0, .04, -.04), deployed(2, -.05, 0, .05, 0, 0),
                deployed(3, 0, .05, 0, -.05, 0));
        var found = Statistics.spread(apart);
        assertEquals(5, found.deployments());
        assertEquals(0.045, found.deviation(), 0.02);
        assertTrue(Statistics.spread(alike).deviation() < 0.005);
        var with = assertInstanceOf(Statistics.Difference.class, Statistics.difference(apart.get(0), apart.get(1), found));
        var without = difference(apart.get(0), apart.get(1));
        assertTrue(with.error() > 3 * without.error());
        assertTrue(width(apart.getFirst().estimate(found)) > width(apart.getFirst().estimate()));
    }

    static double width(Statistics.Estimate estimate) { return interval(estimate).high() / interval(estimate).low(); }

    @Test
    void one_deployment_knows_nothing_of_others() {
        var one = Statistics.spread(List.of(perRequest(4, 6, 3, 7, 5, 5), perRequest(4, 5, 4, 6, 5, 4)));
        assertEquals(1, one.deployments());
        assertTrue(Double.isNaN(one.deviation()));
    }

    @Test
    void holms_correction_keeps_the_order_of_the_questions() {
        assertEquals("[0.03, 0.06, 0.06, 0.02]", Arrays.toString(Statistics.holm(0.01, 0.04, 0.03, 0.005)));
        assertEquals("[]", Arrays.toString(Statistics.holm()));
    }

    // ==== Drift ====

    /** Sixteen blocks at each of the levels, with noise of 2 %. */
    static double[] levels(double... levels) {
        var random = new SplittableRandom(5);
        return IntStream.range(0, 16 * levels.length)
                .mapToDouble(block -> levels[block / 16] * (1 + 0.02 * random.nextGaussian())).toArray();
    }

    static List<Changes.Change> changes(double... levels) {
        double[] series = levels(levels);
        return Changes.of(series, Collections.nCopies(series.length, 1));
    }

    @Test
    void a_change_is_marked_where_it_begins_whether_it_lasts_or_passes() {
        assertEquals(List.of(16), changes(20, 22).stream().map(Changes.Change::block).toList());
        var changes = changes(20, 24, 20);
        assertEquals(List.of(16, 32), changes.stream().map(Changes.Change::block).toList());
        assertEquals(20, changes.getFirst().before(), 0.3);
        assertEquals(24, changes.getFirst().after(), 0.3);
        assertEquals(20, changes.getLast().after(), 0.3);
        assertEquals(List.of(), changes(20, 20));
    }

    @Test
    void too_short_or_constant_a_series_has_no_changes() {
        assertEquals(List.of(), Changes.of(new double[] {1, 1, 1, 1, 9, 9, 9, 9, 9}, Collections.nCopies(9, 1)));
        assertEquals(List.of(), Changes.of(new double[24], Collections.nCopies(24, 1)));
    }

    @Test
    void a_slope_shrugs_at_one_outlier() {
        double[] x = IntStream.range(0, 24).asDoubleStream().toArray(), y = levels(20, 20);
        double[] rising = IntStream.range(0, 24).mapToDouble(i -> y[i] + 0.5 * i + (i == 20 ? 500 : 0)).toArray();
        var found = interval(Statistics.slope(x, rising));
        assertEquals(0.5, found.point(), 0.05);
        assertTrue(found.low() > 0.4 && found.high() < 0.6);
        assertTrue(interval(Statistics.slope(x, Arrays.copyOf(y, 24))).contains(0));
    }

    // ==== Several runs ====

    /** A run whose figure has this logarithm, with this standard error from 24 blocks. */
    static Statistics.Interval run(double log, double error) {
        double half = TDistribution.of(23).inverseCumulativeProbability(0.975) * error;
        return new Statistics.Interval(
                StrictMath.exp(log - half), StrictMath.exp(log), StrictMath.exp(log + half), 100, 24);
    }

    @Test
    void runs_of_equal_precision_have_the_closed_forms_spread_and_interval() {
        var runs = Statistics.across(List.of(run(0.1, 0.02), run(0.2, 0.02), run(0.3, 0.02), run(0.4, 0.02)));
        double variance = 0.05 / 3;
        double half = TDistribution.of(3).inverseCumulativeProbability(0.975) * StrictMath.sqrt(variance / 4);
        assertEquals(StrictMath.sqrt(variance - 0.0004), runs.betweenRuns(), 1e-9);
        assertEquals(StrictMath.exp(0.25), interval(runs.across()).point(), 1e-9);
        assertEquals(StrictMath.exp(0.25 + half), interval(runs.across()).high(), 1e-9);
    }

    @Test
    void runs_that_differ_less_than_their_own_noise_have_no_spread() {
        var runs = Statistics.across(List.of(run(0.10, 0.05), run(0.11, 0.05), run(0.12, 0.05)));
        assertEquals(0, runs.betweenRuns());
        assertTrue(interval(runs.across()).contains(StrictMath.exp(0.11)));
    }

    @Test
    void one_run_or_two_never_speak_for_others() {
        assertEquals(new Reason.TooFewRuns(1, 3),
                reason(Statistics.across(List.of(run(0.1, 0.02))).across()));
        var two = Statistics.across(List.of(run(0.1, 0.02), run(0.3, 0.02)));
        assertEquals(new Reason.TooFewRuns(2, 3), reason(two.across()));
        assertEquals(StrictMath.sqrt(0.02 - 0.0004), two.betweenRuns(), 1e-9);
        var none = new Statistics.Interval(0, 0, 0.01, 300, 12);
        assertEquals(new Reason.FigureMayBeZero(),
                reason(Statistics.across(List.of(none, none)).across()));
    }

    public static void main(String... args) {
        org.junit.platform.console.ConsoleLauncher.main("execute", "--select-class=StatisticsTest",
                "--details=tree", "--disable-banner", "--fail-if-no-tests");
    }
}
