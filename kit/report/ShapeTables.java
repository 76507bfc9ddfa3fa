// What the studies of shape show: each stage's figures, where a variant breaks, and its course over time.

//SOURCES ../judge/Shapes.java
//SOURCES ../judge/Statistics.java
//SOURCES ../record/Run.java
//SOURCES ../record/Study.java
//SOURCES Colours.java
//SOURCES Numbers.java
//SOURCES Plots.java
//SOURCES RunTables.java
//SOURCES Tables.java
//SOURCES Words.java

import module java.base;
import tech.tablesaw.api.Table;
import tech.tablesaw.plotly.components.Figure;

/** The tables and figures of one shape; each method makes one. */
final class ShapeTables {
    private static final List<String> FIGURES = List.of("mean [ms]", "min [ms]", "p50 [ms]", "p90 [ms]", "p95 [ms]", "p99 [ms]", "max [ms]");

    /** A longer course has minutes on its axis. */
    private static final double MOST_SECONDS_DRAWN = 300;

    private final Run run;
    final Study.Shape shape;
    final List<Shapes.Course> courses;

    /** @param courses of this shape */
    ShapeTables(Run run, Study.Shape shape, List<Shapes.Course> courses) {
        this.run = run;
        this.shape = shape;
        this.courses = courses;
    }

    Table stages() {
        var table = new Tables.Rows("workload", "variant", "stage")
                .counts("requests", "4xx", "429", "5xx", "other errors").figures(List.of("errors [%]")).figures(FIGURES)
                .counts("cold starts", "throttled").figures(List.of("calm after [s]"));
        for (var course : courses) for (var stage : course.stages()) {
            table.row(course.workload().name(), course.variant().name(), said(stage)).count("requests", stage.requests());
            long http = 0;
            for (var kind : Map.of("4xx", "http_4xx", "429", "throttled", "5xx", "http_5xx").entrySet()) {
                long count = stage.outcomes.getOrDefault(kind.getValue(), 0L);
                table.count(kind.getKey(), count);
                http += count;
            }
            table.count("other errors", stage.errors() - http).count("cold starts", stage.coldStarts)
                    .count("throttled", stage.throttled).figure("calm after [s]", course.calmAfterSeconds(stage));
            if (stage.requests() > 0) table.figure("errors [%]", 100 * stage.errorShare());
            for (int i = 0; i < FIGURES.size(); i++) table.figure(FIGURES.get(i), stage.figures[i + 1]);
        }
        return table.table(titled("Stage by stage"));
    }

    private String titled(String what) { return what + ": " + shape.name(); }

    /** "3: 60 to 90 requests/s", or "2: at 200 users" where the load stays. */
    private String said(Shapes.Stage stage) {
        return stage.number + ": " + load(stage);
    }

    private String load(Shapes.Stage stage) {
        String to = Numbers.figure(stage.to) + (shape.users() ? " users" : " requests/s");
        return stage.from == stage.to ? "at " + to : Numbers.figure(stage.from) + " to " + to;
    }

    // ==== Against the baseline ====

    /** The first variant of the run is what the others are compared with. */
    private Optional<Shapes.Course> baseline(Run.Workload workload) {
        return courses.stream().filter(course -> course.workload().equals(workload)).findFirst();
    }

    boolean haveOthers() { return courses.stream().map(Shapes.Course::variant).distinct().count() > 1; }

    Table againstBaseline() {
        String baseline = courses.getFirst().variant().name();
        var table = new Tables.Rows("workload", "variant", "stage", "p50", "p95", "p99", "errors");
        for (var course : courses) {
            var first = baseline(course.workload()).orElseThrow();
            if (first == course) continue;
            for (int i = 0; i < course.stages().size(); i++) {
                var base = first.stages().get(i);
                var stage = course.stages().get(i);
                table.row(course.workload().name(), course.variant().name(), said(stage), latency(base, stage, .5, 3),
                        latency(base, stage, .95, 5), latency(base, stage, .99, 6), errors(base, stage));
            }
        }
        return table.table(titled("Against " + baseline + ", stage by stage"));
    }

    private static String latency(Shapes.Stage base, Shapes.Stage stage, double p, int figure) {
        if (base.figures[0] == 0 || stage.figures[0] == 0) return Numbers.MISSING;
        var comparison = Statistics.difference(new Statistics.Latencies(List.of(base.ofRecording)).quantile(p),
                new Statistics.Latencies(List.of(stage.ofRecording)).quantile(p));
        return Words.of(stage.figures[figure] / base.figures[figure] - 1, stage.ofRecording.length, comparison);
    }

