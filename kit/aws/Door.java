// The one door to AWS: every call that the kit makes goes through call().
//
// A call that fails in passing (throttled, a 5xx, no network, no reply) is made again after a pause that grows, for
// minutes: a stack that was being made costs money while nobody watches it, so giving up is the dearer mistake. A call
// that is refused for good (no right, no valid credentials) ends at once, as one line that names the call. What else a
// service answers, such as "does not exist", goes to the caller, who knows what it means.
//
// Credentials, region and AWS_ENDPOINT_URL are the SDK's to find, as in every AWS tool. EC2 is asked by signed plain HTTP,
// as its client is by far the largest of all and two look-ups are needed here.

//DEPS software.amazon.awssdk:bom:2.40.2@pom
//DEPS software.amazon.awssdk:apigateway software.amazon.awssdk:cloudformation software.amazon.awssdk:cloudwatch
//DEPS software.amazon.awssdk:cloudwatchlogs software.amazon.awssdk:dynamodb software.amazon.awssdk:lambda
//DEPS software.amazon.awssdk:pricing software.amazon.awssdk:s3 software.amazon.awssdk:scheduler software.amazon.awssdk:servicequotas
//DEPS software.amazon.awssdk:sts
//DEPS software.amazon.awssdk:sso software.amazon.awssdk:ssooidc software.amazon.awssdk:url-connection-client
//DEPS org.slf4j:slf4j-nop:1.7.36
//SOURCES ../Cli.java

import module java.base;
import software.amazon.awssdk.auth.credentials.*;
import software.amazon.awssdk.awscore.client.builder.*;
import software.amazon.awssdk.awscore.exception.*;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.exception.*;
import software.amazon.awssdk.http.*;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.regions.providers.DefaultAwsRegionProviderChain;
import software.amazon.awssdk.services.apigateway.ApiGatewayClient;
import software.amazon.awssdk.services.cloudformation.CloudFormationClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.pricing.PricingClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.scheduler.SchedulerClient;
import software.amazon.awssdk.services.servicequotas.ServiceQuotasClient;
import software.amazon.awssdk.services.sts.StsClient;

/** AWS's clients for one region, and {@link #call}, through which all of them are used. Safe for several threads. */
final class Door {
    /** How long failing networks and throttles are outlived: longer than a router's restart or AWS's usual throttles. */
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(500), LONGEST_PAUSE = Duration.ofSeconds(20);
    /** Shorter troubles are nobody's business. */
    private static final Duration TELL_FROM = FIRST_PAUSE.multipliedBy(8);
    private static final String NO_CREDENTIALS = "no AWS credentials were found";
    /** The price list is answered for every region by a few; this one always has it. */
    private static final Region PRICE_LIST = Region.US_EAST_1;

    /** What time is and how it passes; tests let minutes pass in milliseconds. */
    record World(InstantSource clock, Sleep sleep, Duration callTimeout) {
        interface Sleep { void sleep(Duration duration) throws InterruptedException; }

        /** A reply that has not come within a minute will not come: the longest calls here take seconds. */
        static final World REAL = new World(InstantSource.system(), Thread::sleep, Duration.ofSeconds(60));

        Instant now() { return clock.instant(); }
    }

    /** Why a call was given up. */
    enum Reason { DENIED, CREDENTIALS, UNREACHABLE, REFUSED }

    /** A call that was given up, in one line. */
    static final class Fault extends RuntimeException {
        final Reason reason;

        Fault(Reason reason, String message, Throwable cause) {
            super(message, cause);
            this.reason = reason;
        }
    }

    final World world;
    final String region;
    private final AwsCredentialsProvider credentials = DefaultCredentialsProvider.builder().build();
    private final SdkHttpClient http;
    private final Map<Class<?>, Object> clients = new ConcurrentHashMap<>();

