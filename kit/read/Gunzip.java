//SOURCES Bytes.java

// Inflates gzip (RFC 1952 around RFC 1951) in half the time that the JDK takes.
//
//     member:  header, blocks, trailer (CRC-32 and size)        one or more of them, with zeros between or behind them
//     block:   bytes as they are, or codes: for a byte, for a match (length, distance), for the end of the block
//
// The lines of k6 are so alike that nearly all of them is matches: "the same 80 bytes as 200 bytes ago". zlib, which
// does the JDK's work, copies them in small pieces; here a match is one System.arraycopy. A gigabyte of lines (31 MB of
// gzip) took 0.30 s instead of 0.58 s, both in a fresh JVM without C2. For less than 50 MB the JDK takes up to 10 ms
// less, as nothing of it must be compiled first. That the table's entries say all of a code in an int is an idea of
// libdeflate's (https://github.com/ebiggers/libdeflate).
//
// What has been read is one number, counted in bits. A match is decoded from the eight bytes there, and the number only
// moves on when all of the match was there. So there is no second, careful decoder for data that end or are damaged in
// a match: it is left alone, what was inflated before it is given, and the next read begins with it, when there may be
// more data, or else nothing to be lost by an exception.
//
// All arrays are checked by Java, but for Bytes.word in bitsAt. See `bit` for why that never leaves its array.

import module java.base;

/**
 * What GZIPInputStream is, but faster. It gives all that can be inflated before it reads more, or throws. Not for two
 * threads at the same time.
 */
final class Gunzip extends InputStream {

    /** What is read at a time: a pipe's worth. */
    private static final int INPUT_BYTES = 64 << 10;
    /** So far back and so long are matches at most (RFC 1951, 3.2.5). */
    private static final int HISTORY_BYTES = 32 << 10, LONGEST_MATCH = 258;
    /**
     * Who wants fewer bytes at a time gets them from a buffer of this size, as a round must have room for the longest
     * match, and be longer than what it costs to keep the history after it.
     */
    private static final int ROUND_BYTES = 64 << 10;

    private enum Step { HEADER, NEXT_HEADER, BLOCK, STORED, CODED, TRAILER, NOTHING }

    private final InputStream source;
    /** A word longer than what is read into it, as a word is taken at any bit up to the end. */
    private final byte[] in = new byte[INPUT_BYTES + Long.BYTES];
    /**
     * How far `in` was read and filled: 0 <= bit <= endBit <= 8 * INPUT_BYTES. That holds as everything that moves
     * `bit` has compared with `endBit` first, which is a whole number of bytes and only `fill` changes.
     */
    private int bit, endBit;

    private Step step = Step.HEADER;
    private boolean lastBlock;
    private int storedBytes;
    private final int[] symbols = newTable(288), distances = newTable(32);

    private final byte[] round = new byte[ROUND_BYTES];
    private int roundAt, roundEnd;
    /** The member's last bytes, at the end of the array. */
    private final byte[] history = new byte[HISTORY_BYTES];
    private int historyBytes;
    private long memberBytes;
    private final CRC32 crc = new CRC32();

    Gunzip(InputStream source) { this.source = source; }

    // ==== Reading ====

    @Override public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override public int read(byte[] into, int at, int most) throws IOException {
        Objects.checkFromIndexSize(at, most, into.length);
        if (most == 0) return 0;
        if (roundAt == roundEnd) {
            if (most >= ROUND_BYTES) return inflate(into, at, at + most);
            int count = inflate(round, 0, ROUND_BYTES);
            if (count < 0) return -1;
            roundAt = 0;
            roundEnd = count;
        }
        int count = Math.min(most, roundEnd - roundAt);
        System.arraycopy(round, roundAt, into, at, count);
        roundAt += count;
        return count;
    }

    @Override public void close() throws IOException { source.close(); }

    /** Takes steps until one gives bytes. They are given at once, as the next step may have to wait, or throw. */
    private int inflate(byte[] out, int from, int limit) throws IOException {
        while (true) {
            int to = from;
            switch (step) {
                case HEADER -> header();
                case NEXT_HEADER -> nextHeader();
                case BLOCK -> block();
                case STORED -> to = stored(out, from, limit);
                case CODED -> to = coded(out, from, limit);
                case TRAILER -> trailer();
                case NOTHING -> { return -1; }
            }
            if (to > from) {
                keep(out, from, to);
                return to - from;
            }
        }
    }

    private void keep(byte[] out, int from, int to) {
        crc.update(out, from, to - from);
        memberBytes += to - from;
        int fresh = Math.min(to - from, HISTORY_BYTES), older = Math.min(historyBytes, HISTORY_BYTES - fresh);
        System.arraycopy(history, HISTORY_BYTES - older, history, HISTORY_BYTES - older - fresh, older);
        System.arraycopy(out, to - fresh, history, HISTORY_BYTES - fresh, fresh);
        historyBytes = older + fresh;
    }

