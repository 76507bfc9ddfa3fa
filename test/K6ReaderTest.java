///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//DEPS com.fasterxml.jackson.core:jackson-databind:2.19.2
//SOURCES ../kit/read/K6Reader.java
//SOURCES bench/K6Generator.java

// Does the reader say of a k6 file what k6 itself says of it, to the last digit, however the file comes?

import module java.base;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.*;

final class K6ReaderTest {
    public static void main(String... args) {
        org.junit.platform.console.ConsoleLauncher.main("execute", "--select-class=K6ReaderTest", "--details=tree",
                "--disable-banner", "--fail-if-no-tests");
    }

    @TempDir Path folder;

    // ==== Vocabulary ====

    private static final String SECOND = "2026-01-01T00:00:00Z";
    private static final long SECOND_NS = Instant.parse(SECOND).getEpochSecond() * 1_000_000_000L;

    private static String point(String metric, String time, String value, String tags) {
        return "{\"metric\":\"%s\",\"type\":\"Point\",\"data\":{\"time\":\"%s\",\"value\":%s,\"tags\":%s}}\n"
                .formatted(metric, time, value, tags);
    }

    private static String values(String metric, String... values) {
        return Arrays.stream(values).map(value -> point(metric, SECOND, value, "{}")).collect(Collectors.joining());
    }

    private Path file(String text) throws IOException {
        return Files.writeString(Files.createTempFile(folder, "lines", ".json"), text);
    }

