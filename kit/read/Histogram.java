// How often each value occurred, in bins no wider than 0.4 % of the value: what remains of millions of requests
// when blocks of time are compared with one another.
//
// A bin is the exponent and the first eight bits of the mantissa of a double, so finding it is one shift, the same on
// every machine. A value stands for its bin's middle, at most 0.2 % away. Headline percentiles never come from here:
// K6Reader computes those from every single value.

import module java.base;

/** Counts of non-negative values (milliseconds, as a rule) in logarithmic bins; merging is exact and order-free. */
final class Histogram {
    /** 2^-20 (a nanosecond, in milliseconds) is the smallest value told from zero: k6's clock ticks no finer. */
    private static final int SMALLEST_EXPONENT = -20;
    /** 2^24 ms is 4.6 hours: no request outlives it; what does is counted in the last bin. */
    private static final int LARGEST_EXPONENT = 24;
    private static final int MANTISSA_BITS = 8;
    private static final int SHIFT = 52 - MANTISSA_BITS;
    private static final long OFFSET = ((long) (1023 + SMALLEST_EXPONENT) << MANTISSA_BITS) - 1;

    /** Number of bins; bin 0 holds zero and whatever is below the smallest value told from it. */
    static final int BINS = ((LARGEST_EXPONENT - SMALLEST_EXPONENT) << MANTISSA_BITS) + 1;

    /**
     * Only the bins from the lowest to the highest in use are kept, with so many to spare: mostly 3 KB, as there may be
     * a histogram for each of a thousand blocks of time. Zeros are kept apart, being far from everything else.
     */
    private static final int SPARE = 32;

    private long zeros, total;
    private int first = 1;
    private int[] counts = {};

    /** The bin of a value; negative values and NaN do not belong here and go to bin 0. */
    static int bin(double value) {
        long bin = (Double.doubleToRawLongBits(value) >> SHIFT) - OFFSET;
        return bin <= 0 || value != value ? 0 : (int) Math.min(bin, BINS - 1);
    }

    /** The middle of a bin; zero for bin 0. */
    static double middle(int bin) {
        return bin == 0 ? 0 : Double.longBitsToDouble((bin + OFFSET) << SHIFT | 1L << SHIFT - 1);
    }

    void add(double value) { add(bin(value), 1); }

    void add(int bin, long count) {
        total += count;
        if (bin == 0) {
            zeros += count;
            return;
        }
        if (bin < first || bin >= first + counts.length) cover(bin);
        counts[bin - first] = Math.toIntExact(counts[bin - first] + count);
    }

    private void cover(int bin) {
        int from = Math.max(1, bin - SPARE), to = Math.min(BINS, bin + SPARE);
        if (counts.length > 0) {
            from = Math.min(from, first);
            to = Math.max(to, first + counts.length);
        }
        int[] wider = new int[to - from];
        System.arraycopy(counts, 0, wider, Math.max(0, first - from), counts.length);
        counts = wider;
        first = from;
    }

    /** Adds all counts of another histogram to this one. */
    Histogram merge(Histogram other) {
        add(0, other.zeros);
        for (int i = 0; i < other.counts.length; i++) if (other.counts[i] > 0) add(other.first + i, other.counts[i]);
        return this;
    }

    long count() { return total; }

    long count(int bin) {
        if (bin == 0) return zeros;
        return bin < first || bin >= first + counts.length ? 0 : counts[bin - first];
    }

    /**
     * The quantile at p in 0..1 by k6's definition, linear between ranks at i = p(n-1), each rank standing at its bin's
     * middle: within 0.2 % of the exact one. NaN when empty.
     */
    double quantile(double p) {
        if (total == 0) return Double.NaN;
        double rank = p * (total - 1);
        long lower = (long) rank;
        double low = atRank(lower);
        return rank == lower ? low : low + (rank - lower) * (atRank(lower + 1) - low);
    }

    private double atRank(long rank) {
        long seen = zeros;
        if (seen > rank) return 0;
        for (int i = 0; i < counts.length; i++) if ((seen += counts[i]) > rank) return middle(first + i);
        throw new IllegalArgumentException("rank " + rank + " of " + total);
    }
}
