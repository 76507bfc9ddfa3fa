///usr/bin/env jbang "$0" "$@" ; exit $?
// What takes too long for CI: the faults of AwsTest in real time, with the waits that a person would see, and forty
// kills of whole runs in all languages. About an hour in all.

//JAVA 25
//MAIN Slow
//SOURCES AwsTest.java
//SOURCES KillerTest.java

import module java.base;
import org.junit.platform.console.ConsoleLauncher;

final class Slow {
    private static final List<String> TESTS = List.of(
            "AwsTest#a_network_that_goes_and_comes_back_is_waited_for",
            "AwsTest#a_call_that_hangs_is_made_again",
            "AwsTest#a_draining_capacity_provider_is_waited_for",
            "AwsTest#logs_that_come_late_are_waited_for",
            "AwsTest#a_failed_stack_that_cannot_be_deleted_at_first_is_deleted_again",
            "AwsTest#a_lost_reply_makes_nothing_twice_and_nothing_fail",
            "KillerTest#nothing_lives_on_after_any_of_forty_kills");

    public static void main(String... args) {
        System.setProperty("slow", "true");
        var select = TESTS.stream().map("--select-method="::concat);
        ConsoleLauncher.main(Stream.concat(Stream.of("execute", "--details=tree", "--disable-banner",
                "--fail-if-no-tests"), select).toArray(String[]::new));
    }
}
