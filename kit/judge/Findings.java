// What a run measured, before anything is computed of it: of steady load, for each variant and workload a stream, and in
// it a slot for each round. What the other studies' cells measured is kept cell by cell, for the part of each study:
// Shapes, Capacities, ColdStarts.
//
// Three records of a cell are joined here: k6's samples (read by K6Reader), the target's invocations, and its metrics
// over time. Latency is k6's clock; the target's own durations stand beside it and are never subtracted.

//SOURCES ../read/Gunzip.java
//SOURCES ../read/Histogram.java
//SOURCES ../read/K6Reader.java
//SOURCES ../record/Run.java
//SOURCES ../record/Study.java
//SOURCES ../record/Slice.java

import module java.base;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.MappingIterator;

/** A run's measurements, in memory bounded by its cells and series, not its requests. Close it when all is computed. */
final class Findings implements Closeable {

    /** One variant under one workload in one round's measured phase: the block that statistics are made of. */
    static final class Slot {
        final String cell;
        final int round;
        final double seconds;
        /** Which deployment of its variant was measured. */
        final int deployment;
        /** Latencies of correct warm answers; null when there was none. */
        K6Reader.Series warm;
        final SortedMap<String, Long> outcomes = new TreeMap<>();
        /** Iterations that k6 could not begin in time. */
        long dropped;
        /** CPU time of the function's processes from first answer to last, for all answers but each process's first. */
        long cpuNs, cpuRequests;
        /** What the target reports, of the whole cell: invocations, their duration, what is billed, and throttles. */
        long invocations, throttles;
        double durationMs, billedMs;
        private Histogram histogram;

        private Slot(String cell, int round, int deployment, double seconds) {
            this.cell = cell;
            this.round = round;
            this.deployment = deployment;
            this.seconds = seconds;
        }

        long requests() { return outcomes.values().stream().mapToLong(Long::longValue).sum(); }

        long correct() { return outcomes.getOrDefault(Run.CORRECT, 0L); }

        /** The warm latencies in logarithmic bins; empty when there was none. Going through them all is done once. */
        Histogram histogram() {
            if (histogram == null) {
                histogram = new Histogram();
                if (warm != null) warm.blocks().values().forEach(block -> histogram.merge(block.histogram));
            }
            return histogram;
        }
    }

    /** The requests of one workload to one variant, in slots, in the order of the rounds. */
    static final class RequestStream {
        final Run.Variant variant;
        final Run.Workload workload;
        /** How many rounds the plan has; a round without a slot was not measured. */
        final int rounds;
        final SortedMap<Integer, Slot> slots = new TreeMap<>();
        /** Answers of environments that had just started, from all phases. */
        final List<K6Reader.Series> cold = new ArrayList<>();

        private RequestStream(Run.Variant variant, Run.Workload workload, int rounds) {
            this.variant = variant;
            this.workload = workload;
            this.rounds = rounds;
        }

        /** The slots with a correct warm answer. */
        List<Slot> measuredSlots() { return slots.values().stream().filter(slot -> slot.warm != null).toList(); }

        /** For each round of the plan, the number of the deployment that it was measured on. */
        List<Integer> deployments() {
            return IntStream.rangeClosed(1, rounds).mapToObj(round -> slots.containsKey(round)
                    ? slots.get(round).deployment : 1).toList();
        }

        /** For each measured slot, the number of the deployment that it was measured on. */
        List<Integer> measuredDeployments() { return measuredSlots().stream().map(slot -> slot.deployment).toList(); }

        /** The median of each measured slot, in ms. */
        double[] medians() {
            return measuredSlots().stream().mapToDouble(slot -> slot.histogram().quantile(.5)).toArray();
        }

        /** All warm latencies of the measured phases; empty when there was none. */
        Optional<K6Reader.Series> latencies() {
            var parts = measuredSlots().stream().map(slot -> slot.warm).toList();
            return parts.isEmpty() ? Optional.empty() : Optional.of(K6Reader.Series.union(parts, List.of()));
        }

        SortedMap<String, Long> outcomes() {
            var all = new TreeMap<String, Long>();
            slots.values().forEach(slot -> slot.outcomes.forEach(
                    (outcome, count) -> all.merge(outcome, count, Long::sum)));
            return all;
        }

        long requests() { return sum(Slot::requests); }

        long correct() { return sum(Slot::correct); }

        long sum(ToLongFunction<Slot> figure) { return slots.values().stream().mapToLong(figure).sum(); }

