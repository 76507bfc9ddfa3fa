// Equal work, proved: the requests of function/contract.json, and whether a reply is what the contract asks for.
//
// The format is explained in function/README.md. A reply must have the status and exactly the fields that the case
// names, plus the fields of "meta"; a reply with a field too many does other work than its siblings and is as wrong
// as one too few.

//DEPS com.fasterxml.jackson.core:jackson-databind:2.19.2
//SOURCES Sha256.java

import module java.base;
import module java.net.http;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/** The golden requests and replies that all functions share. */
final class Contract {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    /**
     * For how long a variant's requests are sent again when the connection was lost or access was refused: a network has
     * hiccups, and API Gateway may not know a new key for some seconds.
     */
    private static final Duration TRIED_AGAIN_FOR = Duration.ofSeconds(60), PAUSE = Duration.ofSeconds(1);
    private static final int FORBIDDEN = 403;

    /** One request and what must come back. */
    record Case(String name, String method, String workload, JsonNode query, int status, JsonNode body,
                JsonNode checks) {

        /** "/io?delay_ms=25", with every parameter percent-encoded; a list repeats its parameter. */
        String path() {
            var parameters = new StringJoiner("&", "?", "").setEmptyValue("");
            query.properties().forEach(parameter -> {
                JsonNode value = parameter.getValue();
                var values = value.isArray() ? value : JSON.createArrayNode().add(value);
                values.forEach(one -> parameters.add(parameter.getKey() + "=" + encode(one.asText())));
            });
            return "/" + workload + parameters;
        }

        private static String encode(String text) {
            return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
        }
    }

    final List<Case> cases = new ArrayList<>();
    private final JsonNode meta;

    private Contract(JsonNode document) {
        meta = document.get("meta");
        for (JsonNode one : document.get("cases")) {
            cases.add(new Case(one.get("name").asText(), one.get("method").asText(), one.get("workload").asText(),
                    one.get("query"), one.get("status").asInt(), one.get("body"), one.path("checks")));
        }
    }

    static Contract read(Path file) throws IOException { return new Contract(JSON.readTree(file.toFile())); }

    /**
     * Sends every case to one variant and returns what differs, a sentence each; empty means that the contract is kept.
     *
     * @param facts values for the contract's placeholders, such as language and memoryMb
     * @param replies is given each case's parsed reply, for checks beyond the reply itself
     */
    List<String> check(HttpClient client, String variantUrl, String apiKey, Map<String, Object> facts,
                       BiConsumer<Case, JsonNode> replies) throws InterruptedException {
        var differences = new ArrayList<String>();
        Instant giveUp = Instant.now().plus(TRIED_AGAIN_FOR);
        for (Case one : cases) {
            var request = HttpRequest.newBuilder(URI.create(variantUrl + one.path())).timeout(PATIENCE)
                    .method(one.method(), HttpRequest.BodyPublishers.noBody());
            if (apiKey != null) request.header("x-api-key", apiKey);
            HttpResponse<String> response;
            try {
                response = answer(client, request.build(), giveUp);
            } catch (IOException lost) {
                differences.add("'" + one.name() + "': no answer: " + lost);
                return differences;
            }
            for (String difference : differences(one, response.statusCode(), response.body(), facts)) {
                differences.add("'" + one.name() + "': " + difference);
            }
            if (parse(response.body()).isObject()) replies.accept(one, parse(response.body()));
        }
        return differences;
    }

    /** The answer to a request that may be sent again while access is refused or the connection gets lost. */
    static HttpResponse<String> answer(HttpClient client, HttpRequest request) throws IOException, InterruptedException {
        return answer(client, request, Instant.now().plus(TRIED_AGAIN_FOR));
    }

    private static HttpResponse<String> answer(HttpClient client, HttpRequest request, Instant giveUp)
            throws IOException, InterruptedException {
        for (; ; Thread.sleep(PAUSE)) {
            boolean last = Instant.now().isAfter(giveUp);
            try {
                var response = client.send(request, HttpResponse.BodyHandlers.ofString());
                if (response.statusCode() != FORBIDDEN || last) return response;
            } catch (ConnectException nobodyThere) {
                throw nobodyThere;
            } catch (IOException lost) {
                if (last) throw lost;
            }
        }
    }

    /** What differs between a reply and what the case asks for. */
    List<String> differences(Case one, int status, String body, Map<String, Object> facts) {
        if (status != one.status()) {
            return List.of("status is " + status + ", the contract says " + one.status()
                    + "; body: " + shortened(body));
        }
        JsonNode reply = parse(body);
        if (!reply.isObject()) return List.of("the reply is not a JSON object: " + shortened(body));
        var differences = new ArrayList<String>();
        one.body().properties().forEach(field -> {
            JsonNode expected = filled(field.getValue(), facts);
            if (!expected.equals(reply.get(field.getKey()))) {
                differences.add(difference(field.getKey(), reply, expected.toString()));
            }
        });
        one.checks().properties().forEach(field -> {
            String check = field.getValue().asText();
            if (!holds(check, reply, reply.path(field.getKey()).asText())) {
                differences.add(difference(field.getKey(), reply, check));
            }
        });
        meta.properties().forEach(field -> {
            String type = field.getValue().asText();
            if (!isOf(type, reply.get(field.getKey()))) differences.add(difference(field.getKey(), reply, type));
        });
        reply.fieldNames().forEachRemaining(name -> {
            boolean known = one.body().has(name) || one.checks().has(name) || meta.has(name);
            if (!known) differences.add("field '" + name + "' is not in the contract");
        });
        return differences;
    }

    private static String difference(String field, JsonNode reply, String expected) {
        return "field '" + field + "' is " + reply.get(field) + ", the contract says " + expected;
    }

    /** An expected value with its placeholder, "{language}", replaced by what is true of this variant. */
    private static JsonNode filled(JsonNode expected, Map<String, Object> facts) {
        String text = expected.asText();
        boolean placeholder = expected.isTextual() && text.startsWith("{") && text.endsWith("}");
        return placeholder ? JSON.valueToTree(facts.get(text.substring(1, text.length() - 1))) : expected;
    }

    private static boolean holds(String check, JsonNode reply, String value) {
        if (!check.equals("sha256(id)")) return value.matches(check);
        return value.equals(Sha256.of(reply.path("id").asText().getBytes(StandardCharsets.UTF_8)));
    }

    private static boolean isOf(String type, JsonNode value) {
        if (value == null) return false;
        return switch (type) {
            case "string" -> value.isTextual() && !value.asText().isEmpty();
            case "boolean" -> value.isBoolean();
            case "integer" -> value.isIntegralNumber() && value.asLong() > 0;
            default -> throw new IllegalArgumentException("contract.json knows no type " + type);
        };
    }

    private static JsonNode parse(String body) {
        try {
            return JSON.readTree(body);
        } catch (IOException notJson) {
            return JSON.missingNode();
        }
    }

    private static String shortened(String text) {
        return text.length() <= 200 ? text : text.substring(0, 200) + "…";
    }

    /** What the cpu workload answers: the digest of the seed, hashed again that many times. */
    static String digest(String seed, int hashLoops) {
        var sha256 = Sha256.digest();
        byte[] digest = sha256.digest(seed.getBytes(StandardCharsets.UTF_8));
        for (int loop = 0; loop < hashLoops; loop++) digest = sha256.digest(digest);
        return HexFormat.of().formatHex(digest);
    }
}
