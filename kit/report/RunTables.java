// The tables of a run: what was measured of latency, errors and resources, and what may be said of it.
//
// A table is made from findings and verdicts, never from another table. Its name is its title and says what must be
// known to read it; what it means, Exhibits says beside it.

//SOURCES ../judge/Findings.java
//SOURCES ../judge/Grouping.java
//SOURCES ../read/K6Reader.java
//SOURCES ../record/Run.java
//SOURCES ../judge/Statistics.java
//SOURCES Tables.java
//SOURCES ../judge/Verdicts.java
//SOURCES Words.java

import module java.base;
import tech.tablesaw.api.Table;

/** Each method makes one table. */
final class RunTables {
    private static final int P50 = Grouping.FIGURES.indexOf("p50 [ms]");
    private final Findings findings;
    private final Verdicts verdicts;
    private final Map<Findings.RequestStream, double[]> latencies = new HashMap<>();

    RunTables(Findings findings, Verdicts verdicts) {
        this.findings = findings;
        this.verdicts = verdicts;
    }

    // ==== The answer, side by side ====

    /** The medians of all variants but twins, a row for each workload. */
    Table medians() {
        var variants = findings.run.plan().variants().stream().filter(variant -> !variant.twin()).toList();
        var table = new Tables.Rows("workload").figures(variants.stream().map(Run.Variant::name).toList());
        for (var workload : findings.run.plan().workloads()) {
            table.row(workload.name());
            for (var variant : variants) {
                double[] figures = latencies(findings.stream(variant.name(), workload.name()).orElseThrow());
                if (figures.length > 0) table.figure(variant.name(), figures[P50]);
            }
        }
        return table.table("Median latency of correct warm answers [ms]");
    }

    /** The verdicts on one measure, all workloads side by side. */
    Table differences(Verdicts.Measure measure) {
        var workloads = findings.run.plan().workloads();
        var names = Stream.concat(Stream.of("of"), workloads.stream().map(Run.Workload::name));
        var answers = workloads.stream().map(workload -> verdicts.of(workload).get(measure)).toList();
        var table = new Tables.Rows(names.toArray(String[]::new));
        for (var pair : verdicts.pairs) {
            table.row(cells(answers.stream().map(answer -> said(answer.get(pair), measure)), Words.of(pair)));
        }
        return table.table("Which differences of " + measure.title + " hold");
    }

    // ==== What was measured ====

    /** The figures of {@link Grouping#FIGURES} of a stream; empty where nothing was answered. Each is asked for once. */
    private double[] latencies(Findings.RequestStream stream) {
        return latencies.computeIfAbsent(stream, _ -> stream.latencies().map(Grouping::figures).orElse(new double[0]));
    }

    Table latency() {
        var table = new Tables.Rows("workload", "variant").counts("n")
                .figures(Grouping.FIGURES.subList(1, Grouping.FIGURES.size()));
        for (var stream : findings.streams) {
            table.row(stream.workload.name(), stream.variant.name());
            double[] figures = latencies(stream);
            table.count("n", figures.length == 0 ? 0 : (long) figures[0]);
            for (int i = 1; i < figures.length; i++) table.figure(Grouping.FIGURES.get(i), figures[i]);
        }
        return table.table("Latency of correct warm answers");
    }

    /** As the LMI study shows it: figures downwards, and for each language standard, LMI and the difference abreast. */
    Table standardOrLmi(Run.Workload workload) {
        var figures = new LinkedHashMap<Run.Variant, double[]>();
        for (var stream : findings.streams) {
            if (stream.workload.equals(workload) && stream.latencies().isPresent()) figures.put(stream.variant, latencies(stream));
        }
        return standardOrLmi(figures, "Standard against LMI: " + workload.name());
    }

    /** The same of the figures of {@link Grouping#FIGURES} of variants; those without a counterpart are left out. */
    static Table standardOrLmi(SequencedMap<Run.Variant, double[]> figures, String title) {
        var names = List.of("Requests", "Avg", "Min", "p50", "p90", "p95", "p99", "Max");
        var pairs = new LinkedHashMap<String, List<double[]>>();
        figures.forEach((variant, of) -> {
            if (variant.twin() || !variant.hasOneVcpu()) return;
            pairs.computeIfAbsent(variant.language(), _ -> new ArrayList<>(Arrays.asList(null, null))).set(variant.lmi() ? 1 : 0, of);
        });
        pairs.values().removeIf(pair -> pair.contains(null));
        var columns = pairs.keySet().stream()
                .flatMap(language -> Stream.of(" standard", " LMI", " Diff %").map(language::concat)).toList();
        var table = new Tables.Rows("ms").figures(columns);
        for (int figure = 0; figure < names.size(); figure++) {
            table.row(names.get(figure));
            for (var pair : pairs.entrySet()) {
                String language = pair.getKey();
                double standard = pair.getValue().get(0)[figure], lmi = pair.getValue().get(1)[figure];
                table.figure(language + " standard", standard).figure(language + " LMI", lmi)
                        .figure(language + " Diff %", 100 * (lmi - standard) / standard);
            }
        }
        return table.table(title);
    }

