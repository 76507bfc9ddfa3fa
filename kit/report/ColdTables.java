// What the studies of cold starts show: init and first answer of new environments, and their first answers by number.

//SOURCES ../judge/ColdStarts.java
//SOURCES ../judge/Sorted.java
//SOURCES ../record/Run.java
//SOURCES Colours.java
//SOURCES Plots.java
//SOURCES Tables.java
//SOURCES Words.java

import module java.base;
import tech.tablesaw.api.Table;
import tech.tablesaw.plotly.components.Figure;

/** Each method makes one table or figure. */
final class ColdTables {
    /** Enough to see a JVM get warm; what lies between them is in the figure. */
    private static final int[] NUMBERS_SHOWN = {1, 2, 5, 10, 20, 50, 100};
    private static final double[] PERCENTILES = {.5, .9, .95, .99};

    private final Run run;
    private final List<ColdStarts.Starts> all;

    ColdTables(Run run, List<ColdStarts.Starts> all) {
        this.run = run;
        this.all = all;
    }

    Table percentiles() {
        var table = new Tables.Rows("workload", "variant", "what", "p50 [ms]", "p90 [ms]", "p95 [ms]", "p99 [ms]")
                .counts("n").figures(List.of("max [ms]"));
        for (var starts : all) {
            row(table, starts, "init", starts.initMs());
            row(table, starts, "first answer", starts.nthMs(1));
        }
        return table.table("New environments, one at a time: init and first answer, with 95 % intervals");
    }

    private static void row(Tables.Rows table, ColdStarts.Starts starts, String what, Sorted ms) {
        var texts = Stream.concat(Stream.of(starts.workload().name(), starts.variant().name(), what),
                Arrays.stream(PERCENTILES).mapToObj(p -> Words.of(ms.at(p), ms.estimate(p))));
        table.row(texts.toArray(String[]::new)).count("n", ms.n()).figure("max [ms]", ms.max());
    }

    /** The platform's record beside the function's own flag. */
    Table records() {
        var table = new Tables.Rows("workload", "variant")
                .counts("new environments", "said to be cold", "inits on record", "agree");
        for (var starts : all) {
            var environments = starts.environments();
            table.row(starts.workload().name(), starts.variant().name()).count("new environments", environments.size())
                    .count("said to be cold", environments.stream().mapToLong(ColdStarts.Environment::flagged).sum())
                    .count("inits on record", environments.stream().mapToLong(one -> one.recordedMs().size()).sum())
                    .count("agree", environments.stream().filter(ColdStarts.Environment::agrees).count());
        }
        return table.table("Cold starts by the functions' own flag, and by the platform's record");
    }

    Table byNumber() {
        int most = most();
        var numbers = Arrays.stream(NUMBERS_SHOWN).filter(number -> number <= most).boxed().toList();
        var table = new Tables.Rows("workload", "variant", "what").figures(numbers.stream().map(ColdTables::column).toList());
        for (var starts : all) for (double p : new double[] {.5, .95}) {
            table.row(starts.workload().name(), starts.variant().name(), p == .5 ? "p50" : "p95");
            for (int number : numbers) table.figure(column(number), starts.nthMs(number).at(p));
        }
        return table.table("The first answers of a new environment, by their number");
    }

    private static String column(int number) {
        String suffix = number == 1 ? "st" : number == 2 ? "nd" : number == 3 ? "rd" : "th";
        return number + suffix + " [ms]";
    }

    private int most() {
        return all.stream().flatMap(starts -> starts.environments().stream())
                .mapToInt(one -> one.answers().size()).max().orElse(0);
    }

    Optional<Figure> curves() {
        var lines = new ArrayList<Plots.Curve>();
        boolean severalWorkloads = all.stream().map(ColdStarts.Starts::workload).distinct().count() > 1;
        for (var starts : all) {
            int most = starts.environments().stream().mapToInt(one -> one.answers().size()).max().orElse(0);
            double[] numbers = IntStream.rangeClosed(1, most).asDoubleStream().toArray();
            double[] medians = IntStream.rangeClosed(1, most).mapToDouble(number -> starts.nthMs(number).at(.5)).toArray();
            String name = (severalWorkloads ? starts.workload().name() + " " : "") + starts.variant().name();
            lines.add(new Plots.Curve(name, numbers, medians, starts.variant().lmi(),
                    Colours.of(run, starts.variant().language())));
        }
        return Plots.logarithmicLines("number of the answer", "p50 [ms]", lines);
    }
}
