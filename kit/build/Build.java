// A function, built for a platform by the script in its folder, cached by content.
//
//     new Build(Build.userCache(), progress).build(function, Build.Platform.LOCAL)    an Artefact: can be started
//     Build.launch(artefact, 1769)                                                    how
//
// What a function is, which tools it needs and how it is started stands in its function.json; `build`, an executable
// beside it, is called with the platform and the folder that it is to fill, in the function's own folder. It finds:
//     JAVA_HOME    the Java that runs the kit
//     KIT_CACHE    where it may keep what makes the next build shorter
//     TMPDIR       a directory of its own, which is removed whatever ends the build
// A build is named by what went into it: the folder's files but for function.json, which only tells how the result is
// started; what the tools say of their versions; and the platform. What was built once is never built again, not even
// for a copy under another name, and an edit never meets a stale result. The zip depends on its content alone. Tools are
// children that die with the kit, and with the thread that waits for them.

//DEPS org.apache.commons:commons-compress:1.28.0
//SOURCES ../record/Disk.java
//SOURCES ../record/MeasuredFunction.java
//SOURCES ../record/Sha256.java
//SOURCES Children.java

import module java.base;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;

/** Builds the measured functions and knows how each is started. */
final class Build {

    // ==== What you may want to change ====

    /** What a person's own tools leave beside the sources, as their files' paths in the function's folder begin. */
    private static final Pattern LEFT_BY_TOOLS = Pattern.compile("(.*/)?(target|__pycache__|node_modules|\\.git)/.*");

    /** Longer than a person leaves an experiment alone between two runs of it. */
    private static final Duration UNUSED_FOR = Duration.ofDays(30);

    /** As much of a failed tool's output as a person reads at once; the log has the rest. */
    private static final int LINES_OF_FAILURE = 20;

    /** Where a function is to run: this machine, or Amazon Linux 2023 on one of AWS's two architectures. */
    enum Platform { LOCAL, AL2023_ARM64, AL2023_X86_64 }

    /** A function cannot be built here: which tool is missing, and how to get it. */
    static final class Missing extends Exception {
        final String hint;

        Missing(MeasuredFunction function, String tool, MeasuredFunction.Tool missing) {
            super(function.name() + " needs " + Objects.requireNonNullElse(missing.what(), tool));
            this.hint = missing.hint();
        }
    }

    /** A tool failed; the message has the end of what it said, and where to read the rest. */
    static final class Failed extends IOException {
        Failed(String message) { super(message); }
    }

    // ==== Build ====

    private final Path cache;
    private final Consumer<String> progress;

    /** @param progress is told what the tools say, line by line */
    Build(Path cache, Consumer<String> progress) {
        this.cache = cache.toAbsolutePath();
        this.progress = progress;
    }

    /**
     * One function, from the cache if its files, tools and platform have been built together before. An interruption
     * ends the tools.
     *
     * @throws Missing if the function's tools are not on this machine
     * @throws Failed  if they are, but fail
     */
    MeasuredFunction.Artefact build(MeasuredFunction function, Platform platform)
            throws IOException, InterruptedException, Missing {
        var said = whatToolsSay(function, platform);
        Path builds = Files.createDirectories(cache.resolve("functions"));
        String name = platform.name().toLowerCase(Locale.ROOT) + "-" + key(function, said);
        Path built = builds.resolve(name);
        if (!Files.exists(built)) {
            try (var _ = Alone.at(builds.resolve(name + ".lock"))) {
                if (!Files.exists(built)) {
                    progress.accept(function.name() + ": building for " + platform);
                    make(function, platform, builds.resolve(name + ".unfinished"), built);
                }
            }
        }
        Files.setLastModifiedTime(built, FileTime.from(Instant.now()));
        Path zip = built.resolve("function.zip");
        String sha256 = Files.readString(built.resolve("function.zip.sha256"));
        return new MeasuredFunction.Artefact(function, built.resolve("function"),
                platform == Platform.LOCAL ? null : zip, Files.size(zip), sha256, versions(said));
    }

    private void make(MeasuredFunction function, Platform platform, Path unfinished, Path built)
            throws IOException, InterruptedException {
        Disk.delete(unfinished);
        Path directory = Files.createDirectories(unfinished.resolve("function"));
        run(function, platform, directory, unfinished.resolve("build.log"));
        if (filesBelow(directory).isEmpty()) {
            throw new Failed(function.name() + " could not be built: its build script left nothing in " + directory);
        }
        Path zip = unfinished.resolve("function.zip");
        zip(directory, zip);
        Files.writeString(unfinished.resolve("function.zip.sha256"), Sha256.of(zip));
        Files.move(unfinished, built, StandardCopyOption.ATOMIC_MOVE);
        forgetOldBuilds(built.getParent());
    }

