///usr/bin/env jbang "$0" "$@" ; exit $?
// What does a run say of new environments: init and first answer apart, the first answers by number, and whether the
// function and the platform tell of the same starts?

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/judge/ColdStarts.java
//SOURCES ../kit/judge/Findings.java
//SOURCES ../kit/judge/Gates.java
//SOURCES ../kit/judge/Sorted.java
//SOURCES ../kit/judge/Statistics.java
//SOURCES ../kit/record/Run.java
//SOURCES ../kit/record/Study.java
//SOURCES ../kit/report/Exhibit.java
//SOURCES ../kit/report/Exhibits.java
//SOURCES ../kit/report/Page.java
//SOURCES ../kit/report/Tables.java
//SOURCES ../kit/report/Words.java
//SOURCES MadeUpRun.java
//SOURCES ShownRuns.java
//RUNTIME_OPTIONS --sun-misc-unsafe-memory-access=allow

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

final class ColdTest extends ShownRuns {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=ColdTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    // ==== Vocabulary ====

    private static final String STANDARD = "rust-standard-1769", LMI = "rust-lmi-2048";
    private static final Study.Cold STUDY = new Study.Cold("cold", 100, 5,
            List.of(new Run.Workload("cpu", null, Map.of("seed", "a", "hash_loops", "1000"))));

    /** So many new environments of each: the i-th starts in 100 + i ms, and its answers take 150 + i, 20, 10, 5, 5 ms. */
    private static MadeUpRun environments(int count, String... variants) {
        var run = new MadeUpRun(0, 2, variants);
        for (int i = 1; i <= count; i++) for (String variant : variants) {
            double more = i;
            run.asked(STUDY, i, variant, "cpu", cell -> {
                cell.cold(0, 150 + more, 100 + more);
                double second = 1;
                for (double ms : new double[] {20, 10, 5, 5}) cell.answer(second++, ms);
            });
        }
        return run;
    }

    // ==== What is shown ====

    @Test void init_and_first_answer_stand_apart_with_intervals_where_there_are_enough_environments() throws IOException {
        assertEquals("""
                | workload | variant            | what         |         p50 [ms] |         p90 [ms] |         p95 [ms] |                          p99 [ms] |   n | max [ms] |
                |----------|--------------------|--------------|-----------------:|-----------------:|-----------------:|----------------------------------:|----:|---------:|
                | cpu      | rust-standard-1769 | init         | 150 (140 to 161) | 190 (184 to 196) | 195 (190 to 200) | 199, an interval needs 368 values | 100 |      200 |
                | cpu      | rust-standard-1769 | first answer | 200 (190 to 211) | 240 (234 to 246) | 245 (240 to 250) | 249, an interval needs 368 values | 100 |      250 |
                """, table("cold-environments", environments(100, STANDARD)));
    }

    @Test void the_first_answers_of_an_environment_are_told_by_their_number() throws IOException {
        assertEquals("""
                | workload | variant            | what | 1st [ms] | 2nd [ms] | 5th [ms] |
                |----------|--------------------|------|---------:|---------:|---------:|
                | cpu      | rust-standard-1769 | p50  |      156 |       20 |        5 |
                | cpu      | rust-standard-1769 | p95  |      160 |       20 |        5 |
                | cpu      | rust-lmi-2048      | p50  |      156 |       20 |        5 |
                | cpu      | rust-lmi-2048      | p95  |      160 |       20 |        5 |
                """, table("first-answers-by-number", environments(11, STANDARD, LMI)));
    }

    @Test void an_answer_that_is_not_correct_has_its_number_but_no_latency() throws IOException {
        var run = environments(3, STANDARD).asked(STUDY, 4, STANDARD, "cpu", cell -> cell.cold(0, 154, 104.0)
                .answer(1, 900, "http_5xx", false, null).answer(2, 10));
        read(run, findings -> {
            var starts = ColdStarts.of(findings).getFirst();
            assertEquals(4, starts.nthMs(1).n());
            assertEquals(3, starts.nthMs(2).n());
            assertEquals(20, starts.nthMs(2).max());
            assertEquals(4, starts.nthMs(3).n());
            return null;
        });
    }

