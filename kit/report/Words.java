// What the kit says of what it found. Everything behind this file is a value: here verdicts, estimates, reasons and
// gates are put in words, in one form for each case, and nowhere else.
//
// A verdict begins with its answer ("faster by 13 %"), then says how sure it is ("(4.3 to 21 %)", the 95 % interval)
// or what keeps it from being an answer. Percentages are relative to the baseline; of shares, points are meant.

//SOURCES ../judge/Changes.java
//SOURCES ../judge/Cost.java
//SOURCES ../judge/Gates.java
//SOURCES ../judge/Grouping.java
//SOURCES ../judge/Reason.java
//SOURCES ../judge/RunCost.java
//SOURCES ../judge/Shapes.java
//SOURCES ../judge/Statistics.java
//SOURCES ../judge/Verdicts.java
//SOURCES ../record/Search.java
//SOURCES Numbers.java

import module java.base;

/** Verdicts, estimates, reasons and gates in plain English. */
final class Words {
    /** From twice on, factors are easier to read than percentages. */
    private static final double FACTORS_FROM = 2;

    private Words() { }

    // ==== Verdicts ====

    /** What a pair is about, such as "rust: LMI against standard" or "LMI: java against rust". */
    static String of(Verdicts.Pair pair) {
        var candidate = pair.candidate();
        if (pair.acrossCompute()) return candidate.language() + ": LMI against standard";
        String compute = candidate.lmi() ? "LMI: " : "standard: ";
        return compute + candidate.language() + " against " + pair.baseline().language();
    }

    /** How the two directions of a measure are called. */
    private record Directions(String less, String more) {
        static Directions of(Verdicts.Measure measure) {
            return switch (measure) {
                case P50, P95, P99 -> new Directions("faster", "slower");
                case CPU, BILLED -> new Directions("less", "more");
                case ERRORS -> new Directions("fewer", "more");
            };
        }

        String of(Statistics.Difference difference) { return difference.isLess() ? less : more; }
    }

    /** A verdict: the answer, which an exhibit may emphasise, and what follows it. */
    record Said(String answer, String rest) {
        @Override public String toString() { return answer + rest; }
    }

    /** A verdict on one measure, as a sentence without its subject. */
    static Said of(Statistics.Verdict verdict, Verdicts.Measure measure) {
        var said = Directions.of(measure);
        return switch (verdict) {
            case Statistics.Different(var difference) ->
                    new Said(said.of(difference) + " by " + size(difference), " (" + range(difference) + ")"
                            + typicalRound(difference));
            case Statistics.PracticallyEqual(var difference) -> new Said("practically equal", ": "
                    + Numbers.spoken(100 * difference.largestEnd(), RoundingMode.CEILING) + unit(difference.scale())
                    + " apart at most" + typicalRound(difference));
            case Statistics.TooSmallToMatter(var difference) ->
                    new Said(said.of(difference) + " by " + size(difference), ": real, too small to matter"
                            + typicalRound(difference));
            case Statistics.PerhapsTooSmall(var difference) ->
                    new Said(said.of(difference) + ", perhaps by too little to matter", ": " + range(difference)
                            + typicalRound(difference));
            case Statistics.ProbablyDifferent(var difference, var family) ->
                    new Said("probably " + said.of(difference) + " by " + size(difference), " (" + range(difference)
                            + "), but " + byChance(family) + " such answers may look so by chance"
                            + typicalRound(difference));
            case Statistics.WithinNoise(var difference, var noise) ->
                    new Said("not told from noise", ": measured "
                            + directed(difference, said, difference.interval().point())
                            + "; two copies of one function differ by up to " + size(difference.scale(), noise)
                            + typicalRound(difference));
            case Statistics.Undecided(var difference) ->
                    new Said("undecided", ": measured " + directed(difference, said, difference.interval().point())
                            + "; anything from " + directed(difference, said, difference.interval().low()) + " to "
                            + directed(difference, said, difference.interval().high()) + " fits"
                            + typicalRound(difference));
            case Statistics.Unknown(var reason) -> unanswered(reason);
        };
    }