        double total(ToDoubleFunction<Slot> figure) { return slots.values().stream().mapToDouble(figure).sum(); }
    }

    /** A variant's invocations outside of steady load: no finding there, but on the bill. */
    record Invoiced(long invocations, double billedMs, double initMs) {
        static final Invoiced NOTHING = new Invoiced(0, 0, 0);

        Invoiced plus(Invoiced more) {
            return new Invoiced(invocations + more.invocations, billedMs + more.billedMs, initMs + more.initMs);
        }
    }

    /** What happened on the machines while a cell was measured: by "subject metric", each value with its time. */
    record Telemetry(Run.Cell cell, SortedMap<String, NavigableMap<Instant, Double>> series) {
        /** By how much a total grew over the cell; NaN when it was not read twice. */
        double growth(String subject, String metric) {
            var values = values(subject, metric);
            return values.size() < 2 ? Double.NaN : values.lastEntry().getValue() - values.firstEntry().getValue();
        }

        /** From the first reading to the last, in seconds. */
        double seconds(String subject, String metric) {
            var values = values(subject, metric);
            if (values.size() < 2) return Double.NaN;
            return Duration.between(values.firstKey(), values.lastKey()).toNanos() / 1e9;
        }

        double largest(String subject, String metric) {
            return values(subject, metric).values().stream().mapToDouble(Double::doubleValue).max().orElse(Double.NaN);
        }

        NavigableMap<Instant, Double> values(String subject, String metric) {
            return series.getOrDefault(subject + " " + metric, Collections.emptyNavigableMap());
        }
    }


    /** A start of an environment, or a throttled request. @param initMs NaN for a throttled request */
    record Event(String variant, long atNs, double initMs) {
        boolean isThrottled() { return Double.isNaN(initMs); }
    }

    /**
     * What the target told of a cell of another study than steady load.
     *
     * @param events      in the order of time
     * @param invocations of each variant; throttled requests are none
     */
    record Told(Telemetry telemetry, List<Event> events, Map<String, Invoiced> invocations) {}

    private static final List<String> TAGS =
            List.of("variant", "workload", "phase", "outcome", "cold", "environment", "pid", "scenario");
    private static final long HOUR_NS = 3_600_000_000_000L;
    /** An environment and its processes are tags; a long run may see many, and each is needed for CPU time. */
    private static final int MOST_ENVIRONMENTS = 10_000;

    final Run run;
    final Path directory;
    final K6Reader.Reading reading;
    final List<RequestStream> streams;
    final List<Telemetry> telemetry = new ArrayList<>();
    /** Files that were not read to their end; those that K6Reader has begun to read are in the reading. */
    final List<Damage> damages = new ArrayList<>();
    /** Milliseconds of each environment's start, by variant. */
    final SortedMap<String, List<Double>> initMs = new TreeMap<>();
    /** The most an environment used, by variant; without invocations, the most of a variant's environments together. */
    final SortedMap<String, Double> peakMemoryMb = new TreeMap<>();

    /** What the warm-ups asked of each variant, by its name; a variant without an invocation is not in it. */
    final Map<String, Invoiced> warmUps = new HashMap<>();
    /** By the names of the cells of all studies but that of steady load. */
    final Map<String, Told> told = new HashMap<>();

    private final Set<String> toldByInvocations = new HashSet<>();
    private final Map<String, Slot> slots = new HashMap<>();
    private final Map<String, List<K6Reader.Series>> seriesOfCell;

    private Findings(Run run, Path directory, K6Reader.Reading reading, List<RequestStream> streams) {
        this.run = run;
        this.directory = directory;
        this.reading = reading;
        this.streams = streams;
        seriesOfCell = reading.series().stream().collect(Collectors.groupingBy(series -> series.label));
        for (var stream : streams) for (var slot : stream.slots.values()) {
            slots.put(stream.variant.name() + " " + stream.workload.name() + " " + slot.cell, slot);
        }
    }

    /** What is wrong with a file: it is not there or can't be read, or was read up to where it is cut. */
    record Damage(String file, String how) {}

