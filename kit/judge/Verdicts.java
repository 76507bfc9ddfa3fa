// What may be said of a run's differences: its figures by rounds, compared pair by pair, and each difference held
// against its interval, against what anybody would notice, and against the A/A twin.
//
// The questions are declared before the run: standard against LMI for each language, then language against language on
// each compute, all with one vCPU. The median and CPU per request are the primary family of a workload, judged together
// (Holm); tails, errors and billed time stand beside it, unprotected, and say so. A block of every statistic is a
// round's slot. Starts of environments are apart: they belong to no round, so each counts for itself.

//SOURCES ../read/Histogram.java
//SOURCES ../record/Run.java
//SOURCES Changes.java
//SOURCES ColdStarts.java
//SOURCES Findings.java
//SOURCES Reason.java
//SOURCES Sorted.java
//SOURCES Statistics.java

import module java.base;

/** The comparisons of one run, each computed once; {@link #of} answers a workload's questions. */
final class Verdicts {

    /** A network's own jitter is of that order, so a smaller difference goes unnoticed. One machine has no network. */
    private static final double NOTICEABLE_MS = 1, NOTICEABLE_MS_LOCAL = 0.1;
    /** On one machine all environments share a core: a busier one measures the queue for it, not standard or LMI. */
    private static final double MOST_UTILISATION_LOCAL = 0.30;
    /** An error in a thousand requests is what a client's retry hides; fewer are no reason to choose a language. */
    private static final double NOTICEABLE_ERRORS = 0.001;

    /** What variants are compared by. The first two are the primary family; the others stand beside it, unprotected. */
    enum Measure {
        P50("p50", "ms"), CPU("CPU per request", "ms"), P95("p95", "ms"), P99("p99", "ms"), ERRORS("errors", "%"),
        BILLED("billed time per request", "ms");

        static final List<Measure> PRIMARY = List.of(P50, CPU), SECONDARY = List.of(P95, P99, ERRORS, BILLED);

        final String title;
        private final String unit;

        Measure(String title, String unit) {
            this.title = title;
            this.unit = unit;
        }

        /** The title with its unit, as a column is named. */
        String column() { return title + " [" + unit + "]"; }
    }

    /** All questions of the run, in the order of its variants. */
    final List<Pair> pairs;
    private final Findings findings;
    private final Optional<Pair> twins;
    private final List<ColdStarts.Starts> coldStarts;
    private final Map<Findings.RequestStream, Statistics.Latencies> latencies = new HashMap<>();
    private final Map<List<Object>, Statistics.Question> questions = new HashMap<>();
    private final Map<List<Object>, Statistics.Comparison> noise = new HashMap<>();
    private final Map<List<Object>, Statistics.Spread> spreads = new HashMap<>();
    private final Map<Findings.RequestStream, List<Changes.Change>> changes = new HashMap<>();

    Verdicts(Findings findings) {
        this.findings = findings;
        pairs = pairs(findings.run);
        twins = twins(findings.run);
        coldStarts = ColdStarts.of(findings);
    }

    // ==== Figures ====

    /** What is known of a stream's figure, in the measure's unit. */
    Statistics.Estimate estimate(Findings.RequestStream stream, Measure measure) {
        if (isMeaningless(measure, stream.variant)) return new Statistics.Unknown(new Reason.BilledByInstance());
        var estimate = figure(stream, measure).estimate(spread(stream.workload, measure));
        return measure == Measure.ERRORS && estimate instanceof Statistics.Interval share ? share.times(100) : estimate;
    }

    private static boolean isMeaningless(Measure measure, Run.Variant variant) {
        return measure == Measure.BILLED && variant.lmi();
    }

    /** A stream's figure, with as many blocks as the run has rounds. */
    private Statistics.Figure figure(Findings.RequestStream stream, Measure measure) {
        return switch (measure) {
            case P50 -> latencies(stream).quantile(.5);
            case P95 -> latencies(stream).quantile(.95);
            case P99 -> latencies(stream).quantile(.99);
            case CPU -> perRequest(stream, slot -> slot.cpuNs / 1e6, slot -> slot.cpuRequests);
            case ERRORS -> new Statistics.Share(
                    perRequest(stream, slot -> slot.requests() - slot.correct(), Findings.Slot::requests));
            case BILLED -> perRequest(stream, slot -> slot.billedMs, slot -> slot.invocations);
        };
    }

