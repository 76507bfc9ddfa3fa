// Runs that were never made, under noise that this kit's formulas were not made for.
//
// A run is what `steady` measures: seven variants (three languages on both computes, and a twin) in rounds, one workload's
// seven slots side by side in an order of their own, the other workloads' slots before or after them; five deployments
// of seven rounds each, and in each a Latin square, so that each variant has had each place. Latencies are lognormal
// around 20 ms, CPU around 2 ms; over both lies the noise. All variants are the same function unless an effect is given
// to one, so that whatever is said of the others is false.

//SOURCES ../kit/judge/Changes.java
//SOURCES ../kit/judge/Statistics.java
//SOURCES ../kit/read/Histogram.java

import module java.base;

/** Generates runs, and asks of them what Verdicts asks of a run's primary family. */
final class NoisyRuns {
    static final int VARIANTS = 7, DEPLOYMENTS = 5, ROUNDS = 7, WORKLOADS = 3;
    /** 40 requests/s for 3.4 s, after a second of settling. */
    static final int REQUESTS = 136;
    static final double SLOT_S = 4.4, MEASURED_S = 3.4, BETWEEN_DEPLOYMENTS_S = 60;
    static final double BASE_MS = 20, BASE_SD = 0.25, CPU_MS = 2, CPU_SD = 0.2;
    static final double NOTICEABLE_MS = 0.1;
    /** The twin is the last variant, of the first; the others are python, rust, java on standard, then on LMI. */
    static final int ORIGINAL = 0, TWIN = 6, LANGUAGES = 3;

    private NoisyRuns() { }

    /**
     * What lies over the work.
     *
     * @param longRange    standard deviation of what all variants share: a sum of four first-order autoregressive
     *                     processes that remember for 30 s, 2, 8 and 30 minutes
     * @param own          standard deviation of what each variant has alone, and remembers for 5 minutes
     * @param deployments  standard deviation of what each deployment of each variant adds, drawn anew for each
     * @param slowMinutes  share of minutes that are three times slower, for all
     * @param tail         whether latencies above p95 follow Pareto's law with exponent 1.3
     * @param pauseMs      of the function, at the same point of each second of a slot
     */
    record Noise(String name, double longRange, double own, double deployments, double slowMinutes, boolean tail,
                 double pauseMs) {
        static final Noise NONE = new Noise("independent", 0, 0, 0, 0, false, 0),
                LONG_RANGE = new Noise("long-range 10 %", 0.1, 0, 0, 0, false, 0),
                OWN = new Noise("long-range, private 5 % for 5 min", 0.1, 0.05, 0, 0, false, 0),
                BURSTS = new Noise("long-range, slow minutes", 0.1, 0, 0, 0.05, false, 0),
                DEPLOYED_1 = new Noise("long-range, deployments 1 %", 0.1, 0, 0.01, 0, false, 0),
                DEPLOYED_3 = new Noise("long-range, deployments 3 %", 0.1, 0, 0.03, 0, false, 0),
                TAIL = new Noise("long-range, Pareto tail", 0.1, 0, 0, 0, true, 0),
                PAUSES = new Noise("long-range, pauses of 15 ms", 0.1, 0, 0, 0, false, 15);
        static final List<Noise> ALL =
                List.of(NONE, LONG_RANGE, OWN, BURSTS, DEPLOYED_1, DEPLOYED_3, TAIL, PAUSES);
    }

    /** What was measured: of each variant its slots, in the order of the rounds. */
    record Made(List<List<Histogram>> latencies, double[][] cpuMs, List<Integer> deployments) {
        List<Statistics.Figure> quantile(double p) {
            return latencies.stream().<Statistics.Figure>map(slots ->
                    new Statistics.Latencies(slots, deployments).quantile(p)).toList();
        }

        List<Statistics.Figure> cpu() {
            long[] requests = new long[deployments.size()];
            Arrays.fill(requests, REQUESTS);
            return Arrays.stream(cpuMs).<Statistics.Figure>map(sums ->
                    new Statistics.PerRequest(sums, requests, deployments)).toList();
        }

        double[] medians(int variant) {
            return latencies.get(variant).stream().mapToDouble(slot -> slot.quantile(0.5)).toArray();
        }
    }

    // ==== Make ====

    /**
     * One run.
     *
     * @param known   false for a run that deploys once: as many rounds, one deployment, and one draw of its effect
     * @param effect  by which the logarithm of {@code of}'s latency is larger than the others'; its CPU is the same
     */
    static Made make(long seed, Noise noise, boolean known, int of, double effect) {
        var random = new SplittableRandom(seed);
        int rounds = DEPLOYMENTS * ROUNDS, slotsOfRound = VARIANTS * WORKLOADS;
        double[] startS = new double[rounds];
        for (int round = 0; round < rounds; round++) {
            startS[round] = round * slotsOfRound * SLOT_S + (known ? round / ROUNDS * BETWEEN_DEPLOYMENTS_S : 0);
        }
        double endS = startS[rounds - 1] + slotsOfRound * SLOT_S;
        var shared = new Shared(random, noise, endS);
        double[][] own = new double[VARIANTS][];
        for (int variant = 0; variant < VARIANTS; variant++) own[variant] = remembers(random, endS, 300);
        double[][] ofLatency = deployments(random, noise, known), ofCpu = deployments(random, noise, known);
        var made = new Made(new ArrayList<>(), new double[VARIANTS][rounds], IntStream.range(0, rounds)
                .mapToObj(round -> known ? 1 + round / ROUNDS : 1).toList());
        for (int variant = 0; variant < VARIANTS; variant++) made.latencies.add(new ArrayList<>());
        for (int round = 0; round < rounds; round++) {
            int workload = random.nextInt(WORKLOADS);
            for (int variant = 0; variant < VARIANTS; variant++) {
                // A cyclic Latin square: seven rounds put each variant in each place once.
                int place = (variant + round) % VARIANTS;
                double at = startS[round] + (workload * VARIANTS + place) * SLOT_S + SLOT_S - MEASURED_S;
                var latencies = new Histogram();
                double cpuMs = 0, phaseS = random.nextDouble() / 40;
                double ofOwn = noise.own == 0 ? 0 : noise.own * own[variant][(int) (at / STEP_S)];
                double level = ofOwn + ofLatency[variant][round / ROUNDS] + (variant == of ? effect : 0);
                double cpuLevel = ofOwn + ofCpu[variant][round / ROUNDS];
                for (int request = 0; request < REQUESTS; request++) {
                    double now = at + phaseS + request / 40.0;
                    double common = shared.level(now);
                    double ms = base(random, noise) * StrictMath.exp(common + level);
                    double intoSecond = (now - at) % 1;
                    latencies.add(ms + Math.max(0, noise.pauseMs - 1_000 * intoSecond));
                    cpuMs += CPU_MS * StrictMath.exp(common + cpuLevel + CPU_SD * random.nextGaussian());
                }
                made.latencies.get(variant).add(latencies);
                made.cpuMs[variant][round] = cpuMs;
            }
        }
        return made;
    }

