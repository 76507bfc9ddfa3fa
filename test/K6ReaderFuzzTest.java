///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//DEPS com.fasterxml.jackson.core:jackson-databind:2.19.2
//SOURCES ../kit/read/K6Reader.java

// Does the reader ever say anything else of a line than Jackson's tree model, whatever the line looks like?
//
// Every test writes a file from a seed (it is SYNTHETIC), has it read by K6Reader and, line by line, by the tree model,
// and compares all series and the number of refused lines. Lines come in runs of one style, as the fast path learns
// from runs.

import module java.base;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.jupiter.api.Test;
import static org.junit.jupiter.api.Assertions.*;

final class K6ReaderFuzzTest {
    public static void main(String... args) {
        org.junit.platform.console.ConsoleLauncher.main("execute", "--select-class=K6ReaderFuzzTest", "--details=tree",
                "--disable-banner", "--fail-if-no-tests");
    }

    @TempDir Path folder;

    // ==== The other reader ====

    private static final List<String> TAGS = List.of("name", "status", "group", "t \"<é");
    private static final String RFC_3339 = "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?"
            + "(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)";
    private static final ObjectMapper TREES = new ObjectMapper(JsonFactory.builder()
            .disable(JsonFactory.Feature.CHARSET_DETECTION).build())
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /**
     * What a reader may say of a file: for each series, all its samples in order of time and value; and what it
     * refused.
     */
    private static final class Answer {
        final SortedMap<String, List<double[]>> series = new TreeMap<>();
        final Names names;
        int refused;

        Answer(Names names) { this.names = names; }

        private void line(byte[] line) {
            // What JSON takes for white space; a blank line is nobody's loss.
            if (new String(line, StandardCharsets.ISO_8859_1).matches("[ \t\r]*")) return;
            JsonNode root;
            try {
                root = TREES.readTree(line);
            } catch (IOException e) {
                refused++;
                return;
            }
            if (root.path("metric").isTextual() && root.path("type").isTextual() && root.path("data").isObject()
                    && (root.get("type").asText().equals("Point") ? sample(root) : declaration(root))) return;
            refused++;
        }

        private boolean sample(JsonNode root) {
            JsonNode data = root.get("data"), value = data.path("value");
            if (!data.path("time").isTextual() || !value.isNumber() || !Double.isFinite(value.asDouble())) return false;
            String time = data.get("time").asText();
            if (!time.matches(RFC_3339)) return false;
            OffsetDateTime parsed;
            try {
                // java.time allows no offset beyond 18 hours; RFC 3339 does.
                int offset = time.endsWith("Z") ? 0 : Integer.parseInt(time.substring(time.length() - 6)
                        .replace(":", ""));
                parsed = OffsetDateTime.parse(time.replaceFirst("(Z|[+-]..:..)$", "Z"))
                        .minusMinutes(offset / 100 * 60 + offset % 100);
            } catch (DateTimeException e) {
                return false;
            }
            if (Integer.parseInt(time.substring(0, 4)) < 1678
                    || Integer.parseInt(time.substring(0, 4)) > 2261) return false;
            String key = root.get("metric").asText() + " " + TAGS.stream().map(tag -> {
                JsonNode text = data.path("tags").path(tag);
                return text.isTextual() ? names.of(tag, text.asText()) : "";
            }).toList();
            double ns = parsed.toEpochSecond() * 1e9 + parsed.getNano();
            series.computeIfAbsent(key, _ -> new ArrayList<>()).add(new double[] {ns, value.asDouble() + 0.0});
            return true;
        }

        private static boolean declaration(JsonNode root) {
            return root.get("type").asText().equals("Metric") && root.get("data").path("type").isTextual()
                    && root.get("data").path("contains").isTextual();
        }
    }

    private static Answer answer(byte[] file, Names names) {
        Answer answer = new Answer(names);
        for (int from = 0, to; from < file.length; from = to + 1) {
            for (to = from; to < file.length && file[to] != '\n'; ) to++;
            answer.line(Arrays.copyOfRange(file, from, to));
        }
        return answer;
    }

    private void bothAgree(byte[] file, int threads) throws IOException { bothAgree(file, threads, Names.EXACT); }

    private void bothAgree(byte[] file, int threads, Names names) throws IOException {
        Answer expected = answer(file, names);
        Path path = Files.write(folder.resolve("lines"), file);
        K6Reader.Query query = K6Reader.Query.by(TAGS.toArray(String[]::new)).mostTagValues(100_000).threads(threads)
                .names(names);
        try (K6Reader.Reading reading = K6Reader.read(List.of(new K6Reader.Input("run", path)), query,
                (_, _) -> {})) {
            assertEquals(expected.series.keySet(), reading.series().stream().map(one -> one.metric + " " + one.values)
                    .collect(Collectors.toCollection(TreeSet::new)));
            for (K6Reader.Series one : reading.series()) same(expected.series.get(one.metric + " " + one.values), one);
            K6Reader.Shard shard = reading.shards().getFirst();
            assertEquals(expected.refused, shard.refused() + (shard.cut() == null ? 0 : 1), shard::toString);
        }
    }

