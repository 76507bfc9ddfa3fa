// A run as it lies on disk: one directory, one run.json in it, and the raw files of every cell.
//
//     data/2026-11-22T05-10-00Z-local/
//         run.json                                            this record: plan, environment, prices, an entry a cell
//         cells/003-rust-lmi-2048-cpu.k6.json.gz              what k6 wrote
//         cells/003-rust-lmi-2048-cpu.invocations.ndjson.gz   a line per invocation
//         cells/003-rust-lmi-2048-cpu.metrics.ndjson          CPU, memory, environments over time
//     data/run.json                                           a link to the newest run's run.json
//
// experiment.java writes it after every cell, to a temporary file that takes the old one's place, so that whatever
// ends a run leaves a whole record of what was finished. analyze.java reads it and needs to know nothing else.
//
// A run.json may be a stranger's. So each record below checks its own fields: sizes and counts are bounded, names are
// plain names, and a path leads nowhere but into the run's own directory. Profiles hold the same records, and are
// checked by the same lines.

//DEPS com.fasterxml.jackson.core:jackson-databind:2.19.2
//DEPS com.fasterxml.jackson.datatype:jackson-datatype-jsr310:2.19.2
//SOURCES ../Cli.java
//SOURCES Disk.java
//SOURCES Search.java
//SOURCES Sha256.java
//SOURCES Slice.java
//SOURCES Study.java

import module java.base;
import com.fasterxml.jackson.annotation.*;
import com.fasterxml.jackson.core.*;
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.cfg.*;
import com.fasterxml.jackson.databind.exc.*;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;

/**
 * The record of one run. Times are UTC. Nothing secret is in it: no key, no account number, no credential.
 *
 * @param schema      version of this layout; a reader refuses one that it does not know
 * @param id          name of the run's directory: start and target
 * @param target      "local" or "aws"
 * @param finished    null while cells are missing: the run was interrupted and can be resumed
 * @param environment what the figures were measured on and with, by topic (git, tools, machine, artefacts, target …)
 * @param prices      data/prices.json as it was when the run was made
 * @param agreement   proof of equal work before the load; null when it was not reached
 * @param published   null, or what this copy leaves out
 */
