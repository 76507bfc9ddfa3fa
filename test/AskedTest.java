///usr/bin/env jbang "$0" "$@" ; exit $?
// What a command line asks of a profile otherwise, and the order in which a plan's cells stand.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/Cli.java
//SOURCES ../kit/record/Load.java
//SOURCES ../kit/record/Profile.java
//SOURCES ../kit/record/Run.java
//SOURCES ../kit/record/Study.java

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

final class AskedTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=AskedTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    // ==== Vocabulary ====

    private static final Run.Workload IO = new Run.Workload("io", null, Map.of("delay_ms", "50"));
    private static final Run.Workload CPU = new Run.Workload("cpu", null, Map.of("seed", "s", "hash_loops", "100"));
    private static final List<Run.Variant> VARIANTS = Stream.of("rust-standard-1769", "rust-lmi-2048",
            "java-standard-1769", "rust-standard-1769-twin").map(Run.Variant::of).toList();
    private static final Study.Steady STEADY = new Study.Steady("steady", Study.Steady.SLOTS, 8, 2, 1, 4,
            List.of(rated(IO, 40), rated(CPU, 20)));
    private static final Study.Shape BURST = new Study.Shape("burst", Study.Shape.RATE, stages(60, 100, 30, 400), 0, 1, null,
            List.of(IO));
    private static final Study.Shape RAMP = new Study.Shape("ramp", Study.Shape.USERS, stages(30, 50, 30, 50, 30, 0), 0.1, 1,
            null, List.of(CPU));
    private static final Study.Capacity CAPACITY = new Study.Capacity("capacity", 3, 10, 50, 0.01, 1, List.of(CPU));
    private static final Study.Cold COLD = new Study.Cold("cold", 125, 100, List.of(CPU));
    private static final Profile.Asked NOTHING = asked(null, null, null, null, null);

    private static Run.Workload rated(Run.Workload workload, double ratePerSecond) {
        return new Run.Workload(workload.name(), ratePerSecond, workload.query());
    }

    /** Seconds and target, by turns. */
    private static List<Study.Stage> stages(double... numbers) {
        return IntStream.range(0, numbers.length / 2)
                .mapToObj(i -> new Study.Stage(numbers[2 * i], numbers[2 * i + 1])).toList();
    }

    private static Profile.Asked asked(Double scale, Double rate, Integer users, Duration length, List<Double> stages) {
        return new Profile.Asked(Set.of(), Set.of(), null, scale, rate, users, length, stages == null ? List.of() : stages);
    }

    private static Run.Plan plan(Profile.Asked asked, Study... studies) {
        return new Profile("A test.", true, 7, 8, Map.of("local", new Profile.OnTarget(VARIANTS, List.of(studies))))
                .plan("p", "local", asked);
    }

    private static Study.Shape shape(Run.Plan plan) { return plan.studies(Study.Shape.class).getFirst(); }

    private static void refuses(String says, Profile.Asked asked, Study... studies) {
        var problem = assertThrows(Cli.Problem.class, () -> plan(asked, studies));
        assertEquals(Cli.REFUSED, problem.exitCode);
        assertTrue(problem.getMessage().contains(says), problem.getMessage());
    }

    // ==== Asked otherwise ====

    @Test void a_rate_is_that_of_steady_load_and_of_a_shape_at_its_peak() {
        var plan = plan(asked(null, 200.0, null, null, null), STEADY, BURST, RAMP);
        assertEquals(List.of(200.0, 200.0), plan.workloads().stream().map(Run.Workload::ratePerSecond).toList());
        assertEquals(stages(60, 50, 30, 200), shape(plan).stages());
        assertEquals(RAMP, plan.study("ramp"), "users are not a rate");
    }

    @Test void users_are_those_of_a_shape_of_users_at_its_peak() {
        var plan = plan(asked(null, null, 10, null, null), BURST, RAMP);
        assertEquals(BURST, plan.study("burst"));
        assertEquals(stages(30, 10, 30, 10, 30, 0), ((Study.Shape) plan.study("ramp")).stages());
    }

    @Test void a_duration_is_each_stage_s() {
        assertEquals(stages(5, 100, 5, 400), shape(plan(asked(null, null, null, Duration.ofSeconds(5), null), BURST)).stages());
    }

    @Test void stages_take_the_place_of_a_shape_s_own_in_the_same_time_or_in_the_duration_that_is_asked() {
        var stages = List.of(20.0, 20.0, 40.0);
        assertEquals(stages(30, 20, 30, 20, 30, 40), shape(plan(asked(null, null, null, null, stages), BURST)).stages());
        assertEquals(stages(7, 20, 7, 20, 7, 40),
                shape(plan(asked(null, null, null, Duration.ofSeconds(7), stages), BURST)).stages());
    }

    @Test void workloads_are_left_out_and_a_study_without_one_with_them() {
        var plan = plan(new Profile.Asked(Set.of(), Set.of("io"), null, null, null, null, null, List.of()), STEADY, BURST, RAMP);
        assertEquals(List.of("steady", "burst"), plan.studies().stream().map(Study::name).toList());
        assertEquals(Set.of("io"), plan.order().stream().map(Run.PlannedCell::workload).collect(Collectors.toSet()));
    }

    @Test void what_no_study_has_is_refused() {
        refuses("has no study with stages", asked(null, null, null, Duration.ofSeconds(5), null), STEADY, COLD);
        refuses("has no study of users", asked(null, null, 5, null, null), STEADY, BURST);
        refuses("has no study at a rate", asked(null, 5.0, null, null, null), RAMP, CAPACITY);
        refuses("asks for none of hello", new Profile.Asked(Set.of(), Set.of("hello"), null, null, null, null, null,
                List.of()), STEADY);
    }

    @Test void a_scaled_profile_takes_its_share_of_time_in_every_study_and_claims_nothing() {
        var whole = plan(NOTHING, STEADY, BURST, CAPACITY, COLD);
        var half = plan(asked(0.5, null, null, null, null), STEADY, BURST, CAPACITY, COLD);
        assertTrue(whole.claims());
        assertFalse(half.claims());
        for (var study : whole.studies()) {
            double before = Profile.timeOf(cells(whole, study), whole).toMillis(), after = Profile.timeOf(cells(half, study), half).toMillis();
            assertEquals(0.5, after / before, 0.12, study.name());
        }
        assertEquals(4, half.rounds(), "rounds are left out before cells are shortened");
        assertEquals(1, half.steady().orElseThrow().deployments());
        assertEquals(62, half.study("cold").rounds());
        assertTrue(half.description().endsWith("With --scale 0.5."), half.description());
    }

    private static List<Run.PlannedCell> cells(Run.Plan plan, Study study) {
        return plan.order().stream().filter(cell -> cell.study().equals(study.name())).toList();
    }

    @Test void a_longer_profile_keeps_its_deployments() {
        var plan = plan(asked(2.0, null, null, null, null), STEADY);
        assertEquals(16, plan.rounds());
        assertEquals(2, plan.steady().orElseThrow().deployments());
        assertTrue(plan.claims());
    }

    // ==== Order ====

    @Test void over_as_many_rounds_as_variants_each_has_stood_once_in_every_place() {
        var plan = plan(NOTHING, STEADY);
        for (var workload : STEADY.workloads()) for (int first : List.of(1, 5)) {
            var rows = IntStream.range(first, first + 4).mapToObj(round -> plan.order().stream()
                    .filter(cell -> cell.round() == round && cell.workload().equals(workload.name()))
                    .map(cell -> cell.variants().getFirst()).toList()).toList();
            for (int place = 0; place < 4; place++) {
                int at = place;
                assertEquals(4, rows.stream().map(row -> row.get(at)).distinct().count(), rows.toString());
            }
            assertTrue(rows.stream().allMatch(row -> Set.copyOf(row).size() == 4));
        }
    }

    @Test void the_seed_alone_decides_the_order() {
        assertEquals(plan(NOTHING, STEADY, COLD).order(), plan(NOTHING, STEADY, COLD).order());
    }

    @Test void twins_take_part_in_steady_load_only() {
        var plan = plan(NOTHING, STEADY, BURST, CAPACITY, COLD);
        var withTwins = plan.order().stream().filter(cell -> cell.variants().getFirst().endsWith("-twin"))
                .map(Run.PlannedCell::study).collect(Collectors.toSet());
        assertEquals(Set.of("steady"), withTwins);
    }

    // ==== What k6 is told ====

    @Test void a_shape_is_told_stage_by_stage_and_is_one_phase() {
        var load = Load.of(BURST, plan(NOTHING, BURST).order().getFirst());
        assertEquals(List.of(new Run.Phase("measure", 0, 90, 1600)), load.phases());
        assertEquals(List.of(Map.of("durationMs", 60_000L, "target", 100.0), Map.of("durationMs", 30_000L, "target", 400.0)),
                load.parts().getFirst().pace().get("stages"));
        assertEquals(Duration.ofSeconds(90), load.lasts());
    }

    @Test void a_new_environment_is_asked_by_one_user_and_its_answers_are_numbered() {
        var pace = Load.of(COLD, plan(NOTHING, COLD).order().getFirst()).parts().getFirst().pace();
        assertEquals(List.of(1, 100, true), List.of(pace.get("vus"), pace.get("iterationsPerVu"), pace.get("numbered")));
    }

    @Test void before_a_search_all_places_of_a_variant_are_opened_at_once() {
        var pace = Load.opening("000", VARIANTS.getFirst(), CPU, 5).parts().getFirst().pace();
        assertEquals(List.of(16, 5), List.of(pace.get("vus"), pace.get("iterationsPerVu")));
    }

    @Test void a_shape_has_as_many_requests_as_the_area_under_its_stages() {
        assertEquals(60 * 50 + 30 * 250, BURST.area());
        assertEquals(List.of(0.0, 50.0, 100.0, 250.0, 0.0),
                DoubleStream.of(0, 30, 60, 75, 90).map(BURST::at).boxed().toList());
    }
}