    private static void same(List<double[]> expected, K6Reader.Series one) {
        double[] values = expected.stream().mapToDouble(sample -> sample[1]).sorted().toArray();
        String name = one.metric + " " + one.values;
        assertEquals(values.length, one.count(), name);
        assertEquals(values[0], one.min(), name);
        assertEquals(values[values.length - 1], one.max(), name);
        BigDecimal sum = DoubleStream.of(values).mapToObj(v -> new BigDecimal(Double.toString(v)))
                .reduce(BigDecimal.ZERO, BigDecimal::add);
        assertEquals(sum.doubleValue(), one.sum(), name);
        assertEquals(expected.stream().mapToDouble(sample -> sample[0]).min().orElseThrow(), (double) one.firstNs(),
                name);
        assertEquals(expected.stream().mapToDouble(sample -> sample[0]).max().orElseThrow(), (double) one.lastNs(),
                name);
        double middle = .5 * (values.length - 1), low = values[(int) Math.floor(middle)],
                high = values[(int) Math.ceil(middle)];
        assertEquals(low + (high - low) * (middle - Math.floor(middle)), one.percentiles(.5)[0], name);
    }

    // ==== Lines of any style ====

    /**
     * Writes samples in a style: an order of fields, white space, escapes, forms of numbers and times, fields nobody
     * knows.
     */
    private static final class Writer {
        private static final List<String> METRICS = List.of("http_reqs", "http_req_duration", "http_req_failed", "x",
                "métrique",
                "a_rather_long_name_of_a_metric_one", "a_rather_long_name_of_a_metric_two", "q\"uoted\\");
        private static final List<String> TEXTS = List.of("", "200", "::group \"of\" <kind>", "é😀\u0000\u001f\\",
                "}}\n", "],{\"a\":1}",
                "\",\"value\":1,\"tags\":{", "http://x/?a=<1>&b='2'", "ß".repeat(40));
        final SplittableRandom random;
        final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private int style;
        private boolean spaces, escapes, strange;

        Writer(long seed) {
            random = new SplittableRandom(seed);
            restyle();
        }

        void restyle() {
            style = random.nextInt();
            spaces = random.nextInt(3) == 0;
            escapes = random.nextInt(3) == 0;
            strange = random.nextInt(3) == 0;
        }

        private <T> T any(List<T> list) { return list.get(random.nextInt(list.size())); }

        /** A line with its newline; the next ones differ in metric, time, value and tags, rarely in style. */
        byte[] line() {
            if (random.nextInt(40) == 0) restyle();
            SplittableRandom inStyle = new SplittableRandom(style);
            List<String> tags = new ArrayList<>();
            for (String tag : TAGS) if (random.nextInt(4) > 0) tags.add(field(tag, text(any(TEXTS), inStyle), inStyle));
            List<String> data = new ArrayList<>(List.of(field("time", text(time(), inStyle), inStyle),
                    field("value", number(), inStyle),
                    field("tags", object(tags, inStyle), inStyle)));
            if (strange) data.add(field(any(List.of("metadata", "time2", "value")), "{\"value\":[1,{\"time\":null}]}",
                    inStyle));
            if (inStyle.nextInt(3) == 0) Collections.shuffle(data, new Random(style));
            List<String> line = new ArrayList<>(List.of(field("metric", text(any(METRICS), inStyle), inStyle),
                    field("type", "\"Point\"", inStyle), field("data", object(data, inStyle), inStyle)));
            if (strange) line.add(field(any(List.of("more", "type", "metric")),
                    any(List.of("1e400", "\"Point\"", "[[]]")), inStyle));
            if (inStyle.nextInt(2) == 0) Collections.shuffle(line, new Random(style));
            return (object(line, inStyle) + '\n').getBytes(StandardCharsets.UTF_8);
        }

        private String object(List<String> fields, SplittableRandom inStyle) {
            return "{" + space(inStyle) + String.join("," + space(inStyle), fields) + space(inStyle) + "}";
        }

        private String field(String name, String value, SplittableRandom inStyle) {
            return text(name, inStyle) + space(inStyle) + ":" + space(inStyle) + value;
        }

        private String space(SplittableRandom inStyle) { return spaces ? List.of("", " ", "\t", "\r")
                .get(inStyle.nextInt(4)) : ""; }

