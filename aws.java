///usr/bin/env jbang "$0" "$@" ; exit $?
// The experiment's functions on AWS: one CloudFormation stack that is made, used, and removed, whatever happens.
//
//   plan      are there credentials, a region, room in the quotas; is LMI offered; what will it cost? Makes nothing
//   start     a bucket for the functions' files, then template.yaml as a change set, its events told as they come
//   ready     until the environments of Managed Instances (LMI) are up
//   empty, stored   the bucket and the table that the functions write to
//   collect   what Lambda logged of each invocation, and CloudWatch's figures, before anything is removed
//   remove    all of it, until AWS itself says that nothing is left
//
// experiment.java starts `aws.java serve` and asks for these (kit/record/Target.java). A person has two commands:
// `./jbang aws.java status` tells what is still there and `./jbang aws.java teardown` removes it. What is to be made is
// written to the user's state directory first (kit/aws/Ledger.java); nothing is ever touched that is not written there. LMI's
// instances cost money from the first to the last of them: a run is as dear as it is long, however little is asked.

//JAVA 25
//DESCRIPTION The experiment's functions on AWS: status and teardown for people, serve for experiment.java
//RUNTIME_OPTIONS -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx512m
//SOURCES kit/Cli.java
//SOURCES kit/aws/CloudWatch.java
//SOURCES kit/judge/Cost.java
//SOURCES kit/aws/Door.java
//SOURCES kit/aws/Ledger.java
//SOURCES kit/aws/PriceList.java
//SOURCES kit/record/Run.java
//SOURCES kit/record/Sha256.java
//SOURCES kit/record/Target.java

import module java.base;
import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.*;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.cloudformation.model.*;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.WriteRequest;
import software.amazon.awssdk.services.lambda.model.ResourceNotFoundException;
import software.amazon.awssdk.services.lambda.model.State;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;

@Command(name = "aws.java", mixinStandardHelpOptions = true, version = "lambda-kit 0.1.0", sortOptions = false,
        subcommands = {Aws.Status.class, Aws.Teardown.class, Aws.Serve.class},
        header = "The experiment's functions on AWS: what is still there, and its removal.",
        footer = """

                Examples:
                  ./jbang aws.java status        what runs of this machine have left in AWS, and what it costs
                  ./jbang aws.java teardown      removes all of it; again, it finds nothing to do
                Exit codes: 0 done, 1 unexpected, 2 refused and nothing was touched, 4 something is left.""")
final class Aws implements Target.Verbs {

    // ==== What you may want to change ====

    /** LMI environments of a function, least and most: AWS's smallest fleet is three instances, one environment each. */
    private static final int LMI_ENVIRONMENTS = 3;
    /** Instances with 2 vCPUs, one of which LMI keeps: a vCPU for each environment, as 1769 MB give on standard. */
    static final Map<String, String> LMI_INSTANCE = Map.of("arm64", "m7g.large", "x86_64", "m7i.large");
    /** Environments that a standard function reserves; AWS keeps 100 of an account's for functions that reserve none. */
    private static final int STANDARD_ENVIRONMENTS = 16, UNRESERVED_ENVIRONMENTS = 100;

    /** CloudFormation throttles who asks more often than every other second; slower would only make the wait longer. */
    private static final Duration POLL = Duration.ofSeconds(3);
    /** The only call that may take longer than a minute: 20 MB over a slow line. */
    private static final Duration UPLOAD_LIMIT = Duration.ofMinutes(10);
    /** LMI's instances take minutes to come; a stack that has not come after this will not. */
    private static final Duration DEPLOY_LIMIT = Duration.ofMinutes(45);
    private static final Duration READY_LIMIT = Duration.ofMinutes(20);
    /** Capacity providers are known to take many minutes to drain; after an hour it is somebody's to look at. */
    private static final Duration REMOVE_LIMIT = Duration.ofMinutes(60);
    private static final Duration REMOVE_AGAIN_AFTER = Duration.ofSeconds(15), TELL_EVERY = Duration.ofSeconds(30);

    /** What a plan assumes until it is measured: deliberately high, so that the bill is not. */
    private static final double ASSUMED_WORK_MS = 100;
    private static final Duration ASSUMED_DEPLOY_AND_REMOVE = Duration.ofMinutes(30);
    /** Records that have to settle, stores to be emptied: between any two cells. */
    private static final Duration ASSUMED_CELL_OVERHEAD = Duration.ofSeconds(25);

    private static final String STACK_PREFIX = "lambda-kit-", CHANGE_SET = "start", TAG = "lambda-kit:id";
    private static final int START_FAILED = 3, SOMETHING_LEFT = 4;
    private static final String DRAINING = "capacity provider still draining, billed until gone";
    private static final String TEARDOWN = "./jbang aws.java teardown removes it";
    private static final String NOT_TOUCHED = "it was not touched; run this again for another name";
    private static final String REMOVED = "nothing was measured; everything is removed";
    private static final String RESUME = "./jbang experiment.java --target aws --resume goes on";

    // ==== Commands ====

    public static void main(String... args) { System.exit(Cli.run(new Aws(), args)); }

    @Command(name = "status", header = "Tells what runs of this machine have left in AWS, and what it costs.")
    static final class Status implements Callable<Integer> {
        @Mixin Cli.Verbose verbose;

        @Override public Integer call() throws Exception {
            var aws = new Aws();
            var entries = aws.ledger.entries();
            if (entries.isEmpty()) System.out.println("nothing is left in AWS by runs of this machine");
            for (var entry : entries) System.out.println(aws.describe(entry));
            return Cli.DONE;
        }
    }

    @Command(name = "teardown", header = "Removes all that runs of this machine have left in AWS.")
    static final class Teardown implements Callable<Integer> {
        @Parameters(arity = "0..1", paramLabel = "ID", description = "Only this one, as status names it.")
        String id;
        @Mixin Cli.Verbose verbose;

        @Override public Integer call() throws Exception {
            new Aws().teardown(id, Cli::say);
            return Cli.DONE;
        }
    }

