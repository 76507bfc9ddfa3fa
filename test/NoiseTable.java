///usr/bin/env jbang "$0" "$@" ; exit $?
// The table of what verdicts, intervals and marks are worth under noise that this kit's formulas were not made for. It
// takes many minutes, so CI leaves it out and runs NoiseTest.
//
//   ./jbang test/NoiseTable.java [RUNS]      300 runs under each noise, and as many with each effect

//JAVA 25
//SOURCES ../kit/judge/Changes.java
//SOURCES ../kit/judge/Statistics.java
//SOURCES ../kit/read/Histogram.java
//SOURCES NoisyRuns.java

import module java.base;

final class NoiseTable {
    private static final int RUNS = 300;
    /** The runs from which the true figure is known: their own error is a tenth of an interval's width. */
    private static final int RUNS_OF_TRUTH = 60;

    public static void main(String... arguments) {
        int runs = arguments.length > 0 ? Integer.parseInt(arguments[0]) : RUNS;
        System.out.println("""
                Shares in %. A "claim" is any direction among the 18 questions on identical variants; "differences" is how
                often their intervals hold zero, on average and of the worst question; "one variant" how often p50, p95 and CPU
                hold the true figure; "stated" the median of the smallest difference stated, and how often one of that size
                is found; "marked" the series with a change for sure, and with any.
                | noise | runs with a claim | differences (worst) | p95, p99 | one variant | stated: found | +5 % found | +10 % found | marked |
                |---|---|---|---|---|---|---|---|---|""");
        for (var noise : NoisyRuns.Noise.ALL) System.out.println(row(noise, runs));
    }

    private static String row(NoisyRuns.Noise noise, int runs) {
        double[] truth = truth(noise);
        var looks = IntStream.range(0, runs).parallel().mapToObj(run -> Look.at(noise, run, truth)).toList();
        double[] byQuestion = IntStream.range(0, 2 * NoisyRuns.PAIRS.size())
                .mapToDouble(question -> share(looks, look -> look.covered[question])).toArray();
        double stated = Statistics.median(looks.stream().mapToDouble(Look::stated).toArray());
        return String.format(Locale.ROOT, "| %s | %d of %d | %.1f (%.1f) | %.1f, %.1f | %.1f, %.1f, %.1f | %.1f: %.1f | %.1f | %.1f | %.1f, %.1f |",
                noise.name(), looks.stream().filter(Look::claims).count(), runs,
                Arrays.stream(byQuestion).average().orElseThrow(), Arrays.stream(byQuestion).min().orElseThrow(),
                share(looks, look -> look.tails[0]), share(looks, look -> look.tails[1]),
                share(looks, look -> look.one[0]), share(looks, look -> look.one[1]), share(looks, look -> look.one[2]),
                100 * stated, found(noise, runs, stated), found(noise, runs, 0.05), found(noise, runs, 0.1),
                100 * looks.stream().mapToDouble(Look::sure).average().orElseThrow(),
                100 * looks.stream().mapToDouble(Look::marked).average().orElseThrow());
    }

    private static double share(List<Look> looks, Predicate<Look> what) {
        return 100.0 * looks.stream().filter(what).count() / looks.size();
    }

    /** How often an effect on one variant is found in the question that is about it. */
    private static double found(NoisyRuns.Noise noise, int runs, double effect) {
        return 100.0 * IntStream.range(0, runs).parallel().filter(run -> {
            var made = NoisyRuns.make(7_000_000 + run, noise, true, 2, StrictMath.log1p(effect));
            return NoisyRuns.claims(
                    Statistics.verdicts(NoisyRuns.family(made)).get(NoisyRuns.JAVA_AGAINST_PYTHON));
        }).count() / runs;
    }

    /** What one run of identical variants got right. */
    private record Look(boolean claims, boolean[] covered, boolean[] tails, boolean[] one, double stated, double sure,
                        double marked) {

        static Look at(NoisyRuns.Noise noise, int run, double[] truth) {
            var made = NoisyRuns.make(run, noise, true, -1, 0);
            var family = NoisyRuns.family(made);
            boolean[] covered = new boolean[family.size()], tails = new boolean[2], one = new boolean[truth.length];
            for (int i = 0; i < covered.length; i++) covered[i] = holdsNone(family.get(i));
            var figures = List.of(made.quantile(0.5), made.quantile(0.95), made.cpu());
            tails[0] = holdsNone(NoisyRuns.questions(figures.get(1), 0).get(NoisyRuns.JAVA_AGAINST_PYTHON));
            tails[1] = holdsNone(NoisyRuns.questions(made.quantile(0.99), 0).get(NoisyRuns.JAVA_AGAINST_PYTHON));
            for (int i = 0; i < one.length; i++) {
                one[i] = figures.get(i).get(1).estimate(Statistics.spread(figures.get(i)))
                        instanceof Statistics.Interval interval && interval.contains(truth[i]);
            }
            var changes = IntStream.range(0, NoisyRuns.VARIANTS)
                    .mapToObj(variant -> Changes.of(made.medians(variant), made.deployments())).toList();
            return new Look(Statistics.verdicts(family).stream().anyMatch(NoisyRuns::claims), covered, tails, one,
                    Statistics.smallestFindings(family)[NoisyRuns.JAVA_AGAINST_PYTHON],
                    changes.stream().filter(found -> found.stream().anyMatch(Changes.Change::sure)).count() / 7.0,
                    changes.stream().filter(found -> !found.isEmpty()).count() / 7.0);
        }

        private static boolean holdsNone(Statistics.Question question) {
            return question.comparison() instanceof Statistics.Difference difference && !difference.excludesNone();
        }
    }

    /** p50, p95 and CPU per request in the long run: those of many runs together. */
    private static double[] truth(NoisyRuns.Noise noise) {
        var runs = IntStream.range(0, RUNS_OF_TRUTH).parallel()
                .mapToObj(run -> NoisyRuns.make(90_000_000 + run, noise, true, -1, 0)).toList();
        var latencies = new Histogram();
        for (var made : runs) for (var slots : made.latencies()) slots.forEach(latencies::merge);
        double cpuMs = runs.stream().flatMap(made -> Arrays.stream(made.cpuMs())).flatMapToDouble(Arrays::stream)
                .average().orElseThrow() / NoisyRuns.REQUESTS;
        return new double[] {latencies.quantile(0.5), latencies.quantile(0.95), cpuMs};
    }
}
