///usr/bin/env jbang "$0" "$@" ; exit $?
// A target: Lambda on this machine, in both execution models, without an account and without containers.
//
//   ./jbang local.java               builds the functions, starts them all, prints their routes, stays until Ctrl-C
//   ./jbang local.java serve         the same as experiment.java drives it: JSON lines, see kit/record/Target.java
//
// A request's way: front door (kit/local/FrontDoor.java, in this process; it speaks as API Gateway's REST APIs do) →
// Runtime API (kit/local/Lambda.java, in this process) → the function, under its language's real runtime client → stores
// (kit/local/Stores.java, a process of their own). Functions have the last core; front door, stores and load the others.
//
// Whatever ends this process, nothing that it started lives on: every process is a child that dies with it. What a
// function prints is in logs/ of the run; what Lambda would report of each invocation is in its records.

//JAVA 25
//DESCRIPTION Lambda on this machine, standard and Managed Instances, behind a front door, with S3 and DynamoDB
//RUNTIME_OPTIONS -Xmx1g -XX:+UseG1GC --enable-native-access=ALL-UNNAMED
//SOURCES kit/build/Build.java
//SOURCES kit/build/Children.java
//SOURCES kit/Cli.java
//SOURCES kit/local/CpuQuota.java
//SOURCES kit/local/FrontDoor.java
//SOURCES kit/local/Http.java
//SOURCES kit/local/Lambda.java
//SOURCES kit/local/Machine.java
//SOURCES kit/local/Meter.java
//SOURCES kit/local/Records.java
//SOURCES kit/local/Stores.java
//SOURCES kit/record/Disk.java
//SOURCES kit/record/MeasuredFunction.java
//SOURCES kit/record/Run.java
//SOURCES kit/record/Target.java

import module java.base;
import picocli.CommandLine.*;

import static java.nio.charset.StandardCharsets.UTF_8;

@Command(name = "local.java", mixinStandardHelpOptions = true, version = "lambda-kit 0.1.0", sortOptions = false,
        subcommands = {Local.Serve.class, Local.ServeStores.class},
        header = "Lambda on this machine: the functions in both execution models, behind a front door, "
                + "with their stores.",
        footer = """

                Examples:
                  ./jbang local.java                                      all variants that can be built
                  ./jbang local.java rust-lmi-2048 python-standard-1769   these two
                Exit codes: 0 done, 1 unexpected, 2 refused before anything was started, \
                3 start failed and nothing is left.""")
final class Local implements Callable<Integer> {

    // ==== What you may want to change ====

    /** The most standard environments of a function, as many as an LMI environment has places; beyond is a throttle. */
    private static final int STANDARD_ENVIRONMENTS = 16;
    /** What one core's worth of memory is. Standard of less needs a quota on CPU time, which not every user may set. */
    private static final Map<String, Integer> MEMORY_MB = Map.of(Run.Variant.STANDARD, 1769, Run.Variant.LMI, 2048);
    /** The memory of the stores with their heap full, measured. What environments take stands in each function.json. */
    private static final int STORES_MB = 2600;
    private static final String ROUTES = "/{hello,io?delay_ms=,cpu?seed=&hash_loops=,store,health}";
    private static final String REGION = "us-east-1";

    // ==== Commands ====

    @Mixin Cli.Verbose verbose;

    @Parameters(paramLabel = "VARIANT", description = "Variants to start; default: all that can be built.")
    List<String> names = List.of();

    public static void main(String... args) { System.exit(Cli.run(new Local(), args)); }

