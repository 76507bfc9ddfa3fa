///usr/bin/env jbang "$0" "$@" ; exit $?
// A target: Lambda on this machine, in both execution models, without an account and without containers.
//
//   ./jbang local.java               builds the functions, starts them all, prints their routes, stays until Ctrl-C
//   ./jbang local.java serve         the same as experiment.java drives it: JSON lines, see kit/record/Target.java
//
// A request's way: front door (this process) → Runtime API (kit/local/Lambda.java, this process) → function, under its
// language's real runtime client → stores (kit/local/Stores.java, a process of their own). The door speaks as API Gateway's
// REST APIs do: their events, limits and status codes. Functions have the last core; door, stores and load the others.
//
// Nothing survives it, whatever ends it: every process is a child that dies with it. What a function says is in logs/
// of the run, and what Lambda would report of each invocation in its records.

//JAVA 25
//DESCRIPTION Lambda on this machine, standard and Managed Instances, behind a front door, with S3 and DynamoDB
//RUNTIME_OPTIONS -Xmx1g -XX:+UseG1GC
//SOURCES kit/build/Build.java
//SOURCES kit/Cli.java
//SOURCES kit/local/Lambda.java
//SOURCES kit/local/Machine.java
//SOURCES kit/record/Run.java
//SOURCES kit/local/Stores.java
//SOURCES kit/record/Target.java

