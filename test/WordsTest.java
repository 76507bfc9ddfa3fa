///usr/bin/env jbang "$0" "$@" ; exit $?
// Does each finding have its sentence? One whole sentence for every verdict, estimate and reason.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/judge/Cost.java
//SOURCES ../kit/judge/Reason.java
//SOURCES ../kit/judge/Statistics.java
//SOURCES ../kit/judge/Verdicts.java
//SOURCES ../kit/report/Words.java

import module java.base;
import org.junit.jupiter.api.Test;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

final class WordsTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=WordsTest", "--disable-banner", "--fail-if-no-tests");
    }

    // ==== Vocabulary ====

    private static final Verdicts.Measure TIME = Verdicts.Measure.P50, CPU = Verdicts.Measure.CPU,
            ERRORS = Verdicts.Measure.ERRORS;

    private static Statistics.Interval interval(double low, double point, double high) {
        return new Statistics.Interval(low, point, high, 10_000, 24);
    }

    /** Candidate over baseline, where single rounds say the same as all together. */
    private static Statistics.Difference ratio(double low, double point, double high) {
        return difference(Statistics.Scale.RATIO, interval(low, point, high), interval(low, point, high));
    }

    private static Statistics.Difference points(double low, double point, double high) {
        return difference(Statistics.Scale.POINTS, interval(low, point, high), interval(low, point, high));
    }

    private static Statistics.Difference difference(
            Statistics.Scale scale, Statistics.Interval pooled, Statistics.Interval typical) {
        return new Statistics.Difference(scale, pooled, typical, 0.01, 0.1, 23, 20);
    }

    private static void says(String expected, Verdicts.Measure measure, Statistics.Verdict verdict) {
        assertEquals(expected, Words.of(verdict, measure).toString());
    }

    // ==== Verdicts ====

    @Test void beyond_chance_the_threshold_and_the_twins_it_is_faster() {
        says("faster by 13 % (4.3 to 21 %)", TIME, new Statistics.Different(ratio(0.79, 0.87, 0.957)));
        says("more by 3 % (2.5 to 3.5 %)", CPU, new Statistics.Different(ratio(1.025, 1.03, 1.035)));
        says("fewer by 0.51 points (0.34 to 0.68 points)", ERRORS,
                new Statistics.Different(points(-0.0068, -0.0051, -0.0034)));
    }

    @Test void from_twice_on_a_difference_is_a_factor() {
        says("slower by a factor of 3.1 (2.9 to 3.3)", TIME, new Statistics.Different(ratio(2.9, 3.1, 3.3)));
        says("less by a factor of 4 (3.6 to 4.4)", CPU, new Statistics.Different(ratio(0.227, 0.25, 0.278)));
        says("faster by a factor of 2 (1.03 to 3.9)", TIME, new Statistics.Different(ratio(0.257, 0.5, 0.97)));
    }

    @Test void wholly_inside_the_threshold_it_is_practically_equal() {
        says("practically equal: 1.2 % apart at most", TIME, new Statistics.PracticallyEqual(ratio(0.991, 1.001, 1.0119)));
        says("practically equal: 0.05 points apart at most", ERRORS,
                new Statistics.PracticallyEqual(points(-0.0005, 0, 0.0005)));
    }

    @Test void beyond_zero_but_inside_the_threshold_it_is_real_and_too_small_to_matter() {
        says("slower by 1.5 %: real, too small to matter", TIME,
                new Statistics.TooSmallToMatter(ratio(1.011, 1.015, 1.019)));
    }

    @Test void with_zero_and_more_than_the_threshold_inside_it_is_undecided() {
        says("undecided: measured 7 % less; anything from 21 % less to 11 % more fits", CPU,
                new Statistics.Undecided(ratio(0.79, 0.93, 1.11)));
        says("undecided: measured the same; anything from 0.16 points fewer to 0.16 points more fits", ERRORS,
                new Statistics.Undecided(points(-0.0016, 0, 0.0016)));
        says("undecided: measured a factor of 4.3 slower; anything from 80 % faster to a factor of 90 slower fits", TIME,
                new Statistics.Undecided(ratio(0.2, 4.26, 90)));
    }

    @Test void what_excludes_zero_only_alone_is_probable() {
        says("probably slower by 27 % (3 to 50 %), but one of 18 such answers may look so by chance", TIME,
                new Statistics.ProbablyDifferent(ratio(1.03, 1.27, 1.5), 18));
        says("probably slower by 27 % (3 to 50 %), but 3 of 54 such answers may look so by chance", TIME,
                new Statistics.ProbablyDifferent(ratio(1.03, 1.27, 1.5), 54));
        says("probably slower by 27 % (3 to 50 %), but one of 20 such answers may look so by chance", TIME,
                new Statistics.ProbablyDifferent(ratio(1.03, 1.27, 1.5), 2));
    }

    @Test void what_is_not_beyond_the_twins_is_not_told_from_noise() {
        says("not told from noise: measured 8 % slower; two copies of one function differ by up to 8.7 %", TIME,
                new Statistics.WithinNoise(ratio(1.05, 1.08, 1.11), 0.087));
        says("not told from noise: measured a factor of 2.5 slower; two copies of one function differ by up to "
                + "a factor of 2.6", TIME, new Statistics.WithinNoise(ratio(2.4, 2.5, 2.6), 1.6));
    }

    @Test void what_may_be_below_the_threshold_is_perhaps_too_little_to_matter() {
        says("slower, perhaps by too little to matter: 1.1 to 9 %", TIME,
                new Statistics.PerhapsTooSmall(ratio(1.011, 1.05, 1.09)));
    }

    @Test void a_few_odd_rounds_are_told_beside_the_typical_one() {
        var part = difference(Statistics.Scale.RATIO, interval(0.96, 1.159, 1.4), interval(1.01, 1.025, 1.05));
        says("undecided: measured 16 % slower; anything from 4 % faster to 40 % slower fits; "
                + "in the typical round only +2.5 %: a few odd rounds make the rest", TIME,
                new Statistics.Undecided(part));
        var opposite = difference(Statistics.Scale.RATIO, interval(1.05, 1.1, 1.15), interval(0.96, 0.98, 0.99));
        says("slower by 10 % (5 to 15 %); in the typical round -2 %: a few odd rounds make the difference", TIME,
                new Statistics.Different(opposite));
    }

    @Test void the_answer_of_a_verdict_may_be_emphasised() {
        assertEquals(new Words.Said("faster by 13 %", " (4.3 to 21 %)"),
                Words.of(new Statistics.Different(ratio(0.79, 0.87, 0.957)), TIME));
        assertEquals("undecided", Words.of(new Statistics.Undecided(ratio(0.79, 0.93, 1.11)), TIME).answer());
    }

    @Test void without_an_answer_the_reason_is_the_answer() {
        says("not enough data: 366 values, p99 needs 368", TIME,
                new Statistics.Unknown(new Reason.TooFewValues(0.99, 366, 368)));
        says("not comparable: rust-standard-1769 kept the functions' only core 31 % busy", TIME,
                new Statistics.Unknown(new Reason.CoreTooBusy("rust-standard-1769", 0.31)));
        says("— LMI is billed by the instance, see the break-even", CPU,
                new Statistics.Unknown(new Reason.BilledByInstance()));
        says("—", TIME, new Statistics.Unknown(new Reason.ClaimsNothing()));
    }

    @Test void a_pair_is_named_by_what_it_compares() {
        var standard = Run.Variant.of("rust-standard-1769");
        assertEquals("rust: LMI against standard",
                Words.of(new Verdicts.Pair(standard, Run.Variant.of("rust-lmi-2048"))));
        assertEquals("standard: java against rust",
                Words.of(new Verdicts.Pair(standard, Run.Variant.of("java-standard-1769"))));
        assertEquals("LMI: java against rust", Words.of(
                new Verdicts.Pair(Run.Variant.of("rust-lmi-2048"), Run.Variant.of("java-lmi-2048"))));
    }

    // ==== Estimates and reasons ====

    @Test void an_estimate_is_a_number_with_its_interval_or_a_dash_with_its_reason() {
        assertEquals("4.54 (4.31 to 4.78)", Words.of((Statistics.Estimate) interval(4.31, 4.54, 4.78)));
        assertEquals("— 5 blocks, an interval needs 6",
                Words.of((Statistics.Estimate) new Statistics.Unknown(new Reason.TooFewBlocks(5, 6))));
    }

    @Test void two_copies_of_one_function_differ_by_a_signed_amount() {
        assertEquals("+0.3 % (-0.5 to +1.1 %)", Words.of((Statistics.Comparison) ratio(0.995, 1.003, 1.011)));
        assertEquals("+0.51 points (+0.34 to +0.68 points)",
                Words.of((Statistics.Comparison) points(0.0034, 0.0051, 0.0068)));
        assertEquals("— no twin was measured",
                Words.of((Statistics.Comparison) new Statistics.Unknown(new Reason.NoTwin())));
    }

    @Test void every_reason_has_its_phrase() {
        assertEquals("""
                12 values, p99.9 needs 3688
                5 blocks, an interval needs 6
                4 blocks with a value of both, an interval needs 6
                9 blocks, a slope needs 10
                blocks too few or too unequal to bound p95
                no requests
                nothing but zeros
                3 and 4 values, too few
                one run says nothing about other runs
                2 runs, an estimate needs 3
                a figure that may be zero has no ratio between runs
                no twin was measured
                LMI is billed by the instance, see the break-even
                java-lmi-2048 kept the functions' only core 42 % busy
                this run is not valid
                this profile claims nothing""",
                Stream.of(new Reason.TooFewValues(0.999, 12, 3_688), new Reason.TooFewBlocks(5, 6),
                        new Reason.TooFewPairedBlocks(4, 6), new Reason.TooFewBlocksForSlope(9, 10),
                        new Reason.UnboundedQuantile(0.95), new Reason.NoRequests(), new Reason.OnlyZeros(),
                        new Reason.SamplesTooSmall(3, 4), new Reason.TooFewRuns(1, 3), new Reason.TooFewRuns(2, 3),
                        new Reason.FigureMayBeZero(), new Reason.NoTwin(), new Reason.BilledByInstance(),
                        new Reason.CoreTooBusy("java-lmi-2048", 0.42), new Reason.NotValid(), new Reason.ClaimsNothing())
                        .map(Words::of).collect(Collectors.joining("\n")));
    }

    // ==== Cost ====

    private static Cost.BreakEven breakEven(Cost.Range perSecond, double settled) {
        return new Cost.BreakEven(null, perSecond, settled, Cost.Range.exactly(100), 2.503, 4.114, 235);
    }

    @Test void a_runs_own_bill_says_what_its_items_are_made_of() {
        assertEquals("3 m7i.large for each function, 120.0 minutes",
                Words.of(new RunCost.Note.Fleets(3, "m7i.large", 120)));
        assertEquals("the load generator, c7g.xlarge", Words.of(new RunCost.Note.Generator("c7g.xlarge")));
        assertEquals("2026-11-22, us-east-1, as the run carries none of eu-central-1, without discount",
                Words.of(new RunCost.PricesUsed("2026-11-22", "us-east-1", Optional.of("eu-central-1"))));
    }

    @Test void a_break_even_says_what_its_interval_leaves_open() {
        double never = Double.POSITIVE_INFINITY;
        assertEquals("from 33.9 requests/s on (30.9 to 37.7), 89.1 million a month",
                Words.of(breakEven(new Cost.Range(30.9, 33.9, 37.7), 33.9)));
        assertEquals("from somewhere between 30.9 requests/s and never; by the means from 33.9 on, 89.1 million a month; "
                + "below 170, one more instance can make LMI dearer again", Words.of(breakEven(new Cost.Range(30.9, 33.9, never), 170)));
        assertEquals("from somewhere between 30.9 requests/s and never",
                Words.of(breakEven(new Cost.Range(30.9, never, never), never)));
        assertEquals("never: each further million requests costs $4.11 on LMI and $2.50 on standard",
                Words.of(breakEven(Cost.Range.exactly(never), never)));
    }
}
