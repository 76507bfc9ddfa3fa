// One HTML page that opens without a network: tables, figures, and the pinned Plotly inside it that draws them.
//
// Plotly is half of what a page weighs, so it lies in it gzipped and is inflated by the browser itself. Every text
// that came from a k6 file is escaped. Colours follow the reader's light or dark setting, also when it changes while
// the page is open.

//DEPS org.webjars.bower:plotly.js:1.54.1
//SOURCES Exhibit.java
//SOURCES Plots.java
//SOURCES Tables.java

import module java.base;
import tech.tablesaw.api.Table;
import tech.tablesaw.plotly.components.Config;
import tech.tablesaw.plotly.components.Figure;

/** Builds a page section by section; {@link #html} is the whole of it. */
final class Page {
    /**
     * Begins what every page with a figure needs, in a thread of its own: loading jsplot and packing Plotly take as long
     * as all else that a small file needs, and can be done while the file is read.
     */
    static void prepare() {
        Thread.ofPlatform().daemon().start(() -> {
            Objects.requireNonNull(Plotly.PACKED);
            Plots.prepare();
        });
    }

    /** More rows than this nobody reads on a page; those of twenty thousand groups would be megabytes of markup. */
    private static final int MOST_ROWS = 1_000;

    private final String title;
    private final StringBuilder body = new StringBuilder();
    private final StringBuilder scripts = new StringBuilder();
    private int plots;

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

    /** Exhibits in their order, under a heading for each section. */
    Page exhibits(List<Exhibit> exhibits) {
        String section = "";
        for (var exhibit : exhibits) {
            if (!exhibit.section().equals(section)) section(exhibit.section());
            section = exhibit.section();
            exhibit.figure().ifPresent(drawing -> drawing.get().ifPresentOrElse(figure -> figure(exhibit, figure),
                    () -> text(exhibit.title() + ": there is nothing to draw.")));
            exhibit.table().ifPresent(table -> table(exhibit, table));
        }
        return this;
    }

    private void table(Exhibit exhibit, Table table) {
        if (exhibit.figure().isEmpty()) {
            heading(exhibit);
            if (!exhibit.sentence().isEmpty()) text(exhibit.sentence());
        }
        int more = table.rowCount() - MOST_ROWS;
        body.append(Tables.html(more <= 0 ? table : table.first(MOST_ROWS)));
        if (more > 0) text(more + " more rows are in " + exhibit.name() + ".csv.");
    }

    private void figure(Exhibit exhibit, Figure figure) {
        String id = "plot" + ++plots;
        body.append("<figure>");
        heading(exhibit);
        body.append("<div class=\"plot\" id=\"").append(id).append("\"></div><figcaption>")
                .append(Tables.escaped(exhibit.sentence())).append("</figcaption></figure>\n");
        figure.setConfig(Config.builder().displayModeBar(false).responsive(true).build());
        String javascript = figure.asJavascript(id).replace("<script>", "").replace("</script>", "");
        // Each figure declares the same names, so each gets a scope of its own; templates leave most of their lines empty.
        scripts.append('{').append(javascript.replaceAll("\\s*\n\\s*", "\n")).append("}\n");
    }

    private void heading(Exhibit exhibit) {
        body.append("<h3>").append(Tables.escaped(exhibit.title())).append("</h3>\n");
    }

    String html() {
        var parts = Map.of("title", Tables.escaped(title), "body", body.toString(),
                "plots", scripts.toString(), "plotly", plots == 0 ? "" : Plotly.PACKED);
        // In one pass: what a tag's value says in braces is text.
        return Pattern.compile("\\{\\{(\\w+)}}").matcher(TEMPLATE)
                .replaceAll(place -> Matcher.quoteReplacement(parts.get(place.group(1))));
    }

    /** Packed by whoever asks first; whoever asks meanwhile waits for it. */
    private static final class Plotly {
        // tablesaw-jsplot writes `title: 'text'`, a form that Plotly 3 dropped; no smaller bundle has box plots.
        private static final String FILE = "META-INF/resources/webjars/plotly.js/1.54.1/dist/plotly-cartesian.min.js";
        static final String PACKED = packed();

        private static String packed() {
            var packed = new ByteArrayOutputStream();
            try (var source = Page.class.getClassLoader().getResourceAsStream(FILE); var gzip = new GZIPOutputStream(packed)) {
                source.transferTo(gzip);
            } catch (IOException impossible) {
                throw new UncheckedIOException(impossible);
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
              const axes = plot => Object.assign({}, ...Object.keys(plot.layout).filter(name => /^[xy]axis\\d*$/.test(name)).map(name =>
                ({ [name + '.gridcolor']: line, [name + '.zerolinecolor']: line, [name + '.automargin']: true })));
              plots().forEach(plot => Plotly.relayout(plot, {
                paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', 'font.color': ink, ...axes(plot),
                'font.family': 'system-ui, sans-serif', 'legend.orientation': 'h', 'legend.y': 1.02, 'legend.yanchor': 'bottom',
                'margin.t': plot.layout.annotations ? 60 : 20, 'margin.r': 10, 'margin.l': 60, 'margin.b': 50 }));
            };
            const draw = () => {
            {{plots}}
            };
            start();
            </script>
            </body>
            </html>
            """;
}
