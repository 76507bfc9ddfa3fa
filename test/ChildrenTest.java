///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/build/Children.java

import module java.base;
import org.junit.jupiter.api.Test;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

final class ChildrenTest {
    public static void main(String... args) throws Exception {
        if (args.length > 0) parent(args[0]);
        else ConsoleLauncher.main("execute", "--select-class=ChildrenTest", "--disable-banner", "--fail-if-no-tests");
    }

    /** Starts a child that forks a grandchild and reads nothing, tells what it has made, and waits to be killed. */
    private static void parent(String kind) throws Exception {
        var command = List.of("sh", "-c", "sleep 600 & echo $! $$; wait");
        var child = kind.equals("conversing") ? Children.conversing(command, ProcessBuilder.Redirect.INHERIT)
                : Children.builder(command).start();
        Path directory = Children.temporaryDirectory("children-test");
        Files.createDirectories(directory.resolve("not/empty"));
        System.out.println(child.inputReader().readLine() + " " + directory);
        Thread.sleep(600_000);
    }

    /** A process that has run {@link #parent}: the pids of the two that it has started, and its temporary directory. */
    record Parent(Process process, long grandchild, long child, Path directory) {
        static Parent of(String kind) throws IOException {
            String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
            var command = List.of(java, "-cp", System.getProperty("java.class.path"), "ChildrenTest", kind);
            var process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
            String[] made = process.inputReader().readLine().split(" ");
            return new Parent(process, Long.parseLong(made[0]), Long.parseLong(made[1]), Path.of(made[2]));
        }

        Parent killed() throws InterruptedException {
            process.destroyForcibly().waitFor();
            return this;
        }

        void hasLeftNothing() throws InterruptedException {
            assertTrue(diesSoon(grandchild), "the grandchild lives on");
            assertTrue(diesSoon(child), "the child lives on");
            for (int i = 0; i < 40 && Files.exists(directory); i++) Thread.sleep(50);
            assertFalse(Files.exists(directory), "the temporary directory is left");
        }
    }

    private static void signal(String signal, long pid) throws Exception {
        assertEquals(0, new ProcessBuilder("kill", "-" + signal, "" + pid).inheritIO().start().waitFor());
    }

    private static boolean diesSoon(long pid) throws InterruptedException {
        for (int i = 0; i < 100 && isAlive(pid); i++) Thread.sleep(50);
        return !isAlive(pid);
    }

    private static boolean isAlive(long pid) { return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false); }

    @Test void a_child_and_what_it_forked_die_when_this_process_is_killed_with_kill_9() throws Exception {
        Parent.of("child").killed().hasLeftNothing();
    }

    @Test void a_stopped_child_dies_as_well_when_this_process_is_killed() throws Exception {
        var parent = Parent.of("child");
        signal("STOP", parent.child);
        parent.killed().hasLeftNothing();
    }

    @Test void a_child_that_we_talk_with_and_that_does_not_hear_our_end_is_killed_all_the_same() throws Exception {
        var parent = Parent.of("conversing");
        signal("STOP", parent.child);
        parent.killed().hasLeftNothing();
    }

    @Test void a_child_that_we_talk_with_has_our_lines_and_its_own_pid_and_time_to_put_its_things_away()
            throws Exception {
        var command = List.of("sh", "-c", "echo $$; read -r line; echo $line; cat; sleep .5; echo bye; exit 3");
        var child = Children.conversing(command, ProcessBuilder.Redirect.INHERIT);
        var output = child.inputReader();
        assertEquals(child.pid(), Long.parseLong(output.readLine()));
        child.outputWriter().append("a line\n").flush();
        assertEquals("a line", output.readLine());
        child.outputWriter().close();
        assertEquals("bye", output.readLine());
        assertEquals(3, child.waitFor());
    }

    @Test void what_a_child_that_we_talk_with_leaves_running_is_killed_when_it_ends() throws Exception {
        var child = Children.conversing(List.of("sh", "-c", "sleep 600 >/dev/null & echo $!; exit 0"),
                ProcessBuilder.Redirect.INHERIT);
        long orphan = Long.parseLong(child.inputReader().readLine());
        child.waitFor();
        assertTrue(diesSoon(orphan));
    }

    @Test void a_tools_lines_are_handed_on_and_its_exit_code_is_returned() throws Exception {
        var lines = new ArrayList<String>();
        var tool = Children.builder(List.of("sh", "-c", "echo one; echo two >&2; exit 7")).redirectErrorStream(true);
        assertEquals(7, Children.run(tool, lines::add));
        assertEquals(List.of("one", "two"), lines);
    }

    @Test void an_interruption_ends_a_tool_and_what_it_started() throws Exception {
        var pid = new CompletableFuture<Long>();
        var tool = Children.builder(List.of("sh", "-c", "sleep 600 & echo $!; wait"));
        var interrupted = new CompletableFuture<Boolean>();
        var thread = Thread.startVirtualThread(() -> {
            try {
                Children.run(tool, line -> pid.complete(Long.parseLong(line)));
                interrupted.complete(false);
            } catch (IOException | InterruptedException stopped) {
                interrupted.complete(stopped instanceof InterruptedException);
            }
        });
        long forked = pid.get();
        thread.interrupt();
        assertTrue(interrupted.get(5, TimeUnit.SECONDS));
        assertTrue(diesSoon(forked));
    }

    @Test void a_tool_whose_lines_cannot_be_kept_is_ended() {
        var tool = Children.builder(List.of("yes"));
        var failed = assertThrows(IOException.class, () -> Children.run(tool, _ -> {
            throw new UncheckedIOException(new IOException("no space left"));
        }));
        assertTrue(failed.getMessage().contains("no space left"), failed.getMessage());
    }

    @Test void a_childs_pid_is_the_commands_own() throws Exception {
        var child = Children.builder(List.of("sh", "-c", "echo $$")).start();
        assertEquals(child.pid(), Long.parseLong(child.inputReader().readLine()));
    }

    @Test void output_and_exit_code_are_the_commands() throws Exception {
        String script = "echo 'two  words' \"$1\"; exit 7";
        var child = Children.builder(List.of("sh", "-c", script, "sh", "an argument with ' and $")).start();
        assertEquals("two  words an argument with ' and $", child.inputReader().readLine());
        assertEquals(7, child.waitFor());
    }

    @Test void what_a_child_leaves_running_is_killed_when_it_ends() throws Exception {
        var child = Children.builder(List.of("sh", "-c", "sleep 600 >/dev/null & echo $!")).start();
        long orphan = Long.parseLong(child.inputReader().readLine());
        child.waitFor();
        assertTrue(diesSoon(orphan));
    }
}
