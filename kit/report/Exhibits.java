// What a report shows, in its order: all exhibits of a run, of any k6 file, and of several runs, each listed once.
//
// Terminal, CSV files, page and write-up are made from these lists. To show something more, list it here, and make its
// table where its vocabulary is: RunTables, CostTables or FileTables.

//SOURCES ../judge/Capacities.java
//SOURCES ../judge/ColdStarts.java
//SOURCES ../judge/Findings.java
//SOURCES ../judge/Grouping.java
//SOURCES ../judge/RunCost.java
//SOURCES ../judge/Shapes.java
//SOURCES ../judge/Verdicts.java
//SOURCES ../record/Run.java
//SOURCES CapacityTables.java
//SOURCES ColdTables.java
//SOURCES CostTables.java
//SOURCES Exhibit.java
//SOURCES FileFigures.java
//SOURCES GroupTables.java
//SOURCES Numbers.java
//SOURCES RunFigures.java
//SOURCES RunTables.java
//SOURCES ShapeTables.java
//SOURCES SeveralRuns.java

import module java.base;

/** The lists of exhibits. */
final class Exhibits {
    private static final String ANSWER = "The answer, side by side", REQUESTS = "Requests and resources",
            CAPACITY = "Capacity", COLD = "Cold starts", CERTAINTY = "How sure this is", OVER_TIME = "Over time", DISTRIBUTION = "Distribution", TABLES = "Tables";

    private Exhibits() { }

    // ==== A run ====

    /** @param isValid whether no gate is raised: what costs money is not to be decided by another run */
    static List<Exhibit> ofRun(Findings findings, boolean isValid) throws IOException {
        var verdicts = new Verdicts(findings);
        var cost = new RunCost(findings);
        var costs = new CostTables(findings, cost, isValid);
        var figures = new RunFigures(findings, verdicts, cost);
        var coldStarts = ColdStarts.of(findings);
        var all = new ArrayList<Exhibit>();
        if (findings.run.plan().steady().isPresent()) {
            all.addAll(ofSteady(findings, verdicts, figures, coldStarts.isEmpty()));
        }
        Shapes.of(findings).stream().collect(Collectors.groupingBy(Shapes.Course::shape, LinkedHashMap::new, Collectors.toList()))
                .forEach((shape, courses) -> all.addAll(ofShape(new ShapeTables(findings.run, shape, courses))));
        var carried = Capacities.of(findings);
        boolean searched = findings.run.cells().stream().anyMatch(cell -> cell.step() != null && cell.outcome().isMeasured());
        if (searched) all.addAll(ofCapacity(new CapacityTables(findings.run, carried)));
        if (!coldStarts.isEmpty()) all.addAll(ofCold(findings, verdicts, coldStarts));
        all.addAll(ofCost(findings.run.plan().claims(), isValid, cost, costs, figures));
        return all;
    }

    /** @param ownStarts whether the starts with which the run began are all that it knows of cold starts */
    private static List<Exhibit> ofSteady(Findings findings, Verdicts verdicts, RunFigures figures, boolean ownStarts) {
        var tables = new RunTables(findings, verdicts);
        var workloads = findings.run.plan().workloads();
        boolean claims = findings.run.plan().claims();
        var all = new ArrayList<Exhibit>();
        all.add(Exhibit.of("medians", ANSWER, tables.medians()).asDigest());
        if (claims) for (var measure : Verdicts.Measure.PRIMARY) {
            all.add(Exhibit.of("differences-" + measure.name().toLowerCase(Locale.ROOT), ANSWER,
                    tables.differences(measure)).asDigest());
        }
        for (var workload : workloads) {
            String of = workload.name(), section = request(workload);
            all.add(Exhibit.of("standard-or-lmi-" + of, section, tables.standardOrLmi(workload)));
            all.add(Exhibit.of("verdicts-" + of, section, tables.verdicts(workload)));
            if (claims) all.add(Exhibit.of("verdicts-" + of + "-secondary", section, tables.secondaryVerdicts(workload)));
            all.add(Exhibit.of("over-time-" + of, section, "Latency over the run", () -> figures.overTime(workload))
                    .saying("A point is the median of one cell. Lines that stay level and apart are a difference; lines "
                            + "that rise or fall together are the machine. An upright line marks a change of level."));
            all.add(Exhibit.of("percentiles-" + of, section, "Percentile curve", () -> figures.percentileCurves(workload))
                    .saying(OF_A_CURVE));
            all.add(Exhibit.of("spread-" + of, section, "Spread", () -> figures.spread(workload)).saying(OF_A_BOX));
        }
        all.add(Exhibit.of("latency", REQUESTS, tables.latency()));
        all.add(Exhibit.of("errors", REQUESTS, tables.errors()));
        all.add(Exhibit.of("throughput", REQUESTS, tables.throughput()));
        if (ownStarts) all.add(Exhibit.of("cold-starts", REQUESTS, tables.coldStarts()));
        if (claims && ownStarts) all.add(Exhibit.of("cold-start-verdicts", REQUESTS, tables.coldStartVerdicts()));
        all.add(Exhibit.of("resources", REQUESTS, tables.resources()));
        if (claims) {
            all.add(Exhibit.of("smallest-findings", CERTAINTY, tables.smallestFindings()));
            all.add(Exhibit.of("intervals", CERTAINTY, tables.intervals()));
            all.add(Exhibit.of("slot-medians", CERTAINTY, tables.slotMedians()));
            all.add(Exhibit.of("noise", CERTAINTY, tables.noise()));
            all.add(Exhibit.of("drift", CERTAINTY, tables.drift()));
            all.add(Exhibit.of("changes", CERTAINTY, tables.changes()));
        }
        return all;
    }

