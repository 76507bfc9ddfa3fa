///usr/bin/env jbang "$0" "$@" ; exit $?
// The deploy path with everything going wrong that can: each row of the fault table is a test. What AWS is asked for, what a
// person is told, which exit code says so to scripts, and what the account holds afterwards: what it held before.

//JAVA 25
//MAIN AwsTest
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../aws.java
//SOURCES StandIn.java

import module java.base;
import module java.net.http;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.console.ConsoleLauncher;
import static org.junit.jupiter.api.Assertions.*;

final class AwsTest {
    public static void main(String... args) { run(args); }

    /** Runs the named tests, or all. */
    static void run(String... tests) {
        var select = tests.length == 0 ? Stream.of("--select-class=AwsTest") : Arrays.stream(tests)
                .map(test -> "--select-method=AwsTest#" + test);
        ConsoleLauncher.main(Stream.concat(Stream.of("execute", "--details=tree", "--disable-banner", "--fail-if-no-tests"),
                select)
                .toArray(String[]::new));
    }

    // ==== A small vocabulary ====

    /** slow.java runs the same in real time. */
    private static final boolean SLOW = Boolean.getBoolean("slow");
    /** A call that hangs is given up after this; a busy stand-in takes a second or two for an honest reply. */
    private static final Duration CALL_TIMEOUT = SLOW ? Door.World.REAL.callTimeout() : Duration.ofSeconds(5);
    private static final List<Run.Variant> VARIANTS =
            List.of(Run.Variant.of("python-standard-1769"), Run.Variant.of("python-lmi-2048"));
    private static StandIn aws;
    private static Path artefact;

    @TempDir Path home;
    private Path state;
    private Path run;
    private String before;
    private final List<String> told = new ArrayList<>();

    @BeforeAll static void start_the_stand_in() throws Exception {
        aws = new StandIn();
        artefact = Files.createTempFile("python-", ".zip");
        try (var zip = new ZipOutputStream(Files.newOutputStream(artefact))) {
            zip.putNextEntry(new ZipEntry("handler.py"));
            zip.write(Files.readAllBytes(Path.of("function/python/handler.py")));
        }
        System.getProperties().putAll(Map.of("aws.accessKeyId", "test", "aws.secretAccessKey", "test", "aws.region",
                "us-east-1",
                "aws.endpointUrl", aws.url(), "aws.disableEc2Metadata", "true"));
    }

    @AfterAll static void stop_the_stand_in() throws Exception { aws.close(); }

    @BeforeEach void an_account_that_holds_something() throws Exception {
        aws.heal();
        state = home.resolve("lambda-kit");
        run = Files.createTempDirectory("run");
        before = aws.holdings();
    }

    /** Minutes pass in milliseconds: the clock goes on by what is slept, the stand-in gets a moment of real time. */
    private static Door.World quick() {
        if (SLOW) return Door.World.REAL;
        var now = new AtomicReference<>(Instant.now());
        return new Door.World(now::get, duration -> {
            now.updateAndGet(it -> it.plus(duration));
            Thread.sleep(Math.min(duration.toMillis(), 20));
        }, CALL_TIMEOUT);
    }

    private Aws target() { return target("test-" + UUID.randomUUID().toString().substring(0, 6)); }

    private Aws target(String id) {
        return new Aws(quick(), new Ledger(state), Path.of("").toAbsolutePath(),
                new Aws.Settings("x86_64", List.of(), List.of()), () -> id);
    }

    private static Run.Plan plan() {
        var names = VARIANTS.stream().map(Run.Variant::name).toList();
        return new Run.Plan("test", "", false, Run.Plan.SLOTS, 1, 1, 0, 60, 0, VARIANTS,
                List.of(new Run.Workload("store", 10, Map.of())),
                List.of(new Run.PlannedCell(1, "one", 1, names, "store")));
    }

    private Target.Start startRequest() throws IOException {
        return new Target.Start(run, VARIANTS, Map.of("python",
                new Target.Artefact(null, artefact, Files.size(artefact), Sha256.of(artefact))));
    }

