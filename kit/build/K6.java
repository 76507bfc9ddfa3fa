// k6, the load generator: found where its users have it, else downloaded with a pinned checksum, else built by Go.
//
// The experiment's figures are k6's, so its version is recorded with every run. 1.0 is the oldest that is taken: it
// is the first with a promise of stability, and the script uses nothing newer.

//SOURCES ../Cli.java
//SOURCES ../record/Sha256.java

import module java.base;
import module java.net.http;

/** Finds a k6 to run, or gets one into the kit's cache. */
final class K6 {
    private static final int OLDEST_MAJOR_VERSION = 1;
    /** What the Go module proxy has; the release pages are not reachable from everywhere. */
    private static final String GO_MODULE = "go.k6.io/k6@v1.8.1";
    /** The newest release whose checksums could be confirmed by more than one independent public source. */
    private static final String RELEASE = "1.4.2";
    private static final Map<String, String> RELEASE_SHA256 = Map.of(
            "linux-amd64.tar.gz", "c827501f510265db9c3313e4164d2585a97c7a3485ed440b93f7b1cfe6facd28",
            "linux-arm64.tar.gz", "0e9515502f80edb562f12c0b12a59085c0b113c6416d728e3c2a9e5a7506cc5c",
            "macos-amd64.zip", "ed79f1356fcc98ac645e6c9732def8fcd84cfeec8c6a2e92476663bda27b9550",
            "macos-arm64.zip", "93635cccab3f7c689f890218ccbb92b0440a42f1380681a7d732a072915d7b76");
    /** A page that does not answer within this is one that will not; building k6 is the other way. */
    private static final Duration CONNECT_PATIENCE = Duration.ofSeconds(5);
    private static final String INSTALL =
            "install k6 (https://grafana.com/docs/k6/latest/set-up/install-k6/) or Go 1.25 or newer";

    /** A k6 that answered with its version. */
    record Found(Path path, String version) {}

    /** Finds k6 without getting one: on the PATH, where go install puts it, or in the kit's cache. */
    static Optional<Found> find(Path cache) {
        String searched = System.getenv().getOrDefault("PATH", "");
        var pathDirectories = Arrays.stream(searched.split(File.pathSeparator)).map(Path::of);
        var others = Stream.of(Path.of(System.getProperty("user.home"), "go", "bin"), cache.resolve("k6"));
        return Stream.concat(pathDirectories, others).map(directory -> directory.resolve("k6"))
                .filter(Files::isExecutable).flatMap(path -> version(path).stream()).findFirst();
    }

    /** Finds k6 or gets it; throws a Problem that names what to install when neither works. */
    static Found require(Path cache, Consumer<String> progress) throws IOException, InterruptedException {
        var found = find(cache);
        if (found.isPresent()) return found.get();
        Path directory = Files.createDirectories(cache.resolve("k6"));
        progress.accept("downloading k6 " + RELEASE);
        String downloadFailed = download(directory);
        if (downloadFailed != null) {
            progress.accept(downloadFailed + "; building k6 with Go instead (some minutes, once)");
            build(directory);
        }
        return find(cache).orElseThrow(() ->
                new Cli.Problem(Cli.REFUSED, "k6 was got into " + directory + " but does not run", INSTALL));
    }

    /** The version, unless it is too old or the program does not run. */
    private static Optional<Found> version(Path path) {
        try {
            var process = new ProcessBuilder(path.toString(), "version").redirectErrorStream(true).start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            var match = Pattern.compile("k6(?:\\.exe)? v(\\d+)\\.(\\S+)").matcher(said);
            boolean good = process.waitFor() == 0 && match.find()
                    && Integer.parseInt(match.group(1)) >= OLDEST_MAJOR_VERSION;
            return good ? Optional.of(new Found(path, match.group(1) + "." + match.group(2))) : Optional.empty();
        } catch (IOException doesNotRun) {
            return Optional.empty();
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        }
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
            var response = client.send(HttpRequest.newBuilder(source).build(), HttpResponse.BodyHandlers.ofFile(file));
            if (response.statusCode() != 200) return "the download of k6 was answered with " + response.statusCode();
            if (!Sha256.of(file).equals(RELEASE_SHA256.get(archive))) return "the download of k6 has a wrong checksum";
            return unpack(file, directory);
        } catch (IOException unreachable) {
            return "k6's release page cannot be reached";
        } finally {
            Files.deleteIfExists(file);
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
        var builder = new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment().put("GOBIN", directory.toAbsolutePath().toString());
        var process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(said.lines().reduce((_, last) -> last).orElse(String.join(" ", command)));
        }
    }
}