    /** For a person: builds, starts, prints the routes, stays. */
    @Override public Integer call() throws Exception {
        refuseOtherSystems();
        var functions = functions(Path.of("").toAbsolutePath());
        var variants = names.isEmpty() ? variants(functions)
                : names.stream().map(name -> variant(name, functions)).toList();
        var artefacts = build(variants, functions);
        var buildable = variants.stream().filter(variant -> artefacts.containsKey(variant.language())).toList();
        Path directory = Build.userCache().resolve("local");
        Disk.delete(directory.resolve("logs"));
        try (var site = new Site()) {
            var started = site.start(new Target.Start(directory, buildable, artefacts), Cli::say);
            site.ready(new Target.Ready(buildable.stream().map(Run.Variant::name).toList()), Cli::say);
            started.urls().values().forEach(url -> System.out.println(url + ROUTES));
            Cli.say("Ctrl-C ends it; logs are in " + directory.resolve("logs"));
            Thread.sleep(Long.MAX_VALUE);
        }
        return Cli.DONE;
    }

    @Command(name = "serve", mixinStandardHelpOptions = true,
            header = "Answers experiment.java: JSON lines on stdin and stdout.")
    static final class Serve implements Callable<Integer> {
        @Override public Integer call() throws IOException, InterruptedException {
            Target.serve(new Site());
            return Cli.DONE;
        }
    }

    @Command(name = "stores", hidden = true)
    static final class ServeStores implements Callable<Integer> {
        @Parameters(arity = "0..1", description = "A DynamoDB that is served already; without it, DynamoDB Local.")
        URI dynamodb;

        @Override public Integer call() throws Exception {
            Stores.serve(Optional.ofNullable(dynamodb));
            Thread.sleep(Long.MAX_VALUE);
            return Cli.DONE;
        }
    }

    private static void refuseOtherSystems() {
        if (!Machine.isLinux()) throw new Cli.Problem(Cli.REFUSED,
                "the runtime clients of some functions have no native part for " + System.getProperty("os.name"),
                "analyze.java and --target aws work here");
    }

    private static Map<String, MeasuredFunction> functions(Path kitRoot) throws IOException {
        if (!Files.exists(kitRoot.resolve("function/contract.json"))) {
            throw new Cli.Problem(Cli.REFUSED, kitRoot + " is not the kit's directory", "cd to where local.java is");
        }
        return MeasuredFunction.all(kitRoot);
    }

    /** Every function on every compute that it is for. */
    private static List<Run.Variant> variants(Map<String, MeasuredFunction> functions) {
        return functions.values().stream().flatMap(function -> function.local().memoryMb().keySet().stream().sorted()
                .map(compute -> Run.Variant.of(function.name() + "-" + compute + "-" + MEMORY_MB.get(compute)))).toList();
    }

    private static Run.Variant variant(String name, Map<String, MeasuredFunction> functions) {
        try {
            var variant = Run.Variant.of(name);
            String refusal = refusal(variant, functions);
            if (refusal != null) throw new IllegalArgumentException(name + ": " + refusal);
            return variant;
        } catch (IllegalArgumentException wrong) {
            throw new Cli.Problem(Cli.REFUSED, wrong.getMessage(), "without names all variants are started");
        }
    }

    /** Why a variant cannot run here; null when it can. */
    private static String refusal(Run.Variant variant, Map<String, MeasuredFunction> functions) {
        var function = functions.get(variant.language());
        if (function == null) return "there is no function " + variant.language();
        if (!function.local().memoryMb().containsKey(variant.compute())) return "its function.json says that it is not for "
                + variant.compute() + " on this machine: its memory there is not named";
        int memoryMb = MEMORY_MB.get(variant.compute());
        if (variant.memoryMb() == memoryMb) return null;
        if (variant.lmi() || variant.memoryMb() > memoryMb) {
            return "on one machine %s has %d MB, one core; such a size needs AWS".formatted(variant.compute(), memoryMb);
        }
        return Quota.FOUND.isPresent() ? null : "standard of less than %d MB has a share of a core, ".formatted(memoryMb)
                + "which needs cgroups that this user may write to";
    }

    /** Looked for when the first variant needs it. */
    private static final class Quota {
        static final Optional<CpuQuota> FOUND = CpuQuota.ofThisMachine();
    }