    private Target.Started started(Aws target) throws Exception {
        target.plan(new Target.Plan(plan()));
        return target.start(startRequest(), told::add);
    }

    private void wholeRun(Aws target) throws Exception {
        started(target);
        target.ready(new Target.Ready(VARIANTS.stream().map(Run.Variant::name).toList()), told::add);
        target.remove(told::add);
        nothingLeft();
    }

    private static String ask(Target.Started started, String variant, String workload) throws Exception {
        try (var client = HttpClient.newHttpClient()) {
            return client.send(HttpRequest.newBuilder(URI.create(started.urls().get(variant) + "/" + workload))
                    .header("x-api-key", started.apiKey()).build(),
                    HttpResponse.BodyHandlers.ofString()).body();
        }
    }

    private void nothingLeft() throws Exception {
        assertEquals(before, aws.holdings());
        assertEquals(List.of(), new Ledger(state).entries());
    }

    private static Cli.Problem problem(int exitCode, org.junit.jupiter.api.function.Executable step) {
        var problem = assertThrows(Cli.Problem.class, step);
        assertEquals(exitCode, problem.exitCode, problem.getMessage());
        assertFalse(problem.getMessage().contains("\n"), "one line");
        return problem;
    }

    private static void says(String part, String text) { assertTrue(text.contains(part),
            () -> "'" + part + "' is not in: " + text); }

    // ==== Without faults ====

    @Test void a_run_leaves_the_account_as_it_was() throws Exception {
        var target = target();
        var started = started(target);
        assertEquals(Map.of("python-standard-1769", 0, "python-lmi-2048", 3),
                target.ready(new Target.Ready(List.of("python-standard-1769", "python-lmi-2048")), told::add).environments());
        var from = Instant.now().minusSeconds(1);
        String id = Run.json().readTree(ask(started, "python-standard-1769", "store")).get("id").asText();
        says("\"concurrency\":16", ask(started, "python-lmi-2048", "health"));
        var contents = target.stored(new Target.Stored(id));
        assertEquals(id, contents.object());
        assertEquals(id, contents.item().at("/id/S").asText());
        assertEquals(new Run.Stored(1, 1, true, 36, 36), contents.stored());
        var collected = target.collect(new Target.Collect(List.of("python-standard-1769", "python-lmi-2048"), from,
                Instant.now(),
                run.resolve("invocations.gz"), run.resolve("metrics")), told::add);
        assertEquals(new Target.Collected(2, true, List.of()), collected);
        target.empty();
        assertEquals(0, target.stored(new Target.Stored(null)).stored().objects());
        assertTrue(target.remove(told::add).spentUsd() > 0);
        nothingLeft();
    }

    @Test void without_the_key_the_api_refuses() throws Exception {
        var target = target();
        var started = started(target);
        says("Forbidden", ask(new Target.Started(started.urls(), "not-the-key", Map.of()), "python-standard-1769", "hello"));
        target.remove(told::add);
    }

    @Test void the_key_is_in_no_file_and_no_line() throws Exception {
        var target = target();
        String key = started(target).apiKey();
        for (var entry : new Ledger(state).entries()) assertFalse(Files.readString(new Ledger(state).file(entry))
                .contains(key));
        target.remove(told::add);
        assertFalse(told.toString().contains(key));
    }

    @Test void a_stack_that_was_kept_is_used_again_by_the_same_variants_and_artefacts() throws Exception {
        started(target());
        var again = target();
        started(again);
        assertEquals(1, aws.calls().stream().filter("CreateChangeSet"::equals).count());
        again.remove(told::add);
        nothingLeft();
    }