    /** Too few data are a verdict's answer; what data can't mend, or the profile rules out, stands behind a dash. */
    private static Said unanswered(Reason reason) {
        return switch (reason) {
            case Reason.ClaimsNothing _, Reason.NotValid _ -> new Said(Numbers.MISSING, "");
            case Reason.BilledByInstance _, Reason.NoTwin _ -> new Said(Numbers.MISSING, " " + of(reason));
            case Reason.CoreTooBusy _ -> new Said("not comparable", ": " + of(reason));
            case Reason.TooFewValues _, Reason.TooFewBlocks _, Reason.TooFewPairedBlocks _,
                 Reason.TooFewBlocksForSlope _, Reason.UnboundedQuantile _, Reason.NoRequests _, Reason.OnlyZeros _,
                 Reason.SamplesTooSmall _, Reason.TooFewRuns _, Reason.FigureMayBeZero _ ->
                    new Said("not enough data", ": " + of(reason));
        };
    }

    /** Of so many answers that are right alone with 95 %, how many are expected to be chance: "one of 18". */
    private static String byChance(int family) {
        long expected = Math.round(Statistics.ALPHA * family);
        return expected == 0 ? "one of " + Math.round(1 / Statistics.ALPHA)
                : (expected == 1 ? "one" : expected) + " of " + family;
    }

    /** Pooled and single rounds tell different stories: both are told. */
    private static String typicalRound(Statistics.Difference difference) {
        if (difference.agrees()) return "";
        double pooled = difference.interval().point(), typical = difference.beside().point();
        var scale = difference.scale();
        boolean isPart = (pooled > scale.none) == (typical > scale.none) && scale.size(typical) < scale.size(pooled);
        return "; in the typical round " + (isPart ? "only " : "") + signed(scale, typical) + unit(scale)
                + ": a few odd rounds make the " + (isPart ? "rest" : "difference");
    }

    // ==== Sizes ====

    private static String unit(Statistics.Scale scale) {
        return switch (scale) {
            case RATIO -> " %";
            case POINTS -> " points";
        };
    }

    /** Whether a ratio is so far from one that it is said as a factor. */
    private static boolean isFactor(Statistics.Scale scale, double value) {
        return scale == Statistics.Scale.RATIO && Math.max(value, 1 / value) >= FACTORS_FROM;
    }

    /** The number alone, by which a value lies off no difference: 0.88 is "12", as a factor of 2.2 it is "2.2". */
    private static String amount(Statistics.Scale scale, double value, boolean asFactor) {
        if (!asFactor) return Numbers.spoken(100 * scale.size(value));
        double factor = value < scale.none ? 1 / value : value;
        // A difference that is one never reads as "a factor of 1".
        return factor < 1.05 ? Numbers.figure(factor) : Numbers.spoken(factor);
    }

    /** How large the difference is: "12 %", "a factor of 2.2" or "0.5 points". */
    private static String size(Statistics.Difference difference) {
        return size(difference.scale(), difference.interval().point(),
                isFactor(difference.scale(), difference.interval().point()));
    }

    private static String size(Statistics.Scale scale, double value, boolean asFactor) {
        return (asFactor ? "a factor of " : "") + amount(scale, value, asFactor) + (asFactor ? "" : unit(scale));
    }

    /** A size that has no direction: 0.087 is "8.7 %". */
    private static String size(Statistics.Scale scale, double size) {
        boolean asFactor = scale == Statistics.Scale.RATIO && 1 + size >= FACTORS_FROM;
        return size(scale, scale.none + size, asFactor);
    }

    /** The interval's ends, the nearer to no difference first, in the unit of {@link #size}: "4.3 to 21 %". */
    private static String range(Statistics.Difference difference) {
        var scale = difference.scale();
        var interval = difference.interval();
        boolean asFactor = isFactor(scale, interval.point()), less = difference.isLess();
        return amount(scale, less ? interval.high() : interval.low(), asFactor) + " to "
                + amount(scale, less ? interval.low() : interval.high(), asFactor) + (asFactor ? "" : unit(scale));
    }

    /** A value with its own direction: "7 % less", "a factor of 4.3 slower"; "the same" where there is none. */
    private static String directed(Statistics.Difference difference, Directions said, double value) {
        var scale = difference.scale();
        if (value == scale.none) return "the same";
        boolean asFactor = value > scale.none && isFactor(scale, value);
        return size(scale, value, asFactor) + " " + (value < scale.none ? said.less : said.more);
    }

