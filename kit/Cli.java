// How every script of the kit speaks to a person.
//
// What went wrong is one line that says what happened and one that says what to do; the stack trace stays out unless
// asked for with --verbose. Long work tells how far it is: one line that is rewritten on a terminal, and plain lines,
// rarely, in a pipe or in CI. Results go to stdout, everything else to stderr.

//DEPS info.picocli:picocli:4.7.7

import module java.base;
import picocli.CommandLine;

/** Command-line manners shared by the scripts: exit codes, one-line errors with a hint, progress. */
final class Cli {
    /** Done, perhaps with warnings. */
    static final int DONE = 0;
    /** A fault of the kit's own. */
    static final int UNEXPECTED = 1;
    /** Bad usage or input, or something required is missing; nothing was made. */
    static final int REFUSED = 2;
    /** Starting or deploying failed, and nothing is left of it. */
    static final int START_FAILED = 3;
    /** Something may be left that costs money; the hint says what removes it. */
    static final int SOMETHING_LEFT = 4;
    /** The measurement failed or is incomplete; everything was removed. */
    static final int MEASUREMENT_FAILED = 5;
    /** Interrupted; everything was removed. */
    static final int INTERRUPTED = 130;

    /** The option that every command of the kit has. */
    static final class Verbose {
        @CommandLine.Option(names = "--verbose", description = "Show the stack trace of an error.")
        boolean on;
    }

    /** What a person did not expect: what happened, what to do about it, and the exit code that says so to scripts. */
    static final class Problem extends RuntimeException {
        final int exitCode;
        final String hint;

        Problem(int exitCode, String happened, String hint) {
            super(happened);
            this.exitCode = exitCode;
            this.hint = hint;
        }

        Problem(int exitCode, String happened, String hint, Throwable cause) {
            this(exitCode, happened, hint);
            initCause(cause);
        }
    }

    /**
     * Runs a picocli command and returns the exit code: the command's own, that of the {@link Problem} it threw, 2 for
     * bad usage, 1 for anything else, an Error such as a full heap included.
     */
    static int run(Object command, String... args) {
        var line = new CommandLine(command).setUsageHelpWidth(120).setCaseInsensitiveEnumValuesAllowed(true);
        line.setParameterExceptionHandler((wrong, _) -> {
            tell(wrong.getMessage(), "./jbang " + wrong.getCommandLine().getCommandSpec().qualifiedName() + " --help");
            return REFUSED;
        });
        boolean verbose = List.of(args).contains("--verbose");
        line.setExecutionExceptionHandler((thrown, _, _) -> report(thrown, verbose));
        var output = Output.take();
        try {
            return output.orFailed(line.execute(args));
        } catch (Error thrown) {
            return report(thrown, verbose);
        }
    }

    /** Tells a person of what was thrown, in two lines, and returns the exit code that goes with it. */
    static int report(Throwable thrown, boolean verbose) {
        int exitCode = UNEXPECTED;
        if (thrown instanceof Problem problem) {
            tell(problem.getMessage(), problem.hint);
            exitCode = problem.exitCode;
        } else {
            tell("unexpected: " + thrown,
                    verbose ? "the stack trace below names the line" : "--verbose shows where it happened");
        }
        if (verbose) thrown.printStackTrace();
        return exitCode;
    }

    /** The kit's directory, where experiment.java is started; anywhere else is a Problem with exit code 2. */
    static Path kitHome() {
        Path here = Path.of("").toAbsolutePath();
        if (!Files.exists(here.resolve("k6/load.js"))) throw new Problem(REFUSED,
                here + " is not the kit's directory", "cd to where experiment.java is");
        return here;
    }

    // ==== Where it speaks ====

    /**
     * Standard output as a script should have it: what can't be written to it is an error (PrintStream says nothing of
     * a full disk), unless its reader has gone, as `head` does. Under the plain C locale only ASCII is printed; ./jbang,
     * which gives Java a wider one for the sake of file names, says so in LAMBDA_KIT_ASCII.
     */
    private static final class Output extends FilterOutputStream {
        private static final boolean ASCII = System.getenv("LAMBDA_KIT_ASCII") != null;
        /** The letters beyond ASCII that the kit's own sentences and tables use. */
        private static final Map<Character, String> IN_ASCII =
                Map.of('—', "-", '–', "-", '…', "...", '→', "->", '∞', "inf", '·', "|", '×', "x", 'µ', "u");
        private IOException failure;

        private Output(int descriptor) {
            super(new FileOutputStream(descriptor == 1 ? FileDescriptor.out : FileDescriptor.err));
        }

