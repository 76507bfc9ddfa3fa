// A run that no function ever answered, in the files and forms that experiment.java leaves: for tests of what
// analyze.java makes of a run, as these must know the truth beforehand.
//
// All variants take turns under all workloads, round after round, and all is in order until a test changes something:
//
//     new MadeUpRun(24, 2, "rust-standard-1769", "rust-lmi-2048")
//             .cells(cell -> cell.is("rust-lmi-2048", "io"), cell -> cell.latencyMs *= 1.1).write(directory);
//
// Cells of the other studies answer what a test tells them to, after all steady ones; without rounds there are no others:
//
//     new MadeUpRun(0, 2, "rust-standard-1769").asked(study, 1, "rust-standard-1769", "cpu", cell -> cell.answer(0, 12.5));

//SOURCES ../kit/record/Run.java
//SOURCES ../kit/record/Study.java
//SOURCES ../kit/record/Target.java

import module java.base;

/** Made up: a plan, its cells, and what the record says of them. */
final class MadeUpRun {
    static final Run.Workload IO = new Run.Workload("io", 40.0, Map.of("delay_ms", "20"));
    static final Run.Workload STORE = new Run.Workload("store", 30.0, Map.of());
    private static final List<Run.Workload> WORKLOADS = List.of(IO, STORE);
    private static final String STUDY = "steady";

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    /** The second that comes before each measured phase. */
    private static final double SETTLE_SECONDS = 1;
    /** A round differs from the others by at most so much: without any noise there would be no interval. */
    private static final double NOISE = 0.01;

    final List<Cell> cells = new ArrayList<>();
    private final int rounds;
    private final double measureSeconds;
    private final List<Run.Variant> variants;
    private final List<Asked> asked = new ArrayList<>();
    private UnaryOperator<Run> changed = UnaryOperator.identity();

    /** A local run that claims differences, with variants of these names. */
    MadeUpRun(int rounds, double measureSeconds, String... variants) {
        this.rounds = rounds;
        this.measureSeconds = measureSeconds;
        this.variants = Stream.of(variants).map(Run.Variant::of).toList();
        for (int round = 1; round <= rounds; round++) {
            for (var workload : WORKLOADS) for (var variant : this.variants) {
                cells.add(new Cell(cells.size() + 1, round, variant, workload, measureSeconds));
            }
        }
    }

    /** Changes all cells of which this is true. */
    MadeUpRun cells(Predicate<Cell> which, Consumer<Cell> change) {
        cells.stream().filter(which).forEach(change);
        return this;
    }

    /** Changes one cell; they are numbered from 1 in the order of rounds, workloads and variants. */
    MadeUpRun cell(int number, Consumer<Cell> change) { return cells(cell -> cell.number == number, change); }

    /** Changes the record itself, before it is written. */
    MadeUpRun run(UnaryOperator<Run> change) {
        var before = changed;
        changed = run -> change.apply(before.apply(run));
        return this;
    }

    /** Adds a cell of another study than steady load, or a step of a search: what happened in it is the test's to say. */
    MadeUpRun asked(Study study, int round, String variant, String workload, Consumer<Asked> happened) {
        var cell = new Asked(cells.size() + asked.size() + 1, study, round, Run.Variant.of(variant), study.workload(workload));
        happened.accept(cell);
        asked.add(cell);
        return this;
    }

    /** The same on AWS: in a region, and on no machine whose cores are known. */
    MadeUpRun onAws(String region, String architecture) {
        return run(run -> new Run(run.schema(), run.id(), "aws", run.started(), run.finished(), run.plan(),
                Map.of("target", Map.of("region", region, "architecture", architecture)), run.prices(),
                run.agreement(), run.cells(), run.warnings(), run.published()));
    }

    /** The same by a profile that is too short to claim a difference. */
    MadeUpRun claimingNothing() {
        return run(run -> {
            var plan = run.plan();
            var silent = new Run.Plan(plan.profile(), plan.description(), false, plan.seed(), plan.warmUpRequests(),
                    plan.variants(), plan.studies(), plan.order());
            return new Run(run.schema(), run.id(), run.target(), run.started(), run.finished(), silent,
                    run.environment(), run.prices(), run.agreement(), run.cells(), run.warnings(), run.published());
        });
    }

