///usr/bin/env jbang "$0" "$@" ; exit $?
// What does a run say of the highest rate that a variant carries: by searches of a known end?

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/judge/Capacities.java
//SOURCES ../kit/judge/Cost.java
//SOURCES ../kit/judge/Findings.java
//SOURCES ../kit/judge/Gates.java
//SOURCES ../kit/judge/RunCost.java
//SOURCES ../kit/record/Run.java
//SOURCES ../kit/record/Search.java
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

final class CapacityTest extends ShownRuns {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=CapacityTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    // ==== Vocabulary ====

    private static final String STANDARD = "rust-standard-1769", LMI = "rust-lmi-2048";
    private static final Study.Capacity STUDY = new Study.Capacity("capacity", 1, 4, 100, 0.01, 2,
            List.of(new Run.Workload("cpu", null, Map.of("seed", "a", "hash_loops", "1000")),
                    new Run.Workload("io", null, MadeUpRun.IO.query())));

    /** A function of which a request takes 20 ms and so much CPU, until more than it carries is asked: then 400 ms. */
    private record Truth(double carries, double cpuMs, double memoryMb, double generatorBusy, double errorShare) {
        static Truth carrying(double rate) { return new Truth(rate, 5, 30, 0.3, 0); }

        Truth busy(double generator) { return new Truth(carries, cpuMs, memoryMb, generator, errorShare); }

        Truth failing(double share) { return new Truth(carries, cpuMs, memoryMb, generatorBusy, share); }

        Truth memory(double mb) { return new Truth(carries, cpuMs, mb, generatorBusy, errorShare); }
    }

    /** A whole search, step by step as an experiment would make it. */
    private static MadeUpRun search(MadeUpRun run, int round, String variant, String workload, Truth truth) {
        var steps = new ArrayList<Run.Step>();
        while (Search.after(STUDY, Run.Variant.of(variant), steps) instanceof Search.Next(var rate)) {
            boolean held = rate <= truth.carries;
            long requests = Math.round(rate * STUDY.measureSeconds()), failed = held ? 0 : Math.round(truth.errorShare * requests);
            double ms = held || truth.errorShare > 0 ? 20 : 400;
            var step = new Run.Step(rate, requests, requests, failed, ms, ms, truth.cpuMs, truth.generatorBusy);
            steps.add(step);
            run.asked(STUDY, round, variant, workload, cell -> {
                cell.step = step;
                cell.stepNumber = steps.size();
                cell.cpuMs = truth.cpuMs;
                cell.memoryMb = truth.memoryMb;
                for (int i = 0; i < requests; i++) cell.answer(1 + i / rate, ms, i < failed ? "http_5xx" : "correct", false, null);
            });
        }
        return run;
    }

    // ==== What a variant carries ====

    @Test void each_variant_has_its_rate_with_the_spread_of_its_searches_and_what_stopped_it() throws IOException {
        var run = none(STANDARD, LMI);
        search(run, 1, STANDARD, "cpu", Truth.carrying(150));
        search(run, 1, LMI, "cpu", Truth.carrying(120).failing(0.05));
        search(run, 2, STANDARD, "cpu", Truth.carrying(170));
        search(run, 2, LMI, "cpu", Truth.carrying(120).failing(0.05));
        assertEquals("""
                | workload | variant            | limited by | searches | carries [1/s] | least [1/s] | most [1/s] | closed form [1/s] | p99 there [ms] | CPU there [ms/request] | memory there [MB] | memory a place [MB] |
                |----------|--------------------|------------|---------:|--------------:|------------:|-----------:|------------------:|---------------:|-----------------------:|------------------:|--------------------:|
                | cpu      | rust-standard-1769 | latency    |        2 |           158 |         148 |        168 |               200 |             20 |                      5 |                30 |                1.88 |
                | cpu      | rust-lmi-2048      | errors     |        2 |           119 |         119 |        119 |               200 |             20 |                      5 |                30 |                1.88 |
                """, table("capacity", run));
    }

