///usr/bin/env jbang "$0" "$@" ; exit $?
// What a report of a run shows: each exhibit once, under a name that can be a file's, with the figures that the run has.

//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/judge/Findings.java
//SOURCES ../kit/record/Run.java
//SOURCES ../kit/report/Exhibit.java
//SOURCES ../kit/report/Exhibits.java
//SOURCES ../kit/report/Page.java
//SOURCES ../kit/report/SeveralRuns.java
//SOURCES ../kit/report/Tables.java
//SOURCES MadeUpRun.java
//SOURCES ShownRuns.java
//RUNTIME_OPTIONS --sun-misc-unsafe-memory-access=allow

import module java.base;
import org.junit.jupiter.api.*;
import org.junit.platform.console.ConsoleLauncher;
import tech.tablesaw.api.Table;

import static org.junit.jupiter.api.Assertions.*;

final class ExhibitsTest extends ShownRuns {
    public static void main(String... args) {
        ConsoleLauncher.main("execute", "--select-class=ExhibitsTest", "--disable-banner", "--fail-if-no-tests",
                "--details=tree");
    }

    // ==== Vocabulary ====

    private static final String STANDARD = "rust-standard-1769", LMI = "rust-lmi-2048", TWIN = STANDARD + "-twin";

    private List<Exhibit> exhibits(MadeUpRun madeUp) throws IOException { return read(madeUp, findings -> Exhibits.ofRun(findings, true)); }

    private static Exhibit named(String name, List<Exhibit> exhibits) {
        return exhibits.stream().filter(exhibit -> exhibit.name().equals(name)).findFirst().orElseThrow();
    }

    private static String markdown(String name, List<Exhibit> exhibits) {
        return Tables.markdown(named(name, exhibits).table().orElseThrow());
    }

    /** Every answer takes exactly as long as told, whatever the round. */
    private static MadeUpRun exact() {
        return new MadeUpRun(6, 2, STANDARD, LMI, TWIN).cells(_ -> true, cell -> {
            cell.latencyMs = cell.is(LMI) ? 30 : 20;
            cell.cpuMs = 2;
            cell.spread = 0;
        });
    }

    // ==== The list ====

    @Test void every_exhibit_of_a_run_is_listed_once_section_by_section() throws IOException {
        var exhibits = exhibits(exact());
        var names = exhibits.stream().map(Exhibit::name).toList();
        assertEquals(names.stream().distinct().toList(), names);
        var sections = exhibits.stream().map(Exhibit::section).toList();
        var runs = IntStream.range(0, sections.size())
                .filter(i -> i == 0 || !sections.get(i).equals(sections.get(i - 1))).mapToObj(sections::get).toList();
        assertEquals(runs.stream().distinct().toList(), runs, "a section's heading stands once");
        assertTrue(exhibits.stream().allMatch(exhibit -> exhibit.table().isPresent() || exhibit.figure().isPresent()));
    }

    @Test void what_a_run_lists_is_in_the_terminal_and_in_files_and_its_digests_are_not() throws IOException {
        assertEquals("""
                standard-or-lmi-io verdicts-io verdicts-io-secondary standard-or-lmi-store verdicts-store \
                verdicts-store-secondary latency errors throughput cold-starts cold-start-verdicts resources \
                smallest-findings intervals slot-medians noise drift changes break-even discounts per-million headroom cost-items \
                as-run""", exhibits(exact()).stream().filter(Exhibit::isListed).map(Exhibit::name)
                .collect(Collectors.joining(" ")));
        assertEquals(List.of("medians", "differences-p50", "differences-cpu"),
                exhibits(exact()).stream().filter(Exhibit::isDigest).map(Exhibit::name).toList());
    }

    @Test void a_run_that_claims_nothing_shows_no_exhibit_that_would_claim_something() throws IOException {
        var names = exhibits(exact().claimingNothing()).stream().map(Exhibit::name).toList();
        assertTrue(names.contains("latency"), names::toString);
        for (String claim : List.of("differences-p50", "verdicts-io-secondary", "cold-start-verdicts", "noise",
                "intervals", "changes")) assertFalse(names.contains(claim), claim);
    }

    /** What a table of this exhibit says in place of itself. */
    private static String notShown(String why) { return "| not shown |\n|---|\n| " + why + " |\n"; }

    private static String squeezed(String name, List<Exhibit> exhibits) {
        return markdown(name, exhibits).replaceAll(" +", " ").replaceAll("-+", "---");
    }

