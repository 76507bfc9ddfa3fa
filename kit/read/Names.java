//SOURCES Bytes.java

// What endpoint a request was for, when its URL holds ids: /orders/8f3…/items/17 is one of /orders/{id}/items/{id}.
//
// An id is a whole segment of a path, of letters, digits, - and _ alone, that nobody would choose as a name: a number,
// a date, a UUID, a hash, a token. Whether a segment is one is seen from itself alone, so that a reader may leave the
// place of an id open in what it has learned (K6Lines), and all that fits means the same.

import module java.base;
import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * What the values of the tags `url` and `name` count as.
 *
 * @param ids whether ids become {@link #ID}
 * @param own applied in their order after that
 */
record Names(boolean ids, List<Names.Own> own) {
    /** A pattern of the user's and what each match becomes, with $1 for its first group. */
    record Own(Pattern pattern, String text) {}

    static final String ID = "{id}";
    /** As they are. */
    static final Names EXACT = new Names(false, List.of());

    Names { own = List.copyOf(own); }

    /** Whether this tag's values are names of endpoints. */
    static boolean isOf(String tag) { return tag.equals("name") || tag.equals("url"); }

    /** What this value of this tag counts as. */
    String of(String tag, String value) {
        if (!isOf(tag)) return value;
        String name = ids ? withoutIds(value) : value;
        for (Own each : own) name = each.pattern.matcher(name).replaceAll(each.text);
        return name;
    }

    private static String withoutIds(String value) {
        byte[] bytes = Arrays.copyOf(value.getBytes(UTF_8), 3 * value.length() + Long.BYTES);
        long[] holes = holes(bytes, Bytes.FIRST);
        if (holes.length == 0) return value;
        var name = new StringBuilder();
        long from = Bytes.FIRST;
        for (int i = 0; i < holes.length; i += 2) {
            name.append(new String(Bytes.copy(bytes, from, holes[i]), UTF_8)).append(ID);
            from = holes[i + 1];
        }
        int end = value.getBytes(UTF_8).length;
        return name.append(new String(Bytes.copy(bytes, from, Bytes.FIRST + end), UTF_8)).toString();
    }

    /**
     * Where ids begin and end in a URL's path, which ends at a quote, a zero, a query, or the first escape of JSON, as
     * what comes after one may be no path any more.
     */
    static long[] holes(Object base, long at) {
        var holes = LongStream.builder();
        for (long p = at; ; p++) {
            byte here = Bytes.at(base, p);
            if (here == '"' || here == 0 || here == '?' || here == '#' || here == '\\' || here == '\n') break;
            if (here != '/') continue;
            if (Bytes.at(base, p + 1) == '/' && p > at && Bytes.at(base, p - 1) == ':') {
                p++; // The authority follows, which ends at the next one.
                continue;
            }
            long end = idEnd(base, p + 1);
            if (end < 0) continue;
            byte behind = Bytes.at(base, end);
            if (behind != '"' && behind != 0 && behind != '?' && behind != '#' && behind != '/') continue;
            holes.add(p + 1).add(end);
            p = end - 1;
        }
        return holes.build().toArray();
    }

    private static final int LEAST_HEX = 8, LEAST_TOKEN = 16;
    private static final byte DIGIT = 1, HEX = 2, LETTER = 3, DASH = 4;
    private static final byte[] KINDS = new byte[256];

    static {
        for (char c = '0'; c <= '9'; c++) KINDS[c] = DIGIT;
        for (char c = 'a'; c <= 'z'; c++) KINDS[c] = KINDS[c - 'a' + 'A'] = c <= 'f' ? HEX : LETTER;
        KINDS['-'] = KINDS['_'] = DASH;
    }

    /**
     * The place behind all letters, digits, - and _ that stand here, if they are an id; else -1. An id is
     * digits, perhaps with dashes between them (17, 2026-11-22); or at least eight hexadecimal digits, perhaps with
     * dashes, some of which are decimal (8f3a91c2, a UUID); or at least sixteen characters with two numbers among
     * letters (a token).
     */
    static long idEnd(Object base, long at) {
        int digits = 0, numbers = 0, dashes = 0;
        byte worst = 0, before = 0;
        long p = at;
        for (byte kind; (kind = KINDS[Bytes.at(base, p) & 0xff]) != 0; p++) {
            if (kind == DASH) dashes++;
            else if (kind > worst) worst = kind;
            if (kind == DIGIT) {
                digits++;
                if (before != DIGIT) numbers++;
            }
            before = kind;
        }
        int length = (int) (p - at);
        if (digits == 0) return -1;
        boolean isId = worst == DIGIT || worst == HEX && length - dashes >= LEAST_HEX
                || length >= LEAST_TOKEN && numbers > 1;
        return isId ? p : -1;
    }
}
