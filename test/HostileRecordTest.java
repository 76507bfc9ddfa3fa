///usr/bin/env jbang "$0" "$@" ; exit $?
// Two hundred records that somebody broke, from a seed: each is refused in one line, or read as far as it holds.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//RUNTIME_OPTIONS -Xmx200m
//SOURCES ../kit/Cli.java
//SOURCES ../kit/judge/Findings.java
//SOURCES ../kit/judge/Gates.java
//SOURCES ../kit/record/Run.java
//SOURCES ../kit/report/Exhibit.java
//SOURCES ../kit/report/Exhibits.java
//SOURCES ../kit/report/Tables.java
//SOURCES MadeUpRun.java
//RUNTIME_OPTIONS --sun-misc-unsafe-memory-access=allow

import module java.base;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

final class HostileRecordTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=HostileRecordTest", "--disable-banner", "--fail-if-no-tests");
    }

    private static final int RECORDS = 200;
    private static final Duration LONGEST = Duration.ofSeconds(10);
    private static final JsonNodeFactory MAKE = JsonNodeFactory.instance;

    @TempDir static Path run;

    /** A place in the record, and what is to stand there. */
    private record Place(JsonNode parent, String field, int index) {
        void set(JsonNode value) {
            if (parent instanceof ObjectNode object) object.set(field, value);
            else ((ArrayNode) parent).set(index, value);
        }

        void remove() {
            if (parent instanceof ObjectNode object) object.remove(field);
            else ((ArrayNode) parent).remove(index);
        }

        JsonNode value() { return parent instanceof ObjectNode object ? object.get(field) : parent.get(index); }

        @Override public String toString() { return field == null ? "[" + index + "]" : field; }
    }

    private static void places(JsonNode node, List<Place> into) {
        if (node instanceof ObjectNode object) object.properties().forEach(field -> {
            into.add(new Place(object, field.getKey(), 0));
            places(field.getValue(), into);
        });
        else for (int i = 0; i < node.size(); i++) {
            into.add(new Place(node, null, i));
            places(node.get(i), into);
        }
    }

    /** Breaks one place, and says how. */
    private static String mutate(Place place, SplittableRandom random) {
        String was = place.value().toString();
        var texts = List.of("", "../../.git/hooks/x", "/dev/zero", "\u0000\u001b[2J", "x".repeat(1 << 20), "NaN", "-1");
        var numbers = List.of(-1L, 0L, (long) Integer.MAX_VALUE, Long.MAX_VALUE, Long.MIN_VALUE);
        String how = switch (random.nextInt(7)) {
            case 0 -> { place.remove(); yield "removed"; }
            case 1 -> { place.set(MAKE.nullNode()); yield "null"; }
            case 2 -> { String text = texts.get(random.nextInt(texts.size())); place.set(MAKE.textNode(text));
                yield "text of " + text.length(); }
            case 3 -> { long number = numbers.get(random.nextInt(numbers.size())); place.set(MAKE.numberNode(number));
                yield "number " + number; }
            case 4 -> { place.set(MAKE.arrayNode().add(was)); yield "an array"; }
            case 5 -> { place.set(MAKE.objectNode().put("kind", "steady")); yield "an object"; }
            default -> { place.set(MAKE.numberNode(1e300)); yield "1e300"; }
        };
        return place + ", which was " + (was.length() > 60 ? was.substring(0, 60) + "…" : was) + ", is " + how;
    }

    /** Records that were refused, and those that were read and told to be wrong. */
    private static final Set<String> REFUSED = new ConcurrentSkipListSet<>(), TOLD = new ConcurrentSkipListSet<>();

    /**
     * What analyze.java shows of a run, but for costs: other prices than the list's are the record's own. Empty for a run
     * that is told not to be valid.
     */
    private static String figures(Path file) throws IOException {
        try (var findings = Findings.read(Run.read(file), run, (_, _) -> {})) {
            boolean isValid = Gates.check(findings).stream().noneMatch(Gates.Checked::isRaised);
            var shown = new StringBuilder();
            for (var exhibit : Exhibits.ofRun(findings, isValid)) {
                String table = exhibit.table().map(Tables::csv).orElse("");
                if (!exhibit.section().startsWith("Cost")) shown.append(table);
                exhibit.figure().ifPresent(Supplier::get);
            }
            return isValid ? shown.toString() : "";
        }
    }

    @TestFactory Stream<DynamicTest> a_broken_record_is_refused_in_one_line_or_told_or_as_good_as_before() throws IOException {
        Path file = new MadeUpRun(2, 1, "rust-standard-1769", "rust-lmi-2048").write(run);
        String whole = Files.readString(file), before = figures(file);
        assertFalse(before.isEmpty());
        var random = new SplittableRandom(Long.getLong("seed", 20261124));
        return IntStream.range(0, RECORDS).boxed().map(number -> {
            JsonNode json;
            try {
                json = Run.json().readTree(whole);
            } catch (IOException notJson) {
                throw new UncheckedIOException(notJson);
            }
            var places = new ArrayList<Place>();
            places(json, places);
            String how = mutate(places.get(random.nextInt(places.size())), random);
            return DynamicTest.dynamicTest(number + ": " + how, () -> assertTimeoutPreemptively(LONGEST, () -> {
                Files.writeString(file, json.toString());
                try {
                    String now = figures(file);
                    if (now.isEmpty()) TOLD.add(how);
                    else assertEquals(before, now);
                } catch (Cli.Problem problem) {
                    assertEquals(Cli.REFUSED, problem.exitCode);
                    assertFalse(problem.getMessage().contains("\n") || problem.getMessage().contains("at [Source"),
                            problem.getMessage());
                    assertTrue(problem.getMessage().length() < 1_000, problem.getMessage());
                    assertNotNull(problem.hint);
                    REFUSED.add(how);
                }
            }));
        });
    }

    @AfterAll static void many_were_refused() { assertTrue(REFUSED.size() > RECORDS / 4, REFUSED + " and " + TOLD); }
}
