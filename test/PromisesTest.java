///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

/** Does test/README.md tell the truth? */
final class PromisesTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=PromisesTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    private static final Pattern ROW = Pattern.compile("\\| (.+?) \\| ?(.*?) ?\\|"), TEST = Pattern.compile("`(\\w+)\\.(\\w+)`");

    /** Each promise with what stands in its row for the tests. */
    private static Map<String, String> rows() throws IOException {
        var rows = new LinkedHashMap<String, String>();
        for (String line : Files.readAllLines(Path.of("test/README.md"))) {
            var row = ROW.matcher(line);
            if (!row.matches() || row.group(1).equals("promise") || line.startsWith("|--")) continue;
            assertNull(rows.put(row.group(1), row.group(2)), "promised twice: " + row.group(1));
        }
        return rows;
    }

    @Test void every_promise_names_a_test_and_every_test_that_is_named_is_there() throws IOException {
        var wrong = new ArrayList<String>();
        var rows = rows();
        for (var row : rows.entrySet()) {
            var tests = TEST.matcher(row.getValue()).results().toList();
            if (tests.isEmpty()) wrong.add("nothing holds: " + row.getKey());
            for (var test : tests) {
                Path file = Path.of("test", test.group(1) + ".java");
                var method = Pattern.compile("(?m)^[^*/]*\\b(?:void|Stream<DynamicTest>) " + test.group(2) + "\\(");
                boolean isThere = Files.exists(file) && method.matcher(Files.readString(file)).find();
                if (!isThere) wrong.add("there is no " + test.group());
            }
        }
        assertEquals(List.of(), wrong);
        assertTrue(rows.size() > 50, rows.size() + " promises");
    }
}
