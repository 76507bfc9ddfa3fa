// What a search needs to know of a step that has just been measured: experiment.java asks for it to decide how to go on,
// and analyze.java once more when it checks the record.

//SOURCES K6Reader.java
//SOURCES ../record/Run.java
//SOURCES ../record/Slice.java

import module java.base;

/** Reads one step of a search from its cell's files. */
final class StepReader {
    /** What shares the cores that are not the functions'. */
    private static final Set<String> GENERATOR = Set.of("k6", "door", "stores");

    private StepReader() {}

    private static final List<String> TAGS = List.of("phase", "outcome", "environment", "pid");

    /**
     * The step.
     *
     * @param measureSeconds of its measured phase
     * @param samples        what k6 wrote: one file, or one for each generator
     * @param busy           {@link #generatorBusy}
     */
    static Run.Step read(double ratePerSecond, double measureSeconds, List<Slice> samples, double busy) throws IOException {
        var query = K6Reader.Query.by(TAGS.toArray(String[]::new)).metrics("answer_ms", "cpu_ns").mostTagValues(10_000);
        try (var reading = K6Reader.read(List.of(new K6Reader.Input("step", samples)), query, (_, _) -> {})) {
            return of(ratePerSecond, measureSeconds, reading.series(), (series, tag) -> series.values.get(TAGS.indexOf(tag)), busy);
        }
    }

    /**
     * The step that these series are of.
     *
     * @param all answer_ms and cpu_ns, apart by phase, outcome, environment and pid at least
     * @param tag the value of a series' tag
     */
    static Run.Step of(double ratePerSecond, double measureSeconds, List<K6Reader.Series> all,
                       BiFunction<K6Reader.Series, String, String> tag, double busy) {
        long answered = 0, correct = 0, cpuNs = 0, cpuRequests = 0;
        var answers = new ArrayList<K6Reader.Series>();
        for (var series : all) {
            if (!tag.apply(series, "phase").equals(Run.Phase.MEASURE)) continue;
            if (series.metric.equals("cpu_ns")) {
                cpuNs += Math.round(series.max() - series.min());
                cpuRequests += series.count() - 1;
                continue;
            }
            answered += series.count();
            if (!tag.apply(series, "outcome").equals(Run.CORRECT)) continue;
            correct += series.count();
            answers.add(series);
        }
        double[] latency = correct == 0 ? null : K6Reader.Series.union(answers, List.of()).percentiles(.5, .99);
        return new Run.Step(ratePerSecond, Math.max(1, Math.round(ratePerSecond * measureSeconds)), answered,
                answered - correct, latency == null ? null : latency[0], latency == null ? null : latency[1],
                cpuRequests == 0 || cpuNs == 0 ? null : cpuNs / 1e6 / cpuRequests, busy);
    }

    /** The share, 0 to 1, of these cores that k6, the front door and the stores took over a cell; 0 where nobody knows. */
    static double generatorBusy(InputStream metrics, int cores) throws IOException {
        var first = new HashMap<String, Run.Metric>();
        var last = new HashMap<String, Run.Metric>();
        try (var values = Run.json().readerFor(Run.Metric.class).<Run.Metric>readValues(metrics)) {
            while (values.hasNext()) {
                var metric = values.next();
                if (!metric.metric().equals("cpuNs") || !GENERATOR.contains(metric.subject())) continue;
                first.putIfAbsent(metric.subject(), metric);
                last.put(metric.subject(), metric);
            }
        }
        double share = 0;
        for (String subject : first.keySet()) {
            double seconds = Duration.between(first.get(subject).time(), last.get(subject).time()).toNanos() / 1e9;
            if (seconds > 0) share += (last.get(subject).value() - first.get(subject).value()) / 1e9 / seconds / cores;
        }
        return share;
    }
}