    /** Runs the function's build script, with a log. */
    private void run(MeasuredFunction function, Platform platform, Path directory, Path log)
            throws IOException, InterruptedException {
        Path script = function.folder().resolve("build");
        if (!Files.isExecutable(script)) throw new Failed(script + " is not there or not executable");
        var last = new ArrayDeque<String>();
        int exitCode;
        Path temporary = Children.temporaryDirectory("lambda-kit-build-");
        try (var copy = new PrintWriter(Files.newBufferedWriter(log), true)) {
            exitCode = run(List.of(script.toString(), platform.name(), directory.toString()), function.folder(),
                    Map.of("TMPDIR", temporary.toString()), true, line -> {
                        copy.println(line);
                        last.add(line);
                        if (last.size() > LINES_OF_FAILURE) last.remove();
                        if (!line.isBlank()) progress.accept(function.name() + ": " + line.strip());
                    });
        } finally {
            Disk.delete(temporary);
        }
        if (exitCode != 0) {
            throw new Failed("%s could not be built: its build script ended with %d%n%s%nthe whole log: %s".formatted(
                    function.name(), exitCode, String.join("\n", last), log));
        }
    }

    /** Whoever edits a function leaves a build of some 30 MB for each version; those long unused are deleted. */
    private static void forgetOldBuilds(Path builds) throws IOException {
        var longAgo = Instant.now().minus(UNUSED_FOR);
        try (var all = Files.list(builds)) {
            for (Path old : all.toList()) {
                if (Files.getLastModifiedTime(old).toInstant().isBefore(longAgo)) Disk.delete(old);
            }
        }
    }

    /** A name for everything that a build depends on. */
    private static String key(MeasuredFunction function, Map<String, String> toolsSaid) throws IOException {
        var digest = Sha256.digest();
        String machine = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        digest.update((machine + toolsSaid).getBytes(UTF_8));
        for (Path source : filesBelow(function.folder())) {
            String name = function.folder().relativize(source).toString();
            if (name.equals("function.json") || LEFT_BY_TOOLS.matcher(name).matches()) continue;
            String mode = Files.isExecutable(source) ? "executable" : "";
            digest.update("%s %d %s\n".formatted(name, Files.size(source), mode).getBytes(UTF_8));
            digest.update(Files.readAllBytes(source));
        }
        return HexFormat.of().formatHex(digest.digest(), 0, 8);
    }

    // ==== Tools ====

    /** The versions of the tools that a function is built with here, by name; throws {@link Missing} at the first gap. */
    SortedMap<String, String> tools(MeasuredFunction function, Platform platform)
            throws IOException, InterruptedException, Missing {
        return versions(whatToolsSay(function, platform));
    }

    private SortedMap<String, String> whatToolsSay(MeasuredFunction function, Platform platform)
            throws IOException, InterruptedException, Missing {
        var said = new TreeMap<String, String>();
        for (var tool : function.tools().entrySet()) {
            if (!tool.getValue().isNeededFor(platform.name())) continue;
            var lines = new ArrayList<String>();
            var command = tool.getValue().version().stream().map(word -> word.replace("{java}", java())).toList();
            if (run(command, function.folder(), Map.of(), false, lines::add) != 0) {
                throw new Missing(function, tool.getKey(), tool.getValue());
            }
            said.put(tool.getKey(), String.join("\n", lines));
        }
        return said;
    }

    /** The first line of what each tool says; the others, such as its path, are nobody else's business. */
    private static SortedMap<String, String> versions(SortedMap<String, String> said) {
        var versions = new TreeMap<String, String>();
        said.forEach((tool, lines) -> versions.put(tool, lines.lines().findFirst().orElse("")));
        return versions;
    }

    /** Where this user's caches are kept: XDG's place, or the Mac's. */
    static Path userCache() {
        Path home = Path.of(System.getProperty("user.home"));
        boolean mac = System.getProperty("os.name").startsWith("Mac");
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path caches = xdg != null && !xdg.isEmpty() ? Path.of(xdg) : home.resolve(mac ? "Library/Caches" : ".cache");
        return caches.resolve("lambda-kit");
    }

