// What this kit has made in somebody's AWS account and not removed yet: a file for each stack, in the user's state directory.
//
// An entry is written before the first thing is made and deleted after the last is verified gone, so that neither a
// deleted run directory nor a kill -9 loses a stack that is billed. The kit touches nothing in an account that no entry
// names: every name in it contains the entry's id, which is random.
//
// All that a run knows of its stack is in the entry, so that a process can go on where another one died.

//SOURCES ../judge/Cost.java
//SOURCES ../record/Run.java

import module java.base;
import com.fasterxml.jackson.databind.JsonNode;

/** The entries on disk. */
record Ledger(Path directory) {

    /** $XDG_STATE_HOME/lambda-kit, or where the system keeps such things. */
    static Ledger ofUser() {
        Path home = Path.of(System.getProperty("user.home"));
        String state = System.getenv("XDG_STATE_HOME");
        return new Ledger(state != null && !state.isBlank() ? Path.of(state, "lambda-kit")
                : System.getProperty("os.name").startsWith("Mac")
                        ? home.resolve("Library/Application Support/lambda-kit")
                : home.resolve(".local/state/lambda-kit"));
    }

    /** A process, which may be over: its number alone might be another process's by now. */
    record Holder(long pid, Instant started) {
        /** Start times are told in steps of a clock tick, and a clock may be set meanwhile. */
        private static final Duration TOLERANCE = Duration.ofSeconds(5);

        static Holder of(ProcessHandle process) {
            return new Holder(process.pid(), process.info().startInstant().orElse(Instant.EPOCH));
        }

        boolean isAlive() {
            return ProcessHandle.of(pid).filter(ProcessHandle::isAlive).map(Holder::of)
                    .filter(it -> Duration.between(it.started, started).abs().compareTo(TOLERANCE) < 0).isPresent();
        }
    }

    /**
     * One stack and what belongs to it.
     *
     * @param holder        the experiment that uses it, or used it last
     * @param contents      of variants, artefacts, settings and template: what must be equal for a stack to be used again
     * @param deploying     the change set may have been asked for, so there may be a stack
     * @param stackId       null until CloudFormation has told it
     * @param up            when the stack began to be made, and so to cost; null before
     * @param removeAt      when the stack deletes itself
     * @param outputs       of the stack; empty until it is there
     * @param instanceType  of LMI's instances
     * @param prices        by which the run was estimated and will be billed, in the form of data/prices.json
     * @param used          what the variants have used so far, by variant
     */
    record Entry(String id, Holder holder, String account, String region, Instant created, String contents,
                 List<String> variants, String architecture, String instanceType, String bucket, String stackName,
                 boolean deploying, String stackId, Instant up, Instant removeAt, Map<String, String> outputs,
                 double estimatedUsd, double usdPerHour, JsonNode prices, Map<String, Cost.Traffic> used) {

        Entry {
            outputs = outputs == null ? Map.of() : outputs;
        }

        Entry heldBy(Holder holder) { return with(holder, deploying, stackId, up, removeAt, outputs, used); }

        Entry asDeploying() { return with(holder, true, stackId, up, removeAt, outputs, used); }

        Entry withStack(String stackId, Instant up) {
            return with(holder, deploying, stackId, up, removeAt, outputs, used);
        }

        Entry removedAt(Instant removeAt) { return with(holder, deploying, stackId, up, removeAt, outputs, used); }

        Entry withOutputs(Map<String, String> outputs) {
            return with(holder, deploying, stackId, up, removeAt, outputs, used);
        }

        Entry withUsed(Map<String, Cost.Traffic> used) {
            return with(holder, deploying, stackId, up, removeAt, outputs, used);
        }

        private Entry with(Holder holder, boolean deploying, String stackId, Instant up, Instant removeAt,
                           Map<String, String> outputs, Map<String, Cost.Traffic> used) {
            return new Entry(id, holder, account, region, created, contents, variants, architecture, instanceType,
                    bucket, stackName, deploying, stackId, up, removeAt, outputs, estimatedUsd, usdPerHour, prices,
                    used);
        }

        long providers() { return variants.stream().map(Run.Variant::of).filter(Run.Variant::lmi).count(); }
    }

    /** Everything that may still be there, oldest first. */
    List<Entry> entries() throws IOException {
        if (!Files.isDirectory(directory)) return List.of();
        var entries = new ArrayList<Entry>();
        try (var files = Files.newDirectoryStream(directory, "aws-*.json")) {
            for (Path file : files) entries.add(Run.json().readValue(file.toFile(), Entry.class));
        }
        entries.sort(Comparator.comparing(Entry::created));
        return entries;
    }

    /** What this experiment has made, whichever of its processes did; the newest if it has made several. */
    Optional<Entry> heldBy(Holder holder) throws IOException {
        return entries().stream().filter(it -> holder.equals(it.holder())).reduce((_, later) -> later);
    }

    /** Writes the entry; a reader sees the old one or the new one. Only the user may read it. Returns the entry. */
    Entry write(Entry entry) throws IOException {
        Files.createDirectories(directory);
        Path temporary = Files.createTempFile(directory, entry.id(), ".tmp");
        Run.json().writeValue(temporary.toFile(), entry);
        Files.move(temporary, file(entry), StandardCopyOption.ATOMIC_MOVE);
        return entry;
    }

    void delete(Entry entry) throws IOException { Files.deleteIfExists(file(entry)); }

    Path file(Entry entry) { return directory.resolve("aws-" + entry.id() + ".json"); }
}
