// What the command line names: a run, files that k6 wrote, or directories of them, each with a label or none.
//
//     data/run.json                      a run
//     out.json before=a.json.gz          k6 files, by label; those of one label are the shards of one run
//     data/2026-11-22T13-02-43Z-local    a directory: the run in it, or all k6 files in it

//SOURCES ../Cli.java
//SOURCES ../record/Run.java
//SOURCES K6Reader.java

import module java.base;

/** Finds the files behind the arguments. What names nothing, or one file twice, is a Problem with exit code 2. */
final class Inputs {
    private Inputs() {}

    /** One label on the command line and the files behind it. */
    record Labelled(String label, List<Path> paths) {
        boolean isRun() {
            Path file = paths.getFirst().getFileName();
            return file != null && file.toString().equals("run.json");
        }

        K6Reader.Input shards() { return new K6Reader.Input(label, paths.toArray(Path[]::new)); }

        /** "out.json.gz" makes "out-report", beside where one stands. */
        String reportName() {
            String file = paths.getFirst().getFileName().toString();
            String name = file.replaceFirst("(\\.k6)?(\\.json|\\.ndjson)?(\\.gz)?$", "");
            return (name.equals("-") || name.isEmpty() ? "k6" : name) + "-report";
        }
    }

    /** The inputs by label, in the order in which the labels were first named. */
    static List<Labelled> of(List<String> arguments) throws IOException {
        if (arguments.isEmpty()) return List.of(new Labelled("", List.of(newestRun(Path.of("data/run.json")))));
        var labelled = new LinkedHashMap<String, List<Path>>();
        for (String argument : arguments) {
            int equals = Files.exists(Path.of(argument)) ? -1 : argument.indexOf('=');
            String label = equals < 0 ? "" : argument.substring(0, equals), name = argument.substring(equals + 1);
            if (name.isEmpty()) throw bad("'" + argument + "' names no file", "write LABEL=FILE");
            for (Path path : files(Path.of(name))) {
                var paths = labelled.computeIfAbsent(label, _ -> new ArrayList<>());
                for (Path other : paths) if (isSame(path, other)) {
                    throw bad(path + " is named twice" + (other.equals(path) ? "" : ", also as " + other),
                            "name it once, or it would be counted twice");
                }
                paths.add(path);
            }
        }
        return labelled.entrySet().stream().map(input -> new Labelled(input.getKey(), input.getValue())).toList();
    }

    /** A file may have many names; standard input has one. */
    private static boolean isSame(Path one, Path other) throws IOException {
        return one.equals(other) || Files.exists(one) && Files.exists(other) && Files.isSameFile(one, other);
    }

    private static List<Path> files(Path path) throws IOException {
        if (path.toString().equals("-")) return List.of(path);
        if (path.endsWith("data/run.json")) return List.of(newestRun(path));
        if (!Files.exists(path)) {
            throw bad("there is no " + path, "name a run.json, a directory, or a file that k6 wrote");
        }
        if (!Files.isDirectory(path)) return List.of(path);
        if (Files.exists(path.resolve("run.json"))) return List.of(path.resolve("run.json"));
        try (var files = Files.list(path)) {
            var all = files.filter(Files::isRegularFile).sorted().toList();
            var found = named(all, ".*\\.(json|ndjson)(\\.gz)?");
            // A run's cells: records of other kinds lie beside k6's, and a warm-up is no measurement.
            var cells = named(found, ".*\\.k6\\.json\\.gz");
            if (!cells.isEmpty()) found = named(cells, "(?!000-).*");
            if (found.isEmpty()) {
                throw bad("there is no k6 file in " + path, "k6 run --out json=FILE.json.gz writes one");
            }
            return found;
        }
    }

    private static List<Path> named(List<Path> files, String pattern) {
        return files.stream().filter(file -> file.getFileName().toString().matches(pattern)).toList();
    }

    /** Before there is a run of one's own, there is the newest of the published ones. */
    private static Path newestRun(Path link) throws IOException {
        if (Files.exists(link)) return link;
        var published = new ArrayList<Path>();
        try (var runs = Files.newDirectoryStream(Path.of("data/published"))) {
            for (Path run : runs) if (Files.exists(run.resolve("run.json"))) published.add(run.resolve("run.json"));
        } catch (NoSuchFileException none) {
            throw bad("there is no " + link, "name a run.json, or a file that k6 wrote");
        }
        Path newest = published.stream().max(Comparator.comparing(file -> Run.read(file).started())).orElseThrow(() ->
                bad("there is no " + link, "name a run.json, or a file that k6 wrote"));
        Cli.say("there is no run yet (./jbang experiment.java makes one); this is the published " + newest);
        return newest;
    }

    private static Cli.Problem bad(String happened, String hint) {
        return new Cli.Problem(Cli.REFUSED, happened, hint);
    }
}
