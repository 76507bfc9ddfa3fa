///usr/bin/env jbang "$0" "$@" ; exit $?
// Does what Statistics says hold, on noise like that of a load test?
//
// Two thousand generated experiments of known truth for each question. Latencies are lognormal around 20 ms with 1 % of
// slow calls. Over them lies noise that the requests of a minute share: a first-order autoregressive factor (standard
// deviation 10 %, correlation time 120 s) and a day's swing of 15 %. "At once" measures two variants together in 24
// blocks of 5 minutes; "slots" one after the other, in 12 rounds of 21 slots in random order. Identical variants must
// not be called different, a true difference must be found, intervals must hold the truth as often as they say. A test
// that counts every request as evidence fails on the same data, wherever the noise is not common to both.
//
// Each request is one look-up: a table of 65,536 quantiles of the base distribution, at a random index, times the
// noise. Each experiment has its own seed and adds to integer counts only, so the cores may share them in any order.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/judge/Changes.java
//SOURCES ../kit/judge/Statistics.java

import module java.base;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.junit.jupiter.api.Test;

import static org.junit.jupiter.api.Assertions.assertTrue;

final class StatisticsSimulationTest {
    static final int EXPERIMENTS = 2_000;
    static final double[] QUANTILES = {0.5, 0.95, 0.99};
    static final double SLOW_SHARE = 0.01, BASE_MS = 20, BASE_SD = 0.25, SLOW_MS = 60, SLOW_SD = 0.5;
    static final double NOISE_SD = 0.10, NOISE_TAU_S = 120, SWING = 0.15, DAY_S = 86_400;
    static final double FIVE_PERCENT = StrictMath.log(1.05);

    // ==== At once ====

    @Test
    void identical_variants_measured_at_once_are_rarely_called_different() {
        simulate("at once, identical", seed -> concurrent(seed, 0, 0), 0)
                .atMost("different", 0.07).atLeast("ratio", 0.90).atLeast("interval", 0.90);
    }

    @Test
    void five_percent_is_found_at_once() {
        simulate("at once, +5 %", seed -> concurrent(seed, 0, FIVE_PERCENT), FIVE_PERCENT, 0.5)
                .atLeast("different", 0.95);
    }

    @Test
    void half_of_the_noise_private_is_covered_and_fools_a_test_over_requests() {
        simulate("at once, half of the noise private", seed -> concurrent(seed, 0.5, 0), 0)
                .atMost("different", 0.07).atLeast("ratio", 0.90).atLeast("interval", 0.90)
                .atLeast("mann-whitney", 0.90);
    }

    // ==== One after the other ====

    @Test
    void identical_variants_in_slots_are_rarely_called_different_but_fool_a_test_over_requests() {
        simulate("slots, identical", seed -> slots(seed, 12, 22, false, 0), 0)
                .atMost("different", 0.07).atLeast("ratio", 0.90).atLeast("interval", 0.90)
                .atLeast("mann-whitney", 0.90);
    }

    /** The noise itself forbids more; the smallest detectable difference, here 13 %, is found as often as promised. */
    @Test
    void slots_find_what_they_say_they_can_find() {
        simulate("slots, +13 %", seed -> slots(seed, 12, 22, false, StrictMath.log(1.13)), StrictMath.log(1.13), 0.5)
                .atLeast("different", 0.75).atMost("different", 0.88);
    }

    /** Twelve rounds of long slots cannot see 5 % in this noise, however analysed; many short ones side by side can. */
    @Test
    void five_percent_is_found_by_short_slots_side_by_side() {
        simulate("40 rounds of short slots, +5 %", seed -> slots(seed, 40, 10, true, FIVE_PERCENT), FIVE_PERCENT, 0.5)
                .atLeast("different", 0.95);
    }

    // ==== Change points ====