    private static final double STEP_S = 1;

    /** What all variants share, second by second. */
    private static final class Shared {
        private final double[] levels;

        Shared(SplittableRandom random, Noise noise, double endS) {
            levels = new double[(int) endS + 2];
            for (double tauS : new double[] {30, 120, 480, 1_800}) {
                double[] part = remembers(random, endS, tauS);
                for (int i = 0; i < levels.length; i++) levels[i] += noise.longRange / 2 * part[i];
            }
            for (int minute = 0; minute * 60 < levels.length; minute++) {
                if (random.nextDouble() >= noise.slowMinutes) continue;
                for (int i = minute * 60; i < Math.min(levels.length, minute * 60 + 60); i++) levels[i] += StrictMath.log(3);
            }
        }

        double level(double seconds) { return levels[(int) seconds]; }
    }

    /** A first-order autoregressive process of variance 1, in steps of a second. */
    private static double[] remembers(SplittableRandom random, double endS, double tauS) {
        double keep = StrictMath.exp(-STEP_S / tauS), fresh = StrictMath.sqrt(1 - keep * keep);
        double[] values = new double[(int) endS + 2];
        for (int i = 0; i < values.length; i++) {
            values[i] = i == 0 ? random.nextGaussian() : keep * values[i - 1] + fresh * random.nextGaussian();
        }
        return values;
    }

    private static double[][] deployments(SplittableRandom random, Noise noise, boolean known) {
        double[][] effects = new double[VARIANTS][DEPLOYMENTS];
        for (double[] effect : effects) for (int i = 0; i < DEPLOYMENTS; i++) {
            effect[i] = known || i == 0 ? noise.deployments * random.nextGaussian() : effect[0];
        }
        return effects;
    }

    private static double base(SplittableRandom random, Noise noise) {
        double z = random.nextGaussian();
        if (!noise.tail || random.nextDouble() >= 0.05) return BASE_MS * StrictMath.exp(BASE_SD * z);
        double p95 = BASE_MS * StrictMath.exp(BASE_SD * 1.645);
        return p95 * StrictMath.pow(1 - random.nextDouble(), -1 / 1.3);
    }

    // ==== Judge ====

    /** The question of {@link #PAIRS} that an effect is given to: of the third variant against the first. */
    static final int JAVA_AGAINST_PYTHON = 4;

    /** Baseline and candidate of the nine questions that Verdicts asks: LMI against standard, then the languages. */
    static final List<int[]> PAIRS = pairs();

    private static List<int[]> pairs() {
        var pairs = new ArrayList<int[]>();
        for (int language = 0; language < LANGUAGES; language++) pairs.add(new int[] {language, LANGUAGES + language});
        for (int compute = 0; compute < 2; compute++) {
            for (int i = 0; i < LANGUAGES; i++) for (int j = i + 1; j < LANGUAGES; j++) {
                pairs.add(new int[] {compute * LANGUAGES + i, compute * LANGUAGES + j});
            }
        }
        return pairs;
    }

    /** The primary family: p50 of all pairs, then CPU of all pairs. */
    static List<Statistics.Question> family(Made made) {
        var family = new ArrayList<>(questions(made.quantile(0.5), NOTICEABLE_MS));
        family.addAll(questions(made.cpu(), 0));
        return family;
    }

    static List<Statistics.Question> questions(List<Statistics.Figure> figures, double noticeable) {
        var spread = Statistics.spread(figures);
        var twins = Statistics.difference(figures.get(ORIGINAL), figures.get(TWIN), spread);
        double noise = twins instanceof Statistics.Difference difference ? difference.largestEnd() : 0;
        return PAIRS.stream().map(pair -> new Statistics.Question(
                Statistics.difference(figures.get(pair[0]), figures.get(pair[1]), spread), noticeable, noise)).toList();
    }

    /** Whether a verdict says which of two is the larger one. */
    static boolean claims(Statistics.Verdict verdict) {
        return switch (verdict) {
            case Statistics.Different _, Statistics.TooSmallToMatter _, Statistics.PerhapsTooSmall _ -> true;
            case Statistics.PracticallyEqual _, Statistics.ProbablyDifferent _, Statistics.WithinNoise _,
                 Statistics.Undecided _, Statistics.Unknown _ -> false;
        };
    }
}
