///usr/bin/env jbang "$0" "$@" ; exit $?
// Which Lambda language, and which compute (standard or Managed Instances), serves the same work fastest and cheapest?
//
//   require   lay out the plan, find the tools, ask the target whether it can carry the plan out and what that costs
//   build     the three functions, each once, cached by content; a language without its toolchain is skipped
//   start     all variants on the target: this machine, or AWS
//   agree     send the contract's golden requests to every variant: equal work is proved before anything is measured
//   load      cell after cell with k6, in a seeded random order; run.json is written after each
//   collect   after each cell, what the platform itself measured
//   remove    everything that was started
//
// On this machine `quick` takes three minutes once built, and `2h` two hours; neither costs anything. On AWS the
// price is shown before anything is made. What is left behind is one directory, data/<start>-<target>/, and the link
// data/run.json to its record. `./jbang analyze.java data/run.json` takes it from there.

//JAVA 25
//DESCRIPTION Measures Lambda functions in Python, Rust and Java, standard and Managed Instances, doing equal work
//RUNTIME_OPTIONS -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx256m
//SOURCES kit/Cli.java
//SOURCES kit/build/Build.java
//SOURCES kit/build/Children.java
//SOURCES kit/build/Doctor.java
//SOURCES kit/build/Generator.java
//SOURCES kit/build/Interruption.java
//SOURCES kit/build/K6.java
//SOURCES kit/record/Contract.java
//SOURCES kit/record/Functions.java
//SOURCES kit/read/StepReader.java
//SOURCES kit/record/Journal.java
//SOURCES kit/record/Load.java
//SOURCES kit/record/MeasuredFunction.java
//SOURCES kit/record/Profile.java
//SOURCES kit/record/Publish.java
//SOURCES kit/record/Run.java
//SOURCES kit/record/Search.java
//SOURCES kit/record/Slice.java
//SOURCES kit/record/Study.java
//SOURCES kit/record/Surroundings.java
//SOURCES kit/record/Target.java

import module java.base;
import module java.net.http;
import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(name = "experiment.java", mixinStandardHelpOptions = true, version = "lambda-kit 0.1.0", sortOptions = false,
        subcommands = {Doctor.class, Publish.class},
        header = "Runs the experiment: build, start, prove equal work, load, collect, remove.",
        footer = """

            Examples:
              ./jbang experiment.java                           a quick look at everything, on this machine
              ./jbang experiment.java --profile 2h              the experiment, two hours
              ./jbang experiment.java --profile 2h --plan       what that would do, and for how long
              ./jbang experiment.java --profile 2h --for 5m     the same, cut to five minutes
              ./jbang experiment.java --resume                  goes on with the newest unfinished run
            Exit codes: 0 done, 1 unexpected, 2 refused before anything was made, 3 start failed and nothing is left,
              4 something may be left, 5 measurement incomplete and everything removed, 130 interrupted.""")
final class Experiment implements Callable<Integer> {

    // ==== What you may want to change ====

    /** k6 waits for answers under way when a phase ends; past that and a reserve it is not going to end by itself. */
    private static final Duration CELL_RESERVE = Duration.ofSeconds(Load.TIMEOUT_SECONDS + 30);
    /** k6's JSON, gzipped, and the invocation record beside it: what a request leaves on disk. */
    private static final int BYTES_PER_REQUEST = 400;
    /** What a run must leave free for everybody else on the disk. */
    private static final long DISK_RESERVE_BYTES = 500L << 20;
    /** Less than this is left on a disk that could not take what k6 wanted to write. */
    private static final long DISK_FULL_BYTES = 1 << 20;

    /** No service is registered for this port, and no outgoing connection is given it. */
    private static final int LOCK_PORT = 21769;