    // ==== Members ====

    private static final int MAGIC_1 = 0x1f, MAGIC_2 = 0x8b, DEFLATE = 8;
    private static final int HAS_CRC = 2, HAS_EXTRA = 4, HAS_NAME = 8, HAS_COMMENT = 16;

    /** Whether something that begins with these two bytes is gzip. */
    static boolean isGzip(byte[] first) {
        return first.length == 2 && (first[0] & 0xff) == MAGIC_1 && (first[1] & 0xff) == MAGIC_2;
    }

    private void header() throws IOException {
        crc.reset();
        if (headerByte() != MAGIC_1 || headerByte() != MAGIC_2) throw new ZipException("not in gzip format");
        if (headerByte() != DEFLATE) throw new ZipException("gzip with an unknown method of compression");
        int flags = headerByte();
        for (int i = 0; i < 6; i++) headerByte(); // When, how hard and where it was compressed.
        if ((flags & HAS_EXTRA) != 0) for (int n = headerByte() | headerByte() << 8; n > 0; n--) headerByte();
        if ((flags & HAS_NAME) != 0) while (headerByte() != 0) { }
        if ((flags & HAS_COMMENT) != 0) while (headerByte() != 0) { }
        int sum = (int) crc.getValue() & 0xffff;
        if ((flags & HAS_CRC) != 0 && bits(16) != sum) throw new ZipException("the gzip header's CRC is wrong");
        crc.reset();
        memberBytes = historyBytes = 0;
        step = Step.BLOCK;
    }

    private int headerByte() throws IOException {
        int one = bits(8);
        crc.update(one);
        return one;
    }

    /**
     * Zeros are padding. All else is a member or a damaged one, never the end: gzip and the JDK drop what they can't
     * read here, and with it perhaps half of the samples.
     */
    private void nextHeader() throws IOException {
        while (hasByte() && (byte) bitsAt(in, bit) == 0) bit += 8;
        step = hasByte() ? Step.HEADER : Step.NOTHING;
    }

    private boolean hasByte() throws IOException {
        try {
            need(8);
            return true;
        } catch (EOFException end) {
            return false;
        }
    }

    private void trailer() throws IOException {
        toNextByte();
        if (bits(32) != (int) crc.getValue()) throw new ZipException("the CRC-32 of what was inflated is wrong");
        if (bits(32) != (int) memberBytes) throw new ZipException("the size of what was inflated is wrong");
        step = Step.NEXT_HEADER;
    }

    // ==== Blocks ====

    private void block() throws IOException {
        lastBlock = bits(1) == 1;
        switch (bits(2)) {
            case 0 -> {
                toNextByte();
                storedBytes = bits(16);
                if (bits(16) != (storedBytes ^ 0xffff)) throw new ZipException("a stored block's length is wrong");
                step = Step.STORED;
            }
            case 1 -> codes(FIXED_LENGTHS, 288);
            case 2 -> {
                int symbolCount = bits(5) + 257, distanceCount = bits(5) + 1;
                if (symbolCount > 286 || distanceCount > 30) throw new ZipException("a block has too many codes");
                codes(codeLengths(symbolCount + distanceCount), symbolCount);
            }
            default -> throw new ZipException("a block is of no known type");
        }
    }

    private void blockDone() { step = lastBlock ? Step.TRAILER : Step.BLOCK; }

    private int stored(byte[] out, int from, int limit) throws IOException {
        int count = Math.min(Math.min(storedBytes, limit - from), endBit - bit >> 3);
        System.arraycopy(in, bit >> 3, out, from, count);
        bit += 8 * count;
        storedBytes -= count;
        if (storedBytes == 0) blockDone();
        else if (count == 0) fill();
        return from + count;
    }

