///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DESCRIPTION The reader beside DuckDB, Jackson, jq and wc on synthetic k6 files: the same answer? how fast?
//DEPS com.fasterxml.jackson.core:jackson-core:2.19.2
//SOURCES ../../kit/K6Reader.java
//SOURCES K6Generator.java

// How fast is the reader beside what people use?
//
//     ./jbang test/bench/ReaderBench.java check                                every shape's numbers equal to DuckDB's?
//     ./jbang test/bench/ReaderBench.java [--rounds 5] [--shape new] 1GB 5GB 5GB.gz          the table of the README
//
// Each size is a SYNTHETIC file (K6Generator.java), written before and deleted after. All contenders answer the same
// question, the latency of http_req_duration by variant and expected_response: count, minimum, maximum, mean and five
// percentiles; an answer that isn't everybody's stops the benchmark. One round runs everybody once, one after another,
// in an order that a seed shuffles; ratios are taken within a round, so that a machine's moods fall on all alike. The
// file is read once before (warm page cache). "reading" is what a contender measures itself: without starting Java or
// Python. DuckDB is installed into a virtual environment in the user's cache.

import module java.base;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;

final class ReaderBench {
    /** A known one rather than the newest, as its results are quoted. */
    private static final String DUCKDB = "duckdb==2.0.0";
    /** The flags of analyze.java, so that the reader is measured as it is used. */
    private static final List<String> JAVA_FLAGS = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",
            "-XX:C1MaxInlineSize=100", "-Xmx100m");
    /** jq takes 25 s for a gigabyte, so it gets this much, and its time is multiplied. */
    private static final long JQ_BYTES = 64_000_000;
    private static final double[] PERCENTILES = {.5, .9, .95, .99, .999};
    private static final Path HERE = Stream.of("test/bench", ".").map(Path::of)
            .filter(folder -> Files.exists(folder.resolve("ndjson.sql"))).findFirst()
            .orElseThrow(() -> new IllegalStateException("run this in the project's folder"));

    public static void main(String... args) throws Exception {
        switch (args.length == 0 ? "" : args[0]) {
            case "child-reader" -> reader(Path.of(args[1]));
            case "child-jackson" -> jackson(Path.of(args[1]));
            case "check" -> check();
            default -> benchmark(args);
        }
    }

    // ==== The same answer ====

    /** Every number of every shape equals DuckDB's, plain and compressed, or this ends with an exception. */
    private static void check() throws Exception {
        Path duckdb = duckdb();
        for (K6Generator.Shape shape : K6Generator.Shape.values()) {
            for (String suffix : List.of(".json", ".json.gz")) {
                Path file = generate(20_000_000, shape, suffix);
                try {
                    Run ours = run(javaChild("child-reader", file));
                    Run theirs = run(duckdbChild(duckdb, "ndjson.sql", file));
                    if (!ours.rows.equals(theirs.rows)) throw new IllegalStateException(
                            shape + suffix + " differs\nreader:\n" + ours.rows + "\nDuckDB:\n" + theirs.rows);
                    System.out.println(shape + suffix + ": " + ours.rows.size() + " rows of 9 numbers, as DuckDB's");
                } finally {
                    Files.delete(file);
                }
            }
        }
    }

    // ==== The race ====

    private record Contender(String name, List<String> command, double factor) {}

    /**
     * What a child said: its rows, and seconds and peak memory as it measured them itself; and the whole process's
     * seconds.
     */
    private record Run(List<String> rows, double seconds, double wholeSeconds, long peakMb) {}

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
        Path duckdb = duckdb();
        System.out.println("| file | contender | reading [s] | reader faster by | whole process [s] | peak [MB] |");
        System.out.println("|:--|:--|--:|--:|--:|--:|");
        for (String size : sizes.isEmpty() ? List.of("1GB") : sizes) {
            boolean packed = size.endsWith(".gz");
            Path file = generate(K6Generator.bytes(size.replace(".gz", "")), shape, packed ? ".json.gz" : ".json");
            try {
                race(size, file, contenders(duckdb, file, packed, shape), rounds);
            } finally {
                Files.delete(file);
            }
        }
    }

    private static List<Contender> contenders(Path duckdb, Path file, boolean packed, K6Generator.Shape shape) {
        List<Contender> all = new ArrayList<>(List.of(
                new Contender("K6Reader", javaChild("child-reader", file), 1),
                new Contender("DuckDB, JSON", duckdbChild(duckdb, "ndjson.sql", file), 1)));
        if (shape != K6Generator.Shape.OLD)
            all.add(new Contender("DuckDB, lines filtered as text", duckdbChild(duckdb, "text.sql", file), 1));
        if (packed) return all;
        all.add(new Contender("Jackson, streaming, 2 threads", javaChild("child-jackson", file), 1));
        all.add(new Contender("wc -l", List.of("wc", "-l", file.toString()), 1));
        all.add(new Contender("jq (64 MB, scaled)", List.of("sh", "-c", "head -c " + JQ_BYTES + " " + file + """
                 | jq -Rc 'fromjson? | select(.type == "Point" and .metric == "http_req_duration")
                 | [.data.tags.variant, .data.value]' > /dev/null"""), (double) file.toFile().length() / JQ_BYTES));
        return all;
    }

    private static void race(String size, Path file, List<Contender> contenders, int rounds) throws Exception {
        run(List.of("wc", "-l", file.toString()));
        Map<Contender, List<Run>> runs = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            List<Contender> order = new ArrayList<>(contenders);
            Collections.shuffle(order, new Random(round));
            for (Contender one : order)
                runs.computeIfAbsent(one, _ -> new ArrayList<>()).add(scaled(run(one.command), one.factor));
        }
        List<Run> reader = runs.get(contenders.getFirst());
        for (Contender one : contenders) {
            List<Run> own = runs.get(one);
            List<String> answer = own.getFirst().rows, expected = reader.getFirst().rows;
            if (!answer.isEmpty() && !answer.equals(expected))
                throw new IllegalStateException(one.name + " has another answer:\n" + answer + "\n" + expected);
            double[] ratios = IntStream.range(0, rounds)
                    .mapToDouble(round -> own.get(round).seconds / reader.get(round).seconds).sorted().toArray();
            System.out.printf(Locale.ROOT, "| %s | %s | %.2f | %.2f (%.2f to %.2f) | %.2f | %s |%n", size, one.name,
                    median(own, Run::seconds), ratios[rounds / 2], ratios[0], ratios[rounds - 1],
                    median(own, Run::wholeSeconds),
                    own.getFirst().peakMb < 0 ? "—" : own.stream().mapToLong(Run::peakMb).max().orElseThrow());
        }
    }

    private static Run scaled(Run run, double factor) {
        return new Run(run.rows, run.seconds * factor, run.wholeSeconds * factor, run.peakMb);
    }

    private static double median(List<Run> runs, ToDoubleFunction<Run> what) {
        return runs.stream().mapToDouble(what).sorted().skip(runs.size() / 2).findFirst().orElseThrow();
    }

    private static Path generate(long bytes, K6Generator.Shape shape, String suffix) throws IOException {
        Path file = Files.createTempFile("k6-synthetic-", suffix);
        K6Generator.main(bytes / 1_000_000 + "MB", shape.name(), file.toString());
        return file;
    }

    private static List<String> javaChild(String verb, Path file) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(JAVA_FLAGS);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "ReaderBench", verb, file.toString()));
        return command;
    }

    private static List<String> duckdbChild(Path python, String sql, Path file) {
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

    private static Run run(List<String> command) throws Exception {
        long start = System.nanoTime();
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        List<String> lines = new ArrayList<>(process.inputReader().readAllLines());
        double whole = (System.nanoTime() - start) / 1e9;
        if (process.waitFor() != 0) throw new IllegalStateException(command + " failed");
        if (lines.isEmpty() || !lines.getLast().startsWith("measured ")) return new Run(List.of(), whole, whole, -1);
        String[] measured = lines.removeLast().split(" ");
        return new Run(lines, Double.parseDouble(measured[1]), whole, Long.parseLong(measured[2]));
    }

    // ==== Contenders in Java, each in a process of its own ====

    private static void reader(Path file) throws IOException {
        long start = System.nanoTime();
        K6Reader.Query query = K6Reader.Query.by("variant", "expected_response").metrics("http_req_duration");
        List<String> rows = new ArrayList<>();
        try (var reading = K6Reader.read(List.of(new K6Reader.Input("", List.of(file))), query, (_, _) -> {})) {
            for (K6Reader.Series one : reading.series())
                rows.add(row(one.values, one.count(), one.min(), one.max(), one.mean(), one.percentiles(PERCENTILES)));
        }
        print(rows, start);
    }

    private static String row(List<String> tags, long n, double min, double max, double mean, double[] percentiles) {
        DoubleStream numbers = DoubleStream.concat(DoubleStream.of(n, min, max, mean), DoubleStream.of(percentiles));
        return String.join(" ", tags) + numbers.mapToObj(" %.9f"::formatted).collect(Collectors.joining());
    }

    private static void print(List<String> rows, long start) throws IOException {
        double seconds = (System.nanoTime() - start) / 1e9;
        rows.forEach(System.out::println);
        Path status = Path.of("/proc/self/status");
        long peakKb = !Files.exists(status) ? -1024 : Files.readAllLines(status).stream()
                .filter(line -> line.startsWith("VmHWM"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).sum();
        System.out.println("measured " + seconds + " " + peakKb / 1024);
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
            print(rows, start);
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