        private String text(String text, SplittableRandom inStyle) {
            StringBuilder quoted = new StringBuilder("\"");
            for (char c : text.toCharArray()) {
                boolean must = c < ' ' || c == '"' || c == '\\';
                if (must || escapes && inStyle.nextInt(8) == 0) quoted.append("\\u%04x".formatted((int) c));
                else quoted.append(c);
            }
            return quoted.append('"').toString();
        }

        private String time() {
            String second = "20%02d-%02d-%02dT%02d:%02d:%02d".formatted(random.nextInt(100), random.nextInt(1, 13),
                    random.nextInt(1, 29),
                    random.nextInt(24), random.nextInt(60), random.nextInt(60));
            String fraction = random.nextInt(4) == 0 ? "" : "."
                    + ("" + random.nextLong(1_000_000_000L, 2_000_000_000L)).substring(1, random.nextInt(2, 11));
            return second + fraction + any(List.of("Z", "Z", "Z", "+05:30", "-11:00", "+23:59"));
        }

        private String number() {
            return switch (random.nextInt(6)) {
                case 0 -> any(List.of("0", "1", "-0", "-0.0", "1e-06", "1E5", "-2.5e+3", "123456789012345678",
                        "0.1234567890123456789", "1e-400"));
                case 1 -> Double.toString(random.nextDouble());
                case 2 -> Long.toString(random.nextLong());
                default -> BigDecimal.valueOf(random.nextLong(100_000_000), 6).stripTrailingZeros().toPlainString();
            };
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void valid_lines_in_any_style_are_read_as_jackson_reads_them(long seed) throws IOException {
        Writer writer = new Writer(seed);
        for (int i = 0; i < 6_000; i++) writer.out.writeBytes(writer.line());
        bothAgree(writer.out.toByteArray(), 1 + (int) seed % 2);
    }

    // ==== Lines that are damaged ====

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void damaged_lines_are_read_or_refused_as_jackson_does(long seed) throws IOException {
        Writer writer = new Writer(100 + seed);
        byte[] line = writer.line();
        for (int i = 0; i < 12_000; i++) {
            if (i % 7 == 0) line = writer.line();
            writer.out.writeBytes(random(writer.random, 3) ? damaged(line, writer.random) : line);
        }
        bothAgree(writer.out.toByteArray(), 1 + (int) seed % 2);
    }

    private static boolean random(SplittableRandom random, int oneIn) { return random.nextInt(oneIn) == 0; }

    /** A line with a byte changed, taken out or put in, or a part of it left out, doubled or moved. */
    private static byte[] damaged(byte[] line, SplittableRandom random) {
        int at = random.nextInt(line.length), to = at + random.nextInt(Math.min(30, line.length - at)) + 1;
        byte[] changed = line.clone();
        byte[] interesting = "0123456789.,:{}[]\"\\eE+-Z \n\r\0ntfé".getBytes(StandardCharsets.UTF_8);
        changed[at] = interesting[random.nextInt(interesting.length)];
        return switch (random.nextInt(6)) {
            case 0 -> changed;
            case 1 -> joined(Arrays.copyOf(line, at), Arrays.copyOfRange(line, at + 1, line.length));
            case 2 -> joined(Arrays.copyOf(line, at), new byte[] {changed[at]},
                    Arrays.copyOfRange(line, at, line.length));
            case 3 -> joined(Arrays.copyOf(line, at), Arrays.copyOfRange(line, to, line.length));
            case 4 -> joined(Arrays.copyOf(line, to), Arrays.copyOfRange(line, at, line.length));
            default -> {
                changed[at] = (byte) random.nextInt(256);
                yield changed;
            }
        };
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) all.writeBytes(part);
        return all.toByteArray();
    }

