// Where a run's figures come from, and what a reader must know before them: the sentences that stand around the exhibits.

//SOURCES ../record/Run.java
//SOURCES ../record/Study.java
//SOURCES Numbers.java

import module java.base;

/** A run's origin and its caveats, a sentence each. */
final class Provenance {
    private Provenance() {}

    /** What was done, with what and on what. */
    static List<String> origin(Run run) {
        var plan = run.plan();
        String dirty = run.environment("git", "dirty").equals(Optional.of(true)) ? " (with uncommitted changes)" : "";
        return List.of(String.format(Locale.ROOT,
                "Run %s, profile %s: %d cells, %s, seed %d.", run.id(), plan.profile(), plan.order().size(),
                plan.studies().stream().map(Provenance::origin).collect(Collectors.joining("; ")), plan.seed()),
                "Made with commit %s%s, k6 %s, on %s (%s cores, %s MB), %s.".formatted(
                known(run, "git", "commit"), dirty, known(run, "tools", "k6"), known(run, "machine", "cpu"),
                known(run, "machine", "cores"), known(run, "machine", "memoryMb"), known(run, "machine", "system")));
    }

    private static String origin(Study study) {
        return switch (study) {
            case Study.Steady steady -> String.format(Locale.ROOT, "%d rounds, %s, %s s settling and %s s measured each",
                    steady.rounds(), steady.design(), Numbers.figure(steady.settleSeconds()),
                    Numbers.figure(steady.measureSeconds()));
            case Study.Shape shape -> String.format(Locale.ROOT, "%s of %d stages in %s s", shape.name(),
                    shape.stages().size(), Numbers.figure(shape.seconds()));
            case Study.Capacity capacity -> String.format(Locale.ROOT, "%s searched below a p99 of %s ms", capacity.name(),
                    Numbers.figure(capacity.p99Ms()));
            case Study.Cold cold -> String.format(Locale.ROOT, "%s: %d new environments of each", cold.name(), cold.rounds());
        };
    }

    private static Object known(Run run, String... path) { return run.environment(path).orElse("unknown"); }

    /** What a reader must know of a run before its figures, a sentence each. */
    static List<String> caveats(Run run) {
        var sentences = new ArrayList<String>();
        if (run.isLocal()) {
            sentences.add("Measured on one machine, with the functions on one core. These are not AWS figures.");
        }
        if (!run.plan().claims()) {
            sentences.add("This profile is too short to claim any difference. It only gives a first look at everything.");
        }
        if (run.published() != null) sentences.add("Published copy: " + run.published() + ".");
        sentences.addAll(run.warnings());
        return sentences;
    }
}