    Table errors() {
        var kinds = findings.streams.stream().flatMap(stream -> stream.outcomes().keySet().stream())
                .filter(outcome -> !outcome.equals(Run.CORRECT)).collect(Collectors.toCollection(TreeSet::new));
        var table = new Tables.Rows("workload", "variant").counts("requests").counts("correct")
                .counts(kinds.toArray(String[]::new)).figures(List.of("errors [%]"));
        for (var stream : findings.streams) {
            long requests = stream.requests(), correct = stream.correct();
            table.row(stream.workload.name(), stream.variant.name())
                    .count("requests", requests).count("correct", correct);
            for (String kind : kinds) table.count(kind, stream.outcomes().getOrDefault(kind, 0L));
            table.figure("errors [%]", requests == 0 ? Double.NaN : 100.0 * (requests - correct) / requests);
        }
        return table.table("Errors by kind");
    }

    Table throughput() {
        var table = new Tables.Rows("workload", "variant")
                .figures(List.of("asked [1/s]", "answered correctly [1/s]")).counts("dropped by k6");
        for (var stream : findings.streams) {
            double perSecond = stream.correct() / stream.total(slot -> slot.seconds);
            table.row(stream.workload.name(), stream.variant.name())
                    .figure("asked [1/s]", stream.workload.ratePerSecond())
                    .figure("answered correctly [1/s]", stream.slots.isEmpty() ? Double.NaN : perSecond)
                    .count("dropped by k6", stream.sum(slot -> slot.dropped));
        }
        return table.table("Throughput");
    }

    Table coldStarts() {
        var table = new Tables.Rows("variant").counts("n").figures(List.of("min [ms]", "p50 [ms]", "max [ms]"));
        for (var variant : findings.run.plan().variants()) {
            var cold = findings.cold(variant);
            table.row(variant.name()).count("n", cold.map(K6Reader.Series::count).orElse(0L));
            cold.ifPresent(all -> table.figure("min [ms]", all.min()).figure("p50 [ms]", all.percentiles(.5)[0])
                    .figure("max [ms]", all.max()));
        }
        return table.table("First answers of environments that the run started with"
                + (findings.run.isLocal() ? ": starts that shared a core" : ""));
    }

    Table resources() {
        var cpu = findings.run.plan().workloads().stream()
                .map(workload -> "CPU " + workload.name() + " [ms/request]").toList();
        var table = new Tables.Rows("variant").figures(cpu).figures(List.of("peak memory [MB]", "init mean [ms]"))
                .counts("inits").figures(List.of("package [MB]")).counts("throttled");
        for (var variant : findings.run.plan().variants()) {
            var init = findings.initMs.getOrDefault(variant.name(), List.of());
            double meanInitMs = init.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
            table.row(variant.name())
                    .figure("peak memory [MB]", findings.peakMemoryMb.getOrDefault(variant.name(), Double.NaN))
                    .figure("init mean [ms]", meanInitMs).count("inits", init.size())
                    .figure("package [MB]", packageMb(findings.run, variant.language()));
            long throttled = 0;
            for (var stream : findings.streams) {
                if (!stream.variant.equals(variant)) continue;
                long requests = stream.sum(slot -> slot.cpuRequests);
                double cpuMs = requests == 0 ? Double.NaN : stream.sum(slot -> slot.cpuNs) / 1e6 / requests;
                table.figure("CPU " + stream.workload.name() + " [ms/request]", cpuMs);
                throttled += stream.sum(slot -> slot.throttles);
            }
            table.count("throttled", throttled);
        }
        return table.table("Resources");
    }

    private static double packageMb(Run run, String language) {
        return run.environment("artefacts", language, "bytes")
                .map(bytes -> ((Number) bytes).doubleValue() / 1e6).orElse(Double.NaN);
    }

    // ==== What may be said of it ====

    private static final List<Verdicts.Measure> MEASURES = List.of(Verdicts.Measure.values());

    /** A table with texts first and then a text for each of the measures. */
    private static Tables.Rows ofMeasures(
            List<Verdicts.Measure> measures, Function<Verdicts.Measure, String> title, String... texts) {
        return new Tables.Rows(Stream.concat(Stream.of(texts), measures.stream().map(title)).toArray(String[]::new));
    }

    private static String said(Statistics.Verdict verdict, Verdicts.Measure measure) {
        return Words.of(verdict, measure).toString();
    }

    private static String[] cells(Stream<String> told, String... texts) {
        return Stream.concat(Stream.of(texts), told).toArray(String[]::new);
    }

    Table intervals() {
        var table = ofMeasures(MEASURES, Verdicts.Measure::column, "workload", "variant").counts("blocks");
        for (var stream : findings.streams) {
            var told = MEASURES.stream().map(measure -> Words.of(verdicts.estimate(stream, measure)));
            table.row(cells(told, stream.workload.name(), stream.variant.name())).count("blocks", stream.slots.size());
        }
        return table.table("95 % intervals that hold for correlated requests; a block is a round's slot");
    }

