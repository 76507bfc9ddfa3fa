///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DESCRIPTION analyze.java beside DuckDB, Jackson, jq and wc on synthetic k6 files: the same answer? how fast?
//DEPS com.fasterxml.jackson.core:jackson-core:2.19.2
//SOURCES K6Generator.java

// How fast is analyze.java beside what people use?
//
//     ./jbang test/bench/ReaderBench.java check                           are its numbers DuckDB's, in every shape?
//     ./jbang test/bench/ReaderBench.java [--rounds 5] [--shape new] 1GB 5GB 10GB 1GB.gz     the table of the README
//
// Each size is a SYNTHETIC file (K6Generator.java), written before and deleted after. All contenders answer the same
// question, the latency of http_req_duration by variant and expected_response: count, minimum, maximum, mean and four
// percentiles; an answer that isn't everybody's stops the benchmark. analyze.java looks at successes alone, and draws
// its page as well. One round runs everybody once, one after another, in an order that a seed shuffles. "× ours" is a
// contender's time by analyze.java's, taken within a round, so that a machine's moods fall on all alike: the median,
// the least and the greatest of the rounds. The file is read once before (warm page cache).
// "reading" is what a contender measures itself: without starting Java or Python, and for analyze.java without
// percentiles and page; "whole" is the process from its start to its end, for analyze.java from ./jbang. The peak is
// what Linux says of the process's memory. DuckDB is installed into a virtual environment in the user's cache.

import module java.base;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

final class ReaderBench {
    /** A known one rather than the newest, as its results are quoted. */
    private static final String DUCKDB = "duckdb==2.0.0";
    /** jq takes 25 s for a gigabyte, so it gets this much, and its time is multiplied. */
    private static final long JQ_BYTES = 64_000_000;
    /** Those that analyze.java tables. */
    private static final double[] PERCENTILES = {.5, .9, .95, .99};
    /** How often a process is asked for its peak: often enough not to miss its end, rarely enough not to slow it. */
    private static final Duration ASK_FOR_PEAK = Duration.ofMillis(20);
    private static final Path HERE = Path.of("test/bench");

    public static void main(String... args) throws Exception {
        if (!Files.isDirectory(HERE)) throw new IllegalStateException("run this in the project's folder");
        switch (args.length == 0 ? "" : args[0]) {
            case "child-jackson" -> jackson(Path.of(args[1]));
            case "check" -> check();
            default -> benchmark(args);
        }
    }

    // ==== The same answer ====

    /** What analyze.java says of every shape, plain and compressed, is what DuckDB says, or this throws. */
    private static void check() throws Exception {
        Path python = duckdb();
        for (K6Generator.Shape shape : K6Generator.Shape.values()) {
            for (String suffix : List.of(".json", ".json.gz")) {
                try (Synthetic file = Synthetic.of(20_000_000, shape, suffix)) {
                    List<String> ours = run(analyze(file.path, shape)).rows;
                    same(shape + suffix, ours, run(duckdb(python, json(shape), file.path)).rows);
                    System.out.println(shape + suffix + ": " + ours.size() + " rows of 8 numbers, as DuckDB's");
                }
            }
        }
    }

    /** The others' rows of successes are ours, text for text; wc and jq have no rows. */
    private static void same(String what, List<String> ours, List<String> theirs) {
        List<String> successes = theirs.stream().filter(row -> row.contains(" true ")).toList();
        if (ours.isEmpty() || !theirs.isEmpty() && !ours.equals(successes))
            throw new IllegalStateException(what + " differs\nanalyze.java:\n" + ours + "\nit:\n" + successes);
    }

    // ==== The race ====

    /** Somebody who is run; jq's seconds are multiplied by a factor. */
    private record Contender(String name, List<String> command, double factor) {
        Contender(String name, List<String> command) { this(name, command, 1); }
    }

    /** What a contender answered, the seconds it says it took, those it took, and its peak memory (-1: unknown). */
    private record Run(List<String> rows, double readingSeconds, double wholeSeconds, long peakMb) {}