    @Test void the_preview_is_the_sum_of_its_items_by_hand() throws Exception {
        var items = new TreeMap<String, Double>();
        var planned = target().plan(new Target.Plan(plan()));
        planned.cost().forEach(item -> items.merge(item.name(), item.usd(), Double::sum));
        // 60 s at 10 a second for each of two variants, every one stored; prices of data/prices.json in us-east-1.
        double hours = (60 + 25 + 30 * 60) / 3600.0;
        var byHand = new TreeMap<>(Map.of(
                "Lambda requests", 600 * 0.2e-6, "LMI requests", 600 * 0.2e-6,
                "GB-seconds", 600 * 0.1 * 1769 / 1024 * 0.0000166667,
                "REST API requests", 1200 * 3.5e-6, "S3 PUTs", 1200 * 5e-6, "DynamoDB writes", 2400 * 0.625e-6,
                "logs ingested", 1200 * 700.0 / (1 << 30) * 0.5, "transfer out", 1200 * 600.0 / (1 << 30) * 0.09,
                "LMI instances", 3 * hours * 0.1008, "LMI management fee", 3 * hours * 0.1008 * 0.15));
        assertEquals(byHand.keySet(), items.keySet());
        byHand.forEach((name, usd) -> assertEquals(usd, items.get(name), 1e-12, name));
        assertEquals(byHand.values().stream().mapToDouble(it -> it).sum(), planned.costUsd(), 1e-9);
        assertEquals(3 * 0.1008 * 1.15, planned.costPerHourUsd(), 1e-12);
    }

    @Test void a_price_that_aws_tells_takes_the_place_of_the_file_s() throws Exception {
        String product = """
                {"product": {"attributes": {"usagetype": "ApiGatewayRequest"}},
                 "terms": {"OnDemand": {"A.B": {"priceDimensions": {
                  "A.B.2": {"beginRange": "1000", "endRange": "Inf", "pricePerUnit": {"USD": "1.0"}},
                  "A.B.1": {"beginRange": "0", "endRange": "1000", "pricePerUnit": {"USD": "2.0"}}}}}}}""";
        aws.fail("GetProducts", new StandIn.Kind.Say(Run.json().createObjectNode().set("PriceList",
                Run.json().createArrayNode().add(product)).toString()), 99);
        var planned = target().plan(new Target.Plan(plan()));
        var restApi = planned.cost().stream().filter(item -> item.name().equals("REST API requests")).findFirst().orElseThrow();
        assertEquals(1000 * 2.0 + 200 * 1.0, restApi.usd(), 1e-9);
        says("did not tell DynamoDB writes, S3 PUTs: data/prices.json of", planned.warnings().toString());
    }

    @Test void a_report_is_read_in_both_its_forms_and_on_lmi_has_a_duration_only() throws Exception {
        Instant logged = Instant.parse("2026-11-22T05:00:01Z");
        var standard = new Target.Invocation("id-1", "v", "abc", Instant.parse("2026-11-22T05:00:00.500Z"), "ok", 500, 700.0,
                199.5, 512, 80.0);
        assertEquals(standard, CloudWatch.invocation("v", """
                {"time": "2026-11-22T05:00:01.000Z", "type": "platform.report",
                 "record": {"requestId": "id-1", "status": "success", "metrics": {"durationMs": 500.0, "billedDurationMs": 700,
                            "memorySizeMB": 512, "maxMemoryUsedMB": 80, "initDurationMs": 199.5}}}""",
                logged, "2026/11/22/[$LATEST]abc"));
        assertEquals(standard, CloudWatch.invocation("v",
                "REPORT RequestId: id-1\tDuration: 500 ms\tBilled Duration: 700 ms\tMemory Size: 512 MB\t"
                + "Max Memory Used: 80 MB\tInit Duration: 199.5 ms\t\n", logged, "2026/11/22/[$LATEST]abc"));
        assertEquals(new Target.Invocation("id-2", "v", "abc", Instant.parse("2026-11-22T05:00:00.990Z"), "timeout", 10, null,
                null, null, null),
                CloudWatch.invocation("v",
                        "{\"type\": \"platform.report\", \"record\": {\"requestId\": \"id-2\", \"status\": \"timeout\", "
                        + "\"metrics\": {\"durationMs\": 10.0}}}", logged, "[$LATEST.PUBLISHED]abc"));
        assertNull(CloudWatch.invocation("v", "START RequestId: id-1 Version: $LATEST", logged, "x"));
    }

