// One function as Lambda runs it, in either execution model, without containers: environments, and the Runtime API.
//
// An environment is a process of the function under its real runtime client, and an HTTP port of its own at which the
// client asks for work (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html): it polls "next", is given an
// event, posts the reply, and polls again.
//
//     standard   one request at a time in each environment. A request that finds none free gets a new one, made for it,
//                and waits for it: a cold start. The environment used last is used next, so that idle ones stay idle.
//     LMI        one environment that polls as many times as it may serve at once, and is up before the first request.
//                Its worker that has waited longest is next, so that all of them are warmed alike.
//
// There is no queue: a request that finds no free place is throttled. A place is free again as soon as its reply is in,
// so a caller that never has more under way than there are places is never throttled.

//SOURCES ../build/Children.java
//SOURCES CpuQuota.java
//SOURCES Http.java
//SOURCES Machine.java
//SOURCES ../record/Disk.java
//SOURCES ../record/Run.java

import module java.base;

import static java.nio.charset.StandardCharsets.UTF_8;

/** The environments of one function, and which of them gets the next request. */
final class Lambda implements AutoCloseable {

    // ==== What you may want to change ====

    /** API Gateway gives up after 29 s, so a function that runs longer works for nobody. */
    static final Duration TIMEOUT = Duration.ofSeconds(29);
    /** Sixteen Python workers need 4 s of a core to start; a machine that needs ten times that measures nothing. */
    private static final Duration INIT_TIMEOUT = Duration.ofSeconds(60);
    /** Lambda's limit for an event and for a reply: 6 MB. */
    static final int MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;
    /** As much of a failed start's output as a person reads at once. */
    private static final int LINES_OF_FAILURE = 12;

    private static final String API = "/2018-06-01/runtime/";
    private static final String ARN = "arn:aws:lambda:us-east-1:000000000000:function:";
    private static final String NEXT = API + "invocation/next";
    private static final Pattern CALL = Pattern.compile(API + "invocation/([^/]+)/(response|error)");
    private static final byte[] ACCEPTED = "{\"status\":\"OK\"}".getBytes(UTF_8);

    /** Ends the calls whose time is over. Almost all end before that, and are forgotten then. */
    private static final ScheduledThreadPoolExecutor TIMES = new ScheduledThreadPoolExecutor(1,
            Thread.ofPlatform().daemon().name("times").factory());

    static {
        TIMES.setRemoveOnCancelPolicy(true);
    }

    /**
     * What a function is made of.
     *
     * @param name         of the variant
     * @param lmi          which execution model
     * @param places       requests that an environment serves at once: 1 in the standard model
     * @param environments the most that there may be at once: 1 on LMI
     * @param command      the runtime client with the function, and before it what pins it to its cores
     * @param directory    where the function's code is
     * @param variables    environment variables beside Lambda's own
     * @param quota        sets an environment's share of a core; null where it has a whole one
     */
    record Settings(String name, boolean lmi, int places, int environments, int memoryMb, List<String> command,
                    Path directory, Map<String, String> variables, CpuQuota quota) {
        Settings(String name, boolean lmi, int places, int environments, int memoryMb, List<String> command,
                 Path directory, Map<String, String> variables) {
            this(name, lmi, places, environments, memoryMb, command, directory, variables, null);
        }

        /** Of a core, as Lambda gives it. */
        double share() { return (double) memoryMb / Run.Variant.ONE_VCPU_MB; }
    }

    /** What became of a request. */
    sealed interface Outcome {
        /** The function's reply, whatever it says. */
        record Reply(byte[] payload) implements Outcome {}
        /** The function failed, could not start, or its process ended. */
        record Failure(String reason) implements Outcome {}
        record TimedOut() implements Outcome {}
        record Throttled() implements Outcome {}
    }

    private final Settings settings;
    private final Path temporary;
    private final Path log;
    private final Semaphore starts;
    private final Duration timeout;
    private final Consumer<Run.Invocation> record;

    private final Set<Environment> environments = new LinkedHashSet<>();
    /** An environment is in here once for each of its free places; the next request takes the first. */
    private final Deque<Environment> free = new ArrayDeque<>();
    private long throttles, coldStarts, startCpuNs;
    private volatile Environment prepared;

