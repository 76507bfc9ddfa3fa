// S3 and DynamoDB on this machine, in memory, in a process of their own.
//
// The functions of a local run put their objects and items here: S3Proxy and DynamoDB Local speak the real protocols
// with the real SDKs. They live in a JVM of their own with a capped heap, so that their garbage collection delays no
// function and no front door. That JVM tells its ports in one line on stdout, and then answers two questions of its
// parent:
//
//     POST /empty            fresh stores, at once, however much was in them
//     GET  /contents?<id>    how many objects and items, whether their ids are the same, and one id's object and item
//
// An object of 36 bytes takes some kilobytes of memory: the stores are to be emptied between cells.
//
// DynamoDB Local may be used only by who has an AWS account in good standing: its licence, LICENSE.txt in its jar, says
// so. Without one, LAMBDA_KIT_DYNAMODB names another server that speaks the protocol, such as dynalite (Apache-2.0):
//
//     npx dynalite@4.0.0 --host 127.0.0.1 --port 4567 --createTableMs 0 --deleteTableMs 0
//     LAMBDA_KIT_DYNAMODB=http://127.0.0.1:4567 ./jbang experiment.java
//
// It took 2.3 ms for an item where DynamoDB Local takes about 1, so runs with different stores are not to be compared.

//DEPS software.amazon.dynamodb:DynamoDBLocal:3.1.0
//DEPS org.gaul:s3proxy:4.1.0
// S3Proxy's two Jacksons need the annotations of the newer one; without them it fails without a word.
//DEPS com.fasterxml.jackson.core:jackson-annotations:2.22
//SOURCES ../Cli.java
//SOURCES ../record/Run.java
//SOURCES ../record/Target.java
//SOURCES ../build/Children.java

import module java.base;
import module java.net.http;
import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.*;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.server.handler.ContextHandler;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.blobstore.BlobStore;
import org.gaul.s3proxy.blobstore.ForwardingBlobStore;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.s3.model.*;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBRequestHandler;
import software.amazon.dynamodb.services.local.server.LocalDynamoDBServerHandler;

import static java.nio.charset.StandardCharsets.UTF_8;

/** The two stores, seen from the process that started them. */
final class Stores implements AutoCloseable {

    // ==== What you may want to change ====

    static final String BUCKET = "kit", TABLE = "kit";
    /** Room for some 200,000 objects, several cells' worth. Items are far smaller, and in SQLite's memory. */
    private static final String HEAP = "-Xmx2g";
    /** One core is one processor to Java, which would then choose the collector that stops everything the longest. */
    private static final String COLLECTOR = "-XX:+UseG1GC";

    /** Names a DynamoDB of the user's own, on this machine; see this file's preface. */
    private static final String OWN_DYNAMODB = "LAMBDA_KIT_DYNAMODB";
    private static final Set<String> THIS_MACHINE = Set.of("127.0.0.1", "localhost", "[::1]");

    /** Where the stores listen, on this machine. */
    record Places(URI s3, URI dynamodb, URI control) {
        static URI of(int port) { return URI.create("http://127.0.0.1:" + port); }
    }

    // ==== The parent's end ====

    private final Process process;
    private final Places places;
    private final Path log;
    private final HttpClient client = HttpClient.newHttpClient();

    private Stores(Process process, Places places, Path log) {
        this.process = process;
        this.places = places;
        this.log = log;
    }

    /**
     * The DynamoDB that this user has named; empty when it is to be DynamoDB Local. Throws a Problem when it is not on
     * this machine: the table of that name is deleted there, and made anew.
     */
    static Optional<URI> ownDynamodb() {
        String named = System.getenv(OWN_DYNAMODB);
        if (named == null || named.isBlank()) return Optional.empty();
        try {
            var uri = new URI(named);
            if ("http".equals(uri.getScheme()) && THIS_MACHINE.contains(String.valueOf(uri.getHost()))) {
                return Optional.of(uri);
            }
        } catch (URISyntaxException refusedBelow) {
            // An address of no form is not on this machine either.
        }
        throw new Cli.Problem(Cli.REFUSED, OWN_DYNAMODB + " is '" + named + "', which is not a server on this machine",
                OWN_DYNAMODB + "=http://127.0.0.1:4567 would be one; without it, it is DynamoDB Local");
    }