    private static String signed(Statistics.Scale scale, double value) {
        return (value > scale.none ? "+" : value < scale.none ? "-" : "") + amount(scale, value, false);
    }

    // ==== Estimates ====

    /** "4.54 (4.31 to 4.78)", in the figure's own unit, or a dash and the reason why there is none. */
    static String of(Statistics.Estimate estimate) {
        return switch (estimate) {
            case Statistics.Interval interval -> Numbers.figure(interval.point())
                    + " (" + Numbers.figure(interval.low()) + " to " + Numbers.figure(interval.high()) + ")";
            case Statistics.Unknown(var reason) -> Numbers.MISSING + " " + of(reason);
        };
    }

    /** The figure itself, with its interval or what one needs: "812, an interval needs 368 values". */
    static String of(double point, Statistics.Estimate estimate) {
        if (Double.isNaN(point) || !(estimate instanceof Statistics.Unknown(var reason))) return of(estimate);
        return Numbers.figure(point) + (reason instanceof Reason.TooFewValues few
                ? ", an interval needs " + few.needed() + " values" : ", no interval: " + of(reason));
    }

    /** A difference without a verdict, as of two identical variants: "+0.3 % (-0.5 to +1.1 %)". */
    static String of(Statistics.Comparison comparison) {
        return switch (comparison) {
            case Statistics.Difference difference -> {
                var scale = difference.scale();
                var interval = difference.interval();
                yield signed(scale, interval.point()) + unit(scale) + " (" + signed(scale, interval.low()) + " to "
                        + signed(scale, interval.high()) + unit(scale) + ")" + typicalRound(difference);
            }
            case Statistics.Unknown(var reason) -> Numbers.MISSING + " " + of(reason);
        };
    }

    /** A difference with its interval, or bare with the reason why it has none: "+12 %, one recording gives no interval". */
    static String of(double relative, int recordings, Statistics.Comparison comparison) {
        return switch (comparison) {
            case Statistics.Difference difference -> of((Statistics.Comparison) difference);
            case Statistics.Unknown(var reason) -> signed(Statistics.Scale.RATIO, 1 + relative) + unit(Statistics.Scale.RATIO) + ", "
                    + (recordings == 1 ? "one recording gives no interval" : "no interval: " + of(reason));
        };
    }

    /** What deployments of one variant differ by. */
    static String of(Statistics.Spread spread) {
        return spread.deployments() < 2 ? Numbers.MISSING + " one deployment"
                : "standard deviation " + Numbers.spoken(100 * spread.deviation()) + " % of " + spread.deployments();
    }

    /** How much a mark on a change of level claims. */
    static String of(Changes.Change change) {
        return change.sure() ? "the level changed" : "a change, or a slow swing of the noise";
    }

    // ==== Reasons ====

    /** Why there is no answer: a phrase that stands behind a dash or a colon. */
    static String of(Reason reason) {
        return switch (reason) {
            case Reason.TooFewValues(var quantile, var values, var needed) ->
                    values + " values, " + quantile(quantile) + " needs " + needed;
            case Reason.TooFewBlocks(var blocks, var needed) -> blocks + " blocks, an interval needs " + needed;
            case Reason.TooFewPairedBlocks(var blocks, var needed) ->
                    blocks + " blocks with a value of both, an interval needs " + needed;
            case Reason.TooFewBlocksForSlope(var blocks, var needed) -> blocks + " blocks, a slope needs " + needed;
            case Reason.UnboundedQuantile(var quantile) ->
                    "blocks too few or too unequal to bound " + quantile(quantile);
            case Reason.NoRequests() -> "no requests";
            case Reason.OnlyZeros() -> "nothing but zeros";
            case Reason.SamplesTooSmall(var baseline, var candidate) ->
                    baseline + " and " + candidate + " values, too few";
            case Reason.TooFewRuns(var runs, var needed) -> runs == 1 ? "one run says nothing about other runs"
                    : runs + " runs, an estimate needs " + needed;
            case Reason.FigureMayBeZero() -> "a figure that may be zero has no ratio between runs";
            case Reason.NoTwin() -> "no twin was measured";
            case Reason.BilledByInstance() -> "LMI is billed by the instance, see the break-even";
            case Reason.CoreTooBusy(var variant, var utilisation) ->
                    "%s kept the functions' only core %s %% busy".formatted(variant, Numbers.spoken(100 * utilisation));
            case Reason.NotValid() -> "this run is not valid";
            case Reason.ClaimsNothing() -> "this profile claims nothing";
        };
    }

