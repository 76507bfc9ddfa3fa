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
    /** Runs the named tests, or all. */
    public static void main(String... tests) {
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
    private static final List<String> NAMES = VARIANTS.stream().map(Run.Variant::name).toList();
    private static final Ledger.Holder ME = Ledger.Holder.of(ProcessHandle.current());
    private static StandIn aws;

    @TempDir static Path artefacts;
    private static Path artefact;
    @TempDir Path home;
    private Path state;
    private Path run;
    private String before;
    private final List<String> told = new ArrayList<>();

    @BeforeAll static void start_the_stand_in() throws Exception {
        aws = new StandIn();
        artefact = artefacts.resolve("python.zip");
        try (var zip = new ZipOutputStream(Files.newOutputStream(artefact))) {
            zip.putNextEntry(new ZipEntry("handler.py"));
            zip.write(Files.readAllBytes(Path.of("function/python/handler.py")));
        }
        System.getProperties().putAll(Map.of("aws.accessKeyId", "test", "aws.secretAccessKey", "test",
                "aws.region", "us-east-1", "aws.endpointUrl", aws.url(), "aws.disableEc2Metadata", "true"));
    }

    @AfterAll static void stop_the_stand_in() throws Exception { aws.close(); }

    @BeforeEach void an_account_that_holds_something() throws Exception {
        aws.heal();
        state = home.resolve("lambda-kit");
        run = Files.createDirectory(home.resolve("run"));
        before = aws.holdings();
    }

    /** Minutes pass in milliseconds: the clock goes on by what is slept, the stand-in gets a moment of real time. */
    private static Door.World quick() { return quick(_ -> { }); }

    /** The same with something that happens whenever somebody waits. */
    private static Door.World quick(Consumer<Duration> meanwhile) { return world(1, meanwhile); }

    /** Where every wait takes twenty times as long: for what is given up after an hour. */
    private static Door.World hasty() { return world(20, _ -> { }); }

    private static Door.World world(int times, Consumer<Duration> meanwhile) {
        if (SLOW) return Door.World.REAL;
        var now = new AtomicReference<>(Instant.now());
        return new Door.World(now::get, duration -> {
            meanwhile.accept(duration);
            now.updateAndGet(it -> it.plus(duration.multipliedBy(times)));
            Thread.sleep(Math.min(duration.toMillis(), 20));
        }, CALL_TIMEOUT);
    }

    private Aws target() { return target(quick()); }

    private Aws target(String id) { return target(quick(), state, id); }

    private Aws target(Door.World world) {
        return target(world, state, "test-" + UUID.randomUUID().toString().substring(0, 6));
    }

    private static Aws target(Door.World world, Path state, String id) {
        return new Aws(world, new Ledger(state), Path.of("").toAbsolutePath(),
                new Aws.Settings("x86_64", List.of(), List.of()), () -> id, ME);
    }

    private static Run.Plan plan() {
        var steady = new Study.Steady("steady", Study.Steady.SLOTS, 1, 0, 60,
                List.of(new Run.Workload("store", 10.0, Map.of())));
        return new Run.Plan("test", "", false, 1, 0, VARIANTS, List.of(steady),
                List.of(new Run.PlannedCell(1, "steady", "one", 1, NAMES, "store")));
    }

    private Target.Start startRequest(Target.Planned planned) throws IOException {
        return new Target.Start(run, VARIANTS, Map.of("python", new MeasuredFunction.Artefact(python(), null, artefact,
                Files.size(artefact), Sha256.of(artefact), Map.of())), planned);
    }

    private static MeasuredFunction python() throws IOException {
        return MeasuredFunction.read(Path.of("function/python"));
    }

    private static Target.Plan planRequest() throws IOException {
        return new Target.Plan(plan(), Map.of("python", python()));
    }

    private Target.Started started(Aws target) throws Exception {
        return target.start(startRequest(target.plan(planRequest())), told::add);
    }

    /** All that experiment.java asks for, on stores and logs that hold something, so that no call is left out. */
    private void wholeRun(Aws target) throws Exception {
        started(target);
        assertEquals(1, Run.json().readTree(aws.holdings()).get("stacks").size(), "one stack");
        target.ready(new Target.Ready(NAMES), told::add);
        target.recycle(new Target.Recycle(NAMES), told::add);
        String stackName = state().getFirst().stackName();
        aws.store(stackName, "first");
        assertEquals("first", target.stored(new Target.Stored("first")).object());
        target.empty();
        aws.store(stackName, "second");
        invoked(stackName);
        assertTrue(target.collect(collect(NAMES, 2), told::add).complete());
        target.keep();
        target.remove(told::add);
        nothingLeft();
    }

    /** Each function of the stack has been invoked, and Lambda has made a log group that nobody asked for. */
    private static void invoked(String stackName) throws Exception {
        aws.inside("{\"invoked\": \"%1$s\", \"log_group\": \"/aws/lambda/%1$s-edge\"}".formatted(stackName));
    }

    private Target.Collect collect(List<String> variants, long requests) {
        return new Target.Collect(variants, Instant.now().minusSeconds(60), Instant.now(), requests,
                run.resolve("invocations.gz"), run.resolve("metrics"));
    }

    private List<Ledger.Entry> state() throws IOException { return new Ledger(state).entries(); }

    private static String ask(Target.Started started, String variant, String workload) throws Exception {
        try (var client = HttpClient.newHttpClient()) {
            return client.send(HttpRequest.newBuilder(URI.create(started.urls().get(variant) + "/" + workload))
                    .header("x-api-key", started.apiKey()).build(),
                    HttpResponse.BodyHandlers.ofString()).body();
        }
    }

    private void nothingLeft() throws Exception {
        assertEquals(before, aws.holdings());
        assertEquals(List.of(), state());
    }

    private static Cli.Problem problem(int exitCode, org.junit.jupiter.api.function.Executable step) {
        var problem = assertThrows(Cli.Problem.class, step);
        assertEquals(exitCode, problem.exitCode, problem.getMessage());
        assertFalse(problem.getMessage().contains("\n"), "one line");
        return problem;
    }

    private static void says(String part, String text) {
        assertTrue(text.contains(part), () -> "'" + part + "' is not in: " + text);
    }

    // ==== Without faults ====

    @Test void a_run_leaves_the_account_as_it_was() throws Exception {
        var target = target();
        var started = started(target);
        assertEquals(Map.of("python-standard-1769", 0, "python-lmi-2048", 3),
                target.ready(new Target.Ready(NAMES), told::add).environments());
        String id = Run.json().readTree(ask(started, "python-standard-1769", "store")).get("id").asText();
        says("\"concurrency\":16", ask(started, "python-lmi-2048", "health"));
        var contents = target.stored(new Target.Stored(id));
        assertEquals(id, contents.object());
        assertEquals(id, contents.item().at("/id/S").asText());
        assertEquals(new Run.Stored(1, 1, true, 36, 36), contents.stored());
        assertEquals(new Target.Collected(2, true, List.of()), target.collect(collect(NAMES, 2), told::add));
        target.empty();
        assertEquals(0, target.stored(new Target.Stored(null)).stored().objects());
        assertTrue(target.remove(told::add).spentUsd() > 0);
        nothingLeft();
    }

    @Test void recycling_makes_a_functions_environments_new_and_leaves_its_settings() throws Exception {
        var target = target();
        var started = started(target);
        target.ready(new Target.Ready(NAMES), told::add);
        var before = NAMES.stream().collect(Collectors.toMap(name -> name, name -> pid(started, name)));
        assertEquals(before.get(NAMES.getFirst()), pid(started, NAMES.getFirst()));
        target.recycle(new Target.Recycle(NAMES), told::add);
        target.ready(new Target.Ready(NAMES), told::add);
        for (String name : NAMES) assertNotEquals(before.get(name), pid(started, name), name);
        says("python-lmi-2048 has new environments", told.toString());
        assertEquals(1, aws.calls().stream().filter("PublishVersion"::equals).count(), "LMI's version alone is published");
        target.remove(told::add);
        nothingLeft();
    }

    /** The process that answers, which still knows of its variant, its bucket and its concurrency. */
    private static int pid(Target.Started started, String variant) {
        try {
            var reply = Run.json().readTree(ask(started, variant, "store"));
            assertEquals(variant, reply.path("variant").asText(), reply.toString());
            assertTrue(reply.hasNonNull("id"), reply.toString());
            return reply.get("pid").asInt();
        } catch (Exception failed) {
            throw new AssertionError(failed);
        }
    }

    @Test void recycling_goes_on_where_a_function_is_being_updated_or_a_reply_is_lost() throws Exception {
        var target = target();
        started(target);
        var updating = new StandIn.Kind.Refuse(409, "ResourceConflictException", "An update is in progress");
        aws.fail("UpdateFunctionConfiguration", updating, 2).fail("PublishVersion", updating, 1)
                .fail("UpdateFunctionConfiguration|PublishVersion", new StandIn.Kind.LoseReply(), 2);
        target.recycle(new Target.Recycle(NAMES), told::add);
        says("python-standard-1769 has new environments", told.toString());
        says("python-lmi-2048 has new environments", told.toString());
        target.remove(told::add);
        nothingLeft();
    }

    @Test void recycling_without_the_right_to_it_fails_the_measurement_and_names_the_right() throws Exception {
        var target = target();
        started(target);
        aws.fail("UpdateFunctionConfiguration", StandIn.DENY, 99);
        says("lambda:UpdateFunctionConfiguration", problem(5, () -> target.recycle(new Target.Recycle(NAMES), told::add))
                .getMessage());
        target.remove(told::add);
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
        for (var entry : state()) assertFalse(Files.readString(new Ledger(state).file(entry)).contains(key));
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
        var planned = target().plan(planRequest());
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

    @Test void the_final_bill_is_the_sum_of_what_was_used_by_hand() throws Exception {
        var world = quick();
        var target = target(world);
        started(target);
        var entry = state().getFirst();
        aws.store(entry.stackName(), "id");
        target.stored(new Target.Stored(null));
        invoked(entry.stackName());
        target.collect(collect(NAMES, 2), told::add);
        double spentUsd = target.remove(told::add).spentUsd();
        double hours = Duration.between(entry.up(), world.now()).toMillis() / 3.6e6;
        // An invocation of a millisecond for each of two variants, and one of them stored.
        assertEquals(2 * (0.2e-6 + 3.5e-6) + 0.001 * 1769 / 1024 * 0.0000166667 + 5e-6 + 2 * 0.625e-6
                + 2 * (700 * 0.5 + 600 * 0.09) / (1 << 30) + 3 * hours * 0.1008 * 1.15, spentUsd, SLOW ? 0.01 : 1e-12);
    }

    @Test void a_price_that_aws_tells_takes_the_place_of_the_file_s() throws Exception {
        String product = """
                {"product": {"attributes": {"usagetype": "ApiGatewayRequest"}},
                 "terms": {"OnDemand": {"A.B": {"priceDimensions": {
                  "A.B.2": {"beginRange": "1000", "endRange": "Inf", "pricePerUnit": {"USD": "1.0"}},
                  "A.B.1": {"beginRange": "0", "endRange": "1000", "pricePerUnit": {"USD": "2.0"}}}}}}}""";
        aws.fail("GetProducts", new StandIn.Kind.Say(Run.json().createObjectNode().set("PriceList",
                Run.json().createArrayNode().add(product)).toString()), 99);
        var planned = target().plan(planRequest());
        assertEquals(1000 * 2.0 + 200 * 1.0, planned.cost().stream()
                .filter(item -> item.name().equals("REST API requests")).findFirst().orElseThrow().usd(), 1e-9);
        says("did not tell DynamoDB writes, S3 PUTs: data/prices.json of", planned.warnings().toString());
    }

    @Test void a_report_is_read_in_both_its_forms_and_on_lmi_has_a_duration_only() throws Exception {
        Instant logged = Instant.parse("2026-11-22T05:00:01Z");
        var standard = new Run.Invocation("id-1", "v", "abc", Instant.parse("2026-11-22T05:00:00.500Z"), "ok", 500, 700.0,
                199.5, 512, 80.0);
        assertEquals(standard, CloudWatch.invocation("v", """
                {"time": "2026-11-22T05:00:01.000Z", "type": "platform.report",
                 "record": {"requestId": "id-1", "status": "success", "metrics": {"durationMs": 500.0, "billedDurationMs": 700,
                            "memorySizeMB": 512, "maxMemoryUsedMB": 80, "initDurationMs": 199.5}}}""",
                logged, "2026/11/22/[$LATEST]abc"));
        assertEquals(standard, CloudWatch.invocation("v",
                "REPORT RequestId: id-1\tDuration: 500 ms\tBilled Duration: 700 ms\tMemory Size: 512 MB\t"
                + "Max Memory Used: 80 MB\tInit Duration: 199.5 ms\t\n", logged, "2026/11/22/[$LATEST]abc"));
        assertEquals(new Run.Invocation("id-2", "v", "abc", Instant.parse("2026-11-22T05:00:00.990Z"), "timeout", 10, null,
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
        nothingLeft();
    }

    @Test void without_credentials_no_call_is_made() throws Exception {
        var ended = serve(Map.of("AWS_REGION", "us-east-1"));
        says("\"exitCode\":2", ended);
        says("AWS_ACCESS_KEY_ID", ended);
        assertEquals(List.of(), aws.calls());
        nothingLeft();
    }

    @Test void credentials_that_end_before_the_run_would_are_refused() throws Exception {
        var ended = serve(Map.of("AWS_REGION", "us-east-1", "AWS_ACCESS_KEY_ID", "test", "AWS_SECRET_ACCESS_KEY", "test",
                "AWS_SESSION_TOKEN", "test",
                "AWS_CREDENTIAL_EXPIRATION", Instant.now().plusSeconds(600).toString()));
        says("\"exitCode\":2", ended);
        says("the AWS credentials end at", ended);
        nothingLeft();
    }

    @Test void credentials_that_are_over_or_wrong_are_said_to_be_so_at_once() throws Exception {
        var refusals = Map.of("ExpiredTokenException", "have expired", "ExpiredToken", "have expired",
                "InvalidClientTokenId", "are invalid", "UnrecognizedClientException", "are invalid",
                "SignatureDoesNotMatch", "are invalid");
        for (var refusal : refusals.entrySet()) {
            aws.heal();
            aws.fail(".*", new StandIn.Kind.Refuse(403, refusal.getKey(), "no"), 99);
            var problem = problem(2, () -> started(target()));
            says("the AWS credentials " + refusal.getValue() + ": " + refusal.getKey(), problem.getMessage());
            says("AWS_ACCESS_KEY_ID", problem.hint);
            assertEquals(List.of("GetCallerIdentity"), aws.calls());
            nothingLeft();
        }
    }

    @Test void a_call_that_is_denied_before_the_stack_is_named_and_what_was_uploaded_is_removed() throws Exception {
        var named = new TreeMap<>(Map.of(
                "GetCallerIdentity", "sts:GetCallerIdentity", "GetAccountSettings", "lambda:GetAccountSettings",
                "ListCapacityProviders", "lambda:ListCapacityProviders", "DescribeSubnets", "ec2:DescribeSubnets",
                "DescribeSecurityGroups", "ec2:DescribeSecurityGroups",
                "HeadBucket", "a bucket named lambda-kit-denied-artefacts is there",
                "CreateBucket", "s3:CreateBucket on lambda-kit-denied-artefacts",
                "PutObject", "s3:PutObject on lambda-kit-denied-artefacts",
                "CreateChangeSet", "cloudformation:CreateChangeSet on lambda-kit-denied",
                "DescribeChangeSet", "cloudformation:DescribeChangeSet on lambda-kit-denied"));
        for (var call : named.entrySet()) {
            aws.heal();
            aws.fail(call.getKey(), StandIn.DENY, 99);
            var problem = problem(2, () -> started(target("denied")));
            says(call.getValue(), problem.getMessage());
            assertFalse(problem.getMessage().contains("123456789012"), "an account number");
            nothingLeft();
        }
    }

    @Test void a_mistyped_region_is_told_in_seconds() throws Exception {
        says("there is no AWS region 'us-esat-1'", serve(process(Map.of("AWS_REGION", "us-esat-1",
                "AWS_ACCESS_KEY_ID", "test", "AWS_SECRET_ACCESS_KEY", "test"), Map.of())));
    }

    @Test void garbage_in_the_credentials_environment_is_one_line() throws Exception {
        for (var garbage : Map.of("AWS_CREDENTIAL_EXPIRATION", "tomorrow", "AWS_SECRET_ACCESS_KEY", "two\nlines",
                "AWS_SESSION_TOKEN", "two words").entrySet()) {
            var environment = new HashMap<>(Map.of("AWS_REGION", "us-east-1", "AWS_ACCESS_KEY_ID", "test",
                    "AWS_SECRET_ACCESS_KEY", "test", "AWS_SESSION_TOKEN", "test"));
            environment.put(garbage.getKey(), garbage.getValue());
            String ended = serve(environment);
            says("\"exitCode\":2", ended);
            assertTrue(ended.contains("is not a time") || ended.contains("hold characters that no key has"), ended);
        }
        nothingLeft();
    }

    @Test void too_few_vcpus_are_refused_and_an_unknown_quota_is_a_warning() throws Exception {
        aws.inside("{\"vcpus\": 5}");
        var problem = problem(2, () -> target().plan(planRequest()));
        says("LMI's instances need 6 vCPUs of EC2, the quota in us-east-1 is 5", problem.getMessage());
        says("L-1216C47A", problem.hint);
        aws.heal();
        aws.fail("GetServiceQuota", StandIn.DENY, 99);
        says("quota allows the 6 vCPUs that LMI's instances need is not known", target().plan(planRequest()).warnings()
                .toString());
    }

    @Test void a_region_without_lmi_is_told_apart_from_a_right_that_is_missing() throws Exception {
        for (var refusal : List.of(new StandIn.Kind.Refuse(404, "UnknownOperationException", "no such operation"),
                new StandIn.Kind.Refuse(403, "AccessDeniedException", "This feature is not available in this region"),
                new StandIn.Kind.Refuse(400, "ValidationException", "not supported"))) {
            aws.heal();
            aws.fail("ListCapacityProviders", refusal, 99);
            assertEquals(Map.of("python-lmi-2048", "Managed Instances are not offered in us-east-1"),
                    target().plan(planRequest()).refused());
        }
        aws.heal();
        aws.fail("ListCapacityProviders", StandIn.DENY, 99);
        says("not allowed: lambda:ListCapacityProviders", problem(2, () -> target().plan(planRequest())).getMessage());
    }

    @Test void doctor_says_what_the_account_allows_and_what_to_do_about_the_rest() throws Exception {
        target().doctor(told::add);
        for (String line : List.of("credentials  they do not end", "region       us-east-1", "LMI          offered",
                "executions are free; a standard variant takes 16", "EC2          64 vCPUs of standard instances",
                "network      subnet-")) says(line, told.toString());
        aws.fail("GetServiceQuota|DescribeSubnets", StandIn.DENY, 99);
        told.clear();
        target().doctor(told::add);
        says("EC2          not known: not allowed: servicequotas:GetServiceQuota", told.toString());
    }

    @Test void a_stack_that_no_state_names_is_not_touched() throws Exception {
        var theirs = target(quick(), home.resolve("another-machine"), "taken");
        started(theirs);
        String held = aws.holdings();
        aws.heal();
        says("a stack named lambda-kit-taken is there", problem(2, () -> started(target("taken"))).getMessage());
        target().teardown(null, told::add);
        says("nothing is left in AWS by runs of this machine", told.getLast());
        says("names taken", problem(2, () -> target().teardown("taken", told::add)).getMessage());
        assertEquals(List.of(), aws.calls().stream().filter(call -> call.matches(MAKES)).toList());
        assertEquals(held, aws.holdings());
        theirs.remove(told::add);
        nothingLeft();
    }

    @Test void a_bucket_of_that_name_is_not_used() throws Exception {
        aws.send("PUT", "/lambda-kit-bucket-artefacts", "");
        says("a bucket named lambda-kit-bucket-artefacts", problem(2, () -> started(target("bucket"))).getMessage());
        aws.send("DELETE", "/lambda-kit-bucket-artefacts", "");
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
        for (String reason : List.of("the account has too many tables", "lambda-kit-Table already exists",
                "User: arn:aws:iam::%s:user/me is not authorized to perform: dynamodb:CreateTable")) {
            aws.inside("{\"create\": {\"Table\": \"%s\"}}".formatted(reason.formatted("123456789012")));
            assertEquals("the stack could not be made: Table (AWS::DynamoDB::Table): " + reason.formatted("<account>"),
                    problem(3, () -> started(target())).getMessage());
            nothingLeft();
        }
    }

    @Test void a_right_that_is_missing_once_the_stack_is_being_made_is_named_and_all_is_removed() throws Exception {
        for (String call : List.of("cloudformation:ExecuteChangeSet", "cloudformation:DescribeStackEvents",
                "apigateway:GetApiKey")) {
            aws.heal();
            aws.fail(call.substring(call.indexOf(':') + 1), StandIn.DENY, 99);
            says("not allowed: " + call, problem(3, () -> started(target())).getMessage());
            nothingLeft();
        }
    }

    @Test void a_change_set_that_fails_leaves_nothing_in_review() throws Exception {
        aws.fail("DescribeChangeSet", new StandIn.Kind.Say("""
                <DescribeChangeSetResponse><DescribeChangeSetResult><Status>FAILED</Status>
                <StatusReason>no such transform</StatusReason></DescribeChangeSetResult></DescribeChangeSetResponse>"""), 1);
        says("no such transform", problem(3, () -> started(target())).getMessage());
        assertTrue(aws.calls().contains("CreateChangeSet"));
        nothingLeft();
    }

    @Test void a_function_that_never_becomes_active_is_named_and_the_experiment_removes_all() throws Exception {
        var target = target(hasty());
        started(target);
        for (var state : Map.of("Failed", "failed to become active", "Pending", "within 20 min").entrySet()) {
            aws.fail("GetFunctionConfiguration", new StandIn.Kind.Say("{\"State\": \"%s\"}".formatted(state.getKey())), 9999);
            says(state.getValue(), problem(3, () -> target.ready(new Target.Ready(NAMES), told::add)).getMessage());
            aws.heal();
        }
        target.remove(told::add);
        nothingLeft();
    }

    @Test void a_failed_stack_that_cannot_be_deleted_at_first_is_deleted_again() throws Exception {
        aws.inside("{\"create\": {\"PythonLmi2048\": \"no\"}, \"delete\": {\"Table\": 2}}");
        says("PythonLmi2048 (AWS::Lambda::Function): no", problem(3, () -> started(target())).getMessage());
        nothingLeft();
    }

    @Test void a_quota_at_the_change_set_is_told_and_what_was_uploaded_is_removed() throws Exception {
        aws.fail("CreateChangeSet",
                new StandIn.Kind.Refuse(400, "LimitExceededException", "Limit for stack has been exceeded"), 1);
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

    @Test void a_read_that_is_denied_fails_its_step_alone_and_the_removal_is_made() throws Exception {
        var target = target();
        started(target);
        record Step(String call, int exitCode, org.junit.jupiter.api.function.Executable step) {}
        for (var it : List.of(
                new Step("GetFunctionConfiguration", 3, () -> target.ready(new Target.Ready(NAMES), told::add)),
                new Step("ListObjectsV2", 5, () -> target.stored(new Target.Stored(null))),
                new Step("Scan", 5, () -> target.stored(new Target.Stored(null))),
                new Step("GetObject", 5, () -> target.stored(new Target.Stored("id"))),
                new Step("GetItem", 5, () -> target.stored(new Target.Stored("id"))),
                new Step("ListObjectVersions", 5, target::empty))) {
            aws.heal();
            aws.fail(it.call(), StandIn.DENY, 99);
            says(":" + it.call(), problem(it.exitCode(), it.step()).getMessage());
        }
        aws.heal();
        aws.fail("FilterLogEvents", StandIn.DENY, 99);
        says("invocation records are missing: not allowed: logs:FilterLogEvents", target.collect(collect(NAMES, 2), told::add).notes().toString());
        aws.heal();
        target.remove(told::add);
        nothingLeft();
    }

    @Test void a_read_that_is_denied_while_removing_hinders_no_other_step() throws Exception {
        for (String call : List.of("DescribeStackResources", "DescribeStacks", "DescribeLogGroups", "DescribeInstances",
                "ListCapacityProviders")) {
            aws.heal();
            var target = target();
            started(target);
            aws.store(state().getFirst().stackName(), "id");
            aws.fail(call, StandIn.DENY, 9999);
            if (call.equals("DescribeStackResources")) target.remove(told::add);
            else {
                says(call, problem(4, () -> target.remove(told::add)).getMessage());
                assertTrue(aws.calls().contains("DeleteStack"), call);
                assertEquals(!call.equals("DescribeStacks"), aws.calls().contains("DeleteBucket"), call);
                aws.heal();
                target().teardown(null, told::add);
            }
            nothingLeft();
        }
    }

    @Test void a_target_that_died_is_followed_by_one_that_removes() throws Exception {
        started(target());
        target().remove(told::add);
        nothingLeft();
    }

    @Test void a_stack_that_a_living_run_uses_is_not_torn_down() throws Exception {
        var run = new ProcessBuilder("sleep", "600").start();
        try {
            var theirs = new Aws(quick(), new Ledger(state), Path.of("").toAbsolutePath(),
                    new Aws.Settings("x86_64", List.of(), List.of()), () -> "theirs", Ledger.Holder.of(run.toHandle()));
            started(theirs);
            String held = aws.holdings();
            aws.heal();
            says("is used by a run that goes on, process " + run.pid(),
                    problem(2, () -> target().teardown(null, told::add)).getMessage());
            assertEquals(List.of(), aws.calls());
            target().status(told::add);
            says("theirs  us-east-1  2 variants, up for", told.toString());
            says("used by a run that goes on", told.toString());
            assertEquals(held, aws.holdings());
        } finally {
            run.destroyForcibly().waitFor();
        }
        target().teardown(null, told::add);
        nothingLeft();
    }

    @Test void status_asks_the_account_too_and_says_what_it_costs_an_hour() throws Exception {
        var theirs = target(quick(), home.resolve("another-machine"), "20261124-120000-abcdef");
        target().status(told::add);
        says("holds nothing else of the kit's in us-east-1", told.getLast());
        started(theirs);
        told.clear();
        target().status(told::add);
        for (String line : List.of("nothing is left in AWS by runs of this machine", "what no state of this machine names",
                "stack lambda-kit-20261124-120000-abcdef", "bucket lambda-kit-20261124-120000-abcdef-artefacts",
                "capacity provider lambda-kit-20261124-120000-abcdef-PythonProvider",
                "log group /aws/lambda/capacity-provider/lambda-kit-20261124-120000-abcdef-python",
                "cost about $0.35 an hour")) says(line, told.toString());
        theirs.remove(told::add);
        nothingLeft();
    }

    @Test void without_rights_status_tells_what_the_ledger_knows() throws Exception {
        var target = target("known");
        started(target);
        aws.fail("GetCallerIdentity", StandIn.DENY, 99);
        told.clear();
        target().status(told::add);
        says("known  us-east-1  2 variants", told.toString());
        aws.heal();
        target.remove(told::add);
    }

    @Test void instances_that_outlive_their_provider_are_waited_for() throws Exception {
        var target = target();
        started(target);
        aws.fail("DescribeInstances", new StandIn.Kind.Say("<r><instanceId>i-0123</instanceId></r>"), 2);
        target.remove(told::add);
        says("billed until gone: i-0123", told.toString());
        nothingLeft();
    }

    @Test void a_denied_deletion_names_the_stack_and_keeps_the_state() throws Exception {
        var target = target("denied");
        started(target);
        aws.fail("DeleteStack", StandIn.DENY, 99);
        var problem = problem(4, () -> target.remove(told::add));
        says("cloudformation:DeleteStack", problem.getMessage());
        says("stack lambda-kit-denied/", problem.getMessage());
        says("./jbang aws.java teardown", problem.hint);
        assertEquals(1, state().size());
        aws.heal();
        target().teardown(null, told::add);
        nothingLeft();
    }

    @Test void a_stack_that_cannot_be_deleted_is_named_with_what_survives() throws Exception {
        aws.inside("{\"create\": {\"PythonLmi2048\": \"no\"}, \"delete\": {\"Table\": 99999}}");
        var problem = problem(4, () -> started(target(hasty(), state, "stuck")));
        says("PythonLmi2048 (AWS::Lambda::Function): no", problem.getMessage());
        says("Table (AWS::DynamoDB::Table: the resource is in use)", problem.getMessage());
        says("stack lambda-kit-stuck/", problem.getMessage());
        says("./jbang aws.java teardown", problem.hint);
        assertEquals(1, state().size());
        aws.heal();
        target().teardown(null, told::add);
        nothingLeft();
    }

    @Test void a_network_that_stays_away_ends_with_the_way_on() throws Exception {
        var target = target();
        var planned = target.plan(planRequest());
        aws.fail("DescribeStackEvents", new StandIn.Kind.Drop(), 9999);
        var problem = problem(4, () -> target.start(startRequest(planned), told::add));
        says("AWS did not answer cloudformation:DescribeStackEvents for 10 min", problem.getMessage());
        says("--resume", problem.hint);
        aws.heal();
        target().teardown(null, told::add);
        nothingLeft();
    }

    @Test void a_capacity_provider_that_never_drains_is_named() throws Exception {
        var target = target(hasty());
        started(target);
        aws.inside("{\"drain\": 99999}");
        var problem = problem(4, () -> target.remove(told::add));
        says("PythonProvider", problem.getMessage());
        says("billed", problem.getMessage());
        assertEquals(1, state().size());
        aws.inside("{\"drained\": true}");
        target().teardown(null, told::add);
        nothingLeft();
    }

    // ==== Outlived: exit code 0 ====

    @Test void thirty_throttles_of_every_call_only_make_a_run_slower() throws Exception {
        // Prices and metrics are given up sooner: a run can do without.
        for (String call : callsOfTheSource())
            aws.fail(call, StandIn.THROTTLE, call.matches("GetProducts|ListMetrics|GetMetricData") ? 3 : 30);
        wholeRun(target());
        for (String call : callsOfTheSource())
            assertTrue(aws.calls().stream().filter(call::equals).count() > 3, call);
    }

    @Test void nothing_is_polled_more_often_than_every_other_second() throws Exception {
        var waits = new TreeSet<Duration>();
        wholeRun(target(quick(waits::add)));
        assertTrue(waits.first().toSeconds() >= 2, waits.toString());
    }

    @Test void a_lost_reply_makes_nothing_twice_and_nothing_fail() throws Exception {
        var makes = callsOfTheSource().stream().filter(call -> call.matches(MAKES)).toList();
        for (String call : makes) aws.fail(call, new StandIn.Kind.LoseReply(), 1);
        wholeRun(target());
        for (String call : makes) assertTrue(aws.calls().stream().filter(call::equals).count() > 1, call);
    }

    @Test void a_network_that_goes_and_comes_back_is_waited_for() throws Exception {
        // It goes when the stack begins to be made, and nothing gets through for a minute.
        aws.fail("ExecuteChangeSet", new StandIn.Kind.Meanwhile(false,
                () -> aws.fail(".*", new StandIn.Kind.Drop(), 8)), 1);
        wholeRun(target());
    }

    @Test void a_call_that_hangs_is_made_again() throws Exception {
        // EC2 is asked by plain HTTP, the others by the SDK.
        for (String call : List.of("DescribeSubnets", "DescribeStackEvents"))
            aws.fail(call, new StandIn.Kind.Hang(CALL_TIMEOUT.plusSeconds(5)), 1);
        wholeRun(target());
    }

    @Test void without_the_price_list_the_file_tells_and_says_from_when() throws Exception {
        for (var kind : List.of(StandIn.DENY, StandIn.BROKEN)) {
            aws.fail("GetProducts", kind, 99);
            says("data/prices.json of 20", target().plan(planRequest()).warnings().toString());
        }
    }

    @Test void without_metrics_the_records_are_whole_and_a_note_says_what_is_missing() throws Exception {
        var target = target();
        started(target);
        invoked(state().getFirst().stackName());
        for (var kind : List.of(StandIn.DENY, StandIn.BROKEN)) {
            aws.fail("GetMetricData|ListMetrics", kind, 99);
            var collected = target.collect(collect(NAMES, 2), told::add);
            assertEquals(2, collected.invocations());
            assertTrue(collected.complete());
            says("metrics are missing", collected.notes().toString());
        }
        aws.heal();
        target.remove(told::add);
        nothingLeft();
    }

    @Test void logs_that_come_late_are_waited_for() throws Exception {
        var target = target();
        started(target);
        invoked(state().getFirst().stackName());
        var nothing = new StandIn.Kind.Say("{\"events\": []}");
        aws.fail("FilterLogEvents", nothing, 5);
        assertEquals(new Target.Collected(2, true, List.of()), target.collect(collect(NAMES, 2), told::add));
        aws.fail("FilterLogEvents", nothing, 9999);
        assertEquals(new Target.Collected(0, false, List.of("no invocation records came")),
                target.collect(collect(NAMES, 0), told::add));
        aws.heal();
        target.remove(told::add);
        nothingLeft();
    }

    @Test void logs_that_come_in_part_are_told_as_so_many_of_so_many() throws Exception {
        var target = target();
        started(target);
        aws.inside("{\"lose_logs\": 2, \"invoked\": \"%s\"}".formatted(state().getFirst().stackName()));
        var collected = target.collect(collect(NAMES, 2), told::add);
        assertFalse(collected.complete());
        assertEquals(1, collected.invocations());
        says("1 of 2 invocation records came", collected.notes().toString());
        assertEquals(collected.notes().getFirst(), told.getLast());
        target.remove(told::add);
        nothingLeft();
    }

    @Test void as_many_records_as_requests_are_not_read_twice() throws Exception {
        var target = target();
        started(target);
        invoked(state().getFirst().stackName());
        target.collect(collect(NAMES, 2), told::add);
        assertEquals(2, aws.calls().stream().filter("FilterLogEvents"::equals).count(), "one for each variant");
        target.remove(told::add);
        nothingLeft();
    }

    @Test void a_bucket_that_is_not_empty_is_emptied_first_and_again_when_its_deletion_failed() throws Exception {
        var target = target();
        started(target);
        String stackName = state().getFirst().stackName();
        aws.store(stackName, "early");
        aws.fail("DeleteStack", new StandIn.Kind.Meanwhile(true,
                () -> assertDoesNotThrow(() -> aws.store(stackName, "late"))), 1);
        target.remove(told::add);
        assertEquals(2, aws.calls().stream().filter("DeleteStack"::equals).count());
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

    // ==== The dead man's switch ====

    /** What the account's schedule says: when, whom it calls and with what. */
    private com.fasterxml.jackson.databind.JsonNode schedule() throws Exception {
        return Run.json().readTree(aws.send("GET", "/schedules/" + state().getFirst().stackName() + "-removal", "",
                "Authorization", "AWS4-HMAC-SHA256 Credential=test/20261124/us-east-1/scheduler/aws4_request, SignedHeaders=host, "
                + "Signature=0"));
    }

    private Instant due() throws Exception { return Instant.ofEpochSecond(schedule().get("StartDate").asLong()); }

    @Test void a_stack_deletes_itself_two_hours_after_the_planned_end() throws Exception {
        var planned = target().plan(planRequest());
        assertEquals(Duration.ofMillis(60_000 + 900 + 25_000 + 30 * 60_000), planned.lasts(), "a cell, what it takes besides anywhere, and on AWS");
        Instant began = Instant.now();
        target("forgotten").start(startRequest(planned), told::add);
        var entry = state().getFirst();
        assertEquals(entry.removeAt(), due());
        assertTrue(Duration.between(began.plus(planned.lasts()).plus(Duration.ofHours(2)), due()).abs().toSeconds() < 60);
        assertEquals("rate(1 hours)", schedule().get("ScheduleExpression").asText(), "until the stack is gone");
        assertEquals("arn:aws:scheduler:::aws-sdk:cloudformation:deleteStack", schedule().at("/Target/Arn").asText());
        // Whoever made it is dead now, and the hour has come: the test does what the schedule would.
        String stackId = Run.json().readTree(schedule().at("/Target/Input").asText()).get("StackName").asText();
        assertEquals(entry.stackId(), stackId);
        aws.send("POST", "/", "Action=DeleteStack&Version=2010-05-15&StackName=" + URLEncoder.encode(stackId,
                StandardCharsets.UTF_8), "Content-Type", "application/x-www-form-urlencoded");
        for (int i = 0; i < 100 && aws.holdings().contains("forgotten-removal"); i++) Thread.sleep(100);
        target().status(told::add);
        says("deletes itself from " + entry.removeAt(), told.toString());
        target().teardown(null, told::add);
        nothingLeft();
    }

    @Test void keeping_resuming_and_being_late_push_the_deletion_back() throws Exception {
        var late = new AtomicReference<>(Duration.ZERO);
        var world = new Door.World(() -> Instant.now().plus(late.get()), _ -> Thread.sleep(20), CALL_TIMEOUT);
        var target = target(world);
        started(target);
        Instant first = due();
        invoked(state().getFirst().stackName());
        target.collect(collect(NAMES, 2), told::add);
        assertEquals(first, due(), "in time");
        late.set(Duration.between(Instant.now(), first).minusMinutes(50));
        target.collect(collect(NAMES, 2), told::add);
        assertTrue(due().isAfter(first.plus(Duration.ofMinutes(60))), "late");
        Instant second = due();
        started(target(world));
        assertTrue(due().isAfter(second), "resumed");
        assertEquals(target.keep().until(), due());
        assertTrue(Duration.between(world.now(), due()).toMinutes() > 9 * 60, "kept");
        target.remove(told::add);
        nothingLeft();
    }

    @Test void a_deletion_that_cannot_be_pushed_back_is_a_note() throws Exception {
        var late = new AtomicReference<>(Duration.ZERO);
        var target = target(new Door.World(() -> Instant.now().plus(late.get()), _ -> Thread.sleep(20), CALL_TIMEOUT));
        started(target);
        invoked(state().getFirst().stackName());
        late.set(Duration.ofHours(2));
        aws.fail("UpdateSchedule", StandIn.DENY, 99);
        says("the stack deletes itself from", target.collect(collect(NAMES, 2), told::add).notes().toString());
        aws.heal();
        target.remove(told::add);
        nothingLeft();
    }

    // ==== Killed ====

    /** The calls that change what an account holds. */
    private static final String MAKES = "Create.*|Put.*|Execute.*|Update.*|Delete.*|BatchWrite.*";

    private static final List<String> SOURCE = Stream.concat(Stream.of("aws.java"),
            Stream.of("Account", "CloudWatch", "Deployment", "PriceList", "StoresOnAws")
                    .map(part -> "kit/aws/" + part + ".java")).toList();

    /** Every call that is written in the source. */
    private static SortedSet<String> callsOfTheSource() throws IOException {
        var calls = new TreeSet<String>();
        for (String file : SOURCE)
            Pattern.compile("\\b(?:call|delete|ec2)\\(\\s*\"(?:\\w+:)?([A-Z]\\w+)").matcher(Files.readString(Path.of(file)))
                    .results().forEach(call -> calls.add(call.group(1)));
        return calls;
    }

    /** Just before a run's nth call of that name reaches AWS, or just before the reply reaches the run. */
    private record Moment(String call, int nth, boolean before) {
        boolean changesSomething() { return call.matches(MAKES); }
    }

    /**
     * Every moment at which a run can be killed and leave something else than a moment earlier: around each call that
     * changes something, and before the first of each other one, as state is written between calls.
     */
    private List<Moment> moments() throws Exception {
        aws.heal();
        wholeRun(target());
        var met = new HashMap<String, Integer>();
        var moments = new ArrayList<Moment>();
        for (String call : aws.calls()) {
            int nth = met.merge(call, 1, Integer::sum);
            if (nth == 1 || call.matches(MAKES)) moments.add(new Moment(call, nth, true));
            if (call.matches(MAKES)) moments.add(new Moment(call, nth, false));
        }
        assertEquals(callsOfTheSource(), met.keySet(), "a call that no run makes is a call that no test kills");
        return moments;
    }

    private static final class Killed extends Error { }

    /** What kill -9 does to a process, done to an object: the call never returns, and nothing of it runs any more. */
    private void killedAt(Moment moment) throws Exception {
        aws.heal();
        var dead = new AtomicBoolean();
        var met = new AtomicInteger();
        aws.fail(moment.call(), new StandIn.Kind.Meanwhile(moment.before(), () -> {
            if (met.incrementAndGet() < moment.nth()) return;
            dead.set(true);
            throw new IllegalStateException("the connection of a dead process ends");
        }), Integer.MAX_VALUE);
        try {
            wholeRun(target(quick(_ -> {
                if (dead.get()) throw new Killed();
            })));
        } catch (Killed | ExecutionException killed) {
            // It was to be.
        }
        assertTrue(dead.get(), () -> moment + " never came");
        aws.heal();
    }

    @Test void killed_at_any_moment_a_teardown_leaves_nothing_and_again_does_nothing() throws Exception {
        for (var moment : moments()) {
            killedAt(moment);
            target().teardown(null, told::add);
            assertEquals(before, aws.holdings(), moment.toString());
            aws.heal();
            target().teardown(null, told::add);
            assertEquals(List.of(), aws.calls(), moment.toString());
        }
    }

    @Test void killed_at_one_moment_after_the_other_a_run_goes_on_from_each() throws Exception {
        for (var moment : moments()) if (moment.changesSomething()) killedAt(moment);
        wholeRun(target());
    }

    @Test void what_was_being_removed_is_removed_before_a_start_makes_it_anew() throws Exception {
        var first = target();
        started(first);
        aws.inside("{\"delete\": {\"Table\": 1}}");
        aws.fail("DeleteStack", new StandIn.Kind.Meanwhile(true, () -> { }), 1).fail("DeleteStack", StandIn.EXPIRE, 1);
        problem(4, () -> first.remove(told::add));
        aws.heal();
        wholeRun(target());
        says("removes first what an earlier run has left", told.toString());
    }

    @Test void a_process_that_is_killed_is_no_different() throws Exception {
        for (var moment : List.of(new Moment("CreateChangeSet", 1, true), new Moment("ExecuteChangeSet", 1, false),
                new Moment("DeleteStack", 1, false))) {
            processKilledAt(moment);
            target().teardown(null, told::add);
            nothingLeft();
        }
    }

    /** A process that starts and removes, and is killed (-9) at the moment. */
    private void processKilledAt(Moment moment) throws Exception {
        aws.heal();
        var victim = new AtomicReference<Process>();
        aws.fail(moment.call(), new StandIn.Kind.Meanwhile(moment.before(), () -> {
            victim.get().destroyForcibly().onExit().join();
            throw new IllegalStateException("the connection of a dead process ends");
        }), 1);
        victim.set(process(Map.of("AWS_REGION", "us-east-1", "AWS_ACCESS_KEY_ID", "test", "AWS_SECRET_ACCESS_KEY", "test")));
        try (var in = victim.get().outputWriter()) {
            for (Target.Request<?> request : List.of(planRequest(), startRequest(target().plan(planRequest())),
                    new Target.Remove())) in.write(Run.line(request) + "\n");
            in.flush();
            victim.get().getInputStream().transferTo(OutputStream.nullOutputStream());
        } catch (IOException killed) {
            // It was to be.
        }
        assertEquals(137, victim.get().waitFor(), moment.toString());
        aws.heal();
    }

    /** `aws.java serve` in a process of its own with nothing in its environment but this. */
    private Process process(Map<String, String> environment) throws IOException {
        return process(environment, Map.of("AWS_ENDPOINT_URL", aws.url()));
    }

    private Process process(Map<String, String> environment, Map<String, String> endpoint) throws IOException {
        var builder = new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(),
                "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Duser.home=" + run,
                "-cp", System.getProperty("java.class.path"), "Aws", "serve", "--architecture", "x86_64");
        builder.environment().clear();
        builder.environment().putAll(environment);
        builder.environment().putAll(endpoint);
        builder.environment().putAll(Map.of("XDG_STATE_HOME", home.toString(), "AWS_EC2_METADATA_DISABLED", "true"));
        return builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }

    /** What it answers to a plan. */
    private String serve(Map<String, String> environment) throws Exception { return serve(process(environment)); }

    private static String serve(Process process) throws Exception {
        // The end of its stdin would end it before it has answered.
        try (var in = process.outputWriter()) {
            in.write(Run.line(planRequest()) + "\n");
            in.flush();
            return String.valueOf(process.inputReader().readLine());
        }
    }
}
