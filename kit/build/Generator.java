// k6 as a process that cannot outlive this one, and what it used.

//SOURCES ../Cli.java
//SOURCES ../record/Run.java
//SOURCES Children.java

import module java.base;

/** Runs k6 once, under a limit. */
final class Generator {
    /** k6's peak memory and CPU are read this often: its last reading is that long before its end, at most. */
    private static final Duration SAMPLE_EVERY = Duration.ofMillis(200);
    private static final Pattern PEAK_MEMORY = Pattern.compile("VmHWM:\\s+(\\d+) kB");

    record Result(int exitCode, String lastWords, long cpuNs, long peakMemoryBytes, List<Run.Metric> metrics) {
        Run.Generator summary() { return new Run.Generator(exitCode, cpuNs, peakMemoryBytes); }

        void appendTo(Path file) throws IOException {
            var lines = new StringBuilder();
            for (var metric : metrics) lines.append(Run.line(metric)).append('\n');
            Files.writeString(file, lines, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        }
    }

    /** @param said gets what k6 prints, in place of what an earlier one has printed */
    static Result run(List<String> command, Map<String, Object> cell, String apiKey, Path said, Duration limit)
            throws IOException, InterruptedException {
        var builder = Children.builder(command).redirectErrorStream(true).redirectOutput(said.toFile());
        builder.environment().put("KIT_CELL", Run.line(cell));
        if (apiKey != null) builder.environment().put("KIT_API_KEY", apiKey);
        var k6 = builder.start();
        try {
            return watch(k6, said, limit);
        } finally {
            Children.kill(k6);
        }
    }

    private static Result watch(Process k6, Path said, Duration limit) throws IOException, InterruptedException {
        Instant last = Instant.now().plus(limit);
        var metrics = new ArrayList<Run.Metric>();
        long cpuNs = 0, peakMemoryBytes = 0;
        boolean ended;
        do {
            ended = k6.waitFor(SAMPLE_EVERY);
            cpuNs = Math.max(cpuNs, k6.info().totalCpuDuration().orElse(Duration.ZERO).toNanos());
            peakMemoryBytes = Math.max(peakMemoryBytes, peakMemoryBytes(k6.pid()));
            metrics.add(new Run.Metric(Instant.now(), "k6", "cpuNs", cpuNs));
            metrics.add(new Run.Metric(Instant.now(), "k6", "memoryBytes", peakMemoryBytes));
        } while (!ended && Instant.now().isBefore(last));
        String lastWords = Files.readString(said).lines().reduce((_, line) -> line).orElse("it said nothing");
        if (ended) return new Result(k6.exitValue(), lastWords, cpuNs, peakMemoryBytes, metrics);
        String killed = "it did not end within " + Cli.spoken(limit) + " and was killed";
        return new Result(-1, killed, cpuNs, peakMemoryBytes, metrics);
    }

    /** Only Linux tells the peak; elsewhere it is 0. */
    private static long peakMemoryBytes(long pid) {
        try {
            var peak = PEAK_MEMORY.matcher(Files.readString(Path.of("/proc/" + pid + "/status")));
            return peak.find() ? Long.parseLong(peak.group(1)) << 10 : 0;
        } catch (IOException endedOrNotLinux) {
            return 0;
        }
    }
}
