// k6, the load generator: found where its users have it, else downloaded with a pinned checksum, else built by Go.
//
// The experiment's figures are k6's, so its version is recorded with every run. 1.3 is the oldest that is taken, the
// first that can go without a summary by an option that 2.x has kept. Whether the k6 that was found knows every option
// is asked before anything is built or started, as options come and go between versions.

//SOURCES Children.java
//SOURCES ../Cli.java
//SOURCES ../record/Sha256.java

import module java.base;
import module java.net.http;

/** Finds a k6 to run, or gets one into the kit's cache. */
final class K6 {
    private static final int OLDEST_MAJOR = 1, OLDEST_MINOR = 3;
    private static final Pattern VERSION = Pattern.compile("k6(?:\\.exe)? v((\\d+)\\.(\\d+)\\S*)");
    /** What the Go module proxy has; the release pages are not reachable from everywhere. */
    private static final String GO_MODULE = "go.k6.io/k6@v1.8.1";
    /** The newest release whose checksums could be confirmed by more than one independent public source. */
    private static final String RELEASE = "2.2.0";
    private static final Map<String, String> RELEASE_SHA256 = Map.of(
            "linux-amd64.tar.gz", "b5a8003c86f35f5cd5ceef1490312c48e587696c94d998cefc6d7b3b4cb1597d",
            "linux-arm64.tar.gz", "4ecd64cadcc792402d16293836115480419c4447c032858f564852d98f1bf54c",
            "macos-amd64.zip", "45a08590511c8a6a9c6331645e60c41624924e848e29472e87c60ac956d50372",
            "macos-arm64.zip", "37a028506bf13578de66c906296803775df28cc2504b1a8c5d786b2803e757c7");
    /** A page that does not answer within this is one that will not; building k6 is the other way. */
    private static final Duration CONNECT_PATIENCE = Duration.ofSeconds(5);
    /** 35 MB within this is 2 Mbit/s. A slower line is better off with a k6 that its user installs. */
    private static final Duration DOWNLOAD_DEADLINE = Duration.ofMinutes(2);
    private static final String INSTALL =
            "install k6 (https://grafana.com/docs/k6/latest/set-up/install-k6/) or Go 1.25 or newer";

    /** What every run asks of k6. Without a summary, as for one k6 keeps every value in memory; without its server. */
    private static final List<String> OPTIONS = List.of(
            "--quiet", "--no-color", "--no-usage-report", "--summary-mode=disabled", "--address=");

    /** A k6 that answered with its version. */
    record Found(Path path, String version, int major, int minor) {
        boolean isTaken() { return major > OLDEST_MAJOR || major == OLDEST_MAJOR && minor >= OLDEST_MINOR; }

        /** The command that runs a script and writes all samples to a file, as JSON. */
        List<String> command(Path script, Path samples) {
            var words = new ArrayList<>(List.of(path.toString(), "run"));
            words.addAll(OPTIONS);
            words.addAll(List.of("--out=json=" + samples, script.toString()));
            return words;
        }

        /** Refuses a k6 whose own help does not list an option that it would be started with. */
        private Found checked() throws IOException, InterruptedException {
            String help = said(path.toString(), "run", "--help");
            for (String option : OPTIONS) {
                String name = option.replaceFirst("=.*", "");
                if (!Pattern.compile("(?<![\\w-])" + name + "(?![\\w-])").matcher(help).find()) {
                    throw new Cli.Problem(
                            Cli.REFUSED, "k6 " + version + " (" + path + ") does not know " + name, INSTALL);
                }
            }
            return this;
        }
    }

    /** Finds a k6 that is new enough without getting one: on the PATH, where Go puts it, or in the kit's cache. */
    static Optional<Found> find(Path cache) throws InterruptedException {
        return all(System.getenv().getOrDefault("PATH", ""), cache).stream().filter(Found::isTaken).findFirst();
    }

    /** Every k6 on this machine that runs, in the order in which one is looked for. */
    private static List<Found> all(String searchPath, Path cache) throws InterruptedException {
        var directories = Arrays.stream(searchPath.split(File.pathSeparator)).map(Path::of);
        var others = Stream.of(Path.of(System.getProperty("user.home"), "go", "bin"), cache.resolve("k6"));
        var all = new ArrayList<Found>();
        for (Path directory : Stream.concat(directories, others).toList()) {
            Path path = directory.resolve("k6");
            if (Files.isExecutable(path) && !Files.isDirectory(path)) version(path).ifPresent(all::add);
        }
        return all;
    }

    /**
     * Finds k6 or gets it. Throws a Problem that names what to install when neither works, or when the k6 that was
     * found does not know an option that the kit starts it with.
     */
    static Found require(Path cache, Consumer<String> progress) throws IOException, InterruptedException {
        return require(System.getenv().getOrDefault("PATH", ""), cache, progress);
    }

