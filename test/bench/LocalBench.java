///usr/bin/env jbang "$0" "$@" ; exit $?
// What does Lambda on this machine cost by itself, and is its concurrency real?
//
//     ./jbang test/bench/LocalBench.java                   the first two of these
//     ./jbang test/bench/LocalBench.java overhead          "hello" through door and Runtime API, beside a bare HTTP server
//     ./jbang test/bench/LocalBench.java concurrency       io of 100 ms: sixteen at once on LMI, one after the other on standard
//     ./jbang test/bench/LocalBench.java stores 10000      so many stores through each variant: exactly so many objects and items
//
// Door, functions and caller are processes of their own; the first and the last are on the same core, so their latency holds
// the waiting for each other. The caller is a loop over a socket, the cheapest there is. To be run on an idle machine.

//JAVA 25
//SOURCES ../../local.java

import module java.base;

final class LocalBench {
    /** Past the JIT's warm-up, and few enough for a minute in all. */
    private static final int WARM_UP = 20_000, REQUESTS = 20_000;
    private static final Duration CONCURRENCY = Duration.ofSeconds(10);
    private static final String BARE_REPLY = "{\"message\":\"hello\",\"variant\":\"none\",\"environment\":\"none\",\"cold\":false,\"pid\":1,\"cpuNs\":1}";

    public static void main(String... args) throws Exception {
        switch (args.length == 0 ? "" : args[0]) {
            case "" -> {
                overhead();
                concurrency();
            }
            case "overhead" -> overhead();
            case "concurrency" -> concurrency();
            case "stores" -> stores(Integer.parseInt(args[1]));
            case "bare" -> bare();
            default -> throw new IllegalArgumentException("overhead, concurrency or stores COUNT");
        }
        System.exit(0);
    }

    // ==== Overhead ====

    private static void overhead() throws Exception {
        System.out.println("| served by | users | requests/s | p50 [ms] | p99 [ms] | function's own p50 [ms] | its host's CPU [us/request] |");
        System.out.println("|---|---:|---:|---:|---:|---:|---:|");
        var bare = Children.builder(onOthers(javaCommand("LocalBench", "bare"))).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        int port = Integer.parseInt(bare.inputReader().readLine());
        for (int users : new int[] {1, 16}) row("a bare HTTP server", bare.pid(), port, "/hello", users, List::of);
        Children.kill(bare);
        try (var site = new Site(List.of("rust-standard-1769", "rust-lmi-2048"))) {
            row("rust-standard-1769", site.pid, site.port, "/rust-standard-1769/hello", 1, () -> site.durationsMs("rust-standard-1769"));
            for (int users : new int[] {1, 16}) {
                row("rust-lmi-2048", site.pid, site.port, "/rust-lmi-2048/hello", users, () -> site.durationsMs("rust-lmi-2048"));
            }
        }
    }

    private static void row(String name, long server, int port, String path, int users, Callable<List<Double>> durationsMs) throws Exception {
        load(port, path, users, WARM_UP / users);
        durationsMs.call();
        long cpuNs = Machine.usage(Set.of(server)).get(server).cpuNs(), beginNs = System.nanoTime();
        long[] latenciesNs = load(port, path, users, REQUESTS / users);
        double seconds = (System.nanoTime() - beginNs) / 1e9;
        double cpuUs = (Machine.usage(Set.of(server)).get(server).cpuNs() - cpuNs) / 1e3 / latenciesNs.length;
        var own = durationsMs.call();
        System.out.printf(Locale.ROOT, "| %s | %d | %.0f | %.3f | %.3f | %s | %.0f |%n", name, users, latenciesNs.length / seconds,
                latenciesNs[latenciesNs.length / 2] / 1e6, latenciesNs[latenciesNs.length * 99 / 100] / 1e6,
                own.isEmpty() ? "-" : String.format(Locale.ROOT, "%.3f", own.get(own.size() / 2)), cpuUs);
    }

    /** What the door is made of, with nothing behind it. */
    private static void bare() throws Exception {
        byte[] reply = BARE_REPLY.getBytes();
        var server = Http.listen(exchange -> exchange.answer(200, reply));
        System.out.println(server.port());
        Thread.sleep(Long.MAX_VALUE);
    }

    // ==== Concurrency ====

    private static void concurrency() throws Exception {
        System.out.println("\n| io of 100 ms | users | requests/s | refused |");
        System.out.println("|---|---:|---:|---:|");
        var names = MeasuredFunction.all(Path.of("")).keySet().stream()
                .flatMap(language -> Stream.of(language + "-lmi-2048", language + "-standard-1769")).toList();
        try (var site = new Site(names)) {
            for (String name : names) {
                int users = Run.Variant.of(name).concurrency();
                load(site.port, "/" + name + "/io?delay_ms=1", users, 20);
                int each = (int) CONCURRENCY.toMillis() / 100;
                long beginNs = System.nanoTime();
                long[] latenciesNs = load(site.port, "/" + name + "/io?delay_ms=100", users, each);
                System.out.printf(Locale.ROOT, "| %s | %d | %.1f | %d |%n", name, users, latenciesNs.length / ((System.nanoTime() - beginNs) / 1e9),
                        users * each - latenciesNs.length);
            }
        }
    }

