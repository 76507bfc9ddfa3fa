///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/Cli.java
//SOURCES ../kit/build/K6.java

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

/** Which k6 is taken, of those that a machine has: shell scripts that answer as k6 does. */
final class K6Test {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=K6Test", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    // ==== Vocabulary ====

    private static final String HELP_OF_1 = "-q, --quiet  --no-color  --no-usage-report  --no-summary  "
            + "--summary-mode string  --summary-export string  -a, --address string  -o, --out uri";
    /** k6 2.0 has dropped --no-summary. */
    private static final String HELP_OF_2 = HELP_OF_1.replace("--no-summary  ", "");
    @TempDir Path machine;
    private final List<String> told = new ArrayList<>();

    private Path k6(String directory, String version, String help) throws IOException {
        Path k6 = Files.createDirectories(machine.resolve(directory)).resolve("k6");
        Files.writeString(k6, """
                #!/bin/sh
                case "$*" in
                    version) echo 'k6 v%s (go1.26.8, linux/amd64)' ;;
                    "run --help") echo '%s' ;;
                    *) exit 255 ;;
                esac
                """.formatted(version, help));
        k6.toFile().setExecutable(true);
        return k6;
    }

    private K6.Found required(String... directories) throws Exception {
        String path = Arrays.stream(directories).map(name -> machine.resolve(name).toString())
                .collect(Collectors.joining(File.pathSeparator));
        return K6.require(path, machine.resolve("cache"), told::add);
    }

    // ==== Tests ====

    @Test void every_k6_from_1_3_to_2_x_is_taken() throws Exception {
        for (String version : List.of("1.3.0", "1.8.1", "2.0.0-rc1", "2.2.0")) {
            k6("bin", version, HELP_OF_2);
            assertEquals(version, required("bin").version());
        }
    }

    @Test void an_older_one_is_passed_over_and_said_to_be() throws Exception {
        for (String version : List.of("0.57.0", "1.2.3")) {
            k6("old", version, HELP_OF_1);
            Path good = k6("new", "1.8.1", HELP_OF_1);
            assertEquals(good, required("old", "new").path());
            assertTrue(told.removeFirst().startsWith("k6 " + version + " ("), version);
        }
    }

    @Test void a_k6_that_does_not_know_an_option_is_refused_in_one_line_before_anything_starts() throws Exception {
        k6("bin", "3.0.0", HELP_OF_2.replace("--summary-mode", "--summary-style"));
        var refused = assertThrows(Cli.Problem.class, () -> required("bin"));
        assertEquals(Cli.REFUSED, refused.exitCode);
        assertEquals("k6 3.0.0 (%s) does not know --summary-mode".formatted(machine.resolve("bin/k6")),
                refused.getMessage());
    }

    @Test void only_options_that_2_x_knows_are_passed() throws Exception {
        var command = new K6.Found(k6("bin", "2.2.0", HELP_OF_2), "2.2.0", 2, 2)
                .command(Path.of("load.js"), Path.of("samples.json.gz"));
        for (String word : command) if (word.startsWith("--")) {
            assertTrue(HELP_OF_2.contains(word.replaceFirst("=.*", "")), word);
        }
        assertTrue(command.containsAll(List.of("--summary-mode=disabled", "--out=json=samples.json.gz")));
    }

    @Test void another_program_of_that_name_is_not_k6() throws Exception {
        Files.writeString(Files.createDirectories(machine.resolve("other")).resolve("k6"), "#!/bin/sh\necho k6 tea\n");
        machine.resolve("other/k6").toFile().setExecutable(true);
        Path broken = k6("broken", "2.2.0", HELP_OF_2);
        Files.writeString(broken, "#!/no/such/shell\n");
        Path good = k6("good", "2.2.0", HELP_OF_2);
        assertEquals(good, required("other", "broken", "good").path());
    }
}
