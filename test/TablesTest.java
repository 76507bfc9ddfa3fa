///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/report/Numbers.java
//SOURCES ../kit/report/Tables.java
//RUNTIME_OPTIONS --sun-misc-unsafe-memory-access=allow

import module java.base;
import org.junit.jupiter.api.Test;
import org.junit.platform.console.ConsoleLauncher;
import tech.tablesaw.api.Table;

import static org.junit.jupiter.api.Assertions.*;

final class TablesTest {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=TablesTest", "--disable-banner", "--fail-if-no-tests");
    }

    private static Table table() {
        return new Tables.Rows("variant").counts("n").figures(List.of("p50 [ms]", "Diff %"))
                .row("rust | <b>").count("n", 12_345).figure("p50 [ms]", 1.23456).figure("Diff %", 3.21)
                .row("say \"hi\", ok").figure("Diff %", -0.5)
                .table("T");
    }

    @Test void markdown_is_padded_has_figures_at_the_right_and_a_dash_for_what_is_missing() {
        assertEquals("""
                | variant      |     n | p50 [ms] | Diff % |
                |--------------|------:|---------:|-------:|
                | rust \\| <b>  | 12345 |     1.23 |  +3.21 |
                | say "hi", ok |     — |        — |   -0.5 |
                """, Tables.markdown(table()));
    }

    @Test void csv_keeps_every_digit_and_quotes_what_must_be() {
        assertEquals("""
                variant,n,p50 [ms],Diff %
                rust | <b>,12345,1.23456,3.21
                "say ""hi"", ok",,,-0.5
                """, Tables.csv(table()));
    }

    @Test void html_shows_tag_values_as_text_never_as_markup() {
        var html = Tables.html(table());
        assertTrue(html.contains("<td>rust | &lt;b&gt;</td>"), html);
        assertTrue(html.contains("<td class=\"figure\">1.23</td>"), html);
    }

    @Test void figures_have_three_significant_digits_and_are_whole_from_a_hundred_on() {
        var values = DoubleStream.of(0, 0.00012345, 0.5, 1, 9.995, 12.345, 99.96, 123.456, 123456.7, -2.5,
                Double.NaN, Double.POSITIVE_INFINITY);
        var shown = List.of("0", "0.000123", "0.5", "1", "9.99", "12.3", "100", "123", "123457", "-2.5", "—", "∞");
        assertEquals(shown, values.mapToObj(Numbers::figure).toList());
    }

    @Test void a_text_that_a_spreadsheet_would_compute_stays_a_text_in_csv() {
        var table = new Tables.Rows("tag").figures(List.of("ms"));
        for (String tag : List.of("=1+1", "+1", "-1", "@sum", "\tx", "plain")) table.row(tag).figure("ms", -1);
        assertEquals("tag,ms\n'=1+1,-1.0\n'+1,-1.0\n'-1,-1.0\n'@sum,-1.0\n'\tx,-1.0\nplain,-1.0\n",
                Tables.csv(table.table("")));
    }

    @Test void what_steers_a_terminal_does_not_reach_it() {
        String hostile = "a\033[2Jb\u0007c\u009bd\u202ee";
        String shown = Tables.markdown(new Tables.Rows("tag").row(hostile).table(""));
        assertTrue(shown.contains("a\uFFFD[2Jb\uFFFDc\uFFFDd\uFFFDe"), shown);
    }
}
