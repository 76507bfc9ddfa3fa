// May this run be believed? Each gate is one way in which a load test lies without an error: the generator was slower
// than it was told to be, the machine was full, a variant was asked less or did other work, the clock jumped, a file is
// not whole.
//
// A gate names itself, its figure and its threshold. One flag stands for all that it caught: the worst case, and how
// many more there are. A run with a flag is analysed all the same, with the flag on top. A warm-up carries no finding:
// of it only the answers and the files are judged.

//SOURCES ../read/K6Reader.java
//SOURCES ../record/Run.java
//SOURCES Findings.java
//SOURCES Statistics.java
//SOURCES ../record/Sha256.java

import module java.base;

/** The reasons not to believe a run; {@link #check} is the way in. */
final class Gates {

    // ==== Thresholds ====

    /** k6 drops what it cannot begin in time, which is when answers are slow: one in a thousand hides a p99.9. */
    static final double MOST_DROPPED = 0.001;
    /** Below 99 % the tables would name a rate that was never asked. */
    static final double LEAST_ACHIEVED = 0.99;
    /** A phase has one iteration more or less than rate times time, as k6 rounds its ends: 61 of 60 is what it does. */
    private static final long ROUNDING_PER_SLOT = 1;
    /** k6 tells its virtual users once a second, and the peak lies in between: at 90 % the ceiling was near enough. */
    static final double MOST_VIRTUAL_USERS = 0.90;
    /**
     * With less than 20 % idle k6 is late by itself, and its delay counts as the function's, says its manual:
     * https://grafana.com/docs/k6/latest/testing-guides/running-large-tests/.
     */
    static final double MOST_GENERATOR_CPU = 0.80;
    /** Without idle time a machine adds its own queue to every latency; readings a second apart may be off by 5 %. */
    static final double MOST_MACHINE_CPU = 0.95;
    /** Variants that were asked unequally often bore unequal load; where 1 % of a cell is less, two requests pass. */
    static final double MOST_UNEQUAL = 0.01;
    static final long MOST_UNEQUAL_PER_SLOT = 2;
    /** Latency is of correct answers: with more than 1 % missing, their p99 is not that of the slowest hundredth. */
    static final double MOST_ERRORS = 0.01;
    /** k6, target and experiment read the same clock, or synchronised ones: that differ by less than a second. */
    static final double MOST_CLOCK_SECONDS = 1;
    /** A median that falls by less is what neighbours do to it; what falls after a third of the run is drift. */
    static final double MOST_WARMING = 0.05, WARM_UP_SHARE = 1.0 / 3;
    /**
     * A run has some twenty streams to be wrong about. Simulated (300 runs of 21 streams, 24 rounds): independent noise
     * of 10 % raises a false flag in 0.3 % of runs, noise that lasts for rounds (r = 0.5) in 3 %; five rounds that are
     * slower by 20 % in noise of 3 % are found in 92 %.
     */
    static final double WARMING_ALPHA = 0.004;
    /** The object of a store cell is a UUID in text. */
    static final long OBJECT_BYTES = 36;

    // ==== Check ====

    /**
     * A gate that a run did not pass.
     *
     * @param figure what was found, with its unit
     * @param where  the worst case: a variant's workload, a cell or a file
     * @param limit  what would have passed
     * @param more   how many cases there are beside the worst
     */
    record Flag(String gate, String figure, String where, String limit, int more) {
        /** As in "dropped iterations: 3.2 % of io on java-standard-1769 (at most 0.1 %); 2 more like it". */
        String sentence() {
            String others = more == 0 ? "" : "; " + more + " more like it";
            return "%s: %s %s (%s)%s".formatted(gate, figure, where, limit, others);
        }
    }

    /** Something that a gate caught; the largest badness of all is shown. */
    private record Case(double badness, String figure, String where) {}

