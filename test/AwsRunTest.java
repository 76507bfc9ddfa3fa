///usr/bin/env jbang "$0" "$@" ; exit $?
// The whole experiment on AWS, as its users start it, with a stand-in for AWS: from nothing to a run.json that can be
// analysed, and an account that holds what it held before. Wherever it is killed, a run goes on with what is there.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/record/Run.java
//SOURCES StandIn.java

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

final class AwsRunTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=AwsRunTest", "--details=tree", "--disable-banner",
                "--fail-if-no-tests");
    }

    // ==== Vocabulary ====

    /** Few and short cells of the variants that the stand-in can run, as what is tested here is the way and not the load. */
    private static final String PROFILE = """
            { "description": "A test.", "claims": false, "seed": 7, "warmUpRequests": 8, "targets": { "aws": {
              "variants": ["python-standard-1769", "python-lmi-2048"],
              "studies": [{ "kind": "steady", "name": "steady", "design": "slots", "rounds": 1, "settleSeconds": 1,
                "measureSeconds": 2, "workloads": [{ "name": "store", "ratePerSecond": 10, "query": {} }] }] } } }
            """;
    private static StandIn aws;
    private static Path kit;
    private static String before;

    @BeforeAll static void a_copy_of_the_kit_and_an_account() throws Exception {
        aws = new StandIn();
        before = aws.holdings();
        kit = Files.createTempDirectory("lambda-kit-test");
        for (String part : List.of("jbang", "experiment.java", "aws.java", "analyze.java", "kit", "function", "k6",
                "data/prices.json", "template.yaml", "EXPERIMENT.md")) copy(Path.of(part));
        Files.writeString(kit.resolve("profile.json"), PROFILE);
    }

    private static void copy(Path part) throws IOException {
        if (!Files.exists(part)) return;
        try (var files = Files.walk(part)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.createDirectories(kit.resolve(file).toAbsolutePath().getParent());
                Files.copy(file, kit.resolve(file), StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    @AfterAll static void leave_nothing_here_either() throws Exception {
        aws.close();
        try (var files = Files.walk(kit)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }

    @BeforeEach void heal() throws Exception { aws.heal(); }

    private record Ended(int exitCode, String said) {
        Ended exits(int expected) {
            assertEquals(expected, exitCode, said);
            return this;
        }

        Ended says(String phrase) {
            assertTrue(said.contains(phrase), () -> "'" + phrase + "' is not in:\n" + said);
            return this;
        }
    }

    /** A command of the kit, on the stand-in's architecture. */
    private static Ended run(String... command) throws Exception { return run(_ -> { }, command); }

    private static Ended run(Consumer<Process> started, String... command) throws Exception {
        Path output = Files.createTempFile(kit, "said", "");
        var builder = new ProcessBuilder(Stream.concat(Stream.of("./jbang"), Stream.of(command)).toList())
                .directory(kit.toFile()).redirectErrorStream(true).redirectOutput(output.toFile())
                .redirectInput(new File("/dev/null"));
        builder.environment().putAll(Map.of("AWS_ENDPOINT_URL", aws.url(), "AWS_REGION", "us-east-1",
                "AWS_ACCESS_KEY_ID", "test", "AWS_SECRET_ACCESS_KEY", "test", "AWS_EC2_METADATA_DISABLED", "true",
                "XDG_STATE_HOME", kit.resolve("state").toString(),
                "LAMBDA_KIT_ARCHITECTURE", System.getProperty("os.arch").equals("aarch64") ? "arm64" : "x86_64"));
        var process = builder.start();
        started.accept(process);
        return new Ended(process.waitFor(), Files.readString(output));
    }

    private static final List<String> BEGIN = List.of("--profile", "profile.json"), RESUME = List.of("--resume");

    private static String[] experiment(List<String> how) {
        return Stream.concat(Stream.of("experiment.java", "--target", "aws", "--yes"), how.stream()).toArray(String[]::new);
    }

    /** The experiment, ended by what is done to its process when the nth call of that name has been carried out. */
    private static Ended endedAt(String call, int nth, Consumer<Process> end, List<String> how) throws Exception {
        return endedAt("{}", call, nth, end, how);
    }

    /** The same with faults inside the stand-in. */
    private static Ended endedAt(String inside, String call, int nth, Consumer<Process> end, List<String> how) throws Exception {
        aws.heal();
        aws.inside(inside);
        var experiment = new AtomicReference<Process>();
        var met = new AtomicInteger();
        aws.fail(call, new StandIn.Kind.Meanwhile(false, () -> {
            if (met.incrementAndGet() == nth) end.accept(experiment.get());
        }), Integer.MAX_VALUE);
        withoutPricesAndMetrics();
        var ended = run(experiment::set, experiment(how));
        aws.heal();
        return ended;
    }

    private static void killedAt(String call, int nth, List<String> how) throws Exception {
        endedAt(call, nth, Process::destroyForcibly, how).exits(137);
    }

    private static void withoutPricesAndMetrics() { aws.fail("GetProducts|ListMetrics|GetMetricData", StandIn.DENY, 9999); }

    private static Run newest() throws IOException { return Run.read(kit.resolve("data/run.json")); }

    // ==== Tests ====

    @Test void a_run_goes_from_nothing_to_a_page_and_leaves_nothing() throws Exception {
        var commands = new AtomicReference<>("");
        var away = new AtomicBoolean();
        // API Gateway does not know a new key for some seconds, and a connection may be lost.
        aws.fail("Request", new StandIn.Kind.Refuse(403, "Forbidden", "Forbidden"), 3).fail("Request", new StandIn.Kind.Drop(), 1);
        aws.fail("Request", new StandIn.Kind.Meanwhile(true, () -> {
            commands.set(commandLines());
            // While k6 runs the network to AWS's own services goes away for some seconds, which is no reason to end k6.
            if (commands.get().contains("load.js") && away.compareAndSet(false, true))
                aws.fail("(?!Request).*", new StandIn.Kind.Drop(), 4);
        }), Integer.MAX_VALUE);
        var ended = run(experiment(BEGIN)).exits(0).says("CREATE_COMPLETE").says("0 resources left");
        assertEquals(before, aws.holdings());
        assertTrue(newest().cells().stream().allMatch(cell -> cell.notes().isEmpty()), "every request has its record");
        assertTrue(aws.calls().stream().filter("FilterLogEvents"::equals).count() < 8, "read until all are there, no longer");
        assertNotNull(newest().finished());
        assertEquals(4, newest().cells().stream().filter(cell -> cell.outcome().isMeasured()).count(), "a warm-up and a cell of each");
        var analysed = run("analyze.java", "data/run.json");
        assertTrue(Set.of(0, 3).contains(analysed.exitCode()), analysed.said());

        assertTrue(away.get());
        assertEquals(1, aws.keys().size(), "one key");
        for (String key : aws.keys()) {
            assertFalse(ended.said().contains(key), "the key in the output");
            assertFalse(commands.get().contains(key), "the key in the process list");
            try (var files = Files.walk(kit.resolve("data"))) {
                for (Path file : files.filter(Files::isRegularFile).toList())
                    assertFalse(text(file).contains(key), "the key in " + file);
            }
        }
    }

    /** Of all processes. Java's own ProcessHandle tells a command only up to an empty argument, and k6 is given one. */
    private static String commandLines() {
        return Arrays.stream(new File("/proc").listFiles((_, name) -> name.matches("\\d+"))).map(process -> {
            try {
                return text(process.toPath().resolve("cmdline"));
            } catch (IOException endedMeanwhile) {
                return "";
            }
        }).collect(Collectors.joining("\n"));
    }

    /** A file's text; of a .gz that a killed target has left unfinished, all before the cut. */
    private static String text(Path file) throws IOException {
        var text = new ByteArrayOutputStream();
        try (var in = file.toString().endsWith(".gz") ? new GZIPInputStream(Files.newInputStream(file))
                : Files.newInputStream(file)) {
            in.transferTo(text);
        } catch (EOFException cut) {
            // What was written before the kill is in the text.
        }
        return text.toString(StandardCharsets.ISO_8859_1);
    }

    /** Every state that run.json and the stack can be in, one after the other, in a single run. */
    @Test void a_run_that_ends_at_one_step_after_the_other_is_complete_in_the_end() throws Exception {
        killedAt("CreateBucket", 1, BEGIN);
        killedAt("ExecuteChangeSet", 1, RESUME);
        run("aws.java", "status").exits(0).says("2 variants, up for");
        killedAt("GetFunctionConfiguration", 1, RESUME);
        killedAt("Request", 1, RESUME);
        int agreed = 2 * Run.json().readTree(Path.of("function/contract.json").toFile()).get("cases").size();
        killedAt("Request", agreed + 10, RESUME);
        killedAt("FilterLogEvents", 1, RESUME);
        // The stores are emptied before each cell: before the fourth, two warm-ups and a cell are in the record.
        killedAt("DeleteObjects", 4, RESUME);
        var measured = newest().cells().getLast();
        endedAt("GetObject", 1, _ -> aws.fail(".*", StandIn.EXPIRE, 9999), RESUME).exits(4)
                .says("the AWS credentials have expired").says("--target aws --resume goes on")
                .says("./jbang aws.java teardown removes it");
        // The last cell is measured by this run, of whose invocations every second one has no record.
        endedAt("{\"lose_logs\": 2}", "DeleteStack", 1, Process::destroyForcibly, RESUME).exits(137);
        killedAt("DeleteBucket", 1, RESUME);
        withoutPricesAndMetrics();
        run(experiment(List.of("--resume", "--keep"))).exits(0).says("everything stays up at 0.35 USD an hour");

        assertNotNull(newest().finished());
        assertEquals(2, newest().cells().stream().filter(cell -> cell.number() > 0 && cell.outcome().isMeasured()).count());
        assertTrue(newest().cells().contains(measured), "what was measured is kept");
        assertTrue(newest().warnings().toString().contains("AWS's price list did not answer"));
        String notes = newest().cells().getLast().notes().toString();
        assertTrue(notes.contains("CloudWatch's metrics are missing"), notes);
        assertTrue(notes.matches(".*1[456] of (29|3[0-2]) invocation records came.*"), notes);
        run("aws.java", "teardown").exits(0).says(": 0 resources left, $0.");
        assertEquals(before, aws.holdings());
        run("aws.java", "teardown").exits(0).says("nothing is left");
    }

    @Test void a_target_that_is_killed_is_followed_by_one_that_removes() throws Exception {
        var exitCodes = new LinkedHashMap<>(Map.of("ExecuteChangeSet", 5, "FilterLogEvents", 5, "DeleteStack", 0));
        for (var moment : exitCodes.entrySet()) {
            endedAt(moment.getKey(), 1, AwsRunTest::killTarget, BEGIN).exits(moment.getValue()).says("0 resources left");
            assertEquals(before, aws.holdings(), moment.getKey());
            assertEquals(0, Objects.requireNonNullElse(kit.resolve("state/lambda-kit").toFile().list(), new String[0]).length);
        }
    }

    private static void killTarget(Process experiment) {
        experiment.children().filter(AwsRunTest::serves).forEach(target -> {
            target.destroyForcibly();
            target.onExit().join();
        });
    }

    private static boolean serves(ProcessHandle process) {
        try {
            return text(Path.of("/proc/" + process.pid() + "/cmdline")).contains("serve");
        } catch (IOException endedMeanwhile) {
            return false;
        }
    }

    @Test void a_run_that_is_interrupted_amid_its_deployment_or_its_removal_is_removed() throws Exception {
        endedAt("DescribeStackEvents", 1, Process::destroy, BEGIN).exits(130).says("0 resources left");
        assertEquals(before, aws.holdings());
        endedAt("DeleteStack", 1, Process::destroy, BEGIN).exits(0).says("0 resources left");
        assertEquals(before, aws.holdings());
    }
}