    /**
     * A door in the configured region; a {@link Cli.Problem} with exit code 2 when none is configured, or one that does not
     * exist. Makes no call.
     */
    static Door configured(World world) {
        try {
            var door = new Door(world, new DefaultAwsRegionProviderChain().getRegion().id());
            if (!door.isInARegion()) throw new Cli.Problem(Cli.REFUSED, "there is no AWS region '" + door.region + "'",
                    "AWS_REGION, or region in ~/.aws/config, is a name such as us-east-1 or eu-central-1");
            return door;
        } catch (SdkClientException none) {
            throw new Cli.Problem(Cli.REFUSED, "no AWS region is configured",
                    "set AWS_REGION, or region in ~/.aws/config", none);
        }
    }

    Door(World world, String region) {
        this.world = world;
        this.region = region;
        http = UrlConnectionHttpClient.builder().connectionTimeout(world.callTimeout())
                .socketTimeout(world.callTimeout()).build();
    }

    /** A name that does not resolve would look like a network that is away, and be waited for. */
    private boolean isInARegion() {
        // A region younger than this SDK has a name that resolves; a stand-in calls itself as it likes.
        if (endpoint().isPresent() || Region.regions().contains(Region.of(region))) return true;
        try {
            return InetAddress.getByName("sts." + region + ".amazonaws.com") != null;
        } catch (UnknownHostException none) {
            return false;
        }
    }

    // ==== The door ====

    /** Makes the call until it succeeds or there is no hope; a {@link Fault} or the service's own exception otherwise. */
    <T> T call(String action, Supplier<T> call) throws InterruptedException { return call(action, PATIENCE, call); }

    /** The same with another patience, for what a run can do without. */
    <T> T call(String action, Duration patience, Supplier<T> call) throws InterruptedException {
        Instant giveUp = world.now().plus(patience);
        for (Duration pause = FIRST_PAUSE; ; pause = shorter(pause.multipliedBy(2), LONGEST_PAUSE)) {
            try {
                return call.get();
            } catch (SdkException failure) {
                if (!passes(failure)) throw hopeless(action, failure);
                if (world.now().plus(pause).isAfter(giveUp)) {
                    String given = "AWS did not answer " + action + " for " + Cli.spoken(patience) + ": " + line(failure);
                    throw new Fault(Reason.UNREACHABLE, given, failure);
                }
                if (pause.equals(TELL_FROM)) Cli.warn("%s does not get through, tries again for up to %s: %s"
                        .formatted(action, Cli.spoken(patience), line(failure)));
                world.sleep().sleep(pause);
            }
        }
    }

    private static boolean passes(SdkException failure) {
        return switch (failure) {
            case AwsServiceException answered -> answered.isThrottlingException() || answered.statusCode() >= 500
                    || code(answered).matches("Throttl.*|TooManyRequests.*|SlowDown");
            case SdkClientException lost -> !withoutCredentials(lost);
            default -> false;
        };
    }

    // Services name a refusal differently: AccessDenied and AccessDeniedException, ExpiredToken and ExpiredTokenException.
    private static RuntimeException hopeless(String action, SdkException failure) {
        if (!(failure instanceof AwsServiceException answered)) return new Fault(Reason.CREDENTIALS, NO_CREDENTIALS, failure);
        String code = code(answered);
        if (code.matches("AccessDenied.*|Unauthorized.*|Forbidden.*|NotAuthorized.*")) {
            return new Fault(Reason.DENIED, "not allowed: " + action + ": " + line(failure), failure);
        }
        if (code.startsWith("ExpiredToken") || code.startsWith("RequestExpired")) {
            return new Fault(Reason.CREDENTIALS, "the AWS credentials have expired: " + code + " at " + action, failure);
        }
        if (code.matches("InvalidClientTokenId.*|UnrecognizedClient.*|InvalidAccessKeyId.*|SignatureDoesNotMatch.*|"
                + "AuthFailure.*|InvalidSignature.*|IncompleteSignature.*|InvalidToken.*|RequestTimeTooSkewed.*")) {
            return new Fault(Reason.CREDENTIALS, "the AWS credentials are invalid: " + code + " at " + action, failure);
        }
        return failure;
    }