    @Test void the_verdicts_on_first_answers_are_of_environments_that_were_made_new_one_at_a_time() throws IOException {
        var names = read(environments(20, STANDARD, LMI), findings -> Exhibits.ofRun(findings, true).stream().map(Exhibit::name).toList());
        assertTrue(names.contains("cold-start-verdicts"), names::toString);
        assertFalse(names.contains("cold-starts"), "the starts that the run began with are not shown beside them");
        String verdicts = table("cold-start-verdicts", environments(20, STANDARD, LMI));
        assertTrue(verdicts.contains("rust: LMI against standard"), verdicts);
    }

    @Test void a_run_of_nothing_but_cold_starts_has_a_page_with_its_figure() throws IOException {
        read(environments(3, STANDARD, LMI), findings -> {
            String page = new Page("T").exhibits(Exhibits.ofRun(findings, true)).html();
            assertTrue(page.contains("The first answers of a new environment"));
            assertTrue(page.contains("Plotly.newPlot("));
            return null;
        });
    }

    // ==== Gates ====

    @Test void a_run_whose_flags_and_records_agree_raises_no_gate() throws IOException {
        assertEquals(List.of(), flags(environments(3, STANDARD, LMI)));
    }

    @Test void a_start_that_only_one_of_the_two_tells_of_is_seen() throws IOException {
        assertEquals(List.of("cold-start records: the function called 1 of its answers cold and the target recorded 0 inits in "
                        + "003-rust-standard-1769-cpu-cold (the first answer of a new environment, and no other, must be cold for both)"),
                flags(environments(2, STANDARD).asked(STUDY, 3, STANDARD, "cpu", cell -> cell.cold(0, 150, null))));
        assertEquals(List.of("cold-start records: the function called 0 of its answers cold and the target recorded 1 init in "
                        + "002-rust-standard-1769-cpu-cold (the first answer of a new environment, and no other, must be cold for both)"),
                flags(environments(1, STANDARD).asked(STUDY, 2, STANDARD, "cpu", cell ->
                        cell.answer(0, 150, "correct", false, 100.0))));
    }

    @Test void lmi_has_no_record_of_an_init_on_aws_and_is_in_order_without() throws IOException {
        assertEquals(List.of(), flags(environments(2, LMI).asked(STUDY, 3, LMI, "cpu", cell -> cell.cold(0, 150, null))));
    }

    @Test void a_wrong_answer_of_a_new_environment_is_unequal_work() throws IOException {
        var raised = flags(environments(2, STANDARD).asked(STUDY, 3, STANDARD, "cpu", cell ->
                cell.cold(0, 150, 100.0).answer(1, 5, "wrong", false, null)));
        assertTrue(raised.getFirst().startsWith("unequal work: 1 wrong answer in 003"), raised::toString);
    }

    // ==== The interval of a percentile ====

    @Test void the_interval_of_a_percentile_holds_the_true_one_19_times_in_20() {
        var random = new SplittableRandom(1);
        int held = 0, times = 2_000;
        for (int i = 0; i < times; i++) {
            var sample = Sorted.of(DoubleStream.generate(() -> -Math.log(random.nextDouble())).limit(125));
            if (sample.estimate(.9) instanceof Statistics.Interval interval && interval.contains(-Math.log(.1))) held++;
        }
        assertEquals(.95, (double) held / times, .02);
    }

    @Test void too_few_values_have_a_percentile_and_say_why_it_has_no_interval() {
        var ms = Sorted.of(DoubleStream.of(3, 1, 2));
        assertEquals("2, an interval needs 6 values", Words.of(ms.at(.5), ms.estimate(.5)));
        assertEquals("— 0 values, p50 needs 6", Words.of(Double.NaN, Sorted.of(DoubleStream.of()).estimate(.5)));
    }
}
