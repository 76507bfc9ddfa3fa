// Keeps what was measured until it is collected: invocations and metrics, in the order of their time.

import module java.base;

/** What was measured since it was last taken, oldest first; the oldest go when there are too many. */
final class Records<T> {
    /** Two hours at 100 requests a second; beyond it the oldest are dropped, and {@link #takeDropped} counts them. */
    static final int MOST = 1_000_000;

    private final Function<T, Instant> time;
    private final Deque<T> records = new ArrayDeque<>();
    private long dropped;

    Records(Function<T, Instant> time) { this.time = time; }

    synchronized void add(T record) {
        if (records.size() == MOST) {
            records.removeFirst();
            dropped++;
        }
        records.addLast(record);
    }

    /** The records of a stretch of time. They and all before them are forgotten. */
    synchronized List<T> take(Instant from, Instant to) {
        var taken = new ArrayList<T>();
        records.removeIf(record -> {
            var at = time.apply(record);
            if (!at.isBefore(from) && at.isBefore(to)) taken.add(record);
            return at.isBefore(to);
        });
        return taken;
    }

    /** How many were dropped since this was last asked. */
    synchronized long takeDropped() {
        long since = dropped;
        dropped = 0;
        return since;
    }
}
