///usr/bin/env jbang "$0" "$@" ; exit $?
// Does the Lambda on this machine behave as Lambda and API Gateway do, also when a function does not?
//
// A door stands before a small Python function under its real runtime client. What the function does is in the request:
// it echoes its event, sleeps, fails, answers nonsense or ends its process. The last test starts local.java itself,
// with the stores and a measured function, and kills it.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../local.java

import module java.base;
import module java.net.http;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.*;

final class LocalTest {
    public static void main(String... args) {
        org.junit.platform.console.ConsoleLauncher.main("execute", "--select-class=LocalTest", "--details=tree",
                "--disable-banner", "--fail-if-no-tests");
    }

    // ==== A function that does as it is told ====

    private static final String FUNCTION = """
            import base64, json, os, sys, time

            print("init of", os.environ["AWS_LAMBDA_LOG_STREAM_NAME"])
            if os.environ["KIT_VARIANT"] == "broken":
                raise RuntimeError("this function cannot start")

            def handler(event, context):
                query = event["queryStringParameters"] or {}
                match event["pathParameters"]["workload"]:
                    case "echo": return answer(event)
                    case "variables": return answer(dict(os.environ))
                    case "where":
                        return answer({"environment": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"], "pid": os.getpid()})
                    case "sleep":
                        time.sleep(float(query["seconds"]))
                        return answer({})
                    case "spin":
                        begin, cpu = time.monotonic(), time.process_time()
                        while time.process_time() - cpu < float(query["seconds"]): pass
                        return answer({"seconds": time.monotonic() - begin})
                    case "raw": return json.loads(query["reply"])
                    case "big": return {"statusCode": 200, "body": "x" * int(query["bytes"])}
                    case "fail": raise ValueError("as told")
                    case "exit": os._exit(3)

            def answer(body):
                return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
            """;

    private static MeasuredFunction.Artefact python;
    @TempDir Path directory;
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final List<Run.Invocation> invocations = new CopyOnWriteArrayList<>();
    private final Map<String, Lambda> functions = new ConcurrentHashMap<>();
    private Http door;

    @BeforeAll static void build() throws Exception {
        python = new Build(Build.userCache(), _ -> {})
                .build(MeasuredFunction.read(Path.of("function/python")), Build.Platform.LOCAL);
    }

    @AfterEach void end() {
        functions.values().forEach(Lambda::close);
        if (door != null) door.close();
    }

    /** Opens a door before one function: LMI when it has more than one place. */
    private Lambda open(String name, int places, int environments, Duration timeout) throws IOException {
        return open(name, places, environments, timeout, 1769, null);
    }

    private Lambda open(String name, int places, int environments, Duration timeout, int memoryMb, CpuQuota quota)
            throws IOException {
        Files.writeString(directory.resolve("told.py"), FUNCTION);
        var launch = Build.launch(python, 1769);
        var command = new ArrayList<>(launch.command());
        command.set(command.size() - 1, "told.handler");
        var variables = new TreeMap<>(launch.environment());
        variables.put("KIT_VARIANT", name);
        var settings = new Lambda.Settings(
                name, places > 1, places, environments, memoryMb, command, directory, variables, quota);
        var function = new Lambda(
                settings, directory, directory.resolve("log"), new Semaphore(1, true), timeout, invocations::add);
        functions.put(name, function);
        function.prepare();
        door = Http.listen(new FrontDoor(functions)::serve);
        return function;
    }

    private Lambda openStandard(int environments) throws IOException {
        return open("f", 1, environments, Lambda.TIMEOUT);
    }

    private HttpResponse<String> get(String path) { return send(request(path)); }

