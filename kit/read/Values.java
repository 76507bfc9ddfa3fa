// Every value of a series, kept (with its time, if asked to) for what only all of them can tell: exact percentiles, and
// their course over time in blocks of any length.
//
// Memory stays constant. Values wait in small chunks; a full chunk goes to disk, where each chunk knows the one before
// it, so that a series is a chain through the file and needs no index. Percentiles are then found by selection: one
// pass counts the values in up to 65,536 bins between minimum and maximum, a second one collects those in the bins of
// the ranks that are looked for, and sorts these few; a bin that is too full for that is divided in the same way.

import module java.base;

/** All values added, in no order; parts that were collected apart merge into one. Not for several threads. */
final class Values {
    /** Words that wait in memory: 2 KB for each series, and still few reads when a chain is followed. */
    static final int LARGE_CHUNK = 256;
    /** For one of very many series, which couldn't all have 2 KB; an eighth of that takes eight times the reads. */
    static final int SMALL_CHUNK = 32;
    private static final int FIRST_CHUNK = 8;
    /**
     * Values that are sorted at once: 512 KB. Sorting more costs more than the pass over the disk that it would save.
     */
    private static final int SORTABLE = 1 << 16;
    /** As many bins as values, but their counts have to stay in a core's cache: 512 KB. */
    private static final int MOST_BINS = 1 << 16;

    private final Spill spill;
    /** Words of a full chunk. */
    private final int most;
    /** Words for each value: its bits, and its time if times are kept. */
    private final int stride;
    private final List<Values> parts = new ArrayList<>();
    private long[] chunk = new long[FIRST_CHUNK];
    private int waiting;
    private long previous = Spill.NONE;

    /** Values that go to this file when there are more than a chunk of so many words of them. */
    Values(Spill spill, int chunkWords, boolean withTimes) {
        this.spill = spill;
        most = chunkWords;
        stride = withTimes ? 2 : 1;
    }

    /** None of one's own, for others to be merged into. */
    static Values none() { return new Values(null, LARGE_CHUNK, false); }

    /** Adds a finite value and its time in ns, which is forgotten unless times are kept. */
    void add(double value, long timeNs) throws IOException {
        if (waiting == chunk.length) makeRoom();
        chunk[waiting] = Double.doubleToRawLongBits(value + 0.0); // -0.0 becomes 0.0: equal values have equal bits
        if (stride == 2) chunk[waiting + 1] = timeNs;
        waiting += stride;
    }

    private void makeRoom() throws IOException {
        if (waiting < most) {
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
        SortedMap<Long, Double> ranks = new TreeMap<>();
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

    /** A part of the range of keys in which a wanted rank lies; `below` values are less. */
    private record Bin(int number, long below, long count) {
        SortedMap<Long, Double> of(SortedMap<Long, Double> ranks) { return ranks.subMap(below, below + count); }
    }

    /** Finds all these ranks: those of the `count` values with keys in low..high; `below` values are less. */
    private void select(SortedMap<Long, Double> ranks, long low, long high, long below, long count)
            throws IOException {
        long mostBins = Long.highestOneBit(Math.min(count, MOST_BINS));
        int shift = 0;
        while (Long.compareUnsigned(high - low >>> shift, mostBins) >= 0) shift++;
        List<Bin> batch = new ArrayList<>();
        long waiting = 0;
        for (Bin bin : bins(ranks, low, high, below, shift)) {
            long first = low + ((long) bin.number << shift);
            if (shift == 0) {
                bin.of(ranks).replaceAll((_, _) -> value(first));
            } else if (bin.count > SORTABLE) {
                select(bin.of(ranks), first, first + (1L << shift) - 1, bin.below, bin.count);
            } else {
                if (waiting + bin.count > SORTABLE) {
                    sort(ranks, batch, low, high, shift);
                    batch.clear();
                    waiting = 0;
                }
                batch.add(bin);
                waiting += bin.count;
            }
        }
        if (waiting > 0) sort(ranks, batch, low, high, shift);
    }

    /** One pass that counts the values of each bin; gives the bins with wanted ranks, in order. */
    private List<Bin> bins(SortedMap<Long, Double> ranks, long low, long high, long below, int shift)
            throws IOException {
        long[] counts = new long[(int) (high - low >>> shift) + 1];
        forEachChunk((words, count, step) -> {
            for (int i = 0; i < count; i += step) {
                long key = key(words[i]);
                if (key >= low && key <= high) counts[(int) (key - low >>> shift)]++;
            }
        });
        List<Bin> bins = new ArrayList<>();
        int number = -1;
        long end = below;
        for (long rank : ranks.keySet()) {
            if (rank < end) continue;
            while (rank >= end) end += counts[++number];
            bins.add(new Bin(number, end - counts[number], counts[number]));
        }
        return bins;
    }

    /** One pass that collects the values of these bins; sorted, they give the ranks. */
    private void sort(SortedMap<Long, Double> ranks, List<Bin> bins, long low, long high, int shift)
            throws IOException {
        boolean[] wanted = new boolean[(int) (high - low >>> shift) + 1];
        for (Bin bin : bins) wanted[bin.number] = true;
        long[] keys = new long[bins.stream().mapToInt(bin -> (int) bin.count).sum()];
        int[] found = {0};
        forEachChunk((words, count, step) -> {
            for (int i = 0; i < count; i += step) {
                long key = key(words[i]);
                if (key >= low && key <= high && wanted[(int) (key - low >>> shift)]) keys[found[0]++] = key;
            }
        });
        Arrays.sort(keys);
        int from = 0;
        for (Bin bin : bins) {
            long offset = from - bin.below;
            bin.of(ranks).replaceAll((rank, _) -> value(keys[(int) (rank + offset)]));
            from += (int) bin.count;
        }
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
            long[] read = new long[most];
            ByteBuffer bytes = ByteBuffer.allocate(Spill.bytes(read)).order(ByteOrder.nativeOrder());
            for (long at = previous; at != Spill.NONE; ) {
                at = spill.read(at, bytes, read);
                each.words(read, most, stride);
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

        private FileChannel file;
        private ByteBuffer waiting;
        private long written;

        /** What a chunk takes, with the link to the one before it. */
        static int bytes(long[] chunk) { return Long.BYTES + chunk.length * Long.BYTES; }

        /** Writes a full chunk and a link to the one before it; gives the place to link to. */
        long write(long[] chunk, long previous) throws IOException {
            if (waiting == null) waiting = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.nativeOrder());
            if (waiting.remaining() < bytes(chunk)) flush();
            long at = written + waiting.position();
            waiting.putLong(previous).asLongBuffer().put(chunk);
            waiting.position(waiting.position() + chunk.length * Long.BYTES);
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
            String name = String.join("-", "values", Long.toString(ProcessHandle.current().pid()),
                    Long.toString(System.nanoTime()));
            return FileChannel.open(Path.of(System.getProperty("java.io.tmpdir"), name), StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
        }

        /** Reads a chunk through a buffer for its bytes; gives the place of the one before it. */
        long read(long at, ByteBuffer chunk, long[] into) throws IOException {
            chunk.clear();
            if (at >= written) chunk.put(0, waiting, (int) (at - written), bytes(into));
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
