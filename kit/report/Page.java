// One HTML page that opens without a network: tables, plots, and the pinned Plotly inside it that draws them.
//
// Plots are told to Plotly in its own words, as JSON. tablesaw-jsplot would do it by templates, and start an engine for
// each part of each line, which took longer than all else; and it puts names into them as they are.
//
// Plotly is half of what a page weighs, so it lies in it gzipped and is inflated by the browser itself. Every text
// that came from a k6 file is escaped. Colours follow the reader's light or dark setting, also when it changes while
// the page is open.

//DEPS com.fasterxml.jackson.core:jackson-databind:2.19.2
//DEPS org.webjars.bower:plotly.js:1.54.1
//SOURCES Tables.java

import module java.base;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import tech.tablesaw.api.Table;

/** Builds a page section by section; {@link #html} is the whole of it. */
final class Page {
    // No smaller bundle has box plots.
    private static final String PLOTLY = "META-INF/resources/webjars/plotly.js/1.54.1/dist/plotly-cartesian.min.js";
    /** A language each, told apart in light, in dark, and by most colour-blind readers (Okabe and Ito's palette). */
    private static final Map<String, String> LANGUAGE_COLOURS =
            Map.of("python", "#0072b2", "rust", "#d55e00", "java", "#009e73");
    private static final List<String> OTHER_COLOURS =
            List.of("#cc79a7", "#e69f00", "#56b4e9", "#0072b2", "#d55e00", "#009e73", "#999999");

    /** A line of a plot: its name, its points, and what it looks like; a twin's line is dotted. */
    record Line(String name, double[] x, double[] y, boolean dashed) {}

    private final String title;
    private final StringBuilder body = new StringBuilder();
    private final List<Map<String, Object>> plots = new ArrayList<>();

    Page(String title) { this.title = title; }

    Page section(String heading) {
        body.append("<h2>").append(Tables.escaped(heading)).append("</h2>\n");
        return this;
    }

    Page text(String paragraph) {
        body.append("<p>").append(Tables.escaped(paragraph)).append("</p>\n");
        return this;
    }

    /** What the reader must know before any figure: why this run cannot be trusted. */
    Page banner(List<String> reasons) {
        if (reasons.isEmpty()) return this;
        body.append("<div class=\"banner\" role=\"alert\"><strong>This run is not valid.</strong><ul>");
        reasons.forEach(reason -> body.append("<li>").append(Tables.escaped(reason)).append("</li>"));
        body.append("</ul></div>\n");
        return this;
    }

    Page table(Table table) {
        body.append(Tables.html(table));
        return this;
    }

    /** Lines over x; the sentence under the plot says what to see in it. */
    Page lines(String heading, String xTitle, String yTitle, List<Line> lines, String sentence) {
        return plot(heading, axis(xTitle, false), axis(yTitle, false), sentence, traces(lines));
    }

    /**
     * Percentile curves, x in 0 up to but not 100. The axis gives the slowest tenth as much room as the rest, and the
     * slowest hundredth as much again, as in HdrHistogram's plots: the tail is what a curve is looked at for. The y
     * axis is logarithmic, unless there is a zero.
     */
    Page percentileCurves(String heading, String yTitle, List<Line> lines, String sentence) {
        var stretched = lines.stream().map(line -> new Line(line.name(),
                Arrays.stream(line.x()).map(Page::stretched).toArray(), line.y(), line.dashed())).toList();
        var names = Arrays.stream(PERCENTILES_NAMED).mapToObj(p -> "p" + Tables.figure(p)).toList();
        var x = Map.of("title", Map.of("text", "percentile"), "tickmode", "array", "ticktext", names,
                "tickvals", Arrays.stream(PERCENTILES_NAMED).map(Page::stretched).toArray());
        boolean positive = lines.stream().flatMapToDouble(line -> Arrays.stream(line.y())).allMatch(y -> y > 0);
        return plot(heading, x, axis(yTitle, positive), sentence, traces(stretched));
    }

    private static final double[] PERCENTILES_NAMED = {0, 50, 75, 90, 95, 99, 99.9};

    private static double stretched(double percentile) { return -StrictMath.log10(1 - percentile / 100); }

    /** Lines with both axes logarithmic. */
    Page logarithmicLines(String heading, String xTitle, String yTitle, List<Line> lines, String sentence) {
        return plot(heading, axis(xTitle, true), axis(yTitle, true), sentence, traces(lines));
    }

    private static List<Map<String, ?>> traces(List<Line> lines) {
        var traces = new ArrayList<Map<String, ?>>();
        for (Line line : lines) {
            String colour = colour(line.name(), traces.size());
            String dash = line.name().endsWith("-twin") ? "dot" : line.dashed() ? "dash" : "solid";
            traces.add(Map.of("type", "scatter", "mode", "lines+markers", "name", label(line.name()),
                    "x", line.x(), "y", line.y(), "line", Map.of("color", colour, "dash", dash),
                    "marker", Map.of("color", colour, "size", 4)));
        }
        return traces;
    }

    /** A box for each name, drawn from its percentiles p0, p1 … p100 and not every value: the box is the same. */
    Page boxes(String heading, String yTitle, SequencedMap<String, double[]> percentiles, String sentence) {
        var traces = new ArrayList<Map<String, ?>>();
        percentiles.forEach((name, values) -> traces.add(Map.of("type", "box", "name", label(name), "y", values,
                "showlegend", false, "marker", Map.of("color", colour(name, traces.size())))));
        return plot(heading, axis("", false), axis(yTitle, true), sentence, traces);
    }