    @Command(name = "serve", header = "Answers experiment.java's requests on stdin, one JSON line each.")
    static final class Serve implements Callable<Integer> {
        @Option(names = "--architecture", paramLabel = "ARCH", defaultValue = "${env:LAMBDA_KIT_ARCHITECTURE:-arm64}",
                description = "arm64 or x86_64 (default: LAMBDA_KIT_ARCHITECTURE, or arm64).")
        String architecture;
        @Option(names = "--subnets", split = ",", paramLabel = "ID", defaultValue = "${env:LAMBDA_KIT_SUBNETS}",
                description = "For LMI's instances (default: LAMBDA_KIT_SUBNETS, or those of the default VPC).")
        List<String> subnets;
        @Option(names = "--security-groups", split = ",", paramLabel = "ID",
                defaultValue = "${env:LAMBDA_KIT_SECURITY_GROUPS}",
                description = "For LMI's instances (default: LAMBDA_KIT_SECURITY_GROUPS, or the default VPC's).")
        List<String> securityGroups;
        @Mixin Cli.Verbose verbose;

        @Override public Integer call() throws Exception {
            // Who asked is gone: stop waiting in the middle of a verb too. The ledger knows what there is.
            ProcessHandle.current().parent().ifPresent(asker -> asker.onExit()
                    .thenRun(() -> Runtime.getRuntime().halt(SOMETHING_LEFT)));
            Target.serve(new Aws(Door.World.REAL, Ledger.ofUser(), Path.of("").toAbsolutePath(),
                    new Settings(architecture, subnets, securityGroups), Aws::newId));
            return Cli.DONE;
        }
    }

    /** Empty lists are looked up. */
    record Settings(String architecture, List<String> subnets, List<String> securityGroups) {
        Settings {
            subnets = subnets == null ? List.of() : List.copyOf(subnets);
            securityGroups = securityGroups == null ? List.of() : List.copyOf(securityGroups);
            if (!LMI_INSTANCE.containsKey(architecture)) throw new Cli.Problem(Cli.REFUSED,
                    "Lambda has no architecture '" + architecture + "'", "--architecture arm64 or x86_64");
        }
    }

    private final Door.World world;
    private final Ledger ledger;
    private final Path kit;
    private final Settings settings;
    private final Supplier<String> ids;
    private Door door;
    private String account;
    private PriceList prices;
    private Target.Planned planned;
    private List<String> subnets, securityGroups;
    private Ledger.Entry entry;
    private Map<String, String> outputs;

    private Aws() {
        this(Door.World.REAL, Ledger.ofUser(), Path.of("").toAbsolutePath(),
                new Settings("arm64", List.of(), List.of()), Aws::newId);
    }

    Aws(Door.World world, Ledger ledger, Path kit, Settings settings, Supplier<String> ids) {
        this.world = world;
        this.ledger = ledger;
        this.kit = kit;
        this.settings = settings;
        this.ids = ids;
    }