    private static Map<String, MeasuredFunction.Artefact> build(
            List<Run.Variant> variants, Map<String, MeasuredFunction> functions) throws Exception {
        var artefacts = new TreeMap<String, MeasuredFunction.Artefact>();
        for (String name : variants.stream().map(Run.Variant::language).distinct().toList()) {
            try (var progress = new Cli.Progress("build")) {
                var build = new Build(Build.userCache(), line -> progress.show(() -> line));
                artefacts.put(name, build.build(functions.get(name), Build.Platform.LOCAL));
            } catch (Build.Missing missing) {
                Cli.warn(missing.getMessage() + ", and is left out; " + missing.hint);
            }
        }
        if (artefacts.isEmpty()) {
            throw new Cli.Problem(Cli.REFUSED, "no function can be built here",
                    "./jbang experiment.java doctor says what is missing");
        }
        return artefacts;
    }

    // ==== The site: functions, stores and front door, as long as they are up ====

    /** Answers a target's verbs. Closing it ends all that was started; so does the end of this process. */
    static final class Site implements Target.Verbs, AutoCloseable {
        private final Machine.Pinning pinning;
        private final Path temporary;
        /** What is to be closed, the newest first. */
        private final Deque<AutoCloseable> open = new ConcurrentLinkedDeque<>();
        private volatile Up up;
        /** Of the metrics, at the end of the cell before; empty before the first. */
        private List<Run.Metric> lastReading = List.of();

        /** What start has started, and what has been measured of it. */
        private record Up(Map<String, Lambda> functions, Stores stores, Records<Run.Invocation> invocations,
                          Records<Run.Metric> metrics, Meter meter) {}

        Site() throws IOException {
            pinning = Machine.isLinux() ? Machine.Pinning.ofThisMachine() : new Machine.Pinning(List.of(), List.of());
            temporary = Children.temporaryDirectory("lambda-kit-local-");
            Runtime.getRuntime().addShutdownHook(new Thread(this::close));
        }

        // ---- plan

        @Override public Target.Described describe() { return new Target.Described("quick", false, null); }

        @Override public Target.Refused carry(Target.Carry request) {
            var refused = new TreeMap<String, String>();
            for (var variant : request.variants()) {
                String refusal = refusal(variant, request.functions());
                if (refusal != null) refused.put(variant.name(), refusal);
            }
            return new Target.Refused(refused);
        }

        @Override public Target.Planned plan(Target.Plan request) throws IOException {
            refuseOtherSystems();
            Stores.ownDynamodb();
            var refused = carry(new Target.Carry(request.plan().variants(), request.functions())).refused();
            long needMb = STORES_MB;
            for (var variant : request.plan().variants()) {
                if (refused.containsKey(variant.name())) continue;
                needMb += request.functions().get(variant.language()).local().memoryMb().get(variant.compute())
                        * (variant.lmi() ? Math.max(1, variant.concurrency() / Run.LMI_CONCURRENCY) : STANDARD_ENVIRONMENTS);
            }
            var warnings = new ArrayList<String>();
            long availableMb = Machine.availableBytes() / 1048576;
            if (availableMb < needMb) {
                warnings.add("%d MB of memory are free, and up to %d MB are needed: fewer functions need less"
                        .formatted(availableMb, needMb));
            }
            if (pinning.none()) {
                warnings.add("functions, stores and load share all cores: there is one only, or no taskset");
            }
            return new Target.Planned(Build.Platform.LOCAL.name(), refused, List.of(), 0, 0, null, null, warnings);
        }

        // ---- start

