// Tablesaw tables as a person, a spreadsheet and a page want them: Markdown, CSV and HTML of the same rows.
//
// What a figure is, its column's name says: "[ms]" is a unit and "%" a relative difference. Text shows three
// significant digits; CSV keeps every digit. A missing value is "—".

//DEPS tech.tablesaw:tablesaw-core:0.44.4
//DEPS org.slf4j:slf4j-nop:2.0.17
//SOURCES ../Cli.java
//SOURCES Numbers.java

import module java.base;
import tech.tablesaw.api.*;
import tech.tablesaw.columns.Column;

/** Renders tables; the same table gives the same bytes everywhere. */
final class Tables {
    /** An interval stays in one line; a text of words that is longer is a sentence. */
    private static final int LONGEST_LINE = 21;
    static final String MISSING = Numbers.MISSING;

    /** Builds a table row by row: texts first, then counts and figures by the names of their columns. */
    static final class Rows {
        private final List<StringColumn> texts;
        private final SequencedMap<String, Column<?>> figures = new LinkedHashMap<>();

        Rows(String... texts) { this.texts = Arrays.stream(texts).map(StringColumn::create).toList(); }

        Rows counts(String... names) {
            for (String name : names) figures.put(name, LongColumn.create(name));
            return this;
        }

        Rows figures(List<String> names) {
            for (String name : names) figures.put(name, DoubleColumn.create(name));
            return this;
        }

        /** Begins a row; what is not said of it is missing. */
        Rows row(String... values) {
            for (int i = 0; i < values.length; i++) texts.get(i).append(values[i]);
            figures.values().forEach(Column::appendMissing);
            return this;
        }

        Rows count(String name, long value) {
            var column = (LongColumn) figures.get(name);
            column.set(column.size() - 1, value);
            return this;
        }

        Rows figure(String name, double value) {
            var column = (DoubleColumn) figures.get(name);
            column.set(column.size() - 1, value);
            return this;
        }

        Table table(String name) {
            return named(name, Stream.concat(texts.stream(), figures.values().stream()).toArray(Column<?>[]::new));
        }
    }

    // At its first use Tablesaw looks through the whole class path for readers of files, which takes longer than all
    // else that a small file needs. It reads nothing here, so it gets an empty class path to look through.
    static {
        String classPath = System.setProperty("java.class.path", "");
        Table.create();
        System.setProperty("java.class.path", classPath);
    }

    private static Table named(String name, Column<?>... columns) { return Table.create(name, columns); }

    /** A GitHub-flavoured Markdown table, columns padded, figures to the right. */
    static String markdown(Table table) {
        var rows = new ArrayList<List<String>>();
        rows.add(table.columnNames());
        for (int row = 0; row < table.rowCount(); row++) rows.add(texts(table, row));
        int columns = table.columnCount();
        int[] widths = new int[columns];
        for (var row : rows) for (int column = 0; column < columns; column++) {
            widths[column] = Math.max(widths[column], width(inCell(row.get(column))));
        }
        var out = new StringBuilder();
        for (int row = 0; row < rows.size(); row++) {
            for (int column = 0; column < columns; column++) {
                String text = inCell(rows.get(row).get(column)), space = " ".repeat(widths[column] - width(text));
                out.append("| ").append(isFigure(table.column(column)) ? space + text : text + space).append(' ');
            }
            out.append("|\n");
            if (row == 0) for (int column = 0; column < columns; column++) {
                String line = "-".repeat(Math.max(3, widths[column] + 1));
                out.append("|").append(isFigure(table.column(column)) ? line + ":" : line + "-");
            }
            if (row == 0) out.append("|\n");
        }
        return out.toString();
    }

    /** A bare bar would end the cell, a line's end the row, and what steers a terminal is nobody's figure. */
    private static String inCell(String text) {
        return Cli.shown(text.replace("|", "\\|").replaceAll("\\R|\t", " "));
    }

    /** RFC 4180, all digits, missing values empty; a text that a spreadsheet would take for a formula is quoted for it. */
    static String csv(Table table) {
        String header = table.columnNames().stream().map(Tables::asText).map(Tables::quoted).collect(Collectors.joining(","));
        var out = new StringBuilder(header).append('\n');
        for (int row = 0; row < table.rowCount(); row++) {
            int at = row;
            out.append(table.columns().stream()
                    .map(column -> column.isMissing(at) ? "" : quoted(inSpreadsheet(column, column.get(at).toString())))
                    .collect(Collectors.joining(","))).append('\n');
        }
        return out.toString();
    }

    /** An HTML table; every text is escaped. */
    static String html(Table table) {
        var out = new StringBuilder("<div class=\"scroll\"><table><thead><tr>");
        for (var column : table.columns()) {
            out.append("<th").append(classes(column, "")).append('>').append(escaped(column.name())).append("</th>");
        }
        out.append("</tr></thead><tbody>\n");
        for (int row = 0; row < table.rowCount(); row++) {
            out.append("<tr>");
            var texts = texts(table, row);
            for (int column = 0; column < texts.size(); column++) {
                out.append("<td").append(classes(table.column(column), texts.get(column))).append('>')
                        .append(escaped(texts.get(column)).replace(" %", "&nbsp;%")).append("</td>");
            }
            out.append("</tr>\n");
        }
        return out.append("</tbody></table></div>\n").toString();
    }

    /** Text as HTML shows it, whoever wrote it: tag values come from anybody's k6 script. */
    static String escaped(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
                .replace("\"", "&quot;").replace("'", "&#39;");
    }

    private static List<String> texts(Table table, int row) {
        return table.columns().stream()
                .map(column -> column.isMissing(row) ? MISSING : text(column, column.get(row))).toList();
    }

    private static String text(Column<?> column, Object value) {
        if (!(value instanceof Double number)) return value.toString();
        return column.name().endsWith("%") && number > 0 ? "+" + Numbers.figure(number) : Numbers.figure(number);
    }

    private static boolean isFigure(Column<?> column) {
        return column instanceof NumericColumn || column.name().contains("[");
    }

    /** Figures go to the right; sentences may wrap, as nobody reads one that leaves the screen. */
    private static String classes(Column<?> column, String text) {
        boolean sentence = text.length() > LONGEST_LINE && text.contains(" ");
        return isFigure(column) ? sentence ? " class=\"figure sentence\"" : " class=\"figure\""
                : sentence ? " class=\"sentence\"" : "";
    }

    private static String inSpreadsheet(Column<?> column, String text) {
        return column instanceof NumericColumn ? text : asText(text);
    }

    /** A spreadsheet computes what begins so, whoever wrote it, unless an apostrophe stands before it. */
    private static String asText(String text) { return text.matches("(?s)[=+\\-@\\t\\r].*") ? "'" + text : text; }

    private static String quoted(String text) {
        boolean plain = text.chars().noneMatch(character -> "\",\r\n".indexOf(character) >= 0);
        return plain ? text : '"' + text.replace("\"", "\"\"") + '"';
    }

    private static int width(String text) { return text.codePointCount(0, text.length()); }
}