    static Found require(String searchPath, Path cache, Consumer<String> progress)
            throws IOException, InterruptedException {
        for (var found : all(searchPath, cache)) {
            if (found.isTaken()) return found.checked();
            progress.accept("k6 %s (%s) is older than %d.%d and is passed over"
                    .formatted(found.version, found.path, OLDEST_MAJOR, OLDEST_MINOR));
        }
        Path directory = Files.createDirectories(cache.resolve("k6"));
        progress.accept("downloading k6 " + RELEASE);
        String downloadFailed = download(directory);
        if (downloadFailed != null) {
            progress.accept(downloadFailed + "; building k6 with Go instead (some minutes, once)");
            build(directory);
        }
        return version(directory.resolve("k6")).orElseThrow(() ->
                new Cli.Problem(Cli.REFUSED, "k6 was got into " + directory + " but does not run", INSTALL)).checked();
    }

    /** What a program called k6 says of its version; empty when it does not run or is another program. */
    private static Optional<Found> version(Path path) throws InterruptedException {
        try {
            var match = VERSION.matcher(said(path.toString(), "version"));
            if (!match.find()) return Optional.empty();
            return Optional.of(new Found(path, match.group(1),
                    Integer.parseInt(match.group(2)), Integer.parseInt(match.group(3))));
        } catch (IOException doesNotRun) {
            return Optional.empty();
        }
    }

    /** All that a command prints; throws an IOException when it can't be started or fails. */
    private static String said(String... command) throws IOException, InterruptedException {
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) throw new IOException(said.lines().reduce((_, last) -> last).orElse(command[0]));
        return said;
    }

    /** Null when k6 is in the directory; else why it isn't. What fails its checksum is never unpacked. */
    private static String download(Path directory) throws IOException, InterruptedException {
        String os = System.getProperty("os.name").startsWith("Mac") ? "macos" : "linux";
        String architecture = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
        String archive = os + "-" + architecture + (os.equals("macos") ? ".zip" : ".tar.gz");
        String name = "k6-v" + RELEASE + "-" + archive;
        var source = URI.create("https://github.com/grafana/k6/releases/download/v" + RELEASE + "/" + name);
        Path file = Files.createTempFile(directory, "download", archive);
        try (var client = HttpClient.newBuilder().connectTimeout(CONNECT_PATIENCE)
                .followRedirects(HttpClient.Redirect.ALWAYS).build()) {
            var request = HttpRequest.newBuilder(source).build();
            var response = finished(client.sendAsync(request, HttpResponse.BodyHandlers.ofFile(file)), client);
            if (response.isEmpty()) return "the download of k6 did not end within " + Cli.spoken(DOWNLOAD_DEADLINE);
            int status = response.get().statusCode();
            if (status != 200) return "the download of k6 was answered with " + status;
            if (!Sha256.of(file).equals(RELEASE_SHA256.get(archive))) return "the download of k6 has a wrong checksum";
            return unpack(file, directory);
        } catch (IOException unreachable) {
            return "k6's release page cannot be reached";
        } finally {
            Files.deleteIfExists(file);
        }
    }

    /** Empty when time ran out; the request is given up then. Throws the IOException that ended it otherwise. */
    private static <T> Optional<T> finished(CompletableFuture<T> download, HttpClient client)
            throws IOException, InterruptedException {
        try {
            return Optional.of(download.get(DOWNLOAD_DEADLINE.toSeconds(), TimeUnit.SECONDS));
        } catch (TimeoutException late) {
            return Optional.empty();
        } catch (ExecutionException failed) {
            throw new IOException(failed.getCause());
        } finally {
            client.shutdownNow();
        }
    }

    private static String unpack(Path archive, Path directory) throws InterruptedException {
        try {
            // bsdtar, macOS's tar, unpacks zip files as well.
            run(directory, List.of("tar", "-xf", archive.toString(), "--strip-components=1"));
            return null;
        } catch (IOException failed) {
            return "the download of k6 could not be unpacked: " + failed.getMessage();
        }
    }

    private static void build(Path directory) throws IOException, InterruptedException {
        try {
            run(directory, List.of("go", "install", GO_MODULE));
        } catch (IOException failed) {
            throw new Cli.Problem(Cli.REFUSED,
                    "k6 is missing, cannot be downloaded, and Go could not build it: " + failed.getMessage(), INSTALL);
        }
    }

    private static void run(Path directory, List<String> command) throws IOException, InterruptedException {
        var builder = Children.builder(command).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment().put("GOBIN", directory.toAbsolutePath().toString());
        var lastLine = new AtomicReference<>(String.join(" ", command));
        if (Children.run(builder, lastLine::set) != 0) throw new IOException(lastLine.get());
    }
}