    /** Writes run.json and the files of all cells. */
    Path write(Path directory) throws IOException {
        Files.createDirectories(directory.resolve("cells"));
        var written = new ArrayList<Run.Cell>();
        for (var cell : cells) written.add(cell.write(directory));
        for (var cell : asked) written.add(cell.write(directory));
        var studies = new ArrayList<Study>();
        if (rounds > 0) {
            studies.add(new Study.Steady(STUDY, Study.Steady.SLOTS, rounds, SETTLE_SECONDS, measureSeconds, WORKLOADS));
        }
        asked.stream().map(cell -> cell.study).distinct().forEach(studies::add);
        var plan = new Run.Plan("made-up", "Made up by a test.", true, 1, 0, variants, studies,
                Stream.concat(cells.stream().map(Cell::planned), asked.stream().map(Asked::planned)).distinct().toList());
        Map<String, Object> environment = Map.of("machine", Map.of("cores", 2),
                "target", Map.of("pinning", Map.of("functions", List.of(1), "others", List.of(0))));
        var prices = Run.json().readTree(Path.of("data/prices.json").toFile());
        var agreement = new Run.Agreement(START, 45, variants.stream().map(Run.Variant::name).toList());
        var run = new Run(Run.SCHEMA, "made-up", "local", START, written.getLast().ended(), plan, environment, prices,
                agreement, written, List.of(), null);
        changed.apply(run).write(directory);
        return directory.resolve("run.json");
    }

    /** One variant under one workload in one round, and all that a test may want to be otherwise. */
    static final class Cell {
        final int number, round;
        final Run.Variant variant;
        final Run.Workload workload;
        final double measureSeconds;
        final Instant started;
        Instant ended;
        /** Of the measured phase; errors and throttled ones are answered with a 5xx. */
        long requests, dropped, wrong, throttled, errors, missingObjects;
        /** What k6 sees of a warm answer, and by how much requests differ: the sd of the logarithm. */
        double latencyMs, spread;
        /** What the target says of an invocation; standard is billed as long as it takes. */
        double durationMs, cpuMs;
        /** Latencies of answers that are an environment's first, in the settling phase; a start takes half of it. */
        List<Double> coldMs = List.of();
        double virtualUsers = 3, generatorCpu = 0.2, machineCpu = 0.4, functionCpu = 0.1, concurrency = 2;
        /** By how much the wall clock jumps in the middle of the measured phase. */
        double stepSeconds;
        /** Where CloudWatch tells of a function, the machine does not. */
        Map<String, Double> cloudWatch = Map.of();
        String lastLine = "";
        Run.Outcome outcome = Run.Outcome.measured();
        List<String> notes = List.of();
        UnaryOperator<Run.Stored> found = UnaryOperator.identity();
        private final SplittableRandom random;

        private Cell(int number, int round, Run.Variant variant, Run.Workload workload, double measureSeconds) {
            this.number = number;
            this.round = round;
            this.variant = variant;
            this.workload = workload;
            this.measureSeconds = measureSeconds;
            random = new SplittableRandom(number);
            started = START.plusSeconds((long) (number * (SETTLE_SECONDS + measureSeconds + 5)));
            ended = started.plusMillis((long) (1_000 * (SETTLE_SECONDS + measureSeconds)) + 500);
            requests = iterations(measureSeconds);
            latencyMs = around(20);
            durationMs = around(15);
            cpuMs = around(2);
        }

        private double around(double level) { return level * (1 + random.nextDouble(-NOISE, NOISE)); }

        /** One more than rate times time, as k6 does it. */
        private long iterations(double seconds) { return (long) (workload.ratePerSecond() * seconds) + 1; }

        String name() { return "%03d-%s-%s".formatted(number, variant.name(), workload.name()); }

        boolean is(String variant) { return this.variant.name().equals(variant); }

        boolean is(String variant, String workload) { return is(variant) && this.workload.name().equals(workload); }