        static Output take() {
            var output = new Output(1);
            System.setOut(printing(output));
            System.setErr(printing(new Output(2)));
            return output;
        }

        private static PrintStream printing(Output output) {
            var charset = ASCII ? StandardCharsets.US_ASCII : System.out.charset();
            return new PrintStream(output, true, charset) {
                @Override public void print(String text) { super.print(ASCII ? inAscii(text) : text); }
            };
        }

        private static String inAscii(String text) {
            var ascii = new StringBuilder(text.length());
            for (char letter : text.toCharArray()) {
                if (letter < 128) ascii.append(letter);
                else ascii.append(IN_ASCII.getOrDefault(letter, "?"));
            }
            return ascii.toString();
        }

        @Override public void write(byte[] bytes, int from, int length) throws IOException {
            try {
                out.write(bytes, from, length);
            } catch (IOException thrown) {
                failure = thrown;
                throw thrown;
            }
        }

        /** The exit code, or 1 when what was printed has not arrived. */
        int orFailed(int exitCode) {
            System.out.flush();
            if (failure == null || "Broken pipe".equals(failure.getMessage())) return exitCode;
            tell("standard output can't be written to: " + failure.getMessage(), "make room, or send it elsewhere");
            return exitCode == DONE ? UNEXPECTED : exitCode;
        }
    }

    private static void tell(String happened, String hint) {
        System.err.println("error: " + shown(happened));
        if (hint != null) System.err.println("hint: " + shown(hint));
    }

    /** Asks a person at the terminal; anything but yes, and nobody there, is a Problem with exit code 2. */
    static void agree(String question, String otherwise) {
        String said = System.console() == null ? null : System.console().readLine(question + " [y/N] ");
        boolean agreed = said != null && Set.of("y", "yes").contains(said.strip().toLowerCase(Locale.ROOT));
        if (!agreed) throw new Problem(REFUSED, otherwise, "--yes agrees without asking");
    }

    static void warn(String line) { System.err.println("warning: " + shown(line)); }

    static void say(String line) { System.err.println(shown(line)); }

    /** What steers a terminal, or turns the direction of what follows, in text that may be a stranger's. */
    private static final Pattern STEERS = Pattern.compile("[\\p{Cc}&&[^\n\t]]|[\u202A-\u202E\u2066-\u2069]");

    /** Text as a terminal may have it: file names and tags are whoever's they are. */
    static String shown(String text) { return STEERS.matcher(text).replaceAll("\uFFFD"); }

    /** How far long work is. Not for several threads at once. */
    static final class Progress implements AutoCloseable {
        /** A terminal is redrawn four times a second: less looks stuck, more flickers. */
        private static final Duration REDRAW = Duration.ofMillis(250);
        /** A log gets a line every ten seconds at most: enough to see that it lives, few enough to read afterwards. */
        private static final Duration PLAIN_LINE = Duration.ofSeconds(10);
        private static final String ERASE_LINE = "\r\033[K";

        private final String step;
        private final boolean terminal = onTerminal();
        private long lastNs = System.nanoTime();
        private boolean drawn;

        /** Progress of one step, named by the verb that a person knows it by. */
        Progress(String step) { this.step = step; }

        /** Shows the text when it is time to; call it as often as you like. */
        void show(Supplier<String> text) {
            long nowNs = System.nanoTime();
            if (nowNs - lastNs < (terminal ? REDRAW : PLAIN_LINE).toNanos()) return;
            lastNs = nowNs;
            String line = "%-8s %s".formatted(step, shown(text.get()));
            if (terminal) System.err.print(ERASE_LINE + line);
            else System.err.println(line);
            drawn = true;
        }

        @Override public void close() {
            if (terminal && drawn) System.err.print(ERASE_LINE);
            drawn = false;
        }

        private static boolean onTerminal() {
            return System.console() != null && System.console().isTerminal() && System.getenv("CI") == null;
        }
    }

    /** A duration as a person says it: 0.8 s, 42 s, 3 min 05 s, 2 h 01 min. */
    static String spoken(Duration duration) {
        long seconds = duration.toSeconds();
        if (seconds < 10) return String.format(Locale.ROOT, "%.1f s", duration.toMillis() / 1000.0);
        if (seconds < 120) return seconds + " s";
        if (seconds < 7200) return "%d min %02d s".formatted(seconds / 60, seconds % 60);
        return "%d h %02d min".formatted(seconds / 3600, seconds % 3600 / 60);
    }

    /** "40" or "2.5": a number without an end of nothing. */
    static String plain(double value) {
        return new BigDecimal(value).setScale(3, RoundingMode.HALF_UP).stripTrailingZeros().toPlainString();
    }
}
