///usr/bin/env jbang "$0" "$@" ; exit $?
// Is a bill what a hand with the price list would write, and a break-even where the two bills cross?
// Run from the repository's root: it reads data/prices.json as it is.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/judge/Cost.java

import module java.base;
import static org.junit.jupiter.api.Assertions.*;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.Test;

final class CostTest {
    static final Cost.Prices PRICES = Cost.Prices.of(json());
    static final Cost.Tariff ON_DEMAND = PRICES.tariff("us-east-1", Cost.Discount.NONE);
    static final double MILLION = 1e6, MONTH_SECONDS = 730 * 3600, NEVER = Double.POSITIVE_INFINITY;
    /** A billionth of a dollar: as exact as sums of doubles of this size are. */
    static final double EXACT = 1e-9;

    /** A request that waits for 100 ms and computes for 2 of them; one that computes all the time. */
    static final Cost.Demand WAITING = demand(100, 2), COMPUTING = demand(100, 100);

    static JsonNode json() {
        try {
            return new JsonMapper().readTree(Path.of("data/prices.json").toFile());
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    static Cost.Demand demand(double billedMs, double cpuMs) { return demand(billedMs, cpuMs, 0); }

    /** With intervals of so large a part of the value to either side. */
    static Cost.Demand demand(double billedMs, double cpuMs, double part) {
        Cost.Range time = around(billedMs, part), cpuNs = around(cpuMs * 1e6, part);
        return new Cost.Demand("arm64", 1769, time, cpuNs, time, Optional.empty());
    }

    static Cost.Range around(double value, double part) {
        return new Cost.Range(value * (1 - part), value, value * (1 + part));
    }

    static Cost.Layout on(String instanceType) {
        return new Cost.Layout(instanceType, 1, 2048, 1, 16, Cost.UTILIZATION);
    }

    static Cost.BreakEven breakEven(String instanceType, Cost.Demand demand) {
        return Cost.breakEven(ON_DEMAND, on(instanceType), demand);
    }

    static Cost.Bill bill(Cost.Use... uses) { return Cost.bill(ON_DEMAND, List.of(uses)); }

    static Cost.Use metered(Cost.Meter meter, double quantity) { return new Cost.Use.Metered("it", meter, quantity); }

    static double usd(Cost.Meter meter, double quantity) { return bill(metered(meter, quantity)).totalUsd(); }

    /** So many requests of a 1 GB function whose compute alone costs this much. */
    static Cost.Use requestsWithCompute(double requests, double computeUsd) {
        return new Cost.Use.Standard("it", "x86_64", 1024, requests, computeUsd / 0.0000166667 * 1000, 0);
    }

    // ==== Bills ====

    @Test void a_hundred_million_requests_of_python_and_rust_differ_by_18_percent_and_not_by_357() {
        double rust = bill(requestsWithCompute(100 * MILLION, 1.05)).totalUsd();
        double python = bill(requestsWithCompute(100 * MILLION, 4.80)).totalUsd();
        assertEquals(21.05, rust, EXACT);
        assertEquals(24.80, python, EXACT);
        assertEquals(18, Math.round((python / rust - 1) * 100));
        assertEquals(357, Math.round((4.80 / 1.05 - 1) * 100));
    }

    @Test void behind_a_rest_api_the_same_two_differ_by_1_percent() {
        var api = metered(Cost.Meter.REST_API_REQUESTS, 100 * MILLION);
        double rust = bill(requestsWithCompute(100 * MILLION, 1.05), api).totalUsd();
        double python = bill(requestsWithCompute(100 * MILLION, 4.80), api).totalUsd();
        assertEquals(371.05, rust, EXACT);
        assertEquals(374.80, python, EXACT);
        assertEquals(1.01, Math.round((python / rust - 1) * 1e4) / 100.0);
    }

    @Test void tiers_end_where_the_price_list_says() {
        double billion = 333 * 3.50 + 667 * 2.80;
        assertEquals(333 * 3.50, usd(Cost.Meter.REST_API_REQUESTS, 333 * MILLION), EXACT);
        assertEquals(333 * 3.50 + 2.80, usd(Cost.Meter.REST_API_REQUESTS, 334 * MILLION), EXACT);
        assertEquals(billion, usd(Cost.Meter.REST_API_REQUESTS, 1000 * MILLION), EXACT);
        assertEquals(billion + 2.38, usd(Cost.Meter.REST_API_REQUESTS, 1001 * MILLION), EXACT);
        assertEquals(billion + 19_000 * 2.38 + 1.51, usd(Cost.Meter.REST_API_REQUESTS, 20_001 * MILLION), EXACT);
        assertEquals(100_000.20, usd(Cost.Meter.LAMBDA_GB_SECONDS_X86, 6000 * MILLION), EXACT);
        assertEquals(100_015.20, usd(Cost.Meter.LAMBDA_GB_SECONDS_X86, 6001 * MILLION), EXACT);
        assertEquals(100_000.50, usd(Cost.Meter.LAMBDA_GB_SECONDS_ARM, 7500 * MILLION), EXACT);
        assertEquals(100_012.5001, usd(Cost.Meter.LAMBDA_GB_SECONDS_ARM, 7501 * MILLION), EXACT);
    }

    @Test void two_variants_share_the_tiers_of_their_account() {
        var apart = bill(metered(Cost.Meter.REST_API_REQUESTS, 300 * MILLION),
                metered(Cost.Meter.REST_API_REQUESTS, 100 * MILLION));
        assertEquals(usd(Cost.Meter.REST_API_REQUESTS, 400 * MILLION), apart.totalUsd(), EXACT);
        assertEquals((33 * 3.50 + 67 * 2.80) / 100 / MILLION, apart.items().getLast().unitPriceUsd(), 1e-15);
    }

    @Test void a_plan_costs_what_a_hand_adds_up() {
        int replyBytes = 1 << 28, logBytes = 1 << 29;
        var standard = new Cost.Traffic("rust-standard-1769", false, "arm64", 1769, 200_000, 3_000_000, 2_048, 50_000,
                replyBytes, logBytes);
        var lmi = new Cost.Traffic("rust-lmi-2048", true, "arm64", 2048, 200_000, 0, 0, 50_000, replyBytes, logBytes);
        var uses = new ArrayList<>(standard.uses());
        uses.addAll(lmi.uses());
        uses.add(new Cost.Use.Fleet("rust-lmi-2048", "m7g.large", 3 * 2.5));
        uses.add(new Cost.Use.Machine("load generator", "c7g.xlarge", 2.5));
        var bill = Cost.bill(ON_DEMAND, uses);
        assertEquals("""
                rust-standard-1769 Lambda requests 200000 request 0.04
                rust-standard-1769 GB-seconds 5179.0792 GB-second 0.06905473
                rust-standard-1769 GB-seconds of INIT 3.538 GB-second 0.00004717
                rust-standard-1769 REST API requests 200000 request 0.7
                rust-standard-1769 S3 PUTs 50000 request 0.25
                rust-standard-1769 DynamoDB writes 50000 write unit 0.03125
                rust-standard-1769 logs ingested 0.5 GB 0.25
                rust-standard-1769 transfer out 0.25 GB 0.0225
                rust-lmi-2048 LMI requests 200000 request 0.04
                rust-lmi-2048 REST API requests 200000 request 0.7
                rust-lmi-2048 S3 PUTs 50000 request 0.25
                rust-lmi-2048 DynamoDB writes 50000 write unit 0.03125
                rust-lmi-2048 logs ingested 0.5 GB 0.25
                rust-lmi-2048 transfer out 0.25 GB 0.0225
                rust-lmi-2048 LMI instances 7.5 hour 0.612
                rust-lmi-2048 LMI management fee 7.5 hour 0.0918
                load generator EC2 instances 2.5 hour 0.3625
                """, bill.items().stream().map(CostTest::line).collect(Collectors.joining()));
        assertEquals(3.7229019, bill.totalUsd(), 1e-8);
    }

    @Test void a_run_costs_its_traffic_the_emptying_of_its_table_and_its_fleets() {
        var traffic = List.of(new Cost.Traffic("rust-standard-1769", false, "arm64", 1769, 1000, 5000, 0, 1000, 0, 0));
        var bill = Cost.bill(ON_DEMAND, Cost.usesOfRun(traffic, List.of(new Cost.Use.Fleet("lmi", "m7g.large", 6))));
        assertEquals("""
                 Lambda requests 1000 request 0.0002
                 GB-seconds 8.6377 GB-second 0.00011517
                 REST API requests 1000 request 0.0035
                 S3 PUTs 1000 request 0.005
                 DynamoDB writes 2000 write unit 0.00125
                 LMI instances 6 hour 0.4896
                 LMI management fee 6 hour 0.07344
                """, bill.byName().items().stream().map(CostTest::line).collect(Collectors.joining()));
    }

    static String line(Cost.Item item) {
        return String.join(" ", item.owner(), item.name(), digits(item.quantity(), 4), item.unit(),
                digits(item.usd(), 8)) + "\n";
    }

    static String digits(double value, int decimals) {
        return new BigDecimal(value).setScale(decimals, RoundingMode.HALF_EVEN).stripTrailingZeros().toPlainString();
    }

    @Test void a_total_is_the_sum_of_its_items_however_they_are_grouped() {
        var bill = bill(requestsWithCompute(7 * MILLION, 3.21), new Cost.Use.Fleet("fleet", "c8g.xlarge", 4.3),
                metered(Cost.Meter.TRANSFER_OUT, 12.5), metered(Cost.Meter.TRANSFER_OUT, 0.1));
        double sum = 0;
        for (var item : bill.items()) sum += item.usd();
        assertEquals(sum, bill.totalUsd());
        assertEquals(sum, bill.byName().totalUsd(), EXACT);
        assertEquals(1, bill.items().stream().mapToDouble(bill::share).sum(), EXACT);
        assertEquals(bill.items().size() - 1, bill.byName().items().size());
        assertEquals(12.6, bill.byName().items().getLast().quantity(), EXACT);
    }

    @Test void a_cost_by_the_million_divides_by_the_requests() {
        assertEquals(0.2105, bill(requestsWithCompute(100 * MILLION, 1.05)).usdPerMillion(100 * MILLION), EXACT);
    }

    @Test void a_discount_is_off_compute_and_never_off_requests_or_the_management_fee() {
        var tariff = PRICES.tariff("us-east-1", new Cost.Discount("half", 0.5, 0.5, "typed-in"));
        var bill = Cost.bill(tariff, List.of(requestsWithCompute(10 * MILLION, 4),
                new Cost.Use.Fleet("it", "m7g.large", 1000)));
        assertEquals(List.of("2", "2", "40.8", "12.24"),
                bill.items().stream().map(item -> digits(item.usd(), 6)).toList());
    }

    // ==== Prices ====

    @Test void every_price_has_a_source_with_a_date() {
        int figures = 0;
        for (var holder : json().findParents("source")) {
            var source = json().path("sources").path(holder.get("source").asText());
            assertFalse(source.path("title").asText().isBlank(), holder::toString);
            assertTrue(source.path("date").asText().matches("20\\d\\d-\\d\\d(-\\d\\d)?"), holder::toString);
            assertTrue(source.path("url").asText().startsWith("https://")
                    || source.path("title").asText().startsWith("Typed in, not AWS's"), holder::toString);
            figures++;
        }
        int prices = json().findValues("usdPerHour").size() + json().findValues("tiers").size();
        int others = 2 + json().path("discounts").size();
        assertEquals(prices + others, figures, "lmi, rule of thumb, discounts, prices, instance types");
    }

    @Test void a_price_without_its_source_is_refused() {
        var json = (ObjectNode) json();
        ((ObjectNode) json.path("sources")).remove("ec2");
        var refusal = assertThrows(IllegalArgumentException.class, () -> Cost.Prices.of(json));
        assertTrue(refusal.getMessage().contains("without a source: [ec2]"), refusal.getMessage());
    }

    @Test void a_region_without_one_of_the_prices_is_refused() {
        var json = (ObjectNode) json();
        ((ObjectNode) json.at("/regions/us-east-1/prices")).remove("s3-puts");
        var refusal = assertThrows(IllegalArgumentException.class, () -> Cost.Prices.of(json));
        assertTrue(refusal.getMessage().contains("no price for s3-puts"), refusal.getMessage());
    }

    @Test void what_has_no_price_is_named() {
        assertEquals("no prices for eu-north-1, only for us-east-1",
                refusal(() -> PRICES.tariff("eu-north-1", Cost.Discount.NONE)));
        assertEquals("no price for instance type t3.nano", refusal(() -> breakEven("t3.nano", WAITING)));
        assertEquals("c7i.large is x86_64, the function is arm64", refusal(() -> breakEven("c7i.large", WAITING)));
    }

    static String refusal(org.junit.jupiter.api.function.Executable refused) {
        return assertThrows(IllegalArgumentException.class, refused).getMessage();
    }

    @Test void a_list_that_went_through_a_run_json_is_the_same_list() throws IOException {
        var mapper = new JsonMapper();
        assertEquals(PRICES, Cost.Prices.of(mapper.readTree(mapper.writeValueAsBytes(json()))));
    }

    // ==== Standard or LMI ====

    @Test void the_break_even_is_the_closed_form() {
        double fleet = 3 * 0.0816 * 1.15 * 730, computePerRequest = 0.1 * 1769 / 1024 * 0.0000133334;
        var found = breakEven("m7g.large", WAITING);
        double perMonth = fleet / computePerRequest, tenthOfAPercent = 0.001;
        assertEquals(1, found.perSecond().value() / (perMonth / MONTH_SECONDS), tenthOfAPercent);
        assertEquals(1, found.perMonth().value() / perMonth, tenthOfAPercent);
        assertEquals(fleet, found.fleetUsdPerMonth(), EXACT);
        assertEquals(found.perSecond().value(), found.settledPerSecond());
    }

    @Test void the_break_even_is_where_the_two_bills_cross() {
        for (var demand : List.of(WAITING, demand(40, 25), demand(2500, 3))) {
            double rate = breakEven("m8g.xlarge", demand).perSecond().value();
            double lmi = Cost.lmiMonth(ON_DEMAND, on("m8g.xlarge"), rate, 3).totalUsd();
            assertEquals(lmi, Cost.standardMonth(ON_DEMAND, demand, rate).totalUsd(), lmi / 1e6);
        }
    }

    @Test void a_waiting_request_of_100_ms_breaks_even_within_aws_rule_of_thumb() {
        double perMonth = breakEven("m7g.large", WAITING).perMonth().value();
        assertEquals(50 * MILLION, PRICES.ruleOfThumb().fromRequestsPerMonth());
        assertEquals(100 * MILLION, PRICES.ruleOfThumb().toRequestsPerMonth());
        assertTrue(perMonth > 50 * MILLION && perMonth < 100 * MILLION, () -> perMonth + " a month");
    }

    @Test void ec2_at_double_the_price_doubles_the_break_even_or_ends_it() {
        var json = (ObjectNode) json();
        for (var instance : json.at("/regions/us-east-1/instances"))
            ((ObjectNode) instance).put("usdPerHour", instance.get("usdPerHour").asDouble() * 2);
        var dearer = Cost.Prices.of(json).tariff("us-east-1", Cost.Discount.NONE);
        assertEquals(2 * breakEven("m7g.large", WAITING).perSecond().value(),
                Cost.breakEven(dearer, on("m7g.large"), WAITING).perSecond().value(), EXACT);
        var heavier = demand(100, 30);
        assertTrue(breakEven("m7g.large", heavier).perSecond().value() < NEVER);
        assertEquals(NEVER, Cost.breakEven(dearer, on("m7g.large"), heavier).perSecond().value());
    }

    @Test void where_an_instance_costs_more_than_its_requests_on_standard_the_answer_is_never() {
        var found = breakEven("m7g.large", COMPUTING);
        assertEquals(Cost.Range.exactly(NEVER), found.perSecond());
        assertEquals(NEVER, found.settledPerSecond());
        assertEquals(4.11, found.lmiUsdPerMillion(), 0.005);
        assertEquals(2.50, found.standardUsdPerMillion(), 0.005);
        for (var point : Cost.curve(ON_DEMAND, on("m7g.large"), COMPUTING, 0.1, 3000, 200))
            assertTrue(point.lmiSmoothUsd() > point.standardUsd(), point::toString);
    }

    @Test void a_discount_can_turn_never_into_a_rate() {
        var threeYears = PRICES.discounts().get(1);
        assertEquals("Compute Savings Plan, 3 years", threeYears.name());
        var found = Cost.breakEven(PRICES.tariff("us-east-1", threeYears), on("m7g.large"), COMPUTING);
        double fleet = 3 * 0.0816 * (1 - 0.65 + 0.15) * 730;
        double computePerRequest = 0.1 * 1769 / 1024 * 0.0000133334 * (1 - 0.12);
        assertEquals(fleet / computePerRequest / MONTH_SECONDS, found.perSecond().value(), 1e-6);
    }

    @Test void an_interval_runs_from_all_inputs_at_their_best_to_all_at_their_worst() {
        var found = breakEven("m7g.large", demand(100, 2, 0.1)).perSecond();
        assertEquals(breakEven("m7g.large", demand(110, 2)).perSecond().value(), found.low(), EXACT);
        assertEquals(breakEven("m7g.large", WAITING).perSecond().value(), found.value(), EXACT);
        assertEquals(breakEven("m7g.large", demand(90, 2)).perSecond().value(), found.high(), EXACT);
    }

    @Test void an_interval_may_end_at_never_or_begin_where_the_means_find_no_end() {
        var open = breakEven("m7g.large", demand(100, 55, 0.1));
        assertEquals(NEVER, open.perSecond().high());
        assertEquals(33.9, open.perSecond().value(), 0.05);
        assertEquals(170, open.settledPerSecond(), 0.5);
        var atBest = breakEven("m7g.large", demand(100, 60, 0.1)).perSecond();
        assertEquals(30.9, atBest.low(), 0.05);
        assertEquals(NEVER, atBest.value());
    }

    @Test void an_instance_keeps_a_vcpu_and_a_gigabyte_for_itself() {
        assertEquals(1, on("m7g.large").environments(ON_DEMAND));
        assertEquals(3, on("m7g.xlarge").environments(ON_DEMAND));
        assertEquals(1, new Cost.Layout("c7g.xlarge", 1, 4096, 1, 16, 0.5).environments(ON_DEMAND));
        assertEquals("8192 MB do not fit on m7g.large",
                refusal(() -> Cost.breakEven(ON_DEMAND, new Cost.Layout("m7g.large", 1, 8192, 1, 16, 0.5), WAITING)));
    }

    @Test void the_instance_type_with_the_soonest_break_even_is_found_and_never_means_on_none() {
        assertEquals("m7g.large", Cost.soonest(ON_DEMAND, on("m8g.4xlarge"), WAITING).layout().instanceType());
        assertEquals("c7g.2xlarge", Cost.soonest(ON_DEMAND, on("m8g.4xlarge"), COMPUTING).layout().instanceType());
        var hopeless = demand(100, 400);
        var nearest = Cost.soonest(ON_DEMAND, on("m7g.large"), hopeless);
        assertEquals(NEVER, nearest.perSecond().value());
        for (var type : List.of("c7g.xlarge", "m7g.4xlarge", "r8g.xlarge"))
            assertTrue(breakEven(type, hopeless).lmiUsdPerMillion() >= nearest.lmiUsdPerMillion(), type);
    }

    @Test void each_end_of_the_soonest_is_that_of_the_type_that_is_best_there() {
        var margin = demand(100, 57, 0.1);
        assertEquals(NEVER, breakEven("m7g.large", margin).perSecond().high(), "a type alone may end");
        var found = Cost.soonest(ON_DEMAND, on("m7g.large"), margin);
        assertEquals("m7g.large", found.layout().instanceType());
        assertEquals(breakEven("m7g.large", margin).perSecond().low(), found.perSecond().low());
        var worst = Cost.soonest(ON_DEMAND, on("m7g.large"), demand(90, 57 * 1.1));
        assertEquals("c7g.xlarge", worst.layout().instanceType());
        assertEquals(worst.perSecond().value(), found.perSecond().high(), EXACT);
        var heavier = Cost.soonest(ON_DEMAND, on("m7g.large"), demand(100, 62, 0.1));
        assertEquals("c7g.xlarge", heavier.layout().instanceType());
        assertEquals(breakEven("m7g.large", demand(110, 62 * 0.9)).perSecond().value(), heavier.perSecond().low(), EXACT);
    }

    @Test void an_instance_serves_what_searches_found_or_until_its_cpu_or_its_slots_are_used_up() {
        var layout = new Cost.Layout("m7g.xlarge", 1, 2048, 1, 16, 0.5);
        assertEquals(3 * 0.5 * 1000 / 20, layout.perInstance(ON_DEMAND, demand(100, 20)).value(), EXACT);
        assertEquals(3 * 0.5 * 16 * 10, layout.perInstance(ON_DEMAND, demand(100, 1)).value(), EXACT);
        var limited = new Cost.Demand("arm64", 1769, around(100, 0), around(1e6, 0), around(100, 0), Optional.of(new Cost.Range(6, 7, 8)));
        assertEquals(new Cost.Range(18, 21, 24), layout.perInstance(ON_DEMAND, limited), "three environments, at what searches found");
    }

    @Test void functions_that_share_a_provider_share_instances_that_hold_an_environment_of_each() {
        var shared = on("m7g.xlarge").sharedBy(3);
        assertEquals(0, on("m7g.large").sharedBy(3).environments(ON_DEMAND));
        assertEquals("3 x 2048 MB do not fit on m7g.large",
                refusal(() -> Cost.breakEven(ON_DEMAND, on("m7g.large").sharedBy(3), WAITING)));
        assertEquals(1, shared.environments(ON_DEMAND));
        double fleet = 3 * 0.1632 * 1.15 * 730, computePerRequest = 0.1 * 1769 / 1024 * 0.0000133334;
        var found = Cost.breakEven(ON_DEMAND, shared, WAITING);
        assertEquals(fleet / 3, found.fleetUsdPerMonth(), EXACT);
        assertEquals(fleet / 3 / computePerRequest, found.perMonth().value(), 1e-3);
        assertEquals(breakEven("m7g.xlarge", WAITING).lmiUsdPerMillion(), found.lmiUsdPerMillion(), EXACT);
    }

    @Test void a_rate_takes_whole_instances_and_never_fewer_than_the_smallest_fleet() {
        assertEquals(3, on("m7g.large").instances(ON_DEMAND, COMPUTING, 0.1));
        assertEquals(3, on("m7g.large").instances(ON_DEMAND, COMPUTING, 19.9));
        assertEquals(4, on("m7g.large").instances(ON_DEMAND, COMPUTING, 20.1));
    }

    @Test void once_settled_no_whole_instance_makes_lmi_the_dearer_one_again() {
        var demand = demand(100, 50);
        var found = breakEven("m7g.large", demand);
        double perInstance = found.instancePerSecond().value();
        assertTrue(found.settledPerSecond() > found.perSecond().value());
        assertTrue(wholeInstancesCostMore(demand, perInstance, found.settledPerSecond() * 0.999));
        for (double rate = found.settledPerSecond() * 1.000001; rate < 1000; rate += 0.05)
            assertFalse(wholeInstancesCostMore(demand, perInstance, rate), "at " + rate);
    }

    static boolean wholeInstancesCostMore(Cost.Demand demand, double perInstance, double rate) {
        double instances = Math.max(3, Math.ceil(rate / perInstance));
        return Cost.lmiMonth(ON_DEMAND, on("m7g.large"), rate, instances).totalUsd()
                > Cost.standardMonth(ON_DEMAND, demand, rate).totalUsd();
    }

    @Test void a_curve_rises_in_the_fleets_steps_and_holds_the_smooth_form_below_them() {
        var curve = Cost.curve(ON_DEMAND, on("m7g.large"), COMPUTING, 1, 100, 50);
        assertEquals(1, curve.getFirst().perSecond());
        assertEquals(100, curve.getLast().perSecond(), EXACT);
        var step = curve.stream().filter(point -> Math.abs(point.perSecond() - 20) < EXACT).toList();
        assertEquals(List.of(3, 4), step.stream().map(Cost.Point::instances).toList());
        assertEquals(0.0816 * 1.15 * 730, step.getLast().lmiUsd() - step.getFirst().lmiUsd(), EXACT);
        for (int i = 1; i < curve.size(); i++) {
            assertTrue(curve.get(i).perSecond() >= curve.get(i - 1).perSecond());
            assertTrue(curve.get(i).lmiUsd() >= curve.get(i).lmiSmoothUsd() - EXACT, curve.get(i)::toString);
        }
    }

    public static void main(String... args) {
        org.junit.platform.console.ConsoleLauncher.main(
                "execute", "--select-class=CostTest", "--details=tree", "--disable-banner", "--fail-if-no-tests");
    }
}