    /** A time, for people, and six random digits, so that no name is ever anybody else's. */
    private static String newId() {
        return DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC).format(Instant.now())
                + "-" + UUID.randomUUID().toString().substring(0, 6);
    }

    private String describe(Ledger.Entry entry) {
        String cost = entry.up() == null ? "" : String.format(Locale.ROOT, ", up for %s at $%.2f an hour",
                Cli.spoken(Duration.between(entry.up(), world.now())), entry.usdPerHour());
        return entry.id() + "  " + entry.region() + "  " + entry.variants().size() + " variants" + cost;
    }

    // ==== Plan ====

    @Override public Target.Planned plan(Target.Plan request) throws Exception {
        return beforeAnything(() -> {
            var plan = request.plan();
            var warnings = new ArrayList<String>();
            open();
            checkCredentialsLast(lengthOf(plan).plus(ASSUMED_DEPLOY_AND_REMOVE), warnings);
            checkQuota(plan.variants());
            var refused = new TreeMap<String, String>();
            if (plan.variants().stream().anyMatch(Run.Variant::lmi)) {
                if (lmiIsOffered()) findNetwork();
                else plan.variants().stream().filter(Run.Variant::lmi).forEach(variant ->
                        refused.put(variant.name(), "Managed Instances are not offered in " + door.region));
            }
            for (var left : ledger.entries()) {
                warnings.add("still there: " + describe(left) + "; it is used again if it fits, else " + TEARDOWN);
            }
            var variants = plan.variants().stream().filter(variant -> !refused.containsKey(variant.name())).toList();
            prices = PriceList.live(door, kit, settings.architecture(), instanceType(), warnings);
            var bill = prices.bill(plannedUses(plan, variants));
            var items = bill.byName().items().stream().map(item ->
                    new Target.CostItem(item.name(), item.quantity(), item.unit(), item.usd())).toList();
            double usdPerHour = prices.bill(fleet(variants.stream().filter(Run.Variant::lmi).count(), 1)).totalUsd();
            String platform = settings.architecture().equals("arm64") ? "AL2023_ARM64" : "AL2023_X86_64";
            return planned = new Target.Planned(
                    platform, refused, items, bill.totalUsd(), usdPerHour, prices.json(), warnings);
        });
    }

    /** Finds region, credentials and account. The first call of all is this one, and it makes nothing. */
    private void open() throws InterruptedException {
        if (door == null) door = Door.configured(world);
        door.resolve();
        account = door.call("sts:GetCallerIdentity", () -> door.sts().getCallerIdentity().account());
    }

    private void checkCredentialsLast(Duration needed, List<String> warnings) {
        Instant end = world.now().plus(needed);
        door.credentialsEnd().filter(end::isAfter).ifPresent(ends -> {
            throw new Cli.Problem(Cli.REFUSED, "the AWS credentials end at " + ends
                    + ", the run needs them until about " + end.truncatedTo(ChronoUnit.SECONDS),
                    "renew them, take a profile that renews itself (SSO, a role, credential_process), or a shorter run");
        });
        if (door.credentialsMayEnd()) warnings.add("these AWS credentials are temporary and do not say until when; the run "
                + "needs them for " + Cli.spoken(needed) + ". If they end, renew them: " + RESUME);
    }

    private void checkQuota(List<Run.Variant> variants) throws InterruptedException {
        long standard = variants.stream().filter(variant -> !variant.lmi()).count();
        long needed = standard * STANDARD_ENVIRONMENTS + UNRESERVED_ENVIRONMENTS;
        int free = door.call("lambda:GetAccountSettings",
                () -> door.lambda().getAccountSettings().accountLimit().unreservedConcurrentExecutions());
        if (needed > free) throw new Cli.Problem(Cli.REFUSED, "the run needs %d concurrent executions, %d are free in %s"
                .formatted(needed, free, door.region),
                "ask AWS for more (Service Quotas, Lambda, Concurrent executions), or measure fewer variants");
    }

    private boolean lmiIsOffered() throws InterruptedException {
        try {
            door.call("lambda:ListCapacityProviders", () -> door.lambda().listCapacityProviders(it -> it.maxItems(1)));
            return true;
        } catch (AwsServiceException unknownThere) {
            return false;
        }
    }

    /** LMI's instances go where the account's defaults are unless told otherwise. */
    private void findNetwork() throws InterruptedException {
        subnets = !settings.subnets().isEmpty() ? settings.subnets() : door.ec2("DescribeSubnets", "subnetId",
                Map.of("Filter.1.Name", "default-for-az", "Filter.1.Value.1", "true"));
        if (subnets.isEmpty()) throw new Cli.Problem(Cli.REFUSED,
                "there is no default VPC in " + door.region + " for LMI's instances",
                "name subnets and security groups: --subnets, --security-groups");
        securityGroups = settings.securityGroups();
        if (!securityGroups.isEmpty()) return;
        var vpcs = door.ec2("DescribeSubnets", "vpcId", Map.of("SubnetId.1", subnets.getFirst()));
        securityGroups = door.ec2("DescribeSecurityGroups", "groupId",
                Map.of("Filter.1.Name", "group-name", "Filter.1.Value.1", "default",
                        "Filter.2.Name", "vpc-id", "Filter.2.Value.1", vpcs.getFirst()));
    }

    private static Duration lengthOf(Run.Plan plan) {
        double cellSeconds = plan.settleSeconds() + plan.measureSeconds() + ASSUMED_CELL_OVERHEAD.toSeconds();
        return Duration.ofMillis((long) (plan.order().size() * cellSeconds * 1000));
    }

    private List<Cost.Use> plannedUses(Run.Plan plan, List<Run.Variant> variants) {
        var traffic = new ArrayList<Cost.Traffic>();
        double seconds = plan.settleSeconds() + plan.measureSeconds();
        for (var variant : variants) {
            double requests = 0, billedMs = 0, stored = 0;
            for (var workload : plan.workloads()) {
                long cells = plan.order().stream().filter(cell -> cell.variants().contains(variant.name())
                        && (cell.workload() == null || cell.workload().equals(workload.name()))).count();
                double asked = cells * seconds * workload.ratePerSecond() + plan.warmUpRequests();
                requests += asked;
                double waitMs = Double.parseDouble(workload.query().getOrDefault("delay_ms", "0"));
                billedMs += variant.lmi() ? 0 : asked * (ASSUMED_WORK_MS + waitMs);
                if (workload.name().equals("store")) stored += asked;
            }
            traffic.add(new Cost.Traffic(variant.name(), variant.lmi(), settings.architecture(), variant.memoryMb(),
                    requests, billedMs, 0, stored, requests * Cost.REPLY_BYTES, requests * Cost.LOG_BYTES));
        }
        double hours = lengthOf(plan).plus(ASSUMED_DEPLOY_AND_REMOVE).toSeconds() / 3600.0;
        return Cost.usesOfRun(traffic, fleet(variants.stream().filter(Run.Variant::lmi).count(), hours));
    }

    private List<Cost.Use> fleet(long providers, double hours) {
        return List.of(new Cost.Use.Fleet("lmi", instanceType(), providers * LMI_ENVIRONMENTS * hours));
    }

    private String instanceType() { return LMI_INSTANCE.get(settings.architecture()); }

    // ==== Start ====

    @Override public Target.Started start(Target.Start request, Consumer<String> progress) throws Exception {
        String contents = contentsOf(request);
        if (!isThereAlready(contents, progress)) entry = beforeAnything(() -> ledger.write(newEntry(request, contents)));
        try {
            String status = entry.stackId() == null ? "" : statusOf(entry.stackId());
            if (!status.startsWith("CREATE_")) deploy(request, progress);
            if (!status.equals("CREATE_COMPLETE")) follow(progress);
            return started();
        } catch (Door.Fault fault) {
            if (fault.reason != Door.Reason.DENIED) throw left(fault);
            throw undo(entry.up() == null ? Cli.REFUSED : START_FAILED, fault.getMessage(),
                    "ask for that right, then run it again; nothing is left", progress);
        } catch (AwsServiceException refused) {
            throw undo(START_FAILED, "AWS refused the stack: " + Door.line(refused), "nothing is left", progress);
        } catch (StackFailed failed) {
            throw undo(START_FAILED, failed.getMessage(),
                    "nothing is left; template.yaml is what CloudFormation was asked for", progress);
        }
    }

    /** Whether an earlier run of the same has left what this one goes on with; what is going away is removed first. */
    private boolean isThereAlready(String contents, Consumer<String> progress) throws Exception {
        var left = ledger.entries().stream().filter(it -> it.contents().equals(contents)
                && it.account().equals(account) && it.region().equals(door.region)).findFirst();
        if (left.isEmpty()) return false;
        entry = left.get();
        boolean usable = entry.stackId() == null || afterStart(() ->
                Set.of("REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE").contains(statusOf(entry.stackId())));
        progress.accept((usable ? "goes on with what is there: " : "removes first what an earlier run has left: ")
                + describe(entry));
        if (!usable) removeAndTell(progress);
        return usable;
    }

    /** The stack of an entry that could not come up, with the first cause that CloudFormation told. */
    private static final class StackFailed extends Exception {
        StackFailed(String cause) { super(Door.withoutAccount(cause)); }
    }

    private String contentsOf(Target.Start request) throws IOException {
        var parts = new TreeSet<String>(List.of(settings.architecture(), Sha256.of(kit.resolve("template.yaml"))));
        request.variants().forEach(variant -> parts.add(variant.name()));
        request.artefacts().values().forEach(artefact -> parts.add(artefact.sha256()));
        return String.join(" ", parts);
    }

    private Ledger.Entry newEntry(Target.Start request, String contents) throws InterruptedException {
        String id = ids.get(), stackName = STACK_PREFIX + id, bucket = stackName + "-artefacts";
        if (stack(stackName).isPresent()) throw new Cli.Problem(Cli.REFUSED,
                "a stack named " + stackName + " is there already, and this machine has no state for it", NOT_TOUCHED);
        if (bucketExists(bucket)) throw new Cli.Problem(Cli.REFUSED,
                "a bucket named " + bucket + " is there already, and this machine has no state for it", NOT_TOUCHED);
        return new Ledger.Entry(id, account, door.region, world.now(), contents,
                request.variants().stream().map(Run.Variant::name).toList(),
                settings.architecture(), instanceType(), bucket, stackName, false, null, null,
                planned.costUsd(), planned.costPerHourUsd(), Map.of());
    }

    private boolean bucketExists(String bucket) throws InterruptedException {
        try {
            door.call("s3:HeadBucket on " + bucket, () -> door.s3().headBucket(it -> it.bucket(bucket)));
            return true;
        } catch (Door.Fault elses) {
            if (elses.reason == Door.Reason.DENIED) return true;
            throw elses;
        } catch (AwsServiceException answered) {
            return answered.statusCode() != 404;
        }
    }

    /** Bucket, uploads, change set, execution; each may have been done by a process that was killed. */
    private void deploy(Target.Start request, Consumer<String> progress) throws Exception {
        makeBucket();
        for (var artefact : new TreeMap<>(request.artefacts()).entrySet()) {
            Path zip = artefact.getValue().zip();
            progress.accept("upload %s, %.1f MB".formatted(zip.getFileName(), Files.size(zip) / 1e6));
            door.call("s3:PutObject on " + entry.bucket(), () -> door.s3().putObject(it -> it.bucket(entry.bucket())
                    .key(keyOf(artefact.getKey(), artefact.getValue())).overrideConfiguration(limit -> limit
                            .apiCallTimeout(UPLOAD_LIMIT)), RequestBody.fromFile(zip)));
        }
        entry = ledger.write(entry.asDeploying());
        createChangeSet(request);
        var changeSet = waitForChangeSet();
        entry = ledger.write(entry.withStack(changeSet.stackId()).asUp(world.now()));
        progress.accept("stack " + entry.stackName() + " with " + request.variants().size() + " variants");
        executeChangeSet(changeSet.changeSetId());
    }

    private static String keyOf(String language, Target.Artefact artefact) {
        return language + "-" + artefact.sha256().substring(0, 16) + ".zip";
    }

    private void makeBucket() throws InterruptedException {
        try {
            door.call("s3:CreateBucket on " + entry.bucket(), () -> door.s3().createBucket(it -> {
                it.bucket(entry.bucket());
                // S3's first region is the one that must not be named.
                if (!door.region.equals("us-east-1")) it.createBucketConfiguration(to -> to.locationConstraint(door.region));
            }));
        } catch (AwsServiceException answered) {
            // Its name is random and was free before the ledger had it: it is there because a reply was lost.
            if (!Door.code(answered).equals("BucketAlreadyOwnedByYou")) throw answered;
        }
    }

    private void createChangeSet(Target.Start request) throws Exception {
        var asked = CreateChangeSetRequest.builder()
                .stackName(entry.stackName()).changeSetName(CHANGE_SET).changeSetType(ChangeSetType.CREATE)
                .templateBody(Files.readString(kit.resolve("template.yaml")))
                .parameters(parameters(request).entrySet().stream().map(it -> Parameter.builder()
                        .parameterKey(it.getKey()).parameterValue(it.getValue()).build()).toList())
                .capabilities(Capability.CAPABILITY_IAM, Capability.CAPABILITY_AUTO_EXPAND)
                .onStackFailure(OnStackFailure.DELETE)
                .tags(Tag.builder().key(TAG).value(entry.id()).build()).clientToken("start-" + entry.id()).build();
        try {
            door.call("cloudformation:CreateChangeSet on " + entry.stackName(),
                    () -> door.cloudFormation().createChangeSet(asked));
        } catch (AlreadyExistsException ofALostReply) {
            // The name was free before the ledger had it: what exists is what this call, or a killed process, asked for.
        }
    }

    private SortedMap<String, String> parameters(Target.Start request) throws IOException {
        var asked = request.variants().stream().map(variant -> switchOf(variant.name())).collect(Collectors.toSet());
        var parameters = new TreeMap<String, String>();
        try (var lines = Files.lines(kit.resolve("template.yaml"))) {
            lines.map(line -> line.replaceFirst("^  (With\\w+):.*", "$1")).filter(line -> line.startsWith("With"))
                    .forEach(name -> parameters.put(name, asked.contains(name) ? "yes" : "no"));
        }
        var unknown = asked.stream().filter(name -> !parameters.containsKey(name)).toList();
        if (!unknown.isEmpty()) throw new Cli.Problem(Cli.REFUSED, "template.yaml has no variant for " + unknown,
                "take it out of the profile, or add it to the template");
        request.artefacts().forEach((language, artefact) ->
                parameters.put(capital(language) + "Artefact", keyOf(language, artefact)));
        parameters.put("ArtefactBucket", entry.bucket());
        parameters.put("Architecture", settings.architecture());
        parameters.put("StandardEnvironments", String.valueOf(STANDARD_ENVIRONMENTS));
        parameters.put("LmiEnvironments", String.valueOf(LMI_ENVIRONMENTS));
        parameters.put("LmiInstanceType", instanceType());
        parameters.put("SubnetIds", subnets == null ? "none" : String.join(",", subnets));
        parameters.put("SecurityGroupIds", securityGroups == null ? "none" : String.join(",", securityGroups));
        return parameters;
    }

    /** rust-lmi-2048 is switched by WithRustLmi2048. */
    static String switchOf(String variant) {
        return "With" + Arrays.stream(variant.split("-")).map(Aws::capital).collect(Collectors.joining());
    }

    private static String capital(String word) {
        return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
    }

    /** Waits until CloudFormation has worked out what it will make. */
    private DescribeChangeSetResponse waitForChangeSet() throws InterruptedException, StackFailed {
        for (Instant giveUp = world.now().plus(DEPLOY_LIMIT); world.now().isBefore(giveUp); world.sleep().sleep(POLL)) {
            var described = door.call("cloudformation:DescribeChangeSet on " + entry.stackName(), () -> door
                    .cloudFormation().describeChangeSet(it -> it.stackName(entry.stackName()).changeSetName(CHANGE_SET)));
            if (described.status() == ChangeSetStatus.CREATE_COMPLETE) return described;
            if (described.status() == ChangeSetStatus.FAILED) {
                throw new StackFailed("CloudFormation refused the template: " + described.statusReason());
            }
        }
        throw new StackFailed("CloudFormation did not work out the change set within " + Cli.spoken(DEPLOY_LIMIT));
    }

    private void executeChangeSet(String changeSetId) throws InterruptedException {
        try {
            door.call("cloudformation:ExecuteChangeSet", () -> door.cloudFormation().executeChangeSet(it -> it
                    .changeSetName(changeSetId).clientRequestToken("execute-" + entry.id())));
        } catch (AwsServiceException perhapsOfALostReply) {
            if (statusOf(entry.stackId()).equals("REVIEW_IN_PROGRESS")) throw perhapsOfALostReply;
        }
    }

    /** Tells the stack's events until it is up; throws when it cannot come up. */
    private void follow(Consumer<String> progress) throws InterruptedException, StackFailed {
        var told = new HashSet<String>();
        String cause = null;
        for (Instant giveUp = entry.up().plus(DEPLOY_LIMIT); ; world.sleep().sleep(POLL)) {
            // The status first: the events that are read after it tell of all that led to it.
            String status = statusOf(entry.stackId());
            for (var event : newEvents(told)) {
                progress.accept("%6s  %-22s %s".formatted(Cli.spoken(Duration.between(entry.up(), event.timestamp()).abs()),
                        event.resourceStatusAsString(), event.logicalResourceId()));
                if (cause == null && isCause(event)) cause = causeOf(event);
            }
            if (status.equals("CREATE_COMPLETE")) return;
            if (!status.endsWith("_IN_PROGRESS")) {
                throw new StackFailed("the stack could not be made: " + (cause == null ? status : cause));
            }
            if (world.now().isAfter(giveUp)) throw new StackFailed("the stack was not up within " + Cli.spoken(DEPLOY_LIMIT));
        }
    }

    /** "Resource creation cancelled" is what befalls the others once one has failed. */
    private static boolean isCause(StackEvent event) {
        return event.resourceStatus() == ResourceStatus.CREATE_FAILED
                && !String.valueOf(event.resourceStatusReason()).contains("cancelled");
    }

    private static String causeOf(StackEvent event) {
        return "%s (%s): %s".formatted(event.logicalResourceId(), event.resourceType(), event.resourceStatusReason());
    }

    /** Oldest first. */
    private List<StackEvent> newEvents(Set<String> told) throws InterruptedException {
        var fresh = new ArrayDeque<StackEvent>();
        String next = null;
        do {
            String page = next;
            var answer = door.call("cloudformation:DescribeStackEvents", () -> door.cloudFormation()
                    .describeStackEvents(it -> it.stackName(entry.stackId()).nextToken(page)));
            next = answer.nextToken();
            for (var event : answer.stackEvents()) {
                if (told.add(event.eventId())) fresh.addFirst(event);
                else next = null;
            }
        } while (next != null);
        return List.copyOf(fresh);
    }

    /** The stack, by id or name, whatever its status; empty when there is none. */
    private Optional<Stack> stack(String stack) throws InterruptedException {
        try {
            return door.call("cloudformation:DescribeStacks on " + nameOf(stack), () -> door.cloudFormation()
                    .describeStacks(it -> it.stackName(stack))).stacks().stream().findFirst();
        } catch (CloudFormationException answered) {
            if (String.valueOf(answered.getMessage()).contains("does not exist")) return Optional.empty();
            throw answered;
        }
    }

    private String statusOf(String stackId) throws InterruptedException {
        return stack(stackId).map(Stack::stackStatusAsString).orElse("DELETE_COMPLETE");
    }

    /** A stack's name and unique part, without the account's number. */
    private static String nameOf(String stackId) { return stackId.replaceFirst("^arn:.*?:stack/", ""); }

    private Target.Started started() throws InterruptedException, StackFailed {
        readOutputs();
        String id = outputs.get("ApiId"), stage = outputs.get("ApiStage");
        String base = door.endpoint().map(endpoint -> endpoint + "/restapis/" + id + "/" + stage + "/_user_request_")
                .orElse("https://" + id + ".execute-api." + door.region + ".amazonaws.com/" + stage);
        String key = door.call("apigateway:GetApiKey", () -> door.apiGateway().getApiKey(it -> it
                .apiKey(outputs.get("ApiKeyId")).includeValue(true)).value());
        var urls = new LinkedHashMap<String, String>();
        for (String variant : entry.variants()) urls.put(variant, base + "/" + variant);
        var environment = new TreeMap<String, Object>(Map.of("region", entry.region(), "architecture", entry.architecture(),
                "standardEnvironments", STANDARD_ENVIRONMENTS, "lmiEnvironments", LMI_ENVIRONMENTS,
                "lmiInstanceType", entry.instanceType(), "prices", prices.from(), "estimatedUsd", entry.estimatedUsd()));
        door.endpoint().ifPresent(_ -> environment.put("standIn",
                "AWS_ENDPOINT_URL was set: this is not AWS, and its figures say nothing about AWS"));
        return new Target.Started(urls, key, environment);
    }

    private void readOutputs() throws InterruptedException {
        outputs = stack(entry.stackId()).orElseThrow().outputs().stream()
                .collect(Collectors.toMap(Output::outputKey, Output::outputValue));
    }

    // ==== Ready ====

    @Override public Target.Environments ready(Target.Ready request, Consumer<String> progress) throws Exception {
        return afterStart(() -> {
            var environments = new TreeMap<String, Integer>();
            for (Instant giveUp = world.now().plus(READY_LIMIT); ; world.sleep().sleep(POLL)) {
                for (String name : request.variants()) {
                    if (environments.containsKey(name) || !isActive(Run.Variant.of(name))) continue;
                    environments.put(name, Run.Variant.of(name).lmi() ? LMI_ENVIRONMENTS : 0);
                    progress.accept(name + " is active");
                }
                if (environments.size() == request.variants().size()) return new Target.Environments(environments);
                if (world.now().isAfter(giveUp)) throw new Cli.Problem(START_FAILED,
                        "only " + environments.keySet() + " became active within " + Cli.spoken(READY_LIMIT), REMOVED);
            }
        });
    }

    /** LMI's environments belong to the version $LATEST.PUBLISHED; $LATEST itself never becomes active there. */
    private boolean isActive(Run.Variant variant) throws InterruptedException {
        String function = entry.stackName() + "-" + variant.name();
        State state;
        try {
            state = stateOf(function, variant.lmi() ? "$LATEST.PUBLISHED" : null);
        } catch (ResourceNotFoundException notPublishedYet) {
            state = stateOf(function, null);
        }
        if (state == State.FAILED) throw new Cli.Problem(START_FAILED, variant.name() + " failed to become active", REMOVED);
        return state == State.ACTIVE;
    }

    private State stateOf(String function, String version) throws InterruptedException {
        return door.call("lambda:GetFunctionConfiguration on " + function, () -> door.lambda()
                .getFunctionConfiguration(it -> it.functionName(function).qualifier(version))).state();
    }

    // ==== Stores ====

    @Override public Target.Done empty() throws Exception {
        return afterStart(() -> {
            emptyBucket(outputs.get("BucketName"));
            emptyTable(outputs.get("TableName"));
            return new Target.Done();
        });
    }

    /** All versions and delete markers, as a bucket that holds any cannot be deleted. No bucket is an empty one. */
    private void emptyBucket(String bucket) throws InterruptedException {
        try {
            while (true) {
                var page = door.call("s3:ListObjectVersions on " + bucket,
                        () -> door.s3().listObjectVersions(it -> it.bucket(bucket)));
                var all = Stream.concat(page.versions().stream().map(it -> identifier(it.key(), it.versionId())),
                        page.deleteMarkers().stream().map(it -> identifier(it.key(), it.versionId()))).toList();
                if (all.isEmpty()) return;
                var errors = door.call("s3:DeleteObjects on " + bucket, () -> door.s3().deleteObjects(it -> it
                        .bucket(bucket).delete(these -> these.objects(all).quiet(true)))).errors();
                if (!errors.isEmpty()) throw new Door.Fault(Door.Reason.REFUSED,
                        "could not delete from bucket " + bucket + ": " + errors.getFirst().code(), null);
            }
        } catch (AwsServiceException answered) {
            if (answered.statusCode() != 404) throw answered;
        }
    }

    private static ObjectIdentifier identifier(String key, String version) {
        return ObjectIdentifier.builder().key(key).versionId(version).build();
    }

    private void emptyTable(String table) throws InterruptedException {
        var ids = new ArrayDeque<String>();
        readItems(table, ids::add);
        while (!ids.isEmpty()) {
            // BatchWriteItem takes 25 and may leave some undone when it is busy.
            var batch = Stream.generate(ids::poll).limit(Math.min(25, ids.size())).map(id -> WriteRequest.builder()
                    .deleteRequest(it -> it.key(Map.of("id", AttributeValue.fromS(id)))).build()).toList();
            var undone = door.call("dynamodb:BatchWriteItem", () -> door.dynamoDb().batchWriteItem(it -> it
                    .requestItems(Map.of(table, batch)))).unprocessedItems();
            undone.getOrDefault(table, List.of()).forEach(it -> ids.add(it.deleteRequest().key().get("id").s()));
            if (!undone.isEmpty()) world.sleep().sleep(Duration.ofSeconds(1));
        }
    }

    private void readItems(String table, Consumer<String> onId) throws InterruptedException {
        Map<String, AttributeValue> from = null;
        do {
            var start = from;
            var page = door.call("dynamodb:Scan", () -> door.dynamoDb().scan(it -> it
                    .tableName(table).consistentRead(true).projectionExpression("id").exclusiveStartKey(start)));
            page.items().forEach(item -> onId.accept(item.get("id").s()));
            from = page.lastEvaluatedKey().isEmpty() ? null : page.lastEvaluatedKey();
        } while (from != null);
    }

    @Override public Target.Contents stored(Target.Stored request) throws Exception {
        return afterStart(() -> {
            String bucket = outputs.get("BucketName"), table = outputs.get("TableName");
            var objects = new HashSet<String>();
            var bytes = new LongSummaryStatistics();
            String next = null;
            do {
                String token = next;
                var page = door.call("s3:ListObjectsV2", () -> door.s3()
                        .listObjectsV2(it -> it.bucket(bucket).continuationToken(token)));
                page.contents().forEach(object -> {
                    objects.add(object.key().replaceFirst("\\.txt$", ""));
                    bytes.accept(object.size());
                });
                next = page.nextContinuationToken();
            } while (next != null);
            var items = new HashSet<String>();
            readItems(table, items::add);
            var counts = new Run.Stored(objects.size(), items.size(), objects.equals(items),
                    objects.isEmpty() ? 0 : bytes.getMin(), objects.isEmpty() ? 0 : bytes.getMax());
            if (request.id() == null) {
                addToUsed(Map.of("stores", new Cost.Traffic("stores", false, entry.architecture(), 0, 0, 0, 0, objects.size(),
                        0, 0)));
                return new Target.Contents(counts, null, null);
            }
            return new Target.Contents(counts, objectText(bucket, request.id() + ".txt"), item(table, request.id()));
        });
    }

    private String objectText(String bucket, String key) throws InterruptedException {
        try {
            return door.call("s3:GetObject", () -> door.s3().getObjectAsBytes(it -> it.bucket(bucket).key(key))
                    .asUtf8String());
        } catch (NoSuchKeyException none) {
            return null;
        }
    }

    private JsonNode item(String table, String id) throws InterruptedException {
        var item = door.call("dynamodb:GetItem", () -> door.dynamoDb().getItem(it -> it
                .tableName(table).consistentRead(true).key(Map.of("id", AttributeValue.fromS(id)))).item());
        return item.isEmpty() ? null : Run.json().valueToTree(item.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, it -> Map.of("S", it.getValue().s()))));
    }

    // ==== Collect ====

    @Override public Target.Collected collect(Target.Collect request, Consumer<String> progress) throws Exception {
        return afterStart(() -> {
            var cloudWatch = new CloudWatch(door, entry, outputs.get("ApiStage"));
            var logged = cloudWatch.invocations(request, progress);
            boolean complete = logged.count() > 0 && logged.count() >= request.requests();
            var notes = new ArrayList<String>();
            if (!complete) notes.add(request.requests() == 0 ? "no invocation records came"
                    : "%d of %d invocation records came; the rest are late, or those requests reached no function"
                            .formatted(logged.count(), request.requests()));
            notes.addAll(cloudWatch.metrics(request));
            notes.forEach(progress);
            addToUsed(logged.traffic());
            return new Target.Collected(logged.count(), complete, notes);
        });
    }

    /** What was used is in the ledger, so that a run that is resumed or torn down later still knows what it cost. */
    private void addToUsed(Map<String, Cost.Traffic> more) throws IOException {
        var used = new TreeMap<>(entry.used());
        more.forEach((owner, it) -> used.merge(owner, it, (a, b) -> new Cost.Traffic(owner, a.lmi(), a.architecture(),
                a.memoryMb(), a.requests() + b.requests(), a.billedMs() + b.billedMs(), a.initMs() + b.initMs(),
                a.stored() + b.stored(), a.replyBytes() + b.replyBytes(), a.logBytes() + b.logBytes())));
        entry = ledger.write(entry.withUsed(used));
    }

    // ==== Remove ====

    @Override public Target.Removed remove(Consumer<String> progress) throws Exception {
        if (entry == null) return new Target.Removed(0);
        try {
            return new Target.Removed(removeAll(progress));
        } catch (Door.Fault | AwsServiceException stopped) {
            throw left(stopped);
        }
    }

    /** Removes the stack of every entry, or of one. */
    void teardown(String id, Consumer<String> progress) throws Exception {
        var entries = ledger.entries().stream().filter(it -> id == null || it.id().equals(id)).toList();
        if (id != null && entries.isEmpty()) throw new Cli.Problem(Cli.REFUSED,
                "no state in " + ledger.directory() + " names " + id, "./jbang aws.java status tells what there is");
        if (entries.isEmpty()) progress.accept("nothing is left in AWS by runs of this machine");
        for (var next : entries) {
            beforeAnything(() -> {
                open();
                if (!next.region().equals(door.region)) throw new Cli.Problem(Cli.REFUSED,
                        next.id() + " is in " + next.region() + ", the configured region is " + door.region,
                        "AWS_REGION=" + next.region() + " ./jbang aws.java teardown " + next.id());
                if (!next.account().equals(account)) throw new Cli.Problem(Cli.REFUSED,
                        next.id() + " is in another AWS account than these credentials",
                        "use the credentials that it was made with");
                return null;
            });
            entry = next;
            removeAndTell(progress);
        }
    }

    private void removeAndTell(Consumer<String> progress) throws Exception {
        var removed = entry;
        double spentUsd = remove(progress).spentUsd();
        progress.accept(String.format(Locale.ROOT, "%s: 0 resources left, $%.2f spent, $%.2f estimated", removed.id(),
                spentUsd, removed.estimatedUsd()));
    }

    /** Whatever stops it, the entry still leads to the rest. Returns what it all cost, USD. */
    private double removeAll(Consumer<String> progress) throws Exception {
        Instant giveUp = world.now().plus(REMOVE_LIMIT);
        removeStack(giveUp, progress);
        verifyProvidersGone(giveUp, progress);
        double spentUsd = spentUsd();
        removeLogGroups();
        removeArtefacts();
        ledger.delete(entry);
        entry = null;
        return spentUsd;
    }

    private void removeStack(Instant giveUp, Consumer<String> progress) throws Exception {
        String stackId = entry.stackId() != null ? entry.stackId() : ownStackByName();
        if (stackId == null) return;
        Instant nextTold = world.now().plus(TELL_EVERY);
        for (boolean asked = false; ; world.sleep().sleep(POLL)) {
            String status = statusOf(stackId);
            if (status.equals("DELETE_COMPLETE")) return;
            if (world.now().isAfter(giveUp)) throw new Cli.Problem(SOMETHING_LEFT, "the stack %s is still there after %s: %s"
                    .formatted(nameOf(stackId), Cli.spoken(REMOVE_LIMIT), String.join(", ", survivors(stackId))), TEARDOWN);
            if (status.equals("DELETE_IN_PROGRESS")) {
                if (world.now().isBefore(nextTold)) continue;
                nextTold = world.now().plus(TELL_EVERY);
                var survivors = survivors(stackId);
                boolean draining = survivors.stream().anyMatch(it -> it.contains("CapacityProvider"));
                progress.accept(survivors.size() + " resources to go" + (draining ? "; " + DRAINING : ""));
                continue;
            }
            if (asked) {
                progress.accept("not removed yet: " + String.join(", ", survivors(stackId)) + "; tries again");
                world.sleep().sleep(REMOVE_AGAIN_AFTER);
            } else progress.accept("remove stack " + nameOf(stackId));
            for (String bucket : bucketsOf(stackId)) emptyBucket(bucket);
            door.call("cloudformation:DeleteStack on " + nameOf(stackId),
                    () -> door.cloudFormation().deleteStack(it -> it.stackName(stackId)));
            asked = true;
        }
    }

    /** A process that was killed before CloudFormation's reply left no id; the tag says whether that stack is ours. */
    private String ownStackByName() throws InterruptedException {
        if (!entry.deploying()) return null;
        var tag = Tag.builder().key(TAG).value(entry.id()).build();
        return stack(entry.stackName()).filter(stack -> stack.tags().contains(tag)).map(Stack::stackId).orElse(null);
    }

    private List<String> bucketsOf(String stackId) throws InterruptedException {
        return resources(stackId).stream().filter(it -> it.resourceType().equals("AWS::S3::Bucket"))
                .map(StackResource::physicalResourceId).filter(id -> id != null && !id.isEmpty()).toList();
    }

    private List<String> survivors(String stackId) throws InterruptedException {
        return resources(stackId).stream().map(it -> Door.withoutAccount(it.logicalResourceId() + " (" + it.resourceType()
                + (it.resourceStatusReason() == null ? "" : ": " + it.resourceStatusReason()) + ")")).toList();
    }

    /** Those that are there. */
    private List<StackResource> resources(String stackId) throws InterruptedException {
        try {
            return door.call("cloudformation:DescribeStackResources", () -> door.cloudFormation()
                    .describeStackResources(it -> it.stackName(stackId))).stackResources().stream()
                    .filter(it -> it.resourceStatus() != ResourceStatus.DELETE_COMPLETE).toList();
        } catch (CloudFormationException gone) {
            return List.of();
        }
    }

    /** LMI bills until the instances are gone, which is when their provider is. */
    private void verifyProvidersGone(Instant giveUp, Consumer<String> progress) throws InterruptedException {
        if (entry.providers() == 0 || entry.up() == null) return;
        for (; ; world.sleep().sleep(TELL_EVERY)) {
            var left = door.call("lambda:ListCapacityProviders", () -> door.lambda().listCapacityProvidersPaginator(it -> { })
                    .capacityProviders().stream().map(it -> it.capacityProviderArn().replaceFirst(".*:", ""))
                    .filter(name -> name.startsWith(entry.stackName())).toList());
            if (left.isEmpty()) return;
            if (world.now().isAfter(giveUp)) throw new Cli.Problem(SOMETHING_LEFT,
                    "capacity providers are still there and billed: " + String.join(", ", left), TEARDOWN);
            progress.accept(DRAINING + ": " + String.join(", ", left));
        }
    }

    /** The stack's own are gone with it; Lambda makes others of the same name when a function outlives its group. */
    private void removeLogGroups() throws InterruptedException {
        var groups = door.call("logs:DescribeLogGroups", () -> door.logs()
                .describeLogGroupsPaginator(it -> it.logGroupNamePrefix("/aws/lambda/" + entry.stackName() + "-"))
                .logGroups().stream().map(it -> it.logGroupName()).toList());
        for (String group : groups) delete("logs:DeleteLogGroup on " + group,
                () -> door.logs().deleteLogGroup(it -> it.logGroupName(group)));
    }

    private void removeArtefacts() throws InterruptedException {
        emptyBucket(entry.bucket());
        delete("s3:DeleteBucket on " + entry.bucket(), () -> door.s3().deleteBucket(it -> it.bucket(entry.bucket())));
    }

    /** What is not there any more went with a call whose reply was lost. */
    private void delete(String action, Supplier<?> call) throws InterruptedException {
        try {
            door.call(action, call);
        } catch (AwsServiceException answered) {
            if (!Door.code(answered).matches("NoSuchBucket|ResourceNotFoundException")) throw answered;
        }
    }

    /** By the same formula as the plan: what the variants used, and the fleets from first to last. */
    private double spentUsd() throws IOException {
        if (entry.up() == null) return 0;
        var billed = prices != null ? prices : PriceList.ofFile(kit, entry.region());
        double hours = Duration.between(entry.up(), world.now()).toMillis() / 3.6e6;
        var fleet = new Cost.Use.Fleet("lmi", entry.instanceType(), entry.providers() * LMI_ENVIRONMENTS * hours);
        return billed.bill(Cost.usesOfRun(entry.used().values(), List.of(fleet))).totalUsd();
    }

    // ==== What went wrong ====

    private interface Step<T> { T run() throws Exception; }

    /** Nothing has been made yet: whatever goes wrong is exit code 2. */
    private <T> T beforeAnything(Step<T> step) throws Exception {
        try {
            return step.run();
        } catch (Door.Fault fault) {
            throw new Cli.Problem(Cli.REFUSED, fault.getMessage(), switch (fault.reason) {
                case CREDENTIALS -> "nothing was made; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
                        + "(and AWS_SESSION_TOKEN), or AWS_PROFILE";
                case DENIED -> "ask for that right; nothing was made";
                case UNREACHABLE, REFUSED -> "nothing was made";
            }, fault);
        } catch (AwsServiceException refused) {
            throw new Cli.Problem(Cli.REFUSED, "AWS refused: " + Door.line(refused), "nothing was made", refused);
        }
    }

    /** The stack is up: whatever goes wrong leaves it there. */
    private <T> T afterStart(Step<T> step) throws Exception {
        try {
            return step.run();
        } catch (Door.Fault | AwsServiceException fault) {
            throw left(fault);
        }
    }

    /** Exit code 4: what may be left, and both ways on. */
    private Cli.Problem left(RuntimeException fault) {
        String what = entry.stackId() != null ? "stack " + nameOf(entry.stackId()) : "bucket " + entry.bucket();
        String message = fault instanceof Door.Fault ? fault.getMessage() : "AWS refused: " + Door.line(fault);
        return new Cli.Problem(SOMETHING_LEFT, message + "; " + what + " may be left in " + entry.region(),
                RESUME + "; " + TEARDOWN, fault);
    }

    /** Removes what a failed start has made; the exit code given, or 4 when even that failed. */
    private Cli.Problem undo(int exitCode, String message, String hint, Consumer<String> progress) throws Exception {
        progress.accept(message);
        try {
            remove(progress);
            return new Cli.Problem(exitCode, message, hint);
        } catch (Cli.Problem left) {
            return new Cli.Problem(left.exitCode, message + "; then: " + left.getMessage(), left.hint);
        }
    }
}
