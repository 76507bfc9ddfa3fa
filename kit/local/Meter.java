// Reads, once a second, what functions, stores, front door and machine have used, for the charts of a run.
//
//     a function   cpuNs and memoryBytes of all its environments, environments, concurrency, throttles
//     stores, door cpuNs and memoryBytes
//     machine      cpuNs and idleNs of all cores together
//
// Sums that only grow (cpuNs, throttles) count from the start of the target.

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

    private final Map<String, Lambda> functions;
    private final Stores stores;
    private final Records<Run.Metric> metrics;
    /** By function, the CPU time of each process group that it ever had, as last seen: the sum never falls. */
    private final Map<String, Map<Long, Long>> cpuNs = new HashMap<>();
    private final Thread thread = Thread.ofPlatform().daemon().name("meter").unstarted(this::measure);

    private Meter(Map<String, Lambda> functions, Stores stores, Records<Run.Metric> metrics) {
        this.functions = functions;
        this.stores = stores;
        this.metrics = metrics;
    }

    /** Starts measuring; the metrics go into the records. */
    static Meter start(Map<String, Lambda> functions, Stores stores, Records<Run.Metric> metrics) {
        var meter = new Meter(functions, stores, metrics);
        meter.thread.start();
        return meter;
    }

    @Override public void close() { thread.interrupt(); }

    private void measure() {
        try {
            while (true) {
                read();
                Thread.sleep(INTERVAL);
            }
        } catch (InterruptedException | ClosedByInterruptException closed) {
            // The target is ending.
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    private void read() throws IOException {
        var states = new TreeMap<String, Lambda.State>();
        functions.forEach((name, function) -> states.put(name, function.state()));
        var groups = new HashSet<>(Set.of(stores.pid()));
        states.values().forEach(state -> groups.addAll(state.processGroups()));
        var usage = Machine.usage(groups);
        var now = Instant.now();
        states.forEach((name, state) -> {
            var seen = cpuNs.computeIfAbsent(name, _ -> new HashMap<>());
            long memoryBytes = 0;
            for (long group : state.processGroups()) {
                var used = usage.getOrDefault(group, Machine.Usage.NONE);
                seen.merge(group, used.cpuNs(), Math::max);
                memoryBytes += used.memoryBytes();
                functions.get(name).tellPeak(group, used.peakBytes());
            }
            tell(now, name, "cpuNs", seen.values().stream().mapToLong(Long::longValue).sum());
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
    }

    private void tell(Instant now, String subject, Machine.Usage usage) {
        tell(now, subject, "cpuNs", usage.cpuNs());
        tell(now, subject, "memoryBytes", usage.memoryBytes());
    }

    private void tell(Instant now, String subject, String metric, double value) {
        metrics.add(new Run.Metric(now, subject, metric, value));
    }
}