    @Option(names = "--target", paramLabel = "local|aws", defaultValue = "local",
            description = "Where the functions run (default: ${DEFAULT-VALUE}).")
    String targetName;
    @Option(names = "--profile", paramLabel = "NAME|FILE",
            description = "quick, 25m, 2h, or a JSON file of the same form (default: quick here, 2h on AWS).")
    String profileName;
    @Option(names = "--languages", split = ",", paramLabel = "LANGUAGE",
            description = "Measure only these functions of the profile, such as python,rust.")
    Set<String> languages = Set.of();
    @Option(names = "--function", paramLabel = "DIR", description = "A function of your own, as docs/own-function.md "
            + "explains; on this machine only. May be repeated.")
    List<Path> ownFolders = List.of();
    @Option(names = "--for", paramLabel = "DURATION", description = "Cut the profile to about this long (90s, 5m): "
            + "fewer rounds, then shorter cells. Such a run claims nothing.")
    String cutTo;
    @Option(names = "--scale", paramLabel = "FACTOR", description = "Multiply the profile's time by this, such as "
            + "0.05. Below 1 the run claims nothing.")
    Double scale;
    @Option(names = "--workloads", split = ",", paramLabel = "NAME", description = "Measure only these workloads.")
    Set<String> workloads = Set.of();
    @Option(names = "--rate", paramLabel = "R", description = "Requests/s of steady load, and at the peak of every shape.")
    Double ratePerSecond;
    @Option(names = "--vus", paramLabel = "N", description = "Virtual users at the peak of every shape that has users.")
    Integer users;
    @Option(names = "--duration", paramLabel = "DURATION", description = "How long each stage of every shape takes, such as 30s.")
    String stageLength;
    @Option(names = "--stages", split = ",", paramLabel = "LOAD", description = "The stages of every shape, such as "
            + "20,20,40: the requests/s or the users that each stage ends with.")
    List<Double> stages = List.of();
    @Option(names = "--plan", arity = "0..1", fallbackValue = "studies", paramLabel = "all",
            description = "Show what would run and for how long; do nothing. --plan=all lists every cell in its order.")
    String planned;
    @Option(names = "--resume", arity = "0..1", fallbackValue = "data/run.json", paramLabel = "RUN",
            description = "Go on with an unfinished run (default: the newest).")
    Path resumed;
    @Option(names = "--yes", description = "Do not ask before spending money.")
    boolean yes;
    @Option(names = "--max-usd", paramLabel = "USD", description = "Refuse a run that is estimated to cost more.")
    Double maxUsd;
    @Option(names = "--keep", description = "On AWS: leave the functions up for another run, and say what that costs.")
    boolean keep;
    @Mixin Cli.Verbose verbose;

    private Path home, data;
    /** What the target says of itself, once it is connected. */
    private Target.Described described;
    /** The functions that a plan can name, and what they are asked. */
    private Functions functions;
    /** Then the line of progress is k6's: what the target says of each new environment would only interrupt it. */
    private boolean isLoading;
    /** What a reader of the run should know as well; in run.json. */
    private final List<String> warnings = new ArrayList<>();

    // ==== The experiment ====

    public static void main(String... args) {
        var interruption = new Interruption();
        int exitCode = Cli.UNEXPECTED;
        try {
            exitCode = Cli.run(new Experiment(), args);
        } finally {
            interruption.over(exitCode);
            System.exit(exitCode);
        }
    }

    @Override public Integer call() throws Exception {
        home = Cli.kitHome();
        data = home.resolve("data");
        functions = Functions.of(home, ownFolders);
        Run unfinished = resumed == null ? null : readUnfinished();
        Run.Plan plan = unfinished == null ? plan() : unfinished.plan();
        functions.checkVariants(plan);
        if (planned != null) return show(carried(plan));
        try (var _ = onlyOneRun(); var target = connect()) {
            // What is measured already is not priced again. Where all is, a start finds what a killed run could not remove.
            boolean someAreLeft = unfinished != null && !unfinished.unmeasuredCells().isEmpty();
            var required = require(someAreLeft ? plan.of(unfinished.unmeasuredCells()) : plan, target);
            var artefacts = build(plan, required.planned());
            var journal = unfinished == null ? begin(plan, required, artefacts) : resume(unfinished, artefacts);
            Target.Started started = null;
            Throwable failure = null;
            try {
                started = start(journal, target, artefacts, required.planned());
                agree(journal, target, started);
                load(journal, target, started, required.k6());
            } catch (Throwable whatever) {
                failure = Interruption.hasCome() ? new InterruptedException() : whatever;
            }
            remove(journal, target, required.planned(), started != null, failure);
            return finish(journal);
        } catch (Target.Died died) {
            throw new Cli.Problem(Cli.MEASUREMENT_FAILED, died.getMessage(), "what it said last stands above; everything "
                    + "is removed, finished cells are kept, and --resume goes on with the rest", died);
        } catch (Exception failed) {
            boolean isLeft = failed instanceof Cli.Problem problem && problem.exitCode == Cli.SOMETHING_LEFT;
            if (Interruption.hasCome() && !isLeft) return Cli.INTERRUPTED;
            throw failed;
        }
    }

    private static void sayWhatIsKept(Journal journal) {
        int planned = journal.run.plan().order().size();
        Cli.say(journal.isEmpty() ? "nothing was measured yet, so nothing is kept"
                : "%d of %d cells are measured and kept; ./jbang experiment.java --resume goes on with the rest"
                        .formatted(planned - journal.run.unmeasuredCells().size(), planned));
    }

    private int finish(Journal journal) throws IOException {
        var failed = journal.run.cells().stream().filter(cell -> !cell.outcome().isMeasured()).toList();
        failed.forEach(cell -> Cli.warn("cell " + cell.name() + " failed: " + cell.outcome().reason()));
        var remaining = journal.run.unmeasuredCells();
        if (!remaining.isEmpty()) {
            throw new Cli.Problem(Cli.MEASUREMENT_FAILED, "the run is incomplete: %d of %d cells are not measured"
                    .formatted(remaining.size(), journal.run.plan().order().size()),
                    "./jbang experiment.java --resume measures them");
        }
        journal.finished();
        System.out.println("done     %d cells, %s   next: ./jbang analyze.java data/run.json".formatted(
                journal.run.cells().size(), home.relativize(journal.directory)));
        return Cli.DONE;
    }

