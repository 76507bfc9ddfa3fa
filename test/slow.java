///usr/bin/env jbang "$0" "$@" ; exit $?
// The faults of AwsTest in real time, with the waits that a person would see: many minutes, so CI leaves it out.

//JAVA 25
//MAIN Slow
//SOURCES AwsTest.java

final class Slow {
    public static void main(String... args) {
        System.setProperty("slow", "true");
        AwsTest.run("a_network_that_goes_and_comes_back_is_waited_for", "a_call_that_hangs_is_made_again",
                "a_draining_capacity_provider_is_waited_for", "logs_that_come_late_are_waited_for",
                "a_failed_stack_that_cannot_be_deleted_at_first_is_deleted_again", "a_lost_reply_makes_nothing_twice_and_nothing_fail");
    }
}
