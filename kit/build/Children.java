// Processes that cannot outlive us, whatever kills us.
//
// A child starts as a shell that leaves a watchdog behind and then becomes the command. The watchdog reads a pipe that
// only this process writes to: when this process ends, even by kill -9, the kernel closes the pipe, the read returns,
// and the watchdog kills the child's whole process group. No polling, no pid files, nothing to clean up afterwards.

import module java.base;

/** Starts child processes whose whole process group dies with this process. */
final class Children {
    // A background job of a shell gets /dev/null as its stdin, hence descriptor 3; the command has no use for ours.
    private static final String BECOME = """
            exec 3<&0
            { while read -r _; do :; done; kill -KILL %s$$; } <&3 >/dev/null 2>&1 &
            exec "$@" </dev/null 3<&-""";

    // setsid makes the child the leader of a group of its own, so that what it forks dies with it. macOS has none:
    // there only the child itself is killed, which is enough for the load generator.
    private static final List<String> LAUNCHER = Files.isExecutable(Path.of("/usr/bin/setsid"))
            ? List.of("/usr/bin/setsid", "sh", "-c", BECOME.formatted("-"), "sh")
            : List.of("sh", "-c", BECOME.formatted(""), "sh");

    /**
     * A builder for a process that dies with this one. Its pid is the command's own, its stdin is empty, and a signal
     * to it is a signal to the command; whatever it leaves in its process group when it ends is killed as well.
     */
    static ProcessBuilder builder(List<String> command) {
        return new ProcessBuilder(Stream.concat(LAUNCHER.stream(), command.stream()).toList());
    }

    /** Asks a child to end, and kills its whole group once it has, or when it has not within the given time. */
    static void end(Process child, Duration patience) throws InterruptedException {
        // Process.destroy would close the pipe as well, and the watchdog would not wait.
        child.toHandle().destroy();
        if (!child.waitFor(patience)) kill(child);
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
}
