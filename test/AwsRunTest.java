///usr/bin/env jbang "$0" "$@" ; exit $?
// The whole experiment on AWS, as its users start it, with a stand-in for AWS: from nothing to a run.json that can be
// analysed, and an account that holds what it held before. Killed in the middle, a run goes on with the stack that is there.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/Run.java
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
            { "description": "A test.", "claims": false, "design": { "aws": "slots" }, "seed": 7,
              "slots": { "rounds": 1, "settleSeconds": 1, "measureSeconds": 2 },
              "concurrent": { "rounds": 1, "settleSeconds": 0, "measureSeconds": 2 },
              "variants": { "aws": ["python-standard-1769", "python-lmi-2048"] },
              "workloads": { "store": { "ratePerSecond": 10, "query": {} } }, "warmUp": { "requestsPerStream": 8 } }
            """;
    private static StandIn aws;
    private static Path kit;
    private static String before;

    @BeforeAll static void a_copy_of_the_kit_and_an_account() throws Exception {
        aws = new StandIn();
        before = aws.holdings();
        kit = Files.createTempDirectory("lambda-kit-test");
        for (String part : List.of("jbang", "experiment.java", "aws.java", "analyze.java", "kit", "function", "k6",
                "data/prices.json",
                "template.yaml", "EXPERIMENT.md")) copy(Path.of(part));
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
    private static Process start(Path output, String... command) throws IOException {
        var builder = new ProcessBuilder(Stream.concat(Stream.of("./jbang"), Stream.of(command)).toList())
                .directory(kit.toFile());
        builder.environment().putAll(Map.of("AWS_ENDPOINT_URL", aws.url(), "AWS_REGION", "us-east-1", "AWS_ACCESS_KEY_ID",
                "test",
                "AWS_SECRET_ACCESS_KEY", "test", "AWS_EC2_METADATA_DISABLED", "true", "XDG_STATE_HOME",
                        kit.resolve("state").toString(),
                "LAMBDA_KIT_ARCHITECTURE", System.getProperty("os.arch").equals("aarch64") ? "arm64" : "x86_64"));
        return builder.redirectErrorStream(true).redirectOutput(output.toFile()).redirectInput(new File("/dev/null")).start();
    }

    private static Ended run(String... command) throws Exception {
        Path output = Files.createTempFile("said", "");
        int exitCode = start(output, command).waitFor();
        return new Ended(exitCode, Files.readString(output));
    }

    private static Ended experiment() throws Exception {
        return run("experiment.java", "--target", "aws", "--profile", "profile.json", "--yes");
    }

    private static Ended resume() throws Exception { return run("experiment.java", "--target", "aws", "--resume", "--yes"); }

    /** The experiment, killed (-9) between two cells. */
    private static void killedBetweenCells() throws Exception {
        var experiment = new AtomicReference<Process>();
        // The stores are emptied before each cell: the second time, a cell is in the record and the next one begins.
        var emptied = new AtomicInteger();
        aws.fail("DeleteObjects", new StandIn.Kind.Meanwhile(false, () -> {
            if (emptied.incrementAndGet() == 2) experiment.get().destroyForcibly();
        }), 2);
        experiment.set(start(Files.createTempFile("said", ""), "experiment.java", "--target", "aws", "--profile",
                "profile.json", "--yes"));
        assertEquals(137, experiment.get().waitFor());
        aws.heal();
    }

    private static Run newest() throws IOException { return Run.read(kit.resolve("data/run.json")); }

    // ==== Tests ====

    @Test void a_run_goes_from_nothing_to_a_page_and_leaves_nothing() throws Exception {
        var commands = new AtomicReference<>("");
        aws.fail("Request", new StandIn.Kind.Meanwhile(true, () -> commands.set(ProcessHandle.allProcesses()
                .map(process -> process.info().commandLine().orElse("")).collect(Collectors.joining("\n")))),
                        Integer.MAX_VALUE);
        var ended = experiment().exits(0).says("CREATE_COMPLETE").says("0 resources left");
        assertEquals(before, aws.holdings());
        assertNotNull(newest().finished());
        assertEquals(3, newest().cells().stream().filter(cell -> cell.outcome().isMeasured()).count(), "warm-up and two cells");
        var analysed = run("analyze.java", "data/run.json");
        assertTrue(Set.of(0, 3).contains(analysed.exitCode()), analysed.said());

        assertTrue(commands.get().contains("k6"));
        for (String key : aws.keys()) {
            assertFalse(ended.said().contains(key), "the key in the output");
            assertFalse(commands.get().contains(key), "the key in the process list");
            try (var files = Files.walk(kit.resolve("data"))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) assertFalse(text(file).contains(key),
                        "the key in " + file);
            }
        }
    }

    private static String text(Path file) throws IOException {
        try (var in = file.toString().endsWith(".gz") ? new GZIPInputStream(Files.newInputStream(file))
                : Files.newInputStream(file)) {
            return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    @Test void a_killed_run_is_resumed_on_the_stack_that_is_there() throws Exception {
        killedBetweenCells();
        run("aws.java", "status").exits(0).says("2 variants, up for");
        resume().exits(0).says("goes on with what is there");
        assertNotNull(newest().finished());
        assertEquals(before, aws.holdings());
        run("aws.java", "teardown").exits(0).says("nothing is left");
    }
}
