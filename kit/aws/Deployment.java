// One run's stack, from the bucket for its functions' files to AWS's own word that nothing is left.
//
//   make      the bucket, the files, a change set of template.yaml, and its execution
//   follow    CloudFormation's events as they come, until the stack is up or the first cause of its failure is known
//   recycle   another value of an environment variable, so that a function's environments are new
//   remove    the stack, again and again until it is gone; then what a stack leaves: providers, log groups, the bucket
//
// Every step writes to the ledger what the next one needs, before it does anything that costs: whichever process reads
// the entry later can go on from there. Each call may already have been made by a process that was killed.

//SOURCES ../Cli.java
//SOURCES ../judge/Cost.java
//SOURCES ../record/MeasuredFunction.java
//SOURCES ../record/Run.java
//SOURCES ../record/Target.java
//SOURCES Door.java
//SOURCES Ledger.java
//SOURCES PriceList.java
//SOURCES StoresOnAws.java

import module java.base;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.services.cloudformation.model.*;
import software.amazon.awssdk.services.lambda.model.FunctionVersionLatestPublished;
import software.amazon.awssdk.services.lambda.model.GetFunctionConfigurationResponse;
import software.amazon.awssdk.services.lambda.model.LastUpdateStatus;
import software.amazon.awssdk.services.lambda.model.ResourceConflictException;
import software.amazon.awssdk.services.lambda.model.ResourceNotFoundException;
import software.amazon.awssdk.services.lambda.model.State;

/** The stack of one ledger entry and all that belongs to it. */
final class Deployment {
    /** LMI environments of a function, least and most: AWS's smallest fleet is three instances, one environment each. */
    static final int LMI_ENVIRONMENTS = 3;
    /** Each environment has an instance of its own, the smallest that there is for LMI. */
    static final int VCPUS_PER_INSTANCE = 2;
    /** Environments that a standard function reserves. */
    static final int STANDARD_ENVIRONMENTS = 16;

    /** CloudFormation throttles who asks more often than every other second; slower would only make the wait longer. */
    static final Duration POLL = Duration.ofSeconds(3);
    /** The only call that may take longer than a minute: 20 MB over a slow line. */
    private static final Duration UPLOAD_LIMIT = Duration.ofMinutes(10);
    /** LMI's instances take minutes to come; a stack that has not come after this will not. */
    private static final Duration DEPLOY_LIMIT = Duration.ofMinutes(45);
    /** Capacity providers are known to take many minutes to drain; after an hour it is somebody's to look at. */
    private static final Duration REMOVE_LIMIT = Duration.ofMinutes(60);
    /** A new environment of LMI takes minutes; one that has not come after this will not. */
    private static final Duration RECYCLE_LIMIT = Duration.ofMinutes(20);
    private static final Duration REMOVE_AGAIN_AFTER = Duration.ofSeconds(15), TELL_EVERY = Duration.ofSeconds(30);

    static final String STACK_PREFIX = "lambda-kit-";
    /** The tag of a stack, and of the instances that LMI launches for it. */
    static final String TAG = "lambda-kit:id";
    private static final String INSTANCE_TAG = "lambda-kit:stack", CHANGE_SET = "start";
    /** Where functions and capacity providers log, each before a stack's name. */
    static final List<String> LOG_GROUPS = List.of("/aws/lambda/", "/aws/lambda/capacity-provider/");
    /** LMI's environments belong to this version; $LATEST itself never becomes active there. */
    private static final String LMI_VERSION = "$LATEST.PUBLISHED";
    /** The environment variable whose value changes where environments are to be new; no function reads it. */
    private static final String RECYCLED = "KIT_RECYCLED";
    static final int START_FAILED = 3, SOMETHING_LEFT = 4, MEASUREMENT_FAILED = 5;
    private static final String DRAINING = "capacity provider still draining, billed until gone";
    static final String TEARDOWN = "./jbang aws.java teardown removes it";

    /** The stack could not come up; the message is the first cause that CloudFormation told. */
    static final class Failed extends Exception {
        Failed(String cause) { super(Door.withoutAccount(cause)); }
    }

    private final Door door;
    private final Ledger ledger;
    private final Path kit;
    private Ledger.Entry entry;

    Deployment(Door door, Ledger ledger, Path kit, Ledger.Entry entry) {
        this.door = door;
        this.ledger = ledger;
        this.kit = kit;
        this.entry = entry;
    }