    @Test
    void stationary_series_are_rarely_marked_for_sure_and_without_a_memory_rarely_at_all() {
        for (double tau : new double[] {0, NOISE_TAU_S}) {
            double sure = share(seed -> changes(series(seed, tau, NOISE_SD, 0)).stream().anyMatch(Changes.Change::sure));
            double any = share(seed -> !changes(series(seed, tau, NOISE_SD, 0)).isEmpty());
            print("stationary, correlation time %.0f s: %.1f %% marked, %.1f %% for sure", tau, 100 * any, 100 * sure);
            assertTrue(sure <= 0.05, () -> "marked for sure: " + sure);
            assertTrue(any <= (tau == 0 ? 0.06 : 0.2), () -> "marked: " + any);
        }
    }

    static List<Changes.Change> changes(double[] series) {
        return Changes.of(series, Collections.nCopies(series.length, 1));
    }

    @Test
    void a_step_at_half_time_is_marked_within_one_block() {
        double marked = share(seed -> changes(series(seed, NOISE_TAU_S, 0.025, StrictMath.log(1.1))).stream()
                .anyMatch(change -> Math.abs(change.block() - 12) <= 1));
        print("step of 10 %% in noise of 2.5 %%: %.1f %% marked within one block", 100 * marked);
        assertTrue(marked >= 0.95, () -> "marked: " + marked);
    }

    /** A swing of noise that remembers looks the same: what passes is marked less often than what lasts. */
    @Test
    void a_disturbance_that_passes_is_marked_at_both_ends() {
        double marked = share(seed -> {
            double[] series = series(seed, NOISE_TAU_S, 0.03, 0);
            for (int block = 8; block < 16; block++) series[block] *= 1.15;
            var blocks = changes(series).stream().map(Changes.Change::block).toList();
            return blocks.stream().anyMatch(block -> Math.abs(block - 8) <= 1)
                    && blocks.stream().anyMatch(block -> Math.abs(block - 16) <= 1);
        });
        print("15 %% for a third of the time, in noise of 3 %%: %.1f %% marked at both ends", 100 * marked);
        assertTrue(marked >= 0.75, () -> "marked: " + marked);
    }

    // ==== Cold starts, errors, runs ====

    @Test
    void thirty_cold_starts_each_bound_their_ratio() {
        double covered = share(seed -> {
            var random = new SplittableRandom(seed);
            DoubleSupplier cold = () -> StrictMath.exp(6 + 0.2 * random.nextGaussian());
            var a = DoubleStream.generate(cold).limit(30).toArray();
            var b = DoubleStream.generate(cold).limit(30).map(ms -> 1.1 * ms).toArray();
            return Statistics.twoSample(a, b) instanceof Statistics.Difference found && found.interval().contains(1.1);
        });
        print("cold starts: ratio covered in %.1f %%", 100 * covered);
        assertTrue(covered >= 0.93, () -> "covered: " + covered);
    }

    @Test
    void errors_that_come_in_bursts_are_bounded() {
        double covered = share(seed -> {
            double[] rate = series(seed, NOISE_TAU_S, 0.5, 0);
            var random = new SplittableRandom(~seed);
            long[] requests = new long[rate.length], errors = new long[rate.length];
            for (int block = 0; block < rate.length; block++) {
                requests[block] = 1_000;
                for (int i = 0; i < 1_000; i++) if (random.nextDouble() < 0.01 * rate[block] / BASE_MS) errors[block]++;
            }
            // A block's factor is e to the mean of 30 correlated noises; its own mean is known from their variance.
            double truth = 0.01 * StrictMath.exp(0.25 * BLOCK_VARIANCE / 2);
            var events = new Statistics.PerRequest(Arrays.stream(errors).asDoubleStream().toArray(), requests);
            return new Statistics.Share(events).estimate() instanceof Statistics.Interval found && found.contains(truth);
        });
        print("bursts of errors: share covered in %.1f %%", 100 * covered);
        assertTrue(covered >= 0.90, () -> "covered: " + covered);
    }