    /** Nearly all time goes into this loop, so its state is in local variables, and its rare cases are elsewhere. */
    private int coded(byte[] out, int from, int limit) throws IOException {
        byte[] in = this.in;
        int[] symbols = this.symbols, distances = this.distances;
        int bit = this.bit, endBit = this.endBit, to = from;
        String damage = null;
        while (to <= limit - LONGEST_MATCH) {
            long bits = bitsAt(in, bit); // 57 or more. A match takes 15 + 5 for its length, 15 + 13 for its distance.
            int entry = symbols[(int) bits & MAIN_MASK];
            if ((entry & RARE) != 0) entry = second(symbols, entry, bits);
            int next = bit + (entry & BITS_MASK);
            if (next > endBit) break;
            if ((entry & LITERAL) != 0) {
                out[to++] = (byte) (entry >>> VALUE);
                bit = next;
                continue;
            }
            if ((entry & RARE) != 0) {
                if (entry < END) damage = "a code stands for nothing";
                else {
                    bit = next;
                    blockDone();
                }
                break;
            }
            int length = value(entry, bits);
            bits >>>= entry;
            entry = distances[(int) bits & MAIN_MASK];
            if ((entry & RARE) != 0) entry = second(distances, entry, bits);
            next += entry & BITS_MASK;
            if (next > endBit) break;
            int earlier = to - value(entry, bits);
            if ((entry & RARE) != 0 || from - earlier > historyBytes) {
                damage = (entry & RARE) != 0 ? "a code stands for nothing" : "a match reaches back too far";
                break;
            }
            bit = next;
            if (earlier < from) {
                int old = Math.min(from - earlier, length);
                System.arraycopy(history, HISTORY_BYTES - (from - earlier), out, to, old);
                to += old;
                length -= old;
                earlier = from;
            }
            if (length <= to - earlier) System.arraycopy(out, earlier, out, to, length);
            else repeat(out, earlier, to, length);
            to += length;
        }
        this.bit = bit;
        if (to == from && damage != null) throw new ZipException(damage);
        if (to == from && step == Step.CODED) fill();
        return to;
    }

    /** A match that reaches into itself repeats what it begins with: with each turn there is twice as much to copy. */
    private static void repeat(byte[] out, int earlier, int to, int length) {
        for (int count; length > 0; length -= count) {
            count = Math.min(length, to - earlier);
            System.arraycopy(out, earlier, out, to, count);
            to += count;
        }
    }

    // ==== Codes ====

    // A table's entry says all of the code that the entry's index begins with:
    //
    //     bits 0-5     how many bits the code takes, extra bits included     (where >>> entry takes its count from)
    //     bits 8-12    how many bits the code takes without them             (so does >>> (entry >>> 8), of an int)
    //     bits 13-27   its value: a byte, the least length, the least distance, or where the second table is
    //     bits 28-31   what it is: none of these bits is set for a length or a distance
    //
    // A code of more than MAIN_BITS is rare by the nature of such codes. All that begin alike share an entry, which
    // leads to a second table behind the main one.

    private static final int BITS_MASK = 0x3f, ONE_BIT = 0x101, VALUE = 13;
    private static final int UNKNOWN = 1 << 28, END = 1 << 29, SECOND = 1 << 30, LITERAL = 1 << 31;
    private static final int RARE = UNKNOWN | END | SECOND;

    /** With 9, longer codes are less rare; with 11, tables take more of a core's nearest cache. Neither was faster. */
    private static final int MAIN_BITS = 10, MAIN_MASK = (1 << MAIN_BITS) - 1;
    private static final int LONGEST_CODE = 15, SECOND_BITS = LONGEST_CODE - MAIN_BITS;
    private static final int SECOND_MASK = (1 << SECOND_BITS) - 1;

    /** The codes of a block are known by their lengths alone. These come in codes of their own, those in this order. */
    private static final byte[] LENGTHS_ORDER = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    private static final int REPEAT = 16, ZEROS = 17, MANY_ZEROS = 18;

    private static final int[] SYMBOLS = new int[288], DISTANCES = new int[32], LENGTHS = new int[19];
    private static final int END_OF_BLOCK = 256;
    private static final byte[] FIXED_LENGTHS = new byte[SYMBOLS.length + DISTANCES.length];

    static {
        Arrays.setAll(SYMBOLS, symbol -> symbol < END_OF_BLOCK ? LITERAL | symbol << VALUE : UNKNOWN);
        SYMBOLS[END_OF_BLOCK] = END;
        ranges(SYMBOLS, 257, 284, 3, 4);
        SYMBOLS[285] = LONGEST_MATCH << VALUE;
        Arrays.fill(DISTANCES, UNKNOWN);
        ranges(DISTANCES, 0, 29, 1, 2);
        Arrays.setAll(LENGTHS, length -> length << VALUE);
        for (int i = 0; i < FIXED_LENGTHS.length; i++)
            FIXED_LENGTHS[i] = (byte) (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : i < 288 ? 8 : 5);
    }

    /** Each code's range begins where the one before ends; from the second group on, a group has one more extra bit. */
    private static void ranges(int[] entries, int first, int last, int least, int group) {
        for (int i = 0; i <= last - first; i++) {
            int extraBits = Math.max(0, i / group - 1);
            entries[first + i] = least << VALUE | extraBits;
            least += 1 << extraBits;
        }
    }

    /** At least two codes share a second table, as no code is left unused where there are long ones. */
    private static int[] newTable(int codes) { return new int[(1 << MAIN_BITS) + (codes / 2 << SECOND_BITS)]; }

    private static int second(int[] table, int entry, long bits) {
        if ((entry & SECOND) == 0) return entry;
        return table[(entry & ~SECOND) >>> VALUE | (int) (bits >>> MAIN_BITS) & SECOND_MASK];
    }

