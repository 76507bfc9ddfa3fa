///usr/bin/env jbang "$0" "$@" ; exit $?
// What did the run show? Reads a run's record, or any JSON that k6 wrote, and turns it into tables, plots and EXPERIMENT.md.
//
//   read      k6's samples, at the speed of the disk (kit/K6Reader.java)
//   check     is the record whole, and can it be trusted?
//   compute   latency of correct answers, cold and warm apart; errors beside it; what each request cost in CPU
//   draw      the tables as Markdown and CSV, and one page that opens without a network
//   write     the page and the CSV files into the run's report/, the tables into EXPERIMENT.md
//
// It takes a second for a small file and reads gigabytes at disk speed. It never talks to AWS, and with a run.json no option
// changes a number: the same input gives the same bytes.

//JAVA 25
//DESCRIPTION Latency, errors and cost out of a run.json or any k6 JSON output: tables, a page, EXPERIMENT.md
//RUNTIME_OPTIONS -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx100m --sun-misc-unsafe-memory-access=allow
//SOURCES kit/Cli.java
//SOURCES kit/K6Reader.java
//SOURCES kit/Page.java
//SOURCES kit/Run.java
//SOURCES kit/Tables.java
//SOURCES kit/Target.java

import module java.base;
import picocli.CommandLine.*;
import tech.tablesaw.api.*;

@Command(name = "analyze.java", mixinStandardHelpOptions = true, version = "lambda-kit 0.1.0", sortOptions = false,
        subcommands = Analyze.Inspect.class,
        header = "Tables and a page from a run, or from any JSON that k6 wrote.",
        footer = """

                Examples:
                  ./jbang analyze.java data/run.json                the newest run
                  ./jbang analyze.java out.json                     any k6 output, plain or .gz
                  ./jbang analyze.java before=a.json after=b.gz     two, side by side
                  k6 run --out json=/dev/stdout x.js | ./jbang analyze.java - --by url
                Exit codes: 0 done, 1 unexpected, 2 bad usage or input, 3 analysed but not valid, 4 --check found a difference.""")
final class Analyze implements Callable<Integer> {

    // ==== What you may want to change ====

    /** Percentiles of the curve: closer where the tail is, as that is what a curve is looked at for. */
    private static final double[] CURVE = IntStream.concat(IntStream.rangeClosed(0, 19).map(i -> i * 50), IntStream.of(960, 970, 980, 990, 995, 998, 999))
            .mapToDouble(permille -> permille / 1000.0).toArray();
    /** A file's time axis is drawn with at most so many points a line: more than a screen shows, few enough to stay small. */
    private static final int MOST_BLOCKS = 240;
    /** More values of a tag than this are no grouping a person could read; the rest becomes one. */
    private static final int MOST_TAG_VALUES = 1_000;
    /** More groups than this are not drawn, only tabled. */
    private static final int MOST_LINES = 16;

    private static final int BAD_INPUT = 2, NOT_VALID = 3, STALE = 4;

    @Parameters(arity = "0..*", paramLabel = "[LABEL=]INPUT", description = "A run.json, a directory, k6's JSON plain or .gz, or - (default: data/run.json). Inputs of one label are one.")
    List<String> arguments = List.of();
    @Option(names = "--by", split = ",", paramLabel = "TAG", description = "Group a k6 file by these tags (default: variant where it is, else scenario and name).")
    List<String> by = List.of();
    @Option(names = "--metric", paramLabel = "NAME", description = "The metric to look at (default: answer_ms where it is, else http_req_duration).")
    String metric;
    @Option(names = "--from", paramLabel = "TIME", description = "Only samples from this time on: 2026-11-22T05:10:00Z.")
    Instant from;
    @Option(names = "--to", paramLabel = "TIME", description = "Only samples before this time.")
    Instant to;
    @Option(names = "--out", paramLabel = "DIRECTORY", description = "Where page and CSV files go (default: <name>-report, or the run's report/).")
    Path out;
    @Option(names = "--write-up", paramLabel = "FILE", description = "Put a run's tables between the markers of this Markdown file.")
    Path writeUp;
    @Option(names = "--check", description = "Write nothing; exit 4 if the --write-up file differs from what the data say.")
    boolean check;
    @Option(names = "--timings", description = "Print how long the reading alone took.")
    boolean timings;
    @Mixin Cli.Verbose verbose;

    // ==== The analysis ====

    public static void main(String... args) { System.exit(Cli.run(new Analyze(), args)); }

    @Override public Integer call() throws IOException {
        List<Input> inputs = inputs();
        if (inputs.stream().noneMatch(Input::isRun)) return analyzeFiles(inputs);
        if (inputs.size() > 1) throw bad("a run.json is analysed by itself", "name one run, or only k6 files");
        return analyzeRun(inputs.getFirst().paths().getFirst());
    }

    private int analyzeRun(Path runFile) throws IOException {
        if (!by.isEmpty() || metric != null || from != null || to != null) {
            throw bad("with a run.json no option changes a number", "drop --by, --metric, --from and --to, or name the k6 files themselves");
        }
        Path directory = runFile.toRealPath().getParent();
        Run run = readRun(runFile);
        try (var reading = read(cells(run, directory), queryOfRun())) {
            var streams = streams(run, reading);
            var platform = Platform.read(run, directory);
            var reasons = reasonsAgainst(run, directory, reading);
            var tables = tables(run, streams, platform);
            if (writeUp != null) return writeUp(run, tables, reasons);
            Path report = out != null ? out : directory.resolve("report");
            write(report, tables, page(run, streams, tables, reasons));
            return print(tables, reasons, reading, report);
        }
    }

