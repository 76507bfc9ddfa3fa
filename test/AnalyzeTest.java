///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//DEPS com.fasterxml.jackson.core:jackson-databind:2.19.2
//SOURCES ../kit/build/Build.java
//SOURCES ../kit/record/Contract.java
//SOURCES ../kit/build/K6.java

import module java.base;
import module jdk.httpserver;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

/** Drives analyze.java as its users do. */
final class AnalyzeTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=AnalyzeTest", "--disable-banner", "--fail-if-no-tests");
    }

    // ==== Vocabulary ====

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path KIT = Path.of("").toAbsolutePath();
    private static final String PUBLISHED = "data/published/25m/run.json";
    @TempDir Path temporary;

    record Result(int exitCode, String out, String err) {
        Result exits(int expected) {
            assertEquals(expected, exitCode, () -> out + err);
            return this;
        }

        Result says(String... phrases) {
            for (String phrase : phrases) {
                assertTrue((out + err).contains(phrase), () -> "'" + phrase + "' is not in:\n" + out + err);
            }
            return this;
        }
    }

    private Result analyze(String... arguments) throws Exception { return analyze(null, arguments); }

    private Result analyze(Path stdin, String... arguments) throws Exception {
        return analyze(List.of(), stdin, arguments);
    }

    private Result analyze(List<String> launcher, Path stdin, String... arguments) throws Exception {
        var command = new ArrayList<>(launcher);
        command.addAll(List.of("./jbang", "analyze.java"));
        command.addAll(List.of(arguments));
        Path out = temporary.resolve("out.txt"), err = temporary.resolve("err.txt");
        var process = new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile())
                .redirectInput(stdin == null ? new File("/dev/null") : stdin.toFile()).start();
        process.waitFor();
        return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
    }

    /** A line as k6 1.x writes it. */
    private static String line(String metric, double value, String time, String... tags) {
        var pairs = new StringJoiner(",");
        for (int i = 0; i < tags.length; i += 2) pairs.add("\"" + tags[i] + "\":\"" + tags[i + 1] + "\"");
        return """
                {"metric":"%s","type":"Point","data":{"time":"%s","value":%s,"tags":{%s}}}
                """.formatted(metric, time, value, pairs);
    }

    private static String request(double durationMs, int second, String scenario, String status, String errorCode) {
        boolean expected = status.startsWith("2");
        return line("http_req_duration", durationMs, "2026-11-22T05:00:%02dZ".formatted(second),
                "error_code", errorCode, "expected_response", String.valueOf(expected),
                "name", "/x", "scenario", scenario, "status", status);
    }

    private Path file(String name, String... lines) throws IOException {
        return Files.writeString(temporary.resolve(name), String.join("", lines));
    }

    private Path gzip(Path plain) throws IOException {
        Path packed = Path.of(plain + ".gz");
        try (var out = new GZIPOutputStream(Files.newOutputStream(packed))) {
            Files.copy(plain, out);
        }
        return packed;
    }

    private String report(String table) throws IOException {
        return Files.readString(temporary.resolve("report").resolve(table + ".csv"));
    }

    private String out() { return temporary.resolve("report").toString(); }

    // ==== Any k6 file ====

    @Test void latency_is_of_good_answers_and_errors_stand_beside_it_by_kind() throws Exception {
        Path file = file("mixed.json", request(10, 1, "a", "200", ""), request(30, 2, "a", "200", ""),
                request(0, 3, "a", "0", "1212"), request(60_000, 4, "a", "0", "1050"),
                request(1, 5, "a", "503", "1503"), request(5, 6, "b", "200", ""));
        analyze(file.toString(), "--out", out()).exits(0);
        assertEquals("""
                scenario,name,n,mean [ms],min [ms],p50 [ms],p90 [ms],p95 [ms],p99 [ms],max [ms]
                (all),,3,15.0,5.0,10.0,26.0,28.0,29.6,30.0
                a,/x,2,20.0,10.0,20.0,28.0,29.0,29.8,30.0
                b,/x,1,5.0,5.0,5.0,5.0,5.0,5.0,5.0
                """, report("latency"));
        assertEquals("""
                scenario,name,samples,good,refused,status 503,timeout,errors [%]
                (all),,6,3,1,1,1,50.0
                a,/x,5,2,1,1,1,60.0
                b,/x,1,1,0,0,0,0.0
                """, report("errors"));
    }

    @Test void plain_gzipped_piped_and_sharded_files_give_the_same_tables() throws Exception {
        var lines = new ArrayList<String>();
        var random = new SplittableRandom(5);
        for (int i = 0; i < 4_000; i++) {
            lines.add(request(random.nextDouble(1, 100), i % 60, i % 3 == 0 ? "a" : "b", "200", ""));
        }
        Path plain = file("all.json", lines.toArray(String[]::new));
        Path first = file("1.json", lines.subList(0, 1_111).toArray(String[]::new));
        Path second = file("2.json", lines.subList(1_111, 4_000).toArray(String[]::new));
        var tables = new LinkedHashSet<String>();
        analyze(plain.toString(), "--out", out()).exits(0);
        tables.add(report("latency"));
        analyze(gzip(plain).toString(), "--out", out()).exits(0);
        tables.add(report("latency"));
        analyze(plain, "-", "--out", out()).exits(0);
        tables.add(report("latency"));
        analyze(second.toString(), first.toString(), "--out", out()).exits(0);
        tables.add(report("latency"));
        assertEquals(1, tables.size(), tables::toString);
    }

    @Test void labels_are_compared_side_by_side() throws Exception {
        Path before = file("b.json", request(10, 1, "a", "200", ""));
        Path after = file("a.json", request(20, 1, "a", "200", ""));
        analyze("before=" + before, "after=" + after, "--out", out()).exits(0);
        assertEquals("""
                label,scenario,name,n,mean [ms],min [ms],p50 [ms],p90 [ms],p95 [ms],p99 [ms],max [ms]
                before,a,/x,1,10.0,10.0,10.0,10.0,10.0,10.0,10.0
                after,a,/x,1,20.0,20.0,20.0,20.0,20.0,20.0,20.0
                """, report("latency"));
        assertEquals("""
                scenario,name,figure,before,after,after Diff %
                a,/x,mean,10.0,20.0,100.0
                a,/x,p50,10.0,20.0,100.0
                a,/x,p95,10.0,20.0,100.0
                a,/x,p99,10.0,20.0,100.0
                """.replace("mean", "mean [ms]").replaceAll(",(p\\d\\d),", ",$1 [ms],"), report("comparison"));
    }

    @Test void grouping_metric_and_time_are_the_users_to_choose() throws Exception {
        Path file = file("own.json",
                line("queue_depth", 3, "2026-11-22T05:00:01Z", "shard", "x"),
                line("queue_depth", 5, "2026-11-22T05:00:02Z", "shard", "y"),
                line("queue_depth", 7, "2026-11-22T05:00:03+00:00", "shard", "y"),
                line("queue_depth", 9, "2026-11-22T05:00:04Z", "shard", "y"));
        analyze(file.toString(), "--metric", "queue_depth", "--by", "shard",
                "--from", "2026-11-22T05:00:02Z", "--to", "2026-11-22T05:00:04Z", "--out", out()).exits(0);
        assertEquals("shard,n,mean,min,p50,p90,p95,p99,max\ny,2,6.0,5.0,6.0,6.8,6.9,6.98,7.0\n", report("latency"));
    }

    /** A declaration as k6 1.x writes it. */
    private static String declaration(String metric, String type) {
        return """
                {"type":"Metric","data":{"name":"%s","type":"%s","contains":"default","thresholds":[]},"metric":"%1$s"}
                """.formatted(metric, type);
    }

    private static final String AT = "2026-11-22T05:00:0";

    @Test void a_rate_is_a_share_a_counter_a_sum_and_a_gauge_its_last_value() throws Exception {
        Path file = file("types.json", declaration("paid", "rate"), declaration("orders", "counter"),
                declaration("depth", "gauge"),
                line("paid", 1, AT + "1Z", "scenario", "a"), line("paid", 0, AT + "2Z", "scenario", "a"),
                line("orders", 2, AT + "1Z", "scenario", "a"), line("orders", 4, AT + "3Z", "scenario", "a"),
                line("depth", 9, AT + "1Z", "scenario", "a"), line("depth", 5, AT + "2Z", "scenario", "a"));
        analyze(file.toString(), "--metric", "paid", "--by", "scenario", "--out", out()).exits(0);
        assertEquals("scenario,samples,true,share [%]\na,2,1.0,50.0\n", report("rates"));
        analyze(file.toString(), "--metric", "orders", "--by", "scenario", "--out", out()).exits(0);
        assertEquals("scenario,samples,sum,per second\na,2,6.0,3.0\n", report("counts"));
        analyze(file.toString(), "--metric", "depth", "--by", "scenario", "--out", out()).exits(0);
        assertEquals("scenario,samples,last,min,max\na,2,5.0,5.0,9.0\n", report("values"));
    }

    @Test void a_tag_of_ones_own_named_status_or_outcome_makes_no_error() throws Exception {
        Path file = file("own-tags.json",
                line("pay_ms", 10, AT + "1Z", "scenario", "a", "status", "paid", "outcome", "hit"),
                line("pay_ms", 30, AT + "2Z", "scenario", "a", "status", "declined", "outcome", "miss"));
        analyze(file.toString(), "--metric", "pay_ms", "--by", "scenario", "--out", out()).exits(0);
        assertTrue(report("latency").contains("a,2,20.0,"), report("latency"));
        Path grpc = file("grpc.json", line("grpc_req_duration", 3, AT + "1Z", "name", "x", "status", "0"),
                line("grpc_req_duration", 5, AT + "2Z", "name", "x", "status", "14"));
        analyze(grpc.toString(), "--metric", "grpc_req_duration", "--by", "name", "--out", out()).exits(0);
        assertEquals("name,samples,good,gRPC status 14,errors [%]\nx,2,1,1,50.0\n", report("errors"));
    }

    @Test void when_nothing_succeeded_the_errors_are_told_and_nothing_is_drawn() throws Exception {
        Path file = file("down.json", request(0, 1, "a", "0", "1212"), request(0, 2, "a", "0", "1212"));
        analyze(file.toString(), "--out", out()).exits(0);
        assertEquals("scenario,name,samples,good,refused,errors [%]\na,/x,2,0,2,100.0\n", report("errors"));
        assertTrue(Files.readString(temporary.resolve("report/index.html")).contains("there is nothing to draw"));
    }

    @Test void a_choice_that_chooses_nothing_says_what_there_is() throws Exception {
        String file = file("some.json", declaration("checks", "rate"), request(10, 1, "a", "200", "")).toString();
        analyze(file, "--by", "scenari", "--out", out()).exits(2).says("no sample has the tag 'scenari'", "scenario");
        analyze(file, "--metric", "nope", "--out", out()).exits(2).says("no sample of nope", "checks");
        analyze(file, "--from", "05:00").exits(2).says("'05:00' is not a time", "2026-11-22T05:10:00Z");
        analyze(file, file).exits(2).says("named twice");
        analyze("before=", "after=" + file).exits(2).says("names no file");
        analyze(file, "--check").exits(2).says("only a run");
        analyze("inspect", temporary.resolve("nowhere.json").toString()).exits(2).says("there is no file");
    }

    @Test void a_cut_file_gives_everything_before_the_cut_and_exit_code_3() throws Exception {
        String last = request(1, 2, "a", "200", "");
        Path file = file("cut.json", request(10, 1, "a", "200", ""), last.substring(0, 60));
        analyze(file.toString(), "--out", out()).exits(3).says("NOT VALID", "cut");
        assertTrue(report("latency").contains("a,/x,1,10.0"));
        assertTrue(Files.readString(temporary.resolve("report/index.html")).contains("This run is not valid."));
    }

    @Test void what_is_empty_missing_or_not_k6s_is_refused_with_a_clear_line() throws Exception {
        analyze(file("empty.json").toString(), "--out", out()).exits(2).says("is empty", "hint:");
        Path other = file("other.json", "{\"a\":1}\n", "hello\n");
        analyze(other.toString(), "--out", out()).exits(2).says("is not k6's JSON output", "hint:");
        analyze(temporary.resolve("nowhere.json").toString()).exits(2).says("there is no", "hint:");
        assertFalse(Files.exists(temporary.resolve("report")), "nothing half written");
    }

    @Test void a_damaged_file_is_called_damaged_and_a_directory_a_directory() throws Exception {
        Path packed = gzip(file("a.json", request(10, 1, "a", "200", "")));
        byte[] bytes = Files.readAllBytes(packed);
        bytes[2]++;
        analyze(Files.write(packed, bytes).toString(), "--out", out()).exits(2).says("unknown method of compression");
        analyze("inspect", Files.createDirectory(temporary.resolve("empty.json")).toString()).exits(2)
                .says("empty.json");
    }

    @Test void one_file_under_two_names_is_refused() throws Exception {
        Path file = file("a.json", request(10, 1, "a", "200", ""));
        Path link = Files.createSymbolicLink(temporary.resolve("link.json"), file);
        Path hard = Files.createLink(temporary.resolve("hard.json"), file);
        Path same = temporary.resolve(".").resolve("a.json");
        for (Path other : List.of(file, link, hard, same)) {
            analyze(file.toString(), other.toString(), "--out", out()).exits(2).says("named twice");
        }
    }

    @Test void a_directory_of_a_runs_cells_means_its_k6_files_without_the_warm_up() throws Exception {
        Path cells = Files.createDirectory(temporary.resolve("cells"));
        for (String name : List.of("000-warm-up", "001-a", "002-b")) {
            Path packed = gzip(file(name, request(name.startsWith("000") ? 99 : 10, 1, "a", "200", "")));
            Files.move(packed, cells.resolve(name + ".k6.json.gz"));
            Files.writeString(cells.resolve(name + ".metrics.ndjson"), "{\"cpu\":1}\n");
            Files.writeString(cells.resolve(name + ".invocations.ndjson.gz"), "not even gzip");
        }
        analyze(cells.toString(), "--out", out()).exits(0);
        assertEquals("a,/x,2,10.0,10.0,10.0,10.0,10.0,10.0,10.0", report("latency").lines().toList().getLast());
    }

    @Test void nineteen_thousand_groups_fit_the_heap_and_one_more_than_twenty_are_refused() throws Exception {
        for (int groups : new int[] {19_000, 20_001}) {
            Path file = temporary.resolve("groups.json.gz");
            try (var out = new PrintStream(new GZIPOutputStream(Files.newOutputStream(file)))) {
                String samples = line("x", 1, "2026-11-22T05:00:00Z", "a", "A", "b", "B").repeat(40);
                for (int group = 0; group < groups; group++) {
                    out.print(samples.replace("\"A", "\"" + group / 200).replace("\"B", "\"" + group % 200));
                }
            }
            var result = analyze(file.toString(), "--metric", "x", "--by", "a,b", "--out", out());
            if (groups == 19_000) result.exits(0).says("18976 more rows");
            else result.exits(2).says("more than 20000 series by [a, b").says("choose fewer tags");
        }
    }

    @Test void urls_with_ids_are_endpoints_unless_exact_names_are_asked_for() throws Exception {
        var lines = new ArrayList<String>();
        for (int i = 0; i < 1_200; i++) lines.add(line("http_req_duration", i, "2026-11-22T05:00:00Z",
                "expected_response", "true", "name", "http://h/orders/" + i + "/items", "scenario", "s", "status", "200"));
        String file = file("ids.json", lines.toArray(String[]::new)).toString();
        analyze(file, "--out", out()).exits(0);
        assertTrue(report("latency").contains("s,http://h/orders/{id}/items,1200,"), report("latency"));
        analyze(file, "--exact-names", "--out", out()).exits(0).says("more than 1000 values", "http://h/orders/0/items",
                "--name 'REGEX=TEXT'");
        analyze(file, "--exact-names", "--name", "orders/(\\d)\\d*=$1", "--out", out()).exits(0);
        assertTrue(report("latency").contains("s,http://h/1/items,"), report("latency"));
        analyze(file, "--name", "(=x", "--out", out()).exits(2).says("is not REGEX=TEXT");
        analyze(file, "--name", "a=$1", "--out", out()).exits(2).says("is not REGEX=TEXT");
        analyze("inspect", file).exits(0).says("http://h/orders/{id}/items (1200)");
        analyze(PUBLISHED, "--exact-names").exits(2).says("no option changes a number");
    }

    @Test void inspect_says_what_one_would_type_next() throws Exception {
        String own = "{\"type\":\"Metric\",\"metric\":\"basket\",\"data\":{\"type\":\"trend\",\"contains\":\"default\"}}\n";
        String file = file("next.json", own, request(10, 1, "a", "200", ""), request(10, 1, "a", "503", "")).toString();
        analyze("inspect", file).exits(0).says("next     ./jbang analyze.java " + file + "\n", file + " --metric basket\n",
                file + " --by expected_response\n");
    }

    @Test void inspect_shows_metrics_tags_and_their_values() throws Exception {
        Path file = file("some.json", request(10, 1, "a", "200", ""), request(30, 2, "b", "404", "1404"));
        analyze("inspect", file.toString()).exits(0).says("http_req_duration", "scenario", "a (1), b (1)", "1404 (1)");
    }

    @Test void markup_in_a_tag_is_text_on_the_page() throws Exception {
        Path file = file("evil.json", line("http_req_duration", 1, "2026-11-22T05:00:01Z",
                "name", "<img src=x onerror=alert(1)>",
                "scenario", "</script><script>alert(2)</script>", "status", "200"));
        analyze(file.toString(), "--out", out()).exits(0);
        String page = Files.readString(temporary.resolve("report/index.html"));
        assertFalse(page.contains("<img src=x"));
        assertFalse(page.contains("</script><script>alert"));
    }

    // ==== k6's own figures ====

    @Test void counts_and_percentiles_are_k6s_own_to_the_last_digit_it_prints() throws Exception {
        var k6 = K6.require(Build.userCache(), System.err::println);
        var server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        var answered = new AtomicLong();
        server.createContext("/", exchange -> {
            byte[] reply = """
                    {"message":"hello","variant":"v","environment":"e","cold":false,"pid":1,"cpuNs":%d}"""
                    .formatted(answered.incrementAndGet()).getBytes();
            exchange.sendResponseHeaders(200, reply.length);
            exchange.getResponseBody().write(reply);
            exchange.close();
        });
        server.start();
        Path samples = temporary.resolve("cell.json.gz"), summary = temporary.resolve("summary.json");
        var phase = Map.of("name", "measure", "startMs", 0, "durationMs", 3000,
                "ratePerSecond", 200, "vus", 4, "maxVus", 20);
        var stream = Map.of("variant", "v", "language", "l", "compute", "c", "workload", "hello",
                "url", "http://127.0.0.1:" + server.getAddress().getPort() + "/v/hello", "name", "/v/hello",
                "contract", true, "expected", Map.of("status", 200, "fields", Map.of("message", "hello")),
                "phases", List.of(phase));
        var cell = Map.of("round", 1, "timeoutSeconds", 30, "streams", List.of(stream));
        Path said = temporary.resolve("k6.txt");
        var builder = new ProcessBuilder(k6.path().toString(), "run", "--quiet", "--no-usage-report", "--address", "",
                "--summary-export", summary.toString(), "--out", "json=" + samples, "k6/load.js")
                .redirectErrorStream(true).redirectOutput(said.toFile());
        builder.environment().put("KIT_CELL", JSON.writeValueAsString(cell));
        assertEquals(0, builder.start().waitFor(), Files.readString(said));
        server.stop(0);

        analyze(samples.toString(), "--out", out()).exits(0);
        String[] ours = report("latency").lines().skip(1).findFirst().orElseThrow().split(",");
        JsonNode k6s = JSON.readTree(summary.toFile()).at("/metrics/answer_ms");
        assertEquals("v", ours[0]);
        assertTrue(Long.parseLong(ours[1]) > 100, ours[1]);
        var columns = List.of("count", "avg", "min", "med", "p(90)", "p(95)", "p(99)", "max");
        for (int i = 0; i < columns.size(); i++) {
            // k6's clock ticks in nanoseconds, so six decimals of a millisecond are all there is.
            double theirs = k6s.get(columns.get(i)).asDouble(), own = Double.parseDouble(ours[i + 1]);
            assertEquals("%.6f".formatted(theirs), "%.6f".formatted(own), columns.get(i));
        }
    }

    // ==== A run ====

    @Test void with_a_run_no_option_changes_a_number() throws Exception {
        analyze(PUBLISHED, "--by", "variant").exits(2).says("no option changes a number");
        analyze(PUBLISHED, "--from", "2026-11-22T05:00:02Z").exits(2);
    }

    @Test void the_same_run_gives_the_same_bytes_on_one_core_and_on_all() throws Exception {
        var pages = new HashSet<String>();
        for (var cores : List.of(List.<String>of(), List.of("taskset", "-c", "0"))) {
            analyze(cores, null, PUBLISHED, "--out", out()).exits(0);
            String page = Files.readString(temporary.resolve("report/index.html"));
            pages.add(page + report("latency") + report("resources"));
        }
        assertEquals(1, pages.size());
    }

    @Test void the_write_up_says_what_the_published_data_say() throws Exception {
        analyze(PUBLISHED, "--write-up", "EXPERIMENT.md", "--check").exits(0);
        analyze(PUBLISHED, "--write-up", "README.md", "--check").exits(0);
    }

    @Test void a_changed_number_in_a_write_up_is_found_and_mended() throws Exception {
        String text = Files.readString(KIT.resolve("EXPERIMENT.md"));
        Path copy = Files.writeString(temporary.resolve("copy.md"), text.replaceFirst("(\\| io .*?\\| +)\\d", "$19"));
        assertNotEquals(text, Files.readString(copy));
        analyze(PUBLISHED, "--write-up", copy.toString(), "--check").exits(4).says("is not what the data say");
        analyze(PUBLISHED, "--write-up", copy.toString()).exits(0);
        assertEquals(text, Files.readString(copy));
    }

    @Test void a_file_that_somebody_changed_makes_the_run_invalid() throws Exception {
        Path copy = temporary.resolve("run");
        try (var files = Files.walk(KIT.resolve("data/published/25m"))) {
            for (Path file : files.toList()) if (Files.isRegularFile(file)) {
                Path to = copy.resolve(KIT.resolve("data/published/25m").relativize(file));
                Files.createDirectories(to.getParent());
                Files.copy(file, to);
            }
        }
        Path victim = copy.resolve("metrics.ndjson.gz");
        byte[] bytes = Files.readAllBytes(victim);
        bytes[4] ^= 1;  // gzip's note of the time: all that it holds is unzipped as before.
        Files.write(victim, bytes);
        analyze(copy.toString(), "--out", out()).exits(3).says("NOT VALID", victim.getFileName().toString(), "sha256");
    }
}
