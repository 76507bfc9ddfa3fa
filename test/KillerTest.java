///usr/bin/env jbang "$0" "$@" ; exit $?
// Whatever is killed, at whatever moment: does anything of a run live on?
//
// An experiment is started in a copy of the kit, and at a random moment of a chosen step one of its processes is killed
// with SIGKILL: the experiment itself, its target, the stores, k6, or a function. If it was not the experiment, that is
// left to end by itself. Five seconds later no process of the run may be alive, no port of it open, no temporary file
// left. Some of the killed runs are then resumed, and must come to a whole record.
//
// The run has a directory for temporary files of its own, whose path stands in the environment of every process that
// the run starts, the functions included: so each of them is found, whoever its parent is by now.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/Cli.java
//SOURCES ../kit/record/Disk.java
//SOURCES ../kit/record/Run.java
//SOURCES Ports.java

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

final class KillerTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=KillerTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    // ==== Vocabulary ====

    private static final Duration NOTHING_LEFT_WITHIN = Duration.ofSeconds(5);
    /** A run of a few seconds' load; a busy machine may need many times what an idle one does. */
    private static final Duration PATIENCE = Duration.ofMinutes(6);
    /** How a run ends whose parts are killed: done all the same, not started, or not measured. */
    private static final Set<Integer> ENDS = Set.of(Cli.DONE, Cli.START_FAILED, Cli.MEASUREMENT_FAILED);
    /** How a shell tells of a process that was killed with kill -9. */
    private static final int KILLED = 137;
    private static final boolean SLOW = Boolean.getBoolean("slow");
    private static final long SEED = Long.getLong("seed", 20261124);
    private static final SplittableRandom RANDOM = new SplittableRandom(SEED);

    /** A step of a run: the line that experiment.java prints when it begins, and about how long it takes. */
    enum Step {
        BUILD("require  k6.*", 3000), START("build    .* in .*", 6000), AGREE("start    .*", 1000),
        WARM_UP("warm-up  .*", 3000), LOAD("", 3000), COLLECT("", 200), REMOVE("load     \\d+ cells", 150);

        final Pattern begins;
        final int millis;

        Step(String begins, int millis) {
            this.begins = Pattern.compile(begins);
            this.millis = millis;
        }
    }

    /** Whom to kill: found by a piece of its command line. */
    enum Victim {
        EXPERIMENT(" Experiment "), TARGET(" Local serve"), STORES(" Local stores"), K6("/load.js"),
        FUNCTION("awslambdaric|AWSLambda|bootstrap");

        final Pattern command;

        Victim(String command) { this.command = Pattern.compile(command); }
    }

    private static Path kit;

    @BeforeAll static void copyTheKit() throws IOException {
        System.out.println("seed " + SEED);
        kit = Files.createTempDirectory("killer-test");
        for (String part : List.of("jbang", "experiment.java", "local.java", "kit", "function", "k6", "data/prices.json")) {
            try (var files = Files.walk(Path.of(part))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    Files.createDirectories(kit.resolve(file).getParent());
                    Files.copy(file, kit.resolve(file), StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
        }
        var variants = SLOW
                ? "\"python-standard-1769\", \"python-lmi-2048\", \"rust-standard-1769\", \"java-lmi-2048\""
                : "\"python-standard-1769\", \"python-lmi-2048\"";
        Files.writeString(kit.resolve("k6/profiles/killed.json"), """
                { "description": "A test.", "claims": false, "seed": 7, "warmUpRequests": 4,
                  "targets": { "local": { "variants": [%s], "studies": [{ "kind": "steady", "name": "steady",
                    "design": "slots", "rounds": 1, "settleSeconds": 0, "measureSeconds": 2,
                    "workloads": [{ "name": "store", "ratePerSecond": 10, "query": {} }] }] } } }
                """.formatted(variants));
    }

    @AfterAll static void removeTheCopy() throws IOException { Disk.delete(kit); }

    /** A run under way, with its own directory for temporary files. */
    private record Running(Process process, Path output, Path temporary) {
        static Running start(String... arguments) throws IOException {
            Path temporary = Files.createTempDirectory("killer-test-run"), output = Files.createTempFile(kit, "output", "");
            var command = new ArrayList<>(List.of("./jbang", "experiment.java"));
            command.addAll(List.of(arguments));
            var builder = new ProcessBuilder(command).directory(kit.toFile()).redirectErrorStream(true)
                    .redirectOutput(output.toFile()).redirectInput(new File("/dev/null"));
            builder.environment().put("TMPDIR", temporary.toString());
            builder.environment().put("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + temporary);
            return new Running(builder.start(), output, temporary);
        }

        String said() throws IOException { return Files.readString(output); }

        /** Waits until a step has begun; a run that ends before it, such as a refused one, shows nothing. */
        void reaches(Step step) throws Exception {
            var last = Instant.now().plus(PATIENCE);
            while (!hasBegun(step)) {
                boolean goesOn = process.isAlive() && Instant.now().isBefore(last);
                assertTrue(goesOn || hasBegun(step), step + " was not reached:\n" + said());
                Thread.sleep(20);
            }
        }

        private boolean hasBegun(Step step) throws IOException {
            return switch (step) {
                case LOAD -> anyCell(".k6.json.gz");
                case COLLECT -> anyCell(".invocations.ndjson.gz");
                case BUILD, START, AGREE, WARM_UP, REMOVE -> said().lines().anyMatch(step.begins.asMatchPredicate());
            };
        }

        private static boolean anyCell(String suffix) throws IOException {
            try (var files = Files.walk(kit.resolve("data"))) {
                return files.map(file -> file.getFileName().toString())
                        .anyMatch(name -> name.startsWith("001") && name.endsWith(suffix));
            } catch (UncheckedIOException changedMeanwhile) {
                return false;
            }
        }

        /** All processes that this run has started and that are alive. */
        List<ProcessHandle> processes() {
            return ProcessHandle.allProcesses().filter(this::isMine).toList();
        }

        private boolean isMine(ProcessHandle process) {
            try {
                return Files.readString(Path.of("/proc/" + process.pid() + "/environ"), StandardCharsets.ISO_8859_1)
                        .contains(temporary.toString());
            } catch (IOException endedMeanwhile) {
                return false;
            }
        }

        private Optional<ProcessHandle> find(Victim victim) {
            if (victim == Victim.EXPERIMENT) return Optional.of(process.toHandle()).filter(ProcessHandle::isAlive);
            return processes().stream()
                    .filter(process -> victim.command.matcher(commandLine(process) + " ").find())
                    .filter(process -> !commandLine(process).contains("sh -c")).findAny();
        }

        /** With SIGSTOP: it hears nothing any more, not even that its input has ended. */
        void stopAFunction() throws Exception {
            var found = find(Victim.FUNCTION);
            if (found.isPresent()) new ProcessBuilder("kill", "-STOP", "" + found.get().pid()).start().waitFor();
        }

        /** Kills, and waits for the end of the experiment; false when there was nobody to kill before it. */
        boolean kill(Victim victim) throws Exception {
            var found = find(victim);
            for (; found.isEmpty() && process.isAlive(); found = find(victim)) Thread.sleep(20);
            found.ifPresent(ProcessHandle::destroyForcibly);
            assertTrue(process.waitFor(PATIENCE), () -> "the experiment hangs");
            return found.isPresent();
        }

        void hasLeftNothing(Set<Integer> ports) throws Exception {
            var last = Instant.now().plus(NOTHING_LEFT_WITHIN);
            while (!processes().isEmpty() && Instant.now().isBefore(last)) Thread.sleep(50);
            assertEquals(List.of(), processes().stream().map(Running::commandLine).toList());
            try (var left = Files.list(temporary)) {
                // A JVM's own performance counters, which the next JVM removes, are wherever it was told not to be.
                assertEquals(List.of(), left.filter(file -> !file.getFileName().toString().startsWith("hsperf")).toList());
            }
            for (int port : ports) new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
            Disk.delete(temporary);
        }

        private static String commandLine(ProcessHandle process) {
            try {
                return Files.readString(Path.of("/proc/" + process.pid() + "/cmdline"), StandardCharsets.ISO_8859_1)
                        .replace('\0', ' ').strip();
            } catch (IOException ended) {
                return "";
            }
        }

        /** The ports that the run listens on. */
        Set<Integer> ports() throws IOException { return Ports.of(processes()); }
    }

    /** Starts a run, kills one of its processes amid a step, and looks at what is left; false when there was none. */
    private static boolean killed(Step step, Victim victim) throws Exception {
        if (step == Step.BUILD) forgetTheBuild();
        var running = Running.start("--profile", "killed");
        running.reaches(step);
        Thread.sleep(RANDOM.nextInt(step.millis));
        if (step == Step.START && RANDOM.nextBoolean()) running.stopAFunction();
        var ports = running.ports();
        boolean killed = running.kill(victim);
        int exitCode = running.process.exitValue();
        System.out.println(step + ", " + (killed ? victim : "nobody") + ": " + exitCode + ", "
                + running.said().lines().reduce((_, last) -> last).orElse(""));
        // Whom the kernel has killed has no say; whoever sees another die knows what to call that.
        int dead = killed && victim == Victim.EXPERIMENT ? KILLED : Cli.DONE;
        assertTrue(exitCode == dead || ENDS.contains(exitCode), exitCode + ":\n" + running.said());
        running.hasLeftNothing(ports);
        return killed;
    }

    /** A function that was never built: its source has changed by a comment. */
    private static void forgetTheBuild() throws IOException {
        Files.writeString(kit.resolve("function/python/handler.py"), "\n# " + UUID.randomUUID() + "\n",
                StandardOpenOption.APPEND);
    }

    private static void resumed() throws Exception {
        var resumed = Running.start("--resume");
        assertTrue(resumed.process.waitFor(PATIENCE));
        assertEquals(0, resumed.process.exitValue(), resumed.said());
        resumed.hasLeftNothing(Set.of());
        Run run = Run.read(kit.resolve("data/run.json"));
        assertNotNull(run.finished());
        assertEquals(List.of(), run.unmeasuredCells());
    }

    @AfterEach void forgetTheRuns() throws IOException {
        try (var runs = Files.list(kit.resolve("data"))) {
            for (Path run : runs.filter(path -> !path.endsWith("prices.json")).toList()) Disk.delete(run);
        }
    }

    // ==== Tests ====

    @Test void nothing_lives_on_after_the_experiment_was_killed_amid_a_build() throws Exception {
        assertTrue(killed(Step.BUILD, Victim.EXPERIMENT));
    }

    @Test void nothing_lives_on_after_the_experiment_was_killed_while_functions_start() throws Exception {
        assertTrue(killed(Step.START, Victim.EXPERIMENT));
    }

    @Test void nothing_lives_on_after_the_target_was_killed_while_variants_agree() throws Exception {
        assertTrue(killed(Step.AGREE, Victim.TARGET));
    }

    @Test void nothing_lives_on_after_a_function_was_killed_in_the_warm_up() throws Exception {
        assertTrue(killed(Step.WARM_UP, Victim.FUNCTION));
    }

    @Test void nothing_lives_on_after_the_experiment_was_killed_under_load_and_resume_completes_it() throws Exception {
        assertTrue(killed(Step.LOAD, Victim.EXPERIMENT));
        resumed();
    }

    @Test void nothing_lives_on_after_k6_was_killed_and_resume_completes_it() throws Exception {
        assertTrue(killed(Step.LOAD, Victim.K6));
        resumed();
    }

    @Test void nothing_lives_on_after_the_stores_were_killed_amid_a_cell() throws Exception {
        assertTrue(killed(Step.COLLECT, Victim.STORES));
    }

    @Test void nothing_lives_on_after_the_experiment_was_killed_while_it_removes() throws Exception {
        assertTrue(killed(Step.REMOVE, Victim.EXPERIMENT));
    }

    /** Of all languages, with steps and victims at random: half an hour. */
    @EnabledIfSystemProperty(named = "slow", matches = "true", disabledReason = "only in test/slow.java")
    @Test void nothing_lives_on_after_any_of_forty_kills() throws Exception {
        for (int i = 0; i < 40; i++) {
            killed(Step.values()[RANDOM.nextInt(Step.values().length)],
                    Victim.values()[RANDOM.nextInt(Victim.values().length)]);
            Path run = kit.resolve("data/run.json");
            if (Files.exists(run) && Run.read(run).finished() == null) resumed();
            forgetTheRuns();
        }
    }
}