    private int analyzeFiles(List<Input> inputs) throws IOException {
        if (writeUp != null) throw bad("only a run can be written up", "name a run.json");
        try (var reading = read(inputs.stream().map(Input::shards).toList(), queryOfFiles())) {
            if (reading.shards().stream().noneMatch(K6Reader.Shard::isK6)) throw bad(
                    inputs.stream().map(Input::name).collect(Collectors.joining(", ")) + (reading.shards().stream().allMatch(shard -> shard.bytes() == 0) ? " is empty" : " is not k6's JSON output"),
                    "k6 run --out json=FILE writes it; --summary-export writes something else");
            var groups = groups(reading, inputs.size() > 1);
            var reasons = reasonsAgainst(reading);
            var tables = tables(groups);
            Path report = out != null ? out : Path.of(inputs.getFirst().reportName());
            write(report, tables, page(inputs, groups, tables, reasons));
            return print(tables, reasons, reading, report);
        }
    }

    // ==== Read ====

    /** One label on the command line and the files behind it. */
    record Input(String label, List<Path> paths) {
        boolean isRun() { return paths.getFirst().getFileName() != null && paths.getFirst().getFileName().toString().equals("run.json"); }

        K6Reader.Input shards() { return new K6Reader.Input(label, paths); }

        String name() { return paths.stream().map(Path::toString).collect(Collectors.joining(" ")); }

        /** "out.json.gz" makes "out-report", beside where one stands. */
        String reportName() {
            String name = paths.getFirst().getFileName().toString().replaceFirst("(\\.k6)?(\\.json|\\.ndjson)?(\\.gz)?$", "");
            return (name.equals("-") || name.isEmpty() ? "k6" : name) + "-report";
        }
    }

    /** The inputs by label, in the order in which the labels were first named. */
    private List<Input> inputs() throws IOException {
        if (arguments.isEmpty()) return List.of(new Input("", List.of(newestRun(Path.of("data/run.json")))));
        var labelled = new LinkedHashMap<String, List<Path>>();
        for (String argument : arguments) {
            int equals = Files.exists(Path.of(argument)) ? -1 : argument.indexOf('=');
            String label = equals < 0 ? "" : argument.substring(0, equals);
            labelled.computeIfAbsent(label, _ -> new ArrayList<>()).addAll(files(Path.of(argument.substring(equals + 1))));
        }
        return labelled.entrySet().stream().map(input -> new Input(input.getKey(), input.getValue())).toList();
    }

    private static List<Path> files(Path path) throws IOException {
        if (path.toString().equals("-")) return List.of(path);
        if (path.endsWith("data/run.json")) return List.of(newestRun(path));
        if (!Files.exists(path)) throw bad("there is no " + path, "name a run.json, a directory, or a file that k6 wrote");
        if (!Files.isDirectory(path)) return List.of(path);
        if (Files.exists(path.resolve("run.json"))) return List.of(path.resolve("run.json"));
        try (var files = Files.list(path)) {
            var found = files.filter(file -> file.toString().matches(".*\\.(json|ndjson)(\\.gz)?")).sorted().toList();
            if (found.isEmpty()) throw bad("there is no k6 file in " + path, "k6 run --out json=FILE.json.gz writes one");
            return found;
        }
    }

    /** Before there is a run of one's own, there is the published one. */
    private static Path newestRun(Path link) {
        Path published = Path.of("data/published/run.json");
        if (Files.exists(link) || !Files.exists(published)) return link;
        Cli.say("there is no run yet (./jbang experiment.java makes one); this is the published one");
        return published;
    }

    private static Run readRun(Path file) throws IOException {
        try {
            return Run.read(file);
        } catch (NoSuchFileException absent) {
            throw bad("there is no " + file, "./jbang experiment.java makes one");
        } catch (IOException notOne) {
            throw bad(notOne.getMessage(), "name a run.json that this version of the kit wrote");
        }
    }

    private K6Reader.Reading read(List<K6Reader.Input> inputs, K6Reader.Query query) throws IOException {
        var began = Instant.now();
        try (var progress = new Cli.Progress("read")) {
            var reading = K6Reader.read(inputs, query, (done, total) -> progress.show(() -> readSoFar(done, total, began)));
            if (timings) Cli.say(String.format(Locale.ROOT, "timings  read %.3f s, %d bytes", reading.elapsed().toNanos() / 1e9, reading.shards().stream().mapToLong(K6Reader.Shard::bytes).sum()));
            return reading;
        }
    }

    private static String readSoFar(long done, long total, Instant began) {
        double seconds = Math.max(.001, Duration.between(began, Instant.now()).toMillis() / 1000.0);
        String speed = String.format(Locale.ROOT, "%.2f GB, %.2f GB/s", done / 1e9, done / 1e9 / seconds);
        return total <= done ? speed : speed + ", " + Cli.spoken(Duration.ofMillis((long) ((total - done) / (done / seconds) * 1000))) + " left";
    }

    // ==== Read a run: one stream for each variant and workload ====

    /** The order of the tags in a run's series. */
    private static final List<String> RUN_TAGS = List.of("variant", "workload", "phase", "outcome", "cold", "environment", "pid", "scenario");

    private static K6Reader.Query queryOfRun() {
        return K6Reader.Query.by(RUN_TAGS.toArray(String[]::new)).metrics("answer_ms", "cpu_ns", "dropped_iterations").mostTagValues(100_000);
    }