    // ==== Stores ====

    private static void stores(int count) throws Exception {
        System.out.println("| variant | stores | objects | items | same ids | bytes | seconds |");
        System.out.println("|---|---:|---:|---:|---|---:|---:|");
        var names = MeasuredFunction.all(Path.of("")).keySet().stream()
                .flatMap(language -> Stream.of(language + "-lmi-2048", language + "-standard-1769")).toList();
        try (var site = new Site(names)) {
            for (String name : names) {
                site.target.ask(new Target.Empty());
                int users = Run.Variant.of(name).lmi() ? 8 : 1;
                long beginNs = System.nanoTime();
                long[] latenciesNs = load(site.port, "/" + name + "/store", users, count / users);
                double seconds = (System.nanoTime() - beginNs) / 1e9;
                var left = site.target.ask(new Target.Stored(null)).stored();
                System.out.printf(Locale.ROOT, "| %s | %d | %d | %d | %s | %d-%d | %.0f |%n", name, latenciesNs.length, left.objects(), left.items(),
                        left.sameIds() ? "yes" : "NO", left.smallestBytes(), left.largestBytes(), seconds);
            }
        }
    }

    // ==== Parts ====

    private static List<String> javaCommand(String main, String argument) {
        return List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx1g", "-XX:+UseG1GC",
                "-cp", System.getProperty("java.class.path"), main, argument);
    }

    private static List<String> onOthers(List<String> command) throws IOException {
        return Stream.concat(Machine.on(Machine.Pinning.ofThisMachine().others()).stream(), command.stream()).toList();
    }

    /** local.java in a process, and a process group, of its own. */
    private static final class Site implements AutoCloseable {
        final Target target;
        final int port;
        final long pid;
        private final Path directory = Files.createTempDirectory("lambda-kit-bench");

        Site(List<String> names) throws Exception {
            var artefacts = new TreeMap<String, MeasuredFunction.Artefact>();
            var variants = names.stream().map(Run.Variant::of).toList();
            var build = new Build(Build.userCache(), _ -> {});
            for (String name : variants.stream().map(Run.Variant::language).distinct().toList()) {
                artefacts.put(name, build.build(MeasuredFunction.read(Path.of("function", name)), Build.Platform.LOCAL));
            }
            var site = Children.conversing(javaCommand("Local", "serve"), ProcessBuilder.Redirect.INHERIT);
            target = new Target(site, _ -> {});
            var started = target.ask(new Target.Start(directory, variants, artefacts));
            target.ask(new Target.Ready(names));
            port = URI.create(started.urls().get(names.getFirst())).getPort();
            pid = site.pid();
        }

        /** The durations of a variant's invocations since this was last asked, in order of size. */
        List<Double> durationsMs(String variant) throws Exception {
            Path file = directory.resolve("invocations.ndjson.gz");
            target.ask(new Target.Collect(List.of(variant), Instant.EPOCH, Instant.now(), file, directory.resolve("metrics.ndjson")));
            var durationsMs = new ArrayList<Double>();
            try (var lines = new BufferedReader(new InputStreamReader(new GZIPInputStream(Files.newInputStream(file))))) {
                for (String line; (line = lines.readLine()) != null;) durationsMs.add(Run.json().readValue(line, Run.Invocation.class).durationMs());
            }
            Collections.sort(durationsMs);
            return durationsMs;
        }

        @Override public void close() throws Exception {
            target.ask(new Target.Remove());
            target.close();
            Disk.delete(directory);
        }
    }

    /** Some users who each ask again as soon as they have their answer; the latencies of the 200s, in order of size. */
    private static long[] load(int port, String path, int users, int requestsEach) throws Exception {
        try (var threads = Executors.newFixedThreadPool(users)) {
            var all = LongStream.builder();
            for (var user : threads.invokeAll(Collections.<Callable<long[]>>nCopies(users, () -> user(port, path, requestsEach)))) {
                for (long latencyNs : user.get()) all.add(latencyNs);
            }
            return all.build().sorted().toArray();
        }
    }

    private static long[] user(int port, String path, int requests) throws IOException {
        byte[] request = ("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").getBytes();
        var latenciesNs = LongStream.builder();
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setTcpNoDelay(true);
            var in = new BufferedInputStream(socket.getInputStream());
            for (int i = 0; i < requests; i++) {
                long beginNs = System.nanoTime();
                socket.getOutputStream().write(request);
                if (readReply(in) == 200) latenciesNs.add(System.nanoTime() - beginNs);
            }
        }
        return latenciesNs.build().toArray();
    }

    /** Reads one reply to its end and returns its status. */
    private static int readReply(InputStream in) throws IOException {
        int status = Integer.parseInt(line(in).split(" ")[1]), length = 0;
        for (String header; !(header = line(in)).isEmpty();) {
            if (header.toLowerCase(Locale.ROOT).startsWith("content-length:")) length = Integer.parseInt(header.substring(15).strip());
        }
        in.skipNBytes(length);
        return status;
    }

    private static String line(InputStream in) throws IOException {
        var line = new StringBuilder();
        for (int c; (c = in.read()) != '\n';) {
            if (c < 0) throw new EOFException("the server hung up");
            if (c != '\r') line.append((char) c);
        }
        return line.toString();
    }
}