    Ledger.Entry entry() { return entry; }

    StoresOnAws stores() {
        return new StoresOnAws(door, entry.outputs().get("BucketName"), entry.outputs().get("TableName"));
    }

    /** What may be left of it, in a word. */
    String what() { return entry.stackId() != null ? "stack " + nameOf(entry.stackId()) : "bucket " + entry.bucket(); }

    // ==== Make ====

    /** Has CloudFormation begin with the stack unless it has already. */
    void make(Target.Start request, Map<String, String> parameters, Consumer<String> progress) throws Exception {
        if (entry.stackId() != null && status().startsWith("CREATE_")) return;
        makeBucket();
        for (var artefact : new TreeMap<>(request.artefacts()).entrySet()) {
            Path zip = artefact.getValue().zip();
            progress.accept("upload %s, %.1f MB".formatted(zip.getFileName(), Files.size(zip) / 1e6));
            door.call("s3:PutObject on " + entry.bucket(), () -> door.s3().putObject(it -> it.bucket(entry.bucket())
                    .key(keyOf(artefact.getKey(), artefact.getValue())).overrideConfiguration(limit -> limit
                            .apiCallTimeout(UPLOAD_LIMIT)), RequestBody.fromFile(zip)));
        }
        entry = ledger.write(entry.asDeploying());
        createChangeSet(parameters(request, parameters));
        var changeSet = waitForChangeSet();
        entry = ledger.write(entry.withStack(changeSet.stackId(), door.world.now()));
        progress.accept("stack " + entry.stackName() + " with " + request.variants().size() + " variants");
        executeChangeSet(changeSet.changeSetId());
    }