    /** A round without the stream's slot is an empty block. */
    private Statistics.Latencies latencies(Findings.RequestStream stream) {
        return latencies.computeIfAbsent(stream, _ -> new Statistics.Latencies(
                IntStream.rangeClosed(1, stream.rounds).mapToObj(stream.slots::get)
                        .map(slot -> slot == null ? new Histogram() : slot.histogram()).toList(),
                stream.deployments()));
    }

    /** A quantity of each request, from its sums and counts in a stream's slots. */
    static Statistics.PerRequest perRequest(
            Findings.RequestStream stream, ToDoubleFunction<Findings.Slot> sum, ToLongFunction<Findings.Slot> count) {
        double[] sums = new double[stream.rounds];
        long[] counts = new long[stream.rounds];
        stream.slots.forEach((round, slot) -> {
            sums[round - 1] = sum.applyAsDouble(slot);
            counts[round - 1] = count.applyAsLong(slot);
        });
        return new Statistics.PerRequest(sums, counts, stream.deployments());
    }

    /** What deployments differ by, from all variants with one vCPU that were measured together, twins included. */
    Statistics.Spread spread(Run.Workload workload, Measure measure) {
        return spreads.computeIfAbsent(List.of(workload, measure), _ -> Statistics.spread(findings.streams.stream()
                .filter(stream -> stream.workload.equals(workload) && stream.variant.hasOneVcpu())
                .filter(stream -> !isMeaningless(measure, stream.variant))
                .map(stream -> figure(stream, measure)).toList()));
    }

    /** Where a stream's level changed during the run, by the medians of its slots. */
    List<Changes.Change> changes(Findings.RequestStream stream) {
        return changes.computeIfAbsent(stream, _ -> Changes.of(stream.medians(), stream.measuredDeployments()));
    }

    /** By how many milliseconds an hour the medians of a stream's slots rise. */
    static Statistics.Estimate drift(Findings.RequestStream stream) {
        double[] hours = stream.measuredSlots().stream().mapToDouble(slot -> slot.warm.firstNs() / 3.6e12).toArray();
        return Statistics.slope(hours, stream.medians());
    }

    // ==== Questions ====

    /** One question that a run is made to answer: the candidate, against the baseline. */
    record Pair(Run.Variant baseline, Run.Variant candidate) {
        boolean acrossCompute() { return !baseline.compute().equals(candidate.compute()); }
    }

