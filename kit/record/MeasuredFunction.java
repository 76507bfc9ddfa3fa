// A function describes itself: function.json in its folder, read and checked. The kit knows no language beyond it.
//
//     function/rust/function.json     what it is, which tools it needs, how it is started, what AWS is to know
//     function/rust/build             fills a folder with what can be started or uploaded; kit/build/Build.java runs it
//
// function/README.md explains the fields for the kit's own functions, docs/own-function.md for everybody's.

//DEPS com.fasterxml.jackson.core:jackson-databind:2.19.2
//SOURCES ../Cli.java

import module java.base;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;

/**
 * What a folder says of the function in it.
 *
 * @param folder      where it lies; the folder's name is the function's, and the first word of its variants' names
 * @param language    what the function says of itself under {@code health}: a copy of a function has another name, but
 *                    the same language
 * @param colour      in figures, as in #0072b2
 * @param contract    whether it claims to do the kit's work, and so must keep function/contract.json
 * @param tools       what its build needs, by name
 * @param environment variables that it has on this machine and on AWS, so that what they decide is equal
 * @param local       how it is started on this machine
 * @param aws         what AWS is told about it; null for a function that is only measured here
 * @param workloads   its own, by name; empty where it does the kit's
 */
record MeasuredFunction(Path folder, String language, String colour, boolean contract,
                        Map<String, Tool> tools, Map<String, String> environment, Local local, Aws aws,
                        Map<String, Workload> workloads) {

    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9]{0,30}");
    private static final Pattern COLOUR = Pattern.compile("#[0-9a-f]{6}");

    MeasuredFunction {
        require(folder != null && NAME.matcher(folder.getFileName().toString()).matches(),
                "a function's folder has a name of lower-case letters and digits");
        require(language != null && !language.isBlank(), "\"language\" is missing");
        require(colour != null && COLOUR.matcher(colour).matches(), "\"colour\" is not of the form #0072b2");
        require(local != null, "\"local\" is missing");
        tools = tools == null ? Map.of() : tools;
        environment = environment == null ? Map.of() : Map.copyOf(environment);
        workloads = workloads == null ? Map.of() : workloads;
        require(contract || !workloads.isEmpty(), "there are neither \"workloads\" nor \"contract\": true");
        var taken = new TreeSet<>(workloads.keySet());
        taken.retainAll(KITS_WORKLOADS);
        require(taken.isEmpty(), "\"workloads\" has names of the kit's own workloads: " + taken);
        for (String name : workloads.keySet()) {
            require(NAME.matcher(name).matches(), "\"" + name + "\" is not a workload's name: lower-case letters and digits");
        }
    }

    private static final Set<String> KITS_WORKLOADS = Set.of("hello", "io", "cpu", "mixed", "store", "health");

    /** A workload of its own: {@code GET /{variant}/{workload}?query}. */
    record Workload(double ratePerSecond, Map<String, String> query, Expected expected) {
        Workload {
            require(ratePerSecond > 0, "a workload has no \"ratePerSecond\"");
            query = query == null ? Map.of() : query;
            expected = expected == null ? new Expected(200, null, null, null) : expected;
        }
    }

    /**
     * What a correct reply is.
     *
     * @param status   200 where nothing is said
     * @param fields   of the JSON reply, with their values
     * @param matching of the JSON reply, with a regular expression that is found in the value
     * @param body     a regular expression that is found in the whole text; null for any
     */
    record Expected(Integer status, Map<String, JsonNode> fields, Map<String, String> matching, String body) {
        Expected {
            status = status == null ? 200 : status;
            fields = fields == null ? Map.of() : fields;
            matching = matching == null ? Map.of() : matching;
            matching.values().forEach(Pattern::compile);
            if (body != null) Pattern.compile(body);
        }

        /** What is wrong with a reply; null when it is correct. */
        String fault(int replyStatus, String text) {
            if (replyStatus != status) return "status is " + replyStatus + ", not " + status;
            if (body != null && !Pattern.compile(body).matcher(text).find()) return "the reply does not match " + body;
            JsonNode reply;
            try {
                reply = JSON.readTree(text);
            } catch (JsonProcessingException notJson) {
                reply = JSON.missingNode();
            }
            for (var field : fields.entrySet()) {
                JsonNode value = reply.path(field.getKey());
                boolean equal = value.isNumber() && field.getValue().isNumber()
                        ? value.decimalValue().compareTo(field.getValue().decimalValue()) == 0
                        : value.equals(field.getValue());
                if (!equal) return "field '" + field.getKey() + "' is " + value + ", not " + field.getValue();
            }
            for (var field : matching.entrySet()) {
                JsonNode value = reply.path(field.getKey());
                if (value.isMissingNode() || !Pattern.compile(field.getValue()).matcher(value.asText()).find()) {
                    return "field '" + field.getKey() + "' is " + value + ", which does not match " + field.getValue();
                }
            }
            return null;
        }
    }

    /**
     * A tool that the build needs.
     *
     * @param what      for people, as in "Python 3.10 or newer with pip"; null where the name says it
     * @param version   command whose output names the version; it is run in the function's folder, and fails where the
     *                  tool is missing. The first line is what the record keeps; a change of any line makes a new build
     * @param hint      how to get the tool
     * @param platforms for which it is needed; null for all
     */
    record Tool(String what, List<String> version, String hint, Set<String> platforms) {
        Tool {
            require(version != null && !version.isEmpty(), "a tool has no \"version\", the command that tells it");
            require(hint != null && !hint.isBlank(), "a tool has no \"hint\", which says how to get it");
        }

        boolean isNeededFor(String platform) { return platforms == null || platforms.contains(platform); }
    }

    /**
     * How the function is started on this machine, under a runtime client that it brings along.
     *
     * @param command     with placeholders: {directory} is what the build has filled, {java} the Java that runs the kit,
     *                    {memoryMb} and {85% of memoryMb} the variant's memory in MB, and {NAME} the text of the file NAME
     *                    that the build has left in the directory
     * @param environment variables that it has here only, with the same placeholders
     * @param memoryMb    what one environment takes, measured, by compute ("standard", "lmi"); a compute that isn't named
     *                    isn't for this function
     */
    record Local(List<String> command, Map<String, String> environment, Map<String, Integer> memoryMb) {
        Local {
            require(command != null && !command.isEmpty(), "\"local\" has no \"command\"");
            environment = environment == null ? Map.of() : Map.copyOf(environment);
            require(memoryMb != null && !memoryMb.isEmpty() && Set.of("standard", "lmi").containsAll(memoryMb.keySet()),
                    "\"local\" has no \"memoryMb\" of standard, lmi or both");
        }
    }

    /** Lambda's names for the runtime and the handler. */
    record Aws(String runtime, String handler) {}

    /**
     * A built function.
     *
     * @param directory unpacked and runnable
     * @param zip       what is uploaded to AWS; null for this machine
     * @param bytes     size of the zip, or of the one that the directory would make
     * @param sha256    of that zip
     * @param tools     what it was built with: versions by name
     */
    record Artefact(MeasuredFunction function, Path directory, Path zip, long bytes, String sha256,
                    Map<String, String> tools) {}

    @JsonIgnore String name() { return folder.getFileName().toString(); }

    /** What the record of a run keeps of it. */
    Map<String, Object> described() {
        var described = new TreeMap<String, Object>(Map.of("language", language, "colour", colour,
                "contract", contract, "environment", environment, "memoryMb", local.memoryMb));
        if (aws != null) described.put("aws", aws);
        return described;
    }

    // ==== Read ====

    private static final String FILE = "function.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The kit's own functions, by name: the folders of function/ that describe themselves. */
    static SequencedMap<String, MeasuredFunction> all(Path kitRoot) throws IOException {
        var all = new LinkedHashMap<String, MeasuredFunction>();
        try (var folders = Files.list(kitRoot.resolve("function"))) {
            for (Path folder : folders.filter(it -> Files.exists(it.resolve(FILE))).sorted().toList()) {
                var function = read(folder);
                all.put(function.name(), function);
            }
        }
        return all;
    }

    /** The function of a folder; throws a Problem when the folder does not describe one. */
    static MeasuredFunction read(Path folder) throws IOException {
        Path file = folder.resolve(FILE);
        if (!Files.exists(file)) throw new Cli.Problem(Cli.REFUSED, "there is no " + file, HINT);
        try {
            var document = (com.fasterxml.jackson.databind.node.ObjectNode) JSON.readTree(file.toFile());
            document.put("folder", folder.toAbsolutePath().normalize().toUri().toString());
            return JSON.treeToValue(document, MeasuredFunction.class);
        } catch (JsonProcessingException wrong) {
            throw new Cli.Problem(Cli.REFUSED, file + ": " + wrong.getOriginalMessage().lines().findFirst().orElse(""),
                    HINT);
        } catch (ClassCastException notAnObject) {
            throw new Cli.Problem(Cli.REFUSED, file + " is not a JSON object", HINT);
        }
    }

    private static final String HINT = "docs/own-function.md shows the form";

    private static void require(boolean condition, String otherwise) {
        if (!condition) throw new IllegalArgumentException(otherwise);
    }
}
