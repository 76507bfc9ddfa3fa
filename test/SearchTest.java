///usr/bin/env jbang "$0" "$@" ; exit $?
// Searches for the highest rate, played against made-up functions whose capacity is known.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/record/Run.java
//SOURCES ../kit/record/Search.java
//SOURCES ../kit/record/Study.java

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

class SearchTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=SearchTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    private static final Run.Variant RUST = Run.Variant.of("rust-lmi-2048");
    private static final Study.Capacity STUDY = new Study.Capacity("capacity", 1, 10, 50, 0.01, 1,
            List.of(new Run.Workload("cpu", null, Map.of())));

    /** A function of one vCPU: a request costs so much of it, and what is beyond comes late, far beyond with errors. */
    private static final class Made {
        double cpuMs = 5, generatorBusy = 0.2, slowSeconds = 0;
        final List<Run.Step> steps = new ArrayList<>();
        final SplittableRandom random = new SplittableRandom(1);

        Run.Step answer(double rate) {
            double load = rate * cpuMs / 1000;
            long due = Math.round(10 * rate), failed = load > 1.3 ? due / 4 : 0;
            double p99Ms = load > 1 || random.nextDouble() < slowSeconds ? 400 : cpuMs + 20 * load;
            return new Run.Step(rate, due, due, failed, cpuMs, p99Ms, cpuMs, generatorBusy * rate / 100);
        }

        Search.Found search() {
            Search state;
            while ((state = Search.after(STUDY, RUST, steps)) instanceof Search.Next(double rate)) steps.add(answer(rate));
            return (Search.Found) state;
        }
    }

    @Test void what_a_vcpu_carries_is_found_within_the_search_s_own_step() {
        for (double cpuMs : new double[] {0.5, 1, 5, 20}) {
            var made = new Made();
            made.cpuMs = cpuMs;
            made.generatorBusy = 0;
            var found = made.search();
            double truth = 1000 / cpuMs;
            assertTrue(found.ratePerSecond() <= truth && found.ratePerSecond() >= truth / Search.CLOSE, cpuMs + ": " + found);
            assertEquals(Search.Limit.LATENCY, found.limit());
            assertTrue(made.steps.size() <= 14, made.steps.size() + " steps");
        }
    }

    @Test void the_rate_that_is_found_has_held_three_times() {
        var made = new Made();
        var found = made.search();
        assertEquals(3, made.steps.stream().filter(step -> step.ratePerSecond() == found.ratePerSecond()).count());
    }

    @Test void one_slow_second_in_ten_does_not_end_a_search_far_below_the_truth() {
        int near = 0;
        for (int seed = 0; seed < 100; seed++) {
            var made = new Made();
            made.generatorBusy = 0;
            made.slowSeconds = 0.1;
            for (int i = 0; i < seed; i++) made.random.nextDouble();
            if (made.search().ratePerSecond() > 0.9 * 200) near++;
        }
        assertTrue(near >= 90, near + " of 100 within a tenth");
    }

    @Test void a_generator_that_is_busy_is_the_limit_and_not_the_function() {
        var made = new Made();
        made.generatorBusy = 0.8;
        var found = made.search();
        assertEquals(Search.Limit.GENERATOR, found.limit());
    }

    @Test void a_function_that_is_late_at_the_probe_carries_nothing() {
        var made = new Made();
        made.cpuMs = 200;
        assertEquals(new Search.Found(0, Search.Limit.ERRORS), made.search());
    }

    @Test void a_search_that_never_settles_ends_all_the_same() {
        var made = new Made();
        made.slowSeconds = 0.6;
        made.search();
        assertTrue(made.steps.size() <= Search.MOST_STEPS);
    }

    @Test void a_search_goes_on_from_the_steps_that_are_on_record() {
        var whole = new Made();
        var found = whole.search();
        for (int cut = 1; cut < whole.steps.size(); cut++) {
            var resumed = new Made();
            resumed.steps.addAll(whole.steps.subList(0, cut));
            assertEquals(found, resumed.search());
        }
    }
}
