// The front door of the functions on this machine: what API Gateway's REST APIs (v1) make of a request and of a reply.
//
//     request   GET /{variant}/{workload}?…  becomes the event of a Lambda proxy integration
//     reply     {"statusCode": …, "headers": …, "body": …}  becomes the answer
//     else      API Gateway's own answers: 403 no such route, 413 too large, 500 throttled, 502 a function's failure
//               or a reply in another form, 504 a time-out
//
// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html

//SOURCES ../record/Run.java
//SOURCES Http.java
//SOURCES Lambda.java

import module java.base;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;

import static java.nio.charset.StandardCharsets.UTF_8;

/** Passes requests on to functions, and their replies back, as a REST API with Lambda proxy integration does. */
final class FrontDoor {
    /** API Gateway's limit for a request's body. */
    private static final int MAX_BODY_BYTES = 10 * 1024 * 1024;
    private static final String STAGE = "kit";
    /** The kit's own mapper leaves null fields out; an event has them. */
    private static final ObjectMapper EVENTS = new ObjectMapper();
    private final Map<String, Lambda> functions;

    FrontDoor(Map<String, Lambda> functions) { this.functions = functions; }

    void serve(Http.Exchange exchange) {
        // "", variant, workload
        String[] path = exchange.path().split("/", -1);
        Lambda function = path.length == 3 && !path[2].isEmpty() ? functions.get(path[1]) : null;
        if (function == null) {
            refuse(exchange, 403, "Missing Authentication Token");
            return;
        }
        exchange.withBody(MAX_BODY_BYTES, body -> {
            byte[] event = body == null ? null : event(exchange, path[1], path[2], body);
            if (body == null) refuse(exchange, 413, "HTTP content length exceeded " + MAX_BODY_BYTES + " bytes.");
            else if (event.length > Lambda.MAX_PAYLOAD_BYTES) refuse(exchange, 413, "Request Too Long");
            else function.invoke(event, outcome -> answer(exchange, outcome));
        });
    }

    private static void answer(Http.Exchange exchange, Lambda.Outcome outcome) {
        switch (outcome) {
            case Lambda.Outcome.Reply(byte[] payload) -> pass(exchange, payload);
            case Lambda.Outcome.Failure _ -> refuse(exchange, 502, "Internal server error");
            case Lambda.Outcome.TimedOut _ -> refuse(exchange, 504, "Endpoint request timed out");
            // Lambda says 429 to API Gateway, which does not pass it on.
            case Lambda.Outcome.Throttled _ -> refuse(exchange, 500, "Internal server error");
        }
    }

    private static void refuse(Http.Exchange exchange, int status, String message) {
        exchange.header("Content-Type", "application/json");
        exchange.answer(status, ("{\"message\":\"" + message + "\"}").getBytes(UTF_8));
    }

    // ---- The event

    private static byte[] event(Http.Exchange exchange, String variant, String workload, byte[] body) {
        String id = UUID.randomUUID().toString();
        var headers = headers(exchange, id);
        var query = query(exchange.rawQuery());
        String resource = "/" + variant + "/{workload}";
        var now = ZonedDateTime.now(ZoneOffset.UTC);

        var identity = new LinkedHashMap<String, Object>();
        identity.put("sourceIp", exchange.remoteAddress());
        identity.put("userAgent", last(headers.get("User-Agent")));
        identity.put("apiKey", last(headers.get("X-Api-Key")));

        var context = new LinkedHashMap<String, Object>();
        context.put("resourceId", "local");
        context.put("resourcePath", resource);
        context.put("httpMethod", exchange.method());
        context.put("extendedRequestId", id);
        context.put("requestTime", now.format(REQUEST_TIME));
        context.put("path", "/" + STAGE + exchange.path());
        context.put("accountId", "000000000000");
        context.put("protocol", exchange.protocol());
        context.put("stage", STAGE);
        context.put("domainPrefix", "local");
        context.put("requestTimeEpoch", now.toInstant().toEpochMilli());
        context.put("requestId", id);
        context.put("identity", identity);
        context.put("domainName", last(headers.get("Host")));
        context.put("apiId", "local");

        var event = new LinkedHashMap<String, Object>();
        event.put("resource", resource);
        event.put("path", exchange.path());
        event.put("httpMethod", exchange.method());
        event.put("headers", lasts(headers));
        event.put("multiValueHeaders", headers);
        event.put("queryStringParameters", query.isEmpty() ? null : lasts(query));
        event.put("multiValueQueryStringParameters", query.isEmpty() ? null : query);
        event.put("pathParameters", Map.of("workload", workload));
        event.put("stageVariables", null);
        event.put("requestContext", context);
        event.put("body", body.length == 0 ? null : new String(body, UTF_8));
        event.put("isBase64Encoded", false);
        try {
            return EVENTS.writeValueAsBytes(event);
        } catch (IOException never) {
            throw new UncheckedIOException(never);
        }
    }

    private static final DateTimeFormatter REQUEST_TIME =
            DateTimeFormatter.ofPattern("dd/MMM/yyyy:HH:mm:ss Z", Locale.ROOT);

    /** The request's headers and API Gateway's own, whose names have the usual case. */
    private static Map<String, List<String>> headers(Http.Exchange exchange, String id) {
        var headers = new TreeMap<String, List<String>>();
        exchange.forEachHeader((name, value) -> headers.computeIfAbsent(usualCase(name), _ -> new ArrayList<>(1)).add(value));
        headers.put("X-Amzn-Trace-Id", List.of("Root=" + Lambda.traceRoot(id)));
        headers.put("X-Forwarded-For", List.of(exchange.remoteAddress()));
        headers.put("X-Forwarded-Port", List.of("" + exchange.localPort()));
        headers.put("X-Forwarded-Proto", List.of("http"));
        return headers;
    }

    private static String usualCase(String name) {
        var usual = new StringBuilder(name);
        for (int i = 0; i < name.length(); i++) {
            boolean begins = i == 0 || name.charAt(i - 1) == '-';
            usual.setCharAt(i, begins ? Character.toUpperCase(name.charAt(i)) : Character.toLowerCase(name.charAt(i)));
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
    private static void pass(Http.Exchange exchange, byte[] payload) {
        Reply reply;
        try {
            reply = Reply.of(payload);
        } catch (IllegalArgumentException | IOException malformed) {
            refuse(exchange, 502, "Internal server error");
            return;
        }
        exchange.header("Content-Type", "application/json");
        reply.headers.forEach(exchange::headers);
        exchange.answer(reply.status, reply.body);
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
