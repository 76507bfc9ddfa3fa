///usr/bin/env jbang "$0" "$@" ; exit $?
// Is a run.json taken for what it is: a stranger's input? Each test breaks a record in one way.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/Cli.java
//SOURCES ../kit/record/Profile.java
//SOURCES ../kit/record/Publish.java
//SOURCES ../kit/record/Run.java
//SOURCES MadeUpRun.java

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

final class RecordTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=RecordTest", "--disable-banner", "--fail-if-no-tests");
    }

    // ==== Vocabulary ====

    @TempDir Path temporary;

    private static MadeUpRun madeUp() { return new MadeUpRun(2, 1, "rust-standard-1769", "rust-lmi-2048"); }

    private Path run() { return temporary.resolve("run"); }

    /** A whole run's run.json, with one text replaced by another. */
    private Path changed(String from, String to) throws IOException {
        Path file = madeUp().write(run());
        String text = Files.readString(file);
        assertTrue(text.contains(from), from);
        return Files.writeString(file, text.replace(from, to));
    }

    private static String refused(Executable action) {
        var problem = assertThrows(Cli.Problem.class, action::run);
        assertEquals(Cli.REFUSED, problem.exitCode);
        assertFalse(problem.getMessage().contains("\n"), problem.getMessage());
        assertNotNull(problem.hint);
        return problem.getMessage();
    }

    private interface Executable { void run() throws Throwable; }

    // ==== Reading ====

    @Test void a_record_is_read_as_it_was_written() throws IOException {
        Path file = madeUp().write(run());
        String written = Files.readString(file);
        Run.read(file).write(run());
        assertEquals(written, Files.readString(file));
    }

    @ParameterizedTest @CsvSource(delimiter = '|', value = {
        "\"rounds\" : 2                  | \"rounds\" : 2000000000            | plan.studies[0]: rounds is 2000000000, not 1 to 10000",
        "\"rounds\" : 2,                 | ''                                 | plan.studies[0].rounds",
        "\"rounds\" : 2                  | \"rounds\" : \"2\"                 | plan.studies[0].rounds",
        "\"rounds\" : 2                  | \"rounds\" : 2.5                   | plan.studies[0].rounds",
        "\"kind\" : \"steady\"           | \"kind\" : \"strange\"             | plan.studies[0]",
        "\"measureSeconds\" : 1.0        | \"measureSeconds\" : -1.0          | measureSeconds is -1, not 1 to 100000",
        "\"design\" : \"slots\"          | \"design\" : null                  | design is null, not slots or concurrent",
        "\"workload\" : \"io\"           | \"workload\" : \"oi\"              | of a study or workload that the plan doesn't have",
        "\"id\" : \"made-up\"            | \"id\" : \"../made-up\"            | id is not the name of a directory",
        "\"schema\" : 2                  | \"schema\" : 1                     | schema is 1, this kit reads 2",
        "\"kind\" : \"measured\"         | \"kind\" : \"perhaps\"             | outcome is perhaps, not measured or failed",
        "cells/001                       | ../cells/001                       | path is not that of a file in cells/",
        "cells/001                       | /etc/001                           | path is not that of a file in cells/",
        "\"started\" : \"2026            | \"started\" : \"9026               | started is not a time of this age",
        "\"seconds\" : 1.0               | \"seconds\" : \"NaN\"              | seconds",
        "\"profile\" : \"made-up\"       | \"profile\" : 5                    | plan.profile",
        "\"cells\" : [                   | \"cells\" : [ null,                | cells has null in it",
        "\"seed\" : 1                    | \"seed\" : 1, \"seed\" : 2         | seed"})
    void a_field_that_is_wrong_is_named(String from, String to, String says) throws IOException {
        Path file = changed(from, to);
        String said = refused(() -> Run.read(file));
        assertTrue(said.contains(says), said);
        assertFalse(said.contains("at [Source") || said.contains("Exception"), said);
    }

    @ParameterizedTest @ValueSource(strings = {"", "null", "[]", "{}", "5", "{\"schema\":2", "\u0000", "no json at all"})
    void what_is_no_record_is_refused(String text) throws IOException {
        Path file = Files.writeString(temporary.resolve("run.json"), text);
        refused(() -> Run.read(file));
    }

    @Test void a_gigabyte_of_text_or_a_device_is_refused_without_being_read() throws IOException {
        Path large = temporary.resolve("run.json");
        try (var file = FileChannel.open(large, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(new byte[1]), 1L << 30);
        }
        assertTrue(refused(() -> Run.read(large)).contains("more than 32 MB"));
        assertTrue(refused(() -> Run.read(Path.of("/dev/zero"))).contains("not a plain file"));
    }

    @Test void a_link_in_place_of_a_cells_file_is_not_followed() throws IOException {
        Run run = Run.read(madeUp().write(run()));
        var file = run.cells().getFirst().files().getFirst();
        Path path = run().resolve(file.path()), elsewhere = temporary.resolve("elsewhere");
        Files.move(path, elsewhere);
        Files.createSymbolicLink(path, elsewhere);
        assertTrue(assertThrows(IOException.class, () -> file.in(run())).getMessage().contains("not a plain file"));
    }

    @Test void cells_that_are_not_there_are_known_and_those_that_were_not_planned_refused() throws IOException {
        var whole = Run.read(madeUp().write(run()));
        assertEquals(List.of(), whole.missingCells());
        var cut = whole.withCells(whole.cells().subList(0, 5));
        assertEquals(whole.plan().order().subList(5, 8), cut.missingCells());
        Path file = changed("\"name\" : \"001-rust-standard-1769-io\",\n    \"round\" : 1,", 
                "\"name\" : \"001-rust-standard-1769-io\",\n    \"round\" : 2,");
        assertTrue(refused(() -> Run.read(file)).contains("not as it was planned"));
    }

    // ==== Names ====

    @Test void a_variants_name_says_all_of_it() {
        var variant = Run.Variant.of("java-lmi-2048-c8-twin");
        assertEquals(new Run.Variant("java-lmi-2048-c8-twin", "java", "lmi", 2048, 8, true), variant);
        assertEquals("java-lmi-2048-c8", variant.original());
        assertEquals(16, Run.Variant.of("java-lmi-2048").concurrency());
        assertEquals(1, Run.Variant.of("java-standard-512").concurrency());
    }

    @ParameterizedTest @ValueSource(strings = {"rust", "rust-lmi", "rust-lmi-1", "rust-standard-1769-c8", "Rust-lmi-2048",
        "rust-lmi-2048-c16", "rust-lmi-99999", "../rust-lmi-2048", "rust_lmi-2048"})
    void what_names_no_variant_is_refused(String name) {
        assertThrows(IllegalArgumentException.class, () -> Run.Variant.of(name));
    }

    // ==== Publish ====

    private Path published() { return temporary.resolve("published/made-up"); }

    @Test void a_published_copy_is_four_files_whose_parts_are_the_cells() throws IOException {
        Run run = Run.read(madeUp().write(run()));
        Publish.write(run, run(), published());
        try (var files = Files.list(published())) {
            assertEquals(List.of("invocations.ndjson.gz", "metrics.ndjson.gz", "run.json", "samples.k6.json.gz"),
                    files.map(file -> file.getFileName().toString()).sorted().toList());
        }
        Run copy = Run.read(published().resolve("run.json"));
        var whole = new ByteArrayOutputStream();
        for (int i = 0; i < run.cells().size(); i++) {
            for (var kind : Run.File.Kind.values()) {
                var file = run.cells().get(i).files(kind).getFirst();
                var part = copy.cells().get(i).files(kind).getFirst();
                assertTrue(part.isUnchanged(published()));
                assertEquals(new Run.File.Whole(file.bytes(), file.sha256()), part.whole());
                byte[] text = part.text(published()).readAllBytes();
                assertArrayEquals(file.text(run()).readAllBytes(), text);
                if (kind == Run.File.Kind.METRICS) whole.write(text);
            }
        }
        try (var through = new GZIPInputStream(Files.newInputStream(published().resolve("metrics.ndjson.gz")))) {
            assertArrayEquals(whole.toByteArray(), through.readAllBytes());
        }
    }

    @Test void a_file_that_was_changed_is_not_published_and_the_earlier_copy_stays() throws IOException {
        Run run = Run.read(madeUp().write(run()));
        Publish.write(run, run(), published());
        byte[] before = Files.readAllBytes(published().resolve("run.json"));
        Files.writeString(run().resolve(run.cells().getFirst().files(Run.File.Kind.METRICS).getFirst().path()), "x");
        assertTrue(refused(() -> Publish.write(run, run(), published())).contains("sha256 differs"));
        assertArrayEquals(before, Files.readAllBytes(published().resolve("run.json")));
        try (var left = Files.list(published().getParent())) {
            assertEquals(List.of(published()), left.toList());
        }
    }

    @Test void only_a_publication_is_taken_for_one() throws IOException {
        Run run = Run.read(madeUp().write(run()));
        Publish.write(run, run(), published());
        assertTrue(Publish.isPublication(published()));
        assertFalse(Publish.isPublication(run()));
        assertFalse(Publish.isPublication(temporary));
    }
}
