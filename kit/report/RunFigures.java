// The figures of a run: its latency over time and its distribution for a workload, and what a month costs.

//SOURCES ../judge/Cost.java
//SOURCES ../judge/Findings.java
//SOURCES ../judge/Grouping.java
//SOURCES ../judge/RunCost.java
//SOURCES ../judge/Verdicts.java
//SOURCES ../read/K6Reader.java
//SOURCES ../record/Run.java
//SOURCES Colours.java
//SOURCES Plots.java

import module java.base;
import tech.tablesaw.plotly.components.Figure;

/** Each method draws one figure of one workload. */
final class RunFigures {
    /** From a request a second to what no single function is asked: every break-even lies between. */
    private static final double CURVE_FROM_PER_SECOND = 1, CURVE_TO_PER_SECOND = 10_000;
    private static final int CURVE_POINTS = 60;

    private final Findings findings;
    private final Verdicts verdicts;
    private final RunCost cost;
    private final Map<Run.Workload, List<Plots.Distribution>> distributions = new HashMap<>();

    RunFigures(Findings findings, Verdicts verdicts, RunCost cost) {
        this.findings = findings;
        this.verdicts = verdicts;
        this.cost = cost;
    }

    private List<Findings.RequestStream> answered(Run.Workload workload) {
        return findings.streams.stream()
                .filter(stream -> stream.workload.equals(workload) && !stream.measuredSlots().isEmpty()).toList();
    }

    private Optional<String> colour(Findings.RequestStream stream) { return colour(stream.variant.language()); }

    private Optional<String> colour(String function) { return Colours.of(findings.run, function); }

    // ==== Latency ====

    /** The median of each cell, and where a level changed, if the run claims to know. */
    Optional<Figure> overTime(Run.Workload workload) {
        var streams = answered(workload);
        var lines = new ArrayList<>(streams.stream().map(this::overTime).toList());
        if (findings.run.plan().claims()) for (var stream : streams) lines.addAll(changes(stream));
        return Plots.lines("minutes since the start", "p50 of a cell [ms]", lines);
    }

    private Plots.Curve overTime(Findings.RequestStream stream) {
        var slots = stream.measuredSlots();
        double[] minutes = slots.stream().mapToDouble(this::minute).toArray();
        double[] medians = slots.stream().mapToDouble(slot -> slot.warm.percentiles(.5)[0]).toArray();
        return new Plots.Curve(stream.variant.name(), minutes, medians, stream.variant.lmi(), colour(stream));
    }

    /** An upright line from the level before a change to the level after it, where it is more than a slow swing. */
    private List<Plots.Curve> changes(Findings.RequestStream stream) {
        return verdicts.changes(stream).stream().filter(change -> change.sure()).map(change -> {
            double minute = minute(stream.measuredSlots().get(change.block()));
            double[] minutes = {minute, minute}, levels = {change.before(), change.after()};
            return new Plots.Curve(stream.variant.name() + " changes", minutes, levels, false, colour(stream));
        }).toList();
    }

    private double minute(Findings.Slot slot) {
        return (slot.warm.firstNs() - K6Reader.nanos(findings.run.started())) / 60e9;
    }

    Optional<Figure> percentileCurves(Run.Workload workload) {
        return Plots.percentileCurves("latency [ms]", distributions(workload));
    }

    Optional<Figure> spread(Run.Workload workload) { return Plots.boxes("latency [ms]", distributions(workload)); }

    /** Asked for once, as each is a pass over all values. */
    private List<Plots.Distribution> distributions(Run.Workload workload) {
        return distributions.computeIfAbsent(workload, _ -> answered(workload).stream().map(stream ->
                new Plots.Distribution(stream.variant.name(), stream.variant.lmi(), Grouping.DRAWN,
                        stream.latencies().orElseThrow().percentiles(Grouping.DRAWN), colour(stream))).toList());
    }

    // ==== Cost ====

    /** USD a month of each language on both computes over the rate, and where AWS's rule of thumb lies. */
    Optional<Figure> months(Run.Workload workload) {
        var tariff = cost.tariff(Cost.Discount.NONE);
        var lines = new ArrayList<Plots.Curve>();
        for (var choice : cost.choices()) {
            if (!choice.workload().equals(workload)) continue;
            var points = Cost.curve(tariff, choice.breakEven(tariff).layout(), choice.demand(),
                    CURVE_FROM_PER_SECOND, CURVE_TO_PER_SECOND, CURVE_POINTS);
            double[] rates = points.stream().mapToDouble(Cost.Point::perSecond).toArray();
            double[] standardUsd = points.stream().mapToDouble(Cost.Point::standardUsd).toArray();
            double[] lmiUsd = points.stream().mapToDouble(Cost.Point::lmiUsd).toArray();
            var colour = colour(choice.language());
            lines.add(new Plots.Curve(choice.language() + "-standard", rates, standardUsd, false, colour));
            lines.add(new Plots.Curve(choice.language() + "-lmi", rates, lmiUsd, true, colour));
        }
        if (!lines.isEmpty()) lines.add(ruleOfThumb(lines));
        return Plots.logarithmicLines("requests/s, all month", "USD a month", lines);
    }

    /** One line that rises where AWS's rule begins and falls where it ends, as high as the others reach. */
    private Plots.Curve ruleOfThumb(List<Plots.Curve> lines) {
        var rule = cost.prices.ruleOfThumb();
        var usd = lines.stream().flatMapToDouble(line -> Arrays.stream(line.y())).summaryStatistics();
        double from = rule.fromRequestsPerMonth() / Cost.SECONDS_PER_MONTH;
        double to = rule.toRequestsPerMonth() / Cost.SECONDS_PER_MONTH;
        return new Plots.Curve("AWS's rule of thumb", new double[] {from, from, to, to},
                new double[] {usd.getMin(), usd.getMax(), usd.getMax(), usd.getMin()}, false, Optional.empty());
    }
}
