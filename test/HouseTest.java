///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3

// Does the house stand as it is drawn? The parts lie in rooms, a folder for each vocabulary; each file names with
// //SOURCES exactly the parts that its code mentions, and the arrows between rooms go one way.
//
//     record ← build, local, aws        making and running functions knows how a run is written down
//     record ← read ← judge ← report    an answer is read, judged and only then said

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

final class HouseTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=HouseTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    /** Which rooms a room's parts may name, besides their own and Cli; "" are the parts without a room. */
    private static final Map<String, Set<String>> ARROWS = Map.of(
            "", Set.of(), "record", Set.of(), "build", Set.of("record"), "local", Set.of("build", "record"),
            "aws", Set.of("record", "judge"), "read", Set.of("record"), "judge", Set.of("read", "record"),
            "report", Set.of("judge", "read", "record"));
    /** An estimate before a run and the bill after it are one formula, so AWS's target knows it; of judge nothing else. */
    private static final Set<String> JUDGE_FOR_AWS = Set.of("Cost");
    /** The rooms that a script must not reach, by whatever way. */
    private static final Map<String, Set<String>> CLOSED = Map.of(
            "analyze.java", Set.of("build", "local", "aws"), "experiment.java", Set.of("judge", "report"),
            "local.java", Set.of("read", "judge", "report"), "aws.java", Set.of("local", "report"));

    // ==== The house that stands ====

    @Test void every_file_names_exactly_the_parts_that_its_code_mentions() throws IOException {
        assertEquals(List.of(), new House(Path.of("")).wrongSources());
    }

    @Test void no_arrow_goes_against_the_order() throws IOException {
        assertEquals(List.of(), new House(Path.of("")).wrongArrows());
    }

    @Test void analyze_reaches_no_target_and_experiment_no_judge() throws IOException {
        assertEquals(List.of(), new House(Path.of("")).wrongReach());
    }

    /** A function describes itself. Helps and messages may name one as an example; Java is what the kit itself runs on. */
    @Test void no_code_asks_for_a_measured_language_by_its_name() throws IOException {
        var asks = Pattern.compile("\"(python|rust)\"");
        for (Path file : House.files(Path.of(""))) {
            assertFalse(asks.matcher(Files.readString(file)).find(), file + " names a language that is measured");
        }
    }

    // ==== Houses that would fall ====

    @TempDir Path ground;

    private House house(String... filesAndTexts) throws IOException {
        for (int i = 0; i < filesAndTexts.length; i += 2) {
            Path file = ground.resolve(filesAndTexts[i]);
            Files.createDirectories(file.getParent());
            Files.writeString(file, filesAndTexts[i + 1]);
        }
        return new House(ground);
    }

    @Test void a_missing_source_is_found() throws IOException {
        assertEquals(List.of("kit/judge/Gates.java mentions Run and does not name it"), house(
                "kit/record/Run.java", "final class Run {}",
                "kit/judge/Gates.java", "final class Gates { Run run; }").wrongSources());
    }

    @Test void a_superfluous_source_is_found() throws IOException {
        assertEquals(List.of("kit/judge/Gates.java names Run and does not mention it"), house(
                "kit/record/Run.java", "final class Run {}",
                "kit/judge/Gates.java", """
                        //SOURCES ../record/Run.java
                        // Run is only spoken of here, and here:
                        final class Gates { String text = "Run"; Other.Run other; char quote = '"'; }
                        """).wrongSources());
    }

    @Test void a_name_that_the_file_declares_itself_is_no_mention() throws IOException {
        assertEquals(List.of(), house(
                "kit/local/Machine.java", "final class Machine {}",
                "kit/judge/Cost.java", "final class Cost { record Machine() {} Machine one; }").wrongSources());
    }

    @Test void an_arrow_against_the_order_is_found() throws IOException {
        assertEquals(List.of("kit/read/Reader.java names kit/judge/Gates.java"), house(
                "kit/judge/Gates.java", "final class Gates {}",
                "kit/read/Reader.java", "//SOURCES ../judge/Gates.java\nfinal class Reader { Gates gates; }")
                .wrongArrows());
    }

    @Test void a_closed_room_is_not_reached_by_a_detour() throws IOException {
        assertEquals(List.of("analyze.java reaches kit/build/Build.java"), house(
                "kit/build/Build.java", "final class Build {}",
                "kit/read/Reader.java", "//SOURCES ../build/Build.java\nfinal class Reader { Build build; }",
                "analyze.java", "//SOURCES kit/read/Reader.java\nfinal class Analyze { Reader reader; }")
                .wrongReach());
    }

    // ==== Looking at a house ====

    /** The four scripts and the parts below a directory, by their paths. */
    private static final class House {
        private static final Pattern SOURCE = Pattern.compile("(?m)^//SOURCES (\\S+)$");
        /** Comments, text blocks, strings and characters: none of them is code. */
        private static final Pattern NO_CODE = Pattern.compile("/\\*.*?\\*/|//[^\\n]*|\"\"\".*?(?<!\\\\)\"\"\""
                + "|\"(?:\\\\.|[^\"\\\\\\n])*\"|'(?:\\\\.|[^'\\\\\\n])+'", Pattern.DOTALL);
        private static final Pattern DECLARED = Pattern.compile("\\b(?:class|record|interface|enum)\\s+(\\w+)");
        private static final Pattern NAME = Pattern.compile("(?<![\\w.])[A-Z]\\w*");
        private final SortedMap<String, Set<String>> sources = new TreeMap<>(), mentions = new TreeMap<>();

        House(Path root) throws IOException {
            var texts = new TreeMap<String, String>();
            for (Path file : files(root)) texts.put(root.relativize(file).toString(), Files.readString(file));
            var parts = new HashMap<String, String>();
            for (String path : texts.keySet()) if (path.startsWith("kit/")) parts.put(name(path), path);
            texts.forEach((path, text) -> {
                Path here = Path.of(path);
                sources.put(path, SOURCE.matcher(text).results()
                        .map(line -> here.resolveSibling(line.group(1)).normalize().toString())
                        .collect(Collectors.toCollection(TreeSet::new)));
                String code = NO_CODE.matcher(text).replaceAll(" ");
                var own = DECLARED.matcher(code).results().map(type -> type.group(1)).collect(Collectors.toSet());
                mentions.put(path, NAME.matcher(code).results().map(MatchResult::group)
                        .filter(name -> parts.containsKey(name) && !own.contains(name)).map(parts::get)
                        .collect(Collectors.toCollection(TreeSet::new)));
            });
        }

        private static List<Path> files(Path root) throws IOException {
            var files = new ArrayList<Path>();
            for (String script : CLOSED.keySet()) if (Files.exists(root.resolve(script))) files.add(root.resolve(script));
            try (var parts = Files.walk(root.resolve("kit"))) {
                parts.filter(file -> file.toString().endsWith(".java")).forEach(files::add);
            }
            return files;
        }

        List<String> wrongSources() {
            var wrong = new ArrayList<String>();
            sources.forEach((path, named) -> {
                for (String part : mentions.get(path)) {
                    if (!named.contains(part)) wrong.add(path + " mentions " + name(part) + " and does not name it");
                }
                for (String part : named) {
                    if (!mentions.get(path).contains(part)) {
                        wrong.add(path + " names " + name(part) + " and does not mention it");
                    }
                }
            });
            return wrong;
        }

        List<String> wrongArrows() {
            var wrong = new ArrayList<String>();
            sources.forEach((path, named) -> {
                if (!path.startsWith("kit/")) return;
                for (String part : named) {
                    String from = room(path), to = room(part);
                    boolean allowed = to.equals(from) || to.isEmpty() || ARROWS.get(from).contains(to);
                    boolean tooMuch = from.equals("aws") && to.equals("judge") && !JUDGE_FOR_AWS.contains(name(part));
                    if (!allowed || tooMuch) wrong.add(path + " names " + part);
                }
            });
            return wrong;
        }

        List<String> wrongReach() {
            var wrong = new ArrayList<String>();
            CLOSED.forEach((script, rooms) -> {
                var reached = new TreeSet<String>();
                reach(script, reached);
                reached.stream().filter(part -> rooms.contains(room(part)))
                        .forEach(part -> wrong.add(script + " reaches " + part));
            });
            return wrong;
        }

        private void reach(String path, Set<String> reached) {
            for (String part : sources.getOrDefault(path, Set.of())) if (reached.add(part)) reach(part, reached);
        }

        private static String name(String path) { return Path.of(path).getFileName().toString().replace(".java", ""); }

        /** "kit/judge/Gates.java" lies in "judge". */
        private static String room(String path) {
            Path parts = Path.of(path);
            return parts.getNameCount() == 3 ? parts.getName(1).toString() : "";
        }
    }
}
