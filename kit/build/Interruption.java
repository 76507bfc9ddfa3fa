// Ctrl-C and SIGTERM: what the main thread waits for is interrupted, everything is removed, and only then the process
// ends. A second Ctrl-C during the removal changes nothing.

//SOURCES ../Cli.java

import module java.base;

/** What an interruption does to a run. Made first thing on the main thread; told at its end with which exit code. */
final class Interruption {
    /** Once removing has begun, an interruption waits for its end: cut short, it would leave what is billed. */
    private static boolean removing;
    /** What fails from here on fails because of it, whatever it says: a file's channel, for one, is closed. */
    private static volatile boolean hasCome;

    private final Thread main = Thread.currentThread();
    private final CountDownLatch over = new CountDownLatch(1);
    private volatile int exitCode;

    Interruption() { Runtime.getRuntime().addShutdownHook(new Thread(this::stop)); }

    /** Nothing is left to be removed: an interrupted process may end, with this exit code. */
    void over(int exitCode) {
        this.exitCode = exitCode;
        over.countDown();
    }

    /** Whether a run was interrupted before it removed anything. */
    static boolean hasCome() { return hasCome; }

    /** Removing begins: from here on the main thread is no longer interrupted. */
    static void waitForRemoval() {
        synchronized (Interruption.class) {
            removing = true;
            Thread.interrupted();  // An interruption may have led here.
        }
    }

    private void stop() {
        if (over.getCount() == 0) return;
        synchronized (Interruption.class) {
            Cli.warn(removing ? "interrupted: everything is being removed already" : "interrupted: removing everything");
            if (!removing) {
                hasCome = true;
                main.interrupt();
            }
        }
        try {
            over.await();
        } catch (InterruptedException nobodyInterruptsAHook) {
            Thread.currentThread().interrupt();
        }
        Runtime.getRuntime().halt(exitCode);
    }
}