    // ==== Plan ====

    private Run.Plan plan() throws IOException, InterruptedException {
        String name = profileName != null ? profileName : defaultProfile();
        Run.Plan plan;
        try {
            plan = functions.joining(Profile.read(home, name), targetName).plan(name, targetName, new Profile.Asked(languages,
                    workloads, duration(cutTo), scale, ratePerSecond, users, duration(stageLength), stages));
        } catch (IllegalArgumentException wrong) {
            throw new Cli.Problem(Cli.REFUSED, "that cannot be asked of profile " + name + ": " + wrong.getMessage(),
                    "k6/profiles/quick.json shows the form, and --help what can be changed");
        }
        functions.checkWorkloads(plan);
        return plan;
    }

    private String defaultProfile() throws IOException, InterruptedException {
        try (var _ = connect()) {
            return described.profile();
        }
    }

    /** The plan without what the target can't run, whatever the machine or the account. */
    private Run.Plan carried(Run.Plan plan) throws IOException, InterruptedException {
        try (var target = connect()) {
            var refused = target.ask(new Target.Carry(plan.variants(), functions.byName())).refused();
            refused.forEach((variant, reason) -> warn(variant + " is left out: " + reason));
            if (refused.size() == plan.variants().size()) throw new Cli.Problem(Cli.REFUSED,
                    "target " + targetName + " can run no variant of profile " + plan.profile(),
                    "the reason of each stands above");
            return Profile.without(plan, variant -> refused.containsKey(variant.name()));
        }
    }

    private int show(Run.Plan plan) {
        System.out.printf(Locale.ROOT, "%s: %s%n%d variants, %d cells, about %s after the warm-up%n%n",
                plan.profile(), plan.description(), plan.variants().size(), plan.order().size(),
                Cli.spoken(Profile.timeOf(plan.order(), plan)));
        for (var study : plan.studies()) {
            var cells = plan.order().stream().filter(cell -> cell.study().equals(study.name())).toList();
            System.out.printf("%-12s %d cells, %s: %s%n", study.name(), cells.size(),
                    Cli.spoken(Profile.timeOf(cells, plan)), Profile.spoken(study));
            study.workloads().forEach(workload -> System.out.println("             " + workload.name() + asked(workload)));
        }
        if (!planned.equals("all")) {
            System.out.println("\n--plan=all lists every cell");
            return Cli.DONE;
        }
        System.out.println("\n   at      cell");
        var at = Duration.ZERO;
        for (var cell : plan.order()) {
            System.out.printf("%d:%02d:%02d   %s%n", at.toHours(), at.toMinutesPart(), at.toSecondsPart(), cell.name());
            at = at.plus(Profile.timeOf(List.of(cell), plan));
        }
        return Cli.DONE;
    }

    private static String asked(Run.Workload workload) {
        return (workload.ratePerSecond() == null ? "" : " " + Cli.plain(workload.ratePerSecond()) + " requests/s of each variant")
                + (workload.query().isEmpty() ? "" : " " + workload.query());
    }

    // ==== Require ====

    /** What stands when a run may begin. */
    record Required(K6.Found k6, Target.Planned planned) {}

    private Required require(Run.Plan plan, Target target) throws IOException, InterruptedException {
        var planned = target.ask(new Target.Plan(plan, functions.byName()));
        planned.warnings().forEach(this::warn);
        planned.refused().forEach((variant, reason) -> warn(variant + " is left out: " + reason));
        long requests = plan.variants().stream().flatMapToDouble(variant -> Profile.requestsOf(variant, plan).values().stream()
                .mapToDouble(Double::doubleValue)).mapToLong(Math::round).sum();
        long needed = requests * BYTES_PER_REQUEST + DISK_RESERVE_BYTES;
        Files.createDirectories(data);
        if (Files.getFileStore(data).getUsableSpace() < needed) throw new Cli.Problem(Cli.REFUSED,
                "the disk of " + data + " has less than the %d MB that this run may need".formatted(needed >> 20),
                "make room, or take a shorter --profile or --for");
        var k6 = K6.require(Build.userCache(), text -> Cli.say("require  " + text));
        Cli.say("require  k6 " + k6.version() + ", target " + targetName
                + ", about " + Cli.spoken(Profile.timeOf(plan.order(), plan)) + " of load");
        agreeToPay(planned);
        return new Required(k6, planned);
    }

