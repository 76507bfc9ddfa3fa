///usr/bin/env jbang "$0" "$@" ; exit $?
// What does a run say of a load that rises, bursts or lasts: stage by stage, over time, and where a variant breaks?

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/judge/Findings.java
//SOURCES ../kit/judge/Gates.java
//SOURCES ../kit/judge/Shapes.java
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

final class ShapesTest extends ShownRuns {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=ShapesTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    // ==== Vocabulary ====

    private static final String STANDARD = "rust-standard-1769", LMI = "rust-lmi-2048";
    private static final List<Run.Workload> CPU = List.of(new Run.Workload("cpu", null, Map.of("seed", "a", "hash_loops", "1000")));
    /** Up to 20 requests/s in ten seconds, there for ten, and up to 60 in ten more. */
    private static final Study.Shape BURST = new Study.Shape("burst", Study.Shape.RATE, List.of(new Study.Stage(10, 20),
            new Study.Stage(10, 20), new Study.Stage(10, 60)), 0, 6, null, CPU);
    private static final Study.Shape USERS = new Study.Shape("users", Study.Shape.USERS, List.of(new Study.Stage(5, 4),
            new Study.Stage(5, 4)), 0.5, 1, null, CPU);

    private interface Answering { void answer(MadeUpRun.Asked cell, int number, double second); }

    /** Requests as k6 sends them: each when a whole one more is due. */
    private static MadeUpRun cell(MadeUpRun run, int round, String variant, Answering answering) {
        return run.asked(BURST, round, variant, "cpu", cell -> {
            int number = 0;
            for (double second = 0; second < BURST.seconds(); second += 0.0005) {
                while (BURST.due(0, second) >= number + 1) answering.answer(cell, number++, second);
            }
        });
    }

    /** 20 ms whatever is asked. */
    private static void calm(MadeUpRun.Asked cell, int number, double second) { cell.answer(second, 20); }

    /** The burst finds four environments too few: four cold starts, and 300 ms for four seconds. */
    private static void bursting(MadeUpRun.Asked cell, int number, double second) {
        if (second >= 20 && second < 20.2) cell.cold(second, 500, 400.0);
        else cell.answer(second, second >= 20 && second < 24 ? 300 : 20);
    }

    /** Every fifth request of the burst finds no place. */
    private static void throttling(MadeUpRun.Asked cell, int number, double second) {
        if (second >= 20 && number % 5 == 0) cell.throttled(second);
        else cell.answer(second, 10);
    }

    private static MadeUpRun twoVariants() {
        return cell(cell(none(STANDARD, LMI), 1, STANDARD, ShapesTest::bursting), 1, LMI, ShapesTest::throttling);
    }

    // ==== Stage by stage ====

    @Test void each_stage_has_its_figures_its_errors_and_the_time_until_it_was_calm() throws IOException {
        assertEquals("""
                | workload | variant            | stage                  | requests | 4xx | 429 | 5xx | other errors | errors [%] | mean [ms] | min [ms] | p50 [ms] | p90 [ms] | p95 [ms] | p99 [ms] | max [ms] | cold starts | throttled | calm after [s] |
                |----------|--------------------|------------------------|---------:|----:|----:|----:|-------------:|-----------:|----------:|---------:|---------:|---------:|---------:|---------:|---------:|------------:|----------:|---------------:|
                | cpu      | rust-standard-1769 | 1: 0 to 20 requests/s  |      100 |   0 |   0 |   0 |            0 |          0 |        20 |       20 |       20 |       20 |       20 |       20 |       20 |           0 |         0 |              0 |
                | cpu      | rust-standard-1769 | 2: at 20 requests/s    |      199 |   0 |   0 |   0 |            0 |          0 |        20 |       20 |       20 |       20 |       20 |       20 |       20 |           0 |         0 |              0 |
                | cpu      | rust-standard-1769 | 3: 20 to 60 requests/s |      400 |   0 |   0 |   0 |            0 |          0 |       101 |       20 |       20 |      300 |      300 |      500 |      500 |           5 |         0 |              4 |
                | cpu      | rust-lmi-2048      | 1: 0 to 20 requests/s  |      100 |   0 |   0 |   0 |            0 |          0 |        10 |       10 |       10 |       10 |       10 |       10 |       10 |           0 |         0 |              0 |
                | cpu      | rust-lmi-2048      | 2: at 20 requests/s    |      199 |   0 |   0 |   0 |            0 |          0 |        10 |       10 |       10 |       10 |       10 |       10 |       10 |           0 |         0 |              0 |
                | cpu      | rust-lmi-2048      | 3: 20 to 60 requests/s |      400 |   0 |   0 |  80 |            0 |         20 |        10 |       10 |       10 |       10 |       10 |       10 |       10 |           0 |        80 |              — |
                """, table("shape-burst-stages", twoVariants()));
    }

