///usr/bin/env jbang "$0" "$@" ; exit $?
// What did the run show? Reads a run's record, or any JSON that k6 wrote, and turns it into tables, plots and
// EXPERIMENT.md.
//
//   read      k6's samples, at the speed of the disk (kit/read/K6Reader.java)
//   check     is the record whole, and can it be trusted?
//   compute   latency of correct answers, cold and warm apart; errors beside it; what each request cost in CPU
//   draw      the tables as Markdown and CSV, and one page that opens without a network
//   write     the page and the CSV files into the run's report/, the tables into EXPERIMENT.md
//
// It takes half a second for a small file and reads gigabytes at disk speed. It never talks to AWS, and with a run.json
// no option changes a number: the same input gives the same bytes.

//JAVA 25
//DESCRIPTION Latency, errors and cost out of a run.json or any k6 JSON output: tables, a page, EXPERIMENT.md
//CDS
//RUNTIME_OPTIONS -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx100m
//RUNTIME_OPTIONS --sun-misc-unsafe-memory-access=allow -Xlog:disable -Xlog:all=error:stderr
//SOURCES kit/Cli.java
//SOURCES kit/judge/Cost.java
//SOURCES kit/judge/Findings.java
//SOURCES kit/judge/Gates.java
//SOURCES kit/judge/Grouping.java
//SOURCES kit/read/K6Reader.java
//SOURCES kit/report/Page.java
//SOURCES kit/record/Run.java
//SOURCES kit/judge/RunCost.java
//SOURCES kit/judge/Statistics.java
//SOURCES kit/report/Tables.java
//SOURCES kit/judge/Verdicts.java
//SOURCES kit/report/Words.java

