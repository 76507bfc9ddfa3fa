// What may be said of a run's differences: its figures by rounds, compared pair by pair, and each difference held
// against its interval, against what anybody would notice, and against the A/A twin.
//
// The questions are declared before the run: standard against LMI for each language, then language against language on
// each compute, all with one vCPU. The median and CPU per request are the primary family of a workload, judged together
// (Holm); the tails stand beside it, unprotected, and say so. A block of every statistic is a round's slot.

//SOURCES Findings.java
//SOURCES Gates.java
//SOURCES Statistics.java

import module java.base;

/** The comparisons of one run, each computed once; {@link #of} answers a workload's questions. */
final class Verdicts {

    /** Nobody notices less: a network's own jitter is of that order; on one machine there is no network. */
    private static final double NOTICEABLE_MS = 1, NOTICEABLE_MS_LOCAL = 0.1;
    /** On one machine all environments share a core: beyond this the queue for it is measured, not the model. */
    private static final double MOST_UTILISATION_LOCAL = 0.30;

    /** What variants are compared by. The first two are the primary family; the others stand beside it, unprotected. */
    enum Measure {
        P50("p50", "faster", "slower"), CPU("CPU per request", "less", "more"),
        P95("p95", "faster", "slower"), P99("p99", "faster", "slower");

        static final List<Measure> PRIMARY = List.of(P50, CPU), SECONDARY = List.of(P95, P99);

        final String title;
        private final String less, more;

        Measure(String title, String less, String more) {
            this.title = title;
            this.less = less;
            this.more = more;
        }

        String words(Statistics.Verdict verdict) { return Statistics.words(verdict, less, more); }
    }

    private final Findings findings;
    private final Map<Findings.Stream, Statistics.Latencies> latencies = new HashMap<>();
    private final Map<List<Object>, Statistics.Comparison> twins = new HashMap<>();
    private final Map<Findings.Stream, List<Statistics.Change>> changes = new HashMap<>();

    Verdicts(Findings findings) { this.findings = findings; }

    // ==== Figures ====

    /** A stream's figure, with as many blocks as the run has rounds. */
    Statistics.Figure figure(Findings.Stream stream, Measure measure) {
        return switch (measure) {
            case P50 -> latencies(stream).quantile(.5);
            case P95 -> latencies(stream).quantile(.95);
            case P99 -> latencies(stream).quantile(.99);
            case CPU -> perRequest(stream, slot -> slot.cpuNs / 1e6, slot -> slot.cpuRequests);
        };
    }

    /** A round without the stream's slot is an empty block. */
    private Statistics.Latencies latencies(Findings.Stream stream) {
        return latencies.computeIfAbsent(stream, _ -> new Statistics.Latencies(
                IntStream.rangeClosed(1, stream.rounds).mapToObj(stream.slots::get)
                        .map(slot -> slot == null ? new Histogram() : slot.histogram()).toList()));
    }

    /** A quantity of each request, from its sums and counts in a stream's slots. */
    static Statistics.PerRequest perRequest(
            Findings.Stream stream, ToDoubleFunction<Findings.Slot> sum, ToLongFunction<Findings.Slot> count) {
        double[] sums = new double[stream.rounds];
        long[] counts = new long[stream.rounds];
        stream.slots.forEach((round, slot) -> {
            sums[round - 1] = sum.applyAsDouble(slot);
            counts[round - 1] = count.applyAsLong(slot);
        });
        return new Statistics.PerRequest(sums, counts);
    }

    /** The share of requests that were not answered correctly. */
    Statistics.Estimate errors(Findings.Stream stream) {
        if (stream.requests() == 0) return new Statistics.Unknown("no requests");
        var slots = stream.slots.values();
        return Statistics.share(slots.stream().mapToLong(slot -> slot.requests() - slot.correct()).toArray(),
                slots.stream().mapToLong(Findings.Slot::requests).toArray());
    }

    /** Where a stream's level changed during the run, by the medians of its slots. */
    List<Statistics.Change> changes(Findings.Stream stream) {
        return changes.computeIfAbsent(stream, _ -> Statistics.changes(stream.measuredSlots().stream()
                .mapToDouble(slot -> slot.histogram().quantile(.5)).toArray()));
    }

    // ==== Questions ====