    /** All that speaks against a run, empty when it may be believed. */
    static List<Flag> check(Findings findings) {
        var gates = new Gates(findings);
        return Stream.concat(check(findings.reading).stream(), Stream.of(
                flag("changed files", "the one with the sha256 on record", gates.changedFiles()),
                flag("unfinished run", "all, and its end on record", gates.unfinished()),
                flag("failed cells", "none allowed", gates.failedCells()),
                flag("unequal work", "only correct ones, and every variant's proof", gates.unequalWork()),
                flag("stored objects", "correct replies <= objects <= invocations, and as many items with the same ids",
                        gates.storedObjects()),
                flag("dropped iterations", "at most " + atMost(MOST_DROPPED), gates.droppedIterations()),
                flag("achieved rate", "at least " + atLeast(LEAST_ACHIEVED), gates.achievedRate()),
                flag("unequal counts", "at most %s or %d a cell apart".formatted(atMost(MOST_UNEQUAL),
                        MOST_UNEQUAL_PER_SLOT), gates.unequalCounts()),
                flag("virtual users", "at most " + atMost(MOST_VIRTUAL_USERS), gates.virtualUsers()),
                flag("generator's CPU", "at most " + atMost(MOST_GENERATOR_CPU), gates.generatorCpu()),
                flag("machine's CPU", "at most " + atMost(MOST_MACHINE_CPU), gates.machineCpu()),
                flag("errors", "at most " + atMost(MOST_ERRORS), gates.errors()),
                flag("throttles", "none allowed", gates.throttles()),
                flag("LMI at its maximum", "fewer than the limit", gates.lmiAtItsMaximum()),
                flag("clock", "at most %s s".formatted(plain(MOST_CLOCK_SECONDS)), gates.clock()),
                flag("warm-up not over", "at most %s in the first third".formatted(atMost(MOST_WARMING)),
                        gates.warmUpNotOver())).flatMap(Optional::stream)).toList();
    }

    /** What speaks against k6's files alone. */
    static List<Flag> check(K6Reader.Reading reading) {
        var cut = reading.shards().stream().filter(shard -> shard.cut() != null)
                .map(shard -> new Case(1, shard.cut(), "in " + shard.path().getFileName() + ", the rest is counted"));
        var refused = reading.shards().stream().filter(shard -> shard.refused() > 0)
                .map(shard -> new Case(shard.refused(), shard.refused() + " " + shard.firstRefused().getFirst().why(),
                        "in %s, the first at byte %d: '%s'".formatted(shard.path().getFileName(),
                                shard.firstRefused().getFirst().offset(),
                                shard.firstRefused().getFirst().text().strip())));
        return Stream.of(flag("cut file", "none allowed", cut), flag("refused lines", "none allowed", refused))
                .flatMap(Optional::stream).toList();
    }

    private static Optional<Flag> flag(String gate, String limit, Stream<Case> cases) {
        var all = cases.toList();
        return all.stream().reduce((worst, next) -> next.badness > worst.badness ? next : worst)
                .map(worst -> new Flag(gate, worst.figure, worst.where, limit, all.size() - 1));
    }

    private final Findings findings;
    private final Run run;
    private final Map<String, List<K6Reader.Series>> seriesOfCell;

    private Gates(Findings findings) {
        this.findings = findings;
        run = findings.run;
        seriesOfCell = findings.reading.series().stream().collect(Collectors.groupingBy(series -> series.label));
    }

    // ==== The record ====

    /** On all cores, as every byte of the run is read for it. */
    private Stream<Case> changedFiles() {
        return run.cells().parallelStream().flatMap(cell -> cell.files().stream()).flatMap(file -> {
            String where = "at " + file.path();
            try {
                boolean same = Sha256.of(findings.directory.resolve(file.path())).equals(file.sha256());
                return same ? Stream.empty() : Stream.of(new Case(1, "another file", where));
            } catch (IOException gone) {
                return Stream.of(new Case(2, "no file", where));
            }
        });
    }

    private Stream<Case> unfinished() {
        if (run.finished() != null) return Stream.empty();
        long planned = run.plan().order().size();
        return Stream.of(new Case(1, measured().count() + " of " + planned + " cells", "are measured"));
    }

    private Stream<Case> failedCells() {
        return run.cells().stream().filter(cell -> !cell.outcome().isMeasured())
                .map(cell -> new Case(1, cell.outcome().reason(), "in " + cell.name()));
    }

    // ==== The work ====

