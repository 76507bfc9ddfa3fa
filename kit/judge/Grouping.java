// Any k6 file, without a run.json: the samples of one metric in groups by their tags, and what can be said of each.
//
// What that is depends on the metric's type, as k6 declares it: a trend has percentiles, a rate a share, a counter a sum,
// a gauge a last value. Of the times of requests only those count that succeeded; the others stand beside them by how
// they ended. Groups never cross labels; the first label named is what the others are compared with.

//SOURCES ../read/K6Reader.java
//SOURCES ../read/Names.java
//SOURCES ../record/Run.java

import module java.base;

/**
 * One metric's groups; {@link #of} is the way in.
 *
 * @param unit   "ms" for a time, "B" for data, else empty
 * @param groups the most frequent first; those of one combination of tags together, in the order of their labels
 * @param all    each label's samples, whatever their tags
 */
record Grouping(String metric, Grouping.Type type, String unit, List<String> tags, List<Grouping.Group> groups,
                List<Grouping.Group> all, List<String> labels, long blockNs) {
    /** More values of a tag than this are no grouping a person could read; all of them become one. */
    static final int MOST_TAG_VALUES = 1_000;
    /** A line over time has at most so many points: more than a screen shows, few enough for a small page. */
    private static final int MOST_BLOCKS = 240;

    /** The figures of a trend, as tables name them. */
    static final List<String> FIGURES =
            List.of("n", "mean [ms]", "min [ms]", "p50 [ms]", "p90 [ms]", "p95 [ms]", "p99 [ms]", "max [ms]");
    private static final double[] PERCENTILES = {.5, .9, .95, .99};
    /** What is drawn of a trend, and holds PERCENTILES: asked for once, as each answer is a pass over all values. */
    static final double[] DRAWN = DoubleStream.concat(
            IntStream.range(0, 100).mapToDouble(percent -> percent / 100.0), DoubleStream.of(.995, .998, .999, 1)).toArray();

    /** How a sample that is counted as good ended. */
    static final String GOOD = "good";
    /** Tags that say how a request ended: https://grafana.com/docs/k6/latest/using-k6/tags-and-groups/#system-tags. */
    private static final List<String> ENDS_BY = List.of("outcome", "expected_response", "status", "error_code");
    private static final List<String> BY_DEFAULT = List.of("variant", "scenario", "name");
    private static final String ALL = "(all)";

    /** What k6 makes of a metric's samples. */
    enum Type { TREND, RATE, COUNTER, GAUGE }

    /** What is asked for; empty or null is the default of each. */
    record Choice(List<String> by, String metric, Names names, Instant from, Instant to) {
        Choice { by = by.stream().distinct().toList(); }

        /** What the reader must tell apart: the tags of the grouping, and those that say how a request ended. */
        private List<String> tags() {
            return Stream.concat((by.isEmpty() ? BY_DEFAULT : by).stream(), ENDS_BY.stream()).distinct().toList();
        }

        K6Reader.Query query() {
            return K6Reader.Query.by(tags().toArray(String[]::new)).metrics(metric == null ? METRICS_BY_DEFAULT : new String[] {metric})
                    .names(names).mostTagValues(MOST_TAG_VALUES).blocks(1_000_000_000L, 0, MOST_BLOCKS)
                    .between(from == null ? Long.MIN_VALUE : K6Reader.nanos(from), to == null ? Long.MAX_VALUE : K6Reader.nanos(to));
        }
    }

    /** load.js's own time of an answer where there is one, as k6 can't tag its own by the reply. */
    private static final String[] METRICS_BY_DEFAULT = {"answer_ms", "http_req_duration"};

    /**
     * Samples of one label with the same values of the grouping's tags: the good ones, and how many ended how.
     *
     * @param percentiles of the good ones at {@link #DRAWN}; empty unless the metric is a trend with good samples
     */
    record Group(String label, List<String> values, Optional<K6Reader.Series> good, double[] percentiles,
                 SortedMap<String, Long> ends, long firstNs, long lastNs) {
        long count() { return ends.values().stream().mapToLong(Long::longValue).sum(); }

        /** As {@link Grouping#figures(K6Reader.Series)}. */
        double[] figures() {
            var series = good.orElseThrow();
            var p = Arrays.stream(PERCENTILES).map(one -> percentiles[Arrays.binarySearch(DRAWN, one)]).toArray();
            return Grouping.figures(series, p);
        }

        long goodCount() { return ends.getOrDefault(GOOD, 0L); }

        double errorPercent() { return 100.0 * (count() - goodCount()) / count(); }
    }

    /** What was asked for and is not in the file, with what is. */
    sealed interface Missing {
        /** No sample of the metric lies in the time that was asked for. */
        record Time(String metric) implements Missing {}

        record Metric(String metric, Set<String> declared) implements Missing {}

        record Tag(String tag, Set<String> there) implements Missing {}
    }

    /** There is nothing to group. */
    static final class Empty extends RuntimeException {
        final Missing missing;

        private Empty(Missing missing) {
            super(missing.toString());
            this.missing = missing;
        }
    }

    // ==== Group ====

    /**
     * Groups what was read for this choice.
     *
     * @param labels in the order in which the user named them
     * @throws Empty if there is no such metric, no sample in that time, or no sample with such a tag
     */
    static Grouping of(K6Reader.Reading reading, Choice choice, List<String> labels) {
        boolean ours = reading.series().stream().anyMatch(series -> series.metric.equals(METRICS_BY_DEFAULT[0]));
        String metric = choice.metric != null ? choice.metric : METRICS_BY_DEFAULT[ours ? 0 : 1];
        var samples = reading.series().stream().filter(series -> series.metric.equals(metric)).toList();
        if (samples.isEmpty()) {
            boolean inTime = choice.from != null || choice.to != null;
            throw new Empty(inTime ? new Missing.Time(metric) : new Missing.Metric(metric, reading.metrics().keySet()));
        }
        var tags = tags(reading, choice, samples);
        var type = type(reading, metric);
        var grouped = new HashMap<List<String>, List<K6Reader.Series>>();
        for (var series : samples) {
            var values = Stream.concat(Stream.of(series.label), tags.stream().map(tag -> tag(series, choice, tag)));
            grouped.computeIfAbsent(values.toList(), _ -> new ArrayList<>()).add(series);
        }
        var groups = new ArrayList<Group>();
        grouped.forEach((values, parts) -> groups.add(
                group(values.getFirst(), values.subList(1, values.size()), parts, type, choice)));
        groups.sort(mostFrequentFirst(groups, labels));
        var all = labels.stream().map(label -> samples.stream().filter(one -> one.label.equals(label)).toList())
                .filter(parts -> !parts.isEmpty()).map(parts -> group(parts.getFirst().label,
                        Stream.concat(Stream.of(ALL), tags.stream().skip(1).map(_ -> "")).toList(), parts, type, choice))
                .toList();
        return new Grouping(metric, type, unit(reading, metric), tags, groups, all, labels, reading.blockNs());
    }

    private static List<String> tags(K6Reader.Reading reading, Choice choice, List<K6Reader.Series> samples) {
        for (String tag : choice.by) if (!reading.census().containsKey(tag)) {
            throw new Empty(new Missing.Tag(tag, reading.census().keySet()));
        }
        if (!choice.by.isEmpty()) return choice.by;
        boolean variants = samples.stream().noneMatch(series -> tag(series, choice, "variant").isEmpty());
        return variants ? List.of("variant") : List.of("scenario", "name");
    }

    /** As declared; a file's later shards have no declarations, so k6's own metrics are known by name. */
    private static Type type(K6Reader.Reading reading, String metric) {
        var declared = reading.metrics().get(metric);
        return switch (declared != null ? declared.type() : metric) {
            case "rate", "checks", "http_req_failed" -> Type.RATE;
            case "counter", "http_reqs", "iterations", "dropped_iterations", "data_sent", "data_received" -> Type.COUNTER;
            case "gauge", "vus", "vus_max" -> Type.GAUGE;
            default -> Type.TREND;
        };
    }

    private static String unit(K6Reader.Reading reading, String metric) {
        if (metric.endsWith("_ms")) return "ms";
        var declared = reading.metrics().get(metric);
        boolean isTime = declared == null ? metric.matches("(http_req|grpc_req|iteration)_\\w+")
                : declared.contains().equals("time");
        return isTime ? "ms" : declared != null && declared.contains().equals("data") ? "B" : "";
    }

    private static String tag(K6Reader.Series series, Choice choice, String tag) {
        return series.values.get(choice.tags().indexOf(tag));
    }

    private static Comparator<Group> mostFrequentFirst(List<Group> groups, List<String> labels) {
        var counts = new HashMap<List<String>, Long>();
        for (var group : groups) counts.merge(group.values, group.count(), Long::sum);
        return Comparator.<Group>comparingLong(group -> -counts.get(group.values))
                .thenComparing(group -> String.join("\0", group.values))
                .thenComparingInt(group -> labels.indexOf(group.label));
    }

    private static Group group(String label, List<String> values, List<K6Reader.Series> parts, Type type,
                               Choice choice) {
        var ends = new TreeMap<String, Long>();
        var good = new ArrayList<K6Reader.Series>();
        for (var series : parts) {
            String end = end(series, type, choice);
            ends.merge(end, series.count(), Long::sum);
            if (end.equals(GOOD)) good.add(series);
        }
        var together = good.isEmpty() ? Optional.<K6Reader.Series>empty()
                : Optional.of(K6Reader.Series.union(good, values));
        double[] percentiles = type != Type.TREND || good.isEmpty() ? new double[0] : together.get().percentiles(DRAWN);
        long firstNs = parts.stream().mapToLong(K6Reader.Series::firstNs).min().orElseThrow();
        long lastNs = parts.stream().mapToLong(K6Reader.Series::lastNs).max().orElseThrow();
        return new Group(label, values, together, percentiles, ends, firstNs, lastNs);
    }

    // ==== How requests end ====

    /** Only the times of requests know good from bad; any other metric may have a tag `status` of its own. */
    private static String end(K6Reader.Series series, Type type, Choice choice) {
        if (type != Type.TREND || !series.metric.matches(TIME_OF_A_REQUEST)) return GOOD;
        String outcome = tag(series, choice, "outcome"), status = tag(series, choice, "status");
        return switch (series.metric) {
            case "answer_ms" -> outcome.isEmpty() || outcome.equals(Run.CORRECT) ? GOOD : outcome;
            // gRPC's status 0 is OK.
            case "grpc_req_duration" -> status.isEmpty() || status.equals("0") ? GOOD : "gRPC status " + status;
            default -> end(status, tag(series, choice, "expected_response"), tag(series, choice, "error_code"));
        };
    }

    private static final String TIME_OF_A_REQUEST = "answer_ms|grpc_req_duration|http_req_\\w+";

    /** k6 gives a request that never got an answer status 0 and often 0 ms: an error, never a fast answer. */
    private static String end(String status, String expected, String errorCode) {
        boolean good = !expected.isEmpty() ? expected.equals("true") && !status.equals("0")
                : status.isEmpty() ? errorCode.isEmpty() : status.matches("[123]..");
        if (good) return GOOD;
        if (!status.isEmpty() && !status.equals("0")) return "status " + status;
        return switch (errorCode) {
            case "1050" -> "timeout";
            case "1212" -> "refused";
            case "" -> "no answer";
            default -> "no answer (k6 error " + errorCode + ")";
        };
    }

    // ==== What is known of them ====

    /** n, mean, min, p50, p90, p95, p99, max: the figures of {@link #FIGURES}. */
    static double[] figures(K6Reader.Series series) {
        return figures(series, series.percentiles(PERCENTILES));
    }

    private static double[] figures(K6Reader.Series series, double[] p) {
        return new double[] {series.count(), series.mean(), series.min(), p[0], p[1], p[2], p[3], series.max()};
    }

    /** " [ms]", as a column's name ends; empty without a unit. */
    String inUnit() { return unit.isEmpty() ? "" : " [" + unit + "]"; }

    boolean isLabelled() { return labels.size() > 1; }

    /** Whether its samples are times of requests, which know good from bad. */
    boolean isOfRequests() { return metric.matches(TIME_OF_A_REQUEST); }

    /** When a label's first sample came, in ns since 1970. */
    long firstNs(String label) {
        return all.stream().filter(group -> group.label.equals(label)).findFirst().orElseThrow().firstNs;
    }
}
