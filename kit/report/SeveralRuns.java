// What several runs say together: each figure of each run with its interval, and how far the runs lie apart.

//SOURCES ../judge/Findings.java
//SOURCES ../judge/Statistics.java
//SOURCES ../judge/Verdicts.java
//SOURCES Tables.java
//SOURCES Words.java

import module java.base;
import tech.tablesaw.api.Table;

/** Runs are added one after another, as only one of them is open at a time. */
final class SeveralRuns {
    private record Figure(String label, String workload, String variant, String name) {}

    private final SequencedMap<Figure, List<Statistics.Estimate>> estimates = new LinkedHashMap<>();

    /** Takes what it needs of a run; runs of one label are compared with each other. */
    void add(String label, Findings findings) {
        var verdicts = new Verdicts(findings);
        for (var stream : findings.streams) for (var measure : Verdicts.Measure.values()) {
            var figure = new Figure(label, stream.workload.name(), stream.variant.name(), measure.column());
            estimates.computeIfAbsent(figure, _ -> new ArrayList<>()).add(verdicts.estimate(stream, measure));
        }
    }

    Table table() {
        var table = new Tables.Rows("label", "workload", "variant", "figure", "each run", "across runs")
                .counts("runs").figures(List.of("spread between runs [%]"));
        estimates.forEach((figure, each) -> {
            var known = each.stream()
                    .filter(Statistics.Interval.class::isInstance).map(Statistics.Interval.class::cast).toList();
            var together = Statistics.across(known);
            table.row(figure.label, figure.workload, figure.variant, figure.name,
                            each.stream().map(Words::of).collect(Collectors.joining("; ")), Words.of(together.across()))
                    .count("runs", known.size()).figure("spread between runs [%]", 100 * together.betweenRuns());
        });
        return table.table("Several runs: each with its 95 % interval, the spread between them, "
                + "and from three on an estimate across them");
    }
}