    private Path gzip(String name, byte[] bytes) throws IOException {
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(folder.resolve(name)))) {
            out.write(bytes);
        }
        return folder.resolve(name);
    }

    private static K6Reader.Reading read(K6Reader.Query query, Path... shards) throws IOException {
        return K6Reader.read(List.of(new K6Reader.Input("run", shards)), query, (_, _) -> {});
    }

    private K6Reader.Reading read(String text) throws IOException { return read(K6Reader.Query.by(), file(text)); }

    private static K6Reader.Series only(K6Reader.Reading reading) {
        assertEquals(1, reading.series().size(), () -> table(reading));
        return reading.series().getFirst();
    }

    /** Everything that a reading says of the samples, as text: what has to be equal whatever way they came. */
    private static String table(K6Reader.Reading reading) {
        StringBuilder table = new StringBuilder();
        for (K6Reader.Series one : reading.series()) {
            table.append("%s %s n=%d min=%s max=%s mean=%s sum=%s from=%d to=%d p=%s%n".formatted(
                    one.metric, one.values, one.count(), one.min(), one.max(), one.mean(), one.sum(),
                    one.firstNs(), one.lastNs(), Arrays.toString(one.percentiles(0, .001, .5, .9, .95, .99, .999, 1))));
            one.blocks().forEach((number, block) -> table.append("  %d n=%d p50=%s p99=%s%n".formatted(number,
                    block.histogram.count(), block.histogram.quantile(.5), block.histogram.quantile(.99))));
        }
        return table.append(reading.metrics()).append(reading.folded()).append(reading.census())
                .append(reading.blockNs()).toString();
    }

    private static String tableOf(K6Reader.Query query, Path... shards) throws IOException {
        try (K6Reader.Reading reading = read(query, shards)) {
            return table(reading);
        }
    }

    private byte[] synthetic(K6Generator.Shape shape, long requests, long seed) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        new K6Generator(shape, requests, seed).write(bytes);
        return bytes.toByteArray();
    }

    // ==== What k6 says of its own files ====

    @ParameterizedTest
    @ValueSource(strings = {"0.40.0", "0.52.0", "1.8.1", "2.2.0"})
    void a_real_file_gives_the_numbers_of_k6s_own_summary(String version) throws IOException {
        Path golden = goldens().resolve(version + ".json.gz");
        JsonNode summary = new ObjectMapper().readTree(goldens().resolve(version + ".summary.json").toFile())
                .get("metrics");
        for (var metric : summary.properties()) {
            String name = metric.getKey();
            int brace = name.indexOf('{');
            String base = brace < 0 ? name : name.substring(0, brace);
            String[] tag = brace < 0 ? new String[0] : name.substring(brace + 1, name.length() - 1).split(":", 2);
            try (K6Reader.Reading reading = read(K6Reader.Query.by(tag.length == 0 ? new String[0]
                    : new String[] {tag[0]})
                    .metrics(base), golden)) {
                K6Reader.Shard shard = reading.shards().getFirst();
                assertEquals(0, shard.refused(), shard::toString);
                assertNull(shard.cut());
                assertEquals(metric.getValue().get("type").asText(), reading.metrics().get(base).type());
                assertEquals(metric.getValue().get("contains").asText(), reading.metrics().get(base).contains());
                List<K6Reader.Series> series = reading.series().stream()
                        .filter(one -> tag.length == 0 || one.values.equals(List.of(tag[1]))).toList();
                if (!series.isEmpty()) agree(name, series.getFirst(), metric.getValue().get("values"));
                else assertEquals(0, metric.getValue().get("values").path("count").asInt(0), name
                        + " has samples in k6's summary");
            }
        }
    }

    private static void agree(String name, K6Reader.Series ours, JsonNode theirs) {
        for (var value : theirs.properties()) {
            double said = value.getValue().asDouble();
            switch (value.getKey()) {
                case "count" -> assertEquals(said, theirs.has("med") ? ours.count() : ours.sum(),
                        1e-12 * Math.abs(said), name);
                case "passes" -> assertEquals(said, ours.sum(), name);
                case "fails" -> assertEquals(said, ours.count() - ours.sum(), name);
                // A gauge's latest value is asked of no k6 file.
                case "value" -> { }
                case "min" -> assertEquals(said, ours.min(), name);
                case "max" -> assertEquals(said, ours.max(), name);
                case "med" -> assertEquals(said, ours.percentiles(.5)[0], name);
                // k6 adds doubles one by one, so the last of its sixteen digits may be noise; ours are exact.
                case "avg" -> assertEquals(said, ours.mean(), 1e-12 * Math.abs(said), name);
                // k6 divides a rate of events by its own clock, which isn't in the file.
                case "rate" -> assertTrue(!theirs.has("passes")
                        || Math.abs(said - ours.sum() / ours.count()) < 1e-15, name);
                default -> {
                    double p = Double.parseDouble(value.getKey().substring(2, value.getKey().length() - 1)) / 100;
                    assertEquals(said, ours.percentiles(p)[0], name + " " + value.getKey());
                }
            }
        }
    }

    private static Path goldens() {
        return Stream.of("test/golden/k6", "golden/k6", "../test/golden/k6").map(Path::of).filter(Files::isDirectory)
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("run the tests in the project's folder"));
    }

    @Test void a_real_file_is_nearly_all_read_by_the_fast_path() throws IOException {
        K6Reader.Shard shard = read(K6Reader.Query.by(), goldens().resolve("2.2.0.json.gz")).shards().getFirst();
        assertTrue(shard.fast() > 50 * shard.jackson(), shard::toString);
    }

    // ==== However it comes ====

    /** SYNTHETIC, with a closed form for the answer; longer than two segments, so that threads meet within a file. */
    @ParameterizedTest
    @EnumSource(K6Generator.Shape.class)
    void every_writer_gives_the_known_answer(K6Generator.Shape shape) throws IOException {
        long requests = 200L * K6Generator.VARIANTS, each = requests / K6Generator.VARIANTS;
        Path file = Files.write(folder.resolve("synthetic.json"), synthetic(shape, requests, 7));
        try (K6Reader.Reading reading = read(K6Reader.Query.by("variant").metrics("http_req_duration"), file)) {
            assertEquals(K6Generator.VARIANTS, reading.series().size());
            for (int variant = 0; variant < K6Generator.VARIANTS; variant++) {
                String name = K6Generator.variant(variant);
                K6Reader.Series one = reading.series().stream().filter(s -> s.values.equals(List.of(name)))
                        .findFirst().orElseThrow();
                int number = variant;
                long[] ns = LongStream.range(0, each).map(k -> K6Generator.durationNs(number, k, each)).sorted()
                        .toArray();
                assertEquals(each, one.count());
                assertEquals(ns[0] / 1e6, one.min());
                assertEquals(new BigDecimal(LongStream.of(ns).sum()).movePointLeft(6).divide(BigDecimal.valueOf(each))
                        .doubleValue(), one.mean());
                for (double p : new double[] {0, .25, .5, .9, .99, .999, 1}) {
                    double rank = p * (each - 1), low = ns[(int) Math.floor(rank)] / 1e6,
                            high = ns[(int) Math.ceil(rank)] / 1e6;
                    assertEquals(low + (high - low) * (rank - Math.floor(rank)), one.percentiles(p)[0], name + " p"
                            + p);
                }
            }
        }
    }

    @Test void plain_gzip_shards_pipes_and_threads_give_the_same_table() throws Exception {
        byte[] bytes = synthetic(K6Generator.Shape.EASYJSON, 800L * K6Generator.VARIANTS, 3);
        assertTrue(bytes.length > 2 * K6Reader.SEGMENT_BYTES, "must be longer than two segments");
        Path plain = Files.write(folder.resolve("plain"), bytes), packed = gzip("packed", bytes);
        K6Reader.Query query = K6Reader.Query.by("variant", "expected_response").blocks(250_000_000, SECOND_NS, 20);
        String expected = tableOf(query.threads(1), plain);
        assertEquals(expected, tableOf(query.threads(2), plain), "two threads");
        assertEquals(expected, tableOf(query.threads(5), plain), "five threads");
        assertEquals(expected, tableOf(query.threads(1), packed), "gzip");
        assertEquals(expected, tableOf(query.threads(2), packed), "gzip, two threads");
        List<Path> shards = shards(bytes, 7);
        for (int seed = 0; seed < 3; seed++) {
            Collections.shuffle(shards, new Random(seed));
            assertEquals(expected, tableOf(query.threads(2), shards.toArray(Path[]::new)), "shards " + shards);
        }
        InputStream before = System.in;
        try {
            System.setIn(new FileInputStream(plain.toFile()));
            assertEquals(expected, tableOf(query, Path.of("-")), "pipe");
            System.setIn(new FileInputStream(packed.toFile()));
            assertEquals(expected, tableOf(query, Path.of("-")), "compressed pipe");
        } finally {
            System.setIn(before);
        }
    }

    /** Shards of whole lines, every other one compressed. */
    private List<Path> shards(byte[] bytes, int count) throws IOException {
        List<Path> shards = new ArrayList<>();
        for (int i = 0, from = 0; i < count; i++) {
            int to = i == count - 1 ? bytes.length : (int) ((long) bytes.length * (i + 1) / count);
            while (bytes[to - 1] != '\n') to++;
            byte[] part = Arrays.copyOfRange(bytes, from, to);
            shards.add(i % 2 == 0 ? Files.write(folder.resolve("shard" + i), part) : gzip("shard" + i, part));
            from = to;
        }
        return shards;
    }

    @Test void no_line_is_lost_or_read_twice_wherever_a_part_of_a_file_ends() throws IOException {
        String one = values("x", "1"), ten = point("x", SECOND, "10", "{\"text\":\"" + "t".repeat(1_500) + "\"}");
        long lines = 0, sum = 0;
        Path file = folder.resolve("parts");
        try (Writer out = Files.newBufferedWriter(file)) {
            long at = 0, end = K6Reader.SEGMENT_BYTES;
            // A short line ends so many bytes behind the end of each part.
            for (int behind : new int[] {-65, -64, -63, -1, 0, 1, 2, 64, 200}) {
                for (; at < end - 4 * ten.length(); at += ten.length(), lines++, sum += 10) out.write(ten);
                int gap = (int) (end + behind - at) - one.length();
                String filler = point("x", SECOND, "10", "{\"text\":\"\"}");
                filler = filler.replace("\"\"", "\"" + "f".repeat(gap - filler.length()) + "\"");
                out.write(filler + one);
                at += gap + one.length();
                lines += 2;
                sum += 11;
                end += K6Reader.SEGMENT_BYTES;
            }
            // And one that is nearly a part long.
            String longest = "t".repeat((int) K6Reader.SEGMENT_BYTES - 999);
            out.write(point("x", SECOND, "1000", "{\"text\":\"" + longest + "\"}"));
            out.write(ten.repeat((int) K6Reader.SEGMENT_BYTES / ten.length()) + one);
            lines += K6Reader.SEGMENT_BYTES / ten.length() + 2;
            sum += 10 * (K6Reader.SEGMENT_BYTES / ten.length()) + 1_001;
        }
        for (int threads = 1; threads <= 3; threads++) {
            try (var reading = read(K6Reader.Query.by().threads(threads), file)) {
                assertEquals(lines, only(reading).count());
                assertEquals(sum, only(reading).sum());
                assertEquals(0, reading.shards().getFirst().refused());
                assertEquals(Files.size(file), reading.shards().getFirst().bytes());
            }
        }
    }

    @Test void inputs_with_different_labels_stay_apart_and_in_order() throws IOException {
        List<K6Reader.Input> inputs = List.of(new K6Reader.Input("b", file(values("x", "1"))),
                new K6Reader.Input("a", file(values("x", "2")), file(values("x", "4"))));
        try (K6Reader.Reading reading = K6Reader.read(inputs, K6Reader.Query.by(), (_, _) -> {})) {
            assertEquals(List.of("b 1.0", "a 3.0"), reading.series().stream().map(one -> one.label + " " + one.mean())
                    .toList());
        }
    }

    @Test void several_gzip_members_are_one_file() throws IOException {
        byte[] one = Files.readAllBytes(gzip("one", values("x", "1").getBytes())),
                two = Files.readAllBytes(gzip("two", values("x", "2").getBytes()));
        Path both = Files.write(folder.resolve("both"), one);
        Files.write(both, two, StandardOpenOption.APPEND);
        assertEquals(2, only(read(K6Reader.Query.by(), both)).count());
    }

    @Test void slices_of_one_file_are_read_as_the_files_they_were() throws IOException {
        byte[] bytes = synthetic(K6Generator.Shape.EASYJSON, 800L * K6Generator.VARIANTS, 3);
        Path plain = Files.write(folder.resolve("plain"), bytes), packed = gzip("packed", bytes);
        byte[] between = "neither k6's nor gzip\n".getBytes();
        Path together = folder.resolve("together");
        List<Slice> slices = new ArrayList<>();
        try (OutputStream out = Files.newOutputStream(together)) {
            long at = 0;
            for (Path one : List.of(plain, packed)) {
                out.write(between);
                out.write(Files.readAllBytes(one));
                slices.add(new Slice(together, at + between.length, Files.size(one)));
                at += between.length + Files.size(one);
            }
            out.write(values("x", "1").getBytes());
        }
        K6Reader.Query query = K6Reader.Query.by("variant");
        for (int i = 0; i < 2; i++) {
            Path alone = List.of(plain, packed).get(i);
            var input = new K6Reader.Input("run", List.of(slices.get(i)));
            try (K6Reader.Reading reading = K6Reader.read(List.of(input), query, (_, _) -> {})) {
                assertEquals(tableOf(query, alone), table(reading));
                assertEquals(read(query, alone).shards().getFirst().bytes(), reading.shards().getFirst().bytes());
                assertEquals(0, reading.shards().getFirst().refused());
                assertNull(reading.shards().getFirst().cut());
            }
        }
    }

    @Test void a_refused_lines_place_is_that_in_the_slice_and_the_slices_end_is_the_last_lines() throws IOException {
        String good = values("x", "1");
        Path file = file(good + good + "what?\n" + good);
        Slice middle = new Slice(file, good.length(), good.length() + "what".length());
        var shard = K6Reader.read(List.of(new K6Reader.Input("run", List.of(middle))), K6Reader.Query.by(),
                (_, _) -> {}).shards().getFirst();
        assertEquals(1, shard.fast() + shard.jackson());
        assertEquals("the last line is incomplete", shard.cut());
        Slice longer = new Slice(file, good.length(), good.length() + "what?\n".length());
        shard = K6Reader.read(List.of(new K6Reader.Input("run", List.of(longer))), K6Reader.Query.by(),
                (_, _) -> {}).shards().getFirst();
        assertEquals(List.of(new K6Reader.Refused(good.length(), "not k6's", "what?")), shard.firstRefused());
        assertNull(shard.cut());
    }

    @Test void a_slice_that_the_file_does_not_hold_is_cut() throws IOException {
        Path plain = file(values("x", "1", "2")), packed = gzip("packed", values("x", "1", "2").getBytes());
        for (Path file : List.of(plain, packed)) for (long from : new long[] {0, 10_000}) {
            var input = new K6Reader.Input("run", List.of(new Slice(file, from, 9_999)));
            try (var reading = K6Reader.read(List.of(input), K6Reader.Query.by(), (_, _) -> {})) {
                assertEquals("the file ends before its part of it does", reading.shards().getFirst().cut());
                assertEquals(from == 0 ? 2 : 0, reading.series().stream().mapToLong(K6Reader.Series::count).sum());
            }
        }
    }

    // ==== Damage ====

    @Test void a_cut_file_keeps_everything_before_the_cut() throws IOException {
        String good = values("x", "1", "2"), last = values("x", "3");
        for (int kept = 1; kept < last.length() - 1; kept++) {
            K6Reader.Reading reading = read(good + last.substring(0, kept));
            assertEquals(2, only(reading).count());
            assertEquals("the last line is incomplete", reading.shards().getFirst().cut());
            assertEquals(0, reading.shards().getFirst().refused());
        }
    }

    @Test void a_file_that_is_cut_while_it_is_read_says_so() throws IOException {
        Path file = file(values("x", "1").repeat(600_000));
        int kept = 1 << 20;
        var cut = new AtomicBoolean();
        K6Reader.Progress cutter = (_, _) -> {
            if (cut.getAndSet(true)) return;
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                channel.truncate(kept);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        };
        var inputs = List.of(new K6Reader.Input("run", file));
        try (var reading = K6Reader.read(inputs, K6Reader.Query.by(), cutter)) {
            assertNotNull(reading.shards().getFirst().cut());
            assertTrue(only(reading).count() >= kept / values("x", "1").length());
        }
    }

    @Test void a_last_line_without_newline_is_a_line() throws IOException {
        K6Reader.Reading reading = read(values("x", "1", "2").stripTrailing());
        assertEquals(2, only(reading).count());
        assertNull(reading.shards().getFirst().cut());
    }

    @Test void a_cut_gzip_file_keeps_what_can_be_inflated() throws IOException {
        byte[] bytes = synthetic(K6Generator.Shape.NEW, 240, 1), packed = Files.readAllBytes(gzip("whole", bytes));
        long before = -1;
        for (int size = 0; size < packed.length; size += 1 + packed.length / 40) {
            K6Reader.Reading reading = read(K6Reader.Query.by(),
                    Files.write(folder.resolve("cut"), Arrays.copyOf(packed, size)));
            K6Reader.Shard shard = reading.shards().getFirst();
            long samples = shard.fast() + shard.jackson();
            assertTrue(samples >= before && shard.refused() == 0, shard::toString);
            if (size > 1) assertNotNull(shard.cut());
            before = samples;
        }
        assertTrue(before > 2_000, "nearly all is kept of a file that misses a little: " + before);
    }

    @Test void a_damaged_gzip_file_says_so() throws IOException {
        byte[] packed = Files.readAllBytes(gzip("whole", synthetic(K6Generator.Shape.NEW, 240, 1)));
        for (int i = packed.length / 2; i < packed.length / 2 + 40; i++) packed[i] = (byte) ~packed[i];
        assertNotNull(read(K6Reader.Query.by(), Files.write(folder.resolve("damaged"), packed)).shards().getFirst()
                .cut());
    }

    @Test void refused_lines_are_counted_and_the_first_are_shown_with_their_place() throws IOException {
        String good = values("x", "1");
        K6Reader.Shard shard = read(good + "what?\n" + good + "\n" + good + "{}\n".repeat(9)).shards().getFirst();
        assertEquals(10, shard.refused());
        assertEquals(3, shard.fast() + shard.jackson());
        assertEquals(new K6Reader.Refused(good.length(), "not k6's", "what?"), shard.firstRefused().getFirst());
        assertEquals(5, shard.firstRefused().size());
        assertTrue(shard.isK6());
    }

    @Test void a_file_of_something_else_is_not_k6s() throws IOException {
        assertFalse(read("time,value\n1,2\n").shards().getFirst().isK6());
        assertFalse(read("").shards().getFirst().isK6());
    }

    @Test void a_missing_file_is_an_error() {
        assertThrows(IOException.class, () -> read(K6Reader.Query.by(), folder.resolve("missing")));
    }

    @Test void a_line_of_ten_megabytes_is_read_and_one_of_twenty_refused() throws IOException {
        String good = values("x", "1");
        String long10 = point("x", SECOND, "2", "{\"body\":\"" + "b".repeat(10 << 20) + "\"}");
        String long20 = point("x", SECOND, "3", "{\"body\":\"" + "b".repeat(20 << 20) + "\"}");
        K6Reader.Reading reading = read(good + long10 + good + long20 + good);
        assertEquals(5, only(reading).sum());
        assertEquals(1, reading.shards().getFirst().refused());
        K6Reader.Refused refused = reading.shards().getFirst().firstRefused().getFirst();
        assertEquals(good.length() * 2 + long10.length(), refused.offset());
        assertEquals("longer than 16 MB", refused.why());
    }

    @Test void a_damaged_later_member_of_gzip_is_a_cut_file_and_zeros_are_not() throws IOException {
        byte[] one = Files.readAllBytes(gzip("one", values("x", "1").repeat(500).getBytes()));
        for (int damaged = 0; damaged < 4; damaged++) {
            byte[] two = one.clone();
            if (damaged < 3) two[damaged]++;
            byte[] both = Arrays.copyOf(one, one.length + two.length + 1_000);
            System.arraycopy(two, 0, both, one.length, two.length);
            K6Reader.Reading reading = read(K6Reader.Query.by(), Files.write(folder.resolve("both"), both));
            assertEquals(damaged < 3 ? 500 : 1_000, only(reading).count());
            assertEquals(damaged < 3, reading.shards().getFirst().cut() != null);
        }
    }

    @Test void what_else_a_file_may_be_is_named_also_when_it_comes_through_a_pipe() throws IOException {
        var named = new LinkedHashMap<byte[], String>();
        named.put(new byte[] {0x28, (byte) 0xb5, 0x2f, (byte) 0xfd, 4, 0}, "zstd");
        named.put("BZh91AY&SY".getBytes(), "bzip2");
        named.put(new byte[] {(byte) 0xfd, '7', 'z', 'X', 'Z', 0}, "xz");
        named.put("PK\u0003\u0004 and so on".getBytes(), "zip");
        named.put(("\ufeff" + values("x", "1")).getBytes(StandardCharsets.UTF_16LE), "UTF-16");
        named.put(values("x", "1").getBytes(StandardCharsets.UTF_16LE), "UTF-16");
        named.put(values("x", "1").getBytes(StandardCharsets.UTF_16), "UTF-16");
        InputStream before = System.in;
        try {
            for (var what : named.entrySet()) {
                System.setIn(new ByteArrayInputStream(what.getKey()));
                for (Path path : List.of(Files.write(folder.resolve("what"), what.getKey()), Path.of("-"))) {
                    K6Reader.Shard shard = read(K6Reader.Query.by(), path).shards().getFirst();
                    assertFalse(shard.isK6());
                    assertEquals(0, shard.refused());
                    assertTrue(shard.cut().contains(what.getValue()), shard::cut);
                }
            }
        } finally {
            System.setIn(before);
        }
    }

    @Test void a_directory_is_named() throws IOException {
        K6Reader.Shard shard = read(K6Reader.Query.by(), folder).shards().getFirst();
        assertTrue(shard.cut().contains("directory"), shard::cut);
    }

    @Test void a_byte_order_mark_and_blank_lines_are_no_loss() throws IOException {
        String lines = values("x", "1", "2", "4"), windows = lines.replace("\n", "\r\n\r\n");
        for (String text : List.of("\ufeff" + lines, "\n \n" + lines + "\t", windows, "\ufeff" + windows)) {
            try (var reading = read(K6Reader.Query.by(), file(text), gzip("packed", text.getBytes(UTF_8)))) {
                assertEquals(14, only(reading).sum());
                for (K6Reader.Shard shard : reading.shards()) {
                    assertEquals(0, shard.refused());
                    assertNull(shard.cut());
                }
            }
        }
    }

    // ==== What lines mean ====

    @Test void times_have_up_to_nine_digits_and_any_offset() throws IOException {
        Map<String, Long> times = Map.of("2026-01-01T00:00:00Z", 0L, "2026-01-01T00:00:00.5Z", 500_000_000L,
                "2026-01-01T00:00:00.000000001Z", 1L, "2026-01-01T00:00:01.123456789Z", 1_123_456_789L,
                "2026-01-01T05:30:00.25+05:30", 250_000_000L, "2025-12-31T17:00:00-07:00", 0L,
                        "2026-01-01T00:00:00+00:00", 0L);
        for (var time : times.entrySet()) {
            String line = point("x", time.getKey(), "1", "{}");
            assertEquals(SECOND_NS + time.getValue(), only(read(line + line)).lastNs(), time.getKey());
            assertEquals(SECOND_NS + time.getValue(), only(read(line + line)).firstNs(), time.getKey());
        }
        for (String bad : List.of("", "2026-01-01", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z",
                "2026-01-01T00:00:60Z",
                "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567891Z",
                        "2026-01-01T00:00:00+0100",
                "0001-01-01T00:00:00Z", "2026-01-01T00:00:00Z ", "2026-13-01T00:00:00Z", "2026-01-01t00:00:00z"))
            assertEquals(1, read(values("x", "1") + point("x", bad, "1", "{}")).shards().getFirst().refused(), bad);
    }

    @Test void values_are_read_to_the_last_bit() throws IOException {
        SplittableRandom random = new SplittableRandom(5);
        List<String> texts = new ArrayList<>(List.of("0", "-0", "1e-06", "1E+6", "123456789.125", "0.1", "1e21",
                "5e-324",
                "1.7976931348623157e308", "9007199254740993", "0.30000000000000004", "123456789012345678901234567890"));
        for (int i = 0; i < 20_000; i++) texts.add(Double.toString(random.nextLong() * StrictMath.pow(10,
                random.nextInt(-30, 3))));
        for (int i = 0; i < 20_000; i++) texts.add(BigDecimal.valueOf(random.nextLong(1L << random.nextInt(1, 50)),
                random.nextInt(0, 10)).toPlainString());
        double[] expected = texts.stream().mapToDouble(text -> Double.parseDouble(text) + 0.0).sorted().toArray();
        K6Reader.Series one = only(read(values("x", texts.toArray(String[]::new))));
        double[] ranks = IntStream.range(0, expected.length).mapToDouble(i -> (double) i / (expected.length - 1))
                .toArray();
        double[] found = one.percentiles(ranks);
        for (int i = 0; i < expected.length; i++) {
            double rank = ranks[i] * (expected.length - 1), low = expected[(int) Math.floor(rank)],
                    high = expected[(int) Math.ceil(rank)];
            assertEquals(low + (high - low) * (rank - Math.floor(rank)), found[i]);
        }
    }

    @Test void what_is_no_number_is_refused() throws IOException {
        for (String bad : List.of("NaN", "1e400", "-1e400", "Infinity", "\"1\"", "null", "true", "01", "1.", ".5",
                "+1", "1e", "0x1", "[1]", "{}"))
            assertEquals(1, read(values("x", "1", bad, "1")).shards().getFirst().refused(), bad);
    }

    @Test void a_tag_may_hold_anything_and_may_be_absent() throws IOException {
        String text = point("x", SECOND, "1", "{\"name\":\"a\\\"}}\\n\\u003cé\\ud83d\\ude00{\"}")
                + point("x", SECOND, "2", "{}")
                + point("x", SECOND, "3", "null") + point("x", SECOND, "4",
                        "{\"name\":\"\"},\"metadata\":{\"trace\":\"}}\"}");
        try (K6Reader.Reading reading = read(K6Reader.Query.by("name"), file(text + text))) {
            assertEquals(List.of(List.of(""), List.of("a\"}}\n<é😀{")), reading.series().stream()
                    .map(one -> one.values).toList());
            assertEquals(List.of(18.0, 2.0), reading.series().stream().map(K6Reader.Series::sum).toList());
        }
    }

    @Test void sums_are_exact_whatever_the_order() throws IOException {
        List<String> values = new ArrayList<>(List.of("0.1", "0.2", "0.3", "1e21", "-1e21", "1e-7",
                "3.3333333333333335", "-4.5"));
        Set<Double> sums = new HashSet<>();
        for (int i = 0; i < 50; i++) {
            Collections.shuffle(values, new Random(i));
            sums.add(only(read(values("x", values.toArray(String[]::new)))).sum());
        }
        assertEquals(Set.of(-0.5666665666666665), sums);
    }

    @Test void a_sum_may_outgrow_a_long() throws IOException {
        assertEquals(2e13, only(read(values("x", Collections.nCopies(20_000, "1000000000").toArray(String[]::new))))
                .sum());
        assertEquals(1e9, only(read(values("x", Collections.nCopies(20_000, "1000000000").toArray(String[]::new))))
                .mean());
    }

    // ==== Percentiles ====

    @Test void percentiles_equal_sorting_all_values_also_from_disk() throws IOException {
        SplittableRandom random = new SplittableRandom(11);
        Map<String, DoubleSupplier> kinds = new LinkedHashMap<>();
        kinds.put("skewed", () -> StrictMath.exp(random.nextGaussian() * 2) + (random.nextInt(50) == 0 ? 60_000 : 0));
        kinds.put("mostly equal", () -> random.nextInt(100) == 0 ? random.nextDouble() : 5);
        kinds.put("zeros and timeouts", () -> random.nextInt(3) == 0 ? 0 : 60_000 + random.nextInt(3));
        kinds.put("both signs", () -> random.nextGaussian() * StrictMath.pow(10, random.nextInt(-300, 300)));
        kinds.put("constant", () -> 1);
        // So many that their bins hold more values than are sorted at once.
        double[] ps = DoubleStream.concat(DoubleStream.of(0, 1, .999, .9999), random.doubles(4_000)).toArray();
        for (var kind : kinds.entrySet()) {
            double[] values = DoubleStream.generate(kind.getValue()).limit(300_000).toArray(), sorted = values.clone();
            Arrays.sort(sorted);
            try (Values.Spill spill = new Values.Spill()) {
                Values first = new Values(spill, Values.SMALL_CHUNK, false);
                Values second = new Values(spill, Values.LARGE_CHUNK, true);
                for (int i = 0; i < values.length; i++) (i % 3 == 0 ? first : second).add(values[i], i);
                first.merge(second);
                double[] found = first.percentiles(values.length, sorted[0], sorted[sorted.length - 1], ps);
                for (int i = 0; i < ps.length; i++) {
                    double rank = ps[i] * (sorted.length - 1), low = sorted[(int) Math.floor(rank)],
                            high = sorted[(int) Math.ceil(rank)];
                    assertEquals(low + (high - low) * (rank - Math.floor(rank)), found[i], kind.getKey() + " p"
                            + ps[i]);
                }
            }
        }
    }

    @Test void nothing_is_left_in_the_temporary_folder_even_while_reading() throws IOException {
        try (K6Reader.Reading reading = read(K6Reader.Query.by(),
                Files.write(folder.resolve("many"), synthetic(K6Generator.Shape.NEW, 12_000, 1)));
             Stream<Path> left = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            assertEquals(12_000, reading.series().getFirst().count());
            assertEquals(List.of(), left.filter(path -> path.getFileName().toString().startsWith("values-")).toList());
        }
    }

    // ==== What is asked for ====

    @Test void only_the_asked_metrics_and_times_are_kept_and_the_end_is_open() throws IOException {
        String text = point("x", "2026-01-01T00:00:01Z", "1", "{}") + point("x", "2026-01-01T00:00:02Z", "2", "{}")
                + point("x", "2026-01-01T00:00:03Z", "4", "{}") + point("y", "2026-01-01T00:00:02Z", "8", "{}");
        K6Reader.Query query = K6Reader.Query.by().metrics("x")
                .between(SECOND_NS + 1_000_000_000L, SECOND_NS + 3_000_000_000L);
        assertEquals(3, only(read(query, file(text + text.replace("x", "z")))).sum());
    }

    @Test void blocks_begin_at_the_origin_and_double_when_there_are_too_many() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int second = 0; second < 60; second++) text.append(point("x",
                "2026-01-01T00:00:%02d.5Z".formatted(second), "" + second, "{}"));
        K6Reader.Query query = K6Reader.Query.by().blocks(1_000_000_000L, SECOND_NS, 60);
        try (K6Reader.Reading fine = read(query,
                file(text.toString())); K6Reader.Reading coarse = read(query.blocks(1_000_000_000L, SECOND_NS, 20),
                file(text.toString()))) {
            assertEquals(60, only(fine).blocks().size());
            assertEquals(59, only(fine).blocks().get(59L).histogram.quantile(.5), .2);
            assertEquals(4_000_000_000L, coarse.blockNs());
            assertEquals(15, only(coarse).blocks().size());
            assertEquals(4, only(coarse).blocks().get(1L).histogram.count());
            assertEquals(4, only(coarse).blocks().get(1L).histogram.quantile(0), .02);
            assertEquals(7, only(coarse).blocks().get(1L).histogram.quantile(1), .02);
        }
    }

    @Test void a_tag_with_too_many_values_folds_as_a_whole_and_is_named() throws IOException {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 3_000; i++)
            text.append(point("x", SECOND, "1", "{\"url\":\"/order/%d\",\"kind\":\"%s\"}".formatted(i % 1_500,
                    i % 2 == 0 ? "even" : "odd")));
        List<Path> shards = shards(text.toString().getBytes(), 5);
        K6Reader.Query query = K6Reader.Query.by("kind", "url").mostTagValues(1_000);
        String expected = tableOf(query.threads(1), shards.toArray(Path[]::new));
        assertEquals(expected, tableOf(query.threads(2), shards.reversed().toArray(Path[]::new)));
        try (K6Reader.Reading reading = read(query, shards.toArray(Path[]::new))) {
            assertEquals(List.of(new K6Reader.Folded("url", List.of("/order/0", "/order/1", "/order/10"))), reading.folded());
            assertEquals(List.of(List.of("even", K6Reader.OTHER), List.of("odd", K6Reader.OTHER)), reading.series()
                    .stream().map(one -> one.values).toList());
            assertEquals(1_500, reading.series().getFirst().count());
            assertNull(reading.census().get("url"));
            assertEquals(Map.of("even", 1_500L, "odd", 1_500L), reading.census().get("kind"));
        }
    }

    private static final Names IDS = new Names(true, List.of());

    @Test void segments_that_are_ids_become_one_name() {
        var names = new LinkedHashMap<String, String>();
        names.put("http://h/orders/17/items/4", "http://h/orders/{id}/items/{id}");
        names.put("/orders/8f3a91c2-52d1-4f0e-9c1a-7b1e0d2a4c55?page=2", "/orders/{id}?page=2");
        names.put("/a/2026-11-22/b#x", "/a/{id}/b#x");
        names.put("https://h:8080/blob/da39a3ee5e6b4b0d3255bfef95601890afd80709", "https://h:8080/blob/{id}");
        names.put("/u/01ARZ3NDEKTSV4RRFFQ69G5FAV/x/V1StGXR8_Z5jdHi6B-myT/", "/u/{id}/x/{id}/");
        names.put("/é/12/ü/34", "/é/{id}/ü/{id}");
        for (String as : List.of("http://127.0.0.1/x", "http://17/x", "/v1/orders", "/api2/facade/deadbeef", "17", "",
                "/orders?id=17", "/x/release-notes-of-2024", "/12.5/a17", "http://h", "/a\\/17", "order 17")) names.put(as, as);
        names.forEach((value, name) -> assertEquals(name, IDS.of("url", value)));
        assertEquals("/17", IDS.of("group", "/17"));
        assertEquals("/17", Names.EXACT.of("name", "/17"));
        var own = new Names(true, List.of(new Names.Own(Pattern.compile("[?].*"), ""),
                new Names.Own(Pattern.compile("/(en|de)/"), "/{language}/")));
        assertEquals("/{language}/x/{id}", own.of("name", "/de/x/17?q=1"));
    }

    @Test void urls_with_ids_are_read_by_the_fast_path_and_count_as_one_endpoint() throws IOException {
        var text = new StringBuilder();
        for (int i = 0; i < 30_000; i++) {
            String url = i % 3 == 0 ? "http://h/list" : "http://h/%s/%d/x/%s".formatted(i % 3 == 1 ? "a" : "b", i,
                    UUID.nameUUIDFromBytes(("" + i).getBytes()));
            String tags = "{\"name\":\"%s\",\"status\":\"200\",\"url\":\"%s?q=1\"}".formatted(url, url);
            for (String metric : List.of("x", "y", "z")) text.append(point(metric, SECOND, "" + i, tags));
        }
        K6Reader.Query query = K6Reader.Query.by("name", "url").metrics("x").names(IDS);
        Path file = file(text.toString());
        for (int threads = 1; threads <= 3; threads++) try (var reading = read(query.threads(threads), file)) {
            assertEquals(List.of("http://h/a/{id}/x/{id} 10000", "http://h/b/{id}/x/{id} 10000", "http://h/list 10000"),
                    reading.series().stream().map(one -> one.values.getFirst() + " " + one.count()).toList());
            assertEquals("http://h/list?q=1", reading.series().getLast().values.getLast());
            assertEquals(List.of(), reading.folded());
            assertEquals(30_000L, reading.census().get("url").get("http://h/b/{id}/x/{id}?q=1"));
            assertTrue(reading.shards().getFirst().jackson() < 100, reading.shards().getFirst()::toString);
        }
        assertEquals(List.of("name", "url"), read(query.names(Names.EXACT), file).folded().stream().map(K6Reader.Folded::tag)
                .toList());
    }

    @Test void finer_series_unite_into_what_a_coarser_query_gives() throws IOException {
        Path file = Files.write(folder.resolve("synthetic"), synthetic(K6Generator.Shape.NEW, 2_400, 2));
        try (K6Reader.Reading fine = read(K6Reader.Query.by("variant").metrics("http_req_duration"), file);
             K6Reader.Reading coarse = read(K6Reader.Query.by().metrics("http_req_duration"), file)) {
            K6Reader.Series union = K6Reader.Series.union(fine.series(), List.of());
            assertEquals(only(coarse).count(), union.count());
            assertEquals(only(coarse).mean(), union.mean());
            assertArrayEquals(only(coarse).percentiles(.5, .9, .99), union.percentiles(.5, .9, .99));
        }
    }

    @Test void progress_ends_at_the_total() throws IOException {
        Path file = Files.write(folder.resolve("plain"), synthetic(K6Generator.Shape.NEW, 2_400, 2));
        AtomicLong done = new AtomicLong(), total = new AtomicLong();
        K6Reader.read(List.of(new K6Reader.Input("run", file, file)), K6Reader.Query.by(), (now, all) -> {
            done.accumulateAndGet(now, Math::max);
            total.set(all);
        }).close();
        assertEquals(2 * Files.size(file), total.get());
        assertEquals(total.get(), done.get());
    }
}