    // ==== Refused before anything is made: exit code 2 ====

    @Test void without_a_region_no_call_is_made() throws Exception {
        var ended = serve(Map.of("AWS_ACCESS_KEY_ID", "test", "AWS_SECRET_ACCESS_KEY", "test"));
        says("\"exitCode\":2", ended);
        says("AWS_REGION", ended);
        assertEquals(List.of(), aws.calls());
    }

    @Test void without_credentials_no_call_is_made() throws Exception {
        var ended = serve(Map.of("AWS_REGION", "us-east-1"));
        says("\"exitCode\":2", ended);
        says("AWS_ACCESS_KEY_ID", ended);
        assertEquals(List.of(), aws.calls());
    }

    @Test void credentials_that_end_before_the_run_would_are_refused() throws Exception {
        var ended = serve(Map.of("AWS_REGION", "us-east-1", "AWS_ACCESS_KEY_ID", "test", "AWS_SECRET_ACCESS_KEY", "test",
                "AWS_SESSION_TOKEN", "test",
                "AWS_CREDENTIAL_EXPIRATION", Instant.now().plusSeconds(600).toString()));
        says("\"exitCode\":2", ended);
        says("the AWS credentials end at", ended);
    }

    @Test void expired_credentials_are_said_to_be_so_at_once() throws Exception {
        aws.fail(".*", StandIn.EXPIRE, 99);
        says("credentials have expired", problem(2, () -> started(target())).getMessage());
        assertEquals(List.of("GetCallerIdentity"), aws.calls());
        nothingLeft();
    }

    @Test void a_call_that_is_denied_before_the_stack_is_named_and_what_was_uploaded_is_removed() throws Exception {
        for (String call : List.of("GetAccountSettings", "ListCapacityProviders", "DescribeSubnets", "HeadBucket",
                "CreateBucket", "PutObject", "CreateChangeSet")) {
            aws.heal();
            aws.fail(call, StandIn.DENY, 99);
            var problem = problem(2, () -> started(target()));
            if (!call.equals("HeadBucket")) says(call, problem.getMessage());
            assertFalse(problem.getMessage().contains("123456789012"), "an account number");
            aws.heal();
            nothingLeft();
        }
    }

    @Test void a_stack_of_that_name_that_no_state_names_is_not_touched() throws Exception {
        var elsewhere = new Ledger(Files.createTempDirectory("other-machine"));
        var theirs = new Aws(quick(), elsewhere, Path.of("").toAbsolutePath(), new Aws.Settings("x86_64", List.of(), List.of()),
                () -> "taken");
        theirs.plan(new Target.Plan(plan()));
        theirs.start(startRequest(), told::add);
        String held = aws.holdings();
        says("a stack named lambda-kit-taken", problem(2, () -> started(target("taken"))).getMessage());
        assertEquals(held, aws.holdings());
        theirs.remove(told::add);
        nothingLeft();
    }