        @Override public Target.Started start(Target.Start request, Consumer<String> progress)
                throws IOException, InterruptedException {
            Path logs = Files.createDirectories(request.runDirectory().resolve("logs"));
            Machine.stayOn(pinning.others());
            var functions = new ConcurrentSkipListMap<String, Lambda>();
            var invocations = new Records<>(Run.Invocation::start);
            var metrics = new Records<>(Run.Metric::time);
            try {
                progress.accept("starting the stores: S3Proxy, and " + Stores.ownDynamodb().map(URI::toString)
                        .orElse("DynamoDB Local, whose licence asks for an AWS account in good standing"));
                Path log = logs.resolve("stores.log");
                var stores = closedWithSite(Stores.start(Machine.on(pinning.others()), List.of("Local", "stores"),
                        Stores.ownDynamodb(), temporary, log));
                // More starts at once than there are cores for them would only make each of them look slow.
                var starts = new Semaphore(Math.max(1, pinning.functions().size()), true);
                for (var variant : request.variants()) {
                    var settings = settings(variant, request.artefacts().get(variant.language()), stores);
                    Path home = Files.createDirectory(temporary.resolve(variant.name()));
                    functions.put(variant.name(), closedWithSite(new Lambda(settings, home,
                            logs.resolve(variant.name() + ".log"), starts, Lambda.TIMEOUT, invocations::add)));
                }
                up = new Up(functions, stores, invocations, metrics,
                        closedWithSite(Meter.start(functions, stores, metrics)));
            } catch (IOException failed) {
                close();
                throw new Cli.Problem(Cli.START_FAILED, failed.getMessage(), "the logs are in " + logs, failed);
            }
            var door = closedWithSite(Http.listen(new FrontDoor(functions)::serve));
            functions.values().forEach(Lambda::prepare);
            var urls = new TreeMap<String, String>();
            for (String name : functions.keySet()) {
                urls.put(name, "http://127.0.0.1:" + door.port() + "/" + name);
            }
            return new Target.Started(urls, null, environment(request.artefacts()));
        }

        private <T extends AutoCloseable> T closedWithSite(T started) {
            open.push(started);
            return started;
        }

        private Lambda.Settings settings(Run.Variant variant, MeasuredFunction.Artefact artefact, Stores stores)
                throws IOException {
            var launch = Build.launch(artefact, variant.memoryMb());
            var command = Stream.concat(Machine.on(pinning.functions()).stream(), launch.command().stream()).toList();
            var variables = new TreeMap<>(launch.environment());
            variables.putAll(Map.of(
                    "KIT_VARIANT", variant.name(), "KIT_BUCKET", Stores.BUCKET, "KIT_TABLE", Stores.TABLE,
                    "AWS_ENDPOINT_URL_S3", stores.s3().toString(),
                    "AWS_ENDPOINT_URL_DYNAMODB", stores.dynamodb().toString(),
                    "AWS_REGION", REGION, "AWS_DEFAULT_REGION", REGION,
                    "AWS_ACCESS_KEY_ID", "local", "AWS_SECRET_ACCESS_KEY", "local"));
            return new Lambda.Settings(variant.name(), variant.lmi(), variant.concurrency(),
                    variant.lmi() ? 1 : STANDARD_ENVIRONMENTS, variant.memoryMb(),
                    command, artefact.directory(), variables,
                    variant.memoryMb() == MEMORY_MB.get(variant.compute()) ? null : Quota.FOUND.orElseThrow());
        }

        private Map<String, Object> environment(Map<String, MeasuredFunction.Artefact> artefacts) {
            var launch = new TreeMap<String, Object>();
            artefacts.forEach((name, artefact) -> launch.put(name, artefact.function().environment()));
            return new TreeMap<>(Map.of("kind", "Lambda's execution models on this machine",
                    "architecture", System.getProperty("os.arch").equals("aarch64") ? "arm64" : "x86_64",
                    "pinning", pinning.none() ? "none" : pinning,
                    "cpuQuota", "standard of less than 1769 MB has memoryMb / 1769 of a core for each environment, in periods "
                            + "of 20 ms; the others share the functions' cores without one",
                    "stores", Map.of("s3", "S3Proxy 4.1.0, in memory", "dynamodb", "DynamoDB Local 3.1.0, in memory"),
                    "limits", Map.of("standardEnvironments", STANDARD_ENVIRONMENTS, "lmiEnvironments", 1,
                            "lmiConcurrency", Run.LMI_CONCURRENCY, "timeoutSeconds", Lambda.TIMEOUT.toSeconds()),
                    "launch", launch));
        }

