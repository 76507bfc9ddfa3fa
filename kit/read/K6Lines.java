//DEPS com.fasterxml.jackson.core:jackson-core:2.19.2
//SOURCES Bytes.java
//SOURCES Names.java

// What a line of k6's JSON output says: quickly for lines like those before, by Jackson for all others.
//
// The fast path knows no writer of k6's; it learns. The line of a sample is cut in four:
//
//     {"metric":"http_reqs","type":"Point","data":{"time":"  2026-11-22T04:50:57.5Z  ","value":  1  ,"tags":{…}}}⏎
//     head                                                   time                               value   tail
//
// A line that is new goes through Jackson, which says where metric, time and value stand. If the value follows the time
// at once, the bytes of head and tail are remembered, and what they mean. A later line that is byte for byte a known
// head, a valid time, `","value":`, a valid number and a known tail can only mean the same with another time and value:
// nothing needs to be parsed in it, and nobody has to look for its end. A head goes with every tail that was learned
// behind the same frame (the head without the metric's name), as nothing but the name differs then. k6 writes about ten
// lines with the same tail for each request, so nearly all lines are two comparisons and two numbers. No line is
// guessed or skipped: what isn't known is Jackson's, and what isn't k6's is refused.
//
// Where a URL has ids that don't count (Names), the tail is new for each request, and is learned with holes:
//
//     ,"tags":{…,"name":"http://shop/orders/  8f3a91c2  /items/  17  ","status":"200",…}}}⏎
//     piece                                   id        piece    id  piece
//
// A tail of these pieces with any ids between them means the same as the one that was learned. Its bytes are then kept
// until another comes, as a request's other lines end in the same ones: pieces and ids are looked at once a request.

import module java.base;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * Reads lines one after the other; T is what its user wants to find again for a metric and its tags. For one thread.
 */
final class K6Lines<T> {
    /**
     * A sample of a known shape, a sample that Jackson read, a metric's declaration, nothing but white space, or not a
     * line of k6's.
     */
    enum Kind { KNOWN, READ, DECLARATION, BLANK, REFUSED }

    /** What the user of the lines makes of them. */
    interface Meaning<T> {
        /** What samples of this metric with these tags are for. Asked once for each known shape, not for each line. */
        T target(String metric, Map<String, String> tags);

        /** So many samples had these tags. */
        void count(Map<String, String> tags, long samples);
    }

    /**
     * Bytes that there must be behind the end of the lines. Each step of reading a line begins behind bytes that it has
     * recognised, and no newline is among these, so none begins behind the line; and none looks farther ahead than this
     * before it has recognised more.
     */
    static final int SLACK = 64;

    /**
     * Metrics that are learned, and frames before all are forgotten: a script has tens of metrics, a file one frame.
     */
    private static final int MOST_METRICS = 1 << 8, MOST_FRAMES = 16;
    /** Tails that are remembered before all are forgotten, and the longest that is: some megabytes at most. */
    private static final int MOST_TAILS = 1 << 12, LONGEST_TAIL = 2 << 10;
    /** Tails with holes before all are forgotten: they are tried one after the other. */
    private static final int MOST_HOLED = 1 << 8;
    /** A longer text (a reply's body in a tag, perhaps) is cut, and told from others by its hash. */
    private static final int LONGEST_TEXT = 1_000;
    private static final int LARGE_LINE = 1 << 20;
    /** Room for guesses at a head by its bytes: ample, as two heads that share a place are looked for one by one. */
    private static final int GUESS_BITS = 10;

    private final Meaning<T> meaning;
    private final Json json;
    private final Scanner scan;
    private final List<String> metrics = new ArrayList<>();
    private final List<Frame> frames = new ArrayList<>();
    private final List<Head> heads = new ArrayList<>();
    private final Head[] guesses = new Head[1 << GUESS_BITS];
    private final Tail[] tails = new Tail[2 * MOST_TAILS];
    private final List<Holed> holed = new ArrayList<>();
    private final Map<Tags, Tags> tags = new HashMap<>();
    private int tailCount;
    private long after;
    private Tail current;
    private T target;
    private long timeNs;
    private double value;

