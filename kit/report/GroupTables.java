// The tables of any k6 file: what its metric's type tells of each group, errors beside it, and several files compared.

//SOURCES ../judge/Grouping.java
//SOURCES ../read/K6Reader.java
//SOURCES Tables.java

import module java.base;
import tech.tablesaw.api.Table;

/** The tables of a grouping, by their names; {@link #of} is the way in. */
final class GroupTables {
    /** What two labels are compared by: places in {@link Grouping#FIGURES}. */
    private static final List<Integer> COMPARED = List.of(1, 3, 5, 6);

    private final Grouping grouping;

    private GroupTables(Grouping grouping) { this.grouping = grouping; }

    static SequencedMap<String, Table> of(Grouping grouping) { return new GroupTables(grouping).tables(); }

    private SequencedMap<String, Table> tables() {
        var tables = new LinkedHashMap<String, Table>();
        switch (grouping.type()) {
            case TREND -> {
                if (grouping.isLabelled()) tables.put("comparison", comparison());
                tables.put("latency", trend());
                if (grouping.isOfRequests()) tables.put("errors", errors());
            }
            case RATE -> tables.put("rates", figures(List.of("true", "share [%]"), series -> new double[] {
                    series.sum(), 100 * series.mean()}));
            case COUNTER -> tables.put("counts", figures(List.of("sum" + grouping.inUnit(), "per second"), series ->
                    new double[] {series.sum(), series.sum() / seconds(series)}));
            case GAUGE -> tables.put("values", figures(List.of("last", "min", "max"), series ->
                    new double[] {series.last(), series.min(), series.max()}));
        }
        tables.put("overview", overview());
        return tables;
    }

    private static double seconds(K6Reader.Series series) { return (series.lastNs() - series.firstNs()) / 1e9; }

    private String[] columns() {
        return Stream.concat(grouping.isLabelled() ? Stream.of("label") : Stream.of(), grouping.tags().stream())
                .toArray(String[]::new);
    }

    private String[] row(Grouping.Group group) {
        return Stream.concat(grouping.isLabelled() ? Stream.of(group.label()) : Stream.of(), group.values().stream())
                .toArray(String[]::new);
    }

    /** All groups, and before them what they are together. */
    private List<Grouping.Group> rows() {
        var groups = grouping.groups();
        return groups.size() == grouping.all().size() ? groups
                : Stream.concat(grouping.all().stream(), groups.stream()).toList();
    }

    private Table trend() {
        var names = Grouping.FIGURES.stream().map(figure -> figure.replace(" [ms]", grouping.inUnit())).toList();
        var table = new Tables.Rows(columns()).counts("n").figures(names.subList(1, names.size()));
        for (var group : rows()) {
            table.row(row(group)).count("n", group.goodCount());
            double[] values = group.good().isPresent() ? group.figures() : new double[0];
            for (int i = 1; i < values.length; i++) table.figure(names.get(i), values[i]);
        }
        return table.table(grouping.metric() + " of good samples");
    }

    private Table errors() {
        var kinds = grouping.all().stream().flatMap(group -> group.ends().keySet().stream())
                .filter(end -> !end.equals(Grouping.GOOD)).collect(Collectors.toCollection(TreeSet::new));
        var table = new Tables.Rows(columns()).counts("samples").counts(Grouping.GOOD)
                .counts(kinds.toArray(String[]::new)).figures(List.of("errors [%]"));
        for (var group : rows()) {
            table.row(row(group)).count("samples", group.count()).count(Grouping.GOOD, group.goodCount())
                    .figure("errors [%]", group.errorPercent());
            for (String kind : kinds) table.count(kind, group.ends().getOrDefault(kind, 0L));
        }
        return table.table("Errors by kind");
    }

    private Table figures(List<String> names, Function<K6Reader.Series, double[]> figures) {
        var table = new Tables.Rows(columns()).counts("samples").figures(names);
        for (var group : rows()) {
            double[] values = figures.apply(group.good().orElseThrow());
            table.row(row(group)).count("samples", group.count());
            for (int i = 0; i < values.length; i++) table.figure(names.get(i), values[i]);
        }
        return table.table(grouping.metric());
    }

    /** Each label beside the first, with the difference; one file of each says nothing of chance. */
    private Table comparison() {
        String baseline = grouping.labels().getFirst();
        var names = new ArrayList<>(List.of(baseline));
        for (String label : grouping.labels()) if (!label.equals(baseline)) {
            names.addAll(List.of(label, label + " Diff %"));
        }
        var columns = Stream.concat(grouping.tags().stream(), Stream.of("figure")).toArray(String[]::new);
        var table = new Tables.Rows(columns).figures(names);
        for (var first : rows()) {
            if (!first.label().equals(baseline) || first.good().isEmpty()) continue;
            double[] before = first.figures();
            for (int figure : COMPARED) {
                String name = Grouping.FIGURES.get(figure).replace(" [ms]", grouping.inUnit());
                table.row(Stream.concat(first.values().stream(), Stream.of(name)).toArray(String[]::new))
                        .figure(baseline, before[figure]);
                for (var other : rows()) {
                    if (other == first || !other.values().equals(first.values()) || other.good().isEmpty()) continue;
                    double after = other.figures()[figure];
                    table.figure(other.label(), after)
                            .figure(other.label() + " Diff %", 100 * (after - before[figure]) / before[figure]);
                }
            }
        }
        return table.table("Against " + baseline + ": one recording of each, so nothing is said of chance");
    }

    private Table overview() {
        var texts = Stream.of("label", "first", "last").skip(grouping.isLabelled() ? 0 : 1).toArray(String[]::new);
        var table = new Tables.Rows(texts)
                .counts("samples").figures(List.of("seconds", "samples per second"));
        for (var group : grouping.all()) {
            double seconds = (group.lastNs() - group.firstNs()) / 1e9;
            var row = Stream.of(group.label(), K6Reader.instant(group.firstNs()), K6Reader.instant(group.lastNs()))
                    .map(Object::toString).skip(grouping.isLabelled() ? 0 : 1).toArray(String[]::new);
            table.row(row)
                    .count("samples", group.count()).figure("seconds", seconds)
                    .figure("samples per second", group.count() / seconds);
        }
        return table.table("Recorded (the time of a sample is the end of its request)");
    }
}
