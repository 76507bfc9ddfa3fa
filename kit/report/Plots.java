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

    // ==== Panels ====

    /** One of several plots with the same time axis; a band is shaded between its lines, on a logarithmic axis. */
    record Panel(String yTitle, boolean band, List<Curve> lines) {}

    /** An upright line through all panels, and its text. */
    record Mark(double x, String text) {}

    private static final int PANEL_PIXELS = 170;
    private static final double PANEL_GAP = 0.03;

    /** Plots above one another on one axis, with marks through all of them. */
    static Optional<Figure> panels(String xTitle, List<Panel> panels, List<Mark> marks) {
        var traces = new ArrayList<Trace>();
        var layout = new TreeMap<String, Object>(Map.of("height", PANEL_PIXELS * panels.size(), "showlegend", true));
        double height = 1.0 / panels.size();
        for (int i = 0; i < panels.size(); i++) {
            var panel = panels.get(i);
            String number = i == 0 ? "" : String.valueOf(i + 1);
            layout.put("yaxis" + number, Map.of("title", label(panel.yTitle), "type", panel.band ? "log" : "linear",
                    "rangemode", "tozero", "domain", new double[] {1 - (i + 1) * height + PANEL_GAP / 2, 1 - i * height - PANEL_GAP / 2}));
            for (var line : panel.lines) traces.add(new OwnTrace(line.name, true, Map.of("type", "scatter", "mode", "lines",
                    "fill", panel.band && line != panel.lines.getFirst() ? "tonexty" : "none",
                    "name", label(line.name), "x", line.x, "y", missing(line.y), "yaxis", "y" + number, "line",
                    Map.of("color", line.colour.orElse(colour(traces.size())), "dash", line.dashed ? "dash" : "solid"))));
        }
        layout.put("xaxis", Map.of("title", label(xTitle), "anchor", "y" + panels.size()));
        layout.put("shapes", marks.stream().map(mark -> Map.of("type", "line", "xref", "x", "yref", "paper", "x0", mark.x,
                "x1", mark.x, "y0", 0, "y1", 1, "line", Map.of("color", "#999999", "width", 1, "dash", "dot"))).toList());
        layout.put("annotations", marks.stream().map(mark -> Map.of("xref", "x", "yref", "paper", "x", mark.x, "y", 1,
                "text", label(mark.text), "showarrow", false, "xanchor", "left", "yanchor", "top", "textangle", 90)).toList());
        boolean nothing = panels.stream().allMatch(panel -> panel.lines.isEmpty());
        return nothing ? Optional.empty() : Optional.of(new Panels(traces, layout));
    }

    /** JSON has no NaN; a line has a gap where there is no value. */
    private static List<Double> missing(double[] values) {
        return Arrays.stream(values).mapToObj(value -> Double.isFinite(value) ? (Double) value : null).toList();
    }

    /** jsplot's layouts have no panels, so this one is in Plotly's own words. */
    private static final class Panels extends Figure {
        private final Map<String, Object> layout;

        private Panels(List<Trace> traces, Map<String, Object> layout) {
            super(traces.toArray(Trace[]::new));
            this.layout = layout;
        }

        @Override public String asJavascript(String id) {
            var script = new StringBuilder("var target = document.getElementById('" + id + "');\n"
                    + "target.style.height = '" + layout.get("height") + "px';\n");
            var names = new StringJoiner(", ", "[", "]");
            for (int i = 0; i < getTraces().length; i++) {
                script.append(getTraces()[i].asJavascript(i));
                names.add("trace" + i);
            }
            return script + "Plotly.newPlot(target, " + names + ", " + json(layout)
                    + ", {displayModeBar: false, responsive: true});\n";
        }
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

    private static final JsonMapper JSON =
            JsonMapper.builder().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();

    private static String json(Object words) {
        try {
            // No name ends the script.
            return JSON.writeValueAsString(words).replace("<", "\\u003c");
        } catch (JsonProcessingException impossible) {
            throw new UncheckedIOException(impossible);
        }
    }

    /** A trace in Plotly's own words, for what jsplot's can't say. */
    private record OwnTrace(String name, boolean showLegend, Map<String, Object> words) implements Trace {
        @Override public String asJavascript(int number) { return "var trace" + number + " = " + json(words) + ";\n"; }

        @Override public HoverLabel hoverLabel() { return null; }
    }
}
