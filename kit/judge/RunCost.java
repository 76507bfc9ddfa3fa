// What a run says of cost: from which rate on LMI is the cheaper, what a million requests cost, and what the run itself
// cost. All of it by Cost, under the prices that the run carries.
//
// A break-even needs both sides of a language: the time that standard bills and the CPU that LMI spends. On one machine
// all of it is a model of AWS, fed with this machine's CPU and durations, and without the store workload: a local store
// waits far less than S3 and DynamoDB do, and standard Lambda bills waiting.

//SOURCES ../Cli.java
//SOURCES ../record/Run.java
//SOURCES Capacities.java
//SOURCES Cost.java
//SOURCES Findings.java
//SOURCES Statistics.java
//SOURCES Verdicts.java

import module java.base;

/** The prices of one run and what they make of its figures. */
final class RunCost {
    /** Complete in data/prices.json: it stands for one machine, and for a region that the run has no prices of. */
    private static final String REFERENCE_REGION = "us-east-1";
    private static final String STORE = "store";

    private final Findings findings;
    private final Run run;
    final Cost.Prices prices;
    /** Whose prices are used. */
    private final String region;
    private final String architecture;
    private final List<Capacities.Carried> carried;
    private final List<Choice> choices;

    RunCost(Findings findings) {
        this.findings = findings;
        run = findings.run;
        try {
            prices = Cost.Prices.of(run.prices());
            region = text("region").filter(prices.regions()::containsKey).orElse(REFERENCE_REGION);
            architecture = text("architecture").orElse("x86_64");
            Cost.Meter.gbSeconds(architecture);
            listPrices();
        } catch (IllegalArgumentException wrong) {
            throw new Cli.Problem(Cli.REFUSED, "run " + run.id() + " can't be priced: " + wrong.getMessage(),
                    "name a run.json that nobody changed", wrong);
        }
        carried = Capacities.of(findings);
        choices = run.plan().workloads().stream().filter(this::isPriced)
                .flatMap(workload -> run.plan().languages().stream()
                        .flatMap(language -> choice(language, workload).stream())).toList();
    }

    private Optional<String> text(String ofTarget) { return run.environment("target", ofTarget).map(Object::toString); }

    Cost.Tariff tariff(Cost.Discount discount) { return prices.tariff(region, discount); }

    private Cost.Tariff listPrices() { return tariff(Cost.Discount.NONE); }

    /**
     * Whose prices are used, without discount.
     *
     * @param compiled  their date
     * @param insteadOf the run's region, where the run carries no prices of it
     */
    record PricesUsed(String compiled, String region, Optional<String> insteadOf) {}

    PricesUsed pricesUsed() {
        return new PricesUsed(prices.compiled(), region, text("region").filter(asked -> !asked.equals(region)));
    }

    private boolean isPriced(Run.Workload workload) { return !run.isLocal() || !workload.name().equals(STORE); }

    // ==== Standard or LMI ====

    /** One language under one workload, of which both computes were measured. */
    record Choice(Findings.RequestStream standard, Findings.RequestStream lmi, Cost.Demand demand) {
        Run.Workload workload() { return lmi.workload; }

        String language() { return lmi.variant.language(); }

        /** With a capacity provider of the function's own, on the instance type where it comes soonest. */
        Cost.BreakEven breakEven(Cost.Tariff tariff) { return breakEven(tariff, 1); }

        /** When so many functions share one capacity provider. */
        Cost.BreakEven breakEven(Cost.Tariff tariff, int functions) {
            return Cost.soonest(tariff, layout(lmi.variant).sharedBy(functions), demand);
        }

        /** On the instance type that is the cheapest at a rate. */
        Cost.Layout cheapest(Cost.Tariff tariff, int functions, double perSecond) {
            return Cost.cheapest(tariff, layout(lmi.variant).sharedBy(functions), demand, perSecond);
        }

        double measuredPerSecond() { return lmi.requests() / lmi.total(slot -> slot.seconds); }

        /** USD of LMI's compute for a million requests at a rate that lasts all month, by whole instances. */
        double lmiUsdPerMillion(Cost.Tariff tariff, Cost.Layout layout, double perSecond) {
            int instances = layout.instances(tariff, demand, perSecond);
            double requests = perSecond * Cost.SECONDS_PER_MONTH;
            return Cost.lmiMonth(tariff, layout, perSecond, instances).usdPerMillion(requests);
        }
    }