    /** Lines as k6 writes them, nearly: ids, what is nearly an id, and escapes where ids may stand. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6})
    void ids_in_urls_are_seen_in_damaged_lines_as_in_what_jackson_reads(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(400 + seed);
        List<String> segments = List.of("orders", "N", "N", "U", "H", "a-b", "12.5", "\\u003f", "\\/", "é", "?", "#", "N\\u0026", "");
        List<String> shapes = Stream.generate(() -> IntStream.range(0, random.nextInt(1, 6))
                .mapToObj(_ -> segments.get(random.nextInt(segments.size()))).collect(Collectors.joining("/", "http://h/", "")))
                .limit(12).toList();
        var out = new ByteArrayOutputStream();
        for (int i = 0; i < 12_000; i++) {
            String url = shapes.get(random.nextInt(shapes.size())).replace("N", "" + random.nextInt(100_000))
                    .replace("U", new UUID(random.nextLong(), random.nextLong()).toString())
                    .replace("H", Long.toHexString(random.nextLong()));
            String tags = random.nextInt(20) == 0 ? "\"name\":\"/1\",\"name\":\"%s\",\"status\":\"200\"".formatted(url)
                    : "\"name\":\"%s\",\"status\":\"%d\",\"url\":\"%s\"".formatted(url, random.nextInt(2), url);
            byte[] line = """
                    {"metric":"x","type":"Point","data":{"time":"2026-01-01T00:00:%02dZ","value":%d,"tags":{%s}}}
                    """.formatted(i % 60, i % 7, tags).getBytes(StandardCharsets.UTF_8);
            for (int times = random.nextInt(1, 4); times > 0; times--)
                out.writeBytes(random(random, 8) ? damaged(line, random) : line);
        }
        bothAgree(out.toByteArray(), 1 + (int) seed % 2, new Names(true, List.of()));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void no_good_line_is_lost_between_random_bytes(long seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        Writer writer = new Writer(200 + seed);
        for (int i = 0; i < 3_000; i++) {
            writer.out.writeBytes(writer.line());
            byte[] noise = new byte[random.nextInt(600)];
            random.nextBytes(noise);
            if (i % 10 == 0) Arrays.fill(noise, (byte) 0);
            writer.out.writeBytes(noise);
            writer.out.write('\n');
        }
        bothAgree(writer.out.toByteArray(), 2);
    }

    @Test void keys_that_occur_twice_count_once_and_the_last_one_wins() throws IOException {
        String time = "\"time\":\"2026-01-01T00:00:00Z\"", data = "\"data\":{" + time
                + ",\"value\":1,\"tags\":{\"name\":\"a\"}}";
        List<String> lines = List.of("{\"metric\":\"x\",\"type\":\"Point\"," + data + "}",
                "{\"metric\":\"x\",\"metric\":\"y\",\"type\":\"Point\"," + data + "}",
                "{\"metric\":\"x\",\"type\":\"Point\"," + data + ",\"metric\":\"z\"}",
                "{\"metric\":\"x\",\"type\":\"Point\"," + data + "," + data.replace("1", "2") + "}",
                "{\"metric\":\"x\",\"type\":\"Point\"," + data + ",\"data\":{}}",
                "{\"metric\":\"x\",\"type\":\"Point\"," + data + ",\"type\":\"Metric\"}",
                "{\"metric\":\"x\",\"type\":\"Point\",\"data\":{" + time + ",\"value\":1,\"value\":3,\"tags\":{}}}",
                "{\"metric\":\"x\",\"type\":\"Point\",\"data\":{" + time + ",\"value\":1,\"tags\":{},\"value\":4}}",
                "{\"metric\":\"x\",\"type\":\"Point\",\"data\":{" + time
                        + ",\"value\":1,\"tags\":{\"name\":\"b\"},\"tags\":{\"status\":\"1\"}}}",
                "{\"metric\":\"x\",\"type\":\"Point\",\"data\":{" + time
                        + ",\"value\":1,\"tags\":{\"name\":\"b\",\"name\":\"c\"}}}");
        SplittableRandom random = new SplittableRandom(9);
        StringBuilder file = new StringBuilder();
        for (int i = 0; i < 2_000; i++) file.append(lines.get(random.nextInt(lines.size()))).append('\n');
        bothAgree(file.toString().getBytes(StandardCharsets.UTF_8), 1);
    }

    @Test void deep_nesting_and_long_numbers_are_no_danger() throws IOException {
        String good = """
                {"metric":"x","type":"Point","data":{"time":"2026-01-01T00:00:00Z","value":%s,"tags":%s}}
                """;
        StringBuilder file = new StringBuilder();
        for (int i = 0; i < 3; i++) {
            file.append(good.formatted("1", "{}"));
            file.append(good.formatted("1", "{\"a\":" + "[".repeat(100_000) + "]".repeat(100_000) + "}"));
            file.append("{\"a\":".repeat(100_000)).append('\n');
            file.append(good.formatted("1" + "0".repeat(2_000), "{}")).append(good.formatted("1e99999999999", "{}"));
            file.append(good.formatted("0." + "1".repeat(300), "{}")).append(good.formatted("1e400", "{}"))
                    .append(good.formatted("NaN", "{}"));
        }
        bothAgree(file.toString().getBytes(StandardCharsets.UTF_8), 1);
    }

    @Test void a_file_cut_anywhere_gives_what_is_before_the_cut() throws IOException {
        Writer writer = new Writer(300);
        for (int i = 0; i < 12; i++) writer.out.writeBytes(writer.line());
        byte[] whole = writer.out.toByteArray();
        for (int size = 0; size < whole.length; size += 7) bothAgree(Arrays.copyOf(whole, size), 1);
    }
}
