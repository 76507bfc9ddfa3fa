// The three functions, built for a platform, cached by content.
//
//     Build.build("rust", Build.Platform.LOCAL, kitRoot, progress)      an Artefact: a directory that can be started
//     Build.launch("rust", artefact.directory(), 1769)                  how to start it under its real runtime client
//
// A build is named by what went into it: the function's sources, this file, the versions of the tools and the platform.
// What was built once is never built again, and an edit never meets a stale result. Java is built by JBang, Python by
// pip, Rust by Cargo, with zig as the linker for Amazon Linux, so that any machine yields a binary for its older glibc.
// The zip depends on its content alone. A language whose tools are missing is told as such: one can go without it.

//DEPS org.apache.commons:commons-compress:1.28.0
//SOURCES ../record/Sha256.java

import module java.base;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipArchiveOutputStream;

/** Builds the measured functions and knows how each is started. */
final class Build {

    // ==== What you may want to change ====

    /** Runtime clients are part of AWS's managed runtimes; on this machine the functions bring them along. */
    private static final String JAVA_RUNTIME_CLIENT = "com.amazonaws:aws-lambda-java-runtime-interface-client:2.9.0";
    private static final String PYTHON_RUNTIME_CLIENT = "awslambdaric==4.2.2";

    /** The SDK's default HTTP clients and what only they need: the handler names another, lighter one. */
    private static final Pattern UNUSED_JARS =
            Pattern.compile("(netty-|apache-client-|httpclient-|httpcore-|commons-logging-|commons-codec-).*");

    /** AWS's Python 3.13 is the oldest that Managed Instances take, so both kinds of compute can have the same. */
    private static final String AWS_PYTHON = "3.13";
    /** The oldest Python that the runtime client and boto3 install on, newest first. */
    private static final List<String> LOCAL_PYTHONS =
            List.of("python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python3");

    /** What a person's own Cargo and Python leave beside the sources. */
    private static final Pattern LEFT_BY_TOOLS = Pattern.compile("/(target|__pycache__)/");

    /** Amazon Linux 2023's glibc; a binary linked against a newer one does not start there. */
    private static final String AMAZON_LINUX_GLIBC = "2.34";
    private static final List<String> ZIG = List.of("cargo-zigbuild==0.24.0", "ziglang==0.17.1");

    /** AWS's Java runtimes compile with C1 only and collect serially; told to both targets, so that it stays equal. */
    private static final String JAVA_OPTIONS = "-XX:+TieredCompilation -XX:TieredStopAtLevel=1 -XX:+UseSerialGC";
    /** The heap's part of a function's memory in AWS's Java runtime (https://stackoverflow.com/a/40469970). */
    private static final double JAVA_HEAP_SHARE = 0.85;
    /** One processor is seen as one or two, depending on the target: Tokio would start a thread for each. */
    private static final String TOKIO_WORKERS = "2";

    /** Longer than a person leaves an experiment alone between two runs of it. */
    private static final Duration UNUSED_FOR = Duration.ofDays(30);

    /** As much of a failed tool's output as a person reads at once; the log has the rest. */
    private static final int LINES_OF_FAILURE = 20;

    static final List<String> LANGUAGES = List.of("java", "python", "rust");

    /** Where a function is to run: this machine, or AWS's Linux on one of its two architectures. */
    enum Platform {
        LOCAL("", ""), AL2023_ARM64("aarch64-unknown-linux-gnu", "manylinux2014_aarch64"),
        AL2023_X86_64("x86_64-unknown-linux-gnu", "manylinux2014_x86_64");

        final String rustTarget;
        final String pythonPlatform;

        Platform(String rustTarget, String pythonPlatform) {
            this.rustTarget = rustTarget;
            this.pythonPlatform = pythonPlatform;
        }
    }

    /**
     * A built function.
     *
     * @param directory unpacked and runnable
     * @param zip       what is uploaded to AWS; null for this machine
     * @param bytes     size of the zip, or of the one that the directory would make
     * @param sha256    of that zip
     * @param tools     what it was built with: versions by name
     */
    record Artefact(String language, Path directory, Path zip, long bytes, String sha256, Map<String, String> tools) {}

    /** A language cannot be built here: what is missing, and how to get it. */
    static final class Missing extends Exception {
        final String language;
        final String hint;

        Missing(String language, String what, String hint) {
            super(language + " needs " + what);
            this.language = language;
            this.hint = hint;
        }
    }

    /** A tool failed; the message has the end of what it said, and where to read the rest. */
    static final class Failed extends IOException {
        Failed(String message) { super(message); }
    }

