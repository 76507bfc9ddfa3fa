// What Linux tells of this machine: its cores, and what processes take of them and of memory.
//
// A process group is what counts: a Python function is one process for each of its workers. Everything is read from
// /proc, in one pass over all processes for all groups together, which takes some milliseconds. CPU time is shown there in
// steps of 10 ms; memory is the resident set, in which a page that several processes
// share counts for each. A process's own CPU clock tells it in nanoseconds, also to others, but only by a system call.

import module java.base;
import java.lang.foreign.*;
import java.lang.invoke.MethodHandle;

/** Cores, CPU time and memory, by process group. */
final class Machine {
    /** USER_HZ: the unit of CPU time in /proc, 100 a second on every architecture that Lambda knows. */
    private static final long TICK_NS = 10_000_000;
    private static final Path PROC = Path.of("/proc");
    private static final Path TASKSET = Path.of("/usr/bin/taskset");
    /** The watchdog's shell in each child's process group (kit/build/Children.java): not the child's usage. */
    private static final String WATCHDOG = "sh";

    static boolean isLinux() { return System.getProperty("os.name").equals("Linux"); }

    // ==== Cores ====

    /** Which cores the functions run on, and which all else; both empty where nothing can be pinned. */
    record Pinning(List<Integer> functions, List<Integer> others) {

        /** The last core for the functions, as 1769 MB give one, and the others for the rest; none with one core. */
        static Pinning ofThisMachine() throws IOException {
            var cores = cores();
            if (cores.size() < 2 || !Files.isExecutable(TASKSET)) return new Pinning(List.of(), List.of());
            return new Pinning(List.of(cores.getLast()), cores.subList(0, cores.size() - 1));
        }

        boolean none() { return functions.isEmpty(); }
    }

    /** The start of a command that keeps it on these cores; empty for no cores. */
    static List<String> on(List<Integer> cores) {
        return cores.isEmpty() ? List.of() : List.of(TASKSET.toString(), "--cpu-list", joined(cores));
    }