    K6Lines(Meaning<T> meaning, Names names) {
        this.meaning = meaning;
        json = new Json(names);
        scan = json.scan;
    }

    /** The sample's time in ns since 1970. */
    long timeNs() { return timeNs; }

    /** The sample's value, which is finite and never -0.0. */
    double value() { return value + 0.0; }

    /** What the sample is for. */
    T target() { return target; }

    /** The place behind the line, its newline included. */
    long after() { return after; }

    /** The declared metric, its type and what it contains, as k6 writes them. */
    String metric() { return json.metric; }

    String metricType() { return json.metricType; }

    String contains() { return json.contains; }

    /** Reads the line at this place of these {@link Bytes}; the last one before the end must be a newline. */
    Kind read(Object base, long at, long end) {
        if (known(base, at, end)) return Kind.KNOWN;
        for (after = at; after < end && Bytes.at(base, after++) != '\n'; ) ;
        Kind kind = readLast(base, at, after);
        if (kind == Kind.READ) learn(base, at, after);
        return kind;
    }

    /** Reads a line that may lack its newline, and learns nothing from it. */
    Kind readLast(Object base, long from, long to) {
        Kind kind = json.read(base, from, to);
        if (kind == Kind.READ) {
            meaning.count(json.tags, 1);
            target = meaning.target(json.metric, json.tags);
            timeNs = json.timeNs;
            value = json.value;
        }
        return kind;
    }

    /** Forgets all tails and with them all targets. What they counted is told now at the latest: call it at the end. */
    void forget() {
        List<Tags> counted = List.copyOf(tags.values());
        Arrays.fill(tails, null);
        holed.clear();
        tags.clear();
        tailCount = 0;
        current = null;
        for (Tags known : counted) meaning.count(known.values, known.samples);
    }

    // ==== Lines of a known shape ====

    private static final String MIDDLE = "\",\"value\":";
    private static final long MIDDLE_START = Bytes.word(MIDDLE.getBytes(ISO_8859_1), Bytes.FIRST);
    private static final long MIDDLE_END =
            Bytes.word(MIDDLE.getBytes(ISO_8859_1), Bytes.FIRST + MIDDLE.length() - Long.BYTES);

    /** A head without the metric's name; after is null if the name comes in the tail. */
    private record Frame(byte[] before, byte[] after) {}

    /** All bytes of a line up to the first one of the time. The metric is a place in `metrics`, or IN_TAIL. */
    private record Head(byte[] bytes, Frame frame, int metric) {}

    private static final int IN_TAIL = -1;

    /** What tails with the same tags share: k6 up to 0.40 writes them in any order. */
    private static final class Tags {
        final Map<String, String> values;
        /** What samples with these tags are for, by metric; as long as it has to be. */
        Object[] targets = {};
        long samples;
        private final int hash;

        Tags(Map<String, String> values) {
            this.values = values;
            long sum = 0;
            for (var tag : values.entrySet()) sum += mix(mix(tag.getKey().hashCode()) + tag.getValue().hashCode());
            hash = (int) (sum >>> 32);
        }

        /** Map's own sum of key ^ value is nearly constant when two tags have one value, as name and url do. */
        @Override public int hashCode() { return hash; }

        @Override public boolean equals(Object other) {
            return other instanceof Tags tags && tags.values.equals(values);
        }
    }

    /** All bytes of a line behind the value, newline included, as they were learned behind a frame. */
    private static final class Tail {
        final byte[] bytes;
        final long hash;
        final Frame frame;
        /** The metric if the name isn't in the head. */
        final int metric;
        final Tags tags;
        /** The tail that followed the last time, which is the best guess for the next time. */
        Tail next;

        Tail(byte[] bytes, long hash, Frame frame, int metric, Tags tags) {
            this.bytes = bytes;
            this.hash = hash;
            this.frame = frame;
            this.metric = metric;
            this.tags = tags;
        }
    }

