// The stand-in for AWS that tests deploy to, and a proxy in front of it that makes calls fail as AWS's do.
//
// Behind is ministack with test/aws/standin.py's additions, on loopback, in Python packages that are installed once into the
// user's cache. It dies with the test, as its stdin ends then. Nothing it says of Managed Instances is AWS's behaviour.

import module java.base;
import module java.net.http;
import com.sun.net.httpserver.*;

/** A stand-in for AWS on 127.0.0.1, with faults. */
final class StandIn implements AutoCloseable {
    private static final Path FOLDER = Path.of("test/aws");
    private static final Duration START_LIMIT = Duration.ofSeconds(60);

    private final Process process;
    private final HttpServer proxy;
    private final int port;
    private final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final List<Fault> faults = new CopyOnWriteArrayList<>();
    private final List<String> calls = new CopyOnWriteArrayList<>();
    private final Set<String> keys = ConcurrentHashMap.newKeySet();

    StandIn() throws IOException, InterruptedException {
        port = freePort();
        process = new ProcessBuilder(python().toString(), FOLDER.resolve("standin.py").toString(), String.valueOf(port))
                .redirectError(ProcessBuilder.Redirect.INHERIT).redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
        proxy = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 64);
        proxy.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        proxy.createContext("/", this::answer);
        proxy.start();
        for (Instant giveUp = Instant.now().plus(START_LIMIT); ; Thread.sleep(100)) {
            try {
                holdSomething();
                return;
            } catch (IOException notYet) {
                if (!process.isAlive() || Instant.now().isAfter(giveUp)) throw new IOException("the stand-in did not start",
                        notYet);
            }
        }
    }

    /** Python with the packages of test/aws/requirements.txt, installed into the user's cache when it is not there yet. */
    static Path python() throws IOException, InterruptedException {
        byte[] requirements = Files.readAllBytes(FOLDER.resolve("requirements.txt"));
        String cache = System.getenv().getOrDefault("XDG_CACHE_HOME", System.getProperty("user.home") + "/.cache");
        Path home = Path.of(cache, "lambda-kit", "stand-in-" + Integer.toHexString(Arrays.hashCode(requirements)));
        if (!Files.exists(home.resolve("complete"))) {
            run("python3", "-m", "venv", "--clear", home.toString());
            run(home.resolve("bin/pip").toString(), "install", "--quiet", "--disable-pip-version-check",
                    "--require-hashes", "-r", FOLDER.resolve("requirements.txt").toString());
            Files.createFile(home.resolve("complete"));
        }
        return home.resolve("bin/python");
    }

    private static void run(String... command) throws IOException, InterruptedException {
        if (new ProcessBuilder(command).inheritIO().start()
                .waitFor() != 0) throw new IOException("failed: " + String.join(" ", command));
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) { return socket.getLocalPort(); }
    }

    String url() { return "http://127.0.0.1:" + proxy.getAddress().getPort(); }

    /** What is somebody else's, of kinds that the kit makes and removes. */
    private void holdSomething() throws IOException, InterruptedException {
        send("PUT", "/somebody-elses", "");
        send("PUT", "/somebody-elses/object", "hers");
        inside("{\"log_group\": \"/aws/lambda/somebody-elses\"}");
    }

    /** All that the account holds, by kind. */
    String holdings() throws IOException, InterruptedException { return send("GET", "/holdings", ""); }

    /** Faults inside CloudFormation; see standin.py. */
    void inside(String json) throws IOException, InterruptedException { send("POST", "/faults", json); }

    /** Puts an object and an item into a stack's stores, without the seconds that a function takes to start. */
    void store(String stackName, String id) throws IOException, InterruptedException {
        String held = holdings();
        send("PUT", "/" + found(stackName + "-bucket-\\w+", held) + "/" + id + ".txt", id);
        send("POST", "/", """
                {"TableName": "%s", "Item": {"id": {"S": "%s"}}}""".formatted(found(stackName + "-Table-\\w+", held), id),
                "X-Amz-Target", "DynamoDB_20120810.PutItem");
    }

    private static String found(String name, String in) {
        return Pattern.compile(name).matcher(in).results().findFirst().orElseThrow().group();
    }

    /** A request past the proxy, where no fault meets it and nobody counts it. */
    String send(String method, String path, String body, String... headers) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) request.headers(headers);
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString()).body();
    }

    // ==== Faults ====

    /** How a call fails. */
    sealed interface Kind {
        /** The service answers with an error. */
        record Refuse(int status, String code, String message) implements Kind {}
        /** The connection ends without a reply, before the call is carried out. */
        record Drop() implements Kind {}
        /** The call is carried out and the connection ends without a reply. */
        record LoseReply() implements Kind {}
        /** Nothing happens for so long. */
        record Hang(Duration time) implements Kind {}
        /** The service answers something else. */
        record Say(String body) implements Kind {}
        /** Something happens in the world before the call, or after it; if it throws, the connection ends there. */
        record Meanwhile(boolean before, Runnable what) implements Kind {}
    }

    private record Fault(String calls, Kind kind, AtomicInteger times) {}

    static final Kind THROTTLE = new Kind.Refuse(400, "ThrottlingException", "Rate exceeded"),
            DENY = new Kind.Refuse(403, "AccessDeniedException", "User: arn:aws:iam::123456789012:user/me is not authorized to perform: this"),
            EXPIRE = new Kind.Refuse(403, "ExpiredTokenException", "The security token included in the request is expired"),
            BROKEN = new Kind.Refuse(500, "InternalFailure", "We encountered an internal error");

    /** Makes calls whose name matches the expression fail, so often. */
    StandIn fail(String calls, Kind kind, int times) {
        faults.add(new Fault(calls, kind, new AtomicInteger(times)));
        return this;
    }

    void heal() throws IOException, InterruptedException {
        faults.clear();
        calls.clear();
        keys.clear();
        inside("{}");
    }

    /** The calls that were made since the last healing, in order. */
    List<String> calls() { return List.copyOf(calls); }

    /** The API keys that came with requests to functions since then. */
    Set<String> keys() { return Set.copyOf(keys); }

    private Optional<Kind> faultOf(String call) {
        return faults.stream().filter(fault -> call.matches(fault.calls()) && fault.times().getAndDecrement() > 0)
                .map(Fault::kind).findFirst();
    }

    // ==== The proxy ====

    private void answer(HttpExchange exchange) throws IOException {
        byte[] body = exchange.getRequestBody().readAllBytes();
        String call = nameOf(exchange, body);
        calls.add(call);
        Optional.ofNullable(exchange.getRequestHeaders().getFirst("x-api-key")).ifPresent(keys::add);
        try (exchange) {
            switch (faultOf(call).orElse(null)) {
                case null -> reply(exchange, forward(exchange, body));
                case Kind.Refuse(var status, var code, var message) -> refuse(exchange, status, code, message);
                case Kind.Drop() -> { }
                case Kind.LoseReply() -> forward(exchange, body);
                case Kind.Hang(var time) -> Thread.sleep(time);
                case Kind.Say(var text) -> {
                    exchange.getResponseHeaders().set("Content-Type", "application/x-amz-json-1.1");
                    exchange.sendResponseHeaders(200, text.length());
                    exchange.getResponseBody().write(text.getBytes(StandardCharsets.UTF_8));
                }
                case Kind.Meanwhile(var before, var what) -> {
                    if (before) what.run();
                    var reply = forward(exchange, body);
                    if (!before) what.run();
                    reply(exchange, reply);
                }
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private HttpResponse<byte[]> forward(HttpExchange exchange, byte[] body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + exchange.getRequestURI()))
                .method(exchange.getRequestMethod(), HttpRequest.BodyPublishers.ofByteArray(body));
        exchange.getRequestHeaders().forEach((name, values) -> {
            if (!Set.of("host", "content-length", "connection", "expect", "upgrade", "transfer-encoding")
                    .contains(name.toLowerCase(Locale.ROOT)))
                values.forEach(value -> request.header(name, value));
        });
        return client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    }

    private static void reply(HttpExchange exchange, HttpResponse<byte[]> reply) throws IOException {
        reply.headers().map().forEach((name, values) -> {
            if (!Set.of("content-length", "connection", "transfer-encoding").contains(name.toLowerCase(Locale.ROOT)))
                values.forEach(value -> exchange.getResponseHeaders().add(name, value));
        });
        boolean head = exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(reply.statusCode(), head || reply.body().length == 0 ? -1 : reply.body().length);
        if (!head && reply.body().length > 0) exchange.getResponseBody().write(reply.body());
    }

    /** In the form of the service that was asked: JSON, or XML in the two ways that it is written. */
    private static void refuse(HttpExchange exchange, int status, String code, String message) throws IOException {
        String type = Objects.toString(exchange.getRequestHeaders().getFirst("Content-Type"), "");
        String target = exchange.getRequestHeaders().getFirst("X-Amz-Target"), path = exchange.getRequestURI().getPath();
        boolean json = target != null || path.matches("/20\\d\\d-.*|/apikeys/.*|/schedules/.*"), s3 = !json && !type.contains("form");
        // S3 has its own way to say so, and to a HEAD the status says all.
        if (s3 && code.equals("ThrottlingException")) status = 503;
        String body = json ? "{\"__type\":\"%s\",\"message\":\"%s\"}".formatted(code, message)
                : s3 ? "<Error><Code>%s</Code><Message>%s</Message></Error>".formatted(code, message)
                : "<ErrorResponse><Error><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>"
                        .formatted(code, message);
        if (json) exchange.getResponseHeaders().set("x-amzn-ErrorType", code);
        exchange.getResponseHeaders().set("Content-Type", json ? "application/json" : "text/xml");
        boolean head = exchange.getRequestMethod().equals("HEAD");
        exchange.sendResponseHeaders(status, head ? -1 : body.length());
        if (!head) exchange.getResponseBody().write(body.getBytes(StandardCharsets.UTF_8));
    }

    /** The API's name of a call, by whichever of AWS's protocols it comes. */
    private static String nameOf(HttpExchange exchange, byte[] body) {
        String target = exchange.getRequestHeaders().getFirst("X-Amz-Target");
        if (target != null) return target.substring(target.indexOf('.') + 1);
        String method = exchange.getRequestMethod(), path = exchange.getRequestURI().getPath(),
                query = Objects.toString(exchange.getRequestURI().getQuery(), "");
        var action = Pattern.compile("(?:^|&)Action=(\\w+)").matcher(new String(body, StandardCharsets.UTF_8));
        if (path.equals("/") && action.find()) return action.group(1);
        if (path.contains("/operation/")) return path.substring(path.lastIndexOf('/') + 1);
        if (path.contains("/_user_request_/")) return "Request";
        if (path.startsWith("/apikeys/")) return "GetApiKey";
        if (path.startsWith("/schedules/")) return method.equals("GET") ? "GetSchedule" : "UpdateSchedule";
        if (path.contains("/capacity-providers")) return "ListCapacityProviders";
        if (path.contains("/account-settings")) return "GetAccountSettings";
        if (path.endsWith("/configuration")) return method.equals("GET") ? "GetFunctionConfiguration" : "UpdateFunctionConfiguration";
        if (path.endsWith("/versions") && method.equals("POST")) return "PublishVersion";
        boolean bucket = path.lastIndexOf('/') == 0 || path.endsWith("/");
        return switch (method) {
            case "PUT" -> bucket ? "CreateBucket" : "PutObject";
            case "HEAD" -> "HeadBucket";
            case "DELETE" -> "DeleteBucket";
            case "POST" -> "DeleteObjects";
            default -> query.contains("versions") ? "ListObjectVersions" : bucket ? "ListObjectsV2" : "GetObject";
        };
    }

    @Override public void close() throws IOException {
        proxy.stop(0);
        process.getOutputStream().close();
        client.close();
    }
}