    /** What AWS said, in one line and without account numbers. */
    static String line(Throwable failure) {
        String said = failure instanceof AwsServiceException answered && answered.awsErrorDetails() != null
                ? code(answered) + ": " + answered.awsErrorDetails().errorMessage() : String.valueOf(failure.getMessage());
        return withoutAccount(said.lines().findFirst().orElse(""));
    }

    /** AWS's sentences are full of ARNs, and an account's number is nobody else's business. */
    static String withoutAccount(String said) { return said.replaceAll("\\b\\d{12}\\b", "<account>"); }

    static String code(AwsServiceException answered) {
        String code = answered.awsErrorDetails() == null ? null : answered.awsErrorDetails().errorCode();
        return code != null ? code : answered.statusCode() == 403 ? "AccessDenied" : "HTTP " + answered.statusCode();
    }

    private static boolean withoutCredentials(RuntimeException failure) {
        return String.valueOf(failure.getMessage()).startsWith("Unable to load credentials");
    }

    private static Duration shorter(Duration a, Duration b) { return a.compareTo(b) < 0 ? a : b; }

    // ==== Credentials ====

    /** When the credentials end for good: empty where they do not, where the provider renews them, or where nobody knows. */
    Optional<Instant> credentialsEnd() {
        boolean fromEnvironment = resolve().accessKeyId().equals(System.getenv("AWS_ACCESS_KEY_ID"));
        String told = System.getenv("AWS_CREDENTIAL_EXPIRATION");
        try {
            return fromEnvironment && told != null ? Optional.of(OffsetDateTime.parse(told).toInstant()) : Optional.empty();
        } catch (DateTimeParseException garbage) {
            throw new Fault(Reason.CREDENTIALS, "AWS_CREDENTIAL_EXPIRATION is not a time", garbage);
        }
    }

    /** Whether they are temporary ones that nothing renews, with an end that nobody knows. */
    boolean credentialsMayEnd() {
        var identity = resolve();
        return identity instanceof AwsSessionCredentials && identity.expirationTime().isEmpty() && credentialsEnd().isEmpty();
    }

    /** The credentials, from whichever provider has them; a {@link Fault} when none has. */
    AwsCredentials resolve() {
        AwsCredentials found;
        try {
            found = credentials.resolveCredentials();
        } catch (RuntimeException none) {
            // A profile that is not there or an SSO session that is over: each provider has exceptions of its own.
            String why = withoutCredentials(none) ? NO_CREDENTIALS : "the AWS credentials cannot be had: " + line(none);
            throw new Fault(Reason.CREDENTIALS, why, none);
        }
        // Such characters cannot be sent, which would look like a network that is away.
        String token = found instanceof AwsSessionCredentials session ? session.sessionToken() : "";
        if (!(found.accessKeyId() + found.secretAccessKey() + token).matches("[\\x21-\\x7e]+"))
            throw new Fault(Reason.CREDENTIALS, "the AWS credentials hold characters that no key has", null);
        return found;
    }

    // ==== Clients ====

    ApiGatewayClient apiGateway() { return client(ApiGatewayClient.class, ApiGatewayClient::builder); }
    CloudFormationClient cloudFormation() { return client(CloudFormationClient.class, CloudFormationClient::builder); }
    CloudWatchClient cloudWatch() { return client(CloudWatchClient.class, CloudWatchClient::builder); }
    CloudWatchLogsClient logs() { return client(CloudWatchLogsClient.class, CloudWatchLogsClient::builder); }
    DynamoDbClient dynamoDb() { return client(DynamoDbClient.class, DynamoDbClient::builder); }
    LambdaClient lambda() { return client(LambdaClient.class, LambdaClient::builder); }
    SchedulerClient scheduler() { return client(SchedulerClient.class, SchedulerClient::builder); }
    ServiceQuotasClient quotas() { return client(ServiceQuotasClient.class, ServiceQuotasClient::builder); }
    StsClient sts() { return client(StsClient.class, StsClient::builder); }