    /** A tail that was learned with holes where ids are: pieces[0], an id, pieces[1] and so on. */
    private record Holed(byte[][] pieces, Frame frame, int metric, Tags tags) {
        /** The place behind such a tail, if one stands here, else -1. */
        long end(Object base, long at, long end) {
            for (int i = 0; ; i++) {
                if (!stands(pieces[i], base, at, end)) return -1;
                at += pieces[i].length;
                if (i == pieces.length - 1) return at;
                at = Names.idEnd(base, at);
                if (at < 0) return -1;
            }
        }
    }

    private boolean known(Object base, long at, long end) {
        Head head = head(base, at, end);
        if (head == null) return false;
        long middle = scan.time(base, at + head.bytes.length);
        if (middle < 0 || !isMiddle(base, middle)) return false;
        long behind = scan.number(base, middle + MIDDLE.length());
        if (behind < 0) return false;
        Tail tail = tail(base, behind, end, head.frame);
        if (tail == null) return false;
        after = behind + tail.bytes.length;
        timeNs = scan.timeNs;
        value = scan.value;
        find(tail.tags, head.metric == IN_TAIL ? tail.metric : head.metric);
        return true;
    }

    @SuppressWarnings("unchecked") // Only T goes into the targets.
    private void find(Tags tags, int metric) {
        tags.samples++;
        if (metric >= tags.targets.length) tags.targets = Arrays.copyOf(tags.targets, metrics.size());
        target = (T) tags.targets[metric];
        if (target == null) tags.targets[metric] = target = meaning.target(metrics.get(metric), tags.values);
    }

    private static boolean isMiddle(Object base, long at) {
        return Bytes.word(base, at) == MIDDLE_START
                && Bytes.word(base, at + MIDDLE.length() - Long.BYTES) == MIDDLE_END;
    }

    /** The head that stands here, or null. k6 writes the metric's name from byte 11 on, mostly http_req_ and more. */
    private Head head(Object base, long at, long end) {
        long name = mix(Bytes.word(base, at + 16)) ^ Bytes.word(base, at + 24);
        int guess = (int) (mix(name) >>> 64 - GUESS_BITS);
        Head head = guesses[guess];
        if (head != null && stands(head.bytes, base, at, end)) return head;
        for (Head other : heads) if (stands(other.bytes, base, at, end)) return guesses[guess] = other;
        return null;
    }

    /** The tail that stands here behind this frame, or null: the one before, or the one that came next, or by hash. */
    private Tail tail(Object base, long at, long end, Frame frame) {
        Tail before = current;
        if (before != null) {
            if (before.frame == frame && stands(before.bytes, base, at, end)) return before;
            Tail next = before.next;
            if (next != null && next.frame == frame && stands(next.bytes, base, at, end)) return current = next;
        }
        long hash = hash(base, at, end);
        Tail tail = tails[slot(hash)];
        for (int slot = slot(hash); tail != null; tail = tails[slot = slot + 1 & tails.length - 1])
            if (tail.hash == hash && tail.frame == frame && stands(tail.bytes, base, at, end)) break;
        return tail == null ? withIds(base, at, end, frame) : follow(tail);
    }

    /** A tail like one with holes, or null. It leads nowhere and nothing to it, so that it goes when the next comes. */
    private Tail withIds(Object base, long at, long end, Frame frame) {
        for (Holed known : holed) {
            if (known.frame != frame) continue;
            long behind = known.end(base, at, end);
            if (behind < 0 || behind - at > LONGEST_TAIL) continue;
            return current = new Tail(Bytes.copy(base, at, behind), 0, frame, known.metric, known.tags);
        }
        return null;
    }

    private Tail follow(Tail tail) {
        if (current != null) current.next = tail;
        return current = tail;
    }

    private static boolean stands(byte[] known, Object base, long at, long end) {
        return at + known.length <= end && Bytes.stands(known, base, at);
    }

    private static long mix(long word) { return word * 0x9E3779B97F4A7C15L; }

    private static final long ONES = 0x0101010101010101L, HIGHS = ONES << 7, NEWLINES = ONES * '\n';