    /**
     * @param temporary  a directory for this function's environments' own temporary directories
     * @param log        gets what the function writes to stdout and stderr
     * @param starts     as many permits as environments may start at once, shared by all functions on the same cores
     * @param record     is told of each invocation when it has ended
     */
    Lambda(Settings settings, Path temporary, Path log, Semaphore starts, Duration timeout,
           Consumer<Run.Invocation> record) {
        this.settings = settings;
        this.temporary = temporary;
        this.log = log;
        this.starts = starts;
        this.timeout = timeout;
        this.record = record;
    }

    // ==== Invoke ====

    /** Runs the function on an event, and hands the outcome on, after the function's time-out at the latest. */
    void invoke(byte[] event, Consumer<Outcome> then) {
        var call = new Call(event);
        Environment environment = place(call);
        if (environment == null) {
            record.accept(call.invocation("throttled", 0, null));
            then.accept(new Outcome.Throttled());
            return;
        }
        var answer = new CompletableFuture<Outcome>();
        var time = TIMES.schedule(() -> {
            if (answer.complete(new Outcome.TimedOut())) Thread.startVirtualThread(() -> environment.expire(call));
        }, timeout.toNanos(), TimeUnit.NANOSECONDS);
        call.outcome.thenAccept(answer::complete);
        answer.thenAccept(outcome -> {
            time.cancel(false);
            then.accept(outcome);
        });
    }

    /** The environment that now has the call; null when there is no place for it. */
    private synchronized Environment place(Call call) {
        Environment environment = free.pollFirst();
        if (environment == null && environments.size() < settings.environments) {
            Environment fresh = grow();
            // A new LMI environment is for those who come later; in the standard model it is made for this request.
            if (!settings.lmi) environment = fresh;
        }
        if (environment == null) throttles++;
        else environment.take(call);
        return environment;
    }

    /** Starts one more environment when its turn comes, in a thread: a fork would hold up the virtual threads. */
    private Environment grow() {
        var environment = new Environment();
        environments.add(environment);
        Thread.ofPlatform().name("start " + settings.name).start(environment::start);
        return environment;
    }

    private synchronized void release(Environment environment) {
        if (environment.retired || !environments.contains(environment)) return;
        if (settings.lmi) free.addLast(environment);
        else free.addFirst(environment);
    }

    // ==== Life ====

    /** LMI: starts the environment before the first request. The standard model starts nothing before it must. */
    synchronized void prepare() {
        if (settings.lmi) prepared = grow();
    }

    /** Waits until what was prepared is up; throws an IOException that says what the function said when it is not. */
    void awaitReady() throws IOException, InterruptedException {
        if (prepared == null) return;
        try {
            prepared.ready.get();
        } catch (ExecutionException failed) {
            throw new IOException(settings.name + " did not start: " + failed.getCause().getMessage());
        }
    }

    /**
     * Makes all environments new. The old ones get no more calls and end when those under way are answered, so what is
     * asked meanwhile finds fewer places; then LMI starts its environment again, the standard model none.
     */
    void recycle() throws InterruptedException {
        for (Environment old : retire()) {
            try {
                CompletableFuture.allOf(old.calls.values().stream().map(call -> call.outcome)
                        .toArray(CompletableFuture[]::new)).get();
            } catch (ExecutionException never) {
                throw new AssertionError(never);
            }
            old.end("it was recycled");
        }
        prepare();
    }

    private synchronized List<Environment> retire() {
        free.clear();
        environments.forEach(environment -> environment.retired = true);
        return List.copyOf(environments);
    }

    /**
     * How the function stands at this moment.
     *
     * @param processGroups  of its environments, by their names
     * @param throttles      so far
     * @param coldStarts     environments that have become ready so far; on LMI nobody waited for them
     * @param startCpuNs     CPU time that those took until they were ready
     */
    record State(Map<String, Long> processGroups, int environments, int concurrency, long throttles, long coldStarts,
                 long startCpuNs) {}

    synchronized State state() {
        var up = environments.stream().filter(Environment::isUp).toList();
        int concurrency = environments.stream().mapToInt(environment -> environment.calls.size()).sum();
        var processGroups = up.stream().collect(Collectors.toMap(it -> it.logStream, it -> it.process.pid()));
        return new State(processGroups, up.size(), concurrency, throttles, coldStarts, startCpuNs);
    }