    /**
     * Starts the stores and returns once both serve; throws an IOException that names the log when they do not.
     *
     * @param prefix    of the command, such as taskset with its arguments; may be empty
     * @param main      the class whose main calls {@link #serve}, and its arguments; it is on this process's class path
     * @param dynamodb  see {@link #ownDynamodb}
     * @param temporary a directory for the stores' temporary files
     */
    static Stores start(List<String> prefix, List<String> main, Optional<URI> dynamodb, Path temporary, Path log)
            throws IOException {
        var command = new ArrayList<>(prefix);
        command.addAll(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), HEAP, COLLECTOR,
                "-XX:+ExitOnOutOfMemoryError", "--enable-native-access=ALL-UNNAMED", "-Djava.io.tmpdir=" + temporary,
                "-cp", System.getProperty("java.class.path")));
        command.addAll(main);
        dynamodb.ifPresent(uri -> command.add(uri.toString()));
        Process process = Children.builder(command).redirectError(log.toFile()).start();
        String places = process.inputReader().readLine();
        if (places == null) throw new IOException("the stores did not start, see " + log);
        return new Stores(process, Run.json().readValue(places, Places.class), log);
    }

    long pid() { return process.pid(); }

    URI s3() { return places.s3; }

    URI dynamodb() { return places.dynamodb; }

    /** Empties both stores. */
    void empty() throws IOException, InterruptedException {
        ask(HttpRequest.newBuilder(control("/empty")).POST(HttpRequest.BodyPublishers.noBody()));
    }

    /** What is in the stores; with an id (else null) its object and item as well. */
    Target.Contents contents(String id) throws IOException, InterruptedException {
        String query = id == null ? "" : "?" + URLEncoder.encode(id, UTF_8);
        return Run.json().readValue(ask(HttpRequest.newBuilder(control("/contents" + query))), Target.Contents.class);
    }

    private URI control(String path) { return places.control.resolve(path); }

    private String ask(HttpRequest.Builder request) throws IOException, InterruptedException {
        try {
            var response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != 200) throw new IOException("the stores failed: " + response.body());
            return response.body();
        } catch (ConnectException dead) {
            throw new Cli.Problem(Cli.MEASUREMENT_FAILED, "the stores have ended", "their log is " + log, dead);
        }
    }

    /** Kills them: what they have in memory is nothing that anybody wants. */
    @Override public void close() throws InterruptedException {
        client.shutdownNow();
        Children.kill(process);
    }

    // ==== The stores' own process ====

    /** Serves both stores until the process is killed; DynamoDB may be another server's. */
    static void serve(Optional<URI> ownDynamodb) throws Exception {
        // The libraries log to stdout, which is for the places alone.
        PrintStream stdout = System.out;
        System.setOut(System.err);
        ((ch.qos.logback.classic.Logger) LoggerFactory.getLogger("ROOT")).setLevel(ch.qos.logback.classic.Level.WARN);

        var objects = new Bucket();
        var items = new Table(ownDynamodb.isPresent() ? ownDynamodb.get() : Table.dynamodbLocal());
        var control = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        control.createContext("/empty", exchange -> answer(exchange, () -> {
            objects.empty();
            items.empty();
            return new Target.Done();
        }));
        control.createContext("/contents", exchange -> answer(exchange, () -> {
            String id = exchange.getRequestURI().getQuery();
            return new Target.Contents(compare(objects.bytesById(), items.ids()),
                    id == null ? null : objects.text(id), id == null ? null : items.item(id));
        }));
        control.start();
        stdout.println(Run.line(new Places(
                Places.of(objects.port()), items.server, Places.of(control.getAddress().getPort()))));
    }

    /** Objects and items, held against each other. */
    private static Run.Stored compare(Map<String, Long> bytesById, Set<String> itemIds) {
        var bytes = bytesById.values().stream().mapToLong(Long::longValue).summaryStatistics();
        boolean any = bytes.getCount() > 0;
        return new Run.Stored(bytesById.size(), itemIds.size(), bytesById.keySet().equals(itemIds),
                any ? bytes.getMin() : 0, any ? bytes.getMax() : 0);
    }

    private static void answer(HttpExchange exchange, Callable<Object> work) throws IOException {
        byte[] reply;
        int status = 200;
        try {
            reply = Run.json().writeValueAsBytes(work.call());
        } catch (Exception failed) {
            failed.printStackTrace();
            status = 500;
            reply = failed.toString().getBytes(UTF_8);
        }
        try (exchange) {
            exchange.sendResponseHeaders(status, reply.length);
            exchange.getResponseBody().write(reply);
        }
    }

    /** S3Proxy over one bucket in memory; emptying takes another memory. */
    private static final class Bucket {
        private static final String SUFFIX = ".txt";

        private final S3Proxy server;
        private volatile BlobStore memory;

        Bucket() throws Exception {
            empty();
            var current = new ForwardingBlobStore(memory) {
                @Override public BlobStore delegate() { return memory; }
            };
            server = S3Proxy.builder().blobStore(current).endpoint(Places.of(0))
                    .awsAuthentication(AuthenticationType.NONE, null, null).build();
            server.start();
        }

        int port() { return server.getPort(); }

        void empty() {
            var fresh = new TransientNio2BlobStore();
            fresh.createContainer(CreateBucketRequest.builder().bucket(BUCKET).build());
            memory = fresh;
        }

        /** The size of each object by its name without ".txt"; an object of another name is under its whole name. */
        Map<String, Long> bytesById() {
            var all = ListObjectsV2Request.builder().bucket(BUCKET).maxKeys(Integer.MAX_VALUE).build();
            return memory.list(all).contents().stream()
                    .collect(Collectors.toMap(object -> withoutSuffix(object.key()), S3Object::size));
        }

        private static String withoutSuffix(String key) {
            return key.endsWith(SUFFIX) ? key.substring(0, key.length() - SUFFIX.length()) : key;
        }

        /** The object of an id, or null. */
        String text(String id) throws IOException {
            if (!memory.blobExists(BUCKET, id + SUFFIX)) return null;
            try (var object = memory.getBlob(GetObjectRequest.builder().bucket(BUCKET).key(id + SUFFIX).build())) {
                return new String(object.readAllBytes(), UTF_8);
            }
        }
    }

    /** One table of a DynamoDB; emptying drops it and makes it anew. */
    private static final class Table {
        /** DynamoDB Local wants to see a signature, and does not verify it. */
        private static final String AUTHORIZATION = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/"
                + "aws4_request, SignedHeaders=host, Signature=0";
        /** A server may make and delete tables slowly, as AWS's own does; one that takes longer than this hangs. */
        private static final Duration PATIENCE = Duration.ofSeconds(10);
        private static final Duration POLL_EVERY = Duration.ofMillis(20);

        final URI server;
        private final HttpClient client = HttpClient.newHttpClient();

        Table(URI server) throws IOException, InterruptedException {
            this.server = server;
            empty();
        }

        /** Starts DynamoDB Local, all in memory. */
        static URI dynamodbLocal() throws Exception {
            // Its own launcher listens on all interfaces, this one on loopback only. All credentials share a database.
            var server = new Server(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            server.setHandler(new ContextHandler(
                    new LocalDynamoDBServerHandler(new LocalDynamoDBRequestHandler(0, true, null, true, false), null)));
            server.start();
            return Places.of(((ServerConnector) server.getConnectors()[0]).getLocalPort());
        }

        void empty() throws IOException, InterruptedException {
            if (!state().equals("none")) ask("DeleteTable", Map.of("TableName", TABLE));
            waitUntilIs("none");
            create();
            waitUntilIs("ACTIVE");
        }

        /** AWS's name for the table's state, or "none" when there is no such table. */
        private String state() throws IOException, InterruptedException {
            var response = send("DescribeTable", Map.of("TableName", TABLE));
            if (response.body().contains("ResourceNotFoundException")) return "none";
            return answer("DescribeTable", response).at("/Table/TableStatus").asText();
        }

        private void waitUntilIs(String state) throws IOException, InterruptedException {
            var end = Instant.now().plus(PATIENCE);
            while (!state().equals(state)) {
                if (Instant.now().isAfter(end)) throw new IOException("the table is still not " + state);
                Thread.sleep(POLL_EVERY);
            }
        }

        private void create() throws IOException, InterruptedException {
            ask("CreateTable", Map.of("TableName", TABLE, "BillingMode", "PAY_PER_REQUEST",
                    "AttributeDefinitions", List.of(Map.of("AttributeName", "id", "AttributeType", "S")),
                    "KeySchema", List.of(Map.of("AttributeName", "id", "KeyType", "HASH"))));
        }

        Set<String> ids() throws IOException, InterruptedException {
            var ids = new HashSet<String>();
            var scan = new HashMap<String, Object>(Map.of("TableName", TABLE));
            JsonNode last;
            do {
                JsonNode page = ask("Scan", scan);
                page.get("Items").forEach(item -> ids.add(item.get("id").get("S").asText()));
                last = page.get("LastEvaluatedKey");
                scan.put("ExclusiveStartKey", last);
            } while (last != null);
            return ids;
        }

        /** The item of an id, or null. */
        JsonNode item(String id) throws IOException, InterruptedException {
            return ask("GetItem", Map.of("TableName", TABLE, "Key", Map.of("id", Map.of("S", id)))).get("Item");
        }

        private JsonNode ask(String verb, Map<String, Object> request) throws IOException, InterruptedException {
            return answer(verb, send(verb, request));
        }

        private HttpResponse<String> send(String verb, Map<String, Object> request)
                throws IOException, InterruptedException {
            var http = HttpRequest.newBuilder(server).header("Authorization", AUTHORIZATION)
                    .header("X-Amz-Date", "20260101T000000Z")
                    .header("Content-Type", "application/x-amz-json-1.0")
                    .header("X-Amz-Target", "DynamoDB_20120810." + verb)
                    .POST(HttpRequest.BodyPublishers.ofByteArray(Run.json().writeValueAsBytes(request)));
            return client.send(http.build(), HttpResponse.BodyHandlers.ofString());
        }

        private static JsonNode answer(String verb, HttpResponse<String> response) throws IOException {
            if (response.statusCode() != 200) throw new IOException(verb + " was answered with " + response.body());
            return Run.json().readTree(response.body());
        }
    }
}