    private Stream<Case> unequalWork() {
        var wrong = run.cells().stream().map(cell -> {
            long count = count(answers(cell, "wrong"));
            return new Case(count, count == 1 ? "1 wrong answer" : count + " wrong answers", "in " + cell.name());
        }).filter(found -> found.badness > 0);
        var proved = run.agreement() == null ? List.of() : run.agreement().variants();
        var unproved = run.plan().variants().stream().filter(variant -> !proved.contains(variant.name()))
                .map(variant -> new Case(Double.MAX_VALUE, "no proof of equal replies", "for " + variant.name()));
        return Stream.concat(wrong, unproved);
    }

    /** What lies in the stores after a cell was put there by its requests, those of the settling phase among them. */
    private Stream<Case> storedObjects() {
        return measured().filter(cell -> cell.stored() != null).flatMap(cell -> {
            var stored = cell.stored();
            long objects = stored.objects(), replies = count(answers(cell, Findings.CORRECT));
            long invocations = cell.variants().stream().mapToLong(variant -> slot(cell, variant).invocations).sum();
            // A note tells of records that came late or not at all: then their number is no bound.
            boolean bounded = replies <= objects && (objects <= invocations || !cell.notes().isEmpty());
            long smallest = stored.smallestBytes(), largest = stored.largestBytes();
            boolean sized = objects == 0 || smallest == OBJECT_BYTES && largest == OBJECT_BYTES;
            if (bounded && sized && stored.items() == objects && stored.sameIds()) return Stream.empty();
            String items = stored.items() + (stored.sameIds() ? " items, the same ids" : " items, other ids");
            return Stream.of(new Case(Math.abs(objects - replies),
                    "%d objects of %d to %d bytes, %s".formatted(objects, smallest, largest, items),
                    "after %d correct replies to %d invocations in %s".formatted(replies, invocations, cell.name())));
        });
    }

    // ==== The load ====

    private Stream<Case> droppedIterations() {
        return findings.streams.stream().flatMap(stream -> {
            long dropped = stream.sum(slot -> slot.dropped);
            return above(MOST_DROPPED, (double) dropped / (stream.requests() + dropped), "of " + name(stream));
        });
    }

    private Stream<Case> achievedRate() {
        return findings.streams.stream().flatMap(stream -> {
            double planned = stream.workload.ratePerSecond() * stream.total(slot -> slot.seconds);
            long requests = stream.requests();
            if (requests + ROUNDING_PER_SLOT * stream.slots.size() >= LEAST_ACHIEVED * planned) return Stream.empty();
            return Stream.of(new Case(1 - requests / planned, atLeast(requests / planned),
                    "of %s a second asked of %s".formatted(plain(stream.workload.ratePerSecond()), name(stream))));
        });
    }

    /** Only rounds that all variants have are compared: a cell that failed has a gate of its own. */
    private Stream<Case> unequalCounts() {
        return run.plan().workloads().stream().flatMap(workload -> {
            var streams = findings.streams.stream().filter(stream -> stream.workload.equals(workload)).toList();
            var rounds = new TreeSet<>(streams.getFirst().slots.keySet());
            streams.forEach(stream -> rounds.retainAll(stream.slots.keySet()));
            var counts = streams.stream().mapToLong(stream -> rounds.stream()
                    .mapToLong(round -> stream.slots.get(round).requests()).sum()).summaryStatistics();
            long least = counts.getMin(), most = counts.getMax();
            double passes = Math.max(MOST_UNEQUAL * most, MOST_UNEQUAL_PER_SLOT * rounds.size());
            return most - least <= passes ? Stream.empty() : Stream.of(new Case((double) (most - least) / most,
                    "%d to %d requests".formatted(least, most), "by variant in " + workload.name()));
        });
    }

    /** Each variant of a cell has a scenario of its own in each phase, with so many virtual users. */
    private Stream<Case> virtualUsers() {
        return measured().flatMap(cell -> {
            double most = cell.variants().size() * cell.phases().stream().mapToInt(Run.Phase::mostVus).max().orElse(0);
            double used = series(cell, "vus").mapToDouble(K6Reader.Series::max).max().orElse(0);
            return above(MOST_VIRTUAL_USERS, used / most, "of %s in %s".formatted(plain(most), cell.name()));
        });
    }

