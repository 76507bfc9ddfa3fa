// Every value of a series, kept (with its time, if asked to) for what only all of them can tell: exact percentiles, and
// their course over time in blocks of any length.
//
// Memory stays constant. Values wait in small chunks; a full chunk goes to disk, where each chunk knows the one before
// it, so that a series is a chain through the file and needs no index. A percentile is then found by selection: one
// pass counts the values in 65,536 bins between minimum and maximum, a second one collects the few that share a bin
// with the rank that is looked for and sorts them; a bin that is still too full is divided once more in the same way.

import module java.base;

/** All values added, in no order; parts that were collected apart merge into one. Not for several threads. */
final class Values {
    /** Words that wait in memory: 2 KB for each series, and still few reads when a chain is followed. */
    private static final int CHUNK = 256;
    private static final int FIRST_CHUNK = 8;
    /**
     * Values that are sorted at once: 512 KB. Sorting more costs more than the pass over the disk that it would save.
     */
    private static final int SORTABLE = 1 << 16;
    private static final int BINS = 1 << 16;

    private final Spill spill;
    /** Words for each value: its bits, and its time if times are kept. */
    private final int stride;
    private final List<Values> parts = new ArrayList<>();
    private long[] chunk = new long[FIRST_CHUNK];
    private int waiting;
    private long previous = Spill.NONE;

    /** Values that go to this file when there are more than a chunk of them. */
    Values(Spill spill, boolean withTimes) {
        this.spill = spill;
        stride = withTimes ? 2 : 1;
    }

    /** Adds a finite value and its time in ns, which is forgotten unless times are kept. */
    void add(double value, long timeNs) throws IOException {
        if (waiting == chunk.length) makeRoom();
        chunk[waiting] = Double.doubleToRawLongBits(value + 0.0); // -0.0 becomes 0.0: equal values have equal bits
        if (stride == 2) chunk[waiting + 1] = timeNs;
        waiting += stride;
    }

    private void makeRoom() throws IOException {
        if (waiting < CHUNK) {
            chunk = Arrays.copyOf(chunk, 2 * waiting);
        } else {
            previous = spill.write(chunk, previous);
            waiting = 0;
        }
    }

    /** From now on the values of the other belong to this as well; the other must not change any more. */
    void merge(Values other) { parts.add(other); }

    /**
     * The percentiles at each p in 0..1 of all values, of which there are so many, from min to max: exactly what
     * sorting them all would give with k6's definition, linear between the ranks around i = p(n-1). NaN if there are
     * none.
     */
    double[] percentiles(long count, double min, double max, double... ps) throws IOException {
        if (count == 0) return DoubleStream.of(ps).map(_ -> Double.NaN).toArray();
        NavigableMap<Long, Double> ranks = new TreeMap<>();
        for (double p : ps) {
            double rank = p * (count - 1);
            ranks.put((long) Math.floor(rank), Double.NaN);
            ranks.put((long) Math.ceil(rank), Double.NaN);
        }
        select(ranks, key(min), key(max), 0, count);
        return DoubleStream.of(ps).map(p -> {
            double rank = p * (count - 1), lower = Math.floor(rank);
            double low = ranks.get((long) lower), high = ranks.get((long) Math.ceil(rank));
            return low + (high - low) * (rank - lower);
        }).toArray();
    }

    /** Finds those ranks that are among the `count` values with keys in low..high; `below` values are less. */
    private void select(NavigableMap<Long, Double> all, long low, long high, long below, long count)
            throws IOException {
        NavigableMap<Long, Double> ranks = all.subMap(below, true, below + count, false);
        if (ranks.isEmpty()) return;
        if (low == high) {
            ranks.replaceAll((_, _) -> value(low));
        } else if (count <= SORTABLE) {
            long[] sorted = sorted(low, high, (int) count);
            ranks.replaceAll((rank, _) -> value(sorted[(int) (rank - below)]));
        } else {
            divide(all, low, high, below);
        }
    }

    /** Divides low..high into bins, and takes neighbouring ones together, as many as can be sorted at once. */
    private void divide(NavigableMap<Long, Double> all, long low, long high, long below) throws IOException {
        int bits = Long.SIZE - Long.numberOfLeadingZeros(high - low);
        int shift = Math.max(0, bits - Integer.numberOfTrailingZeros(BINS));
        long[] counts = histogram(low, high, shift);
        for (int from = 0, to; from < BINS; from = to) {
            long count = counts[from];
            to = from + 1;
            while (to < BINS && count + counts[to] <= SORTABLE) count += counts[to++];
            long first = low + ((long) from << shift), span = ((long) to << shift) - ((long) from << shift) - 1;
            long last = Long.compareUnsigned(span, high - first) < 0 ? first + span : high;
            select(all, first, last, below, count);
            below += count;
        }
    }

    private long[] histogram(long low, long high, int shift) throws IOException {
        long[] counts = new long[BINS];
        forEachChunk((words, count, step) -> {
            for (int i = 0; i < count; i += step) {
                long key = key(words[i]);
                if (key >= low && key <= high) counts[(int) (key - low >>> shift)]++;
            }
        });
        return counts;
    }

