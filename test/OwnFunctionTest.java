///usr/bin/env jbang "$0" "$@" ; exit $?
// Can a function that the kit doesn't know be measured: a copy of one of its own under another name, and a user's own with
// workloads of its own?
//
// experiment.java runs in a copy of the kit, so that no run of a person's is touched. Run from the repository's root.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/record/Run.java

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;

import static org.junit.jupiter.api.Assertions.*;

final class OwnFunctionTest {
    public static void main(String... args) {
        org.junit.platform.console.ConsoleLauncher.main("execute", "--select-class=OwnFunctionTest", "--details=tree",
                "--disable-banner", "--fail-if-no-tests");
    }

    private static final Duration PATIENCE = Duration.ofMinutes(12);
    @TempDir Path directory;
    private Path kit;

    @BeforeEach void a_copy_of_the_kit() throws Exception {
        kit = directory.resolve("kit");
        Files.createDirectories(kit.resolve("data"));
        for (String part : List.of("experiment.java", "local.java", "analyze.java", "jbang", "kit", "k6", "function",
                "data/prices.json", "docs")) {
            copy(Path.of(part), kit.resolve(part));
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        try (var files = Files.walk(from)) {
            for (Path file : files.filter(it -> !it.toString().contains("/target/")).toList()) {
                Path copy = to.resolve(from.relativize(file).toString());
                if (Files.isDirectory(file)) Files.createDirectories(copy);
                else Files.copy(file, copy, StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
    }

    /** Runs a script of the copy to its end; returns what it said. */
    private String run(int exitCode, String... command) throws Exception {
        Path said = directory.resolve("said.txt");
        var process = new ProcessBuilder(Stream.concat(Stream.of("./jbang"), Stream.of(command)).toList())
                .directory(kit.toFile()).redirectErrorStream(true).redirectOutput(said.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null"))).start();
        assertTrue(process.waitFor(PATIENCE), () -> "it hangs");
        String text = Files.readString(said);
        assertEquals(exitCode, process.exitValue(), text);
        return text;
    }

    private Run measured() throws IOException { return Run.read(kit.resolve("data/run.json")); }

    private Path profile(String variants, int rounds) throws IOException {
        return Files.writeString(directory.resolve("profile.json"), """
                {"description": "a test", "claims": false, "seed": 1, "warmUpRequests": 20, "targets": {"local": {
                  "variants": [%s], "studies": [{"kind": "steady", "name": "steady", "design": "slots", "rounds": %d,
                    "settleSeconds": 0, "measureSeconds": 1, "workloads": [
                      {"name": "cpu", "ratePerSecond": 20, "query": {"seed": "a", "hash_loops": "100"}}]}]}}}
                """.formatted(variants, rounds));
    }

    @Test void copies_under_other_names_are_built_measured_and_drawn_with_a_profile_that_names_them() throws Exception {
        copy(Path.of("function/python"), kit.resolve("function/serpent"));
        copy(Path.of("function/rust"), kit.resolve("function/oxide"));
        var profile = profile("\"serpent-standard-1769\", \"serpent-lmi-2048\", \"oxide-standard-1769\"", 1);
        String said = run(0, "experiment.java", "--profile", profile.toString());
        assertTrue(said.contains("build    oxide, serpent"), said);
        var run = measured();
        assertTrue(run.cells().stream().allMatch(cell -> cell.outcome().isMeasured()), said);
        assertEquals(Optional.of("#d55e00"), run.environment("functions", "oxide", "colour"));
        analysed("oxide-standard-1769", "serpent-lmi-2048");
    }

    @Test void a_users_function_is_measured_by_its_own_workloads() throws Exception {
        Path own = directory.resolve("greeter");
        copy(Path.of("docs/own-function"), own);
        String said = run(0, "experiment.java", "--function", own.toString(), "--profile", profile("", 1).toString());
        var run = measured();
        assertEquals(List.of("greeter-standard-1769", "greeter-lmi-2048"),
                run.plan().variants().stream().map(Run.Variant::name).toList());
        assertEquals(List.of("greet"), run.plan().workloads().stream().map(Run.Workload::name).toList());
        assertTrue(run.cells().stream().allMatch(cell -> cell.outcome().isMeasured()), said);
        analysed("greeter-standard-1769", "greeter-lmi-2048");
    }

    @Test void a_wrong_reply_of_a_users_function_ends_the_run_before_any_load() throws Exception {
        Path own = directory.resolve("greeter");
        copy(Path.of("docs/own-function"), own);
        Path source = own.resolve("bootstrap.py");
        Files.writeString(source, Files.readString(source).replace("len(name)", "7"));
        String said = run(5, "experiment.java", "--function", own.toString(), "--profile", profile("", 1).toString());
        assertTrue(said.contains("greeter-standard-1769, greet: field 'length' is 7, not 3"), said);
        assertFalse(Files.exists(kit.resolve("data/run.json")));
    }

    /** The page has figures of these variants, and nothing was wrong with any answer. */
    private void analysed(String... variants) throws Exception {
        var process = new ProcessBuilder("./jbang", "analyze.java", "data/run.json").directory(kit.toFile())
                .redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes());
        // On a busy machine a short run may be invalid, which is 3, but it is analysed.
        assertTrue(Set.of(0, 3).contains(process.waitFor()), said);
        assertFalse(said.contains("unequal work"), said);
        for (String variant : variants) assertTrue(said.contains(variant), said);
    }
}