    /** Each cell under its name, so that rounds stay apart. */
    private static List<K6Reader.Input> cells(Run run, Path directory) {
        return run.cells().stream().filter(cell -> cell.outcome().isMeasured())
                .map(cell -> new K6Reader.Input(cell.name(), List.of(directory.resolve(cell.file(".k6.json.gz").orElseThrow().path())))).toList();
    }

    /** What one variant answered under one workload, in the measured phases of all its cells. */
    private static final class Measured {
        final Run.Variant variant;
        final Run.Workload workload;
        /** Latencies of correct warm answers, a series a cell, in the order of time. */
        final SequencedMap<String, K6Reader.Series> warm = new LinkedHashMap<>();
        final SortedMap<String, Long> outcomes = new TreeMap<>();
        final List<K6Reader.Series> cold = new ArrayList<>();
        final SequencedMap<String, long[]> cpuNsAndRequests = new LinkedHashMap<>();
        long dropped;
        double seconds;

        Measured(Run.Variant variant, Run.Workload workload) {
            this.variant = variant;
            this.workload = workload;
        }

        long requests() { return outcomes.values().stream().mapToLong(Long::longValue).sum(); }

        long correct() { return outcomes.getOrDefault("correct", 0L); }

        Optional<K6Reader.Series> latencies() {
            return warm.isEmpty() ? Optional.empty() : Optional.of(K6Reader.Series.union(List.copyOf(warm.values()), List.of()));
        }

        /** CPU time of the function's processes for a request; NaN when no process answered twice. */
        double cpuMsPerRequest() {
            long cpuNs = cpuNsAndRequests.values().stream().mapToLong(pair -> pair[0]).sum(), requests = cpuNsAndRequests.values().stream().mapToLong(pair -> pair[1]).sum();
            return requests == 0 ? Double.NaN : cpuNs / 1e6 / requests;
        }
    }

    private static List<Measured> streams(Run run, K6Reader.Reading reading) {
        var streams = new LinkedHashMap<List<String>, Measured>();
        for (var workload : run.plan().workloads()) {
            for (var variant : run.plan().variants()) streams.put(List.of(variant.name(), workload.name()), new Measured(variant, workload));
        }
        for (var cell : run.cells()) {
            if (cell.outcome().isMeasured() && cell.workload() != null) for (var variant : cell.variants()) {
                streams.get(List.of(variant, cell.workload())).seconds += cell.phases().stream().filter(phase -> phase.name().equals(Run.Phase.MEASURE)).mapToDouble(Run.Phase::seconds).sum();
            }
        }
        for (var series : reading.series()) {
            var tag = tags(RUN_TAGS, series);
            boolean measured = tag.get("phase").equals(Run.Phase.MEASURE);
            if (series.metric.equals("dropped_iterations")) {
                // k6 gives dropped iterations no tag but the scenario, which is variant_workload_phase.
                var scenario = tag.get("scenario").split("_");
                if (scenario[2].equals(Run.Phase.MEASURE)) streams.get(List.of(scenario[0], scenario[1])).dropped += Math.round(series.sum());
                continue;
            }
            var stream = streams.get(List.of(tag.get("variant"), tag.get("workload")));
            if (series.metric.equals("cpu_ns") && measured) {
                // A process's total so far: from its first answer to its last, for all of its answers but the first.
                long[] pair = stream.cpuNsAndRequests.computeIfAbsent(series.label, _ -> new long[2]);
                pair[0] += Math.round(series.max() - series.min());
                pair[1] += series.count() - 1;
            } else if (series.metric.equals("answer_ms")) {
                boolean correct = tag.get("outcome").equals("correct"), warm = tag.get("cold").equals("false");
                if (measured) stream.outcomes.merge(tag.get("outcome"), series.count(), Long::sum);
                if (measured && correct && warm) stream.warm.merge(series.label, series, (one, other) -> K6Reader.Series.union(List.of(one, other), List.of()));
                if (correct && !warm) stream.cold.add(series);
            }
        }
        return List.copyOf(streams.values());
    }

    private static Map<String, String> tags(List<String> names, K6Reader.Series series) {
        var tags = new HashMap<String, String>();
        for (int i = 0; i < names.size(); i++) tags.put(names.get(i), series.values.get(i));
        return tags;
    }

