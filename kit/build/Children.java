// Processes that cannot outlive us, whatever kills us.
//
// A child starts as a shell that leaves a watchdog behind and then becomes the command. The watchdog reads a pipe that
// only this process writes to: when this process ends, even by kill -9, the kernel closes the pipe, the read returns,
// and the watchdog kills the child's whole process group. No polling, no pid files, nothing to clean up afterwards.

import module java.base;

/** Starts child processes whose whole process group dies with this process. */
final class Children {
    // setsid makes the child the leader of a group of its own, so that what it forks dies with it, and so that Ctrl-C
    // on a terminal reaches this process alone. macOS has none: there only the child itself is killed.
    private static final Path SETSID = Path.of("/usr/bin/setsid");
    private static final List<String> LEADER =
            Files.isExecutable(SETSID) ? List.of(SETSID.toString()) : List.of();
    private static final String GROUP = LEADER.isEmpty() ? "" : "-";

    // A background job of a shell gets /dev/null as its stdin, hence descriptor 3; the command has no use for ours.
    private static final String BECOME = """
            exec 3<&0
            { while read -r _; do :; done; kill -KILL %s$$; } <&3 >/dev/null 2>&1 &
            exec "$@" </dev/null 3<&-""".formatted(GROUP);

    /**
     * A builder for a process that dies with this one. Its pid is the command's own, its stdin is empty, and a signal
     * to it is a signal to the command; whatever it leaves in its process group when it ends is killed as well.
     */
    static ProcessBuilder builder(List<String> command) { return new ProcessBuilder(leader(BECOME, command)); }

    private static List<String> leader(String script, List<String> arguments) {
        return Stream.of(LEADER, List.of("sh", "-c", script, "sh"), arguments).flatMap(List::stream).toList();
    }

    /** Kills a child and its whole group, and waits until the child is gone. */
    static void kill(Process child) throws InterruptedException {
        try {
            child.getOutputStream().close();
        } catch (IOException alreadyClosed) {
            // The pipe broke because its reader, the watchdog, has done its work.
        }
        child.waitFor();
    }

    /**
     * Runs a tool to its end and hands on each line of its stdout. When the thread is interrupted meanwhile, the tool
     * and all that it has started are killed.
     *
     * @param child a {@link #builder}, with the directory, environment and stderr that the tool is to have
     * @return the tool's exit code
     */
    static int run(ProcessBuilder child, Consumer<String> line) throws IOException, InterruptedException {
        var process = child.start();
        try {
            // Waiting for a thread can be interrupted; reading what a process says can not.
            var reading = new FutureTask<Void>(() -> {
                try (var lines = process.inputReader()) {
                    lines.lines().forEach(line);
                }
                return null;
            });
            Thread.startVirtualThread(reading);
            reading.get();
            return process.waitFor();
        } catch (ExecutionException failed) {
            throw new IOException(failed.getCause());
        } finally {
            kill(process);
        }
    }

    // ==== Children that we talk with ====

    /** As long as a child that was hung up on may take to put its things away, before it is killed. */
    private static final Duration GRACE = Duration.ofSeconds(3);

    // The child waits for a first line, which it gets when its watchdog is there. Without setsid it is in our group and
    // must not hear Ctrl-C, which is ours to handle; Java leaves a signal alone that it finds ignored.
    private static final String BECOME_WHEN_TOLD = """
            trap '' INT
            read -r _ || exit
            exec "$@"
            """;
    // To this watchdog a line says that the child has ended, and the end of the pipe that we have, or want the child to.
    private static final String WATCH_LEADER =
            "read -r _ || sleep %d; kill -KILL %s\"$1\"".formatted(GRACE.toSeconds(), GROUP);

    /**
     * Starts a child whose stdin and stdout are ours. It should end when its stdin does; if it has not within three
     * seconds, it is killed with its whole process group, as is what it leaves there.
     */
    static Process conversing(List<String> command, ProcessBuilder.Redirect stderr) throws IOException {
        var child = new ProcessBuilder(leader(BECOME_WHEN_TOLD, command)).redirectError(stderr).start();
        var watchdog = afterUs(WATCH_LEADER, "" + child.pid());
        child.onExit().thenRun(() -> tell(watchdog));
        tell(child);
        return child;
    }

    private static void tell(Process process) {
        try {
            process.getOutputStream().write('\n');
            process.getOutputStream().flush();
        } catch (IOException endedAlready) {
            // Then it needs no telling.
        }
    }

    /** A new directory for temporary files, which is removed soon after this process has ended, whatever ends it. */
    static Path temporaryDirectory(String prefix) throws IOException {
        Path directory = Files.createTempDirectory(prefix);
        // Other processes that die with us may still write into it.
        afterUs("while read -r _; do :; done; for _ in 1 2 3 4 5; do rm -rf \"$1\" && exit; sleep .5; done",
                directory.toString());
        return directory;
    }

    /** A shell with a pipe of ours as its stdin. It is in no group of ours, so that nothing but the script ends it. */
    private static Process afterUs(String script, String argument) throws IOException {
        return new ProcessBuilder(leader(script, List.of(argument)))
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }
}