    /** A stand-in has no host name for every bucket. */
    S3Client s3() { return client(S3Client.class, () -> S3Client.builder().forcePathStyle(endpoint().isPresent())); }

    PricingClient pricing() { return client(PricingClient.class, PricingClient::builder, PRICE_LIST); }

    private <B extends AwsClientBuilder<B, C> & AwsSyncClientBuilder<B, C>, C> C client(Class<C> type, Supplier<B> builder) {
        return client(type, builder, Region.of(region));
    }

    /** Without the SDK's own retries, of which it is too fond or not fond enough: call() makes them. */
    private <B extends AwsClientBuilder<B, C> & AwsSyncClientBuilder<B, C>, C> C client(Class<C> type, Supplier<B> builder,
                                                                                       Region region) {
        return type.cast(clients.computeIfAbsent(type, _ -> builder.get()
                .region(region).credentialsProvider(credentials).httpClient(http)
                .overrideConfiguration(it -> it.retryStrategy(AwsRetryStrategy.doNotRetry())
                        .apiCallTimeout(world.callTimeout()))
                .build()));
    }

    /** Where AWS is played by something else. */
    Optional<String> endpoint() {
        return Optional.ofNullable(System.getProperty("aws.endpointUrl", System.getenv("AWS_ENDPOINT_URL")))
                .map(url -> url.replaceFirst("/+$", ""));
    }

    // ==== EC2 by plain HTTP ====

    /** The text of every element of that name in the reply of an EC2 Query call. */
    List<String> ec2(String action, String element, Map<String, String> parameters) throws InterruptedException {
        var form = new TreeMap<>(parameters);
        form.putAll(Map.of("Action", action, "Version", "2016-11-15"));
        String body = form.entrySet().stream()
                .map(it -> it.getKey() + "=" + URLEncoder.encode(it.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        String address = Optional.ofNullable(System.getenv("AWS_ENDPOINT_URL_EC2")).or(this::endpoint)
                .orElse("https://ec2." + region + ".amazonaws.com");
        return values(call("ec2:" + action, () -> post(URI.create(address + "/"), body)), element);
    }

    private String post(URI address, String body) {
        var content = ContentStreamProvider.fromUtf8String(body);
        var unsigned = SdkHttpRequest.builder().method(SdkHttpMethod.POST).uri(address)
                .putHeader("Content-Type", "application/x-www-form-urlencoded; charset=utf-8").build();
        var signed = AwsV4HttpSigner.create().sign(it -> it.identity(resolve()).request(unsigned).payload(content)
                .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "ec2").putProperty(AwsV4HttpSigner.REGION_NAME, region));
        try {
            var answered = http.prepareRequest(HttpExecuteRequest.builder().request(signed.request())
                    .contentStreamProvider(signed.payload().orElse(content)).build()).call();
            String reply = new String(answered.responseBody().orElseThrow().readAllBytes(), StandardCharsets.UTF_8);
            if (answered.httpResponse().isSuccessful()) return reply;
            var details = AwsErrorDetails.builder().errorCode(String.join("", values(reply, "Code")))
                    .errorMessage(String.join("", values(reply, "Message"))).build();
            throw AwsServiceException.builder().statusCode(answered.httpResponse().statusCode())
                    .awsErrorDetails(details).build();
        } catch (IOException lost) {
            throw SdkClientException.create("no reply: " + lost.getMessage(), lost);
        }
    }

    private static List<String> values(String xml, String element) {
        return Pattern.compile("<" + element + ">([^<]*)</" + element + ">").matcher(xml).results()
                .map(found -> found.group(1)).distinct().toList();
    }
}