    /** Of all bytes up to the newline, eight at a time; the lowest high bit tells the first newline of a word. */
    private static long hash(Object base, long at, long end) {
        long hash = 0;
        for (; at < end; at += Long.BYTES) {
            long word = Bytes.word(base, at), differs = word ^ NEWLINES;
            long newline = differs - ONES & ~differs & HIGHS;
            if (newline != 0) return mix(hash ^ word & (Long.lowestOneBit(newline) >>> 7) - 1);
            hash = Long.rotateLeft(mix(hash ^ word), 29);
        }
        return hash;
    }

    private int slot(long hash) { return (int) (hash >>> 32) & tails.length - 1; }

    // ==== Learning ====

    /**
     * Remembers head and tail of a line that Jackson read, if metric, time and value are where `known` looks for them.
     */
    private void learn(Object base, long from, long to) {
        long time = from + json.timeAt + 1, middle = scan.time(base, time);
        if (middle < 0 || !isMiddle(base, middle)) return;
        long value = middle + MIDDLE.length(), tail = scan.number(base, value);
        if (tail < 0 || value != from + json.valueAt || to - tail > LONGEST_TAIL) return;
        byte[] quoted = json.metric.concat("\"").getBytes(UTF_8);
        long name = from + json.metricAt + 1, nameEnd = name + quoted.length - 1;
        boolean nameInHead = name < time;
        if (nameInHead && !stands(quoted, base, name, to)) return;
        int metric = metric(json.metric);
        if (metric == MOST_METRICS) return;
        byte[] head = Bytes.copy(base, from, time);
        Frame frame = !nameInHead ? frame(head, null)
                : frame(Bytes.copy(base, from, name), Bytes.copy(base, nameEnd, time));
        if (heads.stream().noneMatch(known -> known.frame == frame && Arrays.equals(known.bytes, head)))
            heads.add(new Head(head, frame, nameInHead ? metric : IN_TAIL));
        if (tail(base, tail, to, frame) == null)
            learnTail(Bytes.copy(base, tail, to), hash(base, tail, to), frame, nameInHead ? IN_TAIL : metric);
    }

    private int metric(String name) {
        int known = metrics.indexOf(name);
        if (known >= 0 || metrics.size() == MOST_METRICS) return known >= 0 ? known : MOST_METRICS;
        metrics.add(name);
        return metrics.size() - 1;
    }

    private Frame frame(byte[] before, byte[] after) {
        for (Frame known : frames)
            if (Arrays.equals(known.before, before) && Arrays.equals(known.after, after)) return known;
        if (frames.size() == MOST_FRAMES) {
            forget();
            frames.clear();
            heads.clear();
            Arrays.fill(guesses, null);
        }
        frames.add(new Frame(before, after));
        return frames.getLast();
    }

    private void learnTail(byte[] bytes, long hash, Frame frame, int metric) {
        if (tailCount == MOST_TAILS || holed.size() == MOST_HOLED) forget();
        Tags shared = tags.computeIfAbsent(new Tags(Map.copyOf(json.tags)), own -> own);
        Tail tail = new Tail(bytes, hash, frame, metric, shared);
        if (json.holes.length > 0 && json.holes[0] > json.length - bytes.length) {
            holed.add(new Holed(pieces(bytes), frame, metric, shared));
            current = tail;
            return;
        }
        tailCount++;
        int slot = slot(hash);
        while (tails[slot] != null) slot = slot + 1 & tails.length - 1;
        tails[slot] = tail;
        follow(tail);
    }

    /** What stands around the holes of the line that Jackson read last, of which these bytes are the end. */
    private byte[][] pieces(byte[] tail) {
        int[] holes = json.holes;
        int start = json.length - tail.length, from = 0;
        byte[][] pieces = new byte[holes.length / 2 + 1][];
        for (int i = 0; i < holes.length; i += 2) {
            pieces[i / 2] = Arrays.copyOfRange(tail, from, holes[i] - start);
            from = holes[i + 1] - start;
        }
        pieces[holes.length / 2] = Arrays.copyOfRange(tail, from, tail.length);
        return pieces;
    }

    // ==== Times and numbers ====