    @Test void a_search_that_only_the_generator_ended_says_that_the_function_may_carry_more() throws IOException {
        var run = search(none(STANDARD), 1, STANDARD, "cpu", Truth.carrying(150).busy(0.95));
        assertTrue(table("capacity", run).contains("load generator, front door or stores: the function may carry more"));
        read(search(none(STANDARD), 1, STANDARD, "cpu", Truth.carrying(150).busy(0.95)), findings -> {
            assertFalse(Capacities.of(findings).getFirst().isTheFunctions());
            return null;
        });
    }

    @Test void the_steps_are_told_in_their_order_with_what_became_of_each() throws IOException {
        assertEquals("""
                | workload | variant            | step | what became of it | search | due | answered | failed | asked [1/s] | p50 [ms] | p99 [ms] | CPU [ms/request] | generator [%] |
                |----------|--------------------|------|-------------------|-------:|----:|---------:|-------:|------------:|---------:|---------:|-----------------:|--------------:|
                | cpu      | rust-standard-1769 | s01  | held              |      1 |  40 |       40 |      0 |          10 |       20 |       20 |                5 |            30 |
                | cpu      | rust-standard-1769 | s02  | held              |      1 | 400 |      400 |      0 |         100 |       20 |       20 |                5 |            30 |
                | cpu      | rust-standard-1769 | s03  | too slow          |      1 | 800 |      800 |      0 |         200 |      400 |      400 |                5 |            30 |
                | cpu      | rust-standard-1769 | s04  | too slow          |      1 | 800 |      800 |      0 |         200 |      400 |      400 |                5 |            30 |
                | cpu      | rust-standard-1769 | s05  | held              |      1 | 566 |      566 |      0 |         141 |       20 |       20 |                5 |            30 |
                | cpu      | rust-standard-1769 | s06  | too slow          |      1 | 673 |      673 |      0 |         168 |      400 |      400 |                5 |            30 |
                | cpu      | rust-standard-1769 | s07  | too slow          |      1 | 673 |      673 |      0 |         168 |      400 |      400 |                5 |            30 |
                | cpu      | rust-standard-1769 | s08  | too slow          |      1 | 617 |      617 |      0 |         154 |      400 |      400 |                5 |            30 |
                | cpu      | rust-standard-1769 | s09  | too slow          |      1 | 617 |      617 |      0 |         154 |      400 |      400 |                5 |            30 |
                | cpu      | rust-standard-1769 | s10  | held              |      1 | 591 |      591 |      0 |         148 |       20 |       20 |                5 |            30 |
                | cpu      | rust-standard-1769 | s11  | held              |      1 | 591 |      591 |      0 |         148 |       20 |       20 |                5 |            30 |
                | cpu      | rust-standard-1769 | s12  | held              |      1 | 591 |      591 |      0 |         148 |       20 |       20 |                5 |            30 |
                """, table("capacity-steps", search(none(STANDARD), 1, STANDARD, "cpu", Truth.carrying(150))));
    }

    @Test void a_search_that_is_not_at_its_end_says_nothing_and_the_run_is_unfinished() throws IOException {
        var run = none(STANDARD).asked(STUDY, 1, STANDARD, "cpu", cell -> {
            cell.step = new Run.Step(10, 40, 40, 0, 20.0, 20.0, 2.0, 0.3);
            cell.stepNumber = 1;
            for (int i = 0; i < 40; i++) cell.answer(1 + i / 10.0, 20);
        }).run(whole -> whole.withFinished(null));
        read(run, findings -> {
            assertEquals(List.of(), Capacities.of(findings));
            return null;
        });
        assertEquals(List.of("unfinished run: 0 of 1 cells are measured, but the record has no end (all must be, and the record "
                + "must have its end)"), flags(run));
    }

    // ==== The sweep ====