    private static List<Pair> pairs(Run run) {
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

    /** The A/A twin against its original, the same function deployed twice. */
    private static Optional<Pair> twins(Run run) {
        var variants = run.plan().variants();
        return variants.stream().filter(Run.Variant::twin).flatMap(twin -> variants.stream()
                .filter(variant -> variant.name().equals(twin.original())).map(original -> new Pair(original, twin)))
                .findFirst();
    }

    // ==== Answers ====

    /** For each measure the verdict on each pair; a run that claims nothing has none to give. */
    Map<Measure, Map<Pair, Statistics.Verdict>> of(Run.Workload workload) {
        var answers = new EnumMap<Measure, Map<Pair, Statistics.Verdict>>(Measure.class);
        for (var measure : Measure.values()) answers.put(measure, new LinkedHashMap<>());
        if (!findings.run.plan().claims()) {
            var none = new Statistics.Unknown(new Reason.ClaimsNothing());
            for (var verdicts : answers.values()) for (var pair : pairs) verdicts.put(pair, none);
            return answers;
        }
        var family = Statistics.verdicts(family(workload)).iterator();
        for (var measure : Measure.PRIMARY) for (var pair : pairs) answers.get(measure).put(pair, family.next());
        for (var measure : Measure.SECONDARY) for (var pair : pairs) {
            var alone = List.of(question(workload, measure, pair));
            answers.get(measure).put(pair, Statistics.verdicts(alone).getFirst());
        }
        return answers;
    }

    /** The size of a difference that this run would have found four times in five, relative or in points; NaN for none. */
    double smallestFinding(Run.Workload workload, Measure measure, Pair pair) {
        var question = question(workload, measure, pair);
        var family = Measure.PRIMARY.contains(measure) ? family(workload) : List.of(question);
        return Statistics.smallestFindings(family)[family.indexOf(question)];
    }

    /** All questions of a workload's primary family, which are corrected for being asked together. */
    private List<Statistics.Question> family(Run.Workload workload) {
        return Measure.PRIMARY.stream().flatMap(measure -> pairs.stream().map(pair -> question(workload, measure, pair)))
                .toList();
    }

    private Statistics.Question question(Run.Workload workload, Measure measure, Pair pair) {
        return questions.computeIfAbsent(List.of(workload, measure, pair), _ -> ask(workload, measure, pair));
    }

    /** A difference must be larger than what two identical functions showed, and than what anybody would notice. */
    private Statistics.Question ask(Run.Workload workload, Measure measure, Pair pair) {
        double noticeable = switch (measure) {
            case P50, P95, P99 -> noticeableMs();
            case ERRORS -> NOTICEABLE_ERRORS;
            case CPU, BILLED -> 0;
        };
        var comparison = impediment(workload, measure, pair).<Statistics.Comparison>map(Statistics.Unknown::new)
                .orElseGet(() -> difference(workload, measure, pair));
        return new Statistics.Question(comparison, noticeable, largestEnd(noise(workload, measure)));
    }

    private double noticeableMs() { return findings.run.isLocal() ? NOTICEABLE_MS_LOCAL : NOTICEABLE_MS; }

    /** Why two streams cannot be compared, whatever was measured. */
    private Optional<Reason> impediment(Run.Workload workload, Measure measure, Pair pair) {
        for (var variant : List.of(pair.baseline(), pair.candidate())) {
            if (isMeaningless(measure, variant)) return Optional.of(new Reason.BilledByInstance());
            if (!findings.run.isLocal() || !pair.acrossCompute()) continue;
            double utilisation = findings.utilisation(variant.name(), workload.name());
            if (utilisation > MOST_UTILISATION_LOCAL) {
                return Optional.of(new Reason.CoreTooBusy(variant.name(), utilisation));
            }
        }
        return Optional.empty();
    }

    private Statistics.Comparison difference(Run.Workload workload, Measure measure, Pair pair) {
        return Statistics.difference(figure(workload, measure, pair.baseline()),
                figure(workload, measure, pair.candidate()), spread(workload, measure));
    }

    private Statistics.Figure figure(Run.Workload workload, Measure measure, Run.Variant variant) {
        return figure(findings.stream(variant.name(), workload.name()).orElseThrow(), measure);
    }

    /** What two identical functions differed by. */
    Statistics.Comparison noise(Run.Workload workload, Measure measure) {
        return noise.computeIfAbsent(List.of(workload, measure), _ -> twins
                .map(pair -> difference(workload, measure, pair)).orElse(NO_TWIN));
    }

    private static final Statistics.Unknown NO_TWIN = new Statistics.Unknown(new Reason.NoTwin());

    private static double largestEnd(Statistics.Comparison noise) {
        return noise instanceof Statistics.Difference difference ? difference.largestEnd() : 0;
    }

    // ==== Cold starts ====

    /**
     * First answers of a variant's environments in ms, the fastest first, whatever they were asked for: of those that
     * were made new one at a time, where the run has a study of them, else of those that the run started with.
     */
    double[] coldMs(Run.Variant variant) {
        if (!coldStarts.isEmpty()) return Sorted.of(coldStarts.stream().filter(starts -> starts.variant().equals(variant))
                .flatMapToDouble(starts -> Arrays.stream(starts.nthMs(1).values()))).values();
        return findings.cold(variant).map(all -> {
            double last = Math.max(1, all.count() - 1);
            return all.percentiles(LongStream.range(0, all.count()).mapToDouble(rank -> rank / last).toArray());
        }).orElse(new double[0]);
    }

    /** The verdicts on first answers of all pairs, judged together. */
    Map<Pair, Statistics.Verdict> ofColdStarts() {
        double noise = twins.map(this::coldStarts).map(Verdicts::largestEnd).orElse(0.0);
        var family = Statistics.verdicts(pairs.stream().map(pair ->
                new Statistics.Question(coldStarts(pair), noticeableMs(), noise)).toList()).iterator();
        var answers = new LinkedHashMap<Pair, Statistics.Verdict>();
        for (var pair : pairs) answers.put(pair, family.next());
        return answers;
    }

    private Statistics.Comparison coldStarts(Pair pair) {
        return Statistics.twoSample(coldMs(pair.baseline()), coldMs(pair.candidate()));
    }
}