    @Test void one_recording_has_bare_differences_and_says_that_they_have_no_interval() throws IOException {
        assertEquals("""
                | workload | variant       | stage                  | p50                                    | p95                                    | p99                                    | errors           |
                |----------|---------------|------------------------|----------------------------------------|----------------------------------------|----------------------------------------|------------------|
                | cpu      | rust-lmi-2048 | 1: 0 to 20 requests/s  | -50 %, one recording gives no interval | -50 %, one recording gives no interval | -50 %, one recording gives no interval | none in either   |
                | cpu      | rust-lmi-2048 | 2: at 20 requests/s    | -50 %, one recording gives no interval | -50 %, one recording gives no interval | -50 %, one recording gives no interval | none in either   |
                | cpu      | rust-lmi-2048 | 3: 20 to 60 requests/s | -50 %, one recording gives no interval | -97 %, one recording gives no interval | -98 %, one recording gives no interval | 20 % against 0 % |
                """, table("shape-burst-against-baseline", twoVariants()));
    }

    @Test void six_recordings_have_an_interval() throws IOException {
        var run = none(STANDARD, LMI);
        for (int round = 1; round <= 6; round++) {
            double ms = 20 + 0.1 * round;
            cell(run, round, STANDARD, (cell, _, second) -> cell.answer(second, ms));
            cell(run, round, LMI, (cell, _, second) -> cell.answer(second, 2 * ms));
        }
        String table = table("shape-burst-against-baseline", run);
        assertTrue(table.contains("+100 % (+"), table);
        assertFalse(table.contains("no interval"), table);
    }

    @Test void a_request_belongs_to_the_stage_in_which_it_was_sent() throws IOException {
        var late = cell(none(STANDARD), 1, STANDARD, (cell, _, second) -> cell.answer(second, second < 10 ? 12_000 : 20));
        read(late, findings -> {
            assertEquals(List.of(100L, 199L, 400L), Shapes.of(findings).getFirst().stages().stream().map(stage ->
                    stage.requests()).toList(), "the areas of the stages: the last request of the second is due when the third begins");
            return null;
        });
    }

    // ==== Where it breaks ====

    @Test void the_first_stage_with_too_many_errors_or_too_slow_a_tail_breaks_a_variant() throws IOException {
        assertEquals("""
                | workload | variant            | answer                                 | why                                              |
                |----------|--------------------|----------------------------------------|--------------------------------------------------|
                | cpu      | rust-standard-1769 | breaks in stage 3, 20 to 60 requests/s | the warm p99 is 15 times that of the first stage |
                | cpu      | rust-lmi-2048      | breaks in stage 3, 20 to 60 requests/s | 20 % of the requests failed                      |
                """, table("shape-burst-breaks", twoVariants()));
    }

    @Test void a_variant_that_bears_all_stages_does_not_break() throws IOException {
        String table = table("shape-burst-breaks", cell(none(STANDARD), 1, STANDARD, ShapesTest::calm));
        assertTrue(table.contains("does not break, up to 60 requests/s"), table);
    }

    // ==== Over time ====

    @Test void the_course_has_what_happened_in_each_second() throws IOException {
        read(twoVariants(), findings -> {
            var courses = Shapes.of(findings);
            var standard = courses.get(0).blocks();
            assertEquals(30, standard.size());
            assertEquals(20, standard.get(15).sent, 1);
            assertEquals(20, standard.get(15).ms.quantile(.5), 0.1);
            assertEquals(300, standard.get(22).ms.quantile(.5), 1);
            assertEquals(4, standard.get(20).coldStarts, 1);
            assertEquals(1, standard.get(10).environments);
            assertTrue(standard.get(10).cpuShare > 0);
            assertEquals(courses.get(1).stages().get(2).throttled, courses.get(1).blocks().stream().mapToLong(block -> block.throttled).sum());
            return null;
        });
    }