    // ==== Build ====

    private final Path kitRoot;
    private final Path cache;
    private final Consumer<String> progress;

    Build(Path kitRoot, Path cache, Consumer<String> progress) {
        this.kitRoot = kitRoot.toAbsolutePath().normalize();
        this.cache = cache.toAbsolutePath();
        this.progress = progress;
    }

    /** Builds one function into this user's cache; see {@link #build(String, Platform)}. */
    static Artefact build(String language, Platform platform, Path kitRoot, Consumer<String> progress)
            throws IOException, InterruptedException, Missing {
        return new Build(kitRoot, userCache(), progress).build(language, platform);
    }

    /** The tools that a language is built with here, versions by name; throws {@link Missing} when it cannot be. */
    static SortedMap<String, String> tools(String language, Platform platform, Path kitRoot)
            throws InterruptedException, Missing {
        return new Build(kitRoot, userCache(), _ -> {}).toolchain(language, platform).versions();
    }

    /**
     * One function, from the cache if its sources, tools and platform have been built together before.
     *
     * @throws Missing if the language's tools are not on this machine
     * @throws Failed  if they are, but fail
     */
    Artefact build(String language, Platform platform) throws IOException, InterruptedException, Missing {
        Toolchain toolchain = toolchain(language, platform);
        Path builds = Files.createDirectories(cache.resolve("functions"));
        String key = key(toolchain, language);
        String name = "%s-%s-%s".formatted(language, platform.name().toLowerCase(Locale.ROOT), key);
        Path built = builds.resolve(name);
        if (!Files.exists(built)) {
            try (var _ = Alone.at(language, builds.resolve(language + "-" + platform + ".lock"))) {
                if (!Files.exists(built)) {
                    progress.accept(language + ": building for " + platform);
                    make(toolchain, platform, builds.resolve(name + ".unfinished"), built);
                }
            }
        }
        return artefact(language, platform, built, toolchain.versions());
    }

    private void make(Toolchain toolchain, Platform platform, Path unfinished, Path built)
            throws IOException, InterruptedException, Missing {
        delete(unfinished);
        Path directory = Files.createDirectories(unfinished.resolve("function"));
        toolchain.make(directory, new Tool(unfinished.resolve("build.log"), progress));
        Path zip = unfinished.resolve("function.zip");
        zip(directory, zip);
        Files.writeString(unfinished.resolve("function.zip.sha256"), Sha256.of(zip));
        Files.move(unfinished, built, StandardCopyOption.ATOMIC_MOVE);
        forgetOldBuilds(built.getParent());
    }

    /** Whoever edits a function leaves a build of some 30 MB for each version; those long unused are deleted. */
    private static void forgetOldBuilds(Path builds) throws IOException {
        var longAgo = Instant.now().minus(UNUSED_FOR);
        try (var all = Files.list(builds)) {
            for (Path old : all.filter(Files::isDirectory).toList()) {
                if (Files.getLastModifiedTime(old).toInstant().isBefore(longAgo)) delete(old);
            }
        }
    }

    private static Artefact artefact(String language, Platform platform, Path built, Map<String, String> tools)
            throws IOException {
        Files.setLastModifiedTime(built, FileTime.from(Instant.now()));
        Path zip = built.resolve("function.zip");
        String sha256 = Files.readString(built.resolve("function.zip.sha256"));
        Path uploaded = platform == Platform.LOCAL ? null : zip;
        return new Artefact(language, built.resolve("function"), uploaded, Files.size(zip), sha256, tools);
    }

    /** A name for everything that a build depends on. */
    private String key(Toolchain toolchain, String language) throws IOException {
        var digest = Sha256.digest();
        String machine = System.getProperty("os.name") + " " + System.getProperty("os.arch");
        digest.update((machine + toolchain.versions()).getBytes(UTF_8));
        digest.update(Files.readAllBytes(kitRoot.resolve("kit/build/Build.java")));
        for (Path source : filesBelow(kitRoot.resolve("function").resolve(language))) {
            if (LEFT_BY_TOOLS.matcher(source.toString()).find()) continue;
            digest.update((kitRoot.relativize(source) + "\n" + Files.size(source) + "\n").getBytes(UTF_8));
            digest.update(Files.readAllBytes(source));
        }
        return HexFormat.of().formatHex(digest.digest(), 0, 8);
    }

