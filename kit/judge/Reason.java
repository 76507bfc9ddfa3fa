// Why there is no answer where one was asked for. A reason is a value, with the figures that it rests on: what it says
// to a reader is made in report/Words.

/** Why nothing can be said of a figure, a difference or a cost. */
sealed interface Reason {

    // ==== Too few data ====

    /** A quantile can be bounded only from so many values on. */
    record TooFewValues(double quantile, long values, long needed) implements Reason {}

    /** Blocks of time with a value. */
    record TooFewBlocks(int blocks, int needed) implements Reason {}

    /** Blocks of time in which both variants have a value. */
    record TooFewPairedBlocks(int blocks, int needed) implements Reason {}

    /** A slope needs more blocks than an interval. */
    record TooFewBlocksForSlope(int blocks, int needed) implements Reason {}

    /** The blocks differ so much, or are so few, that this quantile may lie beyond the largest value. */
    record UnboundedQuantile(double quantile) implements Reason {}

    record NoRequests() implements Reason {}

    record OnlyZeros() implements Reason {}

    /** Two samples that are too small for a rank test to find any difference, with how many values each has. */
    record SamplesTooSmall(int baseline, int candidate) implements Reason {}

    /** So few runs don't tell how another run would come out. */
    record TooFewRuns(int runs, int needed) implements Reason {}

    /** Runs are compared by ratio, and one of them has an interval that begins at zero. */
    record FigureMayBeZero() implements Reason {}

    // ==== Not to be compared, whatever was measured ====

    /** No variant was deployed twice, so nothing tells what two identical functions differ by. */
    record NoTwin() implements Reason {}

    /** LMI bills instances, not the time of a request. */
    record BilledByInstance() implements Reason {}

    /** On one machine this variant used so much of the functions' core, 0 to 1, that its queue was measured too. */
    record CoreTooBusy(String variant, double utilisation) implements Reason {}

    /** A gate is raised, so nothing that costs money is to be decided by this run. */
    record NotValid() implements Reason {}

    /** The profile is too short for any claim, and says so in its plan. */
    record ClaimsNothing() implements Reason {}
}
