// What it costs: a list of usage in, an itemised bill out; and from how many requests a second on Managed Instances
// (LMI) are cheaper than standard Lambda.
//
// The same bill() prices a plan before a run, the measured quantities after it, and a month at any rate; only where
// the quantities come from differs. A break-even needs what a request was measured to take: the time that standard
// bills, the CPU that LMI's instances spend. LMI's fixed part is its smallest fleet and standard has none, so that
// standard is always the cheaper one at low rates, and LMI's turn comes from some rate on, or never.
//
// Left out, as they are the same on both sides, depend on the account, or vanish: free tiers, taxes, NAT gateways and
// VPC endpoints, the instances' disks, CloudWatch's metrics, what objects, items and logs cost to read and to keep for
// the hours of a run. Prices are in data/prices.json, each with its source. Money is double: its sixteen digits keep a
// bill of a million dollars right to a billionth of one.

//DEPS com.fasterxml.jackson.core:jackson-databind:2.19.2

//SOURCES ../record/Run.java

import module java.base;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;

final class Cost {
    /** AWS's calculators take a month for 730 hours (365 days of 24 hours, in twelve parts). */
    static final double HOURS_PER_MONTH = 730;
    static final double SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600;

    /** The part of an LMI fleet that is in use: AWS keeps it large enough to take 50 % more load at once. */
    static final double UTILIZATION = 1 / 1.5;

    /** Steps of the fleet that a curve draws as steps; on a logarithmic axis later ones are narrower than the line. */
    private static final int STEPS_DRAWN = 24;

    /** AWS's GB of storage, logs and transfer. */
    static final double BYTES_PER_GB = 1L << 30;

    /** Assumed of a request: a small reply with REST API's headers; Lambda's log lines (start, runtimeDone, report). */
    static final double REPLY_BYTES = 600, LOG_BYTES = 700;

    private Cost() {}

    // ==== Prices ====