    /** What the target itself measured, by variant. */
    private record Platform(Map<String, DoubleSummaryStatistics> initMs, Map<String, Double> peakMemoryMb, Map<String, Double> variantMemoryMb,
                            Map<String, Long> throttled, Map<String, Long> bytes) {

        static Platform read(Run run, Path directory) throws IOException {
            var platform = new Platform(new TreeMap<>(), new TreeMap<>(), new TreeMap<>(), new TreeMap<>(), new TreeMap<>());
            for (var cell : run.cells()) {
                for (var file : cell.files()) {
                    if (file.path().endsWith(".invocations.ndjson.gz")) lines(directory.resolve(file.path()), Target.Invocation.class, platform::add);
                    if (file.path().endsWith(".metrics.ndjson")) lines(directory.resolve(file.path()), Target.Metric.class, platform::add);
                }
            }
            if (run.environment().get("artefacts") instanceof Map<?, ?> artefacts) {
                artefacts.forEach((language, artefact) -> platform.bytes.put(language.toString(), ((Number) ((Map<?, ?>) artefact).get("bytes")).longValue()));
            }
            platform.variantMemoryMb.forEach(platform.peakMemoryMb::putIfAbsent);
            return platform;
        }

        private void add(Target.Invocation invocation) {
            if (invocation.initMs() != null) initMs.computeIfAbsent(invocation.variant(), _ -> new DoubleSummaryStatistics()).accept(invocation.initMs());
            if (invocation.maxMemoryMb() != null) peakMemoryMb.merge(invocation.variant(), invocation.maxMemoryMb(), Math::max);
            if (invocation.status().equals("throttled")) throttled.merge(invocation.variant(), 1L, Long::sum);
        }

        /** Of a whole variant, all environments together: only where no invocation tells of its own. */
        private void add(Target.Metric metric) {
            if (metric.metric().equals("memoryBytes")) variantMemoryMb.merge(metric.subject(), metric.value() / (1 << 20), Math::max);
        }

        private static <T> void lines(Path file, Class<T> type, Consumer<T> consumer) throws IOException {
            InputStream raw = Files.newInputStream(file);
            try (var in = file.toString().endsWith(".gz") ? new GZIPInputStream(raw, 1 << 16) : raw; var values = Run.json().readerFor(type).<T>readValues(in)) {
                while (values.hasNext()) consumer.accept(values.next());
            }
        }
    }

    // ==== Check ====

    /** Why this run cannot be trusted; empty when it can. */
    private static List<String> reasonsAgainst(Run run, Path directory, K6Reader.Reading reading) throws IOException {
        var reasons = new ArrayList<>(reasonsAgainst(reading));
        if (run.finished() == null) reasons.add("the run is not finished: %d of %d cells are measured".formatted(
                run.cells().stream().filter(cell -> cell.number() > 0 && cell.outcome().isMeasured()).count(), run.plan().order().size()));
        for (var cell : run.cells()) {
            if (!cell.outcome().isMeasured()) reasons.add("cell " + cell.name() + " failed: " + cell.outcome().reason());
            for (var file : cell.files()) {
                if (!Run.sha256(directory.resolve(file.path())).equals(file.sha256())) reasons.add(file.path() + " is not the file that was measured: its sha256 differs");
            }
        }
        return reasons;
    }

    private static List<String> reasonsAgainst(K6Reader.Reading reading) {
        var reasons = new ArrayList<String>();
        for (var shard : reading.shards()) {
            if (shard.cut() != null) reasons.add(shard.path() + " is cut: " + shard.cut() + "; everything before it is counted");
            if (shard.refused() > 0) reasons.add("%s has %d lines that are not k6's, the first at byte %d: %s".formatted(shard.path(), shard.refused(),
                    shard.firstRefused().getFirst().offset(), shard.firstRefused().getFirst().text()));
        }
        return reasons;
    }

    // ==== Compute: the tables of a run ====

    private static SequencedMap<String, Table> tables(Run run, List<Measured> streams, Platform platform) {
        var tables = new LinkedHashMap<String, Table>();
        tables.put("latency", latency(streams));
        for (var workload : run.plan().workloads()) tables.put("standard-or-lmi-" + workload.name(), standardOrLmi(workload, streams));
        tables.put("errors", errors(streams));
        tables.put("throughput", throughput(streams));
        tables.put("cold-starts", coldStarts(run, streams));
        tables.put("resources", resources(run, streams, platform));
        return tables;
    }

    private static final List<String> FIGURES = List.of("n", "mean [ms]", "min [ms]", "p50 [ms]", "p90 [ms]", "p95 [ms]", "p99 [ms]", "max [ms]");
    private static final double[] PERCENTILES = {.5, .9, .95, .99};

    /** n, mean, min, p50, p90, p95, p99, max: the figures of {@link #FIGURES}. */
    private static double[] figures(K6Reader.Series series) {
        double[] percentiles = series.percentiles(PERCENTILES);
        return new double[] {series.count(), series.mean(), series.min(), percentiles[0], percentiles[1], percentiles[2], percentiles[3], series.max()};
    }

    private static Table latency(List<Measured> streams) {
        var table = new Tables.Rows("workload", "variant").counts("n").figures(FIGURES.subList(1, FIGURES.size()));
        for (var stream : streams) {
            table.row(stream.workload.name(), stream.variant.name());
            double[] figures = stream.latencies().map(Analyze::figures).orElse(new double[0]);
            table.count("n", figures.length == 0 ? 0 : (long) figures[0]);
            for (int i = 1; i < figures.length; i++) table.figure(FIGURES.get(i), figures[i]);
        }
        return table.table("Latency of correct warm answers");
    }

    /** As the LMI study shows it: the figures downwards, standard and LMI side by side with the difference, a language after the other. */
    private static Table standardOrLmi(Run.Workload workload, List<Measured> streams) {
        var names = List.of("Requests", "Avg", "Min", "p50", "p90", "p95", "p99", "Max");
        var pairs = new LinkedHashMap<String, List<double[]>>();
        for (var stream : streams) {
            if (!stream.workload.equals(workload) || stream.variant.twin() || stream.latencies().isEmpty()) continue;
            boolean matched = stream.variant.lmi() || stream.variant.memoryMb() == MATCHED_MEMORY_MB;
            if (matched) pairs.computeIfAbsent(stream.variant.language(), _ -> new ArrayList<>(Arrays.asList(null, null))).set(stream.variant.lmi() ? 1 : 0, figures(stream.latencies().get()));
        }
        pairs.values().removeIf(pair -> pair.contains(null));
        var columns = pairs.keySet().stream().flatMap(language -> Stream.of(language + " standard", language + " LMI", language + " Diff %")).toList();
        var table = new Tables.Rows("ms").figures(columns);
        for (int figure = 0; figure < names.size(); figure++) {
            table.row(names.get(figure));
            for (var pair : pairs.entrySet()) {
                double standard = pair.getValue().get(0)[figure], lmi = pair.getValue().get(1)[figure];
                table.figure(pair.getKey() + " standard", standard).figure(pair.getKey() + " LMI", lmi).figure(pair.getKey() + " Diff %", 100 * (lmi - standard) / standard);
            }
        }
        return table.table("Standard against LMI: " + workload.name());
    }

