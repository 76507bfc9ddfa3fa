// The figures of any k6 file: its groups over time, and how their values are distributed.

//SOURCES ../judge/Grouping.java
//SOURCES ../read/K6Reader.java
//SOURCES Numbers.java
//SOURCES Plots.java

import module java.base;
import tech.tablesaw.plotly.components.Figure;

/** Each method draws one figure, of the most frequent groups. */
final class FileFigures {
    /** More lines than this nobody tells apart. */
    private static final int MOST_LINES = 16;

    private final Grouping grouping;
    private final List<Grouping.Group> drawn;
    private SequencedMap<String, List<Plots.Curve>> overTime;

    FileFigures(Grouping grouping) {
        this.grouping = grouping;
        drawn = grouping.groups().stream().filter(group -> group.good().isPresent()).limit(MOST_LINES).toList();
    }

    /** What the figures leave out, as a sentence that follows another; empty if it is nothing. */
    String leftOut() {
        int groups = grouping.groups().size();
        return drawn.size() == groups ? ""
                : " The figures show the %d most frequent of %d groups; the tables have them all."
                        .formatted(drawn.size(), groups);
    }

    /** What the groups show of each block of time, by its name. */
    Set<String> shownOverTime() { return statistics().keySet(); }

    private SequencedMap<String, ToDoubleFunction<K6Reader.Block>> statistics() {
        var shown = new LinkedHashMap<String, ToDoubleFunction<K6Reader.Block>>();
        switch (grouping.type()) {
            case TREND -> {
                shown.put("p50", block -> block.histogram.quantile(.5));
                shown.put("p95", block -> block.histogram.quantile(.95));
            }
            case RATE, GAUGE -> shown.put("mean", K6Reader.Block::mean);
            case COUNTER -> shown.put("sum", K6Reader.Block::sum);
        }
        return shown;
    }

    /** How long a block of time is, with its unit. */
    String block() { return Numbers.figure(grouping.blockNs() / 1e9) + " s"; }

    Optional<Figure> overTime(String statistic) {
        if (overTime == null) overTime = overTime();
        return Plots.lines("seconds since the first sample",
                statistic + " of " + block() + grouping.inUnit(), overTime.getOrDefault(statistic, List.of()));
    }

    /** Each label's time begins with its own first sample. One group's blocks at a time, as a block is a histogram. */
    private SequencedMap<String, List<Plots.Curve>> overTime() {
        var lines = new LinkedHashMap<String, List<Plots.Curve>>();
        for (var group : drawn) {
            long firstBlock = Math.floorDiv(grouping.firstNs(group.label()), grouping.blockNs());
            var blocks = group.good().orElseThrow().blocks();
            double[] seconds = blocks.keySet().stream()
                    .mapToDouble(block -> (block - firstBlock) * (grouping.blockNs() / 1e9)).toArray();
            statistics().forEach((name, statistic) -> lines.computeIfAbsent(name, _ -> new ArrayList<>()).add(
                    new Plots.Curve(name(group), seconds,
                            blocks.values().stream().mapToDouble(statistic).toArray(), false, Optional.empty())));
        }
        return lines;
    }

    Optional<Figure> percentileCurves() { return Plots.percentileCurves(grouping.metric() + grouping.inUnit(), distributions()); }

    Optional<Figure> spread() { return Plots.boxes(grouping.metric() + grouping.inUnit(), distributions()); }

    private List<Plots.Distribution> distributions() {
        return drawn.stream().map(group ->
                new Plots.Distribution(name(group), false, Grouping.DRAWN, group.percentiles(), Optional.empty()))
                .toList();
    }

    private static String name(Grouping.Group group) {
        return Stream.concat(Stream.of(group.label()), group.values().stream())
                .filter(part -> !part.isEmpty()).collect(Collectors.joining(" "));
    }
}