    private void agreeToPay(Target.Planned planned) {
        if (planned.cost().isEmpty()) return;
        for (var item : planned.cost()) {
            Cli.say(String.format(Locale.ROOT, "price    %-44s %,14.1f %-14s %8.2f USD",
                    item.name(), item.quantity(), item.unit(), item.usd()));
        }
        Cli.say(String.format(Locale.ROOT, "price    %-74s %8.2f USD", "in all, estimated", planned.costUsd()));
        if (maxUsd != null && planned.costUsd() > maxUsd) {
            throw new Cli.Problem(Cli.REFUSED, String.format(Locale.ROOT,
                    "the run is estimated at %.2f USD, more than --max-usd %.2f", planned.costUsd(), maxUsd),
                    "a shorter --for or fewer --languages cost less");
        }
        if (!yes) Cli.agree("Spend that?", "not agreed to pay; nothing was made");
    }

    // ==== Build ====

    /** Builds the functions side by side; one that cannot be built here for want of its tools is left out. */
    private Map<String, MeasuredFunction.Artefact> build(Run.Plan plan, Target.Planned planned) throws Exception {
        var platform = Build.Platform.valueOf(planned.platform());
        var wanted = plan.variants().stream().filter(variant -> !planned.refused().containsKey(variant.name()))
                .map(Run.Variant::language).distinct().toList();
        var state = new ConcurrentSkipListMap<String, String>();
        var built = new TreeMap<String, MeasuredFunction.Artefact>();
        var began = Instant.now();
        try (var builders = Executors.newVirtualThreadPerTaskExecutor(); var progress = new Cli.Progress("build")) {
            var building = new LinkedHashMap<String, Future<MeasuredFunction.Artefact>>();
            for (String name : wanted) {
                building.put(name, builders.submit(() -> {
                    var artefact = new Build(Build.userCache(), line -> state.put(name, line))
                            .build(functions.byName().get(name), platform);
                    state.remove(name);
                    return artefact;
                }));
            }
            try {
                while (!building.values().stream().allMatch(Future::isDone)) {
                    progress.show(() -> Cli.spoken(Duration.between(began, Instant.now())) + "  "
                            + String.join("; ", state.values()));
                    Thread.sleep(50);
                }
            } finally {
                builders.shutdownNow();  // An interrupted run waits for no build: their tools end with their threads.
            }
            for (var one : building.entrySet()) {
                try {
                    built.put(one.getKey(), one.getValue().get());
                } catch (ExecutionException failed) {
                    if (!(failed.getCause() instanceof Build.Missing missing)) throw (Exception) failed.getCause();
                    warn(missing.getMessage() + ", and is left out; " + missing.hint);
                }
            }
        }
        if (built.isEmpty()) throw new Cli.Problem(Cli.REFUSED,
                "no function can be built here", "./jbang experiment.java doctor says what is missing");
        String took = Cli.spoken(Duration.between(began, Instant.now()));
        Cli.say("build    " + String.join(", ", built.keySet()) + " in " + took);
        return built;
    }

    // ==== Start ====

    private Target connect() throws IOException, InterruptedException {
        Path script = home.resolve(targetName + ".java");
        if (!targetName.matches("[a-z]+") || !Files.exists(script)) throw new Cli.Problem(Cli.REFUSED,
                "there is no target " + targetName, "--help names the targets");
        var command = List.of(home.resolve("jbang").toString(), script.toString(), "serve");
        var process = Children.conversing(command, ProcessBuilder.Redirect.INHERIT);
        var target = new Target(process, text -> {
            if (!isLoading) Cli.say("         " + text);
        });
        described = target.ask(new Target.Describe());
        return target;
    }

    private Target.Started start(Journal journal, Target target, Map<String, MeasuredFunction.Artefact> artefacts,
                                 Target.Planned planned)
            throws IOException, InterruptedException {
        var began = Instant.now();
        var variants = journal.run.plan().variants();
        var started = target.ask(
                new Target.Start(journal.directory, variants, artefacts, planned));
        var environments = target.ask(new Target.Ready(variants.stream().map(Run.Variant::name).toList()));
        journal.describe("target", started.environment());
        Cli.say("start    %d variants in %s; environments up: %s".formatted(variants.size(),
                Cli.spoken(Duration.between(began, Instant.now())), environments.environments()));
        return started;
    }

    // ==== Agree ====