    /** As this kit deploys LMI, an environment to a vCPU; on which instances is open. */
    private static Cost.Layout layout(Run.Variant lmi) {
        return new Cost.Layout("", 1, lmi.memoryMb(), 1, lmi.concurrency(), Cost.UTILIZATION);
    }

    /** All choices that the run can price, by workload and language. */
    List<Choice> choices() { return choices; }

    /** What a language's request for a workload asks of either compute; empty where one of the two was not measured. */
    private Optional<Choice> choice(String language, Run.Workload workload) {
        var matched = findings.streams.stream().filter(stream -> stream.workload.equals(workload))
                .filter(stream -> stream.variant.language().equals(language))
                .filter(stream -> stream.variant.hasOneVcpu() && !stream.variant.twin()).toList();
        var standard = matched.stream().filter(stream -> !stream.variant.lmi()).findFirst();
        var lmi = matched.stream().filter(stream -> stream.variant.lmi()).findFirst();
        if (standard.isEmpty() || lmi.isEmpty()) return Optional.empty();
        var billedMs = billedMs(standard.get());
        var cpuNs = range(lmi.get(), slot -> slot.cpuNs, slot -> slot.cpuRequests);
        var heldMs = range(lmi.get(), slot -> slot.durationMs, slot -> slot.invocations);
        if (billedMs.isEmpty() || cpuNs.isEmpty() || heldMs.isEmpty()) return Optional.empty();
        return Optional.of(new Choice(standard.get(), lmi.get(), new Cost.Demand(architecture,
                standard.get().variant.memoryMb(), billedMs.get(), cpuNs.get(), heldMs.get(),
                carriedPerSecond(lmi.get().variant, workload))));
    }

    /** What the run's searches found, where it was the function that could not carry more. */
    private Optional<Cost.Range> carriedPerSecond(Run.Variant lmi, Run.Workload workload) {
        return carried.stream().filter(one -> one.variant().equals(lmi) && one.isTheFunctions())
                .filter(one -> one.workload().name().equals(workload.name()) && one.workload().query().equals(workload.query()))
                .map(Capacities.Carried::rates).map(rates -> new Cost.Range(rates.min(), rates.at(.5), rates.max()))
                .findFirst();
    }

    /** Whether a choice goes by what a search found. */
    static boolean isSearched(Choice choice) { return choice.demand().carriedPerSecond().isPresent(); }

    private Optional<Cost.Range> billedMs(Findings.RequestStream stream) {
        return range(stream, slot -> slot.billedMs, slot -> slot.invocations);
    }

    /**
     * The mean of a request with its interval, what deployments differ by included, or alone where the run is too short
     * for one.
     */
    private Optional<Cost.Range> range(Findings.RequestStream stream, ToDoubleFunction<Findings.Slot> sum,
                                       ToLongFunction<Findings.Slot> count) {
        var figure = Verdicts.perRequest(stream, sum, count);
        double mean = figure.value();
        if (!(mean > 0)) return Optional.empty();
        var spread = Statistics.spread(findings.streams.stream()
                .filter(other -> other.workload.equals(stream.workload) && other.variant.hasOneVcpu())
                .map(other -> Verdicts.perRequest(other, sum, count)).toList());
        return Optional.of(figure.estimate(spread) instanceof Statistics.Interval(var low, var point, var high, _, _)
                ? new Cost.Range(low, point, high) : Cost.Range.exactly(mean));
    }

    /** The LMI functions that one capacity provider of all would serve. */
    int lmiFunctions() {
        return (int) run.plan().variants().stream().filter(variant -> variant.lmi() && !variant.twin()).count();
    }

    /**
     * The load of one LMI environment, in requests/s: as it was measured, with the share of its vCPU and the p95 that
     * went with it; in the smallest fleet at the break-even; and in a fleet that is as full as the answer lets it be.
     * What lies beyond the measured load is arithmetic: nobody has seen the p95 there.
     *
     * @param environments  of the function while it was measured; NaN, and with it all of the load, where nobody told
     */
    record Headroom(double environments, double measured, double cpuShare, double p95Ms, double atBreakEven,
                    double full) {}