    private static int value(int entry, long bits) {
        return (entry >>> VALUE) + (((int) bits & ~(-1 << entry)) >>> (entry >>> 8));
    }

    private byte[] codeLengths(int count) throws IOException {
        byte[] lengths = new byte[count], ofLengths = new byte[LENGTHS.length];
        for (int i = 0, n = bits(4) + 4; i < n; i++) ofLengths[LENGTHS_ORDER[i]] = (byte) bits(3);
        table(symbols, ofLengths, 0, ofLengths.length, LENGTHS); // What the table is for comes later.
        for (int i = 0; i < count; ) {
            int entry = symbols[(int) bitsAt(in, bit) & MAIN_MASK], length = entry >>> VALUE, times = 1;
            if ((entry & BITS_MASK) > endBit - bit) {
                fill();
                continue;
            }
            bit += entry & BITS_MASK;
            if (length == REPEAT) {
                if (i == 0) throw new ZipException("a block's first code has the length of none");
                length = lengths[i - 1];
                times = 3 + bits(2);
            } else if (length >= ZEROS) {
                times = length == MANY_ZEROS ? 11 + bits(7) : 3 + bits(3);
                length = 0;
            }
            if (times > count - i) throw new ZipException("a block has more lengths of codes than codes");
            Arrays.fill(lengths, i, i += times, (byte) length);
        }
        return lengths;
    }

    private void codes(byte[] lengths, int symbolCount) throws ZipException {
        if (lengths[END_OF_BLOCK] == 0) throw new ZipException("a block has no code for its end");
        table(symbols, lengths, 0, symbolCount, SYMBOLS);
        table(distances, lengths, symbolCount, lengths.length, DISTANCES);
        step = Step.CODED;
    }

    /** Codes are in order of their lengths, then of what they stand for, and come with the first bit last. */
    private static void table(int[] table, byte[] lengths, int from, int to, int[] entries) throws ZipException {
        int[] nextCode = firstCodes(lengths, from, to, entries != LENGTHS);
        Arrays.fill(table, UNKNOWN | ONE_BIT);
        int end = 1 << MAIN_BITS;
        for (int i = from; i < to; i++) {
            int length = lengths[i];
            if (length == 0) continue;
            int code = Integer.reverse(nextCode[length]++) >>> 32 - length, main = code & MAIN_MASK;
            int entry = entries[i - from] + length * ONE_BIT;
            if (length <= MAIN_BITS) {
                for (int at = code; at <= MAIN_MASK; at += 1 << length) table[at] = entry;
                continue;
            }
            if ((table[main] & SECOND) == 0) {
                table[main] = SECOND | end << VALUE;
                end += 1 << SECOND_BITS;
            }
            int second = (table[main] & ~SECOND) >>> VALUE;
            for (int at = code >>> MAIN_BITS; at <= SECOND_MASK; at += 1 << length - MAIN_BITS)
                table[second + at] = entry;
        }
    }

    /** The first code of each length. As in zlib, none may be unused, unless just one is used, of one bit, or none. */
    private static int[] firstCodes(byte[] lengths, int from, int to, boolean maybeOne) throws ZipException {
        int[] first = new int[LONGEST_CODE + 2], count = new int[LONGEST_CODE + 1];
        for (int i = from; i < to; i++) count[lengths[i]]++;
        int unused = 1, longest = 0;
        for (int length = 1; length <= LONGEST_CODE; length++) {
            unused = 2 * unused - count[length];
            if (unused < 0) throw new ZipException("a block has more codes than there can be of their lengths");
            if (count[length] > 0) longest = length;
            first[length + 1] = first[length] + count[length] << 1;
        }
        if (unused > 0 && !(maybeOne && longest <= 1)) throw new ZipException("a block leaves codes unused");
        return first;
    }

    // ==== Bits ====

    private static long bitsAt(byte[] in, int bit) { return Bytes.word(in, Bytes.FIRST + (bit >> 3)) >>> (bit & 7); }

    private int bits(int count) throws IOException {
        need(count);
        int bits = (int) (bitsAt(in, bit) & ~(-1L << count));
        bit += count;
        return bits;
    }

    private void need(int bits) throws IOException {
        while (endBit - bit < bits) fill();
    }

    private void toNextByte() { bit = bit + 7 & ~7; }

    /** Moves the few bytes that are left to the front and reads more. */
    private void fill() throws IOException {
        int from = bit >> 3, left = (endBit >> 3) - from, room = INPUT_BYTES - left;
        System.arraycopy(in, from, in, 0, left);
        bit &= 7;
        endBit = 8 * left;
        int got = source.read(in, left, room);
        if (got < 0) throw new EOFException("the compressed data end too early");
        endBit += 8 * Objects.checkIndex(got, room + 1); // No stream says more than room, or `bit` would be unsafe.
    }
}