        /** What the verbs after start are about. */
        private Up up() {
            if (up == null) throw new Cli.Problem(Cli.REFUSED, "nothing was started", "start comes before this verb");
            return up;
        }

        // ---- ready · recycle · empty · stored · collect · remove

        @Override public Target.Environments ready(Target.Ready request, Consumer<String> progress)
                throws InterruptedException {
            var environments = new TreeMap<String, Integer>();
            for (String name : request.variants()) {
                var function = up().functions.get(name);
                try {
                    function.awaitReady();
                } catch (IOException failed) {
                    close();
                    throw new Cli.Problem(Cli.START_FAILED, failed.getMessage(),
                            "the log that is named above has all that it said");
                }
                environments.put(name, function.state().environments());
                progress.accept("%d of %d variants ready".formatted(environments.size(), request.variants().size()));
            }
            return new Target.Environments(environments);
        }

        @Override public Target.Done recycle(Target.Recycle request, Consumer<String> progress) throws InterruptedException {
            for (String name : request.variants()) up().functions.get(name).recycle();
            return new Target.Done();
        }

        @Override public Target.Done empty() throws IOException, InterruptedException {
            up().stores.empty();
            return new Target.Done();
        }

        @Override public Target.Contents stored(Target.Stored request) throws IOException, InterruptedException {
            return up().stores.contents(request.id());
        }

        @Override public Target.Collected collect(Target.Collect request, Consumer<String> progress)
                throws IOException {
            var up = up();
            var wanted = Set.copyOf(request.variants());
            long count = 0;
            try (var zip = new GZIPOutputStream(Files.newOutputStream(request.invocationsFile()));
                    var out = new OutputStreamWriter(zip, UTF_8)) {
                for (var invocation : up.invocations.take(request.from(), request.to())) {
                    if (!wanted.contains(invocation.variant())) continue;
                    out.write(Run.line(invocation) + "\n");
                    count++;
                }
            }
            // Nothing is asked between two cells, so the reading at the end of one is that at the beginning of the next.
            var readings = new ArrayList<>(lastReading);
            readings.addAll(up.metrics.take(request.from(), request.to()));
            lastReading = up.meter.read();
            readings.addAll(lastReading);
            try (var out = Files.newBufferedWriter(request.metricsFile())) {
                for (var metric : readings) {
                    boolean other = up.functions.containsKey(metric.subject()) && !wanted.contains(metric.subject());
                    if (!other) out.write(Run.line(metric) + "\n");
                }
            }
            var notes = new ArrayList<String>();
            long dropped = up.invocations.takeDropped() + up.metrics.takeDropped();
            if (dropped > 0) notes.add("%d records were dropped: %d are kept at most".formatted(dropped, Records.MOST));
            int running = wanted.stream().mapToInt(name -> up.functions.get(name).state().concurrency()).sum();
            if (running > 0) notes.add("%d invocations were still running".formatted(running));
            return new Target.Collected(count, notes.isEmpty(), notes);
        }

        @Override public Target.Kept keep() {
            throw new Cli.Problem(Cli.REFUSED, "nothing outlives a run on this machine", "--keep is for --target aws");
        }

        @Override public Target.Removed remove(Consumer<String> progress) {
            close();
            return new Target.Removed(0);
        }

        /** Ends everything. More than once is as good as once. */
        @Override public synchronized void close() {
            for (AutoCloseable next; (next = open.poll()) != null; ) {
                try {
                    next.close();
                } catch (InterruptedException stop) {
                    Thread.currentThread().interrupt();
                } catch (Exception failed) {
                    // Whatever would not close is a child that dies with this process.
                    Cli.warn(failed.toString());
                }
            }
            up = null;
        }
    }
}
