///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

/** Opens the pages in a real browser that has no network. */
final class PageTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=PageTest", "--disable-banner", "--fail-if-no-tests");
    }

    // ==== Vocabulary ====

    private static final List<String> BROWSERS = List.of("chromium", "google-chrome", "chromium-browser");
    @TempDir Path temporary;

    record Opened(String dom, List<String> console) {
        int plotsDrawn() {
            return Pattern.compile("class=\"plot js-plotly-plot\"").matcher(dom).results().toList().size();
        }

        int plotsAsked() { return Pattern.compile("<figure>").matcher(dom).results().toList().size(); }
    }

    /** The page after its scripts have run, and what they complained of. */
    private Opened open(Path page, String... more) throws Exception {
        var command = new ArrayList<>(List.of(browser(), "--headless", "--no-sandbox", "--disable-gpu",
                "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9",
                "--user-data-dir=" + temporary.resolve("profile"), "--enable-logging=stderr",
                "--virtual-time-budget=20000", "--dump-dom"));
        command.addAll(List.of(more));
        command.add(page.toUri().toString());
        Path dom = temporary.resolve("dom.html"), log = temporary.resolve("log.txt");
        var process = new ProcessBuilder(command).redirectOutput(dom.toFile()).redirectError(log.toFile()).start();
        assertEquals(0, process.waitFor());
        var console = Files.readString(log).lines().filter(line -> line.contains("CONSOLE")).toList();
        return new Opened(Files.readString(dom), console);
    }

    private static String browser() {
        return Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                .flatMap(directory -> BROWSERS.stream().map(name -> Path.of(directory, name)))
                .filter(Files::isExecutable).map(Path::toString).findFirst()
                .orElseGet(() -> fail("no browser: apt-get install chromium"));
    }

    private Path page(String... input) throws Exception {
        var analyze = Stream.of("./jbang", "analyze.java", "--out", temporary.resolve("report").toString());
        var command = Stream.concat(analyze, Arrays.stream(input)).toList();
        assertEquals(0, new ProcessBuilder(command).redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor());
        return temporary.resolve("report/index.html");
    }

    // ==== Tests ====

    @Test void every_plot_of_a_run_is_drawn_without_a_network_and_without_an_error() throws Exception {
        var opened = open(page("data/published/25m/run.json"));
        assertEquals(List.of(), opened.console());
        assertTrue(opened.plotsAsked() >= 9, opened.plotsAsked() + " plots");
        assertEquals(opened.plotsAsked(), opened.plotsDrawn());
    }

    @Test void every_plot_of_a_k6_file_is_drawn_whatever_its_tags_say() throws Exception {
        var lines = new StringBuilder();
        for (int i = 0; i < 50; i++) {
            lines.append("""
                    {"metric":"http_req_duration","type":"Point","data":{"time":"2026-11-22T05:00:%02dZ","value":%d,\
                    "tags":{"name":"</script>'\\"\\\\<b>{{plotly}}{{plots}}","scenario":"s%d","status":"200"}}}
                    """.formatted(i, i + 1, i % 2));
        }
        var opened = open(page(Files.writeString(temporary.resolve("odd.json"), lines).toString()));
        assertEquals(List.of(), opened.console());
        assertEquals(4, opened.plotsDrawn());
        assertTrue(opened.dom().contains("&lt;/script&gt;"));
        var name = Pattern.compile("legendtext[^>]*>s0 &lt;/script&gt;'\"\\\\&lt;b&gt;\\{\\{plotly");
        assertTrue(name.matcher(opened.dom()).find(), "a plot shows the name as it is");
    }

    /** Lines are jsplot's own traces and titles its axes', which its templates put between quotes as they are. */
    @Test void names_with_quotes_line_ends_and_a_last_backslash_stay_names() throws Exception {
        var lines = new StringBuilder();
        for (int i = 0; i < 50; i++) {
            lines.append("""
                    {"metric":"it's </script> %s","type":"Point","data":{"time":"2026-11-22T05:00:%02dZ","value":%d,\
                    "tags":{"tag":"%s'+alert(1)+'\\u2028\\n\\"`${1}&amp;</script>\\\\"}}}
                    """.formatted("\\\\", i, i + 1, i % 2));
        }
        var opened = open(page(Files.writeString(temporary.resolve("names.json"), lines).toString(),
                "--metric", "it's </script> \\", "--by", "tag"));
        assertEquals(List.of(), opened.console());
        assertEquals(4, opened.plotsDrawn());
        var legend = Pattern.compile("legendtext[^>]*>0'\\+alert\\(1\\)\\+'[\\s\\u2028]+\"`\\$\\{1}&amp;amp;&lt;/script&gt;\\\\<");
        assertTrue(legend.matcher(opened.dom()).find(), "a line's name is shown as it is");
        assertTrue(opened.dom().contains("of 1 s") && opened.dom().contains("it's &lt;/script&gt; \\"), "an axis' title");
    }

    @Test void the_page_names_nothing_outside_itself() throws Exception {
        String html = Files.readString(page("data/published/25m/run.json"));
        assertFalse(Pattern.compile("(src|href)=\"(?!data:)[^\"]").matcher(html).find());
        assertTrue(html.length() < 2_000_000, html.length() + " characters");
    }

    @Test void on_a_phone_nothing_is_wider_than_the_screen() throws Exception {
        Path page = page("data/published/25m/run.json");
        String html = Files.readString(page);
        String measure = "document.body.dataset.wide = String(document.documentElement.scrollWidth > innerWidth);";
        Files.writeString(page, html.replace("dress();\n", "dress(); " + measure + "\n"));
        var opened = open(page, "--window-size=500,900");
        assertTrue(opened.dom().contains("data-wide=\"false\""), "the page scrolls sideways");
    }
}
