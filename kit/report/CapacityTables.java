// What the studies of capacity show: the rate that each variant carries, how the searches went, and what LMI's
// concurrency is good for.

//SOURCES ../judge/Capacities.java
//SOURCES ../record/Run.java
//SOURCES ../record/Search.java
//SOURCES ../record/Study.java
//SOURCES Colours.java
//SOURCES Numbers.java
//SOURCES Plots.java
//SOURCES Tables.java
//SOURCES Words.java

import module java.base;
import tech.tablesaw.api.Table;
import tech.tablesaw.plotly.components.Figure;

/** Each method makes one table or figure. */
final class CapacityTables {
    private final Run run;
    private final List<Capacities.Carried> all;
    private final List<Capacities.Sweep> sweeps;

    CapacityTables(Run run, List<Capacities.Carried> all) {
        this.run = run;
        this.all = all;
        sweeps = Capacities.sweeps(all);
    }

    Table carried() {
        var table = new Tables.Rows("workload", "variant", "limited by").counts("searches").figures(List.of(
                "carries [1/s]", "least [1/s]", "most [1/s]", "closed form [1/s]", "p99 there [ms]", "CPU there [ms/request]",
                "memory there [MB]", "memory a place [MB]"));
        for (var one : all) {
            var rates = one.rates();
            String limits = one.limits().stream().map(Words::of).collect(Collectors.joining(", or "));
            table.row(one.workload().name(), one.variant().name(), limits).count("searches", rates.n())
                    .figure("carries [1/s]", rates.at(.5)).figure("least [1/s]", rates.min()).figure("most [1/s]", rates.max())
                    .figure("closed form [1/s]", one.ceiling()).figure("p99 there [ms]", one.p99Ms())
                    .figure("CPU there [ms/request]", one.cpuMs()).figure("memory there [MB]", one.memoryMb())
                    .figure("memory a place [MB]", one.memoryMb() / one.variant().places());
        }
        return table.table("The highest stable rate of each variant");
    }

    /** The limits of the studies, in words. */
    String limits() {
        return all.stream().map(Capacities.Carried::study).distinct().map(study -> ("A rate is stable while the p99 is at most "
                + "%s ms and at most %s %% of the requests fail, three times in a row.").formatted(Numbers.figure(study.p99Ms()),
                Numbers.figure(100 * study.errorShare()))).distinct().collect(Collectors.joining(" "));
    }

    Table steps() {
        var table = new Tables.Rows("workload", "variant", "step", "what became of it").counts("search", "due", "answered", "failed")
                .figures(List.of("asked [1/s]", "p50 [ms]", "p99 [ms]", "CPU [ms/request]", "generator [%]"));
        for (var study : run.plan().studies(Study.Capacity.class)) for (var cell : run.cellsOf(study)) {
            var step = cell.step();
            table.row(cell.workload(), cell.variants().getFirst(), cell.name().substring(cell.name().lastIndexOf("-s") + 1),
                            Words.ofStep(Search.limit(study, step)))
                    .count("search", cell.round()).count("due", step.due()).count("answered", step.answered())
                    .count("failed", step.failed()).figure("asked [1/s]", step.ratePerSecond())
                    .figure("p50 [ms]", orNan(step.medianMs())).figure("p99 [ms]", orNan(step.p99Ms()))
                    .figure("CPU [ms/request]", orNan(step.cpuMs())).figure("generator [%]", 100 * step.generatorBusy());
        }
        return table.table("The steps of the searches");
    }

    private static double orNan(Double value) { return value == null ? Double.NaN : value; }

    boolean haveSweeps() { return !sweeps.isEmpty(); }

    Table sweep() {
        var table = new Tables.Rows("workload", "language").counts("requests at once").figures(List.of("carries [1/s]",
                "p99 there [ms]", "CPU there [ms/request]", "memory [MB]", "memory a request at once [MB]"));
        for (var sweep : sweeps) for (var one : sweep.byConcurrency()) {
            int places = one.variant().concurrency();
            table.row(sweep.workload().name(), sweep.language()).count("requests at once", places)
                    .figure("carries [1/s]", one.rates().at(.5)).figure("p99 there [ms]", one.p99Ms())
                    .figure("CPU there [ms/request]", one.cpuMs()).figure("memory [MB]", one.memoryMb())
                    .figure("memory a request at once [MB]", one.memoryMb() / places);
        }
        return table.table("LMI's concurrency: what one environment carries with so many requests at once");
    }

    /** From which concurrency on more of it adds next to nothing. */
    String knees() {
        return sweeps.stream().map(sweep -> {
            var knee = sweep.knee();
            boolean isLast = knee == sweep.byConcurrency().getLast();
            return isLast ? "%s carries more %s with each step up to %d requests at once: no knee was reached.".formatted(
                    sweep.language(), sweep.workload().name(), knee.variant().concurrency())
                    : "%s carries within %s %% of the most %s from %d requests at once on: the knee.".formatted(sweep.language(),
                            Numbers.figure(100 * Capacities.KNEE), sweep.workload().name(), knee.variant().concurrency());
        }).collect(Collectors.joining(" "));
    }

    Optional<Figure> sweepCurves() {
        return Plots.logarithmicLines("requests at once", "carries [requests/s]", sweeps.stream().map(sweep -> {
            double[] places = sweep.byConcurrency().stream().mapToDouble(one -> one.variant().concurrency()).toArray();
            double[] rates = sweep.byConcurrency().stream().mapToDouble(one -> one.rates().at(.5)).toArray();
            return new Plots.Curve(sweep.language() + " " + sweep.workload().name(), places, rates, false,
                    Colours.of(run, sweep.language()));
        }).toList());
    }

    List<Run.Workload> workloads() { return all.stream().map(Capacities.Carried::workload).distinct().toList(); }

    /** The p99 over what was answered correctly, in the first search of each variant. */
    Optional<Figure> throughput(Run.Workload workload) {
        return Plots.logarithmicLines("answered correctly [requests/s]", "p99 [ms]", all.stream()
                .filter(one -> one.workload().equals(workload)).map(one -> {
                    var steps = one.searches().getFirst().steps().stream().map(Run.Cell::step)
                            .filter(step -> step.p99Ms() != null && step.answered() > step.failed())
                            .sorted(Comparator.comparingDouble(Run.Step::ratePerSecond)).toList();
                    double seconds = one.study().measureSeconds();
                    double[] rates = steps.stream().mapToDouble(step -> (step.answered() - step.failed()) / seconds).toArray();
                    double[] p99Ms = steps.stream().mapToDouble(Run.Step::p99Ms).toArray();
                    return new Plots.Curve(one.variant().name(), rates, p99Ms, one.variant().lmi(),
                            Colours.of(run, one.variant().language()));
                }).toList());
    }
}
