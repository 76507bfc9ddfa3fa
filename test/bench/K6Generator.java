///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DESCRIPTION Writes a synthetic k6 JSON file of any size, of which the exact answer is known

// How large a file, in which of k6's shapes, with which answer? `./jbang test/bench/K6Generator.java 5GB new FILE`
//
// What it writes is SYNTHETIC: the lines have the form, the tags and the order that k6 gives them, but nobody sent a
// request. A request is twelve lines (about 4.9 KB): k6's nine HTTP metrics, answer_ms, iteration_duration and
// iterations. Requests come 1,500 a second, round-robin over twelve variants in an order that a seed shuffles; one in
// 200 fails.
//
// The answer is known because nothing is drawn: the durations of a variant are the numbers duration(k) for k in 0 until
// n, each of them once, in an order that a full-period step through 0 until n gives. The k-th smallest is therefore
// duration(k).

import module java.base;

final class K6Generator {
    /**
     * The three writers: up to 0.40 the metric comes last and tags in any turn; then they are sorted; 2.0 escapes
     * less. IDS is NEW with a URL of its own, two ids in it, for each request of five of the twelve variants.
     */
    enum Shape { OLD, EASYJSON, NEW, IDS }

    static final int VARIANTS = 12, LINES_PER_REQUEST = 12, FAILED_ONE_IN = 200;
    static final String TEST_NAME = "cells <1> & \"2\"";
    /** Go begins to write a map anywhere, but then goes on in one order. */
    private static final int TURNS = 8;
    private static final long START_NS = 1_767_225_600L * 1_000_000_000L, STEP_NS = 666_667;
    private static final String[] METRICS = {"http_reqs", "http_req_duration", "http_req_blocked",
            "http_req_connecting",
            "http_req_tls_handshaking", "http_req_sending", "http_req_waiting", "http_req_receiving", "http_req_failed",
            "answer_ms", "iteration_duration", "iterations"};

    public static void main(String... args) throws IOException {
        if (args.length < 3) {
            System.err.println("usage: K6Generator SIZE(64MB, 5GB) old|easyjson|new|ids FILE[.gz] [SEED]");
            System.exit(2);
        }
        Shape shape = Shape.valueOf(args[1].toUpperCase(Locale.ROOT));
        long seed = args.length > 3 ? Long.parseLong(args[3]) : 1;
        try (OutputStream file = Files.newOutputStream(Path.of(args[2]));
             OutputStream out = args[2].endsWith(".gz") ? new GZIPOutputStream(file, 1 << 16) : file) {
            new K6Generator(shape, requests(bytes(args[0]), shape), seed).write(out);
        }
    }

    /** 64MB or 5GB in bytes. */
    static long bytes(String size) {
        long unit = size.endsWith("GB") ? 1_000_000_000L : 1_000_000L;
        return Long.parseLong(size.substring(0, size.length() - 2)) * unit;
    }

