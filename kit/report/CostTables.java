// The tables of a run's cost: from which rate on LMI is the cheaper, what a million requests cost, and what the run
// itself did.
//
// A run that is not valid has no costs, and one that claims nothing has them as a look: without a break-even, or what
// else somebody may decide by. The table that would have been there says why it isn't.

//SOURCES ../judge/Cost.java
//SOURCES ../judge/Findings.java
//SOURCES ../judge/Reason.java
//SOURCES ../judge/RunCost.java
//SOURCES Numbers.java
//SOURCES Tables.java
//SOURCES Words.java

import module java.base;
import tech.tablesaw.api.Table;

/** Each method makes one table; those of a run on one machine say that they are a model. */
final class CostTables {
    private final Findings findings;
    private final RunCost cost;
    /** Why there are no costs, and why there is nothing to decide by; empty where there is. */
    private final Optional<Reason> noCosts, noAdvice;

    CostTables(Findings findings, RunCost cost, boolean isValid) {
        this.findings = findings;
        this.cost = cost;
        noCosts = isValid ? Optional.empty() : Optional.of(new Reason.NotValid());
        noAdvice = findings.run.plan().claims() ? noCosts : noCosts.or(() -> Optional.of(new Reason.ClaimsNothing()));
    }

    /** Whether there is something to decide by. */
    boolean advise() { return noAdvice.isEmpty(); }

    /** What stands in place of a table for this reason; empty without one. */
    private static Optional<Table> insteadOf(String title, Optional<Reason> reason) {
        return reason.map(why -> new Tables.Rows("not shown").row(Words.of(why)).table(title));
    }

    Table breakEven() {
        String title = "Standard or LMI: from which rate on" + modelled();
        var instead = insteadOf(title, noAdvice);
        if (instead.isPresent()) return instead.get();
        var tariff = cost.tariff(Cost.Discount.NONE);
        var table = new Tables.Rows("workload", "language", "instances", "LMI is cheaper").figures(List.of(
                "standard [USD per million]", "LMI, one more million [USD]", "smallest LMI fleet [USD a month]"));
        for (var choice : cost.choices()) {
            var answer = choice.breakEven(tariff);
            table.row(choice.workload().name(), choice.language(), answer.layout().instanceType(), Words.of(answer))
                    .figure("standard [USD per million]", answer.standardUsdPerMillion())
                    .figure("LMI, one more million [USD]", answer.lmiUsdPerMillion())
                    .figure("smallest LMI fleet [USD a month]", answer.fleetUsdPerMonth());
        }
        return table.table(title);
    }

    /** The same rates under each discount of the price list; ∞ is never. */
    Table discounts() {
        String title = "Break-even rates under discounts" + modelled();
        var instead = insteadOf(title, noAdvice);
        if (instead.isPresent()) return instead.get();
        var discounts = Stream.concat(Stream.of(Cost.Discount.NONE), cost.prices.discounts().stream()).toList();
        var table = new Tables.Rows("workload", "language")
                .figures(discounts.stream().map(discount -> discount.name() + " [1/s]").toList());
        for (var choice : cost.choices()) {
            table.row(choice.workload().name(), choice.language());
            for (var discount : discounts) {
                var answer = choice.breakEven(cost.tariff(discount));
                table.figure(discount.name() + " [1/s]", answer.perSecond().value());
            }
        }
        return table.table(title);
    }

    /** What a title of a local run's costs ends with; empty for one on AWS. */
    String modelled() {
        return findings.run.isLocal() ? " (a model of AWS, fed with this machine's CPU and durations)" : "";
    }

    /**
     * What a function pays for LMI's compute, with a capacity provider of its own and with one that all share: at the
     * measured rate, at the break-even, where standard costs the same, and for requests more once the fleet is full.
     */
    Table perMillion() {
        String title = "LMI's compute for a million requests, at a rate that lasts all month" + modelled();
        var instead = insteadOf(title, noAdvice);
        if (instead.isPresent()) return instead.get();
        var tariff = cost.tariff(Cost.Discount.NONE);
        var table = new Tables.Rows(
                "workload", "language", "capacity provider", "fleet at the measured rate", "break-even on")
                .figures(List.of("measured [1/s]", "there LMI costs [USD]", "break-even [1/s]",
                        "there both cost [USD]", "LMI, one more million [USD]"));
        int all = cost.lmiFunctions();
        for (var choice : cost.choices()) for (int functions : all > 1 ? new int[] {1, all} : new int[] {1}) {
            var answer = choice.breakEven(tariff, functions);
            double measured = choice.measuredPerSecond(), breakEven = answer.perSecond().value();
            var layout = choice.cheapest(tariff, functions, measured);
            table.row(choice.workload().name(), choice.language(),
                            functions == 1 ? "its own" : "shared by " + functions,
                            layout.instances(tariff, choice.demand(), measured) + " " + layout.instanceType(),
                            answer.layout().instanceType())
                    .figure("measured [1/s]", measured)
                    .figure("there LMI costs [USD]", choice.lmiUsdPerMillion(tariff, layout, measured))
                    .figure("break-even [1/s]", breakEven).figure("there both cost [USD]",
                            Double.isInfinite(breakEven) ? Double.NaN : answer.standardUsdPerMillion())
                    .figure("LMI, one more million [USD]", answer.lmiUsdPerMillion());
        }
        return table.table(title);
    }