    /** Standard Lambda gives a function one vCPU at this size, and an LMI environment of 2048 MB has one too. */
    private static final int MATCHED_MEMORY_MB = 1769;

    private static Table errors(List<Measured> streams) {
        var kinds = streams.stream().flatMap(stream -> stream.outcomes.keySet().stream()).filter(outcome -> !outcome.equals("correct")).collect(Collectors.toCollection(TreeSet::new));
        var table = new Tables.Rows("workload", "variant").counts("requests").counts("correct").counts(kinds.toArray(String[]::new)).figures(List.of("errors [%]"));
        for (var stream : streams) {
            table.row(stream.workload.name(), stream.variant.name()).count("requests", stream.requests()).count("correct", stream.correct());
            for (String kind : kinds) table.count(kind, stream.outcomes.getOrDefault(kind, 0L));
            table.figure("errors [%]", stream.requests() == 0 ? Double.NaN : 100.0 * (stream.requests() - stream.correct()) / stream.requests());
        }
        return table.table("Errors by kind");
    }

    private static Table throughput(List<Measured> streams) {
        var table = new Tables.Rows("workload", "variant").figures(List.of("asked [1/s]", "answered correctly [1/s]")).counts("dropped by k6");
        for (var stream : streams) {
            table.row(stream.workload.name(), stream.variant.name()).figure("asked [1/s]", stream.workload.ratePerSecond())
                    .figure("answered correctly [1/s]", stream.seconds == 0 ? Double.NaN : stream.correct() / stream.seconds).count("dropped by k6", stream.dropped);
        }
        return table.table("Throughput");
    }

    private static Table coldStarts(Run run, List<Measured> streams) {
        var table = new Tables.Rows("variant").counts("n").figures(List.of("min [ms]", "p50 [ms]", "max [ms]"));
        for (var variant : run.plan().variants()) {
            var cold = streams.stream().filter(stream -> stream.variant.equals(variant)).flatMap(stream -> stream.cold.stream()).toList();
            table.row(variant.name()).count("n", cold.stream().mapToLong(K6Reader.Series::count).sum());
            if (cold.isEmpty()) continue;
            var all = K6Reader.Series.union(cold, List.of());
            table.figure("min [ms]", all.min()).figure("p50 [ms]", all.percentiles(.5)[0]).figure("max [ms]", all.max());
        }
        return table.table("First answers of cold environments");
    }

    private static Table resources(Run run, List<Measured> streams, Platform platform) {
        var workloads = run.plan().workloads().stream().map(Run.Workload::name).toList();
        var table = new Tables.Rows("variant").figures(workloads.stream().map(workload -> "CPU " + workload + " [ms/request]").toList())
                .figures(List.of("peak memory [MB]", "init mean [ms]")).counts("inits").figures(List.of("package [MB]")).counts("throttled");
        for (var variant : run.plan().variants()) {
            table.row(variant.name());
            for (var stream : streams) if (stream.variant.equals(variant)) table.figure("CPU " + stream.workload.name() + " [ms/request]", stream.cpuMsPerRequest());
            var init = platform.initMs.get(variant.name());
            table.figure("peak memory [MB]", platform.peakMemoryMb.getOrDefault(variant.name(), Double.NaN)).figure("init mean [ms]", init == null ? Double.NaN : init.getAverage())
                    .count("inits", init == null ? 0 : init.getCount()).figure("package [MB]", platform.bytes.getOrDefault(variant.language(), 0L) / 1e6)
                    .count("throttled", platform.throttled.getOrDefault(variant.name(), 0L));
        }
        return table.table("Resources");
    }

    // ==== Compute: the tables of any k6 file ====

    /** Samples with the same values of the grouping tags: the good ones, and how many ended how. */
    private record Group(List<String> names, Optional<K6Reader.Series> good, SortedMap<String, Long> ends) {
        String name() { return String.join(" ", names); }

        long count() { return ends.values().stream().mapToLong(Long::longValue).sum(); }

        long goodCount() { return ends.getOrDefault(GOOD, 0L); }
    }

    /** @param unit "ms" for a time, else empty */
    private record Groups(String metric, String unit, List<String> tags, List<Group> list, long blockNs) {}

    /** How a sample that is counted as good ended. */
    private static final String GOOD = "good";
    /** Tags that say how a request ended; https://grafana.com/docs/k6/latest/using-k6/tags-and-groups/#system-tags. */
    private static final List<String> ENDS_BY = List.of("outcome", "expected_response", "status", "error_code");
    private static final List<String> DEFAULT_GROUPING = List.of("variant", "scenario", "name");

    /** The tags that a k6 file's series are told apart by: first those of the grouping. */
    private List<String> fileTags() {
        return Stream.concat((by.isEmpty() ? DEFAULT_GROUPING : by).stream(), ENDS_BY.stream()).distinct().toList();
    }