    private static String quantile(double p) {
        return "p" + BigDecimal.valueOf(p).movePointRight(2).stripTrailingZeros().toPlainString();
    }

    /** What a file does not have, and what it has in its place. */
    static String of(Grouping.Missing missing) {
        return switch (missing) {
            case Grouping.Missing.Time(String metric) -> "there is no sample of " + metric + " in that time";
            case Grouping.Missing.Metric(String metric, Set<String> declared) -> "there is no sample of " + metric
                    + (declared.isEmpty() ? "" : "; the file has " + String.join(", ", declared));
            case Grouping.Missing.Tag(String tag, Set<String> there) ->
                    "no sample has the tag '" + tag + "'; the file has " + String.join(", ", there);
        };
    }

    // ==== Gates ====

    /** As in "dropped iterations: 3.2 % of io on java-standard-1769 (at most 0.1 %); 2 more like it". */
    static String of(Gates.Checked checked) {
        var gate = checked.gate();
        String found = checked.worst().map(worst -> of(gate, worst)).orElse("not known");
        return name(gate) + ": " + found + " (" + limit(gate) + ")"
                + (checked.more() == 0 ? "" : "; " + checked.more() + " more like it");
    }

    static String name(Gates.Gate gate) {
        return switch (gate) {
            case CUT_FILES -> "cut file";
            case REFUSED_LINES -> "refused lines";
            case CHANGED_FILES -> "changed files";
            case UNFINISHED_RUN -> "unfinished run";
            case FAILED_CELLS -> "failed cells";
            case UNEQUAL_WORK -> "unequal work";
            case UNPROVED_WORK -> "unproved work";
            case STORED_OBJECTS -> "stored objects";
            case DROPPED_ITERATIONS -> "dropped iterations";
            case ACHIEVED_RATE -> "achieved rate";
            case UNEQUAL_COUNTS -> "unequal counts";
            case VIRTUAL_USERS -> "virtual users";
            case GENERATOR_CPU -> "generator's CPU";
            case MACHINE_CPU -> "machine's CPU";
            case ERRORS -> "errors";
            case THROTTLES -> "throttles";
            case LMI_AT_ITS_MAXIMUM -> "LMI at its maximum";
            case CLOCK -> "clock";
            case WARM_UP_NOT_OVER -> "warm-up not over";
            case SENT_AS_DUE -> "sent as due";
            case SEARCH_RECORDS -> "search records";
            case COLD_START_RECORDS -> "cold-start records";
        };
    }

    /** What passes a gate. */
    static String limit(Gates.Gate gate) {
        return switch (gate) {
            case CHANGED_FILES -> "its sha256 must be the one on record";
            case UNFINISHED_RUN -> "all must be, and the record must have its end";
            case UNEQUAL_WORK -> "only correct ones";
            case UNPROVED_WORK -> "every variant must give the contract's replies before the load";
            case STORED_OBJECTS ->
                    "correct replies <= objects <= invocations, and as many items with the same ids";
            case UNEQUAL_COUNTS -> percent(gate, gate.threshold) + " or " + Gates.MOST_UNEQUAL_PER_SLOT
                    + " a cell apart";
            case LMI_AT_ITS_MAXIMUM -> "fewer than the limit";
            case WARM_UP_NOT_OVER -> percent(gate, gate.threshold) + " in the first third";
            case COLD_START_RECORDS -> "the first answer of a new environment, and no other, must be cold for both";
            case CLOCK -> "at most " + Numbers.figure(gate.threshold) + " s";
            case CUT_FILES, REFUSED_LINES, FAILED_CELLS, THROTTLES -> "none allowed";
            case DROPPED_ITERATIONS, ACHIEVED_RATE, VIRTUAL_USERS, GENERATOR_CPU, MACHINE_CPU, ERRORS, SENT_AS_DUE,
                 SEARCH_RECORDS ->
                    percent(gate, gate.threshold);
        };
    }

    /** The threshold of a share: "at most 0.1 %". */
    private static String percent(Gates.Gate gate, double threshold) {
        return (gate.bound == Gates.Bound.AT_LEAST ? "at least " : "at most ") + share(gate, threshold);
    }