    /** Tells the environment with this process group of its peak memory, for the records of its invocations. */
    synchronized void tellPeak(long processGroup, long bytes) {
        for (Environment environment : environments) {
            if (environment.isUp() && environment.process.pid() == processGroup) environment.peakBytes = bytes;
        }
    }

    private synchronized List<Environment> all() { return List.copyOf(environments); }

    /** Ends all environments; calls under way fail. */
    @Override public void close() {
        for (Environment environment : all()) environment.end("the target was stopped");
    }

    // ==== A call ====

    /** One event on its way through an environment. */
    private final class Call {
        final String id = UUID.randomUUID().toString();
        final byte[] event;
        final CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        private final AtomicBoolean ended = new AtomicBoolean();
        volatile Instant handedOut;
        volatile long handedOutNs;

        Call(byte[] event) { this.event = event; }

        /** Ends the call; a second end changes nothing. It is recorded before the caller learns of the outcome. */
        void end(Outcome how, Environment where) {
            long nowNs = System.nanoTime();
            if (!ended.compareAndSet(false, true)) return;
            String status = switch (how) {
                case Outcome.Reply _ -> "ok";
                case Outcome.Failure _ -> "error";
                case Outcome.TimedOut _ -> "timeout";
                case Outcome.Throttled _ -> "throttled";
            };
            record.accept(invocation(status, handedOut == null ? 0 : (nowNs - handedOutNs) / 1e6, where));
            outcome.complete(how);
        }

        /** As Lambda bills it: whole milliseconds, and on a standard environment's first call its init as well. */
        Run.Invocation invocation(String status, double durationMs, Environment where) {
            Instant start = handedOut == null ? Instant.now() : handedOut;
            if (where == null) {
                return new Run.Invocation(
                        id, settings.name, null, start, status, 0, null, null, settings.memoryMb, null);
            }
            Double initMs = where.initMsOnce();
            Double billedMs = settings.lmi ? null : (Double) Math.ceil(durationMs + (initMs == null ? 0 : initMs));
            return new Run.Invocation(id, settings.name, where.logStream, start, status,
                    durationMs, billedMs, initMs, settings.memoryMb, where.peakMb());
        }
    }

    // ==== An environment ====

    /** A process of the function, with the Runtime API that it lives on. */
    private final class Environment {
        /** In Lambda's form, such as 2026/11/22/[$LATEST]0f3c…: the environment's name in every record. */
        final String logStream = LocalDate.now(ZoneOffset.UTC).toString().replace('-', '/')
                + "/[$LATEST]" + UUID.randomUUID().toString().replace("-", "");
        final CompletableFuture<Void> ready = new CompletableFuture<>();
        final Map<String, Call> calls = new ConcurrentHashMap<>();
        /** Calls that no poll has come for, or polls that no call has come for; one of the two is empty. */
        private final Queue<Call> waiting = new ArrayDeque<>();
        private final Queue<Http.Exchange> parked = new ArrayDeque<>();
        private final AtomicInteger polls = new AtomicInteger();
        private final AtomicReference<Double> initMs = new AtomicReference<>();
        private final AtomicBoolean ended = new AtomicBoolean();
        private final Path home = temporary.resolve(id());
        private volatile Http api;
        private volatile Process process;
        private volatile long startedNs;
        /** It gets no more calls. */
        volatile boolean retired;
        volatile long peakBytes;

        private String id() { return logStream.substring(logStream.indexOf(']') + 1); }

        /** Ready, and known by its process: a fast client polls before ProcessBuilder.start has returned it. */
        boolean isUp() { return process != null && ready.isDone() && !ready.isCompletedExceptionally(); }

        Double peakMb() {
            if (process == null) return null;
            if (peakBytes == 0) peakBytes = Machine.peakBytes(process.pid());
            return peakBytes / 1048576.0;
        }

        /** The time from the process's start to its readiness; told once, to the record of the first call. */
        Double initMsOnce() { return initMs.getAndSet(null); }

        /** Takes a call; its runtime client gets it with the poll that waits, or with its next one. */
        void take(Call call) {
            calls.put(call.id, call);
            Http.Exchange poll;
            synchronized (parked) {
                poll = parked.poll();
                if (poll == null) waiting.add(call);
            }
            if (poll != null) handOut(call, poll);
        }