    private static String errors(Shapes.Stage base, Shapes.Stage stage) {
        if (base.requests() == 0 || stage.requests() == 0) return Numbers.MISSING;
        if (base.errors() == 0 && stage.errors() == 0) return "none in either";
        var comparison = Statistics.difference(share(base), share(stage));
        return comparison instanceof Statistics.Difference ? Words.of(comparison) : "%s %% against %s %%".formatted(
                Numbers.figure(100 * stage.errorShare()), Numbers.figure(100 * base.errorShare()));
    }

    private static Statistics.Share share(Shapes.Stage stage) {
        return new Statistics.Share(new Statistics.PerRequest(stage.errorsOfRecording, stage.requestsOfRecording));
    }

    // ==== As the LMI study shows it ====

    List<Run.Workload> workloads() { return courses.stream().map(Shapes.Course::workload).distinct().toList(); }

    /** Figures downwards over the whole shape, and for each language standard, LMI and the difference abreast. */
    Table standardOrLmi(Run.Workload workload) {
        var figures = new LinkedHashMap<Run.Variant, double[]>();
        for (var course : courses) if (course.workload().equals(workload)) figures.put(course.variant(), course.figures());
        return RunTables.standardOrLmi(figures, titled("Standard against LMI") + ", " + workload.name());
    }

    // ==== Where it breaks ====

    Table breaks() {
        var table = new Tables.Rows("workload", "variant", "answer", "why");
        for (var course : courses) {
            var found = course.breaks();
            String most = Numbers.figure(shape.peak()) + (shape.users() ? " users" : " requests/s");
            table.row(course.workload().name(), course.variant().name(),
                    found.map(it -> "breaks in stage " + it.stage().number + ", " + load(it.stage()))
                            .orElse("does not break, up to " + most),
                    found.map(Words::of).orElse(Numbers.MISSING));
        }
        return table.table(titled("Where it breaks"));
    }

    // ==== Over time ====

    /** What must be said wherever cold starts of standard are shown from one machine; empty elsewhere. */
    String oneCore(List<Shapes.Course> ofThese) {
        boolean shown = run.isLocal() && ofThese.stream().filter(course -> !course.variant().lmi())
                .anyMatch(course -> course.stages().stream().anyMatch(stage -> stage.coldStarts > 0));
        return shown ? " On this machine standard's cold starts wait for one core; on AWS each environment has its own." : "";
    }

    Optional<Figure> overTime(Shapes.Course course) {
        var blocks = course.blocks();
        boolean isShort = shape.seconds() <= MOST_SECONDS_DRAWN;
        double unit = isShort ? 1 : 60;
        double[] times = blocks.stream().mapToDouble(block -> block.second / unit).toArray();
        var colour = Colours.of(run, course.variant().language());
        double perSecond = 1 / course.blockSeconds() / course.recordings();
        Optional<String> grey = Optional.of("#999999"), red = Optional.of("#b42318");
        Function<ToDoubleFunction<Shapes.Block>, double[]> of = figure -> blocks.stream().mapToDouble(figure).toArray();
        var panels = new ArrayList<Plots.Panel>();
        panels.add(new Plots.Panel("latency [ms]", true, List.of(
                new Plots.Curve("p50", times, of.apply(block -> block.ms.quantile(.5)), false, colour),
                new Plots.Curve("p95", times, of.apply(block -> block.ms.quantile(.95)), false, colour),
                new Plots.Curve("p99", times, of.apply(block -> block.ms.quantile(.99)), true, colour))));
        panels.add(new Plots.Panel("requests/s", false, List.of(
                new Plots.Curve("sent", times, of.apply(block -> block.sent * perSecond), true, grey),
                new Plots.Curve("answered correctly", times, of.apply(block -> block.ms.count() * perSecond), false, colour))));
        panels.add(new Plots.Panel("a second", false, List.of(
                new Plots.Curve("errors", times, of.apply(block -> block.errors * perSecond), false, red),
                new Plots.Curve("throttled", times, of.apply(block -> block.throttled * perSecond), true, grey),
                new Plots.Curve("cold starts", times, of.apply(block -> block.coldStarts * perSecond), false, colour))));
        panels.add(new Plots.Panel("environments", false, List.of(
                new Plots.Curve("environments", times, of.apply(block -> block.environments), false, colour))));
        panels.add(new Plots.Panel("CPU [%]", false, List.of(
                new Plots.Curve("CPU of the functions' cores", times, of.apply(block -> 100 * block.cpuShare), false, colour))));
        var marks = course.stages().stream().map(stage -> new Plots.Mark(stage.fromSecond / unit, said(stage))).toList();
        return Plots.panels((isShort ? "seconds" : "minutes") + " since the load began", panels, marks);
    }
}
