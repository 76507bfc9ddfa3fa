// Reads, once a second and at the end of each cell, what functions, stores, front door and machine have used.
//
//     a function   cpuNs, startCpuNs and memoryBytes of all its environments; environments, concurrency, throttles, coldStarts
//     stores, door cpuNs and memoryBytes
//     machine      cpuNs, idleNs and stealNs of all cores together; load, frequencyMhz where it is told
//
// Run.Metric says what each is. Sums that only grow count from the start of the target.

//SOURCES ../record/Run.java
//SOURCES Lambda.java
//SOURCES Machine.java
//SOURCES Records.java
//SOURCES Stores.java

import module java.base;

/** Measures in a thread of its own until it is closed. */
final class Meter implements AutoCloseable {
    /** Once a second is fine enough for a chart of a minute, and costs the measured machine some milliseconds. */
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    private static final Duration FREQUENCY_INTERVAL = Duration.ofSeconds(10);

    private final Map<String, Lambda> functions;
    private final Stores stores;
    private final Records<Run.Metric> metrics;
    /** By function, the CPU time of each environment that it ever had, as last seen: the sum never falls. */
    private final Map<String, Map<String, Long>> cpuNs = new HashMap<>();
    private final List<Run.Metric> reading = new ArrayList<>();
    private Instant frequencyRead = Instant.EPOCH;
    private final Thread thread = Thread.ofPlatform().daemon().name("meter").unstarted(this::measure);

    private Meter(Map<String, Lambda> functions, Stores stores, Records<Run.Metric> metrics) {
        this.functions = functions;
        this.stores = stores;
        this.metrics = metrics;
    }

    /** Starts measuring; the metrics go into the records. */
    static Meter start(Map<String, Lambda> functions, Stores stores, Records<Run.Metric> metrics) throws IOException {
        var meter = new Meter(functions, stores, metrics);
        // The first reading loads what reads; a cold start that began meanwhile would wait for it.
        meter.read();
        meter.thread.start();
        return meter;
    }

    @Override public void close() { thread.interrupt(); }

    private void measure() {
        try {
            // At a steady pace, whatever a reading takes, so that no second is without one.
            for (long next = System.nanoTime() + INTERVAL.toNanos(); ; next += INTERVAL.toNanos()) {
                Thread.sleep(Duration.ofNanos(Math.max(0, next - System.nanoTime())));
                read();
            }
        } catch (InterruptedException | ClosedByInterruptException closed) {
            // The target is ending.
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    /** Reads everything now, and returns it beside adding it to the records. */
    synchronized List<Run.Metric> read() throws IOException {
        var states = new TreeMap<String, Lambda.State>();
        functions.forEach((name, function) -> states.put(name, function.state()));
        var groups = new HashSet<>(Set.of(stores.pid()));
        states.values().forEach(state -> groups.addAll(state.processGroups().values()));
        var usage = Machine.usage(groups);
        var now = Instant.now();
        states.forEach((name, state) -> {
            var seen = cpuNs.computeIfAbsent(name, _ -> new HashMap<>());
            long memoryBytes = 0;
            for (var environment : state.processGroups().entrySet()) {
                var used = usage.getOrDefault(environment.getValue(), Machine.Usage.NONE);
                seen.merge(environment.getKey(), used.cpuNs(), Math::max);
                memoryBytes += used.memoryBytes();
                functions.get(name).tellPeak(environment.getValue(), used.peakBytes());
            }
            tell(now, name, "cpuNs", seen.values().stream().mapToLong(Long::longValue).sum());
            tell(now, name, "startCpuNs", state.startCpuNs());
            tell(now, name, "coldStarts", state.coldStarts());
            tell(now, name, "memoryBytes", memoryBytes);
            tell(now, name, "environments", state.environments());
            tell(now, name, "concurrency", state.concurrency());
            tell(now, name, "throttles", state.throttles());
        });
        tell(now, "stores", usage.getOrDefault(stores.pid(), Machine.Usage.NONE));
        tell(now, "door", Machine.ownUsage());
        var machine = Machine.cpu();
        tell(now, "machine", "cpuNs", machine.usedNs());
        tell(now, "machine", "idleNs", machine.idleNs());
        tell(now, "machine", "stealNs", machine.stealNs());
        tell(now, "machine", "load", Machine.load());
        if (frequencyIsDue(now)) Machine.frequencyMhz().ifPresent(mhz -> tell(now, "machine", "frequencyMhz", mhz));
        var told = List.copyOf(reading);
        reading.clear();
        return told;
    }

    /** Each core is interrupted to tell it. */
    private boolean frequencyIsDue(Instant now) {
        boolean due = frequencyRead.plus(FREQUENCY_INTERVAL).isBefore(now);
        if (due) frequencyRead = now;
        return due;
    }

    private void tell(Instant now, String subject, Machine.Usage usage) {
        tell(now, subject, "cpuNs", usage.cpuNs());
        tell(now, subject, "memoryBytes", usage.memoryBytes());
    }

    private void tell(Instant now, String subject, String metric, double value) {
        var told = new Run.Metric(now, subject, metric, value);
        metrics.add(told);
        reading.add(told);
    }
}