    @Test
    void four_runs_bound_what_runs_have_in_common() {
        double covered = share(seed -> {
            var random = new SplittableRandom(seed);
            var runs = IntStream.range(0, 4).mapToObj(_ -> {
                double error = 0.01 + 0.03 * random.nextDouble();
                double log = StrictMath.hypot(error, 0.05) * random.nextGaussian();
                double half = 2.0687 * error;       // t(0.975) for 24 blocks
                return new Statistics.Interval(StrictMath.exp(log - half), StrictMath.exp(log),
                        StrictMath.exp(log + half), 1_000, 24);
            }).toList();
            return Statistics.across(runs).across() instanceof Statistics.Interval found && found.contains(1);
        });
        print("four runs: covered in %.1f %%", 100 * covered);
        assertTrue(covered >= 0.93, () -> "covered: " + covered);
    }

    // ==== The noise ====

    /** Two variants measured in paired blocks, and the slow swing that was part of the window. */
    record Pair(List<Histogram> baseline, List<Histogram> candidate, double[] swing) { }

    /** Both at once, 25 requests/s each, 24 blocks of 30 steps of 10 s; a share of the noise is private to each. */
    static Pair concurrent(long seed, double privateShare, double effect) {
        var random = new SplittableRandom(seed);
        int blocks = 24, steps = 30;
        double[] swing = swing(random, blocks * steps, 10), common = noise(random, blocks * steps, 10);
        double[] own = noise(random, blocks * steps, 10), other = noise(random, blocks * steps, 10);
        double shared = StrictMath.sqrt(1 - privateShare), apart = StrictMath.sqrt(privateShare);
        var pair = new Pair(new ArrayList<>(), new ArrayList<>(), swing);
        for (int block = 0; block < blocks; block++) {
            var baseline = new Histogram();
            var candidate = new Histogram();
            for (int step = block * steps; step < (block + 1) * steps; step++) {
                double level = swing[step] + shared * common[step];
                request(random, baseline, 250, level + apart * own[step]);
                request(random, candidate, 250, level + apart * other[step] + effect);
            }
            pair.baseline.add(baseline);
            pair.candidate.add(candidate);
        }
        return pair;
    }

    /**
     * 21 slots a round (seven variants, three workloads), 200 requests/s, in an order that is drawn anew each round:
     * all mixed, or with the seven slots of one workload side by side. A slot is two steps of the noise.
     */
    static Pair slots(long seed, int rounds, double slotS, boolean sideBySide, double effect) {
        var random = new SplittableRandom(seed);
        int slots = 21, steps = 2, requests = (int) (200 * slotS / steps);
        double[] swing = swing(random, rounds * slots * steps, slotS / steps);
        double[] common = noise(random, rounds * slots * steps, slotS / steps);
        var pair = new Pair(new ArrayList<>(), new ArrayList<>(), swing);
        for (int round = 0; round < rounds; round++) {
            int neighbours = sideBySide ? 7 : slots, start = sideBySide ? 7 * random.nextInt(3) : 0;
            int first = random.nextInt(neighbours), second = (first + 1 + random.nextInt(neighbours - 1)) % neighbours;
            var baseline = new Histogram();
            var candidate = new Histogram();
            for (int step = 0; step < steps; step++) {
                int one = (round * slots + start + first) * steps + step;
                int two = (round * slots + start + second) * steps + step;
                request(random, baseline, requests, swing[one] + common[one]);
                request(random, candidate, requests, swing[two] + common[two] + effect);
            }
            pair.baseline.add(baseline);
            pair.candidate.add(candidate);
        }
        return pair;
    }

    /** Medians of 24 blocks of 5 minutes, up to the noise of sampling, with a step at half time. */
    static double[] series(long seed, double tauS, double sd, double step) {
        var random = new SplittableRandom(seed);
        double[] noise = autoregressive(random, 24 * 30, 10, tauS);
        return IntStream.range(0, 24).mapToDouble(block -> BASE_MS * StrictMath.exp((block < 12 ? 0 : step)
                + sd * Arrays.stream(noise, block * 30, block * 30 + 30).average().orElseThrow())).toArray();
    }

