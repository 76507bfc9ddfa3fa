///usr/bin/env jbang "$0" "$@" ; exit $?
// Do all functions do the same work, in both execution models, under their real runtime clients?
//
// local.java is started as the experiment starts it, with every language in both models. Each variant is sent every
// case of contract.json; what it stores is read back; and LMI's concurrency is seen in the invocations' own times, not
// in ours.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../local.java
//SOURCES ../kit/record/Contract.java

import module java.base;
import module java.net.http;
import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

import static org.junit.jupiter.api.Assertions.*;

final class FunctionTest {
    public static void main(String... args) {
        org.junit.platform.console.ConsoleLauncher.main("execute", "--select-class=FunctionTest", "--details=tree",
                "--disable-banner", "--fail-if-no-tests");
    }

    /** Enough to show that none is lost or stored twice; test/bench/LocalBench.java stores 10,000. */
    private static final int STORES = 50;

    private static final Map<String, MeasuredFunction> FUNCTIONS = functions();
    static final List<Run.Variant> VARIANTS = FUNCTIONS.keySet().stream()
            .flatMap(function -> Stream.of(function + "-standard-1769", function + "-lmi-2048"))
            .map(Run.Variant::of).toList();
    static final List<Run.Variant> LMI = VARIANTS.stream().filter(Run.Variant::lmi).toList();

    @TempDir static Path directory;
    private static final HttpClient CLIENT = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private static Target target;
    private static Target.Started started;

    @BeforeAll static void start() throws Exception {
        var artefacts = new TreeMap<String, MeasuredFunction.Artefact>();
        for (var function : FUNCTIONS.values()) {
            artefacts.put(function.name(), new Build(Build.userCache(), _ -> {}).build(function, Build.Platform.LOCAL));
        }
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var command = List.of(java, "-cp", System.getProperty("java.class.path"), "Local", "serve");
        target = new Target(Children.conversing(command, ProcessBuilder.Redirect.INHERIT), _ -> {});
        started = target.ask(new Target.Start(directory, VARIANTS, artefacts));
        target.ask(new Target.Ready(VARIANTS.stream().map(Run.Variant::name).toList()));
    }

    @AfterAll static void remove() throws Exception {
        if (started != null) target.ask(new Target.Remove());
        if (target != null) target.close();
    }