        // ---- Start

        /** Starts the process when its turn comes, and returns when it polls with all its workers, or has failed. */
        void start() {
            starts.acquireUninterruptibly();
            try {
                if (ended.get()) return;
                Files.createDirectories(home);
                api = Http.listen(this::serve);
                var command = settings.command;
                if (settings.quota != null) {
                    settings.quota.make(id(), settings.share());
                    command = settings.quota.within(id(), command);
                }
                var builder = Children.builder(command).directory(settings.directory.toFile())
                        .redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
                builder.environment().clear();
                builder.environment().putAll(variables());
                startedNs = System.nanoTime();
                process = builder.start();
                if (ended.get()) kill(process);
                process.onExit().thenAccept(dead -> end("Runtime exited with status " + dead.exitValue()));
                ready.get(INIT_TIMEOUT.toSeconds(), TimeUnit.SECONDS);
            } catch (TimeoutException slow) {
                end("it was not ready within " + INIT_TIMEOUT.toSeconds() + " s");
            } catch (ExecutionException failed) {
                // end() has made it fail, and has removed the environment already.
            } catch (IOException failed) {
                end(failed.toString());
            } catch (InterruptedException never) {
                throw new AssertionError(never);
            } finally {
                starts.release();
            }
        }

        /** What a function finds in its environment on Lambda, and nothing of this user's own. */
        private Map<String, String> variables() {
            var variables = new TreeMap<>(settings.variables);
            // Java takes its temporary directory from a property alone.
            variables.computeIfPresent("JAVA_TOOL_OPTIONS", (_, options) -> options + " -Djava.io.tmpdir=" + home);
            variables.put("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:" + api.port());
            variables.put("AWS_LAMBDA_FUNCTION_NAME", settings.name);
            variables.put("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
            variables.put("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "" + settings.memoryMb);
            variables.put("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/" + settings.name);
            variables.put("AWS_LAMBDA_LOG_STREAM_NAME", logStream);
            variables.put("AWS_LAMBDA_INITIALIZATION_TYPE", settings.lmi ? "lambda-managed-instances" : "on-demand");
            if (settings.lmi) variables.put("AWS_LAMBDA_MAX_CONCURRENCY", "" + settings.places);
            variables.put("LAMBDA_TASK_ROOT", settings.directory.toString());
            variables.put("TZ", ":UTC");
            variables.put("LANG", "en_US.UTF-8");
            variables.put("PATH", "/usr/local/bin:/usr/bin:/bin");
            variables.put("HOME", home.toString());
            variables.put("TMPDIR", home.toString());
            return variables;
        }

        // ---- The Runtime API

        private void serve(Http.Exchange exchange) {
            String path = exchange.path();
            if (path.equals(NEXT)) {
                next(exchange);
                return;
            }
            var call = CALL.matcher(path);
            if (call.matches()) {
                exchange.withBody(MAX_PAYLOAD_BYTES, payload -> reply(exchange, call.group(1), call.group(2), payload));
            } else if (path.equals(API + "init/error")) {
                exchange.withBody(MAX_PAYLOAD_BYTES, error -> {
                    answer(exchange, 202, ACCEPTED);
                    end("it reported " + (error == null ? "an error" : new String(error, UTF_8)));
                });
            } else {
                answer(exchange, 404, "{\"errorType\":\"InvalidPath\"}".getBytes(UTF_8));
            }
        }

        /** Parks a worker's poll unless there is a call for it. */
        private void next(Http.Exchange poll) {
            if (polls.incrementAndGet() == settings.places) becomeReady();
            Call call;
            synchronized (parked) {
                call = waiting.poll();
                if (call == null) parked.add(poll);
            }
            if (call != null) handOut(call, poll);
        }

        private void handOut(Call call, Http.Exchange poll) {
            poll.header("Lambda-Runtime-Aws-Request-Id", call.id);
            poll.header("Lambda-Runtime-Deadline-Ms", "" + (System.currentTimeMillis() + timeout.toMillis()));
            poll.header("Lambda-Runtime-Invoked-Function-Arn", ARN + settings.name);
            poll.header("Lambda-Runtime-Trace-Id",
                    "Root=" + traceRoot(call.id) + ";Parent=" + call.id.substring(0, 8) + "00000000;Sampled=0");
            call.handedOutNs = System.nanoTime();
            call.handedOut = Instant.now();
            answer(poll, 200, call.event);
        }

        /**
         * A call's end, as "response" or as "error", with its payload, null where it was too large. The caller hears of it
         * before the runtime client does.
         */
        private void reply(Http.Exchange exchange, String id, String kind, byte[] payload) {
            Call call = calls.remove(id);
            if (call == null) {
                answer(exchange, 400, "{\"errorType\":\"InvalidRequestID\"}".getBytes(UTF_8));
                return;
            }
            release(this);
            // Lambda answers 413 to what is too large, and some clients then end; the caller sees the same.
            if (payload == null) call.end(new Outcome.Failure("the reply exceeds 6 MB"), this);
            else if (kind.equals("response")) call.end(new Outcome.Reply(payload), this);
            else call.end(new Outcome.Failure(new String(payload, UTF_8)), this);
            answer(exchange, 202, ACCEPTED);
        }

        private void answer(Http.Exchange exchange, int status, byte[] body) {
            exchange.header("Content-Type", "application/json");
            exchange.answer(status, body);
        }

        /** All workers are there: every place is free but those of the calls that the environment was made for. */
        private void becomeReady() {
            initMs.set((System.nanoTime() - startedNs) / 1e6);
            long cpuNs = cpuNs();
            synchronized (Lambda.this) {
                coldStarts++;
                startCpuNs += cpuNs;
                for (int place = calls.size(); place < settings.places; place++) release(this);
            }
            ready.complete(null);
        }

        /** What it has used so far. In the standard model somebody waits, and a look at all processes takes milliseconds. */
        private long cpuNs() {
            // A fast client polls before ProcessBuilder.start has returned its process.
            if (process == null) return 0;
            long group = process.pid();
            try {
                return settings.lmi ? Machine.usage(Set.of(group)).getOrDefault(group, Machine.Usage.NONE).cpuNs()
                        : Machine.cpuNs(group);
            } catch (IOException unreadable) {
                return Machine.cpuNs(group);
            }
        }

        // ---- End

        /**
         * A call's time is over: in the standard model its environment goes with it, as on Lambda. On LMI the worker
         * goes on for nobody, and its place is not free before it has replied.
         */
        void expire(Call call) {
            try {
                // A call that waited for a cold start has its whole time-out from when it reached the environment.
                ready.join();
                Thread.sleep(Duration.ofNanos(Math.max(0, call.handedOutNs + timeout.toNanos() - System.nanoTime())));
            } catch (CompletionException neverStarted) {
                return;
            } catch (InterruptedException never) {
                throw new AssertionError(never);
            }
            if (call.outcome.isDone()) return;
            call.end(new Outcome.TimedOut(), this);
            if (!settings.lmi) end("Task timed out after " + timeout.toSeconds() + " s");
        }

        /** Ends the process and all that belongs to it; calls under way fail for this reason. */
        void end(String reason) {
            if (!ended.compareAndSet(false, true)) return;
            synchronized (Lambda.this) {
                environments.remove(this);
                free.removeIf(this::equals);
            }
            ready.completeExceptionally(new IOException(reason + lastLines()));
            calls.values().forEach(call -> call.end(new Outcome.Failure(reason), this));
            calls.clear();
            if (process != null) kill(process);
            if (settings.quota != null) settings.quota.remove(id());
            if (api != null) api.close();
            try {
                Disk.delete(home);
            } catch (IOException | UncheckedIOException inUse) {
                // A dying process may still write into it; it goes with the target's temporary directory.
            }
        }

        private String lastLines() {
            try (var lines = Files.lines(log)) {
                var all = lines.toList();
                var last = all.subList(Math.max(0, all.size() - LINES_OF_FAILURE), all.size());
                return "\n" + String.join("\n", last) + "\n(" + log + ")";
            } catch (IOException | UncheckedIOException unreadable) {
                return "";
            }
        }
    }

    private static void kill(Process process) {
        try {
            Children.kill(process);
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    /** The root of a trace in X-Ray's form: the second it began, and 24 digits of its own. */
    static String traceRoot(String uuid) {
        return "1-%08x-%s".formatted(Instant.now().getEpochSecond(), uuid.replace("-", "").substring(8));
    }
}
