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

//DEPS com.fasterxml.jackson.core:jackson-databind:2.19.2
//DEPS com.fasterxml.jackson.datatype:jackson-datatype-jsr310:2.19.2
//SOURCES Sha256.java

import module java.base;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.json.JsonMapper;
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

    static final int SCHEMA = 1;

    Run {
        if (schema != SCHEMA) {
            throw new IllegalArgumentException("run.json has schema " + schema + ", this kit reads " + SCHEMA);
        }
        cells = cells == null ? List.of() : List.copyOf(cells);
        warnings = warnings == null ? List.of() : List.copyOf(warnings);
    }

    /** One function as it is deployed: language-compute-memory, and "-twin" for the second copy of the same. */
    record Variant(String name, String language, String compute, int memoryMb, boolean twin) {
        static final String STANDARD = "standard", LMI = "lmi";
        private static final int ONE_VCPU_MB = 1769;
        private static final Pattern NAME = Pattern.compile("([a-z]+)-(standard|lmi)-(\\d+)(-twin)?");

        /** The variant of a name such as rust-lmi-2048 or python-standard-1769-twin. */
        static Variant of(String name) {
            var match = NAME.matcher(name);
            if (!match.matches()) throw new IllegalArgumentException(
                    "'" + name + "' is not a variant: language-standard|lmi-memoryMb, as in rust-lmi-2048");
            int memoryMb = Integer.parseInt(match.group(3));
            return new Variant(name, match.group(1), match.group(2), memoryMb, match.group(4) != null);
        }

        boolean lmi() { return compute.equals(LMI); }

        /** The name of the variant that a twin is a second copy of; its own name for every other. */
        String original() { return twin ? name.substring(0, name.length() - "-twin".length()) : name; }

        /** Standard at 1769 MB has one vCPU, as has an LMI environment of this kit: only these are compared. */
        boolean hasOneVcpu() { return lmi() || memoryMb == ONE_VCPU_MB; }

        /** Requests at once in one environment. */
        int concurrency() { return lmi() ? LMI_CONCURRENCY : 1; }
    }

    /** The same for all languages: AWS's defaults (16, 32 and 8 per vCPU) would decide the comparison. */
    static final int LMI_CONCURRENCY = 16;

    /** What is asked of a function, how often: {@code GET /{variant}/{name}?query}. */
    record Workload(String name, double ratePerSecond, Map<String, String> query) {}

    /**
     * What was to be done, complete before anything was measured.
     *
     * @param claims  false for a run too short to say anything about differences
     * @param design  "slots": one variant and workload at a time; "concurrent": one workload, all variants at a time
     * @param warmUpRequests for each variant and workload, before the first cell
     * @param order   the cells in the order of their measurement
     */
    record Plan(String profile, String description, boolean claims, String design, long seed, int rounds,
                double settleSeconds, double measureSeconds, int warmUpRequests, List<Variant> variants,
                List<Workload> workloads, List<PlannedCell> order) {
        static final String SLOTS = "slots", CONCURRENT = "concurrent";

        Workload workload(String name) {
            return workloads.stream().filter(workload -> workload.name().equals(name)).findFirst().orElseThrow();
        }

        List<String> languages() { return variants.stream().map(Variant::language).distinct().toList(); }

        /** The same plan for fewer variants. */
        Plan with(List<Variant> variants, List<PlannedCell> order) {
            return new Plan(profile, description, claims, design, seed, rounds, settleSeconds, measureSeconds,
                    warmUpRequests, variants, workloads, order);
        }
    }

    /** One k6 process to be: its number in the order and its file name's stem; the workload is null for all of them. */
    record PlannedCell(int number, String name, int round, List<String> variants, String workload) {}

    /** Every variant gave the contract's reply to every request of contract.json before any load. */
    record Agreement(Instant at, int requests, List<String> variants) {}

    /**
     * One k6 process that was.
     *
     * @param number  0 for a warm-up, which comes after each start of the functions and asks all workloads
     * @param workload null for a warm-up
     * @param phases  named stretches of time, as k6 was told to make them
     * @param stored  what lay in the stores afterwards, where the cell stored anything; else null
     * @param notes   what a reader should know, such as invocation records that came late
     */
    record Cell(int number, String name, int round, List<String> variants, String workload, List<Phase> phases,
                Instant started, Instant ended, Outcome outcome, List<File> files, Stored stored, Generator generator,
                List<String> notes) {

        Optional<File> file(String suffix) {
            return files.stream().filter(file -> file.path().endsWith(suffix)).findFirst();
        }

        Cell withFiles(List<File> files) {
            return new Cell(number, name, round, variants, workload, phases, started, ended, outcome, files, stored,
                    generator, notes);
        }
    }

    /**
     * A named stretch of a cell; only "measure" carries findings. Each variant and workload has a k6 scenario of its
     * own in it, named variant_workload_phase. The load is open, at the workload's rate, with at most so many virtual
     * users; in the warm-up it is a fixed number of requests.
     */
    record Phase(String name, double startSecond, double seconds, int mostVus) {
        static final String WARM_UP = "warm-up", SETTLE = "settle", MEASURE = "measure";
    }

    /** How a cell ended: measured, or failed with the reason. */
    record Outcome(String kind, String reason) {
        static final String MEASURED = "measured", FAILED = "failed";

        static Outcome measured() { return new Outcome(MEASURED, null); }

        static Outcome failed(String reason) { return new Outcome(FAILED, reason); }

        boolean isMeasured() { return kind.equals(MEASURED); }
    }

    /** A raw file; its path is relative to the run's directory. In a published copy it was cut from {@code whole}. */
    record File(String path, long bytes, String sha256, File whole) {
        static File of(Path runDirectory, Path file) throws IOException {
            return new File(runDirectory.relativize(file).toString(), Files.size(file), Sha256.of(file), null);
        }
    }

    /** What a store cell left: correct replies <= objects <= invocations, and as many items with the same ids. */
    record Stored(long objects, long items, boolean sameIds, long smallestBytes, long largestBytes) {}

    /** The load generator's own figures: k6's exit code, CPU time, peak memory. */
    record Generator(int exitCode, long cpuNs, long peakMemoryBytes) {}

    // ==== The lines of a cell's files ====

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
     * One figure at one time. Subject: a variant, or "k6", "door", "stores", "machine". Metrics: cpuNs (total so far),
     * memoryBytes, environments, concurrency, throttles (total so far); on AWS also CloudWatch's own, by its names.
     */
    record Metric(Instant time, String subject, String metric, double value) {}

    /** Whether one machine stood for AWS: its figures are no figures of AWS's. */
    boolean isLocal() { return target.equals("local"); }

    /** An entry of the environment, by its topic and further names; empty where the run doesn't have it. */
    Optional<Object> environment(String... path) {
        Object at = environment;
        for (String name : path) at = at instanceof Map<?, ?> map ? map.get(name) : null;
        return Optional.ofNullable(at);
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

    /** The mapper that the kit's records are written and read with. */
    static JsonMapper json() { return JSON; }

    /** Reads a run.json; throws an IOException that names the file when it is not one. */
    static Run read(Path file) throws IOException {
        try {
            return JSON.readValue(file.toFile(), Run.class);
        } catch (DatabindException notARun) {
            throw new IOException(file + " is not a run.json of this kit: " + notARun.getOriginalMessage(), notARun);
        }
    }

    /** Writes run.json into the run's directory; a reader sees the old one or the new one, never a part. */
    void write(Path directory) throws IOException {
        Path temporary = directory.resolve("run.json.tmp");
        JSON.writeValue(temporary.toFile(), this);
        Files.move(temporary, directory.resolve("run.json"), StandardCopyOption.ATOMIC_MOVE);
    }

    /** A record as one line of JSON. */
    static String line(Object record) throws IOException {
        return JSON.writer().without(SerializationFeature.INDENT_OUTPUT).writeValueAsString(record);
    }
}
