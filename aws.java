///usr/bin/env jbang "$0" "$@" ; exit $?
// The experiment's functions on AWS: one CloudFormation stack that is made, used, and removed, whatever happens.
//
//   plan      are there credentials, a region, room in the quotas; is LMI offered; what will it cost? Makes nothing
//   start     a bucket for the functions' files, then template.yaml as a change set, its events told as they come
//   ready     until the environments of Managed Instances (LMI) are up
//   recycle   another value of an environment variable, so that all environments of a function are new
//   empty, stored   the bucket and the table that the functions write to
//   collect   what Lambda logged of each invocation, and CloudWatch's figures, before anything is removed
//   remove    all of it, until AWS itself says that nothing is left
//
// experiment.java starts `aws.java serve` and asks for these (kit/record/Target.java). A person has two commands:
// `./jbang aws.java status` tells what is still there and `./jbang aws.java teardown` removes it. What is to be made is
// written to the user's state directory first (kit/aws/Ledger.java); nothing is ever touched that is not written there. No
// verb needs what an earlier one left in memory: where this process dies, another goes on or removes. LMI's instances cost money from the first to the last of them: a run is as dear as it is long, however little is asked.

//JAVA 25
//DESCRIPTION The experiment's functions on AWS: status and teardown for people, serve for experiment.java
//RUNTIME_OPTIONS -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx512m
//SOURCES kit/Cli.java
//SOURCES kit/aws/Account.java
//SOURCES kit/aws/CloudWatch.java
//SOURCES kit/aws/Deployment.java
//SOURCES kit/aws/Door.java
//SOURCES kit/aws/Inventory.java
//SOURCES kit/aws/Ledger.java
//SOURCES kit/aws/PriceList.java
//SOURCES kit/judge/Cost.java
//SOURCES kit/record/Profile.java
//SOURCES kit/record/Run.java
//SOURCES kit/record/Sha256.java
//SOURCES kit/record/Target.java

import module java.base;
import picocli.CommandLine.*;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

@Command(name = "aws.java", mixinStandardHelpOptions = true, version = "lambda-kit 0.1.0", sortOptions = false,
        subcommands = {Aws.Doctor.class, Aws.Status.class, Aws.Teardown.class, Aws.Serve.class},
        header = "The experiment's functions on AWS: what is still there, and its removal.",
        footer = """

                Examples:
                  ./jbang aws.java doctor        what the account and region allow, before a run
                  ./jbang aws.java status        what runs of this machine have left in AWS, and what it costs
                  ./jbang aws.java teardown      removes all of it; again, it finds nothing to do
                Exit codes: 0 done, 1 unexpected, 2 refused and nothing was touched, 4 something is left.""")
final class Aws implements Target.Verbs {

    // ==== What you may want to change ====

    /** Instances with 2 vCPUs, one of which LMI keeps: a vCPU for each environment, as 1769 MB give on standard. */
    static final Map<String, String> LMI_INSTANCE = Map.of("arm64", "m7g.large", "x86_64", "m7i.large");
    private static final Duration READY_LIMIT = Duration.ofMinutes(20);

    /**
     * The stack deletes itself so long after the planned end, if nobody has. It must be more than a removal takes, and than
     * what a run may be late by between two cells; as long again costs three instances of each language.
     */
    private static final Duration RESERVE = Duration.ofHours(2);
    /** So long a stack is kept for another run: a working day. */
    private static final Duration KEPT_FOR = Duration.ofHours(10);

    /** What a plan assumes until it is measured: deliberately high, so that the bill is not. */
    private static final double ASSUMED_WORK_MS = 100;
    private static final Duration ASSUMED_DEPLOY_AND_REMOVE = Duration.ofMinutes(30);
    /** Records that have to settle, stores to be emptied: between any two cells. */
    private static final Duration ASSUMED_CELL_OVERHEAD = Duration.ofSeconds(25);

    private static final String NOT_TOUCHED = "it was not touched; run this again for another name";
    private static final String GO_ON = "./jbang experiment.java --resume goes on with what is not measured yet";
    private static final String RESUME = "./jbang experiment.java --target aws --resume goes on";

    // ==== Commands ====

    public static void main(String... args) { System.exit(Cli.run(new Aws(), args)); }

    @Command(name = "doctor", header = "Tells what the account and the region allow. Makes nothing.")
    static final class Doctor implements Callable<Integer> {
        @Mixin Cli.Verbose verbose;

        @Override public Integer call() throws Exception {
            new Aws().doctor(System.out::println);
            return Cli.DONE;
        }
    }