    // ==== Launch ====

    /** A process to start: its arguments, and the environment variables that it needs beside Lambda's own. */
    record Launch(List<String> command, Map<String, String> environment) {}

    private static final Pattern PLACEHOLDER = Pattern.compile("\\{([^{}]+)}");
    private static final Pattern SHARE_OF_MEMORY = Pattern.compile("(\\d{1,3})% of memoryMb");

    /**
     * How a function that was built for this machine is started under its runtime client. AWS_LAMBDA_RUNTIME_API, the
     * caller's to set, tells the client where its Lambda is; AWS_LAMBDA_MAX_CONCURRENCY makes it work concurrently and
     * must be absent otherwise.
     *
     * @param memoryMb the variant's
     */
    static Launch launch(MeasuredFunction.Artefact artefact, int memoryMb) throws IOException {
        var function = artefact.function();
        var command = new ArrayList<String>();
        for (String word : function.local().command()) command.add(filled(word, artefact.directory(), memoryMb));
        var environment = new TreeMap<>(function.environment());
        for (var variable : function.local().environment().entrySet()) {
            environment.put(variable.getKey(), filled(variable.getValue(), artefact.directory(), memoryMb));
        }
        return new Launch(command, environment);
    }

    private static String filled(String word, Path directory, int memoryMb) throws IOException {
        var filled = new StringBuilder();
        var placeholder = PLACEHOLDER.matcher(word);
        while (placeholder.find()) {
            String name = placeholder.group(1);
            var share = SHARE_OF_MEMORY.matcher(name);
            String value = switch (name) {
                case "directory" -> directory.toString();
                case "java" -> java();
                case "memoryMb" -> String.valueOf(memoryMb);
                default -> share.matches() ? String.valueOf(memoryMb * Integer.parseInt(share.group(1)) / 100)
                        : Files.readString(directory.resolve(name)).strip();
            };
            placeholder.appendReplacement(filled, Matcher.quoteReplacement(value));
        }
        return placeholder.appendTail(filled).toString();
    }

    // ==== The world outside ====

    private static String java() { return Path.of(System.getProperty("java.home"), "bin", "java").toString(); }

    /** Runs a command to its end, or kills it with all that it has started when this thread is interrupted. */
    private int run(List<String> command, Path directory, Map<String, String> environment, boolean withErrors,
                    Consumer<String> lines) throws IOException, InterruptedException {
        var builder = Children.builder(command).directory(directory.toFile());
        if (withErrors) builder.redirectErrorStream(true);
        else builder.redirectError(ProcessBuilder.Redirect.DISCARD);
        builder.environment().putAll(environment);
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        builder.environment().put("KIT_CACHE", Files.createDirectories(cache).toString());
        return Children.run(builder, lines);
    }

    /** A turn to build: among the threads of this process, whom a file's lock does not part, and other processes. */
    private record Alone(ReentrantLock here, FileChannel everywhere) implements AutoCloseable {
        private static final Map<Path, ReentrantLock> HERE = new ConcurrentHashMap<>();

        static Alone at(Path file) throws IOException, InterruptedException {
            var here = HERE.computeIfAbsent(file, _ -> new ReentrantLock());
            here.lockInterruptibly();
            try {
                var everywhere = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                everywhere.lock();
                return new Alone(here, everywhere);
            } catch (FileLockInterruptionException interrupted) {
                here.unlock();
                throw new InterruptedException();
            } catch (IOException failed) {
                here.unlock();
                throw failed;
            }
        }

        @Override public void close() throws IOException {
            everywhere.close();
            here.unlock();
        }
    }

    /** A zip of the directory's files that depends on their names, contents and executability alone. */
    private static void zip(Path directory, Path file) throws IOException {
        try (var zip = new ZipArchiveOutputStream(file)) {
            for (Path content : filesBelow(directory)) {
                var entry = new ZipArchiveEntry(directory.relativize(content).toString());
                entry.setTimeLocal(LocalDateTime.of(1980, 1, 1, 0, 0));
                entry.setUnixMode(Files.isExecutable(content) ? 0100755 : 0100644);
                zip.putArchiveEntry(entry);
                Files.copy(content, zip);
                zip.closeArchiveEntry();
            }
        }
    }

    /** All files below a directory, in one order on every machine. */
    private static List<Path> filesBelow(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }
}