    /** How far beyond what was measured the break-even reaches. */
    Table headroom() {
        boolean searched = cost.choices().stream().anyMatch(RunCost::isSearched);
        String title = ("Load of one LMI environment: as measured, at the break-even, and full, "
                + "which is %s%s %% of its CPU or of its slots%s").formatted(
                        searched ? "what the searches found, or where they found nothing " : "",
                        Numbers.figure(100 * Cost.UTILIZATION), modelled());
        var instead = insteadOf(title, noAdvice);
        if (instead.isPresent()) return instead.get();
        var table = new Tables.Rows("workload", "language").figures(List.of("environments", "measured [1/s]",
                "CPU [%]", "p95 [ms]", "at break-even [1/s]", "at break-even / measured", "full [1/s]",
                "full / measured"));
        for (var choice : cost.choices()) {
            var load = cost.headroom(choice);
            table.row(choice.workload().name(), choice.language())
                    .figure("environments", load.environments()).figure("measured [1/s]", load.measured())
                    .figure("CPU [%]", 100 * load.cpuShare()).figure("p95 [ms]", load.p95Ms())
                    .figure("at break-even [1/s]", load.atBreakEven())
                    .figure("at break-even / measured", load.atBreakEven() / load.measured())
                    .figure("full [1/s]", load.full()).figure("full / measured", load.full() / load.measured());
        }
        return table.table(title);
    }

    /** What a million requests cost and each item's share; on LMI with a capacity provider of the function's own. */
    Table costItems() {
        String title = "A million requests and each item's share; on LMI at the measured rate" + modelled();
        var instead = insteadOf(title, noCosts);
        if (instead.isPresent()) return instead.get();
        var bills = new LinkedHashMap<Findings.RequestStream, Cost.Bill>();
        for (var stream : findings.streams) {
            cost.million(stream).ifPresent(bill -> bills.put(stream, bill));
        }
        var items = bills.values().stream().flatMap(bill -> bill.items().stream())
                .map(item -> item.name() + " [%]").distinct().toList();
        var table = new Tables.Rows("workload", "variant").figures(List.of("USD per million")).figures(items);
        bills.forEach((stream, bill) -> {
            table.row(stream.workload.name(), stream.variant.name()).figure("USD per million", bill.totalUsd());
            for (var item : bill.items()) table.figure(item.name() + " [%]", 100 * bill.share(item));
        });
        return table.table(title);
    }

    /** What the run itself cost, item by item; what has no price says why. */
    Table asRun() throws IOException {
        String title = !findings.run.isLocal() ? "What this run cost"
                : "What this run, without store and the warm-up's requests, would have cost on AWS" + modelled();
        var instead = insteadOf(title, noCosts);
        if (instead.isPresent()) return instead.get();
        var asRun = cost.asRun();
        boolean isEstimated = !Double.isNaN(asRun.estimatedUsd());
        var table = new Tables.Rows("item", "unit").figures(List.of("quantity", "USD a unit", "USD", "share [%]"))
                .figures(isEstimated ? List.of("estimated [USD]") : List.of());
        var notes = new LinkedHashMap<>(asRun.notes());
        for (var item : asRun.bill().items()) {
            var note = notes.remove(item.name());
            table.row(item.name() + (note == null ? "" : ": " + Words.of(note)), item.unit())
                    .figure("quantity", item.quantity()).figure("USD a unit", item.unitPriceUsd())
                    .figure("USD", item.usd()).figure("share [%]", 100 * asRun.bill().share(item));
        }
        notes.forEach((item, why) -> table.row(item + ": " + Words.of(why), ""));
        table.row("in all", "").figure("USD", asRun.bill().totalUsd()).figure("share [%]", 100);
        if (isEstimated) table.figure("estimated [USD]", asRun.estimatedUsd());
        return table.table(title);
    }

    /** AWS's own rule, for a reader to hold the run's answer against, and whose prices are used. */
    String ruleOfThumb() {
        var rule = cost.prices.ruleOfThumb();
        return ("AWS's own rule of thumb: LMI from %s to %s million requests a month on (%s). "
                + "Prices: %s.").formatted(
                Numbers.figure(rule.fromRequestsPerMonth() / 1e6), Numbers.figure(rule.toRequestsPerMonth() / 1e6),
                cost.prices.sources().get(rule.source()).title(), Words.of(cost.pricesUsed()));
    }
}