    @Command(name = "status", header = "Tells what runs have left in AWS, and what it costs an hour.")
    static final class Status implements Callable<Integer> {
        @Mixin Cli.Verbose verbose;

        @Override public Integer call() throws Exception {
            new Aws().status(System.out::println);
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
                    .thenRun(() -> Runtime.getRuntime().halt(Deployment.SOMETHING_LEFT)));
            Target.serve(new Aws(Door.World.REAL, Ledger.ofUser(), Path.of("").toAbsolutePath(),
                    new Settings(architecture, subnets, securityGroups), Aws::newId, asker()));
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

        static Settings ofEnvironment() {
            return new Settings(System.getenv().getOrDefault("LAMBDA_KIT_ARCHITECTURE", "arm64"), List.of(), List.of());
        }
    }

    private final Door.World world;
    private final Ledger ledger;
    private final Path kit;
    private final Settings settings;
    private final Supplier<String> ids;
    /** The experiment that asks. */
    private final Ledger.Holder holder;
    private Door door;

    private Aws() {
        this(Door.World.REAL, Ledger.ofUser(), Path.of("").toAbsolutePath(),
                Settings.ofEnvironment(), Aws::newId, asker());
    }

    Aws(Door.World world, Ledger ledger, Path kit, Settings settings, Supplier<String> ids, Ledger.Holder holder) {
        this.world = world;
        this.ledger = ledger;
        this.kit = kit;
        this.settings = settings;
        this.ids = ids;
        this.holder = holder;
    }

    private static Ledger.Holder asker() {
        return Ledger.Holder.of(ProcessHandle.current().parent().orElse(ProcessHandle.current()));
    }

    /** A time, for people, and six random digits, so that no name is ever anybody else's. */
    private static String newId() {
        return DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss").withZone(ZoneOffset.UTC).format(Instant.now())
                + "-" + UUID.randomUUID().toString().substring(0, 6);
    }

    private String describe(Ledger.Entry entry) {
        String cost = entry.up() == null ? "" : String.format(Locale.ROOT,
                ", up for %s at $%.2f an hour, deletes itself from %s on",
                Cli.spoken(Duration.between(entry.up(), world.now())), entry.usdPerHour(), entry.removeAt());
        return entry.id() + "  " + entry.region() + "  " + entry.variants().size() + " variants" + cost
                + (isElses(entry) ? ", used by a run that goes on (process " + entry.holder().pid() + ")" : "");
    }

    /** In the configured region, with the clients that were made before. */
    private Door door() {
        if (door == null) door = Door.configured(world);
        return door;
    }

    /** What this experiment has started. */
    private Deployment held() throws IOException { return deployment(ledger.heldBy(holder).orElseThrow()); }

    private Deployment deployment(Ledger.Entry entry) { return new Deployment(door(), ledger, kit, entry); }

    // ==== Doctor and status ====

    void doctor(Consumer<String> tell) throws Exception {
        beforeAnything(() -> {
            Account.of(door()).doctor(instanceType(), settings.subnets(), settings.securityGroups()).forEach(tell);
            return null;
        });
    }

    /** What this machine's state names, and what else of the kit's the account holds in the configured region. */
    void status(Consumer<String> tell) throws Exception {
        var entries = ledger.entries();
        if (entries.isEmpty()) tell.accept("nothing is left in AWS by runs of this machine");
        for (var entry : entries) tell.accept(describe(entry));
        try {
            var account = Account.of(door());
            var ours = entries.stream().filter(it -> it.account().equals(account.number())
                    && it.region().equals(door().region)).map(Ledger.Entry::stackName).toList();
            var found = Inventory.of(door());
            var others = found.besides(ours);
            if (others.isEmpty()) tell.accept("the account holds nothing else of the kit's in " + door().region);
            else tell.accept("the account holds in %s what no state of this machine names; teardown where it was made "
                    .formatted(door().region) + "removes it, or delete the stack in CloudFormation:");
            others.forEach(tell);
            double usdPerHour = PriceList.ofFile(kit, door().region)
                    .bill(fleet(found.providersBesides(ours), 1)).totalUsd();
            if (usdPerHour > 0) tell.accept(String.format(Locale.ROOT, "its capacity providers cost about $%.2f an hour",
                    usdPerHour));
        } catch (Door.Fault | AwsServiceException | Cli.Problem unanswered) {
            Cli.warn("the account was not asked: " + (unanswered instanceof AwsServiceException answered
                    ? Door.line(answered) : unanswered.getMessage()));
        }
    }