    @Test void lmis_concurrency_has_a_knee_where_more_of_it_adds_next_to_nothing() throws IOException {
        var run = none("java-lmi-2048-c1", "java-lmi-2048-c8", "java-lmi-2048", "java-lmi-2048-c64");
        search(run, 1, "java-lmi-2048-c64", "io", Truth.carrying(165).memory(320));
        search(run, 1, "java-lmi-2048-c1", "io", Truth.carrying(40).memory(100));
        search(run, 1, "java-lmi-2048-c8", "io", Truth.carrying(120).memory(120));
        search(run, 1, "java-lmi-2048", "io", Truth.carrying(160).memory(160));
        assertEquals("""
                | workload | language | requests at once | carries [1/s] | p99 there [ms] | CPU there [ms/request] | memory [MB] | memory a request at once [MB] |
                |----------|----------|-----------------:|--------------:|---------------:|-----------------------:|------------:|------------------------------:|
                | io       | java     |                1 |          38.6 |             20 |                      5 |         100 |                           100 |
                | io       | java     |                8 |           119 |             20 |                      5 |         120 |                            15 |
                | io       | java     |               16 |           154 |             20 |                      5 |         160 |                            10 |
                | io       | java     |               64 |           161 |             20 |                      5 |         320 |                             5 |
                """, table("sweep", run));
        assertEquals("java carries within 5 % of the most io from 16 requests at once on: the knee.", exhibit("sweep", run).sentence());
    }

    // ==== What it is good for ====

    @Test void a_break_even_goes_by_what_a_vcpu_was_seen_to_carry_instead_of_two_thirds_of_its_cpu() throws IOException {
        double full = 1 / 0.002 * Cost.UTILIZATION;
        read(new MadeUpRun(6, 2, STANDARD, LMI), findings -> {
            assertEquals(full, perEnvironment(findings), 0.02 * full);
            return null;
        });
        var run = search(new MadeUpRun(6, 2, STANDARD, LMI), 1, LMI, "io", Truth.carrying(100));
        read(run, findings -> {
            double carried = Capacities.of(findings).getFirst().rates().at(.5);
            assertEquals(100, carried, 5);
            assertEquals(carried, perEnvironment(findings), 1e-9);
            return null;
        });
        var generator = search(new MadeUpRun(6, 2, STANDARD, LMI), 1, LMI, "io", Truth.carrying(100).busy(0.95));
        read(generator, findings -> {
            assertEquals(full, perEnvironment(findings), 0.02 * full, "where the generator was the limit, nothing is known");
            return null;
        });
    }

    private static double perEnvironment(Findings findings) {
        var cost = new RunCost(findings);
        var choice = cost.choices().stream().filter(one -> one.workload().name().equals("io")).findFirst();
        return cost.headroom(choice.orElseThrow()).full();
    }

    // ==== Gates ====

    @Test void overload_is_what_a_search_is_for_and_raises_no_gate() throws IOException {
        assertEquals(List.of(), flags(search(none(STANDARD), 1, STANDARD, "cpu", Truth.carrying(150).failing(0.5))));
    }

    @Test void a_step_whose_record_is_not_what_its_samples_say_is_seen() throws IOException {
        var run = search(none(STANDARD), 1, STANDARD, "cpu", Truth.carrying(150)).run(whole -> whole.withCells(
                whole.cells().stream().map(CapacityTest::flattered).toList()));
        assertEquals(List.of("search records: the record and the samples are 10 % apart in "
                + "001-rust-standard-1769-cpu-capacity-s02 (at most 0.1 %)"), flags(run));
    }

    /** The second step of a search, with a p99 that is a tenth less than it was. */
    private static Run.Cell flattered(Run.Cell cell) {
        if (!cell.name().endsWith("-s02")) return cell;
        var was = cell.step();
        var step = new Run.Step(was.ratePerSecond(), was.due(), was.answered(), was.failed(), was.medianMs(), 0.9 * was.p99Ms(),
                was.cpuMs(), was.generatorBusy());
        return new Run.Cell(cell.number(), cell.study(), cell.name(), cell.round(), cell.variants(), cell.workload(), step,
                cell.phases(), cell.started(), cell.ended(), cell.outcome(), cell.files(), cell.stored(), cell.generator(), cell.notes());
    }

    // ==== The page ====

    @Test void a_run_of_nothing_but_searches_has_a_page_with_a_figure_for_each_workload() throws IOException {
        var run = search(search(none(STANDARD), 1, STANDARD, "cpu", Truth.carrying(150)), 1, STANDARD, "io", Truth.carrying(200));
        read(run, findings -> {
            String page = new Page("T").exhibits(Exhibits.ofRun(findings, true)).html();
            assertTrue(page.contains("Throughput against p99: cpu") && page.contains("Throughput against p99: io"));
            assertEquals(2, Pattern.compile("Plotly\\.newPlot\\(").matcher(page).results().count());
            return null;
        });
    }
}