    Headroom headroom(Choice choice) {
        var stream = choice.lmi();
        var found = choice.breakEven(listPrices());
        double environments = environments(stream), measured = choice.measuredPerSecond() / environments;
        double p95Ms = stream.latencies().map(latencies -> latencies.percentiles(.95)[0]).orElse(Double.NaN);
        int inSmallestFleet = prices.lmi().minimumInstances() * found.layout().environments(listPrices());
        return new Headroom(environments, measured, measured * choice.demand().cpuNs().value() / 1e9, p95Ms,
                found.perSecond().value() / inSmallestFleet,
                found.layout().perEnvironment(choice.demand()).value());
    }

    /** By the target's own count while the stream was measured, or as many as it was told to keep. */
    private double environments(Findings.RequestStream stream) {
        var counted = findings.telemetry.stream().filter(of -> stream.workload.name().equals(of.cell().workload()))
                .mapToDouble(of -> of.largest(stream.variant.name(), "environments")).filter(Double::isFinite).max();
        return counted.orElseGet(() -> run.environment("target", "lmiEnvironments")
                .map(kept -> ((Number) kept).doubleValue()).orElse(Double.NaN));
    }

    // ==== A million requests ====

    /**
     * A million requests of a stream, item by item: on standard, or on LMI with a capacity provider of its own at the
     * rate that was measured. Empty where nothing was billed or is priced.
     */
    Optional<Cost.Bill> million(Findings.RequestStream stream) {
        var variant = stream.variant;
        if (!isPriced(stream.workload) || variant.twin()) return Optional.empty();
        if (!variant.lmi()) return billedMs(stream)
                .map(billedMs -> Cost.bill(listPrices(), million(stream, billedMs.value()).uses()));
        return choices().stream().filter(choice -> choice.lmi() == stream).findFirst().map(choice -> {
            double perSecond = choice.measuredPerSecond(), hours = 1e6 / perSecond / 3600;
            var layout = choice.cheapest(listPrices(), 1, perSecond);
            int instances = layout.instances(listPrices(), choice.demand(), perSecond);
            var uses = new ArrayList<>(million(stream, 0).uses());
            uses.add(new Cost.Use.Fleet(variant.name(), layout.instanceType(), instances * hours));
            return Cost.bill(listPrices(), uses);
        });
    }

    private Cost.Traffic million(Findings.RequestStream stream, double billedMs) {
        double million = 1e6, stored = stream.workload.name().equals(STORE) ? million : 0;
        return traffic(stream.variant, million, million * billedMs, 0, stored);
    }

    private Cost.Traffic traffic(Run.Variant variant, double requests, double billedMs, double initMs, double stored) {
        return new Cost.Traffic(variant.name(), variant.lmi(), architecture, variant.memoryMb(), requests, billedMs,
                initMs, stored, requests * Cost.REPLY_BYTES, requests * Cost.LOG_BYTES);
    }

    // ==== As run ====

    /**
     * What the run itself cost, or would have cost on AWS: one line for each kind of item.
     *
     * @param notes  by item: what its quantity is made of, or why there is none
     * @param estimatedUsd  what the run was agreed to cost; NaN where nobody had to agree
     */
    record AsRun(Cost.Bill bill, SequencedMap<String, Note> notes, double estimatedUsd) {}

    /** What stands beside an item of the bill, or in an item's place. */
    sealed interface Note {
        /** Whose requests are not on the bill. */
        record FailedCells(long cells) implements Note {}

        /** A smallest fleet for each function: its instances, and how long each was up. */
        record Fleets(int instances, String type, double minutes) implements Note {}

        /** The machine that k6 ran on. */
        record Generator(String type) implements Note {}

        record GeneratorUnpriced(String type) implements Note {}

        record GeneratorUnknown() implements Note {}
    }

    /** By the formula of the estimate. */
    AsRun asRun() {
        var notes = new LinkedHashMap<String, Note>();
        var traffic = new ArrayList<Cost.Traffic>();
        for (var variant : run.plan().variants()) traffic.add(used(variant));
        double stored = run.isLocal() ? 0 : run.cells().stream().filter(cell -> cell.stored() != null)
                .mapToDouble(cell -> cell.stored().objects()).sum();
        traffic.add(new Cost.Traffic("stores", false, architecture, 0, 0, 0, 0, stored, 0, 0));
        long failed = run.cells().stream().filter(cell -> !cell.outcome().isMeasured()).count();
        if (failed > 0) notes.put("failed cells", new Note.FailedCells(failed));
        double hours = hoursUp();
        var uses = Cost.usesOfRun(traffic, fleets(hours, notes));
        generator(hours, notes).ifPresent(uses::add);
        double estimatedUsd = run.environment("target", "estimatedUsd")
                .map(usd -> ((Number) usd).doubleValue()).orElse(Double.NaN);
        return new AsRun(Cost.bill(listPrices(), uses).byName(), notes, estimatedUsd);
    }

