///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/read/Gunzip.java

// Does Gunzip ever give anything else than the JDK's GZIPInputStream, whatever it is given?
//
// The JDK is asked for one byte at a time, as only then it gives all that comes before a damage, but for a byte. It
// must accept what Gunzip accepts and refuse what Gunzip refuses. What is compressed here is SYNTHETIC and made from
// seeds: by the JDK's Deflater, and bit by bit where zlib would never write such a thing (the longest distances,
// unusual codes, codes that can't be).

import module java.base;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.platform.console.ConsoleLauncher;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.*;

/** Seconds, far more than any test takes: a loop without an end fails, as its thread is given up. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class GunzipTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=GunzipTest", "--details=tree", "--disable-banner",
                "--fail-if-no-tests");
    }

    // ==== The same as the JDK ====

    /** All bytes that a stream gives, and what it throws then, if it does. */
    private record Answer(byte[] bytes, IOException damage) {
        /**
         * Where the JDK looks ahead and finds damage, it loses the byte that it was about to give; where it finds no
         * header behind a member, it keeps that to itself.
         */
        boolean same(Answer jdks) {
            int more = bytes.length - jdks.bytes.length;
            boolean header = damage != null && jdks.damage == null && DAMAGED_HEADER.contains(damage.getMessage());
            return ((damage == null) == (jdks.damage == null) || header) && more >= 0 && more <= (damage == null ? 0 : 1)
                    && Arrays.mismatch(bytes, jdks.bytes) == (more == 0 ? -1 : jdks.bytes.length);
        }

        @Override public String toString() { return bytes.length + " bytes, then " + damage; }
    }

    private static final Set<String> DAMAGED_HEADER = Set.of("not in gzip format", "the gzip header's CRC is wrong",
            "gzip with an unknown method of compression", "the compressed data end too early");

    private interface Opening { InputStream open() throws IOException; }

    private static final int LARGE_READ = 1 << 17;
    private static final byte[] SOME = new byte[300_000];
    /** What is compressed in fewer bytes is read byte by byte as well. */
    private static final int SMALL = 2_000;

    private static Answer drain(Opening opening, IntSupplier readBytes) {
        var bytes = new ByteArrayOutputStream();
        try (InputStream in = opening.open()) {
            while (true) {
                int most = readBytes.getAsInt(), got = in.read(SOME, 0, most);
                assertTrue(got != 0 && got <= most);
                if (got < 0) return new Answer(bytes.toByteArray(), null);
                bytes.write(SOME, 0, got);
            }
        } catch (IOException e) {
            return new Answer(bytes.toByteArray(), e);
        }
    }

    private static Answer ours(byte[] gzip) {
        return drain(() -> new Gunzip(new ByteArrayInputStream(gzip)), () -> LARGE_READ);
    }

    private static Answer jdks(byte[] gzip) {
        return drain(() -> new GZIPInputStream(new ByteArrayInputStream(gzip)), () -> 1);
    }

    private static Answer sameAsJdk(byte[] gzip, String what) {
        Answer ours = ours(gzip), jdks = jdks(gzip);
        assertTrue(ours.same(jdks), () -> what + ": " + ours + " but the JDK: " + jdks);
        if (gzip.length < SMALL) {
            Answer slowly = drain(() -> new Gunzip(trickle(gzip, 1)), () -> LARGE_READ);
            assertArrayEquals(ours.bytes, slowly.bytes, what);
            assertEquals(String.valueOf(ours.damage), String.valueOf(slowly.damage), what);
        }
        return ours;
    }

    /** A source that gives a few bytes at a time. */
    private static InputStream trickle(byte[] bytes, int atOnce) {
        return new ByteArrayInputStream(bytes) {
            @Override public int read(byte[] into, int at, int most) {
                return super.read(into, at, Math.min(most, atOnce));
            }
        };
    }

    private static void comesBack(byte[] data, byte[] gzip, String what) {
        Answer answer = ours(gzip);
        assertNull(answer.damage, what);
        assertArrayEquals(data, answer.bytes, what);
    }

    // ==== What is compressed ====

    private static final int[] STRATEGIES = {Deflater.DEFAULT_STRATEGY, Deflater.FILTERED, Deflater.HUFFMAN_ONLY};
    private static final byte[] HEADER = {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, 0};

    private static byte[] gzip(byte[] data) { return gzip(data, Deflater.DEFAULT_COMPRESSION, 0); }

    private static byte[] gzip(byte[] data, int level, int strategy) {
        try (var deflater = new Deflater(level, true)) {
            deflater.setStrategy(strategy);
            deflater.setInput(data);
            deflater.finish();
            var out = new ByteArrayOutputStream();
            byte[] some = new byte[1 << 16];
            while (!deflater.finished()) out.write(some, 0, deflater.deflate(some));
            return member(HEADER, out.toByteArray(), data);
        }
    }

    private static byte[] member(byte[] header, byte[] deflated, byte[] data) {
        var crc = new CRC32();
        crc.update(data);
        byte[] trailer = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putInt((int) crc.getValue())
                .putInt(data.length).array();
        return join(header, deflated, trailer);
    }

    private static byte[] join(byte[]... parts) {
        var all = new ByteArrayOutputStream();
        for (byte[] part : parts) all.writeBytes(part);
        return all.toByteArray();
    }

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) bytes[i] = (byte) values[i];
        return bytes;
    }

    private static byte[] random(int seed, int count) {
        byte[] data = new byte[count];
        new SplittableRandom(seed).nextBytes(data);
        return data;
    }

    private static byte[] k6(int seed, int lines) {
        var random = new SplittableRandom(seed);
        var text = new StringBuilder();
        for (int i = 0; i < lines; i++) {
            text.append("{\"metric\":\"http_req_").append(i % 3 == 0 ? "duration" : "waiting")
                    .append("\",\"type\":\"Point\",\"data\":{\"time\":\"2026-11-22T04:50:").append(10 + i / 100 % 50)
                    .append('.').append(random.nextInt(1_000_000)).append("Z\",\"value\":").append(random.nextDouble())
                    .append(",\"tags\":{\"expected_response\":\"true\",\"name\":\"java\",\"status\":\"200\"}}}\n");
        }
        return text.toString().getBytes(UTF_8);
    }

    /** Stretches of noise, of few letters, of one byte, and of what was before at any distance. */
    private static byte[] mixed(int seed, int count) {
        var random = new SplittableRandom(seed);
        byte[] data = new byte[count];
        for (int at = 0; at < count; ) {
            int end = Math.min(count, at + 1 + random.nextInt(1 << random.nextInt(14))), kind = random.nextInt(4);
            int letters = kind == 0 ? 256 : kind == 1 ? 4 : 1, back = 1 + random.nextInt(Math.max(1, at));
            byte one = (byte) random.nextInt(256);
            for (; at < end; at++)
                data[at] = kind == 3 && at >= back ? data[at - back] : (byte) (one + random.nextInt(letters));
        }
        return data;
    }

    /** Frequencies like Fibonacci's numbers give the longest codes there can be. */
    private static byte[] unevenLetters() {
        var data = new ByteArrayOutputStream();
        for (int letter = 0, count = 1, before = 1; letter < 19; letter++) {
            for (int i = 0; i < count; i++) data.write(letter);
            count = before + (before = count);
        }
        byte[] sorted = data.toByteArray(), shuffled = sorted.clone();
        var random = new SplittableRandom(3);
        for (int i = shuffled.length - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            byte kept = shuffled[i];
            shuffled[i] = shuffled[other];
            shuffled[other] = kept;
        }
        return shuffled;
    }

    // ==== Whole data ====

    @Test void what_was_deflated_in_any_way_comes_back() {
        var all = Map.of("k6", k6(1, 3_000), "noise", random(1, 300_000), "zeros", new byte[1_000_000],
                "mixed", mixed(1, 500_000), "uneven", unevenLetters());
        all.forEach((name, data) -> {
            for (int strategy : STRATEGIES) for (int level = 0; level <= 9; level++)
                comesBack(data, gzip(data, level, strategy), name + ", level " + level + ", strategy " + strategy);
        });
    }

    @Test void data_of_any_size_come_back() {
        for (int size = 0; size < 600; size++) comesBack(mixed(size, size), gzip(mixed(size, size)), "size " + size);
        for (int seed = 0; seed < 400; seed++) {
            var random = new SplittableRandom(seed);
            byte[] data = mixed(seed, random.nextInt(1 << random.nextInt(19)));
            comesBack(data, gzip(data, random.nextInt(10), STRATEGIES[random.nextInt(3)]), "seed " + seed);
        }
    }

    @Test void reads_and_sources_of_any_size_give_the_same_bytes() {
        byte[] data = join(k6(2, 500), mixed(2, 70_000)), gzip = gzip(data);
        int[] sizes = {1, 2, 3, 7, 255, 4_096, 65_535, 65_536, 65_537, SOME.length};
        for (int readBytes : sizes) for (int sourceBytes : sizes) {
            Answer answer = drain(() -> new Gunzip(trickle(gzip, sourceBytes)), () -> readBytes);
            assertNull(answer.damage);
            assertArrayEquals(data, answer.bytes, readBytes + " of " + sourceBytes);
        }
    }

    @Test void a_match_may_end_where_the_array_does() {
        byte[] data = new byte[200_000], gzip = gzip(data);
        for (int most = 65_536; most < 65_536 + 258; most++) {
            int readBytes = most;
            Answer answer = drain(() -> new Gunzip(new ByteArrayInputStream(gzip)), () -> readBytes);
            assertArrayEquals(data, answer.bytes, "reads of " + most);
        }
    }

    @Test void single_bytes_and_parts_of_arrays_can_be_read() throws IOException {
        try (var in = new Gunzip(new ByteArrayInputStream(gzip(bytes(1, 255, 3, 4))))) {
            assertEquals(1, in.read());
            assertEquals(255, in.read());
            byte[] part = bytes(9, 9, 9, 9, 9);
            assertEquals(0, in.read(part, 5, 0));
            assertEquals(2, in.read(part, 1, 3));
            assertArrayEquals(bytes(9, 3, 4, 9, 9), part);
            assertEquals(-1, in.read());
            assertEquals(-1, in.read(part));
            assertThrows(IndexOutOfBoundsException.class, () -> in.read(part, 3, 3));
        }
    }

    @Test void what_can_be_inflated_is_given_before_more_is_read() throws IOException {
        byte[] data = mixed(4, 200_000), some = new byte[300_000];
        int deflated;
        try (var deflater = new Deflater(6, true)) {
            deflater.setInput(data);
            deflated = deflater.deflate(some, 0, some.length, Deflater.SYNC_FLUSH);
        }
        byte[] flushed = join(HEADER, Arrays.copyOf(some, deflated));
        for (int readBytes : new int[] {1_000, LARGE_READ}) {
            var in = new Gunzip(new SequenceInputStream(new ByteArrayInputStream(flushed), new InputStream() {
                @Override public int read() { throw new AssertionError("this would have to be waited for"); }
            }));
            byte[] got = new byte[data.length];
            for (int at = 0; at < got.length; )
                at += in.read(got, at, Math.min(readBytes, got.length - at));
            assertArrayEquals(data, got);
        }
    }

    // ==== Members ====

    @Test void members_follow_each_other_and_some_are_empty() {
        byte[] empty = gzip(new byte[0]), one = gzip(k6(1, 100)), other = gzip(mixed(1, 100_000));
        comesBack(new byte[0], empty, "empty");
        byte[] all = join(k6(1, 100), mixed(1, 100_000), k6(1, 100));
        comesBack(all, join(one, empty, empty, other, one, empty), "several");
    }

    @Test void a_match_can_not_reach_into_the_member_before() throws IOException {
        var bits = new Bits().fixedBlock(true).match(3, 1).symbol(256);
        byte[] second = member(HEADER, bits.bytes(), new byte[3]);
        Answer answer = sameAsJdk(join(gzip(new byte[100]), second), "reaching back");
        assertEquals(100, answer.bytes.length);
        assertInstanceOf(ZipException.class, answer.damage);
    }

    @Test void all_fields_of_a_header_are_passed_over() {
        byte[] data = k6(1, 10), plain = gzip(data), body = Arrays.copyOfRange(plain, 10, plain.length);
        byte[] extra = join(bytes(0, 1), new byte[256]), name = "a name\0".getBytes(UTF_8);
        for (int flags = 0; flags < 256; flags++) {
            byte[] header = join(bytes(0x1f, 0x8b, 8, flags, 1, 2, 3, 4, 5, 6), (flags & 4) != 0 ? extra : new byte[0],
                    (flags & 8) != 0 ? name : new byte[0], (flags & 16) != 0 ? name : new byte[0]);
            var crc = new CRC32();
            crc.update(header);
            int sum = (int) crc.getValue();
            boolean summed = (flags & 2) != 0;
            comesBack(data, join(header, summed ? bytes(sum, sum >> 8) : new byte[0], body), "flags " + flags);
            if (summed) assertEquals("the gzip header's CRC is wrong",
                    ours(join(header, bytes(sum + 1, sum >> 8), body)).damage.getMessage());
            sameAsJdk(join(header, body), "flags without sum " + flags);
        }
    }

    @Test void zeros_between_members_and_behind_them_are_padding() {
        byte[] data = k6(1, 10), gzip = gzip(data);
        for (int zeros : new int[] {1, 2, 1000, 100_000}) {
            comesBack(data, join(gzip, new byte[zeros]), zeros + " behind");
            comesBack(join(data, data), join(gzip, new byte[zeros], gzip, new byte[zeros]), zeros + " between");
        }
    }

    @Test void what_else_follows_a_member_is_damage_after_all_that_the_member_held() {
        byte[] data = k6(1, 10), gzip = gzip(data), damaged = gzip.clone();
        damaged[1]++;
        for (byte[] junk : List.of(bytes(0x1f), bytes(0x1f, 0x8b), bytes(0x1f, 0x8b, 7, 0), "text".getBytes(UTF_8),
                join(new byte[9], "text".getBytes(UTF_8)), Arrays.copyOf(HEADER, 9), HEADER, damaged)) {
            Answer answer = ours(join(gzip, junk));
            assertArrayEquals(data, answer.bytes);
            assertNotNull(answer.damage, () -> HexFormat.of().formatHex(junk));
        }
    }

    // ==== What zlib would not write ====

    /** Deflated data, bit by bit. */
    private static final class Bits {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private int held, count;

        Bits put(int value, int bits) {
            for (int i = 0; i < bits; i++) {
                held |= (value >> i & 1) << count++;
                if (count == 8) flush();
            }
            return this;
        }

        Bits code(int code, int bits) { return put(Integer.reverse(code) >>> 32 - bits, bits); }

        Bits fixedBlock(boolean last) { return put(last ? 1 : 0, 1).put(1, 2); }

        /** A symbol of a fixed block. */
        Bits symbol(int symbol) {
            if (symbol < 144) return code(0x30 + symbol, 8);
            if (symbol < 256) return code(0x190 + symbol - 144, 9);
            return symbol < 280 ? code(symbol - 256, 7) : code(0xc0 + symbol - 280, 8);
        }

        Bits match(int length, int distance) {
            int symbol = 257, least = 3;
            while (symbol < 284 && length >= least + (1 << extra(symbol - 257, 4)))
                least += 1 << extra(symbol++ - 257, 4);
            if (length == 258) symbol(285);
            else symbol(symbol).put(length - least, extra(symbol - 257, 4));
            int code = 0;
            least = 1;
            while (distance >= least + (1 << extra(code, 2))) least += 1 << extra(code++, 2);
            return code(code, 5).put(distance - least, extra(code, 2));
        }

        private static int extra(int code, int each) { return Math.max(0, code / each - 1); }

        private void flush() {
            out.write(held);
            held = count = 0;
        }

        byte[] bytes() {
            if (count > 0) flush();
            return out.toByteArray();
        }
    }

    @Test void matches_of_all_lengths_and_distances_come_back() {
        for (int seed = 0; seed < 60; seed++) {
            var random = new SplittableRandom(seed);
            var bits = new Bits().fixedBlock(true);
            byte[] data = new byte[500_000];
            int size = 0;
            while (size < data.length - 258) {
                if (size == 0 || random.nextInt(40) == 0) {
                    data[size] = (byte) random.nextInt(256);
                    bits.symbol(data[size++] & 0xff);
                }
                int length = 3 + random.nextInt(256), most = Math.min(size, 32_768);
                int distance = switch (random.nextInt(4)) {
                    case 0 -> 1 + random.nextInt(most);
                    case 1 -> most;
                    case 2 -> 1 + random.nextInt(Math.min(most, 300));
                    default -> Math.max(1, most - random.nextInt(300));
                };
                bits.match(length, distance);
                for (int i = 0; i < length; i++, size++) data[size] = data[size - distance];
            }
            data = Arrays.copyOf(data, size);
            byte[] gzip = member(HEADER, bits.symbol(256).bytes(), data);
            comesBack(data, gzip, "seed " + seed);
            Answer small = drain(() -> new Gunzip(trickle(gzip, 1_000)), () -> 1 + random.nextInt(LARGE_READ));
            assertArrayEquals(data, small.bytes, "seed " + seed);
        }
    }

    @Test void a_match_that_reaches_back_too_far_is_refused_and_all_before_it_is_given() {
        for (int before : new int[] {0, 1, 100, 32_767, 32_768, 100_000}) {
            var bits = new Bits().fixedBlock(true);
            for (int i = 0; i < before; i++) bits.symbol(i & 0xff);
            byte[] gzip = join(HEADER, bits.match(10, Math.min(before + 1, 32_768)).symbol(256).bytes(), new byte[8]);
            Answer answer = sameAsJdk(gzip, "before " + before);
            assertEquals(before + (before < 32_768 ? 0 : 10), answer.bytes.length);
            assertInstanceOf(ZipException.class, answer.damage);
        }
    }

    /** Lengths of codes that use up all codes, mostly; else one is changed, none is left, or just one is. */
    private static int[] codeLengths(SplittableRandom random, int count) {
        int[] lengths = new int[count];
        int codes = 1 + random.nextInt(count), deepest = random.nextBoolean() ? 2 : count;
        List<Integer> tree = new ArrayList<>(List.of(1, 1));
        while (tree.size() < codes) {
            int leaf = random.nextInt(Math.min(tree.size(), deepest)), length = tree.get(leaf);
            if (length == 15) break;
            tree.set(leaf, length + 1);
            tree.addFirst(length + 1);
        }
        List<Integer> places = new ArrayList<>(IntStream.range(0, count).boxed().toList());
        Collections.shuffle(places, new Random(random.nextLong()));
        for (int i = 0; i < Math.min(count, tree.size()); i++) lengths[places.get(i)] = tree.get(i);
        switch (random.nextInt(12)) {
            case 0 -> lengths[random.nextInt(count)] = random.nextInt(16);
            case 1 -> Arrays.fill(lengths, 0);
            case 2 -> {
                Arrays.fill(lengths, 0);
                lengths[random.nextInt(count)] = 1 + random.nextInt(2);
            }
            default -> { }
        }
        return lengths;
    }

    private static final int[] LENGTHS_ORDER = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

    @Test void lengths_of_codes_must_use_up_their_own_codes() {
        // All would go well if the code 1, which nothing has, were taken for three lengths of 0.
        var bits = new Bits().put(1, 1).put(2, 2).put(259 - 257, 5).put(3 - 1, 5).put(15, 4);
        for (int length : LENGTHS_ORDER) bits.put(length == 8 ? 1 : 0, 3);
        bits.code(1, 1).put(0, 3);
        for (int i = 3; i < 259; i++) bits.code(0, 1);
        bits.code(1, 1).put(0, 3).code(256 - 3, 8);
        Answer answer = sameAsJdk(member(HEADER, bits.bytes(), new byte[0]), "one length");
        assertEquals("a block leaves codes unused", answer.damage.getMessage());
    }

    @Test void any_codes_and_any_bits_in_them_are_what_they_are_to_the_jdk() {
        int refused = 0, delivered = 0;
        for (int seed = 0; seed < 30_000; seed++) {
            var random = new SplittableRandom(seed);
            var bits = new Bits();
            if (random.nextBoolean()) {
                bits.fixedBlock(false);
                for (int i = 0; i < 40; i++) bits.symbol('a' + i % 26);
                bits.symbol(256);
            }
            int symbolCount = 257 + random.nextInt(random.nextInt(20) == 0 ? 32 : 30);
            int distanceCount = 1 + random.nextInt(random.nextInt(20) == 0 ? 32 : 30);
            bits.put(1, 1).put(2, 2).put(symbolCount - 257, 5).put(distanceCount - 1, 5).put(15, 4);
            // Lengths 0 to 15 have codes of four bits each, 16 to 18 none: so each length is written as it is.
            for (int length : LENGTHS_ORDER) bits.put(length < 16 ? 4 : 0, 3);
            int[] symbols = codeLengths(random, symbolCount);
            if (symbols[256] == 0 && random.nextInt(10) > 0) {
                int used = IntStream.range(0, symbolCount).filter(i -> symbols[i] > 0).findFirst().orElse(256);
                symbols[256] = symbols[used];
                if (used != 256) symbols[used] = 0;
            }
            for (int length : symbols) bits.code(length, 4);
            for (int length : codeLengths(random, distanceCount)) bits.code(length, 4);
            for (int i = 0, n = random.nextInt(200); i < n; i++) bits.put(random.nextInt(256), 8);
            Answer answer = sameAsJdk(join(HEADER, bits.bytes()), "seed " + seed);
            if (answer.bytes.length == 0 || answer.bytes.length == 40) refused++;
            else delivered++;
        }
        assertTrue(refused > 2_000 && delivered > 2_000, refused + " refused, " + delivered + " delivered");
    }

    // ==== Damage ====

    private static List<byte[]> smallOnes() {
        return List.of(gzip(k6(1, 20)), gzip(mixed(5, 3_000)), gzip(random(1, 300)), gzip(random(1, 300), 0, 0),
                gzip("fixed".getBytes(UTF_8)), gzip(new byte[2_000]), gzip(unevenLetters(), 6, Deflater.HUFFMAN_ONLY),
                join(gzip(k6(1, 5)), gzip(k6(2, 5))));
    }

    @Test void cut_data_give_all_that_is_there_and_then_say_that_they_end() {
        for (byte[] gzip : smallOnes()) {
            for (int size = 0; size < gzip.length; size += gzip.length > 2_000 ? 7 : 1) {
                Answer answer = sameAsJdk(Arrays.copyOf(gzip, size), "cut at " + size);
                if (answer.damage != null) assertInstanceOf(EOFException.class, answer.damage, "cut at " + size);
            }
        }
    }

    @Test void the_end_and_damage_stay_where_they_are() throws IOException {
        byte[] gzip = gzip(k6(1, 20));
        gzip[gzip.length - 8]++;
        for (byte[] bad : List.of(gzip, Arrays.copyOf(gzip, 200))) {
            var in = new Gunzip(new ByteArrayInputStream(bad));
            byte[] some = new byte[LARGE_READ];
            assertTrue(in.read(some) > 0);
            IOException first = assertThrows(IOException.class, () -> in.read(some));
            assertSame(first.getClass(), assertThrows(IOException.class, () -> in.read(some)).getClass());
        }
    }

    @Test void damaged_data_are_refused_where_the_jdk_refuses_them() {
        List<byte[]> whole = smallOnes();
        for (int seed = 0; seed < 8_000; seed++) {
            var random = new SplittableRandom(seed);
            byte[] gzip = whole.get(seed % whole.size()).clone();
            for (int i = random.nextInt(3); i >= 0; i--) {
                int at = random.nextInt(random.nextBoolean() ? gzip.length : Math.min(gzip.length, 100));
                gzip[at] = (byte) (random.nextBoolean() ? gzip[at] ^ 1 << random.nextInt(8) : random.nextInt(256));
            }
            sameAsJdk(gzip, "seed " + seed);
        }
    }

    @Test void noise_is_refused_where_the_jdk_refuses_it() {
        for (int seed = 0; seed < 20_000; seed++) {
            byte[] noise = random(seed, seed % 400);
            sameAsJdk(noise, "seed " + seed);
            sameAsJdk(join(HEADER, noise), "behind a header, seed " + seed);
        }
    }

    @Test void what_is_wrong_is_said() {
        byte[] empty = gzip(new byte[0]), badCrc = empty.clone(), badSize = empty.clone();
        badCrc[badCrc.length - 8]++;
        badSize[badSize.length - 1]++;
        var expected = new LinkedHashMap<byte[], String>();
        expected.put(new byte[0], "the compressed data end too early");
        expected.put("text".getBytes(UTF_8), "not in gzip format");
        expected.put(bytes(0x1f, 0x8b, 7), "gzip with an unknown method of compression");
        expected.put(badCrc, "the CRC-32 of what was inflated is wrong");
        expected.put(badSize, "the size of what was inflated is wrong");
        expected.put(join(HEADER, bytes(0b111)), "a block is of no known type");
        expected.put(join(HEADER, bytes(0b001, 1, 0, 1, 0)), "a stored block's length is wrong");
        expected.put(join(HEADER, bytes(0b11111101, 0xff)), "a block has too many codes");
        expected.put(join(HEADER, new Bits().fixedBlock(true).symbol(286).bytes()), "a code stands for nothing");
        expected.put(join(HEADER, new Bits().fixedBlock(true).symbol(257).code(30, 5).bytes()),
                "a code stands for nothing");
        expected.put(join(HEADER, new Bits().fixedBlock(true).match(3, 1).bytes()), "a match reaches back too far");
        expected.forEach((bad, message) -> assertEquals(message, ours(bad).damage.getMessage()));
    }
}
