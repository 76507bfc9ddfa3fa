///usr/bin/env jbang "$0" "$@" ; exit $?
// What did the run show? Reads a run's record, or any JSON that k6 wrote, and turns it into tables, plots and
// EXPERIMENT.md.
//
//   read      k6's samples, at the speed of the disk (kit/K6Reader.java)
//   check     is the record whole, and can it be trusted?
//   compute   latency of correct answers, cold and warm apart; errors beside it; what each request cost in CPU
//   draw      the tables as Markdown and CSV, and one page that opens without a network
//   write     the page and the CSV files into the run's report/, the tables into EXPERIMENT.md
//
// It takes a second for a small file and reads gigabytes at disk speed. It never talks to AWS, and with a run.json no
// option changes a number: the same input gives the same bytes.

//JAVA 25
//DESCRIPTION Latency, errors and cost out of a run.json or any k6 JSON output: tables, a page, EXPERIMENT.md
//CDS
//RUNTIME_OPTIONS -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:C1MaxInlineSize=100 -Xmx100m
//RUNTIME_OPTIONS --sun-misc-unsafe-memory-access=allow -Xlog:disable -Xlog:all=error:stderr
//SOURCES kit/Cli.java
//SOURCES kit/Findings.java
//SOURCES kit/Gates.java
//SOURCES kit/K6Reader.java
//SOURCES kit/Page.java
//SOURCES kit/Run.java
//SOURCES kit/RunCost.java
//SOURCES kit/Statistics.java
//SOURCES kit/Tables.java
//SOURCES kit/Verdicts.java

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
                Exit codes: 0 done, 1 unexpected, 2 bad usage or input, 3 analysed but not valid, \
                4 --check found a difference.""")
final class Analyze implements Callable<Integer> {

    // ==== What you may want to change ====

    /** Percentiles of the curve: closer where the tail is, as that is what a curve is looked at for. */
    private static final double[] CURVE = IntStream
            .concat(IntStream.rangeClosed(0, 19).map(i -> i * 50), IntStream.of(960, 970, 980, 990, 995, 998, 999))
            .mapToDouble(permille -> permille / 1000.0).toArray();
    /** What a box is drawn from: a hundred steps are finer than the eye. */
    private static final double[] HUNDREDTHS =
            IntStream.rangeClosed(0, 100).mapToDouble(percent -> percent / 100.0).toArray();
    /** A line over a file's time has at most so many points: more than a screen shows, few enough for a small page. */
    private static final int MOST_BLOCKS = 240;
    /** From a request a second to what no single function is asked: every break-even lies between. */
    private static final double CURVE_FROM_PER_SECOND = 1, CURVE_TO_PER_SECOND = 10_000;
    private static final int CURVE_POINTS = 60;
    /** More values of a tag than this are no grouping a person could read; the rest becomes one. */
    private static final int MOST_TAG_VALUES = 1_000;
    /** More groups than this are not drawn, only tabled. */
    private static final int MOST_LINES = 16;

    private static final int BAD_INPUT = 2, NOT_VALID = 3, STALE = 4;

    @Parameters(arity = "0..*", paramLabel = "[LABEL=]INPUT",
            description = "A run.json, a directory, k6's JSON plain or .gz, or - (default: data/run.json). "
                    + "Inputs of one label are one.")
    List<String> arguments = List.of();
    @Option(names = "--by", split = ",", paramLabel = "TAG",
            description = "Group a k6 file by these tags (default: variant where it is, else scenario and name).")
    List<String> by = List.of();
    @Option(names = "--metric", paramLabel = "NAME",
            description = "The metric to look at (default: answer_ms where it is, else http_req_duration).")
    String metric;
    @Option(names = "--from", paramLabel = "TIME",
            description = "Only samples from this time on: 2026-11-22T05:10:00Z.")
    Instant from;
    @Option(names = "--to", paramLabel = "TIME", description = "Only samples before this time.")
    Instant to;
    @Option(names = "--out", paramLabel = "DIRECTORY",
            description = "Where page and CSV files go (default: <name>-report, or the run's report/).")
    Path out;
    @Option(names = "--write-up", paramLabel = "FILE",
            description = "Put a run's tables between the markers of this Markdown file.")
    Path writeUp;
    @Option(names = "--check",
            description = "Write nothing; exit 4 if the --write-up file differs from what the data say.")
    boolean check;
    @Option(names = "--timings", description = "Print how long the reading alone took.")
    boolean timings;
    @Mixin Cli.Verbose verbose;

    // ==== The analysis ====

    public static void main(String... args) { System.exit(Cli.run(new Analyze(), args)); }

    @Override public Integer call() throws IOException {
        List<Input> inputs = inputs();
        if (inputs.stream().noneMatch(Input::isRun)) return analyzeFiles(inputs);
        if (!inputs.stream().allMatch(Input::isRun)) {
            throw bad("runs and k6 files do not go together", "name runs only, or only k6 files");
        }
        if (!by.isEmpty() || metric != null || from != null || to != null) {
            throw bad("with a run.json no option changes a number",
                    "drop --by, --metric, --from and --to, or name the k6 files themselves");
        }
        var runs = inputs.stream().flatMap(input -> input.paths().stream()).toList();
        return runs.size() == 1 ? analyzeRun(runs.getFirst()) : analyzeRuns(inputs);
    }

    private int analyzeRun(Path runFile) throws IOException {
        Path directory = runFile.toRealPath().getParent();
        Run run = readRun(runFile);
        try (var findings = readFindings(run, directory)) {
            var reasons = sentences(Gates.check(findings));
            var study = new Study(findings);
            var tables = tables(study);
            if (writeUp != null) return writeUp(run, tables, reasons);
            Path report = out != null ? out : directory.resolve("report");
            write(report, tables, page(study, tables, reasons));
            return print(tables, reasons, report);
        }
    }

    /** A run is one sample of its day: what several say together, label by label. */
    private int analyzeRuns(List<Input> inputs) throws IOException {
        if (writeUp != null) throw bad("only one run can be written up", "name one run.json");
        var table = new Tables.Rows("label", "workload", "variant", "figure", "each run", "across runs")
                .counts("runs").figures(List.of("spread between runs [%]"));
        var reasons = new ArrayList<String>();
        for (var input : inputs) {
            var estimates = new LinkedHashMap<List<String>, List<Statistics.Estimate>>();
            for (Path file : input.paths()) {
                Run run = readRun(file);
                try (var findings = readFindings(run, file.toRealPath().getParent())) {
                    sentences(Gates.check(findings)).forEach(reason -> reasons.add(run.id() + ": " + reason));
                    var verdicts = new Verdicts(findings);
                    for (var stream : findings.streams) for (var measure : Verdicts.Measure.values()) {
                        var names = List.of(stream.workload.name(), stream.variant.name(), measure.title + " [ms]");
                        estimates.computeIfAbsent(names, _ -> new ArrayList<>())
                                .add(verdicts.figure(stream, measure).estimate());
                    }
                }
            }
            estimates.forEach((names, each) -> {
                var known = each.stream()
                        .filter(Statistics.Interval.class::isInstance).map(Statistics.Interval.class::cast).toList();
                var together = Statistics.across(known);
                String eachTold = each.stream().map(estimate -> told(estimate, 1)).collect(Collectors.joining("; "));
                table.row(input.label(), names.get(0), names.get(1), names.get(2), eachTold, told(together.across(), 1))
                        .count("runs", known.size()).figure("spread between runs [%]", 100 * together.betweenRuns());
            });
        }
        var tables = new LinkedHashMap<String, Table>();
        tables.put("runs", table.table("Several runs: each with its 95 % interval, the spread between them, "
                + "and from three on an estimate across them"));
        Path report = out != null ? out : Path.of("runs-report");
        write(report, tables, new Page("Several runs").banner(reasons).table(tables.get("runs")).html());
        return print(tables, reasons, report);
    }

    private int analyzeFiles(List<Input> inputs) throws IOException {
        if (writeUp != null) throw bad("only a run can be written up", "name a run.json");
        try (var reading = read(inputs.stream().map(Input::shards).toList())) {
            if (reading.shards().stream().noneMatch(K6Reader.Shard::isK6)) {
                boolean empty = reading.shards().stream().allMatch(shard -> shard.bytes() == 0);
                String names = inputs.stream().map(Input::name).collect(Collectors.joining(", "));
                throw bad(names + (empty ? " is empty" : " is not k6's JSON output"),
                        "k6 run --out json=FILE writes it; --summary-export writes something else");
            }
            var groups = groups(reading, inputs.size() > 1);
            var reasons = sentences(Gates.check(reading));
            var tables = tables(groups);
            Path report = out != null ? out : Path.of(inputs.getFirst().reportName());
            write(report, tables, page(inputs, groups, tables, reasons));
            return print(tables, reasons, report);
        }
    }

    // ==== Read ====

    /** One label on the command line and the files behind it. */
    record Input(String label, List<Path> paths) {
        boolean isRun() {
            Path file = paths.getFirst().getFileName();
            return file != null && file.toString().equals("run.json");
        }

        K6Reader.Input shards() { return new K6Reader.Input(label, paths); }

        String name() { return paths.stream().map(Path::toString).collect(Collectors.joining(" ")); }

        /** "out.json.gz" makes "out-report", beside where one stands. */
        String reportName() {
            String file = paths.getFirst().getFileName().toString();
            String name = file.replaceFirst("(\\.k6)?(\\.json|\\.ndjson)?(\\.gz)?$", "");
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
            var paths = files(Path.of(argument.substring(equals + 1)));
            labelled.computeIfAbsent(label, _ -> new ArrayList<>()).addAll(paths);
        }
        return labelled.entrySet().stream().map(input -> new Input(input.getKey(), input.getValue())).toList();
    }

    private static List<Path> files(Path path) throws IOException {
        if (path.toString().equals("-")) return List.of(path);
        if (path.endsWith("data/run.json")) return List.of(newestRun(path));
        if (!Files.exists(path)) {
            throw bad("there is no " + path, "name a run.json, a directory, or a file that k6 wrote");
        }
        if (!Files.isDirectory(path)) return List.of(path);
        if (Files.exists(path.resolve("run.json"))) return List.of(path.resolve("run.json"));
        try (var files = Files.list(path)) {
            var found = files.filter(file -> file.toString().matches(".*\\.(json|ndjson)(\\.gz)?")).sorted().toList();
            if (found.isEmpty()) {
                throw bad("there is no k6 file in " + path, "k6 run --out json=FILE.json.gz writes one");
            }
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

    private Findings readFindings(Run run, Path directory) throws IOException {
        var began = Instant.now();
        try (var progress = new Cli.Progress("read")) {
            var findings = Findings.read(run, directory,
                    (done, total) -> progress.show(() -> readSoFar(done, total, began)));
            tellTimings(findings.reading);
            return findings;
        }
    }

    private K6Reader.Reading read(List<K6Reader.Input> inputs) throws IOException {
        var began = Instant.now();
        try (var progress = new Cli.Progress("read")) {
            var reading = K6Reader.read(inputs, queryOfFiles(),
                    (done, total) -> progress.show(() -> readSoFar(done, total, began)));
            tellTimings(reading);
            return reading;
        }
    }

    private void tellTimings(K6Reader.Reading reading) {
        if (!timings) return;
        double seconds = reading.elapsed().toNanos() / 1e9;
        long bytes = reading.shards().stream().mapToLong(K6Reader.Shard::bytes).sum();
        Cli.say(String.format(Locale.ROOT, "timings  read %.3f s, %d bytes", seconds, bytes));
    }

    private static String readSoFar(long done, long total, Instant began) {
        double seconds = Math.max(.001, Duration.between(began, Instant.now()).toMillis() / 1000.0);
        String speed = String.format(Locale.ROOT, "%.2f GB, %.2f GB/s", done / 1e9, done / 1e9 / seconds);
        if (total <= done) return speed;
        var left = Duration.ofMillis((long) ((total - done) / (done / seconds) * 1000));
        return speed + ", " + Cli.spoken(left) + " left";
    }

    // ==== Check ====

    /** Why what was read cannot be trusted, a sentence each; empty when it can. */
    private static List<String> sentences(List<Gates.Flag> flags) {
        return flags.stream().map(Gates.Flag::sentence).toList();
    }

    // ==== Compute: the tables of a run ====

    /** What a run measured, what may be said of its differences, and what it says of cost. */
    private record Study(Findings findings, Verdicts verdicts, RunCost cost) {
        Study(Findings findings) { this(findings, new Verdicts(findings), new RunCost(findings)); }

        Run run() { return findings.run; }
    }

    private static SequencedMap<String, Table> tables(Study study) {
        var findings = study.findings();
        var run = study.run();
        var tables = new LinkedHashMap<String, Table>();
        tables.put("latency", latency(findings.streams));
        for (var workload : run.plan().workloads()) {
            tables.put("standard-or-lmi-" + workload.name(), standardOrLmi(workload, findings.streams));
        }
        tables.put("errors", errors(findings.streams));
        tables.put("throughput", throughput(findings.streams));
        tables.put("cold-starts", coldStarts(run, findings.streams));
        tables.put("resources", resources(findings));
        for (var workload : run.plan().workloads()) {
            tables.put("verdicts-" + workload.name(), verdicts(study, workload));
        }
        if (run.plan().claims()) {
            tables.put("intervals", intervals(study));
            tables.put("noise", noise(study));
            tables.put("changes", changes(study));
        }
        tables.put("break-even", breakEven(study));
        tables.put("discounts", discounts(study));
        tables.put("cost-items", costItems(study));
        return tables;
    }

    private static final List<String> FIGURES =
            List.of("n", "mean [ms]", "min [ms]", "p50 [ms]", "p90 [ms]", "p95 [ms]", "p99 [ms]", "max [ms]");
    private static final double[] PERCENTILES = {.5, .9, .95, .99};

    /** n, mean, min, p50, p90, p95, p99, max: the figures of {@link #FIGURES}. */
    private static double[] figures(K6Reader.Series series) {
        double[] p = series.percentiles(PERCENTILES);
        return new double[] {series.count(), series.mean(), series.min(), p[0], p[1], p[2], p[3], series.max()};
    }

    private static Table latency(List<Findings.Stream> streams) {
        var table = new Tables.Rows("workload", "variant").counts("n").figures(FIGURES.subList(1, FIGURES.size()));
        for (var stream : streams) {
            table.row(stream.workload.name(), stream.variant.name());
            double[] figures = stream.latencies().map(Analyze::figures).orElse(new double[0]);
            table.count("n", figures.length == 0 ? 0 : (long) figures[0]);
            for (int i = 1; i < figures.length; i++) table.figure(FIGURES.get(i), figures[i]);
        }
        return table.table("Latency of correct warm answers");
    }

    /** As the LMI study shows it: figures downwards, and for each language standard, LMI and the difference abreast. */
    private static Table standardOrLmi(Run.Workload workload, List<Findings.Stream> streams) {
        var names = List.of("Requests", "Avg", "Min", "p50", "p90", "p95", "p99", "Max");
        var pairs = new LinkedHashMap<String, List<double[]>>();
        for (var stream : streams) {
            if (!stream.workload.equals(workload) || stream.variant.twin() || stream.latencies().isEmpty()) continue;
            if (!stream.variant.hasOneVcpu()) continue;
            pairs.computeIfAbsent(stream.variant.language(), _ -> new ArrayList<>(Arrays.asList(null, null)))
                    .set(stream.variant.lmi() ? 1 : 0, figures(stream.latencies().get()));
        }
        pairs.values().removeIf(pair -> pair.contains(null));
        var columns = pairs.keySet().stream()
                .flatMap(language -> Stream.of(" standard", " LMI", " Diff %").map(language::concat)).toList();
        var table = new Tables.Rows("ms").figures(columns);
        for (int figure = 0; figure < names.size(); figure++) {
            table.row(names.get(figure));
            for (var pair : pairs.entrySet()) {
                String language = pair.getKey();
                double standard = pair.getValue().get(0)[figure], lmi = pair.getValue().get(1)[figure];
                table.figure(language + " standard", standard).figure(language + " LMI", lmi)
                        .figure(language + " Diff %", 100 * (lmi - standard) / standard);
            }
        }
        return table.table("Standard against LMI: " + workload.name());
    }

    private static Table errors(List<Findings.Stream> streams) {
        var kinds = streams.stream().flatMap(stream -> stream.outcomes().keySet().stream())
                .filter(outcome -> !outcome.equals(Findings.CORRECT)).collect(Collectors.toCollection(TreeSet::new));
        var table = new Tables.Rows("workload", "variant").counts("requests").counts("correct")
                .counts(kinds.toArray(String[]::new)).figures(List.of("errors [%]"));
        for (var stream : streams) {
            long requests = stream.requests(), correct = stream.correct();
            table.row(stream.workload.name(), stream.variant.name())
                    .count("requests", requests).count("correct", correct);
            for (String kind : kinds) table.count(kind, stream.outcomes().getOrDefault(kind, 0L));
            table.figure("errors [%]", requests == 0 ? Double.NaN : 100.0 * (requests - correct) / requests);
        }
        return table.table("Errors by kind");
    }

    private static Table throughput(List<Findings.Stream> streams) {
        var table = new Tables.Rows("workload", "variant")
                .figures(List.of("asked [1/s]", "answered correctly [1/s]")).counts("dropped by k6");
        for (var stream : streams) {
            double perSecond = stream.correct() / stream.total(slot -> slot.seconds);
            table.row(stream.workload.name(), stream.variant.name())
                    .figure("asked [1/s]", stream.workload.ratePerSecond())
                    .figure("answered correctly [1/s]", stream.slots.isEmpty() ? Double.NaN : perSecond)
                    .count("dropped by k6", stream.sum(slot -> slot.dropped));
        }
        return table.table("Throughput");
    }

    private static Table coldStarts(Run run, List<Findings.Stream> streams) {
        var table = new Tables.Rows("variant").counts("n").figures(List.of("min [ms]", "p50 [ms]", "max [ms]"));
        for (var variant : run.plan().variants()) {
            var cold = streams.stream().filter(stream -> stream.variant.equals(variant))
                    .flatMap(stream -> stream.cold.stream()).toList();
            table.row(variant.name()).count("n", cold.stream().mapToLong(K6Reader.Series::count).sum());
            if (cold.isEmpty()) continue;
            var all = K6Reader.Series.union(cold, List.of());
            table.figure("min [ms]", all.min()).figure("p50 [ms]", all.percentiles(.5)[0])
                    .figure("max [ms]", all.max());
        }
        return table.table("First answers of cold environments");
    }

    private static Table resources(Findings findings) {
        var cpu = findings.run.plan().workloads().stream()
                .map(workload -> "CPU " + workload.name() + " [ms/request]").toList();
        var table = new Tables.Rows("variant").figures(cpu).figures(List.of("peak memory [MB]", "init mean [ms]"))
                .counts("inits").figures(List.of("package [MB]")).counts("throttled");
        for (var variant : findings.run.plan().variants()) {
            var init = findings.initMs.getOrDefault(variant.name(), List.of());
            double meanInitMs = init.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
            table.row(variant.name())
                    .figure("peak memory [MB]", findings.peakMemoryMb.getOrDefault(variant.name(), Double.NaN))
                    .figure("init mean [ms]", meanInitMs).count("inits", init.size())
                    .figure("package [MB]", packageMb(findings.run, variant.language()));
            long throttled = 0;
            for (var stream : findings.streams) {
                if (!stream.variant.equals(variant)) continue;
                long requests = stream.sum(slot -> slot.cpuRequests);
                double cpuMs = requests == 0 ? Double.NaN : stream.sum(slot -> slot.cpuNs) / 1e6 / requests;
                table.figure("CPU " + stream.workload.name() + " [ms/request]", cpuMs);
                throttled += stream.sum(slot -> slot.throttles);
            }
            table.count("throttled", throttled);
        }
        return table.table("Resources");
    }

    private static double packageMb(Run run, String language) {
        return run.environment("artefacts", language, "bytes")
                .map(bytes -> ((Number) bytes).doubleValue() / 1e6).orElse(Double.NaN);
    }

    // ==== Compute: what may be said of a run ====

    private static Table intervals(Study study) {
        var columns = new ArrayList<>(List.of("workload", "variant"));
        titles(" [ms]").forEach(columns::add);
        columns.add("errors [%]");
        var table = new Tables.Rows(columns.toArray(String[]::new)).counts("blocks");
        for (var stream : study.findings().streams) {
            var cells = new ArrayList<>(List.of(stream.workload.name(), stream.variant.name()));
            for (var measure : Verdicts.Measure.values()) {
                cells.add(told(study.verdicts().figure(stream, measure).estimate(), 1));
            }
            cells.add(told(study.verdicts().errors(stream), 100));
            table.row(cells.toArray(String[]::new)).count("blocks", stream.slots.size());
        }
        return table.table("95 % intervals that hold for correlated requests; a block is a round's slot");
    }

    private static Stream<String> titles(String suffix) {
        return Arrays.stream(Verdicts.Measure.values()).map(measure -> measure.title + suffix);
    }

    private static String told(Statistics.Estimate estimate, double scale) {
        return switch (estimate) {
            case Statistics.Interval(var low, var point, var high, _, _) -> Tables.figure(point * scale)
                    + " (" + Tables.figure(low * scale) + "–" + Tables.figure(high * scale) + ")";
            case Statistics.Unknown(var reason) -> Tables.MISSING + " " + reason;
        };
    }

    /** A verdict for every pair; a run that claims nothing says nothing. */
    private static Table verdicts(Study study, Run.Workload workload) {
        boolean claims = study.run().plan().claims();
        var pairs = Verdicts.pairs(study.run());
        var answers = claims ? study.verdicts().of(workload) : Map.<Verdicts.Measure, List<String>>of();
        var titles = Arrays.stream(Verdicts.Measure.values()).map(measure ->
                measure.title + (Verdicts.Measure.SECONDARY.contains(measure) ? " (secondary)" : ""));
        var table = new Tables.Rows(Stream.concat(Stream.of("of"), titles).toArray(String[]::new));
        for (int pair = 0; pair < pairs.size(); pair++) {
            int at = pair;
            var said = Arrays.stream(Verdicts.Measure.values())
                    .map(measure -> claims ? answers.get(measure).get(at) : Tables.MISSING);
            table.row(Stream.concat(Stream.of(pairs.get(pair).words()), said).toArray(String[]::new));
        }
        return table.table("Verdicts: " + workload.name() + (claims ? "" : ". This profile claims nothing"));
    }

    /** The A/A twin: the same function deployed twice. What these two differ by is noise. */
    private static Table noise(Study study) {
        var table = new Tables.Rows(Stream.concat(Stream.of("workload"), titles(" [%]")).toArray(String[]::new));
        for (var workload : study.run().plan().workloads()) {
            var told = Arrays.stream(Verdicts.Measure.values())
                    .map(measure -> switch (study.verdicts().twins(workload, measure)) {
                        case Statistics.Difference difference -> percent(difference.ratio().point())
                                + " (" + percent(difference.ratio().low()) + " to "
                                + percent(difference.ratio().high()) + ")" + (difference.agrees() ? ""
                                        : "; single blocks say " + percent(difference.beside().point()));
                        case Statistics.Unknown(var reason) -> Tables.MISSING + " " + reason;
                    });
            table.row(Stream.concat(Stream.of(workload.name()), told).toArray(String[]::new));
        }
        return table.table("Noise: the A/A twin against its original");
    }

    private static String percent(double ratio) { return (ratio > 1 ? "+" : "") + Tables.figure(100 * (ratio - 1)); }

    /** Where a stream's level changed during the run, by the medians of its slots. */
    private static Table changes(Study study) {
        var table = new Tables.Rows("workload", "variant", "from")
                .figures(List.of("p50 before [ms]", "p50 after [ms]", "p"));
        for (var stream : study.findings().streams) {
            for (var change : study.verdicts().changes(stream)) {
                String cell = stream.measuredSlots().get(change.block()).cell;
                table.row(stream.workload.name(), stream.variant.name(), cell)
                        .figure("p50 before [ms]", change.before()).figure("p50 after [ms]", change.after())
                        .figure("p", change.pValue());
            }
        }
        return table.table("Changes of level during the run");
    }

    // ==== Compute: the cost ====

    private static Table breakEven(Study study) {
        var tariff = study.cost().tariff(Cost.Discount.NONE);
        var table = new Tables.Rows("workload", "language", "instances", "LMI is cheaper").figures(List.of(
                "standard [USD per million]", "LMI, one more million [USD]", "smallest LMI fleet [USD a month]"));
        for (var choice : study.cost().choices()) {
            var answer = choice.breakEven(tariff);
            String instanceType = choice.layout(tariff).instanceType();
            table.row(choice.workload().name(), choice.language(), instanceType, answer.words())
                    .figure("standard [USD per million]", answer.standardUsdPerMillion())
                    .figure("LMI, one more million [USD]", answer.lmiUsdPerMillion())
                    .figure("smallest LMI fleet [USD a month]", answer.fleetUsdPerMonth());
        }
        return table.table("Standard or LMI: from which rate on" + modelled(study.run()));
    }

    /** The same rates under each discount of the price list; ∞ is never. */
    private static Table discounts(Study study) {
        var discounts = Stream.concat(Stream.of(Cost.Discount.NONE), study.cost().prices.discounts().stream()).toList();
        var table = new Tables.Rows("workload", "language")
                .figures(discounts.stream().map(discount -> discount.name() + " [1/s]").toList());
        for (var choice : study.cost().choices()) {
            table.row(choice.workload().name(), choice.language());
            for (var discount : discounts) {
                var answer = choice.breakEven(study.cost().tariff(discount));
                table.figure(discount.name() + " [1/s]", answer.perSecond().value());
            }
        }
        return table.table("Break-even rates under discounts" + modelled(study.run()));
    }

    private static String modelled(Run run) {
        return run.isLocal() ? " (a model of AWS, fed with this machine's CPU and durations)" : "";
    }

    /** What a million requests cost on standard Lambda, item by item. */
    private static Table costItems(Study study) {
        var table = new Tables.Rows("workload", "variant", "item")
                .figures(List.of("quantity", "USD per million", "share [%]"));
        for (var stream : study.findings().streams) {
            study.cost().millionOnStandard(stream).ifPresent(bill -> {
                for (var item : bill.items()) {
                    if (!(item.usd() > 0)) continue;
                    table.row(stream.workload.name(), stream.variant.name(), item.name())
                            .figure("quantity", item.quantity()).figure("USD per million", item.usd())
                            .figure("share [%]", 100 * bill.share(item));
                }
            });
        }
        return table.table("A million requests on standard Lambda" + modelled(study.run()));
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
    /** Tags that say how a request ended: https://grafana.com/docs/k6/latest/using-k6/tags-and-groups/#system-tags. */
    private static final List<String> ENDS_BY = List.of("outcome", "expected_response", "status", "error_code");
    private static final List<String> DEFAULT_GROUPING = List.of("variant", "scenario", "name");

    /** The tags that a k6 file's series are told apart by: first those of the grouping. */
    private List<String> fileTags() {
        return Stream.concat((by.isEmpty() ? DEFAULT_GROUPING : by).stream(), ENDS_BY.stream()).distinct().toList();
    }

    private Map<String, String> fileTags(K6Reader.Series series) {
        var names = fileTags();
        return IntStream.range(0, names.size()).boxed().collect(Collectors.toMap(names::get, series.values::get));
    }

    private K6Reader.Query queryOfFiles() {
        var query = K6Reader.Query.by(fileTags().toArray(String[]::new))
                .mostTagValues(MOST_TAG_VALUES).blocks(1_000_000_000L, 0, MOST_BLOCKS);
        query = metric == null ? query.metrics("answer_ms", "http_req_duration") : query.metrics(metric);
        return query.between(from == null ? Long.MIN_VALUE : nanos(from), to == null ? Long.MAX_VALUE : nanos(to));
    }

    private static long nanos(Instant time) { return time.getEpochSecond() * 1_000_000_000L + time.getNano(); }

    private Groups groups(K6Reader.Reading reading, boolean labelled) {
        for (String tag : reading.folded()) {
            Cli.warn("tag '" + tag + "' has more than " + MOST_TAG_VALUES
                    + " values: they are one group, " + K6Reader.OTHER);
        }
        boolean ours = reading.series().stream().anyMatch(series -> series.metric.equals("answer_ms"));
        String looked = metric != null ? metric : ours ? "answer_ms" : "http_req_duration";
        var samples = reading.series().stream().filter(series -> series.metric.equals(looked)).toList();
        if (samples.isEmpty()) {
            String when = from != null || to != null ? " in that time" : "";
            throw bad("there is no sample of " + looked + when,
                    "./jbang analyze.java inspect FILE shows what there is");
        }
        boolean variants = by.isEmpty() && samples.stream().anyMatch(series -> !series.values.getFirst().isEmpty());
        var tags = variants ? List.of("variant")
                : by.isEmpty() ? DEFAULT_GROUPING.subList(1, DEFAULT_GROUPING.size()) : by;
        int first = by.isEmpty() && !variants ? 1 : 0;
        var grouped = new TreeMap<List<String>, List<K6Reader.Series>>(
                Comparator.comparing(names -> String.join("\0", names)));
        for (var series : samples) {
            var names = new ArrayList<>(series.values.subList(first, first + tags.size()));
            if (labelled) names.addFirst(series.label);
            grouped.computeIfAbsent(names, _ -> new ArrayList<>()).add(series);
        }
        var list = grouped.entrySet().stream().map(group -> group(group.getKey(), group.getValue())).toList();
        var columns = new ArrayList<>(tags);
        if (labelled) columns.addFirst("label");
        var declared = reading.metrics().get(looked);
        boolean time = declared == null ? looked.matches(".*_(ms|duration)")
                : declared.contains().equals("time") || looked.endsWith("_ms");
        return new Groups(looked, time ? "ms" : "", columns, list, reading.blockNs());
    }

    private Group group(List<String> names, List<K6Reader.Series> samples) {
        var ends = new TreeMap<String, Long>();
        for (var series : samples) ends.merge(end(series), series.count(), Long::sum);
        var good = samples.stream().filter(series -> end(series).equals(GOOD)).toList();
        // With more than one label, a union of one label's series keeps it: groups never cross labels.
        var together = good.isEmpty() ? Optional.<K6Reader.Series>empty()
                : Optional.of(K6Reader.Series.union(good, names));
        return new Group(names, together, ends);
    }

    /** k6 gives a request that never got an answer status 0 and often 0 ms: an error, never a fast answer. */
    private String end(K6Reader.Series series) {
        var tag = fileTags(series);
        String outcome = tag.get("outcome"), status = tag.get("status");
        String expected = tag.get("expected_response"), code = tag.get("error_code");
        if (!outcome.isEmpty()) return outcome.equals(Findings.CORRECT) ? GOOD : outcome;
        if (status.isEmpty() && expected.isEmpty()) return GOOD;
        boolean good = expected.isEmpty()
                ? status.matches("[123]..") : expected.equals("true") && !status.equals("0");
        if (good) return GOOD;
        return status.equals("0") ? switch (code) {
            case "1050" -> "timeout";
            case "1212" -> "refused";
            default -> "no answer" + (code.isEmpty() ? "" : " (k6 error " + code + ")");
        } : "status " + status;
    }

    private static SequencedMap<String, Table> tables(Groups groups) {
        var names = groups.tags().toArray(String[]::new);
        var figures = groups.unit().isEmpty()
                ? FIGURES.stream().map(figure -> figure.replace(" [ms]", "")).toList() : FIGURES;
        var latency = new Tables.Rows(names).counts("n").figures(figures.subList(1, figures.size()));
        var kinds = groups.list().stream().flatMap(group -> group.ends().keySet().stream())
                .filter(end -> !end.equals(GOOD)).collect(Collectors.toCollection(TreeSet::new));
        var errors = new Tables.Rows(names).counts("samples").counts(GOOD)
                .counts(kinds.toArray(String[]::new)).figures(List.of("errors [%]"));
        for (var group : groups.list()) {
            latency.row(group.names().toArray(String[]::new)).count("n", group.goodCount());
            double[] values = group.good().map(Analyze::figures).orElse(new double[0]);
            for (int i = 1; i < values.length; i++) latency.figure(figures.get(i), values[i]);
            errors.row(group.names().toArray(String[]::new))
                    .count("samples", group.count()).count(GOOD, group.goodCount())
                    .figure("errors [%]", 100.0 * (group.count() - group.goodCount()) / group.count());
            for (String kind : kinds) errors.count(kind, group.ends().getOrDefault(kind, 0L));
        }
        var tables = new LinkedHashMap<String, Table>();
        tables.put("latency", latency.table(groups.metric() + " of good samples"));
        tables.put("errors", errors.table("Errors by kind"));
        return tables;
    }

    // ==== Draw ====

    private static String page(Study study, SequencedMap<String, Table> tables, List<String> reasons)
            throws IOException {
        var run = study.run();
        var streams = study.findings().streams;
        var page = new Page(
                "Lambda: " + String.join(", ", run.plan().languages()) + ", standard and Managed Instances");
        page.banner(reasons);
        provenance(run).forEach(page::text);
        for (var workload : run.plan().workloads()) {
            var these = streams.stream()
                    .filter(stream -> stream.workload.equals(workload) && stream.latencies().isPresent()).toList();
            String query = workload.query().entrySet().stream().map(Object::toString).collect(Collectors.joining("&"));
            page.section(workload.name() + (query.isEmpty() ? "" : "?" + query));
            page.table(tables.get("standard-or-lmi-" + workload.name()));
            var verdicts = tables.get("verdicts-" + workload.name());
            if (run.plan().claims()) page.text(verdicts.name()).table(verdicts);
            var lines = new ArrayList<>(these.stream().map(stream -> overTime(stream, run)).toList());
            if (run.plan().claims()) for (var stream : these) lines.addAll(changeMarks(stream, study));
            page.lines("Latency over the run", "minutes since the start", "p50 of a cell [ms]", false, lines,
                    "A point is the median of one cell. Lines that stay level and apart are a difference; lines that "
                    + "rise or fall together are the machine. An upright line marks a change of level.");
            var curves = these.stream().map(stream ->
                    curve(stream.variant.name(), stream.variant.lmi(), stream.latencies().get())).toList();
            page.percentileCurves("Percentile curve", "latency [ms]", curves,
                    "How slow the slowest share of the answers is. Curves that cross say that the faster variant "
                    + "depends on whom you ask: the median user or the unlucky one.");
            page.boxes("Spread", "latency [ms]", boxes(these),
                    "The box holds the middle half of the answers, the line in it the median. "
                    + "Boxes that overlap are no proof of a difference, nor of none.");
        }
        page.section("Cost" + modelled(run));
        page.text(ruleOfThumb(study.cost())).table(tables.get("break-even"));
        for (var workload : run.plan().workloads()) costCurves(study, workload, page);
        page.section("Tables");
        tables.forEach((name, table) -> {
            boolean shownAbove = name.matches("(standard-or-lmi|verdicts)-.*|break-even");
            if (!shownAbove) page.text(table.name()).table(table);
        });
        return page.html();
    }

    private static void costCurves(Study study, Run.Workload workload, Page page) {
        var tariff = study.cost().tariff(Cost.Discount.NONE);
        var lines = new ArrayList<Page.Line>();
        for (var choice : study.cost().choices()) {
            if (!choice.workload().equals(workload)) continue;
            var points = Cost.curve(tariff, choice.layout(tariff), choice.demand(),
                    CURVE_FROM_PER_SECOND, CURVE_TO_PER_SECOND, CURVE_POINTS);
            double[] rates = points.stream().mapToDouble(Cost.Point::perSecond).toArray();
            double[] standardUsd = points.stream().mapToDouble(Cost.Point::standardUsd).toArray();
            double[] lmiUsd = points.stream().mapToDouble(Cost.Point::lmiUsd).toArray();
            lines.add(new Page.Line(choice.language() + "-standard", rates, standardUsd, false));
            lines.add(new Page.Line(choice.language() + "-lmi", rates, lmiUsd, true));
        }
        if (lines.isEmpty()) return;
        page.logarithmicLines("Compute for a month: " + workload.name(), "requests/s, all month", "USD a month", lines,
                "Standard rises with every request; LMI begins with its smallest fleet and rises by instances. "
                + "Where the dashed line falls below the solid one of the same colour, LMI is the cheaper.");
    }

    /** AWS's own rule, for a reader to hold the run's answer against. */
    private static String ruleOfThumb(RunCost cost) {
        var rule = cost.prices.ruleOfThumb();
        return ("AWS's own rule of thumb: LMI from %s to %s million requests a month on (%s). "
                + "Prices: %s, %s, without discount.").formatted(
                Tables.figure(rule.fromRequestsPerMonth() / 1e6), Tables.figure(rule.toRequestsPerMonth() / 1e6),
                cost.prices.sources().get(rule.source()).title(), cost.prices.compiled(), cost.region);
    }

    private static Page.Line overTime(Findings.Stream stream, Run run) {
        long startNs = nanos(run.started());
        var slots = stream.measuredSlots();
        double[] minutes = slots.stream().mapToDouble(slot -> (slot.warm.firstNs() - startNs) / 60e9).toArray();
        double[] medians = slots.stream().mapToDouble(slot -> slot.warm.percentiles(.5)[0]).toArray();
        return new Page.Line(stream.variant.name(), minutes, medians, stream.variant.lmi());
    }

    /** An upright line from the level before a change to the level after it. */
    private static List<Page.Line> changeMarks(Findings.Stream stream, Study study) {
        long startNs = nanos(study.run().started());
        return study.verdicts().changes(stream).stream().map(change -> {
            double minute = (stream.measuredSlots().get(change.block()).warm.firstNs() - startNs) / 60e9;
            double[] minutes = {minute, minute}, levels = {change.before(), change.after()};
            return new Page.Line(stream.variant.name() + " changes", minutes, levels, false);
        }).toList();
    }

    private static Page.Line curve(String name, boolean dashed, K6Reader.Series series) {
        double[] percents = Arrays.stream(CURVE).map(p -> p * 100).toArray();
        return new Page.Line(name, percents, series.percentiles(CURVE), dashed);
    }

    private static SequencedMap<String, double[]> boxes(List<Findings.Stream> streams) {
        var boxes = new LinkedHashMap<String, double[]>();
        for (var stream : streams) boxes.put(stream.variant.name(), stream.latencies().get().percentiles(HUNDREDTHS));
        return boxes;
    }

    private static String page(
            List<Input> inputs, Groups groups, SequencedMap<String, Table> tables, List<String> reasons)
            throws IOException {
        var files = inputs.stream().map(input -> input.paths().getFirst().getFileName().toString());
        var page = new Page(groups.metric() + " in " + files.collect(Collectors.joining(", ")));
        String unit = withUnit(groups.unit());
        page.banner(reasons);
        var drawn = groups.list().stream().filter(group -> group.good().isPresent()).limit(MOST_LINES).toList();
        if (drawn.size() < groups.list().size()) {
            page.text("The plots show %d of %d groups; the tables have them all."
                    .formatted(drawn.size(), groups.list().size()));
        }
        page.section("Over time");
        long startNs = drawn.stream().mapToLong(group -> group.good().get().firstNs()).min().orElse(0);
        String block = Tables.figure(groups.blockNs() / 1e9) + " s";
        overTime(drawn, groups.blockNs(), startNs).forEach((name, lines) -> page.lines(
                name + " over time", "seconds since the first answer", name + " of " + block + unit, false, lines,
                "A point is the " + name + " of the good samples that ended within " + block
                + ", to within 0.2 %. A step is a change; a slope is a drift."));
        page.section("Distribution");
        page.percentileCurves("Percentile curve", groups.metric() + unit,
                drawn.stream().map(group -> curve(group.name(), false, group.good().get())).toList(),
                "How slow the slowest share of the good samples is.");
        var boxes = new LinkedHashMap<String, double[]>();
        drawn.forEach(group -> boxes.put(group.name(), group.good().get().percentiles(HUNDREDTHS)));
        page.boxes("Spread", groups.metric() + unit, boxes,
                "The box holds the middle half of the good samples, the line in it the median.");
        page.section("Tables");
        tables.values().forEach(table -> page.text(table.name()).table(table));
        return page.html();
    }

    /** A line for each group, by percentile. One group's blocks at a time, as a block is a histogram. */
    private static SequencedMap<String, List<Page.Line>> overTime(List<Group> groups, long blockNs, long startNs) {
        var lines = new LinkedHashMap<String, List<Page.Line>>();
        for (var group : groups) {
            var blocks = group.good().get().blocks();
            double[] seconds = blocks.keySet().stream()
                    .mapToDouble(block -> (block * (double) blockNs - startNs) / 1e9).toArray();
            for (int percent : new int[] {50, 95}) {
                double[] values = blocks.values().stream()
                        .mapToDouble(block -> block.histogram.quantile(percent / 100.0)).toArray();
                lines.computeIfAbsent("p" + percent, _ -> new ArrayList<>())
                        .add(new Page.Line(group.name(), seconds, values, false));
            }
        }
        return lines;
    }

    private static String withUnit(String unit) { return unit.isEmpty() ? "" : " [" + unit + "]"; }

    /** What a reader must know of a run before its figures, a sentence each. */
    private static List<String> provenance(Run run) {
        var plan = run.plan();
        var sentences = new ArrayList<String>();
        sentences.add(String.format(Locale.ROOT,
                "Run %s, profile %s: %d cells, %d rounds, %s, %s s settling and %s s measured each, seed %d.",
                run.id(), plan.profile(), plan.order().size(), plan.rounds(), plan.design(),
                Tables.figure(plan.settleSeconds()), Tables.figure(plan.measureSeconds()), plan.seed()));
        String dirty = run.environment("git", "dirty").equals(Optional.of(true)) ? " (with uncommitted changes)" : "";
        sentences.add("Made with commit %s%s, k6 %s, on %s (%s cores, %s MB), %s.".formatted(
                known(run, "git", "commit"), dirty, known(run, "tools", "k6"), known(run, "machine", "cpu"),
                known(run, "machine", "cores"), known(run, "machine", "memoryMb"), known(run, "machine", "system")));
        if (run.isLocal()) {
            sentences.add("Measured on one machine, with the functions on one core: these are no figures of AWS's.");
        }
        if (!plan.claims()) {
            sentences.add("This profile is too short to claim any difference; it is a look at everything.");
        }
        if (run.published() != null) sentences.add("Published copy: " + run.published() + ".");
        sentences.addAll(run.warnings());
        return sentences;
    }

    private static Object known(Run run, String... path) { return run.environment(path).orElse("unknown"); }

    // ==== Write ====

    /** Each file takes its earlier one's place when it is complete. */
    private static void write(Path report, SequencedMap<String, Table> tables, String html) throws IOException {
        Files.createDirectories(report);
        for (var table : tables.entrySet()) {
            replace(report.resolve(table.getKey() + ".csv"), Tables.csv(table.getValue()));
        }
        replace(report.resolve("index.html"), html);
    }

    private static void replace(Path file, String text) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".tmp");
        Files.writeString(temporary, text);
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    }

    private static int print(SequencedMap<String, Table> tables, List<String> reasons, Path report) {
        reasons.forEach(reason -> System.out.println("NOT VALID: " + reason));
        tables.values().forEach(table -> System.out.println("\n" + table.name() + "\n\n" + Tables.markdown(table)));
        System.out.println("page     " + report.resolve("index.html"));
        return reasons.isEmpty() ? Cli.DONE : NOT_VALID;
    }

    /** Puts each table between its markers; prose around them stays. */
    private int writeUp(Run run, SequencedMap<String, Table> tables, List<String> reasons) throws IOException {
        String before = Files.readString(writeUp);
        var texts = new LinkedHashMap<String, String>();
        var notValid = reasons.stream().map(reason -> "**This run is not valid:** " + reason);
        texts.put("provenance", Stream.concat(notValid, provenance(run).stream())
                .map(line -> "- " + line + "\n").collect(Collectors.joining()));
        tables.forEach((name, table) -> texts.put(name, Tables.markdown(table)));
        texts.put("headline", headline(run, tables));
        var marker = Pattern.compile("<!-- begin: ([a-z-]+) -->\n(.*?)<!-- end: \\1 -->", Pattern.DOTALL);
        String after = marker.matcher(before).replaceAll(section -> {
            String name = section.group(1), text = texts.get(name);
            if (text == null) {
                throw bad(writeUp + " asks for a section '" + name + "' that there is not",
                        "there are " + String.join(", ", texts.keySet()));
            }
            return Matcher.quoteReplacement("<!-- begin: " + name + " -->\n" + text + "<!-- end: " + name + " -->");
        });
        if (check && !after.equals(before)) {
            String command = "./jbang analyze.java " + String.join(" ", arguments) + " --write-up " + writeUp;
            throw new Cli.Problem(STALE, writeUp + " is not what the data say", command + " writes it anew");
        }
        if (!check) replace(writeUp, after);
        System.out.println(writeUp + (check ? " says what the data say" : " is written"));
        return reasons.isEmpty() ? Cli.DONE : NOT_VALID;
    }

    /** The answer as the README shows it: the verdicts where the run claims any, else the medians side by side. */
    private static String headline(Run run, SequencedMap<String, Table> tables) {
        var provenance = provenance(run);
        var text = new StringBuilder(String.join(" ", provenance.subList(2, provenance.size()))).append("\n\n");
        if (!run.plan().claims()) return text + "Median latency in ms:\n\n" + Tables.markdown(medians(run, tables));
        for (var workload : run.plan().workloads()) {
            var verdicts = tables.get("verdicts-" + workload.name());
            text.append("**").append(verdicts.name()).append("**\n\n").append(Tables.markdown(verdicts)).append('\n');
        }
        return text.toString();
    }

    private static Table medians(Run run, SequencedMap<String, Table> tables) {
        var latency = tables.get("latency");
        var variants = run.plan().variants().stream().filter(variant -> !variant.twin())
                .map(Run.Variant::name).toList();
        var medians = new Tables.Rows("workload").figures(variants);
        for (var workload : run.plan().workloads()) {
            medians.row(workload.name());
            for (int row = 0; row < latency.rowCount(); row++) {
                String variant = latency.stringColumn("variant").get(row);
                boolean ours = latency.stringColumn("workload").get(row).equals(workload.name());
                if (!ours || !variants.contains(variant)) continue;
                medians.figure(variant, latency.doubleColumn("p50 [ms]").getDouble(row));
            }
        }
        return medians.table("Medians");
    }

    // ==== inspect ====

    @Command(name = "inspect", mixinStandardHelpOptions = true,
            description = "Shows which metrics, tags and tag values a k6 file has.")
    static final class Inspect implements Callable<Integer> {
        private static final int VALUES_SHOWN = 12;

        @Parameters(arity = "1..*", paramLabel = "FILE", description = "k6's JSON, plain or .gz, or -.")
        List<Path> files;
        @Mixin Cli.Verbose verbose;

        @Override public Integer call() throws IOException {
            var inputs = List.of(new K6Reader.Input("", files));
            try (var reading = K6Reader.read(inputs, K6Reader.Query.by(), (_, _) -> {})) {
                var metrics = new Tables.Rows("metric", "type", "contains").counts("samples");
                for (var series : reading.series()) {
                    var declared = reading.metrics().get(series.metric);
                    String type = declared == null ? "" : declared.type();
                    String contains = declared == null ? "" : declared.contains();
                    metrics.row(series.metric, type, contains).count("samples", series.count());
                }
                var tags = new Tables.Rows("tag", "values, most frequent first");
                reading.census().forEach((tag, values) ->
                        tags.row(tag, values == null ? "more than " + MOST_TAG_VALUES : mostFrequent(values)));
                System.out.println(Tables.markdown(metrics.table("")) + "\n" + Tables.markdown(tags.table("")));
            }
            return Cli.DONE;
        }

        private static String mostFrequent(SortedMap<String, Long> values) {
            var mostFirst = Map.Entry.<String, Long>comparingByValue().reversed()
                    .thenComparing(Map.Entry.comparingByKey());
            String shown = values.entrySet().stream().sorted(mostFirst).limit(VALUES_SHOWN)
                    .map(value -> value.getKey() + " (" + value.getValue() + ")").collect(Collectors.joining(", "));
            int more = values.size() - VALUES_SHOWN;
            return more <= 0 ? shown : shown + ", and " + more + " more";
        }
    }

    private static Cli.Problem bad(String happened, String hint) {
        return new Cli.Problem(BAD_INPUT, happened, hint);
    }
}