    @Test void a_run_that_is_not_valid_has_no_costs_and_no_break_even_and_their_places_say_why() throws IOException {
        var exhibits = read(exact(), findings -> Exhibits.ofRun(findings, false));
        for (String of : List.of("break-even", "discounts", "per-million", "headroom", "cost-items", "as-run")) {
            assertEquals(notShown("this run is not valid"), squeezed(of, exhibits), of);
            assertEquals("", named(of, exhibits).sentence());
        }
        assertTrue(exhibits.stream().noneMatch(exhibit -> exhibit.name().startsWith("months-")));
        assertTrue(markdown("latency", exhibits).contains("rust-lmi-2048"), "what was measured is still shown");
    }

    @Test void a_run_that_claims_nothing_shows_costs_as_a_look_without_a_break_even() throws IOException {
        var exhibits = exhibits(exact().claimingNothing());
        for (String of : List.of("break-even", "discounts", "per-million", "headroom")) {
            assertEquals(notShown("this profile claims nothing"), squeezed(of, exhibits), of);
        }
        assertTrue(exhibits.stream().noneMatch(exhibit -> exhibit.name().startsWith("months-")));
        assertTrue(markdown("cost-items", exhibits).contains("rust-standard-1769"), markdown("cost-items", exhibits));
        assertTrue(named("cost-items", exhibits).section().startsWith("Cost, a look that nothing is to be decided by"));
    }

    @Test void a_name_that_would_lead_out_of_the_report_is_refused() {
        for (String name : List.of("../latency", "a/b", "", "a b", "ü", "a.csv")) {
            assertThrows(IllegalArgumentException.class, () -> Exhibit.of(name, "", Table.create("T")), name);
        }
    }

    // ==== Its tables ====

    @Test void the_medians_are_those_of_the_streams_without_the_twin() throws IOException {
        assertEquals("""
                | workload | rust-standard-1769 | rust-lmi-2048 |
                |----------|-------------------:|--------------:|
                | io       |                 20 |            30 |
                | store    |                 20 |            30 |
                """, markdown("medians", exhibits(exact())));
    }

    @Test void the_digest_of_differences_says_what_the_verdicts_of_each_workload_say() throws IOException {
        var exhibits = exhibits(exact());
        var digest = named("differences-p50", exhibits).table().orElseThrow();
        for (String workload : List.of("io", "store")) {
            var verdicts = named("verdicts-" + workload, exhibits).table().orElseThrow();
            assertEquals(verdicts.stringColumn("p50").asList(), digest.stringColumn(workload).asList());
        }
    }

    @Test void errors_stand_beside_what_was_asked_by_their_kind() throws IOException {
        var run = exact().cells(cell -> cell.is(LMI, "io") && cell.round == 2, cell -> {
            cell.errors = 4;
            cell.wrong = 1;
        });
        assertEquals("""
                | workload | variant                 | requests | correct | http_5xx | wrong | errors [%] |
                |----------|-------------------------|---------:|--------:|---------:|------:|-----------:|
                | io       | rust-standard-1769      |      486 |     486 |        0 |     0 |          0 |
                | io       | rust-lmi-2048           |      486 |     481 |        4 |     1 |       1.03 |
                | io       | rust-standard-1769-twin |      486 |     486 |        0 |     0 |          0 |
                | store    | rust-standard-1769      |      366 |     366 |        0 |     0 |          0 |
                | store    | rust-lmi-2048           |      366 |     366 |        0 |     0 |          0 |
                | store    | rust-standard-1769-twin |      366 |     366 |        0 |     0 |          0 |
                """, markdown("errors", exhibits(run)));
    }

    // ==== Its page, and several runs ====

    @Test void the_page_has_every_exhibit_with_its_sentence_and_every_figure_is_drawn() throws IOException {
        read(exact(), findings -> {
            var exhibits = Exhibits.ofRun(findings, true);
            String page = new Page("T").exhibits(exhibits).html();
            for (var exhibit : exhibits) {
                assertTrue(page.contains("<h3>" + Tables.escaped(exhibit.title()) + "</h3>"), exhibit.title());
                assertTrue(page.contains(Tables.escaped(exhibit.sentence())), exhibit.sentence());
            }
            long figures = exhibits.stream().filter(exhibit -> exhibit.figure().isPresent()).count();
            assertEquals(figures, Pattern.compile("Plotly\\.newPlot\\(").matcher(page).results().count());
            return page;
        });
    }

    @Test void several_runs_of_one_label_stand_in_one_row_for_each_figure() throws IOException {
        var together = new SeveralRuns();
        for (int i = 0; i < 2; i++) read(exact(), findings -> {
            together.add("here", findings);
            return null;
        });
        var runs = Exhibits.ofRuns(together).getFirst().table().orElseThrow();
        assertEquals(List.of("here"), runs.stringColumn("label").unique().asList());
        assertEquals(2 * 3 * 6, runs.rowCount(), "workloads, variants, figures");
    }
}
