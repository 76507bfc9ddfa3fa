//COMPILE_OPTIONS -XDignore.symbol.file
//RUNTIME_OPTIONS --sun-misc-unsafe-memory-access=allow

// Bytes wherever they lie: in an array, or in memory that a file is mapped into.
//
// A place is what Unsafe takes for one: an array and an offset into it, or null and an address. Nothing is checked, for
// that is what it is for: lines are found in gigabytes of mapped file without copying them, and a check at each byte
// costs more than all that is done with it (Java's own MemorySegment is checked, and takes the C2 compiler to be fast,
// which wakes up when a gigabyte has been read). So whoever calls says how far he may look, and K6Lines does: never
// farther than SLACK bytes behind the end of the lines.

import module java.base;
import sun.misc.Unsafe;

/** Reads bytes and words (eight bytes, little-endian) without a check; base is a byte[], or null for an address. */
@SuppressWarnings("removal") // Of Unsafe's memory access, for which Java has nothing as quick without C2.
final class Bytes {
    private static final Unsafe UNSAFE = unsafe();
    private static final boolean BIG_ENDIAN = ByteOrder.nativeOrder() == ByteOrder.BIG_ENDIAN;
    /** Where an array's first byte is. */
    static final long FIRST = UNSAFE.arrayBaseOffset(byte[].class);

    private Bytes() {}

    private static Unsafe unsafe() {
        try {
            var field = Unsafe.class.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            return (Unsafe) field.get(null);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    static byte at(Object base, long at) { return UNSAFE.getByte(base, at); }

    static long word(Object base, long at) {
        long word = UNSAFE.getLong(base, at);
        return BIG_ENDIAN ? Long.reverseBytes(word) : word;
    }

    /** Whether all of `known` stands here. */
    static boolean stands(byte[] known, Object base, long at) {
        int length = known.length;
        if (length < Long.BYTES) {
            for (int i = 0; i < length; i++) if (known[i] != at(base, at + i)) return false;
            return true;
        }
        // The last word overlaps the one before, so that no byte is looked at alone.
        long last = FIRST + length - Long.BYTES, ahead = at - FIRST;
        if (UNSAFE.getLong(known, last) != UNSAFE.getLong(base, last + ahead)) return false;
        long place = FIRST;
        for (; place < last - 3 * Long.BYTES; place += 4 * Long.BYTES) {
            long there = place + ahead;
            if (UNSAFE.getLong(known, place) != UNSAFE.getLong(base, there)) return false;
            if (UNSAFE.getLong(known, place + 8) != UNSAFE.getLong(base, there + 8)) return false;
            if (UNSAFE.getLong(known, place + 16) != UNSAFE.getLong(base, there + 16)) return false;
            if (UNSAFE.getLong(known, place + 24) != UNSAFE.getLong(base, there + 24)) return false;
        }
        for (; place < last; place += Long.BYTES)
            if (UNSAFE.getLong(known, place) != UNSAFE.getLong(base, place + ahead)) return false;
        return true;
    }

    /** The bytes from..to as an array of their own. */
    static byte[] copy(Object base, long from, long to) {
        byte[] copy = new byte[(int) (to - from)];
        UNSAFE.copyMemory(base, from, copy, FIRST, copy.length);
        return copy;
    }
}
