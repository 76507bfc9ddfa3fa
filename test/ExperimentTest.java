///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/build/Build.java
//SOURCES ../kit/build/K6.java
//SOURCES ../kit/record/Run.java
//SOURCES Ports.java
//SOURCES MadeUpRun.java

import module java.base;
import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.*;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

/** Drives experiment.java as its users do, in a copy of the kit, so that nobody's data are touched. */
@TestMethodOrder(MethodOrderer.MethodName.class)
final class ExperimentTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=ExperimentTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    // ==== Vocabulary ====

    /** "5 seconds later no process of the run is alive": what the kit promises, whatever ends it. */
    private static final Duration NOTHING_LEFT_WITHIN = Duration.ofSeconds(5);
    private static final String ALL = "\"python-standard-1769\",\"python-lmi-2048\",\"rust-standard-1769\","
            + "\"rust-lmi-2048\",\"java-standard-1769\",\"java-lmi-2048\",\"python-standard-1769-twin\"";
    private static Path kit;

    @BeforeAll static void copyTheKit() throws IOException {
        kit = Files.createTempDirectory("lambda-kit-test");
        var parts = List.of("jbang", "experiment.java", "local.java", "analyze.java", "kit", "function", "k6",
                "data/prices.json");
        for (String part : parts) copy(Path.of(part));
    }

    private static void copy(Path part) throws IOException {
        try (var files = Files.walk(part)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.createDirectories(kit.resolve(file).getParent());
                Files.copy(file, kit.resolve(file), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    @AfterAll static void removeTheCopy() throws IOException { delete(kit); }

    @AfterEach void forgetTheRuns() throws IOException {
        try (var runs = Files.list(kit.resolve("data"))) {
            for (Path run : runs.filter(path -> !path.endsWith("prices.json")).toList()) delete(run);
        }
    }

    private static void delete(Path tree) throws IOException {
        try (var files = Files.walk(tree)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }

    private static String profile(String variants, int rounds) throws IOException {
        return Files.writeString(kit.resolve("k6/profiles/test-%d.json".formatted(rounds)), """
                { "description": "A test.", "claims": false, "seed": 7, "warmUpRequests": 8,
                  "targets": { "local": { "variants": [%s], "studies": [{ "kind": "steady", "name": "steady",
                    "design": "slots", "rounds": %d, "settleSeconds": 1, "measureSeconds": 1,
                    "workloads": [{ "name": "io", "ratePerSecond": 10, "query": { "delay_ms": "10" } },
                                  { "name": "cpu", "ratePerSecond": 10, "query": { "seed": "s", "hash_loops": "100" } },
                                  { "name": "store", "ratePerSecond": 10, "query": {} }] }] } } }
                """.formatted(variants, rounds)).toString();
    }

    private static String pythonOnly(int rounds) throws IOException {
        return profile("\"python-standard-1769\",\"python-lmi-2048\"", rounds);
    }

    record Result(int exitCode, String said) {
        Result exits(int expected) {
            assertEquals(expected, exitCode, said);
            return this;
        }

        Result says(String... phrases) {
            for (String phrase : phrases) {
                assertTrue(said.contains(phrase), () -> "'" + phrase + "' is not in:\n" + said);
            }
            return this;
        }
    }

    /** An experiment under way. */
    record Running(Process process, Path output) {
        Result result() throws Exception {
            process.waitFor();
            return new Result(process.exitValue(), Files.readString(output));
        }

        /** Waits until it has said that. */
        Running says(String line) throws Exception {
            for (int i = 0; i < 2400 && process.isAlive(); i++) {
                if (Files.readString(output).contains(line)) return this;
                Thread.sleep(100);
            }
            return fail("'" + line + "' was not said:\n" + Files.readString(output));
        }

        /** Waits until the cell of that number has begun. */
        Running reaches(String cell) throws Exception {
            for (int i = 0; i < 2400 && process.isAlive(); i++) {
                if (!glob("data/2*/cells/" + cell + "-*.k6.json.gz").isEmpty()) return this;
                Thread.sleep(100);
            }
            return fail("cell " + cell + " was not reached:\n" + Files.readString(output));
        }

        ProcessHandle target() {
            return process.children().filter(child -> child.info().command().orElse("").endsWith("java"))
                    .findFirst().orElseThrow();
        }
    }

    private static Running start(String... arguments) throws IOException { return start(Map.of(), arguments); }

    private static Running start(Map<String, String> environment, String... arguments) throws IOException {
        Path output = Files.createTempFile(kit, "output", ".txt");
        var command = Stream.concat(Stream.of("./jbang", "experiment.java"), Arrays.stream(arguments)).toList();
        var builder = new ProcessBuilder(command).directory(kit.toFile()).redirectErrorStream(true)
                .redirectOutput(output.toFile()).redirectInput(new File("/dev/null"));
        builder.environment().putAll(environment);
        return new Running(builder.start(), output);
    }

    private static Result experiment(String... arguments) throws Exception { return start(arguments).result(); }

    private static List<Path> glob(String pattern) throws IOException {
        var matcher = FileSystems.getDefault().getPathMatcher("glob:" + kit + "/" + pattern);
        try (var files = Files.walk(kit.resolve("data"))) {
            return files.filter(matcher::matches).sorted().toList();
        }
    }

    private static Run run() throws IOException { return Run.read(kit.resolve("data/run.json")); }

    /** How many of the planned cells are measured; warm-ups are not among them. */
    private static long measured() throws IOException {
        return run().cells().stream().filter(cell -> cell.number() > 0 && cell.outcome().isMeasured()).count();
    }

    /** Everything that an experiment has started, and the ports that it listens on. */
    record Footprint(List<ProcessHandle> processes, Set<Integer> ports) {
        static Footprint of(Process experiment) throws IOException {
            var processes = experiment.descendants().toList();
            var ports = Ports.of(processes);
            assertTrue(processes.size() >= 4,
                    "target, stores, functions and k6 were expected, there are " + processes.size() + " processes");
            assertTrue(ports.size() >= 3, "a door and two stores were expected, there are ports " + ports);
            return new Footprint(processes, ports);
        }

        void isGoneSoon() throws Exception {
            Instant last = Instant.now().plus(NOTHING_LEFT_WITHIN);
            while (processes.stream().anyMatch(ProcessHandle::isAlive) && Instant.now().isBefore(last)) {
                Thread.sleep(50);
            }
            var alive = processes.stream().filter(ProcessHandle::isAlive);
            assertEquals(List.of(), alive.map(process -> process.info().commandLine().orElse("")).toList());
            for (int port : ports) new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
        }
    }

    // ==== Tests ====

    @Test void a_run_measures_every_variant_in_the_planned_order_and_leaves_one_whole_record() throws Exception {
        String profile = profile(ALL, 1);
        var planned = experiment("--profile", profile, "--plan=all").exits(0).said().lines()
                .filter(line -> line.matches("\\d:\\d\\d:\\d\\d   .*")).map(line -> line.substring(10)).toList();
        assertEquals(21, planned.size());
        experiment("--profile", profile).exits(0).says("next: ./jbang analyze.java data/run.json");
        Run run = run();
        assertEquals(planned, run.cells().stream().filter(cell -> !cell.warmUp()).map(Run.Cell::name).toList());
        assertEquals(7, run.cells().stream().filter(Run.Cell::warmUp).count());
        assertTrue(run.cells().stream().allMatch(cell -> cell.outcome().isMeasured()));
        assertNotNull(run.finished());
        assertEquals(7, run.agreement().variants().size());
        Path directory = kit.resolve("data").resolve(run.id());
        for (var cell : run.cells()) {
            assertEquals(3, cell.files().size(), cell.name());
            for (var file : cell.files()) assertEquals(file.sha256(), Sha256.of(directory.resolve(file.path())));
            if (!"store".equals(cell.workload())) continue;
            assertEquals(36, cell.stored().smallestBytes());
            assertEquals(36, cell.stored().largestBytes());
            assertTrue(cell.stored().sameIds());
            long objects = cell.stored().objects();
            assertTrue(objects >= 19 && objects <= 24, "two seconds at ten a second stored " + objects);
        }
        Path tables = kit.resolve("tables.txt");
        var analysis = new ProcessBuilder("./jbang", "analyze.java", "data/run.json").directory(kit.toFile())
                .redirectOutput(tables.toFile()).start();
        // 3 says that the machine was too busy for figures to be believed, which a shared one may well be.
        assertTrue(Set.of(0, 3).contains(analysis.waitFor()), Files.readString(tables));
        var errors = Files.readAllLines(directory.resolve("report/errors.csv"));
        assertTrue(errors.stream().skip(1).allMatch(line -> line.endsWith(",0.0")));
    }

    /** A k6 that refuses what 2.2 refuses, says that it is 2.2, and passes all else on to the real one. */
    private static Path k6OfTwo() throws Exception {
        Path real = K6.require(Build.userCache(), System.err::println).path();
        Path k6 = Files.createDirectories(kit.resolve("two")).resolve("k6");
        Files.writeString(k6, """
                #!/bin/sh
                for word; do
                    case $word in
                        version) echo 'k6 v2.2.0 (a stand-in)'; exit ;;
                        --no-summary*) echo "unknown flag: $word" >&2; exit 255 ;;
                    esac
                done
                exec '%s' "$@"
                """.formatted(real));
        assertTrue(k6.toFile().setExecutable(true));
        return k6.getParent();
    }

    /** The real k6 behind some shell, which sees "$samples": the file that it is to write, empty when it only says who it is. */
    private static Map<String, String> k6Behind(String shell) throws Exception {
        Path real = K6.require(Build.userCache(), System.err::println).path();
        Path k6 = Files.createDirectories(kit.resolve("behind")).resolve("k6");
        Files.writeString(k6, """
                #!/bin/sh
                samples=
                for word; do case $word in --out=json=*) samples=${word#--out=json=} ;; esac; done
                %s
                exec '%s' "$@"
                """.formatted(shell, real));
        assertTrue(k6.toFile().setExecutable(true));
        return Map.of("PATH", k6.getParent() + File.pathSeparator + System.getenv("PATH"));
    }

    @Test void a_failed_warm_up_ends_the_run_with_5_and_is_measured_again_by_resume() throws Exception {
        var broken = k6Behind("case $samples in *000-warm-up*) echo no users today; exit 107 ;; esac");
        start(broken, "--profile", profile("\"python-standard-1769\"", 1)).result().exits(5)
                .says("the warm-up failed: k6 ended with 107: no users today", "hint:", "--resume");
        assertEquals(List.of("000-warm-up-python-standard-1769"), run().cells().stream().map(Run.Cell::name).toList());
        experiment("--resume").exits(0);
        assertEquals(3, measured());
        assertEquals(1, run().cells().stream().filter(cell -> cell.number() == 0 && cell.outcome().isMeasured()).count());
        assertEquals(4, run().cells().size());
    }

    @Test void an_interruption_amid_work_on_a_file_exits_130_as_well() throws Exception {
        // A gigabyte of nothing takes no room, and some seconds to be summed up; that is not cut short, and the cell is whole.
        var large = k6Behind("case $samples in *001-*) truncate -s 1G $samples; exit 0 ;; esac");
        var running = start(large, "--profile", profile("\"python-standard-1769\"", 1)).reaches("001");
        while (glob("data/2*/cells/001-*.metrics.ndjson").isEmpty()) Thread.sleep(20);
        Thread.sleep(1000);
        running.process().toHandle().destroy();
        running.result().exits(130).says("interrupted", "1 of 3 cells are measured and kept");
    }

    private static String made(MadeUpRun run, String name) throws IOException {
        return run.write(kit.resolve("data").resolve(name)).toString();
    }

    @Test void publish_refuses_what_says_little_and_replaces_nothing_but_a_publication() throws Exception {
        Path published = kit.resolve("data/published");
        var names = new String[] {"rust-standard-1769", "rust-lmi-2048"};
        String good = made(new MadeUpRun(6, 2, names), "good"), silent = made(new MadeUpRun(2, 1, names).claimingNothing(), "silent");
        String wrong = made(new MadeUpRun(6, 2, names).cell(1, cell -> cell.wrong = 1), "wrong");
        String unfinished = made(new MadeUpRun(2, 1, names).run(run -> run.withFinished(null)), "unfinished");
        experiment("publish", silent, "--yes").exits(2).says("claims nothing", "--even-so");
        experiment("publish", unfinished, "--yes").exits(2).says("is unfinished", "--even-so");
        experiment("publish", wrong, "--yes").exits(2).says("is not valid: unequal work: 1 wrong answer", "--even-so");
        experiment("publish", kit.resolve("data/nowhere").toString(), "--yes").exits(2).says("there is no run at");
        experiment("publish", good).exits(2).says("not agreed; nothing was written", "--yes");
        for (String out : List.of("../docs", "/tmp/x", "", "UP")) {
            experiment("publish", good, "--yes", "--name", out).exits(2).says("cannot name a publication");
        }
        assertFalse(Files.exists(published), "nothing was written");
        Path somebodys = Files.createDirectories(published.resolve("somebodys"));
        Files.writeString(somebodys.resolve("run.json"), Files.readString(Path.of(good)));
        experiment("publish", good, "--yes", "--name", "somebodys").exits(2).says("is there and is not a publication");
        Files.createSymbolicLink(published.resolve("link"), kit.resolve("data/good"));
        experiment("publish", good, "--yes", "--name", "link").exits(2).says("is there and is not a publication");
        experiment("publish", good, "--yes").exits(0).says("published made-up in " + published.resolve("made-up"));
        experiment("publish", silent, "--yes", "--even-so").exits(0).says("the earlier publication there is replaced");
        assertEquals(8, Run.read(published.resolve("made-up/run.json")).cells().size());
    }

    @Test void kill_9_of_target_and_experiment_leaves_nothing_and_resume_measures_only_the_rest() throws Exception {
        var running = start("--profile", pythonOnly(1)).reaches("002");
        var somebodyElse = Map.of("JAVA_TOOL_OPTIONS", "-Duser.home=" + kit.resolve("somebody"));
        start(somebodyElse, "--profile", pythonOnly(1)).result().exits(2).says("another experiment runs");
        var footprint = Footprint.of(running.process());
        running.target().destroyForcibly();
        running.result().exits(5).says("the target died", "--resume");
        footprint.isGoneSoon();
        assertEquals("the target died", run().cells().getLast().outcome().reason());

        var resumed = start("--resume").reaches("004");
        footprint = Footprint.of(resumed.process());
        resumed.process().destroyForcibly().waitFor();
        footprint.isGoneSoon();
        var before = run().cells().stream().filter(cell -> cell.number() > 0).toList();
        assertTrue(before.stream().allMatch(cell -> cell.outcome().isMeasured()), "the failed one is measured anew");
        assertTrue(before.size() >= 3 && before.size() < 6, before.size() + " cells were finished");
        experiment("--resume").exits(0);
        var after = run().cells().stream().filter(cell -> cell.number() > 0).toList();
        assertEquals(before, after.subList(0, before.size()));
        assertEquals(6, measured());
        experiment("--resume").exits(2).says("is complete");
    }

    @Test void an_interruption_removes_everything_keeps_finished_cells_and_exits_130() throws Exception {
        var running = start("--profile", pythonOnly(1)).reaches("002");
        var footprint = Footprint.of(running.process());
        // SIGTERM takes Ctrl-C's way; SIGINT itself is ignored by all that a shell starts in the background.
        running.process().toHandle().destroy();
        running.result().exits(130).says("interrupted");
        footprint.isGoneSoon();
        assertEquals(1, run().cells().stream()
                .filter(cell -> cell.number() == 1 && cell.outcome().isMeasured()).count());
    }

    @Test void an_interruption_of_the_warm_up_says_that_nothing_is_kept_and_keeps_nothing() throws Exception {
        var running = start("--profile", pythonOnly(1)).reaches("000");
        running.process().toHandle().destroy();
        running.result().exits(130).says("nothing was measured yet, so nothing is kept");
        assertEquals(List.of(), glob("data/2*"));
        assertFalse(Files.isSymbolicLink(kit.resolve("data/run.json")));
    }

    @Test void a_target_whose_answers_get_lost_ends_and_the_run_with_it() throws Exception {
        // From when its environments are up, nobody hears it any more.
        String unheard = """
                ./jbang-itself "$@" | while read -r answer; do
                    printf '%s\\n' "$answer"
                    case $answer in *'"environments"'*) exit ;; esac
                done; exit 0
                """;
        withTarget(unheard, () -> start("--profile", pythonOnly(1)).result().exits(5)
                .says("error: the target ended without an answer", "hint:"));
        assertEquals(List.of(), glob("data/2*"));
    }

    @Test void an_interruption_of_the_removal_changes_nothing() throws Exception {
        // What is asked to be removed waits, so that there is time to interrupt.
        String slowlyRemoving = """
                while read -r request; do
                    case $request in *'"verb":"remove"'*) sleep 3 ;; esac
                    printf '%s\\n' "$request"
                done | ./jbang-itself "$@"
                """;
        withTarget(slowlyRemoving, () -> {
            var running = start("--profile", pythonOnly(1)).says("load     6 cells");
            running.process().toHandle().destroy();
            return running.result().exits(0).says("everything is being removed already", "remove   nothing is left running");
        });
        assertNotNull(run().finished());
    }

    @Test void a_disk_that_fills_up_in_a_cell_ends_the_run_with_5_and_leaves_a_whole_record() throws Exception {
        Path data = kit.resolve("data"), prices = data.resolve("prices.json");
        String priceList = Files.readString(prices);
        Assumptions.assumeTrue(succeeds("mount", "-t", "tmpfs", "-o", "size=1g", "tmpfs", data.toString()),
                "only root may mount");
        try {
            Files.writeString(prices, priceList);
            var running = start("--profile", pythonOnly(1)).reaches("002");
            // What is in use is all that there is from now on; a file that grows meanwhile only needs another try.
            var disk = Files.getFileStore(data);
            boolean full = false;
            for (int i = 0; i < 100 && !full; i++) {
                long used = disk.getTotalSpace() - disk.getUsableSpace();
                full = succeeds("mount", "-o", "remount,size=" + used, data.toString());
            }
            assertTrue(full, "the disk did not become full");
            var result = running.result().exits(5).says("was full while 002-", "hint: make room");
            assertEquals(1, result.said().lines().filter(line -> line.startsWith("error:")).count(), result.said());
            assertEquals(1, measured());
            assertEquals(List.of(), glob("data/2*/cells/002-*"));
            assertEquals(List.of(), glob("data/2*/.*"));
            assertTrue(succeeds("mount", "-o", "remount,size=1g", data.toString()));
            experiment("--resume").exits(0);
            assertEquals(6, measured());
        } finally {
            succeeds("umount", data.toString());
        }
    }

    private static boolean succeeds(String... command) throws Exception {
        return new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
    }

    @Test void a_target_that_dies_before_the_load_ends_the_run_with_5() throws Exception {
        withTarget("read -r request; exit 1", () -> start("--profile", pythonOnly(1)).result().exits(5)
                .says("error: the target ended without an answer", "hint:"));
    }

    @Test void an_error_such_as_a_full_heap_ends_the_process_and_the_target() throws Exception {
        withTarget("echo $$ >target.pid; yes | tr -d '\\n'", () ->
                start("--profile", pythonOnly(1)).result().exits(1).says("error: unexpected: java.lang.OutOfMemoryError"));
        long target = Long.parseLong(Files.readString(kit.resolve("target.pid")).strip());
        Thread.sleep(NOTHING_LEFT_WITHIN);
        assertTrue(ProcessHandle.of(target).isEmpty(), "the target lives on");
    }

    /** Does something with a target of a few words of shell in local.java's place. */
    private static void withTarget(String script, Callable<?> something) throws Exception {
        Path jbang = kit.resolve("jbang"), real = kit.resolve("jbang-itself");
        Files.move(jbang, real);
        try {
            Files.writeString(jbang, """
                    #!/bin/sh
                    case $1 in
                        */local.java) %s ;;
                        *) exec ./jbang-itself "$@" ;;
                    esac
                    """.formatted(script));
            assertTrue(jbang.toFile().setExecutable(true));
            something.call();
        } finally {
            Files.move(real, jbang, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    @Test void one_renamed_field_in_one_language_is_named_and_nothing_is_measured() throws Exception {
        Path handler = kit.resolve("function/python/handler.py");
        String original = Files.readString(handler);
        try {
            Files.writeString(handler, original.replace("\"hashLoops\": hash_loops", "\"loops\": hash_loops"));
            assertNotEquals(original, Files.readString(handler));
            experiment("--profile", pythonOnly(1)).exits(5)
                    .says("not the same work: python-standard-1769", "'hashLoops'", "'loops'");
            assertEquals(List.of(), glob("data/2*"));
            assertFalse(Files.exists(kit.resolve("data/run.json")));
        } finally {
            Files.writeString(handler, original);
        }
    }

    @Test void without_a_languages_tools_and_with_k6_2_x_the_rest_is_measured() throws Exception {
        var python = new ProcessBuilder("python3", "-c", "import sys; print(sys.executable)").start();
        Path tools = Files.createDirectories(kit.resolve("tools"));
        Files.createSymbolicLink(tools.resolve("python3"), Path.of(python.inputReader().readLine()).toRealPath());
        String profile = profile("\"rust-standard-1769\",\"python-standard-1769\"", 1);
        String path = String.join(File.pathSeparator, tools.toString(), k6OfTwo().toString(), "/usr/bin", "/bin");
        start(Map.of("PATH", path), "--profile", profile).result().exits(0)
                .says("rust needs rustc and cargo", "rustup");
        assertEquals(List.of("python-standard-1769"), run().plan().variants().stream().map(Run.Variant::name).toList());
        assertEquals(3, run().plan().order().size());
        assertEquals(Optional.of("2.2.0"), run().environment("tools", "k6"));
        assertEquals(3, measured());
    }

    @Test void what_cannot_be_run_is_refused_before_anything_is_made() throws Exception {
        experiment("--profile", "nonsense").exits(2).says("there is no profile nonsense", "hint:");
        Path broken = Files.writeString(kit.resolve("broken.json"), "{ \"rounds\": 1 }");
        experiment("--profile", broken.toString()).exits(2).says("is not a profile", "hint:");
        experiment("--plan", "--profile", profile("\"python-standard-1769\",\"python-lmi-4096\"", 1)).exits(0)
                .says("python-lmi-4096 is left out: on one machine lmi has 2048 MB", "1 variants");
        experiment("--plan", "--profile", profile("\"python-lmi-4096\"", 1)).exits(2).says("can run no variant");
        experiment("--plan", "--for", "3h").exits(2).says("does not shorten profile quick");
        experiment("--target", "moon", "--plan").exits(2).says("moon");
        experiment("--for", "20s", "--plan").exits(2).says("too short", "--for");
        experiment("--resume").exits(2).says("there is no run");
        assertFalse(Files.exists(kit.resolve("data/run.json")));
    }

    @Test void two_hours_are_two_hours_and_a_cut_profile_keeps_its_first_round() throws Exception {
        var whole = experiment("--profile", "2h", "--plan=all").exits(0).said();
        var cut = experiment("--profile", "2h", "--plan=all", "--for", "5m").exits(0).said();
        var cells = Pattern.compile("^\\d:\\d\\d:\\d\\d   (.*)$", Pattern.MULTILINE);
        var all = cells.matcher(whole).results().map(match -> match.group(1)).toList();
        var some = cells.matcher(cut).results().map(match -> match.group(1)).toList();
        assertEquals(735, all.size());
        assertEquals(all.subList(0, some.size()), some);
        String summary = whole.lines().findFirst().orElse("");
        var about = Pattern.compile("about (\\d+) min").matcher(whole);
        assertTrue(about.find(), summary);
        int minutes = Integer.parseInt(about.group(1));
        assertTrue(minutes >= 112 && minutes <= 120, summary);
    }
}