    /**
     * Reads the files of the steady study's measured cells and of the warm-ups. One that is missing, cut or damaged is read as far as it goes, and
     * is among the {@link #damages}, or k6's among the reading's own.
     */
    static Findings read(Run run, Path directory, K6Reader.Progress progress) throws IOException {
        var measured = run.cells().stream().filter(cell -> cell.outcome().isMeasured()).toList();
        var inputs = new ArrayList<K6Reader.Input>();
        var damages = new ArrayList<Damage>();
        for (var cell : measured) {
            var samples = new ArrayList<Slice>();
            for (var file : cell.files(Run.File.Kind.SAMPLES)) {
                try {
                    samples.add(readable(file.in(directory)));
                } catch (IOException cannot) {
                    damages.add(new Damage(file.path(), how(cannot)));
                }
            }
            if (!samples.isEmpty()) inputs.add(new K6Reader.Input(cell.name(), samples));
        }
        var query = K6Reader.Query.by(TAGS.toArray(String[]::new))
                .metrics("answer_ms", "cpu_ns", "dropped_iterations", "vus")
                .blocks(HOUR_NS, 0, 100).mostTagValues(MOST_ENVIRONMENTS);
        var findings = new Findings(run, directory, K6Reader.read(inputs, query, progress), streams(run));
        findings.damages.addAll(damages);
        for (var cell : measured) {
            if (findings.isSteady(cell)) findings.seriesOfCell.getOrDefault(cell.name(), List.of()).forEach(findings::add);
        }
        for (var cell : measured) findings.add(cell);
        return findings;
    }

    /** K6Reader reads nothing if one of its files can't be opened, so that is tried here, file by file. */
    private static Slice readable(Slice slice) throws IOException {
        if (Files.size(slice.path()) <= slice.from()) throw new EOFException("the file ends before its part begins");
        slice.open().close();
        return slice;
    }

    /** What a person would say of the failure. */
    private static String how(IOException failure) {
        return switch (failure) {
            case NoSuchFileException _ -> "the file is not there";
            case AccessDeniedException _ -> "the file can't be read";
            case EOFException _ -> "the data end too early";
            case JsonProcessingException _ -> "a line is incomplete, or not what the target writes";
            default -> "the rest can't be read: " + failure.getMessage();
        };
    }

    @Override public void close() throws IOException { reading.close(); }

    Optional<RequestStream> stream(String variant, String workload) {
        return streams.stream().filter(stream -> stream.variant.name().equals(variant))
                .filter(stream -> stream.workload.name().equals(workload)).findFirst();
    }

    /** A cell's samples of a metric, a series for each combination of the tags that {@link #tag} tells. */
    Stream<K6Reader.Series> series(Run.Cell cell, String metric) {
        return seriesOfCell.getOrDefault(cell.name(), List.of()).stream().filter(one -> one.metric.equals(metric));
    }

    /** Whether a cell is one of steady load, or a warm-up: all others are their own study's. */
    boolean isSteady(Run.Cell cell) { return cell.warmUp() || run.plan().study(cell.study()) instanceof Study.Steady; }

    /** Whether one of a cell's files of this kind was not read to its end. */
    boolean isDamaged(Run.Cell cell, Run.File.Kind kind) {
        var paths = cell.files(kind).stream().map(Run.File::path).toList();
        return damages.stream().anyMatch(damage -> paths.contains(damage.file()));
    }

    /** First answers of all environments of a variant, whatever they were asked for; empty when there was none. */
    Optional<K6Reader.Series> cold(Run.Variant variant) {
        var parts = streams.stream().filter(stream -> stream.variant.equals(variant))
                .flatMap(stream -> stream.cold.stream()).toList();
        return parts.isEmpty() ? Optional.empty() : Optional.of(K6Reader.Series.union(parts, List.of()));
    }

    /**
     * The share of the functions' cores that a variant used while it was asked, 0 to 1; NaN where it was not read. On
     * one machine standard and LMI queue differently for the same core: above some 30 % they cannot be compared there.
     */
    double utilisation(String variant, String workload) {
        var cells = telemetry.stream().filter(told -> workload.equals(told.cell().workload()))
                .filter(told -> told.seconds(variant, "cpuNs") > 0).toList();
        double cpuNs = cells.stream().mapToDouble(told -> told.growth(variant, "cpuNs")).sum();
        double seconds = cells.stream().mapToDouble(told -> told.seconds(variant, "cpuNs")).sum();
        return cpuNs / 1e9 / seconds / cores("functions");
    }

    /** How many cores "functions" or "others" may use: all of the machine's where nothing is pinned. */
    int cores(String side) {
        if (run.environment("target", "pinning", side).orElse(null) instanceof List<?> cores && !cores.isEmpty()) {
            return cores.size();
        }
        return run.environment("machine", "cores").orElse(1) instanceof Number cores ? cores.intValue() : 1;
    }

    // ==== Join ====

