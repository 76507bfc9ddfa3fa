///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/record/Disk.java

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

/** What is written is whole or not there, whatever stands in its way. */
final class DiskTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=DiskTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    @TempDir Path disk;

    private List<String> names() throws IOException {
        try (var files = Files.list(disk)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private SequencedMap<Path, String> texts(String... names) {
        var texts = new LinkedHashMap<Path, String>();
        for (String name : names) texts.put(disk.resolve(name), "new " + name);
        return texts;
    }

    @Test void all_files_are_replaced_and_nothing_else_is_left() throws IOException {
        Files.writeString(disk.resolve("a.csv"), "old");
        Disk.write(texts("a.csv", "index.html"));
        assertEquals(List.of("a.csv", "index.html"), names());
        assertEquals("new a.csv", Files.readString(disk.resolve("a.csv")));
    }

    @Test void no_file_is_replaced_when_one_of_them_cannot_be() throws IOException {
        Files.writeString(disk.resolve("a.csv"), "old");
        Files.createDirectory(disk.resolve("index.html"));
        var failed = assertThrows(IOException.class, () -> Disk.write(texts("a.csv", "index.html")));
        assertTrue(failed.getMessage().contains("index.html"), failed.getMessage());
        assertEquals(List.of("a.csv", "index.html"), names());
        assertEquals("old", Files.readString(disk.resolve("a.csv")));
    }

    @Test void a_full_disk_leaves_the_old_file_and_no_other() throws Exception {
        Path full = disk.resolve("full");
        Files.createDirectory(full);
        Assumptions.assumeTrue(run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", full.toString()),
                "only root may mount");
        try {
            Path file = full.resolve("report.html");
            Files.writeString(file, "old");
            assertThrows(IOException.class, () -> Disk.write(file, "x".repeat(1 << 20)));
            assertEquals("old", Files.readString(file));
            try (var files = Files.list(full)) {
                assertEquals(List.of(file), files.toList());
            }
        } finally {
            run("umount", full.toString());
        }
    }

    @Test void a_symbolic_link_stays_one() throws IOException {
        Path real = Files.writeString(disk.resolve("real.md"), "old");
        Path link = Files.createSymbolicLink(disk.resolve("link.md"), Path.of("real.md"));
        Disk.write(link, "new");
        assertTrue(Files.isSymbolicLink(link));
        assertEquals("new", Files.readString(real));
    }

    @Test void what_is_written_is_as_readable_as_any_file() throws IOException {
        Disk.write(disk.resolve("a"), "text");
        assertEquals("rw-r--r--", PosixFilePermissions.toString(Files.getPosixFilePermissions(disk.resolve("a"))));
    }

    @Test void a_tree_is_deleted_and_what_a_link_in_it_leads_to_is_not() throws IOException {
        Path outside = Files.writeString(disk.resolve("outside"), "stays");
        Path tree = Files.createDirectories(disk.resolve("tree/deep"));
        Files.createSymbolicLink(tree.resolve("link"), outside);
        Disk.delete(disk.resolve("tree"));
        Disk.delete(disk.resolve("was never there"));
        assertEquals(List.of("outside"), names());
    }

    private static boolean run(String... command) throws Exception {
        return new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
    }
}
