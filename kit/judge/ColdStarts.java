// What the studies of cold starts say: environments that were made new, one at a time on an idle core, and the answers
// that each of them gave, one after the other.
//
// Init is the target's clock, the answers are k6's. They stand apart, and neither is taken from the other.

//SOURCES ../record/Run.java
//SOURCES ../record/Study.java
//SOURCES Findings.java
//SOURCES Sorted.java

import module java.base;

/** New environments of all variants; {@link #of} is the way in. */
final class ColdStarts {
    private ColdStarts() { }

    /** An answer, in its place among those of its environment. @param atNs when it came, in ns since 1970 */
    record Answer(long atNs, double ms, boolean correct, boolean cold) {}

    /**
     * A new environment.
     *
     * @param answers    in the order of time, which is that of the requests: they follow one another
     * @param recordedMs of each init that the target has on record in this cell
     */
    record Environment(Run.Cell cell, Run.Variant variant, List<Answer> answers, List<Double> recordedMs) {
        long flagged() { return answers.stream().filter(Answer::cold).count(); }

        /**
         * Whether the function's own flag and the target's record tell of the same start, and it was the first answer's.
         * AWS keeps no record of an LMI environment's init.
         */
        boolean agrees() {
            boolean recorded = recordedMs.size() == 1 || variant.lmi() && recordedMs.isEmpty();
            return recorded && flagged() == 1 && answers.getFirst().cold();
        }
    }

    /** All new environments of a variant that were asked for a workload. */
    record Starts(Study.Cold study, Run.Variant variant, Run.Workload workload, List<Environment> environments) {
        /** The correct n-th answers, from 1 on. */
        Sorted nthMs(int n) {
            return Sorted.of(environments.stream().filter(one -> one.answers().size() >= n)
                    .map(one -> one.answers().get(n - 1)).filter(Answer::correct).mapToDouble(Answer::ms));
        }

        Sorted initMs() {
            return Sorted.of(environments.stream().flatMap(one -> one.recordedMs().stream())
                    .mapToDouble(Double::doubleValue));
        }
    }

    /** By workload and variant, in the plan's order; what was not measured is not in it. */
    static List<Starts> of(Findings findings) {
        var plan = findings.run.plan();
        var all = new ArrayList<Starts>();
        for (var study : plan.studies(Study.Cold.class)) {
            var cells = findings.run.cellsOf(study);
            for (var workload : study.workloads()) for (var variant : plan.variants()) {
                var environments = cells.stream().filter(cell -> workload.name().equals(cell.workload()))
                        .filter(cell -> cell.variants().contains(variant.name()))
                        .map(cell -> environment(findings, cell, variant))
                        .filter(one -> !one.answers().isEmpty()).toList();
                if (!environments.isEmpty()) all.add(new Starts(study, variant, workload, environments));
            }
        }
        return all;
    }

    private static Environment environment(Findings findings, Run.Cell cell, Run.Variant variant) {
        var answers = new ArrayList<Answer>();
        findings.series(cell, "answer_ms").filter(series -> Findings.tag(series, "variant").equals(variant.name()))
                .forEach(series -> {
                    boolean correct = Findings.tag(series, "outcome").equals(Run.CORRECT);
                    boolean cold = Findings.tag(series, "cold").equals("true");
                    series.forEach((ms, atNs) -> answers.add(new Answer(atNs, ms, correct, cold)));
                });
        answers.sort(Comparator.comparingLong(Answer::atNs));
        var recorded = findings.told.get(cell.name()).events().stream().filter(event -> !event.isThrottled())
                .filter(event -> event.variant().equals(variant.name())).map(Findings.Event::initMs).toList();
        return new Environment(cell, variant, answers, recorded);
    }
}
