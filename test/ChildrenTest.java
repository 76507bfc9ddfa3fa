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

    /** Starts a child that forks a grandchild, tells both pids, and waits to be killed. */
    private static void parent(String mark) throws Exception {
        var child = Children.builder(List.of("sh", "-c", "sleep 600 & echo $! $$ " + mark + "; wait")).start();
        System.out.println(child.inputReader().readLine());
        Thread.sleep(600_000);
    }

    private static boolean diesSoon(long pid) throws InterruptedException {
        for (int i = 0; i < 100 && isAlive(pid); i++) Thread.sleep(50);
        return !isAlive(pid);
    }

    private static boolean isAlive(long pid) { return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false); }

    @Test void a_child_and_what_it_forked_die_when_this_process_is_killed_with_kill_9() throws Exception {
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String classPath = System.getProperty("java.class.path");
        var parent = new ProcessBuilder(java, "-cp", classPath, "ChildrenTest", "parent").start();
        var pids = parent.inputReader().readLine().split(" ");
        parent.destroyForcibly().waitFor();
        assertTrue(diesSoon(Long.parseLong(pids[0])), "the grandchild lives on");
        assertTrue(diesSoon(Long.parseLong(pids[1])), "the child lives on");
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

    @Test void end_lets_a_child_finish_by_itself() throws Exception {
        String script = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep .05; done";
        var child = Children.builder(List.of("sh", "-c", script)).start();
        var output = child.inputReader();
        assertEquals("up", output.readLine());
        Children.end(child, Duration.ofSeconds(10));
        assertEquals(3, child.exitValue());
        assertEquals("bye", output.readLine());
    }

    @Test void end_kills_a_child_that_will_not_finish() throws Exception {
        var child = Children.builder(List.of("sh", "-c", "trap '' TERM; echo up; while :; do sleep .05; done")).start();
        child.inputReader().readLine();
        Children.end(child, Duration.ofMillis(300));
        assertFalse(child.isAlive());
    }
}