    /** Variance of the mean of 30 steps of 10 s of unit noise with the correlation time of 120 s. */
    static final double BLOCK_VARIANCE = IntStream.range(0, 900)
            .mapToDouble(i -> StrictMath.exp(-Math.abs(i / 30 - i % 30) * 10 / NOISE_TAU_S)).sum() / 900;

    static double[] noise(SplittableRandom random, int steps, double stepS) {
        return Arrays.stream(autoregressive(random, steps, stepS, NOISE_TAU_S)).map(x -> NOISE_SD * x).toArray();
    }

    static double[] autoregressive(SplittableRandom random, int steps, double stepS, double tauS) {
        double keep = tauS == 0 ? 0 : StrictMath.exp(-stepS / tauS), fresh = StrictMath.sqrt(1 - keep * keep);
        double[] noise = new double[steps];
        for (int i = 0; i < steps; i++)
            noise[i] = i == 0 ? random.nextGaussian() : keep * noise[i - 1] + fresh * random.nextGaussian();
        return noise;
    }

    static double[] swing(SplittableRandom random, int steps, double stepS) {
        double phase = 2 * Math.PI * random.nextDouble();
        return IntStream.range(0, steps)
                .mapToDouble(i -> SWING / 2 * StrictMath.sin(phase + 2 * Math.PI * i * stepS / DAY_S)).toArray();
    }

    static final float[] BASE = base();

    static float[] base() {
        var normal = NormalDistribution.of(0, 1);
        float[] base = new float[1 << 16];
        int slow = (int) (SLOW_SHARE * base.length);
        for (int i = 0; i < base.length; i++)
            base[i] = (float) (i < slow
                    ? SLOW_MS * StrictMath.exp(SLOW_SD * normal.inverseCumulativeProbability((i + 0.5) / slow))
                    : BASE_MS * StrictMath.exp(BASE_SD
                            * normal.inverseCumulativeProbability((i - slow + 0.5) / (base.length - slow))));
        return base;
    }

    /** Sends requests at one level of the noise; four 16-bit indices from each random number. */
    static void request(SplittableRandom random, Histogram histogram, int requests, double level) {
        double factor = StrictMath.exp(level);
        long bits = 0;
        for (int i = 0; i < requests; i++, bits >>>= 16) {
            if (i % 4 == 0) bits = random.nextLong();
            histogram.add(BASE[(int) bits & 0xFFFF] * factor);
        }
    }

    // ==== Counting ====

    /** Shares of the experiments, by what was counted and quantile. */
    record Shares(Map<String, double[]> byName) {
        Shares atMost(String name, double bound) {
            for (double share : byName.get(name)) assertTrue(share <= bound, () -> name + ": " + share);
            return this;
        }

        Shares atLeast(String name, double bound) {
            for (double share : byName.get(name)) assertTrue(share >= bound, () -> name + ": " + share);
            return this;
        }
    }

    static Shares simulate(String title, LongFunction<Pair> design, double effect) {
        return simulate(title, design, effect, QUANTILES);
    }