    /**
     * One variant's share: its cells' invocations, and the warm-ups', which carry no finding but are billed.
     * A warm-up asks for all workloads at once, so on one machine it is not priced but for the starts.
     */
    private Cost.Traffic used(Run.Variant variant) {
        var streams = findings.streams.stream()
                .filter(stream -> stream.variant.equals(variant) && isPriced(stream.workload)).toList();
        double requests = streams.stream().mapToLong(stream -> stream.sum(slot -> slot.invocations)).sum();
        double billedMs = streams.stream().mapToDouble(stream -> stream.total(slot -> slot.billedMs)).sum();
        var warmUp = findings.warmUps.getOrDefault(variant.name(), Findings.Invoiced.NOTHING);
        var others = otherStudies(variant);
        requests += others.invocations();
        billedMs += others.billedMs();
        if (run.isLocal()) return traffic(variant, requests, billedMs + warmUp.initMs(), warmUp.initMs() + others.initMs(), 0);
        double initMs = findings.initMs.getOrDefault(variant.name(), List.of()).stream().reduce(0.0, Double::sum);
        return traffic(variant, requests + warmUp.invocations(), billedMs + warmUp.billedMs(), initMs + others.initMs(), 0);
    }

    /** What the studies of shape, capacity and cold starts asked of it. */
    private Findings.Invoiced otherStudies(Run.Variant variant) {
        return findings.told.values().stream().filter(told -> !run.isLocal() || !STORE.equals(told.telemetry().cell().workload()))
                .map(told -> told.invocations().getOrDefault(variant.name(), Findings.Invoiced.NOTHING))
                .reduce(Findings.Invoiced.NOTHING, Findings.Invoiced::plus);
    }

    /**
     * From the run's start until all was removed, which is when it is finished. A run that was interrupted and resumed
     * was removed in between: it is up again from the warm-up that every start of the functions begins with.
     */
    private double hoursUp() {
        Instant from = run.started(), to = from;
        double hours = 0;
        for (var cell : run.cells().stream().sorted(Comparator.comparing(Run.Cell::started)).toList()) {
            if (cell.workload() == null && to.isAfter(from)) {
                hours += hours(from, to);
                from = cell.started();
            }
            to = cell.ended();
        }
        return hours + hours(from, run.finished() == null ? to : run.finished());
    }

    private static double hours(Instant from, Instant to) { return Duration.between(from, to).toMillis() / 3.6e6; }

    /** A smallest fleet for each LMI function. */
    private List<Cost.Use> fleets(double hours, Map<String, Note> notes) {
        var functions = run.plan().variants().stream().filter(Run.Variant::lmi).toList();
        if (functions.isEmpty()) return List.of();
        // Without a word from the target it is the smallest that holds an environment: what this kit deploys.
        String type = text("lmiInstanceType").orElseGet(() ->
                Cost.smallest(listPrices(), layout(functions.getFirst()), architecture).instanceType());
        int instances = prices.lmi().minimumInstances();
        notes.put("LMI instances", new Note.Fleets(instances, type, hours * 60));
        return List.of(new Cost.Use.Fleet("lmi", type, functions.size() * instances * hours));
    }

    /** The machine that k6 ran on, where it was one of AWS's. */
    private Optional<Cost.Use> generator(double hours, Map<String, Note> notes) {
        var type = run.environment("machine", "instanceType").map(Object::toString);
        if (type.isEmpty()) notes.put("load generator", new Note.GeneratorUnknown());
        else if (!listPrices().region().instances().containsKey(type.get())) {
            notes.put("load generator", new Note.GeneratorUnpriced(type.get()));
        } else {
            notes.put("EC2 instances", new Note.Generator(type.get()));
            return Optional.of(new Cost.Use.Machine("load generator", type.get(), hours));
        }
        return Optional.empty();
    }
}