    /** Where this user's caches are kept: XDG's place, or the Mac's. */
    static Path userCache() {
        Path home = Path.of(System.getProperty("user.home"));
        boolean mac = System.getProperty("os.name").startsWith("Mac");
        String xdg = System.getenv("XDG_CACHE_HOME");
        Path caches = xdg != null && !xdg.isEmpty() ? Path.of(xdg) : home.resolve(mac ? "Library/Caches" : ".cache");
        return caches.resolve("lambda-kit");
    }

    // ==== Toolchains ====

    /** A language's tools on this machine, found already. */
    private sealed interface Toolchain {
        /** Versions by name, in one order. */
        SortedMap<String, String> versions();

        /** Fills the directory with a runnable function. */
        void make(Path directory, Tool tool) throws IOException, InterruptedException, Missing;
    }

    private Toolchain toolchain(String language, Platform platform) throws InterruptedException, Missing {
        return switch (language) {
            case "java" -> Java.find(kitRoot, platform);
            case "python" -> Python.find(kitRoot, platform);
            case "rust" -> Rust.find(kitRoot, platform, cache);
            default -> throw new IllegalArgumentException("unknown language: " + language);
        };
    }

    /** JBang compiles the handler and collects its jars; classes beside lib/ is the layout that Lambda unpacks. */
    private record Java(Path kitRoot, Platform platform, SortedMap<String, String> versions) implements Toolchain {

        static Java find(Path kitRoot, Platform platform) throws Missing {
            if (!Files.isExecutable(kitRoot.resolve("jbang"))) {
                throw new Missing("java", "./jbang", "restore it: git checkout jbang");
            }
            return new Java(kitRoot, platform, new TreeMap<>(Map.of("java", System.getProperty("java.version"))));
        }

        @Override public void make(Path directory, Tool tool) throws IOException, InterruptedException {
            Path exported = directory.resolveSibling("exported");
            var export = new ArrayList<>(List.of(kitRoot.resolve("jbang").toString(), "export", "portable", "--force",
                    "--output", exported.resolve("Handler.jar").toString()));
            if (platform == Platform.LOCAL) export.add("--deps=" + JAVA_RUNTIME_CLIENT);
            export.add(kitRoot.resolve("function/java/Handler.java").toString());
            tool.run("java", export, Map.of());

            Path handler = exported.resolve("Handler.jar");
            extract(handler, entry -> entry.matches("Handler.*\\.class"), directory);
            Files.delete(handler);
            Path jars = Files.createDirectory(directory.resolve("lib"));
            for (Path jar : filesBelow(exported)) {
                String name = jar.getFileName().toString();
                // The client would unpack it to one path for all processes, and crash those that start together.
                if (name.startsWith("aws-lambda-java-runtime-")) extract(jar, nativeLibrary()::equals, directory);
                if (!UNUSED_JARS.matcher(name).matches()) Files.move(jar, jars.resolve(name));
            }
            delete(exported);
        }

        private static String nativeLibrary() {
            String machine = System.getProperty("os.arch").equals("aarch64") ? "aarch_64" : "x86_64";
            return "jni/libaws-lambda-jni.linux-%s.so".formatted(machine);
        }
    }

    /** pip installs the pinned packages beside the handler. */
    private record Python(Path kitRoot, Platform platform, String interpreter, SortedMap<String, String> versions)
            implements Toolchain {

        static Python find(Path kitRoot, Platform platform) throws InterruptedException, Missing {
            for (String name : LOCAL_PYTHONS) {
                var found = ask(name, "-c", """
                        import platform, sys, pip
                        assert sys.version_info >= (3, 10)
                        print(platform.python_version(), sys.executable)""");
                if (found.isEmpty()) continue;
                String[] words = found.get().split(" ", 2);
                var versions = new TreeMap<>(Map.of("python", words[0], "interpreter", words[1]));
                return new Python(kitRoot, platform, words[1], versions);
            }
            throw new Missing("python", "Python 3.10 or newer with pip",
                    "install it (Debian, Ubuntu: sudo apt-get install python3 python3-pip)");
        }

        @Override public void make(Path directory, Tool tool) throws IOException, InterruptedException {
            Path source = kitRoot.resolve("function/python");
            var install = new ArrayList<>(List.of(interpreter, "-m", "pip", "install", "--disable-pip-version-check",
                    "--no-compile", "--target", directory.toString(),
                    "--requirement", source.resolve("requirements.txt").toString()));
            install.addAll(switch (platform) {
                case LOCAL -> List.of(PYTHON_RUNTIME_CLIENT);
                case AL2023_ARM64, AL2023_X86_64 -> List.of("--only-binary=:all:", "--implementation", "cp",
                        "--python-version", AWS_PYTHON, "--platform", platform.pythonPlatform);
            });
            tool.run("python", install, Map.of());
            Files.copy(source.resolve("handler.py"), directory.resolve("handler.py"));
            if (platform != Platform.LOCAL) return;

            // Compiled once here, not by sixteen workers that start together; without time stamps, which never repeat.
            tool.run("python", List.of(interpreter, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash",
                    "-s", directory.toString(), directory.toString()), Map.of());
            Files.writeString(directory.resolve("interpreter"), interpreter);
        }
    }