import module java.base;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.sun.net.httpserver.*;
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
    /** What one core's worth of memory is. Other sizes would need a quota on CPU time, which not every user may set. */
    private static final Map<String, Integer> MEMORY_MB = Map.of(Run.Variant.STANDARD, 1769, Run.Variant.LMI, 2048);
    /** Once a second is fine enough for a chart of a minute, and costs the measured machine some milliseconds. */
    private static final Duration METRIC_INTERVAL = Duration.ofSeconds(1);
    /** Two hours at 100 requests a second; beyond it the oldest are dropped, and the answer to collect says so. */
    private static final int MOST_RECORDS = 1_000_000;
    /** The most memory that start takes, measured: an environment of each kind, and the stores with their heap full. */
    private static final Map<String, Integer> STANDARD_MB = Map.of("python", 60, "rust", 15, "java", 210);
    private static final Map<String, Integer> LMI_MB = Map.of("python", 900, "rust", 20, "java", 250);
    private static final int STORES_MB = 2600;
    /** API Gateway's limit for a request's body. */
    private static final int MAX_BODY_BYTES = 10 * 1024 * 1024;
    private static final String ROUTES = "/{hello,io?delay_ms=,cpu?seed=&hash_loops=,store,health}";
    private static final String STAGE = "kit", REGION = "us-east-1";
    private static final int START_FAILED = 3;
    private static final String TEMPORARY = "lambda-kit-local-";

    // ==== Commands ====

    @Mixin Cli.Verbose verbose;

    @Parameters(paramLabel = "VARIANT", description = "Variants to start; default: all that can be built.")
    List<String> names = List.of();

    public static void main(String... args) { System.exit(Cli.run(new Local(), args)); }

    /** For a person: builds, starts, prints the routes, stays. */
    @Override public Integer call() throws Exception {
        refuseOtherSystems();
        var variants = names.isEmpty() ? defaultVariants() : names.stream().map(Local::variant).toList();
        var artefacts = build(variants, Path.of("").toAbsolutePath());
        var buildable = variants.stream().filter(variant -> artefacts.containsKey(variant.language())).toList();
        Path directory = Build.userCache().resolve("local");
        Lambda.delete(directory.resolve("logs"));
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
        @Override public Integer call() throws IOException {
            try (var site = new Site()) {
                Target.serve(site);
            }
            return Cli.DONE;
        }
    }

    @Command(name = "stores", hidden = true)
    static final class ServeStores implements Callable<Integer> {
        @Override public Integer call() throws Exception {
            Stores.serve();
            Thread.sleep(Long.MAX_VALUE);
            return Cli.DONE;
        }
    }

    private static void refuseOtherSystems() {
        if (!Machine.isLinux()) throw new Cli.Problem(Cli.REFUSED,
                "the runtime clients of Python and Java have no native part for " + System.getProperty("os.name"),
                "analyze.java and --target aws work here");
    }

    private static List<Run.Variant> defaultVariants() {
        var names = new ArrayList<String>();
        for (String language : Build.LANGUAGES) {
            MEMORY_MB.forEach((compute, memoryMb) -> names.add(language + "-" + compute + "-" + memoryMb));
        }
        names.add("python-standard-1769-twin");
        return names.stream().sorted().map(Run.Variant::of).toList();
    }

    private static Run.Variant variant(String name) {
        try {
            var variant = Run.Variant.of(name);
            String refusal = Build.LANGUAGES.contains(variant.language())
                    ? refusal(variant) : "there is no such language";
            if (refusal != null) throw new IllegalArgumentException(name + ": " + refusal);
            return variant;
        } catch (IllegalArgumentException wrong) {
            throw new Cli.Problem(Cli.REFUSED, wrong.getMessage(), "without names all variants are started");
        }
    }

    /** Why a variant cannot run here; null when it can. */
    private static String refusal(Run.Variant variant) {
        int memoryMb = MEMORY_MB.get(variant.compute());
        return variant.memoryMb() == memoryMb ? null
                : "on one machine %s has %d MB, one core; other sizes need AWS".formatted(variant.compute(), memoryMb);
    }

    private static Map<String, Target.Artefact> build(List<Run.Variant> variants, Path kitRoot) throws Exception {
        if (!Files.exists(kitRoot.resolve("function/contract.json"))) {
            throw new Cli.Problem(Cli.REFUSED, kitRoot + " is not the kit's directory", "cd to where local.java is");
        }
        var artefacts = new TreeMap<String, Target.Artefact>();
        for (String language : variants.stream().map(Run.Variant::language).distinct().toList()) {
            try (var progress = new Cli.Progress("build")) {
                var built = Build.build(language, Build.Platform.LOCAL, kitRoot, line -> progress.show(() -> line));
                var artefact = new Target.Artefact(built.directory(), built.zip(), built.bytes(), built.sha256());
                artefacts.put(language, artefact);
            } catch (Build.Missing missing) {
                Cli.warn(missing.getMessage() + ", and is left out; " + missing.hint);
            }
        }
        if (artefacts.isEmpty()) {
            throw new Cli.Problem(Cli.REFUSED, "no language can be built here",
                    "./jbang experiment.java doctor says what is missing");
        }
        return artefacts;
    }

    // ==== The site: functions, stores and door, as long as they are up ====

    /** All that runs, asked by a target's verbs. Closing it ends everything; so does the end of this process. */
    static final class Site implements Target.Verbs, AutoCloseable {
        private final Machine.Pinning pinning;
        private final Path temporary;
        private final Map<String, Lambda> functions = new ConcurrentSkipListMap<>();
        private final Records<Run.Invocation> invocations = new Records<>(Run.Invocation::start);
        private final Records<Run.Metric> metrics = new Records<>(Run.Metric::time);
        private final ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
        private Stores stores;
        private HttpServer door;
        private Thread meter;

        Site() throws IOException {
            pinning = Machine.isLinux() ? Machine.Pinning.ofThisMachine() : new Machine.Pinning(List.of(), List.of());
            sweep();
            temporary = Files.createTempDirectory(TEMPORARY + ProcessHandle.current().pid() + "-");
            Runtime.getRuntime().addShutdownHook(new Thread(this::close));
        }

        /** Removes what a predecessor that was killed has left: its temporary files. */
        private static void sweep() throws IOException {
            try (var left = Files.newDirectoryStream(Path.of(System.getProperty("java.io.tmpdir")), TEMPORARY + "*")) {
                for (Path directory : left) {
                    String owner = directory.getFileName().toString().substring(TEMPORARY.length()).split("-")[0];
                    if (ProcessHandle.of(Long.parseLong(owner)).isEmpty()) Lambda.delete(directory);
                }
            }
        }

        // ---- plan

        @Override public Target.Planned plan(Target.Plan request) throws IOException {
            refuseOtherSystems();
            var refused = new TreeMap<String, String>();
            long needMb = STORES_MB;
            for (var variant : request.plan().variants()) {
                String refusal = refusal(variant);
                if (refusal != null) refused.put(variant.name(), refusal);
                else needMb += variant.lmi() ? LMI_MB.getOrDefault(variant.language(), 0)
                        : STANDARD_ENVIRONMENTS * STANDARD_MB.getOrDefault(variant.language(), 0);
            }
            var warnings = new ArrayList<String>();
            long availableMb = Machine.availableBytes() / 1048576;
            if (availableMb < needMb) {
                warnings.add("%d MB of memory are free, and up to %d MB are needed: fewer languages need less"
                        .formatted(availableMb, needMb));
            }
            if (pinning.none()) {
                warnings.add("functions, stores and load share all cores: there is one only, or no taskset");
            }
            return new Target.Planned(Build.Platform.LOCAL.name(), refused, List.of(), 0, 0, null, warnings);
        }

        // ---- start

        @Override public Target.Started start(Target.Start request, Consumer<String> progress)
                throws IOException, InterruptedException {
            Path logs = Files.createDirectories(request.runDirectory().resolve("logs"));
            Machine.stayOn(pinning.others());
            try {
                progress.accept("starting the stores");
                Path log = logs.resolve("stores.log");
                stores = Stores.start(Machine.on(pinning.others()), List.of("Local", "stores"), log);
                // More starts at once than there are cores for them would only make each of them look slow.
                var starts = new Semaphore(Math.max(1, pinning.functions().size()), true);
                for (var variant : request.variants()) {
                    var artefact = request.artefacts().get(variant.language());
                    functions.put(variant.name(), function(variant, artefact, logs, starts));
                }
            } catch (IOException failed) {
                close();
                throw new Cli.Problem(START_FAILED, failed.getMessage(), "the logs are in " + logs, failed);
            }
            door = Lambda.listen(workers, new Door(functions)::serve);
            meter = Thread.ofPlatform().daemon().name("meter").start(new Meter(functions, stores, metrics));
            functions.values().forEach(Lambda::prepare);
            String base = "http://127.0.0.1:" + door.getAddress().getPort() + "/";
            var urls = new TreeMap<String, String>();
            for (String name : functions.keySet()) urls.put(name, base + name);
            return new Target.Started(urls, null, environment());
        }

        private Lambda function(Run.Variant variant, Target.Artefact artefact, Path logs, Semaphore starts)
                throws IOException {
            var launch = Build.launch(variant.language(), artefact.directory(), variant.memoryMb());
            var command = Stream.concat(Machine.on(pinning.functions()).stream(), launch.command().stream()).toList();
            var variables = new TreeMap<>(launch.environment());
            variables.putAll(Map.of(
                    "KIT_VARIANT", variant.name(), "KIT_BUCKET", Stores.BUCKET, "KIT_TABLE", Stores.TABLE,
                    "AWS_ENDPOINT_URL_S3", stores.s3().toString(),
                    "AWS_ENDPOINT_URL_DYNAMODB", stores.dynamodb().toString(),
                    "AWS_REGION", REGION, "AWS_DEFAULT_REGION", REGION,
                    "AWS_ACCESS_KEY_ID", "local", "AWS_SECRET_ACCESS_KEY", "local"));
            var settings = new Lambda.Settings(variant.name(), variant.lmi(), variant.concurrency(),
                    variant.lmi() ? 1 : STANDARD_ENVIRONMENTS, variant.memoryMb(),
                    command, artefact.directory(), variables);
            Path home = Files.createDirectory(temporary.resolve(variant.name()));
            Path log = logs.resolve(variant.name() + ".log");
            return new Lambda(settings, home, log, starts, Lambda.TIMEOUT, invocations::add);
        }

        private Map<String, Object> environment() {
            var launch = new TreeMap<String, Object>();
            for (String language : Build.LANGUAGES) launch.put(language, Build.settings(language));
            return new TreeMap<>(Map.of("kind", "Lambda's execution models on this machine",
                    "architecture", System.getProperty("os.arch").equals("aarch64") ? "arm64" : "x86_64",
                    "pinning", pinning.none() ? "none" : pinning,
                    "cpuQuota", "none: the environments of all functions share the functions' cores",
                    "stores", Map.of("s3", "S3Proxy 4.1.0, in memory", "dynamodb", "DynamoDB Local 3.1.0, in memory"),
                    "limits", Map.of("standardEnvironments", STANDARD_ENVIRONMENTS, "lmiEnvironments", 1,
                            "lmiConcurrency", Run.LMI_CONCURRENCY, "timeoutSeconds", Lambda.TIMEOUT.toSeconds()),
                    "launch", launch));
        }

        // ---- ready · empty · stored · collect · remove

        @Override public Target.Environments ready(Target.Ready request, Consumer<String> progress)
                throws InterruptedException {
            var environments = new TreeMap<String, Integer>();
            for (String name : request.variants()) {
                try {
                    functions.get(name).awaitReady();
                } catch (IOException failed) {
                    close();
                    throw new Cli.Problem(START_FAILED, failed.getMessage(),
                            "the log that is named above has all that it said");
                }
                environments.put(name, functions.get(name).state().environments());
                progress.accept("%d of %d variants ready".formatted(environments.size(), request.variants().size()));
            }
            return new Target.Environments(environments);
        }

        @Override public Target.Done empty() throws IOException, InterruptedException {
            stores.empty();
            return new Target.Done();
        }

        @Override public Target.Contents stored(Target.Stored request) throws IOException, InterruptedException {
            return stores.contents(request.id());
        }

        @Override public Target.Collected collect(Target.Collect request, Consumer<String> progress)
                throws IOException {
            var wanted = Set.copyOf(request.variants());
            long count = 0;
            try (var zip = new GZIPOutputStream(Files.newOutputStream(request.invocationsFile()));
                    var out = new OutputStreamWriter(zip, UTF_8)) {
                for (var invocation : invocations.take(request.from(), request.to())) {
                    if (!wanted.contains(invocation.variant())) continue;
                    out.write(Run.line(invocation) + "\n");
                    count++;
                }
            }
            try (var out = Files.newBufferedWriter(request.metricsFile())) {
                for (var metric : metrics.take(request.from(), request.to())) {
                    boolean other = functions.containsKey(metric.subject()) && !wanted.contains(metric.subject());
                    if (!other) out.write(Run.line(metric) + "\n");
                }
            }
            var notes = new ArrayList<String>();
            long dropped = invocations.takeDropped() + metrics.takeDropped();
            if (dropped > 0) notes.add("%d records were dropped: %d are kept at most".formatted(dropped, MOST_RECORDS));
            int running = wanted.stream().mapToInt(name -> functions.get(name).state().concurrency()).sum();
            if (running > 0) notes.add("%d invocations were still running".formatted(running));
            return new Target.Collected(count, notes.isEmpty(), notes);
        }

        @Override public Target.Removed remove(Consumer<String> progress) {
            close();
            return new Target.Removed(0);
        }

        /** Ends everything. More than once is as good as once. */
        @Override public synchronized void close() {
            if (meter != null) meter.interrupt();
            if (door != null) door.stop(0);
            functions.values().forEach(Lambda::close);
            functions.clear();
            try {
                if (stores != null) stores.close();
            } catch (InterruptedException stop) {
                Thread.currentThread().interrupt();
            }
            Lambda.delete(temporary);
        }
    }

    // ==== Door: what API Gateway's REST APIs make of a request and of a reply ====

    /** The front door. Its events, limits, and answers are those of a REST API (v1) with Lambda proxy integration. */
    static final class Door {
        /** The kit's own mapper leaves null fields out; an event has them. */
        private static final ObjectMapper EVENTS = new ObjectMapper();
        private final Map<String, Lambda> functions;

        Door(Map<String, Lambda> functions) { this.functions = functions; }

        void serve(HttpExchange exchange) throws IOException {
            // "", variant, workload
            String[] path = exchange.getRequestURI().getPath().split("/", -1);
            Lambda function = path.length == 3 && !path[2].isEmpty() ? functions.get(path[1]) : null;
            if (function == null) {
                refuse(exchange, 403, "Missing Authentication Token");
                return;
            }
            byte[] body = exchange.getRequestBody().readNBytes(MAX_BODY_BYTES + 1);
            if (body.length > MAX_BODY_BYTES) {
                refuse(exchange, 413, "HTTP content length exceeded " + MAX_BODY_BYTES + " bytes.");
                return;
            }
            byte[] event = EVENTS.writeValueAsBytes(event(exchange, path[1], path[2], body));
            if (event.length > Lambda.MAX_PAYLOAD_BYTES) {
                refuse(exchange, 413, "Request Too Long");
                return;
            }
            try {
                switch (function.invoke(event)) {
                    case Lambda.Outcome.Reply(byte[] payload) -> pass(exchange, payload);
                    case Lambda.Outcome.Failure _ -> refuse(exchange, 502, "Internal server error");
                    case Lambda.Outcome.TimedOut _ -> refuse(exchange, 504, "Endpoint request timed out");
                    // Lambda says 429 to API Gateway, which does not pass it on.
                    case Lambda.Outcome.Throttled _ -> refuse(exchange, 500, "Internal server error");
                }
            } catch (InterruptedException stopped) {
                exchange.close();
            }
        }

        private static void refuse(HttpExchange exchange, int status, String message) throws IOException {
            Lambda.answer(exchange, status, "application/json", Run.line(Map.of("message", message)).getBytes(UTF_8));
        }

        // ---- The event

        private static Map<String, Object> event(HttpExchange exchange, String variant, String workload, byte[] body) {
            String id = UUID.randomUUID().toString();
            var uri = exchange.getRequestURI();
            var headers = headers(exchange, id);
            var query = query(uri.getRawQuery());
            String resource = "/" + variant + "/{workload}";
            String sourceIp = exchange.getRemoteAddress().getAddress().getHostAddress();
            var now = ZonedDateTime.now(ZoneOffset.UTC);

            var identity = new LinkedHashMap<String, Object>();
            identity.put("sourceIp", sourceIp);
            identity.put("userAgent", last(headers.get("User-Agent")));
            identity.put("apiKey", last(headers.get("X-Api-Key")));

            var context = new LinkedHashMap<String, Object>();
            context.put("resourceId", "local");
            context.put("resourcePath", resource);
            context.put("httpMethod", exchange.getRequestMethod());
            context.put("extendedRequestId", id);
            context.put("requestTime", now.format(REQUEST_TIME));
            context.put("path", "/" + STAGE + uri.getPath());
            context.put("accountId", "000000000000");
            context.put("protocol", exchange.getProtocol());
            context.put("stage", STAGE);
            context.put("domainPrefix", "local");
            context.put("requestTimeEpoch", now.toInstant().toEpochMilli());
            context.put("requestId", id);
            context.put("identity", identity);
            context.put("domainName", last(headers.get("Host")));
            context.put("apiId", "local");

            var event = new LinkedHashMap<String, Object>();
            event.put("resource", resource);
            event.put("path", uri.getPath());
            event.put("httpMethod", exchange.getRequestMethod());
            event.put("headers", lasts(headers));
            event.put("multiValueHeaders", headers);
            event.put("queryStringParameters", query.isEmpty() ? null : lasts(query));
            event.put("multiValueQueryStringParameters", query.isEmpty() ? null : query);
            event.put("pathParameters", Map.of("workload", workload));
            event.put("stageVariables", null);
            event.put("requestContext", context);
            event.put("body", body.length == 0 ? null : new String(body, UTF_8));
            event.put("isBase64Encoded", false);
            return event;
        }

        private static final DateTimeFormatter REQUEST_TIME =
                DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss Z", Locale.ROOT);

        /** The request's headers and API Gateway's own. The server changes the names' case; this is the usual one. */
        private static Map<String, List<String>> headers(HttpExchange exchange, String id) {
            var headers = new TreeMap<String, List<String>>();
            exchange.getRequestHeaders().forEach((name, values) -> headers.put(usualCase(name), values));
            headers.put("X-Amzn-Trace-Id", List.of("Root=" + Lambda.traceRoot(id)));
            headers.put("X-Forwarded-For", List.of(exchange.getRemoteAddress().getAddress().getHostAddress()));
            headers.put("X-Forwarded-Port", List.of("" + exchange.getLocalAddress().getPort()));
            headers.put("X-Forwarded-Proto", List.of("http"));
            return headers;
        }

        private static String usualCase(String name) {
            var usual = new StringBuilder(name);
            for (int i = 1; i < name.length(); i++) {
                if (name.charAt(i - 1) == '-') usual.setCharAt(i, Character.toUpperCase(name.charAt(i)));
            }
            return usual.toString();
        }

        private static Map<String, List<String>> query(String raw) {
            var query = new LinkedHashMap<String, List<String>>();
            if (raw == null) return query;
            for (String parameter : raw.split("&")) {
                if (parameter.isEmpty()) continue;
                String[] parts = parameter.split("=", 2);
                query.computeIfAbsent(URLDecoder.decode(parts[0], UTF_8), _ -> new ArrayList<>())
                        .add(parts.length == 1 ? "" : URLDecoder.decode(parts[1], UTF_8));
            }
            return query;
        }

        /** Of several values the single-value fields of an event have the last. */
        private static Map<String, String> lasts(Map<String, List<String>> values) {
            var lasts = new LinkedHashMap<String, String>();
            values.forEach((name, all) -> lasts.put(name, last(all)));
            return lasts;
        }

        private static String last(List<String> values) { return values == null ? null : values.getLast(); }

        // ---- The reply

        /** Passes a function's reply on to the caller; one not in the proxy's form is the function's failure. */
        private static void pass(HttpExchange exchange, byte[] payload) throws IOException {
            Reply reply;
            try {
                reply = Reply.of(payload);
            } catch (IllegalArgumentException | IOException malformed) {
                refuse(exchange, 502, "Internal server error");
                return;
            }
            reply.headers.forEach((name, values) -> exchange.getResponseHeaders().put(name, values));
            String contentType = exchange.getResponseHeaders().getFirst("Content-Type");
            Lambda.answer(exchange, reply.status, contentType == null ? "application/json" : contentType, reply.body);
        }

        /** A reply in the form that API Gateway wants of a Lambda proxy; throws when it has another. */
        record Reply(int status, Map<String, List<String>> headers, byte[] body) {
            static Reply of(byte[] payload) throws IOException {
                JsonNode reply = Run.json().readTree(payload);
                JsonNode status = field(reply, "statusCode"), body = field(reply, "body");
                require(status.isIntegralNumber() && status.asInt() >= 200 && status.asInt() <= 599, "statusCode");
                require(body.isTextual() || body.isMissingNode(), "body");
                boolean base64 = field(reply, "isBase64Encoded").asBoolean();
                // REST API joins both fields; where a name is in both, the list has the single value already.
                var headers = new TreeMap<String, List<String>>(String.CASE_INSENSITIVE_ORDER);
                for (var header : members(reply, "headers")) {
                    headers.put(header.getKey(), List.of(text(header.getValue())));
                }
                for (var header : members(reply, "multiValueHeaders")) {
                    require(header.getValue().isArray(), "multiValueHeaders");
                    headers.put(header.getKey(), header.getValue().valueStream().map(Reply::text).toList());
                }
                headers.remove("Content-Length");
                byte[] bytes = base64 ? Base64.getDecoder().decode(body.asText()) : body.asText().getBytes(UTF_8);
                return new Reply(status.asInt(), headers, bytes);
            }

            /** A field; null is as good as missing. */
            private static JsonNode field(JsonNode reply, String name) {
                return reply.path(name).isNull() ? MissingNode.getInstance() : reply.path(name);
            }

            private static Set<Map.Entry<String, JsonNode>> members(JsonNode reply, String name) {
                JsonNode field = field(reply, name);
                require(field.isObject() || field.isMissingNode(), name);
                return field.properties();
            }

            private static String text(JsonNode value) {
                require(value.isValueNode(), "header");
                return value.asText();
            }

            private static void require(boolean condition, String field) {
                if (!condition) throw new IllegalArgumentException("malformed " + field);
            }
        }
    }

    // ==== Records ====

    /** What was measured since it was last taken, oldest first; the oldest go when there are too many. */
    static final class Records<T> {
        private final Function<T, Instant> time;
        private final Deque<T> records = new ArrayDeque<>();
        private long dropped;

        Records(Function<T, Instant> time) { this.time = time; }

        synchronized void add(T record) {
            if (records.size() == MOST_RECORDS) {
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

    /** Reads, once a second, what the functions, the stores, the door and the machine have used. */
    static final class Meter implements Runnable {
        private final Map<String, Lambda> functions;
        private final Stores stores;
        private final Records<Run.Metric> records;
        /** CPU time of each process group there ever was, as last seen: a function's total never falls. */
        private final Map<String, Map<Long, Long>> cpuNs = new HashMap<>();

        Meter(Map<String, Lambda> functions, Stores stores, Records<Run.Metric> records) {
            this.functions = functions;
            this.stores = stores;
            this.records = records;
        }

        @Override public void run() {
            try {
                while (true) {
                    read();
                    Thread.sleep(METRIC_INTERVAL);
                }
            } catch (InterruptedException | ClosedByInterruptException stopped) {
                // The site is closing.
            } catch (IOException unreadable) {
                throw new UncheckedIOException(unreadable);
            }
        }

        private void read() throws IOException {
            var states = new TreeMap<String, Lambda.State>();
            functions.forEach((name, function) -> states.put(name, function.state()));
            var groups = new HashSet<>(Set.of(stores.pid()));
            states.values().forEach(state -> groups.addAll(state.processGroups()));
            var usage = Machine.usage(groups);
            var now = Instant.now();
            states.forEach((name, state) -> {
                var seen = cpuNs.computeIfAbsent(name, _ -> new HashMap<>());
                long memoryBytes = 0;
                for (long group : state.processGroups()) {
                    var used = usage.getOrDefault(group, Machine.Usage.NONE);
                    seen.merge(group, used.cpuNs(), Math::max);
                    memoryBytes += used.memoryBytes();
                    functions.get(name).tellPeak(group, used.peakBytes());
                }
                tell(now, name, "cpuNs", seen.values().stream().mapToLong(Long::longValue).sum());
                tell(now, name, "memoryBytes", memoryBytes);
                tell(now, name, "environments", state.environments());
                tell(now, name, "concurrency", state.concurrency());
                tell(now, name, "throttles", state.throttles());
            });
            tell(now, "stores", usage.getOrDefault(stores.pid(), Machine.Usage.NONE));
            tell(now, "door", Machine.ownUsage());
            var machine = Machine.cpu();
            tell(now, "machine", "cpuNs", machine.usedNs());
            tell(now, "machine", "idleNs", machine.idleNs());
        }

        private void tell(Instant now, String subject, Machine.Usage usage) {
            tell(now, subject, "cpuNs", usage.cpuNs());
            tell(now, subject, "memoryBytes", usage.memoryBytes());
        }

        private void tell(Instant now, String subject, String metric, double value) {
            records.add(new Run.Metric(now, subject, metric, value));
        }
    }
}
