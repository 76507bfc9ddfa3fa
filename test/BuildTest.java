///usr/bin/env jbang "$0" "$@" ; exit $?
// Is what was built taken from the cache exactly as long as nothing that it depends on has changed?
//
// With the real tools, on a copy of the kit whose functions need no package. Rust is left out: it takes minutes.
// Run from the repository's root.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/build/Build.java

import module java.base;

import static org.junit.jupiter.api.Assertions.*;

import org.apache.commons.compress.archivers.zip.ZipArchiveEntry;
import org.apache.commons.compress.archivers.zip.ZipFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class BuildTest {
    @TempDir Path machine;
    Path kit;
    Path cache;
    /** What the tools said, in all builds of a test. */
    final Queue<String> said = new ConcurrentLinkedQueue<>();

    @BeforeEach void a_copy_of_the_kit() throws IOException {
        kit = machine.resolve("kit copy");
        cache = machine.resolve("cache");
        for (String file : List.of("python/function.json", "python/build", "python/find-python", "python/handler.py",
                "python/runtime-client.txt", "java/function.json", "java/build")) {
            copy("function/" + file);
        }
        write("function/python/requirements.txt", "# none\n");
        write("function/java/Handler.java", "//JAVA 25\npublic class Handler {}\n");
        write("jbang", "#!/bin/sh\nexec '%s' \"$@\"\n".formatted(Path.of("jbang").toAbsolutePath()));
        kit.resolve("jbang").toFile().setExecutable(true);
    }

    void copy(String file) throws IOException {
        write(file, Files.readString(Path.of(file)));
        kit.resolve(file).toFile().setExecutable(Files.isExecutable(Path.of(file)));
    }

    void write(String file, String text) throws IOException {
        Files.createDirectories(kit.resolve(file).getParent());
        Files.writeString(kit.resolve(file), text);
    }

    MeasuredFunction.Artefact build(String function) throws Exception {
        return build(function, Build.Platform.AL2023_ARM64, cache);
    }

    MeasuredFunction.Artefact build(String function, Build.Platform platform, Path cache) throws Exception {
        return new Build(cache, said::add).build(MeasuredFunction.read(kit.resolve("function").resolve(function)), platform);
    }

    static Map<String, Integer> modesByName(Path zip) throws IOException {
        try (var file = ZipFile.builder().setPath(zip).get()) {
            return Collections.list(file.getEntries()).stream()
                    .collect(Collectors.toMap(ZipArchiveEntry::getName, ZipArchiveEntry::getUnixMode));
        }
    }

    @Test void what_was_built_is_not_built_again() throws Exception {
        var first = build("python");
        assertFalse(said.isEmpty());
        said.clear();
        assertEquals(first, build("python"));
        assertEquals(List.of(), List.copyOf(said));
    }

    @Test void a_changed_source_is_built_anew_and_the_old_build_stays() throws Exception {
        var before = build("python");
        write("function/python/handler.py", "# changed\n");
        var after = build("python");
        assertNotEquals(before.sha256(), after.sha256());
        assertEquals("# changed\n", Files.readString(after.directory().resolve("handler.py")));
        assertNotEquals("# changed\n", Files.readString(before.directory().resolve("handler.py")));
    }

    @Test void a_build_that_nobody_used_for_long_goes_when_the_next_one_is_made() throws Exception {
        var forgotten = build("python");
        write("function/python/handler.py", "# changed\n");
        var used = build("python");
        for (var artefact : List.of(forgotten, used)) {
            var longAgo = FileTime.from(Instant.now().minus(Duration.ofDays(31)));
            Files.setLastModifiedTime(artefact.directory().getParent(), longAgo);
        }
        build("python");
        write("function/python/handler.py", "# changed again\n");
        build("python");
        assertFalse(Files.exists(forgotten.directory()));
        assertTrue(Files.exists(used.directory()));
    }

    @Test void a_changed_build_script_is_a_changed_source_and_a_changed_description_is_not() throws Exception {
        var before = build("python");
        write("function/python/function.json",
                Files.readString(kit.resolve("function/python/function.json")).replace("#0072b2", "#000000"));
        var recoloured = build("python");
        assertEquals(before.directory(), recoloured.directory());
        assertEquals("#000000", recoloured.function().colour());
        Files.writeString(kit.resolve("function/python/build"), "\n# changed\n", StandardOpenOption.APPEND);
        assertNotEquals(before.directory(), build("python").directory());
    }

    @Test void a_copy_under_another_name_is_the_same_build() throws Exception {
        var original = build("python");
        said.clear();
        Files.move(kit.resolve("function/python"), kit.resolve("function/serpent"));
        var copy = build("serpent");
        assertEquals(original.directory(), copy.directory());
        assertEquals("serpent", copy.function().name());
        assertEquals("python", copy.function().language());
        assertEquals(List.of(), List.copyOf(said));
    }

    @Test void what_other_tools_leave_beside_the_sources_changes_nothing() throws Exception {
        var before = build("python");
        write("function/python/__pycache__/handler.cpython-313.pyc", "left by an editor");
        assertEquals(before, build("python"));
    }

    @Test void the_same_content_makes_the_same_zip() throws Exception {
        var here = build("python", Build.Platform.LOCAL, cache);
        var elsewhere = build("python", Build.Platform.LOCAL, machine.resolve("another/cache"));
        assertNotEquals(here.directory(), elsewhere.directory());
        assertEquals(here.sha256(), elsewhere.sha256());
        assertEquals(here.bytes(), elsewhere.bytes());
    }

    @Test void two_at_once_build_once() throws Exception {
        try (var builders = Executors.newVirtualThreadPerTaskExecutor()) {
            var both = builders.invokeAll(List.of(() -> build("python"), () -> build("python")));
            assertEquals(both.getFirst().get(), both.getLast().get());
        }
        assertEquals(1, Collections.frequency(List.copyOf(said), "python: building for AL2023_ARM64"), said::toString);
    }

    @Test void a_missing_tool_is_told_with_a_way_to_get_it() throws IOException {
        Files.delete(kit.resolve("jbang"));
        var missing = assertThrows(Build.Missing.class, () -> build("java"));
        assertEquals("java needs ./jbang", missing.getMessage());
        assertFalse(missing.hint.isBlank());
    }

    @Test void an_interrupted_build_ends_its_tools_and_is_made_anew() throws Exception {
        Path pid = machine.resolve("pid");
        write("function/python/build", "#!/bin/sh\nsleep 600 &\necho $! > '%s'\nwait\n".formatted(pid));
        var failure = new AtomicReference<Exception>();
        var builder = Thread.ofPlatform().start(() -> {
            try {
                build("python");
            } catch (Exception ended) {
                failure.set(ended);
            }
        });
        while (!Files.exists(pid) || Files.readString(pid).isBlank()) Thread.sleep(10);
        long tool = Long.parseLong(Files.readString(pid).strip());
        assertTrue(ProcessHandle.of(tool).isPresent());
        builder.interrupt();
        assertTrue(builder.join(Duration.ofSeconds(5)));
        assertInstanceOf(InterruptedException.class, failure.get());
        var deadline = Instant.now().plusSeconds(5);
        while (isAlive(tool) && Instant.now().isBefore(deadline)) Thread.sleep(10);
        assertFalse(isAlive(tool));
        copy("function/python/build");
        assertTrue(Files.exists(build("python").zip()));
    }

    private static boolean isAlive(long pid) { return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false); }

    @Test void a_description_that_lacks_something_is_refused_with_what_it_lacks() throws Exception {
        for (var wrong : Map.of(
                "{\"colour\": \"#000000\"}", "\"language\" is missing",
                "{\"language\": \"x\", \"colour\": \"blue\"}", "\"colour\" is not of the form #0072b2",
                "{\"language\": \"x\", \"colour\": \"#000000\"}", "\"local\" is missing",
                """
                {"language": "x", "colour": "#000000", "contract": true,
                 "local": {"command": ["x"], "memoryMb": {"lmi": 1}}, "builds": []}""", "Unrecognized field \"builds\"",
                "[]", "is not a JSON object", "{", "Unexpected end-of-input").entrySet()) {
            write("function/python/function.json", wrong.getKey());
            var refused = assertThrows(Cli.Problem.class, () -> build("python"));
            assertEquals(Cli.REFUSED, refused.exitCode);
            assertTrue(refused.getMessage().contains(wrong.getValue()), refused.getMessage());
            assertFalse(refused.getMessage().contains("\n"), refused.getMessage());
        }
    }

    @Test void a_failed_build_says_why_and_where_to_read_on_and_is_tried_again() throws Exception {
        write("function/java/Handler.java", "//JAVA 25\npublic class Handler { Nothing nothing; }\n");
        var failed = assertThrows(Build.Failed.class, () -> build("java"));
        assertTrue(failed.getMessage().contains("cannot find symbol"), failed.getMessage());
        Path log = Path.of(failed.getMessage().replaceFirst("(?s).*the whole log: ", ""));
        assertTrue(Files.readString(log).contains("cannot find symbol"));
        assertThrows(Build.Failed.class, () -> build("java"));
    }

    @Test void javas_zip_is_laid_out_as_lambda_unpacks_it_without_what_the_handler_does_not_use() throws Exception {
        copy("function/java/Handler.java");
        var names = modesByName(build("java").zip()).keySet();
        assertTrue(names.contains("Handler.class"), names::toString);
        assertTrue(names.stream().anyMatch(name -> name.startsWith("lib/url-connection-client-")), names::toString);
        assertTrue(names.stream().noneMatch(name -> name.contains("netty")), names::toString);
        assertTrue(names.stream().noneMatch(name -> name.contains("runtime-interface-client")), names::toString);
    }

    @Test void a_zip_says_what_is_executable() throws Exception {
        Set<PosixFilePermission> executable = PosixFilePermissions.fromString("rwxr-xr-x");
        Files.setPosixFilePermissions(kit.resolve("function/python/handler.py"), executable);
        assertEquals(0755, modesByName(build("python").zip()).get("handler.py") & 0777);
        assertEquals(0644, modesByName(build("java").zip()).get("Handler.class") & 0777);
    }

    @Test void a_function_for_this_machine_is_launched_under_its_own_runtime_client() throws Exception {
        var python = build("python", Build.Platform.LOCAL, cache);
        assertNull(python.zip());
        var launch = Build.launch(python, 1769);
        var starts = new ProcessBuilder(launch.command()).redirectErrorStream(true);
        starts.environment().keySet().removeIf(name -> name.startsWith("AWS_LAMBDA_"));
        starts.environment().putAll(launch.environment());
        var process = starts.start();
        String complaint = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(complaint.contains("AWS_LAMBDA_RUNTIME_API"), complaint);
    }

    public static void main(String... args) {
        org.junit.platform.console.ConsoleLauncher.main("execute", "--select-class=BuildTest", "--details=tree",
                "--disable-banner", "--fail-if-no-tests");
    }
}