    /** Reads times and numbers out of bytes: strictly, or not at all. */
    private static final class Scanner {
        /** Up to here mantissas and powers of ten are exact as doubles, so their quotient is rounded right. */
        private static final int EXACT_DIGITS = 15;
        private static final double[] POWERS =
                {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
        /** What a digit of a fraction of a second is worth, in ns, when it is the last of so many. */
        private static final int[] NANOS =
                {1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1};
        /** No time and no double needs more characters; what is longer is Jackson's to judge. */
        private static final int LONGEST = 40;
        private static final int SECOND_LENGTH = "2026-11-22T04:50:57".length();

        long timeNs;
        double value;
        private long time0, time8, time16, time24, knownNs, second0, second8, second11, secondNs;
        private int knownLength;

        /** Any time will do to begin with; zeros in place of one would let zeros pass for a time. */
        Scanner() { time("1970-01-01T00:00:00Z"); }

        /**
         * Reads a time of RFC 3339, 1678 to 2261, and its closing quote; gives the quote's place, or -1. The lines of a
         * request have the same time, so its 32 bytes are remembered as words, if they reach to the quote; and those of
         * a second have the same 19 bytes.
         */
        long time(Object b, long at) {
            long at0 = Bytes.word(b, at), at8 = Bytes.word(b, at + 8);
            long at16 = Bytes.word(b, at + 16), at24 = Bytes.word(b, at + 24);
            if (at16 == time16 && at24 == time24 && at0 == time0 && at8 == time8) {
                timeNs = knownNs;
                return at + knownLength;
            }
            long at11 = Bytes.word(b, at + 11);
            if ((at0 != second0 || at8 != second8 || at11 != second11) && !second(b, at)) return -1;
            second0 = at0;
            second8 = at8;
            second11 = at11;
            long quote = fraction(b, at + SECOND_LENGTH);
            if (quote >= 0 && quote < at + 4 * Long.BYTES) {
                time0 = at0;
                time8 = at8;
                time16 = at16;
                time24 = at24;
                knownNs = timeNs;
                knownLength = (int) (quote - at);
            }
            return quote;
        }

        private boolean second(Object b, long at) {
            int century = two(b, at, 99), ofCentury = two(b, at + 2, 99);
            int month = two(b, at + 5, 12), day = two(b, at + 8, 31);
            int hour = two(b, at + 11, 23), minute = two(b, at + 14, 59), second = two(b, at + 17, 59);
            if ((century | ofCentury | month | day | hour | minute | second) < 0
                    || Bytes.at(b, at + 4) != '-' || Bytes.at(b, at + 7) != '-' || Bytes.at(b, at + 10) != 'T'
                    || Bytes.at(b, at + 13) != ':' || Bytes.at(b, at + 16) != ':') return false;
            int year = 100 * century + ofCentury;
            if (year < 1678 || year > 2261 || month == 0 || day == 0) return false;
            if (day > YearMonth.of(year, month).lengthOfMonth()) return false;
            long days = LocalDate.of(year, month, day).toEpochDay();
            secondNs = ((days * 24 + hour) * 60 + minute) * 60_000_000_000L + second * 1_000_000_000L;
            return true;
        }

        private static int two(Object b, long at, int most) {
            int tens = Bytes.at(b, at) - '0', ones = Bytes.at(b, at + 1) - '0', number = tens * 10 + ones;
            return tens < 0 || tens > 9 || ones < 0 || ones > 9 || number > most ? -1 : number;
        }

        private long fraction(Object b, long p) {
            int nanos = 0;
            if (Bytes.at(b, p) == '.') {
                long from = ++p;
                for (char digit; (digit = (char) (Bytes.at(b, p) - '0')) <= 9 && p - from < 9; p++)
                    nanos = nanos * 10 + digit;
                if (p == from) return -1;
                nanos *= NANOS[(int) (p - from)];
            }
            timeNs = secondNs + nanos;
            return Bytes.at(b, p) == 'Z' ? quote(b, p + 1) : offset(b, p);
        }

        private long offset(Object b, long p) {
            int sign = Bytes.at(b, p) == '+' ? 1 : Bytes.at(b, p) == '-' ? -1 : 0;
            int hours = two(b, p + 1, 23), minutes = two(b, p + 4, 59);
            if (sign == 0 || hours < 0 || Bytes.at(b, p + 3) != ':' || minutes < 0) return -1;
            timeNs -= sign * (hours * 60 + minutes) * 60_000_000_000L;
            return quote(b, p + 6);
        }

        private static long quote(Object b, long p) { return Bytes.at(b, p) == '"' ? p : -1; }

        /** Whether all of a text is a time; reads it. */
        boolean time(String text) {
            if (text.length() > LONGEST) return false;
            byte[] quoted = text.concat("\"").getBytes(UTF_8);
            byte[] alone = Arrays.copyOf(quoted, quoted.length + SLACK);
            return time(alone, Bytes.FIRST) == Bytes.FIRST + quoted.length - 1;
        }

        /**
         * Reads a number as JSON has it; gives the place after it, or -1 if it isn't one, or isn't finite, or is long.
         */
        long number(Object b, long at) {
            long p = Bytes.at(b, at) == '-' ? at + 1 : at, first = p;
            long mantissa = 0;
            for (char digit; (digit = (char) (Bytes.at(b, p) - '0')) <= 9; p++) mantissa = mantissa * 10 + digit;
            int digits = (int) (p - first), decimals = 0;
            if (digits == 0 || digits > 1 && Bytes.at(b, first) == '0') return -1;
            if (Bytes.at(b, p) == '.') {
                first = ++p;
                for (char digit; (digit = (char) (Bytes.at(b, p) - '0')) <= 9; p++) mantissa = mantissa * 10 + digit;
                decimals = (int) (p - first);
                if (decimals == 0) return -1;
            }
            if (digits + decimals > EXACT_DIGITS || (Bytes.at(b, p) | 0x20) == 'e') return longNumber(b, at, p);
            value = mantissa / POWERS[decimals];
            if (Bytes.at(b, at) == '-') value = -value;
            return p;
        }

        private long longNumber(Object b, long at, long p) {
            if ((Bytes.at(b, p) | 0x20) == 'e') {
                p += Bytes.at(b, p + 1) == '+' || Bytes.at(b, p + 1) == '-' ? 2 : 1;
                long first = p;
                while (Bytes.at(b, p) >= '0' && Bytes.at(b, p) <= '9') p++;
                if (p == first) return -1;
            }
            if (p - at > LONGEST) return -1;
            value = Double.parseDouble(new String(Bytes.copy(b, at, p), ISO_8859_1));
            return Double.isFinite(value) ? p : -1;
        }
    }

