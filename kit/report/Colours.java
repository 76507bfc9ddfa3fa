// Which colour a function has in all figures.

//SOURCES ../record/Run.java
//SOURCES Plots.java

import module java.base;

/** The colours of a run's functions. */
final class Colours {
    /** What a record may say of a colour; all else could be anything. */
    private static final Pattern COLOUR = Pattern.compile("#[0-9a-f]{6}");

    private Colours() { }

    /** A function's own colour, as it says of itself; one by its place among the functions where the record has none. */
    static Optional<String> of(Run run, String function) {
        return run.environment("functions", function, "colour").map(Object::toString)
                .filter(text -> COLOUR.matcher(text).matches())
                .or(() -> Optional.of(Plots.colour(run.plan().languages().indexOf(function))));
    }
}
