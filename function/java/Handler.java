//JAVA 25
//DEPS com.amazonaws:aws-lambda-java-core:1.4.0
//DEPS com.amazonaws:aws-lambda-java-events:3.16.1
//DEPS com.fasterxml.jackson.jr:jackson-jr-objects:2.21.2
//DEPS software.amazon.awssdk:dynamodb:2.40.2
//DEPS software.amazon.awssdk:s3:2.40.2
//DEPS software.amazon.awssdk:url-connection-client:2.40.2

// The measured function in Java. The contract that it keeps, word for word, is ../README.md.

import module java.base;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.amazonaws.services.lambda.runtime.Context;
import com.amazonaws.services.lambda.runtime.RequestHandler;
import com.amazonaws.services.lambda.runtime.events.APIGatewayProxyRequestEvent;
import com.amazonaws.services.lambda.runtime.events.APIGatewayProxyResponseEvent;
import com.fasterxml.jackson.jr.ob.JSON;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.client.builder.AwsSyncClientBuilder;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.interceptor.Context.ModifyHttpRequest;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.core.retry.RetryMode;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.s3.S3Client;

public final class Handler implements RequestHandler<APIGatewayProxyRequestEvent, APIGatewayProxyResponseEvent> {

    final String variant = required("KIT_VARIANT");
    final String bucket = required("KIT_BUCKET");
    final String table = required("KIT_TABLE");
    final int memoryMb = Integer.parseInt(required("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"));
    final int concurrency = Integer.parseInt(System.getenv().getOrDefault("AWS_LAMBDA_MAX_CONCURRENCY", "1"));
    final String environment = required("AWS_LAMBDA_LOG_STREAM_NAME");
    final OperatingSystemMXBean system = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);
    final AtomicBoolean answered = new AtomicBoolean();
    final S3Client s3;
    final DynamoDbClient dynamodb;

    public Handler() {
        // The JDK keeps only five idle connections to a host unless told otherwise, and would open the rest anew.
        System.setProperty("http.maxConnections", String.valueOf(concurrency));
        s3 = configured(S3Client.builder())
                .forcePathStyle(true)
                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                .serviceConfiguration(options -> options.chunkedEncodingEnabled(false))
                .build();
        dynamodb = configured(DynamoDbClient.builder()).build();
    }

    static <B extends AwsClientBuilder<B, ?> & AwsSyncClientBuilder<B, ?>> B configured(B client) {
        return client
                .httpClientBuilder(UrlConnectionHttpClient.builder()
                        .connectionTimeout(Duration.ofSeconds(1))
                        .socketTimeout(Duration.ofSeconds(5)))
                .overrideConfiguration(options -> options
                        .retryStrategy(RetryMode.STANDARD)
                        .addExecutionInterceptor(new WithoutExpect()));
    }

    /** "Expect: 100-continue" would cost a round trip, to ask whether 36 bytes are welcome. */
    static final class WithoutExpect implements ExecutionInterceptor {
        @Override
        public SdkHttpRequest modifyHttpRequest(ModifyHttpRequest context, ExecutionAttributes attributes) {
            return context.httpRequest().toBuilder().removeHeader("Expect").build();
        }
    }

    static String required(String name) {
        return Objects.requireNonNull(System.getenv(name), name);
    }

    static final class Refusal extends RuntimeException {
        final int status;
        final String code;

        Refusal(int status, String code, String message) {
            super(message);
            this.status = status;
            this.code = code;
        }
    }

    @Override
    public APIGatewayProxyResponseEvent handleRequest(APIGatewayProxyRequestEvent event, Context context) {
        try {
            return reply(200, route(event));
        } catch (Refusal refusal) {
            return reply(refusal.status, error(refusal.code, refusal.getMessage()));
        } catch (Exception failure) {
            failure.printStackTrace();
            return reply(500, error("internal", "unexpected failure, see the function's log"));
        }
    }

    Map<String, Object> route(APIGatewayProxyRequestEvent event) throws Exception {
        if (!event.getHttpMethod().equals("GET")) throw new Refusal(405, "method_not_allowed", "only GET is served");
        var path = Objects.requireNonNullElse(event.getPathParameters(), Map.<String, String>of());
        var query = Objects.requireNonNullElse(event.getQueryStringParameters(), Map.<String, String>of());
        return switch (path.getOrDefault("workload", "")) {
            case "hello" -> hello();
            case "io" -> io(integer(query, "delay_ms", 0, 15_000));
            case "cpu" -> cpu(text(query, "seed", 256), integer(query, "hash_loops", 1, 1_000_000));
            case "mixed" -> mixed(
                    integer(query, "delay_ms", 0, 15_000),
                    text(query, "seed", 256), integer(query, "hash_loops", 1, 1_000_000));
            case "store" -> store();
            case "health" -> health();
            default -> throw new Refusal(404, "not_found", "the workloads are hello, io, cpu, mixed, store and health");
        };
    }

    Map<String, Object> hello() {
        return fields("message", "hello");
    }

    Map<String, Object> io(int delayMs) throws InterruptedException {
        Thread.sleep(delayMs);
        return fields("delayMs", delayMs);
    }

    Map<String, Object> cpu(String seed, int hashLoops) throws NoSuchAlgorithmException {
        var sha256 = MessageDigest.getInstance("SHA-256");
        var digest = sha256.digest(seed.getBytes(UTF_8));
        for (int i = 0; i < hashLoops; i++) digest = sha256.digest(digest);
        return fields("seed", seed, "hashLoops", hashLoops, "digest", HexFormat.of().formatHex(digest));
    }

    Map<String, Object> mixed(int delayMs, String seed, int hashLoops) throws Exception {
        var answer = io(delayMs);
        answer.putAll(cpu(seed, hashLoops));
        return answer;
    }

    Map<String, Object> store() throws NoSuchAlgorithmException {
        var id = UUID.randomUUID().toString();
        putObject(id);
        putItem(id);
        var digest = MessageDigest.getInstance("SHA-256").digest(id.getBytes(UTF_8));
        return fields("id", id, "digest", HexFormat.of().formatHex(digest));
    }

    Map<String, Object> health() {
        var architecture = System.getProperty("os.arch");
        return fields(
                "language", "java",
                "runtime", "java " + System.getProperty("java.version"),
                "memoryMb", memoryMb,
                "architecture", switch (architecture) {
                    case "aarch64" -> "arm64";
                    case "amd64" -> "x86_64";
                    default -> architecture;
                },
                "concurrency", concurrency);
    }

    void putObject(String id) {
        try {
            s3.putObject(
                    put -> put.bucket(bucket).key(id + ".txt").contentType("text/plain"), RequestBody.fromString(id));
        } catch (Exception failure) {
            failure.printStackTrace();
            throw new Refusal(502, "s3_failed", "S3 did not store the object");
        }
    }

    void putItem(String id) {
        try {
            dynamodb.putItem(put -> put.tableName(table).item(Map.of("id", AttributeValue.fromS(id))));
        } catch (Exception failure) {
            failure.printStackTrace();
            throw new Refusal(502, "dynamodb_failed", "DynamoDB did not store the item");
        }
    }

    static int integer(Map<String, String> query, String name, int least, int most) {
        var digits = query.getOrDefault(name, "");
        if (digits.matches("[0-9]{1,8}")) {
            int value = Integer.parseInt(digits);
            if (least <= value && value <= most) return value;
        }
        throw new Refusal(400, "bad_request", "%s must be an integer from %d to %d".formatted(name, least, most));
    }

    static String text(Map<String, String> query, String name, int most) {
        var value = query.getOrDefault(name, "");
        int characters = value.codePointCount(0, value.length());
        if (1 <= characters && characters <= most) return value;
        throw new Refusal(400, "bad_request", "%s must have 1 to %d characters".formatted(name, most));
    }

    APIGatewayProxyResponseEvent reply(int status, Map<String, Object> answer) {
        try {
            answer.putAll(fields(
                    "variant", variant,
                    "environment", environment,
                    "cold", firstAnswer(),
                    "pid", ProcessHandle.current().pid(),
                    "cpuNs", system.getProcessCpuTime()));
            return new APIGatewayProxyResponseEvent()
                    .withStatusCode(status)
                    .withHeaders(Map.of("content-type", "application/json"))
                    .withBody(JSON.std.asString(answer));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    /** Whether this is the environment's first: it need not be this process's, as the marker outlives it. */
    boolean firstAnswer() throws IOException {
        if (answered.get() || answered.getAndSet(true)) return false;
        var marker = "answered-" + environment.replaceAll("[^A-Za-z0-9]", "_");
        try {
            Files.createFile(Path.of(System.getProperty("java.io.tmpdir"), marker));
            return true;
        } catch (FileAlreadyExistsException earlier) {
            return false;
        }
    }

    static Map<String, Object> error(String code, String message) {
        return fields("error", fields("code", code, "message", message));
    }

    /** A map that keeps the order of its pairs, name then value. */
    static Map<String, Object> fields(Object... pairs) {
        var fields = new LinkedHashMap<String, Object>();
        for (int i = 0; i < pairs.length; i += 2) fields.put((String) pairs[i], pairs[i + 1]);
        return fields;
    }
}