    private static Map<String, MeasuredFunction> functions() {
        try {
            return MeasuredFunction.all(Path.of(""));
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    @BeforeEach void empty() throws Exception { target.ask(new Target.Empty()); }

    private static String url(Run.Variant variant) { return started.urls().get(variant.name()); }

    /** Sends a request again and again, some at once, and returns the parsed replies; each must be a 200. */
    private static List<JsonNode> replies(Run.Variant variant, String request, int count, int atOnce) throws Exception {
        try (var threads = Executors.newFixedThreadPool(atOnce)) {
            var get = HttpRequest.newBuilder(URI.create(url(variant) + request)).build();
            Callable<JsonNode> ask = () -> {
                var response = CLIENT.send(get, HttpResponse.BodyHandlers.ofString());
                assertEquals(200, response.statusCode(), () -> variant.name() + ": " + response.body());
                return Run.json().readTree(response.body());
            };
            var replies = new ArrayList<JsonNode>();
            for (var reply : threads.invokeAll(Collections.nCopies(count, ask))) replies.add(reply.get());
            return replies;
        }
    }

    /** The invocations of a variant since an instant, as the target reports them. */
    private static List<Run.Invocation> invocations(Run.Variant variant, Instant since) throws Exception {
        Path invocations = directory.resolve("invocations.ndjson.gz"), metrics = directory.resolve("metrics.ndjson");
        var collected = target.ask(
                new Target.Collect(List.of(variant.name()), since, Instant.now(), invocations, metrics));
        assertTrue(collected.complete(), collected.notes().toString());
        var unzipped = new GZIPInputStream(Files.newInputStream(invocations));
        try (var lines = new BufferedReader(new InputStreamReader(unzipped)).lines()) {
            var all = new ArrayList<Run.Invocation>();
            for (String line : lines.toList()) all.add(Run.json().readValue(line, Run.Invocation.class));
            return all;
        }
    }

    /** The most invocations that ran at one instant. */
    private static int mostAtOnce(List<Run.Invocation> invocations) {
        return invocations.stream().map(Run.Invocation::start).mapToInt(instant -> (int) invocations.stream()
                .filter(one -> !one.start().isAfter(instant) && end(one).isAfter(instant)).count()).max().orElse(0);
    }

    private static Instant end(Run.Invocation invocation) {
        return invocation.start().plusNanos((long) (invocation.durationMs() * 1e6));
    }

    @ParameterizedTest @FieldSource("VARIANTS")
    void a_variant_keeps_the_contract(Run.Variant variant) throws Exception {
        var facts = Map.<String, Object>of("variant", variant.name(),
                "language", FUNCTIONS.get(variant.language()).language(), "memoryMb", variant.memoryMb(), "concurrency", variant.concurrency(),
                "architecture", started.environment().get("architecture"));
        var stored = new ArrayList<String>();
        var contract = Contract.read(Path.of("function/contract.json"));
        assertEquals(List.of(), contract.check(CLIENT, url(variant), null, facts, (sent, reply) -> {
            if (sent.workload().equals("store")) stored.add(reply.get("id").asText());
        }));
        assertFalse(stored.isEmpty());
        for (String id : stored) {
            var contents = target.ask(new Target.Stored(id));
            assertEquals(id, contents.object());
            assertEquals(id, contents.item().at("/id/S").asText());
        }
    }

    @ParameterizedTest @FieldSource("VARIANTS")
    void every_store_leaves_one_object_and_one_item_of_the_same_id(Run.Variant variant) throws Exception {
        var ids = replies(variant, "/store", STORES, variant.concurrency()).stream()
                .map(reply -> reply.get("id").asText()).collect(Collectors.toSet());
        assertEquals(STORES, ids.size());
        var contents = target.ask(new Target.Stored(ids.iterator().next()));
        assertEquals(new Run.Stored(STORES, STORES, true, 36, 36), contents.stored());
        assertEquals(ids.iterator().next(), contents.object());
    }

    @Test void metrics_are_read_every_second_and_at_both_ends_of_a_cell() throws Exception {
        var variant = VARIANTS.getFirst();
        invocations(variant, Instant.now());
        var begin = Instant.now();
        replies(variant, "/cpu?seed=a&hash_loops=100000", 3, 1);
        Thread.sleep(3500);
        invocations(variant, begin);
        var readings = new TreeMap<String, NavigableMap<Instant, Double>>();
        try (var lines = Files.lines(directory.resolve("metrics.ndjson"))) {
            for (String line : lines.toList()) {
                var metric = Run.json().readValue(line, Run.Metric.class);
                readings.computeIfAbsent(metric.subject() + " " + metric.metric(), _ -> new TreeMap<>())
                        .put(metric.time(), metric.value());
            }
        }
        for (String metric : List.of("cpuNs", "startCpuNs", "memoryBytes", "environments", "concurrency", "throttles", "coldStarts")) {
            var values = readings.get(variant.name() + " " + metric);
            assertTrue(values.size() >= 5, metric + ": " + values);
            assertFalse(values.firstKey().isAfter(begin), metric + " before the first request");
            var times = List.copyOf(values.keySet());
            for (int i = 1; i < times.size(); i++) {
                assertTrue(Duration.between(times.get(i - 1), times.get(i)).toMillis() < 1500, metric + ": " + times);
            }
        }
        for (String metric : List.of("cpuNs", "idleNs", "stealNs", "load")) assertTrue(readings.containsKey("machine " + metric), metric);
        var cpuNs = readings.get(variant.name() + " cpuNs");
        double usedNs = cpuNs.lastEntry().getValue() - cpuNs.firstEntry().getValue();
        assertTrue(usedNs > 1e6 && usedNs < 30e9, usedNs + " ns");
    }

    @ParameterizedTest @FieldSource("LMI")
    void one_lmi_environment_serves_sixteen_requests_at_once(Run.Variant variant) throws Exception {
        var begin = Instant.now();
        var replies = replies(variant, "/io?delay_ms=3000", 16, 16);
        var invocations = invocations(variant, begin);
        assertEquals(1, replies.stream().map(reply -> reply.get("environment").asText()).distinct().count());
        assertEquals(16, mostAtOnce(invocations));
        long processes = replies.stream().map(reply -> reply.get("pid").asInt()).distinct().count();
        assertEquals(variant.language().equals("python") ? 16 : 1, processes);
    }

    @ParameterizedTest @FieldSource("VARIANTS")
    void the_first_answer_of_an_environment_says_that_it_is_cold_and_no_other(Run.Variant variant) throws Exception {
        var begin = Instant.now();
        // Three at once on the standard model make at least two new environments: earlier tests have left at most one.
        int atOnce = variant.lmi() ? 16 : 3;
        var saidCold = saidCold(replies(variant, "/io?delay_ms=1500", atOnce, atOnce));
        var wereFirst = invocations(variant, begin).stream().filter(invocation -> invocation.initMs() != null)
                .map(Run.Invocation::environment).sorted().toList();
        assertEquals(wereFirst, saidCold);
        assertTrue(variant.lmi() || saidCold.size() >= 2, saidCold.toString());
        assertEquals(List.of(), saidCold(replies(variant, "/hello", 40, variant.concurrency())));
    }

    /** The environments of the replies that say that they are cold. */
    private static List<String> saidCold(List<JsonNode> replies) {
        return replies.stream().filter(reply -> reply.get("cold").asBoolean())
                .map(reply -> reply.get("environment").asText()).sorted().toList();
    }
}
