///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/read/Histogram.java

import module java.base;
import org.junit.jupiter.api.Test;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

final class HistogramTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=HistogramTest", "--disable-banner", "--fail-if-no-tests");
    }

    @Test void a_value_is_at_most_a_fifth_of_a_percent_away_from_its_bins_middle() {
        for (double value = 1e-5; value < 1e7; value *= 1.0001) {
            assertEquals(1, Histogram.middle(Histogram.bin(value)) / value, 0.002);
        }
    }

    @Test void bins_are_in_the_order_of_their_values() {
        for (int bin = 1; bin < Histogram.BINS; bin++) {
            assertTrue(Histogram.middle(bin) > Histogram.middle(bin - 1));
            assertEquals(bin, Histogram.bin(Histogram.middle(bin)));
        }
    }

    @Test void what_is_no_latency_is_counted_and_breaks_nothing() {
        for (double value : new double[] {0, -1, Double.NaN, Double.MIN_VALUE}) assertEquals(0, Histogram.bin(value));
        for (double value : new double[] {1e300, Double.POSITIVE_INFINITY}) {
            assertEquals(Histogram.BINS - 1, Histogram.bin(value));
        }
    }

    @Test void merging_in_any_order_gives_the_same_counts() {
        var random = new SplittableRandom(1);
        Histogram whole = new Histogram(), odd = new Histogram(), even = new Histogram();
        for (int i = 0; i < 10_000; i++) {
            double value = Math.exp(random.nextGaussian() * 5);
            whole.add(value);
            (i % 2 == 0 ? even : odd).add(value);
        }
        Histogram merged = new Histogram().merge(odd).merge(even);
        assertEquals(10_000, merged.count());
        for (int bin = 0; bin < Histogram.BINS; bin++) assertEquals(whole.count(bin), merged.count(bin));
    }

    @Test void a_quantile_is_within_a_fifth_of_a_percent_of_sorting_all_values() {
        var random = new SplittableRandom(2);
        var histogram = new Histogram();
        double[] values = new double[9_999];
        for (int i = 0; i < values.length; i++) histogram.add(values[i] = 20 * Math.exp(random.nextGaussian()));
        Arrays.sort(values);
        for (double p : new double[] {0, .01, .5, .9, .95, .99, 1}) {
            double rank = p * (values.length - 1);
            int lower = (int) rank;
            int upper = Math.min(lower + 1, values.length - 1);
            double exact = values[lower] + (rank - lower) * (values[upper] - values[lower]);
            assertEquals(1, histogram.quantile(p) / exact, 0.002);
        }
    }

    @Test void an_empty_histogram_has_no_quantile() { assertTrue(Double.isNaN(new Histogram().quantile(.5))); }
}