    private static List<RequestStream> streams(Run run) {
        var streams = new ArrayList<RequestStream>();
        var steady = run.plan().steady();
        if (steady.isEmpty()) return streams;
        for (var workload : steady.get().workloads()) {
            for (var variant : run.plan().variants()) {
                var stream = new RequestStream(variant, workload, run.plan().rounds());
                for (var cell : run.cellsOf(steady.get())) {
                    if (!workload.name().equals(cell.workload())) continue;
                    if (!cell.variants().contains(variant.name())) continue;
                    stream.slots.put(cell.round(), new Slot(cell.name(), cell.round(), steady.get().deployment(cell.round()),
                            measuredSeconds(cell)));
                }
                streams.add(stream);
            }
        }
        return streams;
    }

    private static double measuredSeconds(Run.Cell cell) {
        return cell.phases().stream().filter(phase -> phase.name().equals(Run.Phase.MEASURE))
                .mapToDouble(Run.Phase::seconds).sum();
    }

    /** The value of a series' tag; empty where it has none. */
    static String tag(K6Reader.Series series, String name) { return series.values.get(TAGS.indexOf(name)); }

    private void add(K6Reader.Series series) {
        var tag = new HashMap<String, String>();
        for (int i = 0; i < TAGS.size(); i++) tag.put(TAGS.get(i), series.values.get(i));
        // The virtual users of a whole cell have no tags at all: only Gates asks for them.
        if (series.metric.equals("vus")) return;
        if (series.metric.equals("dropped_iterations")) {
            // k6 gives dropped iterations no tag but the scenario, which is variant_workload_phase.
            var scenario = tag.get("scenario").split("_");
            slot(scenario[0], scenario[1], scenario[2], series.label)
                    .ifPresent(slot -> slot.dropped += Math.round(series.sum()));
            return;
        }
        var slot = slot(tag.get("variant"), tag.get("workload"), tag.get("phase"), series.label);
        if (series.metric.equals("cpu_ns")) {
            slot.ifPresent(measured -> {
                measured.cpuNs += Math.round(series.max() - series.min());
                measured.cpuRequests += series.count() - 1;
            });
            return;
        }
        boolean correct = tag.get("outcome").equals(Run.CORRECT), warm = tag.get("cold").equals("false");
        if (correct && !warm) {
            stream(tag.get("variant"), tag.get("workload")).ifPresent(stream -> stream.cold.add(series));
        }
        slot.ifPresent(measured -> {
            measured.outcomes.merge(tag.get("outcome"), series.count(), Long::sum);
            if (correct && warm) measured.warm = series;
        });
    }

    /** The slot of a sample; empty for what is not in a measured phase. */
    private Optional<Slot> slot(String variant, String workload, String phase, String cell) {
        if (!phase.equals(Run.Phase.MEASURE)) return Optional.empty();
        return Optional.ofNullable(slots.get(variant + " " + workload + " " + cell));
    }

    private void add(Run.Cell cell) {
        var series = new TreeMap<String, NavigableMap<Instant, Double>>();
        var events = new ArrayList<Event>();
        var counted = new TreeMap<String, Invoiced>();
        Consumer<Reported> adding = isSteady(cell) ? reported -> add(cell, reported) : reported -> add(reported, events, counted);
        read(cell, Run.File.Kind.INVOCATIONS, lines -> invocations(lines, adding));
        read(cell, Run.File.Kind.METRICS, lines -> metrics(lines, metric -> series
                .computeIfAbsent(metric.subject() + " " + metric.metric(), _ -> new TreeMap<>())
                .put(metric.time(), metric.value())));
        var cellTelemetry = new Telemetry(cell, series);
        if (!isSteady(cell)) {
            events.sort(Comparator.comparingLong(Event::atNs));
            told.put(cell.name(), new Told(cellTelemetry, events, counted));
            return;
        }
        telemetry.add(cellTelemetry);
        for (String variant : cell.variants()) {
            double bytes = cellTelemetry.largest(variant, "memoryBytes");
            if (Double.isNaN(bytes) || toldByInvocations.contains(variant)) continue;
            peakMemoryMb.merge(variant, bytes / (1 << 20), Math::max);
        }
    }

    private interface Reader { void read(InputStream lines) throws IOException; }