    private static List<Exhibit> ofShape(ShapeTables tables) {
        String of = "shape-" + tables.shape.name(), section = "Shape: " + tables.shape.name();
        var all = new ArrayList<Exhibit>();
        if (tables.shape.users()) for (var workload : tables.workloads()) {
            all.add(Exhibit.of(of + "-standard-or-lmi-" + workload.name(), section, tables.standardOrLmi(workload))
                    .saying("All stages together, correct answers. A bare difference in % has no interval."));
        }
        all.add(Exhibit.of(of + "-breaks", section, tables.breaks()).saying(("A stage breaks a variant when more than %s %% of its "
                + "requests fail, or when the p99 of warm answers is more than %s times that of the first stage.").formatted(
                Numbers.figure(100 * Shapes.BREAKING_ERRORS), Numbers.figure(Shapes.BREAKING_P99))));
        all.add(Exhibit.of(of + "-stages", section, tables.stages()).saying(("Latency is of correct answers, cold starts among "
                + "them. Latency is calm once the p95 stays within %s times that of the calmest stage and hardly any request "
                + "fails; — means that it was not within the stage.").formatted(Numbers.figure(Shapes.CALM)) + tables.oneCore(tables.courses)));
        if (tables.haveOthers()) all.add(Exhibit.of(of + "-against-baseline", section, tables.againstBaseline()));
        for (var course : tables.courses) {
            all.add(Exhibit.of(of + "-" + course.workload().name() + "-" + course.variant().name(), section,
                    course.variant().name() + ", " + course.workload().name(), () -> tables.overTime(course))
                    .saying("All panels have the same time axis; an upright line marks where a stage begins. A request counts when "
                            + "it was sent, so answers that come late stand where they were asked for." + tables.oneCore(List.of(course))));
        }
        return all;
    }

    private static List<Exhibit> ofCapacity(CapacityTables tables) {
        var all = new ArrayList<Exhibit>();
        all.add(Exhibit.of("capacity", CAPACITY, tables.carried())
                .saying(tables.limits() + " Least and most are the spread between searches. The closed form is what the places "
                        + "or the vCPU could carry at most by what a single request takes. Standard's memory is that of all its "
                        + "environments; a place takes one request at a time."));
        for (var workload : tables.workloads()) {
            all.add(Exhibit.of("capacity-" + workload.name(), CAPACITY, "Throughput against p99: " + workload.name(),
                    () -> tables.throughput(workload))
                    .saying("A point is one step of the first search. Where a line turns upwards or back, the variant is saturated."));
        }
        if (tables.haveSweeps()) {
            all.add(Exhibit.of("sweep", CAPACITY, tables.sweep()).saying(tables.knees()));
            all.add(Exhibit.of("sweep-curves", CAPACITY, "What an LMI environment carries by its concurrency", tables::sweepCurves)
                    .saying("Where a line becomes level, more requests at once only wait for one another."));
        }
        all.add(Exhibit.of("capacity-steps", CAPACITY, tables.steps()));
        return all;
    }