    /** One question that a run is made to answer: the candidate, against the baseline. */
    record Pair(Run.Variant baseline, Run.Variant candidate) {
        boolean acrossCompute() { return !baseline.compute().equals(candidate.compute()); }

        String words() {
            if (acrossCompute()) return candidate.language() + ": LMI against standard";
            String compute = candidate.lmi() ? "LMI: " : "standard: ";
            return compute + candidate.language() + " against " + baseline.language();
        }
    }

    /** All questions of a run, in the order of its variants. */
    static List<Pair> pairs(Run run) {
        var matched = run.plan().variants().stream()
                .filter(variant -> variant.hasOneVcpu() && !variant.twin()).toList();
        var pairs = new ArrayList<Pair>();
        for (var standard : matched) for (var lmi : matched) {
            boolean sameLanguage = standard.language().equals(lmi.language());
            if (!standard.lmi() && lmi.lmi() && sameLanguage) pairs.add(new Pair(standard, lmi));
        }
        for (boolean onLmi : new boolean[] {false, true}) {
            var languages = matched.stream().filter(variant -> variant.lmi() == onLmi).toList();
            for (int i = 0; i < languages.size(); i++) for (int j = i + 1; j < languages.size(); j++) {
                pairs.add(new Pair(languages.get(i), languages.get(j)));
            }
        }
        return pairs;
    }

    // ==== Answers ====

    /** For each measure the verdicts of all pairs, in words. */
    Map<Measure, List<String>> of(Run.Workload workload) {
        var pairs = pairs(findings.run);
        var answers = new EnumMap<Measure, List<String>>(Measure.class);
        var family = Statistics.verdicts(Measure.PRIMARY.stream()
                .flatMap(measure -> pairs.stream().map(pair -> question(workload, pair, measure))).toList()).iterator();
        for (var measure : Measure.PRIMARY) {
            answers.put(measure, pairs.stream().map(_ -> measure.words(family.next())).toList());
        }
        for (var measure : Measure.SECONDARY) {
            answers.put(measure, pairs.stream().map(pair -> List.of(question(workload, pair, measure)))
                    .map(alone -> measure.words(Statistics.verdicts(alone).getFirst())).toList());
        }
        return answers;
    }

    /** A difference must be larger than what two identical functions showed, and than what anybody would notice. */
    private Statistics.Question question(Run.Workload workload, Pair pair, Measure measure) {
        double noticeableMs = findings.run.isLocal() ? NOTICEABLE_MS_LOCAL : NOTICEABLE_MS;
        double threshold = measure == Measure.CPU ? 0 : noticeableMs;
        double noise = twins(workload, measure) instanceof Statistics.Difference twins ? twins.largestEnd() : 0;
        return new Statistics.Question(comparison(workload, pair, measure), threshold, noise);
    }

    private Statistics.Comparison comparison(Run.Workload workload, Pair pair, Measure measure) {
        var baseline = findings.stream(pair.baseline().name(), workload.name()).orElseThrow();
        var candidate = findings.stream(pair.candidate().name(), workload.name()).orElseThrow();
        boolean sharesCore = findings.run.isLocal() && pair.acrossCompute();
        if (sharesCore) for (var stream : List.of(baseline, candidate)) {
            double utilisation = Gates.functionUtilisation(findings, stream.variant.name(), workload.name());
            if (utilisation > MOST_UTILISATION_LOCAL) {
                return new Statistics.Unknown("%s kept the functions' only core %.0f %% busy"
                        .formatted(stream.variant.name(), 100 * utilisation));
            }
        }
        return Statistics.difference(figure(baseline, measure), figure(candidate, measure));
    }

    /** The A/A twin against its original, the same function deployed twice: what these two differ by is noise. */
    Statistics.Comparison twins(Run.Workload workload, Measure measure) {
        return twins.computeIfAbsent(List.of(workload, measure), _ -> findings.streams.stream()
                .filter(stream -> stream.variant.twin() && stream.workload.equals(workload))
                .flatMap(twin -> findings.stream(twin.variant.original(), workload.name())
                        .map(original -> Statistics.difference(figure(original, measure), figure(twin, measure)))
                        .stream())
                .findFirst().orElse(new Statistics.Unknown("no twin was measured")));
    }
}
