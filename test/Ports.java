// Which ports do some processes listen on, by what Linux says of their sockets?

import module java.base;

/** The open ports of a run's processes. */
final class Ports {
    private Ports() {}

    /** All TCP ports that one of the processes listens on; a process that ends meanwhile has none. */
    static SortedSet<Integer> of(Collection<ProcessHandle> processes) throws IOException {
        var sockets = new HashSet<String>();
        for (var process : processes) {
            try (var descriptors = Files.newDirectoryStream(Path.of("/proc/" + process.pid() + "/fd"))) {
                for (Path descriptor : descriptors) {
                    if (Files.isSymbolicLink(descriptor)) sockets.add(Files.readSymbolicLink(descriptor).toString());
                }
            } catch (IOException | DirectoryIteratorException endedMeanwhile) {
                // It listens no longer.
            }
        }
        var ports = new TreeSet<Integer>();
        for (String table : List.of("/proc/net/tcp", "/proc/net/tcp6")) {
            for (String line : Files.readAllLines(Path.of(table)).stream().skip(1).toList()) {
                String[] fields = line.strip().split("\\s+");
                boolean listens = fields[3].equals("0A");
                if (!listens || !sockets.contains("socket:[" + fields[9] + "]")) continue;
                ports.add(Integer.parseInt(fields[1].substring(fields[1].indexOf(':') + 1), 16));
            }
        }
        return ports;
    }
}
