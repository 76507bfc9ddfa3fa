// Values in their order: the exact figures of what is small enough to lie in memory, such as a stage of a shape or the
// first answers of new environments.

//DEPS org.apache.commons:commons-statistics-distribution:1.2
//SOURCES Reason.java
//SOURCES Statistics.java

import module java.base;
import org.apache.commons.statistics.distribution.BinomialDistribution;

/** Independent or not, all values, the smallest first. */
record Sorted(double[] values) {
    static Sorted of(DoubleStream values) { return new Sorted(values.sorted().toArray()); }

    int n() { return values.length; }

    double min() { return n() == 0 ? Double.NaN : values[0]; }

    double max() { return n() == 0 ? Double.NaN : values[n() - 1]; }

    double mean() { return Arrays.stream(values).average().orElse(Double.NaN); }

    /** The percentile at p in 0..1 by k6's definition: linear between ranks at i = p(n-1). NaN if there is no value. */
    double at(double p) {
        if (n() == 0) return Double.NaN;
        double rank = p * (n() - 1);
        int lower = (int) rank;
        return rank == lower ? values[lower] : values[lower] + (rank - lower) * (values[lower + 1] - values[lower]);
    }

    /**
     * The percentile with the 95 % interval of independent values, which has values as its ends: so many of n lie below
     * the true percentile as heads fall in n throws (David and Nagaraja, Order Statistics, 3rd edition, 2003, 7.1).
     */
    Statistics.Estimate estimate(double p) {
        long needed = Statistics.minimumN(p);
        if (n() < needed) return new Statistics.Unknown(new Reason.TooFewValues(p, n(), needed));
        var below = BinomialDistribution.of(n(), p);
        int low = below.inverseCumulativeProbability(Statistics.ALPHA / 2);
        int high = below.inverseCumulativeProbability(1 - Statistics.ALPHA / 2);
        // The percentile lies above the low-th smallest value and below the one after the high-th.
        double lowest = values[Math.max(0, low - 1)], highest = values[Math.min(n() - 1, high)];
        double point = Math.clamp(at(p), lowest, highest);
        return new Statistics.Interval(lowest, point, highest, n(), n());
    }
}