    // ==== Any line, read by Jackson ====

    /** Reads a line that is a JSON object as k6 means it, in any order of fields; of equal keys the last one counts. */
    private static final class Json {
        private static final JsonFactory FACTORY = JsonFactory.builder()
                .disable(JsonFactory.Feature.CHARSET_DETECTION).disable(JsonFactory.Feature.INTERN_FIELD_NAMES).build();

        private static final int[] NO_HOLES = {};
        /** What Windows' tools put in front of UTF-8. */
        private static final byte[] BYTE_ORDER_MARK = {(byte) 0xef, (byte) 0xbb, (byte) 0xbf};

        final Scanner scan = new Scanner();
        final Names names;
        final Map<String, String> tags = new HashMap<>();
        /** Where in the line ids begin and end that don't count, in order, and the line's length. */
        int[] holes;
        int length;
        String metric, metricType, contains;
        /** Where in the line the metric's name and the time (with its quote) and the value begin. */
        int metricAt, timeAt, valueAt;
        long timeNs;
        double value;
        private String type;
        private boolean hasTime, hasValue;
        private byte[] line;

        Json(Names names) { this.names = names; }

        /** Reads a line; a large one alone, as each takes several times its size for a moment. */
        Kind read(Object base, long from, long to) {
            if (to - from < LARGE_LINE) return parse(Bytes.copy(base, from, to));
            synchronized (FACTORY) {
                return parse(Bytes.copy(base, from, to));
            }
        }