    /** Equal work or none: a variant that answers otherwise than the contract says ends the run before it has begun. */
    private void agree(Journal journal, Target target, Target.Started started)
            throws IOException, InterruptedException {
        var contract = Contract.read(home.resolve("function/contract.json"));
        var differences = new ArrayList<String>();
        var runtimes = new TreeMap<String, Object>();
        var stores = new ArrayList<JsonNode>();
        try (var client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
            for (var variant : journal.run.plan().variants()) {
                for (var workload : Run.Plan.asked(journal.run.plan().studies())) {
                    String fault = askOnce(client, started, variant, workload);
                    if (fault != null) differences.add(variant.name() + ", " + workload.name() + ": " + fault);
                }
                if (!functions.of(variant).contract()) continue;
                Map<String, Object> facts = Map.of("variant", variant.name(),
                        "language", functions.of(variant).language(),
                        "memoryMb", variant.memoryMb(), "concurrency", variant.concurrency(),
                        "architecture", started.environment().get("architecture"));
                contract.check(client, started.urls().get(variant.name()), started.apiKey(), facts, (sent, reply) -> {
                    // What answers otherwise is among the differences and has neither.
                    if (reply.has("runtime")) runtimes.put(variant.name(), reply.get("runtime").asText());
                    if (sent.workload().equals("store") && reply.has("id")) stores.add(reply);
                }).forEach(difference -> differences.add(variant.name() + ", " + difference));
            }
        }
        for (JsonNode reply : stores) {
            String id = reply.path("id").asText(), variant = reply.path("variant").asText();
            var contents = target.ask(new Target.Stored(id));
            if (!id.equals(contents.object())) {
                differences.add(variant + ": object " + id + ".txt holds " + contents.object());
            }
            if (!id.equals(contents.item().at("/id/S").asText())) {
                differences.add(variant + ": the item of " + id + " is " + contents.item());
            }
        }
        if (!target.isAlive()) throw new Target.Died();  // What did not answer had no chance to.
        if (!differences.isEmpty()) {
            differences.forEach(Cli::say);
            throw new Cli.Problem(Cli.MEASUREMENT_FAILED, "not the same work: " + differences.getFirst(),
                    (functions.haveOwnWorkloads() ? "its function.json says what is expected" : "function/README.md is the contract")
                            + "; nothing was measured, everything is removed");
        }
        if (functions.haveOwnWorkloads()) warn("an answer that does not say whether its environment was cold counts as warm");
        journal.describe("runtimes", runtimes);
        boolean contracted = functions.keepContract(journal.run.plan().variants());
        int requests = Run.Plan.asked(journal.run.plan().studies()).size() + (contracted ? contract.cases.size() : 0);
        journal.agreed(requests);
        Cli.say("agree    %d variants gave the same %d answers"
                .formatted(journal.run.plan().variants().size(), requests));
    }

