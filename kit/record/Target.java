// What experiment.java asks of a place where functions run, and how: a child process that speaks JSON lines.
//
//     stdin    {"verb":"start","runDirectory":"…","variants":[…],"artefacts":{…}}       one request at a time
//     stdout   {"progress":"2 of 3 environments ready"}                                  any number
//              {"answer":{…}}  or  {"problem":{"exitCode":4,"message":"…","hint":"…"}}   exactly one
//     stderr   text for people
//
// The verbs come in the order of a run: describe · (carry) · plan · start · ready · (recycle · empty · stored · collect)… · remove. The end of
// stdin, which a thread of its own waits for, means that the experiment is gone: a target on this machine ends all that
// it started, AWS's stops waiting and keeps its state.

//SOURCES ../Cli.java
//SOURCES MeasuredFunction.java
//SOURCES Run.java

import module java.base;
import com.fasterxml.jackson.annotation.*;
import com.fasterxml.jackson.databind.*;

/** The conversation between experiment.java and a target: the requests, the answers, and both ends of the line. */
final class Target implements AutoCloseable {

    // ==== Requests and their answers ====

    /** A request; {@link #answer} is the type of what comes back. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "verb")
    @JsonSubTypes({
        @JsonSubTypes.Type(value = Describe.class, name = "describe"),
        @JsonSubTypes.Type(value = Carry.class, name = "carry"),
        @JsonSubTypes.Type(value = Plan.class, name = "plan"),
        @JsonSubTypes.Type(value = Start.class, name = "start"),
        @JsonSubTypes.Type(value = Ready.class, name = "ready"),
        @JsonSubTypes.Type(value = Recycle.class, name = "recycle"),
        @JsonSubTypes.Type(value = Empty.class, name = "empty"),
        @JsonSubTypes.Type(value = Stored.class, name = "stored"),
        @JsonSubTypes.Type(value = Collect.class, name = "collect"),
        @JsonSubTypes.Type(value = Keep.class, name = "keep"),
        @JsonSubTypes.Type(value = Remove.class, name = "remove")})
    sealed interface Request<A> {
        @JsonIgnore Class<A> answer();
    }

    /** What kind of target is this? Nothing is looked up. */
    record Describe() implements Request<Described> {
        @Override public Class<Described> answer() { return Described.class; }
    }

    /**
     * @param profile          the one to take where nobody names one
     * @param recordsComeLate  whether invocations are on record only some time after they are over
     * @param teardown         the command of the target's script that removes what an interrupted start has left, and
     *                         what was kept up; null where all that was started dies with the target
     */
    record Described(String profile, boolean recordsComeLate, String teardown) {}

    /** Which of these variants can this target not run, whatever the account or the machine? Nothing is looked up. */
    record Carry(List<Run.Variant> variants, Map<String, MeasuredFunction> functions) implements Request<Refused> {
        @Override public Class<Refused> answer() { return Refused.class; }
    }

    /** Those that it can't run, each with the reason. */
    record Refused(Map<String, String> refused) {}

    /**
     * Can this plan run here, on what, at which price? Nothing is made. Problems: exit code 2.
     *
     * @param functions those of the plan's variants, by name
     */
    record Plan(Run.Plan plan, Map<String, MeasuredFunction> functions) implements Request<Planned> {
        @Override public Class<Planned> answer() { return Planned.class; }
    }

    /**
     * @param platform     what to build for: a name of Build.Platform
     * @param refused      variants that this target cannot run, each with the reason
     * @param cost         what the run will cost, item by item; empty where nothing is billed
     * @param costUsd      the sum of the items
     * @param costPerHourUsd  what keeping it all up costs an hour
     * @param prices       by which that was reckoned, in the form of data/prices.json; null where nothing is billed
     * @param lasts        from start to removal
     */
    record Planned(String platform, Map<String, String> refused, List<CostItem> cost, double costUsd,
                   double costPerHourUsd, JsonNode prices, Duration lasts, List<String> warnings) {}

    record CostItem(String name, double quantity, String unit, double usd) {}

    /**
     * Start or deploy the variants. Problems: exit code 3 or 4.
     *
     * @param artefacts  Build's, by their functions' names
     * @param planned    what was answered to the plan; null where a target costs nothing
     */
    record Start(Path runDirectory, List<Run.Variant> variants, Map<String, MeasuredFunction.Artefact> artefacts,
                 Planned planned)
            implements Request<Started> {
        Start(Path runDirectory, List<Run.Variant> variants, Map<String, MeasuredFunction.Artefact> artefacts) {
            this(runDirectory, variants, artefacts, null);
        }

        @Override public Class<Started> answer() { return Started.class; }
    }

