// May this run be believed? Each gate is one way in which a load test lies without an error: the generator was slower
// than it was told to be, the machine was full, a variant was asked less or did other work, the clock jumped, a file is
// not whole.
//
// Each gate looks at all cases it concerns and tells its threshold, the worst case with its figure, and how many more
// cases did not pass. A run with a raised gate is analysed all the same, with what was raised on top. A warm-up carries
// no finding: of it only the answers and the files are judged.

//SOURCES ../read/K6Reader.java
//SOURCES ../record/Run.java
//SOURCES ../record/Study.java
//SOURCES Capacities.java
//SOURCES Changes.java
//SOURCES ColdStarts.java
//SOURCES Findings.java
//SOURCES Shapes.java

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
    /** Evidence of {@link Changes}: a run has some twenty streams to be wrong about, so it is more than a mark needs. */
    static final double WARMING_EVIDENCE = 4.5;
    /** Over ten seconds k6 follows a shape to within a hundredth; where it does not, another load was measured. */
    private static final double MOST_OFF_SHAPE = 0.02;
    /** At a stage's ends and where a window begins amid a request: so many requests apart always pass. */
    private static final double ROUNDING_PER_WINDOW = 3;
    /** A search went by what it recorded of its steps: the samples must say the same, but for how a number was rounded. */
    private static final double MOST_UNLIKE = 0.001;
    /** The object of a store cell is a UUID in text. */
    static final long OBJECT_BYTES = 36;

    // ==== Check ====

    /** What a gate's figure is: how many, a share from 0 to 1, or seconds. */
    enum Unit { COUNT, SHARE, SECONDS }

    /** Which figures pass: those up to the threshold, those from it on, or only those below it. */
    enum Bound { AT_MOST, AT_LEAST, BELOW }

    /** The gates, in the order in which they are told. */
    enum Gate {
        CUT_FILES(Unit.COUNT, Bound.AT_MOST, 0),
        REFUSED_LINES(Unit.COUNT, Bound.AT_MOST, 0),
        CHANGED_FILES(Unit.COUNT, Bound.AT_MOST, 0),
        UNFINISHED_RUN(Unit.COUNT, Bound.AT_MOST, 0),
        FAILED_CELLS(Unit.COUNT, Bound.AT_MOST, 0),
        UNEQUAL_WORK(Unit.COUNT, Bound.AT_MOST, 0),
        UNPROVED_WORK(Unit.COUNT, Bound.AT_MOST, 0),
        STORED_OBJECTS(Unit.COUNT, Bound.AT_MOST, 0),
        DROPPED_ITERATIONS(Unit.SHARE, Bound.AT_MOST, MOST_DROPPED),
        ACHIEVED_RATE(Unit.SHARE, Bound.AT_LEAST, LEAST_ACHIEVED),
        UNEQUAL_COUNTS(Unit.SHARE, Bound.AT_MOST, MOST_UNEQUAL),
        VIRTUAL_USERS(Unit.SHARE, Bound.AT_MOST, MOST_VIRTUAL_USERS),
        GENERATOR_CPU(Unit.SHARE, Bound.AT_MOST, MOST_GENERATOR_CPU),
        MACHINE_CPU(Unit.SHARE, Bound.AT_MOST, MOST_MACHINE_CPU),
        ERRORS(Unit.SHARE, Bound.AT_MOST, MOST_ERRORS),
        THROTTLES(Unit.COUNT, Bound.AT_MOST, 0),
        LMI_AT_ITS_MAXIMUM(Unit.SHARE, Bound.BELOW, 1),
        CLOCK(Unit.SECONDS, Bound.AT_MOST, MOST_CLOCK_SECONDS),
        WARM_UP_NOT_OVER(Unit.SHARE, Bound.AT_MOST, MOST_WARMING),
        SENT_AS_DUE(Unit.SHARE, Bound.AT_MOST, MOST_OFF_SHAPE),
        SEARCH_RECORDS(Unit.SHARE, Bound.AT_MOST, MOST_UNLIKE),
        COLD_START_RECORDS(Unit.COUNT, Bound.AT_MOST, 0);

        final Unit unit;
        final Bound bound;
        final double threshold;

        Gate(Unit unit, Bound bound, double threshold) {
            this.unit = unit;
            this.bound = bound;
            this.threshold = threshold;
        }

        private boolean passes(double figure) {
            return switch (bound) {
                case AT_MOST -> figure <= threshold;
                case AT_LEAST -> figure >= threshold;
                case BELOW -> figure < threshold;
            };
        }
    }

    /** How a gate ended: not known where it had nothing to look at, or nobody measured its figure. */
    enum State { PASSED, RAISED, NOT_KNOWN }

    /**
     * A gate that was asked.
     *
     * @param worst the worst case of those that did not pass, or of all if they did; empty where nothing is known
     * @param more  how many cases beside the worst did not pass
     */
    record Checked(Gate gate, State state, Optional<Case> worst, int more) {
        boolean isRaised() { return state == State.RAISED; }

        /** The worst case's figure, in the gate's unit; NaN where nothing is known. */
        double figure() { return worst.map(Case::figure).orElse(Double.NaN); }
    }

    /** One thing that a gate looked at, with the names and figures that a reader needs to find it. */
    sealed interface Case {
        /** What is held against the threshold, in the gate's unit; NaN where nobody measured it. */
        double figure();

        default boolean passes(Gate gate) { return gate.passes(figure()); }

        /** @param how null for a file that is whole */
        record Cut(String file, String how) implements Case {
            public double figure() { return how == null ? 0 : 1; }
        }

        /** The lines that were refused: why the first of them was, the byte where it begins, and its beginning. */
        record Refused(String file, long lines, String why, long firstAt, String first) implements Case {
            public double figure() { return lines; }
        }

        record OnRecord(String path, boolean isThere, boolean isSame) implements Case {
            public double figure() { return isSame ? 0 : 1; }
        }

        /** The figure is how many planned cells are missing; what counts is the end on record. */
        record Finished(long measured, long planned, boolean isEnded) implements Case {
            public double figure() { return planned - measured; }

            @Override public boolean passes(Gate gate) { return isEnded; }
        }

        /** @param reason null for a cell that was measured */
        record CellEnd(String cell, String reason) implements Case {
            public double figure() { return reason == null ? 0 : 1; }
        }

        record WrongAnswers(String cell, long count) implements Case {
            public double figure() { return count; }
        }

        record Proof(String variant, boolean isGiven) implements Case {
            public double figure() { return isGiven ? 0 : 1; }
        }

        /**
         * The figure is by how many objects and correct replies differ; what is in order is more.
         *
         * @param isBounded whether all invocations are on record, so that there can't be more objects than these
         */
        record InStores(String cell, Run.Stored stored, long replies, long invocations, boolean isBounded)
                implements Case {
            public double figure() { return Math.abs(stored.objects() - replies); }

            @Override public boolean passes(Gate gate) {
                long objects = stored.objects(), smallest = stored.smallestBytes(), largest = stored.largestBytes();
                boolean counted = replies <= objects && (objects <= invocations || !isBounded);
                boolean sized = objects == 0 || smallest == OBJECT_BYTES && largest == OBJECT_BYTES;
                return counted && sized && stored.items() == objects && stored.sameIds();
            }
        }

        /** The share of a variant's requests for a workload that was dropped, or that was an error. */
        record Requests(String workload, String variant, double figure) implements Case {}

        /** @param isRounding whether no more is missing than k6 rounds away at the ends of phases */
        record Rate(String workload, String variant, double askedPerSecond, double figure, boolean isRounding)
                implements Case {
            @Override public boolean passes(Gate gate) { return isRounding || gate.passes(figure); }
        }

        /** The requests of the variants that were asked least and most; so many apart always pass. */
        record Counts(String workload, long least, long most, long always) implements Case {
            public double figure() { return (double) (most - least) / most; }

            @Override public boolean passes(Gate gate) { return most - least <= always || gate.passes(figure()); }
        }

        record VirtualUsers(String cell, double most, double figure) implements Case {}

        record GeneratorCpu(String cell, int cores, double figure) implements Case {}

        record MachineCpu(String cell, double figure) implements Case {}

        record Throttled(String cell, String variant, double figure) implements Case {}

        /** Requests at once of an LMI function, of so many that its environments take. */
        record AtOnce(String cell, double used, double limit) implements Case {
            public double figure() { return used == 0 ? 0 : used / limit; }
        }

        /** What does not fit together, and by how many seconds. */
        record Clock(String cell, ClockFault fault, double figure) implements Case {}

        /** By which share the median fell early, from this round on; no round and 0 where it did not. */
        record EarlyFall(String workload, String variant, int round, double figure) implements Case {}

        /** The figure is by which share of what was due it differs. */
        record Sent(Shapes.Window window, double figure) implements Case {
            @Override public boolean passes(Gate gate) {
                return Math.abs(window.sent() - window.due()) <= ROUNDING_PER_WINDOW || gate.passes(figure);
            }
        }

        /** By how much a step's record and its samples differ. */
        record Step(String cell, double figure) implements Case {}

        /** A new environment: answers that said they were its first, and starts that the target has on record. */
        record NewEnvironment(String cell, long flagged, int recorded, boolean agrees) implements Case {
            public double figure() { return agrees ? 0 : 1; }
        }
    }

    /** How a step of the wall clock shows: what is too long, or where it should not be. */
    enum ClockFault { CELL_TOO_SHORT, ANSWER_BEFORE_CELL, ANSWER_AFTER_CELL, PHASE_TOO_LONG }

    /** All gates of a run; it may be believed when none is raised. */
    static List<Checked> check(Findings findings) {
        var gates = new Gates(findings);
        return Stream.concat(check(findings.reading, findings.damages).stream(), Stream.of(
                check(Gate.CHANGED_FILES, gates.filesOnRecord()),
                check(Gate.UNFINISHED_RUN, gates.finished()),
                check(Gate.FAILED_CELLS, gates.cellEnds()),
                check(Gate.UNEQUAL_WORK, gates.wrongAnswers()),
                check(Gate.UNPROVED_WORK, gates.proofs()),
                check(Gate.STORED_OBJECTS, gates.inStores()),
                check(Gate.DROPPED_ITERATIONS, Stream.concat(gates.droppedIterations(), gates.droppedInShapes())),
                check(Gate.ACHIEVED_RATE, gates.achievedRates()),
                check(Gate.UNEQUAL_COUNTS, gates.counts()),
                check(Gate.VIRTUAL_USERS, gates.virtualUsers()),
                check(Gate.GENERATOR_CPU, gates.generatorCpu()),
                check(Gate.MACHINE_CPU, gates.machineCpu()),
                check(Gate.ERRORS, gates.errors()),
                check(Gate.THROTTLES, gates.throttles()),
                check(Gate.LMI_AT_ITS_MAXIMUM, gates.atOnce()),
                check(Gate.CLOCK, gates.clock()),
                check(Gate.WARM_UP_NOT_OVER, gates.earlyFalls()),
                check(Gate.SENT_AS_DUE, gates.sent()),
                check(Gate.SEARCH_RECORDS, gates.steps()),
                check(Gate.COLD_START_RECORDS, gates.newEnvironments()))).toList();
    }

    /** What k6's files alone say. */
    static List<Checked> check(K6Reader.Reading reading) { return check(reading, List.of()); }

    private static List<Checked> check(K6Reader.Reading reading, List<Findings.Damage> others) {
        var shards = reading.shards().stream().map(shard -> new Case.Cut(name(shard), shard.cut()));
        return List.of(
                check(Gate.CUT_FILES, Stream.concat(others.stream().map(damage -> new Case.Cut(damage.file(), damage.how())),
                        shards)),
                check(Gate.REFUSED_LINES, reading.shards().stream().map(shard -> {
                    if (shard.refused() == 0) return new Case.Refused(name(shard), 0, "", 0, "");
                    var first = shard.firstRefused().getFirst();
                    return new Case.Refused(
                            name(shard), shard.refused(), first.why(), first.offset(), first.text().strip());
                })));
    }

    private static String name(K6Reader.Shard shard) { return shard.path().getFileName().toString(); }

    private static Checked check(Gate gate, Stream<? extends Case> cases) {
        var known = cases.<Case>map(found -> found).filter(found -> !Double.isNaN(found.figure())).toList();
        var raised = known.stream().filter(found -> !found.passes(gate)).toList();
        ToDoubleFunction<Case> badness = found -> gate.bound == Bound.AT_LEAST ? -found.figure() : found.figure();
        var worst = (raised.isEmpty() ? known : raised).stream().reduce((one, next) ->
                badness.applyAsDouble(next) > badness.applyAsDouble(one) ? next : one);
        var state = !raised.isEmpty() ? State.RAISED : known.isEmpty() ? State.NOT_KNOWN : State.PASSED;
        return new Checked(gate, state, worst, Math.max(0, raised.size() - 1));
    }

    private final Findings findings;
    private final Run run;

    private Gates(Findings findings) {
        this.findings = findings;
        run = findings.run;
    }

    // ==== The record ====

    /** On all cores, as every byte of the run is read for it. */
    private Stream<Case.OnRecord> filesOnRecord() {
        return run.cells().parallelStream().flatMap(cell -> cell.files().stream()).map(file -> {
            try {
                return new Case.OnRecord(file.path(), true, file.isUnchanged(findings.directory));
            } catch (IOException gone) {
                return new Case.OnRecord(file.path(), false, false);
            }
        });
    }

    private Stream<Case.Finished> finished() {
        int planned = run.plan().order().size();
        return Stream.of(new Case.Finished(planned - run.unmeasuredCells().size(), planned, run.finished() != null));
    }

    private Stream<Case.CellEnd> cellEnds() {
        return run.cells().stream().map(cell ->
                new Case.CellEnd(cell.name(), cell.outcome().isMeasured() ? null : cell.outcome().reason()));
    }

    // ==== The work ====

    private Stream<Case.WrongAnswers> wrongAnswers() {
        return run.cells().stream()
                .map(cell -> new Case.WrongAnswers(cell.name(), count(answers(cell, "wrong"))));
    }

    private Stream<Case.Proof> proofs() {
        var proved = run.agreement() == null ? List.of() : run.agreement().variants();
        return run.plan().variants().stream()
                .map(variant -> new Case.Proof(variant.name(), proved.contains(variant.name())));
    }

    /** What lies in the stores after a cell was put there by its requests, those of the settling phase among them. */
    private Stream<Case.InStores> inStores() {
        return measured().filter(cell -> cell.stored() != null).map(cell -> {
            long replies = count(answers(cell, Run.CORRECT));
            long invocations = findings.isSteady(cell)
                    ? cell.variants().stream().mapToLong(variant -> slot(cell, variant).invocations).sum()
                    : findings.told.get(cell.name()).invocations().values().stream().mapToLong(Findings.Invoiced::invocations).sum();
            // A note tells of records that came late or not at all, and so does a cut file: then their number is no bound.
            boolean isBounded = cell.notes().isEmpty() && !findings.isDamaged(cell, Run.File.Kind.INVOCATIONS);
            return new Case.InStores(cell.name(), cell.stored(), replies, invocations, isBounded);
        });
    }

    // ==== The load ====

    private Stream<Case.Requests> droppedIterations() {
        return findings.streams.stream().map(stream -> {
            long dropped = stream.sum(slot -> slot.dropped);
            return requests(stream, (double) dropped / (stream.requests() + dropped));
        });
    }

    private static Case.Requests requests(Findings.RequestStream stream, double share) {
        return new Case.Requests(stream.workload.name(), stream.variant.name(), share);
    }

    private Stream<Case.Rate> achievedRates() {
        return findings.streams.stream().map(stream -> {
            double planned = stream.workload.ratePerSecond() * stream.total(slot -> slot.seconds);
            long requests = stream.requests();
            return new Case.Rate(stream.workload.name(), stream.variant.name(), stream.workload.ratePerSecond(),
                    requests / planned, requests + ROUNDING_PER_SLOT * stream.slots.size() >= LEAST_ACHIEVED * planned);
        });
    }

    /** Only rounds that all variants have are compared: a cell that failed has a gate of its own. */
    private Stream<Case.Counts> counts() {
        return run.plan().workloads().stream().map(workload -> {
            var streams = findings.streams.stream().filter(stream -> stream.workload.equals(workload)).toList();
            var rounds = new TreeSet<>(streams.getFirst().slots.keySet());
            streams.forEach(stream -> rounds.retainAll(stream.slots.keySet()));
            var counts = streams.stream().mapToLong(stream -> rounds.stream()
                    .mapToLong(round -> stream.slots.get(round).requests()).sum()).summaryStatistics();
            return new Case.Counts(workload.name(), counts.getMin(), counts.getMax(),
                    MOST_UNEQUAL_PER_SLOT * rounds.size());
        });
    }

    /** Each variant of a cell has a scenario of its own in each phase, with so many virtual users. */
    private Stream<Case.VirtualUsers> virtualUsers() {
        return measured().filter(this::isAtRate).map(cell -> {
            double most = cell.variants().size() * cell.phases().stream().mapToInt(Run.Phase::mostVus).max().orElse(0);
            double used = findings.series(cell, "vus").mapToDouble(K6Reader.Series::max).max().orElse(Double.NaN);
            return new Case.VirtualUsers(cell.name(), most, used / most);
        });
    }

    private Stream<Case.GeneratorCpu> generatorCpu() {
        int cores = findings.cores("others");
        return Stream.concat(telemetry(), shapes()).map(told -> new Case.GeneratorCpu(told.cell().name(), cores,
                told.growth("k6", "cpuNs") / 1e9 / told.seconds("k6", "cpuNs") / cores));
    }

    private Stream<Case.MachineCpu> machineCpu() {
        return telemetry().map(told -> {
            double busyNs = told.growth("machine", "cpuNs"), idleNs = told.growth("machine", "idleNs");
            return new Case.MachineCpu(told.cell().name(), busyNs / (busyNs + idleNs));
        });
    }

    // ==== The functions ====

    private Stream<Case.Requests> errors() {
        return findings.streams.stream().map(stream -> {
            long requests = stream.requests();
            return requests(stream, (double) (requests - stream.correct()) / requests);
        });
    }

    /** Invocations tell on one machine; on AWS CloudWatch does, in Throttles and, for LMI, in one metric a reason. */
    private Stream<Case.Throttled> throttles() {
        return telemetry().flatMap(told -> told.cell().variants().stream().map(variant -> {
            double recorded = slot(told.cell(), variant).throttles;
            double metered = told.series().entrySet().stream()
                    .filter(metric -> metric.getKey().matches(variant + " .*Throttles"))
                    .flatMap(metric -> metric.getValue().values().stream()).mapToDouble(Double::doubleValue).sum();
            return new Case.Throttled(told.cell().name(), variant, Math.max(recorded, metered));
        }));
    }

    /** An LMI function without a free place is at its limit, and its latency is the limit's. */
    private Stream<Case.AtOnce> atOnce() {
        Predicate<String> isLmi = variant -> Run.Variant.of(variant).lmi();
        return telemetry().flatMap(told -> told.cell().variants().stream().filter(isLmi).map(variant -> {
            double used = told.largest(variant, "concurrency");
            double limit = Run.LMI_CONCURRENCY * told.largest(variant, "environments");
            if (!Double.isNaN(used)) return new Case.AtOnce(told.cell().name(), used, limit);
            return new Case.AtOnce(told.cell().name(), told.largest(variant, "ExecutionEnvironmentConcurrency"),
                    told.largest(variant, "ExecutionEnvironmentConcurrencyLimit"));
        }));
    }

    // ==== Time ====

    /** A step of the wall clock makes a cell shorter than its phases, or puts answers where they cannot be. */
    private Stream<Case.Clock> clock() {
        return measured().map(cell -> {
            var end = cell.phases().getLast();
            long startNs = K6Reader.nanos(cell.started()), endNs = K6Reader.nanos(cell.ended());
            var off = new TreeMap<Double, ClockFault>();
            // A phase of so many requests ends with them, not with its time.
            boolean isTimed = !(study(cell) instanceof Study.Cold);
            if (isTimed) off.put(end.startSecond() + end.seconds() - seconds(startNs, endNs), ClockFault.CELL_TOO_SHORT);
            findings.series(cell, "answer_ms").forEach(answers -> {
                double phase = cell.phases().stream().filter(one -> one.name().equals(Findings.tag(answers, "phase")))
                        .mapToDouble(Run.Phase::seconds).sum();
                off.put(seconds(answers.firstNs(), startNs), ClockFault.ANSWER_BEFORE_CELL);
                off.put(seconds(endNs, answers.lastNs()), ClockFault.ANSWER_AFTER_CELL);
                off.put(seconds(answers.firstNs(), answers.lastNs()) - phase - answers.max() / 1e3,
                        ClockFault.PHASE_TOO_LONG);
            });
            if (off.isEmpty()) return new Case.Clock(cell.name(), ClockFault.CELL_TOO_SHORT, 0);
            double worst = off.lastKey();
            return new Case.Clock(cell.name(), off.get(worst), Math.max(0, worst));
        });
    }

    /** A level that falls early and stays down: what was measured before was still the warm-up. */
    private Stream<Case.EarlyFall> earlyFalls() {
        return findings.streams.stream().map(stream -> {
            var slots = stream.measuredSlots();
            var changes = Changes.of(stream.medians(), stream.measuredDeployments());
            String workload = stream.workload.name(), variant = stream.variant.name();
            var first = changes.isEmpty() ? null : changes.getFirst();
            boolean isEarly = first != null && first.block() <= WARM_UP_SHARE * slots.size()
                    && first.evidence() >= WARMING_EVIDENCE;
            if (!isEarly) return new Case.EarlyFall(workload, variant, 0, 0);
            double highestAfter = changes.stream().mapToDouble(Changes.Change::after).max().orElseThrow();
            return new Case.EarlyFall(workload, variant, slots.get(first.block()).round,
                    Math.max(0, 1 - highestAfter / first.before()));
        });
    }

    // ==== The other studies ====

    private Stream<Case.Sent> sent() {
        return measured().filter(cell -> study(cell) instanceof Study.Shape)
                .flatMap(cell -> Shapes.windows(findings, (Study.Shape) study(cell), cell).stream())
                .filter(window -> window.due() >= 1)
                .map(window -> new Case.Sent(window, Math.abs(window.sent() / window.due() - 1)));
    }

    /** Requests of shapes that k6 could not begin, among all that were due. */
    private Stream<Case.Requests> droppedInShapes() {
        return measured().filter(cell -> study(cell) instanceof Study.Shape).map(cell -> {
            double dropped = findings.series(cell, "dropped_iterations").mapToDouble(K6Reader.Series::sum).sum();
            long sent = count(findings.series(cell, "answer_ms"));
            return new Case.Requests(cell.workload(), String.join(", ", cell.variants()), dropped / (sent + dropped));
        });
    }

    private Stream<Case.Step> steps() {
        return measured().filter(cell -> cell.step() != null)
                .map(cell -> new Case.Step(cell.name(), Capacities.differs(findings, cell)));
    }

    private Stream<Case.NewEnvironment> newEnvironments() {
        return ColdStarts.of(findings).stream().flatMap(starts -> starts.environments().stream()).map(one ->
                new Case.NewEnvironment(one.cell().name(), one.flagged(), one.recordedMs().size(), one.agrees()));
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

    private Study study(Run.Cell cell) { return run.plan().study(cell.study()); }

    /** Whether a cell asks at a rate that was planned, so that users who are missing would change the load. */
    private boolean isAtRate(Run.Cell cell) {
        return switch (study(cell)) {
            case Study.Steady _ -> true;
            case Study.Shape shape -> !shape.users();
            case Study.Capacity _, Study.Cold _ -> false;
        };
    }

    private Stream<Findings.Telemetry> shapes() {
        return findings.told.values().stream().map(Findings.Told::telemetry)
                .filter(told -> study(told.cell()) instanceof Study.Shape)
                .sorted(Comparator.comparing(told -> told.cell().name()));
    }

    /** A cell's answers with one outcome, of all phases. */
    private Stream<K6Reader.Series> answers(Run.Cell cell, String outcome) {
        return findings.series(cell, "answer_ms").filter(answers -> Findings.tag(answers, "outcome").equals(outcome));
    }

    private static long count(Stream<K6Reader.Series> series) { return series.mapToLong(K6Reader.Series::count).sum(); }

    private static double seconds(long fromNs, long toNs) { return (toNs - fromNs) / 1e9; }
}
