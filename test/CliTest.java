///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/Cli.java

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.platform.console.ConsoleLauncher;
import picocli.CommandLine.Command;

import static org.junit.jupiter.api.Assertions.*;

/** The manners of every script, shown by one that prints, throws or fills the heap: this file, started again. */
final class CliTest {
    public static void main(String... args) {
        if (args.length > 0) System.exit(Cli.run(new Script(args[0])));
        ConsoleLauncher.main("execute", "--select-class=CliTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    @Command(name = "script.java")
    static final class Script implements Callable<Integer> {
        private final String what;

        Script(String what) { this.what = what; }

        @Override public Integer call() {
            switch (what) {
                case "refuse" -> throw new Cli.Problem(Cli.REFUSED, "there is no way", "take another");
                case "break" -> throw new IllegalStateException("a fault");
                default -> System.out.println("io — 4.2 ms … ∞ → grüße");
            }
            return Cli.DONE;
        }
    }

    private record Result(int exitCode, String out, String err) {}

    /** Runs this file's script in a shell, so that its output can be sent anywhere. */
    private static Result run(String what, String redirection, String... environment) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String line = "'%s' -Dstdout.encoding=UTF-8 -cp '%s' CliTest %s %s"
                .formatted(java, System.getProperty("java.class.path"), what, redirection);
        var builder = new ProcessBuilder("bash", "-o", "pipefail", "-c", line);
        for (int i = 0; i < environment.length; i += 2) builder.environment().put(environment[i], environment[i + 1]);
        var process = builder.start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Result(process.waitFor(), out, err);
    }

    @Test void a_problem_is_two_lines_and_its_own_exit_code() throws Exception {
        assertEquals(new Result(Cli.REFUSED, "", "error: there is no way\nhint: take another\n"), run("refuse", ""));
    }

    @Test void a_fault_is_two_lines_without_a_trace() throws Exception {
        var result = run("break", "");
        assertEquals(Cli.UNEXPECTED, result.exitCode);
        assertEquals("error: unexpected: java.lang.IllegalStateException: a fault\n"
                + "hint: --verbose shows where it happened\n", result.err);
    }

    @Test void what_cannot_be_printed_is_an_error() throws Exception {
        Assumptions.assumeTrue(Files.exists(Path.of("/dev/full")));
        assertEquals(new Result(Cli.UNEXPECTED, "", "error: standard output can't be written to: "
                + "No space left on device\nhint: make room, or send it elsewhere\n"), run("print", "> /dev/full"));
    }

    @Test void a_reader_that_has_gone_is_none() throws Exception {
        assertEquals(new Result(Cli.DONE, "", ""), run("print", "| true"));
    }

    @Test void the_plain_c_locale_gets_ascii_alone() throws Exception {
        assertEquals("io - 4.2 ms ... inf -> gr??e\n", run("print", "", "LAMBDA_KIT_ASCII", "yes").out);
        assertEquals("io — 4.2 ms … ∞ → grüße\n", run("print", "").out);
    }
}
