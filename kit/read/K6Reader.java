//SOURCES Bytes.java
//SOURCES Gunzip.java
//SOURCES Histogram.java
//SOURCES K6Lines.java
//SOURCES Names.java
//SOURCES ../record/Slice.java
//SOURCES Values.java

// Reads what `k6 run --out json=FILE` wrote, gigabytes of it, into exact numbers for each series of a metric.
//
// What a line says, and why that is fast, is in K6Lines; what all values together say is in Values. This file
// brings bytes to lines and lines to series:
//
//     shards → segments → threads → lines → a thread's series → all series
//
// Plain files are shared out among threads in segments; a line belongs to the segment in which it begins. Streams are
// read (and inflated) on a thread of their own. All sums are exact, so no order of threads or shards changes a bit of
// the result.

import module java.base;
import static java.nio.charset.StandardCharsets.UTF_8;

/** Reads k6's JSON output; {@link #read} is the way in, {@link Reading} what comes out. */
final class K6Reader {

    // ==== What may be tuned ====

    /** One read of a file: with what is learned it fits a core's cache; neither smaller nor larger ones were faster. */
    private static final int BLOCK_BYTES = 64 << 10;
    /**
     * What a thread takes of a plain file, and maps, at a time: small enough to share out evenly and to count little as
     * memory; large enough, as all threads stop for a moment when one gives its part back (a quarter took 10 % longer).
     */
    static final long SEGMENT_BYTES = 16 << 20;
    /** Only a reply's body in a tag could make a line longer; it is refused then, as it would fill the heap. */
    private static final int LONGEST_LINE = 16 << 20;
    /** Refused lines that are kept of each shard, and bytes that are kept of each. */
    private static final int REFUSED_SHOWN = 5, REFUSED_BYTES = 120;
    /**
     * More series than this come from a mistake in the choice of tags. As many as this, on as many threads as there are
     * by default, take 60 MB of the heap.
     */
    private static final int MOST_SERIES = 20_000;
    /** Series of a thread whose values wait in large chunks: 4 MB of them. */
    private static final int LARGE_SERIES = 2_000;
    /** More threads than this would wait for the fastest disk. */
    private static final int MOST_THREADS = 4;

    /** Values of such a tag that are told. */
    private static final int EXAMPLES = 3;

    /** What the values of a tag become when there are too many to tell them apart. */
    static final String OTHER = "(other)";

    // ==== What goes in ====

    /** A run under the name it has in tables; its shards are merged exactly. The path `-` is standard input. */
    record Input(String label, List<Slice> shards) {
        Input { shards = List.copyOf(shards); }

        /** A run whose shards are files of their own. */
        Input(String label, Path... files) { this(label, Stream.of(files).map(Slice::whole).toList()); }
    }

    /**
     * What to read; {@link #by} and the methods after it make one.
     *
     * @param metrics       the metrics to keep; all if empty
     * @param tags          the tags whose values make a series, in this order
     * @param fromNs        the earliest sample to keep, in ns since 1970; a sample's time is the END of its request
     * @param toNs          the first one not to keep
     * @param blockNs       the length of time blocks; 0 for none
     * @param blockOriginNs where block 0 begins
     * @param mostBlocks    when there are more from a label's first sample to its last, their length doubles
     * @param mostTagValues when a tag has more values, all of them become {@link #OTHER}
     * @param names         what the values of the tags `url` and `name` count as
     * @param threads       how many threads parse
     */
    record Query(Set<String> metrics, List<String> tags, long fromNs, long toNs, long blockNs, long blockOriginNs,
                 int mostBlocks, int mostTagValues, Names names, int threads) {
        Query {
            metrics = Set.copyOf(metrics);
            tags = List.copyOf(tags);
            if (blockNs < 0 || mostBlocks < 2 || mostTagValues < 1 || threads < 1)
                throw new IllegalArgumentException("a query needs two blocks, a tag value and a thread at least");
        }

        /** A series for each combination of these tags' values; all metrics, all time, no blocks, a thread a core. */
        static Query by(String... tags) {
            return new Query(Set.of(), List.of(tags), Long.MIN_VALUE, Long.MAX_VALUE, 0, 0, 1_000, 1_000, Names.EXACT,
                    Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors()));
        }

        Query metrics(String... some) {
            Set<String> only = Set.of(some);
            return new Query(only, tags, fromNs, toNs, blockNs, blockOriginNs, mostBlocks, mostTagValues, names, threads);
        }