    private static String keyOf(String language, MeasuredFunction.Artefact artefact) {
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

    /** Those of the variants that template.yaml has no function for, each with the reason. */
    static SortedMap<String, String> refused(Path kit, List<Run.Variant> variants) throws IOException {
        var switches = switches(kit);
        var refused = new TreeMap<String, String>();
        for (var variant : variants) {
            if (!switches.contains(switchOf(variant.name()))) refused.put(variant.name(), "template.yaml has no such function");
        }
        return refused;
    }

    /** The template's parameters that say whether a variant is deployed. */
    private static Set<String> switches(Path kit) throws IOException {
        try (var lines = Files.lines(kit.resolve("template.yaml"))) {
            return lines.map(line -> line.replaceFirst("^  (With\\w+):.*", "$1")).filter(line -> line.startsWith("With"))
                    .collect(Collectors.toSet());
        }
    }

    private SortedMap<String, String> parameters(Target.Start request, Map<String, String> given) throws IOException {
        var asked = request.variants().stream().map(variant -> switchOf(variant.name())).collect(Collectors.toSet());
        var parameters = new TreeMap<>(given);
        for (String name : switches(kit)) parameters.put(name, asked.contains(name) ? "yes" : "no");
        var unknown = asked.stream().filter(name -> !parameters.containsKey(name)).toList();
        if (!unknown.isEmpty()) throw new Cli.Problem(Cli.REFUSED, "template.yaml has no variant for " + unknown,
                "take it out of the profile, or add it to the template");
        request.artefacts().forEach((language, artefact) ->
                parameters.put(capital(language) + "Artefact", keyOf(language, artefact)));
        parameters.put("ArtefactBucket", entry.bucket());
        parameters.put("RemoveAt", entry.removeAt().toString());
        parameters.put("Architecture", entry.architecture());
        parameters.put("StandardEnvironments", String.valueOf(STANDARD_ENVIRONMENTS));
        parameters.put("LmiEnvironments", String.valueOf(LMI_ENVIRONMENTS));
        parameters.put("LmiInstanceType", entry.instanceType());
        return parameters;
    }

    /** rust-lmi-2048 is switched by WithRustLmi2048. */
    static String switchOf(String variant) {
        return "With" + Arrays.stream(variant.split("-")).map(Deployment::capital).collect(Collectors.joining());
    }

    private static String capital(String word) {
        return word.substring(0, 1).toUpperCase(Locale.ROOT) + word.substring(1);
    }

    private void createChangeSet(Map<String, String> parameters) throws Exception {
        var asked = CreateChangeSetRequest.builder()
                .stackName(entry.stackName()).changeSetName(CHANGE_SET).changeSetType(ChangeSetType.CREATE)
                .templateBody(Files.readString(kit.resolve("template.yaml")))
                .parameters(parameters.entrySet().stream().map(it -> Parameter.builder()
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

    /** Waits until CloudFormation has worked out what it will make. */
    private DescribeChangeSetResponse waitForChangeSet() throws InterruptedException, Failed {
        for (Instant giveUp = door.world.now().plus(DEPLOY_LIMIT); door.world.now().isBefore(giveUp); pause(POLL)) {
            var described = door.call("cloudformation:DescribeChangeSet on " + entry.stackName(), () -> door
                    .cloudFormation().describeChangeSet(it -> it.stackName(entry.stackName()).changeSetName(CHANGE_SET)));
            if (described.status() == ChangeSetStatus.CREATE_COMPLETE) return described;
            if (described.status() == ChangeSetStatus.FAILED) {
                throw new Failed("CloudFormation refused the template: " + described.statusReason());
            }
        }
        throw new Failed("CloudFormation did not work out the change set within " + Cli.spoken(DEPLOY_LIMIT));
    }

    private void executeChangeSet(String changeSetId) throws InterruptedException {
        try {
            door.call("cloudformation:ExecuteChangeSet", () -> door.cloudFormation().executeChangeSet(it -> it
                    .changeSetName(changeSetId).clientRequestToken("execute-" + entry.id())));
        } catch (AwsServiceException perhapsOfALostReply) {
            if (status().equals("REVIEW_IN_PROGRESS")) throw perhapsOfALostReply;
        }
    }

    // ==== Follow ====

    /** Tells the stack's events until it is up; throws when it cannot come up. */
    void follow(Consumer<String> progress) throws IOException, InterruptedException, Failed {
        var told = new HashSet<String>();
        String cause = null;
        for (Instant giveUp = entry.up().plus(DEPLOY_LIMIT); ; pause(POLL)) {
            // The status first: the events that are read after it tell of all that led to it.
            String status = status();
            if (status.equals("CREATE_COMPLETE") && !entry.outputs().isEmpty()) return;
            for (var event : newEvents(told)) {
                progress.accept("%6s  %-22s %s".formatted(Cli.spoken(Duration.between(entry.up(), event.timestamp()).abs()),
                        event.resourceStatusAsString(), event.logicalResourceId()));
                if (cause == null && isCause(event)) cause = causeOf(event);
            }
            if (status.equals("CREATE_COMPLETE")) {
                entry = ledger.write(entry.withOutputs(outputs()));
                return;
            }
            if (!status.endsWith("_IN_PROGRESS")) {
                throw new Failed("the stack could not be made: " + (cause == null ? status : cause));
            }
            if (door.world.now().isAfter(giveUp)) {
                throw new Failed("the stack was not up within " + Cli.spoken(DEPLOY_LIMIT));
            }
        }
    }

    private Map<String, String> outputs() throws InterruptedException {
        return stack(entry.stackId()).orElseThrow().outputs().stream()
                .collect(Collectors.toMap(Output::outputKey, Output::outputValue));
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

    String status() throws InterruptedException { return statusOf(entry.stackId()); }

    private String statusOf(String stackId) throws InterruptedException {
        return stack(stackId).map(Stack::stackStatusAsString).orElse("DELETE_COMPLETE");
    }

    private Optional<Stack> stack(String stack) throws InterruptedException { return stack(door, stack); }

    /** The stack, by id or name, whatever its status; empty when there is none. */
    static Optional<Stack> stack(Door door, String stack) throws InterruptedException {
        try {
            return door.call("cloudformation:DescribeStacks on " + nameOf(stack), () -> door.cloudFormation()
                    .describeStacks(it -> it.stackName(stack))).stacks().stream().findFirst();
        } catch (CloudFormationException answered) {
            if (String.valueOf(answered.getMessage()).contains("does not exist")) return Optional.empty();
            throw answered;
        }
    }

    /** A stack's name and unique part, without the account's number. */
    private static String nameOf(String stackId) { return stackId.replaceFirst("^arn:.*?:stack/", ""); }

    /** Whether the variant's function can be invoked; a problem with exit code 3 when it never will. */
    boolean isActive(Run.Variant variant) throws InterruptedException {
        String function = functionOf(variant);
        State state;
        try {
            state = configurationOf(function, variant.lmi() ? LMI_VERSION : null).state();
        } catch (ResourceNotFoundException notPublishedYet) {
            state = configurationOf(function, null).state();
        }
        if (state == State.FAILED) throw new Cli.Problem(START_FAILED, variant.name() + " failed to become active",
                "nothing was measured; everything is removed");
        return state == State.ACTIVE;
    }

    private String functionOf(Run.Variant variant) { return entry.stackName() + "-" + variant.name(); }

    private GetFunctionConfigurationResponse configurationOf(String function, String version) throws InterruptedException {
        return door.call("lambda:GetFunctionConfiguration on " + function, () -> door.lambda()
                .getFunctionConfiguration(it -> it.functionName(function).qualifier(version)));
    }

    // ==== Recycle ====

    /**
     * Makes the variants' environments new by another value of an environment variable. Standard's start with the requests
     * that follow; LMI's belong to a published version, so that is published again and waited for.
     */
    void recycle(List<Run.Variant> variants, Consumer<String> progress) throws InterruptedException {
        String mark = door.world.now().toString();
        Instant giveUp = door.world.now().plus(RECYCLE_LIMIT);
        for (var left = new ArrayList<>(variants); ; pause(POLL)) {
            for (var variant : List.copyOf(left)) {
                if (!isRecycled(variant, mark)) continue;
                left.remove(variant);
                progress.accept(variant.name() + " has new environments");
            }
            if (left.isEmpty()) return;
            if (door.world.now().isAfter(giveUp)) throw notRecycled(left.getFirst(), "within " + Cli.spoken(RECYCLE_LIMIT));
        }
    }

    /**
     * Takes the next step to new environments; true when there is none left. What the function says of itself decides,
     * as any of the calls may have been carried out without its reply.
     */
    private boolean isRecycled(Run.Variant variant, String mark) throws InterruptedException {
        String function = functionOf(variant);
        var latest = configurationOf(function, null);
        if (latest.lastUpdateStatus() == LastUpdateStatus.FAILED) {
            throw notRecycled(variant, String.valueOf(latest.lastUpdateStatusReason()));
        }
        if (latest.lastUpdateStatus() == LastUpdateStatus.IN_PROGRESS) return false;
        if (!mark.equals(variablesOf(latest).get(RECYCLED))) {
            var variables = new TreeMap<>(variablesOf(latest));
            variables.put(RECYCLED, mark);
            unlessBusy(() -> door.call("lambda:UpdateFunctionConfiguration on " + function, () -> door.lambda()
                    .updateFunctionConfiguration(it -> it.functionName(function).environment(to -> to.variables(variables)))));
            return false;
        }
        if (!variant.lmi()) return true;
        var published = configurationOf(function, LMI_VERSION);
        if (published.state() == State.FAILED) throw notRecycled(variant, String.valueOf(published.stateReason()));
        if (!mark.equals(variablesOf(published).get(RECYCLED))) {
            unlessBusy(() -> door.call("lambda:PublishVersion on " + function, () -> door.lambda().publishVersion(it -> it
                    .functionName(function).publishTo(FunctionVersionLatestPublished.LATEST_PUBLISHED))));
            return false;
        }
        return published.state() == State.ACTIVE && published.lastUpdateStatus() != LastUpdateStatus.IN_PROGRESS;
    }

    private static Cli.Problem notRecycled(Run.Variant variant, String why) {
        return new Cli.Problem(MEASUREMENT_FAILED, variant.name() + " did not get new environments: " + why,
                "./jbang experiment.java --resume goes on with what is not measured yet");
    }

    private static Map<String, String> variablesOf(GetFunctionConfigurationResponse configuration) {
        return configuration.environment() == null ? Map.of() : configuration.environment().variables();
    }

    /** A function that is being updated says so, and is asked again with the next poll. */
    private static void unlessBusy(Call call) throws InterruptedException {
        try {
            call.make();
        } catch (ResourceConflictException updating) {
            // Its configuration tells when that is over.
        }
    }

    private interface Call { void make() throws InterruptedException; }

    // ==== The dead man's switch ====

    /** Pushes back when the stack deletes itself, unless that is later already. */
    void removeNotBefore(Instant then) throws IOException, InterruptedException {
        Instant second = then.truncatedTo(ChronoUnit.SECONDS);
        if (entry.stackId() == null || !entry.removeAt().isBefore(second)) return;
        String name = entry.stackName() + "-removal";
        var schedule = door.call("scheduler:GetSchedule on " + name, () -> door.scheduler().getSchedule(it -> it.name(name)));
        door.call("scheduler:UpdateSchedule on " + name, () -> door.scheduler().updateSchedule(it -> it.name(name)
                .scheduleExpression(schedule.scheduleExpression()).flexibleTimeWindow(schedule.flexibleTimeWindow())
                .target(schedule.target()).startDate(second)));
        entry = ledger.write(entry.removedAt(second));
    }

    // ==== What it has used ====

    /** In the ledger, so that a run that is resumed or torn down later still knows what it cost. */
    void addToUsed(Map<String, Cost.Traffic> more) throws IOException {
        var used = new TreeMap<>(entry.used());
        more.forEach((owner, it) -> used.merge(owner, it, (a, b) -> new Cost.Traffic(owner, a.lmi(), a.architecture(),
                a.memoryMb(), a.requests() + b.requests(), a.billedMs() + b.billedMs(), a.initMs() + b.initMs(),
                a.stored() + b.stored(), a.replyBytes() + b.replyBytes(), a.logBytes() + b.logBytes())));
        entry = ledger.write(entry.withUsed(used));
    }

    /** By the same formula as the plan: what the variants used, and the fleets from first to last. USD. */
    private double spentUsd() {
        if (entry.up() == null) return 0;
        double hours = Duration.between(entry.up(), door.world.now()).toMillis() / 3.6e6;
        var fleet = new Cost.Use.Fleet("lmi", entry.instanceType(), entry.providers() * LMI_ENVIRONMENTS * hours);
        return PriceList.of(entry.prices(), entry.region())
                .bill(Cost.usesOfRun(entry.used().values(), List.of(fleet))).totalUsd();
    }

    // ==== Remove ====

    /** Whatever stops it, the ledger still leads to the rest. Returns what it all cost, USD. */
    double remove(Consumer<String> progress) throws Exception {
        Instant giveUp = door.world.now().plus(REMOVE_LIMIT);
        removeStack(giveUp, progress);
        double spentUsd = spentUsd();
        // What hinders one of these does not hinder the next.
        Exception hindered = null;
        for (Step rest : List.<Step>of(() -> verifyInstancesGone(giveUp, progress), this::removeLogGroups,
                this::removeArtefacts)) {
            try {
                rest.run();
            } catch (Cli.Problem | Door.Fault | AwsServiceException hindrance) {
                if (hindered == null) hindered = hindrance;
            }
        }
        if (hindered != null) throw hindered;
        ledger.delete(entry);
        return spentUsd;
    }

    private interface Step { void run() throws Exception; }

    private void removeStack(Instant giveUp, Consumer<String> progress) throws Exception {
        String stackId = entry.stackId() != null ? entry.stackId() : ownStackByName();
        if (stackId == null) return;
        Instant nextTold = door.world.now().plus(TELL_EVERY);
        for (boolean asked = false; ; pause(POLL)) {
            String status;
            try {
                status = statusOf(stackId);
            } catch (Door.Fault unseen) {
                // Who may delete need not be allowed to see.
                if (!asked && unseen.reason == Door.Reason.DENIED) deleteStack(stackId);
                throw unseen;
            }
            if (status.equals("DELETE_COMPLETE")) return;
            if (door.world.now().isAfter(giveUp)) throw new Cli.Problem(SOMETHING_LEFT,
                    "the stack %s is still there after %s: %s".formatted(nameOf(stackId), Cli.spoken(REMOVE_LIMIT),
                            String.join(", ", survivors(stackId))), TEARDOWN);
            if (status.equals("DELETE_IN_PROGRESS")) {
                if (door.world.now().isBefore(nextTold)) continue;
                nextTold = door.world.now().plus(TELL_EVERY);
                var survivors = survivors(stackId);
                boolean draining = survivors.stream().anyMatch(it -> it.contains("CapacityProvider"));
                progress.accept(survivors.size() + " resources to go" + (draining ? "; " + DRAINING : ""));
                continue;
            }
            if (asked) {
                progress.accept("not removed yet: " + String.join(", ", survivors(stackId)) + "; tries again");
                pause(REMOVE_AGAIN_AFTER);
            } else progress.accept("remove stack " + nameOf(stackId));
            deleteStack(stackId);
            asked = true;
        }
    }

    private void deleteStack(String stackId) throws InterruptedException {
        for (String bucket : bucketsOf(stackId)) StoresOnAws.emptyBucket(door, bucket);
        door.call("cloudformation:DeleteStack on " + nameOf(stackId),
                () -> door.cloudFormation().deleteStack(it -> it.stackName(stackId)));
    }

    /** A process that was killed before CloudFormation's reply left no id; the tag says whether that stack is ours. */
    private String ownStackByName() throws InterruptedException {
        if (!entry.deploying()) return null;
        var tag = Tag.builder().key(TAG).value(entry.id()).build();
        return stack(entry.stackName()).filter(stack -> stack.tags().contains(tag)).map(Stack::stackId).orElse(null);
    }

    private Collection<String> bucketsOf(String stackId) throws InterruptedException {
        var buckets = new TreeSet<String>();
        Optional.ofNullable(entry.outputs().get("BucketName")).ifPresent(buckets::add);
        resources(stackId).stream().filter(it -> it.resourceType().equals("AWS::S3::Bucket"))
                .map(StackResource::physicalResourceId).filter(id -> id != null && !id.isEmpty()).forEach(buckets::add);
        return buckets;
    }

    private List<String> survivors(String stackId) throws InterruptedException {
        return resources(stackId).stream().map(it -> Door.withoutAccount(it.logicalResourceId() + " (" + it.resourceType()
                + (it.resourceStatusReason() == null ? "" : ": " + it.resourceStatusReason()) + ")")).toList();
    }

    /** The stack's resources that are still there, or none where nobody may ask. */
    private List<StackResource> resources(String stackId) throws InterruptedException {
        try {
            return door.call("cloudformation:DescribeStackResources", () -> door.cloudFormation()
                    .describeStackResources(it -> it.stackName(stackId))).stackResources().stream()
                    .filter(it -> it.resourceStatus() != ResourceStatus.DELETE_COMPLETE).toList();
        } catch (CloudFormationException gone) {
            return List.of();
        } catch (Door.Fault fault) {
            if (fault.reason != Door.Reason.DENIED) throw fault;
            return List.of();
        }
    }

    /** LMI bills until the instances are gone, which is when their provider is; and they bear a tag of their own. */
    private void verifyInstancesGone(Instant giveUp, Consumer<String> progress) throws InterruptedException {
        if (entry.providers() == 0 || entry.up() == null) return;
        for (; ; pause(TELL_EVERY)) {
            var left = new ArrayList<>(door.call("lambda:ListCapacityProviders", () -> door.lambda()
                    .listCapacityProvidersPaginator(it -> { }).capacityProviders().stream()
                    .map(it -> it.capacityProviderArn().replaceFirst(".*:", ""))
                    .filter(name -> name.startsWith(entry.stackName())).toList()));
            left.addAll(door.ec2("DescribeInstances", "instanceId", Map.of(
                    "Filter.1.Name", "tag:" + INSTANCE_TAG, "Filter.1.Value.1", entry.stackName(),
                    "Filter.2.Name", "instance-state-name", "Filter.2.Value.1", "pending", "Filter.2.Value.2", "running",
                    "Filter.2.Value.3", "stopping", "Filter.2.Value.4", "stopped")));
            if (left.isEmpty()) return;
            if (door.world.now().isAfter(giveUp)) throw new Cli.Problem(SOMETHING_LEFT,
                    "capacity providers or their instances are still there and billed: " + String.join(", ", left), TEARDOWN);
            progress.accept(DRAINING + ": " + String.join(", ", left));
        }
    }

    /** The stack's own are gone with it; Lambda makes others of the same name when a function outlives its group. */
    private void removeLogGroups() throws InterruptedException {
        for (String prefix : LOG_GROUPS) {
            var groups = door.call("logs:DescribeLogGroups", () -> door.logs()
                    .describeLogGroupsPaginator(it -> it.logGroupNamePrefix(prefix + entry.stackName() + "-"))
                    .logGroups().stream().map(it -> it.logGroupName()).toList());
            for (String group : groups) delete("logs:DeleteLogGroup on " + group,
                    () -> door.logs().deleteLogGroup(it -> it.logGroupName(group)));
        }
    }

    private void removeArtefacts() throws InterruptedException {
        StoresOnAws.emptyBucket(door, entry.bucket());
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

    private void pause(Duration duration) throws InterruptedException { door.world.sleep().sleep(duration); }
}