        private Run.PlannedCell planned() {
            return new Run.PlannedCell(number, STUDY, name(), round, List.of(variant.name()), workload.name());
        }

        private Run.Cell write(Path directory) throws IOException {
            var phases = List.of(new Run.Phase(Run.Phase.SETTLE, 0, SETTLE_SECONDS, 200),
                    new Run.Phase(Run.Phase.MEASURE, SETTLE_SECONDS, measureSeconds, 200));
            long asked = iterations(SETTLE_SECONDS) + requests;
            long objects = asked - wrong - throttled - errors - missingObjects;
            var stored = workload.equals(STORE)
                    ? found.apply(new Run.Stored(objects, objects, true, 36, 36)) : null;
            var files = List.of(file(directory, Run.File.Kind.SAMPLES, samples() + lastLine),
                    file(directory, Run.File.Kind.INVOCATIONS, invocations(asked)),
                    file(directory, Run.File.Kind.METRICS, metrics()));
            return new Run.Cell(number, STUDY, name(), round, List.of(variant.name()), workload.name(), phases, started, ended,
                    outcome, files, stored, null, notes);
        }

        private String samples() {
            var lines = new StringBuilder();
            long settling = iterations(SETTLE_SECONDS);
            for (int i = 0; i < settling; i++) {
                double second = i * SETTLE_SECONDS / settling;
                boolean cold = i < coldMs.size();
                lines.append(answer(Run.Phase.SETTLE, "correct", cold, second, cold ? coldMs.get(i) : warmMs()));
            }
            for (int i = 0; i < requests; i++) {
                double second = SETTLE_SECONDS + i * measureSeconds / requests + (2 * i < requests ? 0 : stepSeconds);
                String outcome = i < wrong ? "wrong" : i < wrong + throttled + errors ? "http_5xx" : "correct";
                lines.append(answer(Run.Phase.MEASURE, outcome, false, second, warmMs()));
                lines.append(line("cpu_ns", started.plusNanos((long) (1e9 * second)), 1e6 * cpuMs * i,
                        "variant", variant.name(), "workload", workload.name(), "phase", Run.Phase.MEASURE,
                        "environment", variant.name(), "pid", "1"));
            }
            for (int i = 0; i < dropped; i++) {
                lines.append(line("dropped_iterations", started, 1, "scenario", scenario(Run.Phase.MEASURE)));
            }
            for (int second = 1; second < measureSeconds; second++) {
                lines.append(line("vus", started.plusSeconds(second), virtualUsers));
            }
            return lines.toString();
        }

        private double warmMs() { return latencyMs * StrictMath.exp(spread * random.nextGaussian()); }

        private String answer(String phase, String outcome, boolean cold, double second, double ms) {
            return line("answer_ms", started.plusNanos((long) (1e9 * second + 1e6 * ms)), toNanosecond(ms),
                    "variant", variant.name(), "workload", workload.name(), "phase", phase, "outcome", outcome,
                    "cold", String.valueOf(cold), "scenario", scenario(phase));
        }

        private String scenario(String phase) { return variant.name() + "_" + workload.name() + "_" + phase; }

        private String invocations(long asked) throws IOException {
            var lines = new StringBuilder();
            for (int i = 0; i < asked; i++) {
                String status = i < throttled ? "throttled" : "ok";
                double tookMs = toNanosecond(durationMs);
                Double billedMs = variant.lmi() ? null : tookMs;
                Double initMs = i < coldMs.size() ? coldMs.get(i) / 2 : null;
                lines.append(Run.line(new Run.Invocation("id-" + i, variant.name(), "environment", started, status,
                        tookMs, billedMs, initMs, variant.memoryMb(), 20.0))).append('\n');
            }
            return lines.toString();
        }