    /**
     * For each quantile the share of experiments in which the two were called "different" (by the interval alone; a
     * verdict asks for more), whose "ratio" and whose single "interval" held the truth, and which a Mann-Whitney test
     * called different.
     */
    static Shares simulate(String title, LongFunction<Pair> design, double effect, double... quantiles) {
        var names = List.of("different", "ratio", "interval", "mann-whitney");
        int[] hits = IntStream.range(0, EXPERIMENTS).parallel().mapToObj(experiment -> {
            var pair = design.apply(Statistics.SEED + experiment);
            var baseline = new Statistics.Latencies(pair.baseline);
            var candidate = new Statistics.Latencies(pair.candidate);
            int fooled = effect == 0 && mannWhitney(pair) < 0.05 ? 1 : 0;
            return Arrays.stream(quantiles).mapToObj(p -> {
                var quantile = baseline.quantile(p);
                var comparison = Statistics.difference(quantile, candidate.quantile(p));
                if (!(comparison instanceof Statistics.Difference difference)) return new int[] {0, 0, 0, fooled};
                double truth = effect == 0 ? truth(p, pair.swing) : Double.NaN;
                return new int[] {difference.excludesNone() ? 1 : 0,
                        difference.interval().contains(StrictMath.exp(effect)) ? 1 : 0,
                        quantile.estimate() instanceof Statistics.Interval found && found.contains(truth) ? 1 : 0,
                        fooled};
            }).flatMapToInt(Arrays::stream).toArray();
        }).reduce(new int[names.size() * quantiles.length], (a, b) -> {
            int[] sum = new int[a.length];
            Arrays.setAll(sum, i -> a[i] + b[i]);
            return sum;
        });
        var shares = new LinkedHashMap<String, double[]>();
        for (int name = 0; name < names.size(); name++)
            for (int q = 0; q < quantiles.length; q++)
                shares.computeIfAbsent(names.get(name), _ -> new double[quantiles.length])[q] =
                        hits[q * names.size() + name] / (double) EXPERIMENTS;
        shares.forEach((name, share) -> {
            if (effect == 0 || name.equals("different") || name.equals("ratio")) print("%s: %s at %s: %s", title, name,
                    Arrays.toString(quantiles), Arrays.toString(share));
        });
        return new Shares(shares);
    }

    static double share(LongPredicate experiment) {
        return LongStream.range(0, EXPERIMENTS).parallel().map(i -> Statistics.SEED + i).filter(experiment).count()
                / (double) EXPERIMENTS;
    }

    /** The quantile that a window with this swing has in the long run: both lognormals are widened by the noise. */
    static double truth(double p, double[] swing) {
        var base = NormalDistribution.of(StrictMath.log(BASE_MS), StrictMath.hypot(BASE_SD, NOISE_SD));
        var slow = NormalDistribution.of(StrictMath.log(SLOW_MS), StrictMath.hypot(SLOW_SD, NOISE_SD));
        double low = 0, high = 10;
        for (int halving = 0; halving < 30; halving++) {
            double middle = (low + high) / 2, below = 0;
            int samples = 12;
            for (int i = 0; i < samples; i++) {
                double log = middle - swing[(2 * i + 1) * swing.length / (2 * samples)];
                below += (1 - SLOW_SHARE) * base.cumulativeProbability(log)
                        + SLOW_SHARE * slow.cumulativeProbability(log);
            }
            if (below < p * samples) low = middle;
            else high = middle;
        }
        return StrictMath.exp(low);
    }

    /** P-value of the Mann-Whitney test over all requests as if independent: normal approximation, ties corrected. */
    static double mannWhitney(Pair pair) {
        Histogram a = new Histogram(), b = new Histogram();
        pair.baseline.forEach(a::merge);
        pair.candidate.forEach(b::merge);
        double m = a.count(), n = b.count(), total = m + n, u = 0, ties = 0, below = 0;
        for (int bin = 0; bin < Histogram.BINS; bin++) {
            double inA = a.count(bin), inB = b.count(bin), tied = inA + inB;
            u += inB * (below + inA / 2);
            ties += tied * tied * tied - tied;
            below += inA;
        }
        double deviation = StrictMath.sqrt(m * n / 12 * (total + 1 - ties / (total * (total - 1))));
        return 2 * NormalDistribution.of(0, 1).survivalProbability(Math.abs(u - m * n / 2) / deviation);
    }

    static void print(String format, Object... values) {
        System.out.println(String.format(Locale.ROOT, format, values));
    }

    public static void main(String... args) {
        org.junit.platform.console.ConsoleLauncher.main("execute", "--select-class=StatisticsSimulationTest",
                "--details=tree", "--disable-banner", "--fail-if-no-tests");
    }
}