    /** Texts are taken for numbers, as decimals are written in quotes; what is missing is not taken for 0. */
    private static final JsonMapper JSON = JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES).build();
    /** A price list comes with a run, from whomever; AWS has some forty regions and a thousand instance types. */
    private static final int MOST_ENTRIES = 2_000;
    private static final double MOST_USD = 1e6, MOST_UNITS = 1e15;

    private static void mapped(String field, Map<?, ?> map) {
        Run.check(map != null && !map.isEmpty(), field + " are missing");
        Run.check(map.size() <= MOST_ENTRIES && map.values().stream().noneMatch(Objects::isNull),
                field + " has more than %d entries, or null in it".formatted(MOST_ENTRIES));
    }

    /** data/prices.json; {@link #of} reads it. Every price names one of the sources. */
    record Prices(int schema, String compiled, String currency, String note, Map<String, Source> sources, Lmi lmi,
                  RuleOfThumb ruleOfThumb, List<Discount> discounts, Map<String, Region> regions) {

        Prices {
            Run.check(schema == 1, "prices of schema " + schema + ", this kit reads 1");
            Run.texted("compiled", compiled);
            Run.check(lmi != null && ruleOfThumb != null, "lmi or ruleOfThumb is missing");
            discounts = Run.distinct("discounts", discounts, Discount::name, MOST_ENTRIES);
            mapped("sources", sources);
            mapped("regions", regions);
            var cited = new TreeSet<>(List.of(lmi.source(), lmi.feeSource(), ruleOfThumb.source()));
            for (var discount : discounts) cited.add(discount.source());
            for (var region : regions.values()) {
                for (var price : region.prices().values()) cited.add(price.source());
                for (var instance : region.instances().values()) cited.add(instance.source());
            }
            cited.removeAll(sources.keySet());
            if (!cited.isEmpty()) throw new IllegalArgumentException("prices without a source: " + cited);
        }

        /** Prices from JSON; throws an IllegalArgumentException that says what is wrong with it. */
        static Prices of(JsonNode json) {
            try {
                return JSON.treeToValue(json, Prices.class);
            } catch (JsonProcessingException notPrices) {
                throw new IllegalArgumentException("these are no prices: " + Run.reason(notPrices), notPrices);
            }
        }

        /** What holds in one region under one discount. */
        Tariff tariff(String region, Discount discount) {
            var prices = regions.get(region);
            if (prices == null) throw new IllegalArgumentException(
                    "no prices for " + region + ", only for " + String.join(", ", new TreeSet<>(regions.keySet())));
            return new Tariff(prices, lmi, discount);
        }
    }

    /** Where figures come from. Dates are ISO, to the month where the source says no more. */
    record Source(String title, String url, String date) {
        Source {
            Run.texted("title", title);
            Run.texted("date", date);
            if (!date.matches("\\d{4}-\\d{2}(-\\d{2})?"))
                throw new IllegalArgumentException("'" + date + "' is no date");
        }
    }

    /** The price of one thing by the unit; later units of a month may be cheaper. */
    record Price(String unit, String source, List<Tier> tiers) {
        Price {
            Run.texted("unit", unit);
            Run.texted("source", source);
            tiers = Run.listed("tiers", tiers, MOST_ENTRIES);
            Run.check(!tiers.isEmpty(), "a price has no tier");
        }

        /** The price of a quantity when so much of the same thing has been used before it in the month, USD. */
        double usd(double before, double quantity) {
            double usd = 0, from = 0;
            for (var tier : tiers) {
                usd += tier.usd() * Math.max(0, Math.min(before + quantity, tier.upTo()) - Math.max(before, from));
                from = tier.upTo();
            }
            return usd;
        }

        double first() { return tiers.getFirst().usd(); }
    }

    /** USD by the unit, up to and with so many units a month; the last tier has no end, and gives none in JSON. */
    record Tier(double usd, Double upTo) {
        Tier {
            if (upTo == null || upTo == 0) upTo = Double.POSITIVE_INFINITY;
            Run.within("usd", usd, 0, MOST_USD);
            Run.check(upTo > 0, "upTo is " + upTo);
        }
    }

    /** An EC2 instance type, and whether LMI runs on it. */
    record Instance(String architecture, int vcpus, int memoryGib, boolean lmi, double usdPerHour, String source) {
        Instance {
            Run.check("arm64".equals(architecture) || "x86_64".equals(architecture),
                    "architecture is " + architecture + ", not arm64 or x86_64");
            Run.within("vcpus", vcpus, 1, 10_000);
            Run.within("memoryGib", memoryGib, 1, 100_000);
            Run.within("usdPerHour", usdPerHour, 0, MOST_USD);
            Run.texted("source", source);
        }
    }

    /**
     * What LMI adds to EC2.
     *
     * @param feeFraction    management fee, of EC2's on-demand price whatever the discount
     * @param reservedVcpus  what an instance keeps for itself, like {@code reservedGib} of its memory
     */
    record Lmi(double feeFraction, String feeSource, int minimumInstances, int reservedVcpus, int reservedGib,
               String source) {
        Lmi {
            Run.within("feeFraction", feeFraction, 0, 10);
            Run.within("minimumInstances", minimumInstances, 1, 1_000);
            Run.within("reservedVcpus", reservedVcpus, 0, 100);
            Run.within("reservedGib", reservedGib, 0, 1_000);
            Run.texted("feeSource", feeSource);
            Run.texted("source", source);
        }
    }

    /** AWS's own rule: LMI becomes cheaper somewhere between these rates. */
    record RuleOfThumb(double fromRequestsPerMonth, double toRequestsPerMonth, String source) {
        RuleOfThumb {
            Run.within("fromRequestsPerMonth", fromRequestsPerMonth, 1, MOST_UNITS);
            Run.within("toRequestsPerMonth", toRequestsPerMonth, fromRequestsPerMonth, MOST_UNITS);
            Run.texted("source", source);
        }
    }

    /** Fractions off GB-seconds and off EC2 hours; requests and LMI's fee are never discounted. */
    record Discount(String name, double lambda, double ec2, String source) {
        Discount {
            Run.texted("name", name);
            Run.within("lambda", lambda, 0, 1);
            Run.within("ec2", ec2, 0, 1);
            Run.texted("source", source);
        }

        static final Discount NONE = new Discount("list price", 0, 0, "");
    }

    /** One region's prices, by {@link Meter#key}, and instance types. */
    record Region(Map<String, Price> prices, Map<String, Instance> instances) {
        Region {
            mapped("prices", prices);
            mapped("instances", instances);
            for (var meter : Meter.values()) if (!prices.containsKey(meter.key()))
                throw new IllegalArgumentException("no price for " + meter.key());
        }
    }

    record Tariff(Region region, Lmi lmi, Discount discount) {
        Price price(Meter meter) { return region.prices().get(meter.key()); }

        Instance instance(String type) {
            var instance = region.instances().get(type);
            if (instance == null) throw new IllegalArgumentException("no price for instance type " + type);
            return instance;
        }
    }

    /** What AWS counts and charges by the unit. */
    enum Meter {
        LAMBDA_REQUESTS("Lambda requests"), LAMBDA_GB_SECONDS_X86("GB-seconds"), LAMBDA_GB_SECONDS_ARM("GB-seconds"),
        LMI_REQUESTS("LMI requests"), REST_API_REQUESTS("REST API requests"),
        S3_PUTS("S3 PUTs"), DYNAMODB_WRITES("DynamoDB writes"),
        LOGS_INGESTED("logs ingested"), TRANSFER_OUT("transfer out");

        final String title;

        Meter(String title) { this.title = title; }

        /** Its name in prices.json. */
        String key() { return name().toLowerCase(Locale.ROOT).replace('_', '-'); }

        static Meter gbSeconds(String architecture) {
            return switch (architecture) {
                case "arm64" -> LAMBDA_GB_SECONDS_ARM;
                case "x86_64" -> LAMBDA_GB_SECONDS_X86;
                default -> throw new IllegalArgumentException("Lambda has no architecture '" + architecture + "'");
            };
        }
    }

    // ==== Usage ====

    /** Something that costs money, and who caused it (a variant, a capacity provider, "load generator" …). */
    sealed interface Use {
        String owner();

        /** Standard Lambda's requests, the sum of their billed milliseconds, and how many of those were INIT. */
        record Standard(String owner, String architecture, int memoryMb, double requests, double billedMs,
                        double initMs) implements Use {
            double gbSeconds(double ms) { return ms / 1000 * memoryMb / 1024; }
        }

        /**
         * The instances of one capacity provider, from first launch to last termination: in a plan, LMI's smallest
         * fleet times the hours it is up, once for each provider, however many functions share it.
         */
        record Fleet(String owner, String instanceType, double instanceHours) implements Use {}

        /** An EC2 instance that is not LMI's: the load generator. */
        record Machine(String owner, String instanceType, double hours) implements Use {}

        record Metered(String owner, Meter meter, double quantity) implements Use {}
    }

    /**
     * One variant's share of a run, planned or measured; every quantity is the sum over its requests.
     *
     * @param billedMs  of standard, INIT included, which is billed of custom runtimes always and of managed ones since
     *                  2025-08-01; {@code initMs} of them are INIT. LMI bills neither
     * @param stored    requests that stored an object (one PUT) and an item (one write unit, as it is under 1 KB)
     */
    record Traffic(String variant, boolean lmi, String architecture, int memoryMb, double requests, double billedMs,
                   double initMs, double stored, double replyBytes, double logBytes) {

        List<Use> uses() {
            var compute = lmi ? new Use.Metered(variant, Meter.LMI_REQUESTS, requests)
                    : new Use.Standard(variant, architecture, memoryMb, requests, billedMs, initMs);
            return List.of(compute,
                    new Use.Metered(variant, Meter.REST_API_REQUESTS, requests),
                    new Use.Metered(variant, Meter.S3_PUTS, stored),
                    new Use.Metered(variant, Meter.DYNAMODB_WRITES, stored),
                    new Use.Metered(variant, Meter.LOGS_INGESTED, logBytes / BYTES_PER_GB),
                    new Use.Metered(variant, Meter.TRANSFER_OUT, replyBytes / BYTES_PER_GB));
        }
    }

    /** Everything that a run uses, planned or measured: its variants' traffic, emptying the table, and LMI's fleets. */
    static List<Use> usesOfRun(Collection<Traffic> traffic, Collection<Use> fleets) {
        var uses = new ArrayList<Use>();
        for (var share : traffic) uses.addAll(share.uses());
        double stored = traffic.stream().mapToDouble(Traffic::stored).sum();
        uses.add(new Use.Metered("emptying the table", Meter.DYNAMODB_WRITES, stored));
        uses.addAll(fleets);
        return uses;
    }

    // ==== Bill ====

    /** One line; the unit's price is what was paid on average, after tiers and discount. */
    record Item(String owner, String name, double quantity, String unit, double unitPriceUsd, double usd) {

        /** This item and more of its kind, which no longer has one owner. */
        private Item plus(double quantity, double usd) {
            double together = this.quantity + quantity, togetherUsd = this.usd + usd;
            return new Item("", name, together, unit, togetherUsd / together, togetherUsd);
        }
    }

    record Bill(List<Item> items) {
        double totalUsd() { return items.stream().mapToDouble(Item::usd).reduce(0, Double::sum); }

        /** The item's part of the total, 0 to 1. */
        double share(Item item) { return totalUsd() == 0 ? 0 : item.usd() / totalUsd(); }

        double usdPerMillion(double requests) { return totalUsd() / requests * 1e6; }

        /** The same total with one line for each kind of item, whoever caused it. */
        Bill byName() {
            var lines = new LinkedHashMap<String, Item>();
            for (var item : items) lines.merge(item.name(), item.plus(0, 0), (a, b) -> a.plus(b.quantity(), b.usd()));
            return new Bill(List.copyOf(lines.values()));
        }
    }

    /** The bill for all of it in one month and account: later uses find the tiers that earlier ones have reached. */
    static Bill bill(Tariff tariff, List<Use> uses) {
        var items = new ArrayList<Item>();
        var used = new EnumMap<Meter, Double>(Meter.class);
        var discount = tariff.discount();
        for (var use : uses) switch (use) {
            case Use.Metered(var owner, var meter, var quantity) ->
                items.add(metered(tariff, used, owner, meter, "", quantity, 0));
            case Use.Standard it -> {
                var meter = Meter.gbSeconds(it.architecture());
                double init = it.gbSeconds(it.initMs()), warm = it.gbSeconds(it.billedMs()) - init;
                items.add(metered(tariff, used, it.owner(), Meter.LAMBDA_REQUESTS, "", it.requests(), 0));
                items.add(metered(tariff, used, it.owner(), meter, "", warm, discount.lambda()));
                items.add(metered(tariff, used, it.owner(), meter, " of INIT", init, discount.lambda()));
            }
            case Use.Fleet(var owner, var type, var hours) -> {
                double onDemand = tariff.instance(type).usdPerHour();
                items.add(hourly(owner, "LMI instances", hours, onDemand * (1 - discount.ec2())));
                items.add(hourly(owner, "LMI management fee", hours, onDemand * tariff.lmi().feeFraction()));
            }
            case Use.Machine(var owner, var type, var hours) -> items.add(hourly(owner, "EC2 instances", hours,
                    tariff.instance(type).usdPerHour() * (1 - discount.ec2())));
        }
        items.removeIf(item -> item.quantity() == 0);
        return new Bill(List.copyOf(items));
    }

    private static Item metered(Tariff tariff, Map<Meter, Double> used, String owner, Meter meter, String suffix,
                                double quantity, double discount) {
        var price = tariff.price(meter);
        double before = used.getOrDefault(meter, 0.0);
        double usd = price.usd(before, quantity) * (1 - discount);
        used.put(meter, before + quantity);
        return new Item(owner, meter.title + suffix, quantity, price.unit(), usd / quantity, usd);
    }

    private static Item hourly(String owner, String name, double hours, double usdPerHour) {
        return new Item(owner, name, hours, "hour", usdPerHour, hours * usdPerHour);
    }

    // ==== Standard or LMI ====

    /** A figure with its interval; infinite where there is no end. */
    record Range(double low, double value, double high) {
        Range {
            if (!(low <= value && value <= high))
                throw new IllegalArgumentException("no range: " + low + ", " + value + ", " + high);
        }

        static Range exactly(double value) { return new Range(value, value, value); }

        /** The range of something that rises with this. */
        Range map(DoubleUnaryOperator rising) {
            return new Range(rising.applyAsDouble(low), rising.applyAsDouble(value), rising.applyAsDouble(high));
        }
    }

    /**
     * What one language's request for one workload asks of either compute. Means, since a bill adds up; never medians.
     *
     * @param memoryMb        of the standard function
     * @param billedMs        that standard bills, its share of INIT included
     * @param cpuNs           CPU time on LMI
     * @param heldMs          that it holds one of the slots of an LMI environment
     * @param carriedPerSecond requests/s that an LMI environment of one vCPU carried within limits of latency and errors,
     *                        by searches; empty where no run has looked for it
     */
    record Demand(String architecture, int memoryMb, Range billedMs, Range cpuNs, Range heldMs,
                  Optional<Range> carriedPerSecond) {}

    /**
     * How LMI is to serve it: environments of this size, each with slots for so many requests, on these instances.
     *
     * @param functions  that share the instances in equal parts, environments and cost: 1 where the function has a
     *                   capacity provider of its own
     */
    record Layout(String instanceType, int functions, int memoryMb, double vcpus, int slots, double utilization) {

        Layout on(String instanceType) {
            return new Layout(instanceType, functions, memoryMb, vcpus, slots, utilization);
        }

        Layout sharedBy(int functions) {
            return new Layout(instanceType, functions, memoryMb, vcpus, slots, utilization);
        }

        /** The function's environments on an instance, beside what that keeps for itself and gives to the others. */
        int environments(Tariff tariff) {
            var instance = tariff.instance(instanceType);
            double byCpu = (instance.vcpus() - tariff.lmi().reservedVcpus()) / vcpus;
            double byMemory = (instance.memoryGib() - tariff.lmi().reservedGib()) * 1024.0 / memoryMb;
            return (int) Math.min(byCpu, byMemory) / functions;
        }

        /** Requests/s that an environment serves: what searches found, else until CPU or slots (Little's law) are used up. */
        Range perEnvironment(Demand demand) {
            if (demand.carriedPerSecond().isPresent()) return demand.carriedPerSecond().get().map(perVcpu -> vcpus * perVcpu);
            DoubleBinaryOperator served = (cpuNs, heldMs) ->
                    utilization * Math.min(vcpus * 1e9 / cpuNs, slots * 1000 / heldMs);
            Range cpu = demand.cpuNs(), held = demand.heldMs();
            return new Range(served.applyAsDouble(cpu.high(), held.high()),
                    served.applyAsDouble(cpu.value(), held.value()), served.applyAsDouble(cpu.low(), held.low()));
        }

        /** Requests/s that the function's environments on one instance serve. */
        Range perInstance(Tariff tariff, Demand demand) {
            int environments = environments(tariff);
            if (environments == 0) throw new IllegalArgumentException(
                    (functions == 1 ? "" : functions + " x ") + memoryMb + " MB do not fit on " + instanceType);
            return perEnvironment(demand).map(perSecond -> environments * perSecond);
        }

        /** Whole instances that a rate takes, never fewer than LMI's smallest fleet. */
        int instances(Tariff tariff, Demand demand, double perSecond) {
            double needed = Math.ceil(perSecond / perInstance(tariff, demand).value());
            return (int) Math.max(tariff.lmi().minimumInstances(), needed);
        }
    }

    /**
     * The rate from which on LMI is cheaper; infinite means never.
     *
     * @param layout                 what it holds for
     * @param perSecond              by the smooth form: a fleet grows by fractions of an instance; of {@link #soonest}
     *                               each end on the instance type that is the best one there
     * @param settledPerSecond       by whole instances: from here on no added one makes LMI the dearer again
     * @param instancePerSecond      requests/s of one instance
     * @param standardUsdPerMillion  of requests on standard, first tier, request fee included
     * @param lmiUsdPerMillion       of requests more on LMI once its smallest fleet is full, request fee included
     * @param fleetUsdPerMonth       the function's part of the smallest fleet
     */
    record BreakEven(Layout layout, Range perSecond, double settledPerSecond, Range instancePerSecond,
                     double standardUsdPerMillion, double lmiUsdPerMillion, double fleetUsdPerMonth) {

        Range perMonth() { return perSecond.map(rate -> rate * SECONDS_PER_MONTH); }

        private BreakEven within(Range perSecond) {
            return new BreakEven(layout, perSecond, settledPerSecond, instancePerSecond, standardUsdPerMillion,
                    lmiUsdPerMillion, fleetUsdPerMonth);
        }
    }

    /**
     * Where the two cost the same. A smooth fleet is max(smallest, rate / rate of an instance); beyond the smallest
     * both sides grow in proportion to the rate, so LMI gets ahead before that or not at all. The break-even is the
     * closed form
     *
     *     USD a month of the smallest fleet / (USD a request on standard - request fee on LMI) / seconds a month
     *
     * if the requests that an instance serves would cost more on standard than it costs, and never otherwise. It falls
     * as billed time rises, and there is none when CPU or time held rise too far; so its interval is taken at the
     * inputs' ends, all at their best and all at their worst: never too narrow. Standard is priced at its first tier,
     * within which every fleet of less than $100,000 a month breaks even; {@link #curve} has all tiers.
     */
    static BreakEven breakEven(Tariff tariff, Layout layout, Demand demand) {
        String offered = tariff.instance(layout.instanceType()).architecture(), asked = demand.architecture();
        if (!offered.equals(asked)) throw new IllegalArgumentException(
                layout.instanceType() + " is " + offered + ", the function is " + asked);
        double instanceUsd = lmiMonth(tariff, layout, 0, 1).totalUsd();
        double fleetUsd = instanceUsd * tariff.lmi().minimumInstances();
        double feeUsd = tariff.price(Meter.LMI_REQUESTS).first();
        double gbSecondUsd = tariff.price(Meter.gbSeconds(demand.architecture())).first()
                * (1 - tariff.discount().lambda());

        Range served = layout.perInstance(tariff, demand);
        Range standardUsd = demand.billedMs().map(ms -> tariff.price(Meter.LAMBDA_REQUESTS).first()
                + ms / 1000 * demand.memoryMb() / 1024 * gbSecondUsd);
        // What a request a second, kept up for a month, saves before any instance is paid for.
        Range saved = standardUsd.map(usd -> (usd - feeUsd) * SECONDS_PER_MONTH);
        DoubleBinaryOperator rate = (savedUsd, perInstance) ->
                savedUsd * perInstance > instanceUsd ? fleetUsd / savedUsd : Double.POSITIVE_INFINITY;
        var perSecond = new Range(rate.applyAsDouble(saved.high(), served.high()),
                rate.applyAsDouble(saved.value(), served.value()), rate.applyAsDouble(saved.low(), served.low()));

        // Right after k instances are full, k + 1 of them must not cost more than what the k serve costs on standard.
        double k = Math.ceil(instanceUsd / (saved.value() * served.value() - instanceUsd));
        double settled = Double.isInfinite(perSecond.value()) ? perSecond.value()
                : Math.max(fleetUsd, k * instanceUsd) / saved.value();
        double marginalUsd = instanceUsd / served.value() / SECONDS_PER_MONTH + feeUsd;
        return new BreakEven(layout, perSecond, settled, served, standardUsd.value() * 1e6, marginalUsd * 1e6,
                fleetUsd);
    }

    /**
     * The break-even on the instance type, of those with a price, where LMI is the cheaper one soonest; where it never
     * is, on the type with the cheapest requests: the one whose "never" holds for all. Whoever finds a request to be
     * lighter or heavier than measured takes the type that is best then: each end is the soonest of all types at that
     * end, which need not be the type that is the soonest by the means.
     */
    static BreakEven soonest(Tariff tariff, Layout layout, Demand demand) {
        Comparator<BreakEven> sooner = Comparator.comparingDouble(found -> found.perSecond().value());
        var all = fitting(tariff, layout, demand.architecture()).map(on -> breakEven(tariff, on, demand)).toList();
        var soonest = all.stream().min(sooner.thenComparingDouble(BreakEven::lmiUsdPerMillion)).orElseThrow();
        ToDoubleFunction<ToDoubleFunction<Range>> best = end ->
                all.stream().map(BreakEven::perSecond).mapToDouble(end).min().orElseThrow();
        return soonest.within(new Range(best.applyAsDouble(Range::low), soonest.perSecond().value(),
                best.applyAsDouble(Range::high)));
    }

    /** The same layout on the instance type that is the cheapest at a rate. */
    static Layout cheapest(Tariff tariff, Layout layout, Demand demand, double perSecond) {
        return fitting(tariff, layout, demand.architecture()).min(Comparator.comparingDouble(on ->
                lmiMonth(tariff, on, perSecond, on.instances(tariff, demand, perSecond)).totalUsd())).orElseThrow();
    }

    /** The same layout on the instance type whose smallest fleet is the cheapest. */
    static Layout smallest(Tariff tariff, Layout layout, String architecture) {
        return fitting(tariff, layout, architecture)
                .min(Comparator.comparingDouble(on -> lmiMonth(tariff, on, 0, 1).totalUsd())).orElseThrow();
    }

    /** The same layout on each instance type with a price that holds it, by name; never none. */
    private static Stream<Layout> fitting(Tariff tariff, Layout layout, String architecture) {
        var fitting = new TreeMap<>(tariff.region().instances()).entrySet().stream()
                .filter(type -> type.getValue().lmi() && type.getValue().architecture().equals(architecture))
                .map(type -> layout.on(type.getKey())).filter(on -> on.environments(tariff) > 0).toList();
        if (fitting.isEmpty()) throw new IllegalArgumentException("no instance type with a price holds " + layout);
        return fitting.stream();
    }

    /** A month of standard Lambda at a rate, all tiers. */
    static Bill standardMonth(Tariff tariff, Demand demand, double perSecond) {
        double requests = perSecond * SECONDS_PER_MONTH;
        return bill(tariff, List.of(new Use.Standard("standard", demand.architecture(), demand.memoryMb(), requests,
                requests * demand.billedMs().value(), 0)));
    }

    /** A month of a function's part of so many LMI instances, at a rate. */
    static Bill lmiMonth(Tariff tariff, Layout layout, double perSecond, double instances) {
        double hours = instances * HOURS_PER_MONTH / layout.functions();
        return bill(tariff, List.of(new Use.Fleet("lmi", layout.instanceType(), hours),
                new Use.Metered("lmi", Meter.LMI_REQUESTS, perSecond * SECONDS_PER_MONTH)));
    }

    /** Both costs of a month at a rate; LMI's by whole instances and by the smooth form. */
    record Point(double perSecond, double standardUsd, double lmiUsd, double lmiSmoothUsd, int instances) {}

    /**
     * The costs of a month over the rate: at so many rates, evenly spread on a logarithmic axis, and at each of the
     * fleet's first steps twice, with the fleet that is full and with an instance more.
     */
    static List<Point> curve(Tariff tariff, Layout layout, Demand demand, double fromPerSecond, double toPerSecond,
                             int points) {
        double perInstance = layout.perInstance(tariff, demand).value();
        int smallest = tariff.lmi().minimumInstances();
        var curve = new ArrayList<Point>();
        for (int i = 0; i < points; i++) {
            double perSecond = fromPerSecond * StrictMath.pow(toPerSecond / fromPerSecond, i / (points - 1.0));
            int instances = layout.instances(tariff, demand, perSecond);
            curve.add(point(tariff, layout, demand, perSecond, perInstance, instances));
        }
        for (int full = smallest; full < smallest + STEPS_DRAWN; full++) {
            double step = full * perInstance;
            if (step < fromPerSecond || step > toPerSecond) continue;
            curve.add(point(tariff, layout, demand, step, perInstance, full));
            curve.add(point(tariff, layout, demand, step, perInstance, full + 1));
        }
        curve.sort(Comparator.comparingDouble(Point::perSecond).thenComparingInt(Point::instances));
        return List.copyOf(curve);
    }

    private static Point point(Tariff tariff, Layout layout, Demand demand, double perSecond, double perInstance,
                               int instances) {
        double smooth = Math.max(tariff.lmi().minimumInstances(), perSecond / perInstance);
        return new Point(perSecond, standardMonth(tariff, demand, perSecond).totalUsd(),
                lmiMonth(tariff, layout, perSecond, instances).totalUsd(),
                lmiMonth(tariff, layout, perSecond, smooth).totalUsd(), instances);
    }
}
