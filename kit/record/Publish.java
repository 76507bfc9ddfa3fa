// The copy of a run that is committed: run.json and a handful of files, whatever number of cells the run has.
//
//     data/published/25m/
//         run.json                    the record; each cell's file is a part: path, offset, length, sha256
//         samples.k6.json.gz          the lines of k6's JSON that carry the findings, cell after cell
//         invocations.ndjson.gz
//         metrics.ndjson.gz
//
// Each part is a gzip member of its own, so zcat reads a file straight through, and a reader finds one cell by its
// offset. What a part was cut from stands beside it, with its size and sha256.

//SOURCES ../Cli.java
//SOURCES Disk.java
//SOURCES Run.java
//SOURCES Sha256.java

import module java.base;
import com.fasterxml.jackson.core.JsonProcessingException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The subcommand of experiment.java that copies a run for publication. */
@Command(name = "publish", mixinStandardHelpOptions = true,
        description = "Writes a copy of a run to be committed, data/published/NAME, with only the lines that carry the findings.")
final class Publish implements Callable<Integer> {
    @Parameters(paramLabel = "RUN", description = "A run's directory or its run.json.")
    Path source;
    @Option(names = "--name", description = "The copy's name (default: the profile's); an earlier copy of that name is replaced.")
    String name;
    @Option(names = "--even-so", description = "Publish a run that is unfinished, not valid, or too short to claim anything.")
    boolean evenSo;
    @Option(names = "--yes", description = "Do not ask.")
    boolean yes;
    @Mixin Cli.Verbose verbose;

    @Override public Integer call() throws IOException, InterruptedException {
        Path runFile = Run.fileOf(source);
        Run run = Run.read(runFile);
        String called = name != null ? name : run.plan().profile();
        if (!called.matches("[a-z0-9][a-z0-9-]{0,49}")) throw new Cli.Problem(Cli.REFUSED,
                "'" + called + "' cannot name a publication", "--name NAME of small letters, digits and hyphens");
        if (!evenSo) {
            refuseWhatSaysLittle(run);
            refuseWhatIsNotValid(run, runFile);
        }
        Path to = Cli.kitHome().resolve("data/published").resolve(called);
        boolean replaces = Files.exists(to, LinkOption.NOFOLLOW_LINKS);
        if (replaces && !isPublication(to)) throw new Cli.Problem(Cli.REFUSED,
                to + " is there and is not a publication", "--name another, or remove it");
        Cli.say("publish  run %s, %d cells, to %s%s".formatted(run.id(), run.cells().size(), to,
                replaces ? "; the earlier publication there is replaced" : ""));
        if (!yes) Cli.agree("Publish that?", "not agreed; nothing was written");
        write(run, runFile.getParent(), to);
        System.out.println("published " + run.id() + " in " + to);
        return Cli.DONE;
    }

    private static void refuseWhatSaysLittle(Run run) {
        String evenSo = "--even-so publishes it all the same";
        int missing = run.unmeasuredCells().size();
        if (run.finished() == null || missing > 0) throw new Cli.Problem(Cli.REFUSED,
                "run %s is unfinished: %d cells are not measured".formatted(run.id(), missing), evenSo);
        if (!run.plan().claims()) throw new Cli.Problem(Cli.REFUSED,
                "run " + run.id() + " claims nothing: it is too short", evenSo);
    }

    /** Whether a run is valid, analyze.java alone knows. */
    private static void refuseWhatIsNotValid(Run run, Path runFile) throws IOException, InterruptedException {
        var analysis = new ProcessBuilder("./jbang", "analyze.java", "--check", runFile.toString())
                .directory(Cli.kitHome().toFile()).redirectErrorStream(true).start();
        List<String> said;
        try (var lines = analysis.inputReader()) {
            said = lines.lines().filter(line -> line.matches("(NOT VALID|error): .*")).toList();
        }
        if (analysis.waitFor() != Cli.DONE) throw new Cli.Problem(Cli.REFUSED,
                "run " + run.id() + " is not valid: " + (said.isEmpty() ? "it can't be analysed"
                        : said.getFirst().replaceFirst(".*?: ", "")), "--even-so publishes it all the same");
    }

    // ==== Copy ====

    /** What analyze.java reads of a run; k6's other metrics repeat it in other words. */
    private static final Set<String> CARRIES_FINDINGS =
            Set.of("answer_ms", "cpu_ns", "dropped_iterations", "vus", "vus_max");
    /** k6 writes some hundred bytes a line; what has a megabyte is no line of k6's. */
    private static final int LONGEST_LINE_BYTES = 1 << 20;
    private static final String INTACT = "publish a run that nobody changed";

    /** Whether a directory holds what {@link #write} made, and nothing that would be lost with it. */
    static boolean isPublication(Path directory) {
        try {
            return Run.read(directory.resolve("run.json")).published() != null;
        } catch (Cli.Problem noRun) {
            return false;
        }
    }