    private long[] sorted(long low, long high, int count) throws IOException {
        long[] keys = new long[count];
        int[] found = {0};
        forEachChunk((words, many, step) -> {
            for (int i = 0; i < many; i += step) {
                long key = key(words[i]);
                if (key >= low && key <= high) keys[found[0]++] = key;
            }
        });
        Arrays.sort(keys);
        return keys;
    }

    /** A double's bits, changed for negative ones so that keys are in the order of the values; and back again. */
    private static long key(long bits) { return bits ^ bits >> 63 & Long.MAX_VALUE; }

    private static long key(double value) { return key(Double.doubleToRawLongBits(value + 0.0)); }

    private static double value(long key) { return Double.longBitsToDouble(key(key)); }

    /** Takes a value and its time in ns. */
    interface Sample { void at(double value, long timeNs); }

    /** All values with their times, in no order; only if times are kept. */
    void forEach(Sample sample) throws IOException {
        forEachChunk((words, count, step) -> {
            for (int i = 0; i < count; i += step) sample.at(Double.longBitsToDouble(words[i]), words[i + step - 1]);
        });
    }

    private interface Chunk { void words(long[] words, int count, int stride); }

    private void forEachChunk(Chunk each) throws IOException {
        each.words(chunk, waiting, stride);
        if (previous != Spill.NONE) {
            long[] read = new long[CHUNK];
            for (long at = previous; at != Spill.NONE; ) {
                at = spill.read(at, read);
                each.words(read, CHUNK, stride);
            }
        }
        for (Values part : parts) part.forEachChunk(each);
    }

    // ==== Sum ====

    /**
     * The exact sum of doubles, taken as the decimals they are written with, so that no order of adding changes it.
     * Those with at most six decimals are added as integers (k6's milliseconds are whole nanoseconds; bytes and counts
     * are whole), all others as BigDecimal.
     */
    static final class Sum {
        private static final int DECIMALS = 6;
        private static final double SCALE = 1e6, LARGEST_EXACT = 1L << 53;

        private long scaled;
        private BigDecimal rest = BigDecimal.ZERO;

        void add(double value) {
            double product = value * SCALE;
            long whole = (long) (product + (product < 0 ? -0.5 : 0.5));
            if (Math.abs(product) < LARGEST_EXACT && whole / SCALE == value) add(whole);
            else rest = rest.add(new BigDecimal(Double.toString(value)));
        }

        private void add(long whole) {
            long sum = scaled + whole;
            boolean overflow = ((scaled ^ sum) & (whole ^ sum)) < 0;
            if (overflow) rest = rest.add(BigDecimal.valueOf(scaled, DECIMALS));
            scaled = overflow ? whole : sum;
        }

        void merge(Sum other) {
            add(other.scaled);
            rest = rest.add(other.rest);
        }

        /** The sum, rounded once. */
        double value() { return exact().doubleValue(); }

        /** The mean of so many values: divided to 40 digits, then rounded. NaN if there are none. */
        double mean(long count) {
            if (count == 0) return Double.NaN;
            return exact().divide(BigDecimal.valueOf(count), new MathContext(40)).doubleValue();
        }

        private BigDecimal exact() { return rest.add(BigDecimal.valueOf(scaled, DECIMALS)); }
    }

    // ==== Spill ====

    /**
     * A temporary file of chunks, made when the first buffer is full. Unix takes its name away when it is opened, so
     * that not even a killed process leaves it behind. One thread writes; when it has ended, several may read.
     */
    static final class Spill implements Closeable {
        static final long NONE = -1;
        private static final int BUFFER_BYTES = 64 << 10;
        private static final int CHUNK_BYTES = Long.BYTES + CHUNK * Long.BYTES;

        private FileChannel file;
        private ByteBuffer waiting;
        private long written;

        /** Writes a full chunk and a link to the one before it; gives the place to link to. */
        long write(long[] chunk, long previous) throws IOException {
            if (waiting == null) waiting = ByteBuffer.allocateDirect(BUFFER_BYTES);
            if (waiting.remaining() < CHUNK_BYTES) flush();
            long at = written + waiting.position();
            waiting.putLong(previous).asLongBuffer().put(chunk);
            waiting.position(waiting.position() + CHUNK * Long.BYTES);
            return at;
        }

        private void flush() throws IOException {
            if (file == null) file = open();
            waiting.flip();
            while (waiting.hasRemaining()) written += file.write(waiting, written);
            waiting.clear();
        }

        /** Not by Files.createTempFile, as its random names need all of Java's cryptography. */
        private static FileChannel open() throws IOException {
            String name = "values-" + ProcessHandle.current().pid() + "-" + System.nanoTime() + ".tmp";
            return FileChannel.open(Path.of(System.getProperty("java.io.tmpdir"), name), StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
        }

        /** Reads a chunk; gives the place of the one before it. */
        long read(long at, long[] into) throws IOException {
            ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
            if (at >= written) chunk.put(0, waiting, (int) (at - written), CHUNK_BYTES);
            else while (chunk.hasRemaining())
                if (file.read(chunk, at + chunk.position()) < 0) throw new EOFException("the file of values was cut");
            chunk.rewind().asLongBuffer().get(1, into);
            return chunk.getLong(0);
        }

        @Override public void close() throws IOException {
            if (file != null) file.close();
        }
    }
}
