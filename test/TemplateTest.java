///usr/bin/env jbang "$0" "$@" ; exit $?
// Is template.yaml what it says, before anybody pays for it? AWS's linter and AWS's own SAM translator read it here, and what
// neither of them knows of Managed Instances (LMI) is checked on what the translator made.

//JAVA 25
//MAIN TemplateTest
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../aws.java
//SOURCES ../kit/record/MeasuredFunction.java
//SOURCES StandIn.java

import module java.base;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.junit.jupiter.api.*;
import static org.junit.jupiter.api.Assertions.*;

final class TemplateTest {
    public static void main(String... args) {
        org.junit.platform.console.ConsoleLauncher.main("execute", "--select-class=TemplateTest", "--details=tree",
                "--disable-banner", "--fail-if-no-tests");
    }

    // ==== A small vocabulary ====

    private static final Path FILE = Path.of("template.yaml");
    private static String text;
    private static JsonNode resources;

    @BeforeAll static void expand() throws Exception {
        text = Files.readString(FILE);
        resources = expanded(text);
    }

    /** The resources that AWS makes of a template. */
    private static JsonNode expanded(String template) throws Exception {
        var expander = new ProcessBuilder(StandIn.python().toString(), "test/aws/expand.py")
                .redirectError(ProcessBuilder.Redirect.DISCARD).start();
        try (var in = expander.outputWriter()) { in.write(template); }
        return Run.json().readTree(expander.getInputStream()).get("Resources");
    }

    private static Map<String, JsonNode> ofType(String type) { return ofType(resources, type); }