    // ==== Plan ====

    @Override public Target.Described describe() { return new Target.Described("2h", true, "teardown"); }

    @Override public Target.Refused carry(Target.Carry request) throws IOException {
        return new Target.Refused(Deployment.refused(kit, request.variants()));
    }

    @Override public Target.Planned plan(Target.Plan request) throws Exception {
        return beforeAnything(() -> {
            var plan = request.plan();
            var warnings = new ArrayList<String>();
            var account = Account.of(door());
            account.checkCredentialsLast(lengthOf(plan).plus(ASSUMED_DEPLOY_AND_REMOVE), warnings);
            account.checkConcurrency(plan.variants());
            var refused = Deployment.refused(kit, plan.variants());
            if (plan.variants().stream().anyMatch(Run.Variant::lmi)) {
                if (account.offersLmi()) {
                    account.checkInstances(plan.variants().stream().filter(Run.Variant::lmi).count(), warnings);
                    account.network(settings.subnets(), settings.securityGroups());
                } else plan.variants().stream().filter(Run.Variant::lmi).forEach(variant ->
                        refused.put(variant.name(), "Managed Instances are not offered in " + door().region));
            }
            for (var left : ledger.entries()) {
                warnings.add("still there: " + describe(left) + "; it is used again if it fits, else "
                        + Deployment.TEARDOWN);
            }
            var variants = plan.variants().stream().filter(variant -> !refused.containsKey(variant.name())).toList();
            var prices = PriceList.live(door(), kit, settings.architecture(), instanceType(), warnings);
            var bill = prices.bill(plannedUses(plan, variants));
            var items = bill.byName().items().stream().map(item ->
                    new Target.CostItem(item.name(), item.quantity(), item.unit(), item.usd())).toList();
            double usdPerHour = prices.bill(fleet(variants.stream().filter(Run.Variant::lmi).count(), 1)).totalUsd();
            String platform = settings.architecture().equals("arm64") ? "AL2023_ARM64" : "AL2023_X86_64";
            return new Target.Planned(platform, refused, items, bill.totalUsd(), usdPerHour, prices.json(),
                    lengthOf(plan).plus(ASSUMED_DEPLOY_AND_REMOVE), warnings);
        });
    }

    private static Duration lengthOf(Run.Plan plan) {
        return Profile.timeOf(plan.order(), plan).plus(ASSUMED_CELL_OVERHEAD.multipliedBy(plan.order().size()));
    }

