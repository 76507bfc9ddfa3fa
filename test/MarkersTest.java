///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/report/Markers.java

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

/** A section of a write-up is filled, or its marker is named as damaged; it is never passed over. */
final class MarkersTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=MarkersTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    private static final Map<String, String> CONTENTS = Map.of("latency", "| new |\n", "errors", "| none |\n");

    private static String filled(String text) { return Markers.filled(text, CONTENTS); }

    private static void refused(String why, String text) {
        var refused = assertThrows(IllegalArgumentException.class, () -> filled(text));
        assertTrue(refused.getMessage().contains(why), refused.getMessage());
    }

    @Test void what_stands_between_markers_is_replaced_and_prose_stays() {
        assertEquals("prose\n<!-- begin: latency -->\n| new |\n<!-- end: latency -->\nmore prose", filled(
                "prose\n<!-- begin: latency -->\n| old |\n| old |\n<!-- end: latency -->\nmore prose"));
    }

    @Test void filling_again_changes_nothing() {
        String once = filled("<!-- begin: errors -->\n<!-- end: errors -->\n");
        assertEquals(once, filled(once));
    }

    @Test void damaged_markers_are_named_with_their_line() {
        refused("line 2 is not a marker", "prose\n<!-- begin latency -->\n<!-- end: latency -->\n");
        refused("line 1 is not a marker", "<!--begin: latency -->\n<!-- end: latency -->\n");
        refused("line 1 is not a marker", "see <!-- begin: latency -->\n<!-- end: latency -->\n");
        refused("line 3 is not a marker", "<!-- begin: latency -->\n\n<!-- end: latency --> and more\n");
    }

    @Test void unclosed_nested_and_crossed_sections_are_refused() {
        refused("'latency' is begun and never ends", "<!-- begin: latency -->\n");
        refused("line 2 begins 'errors' inside 'latency'", "<!-- begin: latency -->\n<!-- begin: errors -->\n");
        refused("line 2 ends 'errors', which is not open", "<!-- begin: latency -->\n<!-- end: errors -->\n");
        refused("line 1 ends 'latency'", "<!-- end: latency -->\n");
    }

    @Test void a_section_that_the_run_does_not_have_is_refused() {
        refused("line 1 asks for 'weather'", "<!-- begin: weather -->\n<!-- end: weather -->\n");
    }

    @Test void a_file_without_a_marker_and_one_with_crlf_are_refused() {
        refused("no section", "only prose\n");
        refused("CRLF", "<!-- begin: latency -->\r\n<!-- end: latency -->\r\n");
    }
}