    private K6Reader.Query queryOfFiles() {
        var query = K6Reader.Query.by(fileTags().toArray(String[]::new)).mostTagValues(MOST_TAG_VALUES).blocks(1_000_000_000L, 0, MOST_BLOCKS);
        query = metric == null ? query.metrics("answer_ms", "http_req_duration") : query.metrics(metric);
        return query.between(from == null ? Long.MIN_VALUE : nanos(from), to == null ? Long.MAX_VALUE : nanos(to));
    }

    private static long nanos(Instant time) { return time.getEpochSecond() * 1_000_000_000L + time.getNano(); }

    private Groups groups(K6Reader.Reading reading, boolean labelled) {
        reading.folded().forEach(tag -> Cli.warn("tag '" + tag + "' has more than " + MOST_TAG_VALUES + " values: they are one group, " + K6Reader.OTHER));
        String looked = metric != null ? metric : reading.series().stream().anyMatch(series -> series.metric.equals("answer_ms")) ? "answer_ms" : "http_req_duration";
        var samples = reading.series().stream().filter(series -> series.metric.equals(looked)).toList();
        if (samples.isEmpty()) throw bad("there is no sample of " + looked + (from != null || to != null ? " in that time" : ""), "./jbang analyze.java inspect FILE shows what there is");
        boolean variants = by.isEmpty() && samples.stream().anyMatch(series -> !series.values.getFirst().isEmpty());
        var tags = variants ? List.of("variant") : by.isEmpty() ? DEFAULT_GROUPING.subList(1, DEFAULT_GROUPING.size()) : by;
        int first = by.isEmpty() && !variants ? 1 : 0;
        var grouped = new TreeMap<List<String>, List<K6Reader.Series>>(Comparator.comparing(names -> String.join("\0", names)));
        for (var series : samples) {
            var names = new ArrayList<>(series.values.subList(first, first + tags.size()));
            if (labelled) names.addFirst(series.label);
            grouped.computeIfAbsent(names, _ -> new ArrayList<>()).add(series);
        }
        var list = grouped.entrySet().stream().map(group -> group(group.getKey(), group.getValue())).toList();
        var columns = new ArrayList<>(tags);
        if (labelled) columns.addFirst("label");
        var declared = reading.metrics().get(looked);
        boolean time = looked.endsWith("_ms") || declared != null && declared.contains().equals("time");
        return new Groups(looked, time ? "ms" : "", columns, list, reading.blockNs());
    }

    private Group group(List<String> names, List<K6Reader.Series> samples) {
        var ends = new TreeMap<String, Long>();
        for (var series : samples) ends.merge(end(series), series.count(), Long::sum);
        var good = samples.stream().filter(series -> end(series).equals(GOOD)).toList();
        // With more than one label, a union of one label's series keeps it: groups never cross labels.
        return new Group(names, good.isEmpty() ? Optional.empty() : Optional.of(K6Reader.Series.union(good, names)), ends);
    }

    /** k6 gives a request that never got an answer status 0 and often 0 ms: an error, never a fast answer. */
    private String end(K6Reader.Series series) {
        var tag = tags(fileTags(), series);
        String outcome = tag.get("outcome"), status = tag.get("status"), expected = tag.get("expected_response"), code = tag.get("error_code");
        if (!outcome.isEmpty()) return outcome.equals("correct") ? GOOD : outcome;
        if (status.isEmpty() && expected.isEmpty()) return GOOD;
        boolean good = expected.isEmpty() ? status.matches("[123]..") : expected.equals("true") && !status.equals("0");
        if (good) return GOOD;
        return status.equals("0") ? switch (code) {
            case "1050" -> "timeout";
            case "1212" -> "refused";
            default -> "no answer" + (code.isEmpty() ? "" : " (k6 error " + code + ")");
        } : "status " + status;
    }

    private static SequencedMap<String, Table> tables(Groups groups) {
        var names = groups.tags().toArray(String[]::new);
        var figures = groups.unit().isEmpty() ? FIGURES.stream().map(figure -> figure.replace(" [ms]", "")).toList() : FIGURES;
        var latency = new Tables.Rows(names).counts("n").figures(figures.subList(1, figures.size()));
        var kinds = groups.list().stream().flatMap(group -> group.ends().keySet().stream()).filter(end -> !end.equals(GOOD)).collect(Collectors.toCollection(TreeSet::new));
        var errors = new Tables.Rows(names).counts("samples").counts(GOOD).counts(kinds.toArray(String[]::new)).figures(List.of("errors [%]"));
        for (var group : groups.list()) {
            latency.row(group.names().toArray(String[]::new)).count("n", group.goodCount());
            double[] values = group.good().map(Analyze::figures).orElse(new double[0]);
            for (int i = 1; i < values.length; i++) latency.figure(figures.get(i), values[i]);
            errors.row(group.names().toArray(String[]::new)).count("samples", group.count()).count(GOOD, group.goodCount())
                    .figure("errors [%]", 100.0 * (group.count() - group.goodCount()) / group.count());
            for (String kind : kinds) errors.count(kind, group.ends().getOrDefault(kind, 0L));
        }
        var tables = new LinkedHashMap<String, Table>();
        tables.put("latency", latency.table(groups.metric() + " of good samples"));
        tables.put("errors", errors.table("Errors by kind"));
        return tables;
    }

    // ==== Draw ====

