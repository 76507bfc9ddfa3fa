// What a run asks. Each study is a question of its own, with its own cells, exhibits and verdicts:
//
//     steady     the same work at one gentle rate, round after round: latency, CPU per request, cost
//     shape      a load that rises, bursts or lasts, in stages: errors, throttles, cold starts over time
//     capacity   the highest rate that a variant carries under a latency limit
//     cold       environments made new, one at a time on an idle core: what their first answers take
//
// A profile lists studies, a run's plan holds them, and "kind" tells in JSON which is which. Twins take part in steady
// studies only: they say how far two copies of one function differ, which the other studies make no verdicts of.

//SOURCES Run.java

import module java.base;
import com.fasterxml.jackson.annotation.*;

/** A question that a run asks, with cells of its own. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "kind")
@JsonSubTypes({
    @JsonSubTypes.Type(value = Study.Steady.class, name = "steady"),
    @JsonSubTypes.Type(value = Study.Shape.class, name = "shape"),
    @JsonSubTypes.Type(value = Study.Capacity.class, name = "capacity"),
    @JsonSubTypes.Type(value = Study.Cold.class, name = "cold")})
sealed interface Study {
    /** k6 takes no shorter phase. */
    double SHORTEST_PHASE_SECONDS = 1;
    int MOST_ROUNDS = 10_000, MOST_WORKLOADS = 20;
    double MOST_SECONDS = 100_000;
    /** What an answer takes, and what a step of a search asks, before anybody knows. */
    double SECONDS_OF_AN_ANSWER = 0.05, RATE_OF_A_SEARCH = 500;

    String name();

    List<Run.Workload> workloads();

    /** The same study of other workloads. */
    Study withWorkloads(List<Run.Workload> others);

    /** How often each variant and workload has its turn. */
    int rounds();

    /** Whether this variant takes part. */
    default boolean asks(Run.Variant variant) { return this instanceof Steady || !variant.twin(); }

    /** Requests that one cell makes of a workload, about: what a plan says, a disk must hold and a price rests on. */
    default double requests(Run.Workload workload) {
        return switch (this) {
            case Steady steady -> workload.ratePerSecond() * (steady.settleSeconds() + steady.measureSeconds());
            case Shape shape -> shape.area() / (shape.users() ? shape.pauseSeconds() + SECONDS_OF_AN_ANSWER : 1);
            case Capacity capacity -> RATE_OF_A_SEARCH * (capacity.settleSeconds() + capacity.measureSeconds());
            case Cold cold -> cold.requests();
        };
    }

    /** The workload of that name. */
    default Run.Workload workload(String name) {
        return workloads().stream().filter(workload -> workload.name().equals(name)).findFirst().orElseThrow();
    }

    /**
     * The same work at one gentle rate, round after round: latency, CPU per request, cost.
     *
     * @param design      "slots": one variant and workload at a time; "concurrent": one workload, all variants at a time
     * @param deployments how often all environments are made new and warmed up, each time for the same number of rounds;
     *                    1 where the profile doesn't say
     */
    record Steady(String name, String design, int rounds, Integer deployments, double settleSeconds,
                  double measureSeconds, List<Run.Workload> workloads) implements Study {
        static final String SLOTS = "slots", CONCURRENT = "concurrent";

        public Steady {
            Run.named("name", name);
            Run.check(SLOTS.equals(design) || CONCURRENT.equals(design), "design is " + design + ", not slots or concurrent");
            Run.within("rounds", rounds, 1, MOST_ROUNDS);
            if (deployments == null) deployments = 1;
            Run.within("deployments", deployments, 1, rounds);
            Run.check(rounds % deployments == 0, rounds + " rounds are not the same number in each of "
                    + deployments + " deployments");
            if (settleSeconds != 0) Run.within("settleSeconds", settleSeconds, SHORTEST_PHASE_SECONDS, MOST_SECONDS);
            Run.within("measureSeconds", measureSeconds, SHORTEST_PHASE_SECONDS, MOST_SECONDS);
            workloads = Run.distinct("workloads", workloads, Run.Workload::name, MOST_WORKLOADS);
            for (var workload : workloads) {
                Run.check(workload.ratePerSecond() != null, "workload " + workload.name() + " has no ratePerSecond");
            }
        }

        Steady(String name, String design, int rounds, double settleSeconds, double measureSeconds,
               List<Run.Workload> workloads) {
            this(name, design, rounds, 1, settleSeconds, measureSeconds, workloads);
        }

        boolean concurrent() { return design.equals(CONCURRENT); }

        /** The deployment, from 1 on, that a round belongs to. */
        int deployment(int round) { return (round - 1) / (rounds / deployments) + 1; }

        @Override public Steady withWorkloads(List<Run.Workload> others) {
            return new Steady(name, design, rounds, deployments, settleSeconds, measureSeconds, others);
        }
    }

    /**
     * A load in stages. From one stage to the next it rises or falls in a straight line, from nothing in the beginning.
     *
     * @param load         "rate": stages are requests per second, asked whatever the answers take; "users": they are
     *                     virtual users who wait for each answer and then pause
     * @param pauseSeconds of each user after each answer; 0 for a rate
     * @param source       where this shape comes from; in words, for the report
     */
    record Shape(String name, String load, List<Stage> stages, double pauseSeconds, int rounds, String source,
                 List<Run.Workload> workloads) implements Study {
        static final String RATE = "rate", USERS = "users";
        private static final int MOST_STAGES = 200;
        private static final double MOST_PAUSE_SECONDS = 60;

        public Shape {
            Run.named("name", name);
            Run.check(RATE.equals(load) || USERS.equals(load), "load is " + load + ", not rate or users");
            stages = Run.listed("stages", stages, MOST_STAGES);
            Run.check(stages.stream().anyMatch(stage -> stage.target() > 0), "stages have no load");
            Run.within("pauseSeconds", pauseSeconds, 0, RATE.equals(load) ? 0 : MOST_PAUSE_SECONDS);
            Run.within("rounds", rounds, 1, MOST_ROUNDS);
            if (source != null) Run.texted("source", source);
            workloads = Run.distinct("workloads", workloads, Run.Workload::name, MOST_WORKLOADS);
            haveNoRate(workloads, "its stages have the load");
        }

        boolean users() { return load.equals(USERS); }

        double seconds() { return stages.stream().mapToDouble(Stage::seconds).sum(); }

        /** The most that any stage asks for. */
        double peak() { return stages.stream().mapToDouble(Stage::target).max().orElseThrow(); }

        /** The load times the time: all requests of a rate, or the seconds of all users. */
        double area() { return due(0, seconds()); }

        /** The load times the time from one second to another: requests due, or the seconds of all users. */
        double due(double fromSecond, double toSecond) {
            double due = 0, begins = 0, from = 0;
            for (var stage : stages) {
                double low = Math.max(fromSecond, begins), high = Math.min(toSecond, begins + stage.seconds());
                double slope = (stage.target() - from) / stage.seconds();
                if (high > low) due += (high - low) * (from + slope * ((low + high) / 2 - begins));
                begins += stage.seconds();
                from = stage.target();
            }
            return due;
        }

        /** The load at a time after the beginning: requests per second, or users. */
        double at(double second) {
            double begins = 0, from = 0;
            for (var stage : stages) {
                if (second < begins + stage.seconds()) {
                    return from + (stage.target() - from) * (second - begins) / stage.seconds();
                }
                begins += stage.seconds();
                from = stage.target();
            }
            return 0;
        }

        Shape withStages(List<Stage> others) {
            return new Shape(name, load, others, pauseSeconds, rounds, source, workloads);
        }

        @Override public Shape withWorkloads(List<Run.Workload> others) {
            return new Shape(name, load, stages, pauseSeconds, rounds, source, others);
        }
    }

    /** A stretch of a shape. @param target what the load has become at its end: requests per second, or users */
    record Stage(double seconds, double target) {
        private static final double MOST_TARGET = 1_000_000;

        public Stage {
            Run.within("seconds", seconds, SHORTEST_PHASE_SECONDS, MOST_SECONDS);
            Run.within("target", target, 0, MOST_TARGET);
        }
    }

    /**
     * The highest rate that a variant carries, searched step by step ({@link Search}).
     *
     * @param settleSeconds  of each step, before it is measured
     * @param measureSeconds of each step
     * @param p99Ms          a step is refused when the 99th percentile of its correct answers is above
     * @param errorShare     or when more of its requests than this, 0 to 1, have no correct answer
     * @param rounds         searches of each variant and workload
     */
    record Capacity(String name, double settleSeconds, double measureSeconds, double p99Ms, double errorShare, int rounds,
                    List<Run.Workload> workloads) implements Study {
        public Capacity {
            Run.named("name", name);
            Run.within("settleSeconds", settleSeconds, SHORTEST_PHASE_SECONDS, MOST_SECONDS);
            Run.within("measureSeconds", measureSeconds, SHORTEST_PHASE_SECONDS, MOST_SECONDS);
            Run.within("p99Ms", p99Ms, 0.1, 60_000);
            Run.within("errorShare", errorShare, 0, 1);
            Run.within("rounds", rounds, 1, MOST_ROUNDS);
            workloads = Run.distinct("workloads", workloads, Run.Workload::name, MOST_WORKLOADS);
            haveNoRate(workloads, "the rate is what is searched");
        }

        @Override public Capacity withWorkloads(List<Run.Workload> others) {
            return new Capacity(name, settleSeconds, measureSeconds, p99Ms, errorShare, rounds, others);
        }
    }

    /**
     * First answers of new environments, one environment at a time while nothing else runs.
     *
     * @param rounds   new environments of each variant, for each workload
     * @param requests that each answers, one after the other: the first of a standard environment is its cold start
     */
    record Cold(String name, int rounds, int requests, List<Run.Workload> workloads) implements Study {
        private static final int MOST_REQUESTS = 1_000;

        public Cold {
            Run.named("name", name);
            Run.within("rounds", rounds, 1, MOST_ROUNDS);
            Run.within("requests", requests, 1, MOST_REQUESTS);
            workloads = Run.distinct("workloads", workloads, Run.Workload::name, MOST_WORKLOADS);
            haveNoRate(workloads, "requests follow one another");
        }

        @Override public Cold withWorkloads(List<Run.Workload> others) { return new Cold(name, rounds, requests, others); }
    }

    private static void haveNoRate(List<Run.Workload> workloads, String why) {
        for (var workload : workloads) {
            Run.check(workload.ratePerSecond() == null, "workload " + workload.name() + " has a ratePerSecond: " + why);
        }
    }
}