        /** Two readings, ten seconds apart. */
        private String metrics() throws IOException {
            var lines = new StringBuilder();
            for (int second : new int[] {0, 10}) {
                var of = new TreeMap<>(Map.of("k6 cpuNs", 1e9 * second * generatorCpu,
                        "machine cpuNs", 2e9 * second * machineCpu, "machine idleNs", 2e9 * second * (1 - machineCpu),
                        variant.name() + " cpuNs", 1e9 * second * functionCpu, variant.name() + " environments", 1.0));
                if (cloudWatch.isEmpty()) of.put(variant.name() + " concurrency", concurrency);
                cloudWatch.forEach((metric, value) -> of.put(variant.name() + " " + metric, value));
                for (var metric : of.entrySet()) {
                    var name = metric.getKey().split(" ");
                    var at = started.plusSeconds(second);
                    lines.append(Run.line(new Run.Metric(at, name[0], name[1], metric.getValue()))).append('\n');
                }
            }
            return lines.toString();
        }

        private Run.File file(Path directory, Run.File.Kind kind, String text) throws IOException {
            return MadeUpRun.file(directory, name(), kind, text);
        }
    }

    private static Run.File file(Path directory, String cell, Run.File.Kind kind, String text) throws IOException {
        Path file = kind.of(directory, cell);
        try (var plain = Files.newOutputStream(file);
             var out = file.toString().endsWith(".gz") ? new GZIPOutputStream(plain) : plain) {
            out.write(text.getBytes(StandardCharsets.UTF_8));
        }
        return Run.File.of(kind, directory, file);
    }

    /** A cell of a shape, of a step, or of a new environment: its answers, and what the target told second by second. */
    static final class Asked {
        final Study study;
        final Run.Variant variant;
        final Run.Workload workload;
        final Instant started;
        private final int number, round;
        private final StringBuilder samples = new StringBuilder(), invocations = new StringBuilder();
        private int answers;
        private long cpuTaken, throttled;
        private double lastSecond;
        /** Of a search: the step, and its place among the search's. */
        Run.Step step;
        int stepNumber;
        String phase = Run.Phase.MEASURE;
        double cpuMs = 2, virtualUsers = 3, generatorCpu = 0.2, environments = 1, memoryMb = 30;
        int mostVus = 200;
        /** How long after the cell's start k6 begins to ask. */
        double k6StartSeconds = 0.7;

        private Asked(int number, Study study, int round, Run.Variant variant, Run.Workload workload) {
            this.number = number;
            this.study = study;
            this.round = round;
            this.variant = variant;
            this.workload = workload;
            started = START.plusSeconds(10_000L + 1_000L * number);
        }

        /** A correct warm answer to a request of this second. */
        Asked answer(double second, double ms) { return answer(second, ms, Run.CORRECT, false, null); }

        /** The answer of an environment that had to be started first; null where the target has no record of that. */
        Asked cold(double second, double ms, Double initMs) { return answer(second, ms, Run.CORRECT, true, initMs); }

        /** A request that found no free environment. */
        Asked throttled(double second) { return answer(second, 1, "http_5xx", false, null, "throttled"); }

        Asked answer(double second, double ms, String outcome, boolean cold, Double initMs) {
            return answer(second, ms, outcome, cold, initMs, outcome.equals(Run.CORRECT) ? "ok" : "error");
        }

        private Asked answer(double second, double ms, String outcome, boolean cold, Double initMs, String status) {
            var begun = started.plusNanos((long) (1e9 * (k6StartSeconds + second)));
            var ended = begun.plusNanos((long) (1e6 * ms));
            String scenario = variant.name() + "_" + workload.name() + "_" + phase;
            samples.append(line("answer_ms", ended, toNanosecond(ms), "variant", variant.name(), "workload",
                    workload.name(), "phase", phase, "outcome", outcome, "cold", String.valueOf(cold), "scenario", scenario,
                    "study", study.name(), "nth", String.valueOf(++answers)));
            if (!status.equals("throttled")) samples.append(line("cpu_ns", ended, cpuTaken += (long) (1e6 * cpuMs),
                    "variant", variant.name(), "workload", workload.name(), "phase", phase, "environment",
                    variant.name(), "pid", "1"));
            try {
                invocations.append(Run.line(new Run.Invocation("id-" + answers, variant.name(), "environment", begun, status,
                        toNanosecond(ms), null, initMs, variant.memoryMb(), 20.0))).append('\n');
            } catch (IOException impossible) {
                throw new UncheckedIOException(impossible);
            }
            if (status.equals("throttled")) throttled++;
            lastSecond = Math.max(lastSecond, second + ms / 1000);
            return this;
        }

