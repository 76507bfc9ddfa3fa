///usr/bin/env jbang "$0" "$@" ; exit $?
// Is said of a run what is true of it, and no more? Made-up runs whose truth is known, and the verdicts on them.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/judge/Changes.java
//SOURCES ../kit/judge/Verdicts.java
//SOURCES ../kit/report/Words.java
//SOURCES MadeUpRun.java

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

final class VerdictsTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=VerdictsTest", "--disable-banner", "--fail-if-no-tests");
    }

    // ==== Vocabulary ====

    private static final String STANDARD = "rust-standard-1769", LMI = "rust-lmi-2048", TWIN = STANDARD + "-twin";
    private static final String[] ALL = {"python-standard-1769", "python-lmi-2048", STANDARD, LMI,
        "java-standard-1769", "java-lmi-2048"};
    @TempDir Path directory;

    /** Enough rounds to speak of, and enough requests to bound p99. */
    private static MadeUpRun madeUp(String... variants) {
        return new MadeUpRun(12, 2, variants).cells(_ -> true, cell -> cell.spread = 0.1);
    }

    private static Predicate<MadeUpRun.Cell> of(String variant) { return cell -> cell.is(variant); }

    private <T> T read(MadeUpRun madeUp, BiFunction<Findings, Verdicts, T> question) throws IOException {
        var run = Run.read(madeUp.write(directory));
        try (var findings = Findings.read(run, directory, (_, _) -> {})) {
            return question.apply(findings, new Verdicts(findings));
        }
    }

    /** The verdicts on one measure under io, a line for each pair. */
    private String said(Verdicts.Measure measure, MadeUpRun madeUp) throws IOException {
        return read(madeUp, (_, verdicts) -> verdicts.of(MadeUpRun.IO).get(measure).entrySet().stream()
                .map(said -> Words.of(said.getKey()) + ": " + Words.of(said.getValue(), measure))
                .collect(Collectors.joining("\n")));
    }

    private String ofColdStarts(MadeUpRun madeUp) throws IOException {
        return read(madeUp, (_, verdicts) -> verdicts.ofColdStarts().values().stream()
                .map(verdict -> Words.of(verdict, Verdicts.Measure.P50).toString()).toList().toString());
    }

    /** What is known of one figure of the first variant under io. */
    private Statistics.Estimate known(Verdicts.Measure measure, MadeUpRun madeUp) throws IOException {
        return read(madeUp, (findings, verdicts) -> verdicts.estimate(findings.streams.getFirst(), measure));
    }

    private static void matches(String expected, String actual) {
        var pattern = Stream.of(expected.split("#", -1)).map(Pattern::quote).collect(Collectors.joining("[0-9.]+"));
        assertTrue(actual.matches(pattern), () -> "expected: " + expected + "\nbut was:  " + actual);
    }

    // ==== Differences ====

    @Test void nine_questions_are_asked_of_three_languages_on_both_computes() throws IOException {
        assertEquals("""
                python: LMI against standard
                rust: LMI against standard
                java: LMI against standard
                standard: rust against python
                standard: java against python
                standard: java against rust
                LMI: rust against python
                LMI: java against python
                LMI: java against rust""",
                said(Verdicts.Measure.P50, madeUp(ALL)).replaceAll("(?m)^([^:]+:[^:]+):.*", "$1"));
    }

    @Test void ten_percent_more_is_slower_by_about_ten_percent() throws IOException {
        var slower = madeUp(STANDARD, LMI).cells(of(LMI), cell -> cell.latencyMs *= 1.1);
        String said = said(Verdicts.Measure.P50, slower);
        matches("rust: LMI against standard: slower by # % (# to # %)", said);
        double percent = Double.parseDouble(said.replaceAll(".*slower by ([0-9.]+) %.*", "$1"));
        assertEquals(10, percent, 2);
    }

    @Test void half_the_cpu_is_less_by_a_factor_of_two() throws IOException {
        var half = madeUp(STANDARD, LMI).cells(of(LMI), cell -> cell.cpuMs *= 0.5);
        assertEquals("rust: LMI against standard: less by a factor of 2 (2 to 2)",
                said(Verdicts.Measure.CPU, half));
    }

    @Test void identical_variants_show_no_difference_in_anything() throws IOException {
        String verdicts = read(madeUp(ALL), (_, found) -> found.of(MadeUpRun.IO)).toString();
        assertFalse(verdicts.matches(".*(Different|TooSmall).*"), verdicts);
        matches("rust: LMI against standard: practically equal: # % apart at most",
                said(Verdicts.Measure.P50, madeUp(STANDARD, LMI)));
    }

    @Test void a_difference_within_the_twins_is_no_finding() throws IOException {
        var noisy = madeUp(STANDARD, LMI, TWIN).cells(of(LMI), cell -> cell.latencyMs *= 1.1)
                .cells(of(TWIN), cell -> cell.latencyMs *= 1.12);
        matches("rust: LMI against standard: not told from noise: measured # % slower; "
                        + "two copies of one function differ by up to # %",
                said(Verdicts.Measure.P50, noisy));
    }

    @Test void what_is_sure_of_one_question_is_not_sure_among_eighteen() throws IOException {
        Consumer<MadeUpRun.Cell> nowAndThen = cell -> cell.cpuMs = cell.is(LMI) && cell.round % 2 == 0 ? 2.13 : 2;
        matches("rust: LMI against standard: more by # % (# to # %)",
                said(Verdicts.Measure.CPU, madeUp(STANDARD, LMI).cells(_ -> true, nowAndThen)));
        String ofAll = said(Verdicts.Measure.CPU, madeUp(ALL).cells(_ -> true, nowAndThen));
        assertTrue(ofAll.contains("rust: LMI against standard: "
                + "probably more by 3.2 % ("), ofAll);
        assertTrue(ofAll.contains("), but one of 18 such answers may look so by chance"), ofAll);
    }

    @Test void one_odd_round_is_told_apart_from_a_difference() throws IOException {
        var odd = madeUp(STANDARD, LMI).cells(cell -> cell.is(LMI) && cell.round == 4, cell -> cell.cpuMs *= 40);
        matches("rust: LMI against standard: undecided: measured a factor of # more; "
                + "anything from # % less to a factor of # more fits; in the typical round -# %: "
                + "a few odd rounds make the difference", said(Verdicts.Measure.CPU, odd));
    }

    @Test void one_machine_says_nothing_of_standard_against_lmi_when_its_core_was_busy() throws IOException {
        var busy = madeUp(STANDARD, LMI, "java-standard-1769")
                .cells(of(STANDARD), cell -> cell.functionCpu = 0.31);
        var said = said(Verdicts.Measure.P50, busy).lines().toList();
        assertEquals("rust: LMI against standard: not comparable: rust-standard-1769 kept the functions' only core "
                + "31 % busy", said.getFirst());
        assertFalse(said.getLast().contains("busy"), said.getLast());
        matches("rust: LMI against standard: practically equal: # % apart at most",
                said(Verdicts.Measure.P50, madeUp(STANDARD, LMI).cells(of(STANDARD), cell -> cell.functionCpu = 0.31)
                        .onAws("us-east-1", "arm64")));
    }

    // ==== Too little ====

    @Test void below_its_minimum_n_a_quantile_has_a_reason_and_no_number() throws IOException {
        var few = new MadeUpRun(8, 1.1, STANDARD, LMI);
        assertEquals(new Statistics.Unknown(new Reason.TooFewValues(.99, 360, 368)), known(Verdicts.Measure.P99, few));
        assertEquals("rust: LMI against standard: not enough data: 360 values, p99 needs 368",
                said(Verdicts.Measure.P99, few));
        assertInstanceOf(Statistics.Interval.class, known(Verdicts.Measure.P50, madeUp(STANDARD, LMI)));
    }

    @Test void rounds_that_were_not_measured_are_no_evidence() throws IOException {
        var cut = madeUp(STANDARD, LMI).cells(cell -> cell.round > 5, cell -> cell.outcome = Run.Outcome.failed("cut"));
        for (var measure : List.of(Verdicts.Measure.P50, Verdicts.Measure.CPU)) {
            assertEquals(new Statistics.Unknown(new Reason.TooFewBlocks(5, 6)), known(measure, cut));
        }
    }

    // ==== Errors and billed time ====

    @Test void without_errors_there_is_still_a_bound() throws IOException {
        var known = assertInstanceOf(Statistics.Interval.class,
                known(Verdicts.Measure.ERRORS, madeUp(STANDARD, LMI)));
        assertEquals(0, known.point());
        assertEquals(300.0 / (12 * 81), known.high(), 1e-9);
        assertEquals("rust: LMI against standard: undecided: measured the same; anything from "
                + "0.31 points fewer to 0.31 points more fits",
                said(Verdicts.Measure.ERRORS, madeUp(STANDARD, LMI)));
        matches("rust: LMI against standard: practically equal: # points apart at most",
                said(Verdicts.Measure.ERRORS, new MadeUpRun(12, 7, STANDARD, LMI)));
    }

    @Test void errors_in_every_round_are_more_and_those_of_one_round_are_not() throws IOException {
        var often = madeUp(STANDARD, LMI).cells(of(LMI), cell -> cell.errors = 2 + cell.round % 3);
        matches("rust: LMI against standard: more by # points (# to # points)", said(Verdicts.Measure.ERRORS, often));
        var once = madeUp(STANDARD, LMI).cells(cell -> cell.is(LMI) && cell.round == 3, cell -> cell.errors = 30);
        matches("rust: LMI against standard: undecided: measured # points more; "
                + "anything from # points fewer to # points more fits; in the typical round 0 points: "
                + "a few odd rounds make the difference", said(Verdicts.Measure.ERRORS, once));
    }

    @Test void billed_time_is_compared_where_time_is_billed() throws IOException {
        var longer = madeUp(ALL).cells(of("java-standard-1769"), cell -> cell.durationMs *= 1.5);
        var said = said(Verdicts.Measure.BILLED, longer).lines().toList();
        assertEquals("rust: LMI against standard: — LMI is billed by the instance, see the break-even", said.get(1));
        matches("standard: rust against python: practically equal: # % apart at most", said.get(3));
        matches("standard: java against rust: more by # % (# to # %)", said.get(5));
    }

    // ==== Cold starts and time ====

    @Test void cold_starts_are_two_samples() throws IOException {
        double[] starts = {300, 310, 325, 340, 370};
        var cold = madeUp(STANDARD, LMI).cells(cell -> cell.round == 1, cell -> cell.coldMs = Arrays.stream(starts)
                .map(ms -> (cell.is(LMI) ? 2.5 : 1) * (ms + cell.number)).boxed().toList());
        matches("[slower by a factor of # (# to #)]", ofColdStarts(cold));
        assertArrayEquals(new double[] {301, 303, 311, 313, 326, 328, 341, 343, 371, 373},
                read(cold, (findings, verdicts) -> verdicts.coldMs(findings.streams.getFirst().variant)));
    }

    @Test void three_cold_starts_say_nothing() throws IOException {
        var cold = madeUp(STANDARD, LMI).cells(cell -> cell.round == 1 && cell.workload.equals(MadeUpRun.IO),
                cell -> cell.coldMs = List.of(300.0, 310.0, 320.0));
        assertEquals("[not enough data: 3 and 3 values, too few]", ofColdStarts(cold));
    }

    @Test void a_change_of_level_is_marked_and_a_slope_is_a_drift() throws IOException {
        var changed = new MadeUpRun(24, 2, STANDARD, LMI).cells(cell -> cell.is(STANDARD, "io") && cell.round > 12,
                cell -> cell.latencyMs *= 1.2);
        assertEquals(List.of(12), read(changed, (findings, verdicts) ->
                verdicts.changes(findings.streams.getFirst()).stream().filter(Changes.Change::sure).map(Changes.Change::block).toList()));
        double perRound = 0.1, secondsOfRound = 4 * 8;
        var drifting = new MadeUpRun(24, 2, STANDARD, LMI)
                .cells(_ -> true, cell -> cell.latencyMs += perRound * cell.round);
        var drift = assertInstanceOf(Statistics.Interval.class,
                read(drifting, (findings, _) -> Verdicts.drift(findings.streams.getFirst())));
        assertTrue(drift.contains(perRound * 3_600 / secondsOfRound), drift::toString);
    }

    // ==== As a reader meets it ====

    private String analyze(List<String> prefix, String... arguments) throws Exception {
        var command = new ArrayList<>(prefix);
        command.addAll(List.of("./jbang", "analyze.java"));
        command.addAll(List.of(arguments));
        Path out = directory.resolve("out.txt");
        int exitCode = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile()).start()
                .waitFor();
        String said = Files.readString(out);
        assertEquals(0, exitCode, said);
        return said;
    }

    @Test void analyze_tables_what_may_be_said_the_same_on_one_core_and_on_all() throws Exception {
        var run = madeUp(STANDARD, LMI, TWIN).cells(of(LMI), cell -> cell.latencyMs *= 1.1)
                .cells(cell -> cell.is(LMI, "store") && cell.round > 6, cell -> cell.latencyMs *= 1.3)
                .write(directory).toString();
        var reports = new LinkedHashSet<String>();
        for (var prefix : List.of(List.<String>of(), List.of("taskset", "-c", "0"), List.<String>of())) {
            analyze(prefix, run);
            var report = new StringBuilder();
            try (var files = Files.list(directory.resolve("report"))) {
                for (var file : files.sorted().toList()) {
                    report.append(file.getFileName()).append(Files.readString(file));
                }
            }
            reports.add(report.toString());
        }
        assertEquals(1, reports.size());
        String report = reports.getFirst();
        assertTrue(report.contains("rust: LMI against standard,slower by "), report);
        for (String table : List.of("verdicts-io", "verdicts-io-secondary", "cold-start-verdicts", "smallest-findings",
                "intervals", "noise", "drift", "changes")) assertTrue(report.contains(table + ".csv"), table);
        assertTrue(report.contains("store,rust-lmi-2048,041-rust-lmi-2048-store,"), "the change of level");
    }

    @Test void three_runs_say_something_of_a_fourth() throws Exception {
        var command = new ArrayList<String>();
        for (int run = 1; run <= 3; run++) {
            double factor = 1 + 0.05 * run;
            command.add(madeUp(STANDARD, LMI).cells(_ -> true, cell -> cell.latencyMs *= factor)
                    .write(directory.resolve("run" + run)).toString());
        }
        command.addAll(List.of("--out", directory.resolve("runs").toString()));
        analyze(List.of(), command.toArray(String[]::new));
        var table = Files.readAllLines(directory.resolve("runs/runs.csv"));
        assertTrue(table.stream().anyMatch(line -> line.startsWith(",io," + STANDARD + ",p50 [ms],")
                && line.matches(".*,[0-9.]+ \\([0-9.]+ to [0-9.]+\\),3,[0-9.]+")), table::toString);
        assertTrue(table.stream().anyMatch(line -> line.startsWith(",io," + STANDARD + ",errors [%],")
                && line.contains("— a figure that may be zero has no ratio between runs")), table::toString);
    }
}