    private HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + door.port() + path));
    }

    private HttpResponse<String> send(HttpRequest.Builder request) {
        try {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException | InterruptedException failed) {
            throw new AssertionError(failed);
        }
    }

    private HttpResponse<String> raw(String reply) { return get("/f/raw?reply=" + URLEncoder.encode(reply, UTF_8)); }

    private static JsonNode json(HttpResponse<String> response) throws IOException {
        return Run.json().readTree(response.body());
    }

    private String environment() throws IOException { return json(get("/f/where")).get("environment").asText(); }

    /** Sends as many requests at once as there are paths; their answers are in the order of the paths. */
    private List<HttpResponse<String>> atOnce(int count, String path) throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<HttpResponse<String>> ask = () -> get(path);
            var answers = threads.invokeAll(Collections.nCopies(count, ask));
            var all = new ArrayList<HttpResponse<String>>();
            for (var answer : answers) all.add(answer.get());
            return all;
        }
    }

    private static List<Integer> statuses(List<HttpResponse<String>> answers) {
        return answers.stream().map(HttpResponse::statusCode).sorted().toList();
    }

    private List<String> recorded() { return invocations.stream().map(Run.Invocation::status).sorted().toList(); }

    // ==== The door: events ====

    @Test void an_event_is_that_of_a_rest_api_with_proxy_integration() throws Exception {
        openStandard(1);
        var event = (ObjectNode) json(send(request("/f/echo?a=1&b=x%20y&a=2&c")
                .header("X-Mine", "one").header("x-mine", "two").header("User-Agent", "test")
                .POST(HttpRequest.BodyPublishers.ofString("hällo"))));
        var context = (ObjectNode) event.get("requestContext");
        assertTrue(context.remove("requestId").asText().matches("[0-9a-f-]{36}"));
        String trace = ((ObjectNode) event.get("headers")).remove("X-Amzn-Trace-Id").asText();
        assertTrue(trace.matches("Root=1-[0-9a-f]{8}-[0-9a-f]{24}"));
        ((ObjectNode) event.get("multiValueHeaders")).remove("X-Amzn-Trace-Id");
        context.remove(List.of("extendedRequestId", "requestTime", "requestTimeEpoch"));
        String here = "127.0.0.1:" + door.port(), port = "" + door.port();
        assertEquals(Run.json().readTree("""
                {
                  "resource": "/f/{workload}", "path": "/f/echo", "httpMethod": "POST",
                  "headers": {"Content-Length": "6", "Host": "%1$s", "User-Agent": "test",
                    "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Port": "%2$s", "X-Forwarded-Proto": "http",
                    "X-Mine": "two"},
                  "multiValueHeaders": {"Content-Length": ["6"], "Host": ["%1$s"], "User-Agent": ["test"],
                    "X-Forwarded-For": ["127.0.0.1"], "X-Forwarded-Port": ["%2$s"], "X-Forwarded-Proto": ["http"],
                    "X-Mine": ["one", "two"]},
                  "queryStringParameters": {"a": "2", "b": "x y", "c": ""},
                  "multiValueQueryStringParameters": {"a": ["1", "2"], "b": ["x y"], "c": [""]},
                  "pathParameters": {"workload": "echo"}, "stageVariables": null,
                  "requestContext": {"resourceId": "local", "apiId": "local", "domainName": "%1$s",
                    "resourcePath": "/f/{workload}", "httpMethod": "POST", "path": "/kit/f/echo",
                    "accountId": "000000000000", "protocol": "HTTP/1.1", "stage": "kit", "domainPrefix": "local",
                    "identity": {"sourceIp": "127.0.0.1", "userAgent": "test", "apiKey": null}},
                  "body": "hällo", "isBase64Encoded": false
                }""".formatted(here, port)), event);
    }

    @Test void without_query_and_body_an_event_has_nulls() throws Exception {
        openStandard(1);
        JsonNode event = json(get("/f/echo"));
        for (String field : List.of("queryStringParameters", "multiValueQueryStringParameters", "body")) {
            assertTrue(event.get(field).isNull(), field);
        }
    }

    @Test void a_route_that_is_not_there_wants_an_authentication_token() throws Exception {
        openStandard(1);
        for (String path : List.of("/", "/f", "/f/", "/g/echo", "/f/echo/more")) {
            var answer = get(path);
            assertEquals(403, answer.statusCode(), path);
            assertEquals("{\"message\":\"Missing Authentication Token\"}", answer.body());
        }
        assertEquals(List.of(), invocations);
    }

    // ==== The door: replies ====

    @Test void a_replys_headers_come_from_both_fields_and_its_body_may_be_base64() throws Exception {
        openStandard(1);
        var answer = raw("""
                {"statusCode": 201, "headers": {"X-One": "1", "x-both": "one"},
                 "multiValueHeaders": {"X-Both": ["one", "two"]},
                 "body": "aGVsbG8=", "isBase64Encoded": true}""");
        assertEquals(201, answer.statusCode());
        assertEquals("hello", answer.body());
        assertEquals(List.of("1"), answer.headers().allValues("x-one"));
        assertEquals(List.of("one", "two"), answer.headers().allValues("x-both"));
    }

    @Test void a_reply_that_is_not_the_proxys_is_a_502() throws Exception {
        openStandard(1);
        for (String reply : List.of("null", "[]", "\"text\"", "{}",
                "{\"statusCode\": \"two hundred\"}", "{\"statusCode\": 99}",
                "{\"statusCode\": 200, \"body\": {}}", "{\"statusCode\": 200, \"headers\": []}",
                "{\"statusCode\": 200, \"multiValueHeaders\": {\"a\": \"b\"}}",
                "{\"statusCode\": 200, \"body\": \"?\", \"isBase64Encoded\": true}")) {
            var answer = raw(reply);
            assertEquals(502, answer.statusCode(), reply);
            assertEquals("{\"message\":\"Internal server error\"}", answer.body());
        }
        assertEquals(204, raw("{\"statusCode\": 204, \"body\": null, \"headers\": null}").statusCode());
    }

    @Test void what_is_too_large_is_refused() throws Exception {
        openStandard(1);
        for (int bytes : new int[] {10 * 1024 * 1024 + 1, 6 * 1024 * 1024}) {
            var body = HttpRequest.BodyPublishers.ofByteArray(new byte[bytes]);
            assertEquals(413, send(request("/f/echo").POST(body)).statusCode());
        }
        assertEquals(List.of(), invocations);
        assertEquals(502, get("/f/big?bytes=6291456").statusCode());
        assertEquals(200, get("/f/big?bytes=5000000").statusCode());
        assertEquals(List.of("error", "ok"), recorded());
    }

    // ==== Failures ====

    @Test void an_error_of_the_function_is_a_502_and_its_environment_lives_on() throws Exception {
        openStandard(1);
        String before = environment();
        assertEquals(502, get("/f/fail").statusCode());
        assertEquals(before, environment());
        assertEquals(List.of("error", "ok", "ok"), recorded());
    }

    @Test void a_process_that_ends_is_a_502_and_is_replaced() throws Exception {
        openStandard(1);
        String before = environment();
        assertEquals(502, get("/f/exit").statusCode());
        assertNotEquals(before, environment());
        assertEquals(List.of("error", "ok", "ok"), recorded());
    }

    @Test void a_time_out_is_a_504_and_ends_a_standard_environment() throws Exception {
        // The time-out holds for cold starts as well, and this machine may be busy.
        var function = open("f", 1, 1, Duration.ofSeconds(8));
        String before = environment();
        var answer = get("/f/sleep?seconds=600");
        assertEquals(504, answer.statusCode());
        assertEquals("{\"message\":\"Endpoint request timed out\"}", answer.body());
        while (function.state().environments() > 0) Thread.sleep(10);
        assertNotEquals(before, environment());
        assertEquals(List.of("ok", "ok", "timeout"), recorded());
    }

    @Test void a_time_out_on_lmi_leaves_the_environment_and_the_others_alone() throws Exception {
        var function = open("f", 2, 1, Duration.ofSeconds(3));
        function.awaitReady();
        String before = environment();
        assertEquals(504, get("/f/sleep?seconds=600").statusCode());
        assertEquals(before, environment());
        assertEquals(1, function.state().concurrency());
    }

    @Test void a_function_that_cannot_start_says_why() throws Exception {
        open("broken", 1, 1, Lambda.TIMEOUT);
        assertEquals(502, get("/broken/echo").statusCode());
        var lmi = open("broken", 2, 1, Lambda.TIMEOUT);
        var failed = assertThrows(IOException.class, lmi::awaitReady);
        assertTrue(failed.getMessage().startsWith("broken did not start: "), failed.getMessage());
        assertTrue(failed.getMessage().contains("this function cannot start"), failed.getMessage());
    }

    // ==== The execution models ====

    @Test void a_standard_environment_serves_one_request_at_a_time_and_a_second_one_is_a_cold_start() throws Exception {
        var function = openStandard(16);
        assertEquals(0, function.state().environments());
        String first = environment();
        assertEquals(first, environment());
        assertEquals(1, function.state().environments());
        assertEquals(List.of(200, 200), statuses(atOnce(2, "/f/sleep?seconds=2")));
        assertEquals(2, function.state().environments());
        assertEquals(2, invocations.stream().map(Run.Invocation::environment).distinct().count());
        assertEquals(2, invocations.stream().filter(invocation -> invocation.initMs() != null).count());
    }

    @Test void at_the_limit_of_environments_a_request_is_throttled_and_not_queued() throws Exception {
        var function = openStandard(2);
        var answers = atOnce(5, "/f/sleep?seconds=1");
        assertEquals(List.of(200, 200, 500, 500, 500), statuses(answers));
        assertEquals(List.of("ok", "ok", "throttled", "throttled", "throttled"), recorded());
        assertEquals(3, function.state().throttles());
    }

    @Test void the_environment_used_last_is_used_next() throws Exception {
        openStandard(3);
        atOnce(3, "/f/sleep?seconds=0.5");
        assertEquals(1, IntStream.range(0, 5).mapToObj(_ -> {
            try {
                return environment();
            } catch (IOException failed) {
                throw new UncheckedIOException(failed);
            }
        }).distinct().count());
    }

    @Test void lmi_serves_as_many_at_once_as_it_has_places_in_one_environment() throws Exception {
        var function = open("f", 4, 1, Lambda.TIMEOUT);
        function.awaitReady();
        assertEquals(List.of(200, 200, 200, 200, 500, 500), statuses(atOnce(6, "/f/sleep?seconds=2")));
        assertEquals(List.of("ok", "ok", "ok", "ok", "throttled", "throttled"), recorded());
        var environments = invocations.stream().map(Run.Invocation::environment).filter(Objects::nonNull);
        assertEquals(1, environments.distinct().count());
        // As soon as an answer is in, its place is free again: a caller within the limit is never throttled.
        for (int i = 0; i < 10; i++) assertEquals(List.of(200, 200, 200, 200), statuses(atOnce(4, "/f/where")));
    }

    // ==== Recycling ====

    @Test void a_recycled_standard_function_has_no_environment_until_it_is_asked() throws Exception {
        var function = openStandard(16);
        atOnce(2, "/f/sleep?seconds=0.5");
        var before = json(get("/f/where"));
        function.recycle();
        assertEquals(0, function.state().environments());
        invocations.clear();
        var after = json(get("/f/where"));
        assertNotEquals(before.get("environment"), after.get("environment"));
        assertNotEquals(before.get("pid"), after.get("pid"));
        assertFalse(ProcessHandle.of(before.get("pid").asInt()).isPresent(), "the old one is gone");
        get("/f/where");
        assertNotNull(invocations.get(0).initMs(), "a cold start, and on the record");
        assertNull(invocations.get(1).initMs());
        assertEquals(1, function.state().environments());
    }

    @Test void a_recycled_lmi_function_has_all_its_workers_again_once_it_is_ready() throws Exception {
        var function = open("f", 3, 1, Lambda.TIMEOUT);
        function.awaitReady();
        String before = environment();
        function.recycle();
        function.awaitReady();
        assertEquals(1, function.state().environments());
        assertEquals(List.of(200, 200, 200), statuses(atOnce(3, "/f/sleep?seconds=1")));
        assertNotEquals(before, environment());
    }

    @Test void calls_under_way_are_answered_before_their_environment_is_recycled() throws Exception {
        for (int places : new int[] {1, 3}) {
            var function = open("f", places, 1, Lambda.TIMEOUT);
            function.awaitReady();
            environment();
            invocations.clear();
            try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                var slow = threads.submit(() -> get("/f/sleep?seconds=2"));
                while (function.state().concurrency() == 0) Thread.sleep(10);
                var recycling = threads.submit(() -> { function.recycle(); return null; });
                Thread.sleep(500);
                // There is no place for it meanwhile, which is on the record.
                assertEquals(500, get("/f/where").statusCode());
                assertEquals(200, slow.get().statusCode());
                recycling.get();
            }
            function.awaitReady();
            environment();
            assertEquals(List.of("ok", "ok", "throttled"), recorded());
        }
    }

    @Test void an_environment_that_was_still_starting_is_recycled_too() throws Exception {
        var function = open("f", 3, 1, Lambda.TIMEOUT);
        function.recycle();
        function.awaitReady();
        assertEquals(1, function.state().environments());
        assertEquals(200, get("/f/where").statusCode());
    }

    // ==== Shares of a core ====

    @Test void a_quota_is_found_where_groups_can_be_made_and_written_as_each_version_asks() throws Exception {
        Path one = Files.createDirectories(directory.resolve("cpu,cpuacct/own")), two = Files.createDirectories(directory.resolve("own"));
        Files.writeString(two.resolve("cgroup.subtree_control"), "");
        var lines = List.of("4:cpu,cpuacct:/own", "0::/own");
        assertEquals(new CpuQuota(one, false), CpuQuota.find(directory, lines).orElseThrow());
        var unified = CpuQuota.find(directory, List.of("0::/own")).orElseThrow();
        assertEquals(new CpuQuota(two, true), unified);
        assertEquals("+cpu", Files.readString(two.resolve("cgroup.subtree_control")));
        assertEquals(Optional.empty(), CpuQuota.find(directory, List.of("4:memory:/own", "0::/elsewhere")));
        unified.make("a", 512 / 1769.0);
        assertEquals("5789 20000", Files.readString(two.resolve("lambda-kit-a/cpu.max")));
        new CpuQuota(one, false).make("b", 1e-9);
        assertEquals("1000", Files.readString(one.resolve("lambda-kit-b/cpu.cfs_quota_us")), "the least that the kernel takes");
        assertEquals("20000", Files.readString(one.resolve("lambda-kit-b/cpu.cfs_period_us")));
    }

    @Test void an_environment_of_less_memory_runs_in_a_group_of_its_own_with_that_share_of_a_core() throws Exception {
        var quota = CpuQuota.ofThisMachine();
        org.junit.jupiter.api.Assumptions.assumeTrue(quota.isPresent(), "no cgroup that this user may write to");
        var function = open("f", 1, 1, Lambda.TIMEOUT, 442, quota.get());
        // A quarter of a core: a second of computing takes four. This machine may be busy, so it may take longer.
        long seconds = json(get("/f/spin?seconds=1")).get("seconds").asLong();
        assertTrue(seconds >= 3, seconds + " s");
        String group = "lambda-kit-" + invocations.getFirst().environment().replaceFirst(".*]", "");
        assertTrue(Files.isDirectory(quota.get().parent().resolve(group)));
        function.close();
        assertFalse(Files.exists(quota.get().parent().resolve(group)));
    }

    // ==== What is read of processes ====

    @Test void cpu_time_of_a_process_is_told_to_the_nanosecond() throws Exception {
        var function = openStandard(1);
        int pid = json(get("/f/where")).get("pid").asInt();
        long beforeNs = Machine.cpuNs(pid);
        for (int i = 0; i < 5; i++) get("/f/where");
        long fiveNs = Machine.cpuNs(pid) - beforeNs;
        assertTrue(fiveNs > 50_000 && fiveNs < 100_000_000, fiveNs + " ns for five small answers");
        assertNotEquals(0, Machine.cpuNs(pid) % 10_000_000, "that would be a clock's tick");
        long groupNs = Machine.usage(Set.of((long) pid)).get((long) pid).cpuNs();
        assertEquals(Machine.cpuNs(pid), groupNs, 20e6);
        assertEquals(pid, function.state().processGroups().values().iterator().next());
    }

    @Test void cpu_time_until_an_environment_is_ready_is_counted_apart_and_so_are_cold_starts() throws Exception {
        for (int places : new int[] {1, 3}) {
            var function = open("f", places, 1, Lambda.TIMEOUT);
            function.awaitReady();
            get("/f/where");
            long startNs = function.state().startCpuNs();
            // Python's own start takes some 50 ms of CPU, the answer a fraction of one.
            assertTrue(startNs > 20_000_000, startNs + " ns");
            for (int i = 0; i < 20; i++) get("/f/where");
            assertEquals(startNs, function.state().startCpuNs());
            assertEquals(1, function.state().coldStarts());
            function.recycle();
            function.awaitReady();
            get("/f/where");
            assertEquals(2, function.state().coldStarts());
            assertTrue(function.state().startCpuNs() > startNs + 20_000_000);
        }
    }

    // ==== What is recorded, and what a function sees ====

    @Test void an_invocation_is_recorded_as_lambda_reports_it() throws Exception {
        openStandard(1);
        get("/f/sleep?seconds=0.2");
        get("/f/sleep?seconds=0.2");
        var first = invocations.get(0);
        var second = invocations.get(1);
        assertTrue(first.environment().matches("\\d{4}/\\d\\d/\\d\\d/\\[\\$LATEST][0-9a-f]{32}"), first.environment());
        assertTrue(first.durationMs() >= 200, "the sleep is in the duration");
        assertEquals(Math.ceil(first.durationMs() + first.initMs()), first.billedMs());
        assertNull(second.initMs());
        assertEquals(Math.ceil(second.durationMs()), second.billedMs());
        assertEquals(1769, second.memoryMb());
        assertTrue(second.maxMemoryMb() > 5 && second.maxMemoryMb() < 200, second.toString());
    }

    @Test void a_function_sees_lambdas_environment_variables_and_nothing_of_this_users() throws Exception {
        openStandard(1);
        var variables = new TreeMap<String, String>();
        for (var variable : json(get("/f/variables")).properties()) {
            variables.put(variable.getKey(), variable.getValue().asText());
        }
        assertEquals(Set.of("AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
                "AWS_LAMBDA_INITIALIZATION_TYPE", "LAMBDA_TASK_ROOT", "TZ", "LANG", "PATH", "HOME", "TMPDIR",
                "PYTHONPATH", "KIT_VARIANT", "_X_AMZN_TRACE_ID"), withoutShells(variables.keySet()));
        assertEquals(variables.get("HOME"), variables.get("TMPDIR"));
        assertEquals("f", variables.get("AWS_LAMBDA_FUNCTION_NAME"));
        assertEquals("on-demand", variables.get("AWS_LAMBDA_INITIALIZATION_TYPE"));
    }

    /** What the shell that starts a child, and Python, add by themselves. */
    private static Set<String> withoutShells(Set<String> names) {
        var own = Set.of("PWD", "OLDPWD", "SHLVL", "_", "LC_CTYPE");
        return names.stream().filter(name -> !own.contains(name)).collect(Collectors.toSet());
    }

    // ==== The whole ====

    @Test void a_target_that_is_killed_leaves_no_process_and_no_port() throws Exception {
        var command = List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"), "Local", "serve");
        var variants = List.of(Run.Variant.of("python-standard-1769"), Run.Variant.of("python-lmi-2048"));
        try (var target = new Target(Children.conversing(command, ProcessBuilder.Redirect.INHERIT), _ -> {});
                var load = Executors.newVirtualThreadPerTaskExecutor()) {
            var started = target.ask(new Target.Start(directory, variants, Map.of("python", python)));
            target.ask(new Target.Ready(variants.stream().map(Run.Variant::name).toList()));
            for (String url : started.urls().values()) {
                var slow = HttpRequest.newBuilder(URI.create(url + "/io?delay_ms=9000")).build();
                for (int i = 0; i < 4; i++) load.submit(() -> client.send(slow, HttpResponse.BodyHandlers.ofString()));
            }
            // A standard environment and LMI's, each with its watchdog; LMI's workers; the stores.
            var site = ProcessHandle.current().children()
                    .filter(child -> child.info().command().orElse("").endsWith("java")).findFirst().orElseThrow();
            List<ProcessHandle> all;
            do {
                Thread.sleep(50);
                all = Stream.concat(Stream.of(site), site.descendants()).toList();
            } while (all.size() < 20);
            assertTrue(site.destroyForcibly());
            for (var process : all) process.onExit().get(5, TimeUnit.SECONDS);
            var port = URI.create(started.urls().get("python-lmi-2048")).getPort();
            assertThrows(ConnectException.class, () -> new Socket(InetAddress.getLoopbackAddress(), port).close());
        }
    }
}