record Run(int schema, String id, String target, Instant started, Instant finished, Plan plan,
           Map<String, Object> environment, JsonNode prices, Agreement agreement, List<Cell> cells,
           List<String> warnings, String published) {

    static final int SCHEMA = 2;
    /** More than any run that was thought of: two hours have 756 cells. What is beyond would only fill memory. */
    private static final int MOST_CELLS = 20_000, MOST_ROUNDS = Study.MOST_ROUNDS, MOST_VARIANTS = 100,
            MOST_STUDIES = 20, MOST_NOTES = 1_000, MOST_REQUESTS = 1_000_000, MOST_MB = 32_768;
    private static final double MOST_SECONDS = Study.MOST_SECONDS, MOST_PER_SECOND = 1_000_000;

    Run {
        check(schema == SCHEMA, "schema is " + schema + ", this kit reads " + SCHEMA);
        check(id != null && id.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,99}"), "id is not the name of a directory");
        named("target", target);
        timed("started", started);
        if (finished != null) timed("finished", finished);
        check(plan != null, "plan is missing");
        check(environment != null, "environment is missing");
        check(prices != null && prices.isObject(), "prices are missing");
        cells = cells == null ? List.of() : listed("cells", cells, MOST_CELLS);
        warnings = warnings == null ? List.of() : listed("warnings", warnings, MOST_NOTES);
        var planned = plan.order().stream().collect(Collectors.toMap(PlannedCell::name, Function.identity()));
        var names = new HashSet<String>();
        for (var cell : cells) {
            check(names.add(cell.name()), "cells has " + cell.name() + " twice");
            check(cell.warmUp() || cell.planned().equals(planned.get(cell.planned().name())),
                    "cells has " + cell.name() + ", which is not as it was planned");
            if (cell.number() > 0 && plan.study(cell.study()) instanceof Study.Steady steady) check(
                    cell.phases().stream().filter(it -> it.name().equals(Phase.MEASURE)).mapToDouble(Phase::seconds).sum()
                            == steady.measureSeconds(), cell.name() + " was not measured for as long as planned");
        }
    }

    // ==== The plan ====

    /**
     * One function as it is deployed. Its name says all: language-compute-memory, "-c8" where an LMI environment takes
     * another number of requests at once than 16, and "-twin" for the second copy of the same. In JSON it is the name.
     *
     * @param concurrency requests at once in one environment
     */
    record Variant(String name, String language, String compute, int memoryMb, int concurrency, boolean twin) {
        static final String STANDARD = "standard", LMI = "lmi";
        static final int ONE_VCPU_MB = 1769;
        private static final Pattern NAME =
                Pattern.compile("([a-z][a-z0-9-]{0,39})-(standard|lmi)-(\\d{1,5})(?:-c(\\d{1,4}))?(-twin)?");

        /** The variant of a name such as rust-lmi-2048, java-lmi-2048-c8 or python-standard-1769-twin. */
        @JsonCreator static Variant of(String name) {
            var match = NAME.matcher(name);
            check(match.matches(), "'" + name + "' is not a variant: language-standard|lmi-memoryMb, as in rust-lmi-2048");
            String compute = match.group(2), concurrency = match.group(4);
            check(concurrency == null || compute.equals(LMI), "'" + name + "': only LMI's concurrency can be chosen");
            int atOnce = concurrency != null ? Integer.parseInt(concurrency) : compute.equals(LMI) ? LMI_CONCURRENCY : 1;
            check(concurrency == null || atOnce != LMI_CONCURRENCY, "'" + name + "': 16 is what a name without -c means");
            return new Variant(name, match.group(1), compute, Integer.parseInt(match.group(3)), atOnce,
                    match.group(5) != null);
        }

        Variant {
            within("memoryMb", memoryMb, 128, MOST_MB);
            within("concurrency", concurrency, 1, 1_000);
        }

        @JsonValue @Override public String name() { return name; }

        boolean lmi() { return compute.equals(LMI); }

        /** The name of the variant that a twin is a second copy of; its own name for every other. */
        String original() { return twin ? name.substring(0, name.length() - "-twin".length()) : name; }

        /** Requests that can be under way at once: in one environment of LMI's, in each of standard's. */
        int places() { return lmi() ? concurrency : MOST_STANDARD_ENVIRONMENTS; }

        /** AWS gives standard a vCPU for each 1769 MB; an LMI environment of this kit has one. */
        double vcpus() { return lmi() ? 1 : (double) memoryMb / ONE_VCPU_MB; }

        /** Standard at 1769 MB has one vCPU, as has an LMI environment of this kit: only these are compared. */
        boolean hasOneVcpu() { return lmi() || memoryMb == ONE_VCPU_MB; }
    }

    /** The same for all languages: AWS's defaults (16, 32 and 8 per vCPU) would decide the comparison. */
    static final int LMI_CONCURRENCY = 16;
    /** As many as an LMI environment has places, so that both can have the same number of requests under way. */
    static final int MOST_STANDARD_ENVIRONMENTS = 16;

    /**
     * What is asked of a function: {@code GET /{variant}/{name}?query}.
     *
     * @param ratePerSecond how often, in a steady study; null in all others, which say it themselves
     */
    record Workload(String name, Double ratePerSecond, Map<String, String> query) {
        Workload {
            named("workload", name);
            if (ratePerSecond != null) within("ratePerSecond", ratePerSecond, 0.01, MOST_PER_SECOND);
            query = query == null ? Map.of() : query;
            check(query.size() <= 20 && query.values().stream().noneMatch(Objects::isNull),
                    "query has more than 20 parameters, or one of null");
        }
    }

    /**
     * What was to be done, complete before anything was measured.
     *
     * @param claims  false for a run too short to say anything about differences
     * @param warmUpRequests for each variant and workload, before the first cell
     * @param order   the cells in the order of their measurement
     */
    record Plan(String profile, String description, boolean claims, long seed, int warmUpRequests,
                List<Variant> variants, List<Study> studies, List<PlannedCell> order) {

        Plan {
            texted("profile", profile);
            texted("description", description);
            within("warmUpRequests", warmUpRequests, 0, MOST_REQUESTS);
            variants = distinct("variants", variants, Variant::name, MOST_VARIANTS);
            studies = distinct("studies", studies, Study::name, MOST_STUDIES);
            order = distinct("order", order, PlannedCell::name, MOST_CELLS);
            check(studies.stream().filter(Study.Steady.class::isInstance).count() <= 1, "studies has more than one of steady load");
            var names = variants.stream().map(Variant::name).collect(Collectors.toSet());
            var asked = studies.stream().collect(Collectors.toMap(Study::name, Function.identity()));
            for (var cell : order) {
                var study = asked.get(cell.study());
                check(study != null && study.workloads().stream().anyMatch(it -> it.name().equals(cell.workload())),
                        "order has " + cell.name() + ", of a study or workload that the plan doesn't have");
                check(names.containsAll(cell.variants()), "order has " + cell.name() + ", of a variant that the plan "
                        + "doesn't have");
                check(!(study instanceof Study.Capacity) || cell.variants().size() == 1,
                        "order has " + cell.name() + ", a search of not one variant");
            }
        }

        /** The study of that name. */
        Study study(String name) {
            return studies.stream().filter(study -> study.name().equals(name)).findFirst().orElseThrow();
        }

        /** All studies of a kind. */
        <S extends Study> List<S> studies(Class<S> kind) {
            return studies.stream().filter(kind::isInstance).map(kind::cast).toList();
        }

        /** The study of steady load; empty where a profile asks other questions only. */
        Optional<Study.Steady> steady() { return studies(Study.Steady.class).stream().findFirst(); }

        /** What the steady study asks; nothing where there is none. */
        List<Workload> workloads() { return steady().map(Study.Steady::workloads).orElse(List.of()); }

        int rounds() { return steady().map(Study.Steady::rounds).orElse(0); }

        /** Every different request of these studies: a name and a query. */
        static List<Workload> asked(Collection<? extends Study> studies) {
            return studies.stream().flatMap(study -> study.workloads().stream())
                    .map(workload -> new Workload(workload.name(), null, workload.query())).distinct().toList();
        }

        /** The same with these cells only. */
        Plan of(List<PlannedCell> cells) {
            return new Plan(profile, description, claims, seed, warmUpRequests, variants, studies, cells);
        }

        List<String> languages() { return variants.stream().map(Variant::language).distinct().toList(); }
    }

    /** One k6 process to be: its number in the order and its file name's stem. */
    record PlannedCell(int number, String study, String name, int round, List<String> variants, String workload) {
        PlannedCell {
            within("number", number, 0, MOST_CELLS);
            if (study != null) named("study", study);
            named("name", name);
            within("round", round, 0, MOST_ROUNDS);
            variants = listed("variants", variants, MOST_VARIANTS);
            variants.forEach(Variant::of);
            if (workload != null) named("workload", workload);
        }
    }

    /** Every variant gave the contract's reply to every request of contract.json before any load. */
    record Agreement(Instant at, int requests, List<String> variants) {
        Agreement {
            timed("at", at);
            within("requests", requests, 0, MOST_REQUESTS);
            variants = listed("variants", variants, MOST_VARIANTS);
        }
    }

    // ==== The cells ====

    /**
     * One k6 process that was, or one set of them that shared the load.
     *
     * @param number  0 for a warm-up, which comes after each start of the functions and asks all workloads
     * @param study   null for a warm-up, as are round (0) and workload (null)
     * @param step    null but for a step of a search, which has the search's name and -s01, -s02 …
     * @param phases  named stretches of time, as k6 was told to make them
     * @param stored  what lay in the stores afterwards, where the cell stored anything; else null
     * @param notes   what a reader should know, such as invocation records that came late
     */
    record Cell(int number, String study, String name, int round, List<String> variants, String workload, Step step,
                List<Phase> phases, Instant started, Instant ended, Outcome outcome, List<File> files, Stored stored,
                Generator generator, List<String> notes) {

        Cell {
            var planned = new PlannedCell(number, study, name, round, variants, workload);
            variants = planned.variants();
            phases = listed("phases", phases, MOST_NOTES);
            check(!phases.isEmpty(), "phases are missing");
            timed("started", started);
            timed("ended", ended);
            check(outcome != null, "outcome is missing");
            files = files == null ? List.of() : listed("files", files, MOST_NOTES);
            notes = notes == null ? List.of() : listed("notes", notes, MOST_NOTES);
            check(!outcome.isMeasured() || files.stream().anyMatch(file -> file.kind() == File.Kind.SAMPLES),
                    name + " is measured, but has no samples");
        }

        Cell(int number, String study, String name, int round, List<String> variants, String workload,
             List<Phase> phases, Instant started, Instant ended, Outcome outcome, List<File> files, Stored stored,
             Generator generator, List<String> notes) {
            this(number, study, name, round, variants, workload, null, phases, started, ended, outcome, files, stored,
                    generator, notes);
        }

        /** What was planned of it: itself, or the search that it is a step of. */
        PlannedCell planned() {
            return new PlannedCell(number, study, step == null ? name : Step.NAME.matcher(name).replaceFirst(""), round,
                    variants, workload);
        }

        /** Whether it belongs to no study, and carries no finding. */
        boolean warmUp() { return number == 0; }

        /** A cell's files of one kind: none, one, or one for each of several generators. */
        List<File> files(File.Kind kind) { return files.stream().filter(file -> file.kind() == kind).toList(); }

        Cell withFiles(List<File> files) {
            return new Cell(number, study, name, round, variants, workload, step, phases, started, ended, outcome, files,
                    stored, generator, notes);
        }
    }

    /**
     * What a search saw in one of its steps: the measured phase alone.
     *
     * @param ratePerSecond that was asked
     * @param due           requests that this rate makes
     * @param answered      requests that were made
     * @param failed        of these, without a correct answer
     * @param medianMs      of correct answers, as is p99Ms; null where there was none
     * @param cpuMs         of the function, per request; null where it was not told
     * @param generatorBusy the share, 0 to 1, of their cores that k6, the front door and the stores took; 0 where nobody knows
     */
    record Step(double ratePerSecond, long due, long answered, long failed, Double medianMs, Double p99Ms, Double cpuMs,
                double generatorBusy) {
        private static final Pattern NAME = Pattern.compile("-s\\d{2}$");

        Step {
            within("ratePerSecond", ratePerSecond, 0.01, MOST_PER_SECOND);
            within("due", due, 1, Integer.MAX_VALUE);
            within("answered", answered, 0, Integer.MAX_VALUE);
            within("failed", failed, 0, answered);
            within("generatorBusy", generatorBusy, 0, 1_000);
        }

        /** How the cell of a search's n-th step is named. */
        static String name(String search, int number) { return "%s-s%02d".formatted(search, number); }
    }

    /**
     * A named stretch of a cell; only "measure" carries findings. Each variant and workload has a k6 scenario of its
     * own in it, named variant_workload_phase. The load is open, at the workload's rate, with at most so many virtual
     * users; in the warm-up it is a fixed number of requests.
     */
    record Phase(String name, double startSecond, double seconds, int mostVus) {
        static final String WARM_UP = "warm-up", SETTLE = "settle", MEASURE = "measure";

        Phase {
            named("phase", name);
            within("startSecond", startSecond, 0, MOST_SECONDS);
            within("seconds", seconds, 0.001, MOST_SECONDS);
            within("mostVus", mostVus, 0, MOST_REQUESTS);
        }
    }

    /** How a cell ended: measured, or failed with the reason. */
    record Outcome(String kind, String reason) {
        static final String MEASURED = "measured", FAILED = "failed";
        private static final int LONGEST_REASON = 500;

        Outcome {
            check(MEASURED.equals(kind) || FAILED.equals(kind), "outcome is " + kind + ", not measured or failed");
            check(MEASURED.equals(kind) == (reason == null), "an outcome has a reason when it is failed, and only then");
            if (reason != null) texted("reason", reason);
        }

        static Outcome measured() { return new Outcome(MEASURED, null); }

        static Outcome failed(String reason) {
            String said = Objects.requireNonNullElse(reason, "nobody said why");
            return new Outcome(FAILED, said.length() <= LONGEST_REASON ? said : said.substring(0, LONGEST_REASON) + "…");
        }

        boolean isMeasured() { return kind.equals(MEASURED); }
    }

    /**
     * A cell's raw data: a file of its own, or where {@code offset} says so a part of one that holds many cells'. Its
     * path is relative to the run's directory. In a published copy it was cut from {@code whole}.
     *
     * @param offset  where the part begins; null for a file of its own
     * @param bytes   of the file or part
     * @param sha256  of the file or part
     */
    record File(Kind kind, String path, Long offset, long bytes, String sha256, Whole whole) {
        private static final long MOST_BYTES = 1L << 40;
        private static final Pattern PATH = Pattern.compile("(cells/)?[A-Za-z0-9][A-Za-z0-9._-]{0,149}");
        private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{64}");

        /** What is in it, and how a cell's own file of that kind is named. */
        enum Kind {
            @JsonProperty("samples") SAMPLES(".k6.json.gz", "samples.k6.json.gz"),
            @JsonProperty("invocations") INVOCATIONS(".invocations.ndjson.gz", "invocations.ndjson.gz"),
            @JsonProperty("metrics") METRICS(".metrics.ndjson", "metrics.ndjson.gz");

            private final String suffix, published;

            Kind(String suffix, String published) {
                this.suffix = suffix;
                this.published = published;
            }

            /** The file of a publication that holds all cells' of this kind. */
            String published() { return published; }

            /** Where a run keeps what it measures of a cell. */
            Path of(Path runDirectory, String cell) { return runDirectory.resolve("cells").resolve(cell + suffix); }
        }

        /** The file that was measured, of which a published copy holds the lines that carry the findings. */
        record Whole(long bytes, String sha256) {
            Whole {
                within("bytes", bytes, 0, MOST_BYTES);
                check(sha256 != null && DIGEST.matcher(sha256).matches(), "sha256 is not one");
            }
        }

        File {
            check(kind != null, "kind is missing: samples, invocations or metrics");
            check(path != null && PATH.matcher(path).matches(), "path is not that of a file in cells/");
            if (offset != null) within("offset", offset, 0, MOST_BYTES);
            within("bytes", bytes, 0, MOST_BYTES);
            check(sha256 != null && DIGEST.matcher(sha256).matches(), "sha256 is not one");
        }

        static File of(Kind kind, Path runDirectory, Path file) throws IOException {
            String path = runDirectory.relativize(file).toString();
            return new File(kind, path, null, Files.size(file), Sha256.of(file), null);
        }

        /**
         * Where it lies. Throws an IOException that says so when it isn't there, or is no plain file inside the run's
         * directory: a link or a device of a stranger's run could be anything.
         */
        Slice in(Path runDirectory) throws IOException {
            Path file = runDirectory.resolve(path);
            if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) throw new NoSuchFileException(path);
            boolean plain = Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)
                    && !Files.isSymbolicLink(file.getParent().equals(runDirectory) ? file : file.getParent());
            if (!plain) throw new IOException(path + " is not a plain file");
            return offset == null ? Slice.whole(file) : new Slice(file, offset, bytes);
        }

        /** Its text, unzipped. */
        InputStream text(Path runDirectory) throws IOException {
            var bytes = in(runDirectory).open();
            return isZipped() ? new GZIPInputStream(bytes, GZIP_BUFFER_BYTES) : bytes;
        }

        @JsonIgnore boolean isZipped() { return path.endsWith(".gz"); }

        /** Whether it is what was recorded. */
        boolean isUnchanged(Path runDirectory) throws IOException {
            try (var in = in(runDirectory).open()) {
                return Sha256.of(in).equals(sha256);
            }
        }

        /** The default of 512 bytes calls zlib for every other line. */
        private static final int GZIP_BUFFER_BYTES = 1 << 16;
    }

    /** What a store cell left: correct replies <= objects <= invocations, and as many items with the same ids. */
    record Stored(long objects, long items, boolean sameIds, long smallestBytes, long largestBytes) {}

    /** The load generator's own figures: k6's exit code, CPU time, peak memory. */
    record Generator(int exitCode, long cpuNs, long peakMemoryBytes) {}

    // ==== The lines of a cell's files ====

    /** The tag "outcome" that load.js gives a reply with the right content: the only one that counts. */
    static final String CORRECT = "correct";

    /**
     * One invocation, as Lambda's platform.report tells of it. On LMI AWS reports the duration only.
     *
     * @param status  ok, error, timeout, or throttled (no environment was free: no duration)
     * @param initMs  only on an environment's first invocation
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    record Invocation(String id, String variant, String environment, Instant start, String status, double durationMs,
                      Double billedMs, Double initMs, Integer memoryMb, Double maxMemoryMb) {}

    /**
     * One figure at one time. Subject: a variant, or "k6", "door", "stores", "machine". On this machine the figures are read
     * once a second, and at the end of each cell; the first of a cell is that at the end of the cell before. They are
     * <ul>
     * <li>of all: cpuNs (total so far; of a variant all its environments', to the nanosecond where the system tells) and
     *     memoryBytes (now)
     * <li>of a variant: environments and concurrency (now); throttles and coldStarts (totals so far; an environment counts
     *     once it is ready, on LMI as well, where nobody waited for it); startCpuNs (total so far: the part of cpuNs that
     *     environments took until they were ready, so that cpuNs less startCpuNs is what requests took)
     * <li>of the machine: cpuNs, idleNs and stealNs (totals so far of all cores; what other guests stole is in cpuNs), load
     *     (tasks that ran or waited, mean of a minute) and frequencyMhz (mean of the cores, every ten seconds, where told)
     * </ul>
     * On AWS they are CloudWatch's own, by its names.
     */
    record Metric(Instant time, String subject, String metric, double value) {}

    // ==== Questions to the record ====

    /** Whether one machine stood for AWS: its figures are no figures of AWS's. */
    @JsonIgnore boolean isLocal() { return target.equals("local"); }

    /** An entry of the environment, by its topic and further names; empty where the run doesn't have it. */
    Optional<Object> environment(String... path) {
        Object at = environment;
        for (String name : path) at = at instanceof Map<?, ?> map ? map.get(name) : null;
        return Optional.ofNullable(at);
    }

    /** Planned cells of which the record says nothing; a record that has an end and misses some was cut. */
    List<PlannedCell> missingCells() {
        var told = cells.stream().map(cell -> cell.planned().name()).collect(Collectors.toSet());
        return plan.order().stream().filter(cell -> !told.contains(cell.name())).toList();
    }

    /** Planned cells that have not been measured yet: missing, failed, or a search that is not at its end. */
    List<PlannedCell> unmeasuredCells() {
        var measured = cells.stream().filter(cell -> cell.outcome().isMeasured()).map(Cell::name).collect(Collectors.toSet());
        return plan.order().stream().filter(cell -> plan.study(cell.study()) instanceof Study.Capacity capacity
                ? !(search(capacity, cell) instanceof Search.Found) : !measured.contains(cell.name())).toList();
    }

    /** Where a search stands. */
    Search search(Study.Capacity study, PlannedCell search) {
        return Search.after(study, Variant.of(search.variants().getFirst()), steps(search).stream().map(Cell::step).toList());
    }

    /** The measured steps of a search, in their order. */
    List<Cell> steps(PlannedCell search) {
        return cells.stream().filter(cell -> cell.step() != null && cell.outcome().isMeasured())
                .filter(cell -> cell.planned().equals(search)).sorted(Comparator.comparing(Cell::name)).toList();
    }

    /** The measured cells of a study, in their order; a search's are its steps. */
    List<Cell> cellsOf(Study study) {
        return cells.stream().filter(cell -> study.name().equals(cell.study())).filter(cell -> cell.outcome().isMeasured()).toList();
    }

    Run withEnvironment(Map<String, Object> environment) {
        return new Run(schema, id, target, started, finished, plan, environment, prices, agreement, cells, warnings,
                published);
    }

    Run withAgreement(Agreement agreement) {
        return new Run(schema, id, target, started, finished, plan, environment, prices, agreement, cells, warnings,
                published);
    }

    Run withCells(List<Cell> cells) {
        return new Run(schema, id, target, started, finished, plan, environment, prices, agreement, cells, warnings,
                published);
    }

    Run withFinished(Instant finished) {
        return new Run(schema, id, target, started, finished, plan, environment, prices, agreement, cells, warnings,
                published);
    }

    Run withPublished(String published) {
        return new Run(schema, id, target, started, finished, plan, environment, prices, agreement, cells, warnings,
                published);
    }

    // ==== Read and write ====

    private static final JsonMapper JSON = JsonMapper.builder()
            .addModule(new JavaTimeModule())
            .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
            .enable(SerializationFeature.INDENT_OUTPUT)
            .serializationInclusion(JsonInclude.Include.NON_NULL)
            .build();
    /** A two-hour run's record has two megabytes; a text that is never read to its end can do no harm. */
    private static final int MOST_RUN_BYTES = 32 << 20, MOST_TOKENS = 3_000_000;
    /** For what somebody else may have written: nothing is guessed, nothing is left out, nothing follows. */
    private static final JsonMapper STRICT = JsonMapper.builder(JsonFactory.builder().streamReadConstraints(
                    StreamReadConstraints.builder().maxNestingDepth(50).maxTokenCount(MOST_TOKENS).build()).build())
            .addModule(new JavaTimeModule())
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES, DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .withCoercionConfig(LogicalType.Textual, text -> text.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                    .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                    .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
            .build();

    /** The mapper that the kit's records are written and read with. */
    static JsonMapper json() { return JSON; }

    /**
     * Reads a run.json. Throws a Problem with exit code 2 that names the file and what is wrong in it: it may be
     * anything that a stranger calls so.
     */
    static Run read(Path file) {
        return read(file, Run.class, "a run.json of this kit", "name a run.json that this version of the kit wrote");
    }

    /** The run.json of a run's directory or of a link to it; throws a Problem when there is none. */
    static Path fileOf(Path run) throws IOException {
        Path file = Files.isDirectory(run) ? run.resolve("run.json") : run;
        if (!Files.exists(file)) throw new Cli.Problem(Cli.REFUSED,
                "there is no run at " + run, "./jbang experiment.java begins one");
        return file.toRealPath();
    }

    /** Reads a file that holds such a record, checked like a run.json; the Problem says what it should be. */
    static <T> T read(Path file, Class<T> type, String what, String hint) {
        try {
            T record = STRICT.readValue(bytes(file), type);
            if (record == null) throw new Cli.Problem(Cli.REFUSED, file + " is not " + what + ": it is null", hint);
            return record;
        } catch (JsonProcessingException wrong) {
            throw new Cli.Problem(Cli.REFUSED, file + " is not " + what + ": " + reason(wrong), hint, wrong);
        } catch (NoSuchFileException absent) {
            throw new Cli.Problem(Cli.REFUSED, "there is no " + file, hint, absent);
        } catch (IOException unreadable) {
            throw new Cli.Problem(Cli.REFUSED, file + " cannot be read: " + unreadable.getMessage(), hint, unreadable);
        }
    }

    /** All of a plain file; a device or a pipe would never end. */
    private static byte[] bytes(Path file) throws IOException {
        if (Files.exists(file) && !Files.isRegularFile(file)) throw new IOException("it is not a plain file");
        try (var in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(MOST_RUN_BYTES + 1);
            if (bytes.length <= MOST_RUN_BYTES) return bytes;
            throw new IOException("it has more than %d MB".formatted(MOST_RUN_BYTES >> 20));
        }
    }

    /** What is wrong, and where: "plan.studies[0]: rounds is 0, not 1 to 10000". */
    static String reason(JsonProcessingException wrong) {
        if (!(wrong instanceof JsonMappingException mapping)) return wrong.getOriginalMessage();
        var where = new StringBuilder();
        for (var step : mapping.getPath()) {
            if (step.getFieldName() == null) where.append('[').append(step.getIndex()).append(']');
            else where.append(where.isEmpty() ? "" : ".").append(step.getFieldName());
        }
        String what = switch (mapping) {
            case UnrecognizedPropertyException other -> "there is no such field, but " + other.getKnownPropertyIds().stream()
                    .map(Object::toString).sorted().collect(Collectors.joining(", "));
            case MismatchedInputException other when other.getTargetType() != null -> "is not " + kind(other.getTargetType());
            default -> mapping.getCause() instanceof IllegalArgumentException ours ? ours.getMessage()
                    : mapping.getOriginalMessage();
        };
        return where.isEmpty() ? what : where + ": " + what;
    }

    private static String kind(Class<?> type) {
        if (type == int.class || type == long.class || type == Long.class || type == Integer.class) return "a whole number";
        if (type == double.class || type == Double.class) return "a number";
        if (type == boolean.class) return "true or false";
        if (type == String.class || type == Variant.class) return "a text";
        if (type == Instant.class) return "a time, such as 2026-11-22T05:10:00Z";
        return Collection.class.isAssignableFrom(type) ? "a list" : "an object of its fields";
    }

    /** Writes run.json into the run's directory; a reader sees the old one or the new one, never a part. */
    void write(Path directory) throws IOException {
        Disk.write(directory.resolve("run.json"), JSON.writeValueAsString(this));
    }

    /** A record as one line of JSON. */
    static String line(Object record) throws IOException {
        return JSON.writer().without(SerializationFeature.INDENT_OUTPUT).writeValueAsString(record);
    }

    // ==== Checks of fields, for every record that comes from a file ====

    private static final int LONGEST_TEXT = 10_000, LONGEST_REPROACH = 300;
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,149}");
    /** What a clock may say whose nanoseconds since 1970 fit into a long. */
    private static final Instant EARLIEST = Instant.parse("2000-01-01T00:00:00Z"),
            LATEST = Instant.parse("2200-01-01T00:00:00Z");

    /** Throws an IllegalArgumentException that says what is wrong, unless it holds. */
    static void check(boolean holds, String otherwise) {
        // What is wrong may be a megabyte of text.
        if (!holds) throw new IllegalArgumentException(
                otherwise.length() <= LONGEST_REPROACH ? otherwise : otherwise.substring(0, LONGEST_REPROACH) + "…");
    }

    static void within(String field, double value, double least, double most) {
        check(value >= least && value <= most, "%s is %s, not %s to %s".formatted(field, plain(value), plain(least), plain(most)));
    }

    private static String plain(double value) {
        return Double.isFinite(value) ? new BigDecimal(value).round(new MathContext(15)).stripTrailingZeros().toPlainString()
                : String.valueOf(value);
    }

    /** A name is plain enough for a file's, a URL's and a k6 scenario's. */
    static void named(String field, String name) {
        check(name != null, field + " is missing");
        check(NAME.matcher(name).matches(), field + " is not a name of small letters, digits and hyphens");
    }

    static void texted(String field, String text) {
        check(text != null, field + " is missing");
        check(text.length() <= LONGEST_TEXT, field + " has more than " + LONGEST_TEXT + " characters");
    }

    private static void timed(String field, Instant time) {
        check(time != null, field + " is missing");
        check(!time.isBefore(EARLIEST) && time.isBefore(LATEST), field + " is not a time of this age");
    }

    /** The list, unchangeable, without null in it. */
    static <T> List<T> listed(String field, List<T> list, int most) {
        check(list != null, field + " is missing");
        check(list.size() <= most, "%s has %d entries, more than %d".formatted(field, list.size(), most));
        check(list.stream().noneMatch(Objects::isNull), field + " has null in it");
        return List.copyOf(list);
    }

    /** The same for what has a name, and at least one. */
    static <T> List<T> distinct(String field, List<T> list, Function<T, String> name, int most) {
        var copy = listed(field, list, most);
        check(!copy.isEmpty(), field + " has no entry");
        check(copy.stream().map(name).distinct().count() == copy.size(), field + " has an entry twice");
        return copy;
    }
}