    /** Cargo keeps its own incremental state in the cache, so that an edit does not cost the SDK's build again. */
    private record Rust(Path kitRoot, Platform platform, Path cache, SortedMap<String, String> versions)
            implements Toolchain {

        static Rust find(Path kitRoot, Platform platform, Path cache) throws InterruptedException, Missing {
            var rustc = ask("rustc", "--version");
            if (rustc.isEmpty() || ask("cargo", "--version").isEmpty()) {
                throw new Missing("rust", "rustc and cargo", "install them (https://rustup.rs)");
            }
            var versions = new TreeMap<>(Map.of("rustc", rustc.get()));
            switch (platform) {
                case LOCAL -> {
                    String compiler = ask("cc", "-dumpversion").orElseThrow(() -> new Missing("rust", "a C compiler",
                            "install one (Debian, Ubuntu: sudo apt-get install gcc libc6-dev)"));
                    versions.put("cc", compiler);
                }
                case AL2023_ARM64, AL2023_X86_64 -> {
                    var libraries = ask("rustc", "--print", "target-libdir", "--target", platform.rustTarget);
                    if (libraries.isEmpty() || !Files.isDirectory(Path.of(libraries.get()))) {
                        throw new Missing("rust", "the standard library for " + platform.rustTarget,
                                "rustup target add " + platform.rustTarget);
                    }
                    if (ask("python3", "-m", "venv", "--help").isEmpty()) {
                        throw new Missing("rust", "Python with venv, which its linker, zig, is installed with",
                                "install it (Debian, Ubuntu: sudo apt-get install python3-venv)");
                    }
                    versions.put("zig", String.join(" ", ZIG));
                }
            }
            return new Rust(kitRoot, platform, cache, versions);
        }

        @Override public void make(Path directory, Tool tool) throws IOException, InterruptedException {
            var environment = new HashMap<>(Map.of("CARGO_TARGET_DIR", cache.resolve("cargo").toString()));
            var cargo = new ArrayList<>(List.of("cargo"));
            Path output = cache.resolve("cargo");
            switch (platform) {
                case LOCAL -> cargo.add("build");
                case AL2023_ARM64, AL2023_X86_64 -> {
                    Path zig = zig(tool);
                    environment.put("PATH", zig + File.pathSeparator + System.getenv("PATH"));
                    cargo.addAll(List.of("zigbuild", "--target", platform.rustTarget + "." + AMAZON_LINUX_GLIBC));
                    output = output.resolve(platform.rustTarget);
                }
            }
            Path manifest = kitRoot.resolve("function/rust/Cargo.toml");
            cargo.addAll(List.of("--release", "--locked", "--manifest-path", manifest.toString()));
            tool.run("rust", cargo, environment);
            Path binary = output.resolve("release/handler");
            Files.copy(binary, directory.resolve("bootstrap"), StandardCopyOption.COPY_ATTRIBUTES);
        }

        /** The directory of cargo-zigbuild and its zig, installed from PyPI the first time. */
        private Path zig(Tool tool) throws IOException, InterruptedException {
            Path environment = cache.resolve("zig-" + HexFormat.of().toHexDigits(ZIG.hashCode()));
            Path programs = environment.resolve("bin");
            Path complete = environment.resolve("complete");
            try (var _ = Alone.at("rust", cache.resolve("zig.lock"))) {
                if (Files.exists(complete)) return programs;
                tool.run("rust", List.of("python3", "-m", "venv", "--clear", environment.toString()), Map.of());
                var pip = List.of(programs.resolve("pip").toString(), "install", "--disable-pip-version-check");
                tool.run("rust", Stream.concat(pip.stream(), ZIG.stream()).toList(), Map.of());
                Files.createFile(complete);
            }
            return programs;
        }
    }

    // ==== Launch ====

    /** A process to start: its arguments, and the environment variables that it needs beside Lambda's own. */
    record Launch(List<String> command, Map<String, String> environment) {}