    private static void benchmark(String... args) throws Exception {
        int rounds = 5;
        K6Generator.Shape shape = K6Generator.Shape.NEW;
        List<String> sizes = new ArrayList<>();
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--rounds" -> rounds = Integer.parseInt(args[++i]);
                case "--shape" -> shape = K6Generator.Shape.valueOf(args[++i].toUpperCase(Locale.ROOT));
                default -> sizes.add(args[i]);
            }
        }
        System.out.println("""
                | file | contender | reading [s] | × ours | whole [s] | × ours | peak [MB] |
                |:--|:--|--:|--:|--:|--:|--:|""");
        for (String size : sizes.isEmpty() ? List.of("1GB") : sizes) {
            String suffix = size.endsWith(".gz") ? ".json.gz" : ".json";
            try (Synthetic file = Synthetic.of(K6Generator.bytes(size.replace(".gz", "")), shape, suffix)) {
                race(size, file.path, contenders(file.path, shape), rounds);
            }
        }
    }

    private static List<Contender> contenders(Path file, K6Generator.Shape shape) throws Exception {
        Path python = duckdb();
        List<Contender> all = new ArrayList<>();
        all.add(new Contender("analyze.java", analyze(file, shape)));
        all.add(new Contender("DuckDB, JSON", duckdb(python, json(shape), file)));
        if (shape == K6Generator.Shape.IDS) return all;
        if (shape != K6Generator.Shape.OLD)
            all.add(new Contender("DuckDB, lines filtered as text", duckdb(python, "text.sql", file)));
        if (file.toString().endsWith(".gz")) return all;
        all.add(new Contender("Jackson, streaming, 2 threads", List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                System.getProperty("java.class.path"), "ReaderBench", "child-jackson", file.toString())));
        all.add(new Contender("wc -l", List.of("wc", "-l", file.toString())));
        all.add(new Contender("jq (64 MB, scaled)", List.of("sh", "-c", "head -c " + JQ_BYTES + " " + file + """
                 | jq -Rc 'fromjson? | select(.type == "Point" and .metric == "http_req_duration")
                 | [.data.tags.variant, .data.value]' > /dev/null"""), (double) Files.size(file) / JQ_BYTES));
        return all;
    }

    private static void race(String size, Path file, List<Contender> contenders, int rounds) throws Exception {
        run(List.of("wc", "-l", file.toString()));
        run(contenders.getFirst().command); // Which builds it, if need be.
        Map<Contender, List<Run>> runs = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            List<Contender> order = new ArrayList<>(contenders);
            Collections.shuffle(order, new Random(round));
            for (Contender one : order)
                runs.computeIfAbsent(one, _ -> new ArrayList<>()).add(scaled(run(one.command), one.factor));
        }
        List<Run> ours = runs.get(contenders.getFirst());
        for (Contender one : contenders) {
            List<Run> theirs = runs.get(one);
            same(one.name, ours.getFirst().rows, one == contenders.getFirst() ? List.of() : theirs.getFirst().rows);
            long peakMb = theirs.stream().mapToLong(Run::peakMb).max().orElseThrow();
            System.out.printf(Locale.ROOT, "| %s | %s | %.2f | %s | %.2f | %s | %s |%n", size, one.name,
                    median(theirs.stream().mapToDouble(Run::readingSeconds)), faster(ours, theirs, Run::readingSeconds),
                    median(theirs.stream().mapToDouble(Run::wholeSeconds)), faster(ours, theirs, Run::wholeSeconds),
                    one.factor > 1 || peakMb < 0 ? "—" : peakMb);
        }
    }

    private static Run scaled(Run run, double factor) {
        return new Run(run.rows, run.readingSeconds * factor, run.wholeSeconds * factor, run.peakMb);
    }

    /** The median of the rounds' ratios, and the least and the greatest of them. */
    private static String faster(List<Run> ours, List<Run> theirs, ToDoubleFunction<Run> seconds) {
        double[] ratios = IntStream.range(0, ours.size()).mapToDouble(round ->
                seconds.applyAsDouble(theirs.get(round)) / seconds.applyAsDouble(ours.get(round))).sorted().toArray();
        return String.format(Locale.ROOT, "%.2f (%.2f to %.2f)", median(DoubleStream.of(ratios)), ratios[0],
                ratios[ratios.length - 1]);
    }

    private static double median(DoubleStream values) {
        double[] sorted = values.sorted().toArray();
        return sorted[sorted.length / 2];
    }

    /** A file in a folder of its own, into which a report may go; closing deletes them. */
    private record Synthetic(Path path) implements Closeable {
        static Synthetic of(long bytes, K6Generator.Shape shape, String suffix) throws IOException {
            Path file = Files.createTempDirectory("reader-bench-").resolve("synthetic" + suffix);
            K6Generator.main(bytes / 1_000_000 + "MB", shape.name(), file.toString());
            return new Synthetic(file);
        }

        @Override public void close() throws IOException {
            try (Stream<Path> all = Files.walk(path.getParent())) {
                for (Path one : all.sorted(Comparator.reverseOrder()).toList()) Files.delete(one);
            }
        }
    }

    // ==== Contenders, each in a process of its own ====

    /** Of a file whose URLs have ids the question is one of endpoints. */
    private static List<String> analyze(Path file, K6Generator.Shape shape) {
        String by = shape == K6Generator.Shape.IDS ? "name" : "variant";
        return List.of("./jbang", "analyze.java", file.toString(), "--by", by + ",expected_response",
                "--metric", "http_req_duration", "--out", file.resolveSibling("report").toString(), "--timings");
    }

    private static String json(K6Generator.Shape shape) {
        return shape == K6Generator.Shape.IDS ? "endpoints.sql" : "ndjson.sql";
    }

    private static List<String> duckdb(Path python, String sql, Path file) {
        return Stream.of(python, HERE.resolve("duckdb_query.py"), HERE.resolve(sql), file).map(Path::toString).toList();
    }

    /** The Python of a virtual environment that has DuckDB; made at the first use. */
    private static Path duckdb() throws Exception {
        String cache = System.getenv().getOrDefault("XDG_CACHE_HOME", System.getProperty("user.home") + "/.cache");
        Path environment = Path.of(cache, "lambda-kit", DUCKDB), python = environment.resolve("bin/python");
        if (!Files.exists(python)) {
            run(List.of("python3", "-m", "venv", environment.toString()));
            run(List.of(environment.resolve("bin/pip").toString(), "install", "--quiet", DUCKDB));
        }
        return python;
    }

    /** Runs a contender: those of ours end with what they measured, analyze.java names its time and its page. */
    private static Run run(List<String> command) throws Exception {
        long start = System.nanoTime();
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        Future<Long> peakMb = CompletableFuture.supplyAsync(() -> peakMb(process));
        List<String> lines = process.inputReader().readAllLines(), rows = List.of();
        int exitCode = process.waitFor();
        double whole = (System.nanoTime() - start) / 1e9, reading = whole;
        if (exitCode != 0) throw new IllegalStateException(command + " failed: " + String.join("\n", lines));
        for (String line : lines) {
            String[] words = line.split("[ /,]+");
            switch (words[0]) {
                case "timings" -> { if (words[1].equals("read")) reading = Double.parseDouble(words[2]); }
                case "page" -> rows = tabled(Path.of(line.substring(line.indexOf('/'))).resolveSibling("latency.csv"));
                case "measured" -> {
                    reading = Double.parseDouble(words[1]);
                    rows = lines.subList(0, lines.size() - 1);
                }
                default -> { }
            }
        }
        return new Run(rows, reading, whole, peakMb.get());
    }

    /** The largest resident set of a process until its end; ./jbang becomes the JVM that it starts. */
    private static long peakMb(Process process) {
        Path status = Path.of("/proc", "" + process.pid(), "status");
        long peakKb = -1024;
        try {
            while (!process.waitFor(ASK_FOR_PEAK)) {
                for (String line : Files.readAllLines(status))
                    if (line.startsWith("VmHWM")) peakKb = Long.parseLong(line.replaceAll("\\D", ""));
            }
        } catch (IOException | InterruptedException e) {
            // Not Linux, or the process has just ended.
        }
        return peakKb / 1024;
    }

    /** The rows of analyze.java's table of latency: variant, expected_response, n, mean, min, percentiles, max. */
    private static List<String> tabled(Path csv) throws IOException {
        List<String> rows = new ArrayList<>();
        for (String line : Files.readAllLines(csv)) {
            String[] cells = line.split(",");
            if (!cells[1].equals("true")) continue;
            double[] figures = Arrays.stream(cells).skip(2).mapToDouble(Double::parseDouble).toArray();
            int last = figures.length - 1;
            rows.add(row(List.of(cells[0], cells[1]), (long) figures[0], figures[2], figures[last], figures[1],
                    Arrays.copyOfRange(figures, 3, last)));
        }
        return rows;
    }

    private static String row(List<String> tags, long n, double min, double max, double mean, double[] percentiles) {
        DoubleStream numbers = DoubleStream.concat(DoubleStream.of(n, min, max, mean), DoubleStream.of(percentiles));
        return String.join(" ", tags) + numbers.mapToObj(" %.9f"::formatted).collect(Collectors.joining());
    }

    /** Jackson as it is fastest: one streaming parser over each half of the file, which skips what isn't asked for. */
    private static void jackson(Path file) throws Exception {
        long start = System.nanoTime(), size = Files.size(file), half = lineStart(file, size / 2);
        try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
            Future<Map<List<String>, DoubleStream.Builder>> first = pool.submit(() -> parse(file, 0, half));
            Future<Map<List<String>, DoubleStream.Builder>> second = pool.submit(() -> parse(file, half, size));
            SortedMap<String, double[]> all = new TreeMap<>();
            List<String> rows = new ArrayList<>();
            for (var part : List.of(first.get(), second.get()))
                part.forEach((tags, values) -> all.merge(String.join(" ", tags), values.build().toArray(),
                        (a, b) -> DoubleStream.concat(DoubleStream.of(a), DoubleStream.of(b)).toArray()));
            all.forEach((tags, values) -> {
                Arrays.sort(values);
                double mean = DoubleStream.of(values).sum() / values.length;
                rows.add(row(List.of(tags), values.length, values[0], values[values.length - 1], mean,
                        DoubleStream.of(PERCENTILES).map(p -> percentile(values, p)).toArray()));
            });
            double seconds = (System.nanoTime() - start) / 1e9;
            rows.forEach(System.out::println);
            System.out.println("measured " + seconds);
        }
    }

    private static double percentile(double[] sorted, double p) {
        double rank = p * (sorted.length - 1), low = sorted[(int) rank], high = sorted[(int) Math.ceil(rank)];
        return low + (high - low) * (rank - Math.floor(rank));
    }

    private static long lineStart(Path file, long at) throws IOException {
        try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "r")) {
            bytes.seek(at);
            bytes.readLine();
            return bytes.getFilePointer();
        }
    }

    private static Map<List<String>, DoubleStream.Builder> parse(Path file, long from, long to) throws IOException {
        Map<List<String>, DoubleStream.Builder> values = new HashMap<>();
        try (FileChannel channel = FileChannel.open(file).position(from);
             JsonParser parser = new JsonFactory().createParser(limited(Channels.newInputStream(channel), to - from))) {
            while (parser.nextToken() == JsonToken.START_OBJECT) line(parser, values);
        }
        return values;
    }

    private static void line(JsonParser parser, Map<List<String>, DoubleStream.Builder> values) throws IOException {
        String metric = null, variant = null, ok = null;
        double value = 0;
        int depth = 1;
        while (depth > 0) {
            switch (parser.nextToken()) {
                case START_OBJECT -> depth++;
                case END_OBJECT -> depth--;
                case FIELD_NAME -> {
                    switch (parser.currentName()) {
                        case "metric" -> metric = parser.nextTextValue();
                        case "variant" -> variant = parser.nextTextValue();
                        case "expected_response" -> ok = parser.nextTextValue();
                        case "value" -> {
                            parser.nextToken();
                            value = parser.getDoubleValue();
                        }
                        default -> { }
                    }
                }
                default -> { }
            }
        }
        if ("http_req_duration".equals(metric) && variant != null)
            values.computeIfAbsent(List.of(variant, ok), _ -> DoubleStream.builder()).add(value);
    }

    private static InputStream limited(InputStream in, long bytes) {
        return new FilterInputStream(in) {
            private long left = bytes;

            @Override public int read(byte[] into, int at, int most) throws IOException {
                int got = left == 0 ? -1 : super.read(into, at, (int) Math.min(most, left));
                if (got > 0) left -= got;
                return got;
            }
        };
    }
}