    /** Keeps this process, all its threads, and what it starts from now on, on these cores. */
    static void stayOn(List<Integer> cores) throws IOException, InterruptedException {
        if (cores.isEmpty()) return;
        String own = "" + ProcessHandle.current().pid();
        new ProcessBuilder(TASKSET.toString(), "--all-tasks", "--cpu-list", "--pid", joined(cores), own)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).redirectError(ProcessBuilder.Redirect.DISCARD)
                .start().waitFor();
    }

    private static String joined(List<Integer> cores) {
        return cores.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    /** The cores that this process may use: "0-2,7" in /proc. */
    private static List<Integer> cores() throws IOException {
        String list = field(PROC.resolve("self/status"), "Cpus_allowed_list:");
        return Arrays.stream(list.split(",")).flatMapToInt(range -> {
            String[] ends = range.split("-");
            return IntStream.rangeClosed(Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1]));
        }).boxed().toList();
    }

    // ==== Processes ====

    /**
     * What a process group has taken.
     *
     * @param cpuNs       since its start, with that of children that have ended
     * @param memoryBytes resident now
     * @param peakBytes   the most that was ever resident, summed over its processes
     */
    record Usage(long cpuNs, long memoryBytes, long peakBytes) {
        static final Usage NONE = new Usage(0, 0, 0);

        Usage plus(Usage other) {
            return new Usage(cpuNs + other.cpuNs, memoryBytes + other.memoryBytes, peakBytes + other.peakBytes);
        }
    }

    /** The usage of each of these process groups; one that has ended is missing. */
    static Map<Long, Usage> usage(Set<Long> groups) throws IOException {
        var usage = new HashMap<Long, Usage>();
        try (var processes = Files.newDirectoryStream(PROC, "[0-9]*")) {
            for (Path process : processes) {
                try {
                    addTo(usage, groups, process);
                } catch (IOException endedMeanwhile) {
                    // The process has ended between the listing of /proc and the reading of its files.
                }
            }
        }
        return usage;
    }

    private static void addTo(Map<Long, Usage> usage, Set<Long> groups, Path process) throws IOException {
        var stat = Stat.of(process);
        if (!groups.contains(stat.group) || stat.name.equals(WATCHDOG)) return;
        var own = new Usage(stat.cpuNs(), memory(process, "VmRSS:"), memory(process, "VmHWM:"));
        usage.merge(stat.group, own, Usage::plus);
    }

    /** The usage of this process alone. */
    static Usage ownUsage() throws IOException {
        Path process = PROC.resolve("self");
        return new Usage(Stat.of(process).cpuNs(), memory(process, "VmRSS:"), memory(process, "VmHWM:"));
    }

    /** The most memory that one process ever had; 0 when it has ended. */
    static long peakBytes(long pid) {
        try {
            return memory(PROC.resolve("" + pid), "VmHWM:");
        } catch (IOException ended) {
            return 0;
        }
    }

    private static long memory(Path process, String name) throws IOException {
        String kilobytes = field(process.resolve("status"), name);
        return kilobytes.isEmpty() ? 0 : Long.parseLong(kilobytes.split(" ")[0]) * 1024;
    }

    /** What /proc/PID/stat says first: "pid (name) state ppid group …", its own times and its ended children's. */
    private record Stat(String name, long pid, long group, long ownTicks, long childrensTicks) {
        static Stat of(Path process) throws IOException {
            String stat = Files.readString(process.resolve("stat"));
            // A name may have blanks and parentheses of its own, so the fields are counted from its end.
            int nameEnd = stat.lastIndexOf(')');
            String[] fields = stat.substring(nameEnd + 2).split(" ");
            return new Stat(stat.substring(stat.indexOf('(') + 1, nameEnd), Long.parseLong(stat.substring(0, stat.indexOf(' '))),
                    Long.parseLong(fields[2]), Long.parseLong(fields[11]) + Long.parseLong(fields[12]),
                    Long.parseLong(fields[13]) + Long.parseLong(fields[14]));
        }

        /** Of its own by its clock, where there is one; its ended children have none any more. */
        long cpuNs() { return ProcessClock.cpuNs(pid).orElse(ownTicks * TICK_NS) + childrensTicks * TICK_NS; }
    }

    /** CPU time of one process, without that of its children, in nanoseconds; 0 when it has ended. */
    static long cpuNs(long pid) { return ProcessClock.cpuNs(pid).orElse(0); }

    /** The clocks that clock_getcpuclockid(3) names: each process has one, which counts all its threads, ended ones too. */
    private static final class ProcessClock {
        /** The kernel's number of the clock that counts by the scheduler, beside two that count in ticks. */
        private static final int SCHEDULER = 2;
        private static final MethodHandle CLOCK_GETTIME = Linker.nativeLinker().downcallHandle(
                Linker.nativeLinker().defaultLookup().findOrThrow("clock_gettime"), FunctionDescriptor.of(
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.ADDRESS));

        static OptionalLong cpuNs(long pid) {
            int clock = (int) (~pid << 3) | SCHEDULER;
            try (var arena = Arena.ofConfined()) {
                // struct timespec: seconds and nanoseconds, of eight bytes each wherever Lambda's runtimes run.
                var time = arena.allocate(ValueLayout.JAVA_LONG, 2);
                boolean told = (int) CLOCK_GETTIME.invokeExact(clock, time) == 0;
                return told ? OptionalLong.of(time.getAtIndex(ValueLayout.JAVA_LONG, 0) * 1_000_000_000
                        + time.getAtIndex(ValueLayout.JAVA_LONG, 1)) : OptionalLong.empty();
            } catch (Throwable never) {
                throw new AssertionError(never);
            }
        }
    }

    // ==== The machine ====

    /**
     * CPU time of all cores since the machine's start: used, idle, and taken by other guests of the same host, which a
     * machine that is not virtual has none of. What is stolen counts as used.
     */
    record Cpu(long usedNs, long idleNs, long stealNs) {}

    static Cpu cpu() throws IOException {
        // cpu  user nice system idle iowait irq softirq steal; the two after those are counted in user and nice already.
        String cpu = field(PROC.resolve("stat"), "cpu ");
        long[] ticks = Arrays.stream(cpu.split(" +")).mapToLong(Long::parseLong).toArray();
        long idle = ticks[3] + ticks[4];
        return new Cpu((Arrays.stream(ticks).limit(8).sum() - idle) * TICK_NS, idle * TICK_NS, ticks[7] * TICK_NS);
    }

    /** Tasks that ran or waited to run, averaged over the last minute. */
    static double load() throws IOException { return Double.parseDouble(Files.readString(PROC.resolve("loadavg")).split(" ")[0]); }

    /** The mean clock rate of the cores at this moment; empty where the machine doesn't tell. */
    static OptionalDouble frequencyMhz() throws IOException {
        try (var lines = Files.lines(PROC.resolve("cpuinfo"))) {
            return lines.filter(line -> line.startsWith("cpu MHz"))
                    .mapToDouble(line -> Double.parseDouble(line.substring(line.indexOf(':') + 1))).average();
        }
    }

    /** Memory that can be had without swapping. */
    static long availableBytes() throws IOException {
        return Long.parseLong(field(PROC.resolve("meminfo"), "MemAvailable:").split(" ")[0]) * 1024;
    }

    private static String field(Path file, String name) throws IOException {
        try (var lines = Files.lines(file)) {
            String found = lines.filter(line -> line.startsWith(name)).findFirst().orElse(name);
            return found.substring(name.length()).strip();
        }
    }
}
