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
//SOURCES kit/judge/Findings.java
//SOURCES kit/judge/Gates.java
//SOURCES kit/judge/Grouping.java
//SOURCES kit/read/Inputs.java
//SOURCES kit/read/K6Reader.java
//SOURCES kit/read/Names.java
//SOURCES kit/record/Disk.java
//SOURCES kit/record/Run.java
//SOURCES kit/report/Exhibit.java
//SOURCES kit/report/Exhibits.java
//SOURCES kit/report/InspectTables.java
//SOURCES kit/report/Markers.java
//SOURCES kit/report/Page.java
//SOURCES kit/report/Provenance.java
//SOURCES kit/report/SeveralRuns.java
//SOURCES kit/report/Tables.java
//SOURCES kit/report/Words.java

import module java.base;
import picocli.CommandLine;
import picocli.CommandLine.*;

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

    /** A terminal's screen; the CSV has every row. */
    private static final int MOST_ROWS_PRINTED = 25;
    private static final int BAD_INPUT = 2, NOT_VALID = 3, STALE = 4;

    @Parameters(arity = "0..*", paramLabel = "[LABEL=]INPUT",
            description = "A run.json, a directory, k6's JSON plain or .gz, or - (default: data/run.json). "
                    + "Inputs with the same label are read as one.")
    List<String> arguments = List.of();
    @Option(names = "--by", split = ",", paramLabel = "TAG",
            description = "Group a k6 file by these tags (default: variant if there is one, else scenario and name).")
    List<String> by = List.of();
    @Option(names = "--metric", paramLabel = "NAME",
            description = "The metric to look at (default: answer_ms if there is one, else http_req_duration).")
    String metric;
    @Mixin Naming naming;
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
            description = "Write nothing; exit with 4 if the --write-up file differs from what the data say.")
    boolean check;
    @Option(names = "--timings", description = "Print how long each step took.")
    boolean timings;
    @Mixin Cli.Verbose verbose;

    /** How URLs become endpoints, whether a k6 file is analysed or inspected. */
    static final class Naming {
        @Option(names = "--exact-names",
                description = "Take url and name as they are (default: ids in their paths count as {id}).")
        boolean isExact;
        @Option(names = "--name", paramLabel = "REGEX=TEXT", converter = Rename.class,
                description = "Replace what REGEX matches in url and name by TEXT, once ids are {id}: '[?].*=' drops a query.")
        List<Names.Own> own = List.of();

        Names names() { return new Names(!isExact, own); }

        boolean isAsked() { return isExact || !own.isEmpty(); }
    }

    static final class Rename implements CommandLine.ITypeConverter<Names.Own> {
        @Override public Names.Own convert(String text) {
            int equals = text.lastIndexOf('=');
            if (equals <= 0) throw new CommandLine.TypeConversionException("'" + text + "' is not REGEX=TEXT");
            String regex = text.substring(0, equals), by = text.substring(equals + 1);
            try {
                Pattern.compile(regex + "|").matcher("").replaceAll(by); // Whether the text names a group that isn't there.
                return new Names.Own(Pattern.compile(regex), by);
            } catch (IllegalArgumentException | IndexOutOfBoundsException wrong) {
                String why = wrong.getMessage().lines().findFirst().orElse("");
                throw new CommandLine.TypeConversionException("'" + text + "' is not REGEX=TEXT: " + why);
            }
        }
    }

    /** A time as a person writes it on the command line. */
    static final class Time implements CommandLine.ITypeConverter<Instant> {
        @Override public Instant convert(String text) {
            try {
                return OffsetDateTime.parse(text).toInstant();
            } catch (DateTimeParseException notOne) {
                throw new CommandLine.TypeConversionException(
                        "'" + text + "' is not a time with a time zone, such as 2026-11-22T05:10:00Z or 2026-11-22T07:10:00+02:00");
            }
        }
    }

    // ==== The analysis ====

    public static void main(String... args) { System.exit(Cli.run(new Analyze(), args)); }

    @Override public Integer call() throws IOException {
        List<Inputs.Labelled> inputs = Inputs.of(arguments);
        if (writeUp == null) Page.prepare();
        if (inputs.stream().noneMatch(Inputs.Labelled::isRun)) return analyzeFiles(inputs);
        if (!inputs.stream().allMatch(Inputs.Labelled::isRun)) {
            throw bad("runs and k6 files can't be analysed together", "name only runs, or only k6 files");
        }
        if (!by.isEmpty() || metric != null || naming.isAsked() || from != null || to != null) {
            throw bad("with a run.json no option changes a number",
                    "drop --by, --metric, --name, --exact-names, --from and --to, or name the k6 files themselves");
        }
        var runs = inputs.stream().flatMap(input -> input.paths().stream()).toList();
        return runs.size() == 1 ? analyzeRun(runs.getFirst()) : analyzeRuns(inputs);
    }

    private int analyzeRun(Path runFile) throws IOException {
        Path directory = runFile.toRealPath().getParent();
        Run run = Run.read(runFile);
        try (var findings = readFindings(run, directory)) {
            var reasons = timed("check", () -> sentences(Gates.check(findings)));
            var exhibits = timed("compute", () -> Exhibits.ofRun(findings, reasons.isEmpty()));
            if (writeUp != null) return writeUp(run, exhibits, reasons);
            String title = "Lambda: " + String.join(", ", run.plan().languages()) + ", standard and Managed Instances";
            return show(new Report(title, reasons, Provenance.caveats(run), exhibits, Provenance.origin(run)),
                    directory.resolve("report"));
        }
    }

    private int analyzeFiles(List<Inputs.Labelled> inputs) throws IOException {
        if (writeUp != null || check) throw bad("only a run can be written up", "name a run.json");
        var choice = new Grouping.Choice(by, metric, naming.names(), from, to);
        try (var reading = read(inputs.stream().map(Inputs.Labelled::shards).toList(), choice.query())) {
            requireK6(reading);
            var notes = notes(reading, inputs);
            var grouping = Grouping.of(reading, choice, inputs.stream().map(Inputs.Labelled::label).toList());
            var reasons = sentences(Gates.check(reading));
            var exhibits = timed("compute", () -> Exhibits.ofFile(grouping));
            String title = grouping.metric() + " by " + String.join(", ", grouping.tags());
            return show(new Report(title, reasons, notes, exhibits, List.of()),
                    Path.of(inputs.getFirst().reportName()));
        } catch (Grouping.Empty empty) {
            throw bad(Words.of(empty.missing), "./jbang analyze.java inspect FILE shows what there is");
        } catch (IllegalArgumentException tooMuch) {
            throw bad(tooMuch.getMessage(), "./jbang analyze.java inspect FILE shows what there is");
        }
    }

    /** A run is one sample of its day: what several say together, label by label. */
    private int analyzeRuns(List<Inputs.Labelled> inputs) throws IOException {
        if (writeUp != null || check) throw bad("only one run can be written up", "name one run.json");
        var together = new SeveralRuns();
        var reasons = new ArrayList<String>();
        for (var input : inputs) for (Path file : input.paths()) {
            Run run = Run.read(file);
            try (var findings = readFindings(run, file.toRealPath().getParent())) {
                sentences(Gates.check(findings)).forEach(reason -> reasons.add(run.id() + ": " + reason));
                together.add(input.label(), findings);
            }
        }
        return show(new Report("Several runs", reasons, List.of(), Exhibits.ofRuns(together), List.of()),
                Path.of("runs-report"));
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
    private static List<String> notes(K6Reader.Reading reading, List<Inputs.Labelled> inputs) {
        var notes = new ArrayList<String>();
        for (var input : inputs) {
            String names = input.paths().stream().map(Path::toString).collect(Collectors.joining(", "));
            notes.add((input.label().isEmpty() ? "" : input.label() + ": ") + names
                    + (input.paths().size() > 1 ? ", read as the shards of one run" : ""));
        }
        for (var tag : reading.folded()) {
            notes.add("Tag '%s' has more than %d values, such as %s: they are one group, %s. %s"
                    .formatted(tag.tag(), Grouping.MOST_TAG_VALUES, String.join(", ", tag.examples()), K6Reader.OTHER,
                            Names.isOf(tag.tag()) ? "--name 'REGEX=TEXT' gives those that belong together one name."
                                    : "--by with other tags groups them."));
        }
        if (notes.size() > 1 || inputs.getFirst().paths().size() > 1) notes.forEach(Cli::say);
        return notes;
    }

    // ==== Read ====

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

    // ==== Draw ====

    /** All that is shown of what was read: what must be known first, the exhibits, and how they came to be. */
    private record Report(String title, List<String> reasons, List<String> notes, List<Exhibit> exhibits,
                          List<String> method) {
        String page() throws IOException {
            var page = new Page(title).banner(reasons);
            notes.forEach(page::text);
            page.exhibits(exhibits);
            if (!method.isEmpty()) page.section("How it was measured");
            method.forEach(page::text);
            return page.html();
        }

        /** The exhibits that are in the terminal and in a file of their own. */
        List<Exhibit> listed() { return exhibits.stream().filter(Exhibit::isListed).toList(); }
    }

    // ==== Write ====

    private int show(Report report, Path byDefault) throws IOException {
        Path directory = out != null ? out : byDefault;
        String page = timed("draw", report::page);
        if (!check) write(report, directory, page);
        return print(report, directory);
    }

    private static void write(Report report, Path directory, String page) {
        var files = new LinkedHashMap<Path, String>();
        for (var exhibit : report.listed()) {
            files.put(directory.resolve(exhibit.name() + ".csv"), Tables.csv(exhibit.table().orElseThrow()));
        }
        files.put(directory.resolve("index.html"), page);
        try {
            Files.createDirectories(directory);
            Disk.write(files);
        } catch (IOException cannot) {
            throw bad("the report can't be written: " + cannot.getMessage(), "make room, or name a place with --out");
        }
    }

    private int print(Report report, Path directory) {
        report.reasons().forEach(reason -> System.out.println("NOT VALID: " + reason));
        for (var exhibit : report.listed()) {
            var table = exhibit.table().orElseThrow();
            int more = table.rowCount() - MOST_ROWS_PRINTED;
            System.out.println("\n" + Cli.shown(exhibit.title()) + "\n\n"
                    + Tables.markdown(more <= 0 ? table : table.first(MOST_ROWS_PRINTED)));
            if (more > 0) System.out.println(more + " more rows in " + exhibit.name() + ".csv");
        }
        if (!check) System.out.println("page     " + directory.resolve("index.html"));
        return report.reasons().isEmpty() ? Cli.DONE : NOT_VALID;
    }

    // ==== Write up ====

    /** Puts each table between its markers; prose around them stays. */
    private int writeUp(Run run, List<Exhibit> exhibits, List<String> reasons) throws IOException {
        String before = Files.readString(writeUp);
        var texts = new LinkedHashMap<String, String>();
        var notValid = reasons.stream().map(reason -> "**This run is not valid:** " + reason);
        var caveats = Provenance.caveats(run);
        texts.put("provenance", Stream.of(notValid, Provenance.origin(run).stream(), caveats.stream())
                .flatMap(lines -> lines).map(line -> "- " + line + "\n").collect(Collectors.joining()));
        texts.put("headline", String.join(" ", caveats) + "\n\n" + exhibits.stream().filter(Exhibit::isDigest)
                .map(exhibit -> exhibit.title() + ":\n\n" + Tables.markdown(exhibit.table().orElseThrow()))
                .collect(Collectors.joining("\n")));
        for (var exhibit : exhibits) {
            exhibit.table().ifPresent(table -> texts.put(exhibit.name(), Tables.markdown(table)));
        }
        String after;
        try {
            after = Markers.filled(before, texts);
        } catch (IllegalArgumentException damaged) {
            throw bad(writeUp + ": " + damaged.getMessage(),
                    "a section is <!-- begin: NAME --> to <!-- end: NAME -->, each alone on a line; names are "
                            + String.join(", ", texts.keySet()));
        }
        if (check && !after.equals(before)) {
            String command = "./jbang analyze.java " + String.join(" ", arguments) + " --write-up " + writeUp;
            throw new Cli.Problem(STALE, writeUp + " is not what the data say", command + " writes it anew");
        }
        if (!check) Disk.write(writeUp, after);
        System.out.println(writeUp + (check ? " says what the data say" : " is written"));
        return reasons.isEmpty() ? Cli.DONE : NOT_VALID;
    }

    // ==== inspect ====

    @Command(name = "inspect", mixinStandardHelpOptions = true,
            description = "Shows which metrics, tags and tag values a k6 file has.")
    static final class Inspect implements Callable<Integer> {
        @Parameters(arity = "1..*", paramLabel = "FILE", description = "k6's JSON, plain or .gz, or -.")
        List<Path> files;
        @Mixin Naming naming;
        @Mixin Cli.Verbose verbose;

        @Override public Integer call() throws IOException {
            for (Path file : files) if (!file.toString().equals("-") && !Files.isRegularFile(file)) {
                throw bad("there is no file " + file, "name a file that k6 wrote");
            }
            var inputs = List.of(new K6Reader.Input("", files.toArray(Path[]::new)));
            try (var reading = K6Reader.read(inputs, K6Reader.Query.by().names(naming.names()), (_, _) -> {})) {
                requireK6(reading);
                InspectTables.of(reading).forEach(table -> System.out.println(Tables.markdown(table)));
                InspectTables.next(reading, files).forEach(command -> System.out.println("next     " + command));
                var reasons = sentences(Gates.check(reading));
                reasons.forEach(reason -> System.out.println("NOT VALID: " + reason));
                return reasons.isEmpty() ? Cli.DONE : NOT_VALID;
            }
        }
    }

    private static Cli.Problem bad(String happened, String hint) {
        return new Cli.Problem(BAD_INPUT, happened, hint);
    }
}