    @Test void standards_cold_starts_on_one_machine_are_shown_with_what_that_means() throws IOException {
        String caveat = "On this machine standard's cold starts wait for one core; on AWS each environment has its own.";
        assertTrue(exhibit("shape-burst-stages", twoVariants()).sentence().contains(caveat));
        assertTrue(exhibit("shape-burst-cpu-rust-standard-1769", twoVariants()).sentence().contains(caveat));
        assertFalse(exhibit("shape-burst-cpu-rust-lmi-2048", twoVariants()).sentence().contains(caveat));
        assertFalse(exhibit("shape-burst-stages", twoVariants().onAws("us-east-1", "arm64")).sentence().contains(caveat));
        assertFalse(exhibit("shape-burst-stages", cell(none(LMI), 1, LMI, ShapesTest::throttling)).sentence().contains(caveat));
    }

    @Test void a_run_of_nothing_but_a_shape_has_a_page_with_a_figure_for_each_variant() throws IOException {
        read(twoVariants(), findings -> {
            String page = new Page("T").exhibits(Exhibits.ofRun(findings, true)).html();
            assertEquals(2, Pattern.compile("Plotly\\.newPlot\\(").matcher(page).results().count());
            assertTrue(page.contains("3: 20 to 60 requests/s"));
            assertFalse(page.contains("\"NaN\""), "Plotly reads no NaN in JSON");
            return null;
        });
    }

    // ==== Users ====

    @Test void a_shape_of_users_is_shown_as_the_lmi_study_shows_it() throws IOException {
        var run = none(STANDARD, LMI);
        for (String variant : List.of(STANDARD, LMI)) run.asked(USERS, 1, variant, "cpu", cell -> {
            for (int i = 0; i < 40; i++) cell.answer(1.25 + i / 5.0, variant.equals(LMI) ? 30 : 20);
        });
        assertEquals("""
                | ms       | rust standard | rust LMI | rust Diff % |
                |----------|--------------:|---------:|------------:|
                | Requests |            40 |       40 |           0 |
                | Avg      |            20 |       30 |         +50 |
                | Min      |            20 |       30 |         +50 |
                | p50      |            20 |       30 |         +50 |
                | p90      |            20 |       30 |         +50 |
                | p95      |            20 |       30 |         +50 |
                | p99      |            20 |       30 |         +50 |
                | Max      |            20 |       30 |         +50 |
                """, table("shape-users-standard-or-lmi-cpu", run));
        assertEquals(List.of(), flags(run), "users ask as fast as they are answered: no rate is due");
    }

    // ==== Gates ====

    @Test void errors_and_throttles_are_what_a_shape_is_for_and_raise_no_gate() throws IOException {
        assertEquals(List.of(), flags(twoVariants()));
    }

    @Test void what_k6_sent_is_held_against_what_was_due_in_each_ten_seconds() throws IOException {
        var slow = cell(none(STANDARD), 1, STANDARD, (cell, number, second) -> {
            if (second < 10 || second >= 20 || number % 10 != 0) cell.answer(second, 20);
        });
        assertEquals(List.of("sent as due: 179 requests sent of 200 due, 10.5 % apart, in the 10 s from second 10 on of "
                + "001-rust-standard-1769-cpu-burst (at most 2 %)"), flags(slow));
    }

    @Test void dropped_iterations_of_a_shape_are_told() throws IOException {
        var run = cell(none(STANDARD), 1, STANDARD, (cell, number, second) -> {
            if (number == 300) cell.dropped(second, 1);
            else cell.answer(second, 20);
        });
        assertEquals(List.of("dropped iterations: 0.144 % of cpu on rust-standard-1769 (at most 0.1 %)"), flags(run));
    }

    @Test void users_at_the_ceiling_of_a_rate_are_told_and_those_of_a_shape_of_users_are_its_load() throws IOException {
        var run = cell(none(STANDARD), 1, STANDARD, (cell, number, second) -> {
            cell.virtualUsers = 195;
            calm(cell, number, second);
        });
        assertTrue(flags(run).getFirst().startsWith("virtual users: 97.5 % of 200"), () -> "flags");
    }
}