    private List<Cost.Use> plannedUses(Run.Plan plan, List<Run.Variant> variants) {
        var traffic = new ArrayList<Cost.Traffic>();
        for (var variant : variants) {
            double requests = 0, billedMs = 0, stored = 0;
            for (var of : Profile.requestsOf(variant, plan).entrySet()) {
                var workload = of.getKey();
                double asked = of.getValue() + plan.warmUpRequests();
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
        return List.of(new Cost.Use.Fleet("lmi", instanceType(), providers * Deployment.LMI_ENVIRONMENTS * hours));
    }

    private String instanceType() { return LMI_INSTANCE.get(settings.architecture()); }

    // ==== Start ====

    @Override public Target.Started start(Target.Start request, Consumer<String> progress) throws Exception {
        var account = beforeAnything(() -> Account.of(door()));
        String contents = contentsOf(request);
        var left = whatIsThereAlready(contents, account, progress);
        Instant removeAt = world.now().plus(request.planned().lasts()).plus(RESERVE).truncatedTo(ChronoUnit.SECONDS);
        var deployment = deployment(left.isPresent() ? ledger.write(resumed(left.get(), removeAt))
                : beforeAnything(() -> ledger.write(newEntry(request, contents, account, removeAt))));
        try {
            deployment.make(request, network(request, account), progress);
            deployment.follow(progress);
            deployment.removeNotBefore(removeAt);
            return started(deployment.entry());
        } catch (Door.Fault fault) {
            if (fault.reason != Door.Reason.DENIED) throw left(deployment, fault);
            throw undo(deployment, deployment.entry().up() == null ? Cli.REFUSED : Deployment.START_FAILED,
                    fault.getMessage(), "ask for that right, then run it again; nothing is left", progress);
        } catch (AwsServiceException refused) {
            throw undo(deployment, Deployment.START_FAILED, "AWS refused the stack: " + Door.line(refused),
                    "nothing is left", progress);
        } catch (Deployment.Failed failed) {
            throw undo(deployment, Deployment.START_FAILED, failed.getMessage(),
                    "nothing is left; template.yaml is what CloudFormation was asked for", progress);
        }
    }

    private Map<String, String> network(Target.Start request, Account account) throws InterruptedException {
        if (request.variants().stream().noneMatch(Run.Variant::lmi)) {
            return Map.of("SubnetIds", "none", "SecurityGroupIds", "none");
        }
        var network = account.network(settings.subnets(), settings.securityGroups());
        return Map.of("SubnetIds", String.join(",", network.subnets()),
                "SecurityGroupIds", String.join(",", network.securityGroups()));
    }

    /** What an earlier run of the same has left, for this one to go on with; what is going away is removed first. */
    private Optional<Ledger.Entry> whatIsThereAlready(String contents, Account account, Consumer<String> progress)
            throws Exception {
        var left = ledger.entries().stream().filter(it -> it.contents().equals(contents) && !isElses(it)
                && it.account().equals(account.number()) && it.region().equals(door().region)).findFirst();
        if (left.isEmpty()) return left;
        var deployment = deployment(left.get());
        boolean usable = left.get().stackId() == null || afterStart(deployment, Deployment.SOMETHING_LEFT, () ->
                Set.of("REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_COMPLETE").contains(deployment.status()));
        progress.accept((usable ? "goes on with what is there: " : "removes first what an earlier run has left: ")
                + describe(left.get()));
        if (usable) return left;
        removeAndTell(deployment, progress);
        return Optional.empty();
    }

    /** Whether another experiment uses it that still runs. */
    private boolean isElses(Ledger.Entry entry) {
        return entry.holder() != null && !entry.holder().equals(holder) && entry.holder().isAlive();
    }

    private String contentsOf(Target.Start request) throws IOException {
        var parts = new TreeSet<String>(List.of(settings.architecture(), Sha256.of(kit.resolve("template.yaml"))));
        request.variants().forEach(variant -> parts.add(variant.name()));
        request.artefacts().values().forEach(artefact -> parts.add(artefact.sha256()));
        return String.join(" ", parts);
    }

    /** This experiment's from now on. What a stack was told when it was made is in the stack as well. */
    private Ledger.Entry resumed(Ledger.Entry left, Instant removeAt) {
        return left.stackId() == null ? left.heldBy(holder).removedAt(removeAt) : left.heldBy(holder);
    }

    private Ledger.Entry newEntry(Target.Start request, String contents, Account account, Instant removeAt)
            throws InterruptedException {
        String id = ids.get(), stackName = Deployment.STACK_PREFIX + id, bucket = stackName + "-artefacts";
        if (Deployment.stack(door(), stackName).isPresent()) throw new Cli.Problem(Cli.REFUSED,
                "a stack named " + stackName + " is there already, and this machine has no state for it", NOT_TOUCHED);
        if (bucketExists(bucket)) throw new Cli.Problem(Cli.REFUSED,
                "a bucket named " + bucket + " is there already, and this machine has no state for it", NOT_TOUCHED);
        return new Ledger.Entry(id, holder, account.number(), door().region, world.now(), contents,
                request.variants().stream().map(Run.Variant::name).toList(),
                settings.architecture(), instanceType(), bucket, stackName, false, null, null, removeAt, Map.of(),
                request.planned().costUsd(), request.planned().costPerHourUsd(), request.planned().prices(), Map.of());
    }

    private boolean bucketExists(String bucket) throws InterruptedException {
        try {
            door().call("s3:HeadBucket on " + bucket, () -> door().s3().headBucket(it -> it.bucket(bucket)));
            return true;
        } catch (Door.Fault elses) {
            if (elses.reason == Door.Reason.DENIED) return true;
            throw elses;
        } catch (AwsServiceException answered) {
            return answered.statusCode() != 404;
        }
    }

    private Target.Started started(Ledger.Entry entry) throws InterruptedException {
        var outputs = entry.outputs();
        String id = outputs.get("ApiId"), stage = outputs.get("ApiStage");
        String base = door().endpoint().map(endpoint -> endpoint + "/restapis/" + id + "/" + stage + "/_user_request_")
                .orElse("https://" + id + ".execute-api." + entry.region() + ".amazonaws.com/" + stage);
        String key = door().call("apigateway:GetApiKey", () -> door().apiGateway().getApiKey(it -> it
                .apiKey(outputs.get("ApiKeyId")).includeValue(true)).value());
        var urls = new LinkedHashMap<String, String>();
        for (String variant : entry.variants()) urls.put(variant, base + "/" + variant);
        var environment = new TreeMap<String, Object>(Map.of("region", entry.region(), "architecture", entry.architecture(),
                "standardEnvironments", Deployment.STANDARD_ENVIRONMENTS, "lmiEnvironments", Deployment.LMI_ENVIRONMENTS,
                "lmiInstanceType", entry.instanceType(), "prices", PriceList.of(entry.prices(), entry.region()).from(),
                "estimatedUsd", entry.estimatedUsd()));
        door().endpoint().ifPresent(_ -> environment.put("standIn",
                "AWS_ENDPOINT_URL was set: this is not AWS, and its figures say nothing about AWS"));
        return new Target.Started(urls, key, environment);
    }

    // ==== Ready ====

    @Override public Target.Environments ready(Target.Ready request, Consumer<String> progress) throws Exception {
        var deployment = held();
        return afterStart(deployment, Deployment.START_FAILED, () -> {
            var environments = new TreeMap<String, Integer>();
            for (Instant giveUp = world.now().plus(READY_LIMIT); ; world.sleep().sleep(Deployment.POLL)) {
                for (var variant : request.variants().stream().map(Run.Variant::of).toList()) {
                    if (environments.containsKey(variant.name()) || !deployment.isActive(variant)) continue;
                    environments.put(variant.name(), variant.lmi() ? Deployment.LMI_ENVIRONMENTS : 0);
                    progress.accept(variant.name() + " is active");
                }
                if (environments.size() == request.variants().size()) return new Target.Environments(environments);
                if (world.now().isAfter(giveUp)) throw new Cli.Problem(Deployment.START_FAILED,
                        "only " + environments.keySet() + " became active within " + Cli.spoken(READY_LIMIT),
                        "nothing was measured; everything is removed");
            }
        });
    }

    // ==== Recycle ====

    @Override public Target.Done recycle(Target.Recycle request, Consumer<String> progress) throws Exception {
        var deployment = held();
        return afterStart(deployment, Deployment.MEASUREMENT_FAILED, () -> {
            deployment.recycle(request.variants().stream().map(Run.Variant::of).toList(), progress);
            return new Target.Done();
        });
    }

    // ==== Stores ====

    @Override public Target.Done empty() throws Exception {
        var deployment = held();
        return afterStart(deployment, Deployment.MEASUREMENT_FAILED, () -> {
            deployment.stores().empty();
            return new Target.Done();
        });
    }

    @Override public Target.Contents stored(Target.Stored request) throws Exception {
        var deployment = held();
        return afterStart(deployment, Deployment.MEASUREMENT_FAILED, () -> {
            var contents = deployment.stores().contents(request.id());
            if (request.id() == null) deployment.addToUsed(Map.of("stores", new Cost.Traffic("stores", false,
                    deployment.entry().architecture(), 0, 0, 0, 0, contents.stored().objects(), 0, 0)));
            return contents;
        });
    }

    // ==== Collect ====

    @Override public Target.Collected collect(Target.Collect request, Consumer<String> progress) throws Exception {
        var deployment = held();
        return afterStart(deployment, Deployment.MEASUREMENT_FAILED, () -> {
            var cloudWatch = new CloudWatch(door(), deployment.entry());
            var logged = cloudWatch.invocations(request, progress);
            boolean complete = logged.count() > 0 && logged.count() >= request.requests();
            var notes = new ArrayList<String>();
            if (logged.refusal() != null) notes.add("invocation records are missing: " + logged.refusal());
            else if (!complete) notes.add(request.requests() == 0 ? "no invocation records came"
                    : "%d of %d invocation records came; the rest are late, or those requests reached no function"
                            .formatted(logged.count(), request.requests()));
            notes.addAll(cloudWatch.metrics(request));
            notes.forEach(progress);
            deployment.addToUsed(logged.traffic());
            pushBack(deployment, notes);
            return new Target.Collected(logged.count(), complete, notes);
        });
    }

    /** A run that takes longer than planned still lives, and its stack with it. */
    private void pushBack(Deployment deployment, List<String> notes) throws Exception {
        if (world.now().plus(RESERVE.dividedBy(2)).isBefore(deployment.entry().removeAt())) return;
        try {
            deployment.removeNotBefore(world.now().plus(RESERVE));
        } catch (Door.Fault | AwsServiceException refused) {
            notes.add("the stack deletes itself from " + deployment.entry().removeAt() + " on: " + Door.line(refused));
        }
    }

    // ==== Keep and remove ====

    @Override public Target.Kept keep() throws Exception {
        var deployment = held();
        return afterStart(deployment, Deployment.SOMETHING_LEFT, () -> {
            deployment.removeNotBefore(world.now().plus(KEPT_FOR));
            return new Target.Kept(deployment.entry().removeAt());
        });
    }

    @Override public Target.Removed remove(Consumer<String> progress) throws Exception {
        var mine = ledger.heldBy(holder);
        return mine.isEmpty() ? new Target.Removed(0) : remove(deployment(mine.get()), progress);
    }

    private Target.Removed remove(Deployment deployment, Consumer<String> progress) throws Exception {
        return afterStart(deployment, Deployment.SOMETHING_LEFT, () -> new Target.Removed(deployment.remove(progress)));
    }

    /** Removes the stack of every entry, or of one. */
    void teardown(String id, Consumer<String> progress) throws Exception {
        var entries = ledger.entries().stream().filter(it -> id == null || it.id().equals(id))
                .sorted(Comparator.comparing(this::isElses)).toList();
        if (id != null && entries.isEmpty()) throw new Cli.Problem(Cli.REFUSED,
                "no state in " + ledger.directory() + " names " + id, "./jbang aws.java status tells what there is");
        if (entries.isEmpty()) progress.accept("nothing is left in AWS by runs of this machine");
        for (var entry : entries) {
            beforeAnything(() -> {
                if (isElses(entry)) throw new Cli.Problem(Cli.REFUSED, entry.id() + " is used by a run that goes on, process "
                        + entry.holder().pid(), "Ctrl-C there ends that run, which then removes it");
                if (!entry.region().equals(door().region)) throw new Cli.Problem(Cli.REFUSED,
                        entry.id() + " is in " + entry.region() + ", the configured region is " + door().region,
                        "AWS_REGION=" + entry.region() + " ./jbang aws.java teardown " + entry.id());
                if (!entry.account().equals(Account.of(door()).number())) throw new Cli.Problem(Cli.REFUSED,
                        entry.id() + " is in another AWS account than these credentials",
                        "use the credentials that it was made with");
                return null;
            });
            removeAndTell(deployment(entry), progress);
        }
    }

    private void removeAndTell(Deployment deployment, Consumer<String> progress) throws Exception {
        double spentUsd = remove(deployment, progress).spentUsd();
        progress.accept(String.format(Locale.ROOT, "%s: 0 resources left, $%.2f spent, $%.2f estimated",
                deployment.entry().id(), spentUsd, deployment.entry().estimatedUsd()));
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

    /**
     * The stack is up. A call that is refused fails the step alone, as the stack can be removed all the same; without
     * credentials or network it cannot.
     */
    private <T> T afterStart(Deployment deployment, int exitCode, Step<T> step) throws Exception {
        try {
            return step.run();
        } catch (Door.Fault fault) {
            if (fault.reason == Door.Reason.CREDENTIALS || fault.reason == Door.Reason.UNREACHABLE) throw left(deployment, fault);
            throw exitCode == Deployment.SOMETHING_LEFT ? left(deployment, fault) : new Cli.Problem(exitCode, fault.getMessage(),
                    fault.reason == Door.Reason.DENIED ? "ask for that right" : GO_ON, fault);
        } catch (AwsServiceException refused) {
            throw exitCode == Deployment.SOMETHING_LEFT ? left(deployment, refused)
                    : new Cli.Problem(exitCode, "AWS refused: " + Door.line(refused), GO_ON, refused);
        }
    }

    /** Exit code 4: what may be left, and both ways on. */
    private static Cli.Problem left(Deployment deployment, RuntimeException fault) {
        String message = fault instanceof Door.Fault ? fault.getMessage() : "AWS refused: " + Door.line(fault);
        return new Cli.Problem(Deployment.SOMETHING_LEFT, message + "; " + deployment.what() + " may be left in "
                + deployment.entry().region(), RESUME + "; " + Deployment.TEARDOWN, fault);
    }

    /** Removes what a failed start has made; the exit code given, or 4 when even that failed. */
    private Cli.Problem undo(Deployment deployment, int exitCode, String message, String hint, Consumer<String> progress)
            throws Exception {
        progress.accept(message);
        try {
            remove(deployment, progress);
            return new Cli.Problem(exitCode, message, hint);
        } catch (Cli.Problem left) {
            return new Cli.Problem(left.exitCode, message + "; then: " + left.getMessage(), left.hint);
        }
    }
}