    /** What is wrong with the answer to a workload's own request; null when nothing is. */
    private String askOnce(HttpClient client, Target.Started started, Run.Variant variant, Run.Workload workload)
            throws InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(started.urls().get(variant.name())
                + Functions.path(workload))).timeout(Duration.ofSeconds(Load.TIMEOUT_SECONDS));
        if (started.apiKey() != null) request.header("x-api-key", started.apiKey());
        try {
            var response = Contract.answer(client, request.build());
            return functions.expected(workload).fault(response.statusCode(), response.body());
        } catch (IOException lost) {
            return "no answer: " + lost;
        }
    }

    // ==== Load ====

    private void load(Journal journal, Target target, Target.Started started, K6.Found k6)
            throws IOException, InterruptedException {
        var plan = journal.run.plan();
        var remaining = journal.run.unmeasuredCells();
        // The deployment of the steady study that the environments are warmed up for; 0 while they are new.
        int warmFor = 0;
        isLoading = true;
        try (var progress = new Cli.Progress("load")) {
            for (int done = 0; done < remaining.size(); done++) {
                var cell = remaining.get(done);
                var left = Profile.timeOf(remaining.subList(done, remaining.size()), plan);
                int number = done + 1;
                progress.show(() -> "cell %d of %d, %s left: %s"
                        .formatted(number, remaining.size(), Cli.spoken(left), cell.name()));
                var study = plan.study(cell.study());
                switch (study) {
                    case Study.Steady steady -> {
                        int deployment = steady.deployment(cell.round());
                        if (warmFor != deployment) {
                            if (warmFor != 0) recycle(target, plan.variants());
                            warmUp(journal, target, started, k6, steady);
                            warmFor = deployment;
                        }
                        measure(journal, target, started, k6, Load.of(steady, cell));
                    }
                    case Study.Capacity capacity -> search(journal, target, started, k6, capacity, cell);
                    case Study.Shape _, Study.Cold _ -> {
                        // Each begins alike: standard has no environment yet, LMI's are up and have answered nothing.
                        recycle(target, variants(cell));
                        measure(journal, target, started, k6, Load.of(study, cell));
                    }
                }
                if (!(study instanceof Study.Steady)) warmFor = 0;
            }
        } finally {
            isLoading = false;
        }
        Cli.say("load     %d cells".formatted(remaining.size()));
    }

    private static List<Run.Variant> variants(Run.PlannedCell cell) {
        return cell.variants().stream().map(Run.Variant::of).toList();
    }

    private static void recycle(Target target, List<Run.Variant> variants) throws IOException, InterruptedException {
        var names = variants.stream().map(Run.Variant::name).toList();
        target.ask(new Target.Recycle(names));
        target.ask(new Target.Ready(names));
    }

    /** Every environment's first answers, cold ones too: one variant after the other, so that no start waits for another's. */
    private void warmUp(Journal journal, Target target, Target.Started started, K6.Found k6, Study.Steady study)
            throws IOException, InterruptedException {
        var plan = journal.run.plan();
        Cli.say("warm-up  %d requests for each variant and workload".formatted(plan.warmUpRequests()));
        for (var variant : plan.variants()) {
            var load = Load.warmUp(nameOfWarmUp(journal, variant), variant, study.workloads(), plan.warmUpRequests());
            warmUp(journal, target, started, k6, load);
        }
    }

    /** One that failed ends the run, as all that comes after it would be measured cold. */
    private void warmUp(Journal journal, Target target, Target.Started started, K6.Found k6, Load load)
            throws IOException, InterruptedException {
        measure(journal, target, started, k6, load);
        var outcome = journal.run.cells().getLast().outcome();
        if (!outcome.isMeasured()) throw new Cli.Problem(Cli.MEASUREMENT_FAILED, "the warm-up failed: " + outcome.reason(),
                "everything is removed; ./jbang experiment.java --resume begins with the warm-up again");
    }

    /** One that failed left no name behind: the next takes its place on record. */
    private static String nameOfWarmUp(Journal journal, Run.Variant variant) {
        long earlier = journal.run.cells().stream().filter(cell -> cell.warmUp() && cell.outcome().isMeasured()
                && cell.variants().equals(List.of(variant.name()))).count();
        return "000-warm-up-" + variant.name() + (earlier == 0 ? "" : "-" + (earlier + 1));
    }

    /** The highest rate that a variant carries: steps until the search is at its end, or one cannot be measured. */
    private void search(Journal journal, Target target, Target.Started started, K6.Found k6, Study.Capacity study,
                        Run.PlannedCell search) throws IOException, InterruptedException {
        var variant = variants(search).getFirst();
        // All places are open before the first step, which would else measure how fast they start.
        int requests = Math.ceilDiv(journal.run.plan().warmUpRequests(), variant.places());
        warmUp(journal, target, started, k6, Load.opening(nameOfWarmUp(journal, variant), variant,
                study.workload(search.workload()), requests));
        while (journal.run.search(study, search) instanceof Search.Next(double ratePerSecond)) {
            int number = journal.run.steps(search).size() + 1;
            measure(journal, target, started, k6, Load.step(study, search, number, ratePerSecond));
            if (!journal.run.cells().getLast().outcome().isMeasured()) return;
        }
    }

    /** One cell: empty stores, k6, what the platform measured, and a row in run.json, whatever came of it. */
    private void measure(Journal journal, Target target, Target.Started started, K6.Found k6, Load load)
            throws IOException, InterruptedException {
        var planned = load.cell();
        Path requests = Run.File.Kind.SAMPLES.of(journal.directory, planned.name());
        Path invocations = Run.File.Kind.INVOCATIONS.of(journal.directory, planned.name());
        Path metrics = Run.File.Kind.METRICS.of(journal.directory, planned.name());
        var notes = new ArrayList<String>();
        Run.Stored stored = null;
        Generator.Result generated = null;
        Run.Step step = null;
        Run.Outcome outcome;
        Instant begun = Instant.now();
        try {
            if (load.asksStores()) target.ask(new Target.Empty());
            begun = Instant.now();
            var limit = load.lasts().plus(CELL_RESERVE);
            Path said = Files.createDirectories(journal.directory.resolve("logs")).resolve("k6.log");
            generated = Generator.run(k6Command(k6, started, requests), load.described(functions, started.urls()),
                    started.apiKey(), said, limit);
            if (load.asksStores()) stored = target.ask(new Target.Stored(null)).stored();
            // Counting reads all of k6's file once more; this machine's records are there without being waited for.
            long sent = described.recordsComeLate() && generated.exitCode() == 0 ? requestsIn(requests) : 0;
            var collected = target.ask(
                    new Target.Collect(planned.variants(), begun, Instant.now(), sent, invocations, metrics));
            notes.addAll(collected.notes());
            generated.appendTo(metrics);
            outcome = generated.exitCode() == 0 ? Run.Outcome.measured()
                    : Run.Outcome.failed("k6 ended with " + generated.exitCode() + ": " + generated.lastWords());
            if (load.rate() != null && outcome.isMeasured()) step = step(load, started, requests, metrics);
        } catch (IOException | Cli.Problem broken) {
            if (broken instanceof Cli.Problem problem && problem.exitCode == Cli.SOMETHING_LEFT) throw problem;
            if (!target.isAlive()) {
                var died = Run.Outcome.failed("the target died");
                journal.add(cell(load, null, begun, died, List.of(), null, null, notes));
                throw new Cli.Problem(Cli.MEASUREMENT_FAILED, "the target died while " + planned.name() + " was measured",
                        "finished cells are kept; ./jbang experiment.java --resume goes on with the rest", broken);
            }
            outcome = Run.Outcome.failed(broken.getMessage());
        }
        boolean diskIsFull = Files.getFileStore(data).getUsableSpace() < DISK_FULL_BYTES;
        if (diskIsFull) {
            // What the cell has left is cut, and its room is what run.json needs.
            for (var file : journal.files(planned.name())) Files.delete(journal.directory.resolve(file.path()));
            outcome = Run.Outcome.failed("the disk is full");
        }
        try {
            journal.add(cell(load, step, begun, outcome, journal.files(planned.name()), stored, generated, notes));
        } catch (IOException noRoom) {
            // Others have filled the disk: the record stays as it was before this cell, which is not measured either way.
            if (!diskIsFull) throw noRoom;
        }
        if (diskIsFull) throw new Cli.Problem(Cli.MEASUREMENT_FAILED,
                "the disk of " + data + " was full while " + planned.name() + " was measured",
                "make room; finished cells are kept, and ./jbang experiment.java --resume goes on with the rest");
    }

    /** How many requests k6 has sent, by its own record. */
    private static long requestsIn(Path k6Json) throws IOException {
        try (var lines = new BufferedReader(new InputStreamReader(
                new GZIPInputStream(Files.newInputStream(k6Json)), StandardCharsets.UTF_8))) {
            return lines.lines().filter(line -> line.contains("\"http_reqs\"") && line.contains("\"Point\"")).count();
        }
    }

    /** What the search needs to know of it. */
    private static Run.Step step(Load load, Target.Started started, Path requests, Path metrics) throws IOException {
        int cores = others(started).isEmpty() ? Runtime.getRuntime().availableProcessors() : others(started).size();
        try (var told = Files.newInputStream(metrics)) {
            double busy = StepReader.generatorBusy(told, cores);
            return StepReader.read(load.rate(), load.phases().getLast().seconds(), List.of(Slice.whole(requests)), busy);
        }
    }

    private static Run.Cell cell(Load load, Run.Step step, Instant begun, Run.Outcome outcome, List<Run.File> files,
                                 Run.Stored stored, Generator.Result generated, List<String> notes) {
        var planned = load.cell();
        // Of a step that was not measured the rate alone is on record.
        var known = load.rate() == null || step != null ? step : new Run.Step(load.rate(), 1, 0, 0, null, null, null, 0);
        return new Run.Cell(planned.number(), planned.study(), planned.name(), planned.round(), planned.variants(),
                planned.workload(), known, load.phases(), begun, Instant.now(), outcome, files, stored,
                generated == null ? null : generated.summary(), notes);
    }

    /** On its own cores where the target says which. */
    private List<String> k6Command(K6.Found k6, Target.Started started, Path requests) {
        var command = new ArrayList<String>();
        var cores = others(started);
        if (!cores.isEmpty()) {
            String list = cores.stream().map(String::valueOf).collect(Collectors.joining(","));
            command.addAll(List.of("taskset", "-c", list));
        }
        command.addAll(k6.command(home.resolve("k6/load.js"), requests));
        return command;
    }

    /** The cores that are not the functions'; empty where nothing is pinned. */
    private static List<?> others(Target.Started started) {
        return started.environment().get("pinning") instanceof Map<?, ?> pinning
                && pinning.get("others") instanceof List<?> cores ? cores : List.of();
    }

    // ==== Remove ====

    /**
     * Removing is owed, whatever has happened before and whatever happens meanwhile; then comes what had failed. What
     * could not be removed is exit code 4, with both failures and the command that removes it.
     *
     * @param failure  null when all has gone well
     */
    private void remove(Journal journal, Target target, Target.Planned planned, boolean hasStarted, Throwable failure)
            throws Exception {
        Interruption.waitForRemoval();
        if (failure instanceof InterruptedException) sayWhatIsKept(journal);
        boolean kept = keep && described.teardown() != null && hasStarted;
        try {
            if (kept) {
                Cli.say(String.format(Locale.ROOT,
                        "keep     everything stays up at %.2f USD an hour until %s; %s removes it sooner",
                        planned.costPerHourUsd(), target.ask(new Target.Keep()).until(), teardownCommand()));
            } else {
                double spentUsd = removed(target);
                Cli.say(planned.costUsd() == 0 ? "remove   nothing is left running" : String.format(Locale.ROOT,
                        "remove   0 resources left, %.2f USD spent, %.2f USD estimated", spentUsd, planned.costUsd()));
            }
        } catch (Exception notRemoved) {
            String before = failure == null || failure instanceof InterruptedException ? ""
                    : failure.getMessage() + "; then: ";
            throw new Cli.Problem(Cli.SOMETHING_LEFT, before + notRemoved.getMessage(),
                    notRemoved instanceof Cli.Problem problem && problem.exitCode == Cli.SOMETHING_LEFT ? problem.hint
                            : howToRemove(), notRemoved);
        }
        journal.dropIfEmpty();
        switch (failure) {
            case null -> { }
            case Cli.Problem left when left.exitCode == Cli.SOMETHING_LEFT && !kept -> throw new Cli.Problem(
                    Cli.MEASUREMENT_FAILED, left.getMessage(), "all of it is removed now; ./jbang experiment.java --resume goes on", left);
            case Exception exception -> throw exception;
            case Error error -> throw error;
            default -> throw new IllegalStateException(failure);
        }
    }

    /** What it all cost, USD. A target that is dead or amid something else is started again: it knows what there is. */
    private double removed(Target target) throws IOException, InterruptedException {
        if (target.isBusy()) target.kill();
        try {
            if (target.isAlive()) return target.ask(new Target.Remove()).spentUsd();
        } catch (IOException failed) {
            if (target.isAlive()) throw failed;
        }
        try (var another = connect()) {
            return another.ask(new Target.Remove()).spentUsd();
        }
    }

    private String howToRemove() {
        return described.teardown() == null ? "its processes end with this one; ps shows whether one has stayed"
                : teardownCommand() + " removes what is left";
    }

    private String teardownCommand() { return "./jbang " + targetName + ".java " + described.teardown(); }

    // ==== The record, begun or gone on with ====

    private Journal begin(Run.Plan plan, Required required, Map<String, MeasuredFunction.Artefact> artefacts)
            throws Exception {
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        String id = now.toString().replace(':', '-') + "-" + targetName;
        var possible = Profile.without(plan, variant -> !artefacts.containsKey(variant.language())
                || required.planned().refused().containsKey(variant.name()));
        var environment = Surroundings.of(home, required.k6().version(), artefacts);
        JsonNode prices = required.planned().prices() != null ? required.planned().prices()
                : Run.json().readTree(home.resolve("data/prices.json").toFile());
        return new Journal(data.resolve(id), new Run(Run.SCHEMA, id, targetName, now, null, possible,
                environment, prices, null, List.of(), warnings, null));
    }

    private Run readUnfinished() throws IOException {
        Path file = Run.fileOf(resumed);
        Run run = Run.read(file);
        if (!file.equals(data.toRealPath().resolve(run.id()).resolve("run.json"))) throw new Cli.Problem(Cli.REFUSED,
                resumed + " is not where it was begun", "a run goes on in data/" + run.id() + " only");
        if (run.finished() != null) throw new Cli.Problem(Cli.REFUSED,
                "run " + run.id() + " is complete", "./jbang analyze.java " + resumed + " shows it");
        targetName = run.target();
        return run;
    }

    /** A resumed run goes on with the very functions that it began with. */
    private Journal resume(Run unfinished, Map<String, MeasuredFunction.Artefact> artefacts) throws IOException {
        JsonNode before = Run.json().readTree(Run.line(unfinished.environment().get("artefacts")));
        JsonNode now = Run.json().readTree(Run.line(Surroundings.sizes(artefacts)));
        if (!before.equals(now)) {
            Object commit = unfinished.environment("git", "commit").orElse("that it names");
            throw new Cli.Problem(Cli.REFUSED,
                    "the functions are not those that run " + unfinished.id() + " began with",
                    "check out commit " + commit + ", or begin a new run");
        }
        return new Journal(data.resolve(unfinished.id()), unfinished);
    }

    // ==== Small things ====

    /**
     * One run at a time on a machine, whoever starts it: two would measure each other. The lock is a port of the
     * loopback: all users share it, and the kernel takes it back from a process however that ends.
     */
    private static AutoCloseable onlyOneRun() throws IOException {
        try {
            return new ServerSocket(LOCK_PORT, 1, InetAddress.getLoopbackAddress());
        } catch (BindException taken) {
            throw new Cli.Problem(Cli.REFUSED, "another experiment runs on this machine",
                    "wait for it, or end it: two would measure each other (port " + LOCK_PORT + " is their lock)");
        }
    }

    private void warn(String text) {
        Cli.warn(text);
        warnings.add(text);
    }

    private static Duration duration(String text) {
        if (text == null) return null;
        var match = Pattern.compile("(\\d+)(s|m|h)").matcher(text);
        if (!match.matches()) throw new Cli.Problem(Cli.REFUSED, "'" + text + "' is not a duration", "90s, 5m or 2h");
        return Duration.of(Long.parseLong(match.group(1)), switch (match.group(2)) {
            case "s" -> ChronoUnit.SECONDS;
            case "m" -> ChronoUnit.MINUTES;
            default -> ChronoUnit.HOURS;
        });
    }
}