    /**
     * @param urls         base URL of each variant, to which "/{workload}?query" is added
     * @param apiKey       sent as x-api-key; null where none is needed. Never written to disk by the experiment.
     * @param environment  what a reader of the figures must know about this target, for run.json
     */
    record Started(Map<String, String> urls, String apiKey, Map<String, Object> environment) {}

    /** Wait until every variant can serve: LMI environments have all their workers up. */
    record Ready(List<String> variants) implements Request<Environments> {
        @Override public Class<Environments> answer() { return Environments.class; }
    }

    /** Number of environments that are up, by variant. */
    record Environments(Map<String, Integer> environments) {}

    /**
     * Make the variants' environments new. Calls under way are answered by the old ones. Afterwards a standard function has
     * none: its next request is a cold start. LMI's are started again, and {@link Ready} waits for them.
     */
    record Recycle(List<String> variants) implements Request<Done> {
        @Override public Class<Done> answer() { return Done.class; }
    }

    /** Empty both stores. */
    record Empty() implements Request<Done> {
        @Override public Class<Done> answer() { return Done.class; }
    }

    record Done() {}

    /** What is in the stores: counts, and the object and item of one id when it is given (else null). */
    record Stored(String id) implements Request<Contents> {
        @Override public Class<Contents> answer() { return Contents.class; }
    }

    /** The counts, the object's text and the item as DynamoDB's JSON. */
    record Contents(Run.Stored stored, String object, JsonNode item) {}

    /**
     * Write what the platform measured between two instants: a line per invocation ({@link Run.Invocation}, gzip) and the
     * metrics over time ({@link Run.Metric}).
     *
     * @param requests  how many were sent in that time, so many records are waited for; 0 where nobody has counted
     */
    record Collect(List<String> variants, Instant from, Instant to, long requests, Path invocationsFile,
                   Path metricsFile) implements Request<Collected> {
        Collect(List<String> variants, Instant from, Instant to, Path invocationsFile, Path metricsFile) {
            this(variants, from, to, 0, invocationsFile, metricsFile);
        }

        @Override public Class<Collected> answer() { return Collected.class; }
    }

    /** @param complete false when records are known to be missing; the notes say how many and why */
    record Collected(long invocations, boolean complete, List<String> notes) {}

    /** Keep everything up for another run. */
    record Keep() implements Request<Kept> {
        @Override public Class<Kept> answer() { return Kept.class; }
    }

    /** @param until when the target removes it by itself, unless another run uses it before */
    record Kept(Instant until) {}

    /** Remove everything. Problems: exit code 4. */
    record Remove() implements Request<Removed> {
        @Override public Class<Removed> answer() { return Removed.class; }
    }

    /** @param spentUsd what the run cost by the prices of the plan; 0 where nothing is billed */
    record Removed(double spentUsd) {}

    /** A {@link Cli.Problem} on the line. */
    private record Told(int exitCode, String message, String hint) {}

    // ==== The experiment's end ====

    /** Shorter than anything that is waited for, and far too seldom to take a core's time from what is measured. */
    private static final Duration ANSWER_POLL = Duration.ofMillis(10);

    private final Process process;
    private final BufferedReader replies;
    private final Writer requests;
    private final Consumer<String> onProgress;
    private boolean busy;

    /**
     * The line to a target's script that runs as this process, deaf to Ctrl-C: that is the experiment's to handle, which
     * then asks the target to remove. Progress lines go to the consumer.
     */
    Target(Process process, Consumer<String> onProgress) {
        this.process = process;
        replies = process.inputReader(StandardCharsets.UTF_8);
        requests = process.outputWriter(StandardCharsets.UTF_8);
        this.onProgress = onProgress;
    }

    /** The target's process ended before it answered. */
    static final class Died extends IOException {
        Died() { super("the target ended without an answer"); }
    }