    /** Rounded away from its limit, so that 0.1001 % never reads as the 0.1 % that would have passed. */
    private static String share(Gates.Gate gate, double share) {
        var away = gate.bound == Gates.Bound.AT_LEAST ? RoundingMode.FLOOR : RoundingMode.CEILING;
        return Numbers.rounded(100 * share, away) + " %";
    }

    private static String plain(double value) { return Numbers.rounded(value, RoundingMode.HALF_EVEN); }

    private static String of(Gates.Gate gate, Gates.Case found) {
        String share = gate.unit == Gates.Unit.SHARE ? share(gate, found.figure()) : "";
        return switch (found) {
            case Gates.Case.Cut(var file, var how) -> how == null ? "none" : file + ": " + how + "; the rest is counted";
            case Gates.Case.Refused(var file, var lines, var why, var firstAt, var first) -> lines == 0 ? "none"
                    : "%d %s in %s, the first at byte %d: '%s'".formatted(lines, why, file, firstAt, first);
            case Gates.Case.OnRecord(var path, var isThere, var isSame) -> isSame ? "none"
                    : path + (isThere ? " is not the one that was recorded" : " is not there");
            case Gates.Case.Finished(var measured, var planned, var isEnded) ->
                    measured + " of " + planned + " cells are measured"
                            + (isEnded ? "" : ", but the record has no end");
            case Gates.Case.CellEnd(var cell, var reason) -> reason == null ? "none" : reason + " in " + cell;
            case Gates.Case.WrongAnswers(var cell, var count) -> count == 0 ? "no wrong answer"
                    : count + (count == 1 ? " wrong answer in " : " wrong answers in ") + cell;
            case Gates.Case.Proof(var variant, var isGiven) -> isGiven ? "all variants gave the same replies"
                    : "no proof of equal replies for " + variant;
            case Gates.Case.InStores(var cell, var stored, var replies, var invocations, _) ->
                    "%d objects of %d to %d bytes, %d items, %s after %d correct replies to %d invocations in %s"
                            .formatted(stored.objects(), stored.smallestBytes(), stored.largestBytes(), stored.items(),
                                    stored.sameIds() ? "the same ids" : "other ids", replies, invocations, cell);
            case Gates.Case.Requests(var workload, var variant, _) ->
                    share + " of " + workload + " on " + variant;
            case Gates.Case.Rate(var workload, var variant, var asked, _, _) ->
                    share + " of " + plain(asked) + " a second asked of " + workload + " on " + variant;
            case Gates.Case.Counts(var workload, var least, var most, _) ->
                    least + " to " + most + " requests by variant in " + workload;
            case Gates.Case.VirtualUsers(var cell, var most, _) -> share + " of " + plain(most) + " in " + cell;
            case Gates.Case.GeneratorCpu(var cell, var cores, _) ->
                    share + " of " + cores + (cores == 1 ? " core in " : " cores in ") + cell;
            case Gates.Case.MachineCpu(var cell, _) -> share + " busy in " + cell;
            case Gates.Case.Throttled(var cell, var variant, var count) -> count == 0 ? "none"
                    : plain(count) + " of " + variant + " in " + cell;
            case Gates.Case.AtOnce(var cell, var used, var limit) ->
                    plain(used) + " of " + plain(limit) + " at once in " + cell;
            case Gates.Case.Clock(var cell, var fault, var seconds) -> seconds == 0 ? "in order"
                    : plain(seconds) + " s " + of(fault) + " " + cell;
            case Gates.Case.EarlyFall(var workload, var variant, var round, _) -> round == 0 ? "none"
                    : share + " less p50 of " + workload + " on " + variant + " from round " + round + " on";
            case Gates.Case.Sent(var window, var apart) ->
                    "%d requests sent of %s due, %s apart, in the %s s from second %s on of %s".formatted(window.sent(),
                            plain(window.due()), share(gate, apart), plain(Shapes.WINDOW_SECONDS), plain(window.fromSecond()),
                            window.cell().name());
            case Gates.Case.Step(var cell, var unlike) -> unlike == 0 ? "all are what the samples say"
                    : "the record and the samples are " + share + " apart in " + cell;
            case Gates.Case.NewEnvironment(var cell, var flagged, var recorded, var agrees) -> agrees ? "all agree"
                    : "the function called " + flagged + " of its answers cold and the target recorded " + recorded
                            + (recorded == 1 ? " init in " : " inits in ") + cell;
        };
    }

