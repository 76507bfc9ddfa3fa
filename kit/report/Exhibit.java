// One thing that a report shows. Terminal, CSV files, page and write-up are made from the same list of them (Exhibits),
// so what one of them says the others say as well.

//DEPS tech.tablesaw:tablesaw-jsplot:0.44.4

import module java.base;
import tech.tablesaw.api.Table;
import tech.tablesaw.plotly.components.Figure;

/**
 * A table, a figure, or a figure with its table, and where it stands. Terminal and CSV show the table, the page both;
 * a write-up has the table between the markers of the exhibit's name.
 *
 * @param name     unique in its report; the CSV file and the marker are named so
 * @param section  the heading above it on the page; exhibits of one section follow one another
 * @param title    what it shows; a table's own name says the same
 * @param sentence what to see in it; empty where the title says all
 * @param table    empty for a figure of values that other exhibits have in their tables
 * @param figure   drawn only when a page is made; the supplier gives none where there is nothing to draw
 * @param isDigest figures of other exhibits side by side: for page and write-up, while terminal and CSV have the others
 */
record Exhibit(String name, String section, String title, String sentence, Optional<Table> table,
               Optional<Supplier<Optional<Figure>>> figure, boolean isDigest) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]+");

    /** A name may hold a workload's, which comes from a stranger's run.json: it must not lead out of the directory. */
    Exhibit {
        if (!NAME.matcher(name).matches()) {
            throw new IllegalArgumentException("'" + name + "' can't be the name of a file: only letters, digits, - and _");
        }
    }

    /** A table, titled by its own name. */
    static Exhibit of(String name, String section, Table table) {
        return new Exhibit(name, section, table.name(), "", Optional.of(table), Optional.empty(), false);
    }

    /** A figure without a table of its own. */
    static Exhibit of(String name, String section, String title, Supplier<Optional<Figure>> figure) {
        return new Exhibit(name, section, title, "", Optional.empty(), Optional.of(figure), false);
    }

    /** The same, with the sentence that says what to see in it. */
    Exhibit saying(String sentence) {
        return new Exhibit(name, section, title, sentence, table, figure, isDigest);
    }

    /** The same, as a digest of other exhibits. */
    Exhibit asDigest() { return new Exhibit(name, section, title, sentence, table, figure, true); }

    /** Whether it is in the terminal and in a CSV file. */
    boolean isListed() { return table.isPresent() && !isDigest; }
}
