// What the studies of shape say: for each variant and workload the course of a load that rises, bursts or lasts, stage by
// stage and over time.
//
// A request belongs to the second in which it was sent, not answered: its sample's time less what the answer took. Second
// 0 is when the load began, which k6 does not record; but it sends the first request of a rising rate when one is due, so
// that moment tells.

//SOURCES ../read/Histogram.java
//SOURCES ../read/K6Reader.java
//SOURCES ../record/Run.java
//SOURCES ../record/Study.java
//SOURCES Findings.java
//SOURCES Sorted.java

import module java.base;

/** The courses of all variants; {@link #of} is the way in. */
final class Shapes {
    /** A stage breaks a variant with more errors than this, or so many times the warm p99 of the first stage. */
    static final double BREAKING_ERRORS = 0.01, BREAKING_P99 = 10;
    /** Latency is calm while no block's p95 is above so many times the calmest stage's, so many blocks in a row. */
    static final double CALM = 1.5;
    static final int CALM_BLOCKS = 3;
    /** What was sent is held against what was due over so many seconds. */
    static final double WINDOW_SECONDS = 10;
    private static final double[] BLOCK_SECONDS = {1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200};
    private static final int MOST_BLOCKS = 120;

    private Shapes() { }

    // ==== What comes out ====

    /**
     * One variant under one workload.
     *
     * @param recordings cells that were measured of it, one for each round
     * @param figures    of {@link Stage#figures}, of the whole shape where its load is users; empty for a rate
     */
    record Course(Study.Shape shape, Run.Variant variant, Run.Workload workload, int recordings, List<Stage> stages,
                  double blockSeconds, List<Block> blocks, double[] figures) {
        /** The first stage that the variant did not bear, and why; empty where it bore all. */
        Optional<Break> breaks() {
            double calmP99 = stages.getFirst().warm.quantile(.99);
            for (var stage : stages) {
                if (stage.errorShare() > BREAKING_ERRORS) return Optional.of(new Break(stage, Cause.ERRORS, stage.errorShare()));
                double times = stage.warm.quantile(.99) / calmP99;
                if (times > BREAKING_P99) return Optional.of(new Break(stage, Cause.LATENCY, times));
            }
            return Optional.empty();
        }

        /** Seconds from a stage's beginning until latency was calm; NaN where it was not before the stage's end. */
        double calmAfterSeconds(Stage stage) {
            double level = stages.stream().mapToDouble(this::level).filter(Double::isFinite).min().orElse(Double.NaN);
            var of = blocksOf(stage);
            for (int i = 0; i < of.size(); i++) {
                var next = of.subList(i, Math.min(of.size(), i + CALM_BLOCKS));
                if (next.stream().allMatch(block -> block.isCalm(level))) return Math.max(0, of.get(i).second - stage.fromSecond);
            }
            return Double.NaN;
        }

        /** The median p95 of a stage's blocks. */
        private double level(Stage stage) {
            return Sorted.of(blocksOf(stage).stream().mapToDouble(block -> block.ms.quantile(.95)).filter(Double::isFinite)).at(.5);
        }

        private List<Block> blocksOf(Stage stage) {
            double to = stage.fromSecond + stage.seconds;
            return blocks.stream().filter(block -> block.second + blockSeconds / 2 >= stage.fromSecond
                    && block.second + blockSeconds / 2 < to).toList();
        }
    }

    /** Why a stage broke a variant. */
    enum Cause { ERRORS, LATENCY }

    /** @param figure the share of errors, or how many times the first stage's p99 */
    record Break(Stage stage, Cause cause, double figure) {}

    /** A stage of a course, its recordings together. */
    static final class Stage {
        final int number;
        final double fromSecond, seconds;
        /** Requests/s or users, in the beginning and at the end. */
        final double from, to;
        final SortedMap<String, Long> outcomes = new TreeMap<>();
        /** n, mean, min, p50, p90, p95, p99, max of all correct answers, cold ones among them; NaN where there was none. */
        double[] figures;
        final Histogram warm = new Histogram();
        /** Answers that environments had to be started for, and throttled requests on the target's record. */
        long coldStarts, throttled;
        /** Of each recording: correct answers, and requests with the errors among them. */
        final Histogram[] ofRecording;
        final long[] requestsOfRecording;
        final double[] errorsOfRecording;

        private Stage(int number, double fromSecond, double seconds, double from, double to, int recordings) {
            this.number = number;
            this.fromSecond = fromSecond;
            this.seconds = seconds;
            this.from = from;
            this.to = to;
            ofRecording = Stream.generate(Histogram::new).limit(recordings).toArray(Histogram[]::new);
            requestsOfRecording = new long[recordings];
            errorsOfRecording = new double[recordings];
        }

        long requests() { return outcomes.values().stream().mapToLong(Long::longValue).sum(); }

