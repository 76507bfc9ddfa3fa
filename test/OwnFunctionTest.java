///usr/bin/env jbang "$0" "$@" ; exit $?
// Can a function that the kit doesn't know be measured: a copy of one of its own under another name, one in a fourth
// language (test/function/), and a user's own with workloads of its own?
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
    @TempDir static Path directory;
    private static Path kit;

    @BeforeAll static void a_copy_of_the_kit() throws Exception {
        kit = directory.resolve("kit");
        Files.createDirectories(kit.resolve("data"));
        for (String part : List.of("experiment.java", "local.java", "analyze.java", "jbang", "kit", "k6", "function",
                "data/prices.json")) {
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
    private static String run(Set<Integer> exitCodes, String... command) throws Exception {
        Path said = directory.resolve("said.txt");
        var process = new ProcessBuilder(Stream.concat(Stream.of("./jbang"), Stream.of(command)).toList())
                .directory(kit.toFile()).redirectErrorStream(true).redirectOutput(said.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null"))).start();
        try {
            assertTrue(process.waitFor(PATIENCE), () -> "it hangs");
        } finally {
            process.descendants().forEach(ProcessHandle::destroy);
        }
        String text = Files.readString(said);
        assertTrue(exitCodes.contains(process.exitValue()), () -> process.exitValue() + ": " + text);
        return text;
    }

    /** A profile of one short round. */
    private static String profile(String variants) throws IOException {
        return Files.writeString(directory.resolve("profile.json"), """
                {"description": "a test", "claims": false, "seed": 1, "warmUpRequests": 20, "targets": {"local": {
                  "variants": [%s], "studies": [{"kind": "steady", "name": "steady", "design": "slots", "rounds": 1,
                    "settleSeconds": 0, "measureSeconds": 1, "workloads": [
                      {"name": "hello", "ratePerSecond": 20, "query": {}},
                      {"name": "cpu", "ratePerSecond": 20, "query": {"seed": "a", "hash_loops": "100"}}]}]}}}
                """.formatted(variants)).toString();
    }

    /** A run that has measured all its cells, after all its functions have agreed. */
    private static Run measured(String said) throws IOException {
        var run = Run.read(kit.resolve("data/run.json"));
        assertEquals(List.of(), run.unmeasuredCells(), said);
        return run;
    }

    /** Analyses the newest run; returns its page. On a busy machine a short run may be invalid, which is 3. */
    private static String page() throws Exception {
        String said = run(Set.of(0, 3), "analyze.java", "data/run.json");
        assertFalse(said.contains("unequal work"), said);
        return Files.readString(kit.resolve("data/run.json").toRealPath().resolveSibling("report/index.html"));
    }

    // ==== The kit's work, done by others ====

    @Test void copies_and_a_fourth_language_need_no_other_change_than_a_profile_that_names_them() throws Exception {
        copy(Path.of("function/python"), kit.resolve("function/serpent"));
        copy(Path.of("function/rust"), kit.resolve("function/oxide"));
        copy(Path.of("test/function/node"), kit.resolve("function/node"));
        var variants = List.of("serpent-standard-1769", "serpent-lmi-2048", "oxide-standard-1769", "oxide-lmi-2048",
                "node-standard-1769", "node-lmi-2048");
        String said = run(Set.of(0), "experiment.java", "--profile",
                profile(variants.stream().collect(Collectors.joining("\", \"", "\"", "\""))));
        var run = measured(said);
        assertEquals(variants, run.agreement().variants());
        String page = page();
        for (String variant : variants) assertTrue(page.contains(variant), variant);
        Map.of("serpent", "#0072b2", "oxide", "#d55e00", "node", "#882255").forEach((name, colour) -> {
            assertEquals(Optional.of(colour), run.environment("functions", name, "colour"));
            assertTrue(page.contains(colour), name);
        });
    }

    // ==== Work of one's own ====

    private static Path greeter(String folder) throws IOException {
        Path own = directory.resolve(folder).resolve("greeter");
        copy(Path.of("docs/own-function"), own);
        return own;
    }

    @Test void a_users_function_is_measured_by_its_own_workloads() throws Exception {
        String said = run(Set.of(0), "experiment.java", "--function", greeter("right").toString(), "--profile", profile(""));
        var run = measured(said);
        assertEquals(List.of("greeter-standard-1769", "greeter-lmi-2048"),
                run.plan().variants().stream().map(Run.Variant::name).toList());
        assertEquals(List.of("greet"), run.plan().workloads().stream().map(Run.Workload::name).toList());
        String page = page();
        assertTrue(page.contains("greeter-lmi-2048") && page.contains("#cc79a7"), "the page");
    }

    @Test void a_wrong_reply_of_a_users_function_ends_the_run_before_any_load() throws Exception {
        Path own = greeter("wrong");
        Path source = own.resolve("bootstrap.py");
        Files.writeString(source, Files.readString(source).replace("len(name)", "7"));
        var runsBefore = Set.of(kit.resolve("data").toFile().list());
        String said = run(Set.of(5), "experiment.java", "--function", own.toString(), "--profile", profile(""));
        assertTrue(said.contains("greeter-standard-1769, greet: field 'length' is 7, not 3"), said);
        assertEquals(runsBefore, Set.of(kit.resolve("data").toFile().list()));
    }
}