        /** Iterations that k6 could not begin. */
        Asked dropped(double second, int count) {
            for (int i = 0; i < count; i++) samples.append(line("dropped_iterations",
                    started.plusNanos((long) (1e9 * (k6StartSeconds + second))), 1,
                    "scenario", variant.name() + "_" + workload.name() + "_" + phase));
            return this;
        }

        private String search() {
            return "%03d-%s-%s-%s".formatted(number - Math.max(0, stepNumber - 1), variant.name(), workload.name(), study.name());
        }

        private int plannedNumber() { return number - Math.max(0, stepNumber - 1); }

        private Run.PlannedCell planned() {
            return new Run.PlannedCell(plannedNumber(), study.name(), search(), round, List.of(variant.name()), workload.name());
        }

        private String name() { return stepNumber == 0 ? search() : Run.Step.name(search(), stepNumber); }

        private List<Run.Phase> phases() {
            return switch (study) {
                case Study.Steady _ -> throw new IllegalStateException("steady cells are made by rounds");
                case Study.Shape shape -> List.of(new Run.Phase(Run.Phase.MEASURE, 0, shape.seconds(), mostVus));
                case Study.Capacity capacity -> List.of(new Run.Phase(Run.Phase.SETTLE, 0, capacity.settleSeconds(), mostVus),
                        new Run.Phase(Run.Phase.MEASURE, capacity.settleSeconds(), capacity.measureSeconds(), mostVus));
                case Study.Cold _ -> List.of(new Run.Phase(Run.Phase.MEASURE, 0, 120, 1));
            };
        }

        private Run.Cell write(Path directory) throws IOException {
            var last = phases().getLast();
            double seconds = study instanceof Study.Cold ? lastSecond : Math.max(lastSecond, last.startSecond() + last.seconds());
            var ended = started.plusMillis((long) (1_000 * (k6StartSeconds + seconds + 0.5)));
            for (int second = 1; second < seconds; second++) {
                samples.append(line("vus", started.plusSeconds(second), virtualUsers));
            }
            var files = List.of(file(directory, name(), Run.File.Kind.SAMPLES, samples.toString()),
                    file(directory, name(), Run.File.Kind.INVOCATIONS, invocations.toString()),
                    file(directory, name(), Run.File.Kind.METRICS, metrics((int) Math.ceil(seconds) + 1)));
            return new Run.Cell(plannedNumber(), study.name(), name(), round, List.of(variant.name()), workload.name(), step,
                    phases(), started, ended, Run.Outcome.measured(), files, null, null, List.of());
        }

        /** A reading a second: the function takes its CPU evenly. */
        private String metrics(int seconds) throws IOException {
            var lines = new StringBuilder();
            for (int second = 0; second <= seconds; second++) {
                for (var metric : new TreeMap<>(Map.of("k6 cpuNs", 1e9 * second * generatorCpu,
                        variant.name() + " cpuNs", (double) cpuTaken * second / seconds,
                        variant.name() + " environments", environments, variant.name() + " memoryBytes", memoryMb * (1 << 20),
                        variant.name() + " throttles", (double) throttled * second / seconds)).entrySet()) {
                    var name = metric.getKey().split(" ");
                    lines.append(Run.line(new Run.Metric(started.plusSeconds(second), name[0], name[1], metric.getValue()))).append('\n');
                }
            }
            return lines.toString();
        }
    }

    /** No clock ticks finer. */
    private static double toNanosecond(double ms) { return Math.round(ms * 1e6) / 1e6; }

    /** A line as k6 1.x writes it. */
    private static String line(String metric, Instant time, double value, String... tags) {
        var pairs = new StringJoiner(",");
        for (int i = 0; i < tags.length; i += 2) pairs.add("\"" + tags[i] + "\":\"" + tags[i + 1] + "\"");
        return "{\"metric\":\"%s\",\"type\":\"Point\",\"data\":{\"time\":\"%s\",\"value\":%s,\"tags\":{%s}}}\n"
                .formatted(metric, time, value, pairs);
    }
}