    private static String page(Run run, List<Measured> streams, SequencedMap<String, Table> tables, List<String> reasons) throws IOException {
        var page = new Page("Lambda: " + String.join(", ", run.plan().variants().stream().map(Run.Variant::language).distinct().toList()) + ", standard and Managed Instances");
        page.banner(reasons);
        provenance(run).forEach(page::text);
        for (var workload : run.plan().workloads()) {
            var these = streams.stream().filter(stream -> stream.workload.equals(workload) && stream.latencies().isPresent()).toList();
            page.section(workload.name() + " " + (workload.query().isEmpty() ? "" : workload.query()));
            page.table(tables.get("standard-or-lmi-" + workload.name()));
            page.lines("Latency over the run", "minutes since the start", "p50 of a cell [ms]", false, these.stream().map(stream -> overTime(stream, run)).toList(),
                    "A point is the median of one cell. Lines that stay level and apart are a difference; lines that rise or fall together are the machine.");
            page.lines("Percentile curve", "percentile", "latency [ms]", true, these.stream().map(stream -> curve(stream.variant.name(), stream.variant.lmi(), stream.latencies().get())).toList(),
                    "How slow the slowest share of the answers is. Curves that cross say that the faster variant depends on whom you ask: the median user or the unlucky one.");
            page.boxes("Spread", "latency [ms]", boxes(these), "The box holds the middle half of the answers, the line in it the median. Boxes that overlap are no proof of a difference, nor of none.");
        }
        page.section("Tables");
        tables.forEach((name, table) -> { if (!name.startsWith("standard-or-lmi-")) page.text(table.name()).table(table); });
        return page.html();
    }

    private static Page.Line overTime(Measured stream, Run run) {
        long startNs = nanos(run.started());
        double[] minutes = stream.warm.values().stream().mapToDouble(series -> (series.firstNs() - startNs) / 60e9).toArray();
        double[] medians = stream.warm.values().stream().mapToDouble(series -> series.percentiles(.5)[0]).toArray();
        return new Page.Line(stream.variant.name(), minutes, medians, stream.variant.lmi());
    }

    private static Page.Line curve(String name, boolean dashed, K6Reader.Series series) {
        return new Page.Line(name, Arrays.stream(CURVE).map(p -> p * 100).toArray(), series.percentiles(CURVE), dashed);
    }

    private static SequencedMap<String, double[]> boxes(List<Measured> streams) {
        var boxes = new LinkedHashMap<String, double[]>();
        for (var stream : streams) boxes.put(stream.variant.name(), stream.latencies().get().percentiles(HUNDREDTHS));
        return boxes;
    }

    private static final double[] HUNDREDTHS = IntStream.rangeClosed(0, 100).mapToDouble(percent -> percent / 100.0).toArray();

    private static String page(List<Input> inputs, Groups groups, SequencedMap<String, Table> tables, List<String> reasons) throws IOException {
        var page = new Page(groups.metric() + " in " + inputs.stream().map(input -> input.paths().getFirst().getFileName().toString()).collect(Collectors.joining(", ")));
        page.banner(reasons);
        var drawn = groups.list().stream().filter(group -> group.good().isPresent()).limit(MOST_LINES).toList();
        if (drawn.size() < groups.list().size()) page.text("The plots show %d of %d groups; the tables have them all.".formatted(drawn.size(), groups.list().size()));
        page.section("Over time");
        long startNs = drawn.stream().mapToLong(group -> group.good().get().firstNs()).min().orElse(0);
        for (double p : new double[] {.5, .95}) {
            String name = "p" + Math.round(p * 100), block = Tables.figure(groups.blockNs() / 1e9) + " s";
            page.lines(name + " over time", "seconds since the first answer", name + " of " + block + withUnit(groups.unit()), false,
                    drawn.stream().map(group -> overTime(group, p, groups.blockNs(), startNs)).toList(),
                    "A point is the " + name + " of the good samples that ended within " + block + ", to within 0.2 %. A step is a change; a slope is a drift.");
        }
        page.section("Distribution");
        page.lines("Percentile curve", "percentile", groups.metric() + withUnit(groups.unit()), true, drawn.stream().map(group -> curve(group.name(), false, group.good().get())).toList(),
                "How slow the slowest share of the good samples is.");
        var boxes = new LinkedHashMap<String, double[]>();
        drawn.forEach(group -> boxes.put(group.name(), group.good().get().percentiles(HUNDREDTHS)));
        page.boxes("Spread", groups.metric() + withUnit(groups.unit()), boxes, "The box holds the middle half of the good samples, the line in it the median.");
        page.section("Tables");
        tables.values().forEach(table -> page.text(table.name()).table(table));
        return page.html();
    }

    private static Page.Line overTime(Group group, double p, long blockNs, long startNs) {
        var blocks = group.good().get().blocks();
        double[] seconds = blocks.keySet().stream().mapToDouble(block -> (block * (double) blockNs - startNs) / 1e9).toArray();
        return new Page.Line(group.name(), seconds, blocks.values().stream().mapToDouble(block -> block.histogram.quantile(p)).toArray(), false);
    }

    private static String withUnit(String unit) { return unit.isEmpty() ? "" : " [" + unit + "]"; }