    private Stream<Case> generatorCpu() {
        int cores = cores(run, "others");
        return telemetry().flatMap(told -> above(MOST_GENERATOR_CPU,
                told.growth("k6", "cpuNs") / 1e9 / told.seconds("k6", "cpuNs") / cores,
                "of %d core%s in %s".formatted(cores, cores == 1 ? "" : "s", told.cell().name())));
    }

    private Stream<Case> machineCpu() {
        return telemetry().flatMap(told -> {
            double busyNs = told.growth("machine", "cpuNs"), idleNs = told.growth("machine", "idleNs");
            return above(MOST_MACHINE_CPU, busyNs / (busyNs + idleNs), "busy in " + told.cell().name());
        });
    }

    /** A case, if the share is more than may be; none if it is NaN, as what nobody measures here is no reason. */
    private static Stream<Case> above(double most, double share, String where) {
        return share > most ? Stream.of(new Case(share, atMost(share), where)) : Stream.empty();
    }

    // ==== The functions ====

    private Stream<Case> errors() {
        return findings.streams.stream().flatMap(stream -> {
            long requests = stream.requests();
            return above(MOST_ERRORS, (double) (requests - stream.correct()) / requests, "of " + name(stream));
        });
    }

    /** Invocations tell on one machine; on AWS CloudWatch does, in Throttles and, for LMI, in one metric a reason. */
    private Stream<Case> throttles() {
        return telemetry().flatMap(told -> told.cell().variants().stream().map(variant -> {
            double recorded = slot(told.cell(), variant).throttles;
            double metered = told.series().entrySet().stream()
                    .filter(metric -> metric.getKey().matches(variant + " .*Throttles"))
                    .flatMap(metric -> metric.getValue().values().stream()).mapToDouble(Double::doubleValue).sum();
            double throttled = Math.max(recorded, metered);
            return new Case(throttled, plain(throttled), "of %s in %s".formatted(variant, told.cell().name()));
        })).filter(found -> found.badness > 0);
    }

    /** An LMI function without a free place is at its limit, and its latency is the limit's. */
    private Stream<Case> lmiAtItsMaximum() {
        Predicate<String> isLmi = variant -> Run.Variant.of(variant).lmi();
        return telemetry().flatMap(told -> told.cell().variants().stream().filter(isLmi).flatMap(variant -> {
            double used = told.largest(variant, "concurrency");
            double limit = Run.LMI_CONCURRENCY * told.largest(variant, "environments");
            if (Double.isNaN(used)) {
                used = told.largest(variant, "ExecutionEnvironmentConcurrency");
                limit = told.largest(variant, "ExecutionEnvironmentConcurrencyLimit");
            }
            // Neither is a number where nobody measured it.
            return !(used >= limit) || used == 0 ? Stream.empty() : Stream.of(
                    new Case(used / limit, plain(used) + " of " + plain(limit), "at once in " + told.cell().name()));
        }));
    }

    /**
     * The share of the functions' cores that a variant used while it was asked, 0 to 1; NaN where it was not read. On
     * one machine standard and LMI queue differently for the same core: above some 30 % they cannot be compared there.
     */
    static double functionUtilisation(Findings findings, String variant, String workload) {
        var cells = findings.telemetry.stream().filter(told -> workload.equals(told.cell().workload()))
                .filter(told -> told.seconds(variant, "cpuNs") > 0).toList();
        double cpuNs = cells.stream().mapToDouble(told -> told.growth(variant, "cpuNs")).sum();
        double seconds = cells.stream().mapToDouble(told -> told.seconds(variant, "cpuNs")).sum();
        return cpuNs / 1e9 / seconds / cores(findings.run, "functions");
    }

    // ==== Time ====