    @Test void a_bucket_of_that_name_is_not_used() throws Exception {
        try (var client = HttpClient.newHttpClient()) {
            client.send(HttpRequest.newBuilder(URI.create(aws.url() + "/lambda-kit-bucket-artefacts"))
                    .method("PUT", HttpRequest.BodyPublishers.noBody())
                    .header("Authorization",
                            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0")
                    .build(), HttpResponse.BodyHandlers.discarding());
            says("a bucket named lambda-kit-bucket-artefacts", problem(2, () -> started(target("bucket"))).getMessage());
            client.send(HttpRequest.newBuilder(URI.create(aws.url() + "/lambda-kit-bucket-artefacts")).DELETE().build(),
                    HttpResponse.BodyHandlers.discarding());
        }
        nothingLeft();
    }

    @Test void a_state_of_another_region_is_refused_and_kept() throws Exception {
        var ledger = new Ledger(state);
        started(target());
        var here = ledger.entries().getFirst();
        var there = Run.json().readTree(ledger.file(here).toFile());
        Files.writeString(ledger.file(here), there.toString()
                .replace("\"region\":\"us-east-1\"", "\"region\":\"eu-central-1\""));
        says("is in eu-central-1", problem(2, () -> target().teardown(null, told::add)).getMessage());
        Files.writeString(ledger.file(here), there.toString()
                .replace("\"account\":\"000000000000\"", "\"account\":\"111111111111\""));
        says("another AWS account", problem(2, () -> target().teardown(null, told::add)).getMessage());
        ledger.write(here);
        target().teardown(null, told::add);
        nothingLeft();
    }

    // ==== Start failed, nothing left: exit code 3 ====

    @Test void a_resource_that_fails_is_named_with_its_reason_and_all_is_removed() throws Exception {
        aws.inside("{\"create\": {\"Table\": \"the account has too many tables\"}}");
        says("Table (AWS::DynamoDB::Table): the account has too many tables", problem(3, () -> started(target())).getMessage());
        nothingLeft();
    }

    @Test void a_failed_stack_that_cannot_be_deleted_at_first_is_deleted_again() throws Exception {
        aws.inside("{\"create\": {\"PythonLmi2048\": \"no\"}, \"delete\": {\"Table\": 2}}");
        says("PythonLmi2048 (AWS::Lambda::Function): no", problem(3, () -> started(target())).getMessage());
        nothingLeft();
    }

    @Test void a_quota_at_the_change_set_is_told_and_nothing_stays_in_review() throws Exception {
        aws.fail("CreateChangeSet", new StandIn.Kind.Refuse(400, "LimitExceededException", "Limit for stack has been exceeded"),
                1);
        says("LimitExceededException: Limit for stack", problem(3, () -> started(target())).getMessage());
        nothingLeft();
    }

    // ==== Something may be left: exit code 4 ====

    @Test void credentials_that_expire_in_the_middle_keep_the_state_and_both_ways_on() throws Exception {
        var target = target();
        started(target);
        aws.fail(".*", StandIn.EXPIRE, 99);
        var problem = problem(4, () -> target.stored(new Target.Stored(null)));
        says("credentials have expired", problem.getMessage());
        says("./jbang experiment.java --target aws --resume", problem.hint);
        says("./jbang aws.java teardown", problem.hint);
        problem(4, () -> target.remove(told::add));
        aws.heal();
        target().teardown(null, told::add);
        nothingLeft();
        says(": 0 resources left, $0.", told.getLast());
    }

    @Test void a_denied_deletion_names_the_stack_and_keeps_the_state() throws Exception {
        var target = target("denied");
        started(target);
        aws.fail("DeleteStack", StandIn.DENY, 99);
        var problem = problem(4, () -> target.remove(told::add));
        says("cloudformation:DeleteStack", problem.getMessage());
        says("stack lambda-kit-denied/", problem.getMessage());
        says("./jbang aws.java teardown", problem.hint);
        assertEquals(1, new Ledger(state).entries().size());
        aws.heal();
        target().teardown(null, told::add);
        nothingLeft();
    }

    @Test void a_network_that_stays_away_ends_with_the_way_on() throws Exception {
        var target = target();
        target.plan(new Target.Plan(plan()));
        aws.fail("DescribeStackEvents", new StandIn.Kind.Drop(), 9999);
        var problem = problem(4, () -> target.start(startRequest(), told::add));
        says("AWS did not answer cloudformation:DescribeStackEvents for 10 min", problem.getMessage());
        says("--resume", problem.hint);
        aws.heal();
        target().teardown(null, told::add);
        nothingLeft();
    }

    @Test void a_capacity_provider_that_never_drains_is_named() throws Exception {
        var target = target();
        started(target);
        aws.inside("{\"drain\": 99999}");
        var problem = problem(4, () -> target.remove(told::add));
        says("PythonProvider", problem.getMessage());
        says("billed", problem.getMessage());
        assertEquals(1, new Ledger(state).entries().size());
        aws.inside("{\"drained\": true}");
        target().teardown(null, told::add);
        nothingLeft();
    }

    // ==== Outlived: exit code 0 ====

    @Test void thirty_throttles_of_any_call_only_make_a_run_slower() throws Exception {
        for (String call : List.of("GetCallerIdentity", "CreateBucket", "PutObject", "CreateChangeSet", "DescribeChangeSet",
                "ExecuteChangeSet",
                "DescribeStackEvents", "DescribeStacks", "GetApiKey", "GetFunctionConfiguration", "DeleteStack",
                        "ListCapacityProviders", "DeleteBucket")) {
            aws.heal();
            aws.fail(call, StandIn.THROTTLE, 30);
            wholeRun(target());
            assertTrue(aws.calls().stream().filter(call::equals).count() > 30, call);
        }
    }

    @Test void a_lost_reply_makes_nothing_twice_and_nothing_fail() throws Exception {
        for (String call : List.of("CreateBucket", "PutObject", "CreateChangeSet", "ExecuteChangeSet", "DeleteStack",
                "DeleteObjects", "DeleteBucket")) {
            aws.heal();
            aws.fail(call, new StandIn.Kind.LoseReply(), 1);
            wholeRun(target());
        }
    }

    @Test void a_network_that_goes_and_comes_back_is_waited_for() throws Exception {
        aws.fail("Describe.*|Get.*|List.*", new StandIn.Kind.Drop(), 20);
        wholeRun(target());
    }

    @Test void a_call_that_hangs_is_made_again() throws Exception {
        aws.fail("DescribeStackEvents", new StandIn.Kind.Hang(CALL_TIMEOUT.plusSeconds(5)), 1);
        wholeRun(target());
    }

    @Test void without_the_price_list_the_file_tells_and_says_from_when() throws Exception {
        for (var kind : List.of(StandIn.DENY, StandIn.BROKEN)) {
            aws.fail("GetProducts", kind, 99);
            says("data/prices.json of 20", target().plan(new Target.Plan(plan())).warnings().toString());
        }
    }

    @Test void without_metrics_the_records_are_whole_and_a_note_says_what_is_missing() throws Exception {
        var target = target();
        var started = started(target);
        var from = Instant.now().minusSeconds(1);
        ask(started, "python-standard-1769", "hello");
        aws.fail("GetMetricData|ListMetrics", StandIn.DENY, 99);
        var collected = target.collect(new Target.Collect(List.of("python-standard-1769"), from, Instant.now(),
                run.resolve("i.gz"), run.resolve("m")), told::add);
        assertEquals(1, collected.invocations());
        says("metrics are missing", collected.notes().toString());
        target.remove(told::add);
        nothingLeft();
    }

    @Test void logs_that_come_late_are_waited_for() throws Exception {
        var target = target();
        var started = started(target);
        var from = Instant.now().minusSeconds(1);
        ask(started, "python-standard-1769", "hello");
        aws.fail("FilterLogEvents", new StandIn.Kind.Say("{\"events\": []}"), 5);
        var collect = new Target.Collect(List.of("python-standard-1769"), from, Instant.now(), run.resolve("i.gz"),
                run.resolve("m"));
        assertEquals(new Target.Collected(1, true, List.of()), target.collect(collect, told::add));
        aws.fail("FilterLogEvents", new StandIn.Kind.Say("{\"events\": []}"), 9999);
        var never = target.collect(collect, told::add);
        assertFalse(never.complete());
        says("0 invocation records", never.notes().toString());
        aws.heal();
        target.remove(told::add);
        nothingLeft();
    }

    @Test void a_bucket_that_is_not_empty_is_emptied_first() throws Exception {
        var target = target();
        var started = started(target);
        for (int i = 0; i < 3; i++) ask(started, "python-standard-1769", "store");
        target.remove(told::add);
        nothingLeft();
    }

    @Test void a_draining_capacity_provider_is_waited_for() throws Exception {
        var target = target();
        started(target);
        aws.inside("{\"drain\": 4}");
        target.remove(told::add);
        says("capacity provider still draining, billed until gone", told.toString());
        nothingLeft();
    }

    @Test void log_groups_that_lambda_made_by_itself_are_removed() throws Exception {
        var target = target("groups");
        started(target);
        aws.inside("{\"log_group\": \"/aws/lambda/lambda-kit-groups-python-lmi-2048-edge\"}");
        target.remove(told::add);
        nothingLeft();
    }

    // ==== Killed ====

    @Test void killed_at_any_call_that_makes_something_a_teardown_leaves_nothing_and_again_does_nothing() throws Exception {
        for (String call : List.of("CreateBucket", "PutObject", "CreateChangeSet", "ExecuteChangeSet", "DescribeStackEvents")) {
            for (boolean early : List.of(true, false)) {
                killedAt(call, early);
                target().teardown(null, told::add);
                nothingLeft();
                aws.heal();
                target().teardown(null, told::add);
                assertEquals(List.of(), aws.calls());
            }
        }
    }

    @Test void killed_during_removal_a_teardown_finishes_it() throws Exception {
        for (String call : List.of("DeleteStack", "DeleteBucket")) for (boolean early : List.of(true, false)) {
            killedAt(call, early);
            target().teardown(null, told::add);
            nothingLeft();
        }
    }

    @Test void killed_at_any_call_that_makes_something_a_start_goes_on() throws Exception {
        for (String call : List.of("CreateBucket", "PutObject", "CreateChangeSet", "ExecuteChangeSet", "DescribeStackEvents")) {
            for (boolean early : List.of(true, false)) {
                killedAt(call, early);
                var target = target();
                says("python-standard-1769", ask(started(target), "python-standard-1769", "health"));
                target.remove(told::add);
                nothingLeft();
            }
        }
    }

    /** A process that starts and removes, and is killed (-9) at the call: before it reaches AWS, or before the reply. */
    private void killedAt(String call, boolean early) throws Exception {
        aws.heal();
        var victim = new AtomicReference<Process>();
        aws.fail(call, new StandIn.Kind.Meanwhile(early, () -> {
            victim.get().destroyForcibly();
            victim.get().onExit().join();
        }), 1);
        victim.set(process(Map.of("AWS_REGION", "us-east-1", "AWS_ACCESS_KEY_ID", "test", "AWS_SECRET_ACCESS_KEY", "test")));
        try (var in = victim.get().outputWriter()) {
            for (Target.Request<?> request : List.of(new Target.Plan(plan()), startRequest(),
                    new Target.Remove())) in.write(line(request));
            in.flush();
            victim.get().getInputStream().transferTo(OutputStream.nullOutputStream());
        } catch (IOException killed) {
            // It was to be.
        }
        assertEquals(137, victim.get().waitFor(), call);
        aws.heal();
    }

    private static String line(Target.Request<?> request) throws IOException {
        return Run.json().writer().without(com.fasterxml.jackson.databind.SerializationFeature.INDENT_OUTPUT)
                .writeValueAsString(request) + "\n";
    }

    /** `aws.java serve` in a process of its own with nothing in its environment but this. */
    private Process process(Map<String, String> environment) throws IOException {
        var builder = new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(), "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Duser.home=" + run, "-cp", System.getProperty("java.class.path"), "Aws", "serve", "--architecture", "x86_64");
        builder.environment().clear();
        builder.environment().putAll(environment);
        builder.environment().putAll(Map.of("XDG_STATE_HOME", home.toString(), "AWS_ENDPOINT_URL", aws.url(),
                "AWS_EC2_METADATA_DISABLED", "true"));
        return builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }

    /** What it answers to a plan. */
    private String serve(Map<String, String> environment) throws Exception {
        var process = process(environment);
        try (var in = process.outputWriter()) { in.write(line(new Target.Plan(plan()))); }
        return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }
}
