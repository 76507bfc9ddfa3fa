// Figures as tablesaw-jsplot makes them, for the Plotly that a page carries.
//
// Its templates put a text between quotes as it is, but for HTML's sake. Names come from anybody's k6 script, so every
// character of theirs that is neither letter nor digit is written as JavaScript's own escape. What jsplot can't say, such
// as the colour of a box, is a Trace of our own.

//DEPS com.fasterxml.jackson.core:jackson-databind:2.19.2
//DEPS tech.tablesaw:tablesaw-jsplot:0.44.4
//SOURCES Numbers.java

import module java.base;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import tech.tablesaw.plotly.components.*;
import tech.tablesaw.plotly.traces.*;

/** Each method makes one figure; none where there is nothing to draw. */
final class Plots {
    /** For what has no colour of its own, by order: told apart by most colour-blind readers (Okabe and Ito's palette). */
    private static final List<String> PALETTE =
            List.of("#cc79a7", "#e69f00", "#56b4e9", "#0072b2", "#d55e00", "#009e73", "#999999");
    private static final double MARKER_SIZE = 4;

    /** A line: its name, its points, and what it looks like; a twin's line is dotted, no colour is the palette's next. */
    record Curve(String name, double[] x, double[] y, boolean dashed, Optional<String> colour) {}

    /** How values are distributed: those at the shares of {@code at}, which are p0, p1 … p99, more of the tail, and 1. */
    record Distribution(String name, boolean dashed, double[] at, double[] values, Optional<String> colour) {
        /** All but the maximum, which lies at infinity on a percentile curve's axis. */
        private Curve curve() {
            int last = at.length - 1;
            double[] x = Arrays.stream(at).limit(last).map(Plots::stretched).toArray();
            return new Curve(name, x, Arrays.copyOf(values, last), dashed, colour);
        }

        /** p0, p1 … p100: the box of a hundred steps is the same as that of all values. */
        private double[] box() {
            double[] hundredths = Arrays.copyOf(values, 101);
            hundredths[100] = values[values.length - 1];
            return hundredths;
        }
    }

    /** Draws a figure that nobody sees: what jsplot needs is loaded then. */
    static void prepare() {
        lines("", "", List.of(new Curve("", new double[1], new double[1], false, Optional.empty())))
                .ifPresent(figure -> figure.asJavascript(""));
    }

    static Optional<Figure> lines(String xTitle, String yTitle, List<Curve> lines) {
        return figure(axis(xTitle, false), axis(yTitle, false), traces(lines));
    }

    /** Lines with both axes logarithmic. */
    static Optional<Figure> logarithmicLines(String xTitle, String yTitle, List<Curve> lines) {
        return figure(axis(xTitle, true), axis(yTitle, true), traces(lines));
    }

    private static final double[] PERCENTILES_NAMED = {0, 50, 75, 90, 95, 99, 99.9};

    /**
     * Percentile curves. The axis gives the slowest tenth as much room as the rest, and the slowest hundredth as much
     * again, as in HdrHistogram's plots: the tail is what a curve is looked at for. The y axis is logarithmic, unless
     * there is a zero.
     */
    static Optional<Figure> percentileCurves(String yTitle, List<Distribution> distributions) {
        double[] places = Arrays.stream(PERCENTILES_NAMED).map(percent -> stretched(percent / 100)).toArray();
        var names = Arrays.stream(PERCENTILES_NAMED).mapToObj(percent -> "p" + Numbers.figure(percent));
        var ticks = TickSettings.builder().tickMode(TickSettings.TickMode.ARRAY)
                .arrayTicks(places, names.toArray(String[]::new)).build();
        boolean positive = distributions.stream().flatMapToDouble(one -> Arrays.stream(one.values)).allMatch(y -> y > 0);
        return figure(Axis.builder().title("percentile").tickSettings(ticks).build(), axis(yTitle, positive),
                traces(distributions.stream().map(Distribution::curve).toList()));
    }

    private static double stretched(double share) { return -StrictMath.log10(1 - share); }

    /** A box for each distribution. */
    static Optional<Figure> boxes(String yTitle, List<Distribution> distributions) {
        var traces = new ArrayList<Trace>();
        for (var one : distributions) traces.add(new OwnTrace(one.name, false, Map.of("type", "box",
                "name", label(one.name), "y", one.box(), "marker", Map.of("color", one.colour.orElse(colour(traces.size()))))));
        return figure(axis("", false), axis(yTitle, true), traces);
    }

    private static Optional<Figure> figure(Axis x, Axis y, List<Trace> traces) {
        if (traces.isEmpty()) return Optional.empty();
        boolean legend = traces.size() > 1 && traces.stream().anyMatch(Trace::showLegend);
        var layout = Layout.builder().autosize(true).showLegend(legend).xAxis(x).yAxis(y).build();
        return Optional.of(Figure.builder().addTraces(traces.toArray(Trace[]::new)).layout(layout).build());
    }

    private static Axis axis(String title, boolean logarithmic) {
        return Axis.builder().title(quotable(label(title)))
                .type(logarithmic ? Axis.Type.LOG : Axis.Type.DEFAULT).build();
    }

    private static List<Trace> traces(List<Curve> lines) {
        var traces = new ArrayList<Trace>();
        for (var line : lines) {
            String colour = line.colour.orElse(colour(traces.size()));
            var dash = line.name.endsWith("-twin") ? Line.Dash.DOT : line.dashed ? Line.Dash.DASH : Line.Dash.SOLID;
            traces.add(ScatterTrace.builder(line.x, line.y).mode(ScatterTrace.Mode.LINE_AND_MARKERS)
                    .name(quotable(label(line.name))).showLegend(true)
                    .line(Line.builder().color(colour).dash(dash).build())
                    .marker(Marker.builder().color(colour).size(MARKER_SIZE).build()).build());
        }
        return traces;
    }

    /** The colour of what has none of its own. */
    static String colour(int index) { return PALETTE.get(index % PALETTE.size()); }

    /** A text as plots show it: Plotly takes some HTML in texts for HTML. */
    private static String label(String text) {
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    /** A text as it stands between quotes in JavaScript and in HTML alike, whatever is in it. */
    private static String quotable(String text) {
        var out = new StringBuilder();
        text.chars().forEach(character -> {
            boolean plain = character < 128 && Character.isLetterOrDigit(character) || character == ' ';
            if (plain) out.append((char) character);
            else out.append("\\u%04x".formatted(character));
        });
        return out.toString();
    }

    /** A trace in Plotly's own words, for what jsplot's can't say. */
    private record OwnTrace(String name, boolean showLegend, Map<String, Object> words) implements Trace {
        private static final JsonMapper JSON =
                JsonMapper.builder().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();

        @Override public String asJavascript(int number) {
            try {
                // No name ends the script.
                return "var trace" + number + " = " + JSON.writeValueAsString(words).replace("<", "\\u003c") + ";\n";
            } catch (JsonProcessingException impossible) {
                throw new UncheckedIOException(impossible);
            }
        }

        @Override public HoverLabel hoverLabel() { return null; }
    }
}