        long errors() { return requests() - outcomes.getOrDefault(Run.CORRECT, 0L); }

        double errorShare() { return requests() == 0 ? 0 : (double) errors() / requests(); }
    }

    /** A stretch of time, all recordings together; CPU is a share of the functions' cores, 0 to 1. */
    static final class Block {
        final double second;
        /** Of correct answers, in ms. */
        final Histogram ms = new Histogram();
        long sent, errors, throttled, coldStarts;
        double environments = Double.NaN, cpuShare = Double.NaN;

        private Block(double second) { this.second = second; }

        private boolean isCalm(double level) {
            return errors <= BREAKING_ERRORS * sent && (ms.count() == 0 || ms.quantile(.95) <= CALM * level);
        }
    }

    // ==== What is due ====

    /** When k6 sends its first request: when a whole one is due, or a whole user is there. */
    private static double firstSecond(Study.Shape shape) {
        double low = 0, high = shape.seconds();
        for (int i = 0; i < 60; i++) {
            double middle = (low + high) / 2;
            boolean isDue = shape.users() ? shape.at(middle) >= 1 : shape.due(0, middle) >= 1;
            if (isDue) high = middle;
            else low = middle;
        }
        return high;
    }

    /** When the load of a cell began, in ns since 1970; empty where nothing was asked. */
    private static OptionalLong originNs(Findings findings, Study.Shape shape, Run.Cell cell) {
        var first = Stream.concat(findings.series(cell, "answer_ms").map(Shapes::firstSentNs),
                findings.series(cell, "dropped_iterations").map(K6Reader.Series::firstNs)).min(Long::compare);
        return first.map(ns -> OptionalLong.of(ns - Math.round(firstSecond(shape) * 1e9))).orElse(OptionalLong.empty());
    }

    private static long firstSentNs(K6Reader.Series answers) {
        long[] first = {Long.MAX_VALUE};
        answers.forEach((ms, atNs) -> first[0] = Math.min(first[0], sentNs(ms, atNs)));
        return first[0];
    }

    private static long sentNs(double ms, long atNs) { return atNs - Math.round(ms * 1e6); }

    /** What was sent in a window, of what was due. */
    record Window(Run.Cell cell, double fromSecond, double due, long sent) {}

    /** All windows of a measured cell whose shape is a rate; none for users, whose rate their answers decide. */
    static List<Window> windows(Findings findings, Study.Shape shape, Run.Cell cell) {
        var origin = originNs(findings, shape, cell);
        if (shape.users() || origin.isEmpty()) return List.of();
        int count = Math.max(1, (int) (shape.seconds() / WINDOW_SECONDS));
        long[] sent = new long[count];
        findings.series(cell, "answer_ms").forEach(series -> series.forEach((ms, atNs) -> {
            double second = (sentNs(ms, atNs) - origin.getAsLong()) / 1e9;
            sent[Math.clamp((long) (second / WINDOW_SECONDS), 0, count - 1)]++;
        }));
        return IntStream.range(0, count).mapToObj(i -> new Window(cell, i * WINDOW_SECONDS, cell.variants().size()
                * shape.due(i * WINDOW_SECONDS, i == count - 1 ? shape.seconds() : (i + 1) * WINDOW_SECONDS), sent[i])).toList();
    }

    // ==== Read ====

    /** By study, workload and variant, in the plan's order; what was not measured is not in it. */
    static List<Course> of(Findings findings) {
        var plan = findings.run.plan();
        var all = new ArrayList<Course>();
        for (var shape : plan.studies(Study.Shape.class)) {
            for (var workload : shape.workloads()) for (var variant : plan.variants()) {
                var cells = findings.run.cellsOf(shape).stream().filter(cell -> workload.name().equals(cell.workload()))
                        .filter(cell -> cell.variants().contains(variant.name()))
                        .filter(cell -> originNs(findings, shape, cell).isPresent()).toList();
                if (!cells.isEmpty()) all.add(course(findings, shape, variant, workload, cells));
            }
        }
        return all;
    }