    private Table verdicts(String title, Run.Workload workload, List<Verdicts.Measure> measures) {
        var answers = verdicts.of(workload);
        var table = ofMeasures(measures, measure -> measure.title, "of");
        for (var pair : verdicts.pairs) {
            var told = measures.stream().map(measure -> said(answers.get(measure).get(pair), measure));
            table.row(cells(told, Words.of(pair)));
        }
        boolean claims = findings.run.plan().claims();
        return table.table(title + ": " + workload.name() + (claims ? "" : ". This profile claims nothing"));
    }

    /** The primary family: medians and CPU per request, judged together. */
    Table verdicts(Run.Workload workload) {
        return verdicts("Verdicts, judged together", workload, Verdicts.Measure.PRIMARY);
    }

    /** Tails, errors and billed time, which nothing protects from being many. */
    Table secondaryVerdicts(Run.Workload workload) {
        return verdicts("Secondary verdicts, each judged alone", workload, Verdicts.Measure.SECONDARY);
    }

    /** Environments start once, in no round, so their first answers are compared as two samples. */
    Table coldStartVerdicts() {
        var table = new Tables.Rows("of", "first answer").counts("n", "against n");
        verdicts.ofColdStarts().forEach((pair, verdict) -> table
                .row(Words.of(pair), said(verdict, Verdicts.Measure.P50))
                .count("n", verdicts.coldMs(pair.candidate()).length)
                .count("against n", verdicts.coldMs(pair.baseline()).length));
        return table.table("Verdicts on first answers of new environments, whatever they were asked for");
    }

    /** What a run could not have seen, it cannot deny. */
    Table smallestFindings() {
        Function<Verdicts.Measure, String> column =
                measure -> measure.title + (measure == Verdicts.Measure.ERRORS ? " [points]" : " [%]");
        var table = new Tables.Rows("workload", "of").figures(MEASURES.stream().map(column).toList());
        for (var workload : findings.run.plan().workloads()) for (var pair : verdicts.pairs) {
            table.row(workload.name(), Words.of(pair));
            for (var measure : MEASURES) {
                double found = verdicts.smallestFinding(workload, measure, pair);
                table.figure(column.apply(measure), 100 * found);
            }
        }
        return table.table("The smallest difference that this run would have found four times in five");
    }

    /** How far the medians of a stream's slots lie apart: the rounds' own spread, of which intervals are made. */
    Table slotMedians() {
        var table = new Tables.Rows("workload", "variant").counts("slots")
                .figures(List.of("lowest p50 [ms]", "middle p50 [ms]", "highest p50 [ms]", "highest / lowest"));
        for (var stream : findings.streams) {
            double[] medians = Arrays.stream(stream.medians()).sorted().toArray();
            table.row(stream.workload.name(), stream.variant.name()).count("slots", medians.length);
            if (medians.length == 0) continue;
            double lowest = medians[0], highest = medians[medians.length - 1];
            double middle = (medians[(medians.length - 1) / 2] + medians[medians.length / 2]) / 2;
            table.figure("lowest p50 [ms]", lowest).figure("middle p50 [ms]", middle)
                    .figure("highest p50 [ms]", highest).figure("highest / lowest", highest / lowest);
        }
        return table.table("How the medians of a variant's slots lie apart");
    }

    /** The A/A twin: the same function deployed twice. What these two differ by is noise. */
    Table noise() {
        var table = ofMeasures(MEASURES, measure -> measure.title, "workload");
        for (var workload : findings.run.plan().workloads()) {
            var told = MEASURES.stream().map(measure -> Words.of(verdicts.noise(workload, measure)));
            table.row(cells(told, workload.name()));
            var between = MEASURES.stream().map(measure -> Words.of(verdicts.spread(workload, measure)));
            table.row(cells(between, workload.name() + " between deployments"));
        }
        return table.table("Noise: the A/A twin against its original");
    }

    Table drift() {
        var table = new Tables.Rows("workload", "variant", "p50 [ms an hour]").counts("cells");
        for (var stream : findings.streams) {
            table.row(stream.workload.name(), stream.variant.name(), Words.of(Verdicts.drift(stream)))
                    .count("cells", stream.measuredSlots().size());
        }
        return table.table("Drift during the run");
    }

    /** Where a stream's level changed during the run, by the medians of its slots. */
    Table changes() {
        var table = new Tables.Rows("workload", "variant", "from", "what")
                .figures(List.of("p50 before [ms]", "p50 after [ms]"));
        for (var stream : findings.streams) {
            for (var change : verdicts.changes(stream)) {
                String cell = stream.measuredSlots().get(change.block()).cell;
                table.row(stream.workload.name(), stream.variant.name(), cell, Words.of(change))
                        .figure("p50 before [ms]", change.before()).figure("p50 after [ms]", change.after());
            }
        }
        return table.table("Changes of level during the run");
    }
}
