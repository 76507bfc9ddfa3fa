// What one k6 process is told: whom it asks, for what, in which phases, and at which pace in each.
//
// k6/load.js reads it as KIT_CELL. A pace is one of four:
//
//     constant   a rate, asked whatever the answers take: steady studies and the steps of a search
//     stages     a rate, or a number of users, that changes from stage to stage: shapes
//     requests   a number of requests by so many users, one after another: warm-ups
//     first      the same by one user, numbered: the first answers of a new environment

//SOURCES Functions.java
//SOURCES Run.java
//SOURCES Study.java

import module java.base;

/**
 * The load of one cell.
 *
 * @param cell  as it goes into the record
 * @param rate  of a search's step, requests per second; null for all others
 */
record Load(Run.PlannedCell cell, List<Run.Workload> workloads, List<Part> parts, Double rate) {
    /** The functions' own limit is 29 s; k6 waits a little longer, so that a time-out is Lambda's answer. */
    static final int TIMEOUT_SECONDS = 30;
    /**
     * Virtual users of k6 stand by for every answer that may be under way: at 40 requests a second and 50 ms that is
     * two, and a function slowed to a second needs forty. More only cost memory; at the ceiling k6 drops iterations,
     * and says so.
     */
    private static final int VUS_AT_START = 8, MOST_VUS = 200;
    /** Seconds of a shape's highest rate that may be under way before k6 drops, and the users that no machine bears. */
    private static final double SECONDS_UNDER_WAY = 4;
    private static final int MOST_VUS_OF_A_SHAPE = 2_000;
    /** Workloads warm up side by side: one user each opens three standard environments, four fill LMI's workers. */
    private static final int WARM_UP_VUS_STANDARD = 1, WARM_UP_VUS_LMI = 4;
    /** Every environment's cold start, one by one on a busy core, and then the requests: what takes longer hangs. */
    private static final int WARM_UP_SECONDS = 120;

    /** A stretch of time, and what load.js does in it. */
    record Part(Run.Phase phase, Map<String, Object> pace) {
        private static Part of(String name, double startSecond, double seconds, int mostVus, Map<String, Object> pace) {
            var described = new TreeMap<>(pace);
            described.put("name", name);
            described.put("startMs", Math.round(startSecond * 1000));
            described.put("durationMs", Math.round(seconds * 1000));
            return new Part(new Run.Phase(name, startSecond, seconds, mostVus), described);
        }
    }

    /** A planned cell's own; a search has none, but steps. */
    static Load of(Study study, Run.PlannedCell cell) {
        var workload = study.workload(cell.workload());
        return switch (study) {
            case Study.Steady steady -> new Load(cell, List.of(workload), constant(workload.ratePerSecond(),
                    steady.settleSeconds(), steady.measureSeconds(), MOST_VUS), null);
            case Study.Shape shape -> new Load(cell, List.of(workload), List.of(staged(shape)), null);
            case Study.Cold cold -> new Load(cell, List.of(workload), List.of(Part.of(Run.Phase.MEASURE, 0, WARM_UP_SECONDS, 1,
                    Map.of("vus", 1, "iterationsPerVu", cold.requests(), "numbered", true))), null);
            case Study.Capacity _ -> throw new IllegalArgumentException("a search is measured step by step");
        };
    }

    /** The n-th step of a search, at this rate. */
    static Load step(Study.Capacity study, Run.PlannedCell search, int number, double ratePerSecond) {
        var cell = new Run.PlannedCell(search.number(), search.study(), Run.Step.name(search.name(), number), search.round(),
                search.variants(), search.workload());
        return new Load(cell, List.of(study.workload(search.workload())), constant(ratePerSecond, study.settleSeconds(),
                study.measureSeconds(), vusOf(ratePerSecond)), ratePerSecond);
    }

    /** So many requests for each workload, before anything is measured. */
    static Load warmUp(String name, Run.Variant variant, List<Run.Workload> workloads, int requests) {
        int vus = variant.lmi() ? WARM_UP_VUS_LMI : WARM_UP_VUS_STANDARD;
        return asked(name, variant, workloads, vus, Math.ceilDiv(requests, vus));
    }

    /** So many requests in each of a variant's places, all at once: what a search may need is open before it begins. */
    static Load opening(String name, Run.Variant variant, Run.Workload workload, int requests) {
        return asked(name, variant, List.of(workload), variant.places(), requests);
    }

    private static Load asked(String name, Run.Variant variant, List<Run.Workload> workloads, int vus, int each) {
        var cell = new Run.PlannedCell(0, null, name, 0, List.of(variant.name()), null);
        return new Load(cell, workloads, List.of(Part.of(Run.Phase.WARM_UP, 0, WARM_UP_SECONDS, 0,
                Map.of("vus", vus, "iterationsPerVu", each))), null);
    }

    private static List<Part> constant(double ratePerSecond, double settleSeconds, double measureSeconds, int mostVus) {
        Map<String, Object> pace = Map.of("ratePerSecond", ratePerSecond, "vus", VUS_AT_START, "maxVus", mostVus);
        var measured = Part.of(Run.Phase.MEASURE, settleSeconds, measureSeconds, mostVus, pace);
        if (settleSeconds == 0) return List.of(measured);
        return List.of(Part.of(Run.Phase.SETTLE, 0, settleSeconds, mostVus, pace), measured);
    }

    private static Part staged(Study.Shape shape) {
        var stages = shape.stages().stream().map(stage -> Map.of(
                "durationMs", Math.round(stage.seconds() * 1000), "target", stage.target())).toList();
        int vus = shape.users() ? (int) Math.ceil(shape.peak()) : vusOf(shape.peak());
        return Part.of(Run.Phase.MEASURE, 0, shape.seconds(), vus, shape.users()
                ? Map.of("stages", stages, "pauseMs", Math.round(shape.pauseSeconds() * 1000))
                : Map.of("stages", stages, "vus", Math.min(vus, VUS_AT_START + (int) Math.ceil(shape.peak() / 4)), "maxVus", vus));
    }

    private static int vusOf(double ratePerSecond) {
        return (int) Math.clamp(Math.ceil(SECONDS_UNDER_WAY * ratePerSecond), MOST_VUS, MOST_VUS_OF_A_SHAPE);
    }

    List<Run.Phase> phases() { return parts.stream().map(Part::phase).toList(); }

    /** From k6's start to the last question. */
    Duration lasts() {
        var last = phases().getLast();
        return Duration.ofMillis((long) ((last.startSecond() + last.seconds()) * 1000));
    }

    boolean asksStores() { return workloads.stream().anyMatch(workload -> workload.name().equals("store")); }

    /** What load.js reads. @param urls base URL of each variant */
    Map<String, Object> described(Functions functions, Map<String, String> urls) {
        var streams = new ArrayList<Map<String, Object>>();
        for (String name : cell.variants()) for (var workload : workloads) {
            var variant = Run.Variant.of(name);
            streams.add(Map.of("variant", name, "language", variant.language(), "compute", variant.compute(),
                    "workload", workload.name(), "url", urls.get(name) + Functions.path(workload),
                    "name", "/" + name + "/" + workload.name(), "contract", !functions.haveOwnWorkloads(),
                    "expected", functions.expected(workload), "phases", parts.stream().map(Part::pace).toList()));
        }
        return Map.of("study", Objects.requireNonNullElse(cell.study(), "warm-up"), "round", cell.round(),
                "timeoutSeconds", TIMEOUT_SECONDS, "streams", streams);
    }
}
