// What is in a k6 file: its metrics, its tags with their values, and which command would show more of it.

//SOURCES ../judge/Grouping.java
//SOURCES ../read/K6Reader.java
//SOURCES Tables.java

import module java.base;
import tech.tablesaw.api.Table;

/** The tables of {@code analyze.java inspect}. */
final class InspectTables {
    private static final int VALUES_SHOWN = 12;
    private static final Set<String> TAGS_BY_DEFAULT = Set.of("scenario", "name", "url");
    /** https://grafana.com/docs/k6/latest/using-k6/metrics/reference/ */
    private static final String METRICS_OF_K6 = "(http_req|grpc_|ws_|browser_|iteration|data_|vus).*"
            + "|checks|group_duration|dropped_iterations";

    private InspectTables() {}

    /** The metrics, and the tags. */
    static List<Table> of(K6Reader.Reading reading) {
        var metrics = new Tables.Rows("metric", "type", "contains", "first", "last").counts("samples");
        for (var series : reading.series()) {
            var declared = reading.metrics().get(series.metric);
            String type = declared == null ? "" : declared.type();
            String contains = declared == null ? "" : declared.contains();
            metrics.row(series.metric, type, contains, K6Reader.instant(series.firstNs()).toString(),
                    K6Reader.instant(series.lastNs()).toString()).count("samples", series.count());
        }
        var tags = new Tables.Rows("tag", "values, with their samples of all metrics");
        reading.census().forEach((tag, values) -> tags.row(
                tag, values == null ? "more than " + Grouping.MOST_TAG_VALUES : mostFrequent(values)));
        return List.of(metrics.table(""), tags.table(""));
    }

    /** The commands to go on with: the file as it is, by its first metric that isn't k6's, and by a tag with several values. */
    static List<String> next(K6Reader.Reading reading, List<Path> files) {
        String analyze = "./jbang analyze.java " + files.stream().map(Path::toString).collect(Collectors.joining(" "));
        var next = new ArrayList<>(List.of(analyze));
        reading.metrics().keySet().stream().filter(name -> !name.matches(METRICS_OF_K6)).findFirst()
                .ifPresent(own -> next.add(analyze + " --metric " + own));
        reading.census().entrySet().stream().filter(tag -> !TAGS_BY_DEFAULT.contains(tag.getKey()))
                .filter(tag -> tag.getValue() != null && tag.getValue().size() > 1 && tag.getValue().size() <= VALUES_SHOWN)
                .findFirst().ifPresent(tag -> next.add(analyze + " --by " + tag.getKey()));
        return next;
    }

    private static String mostFrequent(SortedMap<String, Long> values) {
        var mostFirst = Map.Entry.<String, Long>comparingByValue().reversed()
                .thenComparing(Map.Entry.comparingByKey());
        String shown = values.entrySet().stream().sorted(mostFirst).limit(VALUES_SHOWN)
                .map(value -> value.getKey() + " (" + value.getValue() + ")").collect(Collectors.joining(", "));
        int more = values.size() - VALUES_SHOWN;
        return more <= 0 ? shown : shown + ", and " + more + " more";
    }
}