    private static Course course(Findings findings, Study.Shape shape, Run.Variant variant, Run.Workload workload,
                                 List<Run.Cell> cells) {
        var stages = new ArrayList<Stage>();
        double begins = 0, from = 0;
        for (var stage : shape.stages()) {
            stages.add(new Stage(stages.size() + 1, begins, stage.seconds(), from, stage.target(), cells.size()));
            begins += stage.seconds();
            from = stage.target();
        }
        double blockSeconds = Arrays.stream(BLOCK_SECONDS).filter(some -> shape.seconds() <= some * MOST_BLOCKS)
                .findFirst().orElse(shape.seconds() / MOST_BLOCKS);
        int count = (int) Math.ceil(shape.seconds() / blockSeconds);
        var blocks = IntStream.range(0, count).mapToObj(i -> new Block(i * blockSeconds)).toList();
        var course = new Course(shape, variant, workload, cells.size(), stages, blockSeconds, blocks, new double[0]);
        var answers = new ArrayList<Answers>();
        for (int i = 0; i < cells.size(); i++) {
            long originNs = originNs(findings, shape, cells.get(i)).orElseThrow();
            for (var series : findings.series(cells.get(i), "answer_ms").toList()) {
                if (!Findings.tag(series, "variant").equals(variant.name())) continue;
                add(course, i, originNs, series);
                if (Findings.tag(series, "outcome").equals(Run.CORRECT)) answers.add(new Answers(series, originNs));
            }
            add(course, originNs, findings.told.get(cells.get(i).name()), findings.cores("functions"));
        }
        for (var stage : stages) stage.figures = figures(course, List.of(stage), answers);
        return !shape.users() ? course : new Course(shape, variant, workload, cells.size(), stages, blockSeconds, blocks,
                figures(course, stages, answers));
    }

    private record Answers(K6Reader.Series series, long originNs) {
        double second(double ms, long atNs) { return (sentNs(ms, atNs) - originNs) / 1e9; }
    }

    private static Stage stage(Course course, double second) {
        for (var stage : course.stages) if (second < stage.fromSecond + stage.seconds) return stage;
        return course.stages.getLast();
    }

    private static Block block(Course course, double second) {
        return course.blocks.get(Math.clamp((long) (second / course.blockSeconds), 0, course.blocks.size() - 1));
    }

    private static void add(Course course, int recording, long originNs, K6Reader.Series series) {
        String outcome = Findings.tag(series, "outcome");
        boolean correct = outcome.equals(Run.CORRECT), cold = Findings.tag(series, "cold").equals("true");
        series.forEach((ms, atNs) -> {
            double second = (sentNs(ms, atNs) - originNs) / 1e9;
            var stage = stage(course, second);
            var block = block(course, second);
            stage.outcomes.merge(outcome, 1L, Long::sum);
            stage.requestsOfRecording[recording]++;
            block.sent++;
            if (cold) {
                stage.coldStarts++;
                block.coldStarts++;
            }
            if (!correct) {
                stage.errorsOfRecording[recording]++;
                block.errors++;
                return;
            }
            stage.ofRecording[recording].add(ms);
            block.ms.add(ms);
            if (!cold) stage.warm.add(ms);
        });
    }

    /** Exact: so stages are asked for one at a time, as only one stage's answers should be in memory. */
    private static double[] figures(Course course, List<Stage> stages, List<Answers> answers) {
        var ms = new double[(int) stages.stream().flatMap(stage -> Arrays.stream(stage.ofRecording))
                .mapToLong(Histogram::count).sum()];
        int[] n = {0};
        for (var some : answers) some.series.forEach((value, atNs) -> {
            if (stages.contains(stage(course, some.second(value, atNs)))) ms[n[0]++] = value;
        });
        Arrays.sort(ms);
        var sorted = new Sorted(ms);
        return new double[] {ms.length, sorted.mean(), sorted.min(), sorted.at(.5), sorted.at(.9), sorted.at(.95), sorted.at(.99),
                sorted.max()};
    }

    /** What the target told, second by second. */
    private static void add(Course course, long originNs, Findings.Told told, int cores) {
        String variant = course.variant.name();
        for (var event : told.events()) {
            if (!event.isThrottled() || !event.variant().equals(variant)) continue;
            double second = (event.atNs() - originNs) / 1e9;
            stage(course, second).throttled++;
            block(course, second).throttled++;
        }
        var environments = told.telemetry().values(variant, "environments");
        var cpuNs = told.telemetry().values(variant, "cpuNs");
        for (var block : course.blocks) {
            var begins = K6Reader.instant(originNs + Math.round(block.second * 1e9));
            var ends = K6Reader.instant(originNs + Math.round((block.second + course.blockSeconds) * 1e9));
            var last = environments.floorEntry(ends);
            if (last != null && !last.getKey().isBefore(begins)) block.environments = largest(block.environments, last.getValue());
            double share = (at(cpuNs, ends) - at(cpuNs, begins)) / 1e9 / course.blockSeconds / cores;
            block.cpuShare = largest(block.cpuShare, share);
        }
    }

    private static double largest(double one, double other) {
        return Double.isNaN(one) ? other : Double.isNaN(other) ? one : Math.max(one, other);
    }

    /** A total between two readings; NaN before the first and after the last. */
    private static double at(NavigableMap<Instant, Double> readings, Instant time) {
        var before = readings.floorEntry(time);
        var after = readings.ceilingEntry(time);
        if (before == null || after == null) return Double.NaN;
        double seconds = Duration.between(before.getKey(), after.getKey()).toNanos();
        double part = seconds == 0 ? 0 : Duration.between(before.getKey(), time).toNanos() / seconds;
        return before.getValue() + part * (after.getValue() - before.getValue());
    }
}
