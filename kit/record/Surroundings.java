// What a run says of its surroundings: the kit's commit, the machine, the tools and the functions that were measured.
//
// It is written into run.json as the run begins. Whoever repeats a run compares these first.

//SOURCES MeasuredFunction.java

import module java.base;

/** The facts about a machine and a checkout that a run's figures depend on. */
final class Surroundings {
    private Surroundings() {}

    /** All of them by topic, as run.json holds them under "environment". */
    static Map<String, Object> of(Path kitHome, String k6Version, Map<String, MeasuredFunction.Artefact> artefacts)
            throws IOException {
        var tools = new TreeMap<String, Object>(Map.of("k6", k6Version, "java", Runtime.version().toString()));
        artefacts.forEach((name, artefact) -> tools.put(name + " build", artefact.tools()));
        var functions = new TreeMap<String, Object>();
        artefacts.forEach((name, artefact) -> functions.put(name, artefact.function().described()));
        return new TreeMap<>(Map.of("git", git(kitHome), "machine", machine(), "tools", tools,
                "artefacts", sizes(artefacts), "functions", functions));
    }

    private static Map<String, Object> git(Path kitHome) {
        String commit = output(kitHome, "git", "rev-parse", "HEAD");
        String changes = output(kitHome, "git", "status", "--porcelain");
        return commit == null ? Map.of("commit", "unknown") : Map.of("commit", commit, "dirty", !"".equals(changes));
    }

    private static Map<String, Object> machine() throws IOException {
        Path cpuinfo = Path.of("/proc/cpuinfo");
        String model = !Files.exists(cpuinfo) ? output(Path.of("/"), "sysctl", "-n", "machdep.cpu.brand_string")
                : Files.readString(cpuinfo).lines().filter(line -> line.startsWith("model name"))
                        .map(line -> line.split(":\\s*", 2)[1]).findFirst().orElse(null);
        var system = (com.sun.management.OperatingSystemMXBean)
                java.lang.management.ManagementFactory.getOperatingSystemMXBean();
        return Map.of("cpu", Objects.requireNonNullElse(model, "unknown"),
                "cores", Runtime.getRuntime().availableProcessors(), "memoryMb", system.getTotalMemorySize() >> 20,
                "system", System.getProperty("os.name") + " " + System.getProperty("os.version"),
                "architecture", System.getProperty("os.arch"));
    }

    /** Each artefact's size and sha256: a resumed run has to measure the same ones. */
    static Map<String, Object> sizes(Map<String, MeasuredFunction.Artefact> artefacts) {
        var sizes = new TreeMap<String, Object>();
        artefacts.forEach((name, artefact) ->
                sizes.put(name, Map.of("bytes", artefact.bytes(), "sha256", artefact.sha256())));
        return sizes;
    }

    /** What a command prints, or null when it is not there or fails. */
    static String output(Path directory, String... command) {
        try {
            var process = new ProcessBuilder(command).directory(directory.toFile())
                    .redirectError(ProcessBuilder.Redirect.DISCARD).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return process.waitFor() == 0 ? said : null;
        } catch (IOException notThere) {
            return null;
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            return null;
        }
    }
}
