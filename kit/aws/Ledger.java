// What this kit has made in somebody's AWS account and not removed yet: a file for each stack, in the user's state directory.
//
// An entry is written before the first thing is made and deleted after the last is verified gone, so that neither a
// deleted run directory nor a kill -9 loses a stack that is billed. The kit touches nothing in an account that no entry
// names: every name in it contains the entry's id, which is random.

//SOURCES ../judge/Cost.java
//SOURCES ../record/Run.java

import module java.base;

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

    /**
     * One stack and what belongs to it.
     *
     * @param contents      of variants, artefacts, settings and template: what must be equal for a stack to be used again
     * @param deploying     the change set may have been asked for, so there may be a stack
     * @param stackId       null until CloudFormation has told it
     * @param up            when the stack began to be made, and so to cost; null before
     * @param instanceType  of LMI's instances
     * @param used          what the variants have used so far, by variant
     */
    record Entry(String id, String account, String region, Instant created, String contents, List<String> variants,
                 String architecture, String instanceType, String bucket, String stackName, boolean deploying,
                 String stackId, Instant up, double estimatedUsd, double usdPerHour, Map<String, Cost.Traffic> used) {

        Entry asDeploying() { return with(true, stackId, up, used); }

        Entry withStack(String stackId) { return with(deploying, stackId, up, used); }

        Entry asUp(Instant up) { return with(deploying, stackId, up, used); }

        Entry withUsed(Map<String, Cost.Traffic> used) { return with(deploying, stackId, up, used); }

        private Entry with(boolean deploying, String stackId, Instant up, Map<String, Cost.Traffic> used) {
            return new Entry(id, account, region, created, contents, variants, architecture, instanceType, bucket,
                    stackName, deploying, stackId, up, estimatedUsd, usdPerHour, used);
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
