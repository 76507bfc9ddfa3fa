///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

/** What comes from elsewhere is named so exactly that nobody can change it under the same name. */
final class SupplyTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=SupplyTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    private static List<String> lines(Path file, String pattern) throws IOException {
        var found = Pattern.compile(pattern, Pattern.MULTILINE).matcher(Files.readString(file));
        var lines = found.results().map(MatchResult::group).toList();
        assertFalse(lines.isEmpty(), file + " has nothing like " + pattern);
        return lines;
    }

    private static List<Path> files(String folder, String name) throws IOException {
        try (var files = Files.walk(Path.of(folder))) {
            return files.filter(file -> file.getFileName().toString().matches(name)).toList();
        }
    }

    @Test void actions_are_named_by_commit() throws IOException {
        for (Path workflow : files(".github/workflows", ".*\\.ya?ml")) {
            for (String use : lines(workflow, "uses: \\S+")) assertTrue(use.matches(".*@[0-9a-f]{40}"), use);
        }
    }

    @Test void every_python_package_has_its_sums_and_so_have_those_that_it_needs() throws IOException {
        var lists = Stream.concat(files("function", ".*\\.txt").stream(), files("test/aws", ".*\\.txt").stream());
        for (Path list : lists.toList()) {
            String text = Files.readString(list).replaceAll("(?m)^#.*\\n", "");
            for (String requirement : text.split("\\n(?=\\S)")) {
                assertTrue(requirement.matches("(?s)\\S+==\\S+ .*--hash=sha256:[0-9a-f]{64}.*"), requirement);
            }
        }
        for (Path build : List.of(Path.of("function/python/build"), Path.of("function/rust/build"))) {
            String text = Files.readString(build);
            assertTrue(text.replace("\\\n", "").lines().filter(line -> line.contains("pip\" install")
                    || line.contains("-m pip install")).allMatch(line -> line.contains("--require-hashes")), text);
        }
        assertTrue(Files.readString(Path.of("test/StandIn.java")).contains("\"--require-hashes\""));
    }

    @Test void jars_are_of_one_version_which_a_bill_of_materials_may_name() throws IOException {
        var scripts = new ArrayList<>(files("kit", ".*\\.java"));
        scripts.addAll(List.of(Path.of("analyze.java"), Path.of("experiment.java"), Path.of("function/java/Handler.java")));
        for (Path script : scripts) {
            String text = Files.readString(script);
            boolean managed = text.contains("@pom");
            for (String line : text.lines().filter(line -> line.startsWith("//DEPS")).toList()) {
                for (String jar : line.substring("//DEPS ".length()).split(" ")) {
                    boolean named = jar.matches("[\\w.-]+:[\\w.-]+:[\\w.-]+(@pom)?");
                    assertTrue(named || managed && jar.matches("[\\w.-]+:[\\w.-]+"), script + ": " + jar);
                }
            }
        }
    }

    @Test void crates_are_those_of_the_lock_file() throws IOException {
        assertTrue(Files.exists(Path.of("function/rust/Cargo.lock")));
        assertTrue(Files.readString(Path.of("function/rust/build")).contains("--locked"));
    }
}