    private static String of(Gates.ClockFault fault) {
        return switch (fault) {
            case CELL_TOO_SHORT -> "less than the phases of";
            case ANSWER_BEFORE_CELL -> "from an answer to the start of";
            case ANSWER_AFTER_CELL -> "from the end to an answer of";
            case PHASE_TOO_LONG -> "more than a phase and its slowest answer in";
        };
    }

    // ==== Shapes ====

    /** Why a stage broke a variant. */
    static String of(Shapes.Break found) {
        return switch (found.cause()) {
            case ERRORS -> Numbers.spoken(100 * found.figure()) + " % of the requests failed";
            case LATENCY -> "the warm p99 is " + Numbers.spoken(found.figure()) + " times that of the first stage";
        };
    }

    // ==== Searches ====

    /** What ended a search. */
    static String of(Search.Limit limit) {
        return switch (limit) {
            case NONE -> "nothing";
            case LATENCY -> "latency";
            case ERRORS -> "errors";
            case GENERATOR -> "load generator, front door or stores: the function may carry more";
            case STEPS -> "no limit that held still";
        };
    }

    /** What became of a step that met this limit. */
    static String ofStep(Search.Limit limit) {
        return switch (limit) {
            case NONE -> "held";
            case LATENCY -> "too slow";
            case ERRORS -> "too many errors";
            case GENERATOR -> "the generator fell behind";
            case STEPS -> "the last one";
        };
    }

    // ==== Cost ====

    /**
     * From which rate on LMI is cheaper, such as "from 33.9 requests/s on (30.9 to 37.7), 89.1 million a month". Between
     * there and the rate from which it stays so, another instance can cost more than it saves.
     */
    static String of(Cost.BreakEven found) {
        var perSecond = found.perSecond();
        String best = rate(perSecond.low()), mean = rate(perSecond.value()), worst = rate(perSecond.high());
        if (best.equals(NEVER)) return "never: each further million requests costs $%s on LMI and $%s on standard"
                .formatted(rate(found.lmiUsdPerMillion()), rate(found.standardUsdPerMillion()));
        if (mean.equals(NEVER)) return "from somewhere between %s requests/s and never".formatted(best);
        String from = worst.equals(NEVER)
                ? "from somewhere between %s requests/s and never; by the means from %s on".formatted(best, mean)
                : "from %s requests/s on".formatted(mean) + (best.equals(worst) ? "" : " (%s to %s)".formatted(best, worst));
        return from + ", %s million a month".formatted(rate(found.perMonth().value() / 1e6))
                + (found.settledPerSecond() == perSecond.value() ? ""
                        : "; below %s, one more instance can make LMI dearer again".formatted(rate(found.settledPerSecond())));
    }

    private static final String NEVER = "never";

    /** Three significant digits: intervals of a tenth are common, so more would only look exact. */
    private static String rate(double value) {
        if (Double.isInfinite(value)) return NEVER;
        var rounded = new BigDecimal(value).round(new MathContext(3));
        return value < 1000 ? rounded.toPlainString() : String.format(Locale.ROOT, "%,.0f", rounded);
    }

    /** Where and when the prices are from, and that they stand for another region's where they do. */
    static String of(RunCost.PricesUsed prices) {
        return "%s, %s%s, without discount".formatted(prices.compiled(), prices.region(),
                prices.insteadOf().map(asked -> ", as the run carries none of " + asked).orElse(""));
    }

    /** What stands beside an item of the run's own bill. */
    static String of(RunCost.Note note) {
        return switch (note) {
            case RunCost.Note.FailedCells(long cells) -> "what was asked in %d is not known".formatted(cells);
            case RunCost.Note.Fleets(int instances, String type, double minutes) -> String.format(Locale.ROOT,
                    "%d %s for each function, %.1f minutes", instances, type, minutes);
            case RunCost.Note.GeneratorUnknown() -> "the run does not say that k6 ran on a machine of AWS";
            case RunCost.Note.GeneratorUnpriced(String type) -> "the run carries no price of " + type;
            case RunCost.Note.Generator(String type) -> "the load generator, " + type;
        };
    }
}