    /**
     * How a function that was built for this machine is started under its real runtime client. AWS_LAMBDA_RUNTIME_API,
     * the caller's to set, tells the client where its Lambda is; AWS_LAMBDA_MAX_CONCURRENCY makes it work concurrently
     * and must be absent otherwise.
     *
     * @param memoryMb of the function; only Java's heap is sized by it
     */
    static Launch launch(String language, Path directory, int memoryMb) throws IOException {
        List<String> command = switch (language) {
            case "java" -> List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx%dm".formatted((int) (memoryMb * JAVA_HEAP_SHARE)), "--enable-native-access=ALL-UNNAMED",
                    "-Dcom.amazonaws.services.lambda.runtime.api.client.runtimeapi.NativeClient.JNI="
                            + directory.resolve(Path.of(Java.nativeLibrary()).getFileName()),
                    "-cp", directory + File.pathSeparator + directory.resolve("lib") + "/*",
                    "com.amazonaws.services.lambda.runtime.api.client.AWSLambda", "Handler::handleRequest");
            case "python" -> List.of(
                    Files.readString(directory.resolve("interpreter")), "-m", "awslambdaric", "handler.handler");
            case "rust" -> List.of(directory.resolve("bootstrap").toString());
            default -> throw new IllegalArgumentException("unknown language: " + language);
        };
        var environment = new TreeMap<>(settings(language));
        if (language.equals("python")) environment.put("PYTHONPATH", directory.toString());
        return new Launch(command, environment);
    }

    /** Environment variables that a function has on both targets, so that what they decide is equal there. */
    static Map<String, String> settings(String language) {
        return switch (language) {
            case "java" -> Map.of("JAVA_TOOL_OPTIONS", JAVA_OPTIONS);
            case "python" -> Map.of();
            case "rust" -> Map.of("TOKIO_WORKER_THREADS", TOKIO_WORKERS);
            default -> throw new IllegalArgumentException("unknown language: " + language);
        };
    }

    // ==== The world outside ====

    /** Runs the tools of one build, with one log. */
    private record Tool(Path log, Consumer<String> progress) {

        void run(String language, List<String> command, Map<String, String> environment)
                throws IOException, InterruptedException {
            var builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().putAll(environment);
            Process process = builder.start();
            process.getOutputStream().close();
            var last = new ArrayDeque<String>();
            try (var output = process.inputReader(UTF_8);
                    var copy = Files.newBufferedWriter(log, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
                for (String line; (line = output.readLine()) != null;) {
                    copy.write(line + "\n");
                    last.add(line);
                    if (last.size() > LINES_OF_FAILURE) last.remove();
                    if (!line.isBlank()) progress.accept(language + ": " + line.strip());
                }
            }
            if (process.waitFor() != 0) {
                Path program = Path.of(command.getFirst()).getFileName();
                throw new Failed("%s could not be built: %s ended with %d%n%s%nthe whole log: %s".formatted(
                        language, program, process.exitValue(), String.join("\n", last), log));
            }
        }
    }

    /** The first line that a program says, or nothing if it is absent or fails. */
    private static Optional<String> ask(String... command) throws InterruptedException {
        try {
            var process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
            process.getOutputStream().close();
            String said = new String(process.getInputStream().readAllBytes(), UTF_8);
            return process.waitFor() == 0 ? said.lines().findFirst() : Optional.empty();
        } catch (IOException absent) {
            return Optional.empty();
        }
    }

    /** A turn to build: among the threads of this process, whom a file's lock does not part, and other processes. */
    private record Alone(ReentrantLock here, FileChannel everywhere) implements AutoCloseable {
        private static final Map<String, ReentrantLock> HERE =
                LANGUAGES.stream().collect(Collectors.toMap(language -> language, _ -> new ReentrantLock()));

        static Alone at(String language, Path file) throws IOException {
            var here = HERE.get(language);
            here.lock();
            var everywhere = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            everywhere.lock();
            return new Alone(here, everywhere);
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

    /** Takes the named entries out of a jar, into one flat directory. */
    private static void extract(Path jar, Predicate<String> wanted, Path directory) throws IOException {
        try (var entries = new ZipFile(jar.toFile())) {
            for (var entry : entries.stream().filter(entry -> wanted.test(entry.getName())).toList()) {
                Files.copy(entries.getInputStream(entry), directory.resolve(Path.of(entry.getName()).getFileName()));
            }
        }
    }

    /** All files below a directory, in one order on every machine. */
    private static List<Path> filesBelow(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) return;
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }
}