    /** The cell's files of a kind, each as far as it goes. */
    private void read(Run.Cell cell, Run.File.Kind kind, Reader reader) {
        for (var file : cell.files(kind)) {
            try (var bytes = file.in(directory).open(); var lines = file.isZipped() ? new Gunzip(bytes) : bytes) {
                reader.read(lines);
            } catch (IOException damaged) {
                damages.add(new Damage(file.path(), how(damaged)));
            } catch (DateTimeParseException noTime) {
                damages.add(new Damage(file.path(), how(new JsonParseException(noTime.getMessage()))));
            }
        }
        boolean isMissing = cell.files(kind).isEmpty();
        if (isMissing) damages.add(new Damage(kind.of(Path.of(""), cell.name()).toString(), "no such file is on record"));
    }

    private static void metrics(InputStream lines, Consumer<Run.Metric> each) throws IOException {
        try (MappingIterator<Run.Metric> values = Run.json().readerFor(Run.Metric.class).readValues(lines)) {
            while (values.hasNextValue()) {
                var metric = values.nextValue();
                boolean isWhole = metric != null && metric.time() != null && !Double.isInfinite(metric.value());
                if (!isWhole) throw new JsonParseException("a metric without time or value");
                each.accept(metric);
            }
        }
    }

    /** The fields of a {@link Run.Invocation} that findings need; NaN for one that it does not have. */
    private record Reported(
            String variant, String start, String status, double durationMs, double billedMs, double initMs, double maxMemoryMb) {}

    /** Token by token: a run has an invocation for each request, and binding them takes as long as reading k6's. */
    private static void invocations(InputStream lines, Consumer<Reported> each) throws IOException {
        try (var json = Run.json().createParser(lines)) {
            while (json.nextToken() != null) {
                if (!json.isExpectedStartObjectToken()) throw new JsonParseException(json, "no invocation");
                String variant = "", start = "", status = "";
                double durationMs = 0, billedMs = Double.NaN, initMs = Double.NaN, maxMemoryMb = Double.NaN;
                while (json.nextToken() == JsonToken.FIELD_NAME) {
                    String field = json.currentName();
                    json.nextToken();
                    switch (field) {
                        case "variant" -> variant = text(json);
                        case "start" -> start = text(json);
                        case "status" -> status = text(json);
                        case "durationMs" -> durationMs = json.getDoubleValue();
                        case "billedMs" -> billedMs = json.getDoubleValue();
                        case "initMs" -> initMs = json.getDoubleValue();
                        case "maxMemoryMb" -> maxMemoryMb = json.getDoubleValue();
                        default -> json.skipChildren();
                    }
                }
                each.accept(new Reported(variant, start, status, durationMs, billedMs, initMs, maxMemoryMb));
            }
        }
    }

    private static String text(JsonParser json) throws IOException {
        if (json.currentToken() != JsonToken.VALUE_STRING) throw new JsonParseException(json, "no text");
        return json.getText();
    }

    private static void add(Reported invocation, List<Event> events, Map<String, Invoiced> counted) {
        boolean isThrottled = invocation.status().equals("throttled"), isStart = !Double.isNaN(invocation.initMs());
        if (isThrottled || isStart) {
            long atNs = K6Reader.nanos(Instant.parse(invocation.start()));
            events.add(new Event(invocation.variant(), atNs, isThrottled ? Double.NaN : invocation.initMs()));
        }
        if (!isThrottled) counted.merge(invocation.variant(), invoiced(invocation), Invoiced::plus);
    }

    private static Invoiced invoiced(Reported invocation) {
        return new Invoiced(1, orZero(invocation.billedMs()), orZero(invocation.initMs()));
    }

    private void add(Run.Cell cell, Reported invocation) {
        if (!Double.isNaN(invocation.initMs())) {
            initMs.computeIfAbsent(invocation.variant(), _ -> new ArrayList<>()).add(invocation.initMs());
        }
        if (!Double.isNaN(invocation.maxMemoryMb())) {
            if (toldByInvocations.add(invocation.variant())) peakMemoryMb.remove(invocation.variant());
            peakMemoryMb.merge(invocation.variant(), invocation.maxMemoryMb(), Math::max);
        }
        if (cell.workload() == null) {
            if (invocation.status().equals("throttled")) return;
            warmUps.merge(invocation.variant(), invoiced(invocation), Invoiced::plus);
            return;
        }
        slot(invocation.variant(), cell.workload(), Run.Phase.MEASURE, cell.name()).ifPresent(slot -> {
            if (invocation.status().equals("throttled")) {
                slot.throttles++;
                return;
            }
            slot.invocations++;
            slot.durationMs += invocation.durationMs();
            slot.billedMs += orZero(invocation.billedMs());
        });
    }

    private static double orZero(double value) { return Double.isNaN(value) ? 0 : value; }
}