        Query between(long from, long to) {
            return new Query(metrics, tags, from, to, blockNs, blockOriginNs, mostBlocks, mostTagValues, names, threads);
        }

        Query blocks(long lengthNs, long originNs, int most) {
            return new Query(metrics, tags, fromNs, toNs, lengthNs, originNs, most, mostTagValues, names, threads);
        }

        Query mostTagValues(int most) {
            return new Query(metrics, tags, fromNs, toNs, blockNs, blockOriginNs, mostBlocks, most, names, threads);
        }

        Query names(Names as) {
            return new Query(metrics, tags, fromNs, toNs, blockNs, blockOriginNs, mostBlocks, mostTagValues, as, threads);
        }

        Query threads(int count) {
            return new Query(metrics, tags, fromNs, toNs, blockNs, blockOriginNs, mostBlocks, mostTagValues, names, count);
        }
    }

    /** Hears how far the reading is after each 64 KB or so, from any thread; the total is -1 if nobody knows it. */
    interface Progress { void at(long bytesDone, long bytesTotal); }

    // ==== What comes out ====

    /** What k6 declares of a metric: type is counter, gauge, rate or trend; contains is default, time or data. */
    record Metric(String name, String type, String contains) {}

    /** A tag with so many values that all became {@link #OTHER}, and the first of them in the order of texts. */
    record Folded(String tag, List<String> examples) {}

    /** Why a line was refused, its beginning, and where in the (inflated) shard it stands. */
    record Refused(long offset, String why, String text) {}

    /**
     * How the lines of one shard were read. fast and jackson count the samples by the way they went, which is a matter
     * of threads and luck; only their sum is the shard's own. cut says what is wrong with the shard's end, or is null;
     * all that comes before it is kept. bytes are the inflated ones.
     */
    record Shard(String label, Path path, long bytes, long fast, long jackson, long declarations, long refused,
                 List<Refused> firstRefused, String cut) {
        /** Whether k6 wrote this at all. */
        boolean isK6() { return fast + jackson + declarations > 0; }
    }

    /**
     * All that was read. Close it to give the disk space back; percentiles can't be asked for after that.
     *
     * @param series  in order of input, metric and tag values
     * @param shards  in the order given
     * @param metrics k6's declarations by name
     * @param folded  the query's tags with too many values
     * @param census  for every tag seen, how many samples had which value; null if it has too many values. It counts
     *                all samples, whatever the query keeps
     * @param blockNs the length of a block as it came out: the query's, or that times a power of two
     * @param elapsed of the reading alone
     */
    record Reading(List<Series> series, List<Shard> shards, SortedMap<String, Metric> metrics, List<Folded> folded,
                   SortedMap<String, SortedMap<String, Long>> census, long blockNs, Duration elapsed,
                   List<Values.Spill> spills) implements Closeable {
        @Override public void close() throws IOException {
            for (Values.Spill spill : spills) spill.close();
        }
    }

    /** The samples of a series in one part of the time axis. */
    static final class Block {
        final Histogram histogram = new Histogram();
        private final Values.Sum sum = new Values.Sum();

        double sum() { return sum.value(); }

        double mean() { return sum.mean(histogram.count()); }

        private void add(double value) {
            histogram.add(value);
            sum.add(value);
        }
    }

    /** All samples of one metric with the same values of the query's tags (`values`; "" for a tag that is absent). */
    static final class Series {
        final String label, metric;
        final List<String> values;
        private final Values all;
        private final Values.Sum sum = new Values.Sum();
        private long count, firstNs = Long.MAX_VALUE, lastNs = Long.MIN_VALUE, blockNs, blockOriginNs;
        private double min = Double.POSITIVE_INFINITY, max = Double.NEGATIVE_INFINITY;

        private Series(String label, String metric, List<String> values, Values all) {
            this.label = label;
            this.metric = metric;
            this.values = values;
            this.all = all;
        }

        /**
         * Series as one, exactly, under new tag values: how finer tags become coarser ones. The parts stay as they
         * are.
         */
        static Series union(List<Series> parts, List<String> values) {
            Series first = parts.getFirst();
            Series union = new Series(first.label, first.metric, List.copyOf(values), Values.none());
            union.blockNs = first.blockNs;
            union.blockOriginNs = first.blockOriginNs;
            for (Series part : parts) union.merge(part);
            return union;
        }

        long count() { return count; }

        double min() { return min; }

        double max() { return max; }

        /** The exact sum of all values, rounded once: what a counter counted. */
        double sum() { return sum.value(); }

        /** The exact mean of all values, rounded once. */
        double mean() { return sum.mean(count); }

        /** The value of the latest sample, the largest if several have its time: what a gauge shows. */
        double last() {
            double[] last = {Double.NaN};
            try {
                all.forEach((value, timeNs) -> {
                    if (timeNs == lastNs && !(value < last[0])) last[0] = value;
                });
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return last[0];
        }

        /** The time of the earliest sample, in ns since 1970. */
        long firstNs() { return firstNs; }

        /** The time of the latest sample, in ns since 1970. */
        long lastNs() { return lastNs; }

        /**
         * The blocks that have samples; block k begins k * {@link Reading#blockNs} after the query's origin. Every call
         * goes through all samples once, so that nobody has to keep the blocks of all series at once.
         */
        SortedMap<Long, Block> blocks() {
            SortedMap<Long, Block> blocks = new TreeMap<>();
            if (blockNs == 0) return blocks;
            try {
                all.forEach(new Values.Sample() {
                    private long from = Long.MAX_VALUE;
                    private Block block;

                    /** A look-up for each block, not for each sample, as samples come nearly in the order of time. */
                    @Override public void at(double value, long timeNs) {
                        if (timeNs < from || timeNs - from >= blockNs) {
                            long number = Math.floorDiv(timeNs - blockOriginNs, blockNs);
                            from = blockOriginNs + number * blockNs;
                            block = blocks.computeIfAbsent(number, _ -> new Block());
                        }
                        block.add(value);
                    }
                });
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return blocks;
        }

        /** All samples with their times, in no order; only of a query with blocks, as no other keeps times. */
        void forEach(Values.Sample sample) {
            try {
                all.forEach(sample);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /**
         * The exact percentiles at each p in 0..1 by k6's definition: linear between ranks at i = p(n-1). NaN if
         * empty.
         */
        double[] percentiles(double... ps) {
            try {
                return all.percentiles(count, min, max, ps);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void add(long timeNs, double value) throws IOException {
            count++;
            if (value < min) min = value;
            if (value > max) max = value;
            if (timeNs < firstNs) firstNs = timeNs;
            if (timeNs > lastNs) lastNs = timeNs;
            sum.add(value);
            all.add(value, timeNs);
        }

        private void merge(Series other) {
            count += other.count;
            min = Math.min(min, other.min);
            max = Math.max(max, other.max);
            firstNs = Math.min(firstNs, other.firstNs);
            lastNs = Math.max(lastNs, other.lastNs);
            sum.merge(other.sum);
            all.merge(other.all);
        }
    }

    /** A time in ns since 1970, as samples have it. */
    static long nanos(Instant time) { return time.getEpochSecond() * 1_000_000_000L + time.getNano(); }

    /** The time that is so many ns after 1970. */
    static Instant instant(long ns) {
        return Instant.ofEpochSecond(Math.floorDiv(ns, 1_000_000_000L), Math.floorMod(ns, 1_000_000_000L));
    }

    // ==== Read ====

    /**
     * Reads all inputs. What is wrong inside of one is in its {@link Shard}; an IOException is for one that can't be
     * opened. IllegalArgumentException if the query's tags make too many series.
     */
    static Reading read(List<Input> inputs, Query query, Progress progress) throws IOException {
        long start = System.nanoTime();
        Work work = new Work(inputs, progress);
        List<Worker> workers = Stream.generate(() -> new Worker(query, work)).limit(query.threads).toList();
        List<Values.Spill> spills = workers.stream().map(worker -> worker.spill).toList();
        try {
            await(workers);
            Worker all = workers.getFirst();
            for (Worker other : workers.subList(1, workers.size())) all.merge(other);
            List<Series> series = all.sortedSeries();
            return new Reading(series, work.shards.stream().map(Tally::shard).toList(), all.metrics, all.foldedTags(),
                    all.sortedCensus(), block(series, query), Duration.ofNanos(System.nanoTime() - start), spills);
        } catch (IOException | RuntimeException e) {
            for (Values.Spill spill : spills) spill.close();
            throw e;
        }
    }

    /**
     * Tells all series how long a block is: doubled until few enough of them reach from a label's first sample to its
     * last. Labels are recordings of different days, perhaps.
     */
    private static long block(List<Series> series, Query query) {
        long length = query.blockNs;
        for (List<Series> label : series.stream().collect(Collectors.groupingBy(one -> one.label)).values()) {
            long first = label.stream().mapToLong(one -> one.firstNs).min().orElseThrow() - query.blockOriginNs;
            long last = label.stream().mapToLong(one -> one.lastNs).max().orElseThrow() - query.blockOriginNs;
            while (length > 0 && Math.floorDiv(last, length) - Math.floorDiv(first, length) >= query.mostBlocks)
                length *= 2;
        }
        for (Series one : series) {
            one.blockNs = length;
            one.blockOriginNs = query.blockOriginNs;
        }
        return length;
    }

    private static void await(List<Worker> workers) throws IOException {
        try (ExecutorService pool = Executors.newFixedThreadPool(workers.size())) {
            CompletionService<Void> running = new ExecutorCompletionService<>(pool);
            for (Worker worker : workers) running.submit(worker);
            try {
                for (int i = 0; i < workers.size(); i++) running.take().get();
            } catch (ExecutionException e) {
                pool.shutdownNow();
                if (e.getCause() instanceof RuntimeException unchecked) throw unchecked;
                throw e.getCause() instanceof IOException io ? io : new IOException(e.getCause());
            } catch (InterruptedException e) {
                pool.shutdownNow();
                throw new InterruptedIOException("the reading was interrupted");
            }
        }
    }

    /** What is to be read, streams first, as they take longest; threads take from it until it is empty. */
    private static final class Work {
        final List<Tally> shards = new ArrayList<>();
        final Queue<Segment> segments = new ConcurrentLinkedQueue<>();
        private final Progress progress;
        private final AtomicLong done = new AtomicLong();
        private long total;

        Work(List<Input> inputs, Progress progress) throws IOException {
            this.progress = progress;
            List<Segment> plain = new ArrayList<>();
            for (int input = 0; input < inputs.size(); input++) {
                for (Slice slice : inputs.get(input).shards) {
                    Tally tally = new Tally(input, inputs.get(input).label, slice);
                    shards.add(tally);
                    long size = size(slice);
                    total = size < 0 || total < 0 ? -1 : total + size;
                    if (!slice.isWhole() && size < slice.length()) tally.cut("the file ends before its part of it does");
                    if (size < 0 || !Format.of(slice).isLines()) segments.add(new Segment(tally, 0, STREAM));
                    else for (long from = 0; from < size; from += SEGMENT_BYTES)
                        plain.add(new Segment(tally, from, Math.min(size, from + SEGMENT_BYTES)));
                }
            }
            segments.addAll(plain);
        }

        void progress(long bytes) { progress.at(done.addAndGet(bytes), total); }

        /** The bytes that there are of a shard now; -1 if it is no file, so that nobody knows. */
        private static long size(Slice slice) throws IOException {
            if (!Files.isRegularFile(slice.path())) return -1;
            return Math.clamp(Files.size(slice.path()) - slice.from(), 0, slice.length());
        }

    }

    /** What a shard is by its first bytes; null is lines of text. */
    private enum Format {
        LINES(null), GZIP(null), ZSTD("it is compressed with zstd"), BZIP2("it is compressed with bzip2"),
        XZ("it is compressed with xz"), ZIP("it is a zip archive"), UTF_16("it is UTF-16, as PowerShell's > writes it");

        static final int FIRST_BYTES = 4;
        /** Why nobody reads it here. */
        final String why;

        Format(String why) { this.why = why == null ? null : why + "; only UTF-8, plain or gzip, is read"; }

        boolean isLines() { return this == LINES; }

        static Format of(Slice slice) throws IOException {
            try (InputStream in = slice.open()) {
                return of(in.readNBytes(FIRST_BYTES));
            }
        }

        static Format of(byte[] first) {
            String hex = HexFormat.of().formatHex(first);
            if (Gunzip.isGzip(Arrays.copyOf(first, 2))) return GZIP;
            if (hex.startsWith("28b52ffd")) return ZSTD;
            if (hex.startsWith("425a68")) return BZIP2;
            if (hex.startsWith("fd377a58")) return XZ;
            if (hex.startsWith("504b0304")) return ZIP;
            return hex.matches("(fffe|feff|7b00|007b).*") ? UTF_16 : LINES;
        }
    }

    private static final long STREAM = Long.MAX_VALUE;

    /** A shard's lines that begin at `from` until before `to`, which is STREAM for what has to be read in one go. */
    private record Segment(Tally tally, long from, long to) {}

    /** The counts of a shard while threads read it. */
    private static final class Tally {
        final int input;
        final String label;
        final Slice slice;
        private long bytes, fast, jackson, declarations, refused;
        private final TreeMap<Long, Refused> firstRefused = new TreeMap<>();
        private String cut;

        Tally(int input, String label, Slice slice) {
            this.input = input;
            this.label = label;
            this.slice = slice;
        }

        synchronized void add(long bytes, long fast, long jackson, long declarations) {
            this.bytes += bytes;
            this.fast += fast;
            this.jackson += jackson;
            this.declarations += declarations;
        }

        synchronized void refuse(long offset, String why, Object bytes, long from, long to) {
            refused++;
            long shown = Math.min(to - from, REFUSED_BYTES);
            String text = new String(Bytes.copy(bytes, from, from + shown), UTF_8);
            firstRefused.put(offset, new Refused(offset, why, shown < to - from ? text + "…" : text));
            if (firstRefused.size() > REFUSED_SHOWN) firstRefused.pollLastEntry();
        }

        /** The first thing that is wrong is the cause of others. */
        synchronized void cut(String how) { if (cut == null) cut = how; }

        synchronized Shard shard() {
            return new Shard(label, slice.path(), bytes, fast, jackson, declarations, refused,
                    List.copyOf(firstRefused.values()), cut);
        }
    }

    // ==== A thread's work: lines ====

    /** Reads segments, and has series of its own until the end, when workers are merged. */
    private static final class Worker implements Callable<Void>, K6Lines.Meaning<Series> {
        private static final String MEANWHILE = "it was cut while it was read", NOT_K6S = "not k6's",
                TOO_LONG = "longer than " + (LONGEST_LINE >> 20) + " MB";
        private static final Map<String, Long> TOO_MANY = Collections.unmodifiableMap(new HashMap<>());

        final Values.Spill spill = new Values.Spill();
        final SortedMap<String, Metric> metrics = new TreeMap<>();
        private final Query query;
        private final Work work;
        private final SortedMap<Key, Series> series = new TreeMap<>();
        private final Map<String, Map<String, Long>> census = new TreeMap<>();
        /** Each value of the query's tags by itself: so all series share one text for it. */
        private final List<Map<String, String>> tagValues;
        /** Of each of the query's tags the first values in the order of texts, whatever is folded. */
        private final List<SortedSet<String>> examples;
        private final boolean[] folded;

        private final K6Lines<Series> lines;
        private byte[] buffer = new byte[BLOCK_BYTES];
        private Tally tally;
        /** What makes a place among the bytes at hand a place in the shard. */
        private long origin;
        private long fast, jackson, declarations;

        Worker(Query query, Work work) {
            this.query = query;
            this.work = work;
            lines = new K6Lines<>(this, query.names);
            tagValues = query.tags.stream().map(_ -> (Map<String, String>) new HashMap<String, String>()).toList();
            examples = query.tags.stream().map(_ -> (SortedSet<String>) new TreeSet<String>()).toList();
            folded = new boolean[query.tags.size()];
        }

        @Override public Void call() throws IOException {
            for (Segment segment; (segment = work.segments.poll()) != null; ) {
                if (tally != null && tally.input != segment.tally.input) lines.forget();
                tally = segment.tally;
                fast = jackson = declarations = 0;
                if (segment.to == STREAM) stream();
                else part(segment);
            }
            lines.forget();
            return null;
        }

        private void stream() throws IOException {
            try (Streamed source = new Streamed(tally.slice, work)) {
                long end = read(source, 0, STREAM, false);
                tally.add(end, fast, jackson, declarations);
                if (source.damage() != null) tally.cut(source.damage());
            }
        }

        /** The first line of a part began elsewhere, unless the byte before it ends a line. */
        private void part(Segment segment) throws IOException {
            Slice slice = tally.slice;
            try (FileChannel file = FileChannel.open(slice.path())) {
                long from = segment.from, to = segment.to, mapped = from;
                boolean isFull = to - from == SEGMENT_BYTES && file.size() - slice.from() >= to;
                if (from > 0 && isFull) mapped = mapped(file, from, to);
                boolean skipping = from > 0 && mapped == from;
                long end = mapped == to ? to
                        : read(new Part(file, slice, mapped, to, work), skipping ? from - 1 : mapped, to, skipping);
                tally.add(Math.clamp(end - from, 0, to - from), fast, jackson, declarations);
                if (end < to) tally.cut(MEANWHILE);
            }
        }

        /**
         * Adds lines that begin within from..to where they lie in the file, as copying gigabytes takes longer than
         * reading their lines; says where the first line left begins.
         */
        private long mapped(FileChannel file, long from, long to) throws IOException {
            try (Arena arena = Arena.ofConfined()) {
                long place = tally.slice.from() + from - 1;
                MemorySegment bytes = file.map(FileChannel.MapMode.READ_ONLY, place, to - from + 1, arena);
                long first = bytes.address(), at = first, end = first + bytes.byteSize() - K6Lines.SLACK;
                while (end > first && Bytes.at(null, end - 1) != '\n') end--;
                if (end == first) return from;
                while (Bytes.at(null, at++) != '\n') ;
                origin = from - 1 - first;
                lines(null, at, end, end);
                work.progress(origin + end - from);
                return origin + end;
            } catch (InternalError gone) {
                // What Java says when mapped bytes can't be had any more.
                tally.cut(MEANWHILE);
                return to;
            }
        }

        /**
         * Cuts what the source gives from `from` on into lines, and adds those that begin before `to`, but not the
         * first if it is to be skipped; says where it ended.
         */
        private long read(Source source, long from, long to, boolean skipping) throws IOException {
            long base = from;
            int limit = 0;
            while (base < to) {
                int got = source.read(buffer, limit, buffer.length - K6Lines.SLACK - limit, base + limit);
                if (got < 0) {
                    if (limit > 0 && !skipping && !add(lines.readLast(buffer, Bytes.FIRST, Bytes.FIRST + limit)))
                        tally.cut("the last line is incomplete");
                    return base + limit;
                }
                int end = afterLastNewline(limit, limit + got), start = 0;
                limit += got;
                if (end > 0) {
                    if (skipping) start = afterNewline();
                    skipping = false;
                    origin = base - Bytes.FIRST;
                    long stop = Bytes.FIRST + Math.min(end, to - base);
                    start = (int) (lines(buffer, Bytes.FIRST + start, Bytes.FIRST + end, stop) - Bytes.FIRST);
                } else if (limit == buffer.length - K6Lines.SLACK && (skipping || !grow())) {
                    if (!skipping) tally.refuse(base, TOO_LONG, buffer, Bytes.FIRST, Bytes.FIRST + limit);
                    skipping = true;
                    start = limit;
                }
                System.arraycopy(buffer, start, buffer, 0, limit - start);
                base += start;
                limit -= start;
            }
            return to;
        }

        private int afterLastNewline(int from, int limit) {
            while (limit > from && buffer[limit - 1] != '\n') limit--;
            return limit > from ? limit : 0;
        }

        private int afterNewline() {
            int at = 0;
            while (buffer[at++] != '\n') ;
            return at;
        }

        private boolean grow() {
            if (buffer.length >= LONGEST_LINE) return false;
            buffer = Arrays.copyOf(buffer, 2 * buffer.length);
            return true;
        }

        /** Adds the lines that begin before `stop`, all of them whole until `end`; says where the next one begins. */
        private long lines(Object bytes, long at, long end, long stop) throws IOException {
            while (at < stop) {
                if (!add(lines.read(bytes, at, end))) tally.refuse(origin + at, NOT_K6S, bytes, at, lines.after() - 1);
                at = lines.after();
            }
            return at;
        }

        private boolean add(K6Lines.Kind kind) throws IOException {
            switch (kind) {
                case KNOWN -> {
                    fast++;
                    add(lines.target(), lines.timeNs(), lines.value());
                }
                case READ -> {
                    jackson++;
                    add(lines.target(), lines.timeNs(), lines.value());
                }
                case DECLARATION -> {
                    declarations++;
                    declare(new Metric(lines.metric(), lines.metricType(), lines.contains()));
                }
                case BLANK -> { }
                case REFUSED -> { return false; }
            }
            return true;
        }

        /** Of two declarations of a name that differ, one is taken that doesn't depend on the order of shards. */
        private void declare(Metric metric) {
            metrics.merge(metric.name, metric, BinaryOperator.minBy(Comparator.comparing(Metric::toString)));
        }

        // ==== A thread's work: series ====

        private void add(Series one, long timeNs, double value) throws IOException {
            if (one != UNWANTED && timeNs >= query.fromNs && timeNs < query.toNs) one.add(timeNs, value);
        }

        @Override public Series target(String metric, Map<String, String> tags) {
            if (!query.metrics.isEmpty() && !query.metrics.contains(metric)) return UNWANTED;
            String[] values = new String[folded.length];
            for (int i = 0; i < values.length; i++) {
                String value = tags.getOrDefault(query.tags.get(i), "");
                example(i, value);
                if (!folded[i]) value = tagValues.get(i).computeIfAbsent(value, own -> own);
                if (tagValues.get(i).size() > query.mostTagValues) fold(i);
                values[i] = folded[i] ? OTHER : value;
            }
            return series(new Key(tally.input, tally.label, metric, List.of(values)));
        }

        private void example(int tag, String value) {
            SortedSet<String> first = examples.get(tag);
            if (first.size() == EXAMPLES && value.compareTo(first.getLast()) > 0) return;
            first.add(value);
            if (first.size() > EXAMPLES) first.removeLast();
        }

        private Series series(Key key) {
            Series one = series.computeIfAbsent(key, _ -> new Series(key.label, key.metric, key.values, new Values(spill,
                    series.size() < LARGE_SERIES ? Values.LARGE_CHUNK : Values.SMALL_CHUNK, query.blockNs > 0)));
            if (series.size() > MOST_SERIES)
                throw new IllegalArgumentException(
                        "more than " + MOST_SERIES + " series by " + query.tags + ": choose fewer tags");
            return one;
        }

        /** From now on, and in all that was read, the values of this tag aren't told apart. */
        private void fold(int tag) {
            folded[tag] = true;
            tagValues.get(tag).clear();
            lines.forget();
            Map<Key, Series> fine = new TreeMap<>(series);
            series.clear();
            fine.forEach((key, one) -> {
                List<String> values = new ArrayList<>(key.values);
                values.set(tag, OTHER);
                series(new Key(key.input, key.label, key.metric, List.copyOf(values))).merge(one);
            });
        }

        @Override public void count(Map<String, String> tags, long samples) {
            tags.forEach((tag, value) -> count(tag, value, samples));
        }

        private void count(String tag, String value, long samples) {
            Map<String, Long> values = census.computeIfAbsent(tag, _ -> new HashMap<>());
            if (values == TOO_MANY || samples == 0) return;
            values.merge(value, samples, Long::sum);
            if (values.size() > query.mostTagValues) census.put(tag, TOO_MANY);
        }

        void merge(Worker other) {
            for (int tag = 0; tag < folded.length; tag++) {
                tagValues.get(tag).putAll(other.tagValues.get(tag));
                for (String example : other.examples.get(tag)) example(tag, example);
                boolean fold = folded[tag] || other.folded[tag] || tagValues.get(tag).size() > query.mostTagValues;
                if (fold && !folded[tag]) fold(tag);
                if (fold && !other.folded[tag]) other.fold(tag);
            }
            other.series.forEach((key, one) -> series(key).merge(one));
            other.census.forEach((tag, values) -> {
                if (values == TOO_MANY) census.put(tag, TOO_MANY);
                else values.forEach((value, samples) -> count(tag, value, samples));
            });
            other.metrics.values().forEach(this::declare);
        }

        List<Series> sortedSeries() {
            return series.values().stream().filter(one -> one.count > 0).toList();
        }

        SortedMap<String, SortedMap<String, Long>> sortedCensus() {
            SortedMap<String, SortedMap<String, Long>> sorted = new TreeMap<>();
            census.forEach((tag, values) -> sorted.put(tag, values == TOO_MANY ? null : new TreeMap<>(values)));
            return sorted;
        }

        List<Folded> foldedTags() {
            return IntStream.range(0, folded.length).filter(tag -> folded[tag])
                    .mapToObj(tag -> new Folded(query.tags.get(tag), List.copyOf(examples.get(tag)))).toList();
        }
    }

    private static final Series UNWANTED = new Series("", "", List.of(), Values.none());

    private record Key(int input, String label, String metric, List<String> values) implements Comparable<Key> {
        @Override public int compareTo(Key other) {
            int order = Integer.compare(input, other.input);
            if (order == 0) order = metric.compareTo(other.metric);
            for (int i = 0; order == 0 && i < values.size(); i++) order = values.get(i).compareTo(other.values.get(i));
            return order;
        }
    }

    // ==== Where bytes come from ====

    /** Bytes in order: read gives -1 at the end, also when the rest can't be read, which damage then explains. */
    private interface Source { int read(byte[] into, int at, int most, long position) throws IOException; }

    /** A part of a plain file's slice, and as little as possible of what its last line needs beyond. */
    private record Part(FileChannel file, Slice slice, long from, long to, Work work) implements Source {
        private static final int BEYOND = 8 << 10;

        @Override public int read(byte[] into, int at, int most, long position) throws IOException {
            long near = Math.min(Math.max(to - position, BEYOND), slice.length() - position);
            int wanted = (int) Math.min(Math.min(most, BLOCK_BYTES), near);
            int got = wanted == 0 ? -1 : file.read(ByteBuffer.wrap(into, at, wanted), slice.from() + position);
            if (got > 0 && position < to) work.progress(Math.min(position + got, to) - Math.max(position, from));
            return got;
        }
    }

    /** A pipe or a compressed file, read and inflated ahead by a thread that takes empty blocks and gives full ones. */
    private static final class Streamed implements Source, Closeable {
        /** So many that neither thread waits for a hiccup of the other; so large that waking the other costs little. */
        private static final int BLOCKS_AHEAD = 8, AHEAD_BYTES = 256 << 10;
        private static final Ahead END = new Ahead(0);

        private final PushbackInputStream in;
        private final BlockingQueue<Ahead> empty = new ArrayBlockingQueue<>(BLOCKS_AHEAD);
        private final BlockingQueue<Ahead> full = new ArrayBlockingQueue<>(BLOCKS_AHEAD);
        private final Thread thread;
        private Ahead ahead = new Ahead(AHEAD_BYTES);
        private InputStream inflated;
        private String damage;

        private static final class Ahead {
            final byte[] bytes;
            int at, count;

            Ahead(int size) { bytes = new byte[size]; }
        }

        Streamed(Slice slice, Work work) throws IOException {
            InputStream raw = slice.path().toString().equals("-") ? System.in : slice.open();
            in = new PushbackInputStream(new FilterInputStream(raw) {
                @Override public int read(byte[] into, int at, int most) throws IOException {
                    int got = super.read(into, at, most);
                    if (got > 0) work.progress(got);
                    return got;
                }
            }, Format.FIRST_BYTES);
            while (empty.remainingCapacity() > 1) empty.add(new Ahead(AHEAD_BYTES));
            thread = Thread.ofPlatform().daemon().start(this::readAhead);
        }

        private void readAhead() {
            try {
                for (Ahead block; fill(block = empty.take()); ) full.put(block);
                full.put(END);
            } catch (InterruptedException e) {
                // The reading was given up, so nobody waits for the rest.
            }
        }

        private boolean fill(Ahead block) {
            try {
                if (inflated == null) inflated = inflated();
                block.at = 0;
                block.count = inflated.read(block.bytes);
                return block.count >= 0;
            } catch (EOFException e) {
                damage = "the compressed data end too early";
            } catch (IOException | RuntimeException e) {
                damage = "the rest can't be read: " + e.getMessage();
            }
            return false;
        }

        private InputStream inflated() throws IOException {
            byte[] first = in.readNBytes(Format.FIRST_BYTES);
            in.unread(first);
            Format format = Format.of(first);
            damage = format.why;
            return damage != null ? InputStream.nullInputStream() : format == Format.GZIP ? new Gunzip(in) : in;
        }

        @Override public int read(byte[] into, int at, int most, long position) throws IOException {
            try {
                if (ahead.at == ahead.count) {
                    empty.put(ahead);
                    ahead = full.take();
                }
            } catch (InterruptedException e) {
                throw new InterruptedIOException("the reading was interrupted");
            }
            if (ahead == END) return -1;
            int count = Math.min(most, ahead.count - ahead.at);
            System.arraycopy(ahead.bytes, ahead.at, into, at, count);
            ahead.at += count;
            return count;
        }

        String damage() { return damage; }

        @Override public void close() throws IOException {
            thread.interrupt();
            in.close();
        }
    }
}
