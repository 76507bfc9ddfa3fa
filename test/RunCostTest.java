///usr/bin/env jbang "$0" "$@" ; exit $?
// Is what a run says of cost what a hand adds up from the run and the price list? Made-up runs, whose requests, times
// and objects are known, under data/prices.json as it is.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/judge/RunCost.java
//SOURCES MadeUpRun.java

import module java.base;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

/** The cost of runs that were never made. */
final class RunCostTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=RunCostTest", "--disable-banner", "--fail-if-no-tests");
    }

    // ==== Vocabulary ====

    private static final String STANDARD = "rust-standard-1769", LMI = "rust-lmi-2048";
    /** A hand's sums and a program's differ by the rounding of sums only. */
    private static final double EXACT = 1e-9, TENTH_OF_A_PERCENT = 0.001;
    private static final double HOURS_PER_MONTH = 730, SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600;
    /** us-east-1, x86_64. */
    private static final double GB_SECOND = 0.0000166667, M7I_LARGE = 0.1008, C7I_XLARGE = 0.1785, FEE = 0.15;

    @TempDir Path directory;

    /** Rounds of ten seconds: io is invoked 442 times in a cell (41 settling, 401 measured), store 332 (31, 301). */
    private static MadeUpRun rounds(int rounds, String... variants) { return new MadeUpRun(rounds, 10, variants); }

    /** The same, without noise: every invocation takes 15 ms, every answer 20 ms, and 2 ms of CPU. */
    private static MadeUpRun exactly(MadeUpRun made) {
        return made.cells(_ -> true, cell -> {
            cell.durationMs = 15;
            cell.latencyMs = 20;
            cell.cpuMs = 2;
        });
    }

    private static MadeUpRun pair() { return exactly(rounds(1, STANDARD, LMI)); }

    private interface Question<T> { T of(RunCost cost) throws IOException; }

    private <T> T ask(MadeUpRun made, Question<T> question) throws IOException {
        Path file = made.write(directory);
        try (var findings = Findings.read(Run.read(file), directory, (_, _) -> { })) {
            return question.of(new RunCost(findings));
        }
    }

    private static MadeUpRun ending(MadeUpRun made, Duration after) {
        return made.run(run -> run.withFinished(run.started().plus(after)));
    }

    private static MadeUpRun with(MadeUpRun made, String topic, Map<String, Object> facts) {
        return made.run(run -> {
            var environment = new TreeMap<>(run.environment());
            environment.merge(topic, facts, (before, more) -> {
                var all = new TreeMap<String, Object>();
                ((Map<?, ?>) before).forEach((name, value) -> all.put(name.toString(), value));
                all.putAll(facts);
                return all;
            });
            return run.withEnvironment(environment);
        });
    }

    /** A cell's copy as a warm-up, which asks all workloads: here it is the first cell's requests once more. */
    private static Run.Cell warmUp(Run.Cell cell, String name, Duration later) {
        return new Run.Cell(0, null, name, 0, cell.variants(), null, cell.phases(), cell.started().plus(later),
                cell.ended().plus(later), cell.outcome(), cell.files(), null, null, List.of());
    }

    private static Run.Cell later(Run.Cell cell, Duration later) {
        return new Run.Cell(cell.number(), cell.study(), cell.name(), cell.round(), cell.variants(), cell.workload(),
                cell.phases(), cell.started().plus(later), cell.ended().plus(later), cell.outcome(), cell.files(), cell.stored(),
                null, List.of());
    }

    private static String lines(Cost.Bill bill) {
        return bill.items().stream().map(item -> "%s %s %s %s\n".formatted(item.name(), digits(item.quantity(), 6),
                item.unit(), digits(item.usd(), 9))).collect(Collectors.joining());
    }

    private static String digits(double value, int decimals) {
        return new BigDecimal(value).setScale(decimals, RoundingMode.HALF_EVEN).stripTrailingZeros().toPlainString();
    }

    private static Cost.Tariff listPrices(RunCost cost) { return cost.tariff(Cost.Discount.NONE); }

    /** The break-even of the only choice, with a capacity provider of its own. */
    private static Cost.BreakEven breakEven(RunCost cost) {
        return cost.choices().getFirst().breakEven(listPrices(cost));
    }

    // ==== As run ====

    @Test void on_one_machine_a_run_is_priced_as_on_aws_but_for_its_store() throws IOException {
        var asRun = ask(ending(pair(), Duration.ofHours(2)), RunCost::asRun);
        // 442 invocations of each variant; 442 * 15 ms * 1769 / 1024; 884 * 700 and 600 bytes; 3 instances for 2 hours.
        assertEquals("""
                Lambda requests 442 request 0.0000884
                GB-seconds 11.453584 GB-second 0.000190893
                REST API requests 884 request 0.003094
                logs ingested 0.000576 GB 0.000288151
                transfer out 0.000494 GB 0.000044458
                LMI requests 442 request 0.0000884
                LMI instances 6 hour 0.6048
                LMI management fee 6 hour 0.09072
                """, lines(asRun.bill()));
        assertEquals(0.699314302, asRun.bill().totalUsd(), 1e-8);
        assertEquals(new RunCost.Note.Fleets(3, "m7i.large", 120), asRun.notes().get("LMI instances"));
        assertEquals(new RunCost.Note.GeneratorUnknown(), asRun.notes().get("load generator"));
        assertTrue(Double.isNaN(asRun.estimatedUsd()), "nobody had to agree");
    }

    @Test void on_aws_store_warm_up_init_and_a_generator_of_awss_are_on_the_bill() throws IOException {
        var made = ending(pair().cell(1, cell -> cell.coldMs = List.of(2_000.0)), Duration.ofHours(3))
                .onAws("us-east-1", "arm64")
                .run(run -> run.withCells(Stream.concat(
                        Stream.of(warmUp(run.cells().getFirst(), "000-warm-up", Duration.ofSeconds(-15))),
                        run.cells().stream()).toList()));
        with(made, "target", Map.of("lmiInstanceType", "m8g.large", "estimatedUsd", 1.5));
        with(made, "machine", Map.of("instanceType", "c7g.xlarge"));
        var asRun = ask(made, RunCost::asRun);
        // Standard: 442 in the warm-up, 442 and 332 in the cells; two starts of a second; 664 objects, removed again.
        assertEquals("""
                Lambda requests 1216 request 0.0002432
                GB-seconds 28.055234 GB-second 0.000374072
                GB-seconds of INIT 3.455078 GB-second 0.000046068
                REST API requests 1990 request 0.006965
                logs ingested 0.001297 GB 0.000648666
                transfer out 0.001112 GB 0.00010008
                LMI requests 774 request 0.0001548
                S3 PUTs 664 request 0.00332
                DynamoDB writes 1328 write unit 0.00083
                LMI instances 9 hour 0.80784
                LMI management fee 9 hour 0.121176
                EC2 instances 3 hour 0.435
                """, lines(asRun.bill()));
        assertEquals(1.5, asRun.estimatedUsd());
        assertEquals(new RunCost.Note.Generator("c7g.xlarge"), asRun.notes().get("EC2 instances"));
    }

    @Test void of_a_warm_up_on_one_machine_only_the_starts_are_priced() throws IOException {
        var made = pair().cell(1, cell -> cell.coldMs = List.of(2_000.0)).run(run -> run.withCells(Stream.concat(
                Stream.of(warmUp(run.cells().getFirst(), "000-warm-up", Duration.ofSeconds(-15))),
                run.cells().stream()).toList()));
        var bill = ask(made, RunCost::asRun).bill();
        var byName = bill.items().stream().collect(Collectors.toMap(Cost.Item::name, Cost.Item::quantity));
        assertEquals(442, byName.get("Lambda requests"));
        assertEquals(1.0 * 1769 / 1024, byName.get("GB-seconds of INIT"), EXACT);
        assertEquals(442 * 0.015 * 1769 / 1024, byName.get("GB-seconds"), EXACT);
    }

    @Test void instances_are_not_paid_between_an_interruption_and_the_next_start() throws IOException {
        var made = exactly(rounds(2, STANDARD, LMI)).run(run -> {
            var day = Duration.ofDays(1);
            var cells = new ArrayList<>(run.cells().subList(0, 4));
            cells.add(warmUp(run.cells().getFirst(), "000-warm-up-2", day));
            run.cells().subList(4, 8).forEach(cell -> cells.add(later(cell, day)));
            return run.withCells(cells).withFinished(cells.getLast().ended().plusSeconds(30));
        });
        var bill = ask(made, RunCost::asRun).bill();
        // A cell begins 16 s after the one before it, the first 16 s after the run, and takes 11.5 s.
        double seconds = (4 * 16 + 11.5) + (7 * 16 + 11.5 + 30);
        var instances = bill.items().stream().filter(item -> item.name().equals("LMI instances")).findFirst();
        assertEquals(3 * seconds / 3600, instances.orElseThrow().quantity(), EXACT);
    }

    @Test void a_generator_without_a_price_is_named() throws IOException {
        var asRun = ask(with(pair(), "machine", Map.of("instanceType", "t3.nano")), RunCost::asRun);
        assertEquals(new RunCost.Note.GeneratorUnpriced("t3.nano"), asRun.notes().get("load generator"));
    }

    @Test void a_region_that_the_run_has_no_prices_of_is_priced_as_another_and_says_so() throws IOException {
        var made = pair().onAws("eu-central-1", "arm64");
        assertEquals(new RunCost.PricesUsed("2026-11-22", "us-east-1", Optional.of("eu-central-1")),
                ask(made, RunCost::pricesUsed));
        assertTrue(ask(made, RunCost::asRun).bill().totalUsd() > 0);
        assertEquals(new RunCost.PricesUsed("2026-11-22", "us-east-1", Optional.empty()), ask(pair(), RunCost::pricesUsed));
    }

    @Test void what_was_asked_in_a_failed_cell_is_not_on_the_bill_and_the_bill_says_so() throws IOException {
        var failed = pair().cell(1, cell -> cell.outcome = Run.Outcome.failed("k6 ended with 107"));
        var asRun = ask(failed, RunCost::asRun);
        assertEquals(new RunCost.Note.FailedCells(1), asRun.notes().get("failed cells"));
        assertTrue(asRun.bill().items().stream().noneMatch(item -> item.name().equals("Lambda requests")));
    }

    // ==== A million requests ====

    @Test void a_million_on_standard_is_what_a_hand_adds_up() throws IOException {
        var bill = ask(pair(), cost -> cost.million(cost.choices().getFirst().standard()).orElseThrow());
        assertEquals("""
                Lambda requests 1000000 request 0.2
                GB-seconds 25913.085938 GB-second 0.431885629
                REST API requests 1000000 request 3.5
                logs ingested 0.651926 GB 0.325962901
                transfer out 0.558794 GB 0.050291419
                """, lines(bill));
    }

    @Test void a_million_on_lmi_at_the_measured_rate_is_what_a_hand_adds_up() throws IOException {
        var bill = ask(pair(), cost -> cost.million(cost.choices().getFirst().lmi()).orElseThrow());
        // 401 requests in 10 seconds: a million take 24937.7 s, and three instances for so long.
        double hours = 3 * 1e6 / 40.1 / 3600;
        assertEquals("""
                LMI requests 1000000 request 0.2
                REST API requests 1000000 request 3.5
                logs ingested 0.651926 GB 0.325962901
                transfer out 0.558794 GB 0.050291419
                LMI instances %s hour %s
                LMI management fee %s hour %s
                """.formatted(digits(hours, 6), digits(hours * M7I_LARGE, 9), digits(hours, 6),
                        digits(hours * M7I_LARGE * FEE, 9)), lines(bill));
    }

    @Test void on_lmi_a_million_costs_the_fleet_then_as_much_as_standard_and_then_only_instances() throws IOException {
        ask(pair(), cost -> {
            var choice = cost.choices().getFirst();
            var found = breakEven(cost);
            double fleet = 3 * M7I_LARGE * (1 + FEE) * HOURS_PER_MONTH;
            assertEquals(fleet / (40.1 * SECONDS_PER_MONTH) * 1e6 + 0.2,
                    choice.lmiUsdPerMillion(listPrices(cost), found.layout(), 40.1), EXACT);
            double standard = 0.015 * 1769 / 1024 * GB_SECOND * 1e6 + 0.2;
            assertEquals(standard, found.standardUsdPerMillion(), EXACT);
            assertEquals(standard, choice.lmiUsdPerMillion(listPrices(cost), found.layout(), found.perSecond().value()),
                    EXACT);
            // Two thirds of a vCPU, 2 ms of it for each request.
            double instancePerSecond = 1 / 1.5 / 0.002;
            assertEquals(fleet / 3 / (instancePerSecond * SECONDS_PER_MONTH) * 1e6 + 0.2, found.lmiUsdPerMillion(),
                    EXACT);
            return null;
        });
    }

    @Test void two_functions_on_one_provider_pay_half_of_a_fleet_that_holds_both() throws IOException {
        ask(exactly(rounds(1, STANDARD, LMI, "java-standard-1769", "java-lmi-2048")), cost -> {
            assertEquals(2, cost.lmiFunctions());
            var choice = cost.choices().getFirst();
            var shared = choice.cheapest(listPrices(cost), 2, 40.1);
            assertEquals("c7i.xlarge", shared.instanceType(), "the cheapest type that holds two environments");
            double half = 3 * C7I_XLARGE * (1 + FEE) * HOURS_PER_MONTH / 2;
            assertEquals(half / (40.1 * SECONDS_PER_MONTH) * 1e6 + 0.2,
                    choice.lmiUsdPerMillion(listPrices(cost), shared, 40.1), EXACT);
            double saved = 0.015 * 1769 / 1024 * GB_SECOND;
            assertEquals(half / saved / SECONDS_PER_MONTH,
                    Cost.breakEven(listPrices(cost), shared, choice.demand()).perSecond().value(), EXACT);
            return null;
        });
    }

    // ==== Standard or LMI ====

    @Test void the_break_even_and_its_interval_are_the_closed_form_of_what_was_measured() throws IOException {
        ask(rounds(12, STANDARD, LMI), cost -> {
            var choice = cost.choices().getFirst();
            var billed = (Statistics.Interval) Verdicts.perRequest(choice.standard(), slot -> slot.billedMs,
                    slot -> slot.invocations).estimate();
            double fleet = 3 * M7I_LARGE * (1 + FEE) * HOURS_PER_MONTH;
            DoubleUnaryOperator closedForm = billedMs ->
                    fleet / (billedMs / 1000 * 1769 / 1024 * GB_SECOND) / SECONDS_PER_MONTH;
            var found = breakEven(cost).perSecond();
            assertEquals(1, found.value() / closedForm.applyAsDouble(billed.point()), TENTH_OF_A_PERCENT);
            assertEquals(1, found.low() / closedForm.applyAsDouble(billed.high()), TENTH_OF_A_PERCENT);
            assertEquals(1, found.high() / closedForm.applyAsDouble(billed.low()), TENTH_OF_A_PERCENT);
            assertTrue(found.high() / found.low() > 1.002, "an interval is not a point: " + found);
            assertEquals(15, billed.point(), 0.15);
            return null;
        });
    }

    @Test void ec2_at_double_the_price_doubles_the_break_even() throws IOException {
        double before = ask(pair(), cost -> breakEven(cost).perSecond().value());
        var dearer = pair().run(run -> {
            var prices = (ObjectNode) run.prices().deepCopy();
            for (var instance : prices.at("/regions/us-east-1/instances")) {
                ((ObjectNode) instance).put("usdPerHour", 2 * instance.get("usdPerHour").asDouble());
            }
            return new Run(run.schema(), run.id(), run.target(), run.started(), run.finished(), run.plan(),
                    run.environment(), prices, run.agreement(), run.cells(), run.warnings(), run.published());
        });
        assertEquals(2 * before, ask(dearer, cost -> breakEven(cost).perSecond().value()), EXACT);
    }

    @Test void where_lmis_cpu_costs_more_than_standards_time_the_answer_is_never() throws IOException {
        var found = ask(pair().cells(cell -> cell.is(LMI), cell -> cell.cpuMs = 100), RunCostTest::breakEven);
        assertEquals(Cost.Range.exactly(Double.POSITIVE_INFINITY), found.perSecond());
        assertTrue(found.lmiUsdPerMillion() > found.standardUsdPerMillion(), found::toString);
    }

    @Test void store_is_priced_on_aws_and_not_on_one_machine() throws IOException {
        Question<List<String>> workloads = cost -> cost.choices().stream().map(it -> it.workload().name()).toList();
        assertEquals(List.of("io"), ask(pair(), workloads));
        assertEquals(List.of("io", "store"), ask(pair().onAws("us-east-1", "arm64"), workloads));
    }

    @Test void a_language_of_which_one_compute_is_missing_has_no_break_even() throws IOException {
        assertEquals(List.of(), ask(exactly(rounds(1, STANDARD, "java-lmi-2048")), RunCost::choices));
    }

    @Test void headroom_says_how_far_beyond_the_measured_load_the_answer_reaches() throws IOException {
        ask(pair(), cost -> {
            var load = cost.headroom(cost.choices().getFirst());
            assertEquals(1, load.environments());
            assertEquals(40.1, load.measured(), EXACT);
            assertEquals(40.1 * 0.002, load.cpuShare(), EXACT);
            assertEquals(20, load.p95Ms(), EXACT);
            assertEquals(breakEven(cost).perSecond().value() / 3, load.atBreakEven(), EXACT);
            assertEquals(1 / 1.5 / 0.002, load.full(), EXACT, "the CPU ends before the sixteen slots do");
            return null;
        });
    }

    // ==== Shown ====

    @Test void every_table_of_cost_says_on_one_machine_that_it_is_a_model() throws Exception {
        String local = analyze(pair()), aws = analyze(pair().onAws("us-east-1", "arm64"));
        var titles = List.of("Standard or LMI", "Break-even rates under discounts", "LMI's compute for a million",
                "Load of one LMI environment", "A million requests and each", "What this run");
        for (String title : titles) {
            var lines = local.lines().filter(line -> line.startsWith(title)).toList();
            assertEquals(1, lines.size(), () -> title + " in " + local);
            assertTrue(lines.getFirst().contains("(a model of AWS, fed with this machine's"), lines::toString);
        }
        assertFalse(aws.contains("a model of AWS"), aws);
        assertTrue(aws.contains("What this run cost"), aws);
    }

    private String analyze(MadeUpRun made) throws Exception {
        String run = made.write(directory).toString(), report = directory.resolve("report").toString();
        Path out = directory.resolve("out.txt");
        new ProcessBuilder("./jbang", "analyze.java", run, "--out", report).redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD).start().waitFor();
        return Files.readString(out);
    }
}