    /** A name as plots may show it: Plotly takes some HTML in names for HTML. */
    private static String label(String name) {
        return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }

    private Page plot(String heading, Map<String, ?> x, Map<String, ?> y, String sentence,
                      List<Map<String, ?>> traces) {
        if (traces.isEmpty()) return text(heading + ": there is nothing to draw.");
        String id = "plot" + (plots.size() + 1);
        body.append("<figure><h3>").append(Tables.escaped(heading)).append("</h3>")
                .append("<div class=\"plot\" id=\"").append(id).append("\"></div>")
                .append("<figcaption>").append(Tables.escaped(sentence)).append("</figcaption></figure>\n");
        plots.add(Map.of("id", id, "data", traces,
                "layout", Map.of("autosize", true, "showlegend", traces.size() > 1, "xaxis", x, "yaxis", y)));
        return this;
    }

    private static Map<String, ?> axis(String title, boolean logarithmic) {
        return Map.of("title", Map.of("text", label(title)), "type", logarithmic ? "log" : "-"); // "-": as the data are
    }

    private static String colour(String name, int index) {
        return LANGUAGE_COLOURS.getOrDefault(name.split("-")[0], OTHER_COLOURS.get(index % OTHER_COLOURS.size()));
    }

    String html() throws IOException {
        var json = JsonMapper.builder().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();
        var parts = Map.of("title", Tables.escaped(title), "body", body.toString(),
                "plots", json.writeValueAsString(plots).replace("<", "\\u003c"), // No name ends the script.
                "plotly", plots.isEmpty() ? "" : plotly());
        // In one pass: what a tag's value says in braces is text.
        return Pattern.compile("\\{\\{(\\w+)}}").matcher(TEMPLATE)
                .replaceAll(place -> Matcher.quoteReplacement(parts.get(place.group(1))));
    }

    private static String plotly() throws IOException {
        try (var source = Page.class.getClassLoader().getResourceAsStream(PLOTLY)) {
            var packed = new ByteArrayOutputStream();
            try (var gzip = new GZIPOutputStream(packed)) {
                source.transferTo(gzip);
            }
            return Base64.getEncoder().encodeToString(packed.toByteArray());
        }
    }

    private static final String TEMPLATE = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <link rel="icon" href="data:,">
            <title>{{title}}</title>
            <style>
            :root { color-scheme: light dark; --ink: #1b1f24; --faint: #59636e; --paper: #ffffff; --line: #d1d9e0; --alarm: #b42318; --alarm-paper: #fef3f2; }
            @media (prefers-color-scheme: dark) {
              :root { --ink: #e6edf3; --faint: #9198a1; --paper: #0d1117; --line: #3d444d; --alarm: #ff9b8f; --alarm-paper: #3a1512; } }
            body { margin: 0 auto; padding: 1rem; max-width: 72rem; font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }
            h1 { font-size: 1.6rem; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); } h3 { font-size: 1rem; margin-bottom: 0; }
            .scroll { overflow-x: auto; }
            table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
            th, td { padding: .2rem .6rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
            .figure { text-align: right; }
            th, .sentence { white-space: normal; overflow-wrap: normal; vertical-align: top; } .sentence { min-width: 6rem; }
            figure { margin: 1.5rem 0; } figcaption { color: var(--faint); font-size: .875rem; }
            .plot { height: 24rem; }
            .banner { border: 2px solid var(--alarm); background: var(--alarm-paper); color: var(--alarm); padding: .75rem 1rem; border-radius: .5rem; }
            @media print { .plot { break-inside: avoid; } }
            </style>
            </head>
            <body>
            <h1>{{title}}</h1>
            {{body}}
            <noscript><p>The plots need JavaScript; every figure is in the tables.</p></noscript>
            <script id="plotly" type="text/plain">{{plotly}}</script>
            <script>
            const packed = document.getElementById('plotly').textContent;
            const start = async () => {
              if (!packed) return;
              const bytes = Uint8Array.from(atob(packed), c => c.charCodeAt(0));
              const source = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
              const script = document.createElement('script');
              script.textContent = source;
              document.head.append(script);
              draw();
              const dark = matchMedia('(prefers-color-scheme: dark)');
              dark.addEventListener('change', dress);
              dress();
              document.body.dataset.drawn = plots().length;
            };
            const plots = () => document.querySelectorAll('.js-plotly-plot');
            const dress = () => {
              const style = getComputedStyle(document.documentElement), ink = style.getPropertyValue('--ink').trim(), line = style.getPropertyValue('--line').trim();
              plots().forEach(plot => Plotly.relayout(plot, {
                paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', 'font.color': ink,
                'xaxis.gridcolor': line, 'yaxis.gridcolor': line, 'xaxis.zerolinecolor': line, 'yaxis.zerolinecolor': line,
                'font.family': 'system-ui, sans-serif', 'legend.orientation': 'h', 'legend.y': 1.02, 'legend.yanchor': 'bottom',
                'margin.t': 20, 'margin.r': 10, 'margin.l': 60, 'margin.b': 50, 'xaxis.automargin': true, 'yaxis.automargin': true }));
            };
            const settings = { displayModeBar: false, responsive: true };
            const draw = () => {{plots}}.forEach(plot => Plotly.newPlot(plot.id, plot.data, plot.layout, settings));
            start();
            </script>
            </body>
            </html>
            """;
}
