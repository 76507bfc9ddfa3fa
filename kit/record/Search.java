// How the highest rate that a variant carries is searched.
//
//     probe      a few requests a second: what one costs, and so what a vCPU or the places can carry at most (the ceiling)
//     double     from half the ceiling up, until a step is refused
//     bisect     between the highest rate that held and the lowest that was refused, until they are close
//     confirm    the highest one twice more; one that doesn't hold again is refused as well, and the search goes on
//
// A late step is measured once more before it counts as refused: on a machine that others use, one slow second would
// end a search far below the truth.
//
// A step is refused for what the function did: late answers or errors. Where it is the generator, the front door or the
// stores that could not keep up, nothing is known of the function beyond the last step that held, and that is the answer.
//
// The search is a pure function from the steps so far to what comes next. So it is journalled like all else: a resumed
// run goes on with it from run.json, and a reader follows it there.

//SOURCES Run.java
//SOURCES Study.java

import module java.base;

/** The state of a search after the steps so far. */
sealed interface Search {
    /** To be measured next. */
    record Next(double ratePerSecond) implements Search {}

    /**
     * The end.
     *
     * @param ratePerSecond that held, and held again; 0 where not even the probe did
     * @param limit         what refused the next higher rate
     */
    record Found(double ratePerSecond, Limit limit) implements Search {}

    /** What became of a step, and what ended a search. */
    enum Limit { NONE, LATENCY, ERRORS, GENERATOR, STEPS }

    /** Low enough for any function to hold it, and enough requests for what one costs. */
    double PROBE_PER_SECOND = 10;
    /** What held and what was refused are at most this far apart in the end. */
    double CLOSE = 1.05;
    int CONFIRMATIONS = 2;
    /** A search has a dozen steps; one that takes three times as many has no limit that holds still. */
    int MOST_STEPS = 30;
    /** Less than this of what was due, or a generator's core busier than this, and it is the generator that is measured. */
    double LEAST_ACHIEVED = 0.95, BUSIEST_GENERATOR = 0.85;

    /** Where a search stands, given its steps in their order. */
    static Search after(Study.Capacity study, Run.Variant variant, List<Run.Step> steps) {
        if (steps.isEmpty()) return new Next(PROBE_PER_SECOND);
        // One late step may be the machine's: it is measured again before it counts. Errors are nobody else's.
        var last = steps.getLast();
        Limit limitOfLast = limit(study, last);
        if (limitOfLast != Limit.NONE && limitOfLast != Limit.ERRORS && !isRefused(study, last.ratePerSecond(), steps)
                && steps.size() < MOST_STEPS) return new Next(last.ratePerSecond());
        // A rate that held once and was refused at its confirmation is refused.
        var lowest = steps.stream().filter(step -> limit(study, step) != Limit.NONE)
                .filter(step -> isRefused(study, step.ratePerSecond(), steps))
                .min(Comparator.comparingDouble(Run.Step::ratePerSecond));
        Limit limit = lowest.map(step -> limit(study, step)).orElse(Limit.NONE);
        double refused = lowest.map(Run.Step::ratePerSecond).orElse(Double.POSITIVE_INFINITY);
        double held = steps.stream().filter(step -> limit(study, step) == Limit.NONE).mapToDouble(Run.Step::ratePerSecond)
                .filter(rate -> rate < refused).max().orElse(0);
        if (held == 0) return new Found(0, limit);
        if (steps.size() >= MOST_STEPS) return new Found(held, Limit.STEPS);
        if (Double.isInfinite(refused)) {
            return new Next(steps.size() == 1 ? ceiling(variant, steps.getFirst()) / 2 : 2 * held);
        }
        if (refused / held > CLOSE) return new Next(Math.sqrt(refused * held));
        long times = steps.stream().filter(step -> step.ratePerSecond() == held)
                .filter(step -> limit(study, step) == Limit.NONE).count();
        return times <= CONFIRMATIONS ? new Next(held) : new Found(held, limit);
    }

    /** Whether a rate failed once, or was late or behind twice. */
    private static boolean isRefused(Study.Capacity study, double ratePerSecond, List<Run.Step> steps) {
        var limits = steps.stream().filter(step -> step.ratePerSecond() == ratePerSecond)
                .map(step -> limit(study, step)).filter(limit -> limit != Limit.NONE).toList();
        return limits.contains(Limit.ERRORS) || limits.size() > 1;
    }

    /** Why a step is refused; NONE where it held. */
    static Limit limit(Study.Capacity study, Run.Step step) {
        boolean late = step.p99Ms() == null || step.p99Ms() > study.p99Ms();
        boolean failing = step.failed() > study.errorShare() * step.answered();
        boolean behind = step.answered() < LEAST_ACHIEVED * step.due();
        if ((late || failing || behind) && step.generatorBusy() > BUSIEST_GENERATOR) return Limit.GENERATOR;
        if (failing) return Limit.ERRORS;
        if (late) return Limit.LATENCY;
        return behind ? Limit.GENERATOR : Limit.NONE;
    }

    /**
     * What a variant can carry at most, requests per second, by what one request of the probe took: its places, each
     * busy as long as an answer takes, or its vCPU, whichever is less.
     */
    static double ceiling(Run.Variant variant, Run.Step probe) {
        double byPlaces = variant.places() / (probe.medianMs() / 1000);
        double byCpu = probe.cpuMs() == null ? byPlaces : variant.vcpus() / (probe.cpuMs() / 1000);
        return Math.max(4 * PROBE_PER_SECOND, Math.min(byPlaces, byCpu));
    }
}