        private Kind parse(byte[] line) {
            this.line = line;
            length = line.length;
            metric = type = null;
            forgetData();
            int mark = startsWith(line, BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
            try (JsonParser parser = FACTORY.createParser(line, mark, line.length - mark)) {
                JsonToken first = parser.nextToken();
                if (first == null) return Kind.BLANK;
                if (first != JsonToken.START_OBJECT) return Kind.REFUSED;
                for (String field; (field = parser.nextFieldName()) != null; ) {
                    parser.nextToken();
                    switch (field) {
                        case "metric" -> {
                            metricAt = at(parser);
                            metric = text(parser);
                        }
                        case "type" -> type = text(parser);
                        case "data" -> data(parser);
                        default -> parser.skipChildren();
                    }
                }
                if (parser.nextToken() != null) return Kind.REFUSED;
            } catch (IOException e) {
                return Kind.REFUSED;
            }
            if (metric == null) return Kind.REFUSED;
            if ("Point".equals(type) && hasTime && hasValue) return Kind.READ;
            return "Metric".equals(type) && metricType != null && contains != null ? Kind.DECLARATION : Kind.REFUSED;
        }

        private static boolean startsWith(byte[] line, byte[] start) {
            return line.length >= start.length && Arrays.equals(line, 0, start.length, start, 0, start.length);
        }

        private void forgetData() {
            hasTime = hasValue = false;
            metricType = contains = null;
            forgetTags();
        }

        private void forgetTags() {
            tags.clear();
            holes = NO_HOLES;
        }

        private void data(JsonParser parser) throws IOException {
            forgetData();
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                parser.skipChildren();
                return;
            }
            for (String field; (field = parser.nextFieldName()) != null; ) {
                parser.nextToken();
                switch (field) {
                    case "time" -> time(parser);
                    case "value" -> value(parser);
                    case "tags" -> tags(parser);
                    case "type" -> metricType = text(parser);
                    case "contains" -> contains = text(parser);
                    default -> parser.skipChildren();
                }
            }
        }

        private void time(JsonParser parser) throws IOException {
            timeAt = at(parser);
            String text = text(parser);
            hasTime = text != null && scan.time(text);
            timeNs = scan.timeNs;
        }

        private void value(JsonParser parser) throws IOException {
            valueAt = at(parser);
            boolean number = parser.currentToken().isNumeric();
            if (number) value = parser.getDoubleValue();
            else parser.skipChildren();
            hasValue = number && Double.isFinite(value);
        }

        private void tags(JsonParser parser) throws IOException {
            forgetTags();
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                parser.skipChildren();
                return;
            }
            for (String tag; (tag = parser.nextFieldName()) != null; ) {
                parser.nextToken();
                int quote = at(parser);
                String text = text(parser);
                if (tags.containsKey(tag)) holes = NO_HOLES; // Which of two values counts is seen by all of both.
                else if (text != null && text.length() <= LONGEST_TEXT && names.ids() && Names.isOf(tag)) open(quote + 1);
                if (text == null) tags.remove(tag);
                else tags.put(tag, names.of(tag, text));
            }
        }

        /** Adds the holes of the text that begins here and has been read, so that it has an end. */
        private void open(int text) {
            var more = LongStream.of(Names.holes(line, Bytes.FIRST + text)).mapToInt(place -> (int) (place - Bytes.FIRST));
            holes = IntStream.concat(IntStream.of(holes), more).toArray();
        }

        private static int at(JsonParser parser) { return (int) parser.currentTokenLocation().getByteOffset(); }

        /** The text of a string; null for anything else, which is skipped. */
        private static String text(JsonParser parser) throws IOException {
            if (parser.currentToken() == JsonToken.VALUE_STRING)
                return parser.getTextLength() <= LONGEST_TEXT ? parser.getText() : shortened(parser);
            parser.skipChildren();
            return null;
        }

        private static String shortened(JsonParser parser) throws IOException {
            StringBuilder start = new StringBuilder();
            int[] hash = {0};
            parser.getText(new Writer() {
                @Override public void write(char[] chars, int from, int count) {
                    start.append(chars, from, Math.min(count, LONGEST_TEXT - start.length()));
                    for (int i = 0; i < count; i++) hash[0] = 31 * hash[0] + chars[from + i];
                }

                @Override public void flush() {}

                @Override public void close() {}
            });
            return start + "… #" + Integer.toHexString(hash[0]);
        }
    }
}
