// What the studies of capacity say: the highest rate that each variant carried in each of its searches, what stopped it
// there, and what one vCPU or the places could carry at most by what a single request takes.

//SOURCES ../read/StepReader.java
//SOURCES ../record/Run.java
//SOURCES ../record/Search.java
//SOURCES ../record/Study.java
//SOURCES Findings.java
//SOURCES Sorted.java

import module java.base;

/** The searches of all variants; {@link #of} is the way in. */
final class Capacities {
    /** From the knee on, more places add less than this to what is carried. */
    static final double KNEE = 0.05;

    private Capacities() { }

    /** A search that came to its end, with its steps in their order. @param ceiling by the probe, requests per second */
    record Searched(int round, List<Run.Cell> steps, Search.Found found, double ceiling) {
        /** The steps at the rate that was found. */
        private Stream<Run.Cell> best() {
            return steps.stream().filter(cell -> cell.step().ratePerSecond() == found.ratePerSecond());
        }
    }

    /** What a variant carries of a workload. @param memoryMb the most that its environments had in a step at that rate */
    record Carried(Study.Capacity study, Run.Variant variant, Run.Workload workload, List<Searched> searches,
                   double memoryMb) {
        /** The rates that the searches found, requests per second. */
        Sorted rates() { return Sorted.of(searches.stream().mapToDouble(search -> search.found().ratePerSecond())); }

        double ceiling() { return Sorted.of(searches.stream().mapToDouble(Searched::ceiling)).at(.5); }

        double p99Ms() { return middle(Run.Step::p99Ms); }

        double cpuMs() { return middle(Run.Step::cpuMs); }

        /** The median of the steps at the rates that were found; NaN where nobody told. */
        private double middle(Function<Run.Step, Double> figure) {
            return Sorted.of(searches.stream().flatMap(Searched::best).map(cell -> figure.apply(cell.step()))
                    .filter(Objects::nonNull).mapToDouble(Double::doubleValue)).at(.5);
        }

        /** What ended the searches, each reason once. */
        List<Search.Limit> limits() { return searches.stream().map(search -> search.found().limit()).distinct().sorted().toList(); }

        /** Whether it was the function itself that could not carry more, in all searches. */
        boolean isTheFunctions() {
            return limits().stream().allMatch(limit -> limit == Search.Limit.LATENCY || limit == Search.Limit.ERRORS)
                    && rates().min() > 0;
        }
    }

    /** By study, workload and variant, in the plan's order; what no search came to an end of is not in it. */
    static List<Carried> of(Findings findings) {
        var run = findings.run;
        var all = new ArrayList<Carried>();
        for (var study : run.plan().studies(Study.Capacity.class)) {
            for (var workload : study.workloads()) for (var variant : run.plan().variants()) {
                var searches = new ArrayList<Searched>();
                for (var planned : run.plan().order()) {
                    boolean isOne = planned.study().equals(study.name()) && workload.name().equals(planned.workload())
                            && planned.variants().contains(variant.name());
                    if (!isOne || !(run.search(study, planned) instanceof Search.Found found)) continue;
                    var steps = run.steps(planned);
                    searches.add(new Searched(planned.round(), steps, found, Search.ceiling(variant, steps.getFirst().step())));
                }
                if (searches.isEmpty()) continue;
                double bytes = searches.stream().flatMap(Searched::best)
                        .mapToDouble(cell -> findings.told.get(cell.name()).telemetry().largest(variant.name(), "memoryBytes"))
                        .filter(Double::isFinite).max().orElse(Double.NaN);
                all.add(new Carried(study, variant, workload, searches, bytes / (1 << 20)));
            }
        }
        return all;
    }

    /** One function on LMI under one workload, with more and more requests at once in an environment. */
    record Sweep(Run.Workload workload, String language, int memoryMb, List<Carried> byConcurrency) {
        /** The fewest places with which nearly as much is carried as with any other number of them. */
        Carried knee() {
            double most = byConcurrency.stream().mapToDouble(one -> one.rates().at(.5)).max().orElseThrow();
            return byConcurrency.stream().filter(one -> one.rates().at(.5) >= (1 - KNEE) * most).findFirst().orElseThrow();
        }
    }

    /** All variants that differ in their concurrency alone, where there is more than one. */
    static List<Sweep> sweeps(List<Carried> all) {
        record Key(Study.Capacity study, Run.Workload workload, String language, int memoryMb) {}
        return all.stream().filter(one -> one.variant().lmi())
                .collect(Collectors.groupingBy(one -> new Key(one.study(), one.workload(), one.variant().language(),
                        one.variant().memoryMb()), LinkedHashMap::new, Collectors.toList()))
                .entrySet().stream().filter(group -> group.getValue().size() > 1)
                .map(group -> new Sweep(group.getKey().workload(), group.getKey().language(), group.getKey().memoryMb(),
                        group.getValue().stream().sorted(Comparator.comparingInt(one -> one.variant().concurrency())).toList()))
                .toList();
    }

    // ==== Check ====

    /** By how much the record of a step differs from what its samples say, relative to them; of its figures the most. */
    static double differs(Findings findings, Run.Cell cell) {
        var step = cell.step();
        var answers = findings.series(cell, "answer_ms").toList();
        var seen = StepReader.of(step.ratePerSecond(), cell.phases().getLast().seconds(), answers, Findings::tag,
                step.generatorBusy());
        return DoubleStream.of(apart(step.answered(), seen.answered()), apart(step.failed(), seen.failed()),
                apart(step.medianMs(), seen.medianMs()), apart(step.p99Ms(), seen.p99Ms())).max().orElseThrow();
    }

    private static double apart(Number recorded, Number seen) {
        if (recorded == null || seen == null) return recorded == seen ? 0 : 1;
        if (recorded.doubleValue() == seen.doubleValue()) return 0;
        return seen.doubleValue() == 0 ? 1 : Math.abs(recorded.doubleValue() / seen.doubleValue() - 1);
    }
}