    /** A step of the wall clock makes a cell shorter than its phases, or puts answers where they cannot be. */
    private Stream<Case> clock() {
        return measured().flatMap(cell -> {
            var end = cell.phases().getLast();
            long startNs = K6Reader.nanos(cell.started()), endNs = K6Reader.nanos(cell.ended());
            var off = new TreeMap<Double, String>();
            off.put(end.startSecond() + end.seconds() - seconds(startNs, endNs), "less than the phases of");
            series(cell, "answer_ms").forEach(answers -> {
                double phase = cell.phases().stream().filter(one -> one.name().equals(Findings.tag(answers, "phase")))
                        .mapToDouble(Run.Phase::seconds).sum();
                off.put(seconds(answers.firstNs(), startNs), "from an answer to the start of");
                off.put(seconds(endNs, answers.lastNs()), "from the end to an answer of");
                off.put(seconds(answers.firstNs(), answers.lastNs()) - phase - answers.max() / 1e3,
                        "more than a phase and its slowest answer in");
            });
            double worst = off.lastKey();
            return worst <= MOST_CLOCK_SECONDS ? Stream.empty()
                    : Stream.of(new Case(worst, plain(worst) + " s", off.get(worst) + " " + cell.name()));
        });
    }

    /** A level that falls early and stays down: what was measured before was still the warm-up. */
    private Stream<Case> warmUpNotOver() {
        return findings.streams.stream().flatMap(stream -> {
            var slots = stream.measuredSlots();
            var changes = Statistics.changes(stream.medians());
            if (changes.isEmpty()) return Stream.empty();
            var first = changes.getFirst();
            double highestAfter = changes.stream().mapToDouble(Statistics.Change::after).max().orElseThrow();
            boolean early = first.block() <= WARM_UP_SHARE * slots.size() && first.pValue() <= WARMING_ALPHA;
            return !early ? Stream.empty() : above(MOST_WARMING, 1 - highestAfter / first.before(),
                    "less p50 of %s from round %d on".formatted(name(stream), slots.get(first.block()).round));
        });
    }

    // ==== Small things ====

    private Stream<Run.Cell> measured() {
        return run.cells().stream().filter(cell -> cell.number() > 0 && cell.outcome().isMeasured());
    }

    private Stream<Findings.Telemetry> telemetry() {
        return findings.telemetry.stream().filter(told -> told.cell().number() > 0);
    }

    private Findings.Slot slot(Run.Cell cell, String variant) {
        return findings.stream(variant, cell.workload()).orElseThrow().slots.get(cell.round());
    }

    private Stream<K6Reader.Series> series(Run.Cell cell, String metric) {
        return seriesOfCell.getOrDefault(cell.name(), List.of()).stream().filter(one -> one.metric.equals(metric));
    }

    /** A cell's answers with one outcome, of all phases. */
    private Stream<K6Reader.Series> answers(Run.Cell cell, String outcome) {
        return series(cell, "answer_ms").filter(answers -> Findings.tag(answers, "outcome").equals(outcome));
    }

    private static long count(Stream<K6Reader.Series> series) { return series.mapToLong(K6Reader.Series::count).sum(); }

    /** How many cores "functions" or "others" may use: all of the machine's where nothing is pinned. */
    private static int cores(Run run, String side) {
        if (run.environment().get("target") instanceof Map<?, ?> target
                && target.get("pinning") instanceof Map<?, ?> pinning
                && pinning.get(side) instanceof List<?> cores && !cores.isEmpty()) return cores.size();
        return run.environment().get("machine") instanceof Map<?, ?> machine
                && machine.get("cores") instanceof Number cores ? cores.intValue() : 1;
    }

    private static String name(Findings.Stream stream) {
        return stream.workload.name() + " on " + stream.variant.name();
    }

    private static double seconds(long fromNs, long toNs) { return (toNs - fromNs) / 1e9; }

    /** A share is rounded away from its limit, so that 0.1001 % never reads as the 0.1 % that would have passed. */
    private static String atMost(double share) { return rounded(100 * share, RoundingMode.CEILING) + " %"; }

    private static String atLeast(double share) { return rounded(100 * share, RoundingMode.FLOOR) + " %"; }

    private static String plain(double value) { return rounded(value, RoundingMode.HALF_EVEN); }

    /** Three digits; what binary fractions add beyond the twelfth is no reason to round away. */
    private static String rounded(double value, RoundingMode mode) {
        return BigDecimal.valueOf(value).round(new MathContext(12)).round(new MathContext(3, mode)).stripTrailingZeros()
                .toPlainString();
    }
}