    /** What a reader must know of a run before its figures, a sentence each. */
    private static List<String> provenance(Run run) {
        var plan = run.plan();
        var git = run.environment().get("git") instanceof Map<?, ?> map ? map : Map.of();
        var machine = run.environment().get("machine") instanceof Map<?, ?> map ? map : Map.of();
        var tools = run.environment().get("tools") instanceof Map<?, ?> map ? map : Map.of();
        var sentences = new ArrayList<String>();
        sentences.add(String.format(Locale.ROOT, "Run %s, profile %s: %d cells, %d rounds, %s, %s s settling and %s s measured each, seed %d.", run.id(), plan.profile(), plan.order().size(), plan.rounds(),
                plan.design(), Tables.figure(plan.settleSeconds()), Tables.figure(plan.measureSeconds()), plan.seed()));
        sentences.add("Made with commit %s%s, k6 %s, on %s (%s cores, %s MB), %s.".formatted(git.get("commit"), Boolean.TRUE.equals(git.get("dirty")) ? " (with uncommitted changes)" : "",
                tools.get("k6"), machine.get("cpu"), machine.get("cores"), machine.get("memoryMb"), machine.get("system")));
        if (run.target().equals("local")) sentences.add("Measured on one machine, with the functions on one core: these are no figures of AWS's.");
        if (!plan.claims()) sentences.add("This profile is too short to claim any difference; it is a look at everything.");
        if (run.published() != null) sentences.add("Published copy: " + run.published() + ".");
        sentences.addAll(run.warnings());
        return sentences;
    }

    // ==== Write ====

    /** All of the report or none: it takes the old one's place when it is complete. */
    private static void write(Path report, SequencedMap<String, Table> tables, String html) throws IOException {
        Files.createDirectories(report);
        for (var table : tables.entrySet()) replace(report.resolve(table.getKey() + ".csv"), Tables.csv(table.getValue()));
        replace(report.resolve("index.html"), html);
    }

    private static void replace(Path file, String text) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        Files.writeString(temporary, text);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static int print(SequencedMap<String, Table> tables, List<String> reasons, K6Reader.Reading reading, Path report) {
        reasons.forEach(reason -> System.out.println("NOT VALID: " + reason));
        tables.values().forEach(table -> System.out.println("\n" + table.name() + "\n\n" + Tables.markdown(table)));
        System.out.println("page     " + report.resolve("index.html"));
        return reasons.isEmpty() ? Cli.DONE : NOT_VALID;
    }

    /** Puts each table between its markers; prose around them stays. */
    private int writeUp(Run run, SequencedMap<String, Table> tables, List<String> reasons) throws IOException {
        String before = Files.readString(writeUp), after = before;
        var texts = new LinkedHashMap<String, String>();
        texts.put("provenance", Stream.concat(reasons.stream().map(reason -> "**This run is not valid:** " + reason), provenance(run).stream()).map(line -> "- " + line + "\n").collect(Collectors.joining()));
        tables.forEach((name, table) -> texts.put(name, Tables.markdown(table)));
        var marker = Pattern.compile("<!-- begin: ([a-z-]+) -->\n(.*?)<!-- end: \\1 -->", Pattern.DOTALL);
        after = marker.matcher(before).replaceAll(section -> {
            String text = texts.get(section.group(1));
            if (text == null) throw bad(writeUp + " asks for a section '" + section.group(1) + "' that there is not", "there are " + String.join(", ", texts.keySet()));
            return Matcher.quoteReplacement("<!-- begin: " + section.group(1) + " -->\n" + text + "<!-- end: " + section.group(1) + " -->");
        });
        if (check && !after.equals(before)) throw new Cli.Problem(STALE, writeUp + " is not what the data say", "./jbang analyze.java " + String.join(" ", arguments) + " --write-up " + writeUp + " writes it anew");
        if (!check) replace(writeUp, after);
        System.out.println(writeUp + (check ? " says what the data say" : " is written"));
        return reasons.isEmpty() ? Cli.DONE : NOT_VALID;
    }

    // ==== inspect ====

    @Command(name = "inspect", mixinStandardHelpOptions = true, description = "Shows which metrics, tags and tag values a k6 file has.")
    static final class Inspect implements Callable<Integer> {
        private static final int VALUES_SHOWN = 12;

        @Parameters(arity = "1..*", paramLabel = "FILE", description = "k6's JSON, plain or .gz, or -.")
        List<Path> files;
        @Mixin Cli.Verbose verbose;

        @Override public Integer call() throws IOException {
            try (var reading = K6Reader.read(List.of(new K6Reader.Input("", files)), K6Reader.Query.by(), (_, _) -> {})) {
                var metrics = new Tables.Rows("metric", "type", "contains").counts("samples");
                for (var series : reading.series()) {
                    var declared = reading.metrics().get(series.metric);
                    metrics.row(series.metric, declared == null ? "" : declared.type(), declared == null ? "" : declared.contains()).count("samples", series.count());
                }
                var tags = new Tables.Rows("tag", "values, most frequent first");
                reading.census().forEach((tag, values) -> tags.row(tag, values == null ? "more than " + MOST_TAG_VALUES : mostFrequent(values)));
                System.out.println(Tables.markdown(metrics.table("")) + "\n" + Tables.markdown(tags.table("")));
            }
            return Cli.DONE;
        }

        private static String mostFrequent(SortedMap<String, Long> values) {
            var shown = values.entrySet().stream().sorted(Map.Entry.<String, Long>comparingByValue().reversed().thenComparing(Map.Entry.comparingByKey()))
                    .limit(VALUES_SHOWN).map(value -> value.getKey() + " (" + value.getValue() + ")").collect(Collectors.joining(", "));
            return values.size() <= VALUES_SHOWN ? shown : shown + ", and " + (values.size() - VALUES_SHOWN) + " more";
        }
    }

    private static Cli.Problem bad(String happened, String hint) { return new Cli.Problem(BAD_INPUT, happened, hint); }
}
