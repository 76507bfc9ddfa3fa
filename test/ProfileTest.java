///usr/bin/env jbang "$0" "$@" ; exit $?
// Is a profile judged before anything starts, and is the page on its form true?

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/Cli.java
//SOURCES ../kit/record/Functions.java
//SOURCES ../kit/record/Profile.java
//SOURCES ../kit/record/Run.java

import module java.base;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

final class ProfileTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=ProfileTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    // ==== Vocabulary ====

    private static final Path KIT = Path.of("").toAbsolutePath();
    private static final String SOME = """
            { "description": "A test.", "claims": true, "seed": 7, "warmUpRequests": 8, "targets": { "local": {
              "variants": ["rust-standard-1769", "rust-lmi-2048"],
              "studies": [{ "kind": "steady", "name": "steady", "design": "slots", "rounds": 6, "settleSeconds": 1,
                "measureSeconds": 1, "workloads": [
                  { "name": "io", "ratePerSecond": 10, "query": { "delay_ms": "50" } },
                  { "name": "cpu", "ratePerSecond": 10, "query": { "seed": "s", "hash_loops": "100" } }] }] } } }
            """;
    @TempDir Path temporary;

    private static Profile.Asked asked(Duration cutTo) {
        return new Profile.Asked(Set.of(), Set.of(), cutTo, null, null, null, null, List.of());
    }

    /** As experiment.java --plan does, but for asking the target. */
    private Run.Plan plan(String profile, Duration cutTo) throws IOException {
        Path file = Files.writeString(temporary.resolve("p.json"), profile);
        var plan = Profile.read(KIT, file.toString()).plan("p", "local", asked(cutTo));
        var functions = Functions.of(KIT, List.of());
        functions.checkVariants(plan);
        functions.checkWorkloads(plan);
        return plan;
    }

    private Cli.Problem refused(String profile, Duration cutTo) {
        var problem = assertThrows(Cli.Problem.class, () -> plan(profile, cutTo), profile);
        assertEquals(Cli.REFUSED, problem.exitCode);
        assertFalse((problem.getMessage() + problem.hint).contains("\n"), problem.getMessage());
        return problem;
    }

    private static String with(String from, String to) {
        assertTrue(SOME.contains(from), from);
        return SOME.replace(from, to);
    }

    // ==== What is wrong ====

    @ParameterizedTest @CsvSource(delimiter = '|', value = {
        "\"rounds\": 6              | \"rounds\": 0               | rounds is 0, not 1 to 10000                | such as \"rounds\": 12",
        "\"rounds\": 6              | \"rounds\": \"six\"         | rounds: is not a whole number              | such as \"rounds\": 12",
        "\"rounds\": 6,             | ''                          | rounds: is not a whole number              | such as \"rounds\": 12",
        "\"rounds\": 6              | \"rounds\": 5               | claims differences from 5 rounds           | \"claims\": false",
        "\"rounds\": 6              | \"round\": 6, \"rounds\": 6 | there is no such field, but deployments    | README.md",
        "\"measureSeconds\": 1      | \"measureSeconds\": 0.5     | measureSeconds is 0.5, not 1 to 100000     | such as \"measureSeconds\": 4",
        "\"settleSeconds\": 1       | \"settleSeconds\": 0.5      | settleSeconds is 0.5, not 1 to 100000      | such as \"settleSeconds\": 1",
        "\"warmUpRequests\": 8      | \"warmUpRequests\": -1      | warmUpRequests is -1, not 0 to 1000000     | such as \"warmUpRequests\": 300",
        "\"ratePerSecond\": 10      | \"ratePerSecond\": 0        | ratePerSecond is 0, not 0.01 to 1000000    | such as \"ratePerSecond\": 40",
        "\"design\": \"slots\"      | \"design\": \"mixed\"       | design is mixed, not slots or concurrent   | such as \"design\": \"slots\"",
        "\"claims\": true           | \"claims\": \"yes\"         | claims: is not true or false               | such as \"claims\": true",
        "\"delay_ms\": \"50\"       | \"delay_ms\": \"15001\"     | delay_ms is '15001', not 0 to 15000        | README.md",
        "\"delay_ms\": \"50\"       | \"delay\": \"50\"           | delay_ms is '', not 0 to 15000             | README.md",
        "\"delay_ms\": \"50\"       | \"delay_ms\": \"5e1\"       | delay_ms is '5e1', not 0 to 15000          | README.md",
        "\"delay_ms\": \"50\"       | \"delay_ms\": \"1700\"      | is 17 requests at once                     | README.md",
        "\"hash_loops\": \"100\"    | \"hash_loops\": \"0\"       | hash_loops is '0', not 1 to 1000000        | README.md",
        "\"seed\": \"s\"            | \"seed\": \"\"              | seed has 0 characters, not 1 to 256        | README.md",
        "\"name\": \"io\"           | \"name\": \"oi\"            | there is no such workload                  | README.md",
        "rust-lmi-2048              | cobol-lmi-2048              | there is no function cobol                 | --function",
        "rust-lmi-2048              | rust-standard-1769          | has an entry twice                         | such as \"variants\"",
        "rust-lmi-2048              | rust-big-2048               | rust-big-2048' is not a variant            | such as \"variants\""})
    void a_field_that_is_wrong_is_named_with_its_bounds_and_an_example(String from, String to, String says, String hints) {
        var problem = refused(with(from, to), null);
        assertTrue(problem.getMessage().contains(says), problem.getMessage());
        assertTrue(problem.hint.contains(hints), problem.hint);
    }

    @Test void a_time_that_does_not_shorten_a_profile_is_refused() throws IOException {
        String said = refused(SOME, Duration.ofHours(1)).getMessage();
        assertTrue(said.matches("--for 60 min 00 s does not shorten profile p, which takes about \\d+ s"), said);
        assertTrue(plan(SOME, Duration.ofSeconds(30)).order().size() < plan(SOME, null).order().size());
    }

    @Test void every_profile_of_the_kit_has_rounds_enough_for_what_it_claims() throws IOException {
        try (var files = Files.newDirectoryStream(KIT.resolve("k6/profiles"), "*.json")) {
            for (Path file : files) {
                String name = file.getFileName().toString().replace(".json", "");
                var profile = Profile.read(KIT, name);
                for (String target : profile.targets().keySet()) profile.plan(name, target, asked(null));
            }
        }
    }

    // ==== The page on the form ====

    /** Field, bounds and example of each row of the page. */
    private static List<List<String>> rows() throws IOException {
        var row = Pattern.compile("(?m)^\\| `(\\w+)` \\|[^|]*\\| ([^|]*) \\| `(.*)` \\|$");
        return row.matcher(Files.readString(KIT.resolve("k6/profiles/README.md"))).results()
                .map(match -> List.of(match.group(1), match.group(2), match.group(3))).toList();
    }

    private static void fields(JsonNode json, Set<String> into) {
        json.properties().forEach(field -> into.add(field.getKey()));
        json.forEach(child -> fields(child, into));
    }

    @Test void the_page_on_profiles_has_every_field_with_its_bounds() throws Exception {
        var rows = rows();
        var used = new TreeSet<String>();
        try (var files = Files.newDirectoryStream(KIT.resolve("k6/profiles"), "*.json")) {
            for (Path file : files) fields(Run.json().readTree(file.toFile()), used);
        }
        used.removeAll(Set.of("local", "aws"));
        assertEquals(used, rows.stream().map(List::getFirst).collect(Collectors.toCollection(TreeSet::new)));
        for (var row : rows) {
            String field = row.getFirst();
            assertTrue(Run.json().readTree("{" + row.get(2) + "}").has(field), row.get(2));
            var bounds = Pattern.compile("([\\d.]+) to ([\\d.]+)").matcher(row.get(1));
            boolean isNumber = bounds.matches() && SOME.matches("(?s).*\"" + field + "\": \"?[\\d.]+.*");
            if (!isNumber) continue;
            BigDecimal least = new BigDecimal(bounds.group(1)), most = new BigDecimal(bounds.group(2));
            boolean isWhole = least.scale() == 0 && !field.endsWith("Seconds");
            var little = isWhole ? BigDecimal.ONE : new BigDecimal("0.001");
            assertNotNull(ends(field, least) + ends(field, most));
            for (var beyond : List.of(least.subtract(little), most.add(little))) {
                // Nothing settles for no time at all, and that is allowed.
                var problem = refused(changed(field, beyond), null);
                assertTrue(problem.getMessage().contains(field), problem.getMessage());
            }
        }
    }

    /** A profile with an end of a field's bounds, which must be taken. */
    private String ends(String field, BigDecimal value) throws IOException {
        String changed = changed(field, value);
        // Ends of one field may be too much beside others: the rate with the delay, the rounds with the claim and the cells.
        changed = changed.replace("true", "false");
        if (field.equals("ratePerSecond")) changed = changed.replace("\"50\"", "\"0\"");
        if (field.equals("delay_ms")) changed = changed.replace("\"ratePerSecond\": 10", "\"ratePerSecond\": 1");
        if (field.equals("rounds")) changed = changed.replace(", \"rust-lmi-2048\"", "")
                .replaceAll("(?s),\\s*\\{ \"name\": \"cpu\".*?\\} \\}", "");
        plan(changed, null);
        return changed;
    }

    private static String changed(String field, BigDecimal value) {
        return SOME.replaceAll("(\"" + field + "\": \"?)[\\d.]+", "$1" + value.toPlainString());
    }
}