    /** Asks and waits for the answer. Throws the target's own {@link Cli.Problem}, or {@link Died}. */
    <A> A ask(Request<A> request) throws IOException, InterruptedException {
        busy = true;
        try {
            requests.write(Run.line(request) + "\n");
            requests.flush();
        } catch (IOException brokenPipe) {
            throw new Died();
        }
        while (true) {
            JsonNode json = Run.json().readTree(reply());
            busy = json.has("progress");
            if (json.has("answer")) return Run.json().treeToValue(json.get("answer"), request.answer());
            if (json.has("problem")) {
                Told told = Run.json().treeToValue(json.get("problem"), Told.class);
                throw new Cli.Problem(told.exitCode, told.message, told.hint);
            }
            onProgress.accept(json.get("progress").asText());
        }
    }

    /** The next line. Reading a pipe cannot be interrupted, waiting for it can: a deployment takes many minutes. */
    private String reply() throws IOException, InterruptedException {
        while (!replies.ready() && process.isAlive()) Thread.sleep(ANSWER_POLL);
        String line = replies.ready() ? replies.readLine() : null;
        if (line == null) throw new Died();
        return line;
    }

    /** Whether a request was left without its answer, because the wait for it was interrupted. */
    boolean isBusy() { return busy && process.isAlive(); }

    /** Ends a target amid its work: this machine's takes along all that it started, AWS's leaves its state. */
    void kill() throws InterruptedException { process.destroyForcibly().waitFor(); }

    boolean isAlive() { return process.isAlive(); }

    /** Hangs up: a target on this machine ends all that it started before it ends itself. */
    @Override public void close() {
        try {
            requests.close();
        } catch (IOException goneAlready) {
            // Hanging up on a dead target is no news.
        }
        try {
            if (!process.waitFor(Duration.ofSeconds(20))) process.destroyForcibly();
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    // ==== The target's end ====

    /** What a target does at each verb. */
    interface Verbs {
        Described describe();
        Refused carry(Carry request) throws Exception;
        Planned plan(Plan request) throws Exception;
        Started start(Start request, Consumer<String> progress) throws Exception;
        Environments ready(Ready request, Consumer<String> progress) throws Exception;
        Done recycle(Recycle request, Consumer<String> progress) throws Exception;
        Done empty() throws Exception;
        Contents stored(Stored request) throws Exception;
        Collected collect(Collect request, Consumer<String> progress) throws Exception;
        Kept keep() throws Exception;
        Removed remove(Consumer<String> progress) throws Exception;
    }

    /** Answers requests, in this thread; the end of stdin ends the process, also in the middle of a verb. */
    static void serve(Verbs verbs) throws InterruptedException {
        var out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        Consumer<String> progress = text -> say(out, Map.of("progress", text));
        var requests = new LinkedBlockingQueue<String>();
        Thread.ofPlatform().daemon().name("stdin").start(() -> {
            try (var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
                in.lines().forEach(requests::add);
            } catch (IOException | UncheckedIOException unreadable) {
                unreadable.printStackTrace();
            } finally {
                // Shutdown hooks put away what there is.
                System.exit(Cli.DONE);
            }
        });
        while (true) {
            String line = requests.take();
            try {
                say(out, Map.of("answer", switch (Run.json().readValue(line, Request.class)) {
                    case Describe _ -> verbs.describe();
                    case Carry carry -> verbs.carry(carry);
                    case Plan plan -> verbs.plan(plan);
                    case Start start -> verbs.start(start, progress);
                    case Ready ready -> verbs.ready(ready, progress);
                    case Recycle recycle -> verbs.recycle(recycle, progress);
                    case Empty _ -> verbs.empty();
                    case Stored stored -> verbs.stored(stored);
                    case Collect collect -> verbs.collect(collect, progress);
                    case Keep _ -> verbs.keep();
                    case Remove _ -> verbs.remove(progress);
                }));
            } catch (Cli.Problem told) {
                say(out, Map.of("problem", new Told(told.exitCode, told.getMessage(), told.hint)));
            } catch (Throwable unexpected) {
                unexpected.printStackTrace();
                var told = new Told(Cli.UNEXPECTED, unexpected.toString(), "the target's log has the stack trace");
                say(out, Map.of("problem", told));
            }
        }
    }

    private static void say(PrintStream out, Object message) {
        try {
            boolean nobodyListens;
            synchronized (out) {
                out.println(Run.line(message));
                nobodyListens = out.checkError();
            }
            // Like stdin's end: who could ask for more has not heard of this.
            if (nobodyListens) System.exit(Cli.DONE);
        } catch (IOException notJson) {
            throw new UncheckedIOException(notJson);
        }
    }
}