import module java.base;
import picocli.CommandLine;
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
                  k6 run --out json=/dev/fd/3 x.js 3>&1 1>&2 | ./jbang analyze.java -
                Exit codes: 0 done, 1 unexpected, 2 bad usage or input, 3 analysed but not valid, \
                4 --check found a difference.""")
final class Analyze implements Callable<Integer> {

    // ==== What you may want to change ====

    /** From a request a second to what no single function is asked: every break-even lies between. */
    private static final double CURVE_FROM_PER_SECOND = 1, CURVE_TO_PER_SECOND = 10_000;
    private static final int CURVE_POINTS = 60;
    /** A terminal's screen; the CSV has every row. */
    private static final int MOST_ROWS_PRINTED = 25;
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
    @Option(names = "--from", paramLabel = "TIME", converter = Time.class,
            description = "Only samples from this time on: 2026-11-22T05:10:00Z.")
    Instant from;
    @Option(names = "--to", paramLabel = "TIME", converter = Time.class, description = "Only samples before this time.")
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
    @Option(names = "--timings", description = "Print how long reading and what follows it took, a line each.")
    boolean timings;
    @Mixin Cli.Verbose verbose;

    /** A time as a person writes it on the command line. */
    static final class Time implements CommandLine.ITypeConverter<Instant> {
        @Override public Instant convert(String text) {
            try {
                return OffsetDateTime.parse(text).toInstant();
            } catch (DateTimeParseException notOne) {
                throw new CommandLine.TypeConversionException(
                        "'" + text + "' is no time with its zone, such as 2026-11-22T05:10:00Z or …T07:10:00+02:00");
            }
        }
    }

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
        Run run = Run.read(runFile);
        try (var findings = readFindings(run, directory)) {
            var reasons = timed("check", () -> sentences(Gates.check(findings)));
            var study = new Study(findings);
            var tables = timed("compute", () -> tables(study));
            if (writeUp != null) return writeUp(run, tables, reasons);
            Path report = out != null ? out : directory.resolve("report");
            write(report, tables, timed("draw", () -> page(study, tables, reasons)));
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
                Run run = Run.read(file);
                try (var findings = readFindings(run, file.toRealPath().getParent())) {
                    sentences(Gates.check(findings)).forEach(reason -> reasons.add(run.id() + ": " + reason));
                    var verdicts = new Verdicts(findings);
                    for (var stream : findings.streams) for (var measure : Verdicts.Measure.values()) {
                        var names = List.of(stream.workload.name(), stream.variant.name(), measure.column());
                        estimates.computeIfAbsent(names, _ -> new ArrayList<>())
                                .add(verdicts.estimate(stream, measure));
                    }
                }
            }
            estimates.forEach((names, each) -> {
                var known = each.stream()
                        .filter(Statistics.Interval.class::isInstance).map(Statistics.Interval.class::cast).toList();
                var together = Statistics.across(known);
                String eachTold = each.stream().map(Words::of).collect(Collectors.joining("; "));
                table.row(input.label(), names.get(0), names.get(1), names.get(2), eachTold, Words.of(together.across()))
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
        if (writeUp != null || check) throw bad("only a run can be written up", "name a run.json");
        var choice = new Grouping.Choice(by, metric, from, to);
        try (var reading = read(inputs.stream().map(Input::shards).toList(), choice.query())) {
            requireK6(reading);
            var notes = notes(reading, inputs);
            var grouping = Grouping.of(reading, choice, inputs.stream().map(Input::label).toList());
            var reasons = sentences(Gates.check(reading));
            var tables = timed("compute", grouping::tables);
            Path report = out != null ? out : Path.of(inputs.getFirst().reportName());
            write(report, tables, timed("draw", () -> page(grouping, notes, tables, reasons)));
            return print(tables, reasons, report);
        } catch (IllegalArgumentException nothingToShow) {
            throw bad(nothingToShow.getMessage(), "./jbang analyze.java inspect FILE shows what there is");
        }
    }

    private static void requireK6(K6Reader.Reading reading) {
        if (reading.shards().stream().anyMatch(K6Reader.Shard::isK6)) return;
        for (var shard : reading.shards()) if (shard.cut() != null) {
            throw bad(shard.path() + ": " + shard.cut(), "k6 run --out json=FILE.gz writes what is read here");
        }
        boolean empty = reading.shards().stream().allMatch(shard -> shard.bytes() == 0);
        String names = reading.shards().stream().map(shard -> shard.path().toString()).collect(Collectors.joining(", "));
        throw bad(names + (empty ? " is empty" : " is not k6's JSON output"),
                "k6 run --out json=FILE writes it; --summary-export writes something else");
    }

    /** What was read, and what the tables can't show of it, a sentence each. */
    private static List<String> notes(K6Reader.Reading reading, List<Input> inputs) {
        var notes = new ArrayList<String>();
        for (var input : inputs) {
            String names = input.paths().stream().map(Path::toString).collect(Collectors.joining(", "));
            notes.add((input.label().isEmpty() ? "" : input.label() + ": ") + names
                    + (input.paths().size() > 1 ? ", read as the shards of one run" : ""));
        }
        for (String tag : reading.folded()) {
            notes.add("Tag '%s' has more than %d values: they are one group, %s."
                    .formatted(tag, Grouping.MOST_TAG_VALUES, K6Reader.OTHER));
        }
        if (notes.size() > 1 || inputs.getFirst().paths().size() > 1) notes.forEach(Cli::say);
        return notes;
    }

    // ==== Read ====

    /** One label on the command line and the files behind it. */
    record Input(String label, List<Path> paths) {
        boolean isRun() {
            Path file = paths.getFirst().getFileName();
            return file != null && file.toString().equals("run.json");
        }

        K6Reader.Input shards() { return new K6Reader.Input(label, paths.toArray(Path[]::new)); }

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
            String label = equals < 0 ? "" : argument.substring(0, equals), name = argument.substring(equals + 1);
            if (name.isEmpty()) throw bad("'" + argument + "' names no file", "write LABEL=FILE");
            for (Path path : files(Path.of(name))) {
                var paths = labelled.computeIfAbsent(label, _ -> new ArrayList<>());
                for (Path other : paths) if (isSame(path, other)) {
                    throw bad(path + " is named twice" + (other.equals(path) ? "" : ", also as " + other), "it would be counted twice: name it once");
                }
                paths.add(path);
            }
        }
        return labelled.entrySet().stream().map(input -> new Input(input.getKey(), input.getValue())).toList();
    }

    /** A file may have many names; standard input has one. */
    private static boolean isSame(Path one, Path other) throws IOException {
        return one.equals(other) || Files.exists(one) && Files.exists(other) && Files.isSameFile(one, other);
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
            var all = files.filter(Files::isRegularFile).sorted().toList();
            var found = named(all, ".*\\.(json|ndjson)(\\.gz)?");
            // A run's cells: records of other kinds lie beside k6's, and a warm-up is no measurement.
            var cells = named(found, ".*\\.k6\\.json\\.gz");
            if (!cells.isEmpty()) found = named(cells, "(?!000-).*");
            if (found.isEmpty()) {
                throw bad("there is no k6 file in " + path, "k6 run --out json=FILE.json.gz writes one");
            }
            return found;
        }
    }

    private static List<Path> named(List<Path> files, String pattern) {
        return files.stream().filter(file -> file.getFileName().toString().matches(pattern)).toList();
    }

    /** Before there is a run of one's own, there is the published one. */
    private static Path newestRun(Path link) {
        Path published = Path.of("data/published/run.json");
        if (Files.exists(link)) return link;
        if (!Files.exists(published)) throw bad("there is no " + link, "name a run.json, or a file that k6 wrote");
        Cli.say("there is no run yet (./jbang experiment.java makes one); this is the published one");
        return published;
    }

    private Findings readFindings(Run run, Path directory) throws IOException {
        var began = Instant.now();
        try (var progress = new Cli.Progress("read")) {
            var findings = Findings.read(run, directory,
                    (done, total) -> progress.show(() -> readSoFar(done, total, began)));
            tellTimings(findings.reading);
            tellTiming("join", Duration.between(began, Instant.now()).minus(findings.reading.elapsed()), "");
            return findings;
        }
    }

    private K6Reader.Reading read(List<K6Reader.Input> inputs, K6Reader.Query query) throws IOException {
        var began = Instant.now();
        try (var progress = new Cli.Progress("read")) {
            var reading = K6Reader.read(inputs, query,
                    (done, total) -> progress.show(() -> readSoFar(done, total, began)));
            tellTimings(reading);
            return reading;
        }
    }

    private void tellTimings(K6Reader.Reading reading) {
        long bytes = reading.shards().stream().mapToLong(K6Reader.Shard::bytes).sum();
        tellTiming("read", reading.elapsed(), ", " + bytes + " bytes");
    }

    private void tellTiming(String step, Duration took, String more) {
        if (timings) Cli.say(String.format(Locale.ROOT, "timings  %s %.3f s%s", step, took.toNanos() / 1e9, more));
    }

    private interface Step<T> { T take() throws IOException; }

    private <T> T timed(String name, Step<T> step) throws IOException {
        long startNs = System.nanoTime();
        T result = step.take();
        tellTiming(name, Duration.ofNanos(System.nanoTime() - startNs), "");
        return result;
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
    private static List<String> sentences(List<Gates.Checked> checked) {
        return checked.stream().filter(Gates.Checked::isRaised).map(Words::of).toList();
    }

    // ==== Compute: the tables of a run ====

    /** What a run measured, what may be said of its differences, and what it says of cost. */
    private record Study(Findings findings, Verdicts verdicts, RunCost cost) {
        Study(Findings findings) { this(findings, new Verdicts(findings), new RunCost(findings)); }

        Run run() { return findings.run; }
    }

    private static SequencedMap<String, Table> tables(Study study) throws IOException {
        var findings = study.findings();
        var run = study.run();
        var tables = new LinkedHashMap<String, Table>();
        tables.put("latency", latency(findings.streams));
        for (var workload : run.plan().workloads()) {
            tables.put("standard-or-lmi-" + workload.name(), standardOrLmi(workload, findings.streams));
        }
        tables.put("errors", errors(findings.streams));
        tables.put("throughput", throughput(findings.streams));
        tables.put("cold-starts", coldStarts(findings));
        tables.put("resources", resources(findings));
        for (var workload : run.plan().workloads()) {
            tables.put("verdicts-" + workload.name(),
                    verdicts("Verdicts, judged together", study, workload, Verdicts.Measure.PRIMARY));
            if (run.plan().claims()) tables.put("verdicts-" + workload.name() + "-secondary",
                    verdicts("Secondary verdicts, each judged alone", study, workload, Verdicts.Measure.SECONDARY));
        }
        if (run.plan().claims()) {
            tables.put("cold-start-verdicts", coldStartVerdicts(study));
            tables.put("smallest-findings", smallestFindings(study));
            tables.put("intervals", intervals(study));
            tables.put("noise", noise(study));
            tables.put("drift", drift(study));
            tables.put("changes", changes(study));
        }
        tables.put("break-even", breakEven(study));
        tables.put("discounts", discounts(study));
        tables.put("per-million", perMillion(study));
        tables.put("headroom", headroom(study));
        tables.put("cost-items", costItems(study));
        tables.put("as-run", asRun(study));
        return tables;
    }

    private static Table latency(List<Findings.Stream> streams) {
        var table = new Tables.Rows("workload", "variant").counts("n")
                .figures(Grouping.FIGURES.subList(1, Grouping.FIGURES.size()));
        for (var stream : streams) {
            table.row(stream.workload.name(), stream.variant.name());
            double[] figures = stream.latencies().map(Grouping::figures).orElse(new double[0]);
            table.count("n", figures.length == 0 ? 0 : (long) figures[0]);
            for (int i = 1; i < figures.length; i++) table.figure(Grouping.FIGURES.get(i), figures[i]);
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
                    .set(stream.variant.lmi() ? 1 : 0, Grouping.figures(stream.latencies().get()));
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

    private static Table coldStarts(Findings findings) {
        var table = new Tables.Rows("variant").counts("n").figures(List.of("min [ms]", "p50 [ms]", "max [ms]"));
        for (var variant : findings.run.plan().variants()) {
            var cold = findings.cold(variant);
            table.row(variant.name()).count("n", cold.map(K6Reader.Series::count).orElse(0L));
            cold.ifPresent(all -> table.figure("min [ms]", all.min()).figure("p50 [ms]", all.percentiles(.5)[0])
                    .figure("max [ms]", all.max()));
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

    private static final List<Verdicts.Measure> MEASURES = List.of(Verdicts.Measure.values());

    /** A table with texts first and then a text for each of the measures. */
    private static Tables.Rows ofMeasures(
            List<Verdicts.Measure> measures, Function<Verdicts.Measure, String> title, String... texts) {
        return new Tables.Rows(Stream.concat(Stream.of(texts), measures.stream().map(title)).toArray(String[]::new));
    }

    private static String[] cells(Stream<String> told, String... texts) {
        return Stream.concat(Stream.of(texts), told).toArray(String[]::new);
    }

    private static Table intervals(Study study) {
        var table = ofMeasures(MEASURES, Verdicts.Measure::column, "workload", "variant").counts("blocks");
        for (var stream : study.findings().streams) {
            var told = MEASURES.stream().map(measure -> Words.of(study.verdicts().estimate(stream, measure)));
            table.row(cells(told, stream.workload.name(), stream.variant.name())).count("blocks", stream.slots.size());
        }
        return table.table("95 % intervals that hold for correlated requests; a block is a round's slot");
    }

    private static Table verdicts(
            String title, Study study, Run.Workload workload, List<Verdicts.Measure> measures) {
        var answers = study.verdicts().of(workload);
        var table = ofMeasures(measures, measure -> measure.title, "of");
        for (var pair : study.verdicts().pairs) {
            table.row(cells(measures.stream()
                    .map(measure -> Words.of(answers.get(measure).get(pair), measure).toString()), Words.of(pair)));
        }
        boolean claims = study.run().plan().claims();
        return table.table(title + ": " + workload.name() + (claims ? "" : ". This profile claims nothing"));
    }

    /** Environments start once, in no round, so their first answers are compared as two samples. */
    private static Table coldStartVerdicts(Study study) {
        var table = new Tables.Rows("of", "first answer").counts("n", "against n");
        study.verdicts().ofColdStarts().forEach((pair, verdict) -> table
                .row(Words.of(pair), Words.of(verdict, Verdicts.Measure.P50).toString())
                .count("n", study.verdicts().coldMs(pair.candidate()).length)
                .count("against n", study.verdicts().coldMs(pair.baseline()).length));
        return table.table("Verdicts on first answers of cold environments, whatever they were asked for");
    }

    /** What a run could not have seen, it cannot deny. */
    private static Table smallestFindings(Study study) {
        Function<Verdicts.Measure, String> column =
                measure -> measure.title + (measure == Verdicts.Measure.ERRORS ? " [points]" : " [%]");
        var table = new Tables.Rows("workload", "of").figures(MEASURES.stream().map(column).toList());
        for (var workload : study.run().plan().workloads()) for (var pair : study.verdicts().pairs) {
            table.row(workload.name(), Words.of(pair));
            for (var measure : MEASURES) {
                double found = study.verdicts().smallestFinding(workload, measure, pair);
                table.figure(column.apply(measure), 100 * found);
            }
        }
        return table.table("The smallest difference that this run would have found four times in five");
    }

    /** The A/A twin: the same function deployed twice. What these two differ by is noise. */
    private static Table noise(Study study) {
        var table = ofMeasures(MEASURES, measure -> measure.title, "workload");
        for (var workload : study.run().plan().workloads()) {
            var told = MEASURES.stream().map(measure -> Words.of(study.verdicts().noise(workload, measure)));
            table.row(cells(told, workload.name()));
        }
        return table.table("Noise: the A/A twin against its original");
    }

    private static Table drift(Study study) {
        var table = new Tables.Rows("workload", "variant", "p50 [ms an hour]").counts("cells");
        for (var stream : study.findings().streams) {
            table.row(stream.workload.name(), stream.variant.name(), Words.of(Verdicts.drift(stream)))
                    .count("cells", stream.measuredSlots().size());
        }
        return table.table("Drift during the run");
    }

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
            table.row(choice.workload().name(), choice.language(), answer.layout().instanceType(), Words.of(answer))
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

    /**
     * What a function pays for LMI's compute, with a capacity provider of its own and with one that all share: at the
     * measured rate, at the break-even, where standard costs the same, and for requests more once the fleet is full.
     */
    private static Table perMillion(Study study) {
        var tariff = study.cost().tariff(Cost.Discount.NONE);
        var table = new Tables.Rows(
                "workload", "language", "capacity provider", "fleet at the measured rate", "break-even on")
                .figures(List.of("measured [1/s]", "there LMI costs [USD]", "break-even [1/s]",
                        "there both cost [USD]", "LMI, one more million [USD]"));
        int all = study.cost().lmiFunctions();
        for (var choice : study.cost().choices()) for (int functions : all > 1 ? new int[] {1, all} : new int[] {1}) {
            var answer = choice.breakEven(tariff, functions);
            double measured = choice.measuredPerSecond(), breakEven = answer.perSecond().value();
            var layout = choice.cheapest(tariff, functions, measured);
            table.row(choice.workload().name(), choice.language(),
                            functions == 1 ? "its own" : "shared by " + functions,
                            layout.instances(tariff, choice.demand(), measured) + " " + layout.instanceType(),
                            answer.layout().instanceType())
                    .figure("measured [1/s]", measured)
                    .figure("there LMI costs [USD]", choice.lmiUsdPerMillion(tariff, layout, measured))
                    .figure("break-even [1/s]", breakEven).figure("there both cost [USD]",
                            Double.isInfinite(breakEven) ? Double.NaN : answer.standardUsdPerMillion())
                    .figure("LMI, one more million [USD]", answer.lmiUsdPerMillion());
        }
        return table.table("LMI's compute for a million requests, at a rate that lasts all month"
                + modelled(study.run()));
    }

    /** How far beyond what was measured the break-even reaches. */
    private static Table headroom(Study study) {
        var table = new Tables.Rows("workload", "language").figures(List.of("environments", "measured [1/s]",
                "CPU [%]", "p95 [ms]", "at break-even [1/s]", "at break-even / measured", "full [1/s]",
                "full / measured"));
        for (var choice : study.cost().choices()) {
            var load = study.cost().headroom(choice);
            table.row(choice.workload().name(), choice.language())
                    .figure("environments", load.environments()).figure("measured [1/s]", load.measured())
                    .figure("CPU [%]", 100 * load.cpuShare()).figure("p95 [ms]", load.p95Ms())
                    .figure("at break-even [1/s]", load.atBreakEven())
                    .figure("at break-even / measured", load.atBreakEven() / load.measured())
                    .figure("full [1/s]", load.full()).figure("full / measured", load.full() / load.measured());
        }
        return table.table(("Load of one LMI environment: as measured, at the break-even, and full, "
                + "which is %s %% of its CPU or of its slots%s")
                        .formatted(Tables.figure(100 * Cost.UTILIZATION), modelled(study.run())));
    }

    /** What a million requests cost and each item's share; on LMI with a capacity provider of the function's own. */
    private static Table costItems(Study study) {
        var bills = new LinkedHashMap<Findings.Stream, Cost.Bill>();
        for (var stream : study.findings().streams) {
            study.cost().million(stream).ifPresent(bill -> bills.put(stream, bill));
        }
        var items = bills.values().stream().flatMap(bill -> bill.items().stream())
                .map(item -> item.name() + " [%]").distinct().toList();
        var table = new Tables.Rows("workload", "variant").figures(List.of("USD per million")).figures(items);
        bills.forEach((stream, bill) -> {
            table.row(stream.workload.name(), stream.variant.name()).figure("USD per million", bill.totalUsd());
            for (var item : bill.items()) table.figure(item.name() + " [%]", 100 * bill.share(item));
        });
        return table.table("A million requests and each item's share; on LMI at the measured rate"
                + modelled(study.run()));
    }

    /** What the run itself cost, item by item; what has no price says why. */
    private static Table asRun(Study study) throws IOException {
        var asRun = study.cost().asRun();
        boolean isEstimated = !Double.isNaN(asRun.estimatedUsd());
        var table = new Tables.Rows("item", "unit").figures(List.of("quantity", "USD a unit", "USD", "share [%]"))
                .figures(isEstimated ? List.of("estimated [USD]") : List.of());
        var notes = new LinkedHashMap<>(asRun.notes());
        for (var item : asRun.bill().items()) {
            String note = notes.remove(item.name());
            table.row(item.name() + (note == null ? "" : ": " + note), item.unit())
                    .figure("quantity", item.quantity()).figure("USD a unit", item.unitPriceUsd())
                    .figure("USD", item.usd()).figure("share [%]", 100 * asRun.bill().share(item));
        }
        notes.forEach((item, why) -> table.row(item + ": " + why, ""));
        table.row("in all", "").figure("USD", asRun.bill().totalUsd()).figure("share [%]", 100);
        if (isEstimated) table.figure("estimated [USD]", asRun.estimatedUsd());
        return table.table(!study.run().isLocal() ? "What this run cost"
                : "What this run, without store and the warm-up's requests, would have cost on AWS"
                        + modelled(study.run()));
    }

    // ==== Draw ====

    private static String page(Study study, SequencedMap<String, Table> tables, List<String> reasons)
            throws IOException {
        var run = study.run();
        var streams = study.findings().streams;
        var page = new Page(
                "Lambda: " + String.join(", ", run.plan().languages()) + ", standard and Managed Instances");
        page.banner(reasons);
        caveats(run).forEach(page::text);
        var medians = medians(run, tables);
        page.text(medians.name()).table(medians);
        for (var workload : run.plan().workloads()) {
            var these = streams.stream()
                    .filter(stream -> stream.workload.equals(workload) && stream.latencies().isPresent()).toList();
            String query = workload.query().entrySet().stream().map(Object::toString).collect(Collectors.joining("&"));
            page.section(workload.name() + (query.isEmpty() ? "" : "?" + query));
            page.table(tables.get("standard-or-lmi-" + workload.name()));
            if (run.plan().claims()) for (String family : List.of("", "-secondary")) {
                var verdicts = tables.get("verdicts-" + workload.name() + family);
                page.text(verdicts.name()).table(verdicts);
            }
            var lines = new ArrayList<>(these.stream().map(stream -> overTime(stream, run)).toList());
            if (run.plan().claims()) for (var stream : these) lines.addAll(changeMarks(stream, study));
            page.lines("Latency over the run", "minutes since the start", "p50 of a cell [ms]", lines,
                    "A point is the median of one cell. Lines that stay level and apart are a difference; lines that "
                    + "rise or fall together are the machine. An upright line marks a change of level.");
            distributions(page, "latency [ms]", these.stream().map(stream -> new Distribution(stream.variant.name(),
                    stream.variant.lmi(), stream.latencies().get().percentiles(Grouping.DRAWN))).toList());
        }
        page.section("Cost" + modelled(run));
        page.text(ruleOfThumb(study.cost())).table(tables.get("break-even"));
        for (var workload : run.plan().workloads()) costCurves(study, workload, page);
        var sentences = new LinkedHashMap<String, String>();
        sentences.put("per-million", "Functions that share a capacity provider share its smallest fleet, of instances "
                + "that hold an environment of each.");
        sentences.put("headroom", "What lies beyond the measured load is arithmetic: nobody has seen the p95 there.");
        sentences.put("discounts", "∞ is never.");
        sentences.put("cost-items", "What costs the same everywhere, such as the REST API, decides nothing.");
        sentences.put("as-run", "LMI's instances are paid from the run's start to its end, asked or not.");
        sentences.forEach((name, sentence) ->
                page.text(tables.get(name).name() + ". " + sentence).table(tables.get(name)));
        page.section("Tables");
        tables.forEach((name, table) -> {
            boolean shownAbove = name.matches("(standard-or-lmi|verdicts)-.*|break-even")
                    || sentences.containsKey(name);
            if (!shownAbove) page.text(table.name()).table(table);
        });
        page.section("How it was measured");
        origin(run).forEach(page::text);
        return page.html();
    }

    private static void costCurves(Study study, Run.Workload workload, Page page) {
        var tariff = study.cost().tariff(Cost.Discount.NONE);
        var lines = new ArrayList<Page.Line>();
        for (var choice : study.cost().choices()) {
            if (!choice.workload().equals(workload)) continue;
            var points = Cost.curve(tariff, choice.breakEven(tariff).layout(), choice.demand(),
                    CURVE_FROM_PER_SECOND, CURVE_TO_PER_SECOND, CURVE_POINTS);
            double[] rates = points.stream().mapToDouble(Cost.Point::perSecond).toArray();
            double[] standardUsd = points.stream().mapToDouble(Cost.Point::standardUsd).toArray();
            double[] lmiUsd = points.stream().mapToDouble(Cost.Point::lmiUsd).toArray();
            lines.add(new Page.Line(choice.language() + "-standard", rates, standardUsd, false));
            lines.add(new Page.Line(choice.language() + "-lmi", rates, lmiUsd, true));
        }
        if (lines.isEmpty()) return;
        lines.add(ruleOfThumbMarks(study.cost().prices.ruleOfThumb(), lines));
        String heading = "Compute for a month: " + workload.name() + modelled(study.run());
        page.logarithmicLines(heading, "requests/s, all month", "USD a month", lines,
                "Standard rises with every request; LMI begins with its smallest fleet and rises by instances. "
                + "Where the dashed line falls below the solid one of the same colour, LMI is the cheaper. "
                + "AWS's rule of thumb expects that between the upright lines.");
    }

    /** One line that rises where AWS's rule begins and falls where it ends, as high as the others reach. */
    private static Page.Line ruleOfThumbMarks(Cost.RuleOfThumb rule, List<Page.Line> lines) {
        var usd = lines.stream().flatMapToDouble(line -> Arrays.stream(line.y())).summaryStatistics();
        double from = rule.fromRequestsPerMonth() / Cost.SECONDS_PER_MONTH;
        double to = rule.toRequestsPerMonth() / Cost.SECONDS_PER_MONTH;
        return new Page.Line("AWS's rule of thumb", new double[] {from, from, to, to},
                new double[] {usd.getMin(), usd.getMax(), usd.getMax(), usd.getMin()}, false);
    }

    /** AWS's own rule, for a reader to hold the run's answer against. */
    private static String ruleOfThumb(RunCost cost) {
        var rule = cost.prices.ruleOfThumb();
        return ("AWS's own rule of thumb: LMI from %s to %s million requests a month on (%s). "
                + "Prices: %s.").formatted(
                Tables.figure(rule.fromRequestsPerMonth() / 1e6), Tables.figure(rule.toRequestsPerMonth() / 1e6),
                cost.prices.sources().get(rule.source()).title(), cost.pricesUsed());
    }

    private static Page.Line overTime(Findings.Stream stream, Run run) {
        long startNs = K6Reader.nanos(run.started());
        var slots = stream.measuredSlots();
        double[] minutes = slots.stream().mapToDouble(slot -> (slot.warm.firstNs() - startNs) / 60e9).toArray();
        double[] medians = slots.stream().mapToDouble(slot -> slot.warm.percentiles(.5)[0]).toArray();
        return new Page.Line(stream.variant.name(), minutes, medians, stream.variant.lmi());
    }

    /** An upright line from the level before a change to the level after it. */
    private static List<Page.Line> changeMarks(Findings.Stream stream, Study study) {
        long startNs = K6Reader.nanos(study.run().started());
        return study.verdicts().changes(stream).stream().map(change -> {
            double minute = (stream.measuredSlots().get(change.block()).warm.firstNs() - startNs) / 60e9;
            double[] minutes = {minute, minute}, levels = {change.before(), change.after()};
            return new Page.Line(stream.variant.name() + " changes", minutes, levels, false);
        }).toList();
    }

    /** The percentiles of one line's values at {@link Grouping#DRAWN}. */
    private record Distribution(String name, boolean dashed, double[] percentiles) {
        private static final int LAST = Grouping.DRAWN.length - 1;

        /** All but the maximum, which lies at infinity on a percentile curve's axis. */
        Page.Line curve() {
            double[] percents = Arrays.stream(Grouping.DRAWN).limit(LAST).map(p -> 100 * p).toArray();
            return new Page.Line(name, percents, Arrays.copyOf(percentiles, LAST), dashed);
        }

        /** p0, p1 … p100: a hundred steps are finer than the eye. */
        double[] box() {
            double[] hundredths = Arrays.copyOf(percentiles, 101);
            hundredths[100] = percentiles[LAST];
            return hundredths;
        }
    }

    private static void distributions(Page page, String yTitle, List<Distribution> distributions) {
        page.percentileCurves("Percentile curve", yTitle, distributions.stream().map(Distribution::curve).toList(),
                "How slow the slowest share is. Curves that cross say that the faster one depends on whom you ask: "
                + "the median user or the unlucky one.");
        var boxes = new LinkedHashMap<String, double[]>();
        distributions.forEach(one -> boxes.put(one.name, one.box()));
        page.boxes("Spread", yTitle, boxes,
                "The box holds the middle half, the line in it is the median. "
                + "Boxes that overlap are no proof of a difference, nor of none.");
    }

    private static String page(Grouping grouping, List<String> notes, SequencedMap<String, Table> tables,
                               List<String> reasons) throws IOException {
        String unit = grouping.inUnit();
        var page = new Page(grouping.metric() + " by " + String.join(", ", grouping.tags()));
        page.banner(reasons);
        notes.forEach(page::text);
        for (String first : List.of("overview", "comparison")) {
            if (tables.containsKey(first)) page.text(tables.get(first).name()).table(tables.get(first));
        }
        var drawn = grouping.groups().stream().filter(group -> group.good().isPresent()).limit(MOST_LINES).toList();
        if (drawn.size() < grouping.groups().size()) {
            page.text("The plots show the %d most frequent of %d groups; the tables have them all."
                    .formatted(drawn.size(), grouping.groups().size()));
        }
        page.section("Over time");
        String block = Tables.figure(grouping.blockNs() / 1e9) + " s";
        overTime(grouping, drawn).forEach((name, lines) -> page.lines(
                name + " over time", "seconds since the first sample", name + " of " + block + unit, lines,
                "A point is the " + name + " of the samples in " + block + "; a percentile's is to within 0.2 %. "
                + "A step is a change; a slope is a drift."));
        if (grouping.type() == Grouping.Type.TREND) {
            page.section("Distribution");
            distributions(page, grouping.metric() + unit, drawn.stream()
                    .map(group -> new Distribution(name(group), false, group.percentiles())).toList());
        }
        page.section("Tables");
        tables.forEach((name, table) -> {
            if (!name.matches("overview|comparison")) page.text(table.name()).table(table);
        });
        return page.html();
    }

    private static String name(Grouping.Group group) {
        return Stream.concat(Stream.of(group.label()), group.values().stream())
                .filter(part -> !part.isEmpty()).collect(Collectors.joining(" "));
    }

    /**
     * A line for each group, by what it shows; each label's time begins with its own first sample. One group's blocks
     * at a time, as a block is a histogram.
     */
    private static SequencedMap<String, List<Page.Line>> overTime(Grouping grouping, List<Grouping.Group> groups) {
        var shown = new LinkedHashMap<String, ToDoubleFunction<K6Reader.Block>>();
        switch (grouping.type()) {
            case TREND -> {
                shown.put("p50", block -> block.histogram.quantile(.5));
                shown.put("p95", block -> block.histogram.quantile(.95));
            }
            case RATE, GAUGE -> shown.put("mean", K6Reader.Block::mean);
            case COUNTER -> shown.put("sum", K6Reader.Block::sum);
        }
        var lines = new LinkedHashMap<String, List<Page.Line>>();
        for (var group : groups) {
            long firstBlock = Math.floorDiv(grouping.firstNs(group.label()), grouping.blockNs());
            var blocks = group.good().get().blocks();
            double[] seconds = blocks.keySet().stream()
                    .mapToDouble(block -> (block - firstBlock) * (grouping.blockNs() / 1e9)).toArray();
            shown.forEach((name, figure) -> lines.computeIfAbsent(name, _ -> new ArrayList<>()).add(new Page.Line(
                    name(group), seconds, blocks.values().stream().mapToDouble(figure).toArray(), false)));
        }
        return lines;
    }

    /** What was done, with what and on what. */
    private static List<String> origin(Run run) {
        var plan = run.plan();
        String dirty = run.environment("git", "dirty").equals(Optional.of(true)) ? " (with uncommitted changes)" : "";
        return List.of(String.format(Locale.ROOT,
                "Run %s, profile %s: %d cells, %d rounds, %s, %s s settling and %s s measured each, seed %d.",
                run.id(), plan.profile(), plan.order().size(), plan.rounds(), plan.design(),
                Tables.figure(plan.settleSeconds()), Tables.figure(plan.measureSeconds()), plan.seed()),
                "Made with commit %s%s, k6 %s, on %s (%s cores, %s MB), %s.".formatted(
                known(run, "git", "commit"), dirty, known(run, "tools", "k6"), known(run, "machine", "cpu"),
                known(run, "machine", "cores"), known(run, "machine", "memoryMb"), known(run, "machine", "system")));
    }

    private static Object known(Run run, String... path) { return run.environment(path).orElse("unknown"); }

    /** What a reader must know of a run before its figures, a sentence each. */
    private static List<String> caveats(Run run) {
        var sentences = new ArrayList<String>();
        if (run.isLocal()) {
            sentences.add("Measured on one machine, with the functions on one core: these are no figures of AWS's.");
        }
        if (!run.plan().claims()) {
            sentences.add("This profile is too short to claim any difference; it is a look at everything.");
        }
        if (run.published() != null) sentences.add("Published copy: " + run.published() + ".");
        sentences.addAll(run.warnings());
        return sentences;
    }

    // ==== Write ====

    /** Each file takes its earlier one's place when it is complete. */
    private static void write(Path report, SequencedMap<String, Table> tables, String html) throws IOException {
        try {
            Files.createDirectories(report);
        } catch (IOException cannot) {
            throw bad("the directory " + report + " can't be made: " + cannot, "name another one with --out");
        }
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
        tables.forEach((name, table) -> {
            int more = table.rowCount() - MOST_ROWS_PRINTED;
            System.out.println("\n" + table.name() + "\n\n"
                    + Tables.markdown(more <= 0 ? table : table.first(MOST_ROWS_PRINTED)));
            if (more > 0) System.out.println(more + " more rows in " + report.resolve(name + ".csv"));
        });
        System.out.println("page     " + report.resolve("index.html"));
        return reasons.isEmpty() ? Cli.DONE : NOT_VALID;
    }

    /** Puts each table between its markers; prose around them stays. */
    private int writeUp(Run run, SequencedMap<String, Table> tables, List<String> reasons) throws IOException {
        String before = Files.readString(writeUp);
        var texts = new LinkedHashMap<String, String>();
        var notValid = reasons.stream().map(reason -> "**This run is not valid:** " + reason);
        texts.put("provenance", Stream.of(notValid, origin(run).stream(), caveats(run).stream()).flatMap(lines -> lines)
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

    /** The answer as the README shows it: the medians side by side, and the verdicts where the run claims any. */
    private static String headline(Run run, SequencedMap<String, Table> tables) {
        var shown = new ArrayList<>(List.of(medians(run, tables)));
        if (run.plan().claims()) for (var measure : Verdicts.Measure.PRIMARY) shown.add(verdicts(measure, run, tables));
        return String.join(" ", caveats(run)) + "\n\n" + shown.stream()
                .map(table -> table.name() + ":\n\n" + Tables.markdown(table)).collect(Collectors.joining("\n"));
    }

    /** The verdicts on one measure, all workloads side by side. */
    private static Table verdicts(Verdicts.Measure measure, Run run, SequencedMap<String, Table> tables) {
        var workloads = run.plan().workloads().stream().map(Run.Workload::name).toList();
        var columns = new ArrayList<StringColumn>();
        for (String workload : workloads) {
            var verdicts = tables.get("verdicts-" + workload);
            if (columns.isEmpty()) columns.add(verdicts.stringColumn("of").copy());
            columns.add(verdicts.stringColumn(measure.title).copy().setName(workload));
        }
        return Table.create("Which differences of " + measure.title + " hold", columns.toArray(StringColumn[]::new));
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
        return medians.table("Median latency of correct warm answers [ms]");
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
            for (Path file : files) if (!file.toString().equals("-") && !Files.isRegularFile(file)) {
                throw bad("there is no file " + file, "name a file that k6 wrote");
            }
            var inputs = List.of(new K6Reader.Input("", files.toArray(Path[]::new)));
            try (var reading = K6Reader.read(inputs, K6Reader.Query.by(), (_, _) -> {})) {
                requireK6(reading);
                var metrics = new Tables.Rows("metric", "type", "contains", "first", "last").counts("samples");
                for (var series : reading.series()) {
                    var declared = reading.metrics().get(series.metric);
                    String type = declared == null ? "" : declared.type();
                    String contains = declared == null ? "" : declared.contains();
                    metrics.row(series.metric, type, contains, K6Reader.instant(series.firstNs()).toString(),
                            K6Reader.instant(series.lastNs()).toString()).count("samples", series.count());
                }
                var tags = new Tables.Rows("tag", "values, with their samples of all metrics");
                reading.census().forEach((tag, values) -> tags.row(
                        tag, values == null ? "more than " + Grouping.MOST_TAG_VALUES : mostFrequent(values)));
                System.out.println(Tables.markdown(metrics.table("")) + "\n" + Tables.markdown(tags.table("")));
                var reasons = sentences(Gates.check(reading));
                reasons.forEach(reason -> System.out.println("NOT VALID: " + reason));
                return reasons.isEmpty() ? Cli.DONE : NOT_VALID;
            }
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