    private static List<Exhibit> ofCold(Findings findings, Verdicts verdicts, List<ColdStarts.Starts> coldStarts) {
        var tables = new ColdTables(findings.run, coldStarts);
        var all = new ArrayList<Exhibit>();
        all.add(Exhibit.of("cold-environments", COLD, tables.percentiles())
                .saying("Init is timed by the platform, the first answer by k6. A caller who has to wait for the init "
                        + "sees it in the first answer." + (findings.run.isLocal()
                        ? " Nothing else ran on the functions' core." : "")));
        if (findings.run.plan().claims()) all.add(Exhibit.of("cold-start-verdicts", COLD,
                new RunTables(findings, verdicts).coldStartVerdicts()));
        all.add(Exhibit.of("first-answers", COLD, "The first answers of a new environment", tables::curves)
                .saying("A point is the median, over all new environments, of the answer with that number. "
                        + "Where a line falls, environments were still warming up."));
        all.add(Exhibit.of("first-answers-by-number", COLD, tables.byNumber()));
        all.add(Exhibit.of("cold-start-records", COLD, tables.records()));
        return all;
    }

    private static List<Exhibit> ofCost(boolean claims, boolean isValid, RunCost cost, CostTables costs,
                                        RunFigures figures) throws IOException {
        var all = new ArrayList<Exhibit>();
        String section = "Cost" + (claims ? "" : ", a look that nothing is to be decided by") + costs.modelled();
        boolean advises = costs.advise();
        all.add(Exhibit.of("break-even", section, costs.breakEven()).saying(advises ? costs.ruleOfThumb() : ""));
        var priced = cost.choices().stream().map(RunCost.Choice::workload).distinct().toList();
        if (advises) for (var workload : priced) {
            String title = "Compute for a month: " + workload.name() + costs.modelled();
            all.add(Exhibit.of("months-" + workload.name(), section, title, () -> figures.months(workload))
                    .saying("Standard rises with every request; LMI begins with its smallest fleet and rises by "
                            + "instances. Where the dashed line falls below the solid one of the same colour, LMI is "
                            + "cheaper. AWS's rule of thumb expects that between the upright lines."));
        }
        all.add(Exhibit.of("discounts", section, costs.discounts()).saying(advises ? "∞ is never." : ""));
        all.add(Exhibit.of("per-million", section, costs.perMillion()).saying(!advises ? ""
                : "Functions that share a capacity provider share its smallest fleet, whose instances hold an "
                        + "environment of each."));
        all.add(Exhibit.of("headroom", section, costs.headroom()).saying(!advises ? ""
                : "What lies beyond the measured load is calculated: the p95 there was not measured."));
        all.add(Exhibit.of("cost-items", section, costs.costItems()).saying(!isValid ? ""
                : "What costs the same everywhere, such as the REST API, decides nothing."));
        all.add(Exhibit.of("as-run", section, costs.asRun()).saying(!isValid ? ""
                : "LMI's instances are paid for from the run's start to its end, whether they are used or not."));
        return all;
    }

    private static final String
            OF_A_CURVE = "How slow the slowest requests are. Where two curves cross, which one is faster depends on the "
                    + "percentile: the median, or the tail.",
            OF_A_BOX = "The box holds the middle half, the line in it is the median. Whether boxes overlap says nothing "
                    + "about whether a difference is real.";

    /** A workload as it is asked for: "io?delay_ms=50". */
    private static String request(Run.Workload workload) {
        String query = workload.query().entrySet().stream().map(Object::toString).collect(Collectors.joining("&"));
        return workload.name() + (query.isEmpty() ? "" : "?" + query);
    }

    // ==== Any k6 file ====

    static List<Exhibit> ofFile(Grouping grouping) {
        var figures = new FileFigures(grouping);
        var all = new ArrayList<Exhibit>();
        GroupTables.of(grouping).forEach((name, table) -> all.add(Exhibit.of(name, TABLES, table)));
        for (String statistic : figures.shownOverTime()) {
            all.add(Exhibit.of(statistic + "-over-time", OVER_TIME, statistic + " over time",
                    () -> figures.overTime(statistic)).saying("A point is the " + statistic + " of the samples in "
                    + figures.block() + (grouping.type() == Grouping.Type.TREND ? ", to within 0.2 %" : "")
                    + ". A step is a change; a slope is a drift." + figures.leftOut()));
        }
        if (grouping.type() == Grouping.Type.TREND) {
            all.add(Exhibit.of("percentiles", DISTRIBUTION, "Percentile curve", figures::percentileCurves)
                    .saying(OF_A_CURVE));
            all.add(Exhibit.of("spread", DISTRIBUTION, "Spread", figures::spread).saying(OF_A_BOX));
        }
        return all;
    }

    // ==== Several runs ====

    static List<Exhibit> ofRuns(SeveralRuns runs) { return List.of(Exhibit.of("runs", TABLES, runs.table())); }
}