    /**
     * Writes the copy; an earlier one is replaced in one step, once the new one is whole. Throws a Problem with exit
     * code 2 when a file of the run isn't the one that was measured.
     */
    static void write(Run run, Path runDirectory, Path publication) throws IOException {
        Path parent = Files.createDirectories(publication.toAbsolutePath().getParent());
        Path temporary = Files.createTempDirectory(parent, ".unfinished"), earlier = temporary.resolve("earlier");
        try {
            Path made = Files.createDirectory(temporary.resolve("made"));
            copy(run, runDirectory, made);
            if (Files.exists(publication)) Files.move(publication, earlier);
            Files.move(made, publication);
        } finally {
            Disk.delete(temporary);
        }
    }

    private static void copy(Run run, Path from, Path to) throws IOException {
        try (var bundles = new Bundles(to)) {
            var cells = new ArrayList<Run.Cell>();
            for (var cell : run.cells()) {
                var files = new ArrayList<Run.File>();
                for (var file : cell.files()) files.add(bundles.add(file, from));
                cells.add(cell.withFiles(files));
            }
            String leftOut = "k6's files are cut down to " + String.join(", ", new TreeSet<>(CARRIES_FINDINGS))
                    + "; sha256 and size of each whole file stand beside it";
            run.withCells(cells).withPublished(leftOut).write(to);
        }
    }

    /** The files of a publication, one for each kind, while cells are added to them. */
    private static final class Bundles implements Closeable {
        private final Path directory;
        private final Map<Run.File.Kind, Bundle> bundles = new EnumMap<>(Run.File.Kind.class);

        Bundles(Path directory) { this.directory = directory; }

        Run.File add(Run.File whole, Path from) throws IOException {
            try {
                if (!whole.isUnchanged(from)) throw new Cli.Problem(Cli.REFUSED,
                        whole.path() + " is not what was measured: its sha256 differs", INTACT);
                var bundle = bundles.get(whole.kind());
                if (bundle == null) bundles.put(whole.kind(), bundle = new Bundle(directory, whole.kind()));
                try (var text = new BufferedInputStream(whole.text(from))) {
                    return bundle.add(whole, text);
                }
            } catch (FileSystemException | ZipException | EOFException damaged) {
                throw new Cli.Problem(Cli.REFUSED, whole.path() + ": " + damaged.getMessage(), INTACT, damaged);
            }
        }

        @Override public void close() throws IOException {
            for (var bundle : bundles.values()) bundle.out.close();
        }
    }

    /** One file of a publication, and how much of it is written. */
    private static final class Bundle {
        private final Run.File.Kind kind;
        private final String path;
        private final OutputStream out;
        private long written;

        Bundle(Path directory, Run.File.Kind kind) throws IOException {
            this.kind = kind;
            path = kind.published();
            out = new BufferedOutputStream(Files.newOutputStream(directory.resolve(path)));
        }

        Run.File add(Run.File whole, InputStream text) throws IOException {
            long offset = written;
            var digest = Sha256.digest();
            var member = new GZIPOutputStream(new OutputStream() {
                @Override public void write(int one) throws IOException { write(new byte[] {(byte) one}, 0, 1); }

                @Override public void write(byte[] bytes, int from, int length) throws IOException {
                    out.write(bytes, from, length);
                    digest.update(bytes, from, length);
                    written += length;
                }
            });
            for (byte[] line; (line = line(text, whole)) != null; ) {
                if (kind == Run.File.Kind.SAMPLES && !carriesFindings(line, whole)) continue;
                member.write(line);
                member.write('\n');
            }
            member.finish();
            var measured = whole.whole() != null ? whole.whole() : new Run.File.Whole(whole.bytes(), whole.sha256());
            return new Run.File(kind, path, offset, written - offset, HexFormat.of().formatHex(digest.digest()), measured);
        }

        private static byte[] line(InputStream text, Run.File file) throws IOException {
            var line = new ByteArrayOutputStream();
            int next;
            while ((next = text.read()) >= 0 && next != '\n') {
                line.write(next);
                if (line.size() > LONGEST_LINE_BYTES) throw new Cli.Problem(Cli.REFUSED,
                        file.path() + " has a line of more than a megabyte", INTACT);
            }
            return next < 0 && line.size() == 0 ? null : line.toByteArray();
        }

        private static boolean carriesFindings(byte[] line, Run.File file) throws IOException {
            try {
                return CARRIES_FINDINGS.contains(Run.json().readTree(line).path("metric").asText());
            } catch (JsonProcessingException notK6s) {
                throw new Cli.Problem(Cli.REFUSED, file.path() + " has a line that is not k6's", INTACT, notK6s);
            }
        }
    }
}
