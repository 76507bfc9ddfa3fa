///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3

// Does ./jbang start what it should, exactly as asked, on whatever machine it finds itself?
//
// Each test makes a small kit of its own (the wrapper, a script, a part of it) on a machine of its own: a home, a cache
// and a PATH in which only what the test puts there is installed. The folders in which the wrapper looks for JDKs are
// moved into that machine. JDK and JBang are real; JBang's jar is brought once, by the wrapper itself. A "cold" run is
// one that asks JBang, a "warm" one has its answer kept.

import module java.base;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

final class WrapperTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=WrapperTest", "--details=tree", "--disable-banner",
            "--fail-if-no-tests", "--config=junit.jupiter.execution.parallel.enabled=true",
            "--config=junit.jupiter.execution.parallel.mode.default=concurrent");
    }

    // ==== What arrives ====

    @Test void arguments_arrive_exactly_as_given() {
        String[] nasty = {"", "two words", "it's", "\"quoted\"", "$HOME", "`id`", "$(id)", "back\\slash", "*", "a\nb",
            " ", "-n", "--help", "@file", "; exit 7", "grüße", "'", "trailing\n", ""};
        for (String turn : List.of("cold", "warm")) {
            var run = machine.run(with("arguments", nasty));
            assertEquals(List.of(nasty), List.of(run.out.split("\0", -1)), turn);
        }
    }

    @Test void a_file_whose_name_is_not_ascii_is_found_in_every_locale() throws IOException {
        Files.writeString(machine.kit.resolve("grüße.json"), "here");
        for (String locale : List.of("C", "POSIX", "C.UTF-8", "")) {
            assertEquals("here", machine.set("LC_ALL", locale).run("read", "grüße.json").out, locale);
        }
    }

    @Test void the_exit_code_is_the_scripts() {
        for (int code : new int[] {0, 3, 255}) assertEquals(code, machine.run("exit", "" + code).exit);
    }

    @Test void stdin_passes_through() {
        for (String turn : List.of("cold", "warm")) {
            assertEquals("one\ntwo\n", machine.typing("one\ntwo\n").run("stdin").out, turn);
        }
    }

    @Test void the_process_becomes_the_scripts_own_so_a_signal_reaches_it() throws Exception {
        for (String turn : List.of("cold", "warm")) {
            var process = machine.start("wait");
            String pid = process.inputReader().readLine();
            process.destroy();
            assertEquals("" + process.pid(), pid, turn);
            assertEquals(128 + 15, process.waitFor(), turn);
        }
    }

    @Test void the_script_gets_the_jdk_as_its_java_home() throws IOException {
        machine.set("JAVA_HOME", "").put("usr/lib/jvm/jdk", REAL_JDK);
        assertEquals(machine.root.resolve("usr/lib/jvm/jdk").toString(), machine.run("java-home").out);
    }

    @Test void a_script_may_be_named_from_any_folder_and_through_a_link() throws IOException {
        var elsewhere = Files.createDirectories(machine.root.resolve("else where"));
        var link = Files.createSymbolicLink(elsewhere.resolve("link"), machine.kit.resolve("jbang"));
        var run = machine.in(elsewhere).command(link.toString(), "../the kit/hello.java", "greeting");
        assertEquals(new Result(0, "hello", ""), run.quietly());
    }

    @Test void any_posix_shell_will_do() throws IOException {
        String[][] shells = {{"dash"}, {"bash", "--posix"}, {"busybox", "sh"}, {"zsh", "--emulate", "sh"}};
        for (String[] shell : shells) {
            var installed = onRealPath(shell[0]);
            if (installed.isEmpty()) continue;
            shell[0] = installed.get().toString();
            delete(machine.cache().resolve("commands"));
            for (String turn : List.of("cold", "warm")) {
                var run = machine.command(with(shell, "jbang", "hello.java", "arguments", "", "a b", "c"));
                assertEquals("\0a b\0c", run.out, String.join(" ", shell) + ", " + turn + ": " + run.err);
            }
        }
    }

    // ==== What is kept ====

    @Test void a_warm_run_needs_no_jbang_and_says_nothing() throws IOException {
        assertEquals("hello", machine.run("greeting").out);
        Files.delete(machine.jbangJar());
        assertEquals(new Result(0, "hello", ""), machine.run("greeting"));
    }

    @Test void an_edit_takes_effect_even_with_the_size_and_the_time_of_before() throws IOException {
        for (String file : List.of("hello.java", "kit/Part.java")) {
            var path = machine.kit.resolve(file);
            var time = Files.getLastModifiedTime(path);
            String before = Files.readString(path);
            for (String word : List.of("hello", "olleh", "hello")) {
                Files.writeString(path, before.replace("greeting = \"hello\"", "greeting = \"" + word + "\""));
                Files.setLastModifiedTime(path, time);
                String question = file.startsWith("kit/") ? "greeting" : "own-greeting";
                assertEquals(word, machine.run(question).out, file);
            }
        }
    }

    @Test void an_edit_of_the_runtime_options_takes_effect() throws IOException {
        assertEquals("null", machine.run("property", "colour").out);
        machine.edit("hello.java", "//JAVA 25", "//JAVA 25\n//RUNTIME_OPTIONS -Dcolour=green -XX:+UseSerialGC");
        for (String turn : List.of("cold", "warm")) assertEquals("green", machine.run("property", "colour").out, turn);
    }

    @Test void a_changed_setting_of_jbangs_takes_effect() {
        for (String folder : List.of("jbang-dir", "other-dir")) {
            machine.set("JBANG_DIR", machine.root.resolve(folder).toString());
            assertTrue(machine.run("property", "java.class.path").out.contains(folder), folder);
        }
    }

    @Test void what_was_built_is_built_again_when_it_is_gone() throws IOException {
        machine.set("JBANG_DIR", machine.root.resolve("jbang-dir").toString());
        assertEquals("hello", machine.run("greeting").out);
        delete(machine.root.resolve("jbang-dir"));
        assertEquals("hello", machine.run("greeting").out);
    }

    @Test void a_script_that_does_not_compile_fails_and_is_not_kept() throws IOException {
        machine.edit("kit/Part.java", "static", "statik");
        for (String turn : List.of("once", "again")) {
            var run = machine.run("greeting");
            assertEquals(1, run.exit, turn);
            assertTrue(run.err.contains("Part.java"), run.err);
        }
    }

    @Test void a_part_in_a_room_is_watched_and_its_script_is_kept() throws IOException {
        Files.createDirectories(machine.kit.resolve("kit/talk"));
        Files.createDirectories(machine.kit.resolve("kit/word"));
        machine.write("kit/word/Word.java", "final class Word { static String word = \"hello\"; }")
            .write("kit/talk/Part.java", "//SOURCES ../word/Word.java\nfinal class Part { static String greeting = Word.word; }")
            .edit("hello.java", "kit/Part.java", "kit/talk/Part.java");
        assertEquals("hello", machine.run("greeting").out);
        assertEquals(1, machine.commands().size());
        machine.edit("kit/word/Word.java", "hello", "again");
        assertEquals("again", machine.run("greeting").out);
    }

    @Test void files_that_the_wrapper_does_not_watch_are_never_behind_a_kept_command() throws IOException {
        machine.write("words.txt", "red").edit("hello.java", "//JAVA 25", "//JAVA 25\n//FILES words.txt");
        assertEquals("red", machine.run("resource", "words.txt").out);
        machine.write("words.txt", "blue");
        assertEquals("blue", machine.run("resource", "words.txt").out);
    }

    @Test void sources_from_outside_the_kit_are_never_behind_a_kept_command() throws IOException {
        var script = Files.createDirectories(machine.root.resolve("mine/kit")).resolveSibling("hello.java");
        Files.copy(machine.kit.resolve("hello.java"), script);
        for (String word : List.of("hello", "olleh")) {
            Files.writeString(script.resolveSibling("kit/Part.java"), PART.replace("hello", word));
            assertEquals(word, machine.command("./jbang", script.toString(), "greeting").out);
        }
    }

    @Test void a_class_archive_that_the_first_run_writes_is_not_written_by_all() throws IOException {
        machine.set("JBANG_DIR", machine.root.resolve("jbang-dir").toString());
        machine.edit("hello.java", "//JAVA 25", "//JAVA 25\n//CDS");
        for (String flag : List.of("ArchiveClassesAtExit", "SharedArchiveFile", "SharedArchiveFile")) {
            assertTrue(machine.run("jvm").out.contains("-XX:" + flag + "="), flag);
        }
    }

    // ==== Which JBang ====

    @Test void a_jbang_on_the_path_is_used() throws IOException {
        machine.withoutJbang().put("bin/jbang-home/jbang.jar", jbangJar).install("jbang-home/jbang", "exit 9");
        Files.createSymbolicLink(machine.root.resolve("bin/jbang"), Path.of("jbang-home/jbang"));
        assertEquals(new Result(0, "hello", ""), machine.run("greeting").quietly());
        assertEquals(JBANG_VERSION, machine.command("./jbang", "version").out.strip());
    }

    @Test void a_jbang_on_the_path_that_is_too_old_is_passed_over() throws IOException {
        machine.install("jbang", "exit 9").jarThatPrints("0.99.1", machine.root.resolve("bin/jbang.jar"));
        assertEquals(new Result(0, "hello", ""), machine.run("greeting").quietly());
    }

    @Test void the_wrapper_on_the_path_does_not_call_itself() throws IOException {
        Files.createSymbolicLink(machine.root.resolve("bin/jbang"), machine.kit.resolve("jbang"));
        assertEquals("hello", machine.command("jbang", "hello.java", "greeting").out);
    }

    @Test void a_damaged_jar_in_the_cache_is_told_and_replaced() throws IOException {
        Files.writeString(machine.jbangJar(), GARBAGE);
        machine.install("mvn", DELIVER.formatted(jbangJar));
        var run = machine.run("greeting");
        assertEquals("hello", run.out, run.err);
        assertTrue(run.err.contains("damaged"), run.err);
        assertEquals(-1, Files.mismatch(jbangJar, machine.jbangJar()));
    }

    @Test void what_came_broken_is_told_and_brought_again() throws IOException {
        var garbage = machine.write("garbage", GARBAGE).kit.resolve("garbage");
        machine.withoutJbang().install("mvn", """
            [ -e "$HOME/tried" ] || { : >"$HOME/tried"; jar='%s'; }
            """.formatted(garbage) + DELIVER.formatted("${jar-" + jbangJar + "}"));
        var run = machine.run("greeting");
        assertEquals("hello", run.out, run.err);
        assertTrue(run.err.contains("is broken (its sha256 is another), try 1"), run.err);
    }

    @Test void what_stays_broken_is_never_run_and_the_last_word_says_what_to_do() throws IOException {
        machine.withoutJbang().write("garbage", GARBAGE);
        machine.install("mvn", "echo mvn >>$HOME/calls\n" + DELIVER.formatted(machine.kit.resolve("garbage")));
        machine.install("curl", "echo curl >>$HOME/calls\n" + GARBLE);
        var run = machine.run("greeting");
        assertEquals(2, run.exit, run.err);
        assertEquals("", run.out);
        assertEquals(List.of("mvn", "mvn", "curl", "curl"), Files.readAllLines(machine.root.resolve("home/calls")));
        assertEquals(4, run.err.lines().filter(line -> line.contains("is broken")).count(), run.err);
        assertTwoLastWords(run, "could not be brought");
        try (var left = Files.list(machine.cache())) {
            assertEquals(List.of("commands"), left.map(path -> path.getFileName().toString()).toList());
        }
    }

    @Test void a_machine_without_maven_and_network_is_told_what_to_do() throws IOException {
        machine.withoutJbang().install("curl", "exit 6");
        var run = machine.run("greeting");
        assertEquals(2, run.exit);
        assertTrue(run.err.contains("the download failed, try 2"), run.err);
        assertTwoLastWords(run, "could not be brought");
    }

    @Test void two_at_once_on_an_empty_cache_both_work() throws Exception {
        machine.withoutJbang().install("mvn", DELIVER.formatted(jbangJar));
        var first = machine.start("greeting");
        var second = machine.start("greeting");
        assertEquals("hello", new String(first.getInputStream().readAllBytes()));
        assertEquals("hello", new String(second.getInputStream().readAllBytes()));
        assertEquals(List.of(0, 0), List.of(first.waitFor(), second.waitFor()));
        assertEquals("hello", machine.run("greeting").out);
    }

    @Test void many_at_once_build_one_script_one_after_the_other() throws Exception {
        machine.edit("kit/Part.java", "hello", "built");
        var all = new ArrayList<Process>();
        for (int i = 0; i < 4; i++) all.add(machine.start("greeting"));
        for (var one : all) assertEquals("built", new String(one.getInputStream().readAllBytes()));
        assertEquals("built", machine.run("greeting").out);
        assertEquals(List.of(), machine.turnsTaken());
    }

    @Test void the_turn_of_one_that_was_killed_is_taken_over() throws Exception {
        assertEquals("hello", machine.run("greeting").out);
        var gone = new ProcessBuilder("true").start();
        gone.waitFor();
        Path command = machine.commands().getFirst();
        Files.writeString(Files.createDirectory(Path.of(command + ".turn")).resolve("builder"), gone.pid() + "\n");
        machine.edit("kit/Part.java", "hello", "again");
        assertEquals("again", machine.run("greeting").out);
        assertEquals(List.of(), machine.turnsTaken());
    }

    // ==== Which JDK ====

    @Test void a_java_home_that_is_too_old_is_passed_over() throws IOException {
        machine.fakeJdk("old", "17.0.12", "java", "javac").set("JAVA_HOME", machine.root.resolve("old").toString());
        machine.put("home/.sdkman/candidates/java/new", REAL_JDK);
        assertEquals("hello", machine.run("greeting").out);
    }

    @Test void a_java_on_the_path_is_found_behind_its_links() throws IOException {
        var jdk = machine.root.resolve("somewhere/jdk");
        machine.set("JAVA_HOME", "").put("somewhere/jdk", REAL_JDK).put("etc/java", jdk.resolve("bin/java"));
        Files.createSymbolicLink(machine.root.resolve("bin/java"), Path.of("../etc/java"));
        assertEquals(jdk.toString(), machine.run("java-home").out);
    }

    @Test void of_several_jdks_the_oldest_that_will_do_is_taken_in_its_newest_update() throws IOException {
        machine.set("JAVA_HOME", "");
        machine.fakeJdk("usr/lib/jvm/a", "99.0.1", "java", "javac").fakeJdk("usr/lib/jvm/b", "25", "java", "javac");
        machine.fakeJdk("usr/lib/jvm/c", "25.0.9", "java").fakeJdk("usr/lib/jvm/d", "25.0.10", "java", "javac");
        machine.fakeJdk("opt/jdk-e", "25.0.4.1", "java", "javac").fakeJdk("opt/jdk-f", "24.0.2", "java", "javac");
        assertEquals("d", machine.run("greeting").out.strip());
    }

    @Test void without_a_jdk_one_line_says_so_and_one_what_to_install() {
        var run = machine.set("JAVA_HOME", "").run("greeting");
        assertEquals(2, run.exit);
        assertEquals(2, run.err.lines().count(), run.err);
        assertTwoLastWords(run, "no JDK of 25 or newer");
    }

    @Test void a_jdk_that_came_broken_is_told_tried_again_and_never_run() throws IOException {
        var run = machine.set("JAVA_HOME", "").install("curl", GARBLE).run("greeting");
        assertEquals(2, run.exit);
        assertTrue(run.err.contains(".tar.gz: the download is broken (its sha256 is another), try 2"), run.err);
        assertTwoLastWords(run, "no JDK of 25 or newer");
    }

    // ==== What else a person types ====

    @Test void without_a_script_two_lines_say_how() {
        var nothing = machine.command("./jbang");
        var help = machine.command("./jbang", "--help");
        assertEquals(new Result(2, "", help.out), nothing);
        assertEquals(new Result(0, nothing.err, ""), help);
        assertEquals(2, help.out.lines().count());
        for (String script : SCRIPTS) assertTrue(help.out.contains(script + ".java"), script);
    }

    @Test void everything_else_is_jbangs() {
        assertEquals(JBANG_VERSION, machine.command("./jbang", "version").out.strip());
        assertEquals("hello", machine.command("./jbang", "run", "hello.java", "greeting").out);
        assertNotEquals(0, machine.command("./jbang", "missing.java").exit);
    }

    @Test void the_catalog_names_the_kits_scripts() {
        var run = machine.command("./jbang", "alias", "list");
        for (String script : SCRIPTS) assertTrue(run.out.contains(script), run.out);
    }

    // ==== A kit on a machine of its own ====

    static final List<String> SCRIPTS = List.of("experiment", "analyze", "local", "aws");
    static final String JBANG_VERSION = "0.132.1";
    static final Path REAL_JDK = Path.of(System.getProperty("java.home"));
    static final String GARBAGE = "<html>the way out is by the login page</html>";

    static final String HELLO = """
        //JAVA 25
        //SOURCES kit/Part.java
        import module java.base;
        import java.lang.management.ManagementFactory;
        final class Hello {
            static String greeting = "hello";
            public static void main(String... words) throws Exception {
                switch (words[0]) {
                    case "greeting" -> System.out.print(Part.greeting);
                    case "own-greeting" -> System.out.print(greeting);
                    case "exit" -> System.exit(Integer.parseInt(words[1]));
                    case "read" -> System.out.print(Files.readString(Path.of(words[1])));
                    case "stdin" -> System.in.transferTo(System.out);
                    case "property" -> System.out.print(System.getProperty(words[1]));
                    case "java-home" -> System.out.print(System.getenv("JAVA_HOME"));
                    case "jvm" -> System.out.print(ManagementFactory.getRuntimeMXBean().getInputArguments());
                    case "resource" -> Hello.class.getResourceAsStream(words[1]).transferTo(System.out);
                    case "wait" -> { System.out.println(ProcessHandle.current().pid()); Thread.sleep(60_000); }
                    default -> System.out.print(String.join("\\0", List.of(words).subList(1, words.length)));
                }
                System.out.flush();
            }
        }
        """;
    static final String PART = """
        final class Part { static String greeting = "hello"; }
        """;

    /** All that the wrapper and what it starts may take for granted, on Linux or on macOS. */
    static final String TOOLS =
        "sh env grep uname readlink mktemp mkdir rm mv cp ls sleep tar gzip sha256sum shasum perl openssl";

    /** Maven, as far as the wrapper asks for it: puts a jar into the folder that it was told. */
    static final String DELIVER = """
        for option; do case $option in -DoutputDirectory=*) folder=${option#*=} ;; esac; done
        cp "%s" "$folder/jbang-cli-0.132.1-all.jar"
        """;

    /** A download that brings something else. */
    static final String GARBLE = """
        while [ "$1" != -o ]; do shift; done
        echo garbage >"$2"
        """;

    static Path shared;
    static Path jbangJar;
    Machine machine;

    @BeforeAll static void jbang_is_brought_once() throws IOException {
        shared = Files.createTempDirectory("wrapper-test-");
        var first = new Machine(shared.resolve("first"));
        first.set("PATH", System.getenv("PATH"));
        var run = first.run("greeting");
        assertEquals("hello", run.out, run.err);
        jbangJar = first.jbangJar();
    }

    @AfterAll static void nothing_is_left() throws IOException { delete(shared); }

    /** A machine that has JBang, and on which no script has run yet. */
    @BeforeEach void a_machine() throws IOException {
        machine = new Machine(Files.createTempDirectory(shared, "machine-").toRealPath());
        machine.put("cache/lambda-kit/" + jbangJar.getFileName(), jbangJar);
    }

    @AfterEach void it_is_taken_down() throws IOException { delete(machine.root); }

    record Result(int exit, String out, String err) {
        /** Without what JBang tells of its progress. */
        Result quietly() { return new Result(exit, out, err.replaceAll("(?m)^\\[jbang\\].*\\R", "")); }
    }

    static final class Machine {
        final Path root;
        final Path kit;
        private final Map<String, String> environment = new HashMap<>();
        private Path folder;
        private String typed = "";

        Machine(Path root) throws IOException {
            this.root = root;
            kit = Files.createDirectories(root.resolve("the kit"));
            folder = kit;
            Files.createDirectories(root.resolve("home"));
            Files.createDirectories(kit.resolve("kit"));
            write("hello.java", HELLO).write("kit/Part.java", PART);
            Files.copy(REPOSITORY.resolve("jbang-catalog.json"), kit.resolve("jbang-catalog.json"));
            String wrapper = Files.readString(REPOSITORY.resolve("jbang"));
            write("jbang", wrapper.replaceAll("(?<=\\s)/(usr|opt|Library|home)/", root + "/$1/"));
            kit.resolve("jbang").toFile().setExecutable(true);
            for (String tool : TOOLS.split(" ")) {
                var real = onRealPath(tool);
                if (real.isPresent()) put("bin/" + tool, real.get());
            }
            set("PATH", root.resolve("bin").toString()).set("HOME", root.resolve("home").toString());
            set("XDG_CACHE_HOME", root.resolve("cache").toString()).set("JAVA_HOME", REAL_JDK.toString());
            // JBang names what it builds by its content, so machines may share it: what one has built, another needn't.
            set("JBANG_DIR", shared.resolve("jbang-dir").toString()).set("LC_ALL", "C.UTF-8");
        }

        Machine set(String name, String value) { environment.put(name, value); return this; }

        Machine in(Path folder) { this.folder = folder; return this; }

        Machine typing(String text) { typed = text; return this; }

        Machine write(String file, String text) throws IOException {
            Files.writeString(kit.resolve(file), text);
            return this;
        }

        Machine edit(String file, String from, String to) throws IOException {
            String text = Files.readString(kit.resolve(file));
            assertTrue(text.contains(from));
            return write(file, text.replace(from, to));
        }

        /** Installs something of the real machine, by a link; JBang's jar as a copy, for tests damage it. */
        Machine put(String where, Path what) throws IOException {
            var path = root.resolve(where);
            Files.createDirectories(path.getParent());
            if (what.equals(jbangJar)) Files.copy(what, path);
            else Files.createSymbolicLink(path, what);
            return this;
        }

        Machine install(String name, String shell) throws IOException {
            var path = root.resolve("bin").resolve(name);
            Files.createDirectories(path.getParent());
            Files.writeString(path, "#!/bin/sh\n" + shell);
            path.toFile().setExecutable(true);
            return this;
        }

        /** A JDK that has the named tools, each of which says no more than the name of its folder. */
        Machine fakeJdk(String where, String version, String... tools) throws IOException {
            var jdk = Files.createDirectories(root.resolve(where));
            Files.writeString(jdk.resolve("release"), "IMPLEMENTOR=\"None\"\nJAVA_VERSION=\"%s\"\n".formatted(version));
            for (String tool : tools) install(jdk.resolve("bin").resolve(tool).toString(), "echo " + jdk.getFileName());
            return this;
        }

        Machine withoutJbang() throws IOException { delete(root.resolve("cache")); return this; }

        void jarThatPrints(String text, Path jar) throws IOException {
            var source = Files.writeString(root.resolve("Old.java"), """
                public class Old { public static void main(String... words) { System.out.println("%s"); } }
                """.formatted(text));
            assertEquals(0, tool("javac", "-d", root.toString(), source.toString()));
            assertEquals(0, tool("jar", "-cfe", jar.toString(), "Old", "-C", root.toString(), "Old.class"));
        }

        private static int tool(String name, String... arguments) {
            return java.util.spi.ToolProvider.findFirst(name).orElseThrow().run(System.out, System.err, arguments);
        }

        Path cache() { return root.resolve("cache/lambda-kit"); }

        /** The kept commands of scripts. */
        List<Path> commands() throws IOException { return commands(path -> !path.toString().endsWith(".turn")); }

        List<Path> turnsTaken() throws IOException { return commands(path -> path.toString().endsWith(".turn")); }

        private List<Path> commands(Predicate<Path> wanted) throws IOException {
            try (var files = Files.list(cache().resolve("commands"))) {
                return files.filter(wanted).toList();
            }
        }

        Path jbangJar() throws IOException {
            try (var files = Files.list(cache())) {
                return files.filter(file -> file.toString().endsWith(".jar")).findFirst().orElseThrow();
            }
        }

        Result run(String... words) { return command(with(new String[] {"./jbang", "hello.java"}, words)); }

        Process start(String... words) throws IOException {
            return builder(with(new String[] {"./jbang", "hello.java"}, words))
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        }

        Result command(String... command) {
            try {
                Path in = Files.writeString(root.resolve("in"), typed);
                Path out = root.resolve("out"), err = root.resolve("err");
                int exit = builder(command).redirectInput(in.toFile()).redirectOutput(out.toFile())
                    .redirectError(err.toFile()).start().waitFor();
                return new Result(exit, Files.readString(out), Files.readString(err));
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        private ProcessBuilder builder(String... command) {
            // A command by name alone would be looked for on this process's PATH.
            if (command[0].equals("jbang")) command[0] = root.resolve("bin/jbang").toString();
            var builder = new ProcessBuilder(command).directory(folder.toFile());
            builder.environment().clear();
            builder.environment().putAll(environment);
            return builder;
        }
    }

    // ==== Small things ====

    /** The kit that this test belongs to: the folder above it, wherever in the kit it is started. */
    static final Path REPOSITORY = Stream.iterate(Path.of("").toAbsolutePath(), Objects::nonNull, Path::getParent)
        .filter(folder -> Files.exists(folder.resolve("jbang-catalog.json"))).findFirst().orElseThrow();

    static void assertTwoLastWords(Result run, String happened) {
        var lines = run.err.lines().toList();
        assertTrue(lines.get(lines.size() - 2).matches("error: .*" + happened + ".*"), run.err);
        assertTrue(lines.getLast().startsWith("hint: "), run.err);
    }

    static Optional<Path> onRealPath(String tool) {
        return Stream.of(System.getenv("PATH").split(":")).map(folder -> Path.of(folder, tool))
            .filter(Files::isExecutable).findFirst();
    }

    static String[] with(String first, String... others) { return with(new String[] {first}, others); }

    static String[] with(String[] first, String... others) {
        return Stream.concat(Stream.of(first), Stream.of(others)).toArray(String[]::new);
    }

    static void delete(Path folder) throws IOException {
        if (!Files.exists(folder, LinkOption.NOFOLLOW_LINKS)) return;
        try (var files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }
}