    private static Map<String, JsonNode> ofType(JsonNode resources, String type) {
        return resources.properties().stream().filter(it -> it.getValue().get("Type").asText().equals(type))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue, (a, _) -> a, TreeMap::new));
    }

    private static JsonNode variantFunction(String variant) {
        return ofType("AWS::Lambda::Function").values().stream().filter(it -> variantOf(it).equals(variant)).findFirst()
                .orElseThrow();
    }

    private static String variantOf(JsonNode function) {
        return function.at("/Properties/Environment/Variables/KIT_VARIANT").asText();
    }

    private static List<String> variants() throws IOException {
        var variants = new ArrayList<String>();
        Run.json().readTree(Path.of("k6/profiles/2h.json").toFile()).at("/targets/aws/variants")
                .forEach(it -> variants.add(it.asText()));
        return variants;
    }

    // ==== What the linters do not know ====

    private static final Pattern LMI_RUNTIMES =
            Pattern.compile("python3\\.(1[3-9]|[2-9]\\d)|java(2[1-9]|[3-9]\\d)|provided\\.al2023");

    /** What AWS would refuse, or bill without end, about functions on LMI and their providers. */
    private static List<String> findings(JsonNode resources) {
        var findings = new ArrayList<String>();
        var providers = new HashSet<String>();
        ofType(resources, "AWS::Lambda::Function").forEach((name, function) -> {
            var properties = function.get("Properties");
            var lmi = properties.at("/CapacityProviderConfig/LambdaManagedInstancesCapacityProviderConfig");
            if (lmi.isMissingNode()) return;
            String runtime = properties.get("Runtime").asText();
            findings.addAll(found(name, Map.of(
                    "LMI begins at 2048 MB", properties.get("MemorySize").asInt() < 2048,
                    "LMI does not run " + runtime, !LMI_RUNTIMES.matcher(runtime).matches(),
                    "set both ends of its scaling", properties.path("FunctionScalingConfig").size() != 2,
                    "LMI excludes a VPC", properties.has("VpcConfig"),
                    "LMI excludes reserved concurrency", properties.has("ReservedConcurrentExecutions"),
                    "AWS's default concurrency differs by language", !lmi.has("PerExecutionEnvironmentMaxConcurrency"),
                    "shares its capacity provider", !providers.add(lmi.at("/CapacityProviderArn/Fn::GetAtt/0").asText()))));
        });
        ofType(resources, "AWS::Lambda::CapacityProvider").forEach((name, provider) -> {
            var properties = provider.get("Properties");
            findings.addAll(found(name, Map.of(
                    "a named provider cannot be replaced", properties.has("CapacityProviderName"),
                    "nothing limits its price", !properties.path("CapacityProviderScalingConfig").has("MaxVCpuCount"),
                    "no security groups", !properties.path("VpcConfig").has("SecurityGroupIds"),
                    "AWS would choose instances of any price",
                    !properties.path("InstanceRequirements").has("AllowedInstanceTypes"))));
        });
        resources.properties().forEach(resource -> {
            String type = resource.getValue().get("Type").asText();
            findings.addAll(found(resource.getKey(), Map.of(
                    "network interfaces hold up a stack's end", type.startsWith("AWS::EC2::"),
                    "a version has environments of its own", type.matches("AWS::Lambda::(Alias|Version)"))));
        });
        return findings;
    }

    private static List<String> found(String name, Map<String, Boolean> faults) {
        return faults.entrySet().stream().filter(Map.Entry::getValue).map(fault -> name + ": " + fault.getKey()).toList();
    }

    @Test void cfn_lint_has_no_finding() throws Exception {
        var linter = new ProcessBuilder(StandIn.python().resolveSibling("cfn-lint").toString(), FILE.toString())
                .redirectErrorStream(true).start();
        assertEquals("", new String(linter.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
        assertEquals(0, linter.waitFor());
    }

    @Test void nothing_that_the_linters_miss_is_wrong() { assertEquals(List.of(), findings(resources)); }

    @Test void what_the_linters_miss_would_be_found() throws Exception {
        var wrong = Map.ofEntries(
                Map.entry("MemorySize: 2048", "MemorySize: 1024"),
                Map.entry("Runtime: python3.13", "Runtime: python3.12"),
                Map.entry("Runtime: java25", "Runtime: java17"),
                Map.entry("MaxExecutionEnvironments: !Ref LmiEnvironments", ""),
                Map.entry("PerExecutionEnvironmentMaxConcurrency: !Ref LmiConcurrency", ""),
                Map.entry("Arn: !GetAtt RustProvider.Arn", "Arn: !GetAtt PythonProvider.Arn"),
                Map.entry("CapacityProviderScalingConfig: {MaxVCpuCount: !Ref LmiMaxVCpus}", ""),
                Map.entry(", SecurityGroupIds: !Ref SecurityGroupIds", ""),
                Map.entry(", AllowedInstanceTypes: [!Ref LmiInstanceType]", ""),
                Map.entry("PublishToLatestPublished: true", "AutoPublishAlias: live"));
        for (var change : wrong.entrySet()) {
            assertTrue(text.contains(change.getKey()), change.getKey());
            assertNotEquals(List.of(), findings(expanded(text.replace(change.getKey(), change.getValue()))), change.getKey());
        }
    }

    @Test void the_instances_are_of_the_functions_architecture_and_have_a_price() throws Exception {
        var instances = Cost.Prices.of(Run.json().readTree(Path.of("data/prices.json").toFile()))
                .regions().get("us-east-1").instances();
        Aws.LMI_INSTANCE.forEach((architecture, type) -> assertEquals(architecture, instances.get(type).architecture()));
        assertTrue(text.contains("AllowedValues: [arm64, x86_64], Default: arm64"));
        assertTrue(text.contains("LmiInstanceType: {Type: String, Default: " + Aws.LMI_INSTANCE.get("arm64")));
    }

    // ==== What the experiment needs ====

    @Test void every_variant_of_the_experiment_is_a_function_of_that_memory_with_a_switch_and_a_route() throws Exception {
        var routes = new TreeSet<String>();
        resources.at("/Api/Properties/Body/paths").fieldNames().forEachRemaining(routes::add);
        var functions = ofType("AWS::Lambda::Function").values().stream().map(TemplateTest::variantOf)
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(new TreeSet<>(variants()), functions);
        assertEquals(variants().stream().map(it -> "/" + it + "/{workload}").collect(Collectors.toCollection(TreeSet::new)),
                routes);
        for (String name : variants()) {
            var variant = Run.Variant.of(name);
            var function = variantFunction(name);
            assertEquals(variant.memoryMb(), function.at("/Properties/MemorySize").asInt(), name);
            assertEquals("Has" + Deployment.switchOf(name).substring("With".length()), function.get("Condition").asText());
            assertEquals(variant.lmi(), function.at("/Properties").has("CapacityProviderConfig"), name);
            assertEquals("${AWS::StackName}-" + name, function.at("/Properties/FunctionName/Fn::Sub").asText());
            assertTrue(text.contains("  " + Deployment.switchOf(name) + ": {"), name);
            var described = MeasuredFunction.read(Path.of("function", variant.language()));
            described.environment().forEach((setting, value) ->
                    assertEquals(value, function.at("/Properties/Environment/Variables").path(setting).asText(), name));
            assertEquals(described.aws(), new MeasuredFunction.Aws(
                    function.at("/Properties/Runtime").asText(), function.at("/Properties/Handler").asText()), name);
        }
    }

    @Test void functions_differ_only_in_what_their_names_say() throws Exception {
        var rest = new HashSet<String>();
        for (String name : variants()) {
            ObjectNode properties = variantFunction(name).get("Properties").deepCopy();
            properties.remove(List.of("FunctionName", "MemorySize", "CapacityProviderConfig", "FunctionScalingConfig",
                    "PublishToLatestPublished", "ReservedConcurrentExecutions", "Runtime", "Handler", "Code"));
            String language = Run.Variant.of(name).language(), id = Deployment.switchOf(name).substring("With".length());
            ((ObjectNode) properties.at("/Environment/Variables"))
                    .remove(MeasuredFunction.read(Path.of("function", language)).environment().keySet());
            rest.add(properties.toString().replace(name, "NAME").replace(id, "ID"));
        }
        assertEquals(1, rest.size(), rest.toString());
    }

    @Test void nothing_but_the_function_is_on_the_measured_path() {
        ofType("AWS::Lambda::Function").values().forEach(function -> {
            assertTrue(List.of("PassThrough", "").contains(function.at("/Properties/TracingConfig/Mode").asText()),
                    function.toString());
            assertEquals("JSON", function.at("/Properties/LoggingConfig/LogFormat").asText());
        });
        ofType("AWS::ApiGateway::Stage").values().forEach(stage -> {
            assertFalse(stage.get("Properties").has("AccessLogSetting"));
            assertFalse(stage.at("/Properties/TracingEnabled").asBoolean());
        });
    }

    // ==== What the owner of the account needs ====

    @Test void what_lmi_launches_bears_a_tag_that_finds_it() {
        ofType("AWS::Lambda::CapacityProvider").values().forEach(provider -> {
            var tags = provider.at("/Properties/PropagateTags/ExplicitTags");
            assertEquals("Explicit", provider.at("/Properties/PropagateTags/Mode").asText());
            assertEquals(Set.of("project", "lambda-kit:stack"), tags.valueStream().map(tag -> tag.get("Key").asText())
                    .collect(Collectors.toSet()));
        });
    }

    @Test void every_method_wants_the_key_and_the_key_has_a_throttle() {
        var methods = new ArrayList<JsonNode>();
        resources.at("/Api/Properties/Body/paths").forEach(path -> path.at("/Fn::If/1")
                .forEach(method -> methods.add(method.at("/Fn::If/1"))));
        assertEquals(3 * 13, methods.size());
        methods.forEach(method -> assertTrue(method.at("/security/0").has("api_key"), method.toString()));
        assertTrue(resources.at("/ApiUsagePlan/Properties/Throttle").has("RateLimit"));
    }

    @Test void every_function_logs_to_a_group_that_ends_with_the_stack_and_forgets() {
        var groups = ofType("AWS::Logs::LogGroup");
        assertEquals(13 + 3, groups.size(), "of each variant and of each capacity provider");
        ofType("AWS::Lambda::CapacityProvider").forEach((id, provider) -> assertEquals(id + "Log",
                provider.at("/Properties/TelemetryConfig/LoggingConfig/LogGroup/Ref").asText()));
        groups.values().forEach(group -> assertTrue(group.at("/Properties").has("RetentionInDays")));
        ofType("AWS::Lambda::Function").forEach((id, function) -> {
            assertEquals(id + "Log", function.at("/Properties/LoggingConfig/LogGroup/Ref").asText());
            assertEquals("/aws/lambda/" + function.at("/Properties/FunctionName/Fn::Sub").asText(),
                    groups.get(id + "Log").at("/Properties/LogGroupName/Fn::Sub").asText());
        });
    }

    @Test void functions_may_write_an_object_an_item_and_logs_and_nothing_else() {
        var allowed = new TreeSet<String>();
        resources.at("/FunctionRole/Properties/Policies/0/PolicyDocument/Statement").forEach(statement -> {
            assertNotEquals("*", statement.get("Resource").asText());
            (statement.get("Action").isArray() ? statement.get("Action") : List.of(statement.get("Action")))
                    .forEach(action -> allowed.add(((JsonNode) action).asText()));
        });
        assertEquals(new TreeSet<>(Set.of("dynamodb:PutItem", "logs:CreateLogStream", "logs:PutLogEvents", "s3:PutObject")),
                allowed);
        assertEquals(Set.of("FunctionRole", "InstanceRole", "RemovalRole"), ofType("AWS::IAM::Role").keySet());
    }

    /** CloudFormation's own handlers say in their schemas, which the linter carries, what deleting a resource takes. */
    @Test void the_stack_s_own_removal_may_do_what_deleting_its_resources_takes_and_nothing_else() throws Exception {
        var types = resources.valueStream().map(it -> it.get("Type").asText()).collect(Collectors.toSet());
        var needed = new TreeSet<>(Set.of("cloudformation:DeleteStack"));
        var reader = new ProcessBuilder(StandIn.python().toString(), "-c", """
                import json, pathlib, cfnlint
                for file in (pathlib.Path(cfnlint.__file__).parent / "data/schemas/resources").glob("*.json"):
                    schema = json.loads(file.read_text())
                    if isinstance(schema, dict) and "typeName" in schema:
                        print(schema["typeName"], *schema.get("handlers", {}).get("delete", {}).get("permissions", []))
                """).redirectError(ProcessBuilder.Redirect.DISCARD).start();
        for (String line : reader.inputReader().lines().toList()) {
            var words = List.of(line.split(" "));
            if (types.contains(words.getFirst())) needed.addAll(words.subList(1, words.size()));
        }
        // Tags go with their role.
        needed.removeAll(Set.of("iam:TagRole", "iam:UntagRole"));
        var allowed = new TreeSet<String>();
        resources.at("/RemovalRole/Properties/Policies/0/PolicyDocument/Statement").forEach(statement ->
                (statement.get("Action").isArray() ? statement.get("Action") : List.of(statement.get("Action")))
                        .forEach(action -> allowed.add(((JsonNode) action).asText())));
        assertEquals(needed, allowed);
    }

    @Test void what_is_billed_by_the_hour_goes_before_what_removes_it() {
        ofType("AWS::Lambda::CapacityProvider").values().forEach(it -> assertEquals("Removal", it.get("DependsOn").asText()));
        assertEquals("RemovalRole", resources.at("/Removal/Properties/Target/RoleArn/Fn::GetAtt/0").asText());
        assertFalse(resources.get("RemovalRole").toString().contains("Fn::GetAtt"), "it depends on nothing");
    }

    @Test void the_bucket_is_private_and_encrypted_and_keeps_no_versions_and_the_table_is_paid_by_the_request() {
        var bucket = resources.at("/Bucket/Properties");
        bucket.get("PublicAccessBlockConfiguration").forEach(blocked -> assertTrue(blocked.asBoolean()));
        assertEquals(4, bucket.get("PublicAccessBlockConfiguration").size());
        assertTrue(bucket.has("BucketEncryption"));
        assertFalse(bucket.has("VersioningConfiguration"));
        assertEquals("PAY_PER_REQUEST", resources.at("/Table/Properties/BillingMode").asText());
    }
}
