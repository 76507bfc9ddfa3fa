// A share of a core for an environment, as Lambda gives by memory, where this user may set one: by the kernel's cgroups.
//
// Each environment has a group of its own, made before its process starts and removed after it has ended. A group that a
// killed target has left is empty, costs nothing, and is removed by the next one.

import module java.base;

/** Where groups can be made: in which directory, and how its version writes a quota. */
record CpuQuota(Path parent, boolean unified) {
    /** Lambda's own period. A longer one would let a short request run at full speed and make a long one wait. */
    private static final int PERIOD_US = 20_000;
    /** Less than this the kernel refuses. */
    private static final int LEAST_US = 1_000;
    /** A younger group without a process may be another target's that is about to start one. */
    private static final Duration ENTERED_WITHIN = Duration.ofMinutes(1);
    private static final String PREFIX = "lambda-kit-";
    private static final Path CGROUPS = Path.of("/sys/fs/cgroup");

    /** In this process's own group; empty where it may not make groups with a quota. */
    static Optional<CpuQuota> ofThisMachine() {
        try {
            return find(CGROUPS, Files.readAllLines(Path.of("/proc/self/cgroup")));
        } catch (IOException noCgroups) {
            return Optional.empty();
        }
    }

    /** @param ownGroups  the lines of /proc/self/cgroup: "1:cpu,cpuacct:/a" of version 1, "0::/a" of the unified version 2 */
    static Optional<CpuQuota> find(Path cgroups, List<String> ownGroups) {
        return ownGroups.stream().map(line -> line.split(":", 3)).filter(own -> own.length == 3)
                .filter(own -> own[1].isEmpty() || List.of(own[1].split(",")).contains("cpu"))
                // Version 1 before version 2, which a machine with both has without controllers.
                .sorted(Comparator.comparing(own -> own[1].isEmpty()))
                .map(own -> new CpuQuota(cgroups.resolve(own[1]).resolve(own[2].substring(1)), own[1].isEmpty()))
                .filter(CpuQuota::isUsable).findFirst();
    }

    /** Tries it, as rights, controllers and delegation all have to be right. */
    private boolean isUsable() {
        try {
            if (unified) Files.writeString(parent.resolve("cgroup.subtree_control"), "+cpu", StandardOpenOption.WRITE);
            removeLeft();
            String probe = "probe-" + ProcessHandle.current().pid();
            make(probe, 1);
            remove(probe);
            return true;
        } catch (IOException mayNot) {
            return false;
        }
    }

    /** Groups of targets that were killed; one with a process in it cannot be removed, and stays. */
    private void removeLeft() throws IOException {
        try (var left = Files.newDirectoryStream(parent, PREFIX + "*")) {
            for (Path group : left) {
                boolean mayBeEntered = Files.getLastModifiedTime(group).toInstant().isAfter(Instant.now().minus(ENTERED_WITHIN));
                if (!mayBeEntered) group.toFile().delete();
            }
        }
    }

    private Path groupOf(String name) { return parent.resolve(PREFIX + name); }

    /** Makes a group whose processes together get this share of a core. */
    void make(String name, double share) throws IOException {
        Path group = Files.createDirectory(groupOf(name));
        long quotaUs = Math.max(LEAST_US, Math.round(PERIOD_US * share));
        if (unified) Files.writeString(group.resolve("cpu.max"), quotaUs + " " + PERIOD_US);
        else {
            Files.writeString(group.resolve("cpu.cfs_period_us"), "" + PERIOD_US);
            Files.writeString(group.resolve("cpu.cfs_quota_us"), "" + quotaUs);
        }
    }

    /** The command in that group: a shell enters it and becomes the command. */
    List<String> within(String name, List<String> command) {
        var entering = List.of("sh", "-c", "echo $$ > \"$0\" && exec \"$@\"", groupOf(name).resolve("cgroup.procs").toString());
        return Stream.concat(entering.stream(), command.stream()).toList();
    }

    /** Removes a group whose processes have ended. One that is still in use goes with the next target's start. */
    void remove(String name) { groupOf(name).toFile().delete(); }
}