    /** How many requests make a file of about this size; a whole number for each variant. */
    static long requests(long bytes, Shape shape) {
        ByteArrayOutputStream sample = new ByteArrayOutputStream();
        try {
            new K6Generator(shape, 100 * VARIANTS, 1).write(sample);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return Math.max(1, bytes / (sample.size() / 100)) * VARIANTS;
    }

    /**
     * Nanoseconds of a variant's request whose duration is the k-th smallest of n: from 3 ms to about 1.2 s, skewed.
     */
    static long durationNs(int variant, long k, long n) {
        double p = (k + 0.5) / n;
        return (long) (3e6 * (1 + 0.1 * variant) * StrictMath.exp(2.5 * p * p + 3.5 * StrictMath.pow(p, 40))) + k;
    }

    private final Shape shape;
    private final long requests;
    private final SplittableRandom random;
    private final byte[][] heads = new byte[METRICS.length][];
    /** By variant and failure, metric, and turn of the tags. */
    private final byte[][][][] tails = new byte[2 * VARIANTS][METRICS.length][TURNS][];
    private byte[] buffer = new byte[1 << 20];
    private int size;

    K6Generator(Shape shape, long requests, long seed) {
        this.shape = shape;
        this.requests = requests;
        random = new SplittableRandom(seed);
        for (int metric = 0; metric < METRICS.length; metric++) {
            heads[metric] = utf8(shape == Shape.OLD ? "{\"type\":\"Point\",\"data\":{\"time\":\""
                    : "{\"metric\":\"" + METRICS[metric] + "\",\"type\":\"Point\",\"data\":{\"time\":\"");
            String end = shape == Shape.OLD ? "},\"metric\":\"" + METRICS[metric] + "\"}\n" : "}}\n";
            for (int i = 0; i < tails.length; i++)
                for (int turn = 0; turn < TURNS; turn++)
                    tails[i][metric][turn] = utf8(",\"tags\":" + tags(metric, i / 2, i % 2 == 1, turn) + end);
        }
    }

    private static byte[] utf8(String text) { return text.getBytes(StandardCharsets.UTF_8); }

    static String variant(int number) {
        return List.of("python", "rust", "java").get(number % 3) + List.of("-standard", "-lmi").get(number / 3 % 2)
                + List.of("-1769", "-2048").get(number / 6);
    }

    private static final String ORDER = "/orders/00000000-0000-4000-8000-000000000000/items/0000000";

    private boolean hasIds(int variant) { return shape == Shape.IDS && List.of(1, 3, 6, 8, 11).contains(variant); }

    /** Writes the request's number over all digits of its ids, wherever they have been put since. */
    private void number(long request, int from) {
        for (int at = from; at < size - ORDER.length(); at++) {
            if (buffer[at] != '/' || buffer[at + 1] != 'o' || buffer[at + 7] != '/') continue;
            int end = at + ORDER.length();
            for (long left = request, i = 1; i <= 7; i++, left /= 10)
                buffer[end - (int) i] = buffer[at + 44 - (int) i] = (byte) ('0' + left % 10);
            at = end;
        }
    }

    private String tags(int metric, int variant, boolean failed, int turn) {
        String name = variant(variant), url = "http://127.0.0.1:8080/" + name + (hasIds(variant) ? ORDER : "/store");
        Map<String, String> tags = new TreeMap<>(Map.of("scenario", name, "variant", name, "workload", "store",
                "language", name.substring(0, name.indexOf('-')), "phase", "steady", "group", "", "test", TEST_NAME));
        if (metric < 9) tags.putAll(Map.of("method", "GET", "name", url, "url", url, "proto", "HTTP/1.1",
                "status", failed ? "503" : "200", "expected_response", failed ? "false" : "true"));
        if (metric < 9 && failed) tags.put("error_code", "1503");
        if (metric == 9) tags.putAll(Map.of("outcome", failed ? "http_5xx" : "correct", "cold", "false"));
        List<String> fields = new ArrayList<>();
        tags.forEach((tag, value) -> fields.add('"' + tag + "\":\"" + escaped(value) + '"'));
        if (shape == Shape.OLD) Collections.rotate(fields, turn);
        return "{" + String.join(",", fields) + "}";
    }

    /** As the writer does it: easyjson escapes HTML in strings, up to k6 2.0; encoding/json is asked not to. */
    private String escaped(String value) {
        String quoted = value.replace("\\", "\\\\").replace("\"", "\\\"");
        return shape == Shape.NEW || shape == Shape.IDS ? quoted
                : quoted.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026");
    }

    /** Writes the whole file: k6's declarations first, then request after request. */
    void write(OutputStream out) throws IOException {
        for (int metric = 0; metric < METRICS.length; metric++) declare(metric);
        long each = requests / VARIANTS, step = stride(each);
        long[] position = new long[VARIANTS];
        for (int v = 0; v < VARIANTS; v++) position[v] = random.nextLong(each);
        int[] order = IntStream.range(0, VARIANTS).toArray();
        long timeNs = START_NS;
        for (long round = 0; round < each; round++) {
            shuffle(order);
            for (int variant : order) {
                request(variant, position[variant], each, timeNs += STEP_NS);
                position[variant] = (position[variant] + step) % each;
                if (size > buffer.length / 2) {
                    out.write(buffer, 0, size);
                    size = 0;
                }
            }
        }
        out.write(buffer, 0, size);
    }

    /** A step near the golden section that has no divisor in common with n, so that it visits all of 0 until n. */
    private static long stride(long n) {
        long step = (long) (n * 0.618) + 1;
        while (gcd(step, n) != 1) step++;
        return step;
    }

    private static long gcd(long a, long b) { return b == 0 ? a : gcd(b, a % b); }

    private void shuffle(int[] order) {
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1), kept = order[i];
            order[i] = order[j];
            order[j] = kept;
        }
    }

    private void declare(int metric) {
        String type = switch (METRICS[metric]) {
            case "http_reqs", "iterations" -> "counter";
            case "http_req_failed" -> "rate";
            default -> "trend";
        };
        put(utf8("""
                {"type":"Metric","data":{"name":"%1$s","type":"%2$s","contains":"%3$s","thresholds":[],\
                "submetrics":null},"metric":"%1$s"}
                """.formatted(METRICS[metric], type, type.equals("trend") ? "time" : "default")));
    }

    private void request(int variant, long k, long n, long timeNs) {
        boolean failed = k % FAILED_ONE_IN == FAILED_ONE_IN - 1;
        long duration = durationNs(variant, k, n), sending = 11_000 + k % 7_919, receiving = 41_000 + k % 104_729;
        for (int metric = 0; metric < METRICS.length; metric++) {
            long value = switch (metric) {
                case 0, 11 -> 1_000_000;
                case 1, 9 -> duration;
                case 2 -> 1_000 + k % 4_001;
                case 3, 4 -> 0;
                case 5 -> sending;
                case 6 -> duration - sending - receiving;
                case 7 -> receiving;
                case 8 -> failed ? 1_000_000 : 0;
                default -> duration + 250_000 + k % 50_021;
            };
            put(heads[metric]);
            time(timeNs + (metric < 9 ? 0 : 31_000L * metric));
            put(MIDDLE);
            millis(value);
            int tail = size;
            put(tails[2 * variant + (failed ? 1 : 0)][metric][shape == Shape.OLD ? random.nextInt(TURNS) : 0]);
            if (hasIds(variant)) number((timeNs - START_NS) / STEP_NS, tail);
        }
    }

    private static final byte[] MIDDLE = "\",\"value\":".getBytes(StandardCharsets.US_ASCII);

    private static final DateTimeFormatter SECONDS = DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss");

    private long formattedSecond = -1;
    private byte[] formatted;

    /** As Go prints it: no zeros at the end of the fraction, and no fraction when it is zero. */
    private void time(long ns) {
        long second = ns / 1_000_000_000L;
        if (second != formattedSecond) {
            formattedSecond = second;
            formatted = utf8(LocalDateTime.ofEpochSecond(second, 0, ZoneOffset.UTC).format(SECONDS));
        }
        put(formatted);
        fraction(ns % 1_000_000_000L, 9);
        buffer[size++] = 'Z';
    }

    private void millis(long ns) {
        long whole = ns / 1_000_000;
        int from = size;
        do buffer[size++] = (byte) ('0' + whole % 10); while ((whole /= 10) > 0);
        for (int i = from, j = size - 1; i < j; i++, j--) {
            byte kept = buffer[i];
            buffer[i] = buffer[j];
            buffer[j] = kept;
        }
        fraction(ns % 1_000_000, 6);
    }

    private void fraction(long part, int digits) {
        if (part == 0) return;
        buffer[size] = '.';
        for (int i = digits; i > 0; i--, part /= 10) buffer[size + i] = (byte) ('0' + part % 10);
        size += digits + 1;
        while (buffer[size - 1] == '0') size--;
    }

    private void put(byte[] bytes) {
        System.arraycopy(bytes, 0, buffer, size, bytes.length);
        size += bytes.length;
    }
}
