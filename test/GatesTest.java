///usr/bin/env jbang "$0" "$@" ; exit $?
// Does a run that cannot be trusted say so, and why? One made-up run for each gate, wrong in one way, and some that
// are in order.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/judge/Gates.java
//SOURCES ../kit/report/Words.java
//SOURCES MadeUpRun.java

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

/** Each gate, by a made-up run that raises its flag and no other. */
final class GatesTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=GatesTest", "--disable-banner", "--fail-if-no-tests");
    }

    // ==== Vocabulary ====

    private static final String STANDARD = "rust-standard-1769", LMI = "rust-lmi-2048";
    /** Gates that a run of steady load alone has nothing for. */
    private static final Set<Gates.Gate> OF_OTHER_STUDIES = EnumSet.of(Gates.Gate.SENT_AS_DUE, Gates.Gate.SEARCH_RECORDS, Gates.Gate.COLD_START_RECORDS);

    @TempDir Path directory;

    /** Cell 1 is io and 3 is store on standard, 2 and 4 are the same on LMI, all of round 1. */
    private static MadeUpRun clean() { return new MadeUpRun(3, 10, STANDARD, LMI); }

    /** As short as the profile that everybody runs first. */
    private static MadeUpRun quick() { return new MadeUpRun(2, 1.5, STANDARD, LMI); }

    /** As many rounds as the experiment has. */
    private static MadeUpRun experiment() { return new MadeUpRun(24, 2, STANDARD, LMI); }

    private List<String> flags(MadeUpRun madeUp) throws IOException {
        madeUp.write(directory);
        return flags();
    }

    private List<String> flags() throws IOException {
        try (var findings = findings()) {
            return Gates.check(findings).stream().filter(Gates.Checked::isRaised).map(Words::of).toList();
        }
    }

    private Findings findings() throws IOException {
        return Findings.read(Run.read(directory.resolve("run.json")), directory, (_, _) -> {});
    }

    /** Exactly these flags; "…" stands for anything. */
    private static void areExactly(List<String> flags, String... sentences) {
        assertLinesMatch(Stream.of(sentences).map(GatesTest::pattern).toList(), flags);
    }

    private static String pattern(String sentence) {
        return Stream.of(sentence.split("…", -1)).map(Pattern::quote).collect(Collectors.joining(".+"));
    }

    private void raises(String sentence, MadeUpRun madeUp) throws IOException { areExactly(flags(madeUp), sentence); }

    private void raisesNone(MadeUpRun madeUp) throws IOException { areExactly(flags(madeUp)); }

    // ==== In order ====

    @Test void a_clean_run_raises_no_flag() throws IOException { raisesNone(clean()); }

    @Test void a_quick_run_raises_no_flag_for_an_iteration_that_rounding_took_or_gave() throws IOException {
        raisesNone(quick().cells(cell -> cell.is(LMI, "io"), cell -> cell.requests = 59)
                .cells(cell -> cell.is(LMI, "store"), cell -> cell.requests = 44));
    }

    @Test void what_lies_just_within_the_limits_raises_no_flag() throws IOException {
        raisesNone(clean().cell(1, cell -> {
            cell.dropped = 1;
            cell.errors = 11;
            cell.requests -= 10;
            cell.virtualUsers = 180;
            cell.generatorCpu = 0.80;
            cell.machineCpu = 0.95;
            cell.stepSeconds = 0.9;
        }).cell(2, cell -> cell.concurrency = 15));
    }

    private Map<Gates.Gate, Gates.Checked> checked(MadeUpRun madeUp) throws IOException {
        madeUp.write(directory);
        try (var findings = findings()) {
            return Gates.check(findings).stream().collect(Collectors.toMap(Gates.Checked::gate, checked -> checked));
        }
    }

    @Test void every_gate_is_told_with_its_figure_when_it_passes() throws IOException {
        var checked = checked(clean().cell(1, cell -> cell.generatorCpu = 0.3));
        assertEquals(EnumSet.allOf(Gates.Gate.class), checked.keySet());
        for (var gate : checked.values()) assertEquals(
                OF_OTHER_STUDIES.contains(gate.gate()) ? Gates.State.NOT_KNOWN : Gates.State.PASSED, gate.state(), gate::toString);
        assertEquals(0.3, checked.get(Gates.Gate.GENERATOR_CPU).figure(), 1e-9, "the busiest cell's");
        assertEquals(1, checked.get(Gates.Gate.ACHIEVED_RATE).figure(), 0.01);
        assertEquals(0, checked.get(Gates.Gate.DROPPED_ITERATIONS).figure());
        assertEquals("generator's CPU: 30 % of 1 core in 001-rust-standard-1769-io (at most 80 %)",
                Words.of(checked.get(Gates.Gate.GENERATOR_CPU)));
    }

    @Test void what_nobody_measured_is_not_known() throws IOException {
        var checked = checked(clean().cells(_ -> true, cell -> cell.generatorCpu = Double.NaN)
                .run(run -> run.withCells(run.cells().stream().filter(cell -> cell.stored() == null).toList())));
        for (var gate : List.of(Gates.Gate.GENERATOR_CPU, Gates.Gate.STORED_OBJECTS)) {
            assertEquals(Gates.State.NOT_KNOWN, checked.get(gate).state());
            assertTrue(Double.isNaN(checked.get(gate).figure()));
        }
        assertEquals("generator's CPU: not known (at most 80 %)", Words.of(checked.get(Gates.Gate.GENERATOR_CPU)));
    }

    // ==== The record ====

    @Test void a_changed_file_is_seen() throws IOException {
        clean().write(directory);
        Path file = directory.resolve("cells/001-rust-standard-1769-io.metrics.ndjson");
        Files.writeString(file, "\n", StandardOpenOption.APPEND);
        areExactly(flags(), "changed files: cells/001-rust-standard-1769-io.metrics.ndjson is not the one that was recorded "
                + "(its sha256 must be the one on record)");
    }

    @Test void a_cut_file_is_seen() throws IOException {
        raises("cut file: 001-rust-standard-1769-io.k6.json.gz: …; the rest is counted (none allowed)",
                clean().cell(1, cell -> cell.lastLine = "{\"metric\":\"vus\",\"type\":\"Po"));
    }

    private interface Harm { void doTo(Path file) throws IOException; }

    /** What can happen to a file, whatever is in it. */
    private static final Map<String, Harm> HARMS = Map.of(
            "missing", Files::delete,
            "empty", file -> Files.write(file, new byte[0]),
            "cut", file -> {
                byte[] bytes = Files.readAllBytes(file);
                Files.write(file, Arrays.copyOf(bytes, bytes.length / 2));
            },
            "damaged", file -> {
                byte[] bytes = Files.readAllBytes(file);
                Arrays.fill(bytes, bytes.length / 2, bytes.length, (byte) 7);
                Files.write(file, bytes);
            },
            "a link", file -> {
                Path elsewhere = Files.move(file, file.resolveSibling("elsewhere"));
                Files.createSymbolicLink(file, elsewhere);
            },
            "a directory", file -> {
                Files.delete(file);
                Files.createDirectory(file);
            });

    @TestFactory Stream<DynamicTest> a_file_of_any_kind_that_is_missing_cut_or_damaged_is_told_and_the_rest_is_counted() {
        return Arrays.stream(Run.File.Kind.values()).flatMap(kind -> HARMS.entrySet().stream().map(harm ->
                DynamicTest.dynamicTest(kind + " " + harm.getKey(), () -> {
            Path run = Files.createTempDirectory(directory, "run");
            String victim = clean().cells.getFirst().name();
            clean().write(run);
            harm.getValue().doTo(kind.of(run, victim));
            try (var findings = Findings.read(Run.read(run.resolve("run.json")), run, (_, _) -> {})) {
                var told = Gates.check(findings).stream().filter(Gates.Checked::isRaised).map(Words::of).toList();
                assertTrue(told.stream().anyMatch(one -> one.contains(kind.of(Path.of(""), victim).getFileName().toString())),
                        told::toString);
                var rest = findings.streams.stream().flatMap(stream -> stream.slots.values().stream())
                        .filter(slot -> !slot.cell.equals(victim)).toList();
                assertEquals(clean().cells.size() - 1, rest.size());
                for (var slot : rest) assertTrue(slot.correct() > 0 && slot.invocations > 0 && slot.warm != null, slot.cell);
            }
        })));
    }

    @Test void a_line_that_is_not_k6s_is_seen() throws IOException {
        raises("refused lines: 1 not k6's in 001-rust-standard-1769-io.k6.json.gz, the first at byte …: "
                        + "'panic: out of memory' (none allowed)",
                clean().cell(1, cell -> cell.lastLine = "panic: out of memory\n"));
    }

    @Test void an_unfinished_run_is_seen() throws IOException {
        raises("unfinished run: 12 of 12 cells are measured, but the record has no end "
                        + "(all must be, and the record must have its end)",
                clean().run(run -> run.withFinished(null)));
    }

    @Test void a_failed_cell_is_seen_and_its_absence_is_not_held_against_the_others() throws IOException {
        raises("failed cells: k6 ended with 107: panic in 001-rust-standard-1769-io (none allowed)",
                clean().cell(1, cell -> cell.outcome = Run.Outcome.failed("k6 ended with 107: panic")));
    }

    // ==== The work ====

    @Test void a_wrong_answer_is_unequal_work() throws IOException {
        raises("unequal work: 1 wrong answer in 001-rust-standard-1769-io "
                        + "(only correct ones)",
                clean().cell(1, cell -> cell.wrong = 1));
    }

    @Test void a_variant_that_never_proved_its_replies_is_seen() throws IOException {
        raises("unproved work: no proof of equal replies for rust-lmi-2048 "
                        + "(every variant must give the contract's replies before the load)",
                clean().run(run -> run.withAgreement(
                        new Run.Agreement(run.started(), 45, List.of(STANDARD)))));
    }

    @Test void a_reply_without_its_object_is_seen() throws IOException {
        raises("stored objects: 331 objects of 36 to 36 bytes, 331 items, the same ids after 332 correct replies "
                        + "to 332 invocations in 003-rust-standard-1769-store (…)",
                clean().cell(3, cell -> cell.missingObjects = 1));
    }

    @Test void an_object_that_no_invocation_stored_is_seen() throws IOException {
        raises("stored objects: 333 objects … in 003-rust-standard-1769-store (…)",
                clean().cell(3, cell -> cell.missingObjects = -1));
    }

    @ParameterizedTest @ValueSource(strings = {"331, true, 36", "332, false, 36", "332, true, 35"})
    void an_object_without_its_item_or_of_another_size_is_seen(String found) throws IOException {
        var it = found.split(", ");
        raises("stored objects: 332 objects of " + it[2] + " to 36 bytes, " + it[0] + " items, "
                        + "… in 003-rust-standard-1769-store (…)",
                clean().cell(3, cell -> cell.found = stored -> new Run.Stored(stored.objects(), Long.parseLong(it[0]),
                        Boolean.parseBoolean(it[1]), Long.parseLong(it[2]), 36)));
    }

    @Test void late_invocation_records_are_not_held_against_the_stores() throws IOException {
        raisesNone(clean().cell(3, cell -> {
            cell.missingObjects = -1;
            cell.notes = List.of("1 invocation record is late");
        }));
    }

    // ==== The load ====

    @Test void dropped_iterations_are_seen() throws IOException {
        raises("dropped iterations: 0.249 % of io on rust-standard-1769 (at most 0.1 %)",
                clean().cell(1, cell -> cell.dropped = 3));
    }

    @Test void a_rate_that_was_not_reached_is_seen() throws IOException {
        raises("achieved rate: 98.5 % of 40 a second asked of io on rust-standard-1769 (at least 99 %); 1 more like it",
                clean().cells(cell -> cell.workload.name().equals("io"), cell -> cell.requests -= 7));
    }

    @Test void variants_that_were_asked_unequally_often_are_seen() throws IOException {
        raises("unequal counts: 1203 to 1227 requests by variant in io (at most 1 % or 2 a cell apart)",
                clean().cells(cell -> cell.is(LMI, "io"), cell -> cell.requests += 8));
    }

    @Test void virtual_users_at_their_ceiling_are_seen() throws IOException {
        raises("virtual users: 92.5 % of 200 in 001-rust-standard-1769-io (at most 90 %)",
                clean().cell(1, cell -> cell.virtualUsers = 185));
    }

    @Test void a_generator_that_is_busy_itself_is_seen_on_the_cores_that_it_may_use() throws IOException {
        raises("generator's CPU: 85 % of 1 core in 001-rust-standard-1769-io (at most 80 %)",
                clean().cell(1, cell -> cell.generatorCpu = 0.85));
    }

    @Test void a_machine_without_idle_time_is_seen() throws IOException {
        raises("machine's CPU: 97 % busy in 001-rust-standard-1769-io (at most 95 %)",
                clean().cell(1, cell -> cell.machineCpu = 0.97));
    }

    // ==== The functions ====

    @Test void more_errors_than_one_in_a_hundred_are_seen() throws IOException {
        raises("errors: 1.09 % of io on rust-standard-1769 (at most 1 %)",
                clean().cell(1, cell -> cell.errors = 13));
    }

    @Test void a_single_throttle_is_seen() throws IOException {
        raises("throttles: 1 of rust-standard-1769 in 001-rust-standard-1769-io (none allowed)",
                clean().cell(1, cell -> cell.throttled = 1));
    }

    @Test void an_lmi_function_without_a_free_place_is_seen() throws IOException {
        raises("LMI at its maximum: 16 of 16 at once in 002-rust-lmi-2048-io (fewer than the limit)",
                clean().cell(2, cell -> cell.concurrency = 16));
    }

    @Test void throttles_are_seen_as_cloud_watch_tells_of_them() throws IOException {
        raises("throttles: 3 of rust-lmi-2048 in 002-rust-lmi-2048-io (none allowed)",
                clean().cell(2, cell -> cell.cloudWatch = Map.of("ConcurrencyThrottles", 1.5)));
    }

    @Test void lmis_maximum_is_seen_as_cloud_watch_tells_of_it() throws IOException {
        var atIt = Map.of("ExecutionEnvironmentConcurrency", 48.0, "ExecutionEnvironmentConcurrencyLimit", 48.0);
        raises("LMI at its maximum: 48 of 48 at once in 002-rust-lmi-2048-io (fewer than the limit)",
                clean().cell(2, cell -> cell.cloudWatch = atIt));
    }

    @Test void the_share_of_its_core_that_a_function_used_is_known() throws IOException {
        clean().write(directory);
        try (var findings = findings()) {
            assertEquals(0.1, findings.utilisation(LMI, "io"), 1e-9);
            assertTrue(Double.isNaN(findings.utilisation(LMI, "cpu")), "nobody asked for it");
        }
    }

    // ==== Time ====

    @Test void a_clock_that_jumped_back_makes_a_cell_too_short() throws IOException {
        raises("clock: 5.5 s less than the phases of 001-rust-standard-1769-io (at most 1 s)",
                clean().cell(1, cell -> cell.ended = cell.started.plusMillis(5_500)));
    }

    @Test void a_clock_that_jumped_ahead_makes_a_phase_too_long() throws IOException {
        raises("clock: 4.9… s more than a phase and its slowest answer in 001-rust-standard-1769-io (at most 1 s)",
                clean().cell(1, cell -> {
                    cell.stepSeconds = 5;
                    cell.ended = cell.ended.plusSeconds(5);
                }));
    }

    @Test void answers_from_before_their_cell_are_seen() throws IOException {
        raises("clock: … s from an answer to the start of 001-rust-standard-1769-io (at most 1 s)",
                clean().cell(1, cell -> cell.stepSeconds = -9));
    }

    @Test void a_level_that_falls_early_and_stays_down_is_a_warm_up_that_was_not_over() throws IOException {
        raises("warm-up not over: 16.… % less p50 of io on rust-lmi-2048 from round 7 on "
                        + "(at most 5 % in the first third)",
                experiment().cells(cell -> cell.is(LMI, "io") && cell.round <= 6, cell -> cell.latencyMs *= 1.2));
    }

    @Test void a_level_that_falls_late_or_rises_for_a_while_is_no_warm_up() throws IOException {
        Predicate<MadeUpRun.Cell> early = cell -> cell.workload.name().equals("io") && cell.round <= 14;
        Predicate<MadeUpRun.Cell> forAWhile = cell ->
                cell.workload.equals(MadeUpRun.STORE) && cell.round > 6 && cell.round <= 14;
        raisesNone(experiment().cells(early.or(forAWhile), cell -> cell.latencyMs *= 1.2));
    }

    @ParameterizedTest @ValueSource(longs = {1, 2, 3}) void noise_is_no_warm_up(long seed) throws IOException {
        var random = new Random(seed);
        raisesNone(experiment().cells(_ -> true,
                cell -> cell.latencyMs *= StrictMath.exp(0.1 * random.nextGaussian())));
    }

    // ==== As a reader meets it ====

    @Test void analyze_puts_the_flag_on_top_and_exits_with_3() throws Exception {
        clean().cell(1, cell -> cell.dropped = 3).write(directory);
        Path out = directory.resolve("out.txt");
        var analyze = new ProcessBuilder("./jbang", "analyze.java", directory.toString())
                .redirectErrorStream(true).redirectOutput(out.toFile()).start();
        int exitCode = analyze.waitFor();
        String said = Files.readString(out), page = Files.readString(directory.resolve("report/index.html"));
        String sentence = "dropped iterations: 0.249 % of io on rust-standard-1769 (at most 0.1 %)";
        assertEquals(3, exitCode, said);
        assertTrue(said.contains("NOT VALID: " + sentence), said);
        assertTrue(page.contains(sentence));
    }
}
