// What a run's figures say of cost: its measured demands, priced by Cost under the prices that the run carries.
//
// A break-even needs both sides of a language: the time that standard bills and the CPU that LMI spends. On one machine
// all of it is a model of AWS, fed with this machine's CPU and durations.

//SOURCES Cost.java
//SOURCES Findings.java
//SOURCES Statistics.java
//SOURCES Verdicts.java

import module java.base;

/** The prices of one run and what they make of its figures. */
final class RunCost {
    /** Assumed, not measured: a reply with headers, and Lambda's log lines. Both are small beside REST API's fee. */
    private static final double REPLY_BYTES = 500, LOG_BYTES = 700;
    /** What a run on one machine would cost is told for the region whose prices are complete. */
    private static final String REGION_OF_A_MODEL = "us-east-1";

    private final Findings findings;
    private final Run run;
    final Cost.Prices prices;
    final String region;
    private final String architecture;

    RunCost(Findings findings) {
        this.findings = findings;
        run = findings.run;
        prices = Cost.Prices.of(run.prices());
        region = run.environment("target", "region").map(Object::toString).orElse(REGION_OF_A_MODEL);
        architecture = run.environment("target", "architecture").map(Object::toString).orElse("x86_64");
    }

    Cost.Tariff tariff(Cost.Discount discount) { return prices.tariff(region, discount); }

    // ==== Standard or LMI ====

    /** One language under one workload, of which both computes were measured. */
    record Choice(Run.Workload workload, String language, Cost.Demand demand) {
        /** The instance type and how it is filled, as is cheapest soonest. */
        Cost.Layout layout(Cost.Tariff tariff) {
            return Cost.soonest(tariff, new Cost.Layout("", 2048, 1, Run.LMI_CONCURRENCY, Cost.UTILIZATION), demand);
        }

        Cost.BreakEven breakEven(Cost.Tariff tariff) { return Cost.breakEven(tariff, layout(tariff), demand); }
    }

    /** All choices that the run can price, by workload and language. */
    List<Choice> choices() {
        return run.plan().workloads().stream().filter(this::isPriced)
                .flatMap(workload -> run.plan().languages().stream().flatMap(language -> demand(language, workload)
                        .map(demand -> new Choice(workload, language, demand)).stream())).toList();
    }

    /** A local store waits far less than S3 and DynamoDB do, and standard Lambda bills waiting: it is not priced. */
    boolean isPriced(Run.Workload workload) { return !run.isLocal() || !workload.name().equals("store"); }

    /** What a language's request for a workload asks of either compute; empty where one of the two was not measured. */
    private Optional<Cost.Demand> demand(String language, Run.Workload workload) {
        var matched = findings.streams.stream().filter(stream -> stream.workload.equals(workload))
                .filter(stream -> stream.variant.language().equals(language))
                .filter(stream -> stream.variant.hasOneVcpu() && !stream.variant.twin()).toList();
        var standard = matched.stream().filter(stream -> !stream.variant.lmi()).findFirst();
        var lmi = matched.stream().filter(stream -> stream.variant.lmi()).findFirst();
        if (standard.isEmpty() || lmi.isEmpty()) return Optional.empty();
        var billedMs = range(Verdicts.perRequest(standard.get(), slot -> slot.billedMs, slot -> slot.invocations));
        var cpuNs = range(Verdicts.perRequest(lmi.get(), slot -> slot.cpuNs, slot -> slot.cpuRequests));
        var heldMs = range(Verdicts.perRequest(lmi.get(), slot -> slot.durationMs, slot -> slot.invocations));
        if (billedMs.isEmpty() || cpuNs.isEmpty() || heldMs.isEmpty()) return Optional.empty();
        return Optional.of(new Cost.Demand(architecture, standard.get().variant.memoryMb(),
                billedMs.get(), cpuNs.get(), heldMs.get(), Double.POSITIVE_INFINITY));
    }

    /** The mean with its interval, or alone where the run is too short for one. */
    private static Optional<Cost.Range> range(Statistics.PerRequest figure) {
        double mean = figure.value();
        if (!(mean > 0)) return Optional.empty();
        return Optional.of(figure.estimate() instanceof Statistics.Interval(var low, var point, var high, _, _)
                ? new Cost.Range(low, point, high) : Cost.Range.exactly(mean));
    }

    // ==== Item by item ====

    /** What a million requests of a stream cost on standard Lambda; empty where nothing was billed or is priced. */
    Optional<Cost.Bill> millionOnStandard(Findings.Stream stream) {
        var variant = stream.variant;
        if (!isPriced(stream.workload) || variant.lmi() || variant.twin()) return Optional.empty();
        double million = 1e6, stored = stream.workload.name().equals("store") ? million : 0;
        return range(Verdicts.perRequest(stream, slot -> slot.billedMs, slot -> slot.invocations))
                .map(billedMs -> new Cost.Traffic(variant.name(), false, architecture, variant.memoryMb(), million,
                        million * billedMs.value(), 0, stored, million * REPLY_BYTES, million * LOG_BYTES))
                .map(traffic -> Cost.bill(tariff(Cost.Discount.NONE), traffic.uses()));
    }
}
