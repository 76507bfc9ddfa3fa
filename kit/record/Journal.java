// run.json, kept up to date while a run goes on: after every step the record on disk is whole.

//SOURCES Disk.java
//SOURCES Run.java

import module java.base;

/** The run as it stands and the directory that it is written to after every step. */
final class Journal {
    final Path directory;
    Run run;

    /** Goes on with a run from here; makes its directory and the link to it, if they are not there. */
    Journal(Path directory, Run run) throws IOException {
        this.directory = directory;
        this.run = run;
        Files.createDirectories(directory.resolve("cells"));
        run.write(directory);
        link(directory);
    }

    void describe(String topic, Object facts) throws IOException {
        var environment = new TreeMap<>(run.environment());
        environment.put(topic, facts);
        update(run.withEnvironment(environment));
    }

    void agreed(int requests) throws IOException {
        var variants = run.plan().variants().stream().map(Run.Variant::name).toList();
        update(run.withAgreement(new Run.Agreement(Instant.now(), requests, variants)));
    }

    /** A cell that failed before and is measured now takes its earlier row's place. */
    void add(Run.Cell cell) throws IOException {
        var cells = new ArrayList<>(run.cells());
        cells.removeIf(earlier -> earlier.name().equals(cell.name()));
        cells.add(cell);
        update(run.withCells(cells));
    }

    /** What a cell has left so far. */
    List<Run.File> files(String cell) throws IOException {
        var files = new ArrayList<Run.File>();
        for (var kind : Run.File.Kind.values()) {
            Path file = kind.of(directory, cell);
            if (Files.exists(file)) files.add(Run.File.of(kind, directory, file));
        }
        return files;
    }

    void finished() throws IOException { update(run.withFinished(Instant.now())); }

    /** Whether nothing has been measured, nor failed, but warm-ups. */
    boolean isEmpty() { return run.cells().stream().allMatch(cell -> cell.warmUp() && cell.outcome().isMeasured()); }

    /** A run without a single cell is none, once nothing of it is left to be removed. */
    void dropIfEmpty() throws IOException {
        if (!isEmpty()) return;
        Disk.delete(directory);
        Files.deleteIfExists(directory.resolveSibling("run.json"));
        try (var runs = Files.list(directory.getParent())) {
            var earlier = runs.filter(other -> other.getFileName().toString().startsWith("2"))
                    .filter(other -> Files.exists(other.resolve("run.json"))).max(Comparator.naturalOrder());
            if (earlier.isPresent()) link(earlier.get());
        }
    }

    private void update(Run changed) throws IOException {
        run = changed;
        run.write(directory);
    }

    /** data/run.json, the newest run, replaced in one step, so that there is always one. */
    private static void link(Path run) throws IOException {
        Path link = run.resolveSibling("run.json"), temporary = run.resolveSibling("run.json.tmp");
        Files.deleteIfExists(temporary);
        Files.createSymbolicLink(temporary, Path.of(run.getFileName().toString(), "run.json"));
        Files.move(temporary, link, StandardCopyOption.ATOMIC_MOVE);
    }
}
