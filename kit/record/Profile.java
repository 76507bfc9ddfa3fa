// A profile: what a run asks of whom, as a JSON file holds it; one form for the kit's own in k6/profiles and for yours.
//
//     { "description": "…", "claims": false, "seed": 7, "warmUpRequests": 100,
//       "targets": { "local": {
//         "variants": ["rust-standard-1769", "rust-lmi-2048"],
//         "studies": [{ "kind": "steady", "name": "steady", "design": "slots", "rounds": 2, "settleSeconds": 1,
//                       "measureSeconds": 1.5, "workloads": [{ "name": "io", "ratePerSecond": 40, "query": {} }] }] } } }
//
// Variants and studies are the records of a run, checked by the same lines. What a profile adds is a choice for each
// target, and the order: every cell has its place, drawn from the seed, before anything is measured.

//SOURCES ../Cli.java
//SOURCES Run.java
//SOURCES Study.java

import module java.base;

/** A shape of a run; {@link #plan} lays it out for one target. */
record Profile(String description, boolean claims, long seed, int warmUpRequests, Map<String, OnTarget> targets) {
    /** Starting k6, collecting, emptying the stores, measured on two cores; only plans and the time left rest on it. */
    private static final double CELL_OVERHEAD_SECONDS = 0.9;
    /** Probe, a doubling or two, five bisections, two confirmations; only plans rest on it. */
    private static final int STEPS_OF_A_SEARCH = 11;
    /** A shorter step has too few answers for its 99th percentile at any rate worth finding. */
    private static final double SHORTEST_STEP_SECONDS = 2;
    /** A new environment and its first answers, between Rust's and Java's; only plans rest on it. */
    private static final double COLD_SECONDS = 1.2;

    /** Fewer rounds have no interval: Statistics.MINIMUM_BLOCKS. */
    static final int LEAST_ROUNDS_TO_CLAIM = 6;

    Profile {
        Run.texted("description", description);
        Run.check(targets != null && targets.values().stream().noneMatch(Objects::isNull),
                "targets is missing: variants and studies for each");
    }

    /** What the profile asks on one target. */
    record OnTarget(List<Run.Variant> variants, List<Study> studies) {
        OnTarget {
            Run.check(variants != null && studies != null, "a target has variants and studies");
        }
    }

    /** Reads one of the kit's own by its name, or a file; throws a Problem that names the field that is wrong. */
    static Profile read(Path kitHome, String name) {
        Path own = kitHome.resolve("k6/profiles/" + name + ".json");
        Path file = Files.exists(own) ? own : Path.of(name);
        if (!Files.exists(file)) throw new Cli.Problem(Cli.REFUSED, "there is no profile " + name,
                "quick, 25m, 2h, or the path of a JSON file of the same form");
        try {
            return Run.read(file, Profile.class, "a profile", "");
        } catch (Cli.Problem wrong) {
            throw new Cli.Problem(wrong.exitCode, wrong.getMessage(), hint(wrong.getMessage()), wrong);
        }
    }

    /** The page that explains the form, a row for each field: name, what it is, bounds, example. */
    private static final String FORM = "k6/profiles/README.md";
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `(\\w+)` \\|.*\\| `([^`]+)` \\|$");

    /** An example of the field that a message names last, and where all are explained. */
    private static String hint(String message) {
        String all = FORM + " has every field with its bounds and an example";
        try {
            return ROW.matcher(Files.readString(Path.of(FORM))).results()
                    .max(Comparator.comparingInt(row -> lastMention(message, row.group(1))))
                    .filter(row -> lastMention(message, row.group(1)) >= 0)
                    .map(row -> "such as " + row.group(2) + "; " + all).orElse(all);
        } catch (IOException withoutThePage) {
            return all;
        }
    }

    private static int lastMention(String message, String field) {
        return Pattern.compile("\\b" + field + "\\b").matcher(message).results().mapToInt(MatchResult::start).max().orElse(-1);
    }

    /**
     * What a command line asks of a profile otherwise than the profile says; null, or empty, where it doesn't.
     *
     * @param languages     only these functions
     * @param workloads     only these workloads, in the studies that have them
     * @param cutTo         about how long all of it may take at most; such a run claims nothing
     * @param scale         the same as a share of the profile's own time
     * @param ratePerSecond of every workload of the steady study, and the highest of every shape of requests
     * @param users         the most of every shape of users
     * @param stageLength   of every stage of every shape
     * @param stages        what the load becomes in each of a shape's stages, in place of its own
     */
    record Asked(Set<String> languages, Set<String> workloads, Duration cutTo, Double scale, Double ratePerSecond,
                 Integer users, Duration stageLength, List<Double> stages) {
        private static final double LEAST_SCALE = 0.001, MOST_SCALE = 100;

        Asked {
            if (scale != null) Run.within("scale", scale, LEAST_SCALE, MOST_SCALE);
            if (ratePerSecond != null) Run.within("rate", ratePerSecond, 0.01, 1_000_000);
            if (users != null) Run.within("vus", users, 1, 100_000);
        }

        boolean isShorter() { return cutTo != null || scale != null && scale < 1; }

        /** For the record: what differs from the profile, in the words of the command line. */
        private String spoken() {
            var said = new StringJoiner(" ", " With ", ".").setEmptyValue("");
            if (!workloads.isEmpty()) said.add("--workloads " + String.join(",", new TreeSet<>(workloads)));
            if (cutTo != null) said.add("--for " + Cli.spoken(cutTo));
            if (scale != null) said.add("--scale " + Cli.plain(scale));
            if (ratePerSecond != null) said.add("--rate " + Cli.plain(ratePerSecond));
            if (users != null) said.add("--vus " + users);
            if (stageLength != null) said.add("--duration " + Cli.spoken(stageLength));
            if (!stages.isEmpty()) said.add("--stages " + stages.stream().map(Cli::plain).collect(Collectors.joining(",")));
            return said.toString();
        }
    }

    /** The plan for one target. @param name the profile's, for the record */
    Run.Plan plan(String name, String target, Asked asked) {
        var here = targets.get(target);
        var variants = here == null ? List.<Run.Variant>of() : here.variants().stream()
                .filter(variant -> asked.languages.isEmpty() || asked.languages.contains(variant.language())).toList();
        if (variants.isEmpty()) {
            String among = asked.languages.isEmpty() ? "" : " in " + String.join(", ", asked.languages);
            throw new Cli.Problem(Cli.REFUSED, "profile " + name + " has no variant for --target " + target + among,
                    "it has variants for " + String.join(" and ", new TreeSet<>(targets.keySet())));
        }
        checkLength(name, here.studies(), variants, asked.cutTo);
        checkClaim(name, here.studies());
        try {
            var studies = inTime(changed(name, here.studies(), asked), variants, asked);
            return new Run.Plan(name, description + asked.spoken(), claims && !asked.isShorter(), seed, warmUpRequests,
                    variants, studies, order(variants, studies, seed));
        } catch (IllegalArgumentException wrong) {
            throw new Cli.Problem(Cli.REFUSED, "profile " + name + ": " + wrong.getMessage(), hint(wrong.getMessage()), wrong);
        }
    }

    private static List<Study> inTime(List<Study> studies, List<Run.Variant> variants, Asked asked) {
        if (asked.cutTo != null) return cut(studies, variants, asked.cutTo);
        if (asked.scale == null || asked.scale == 1) return studies;
        if (asked.scale < 1) {
            return cut(studies, variants, Duration.ofMillis(Math.round(1000 * asked.scale * seconds(studies, variants))));
        }
        return studies.stream().map(study -> scaled(study, variants, asked.scale, null)).toList();
    }

    /** What isn't cut would only lose its claim. */
    private static void checkLength(String name, List<Study> studies, List<Run.Variant> variants, Duration cutTo) {
        double seconds = seconds(studies, variants);
        if (cutTo != null && cutTo.toSeconds() >= seconds) throw new Cli.Problem(Cli.REFUSED,
                "--for %s does not shorten profile %s, which takes about %s".formatted(Cli.spoken(cutTo), name,
                        Cli.spoken(Duration.ofSeconds((long) seconds))), "leave --for out");
    }

    private void checkClaim(String name, List<Study> studies) {
        for (var study : studies) if (claims && study instanceof Study.Steady steady && steady.rounds() < LEAST_ROUNDS_TO_CLAIM) {
            throw new Cli.Problem(Cli.REFUSED, "profile %s claims differences from %d rounds of %s, and the least is %d"
                    .formatted(name, steady.rounds(), steady.name(), LEAST_ROUNDS_TO_CLAIM),
                    "more rounds, or \"claims\": false");
        }
    }

    /** Throws a Problem where something is asked that no study of the profile has. */
    private static List<Study> changed(String name, List<Study> studies, Asked asked) {
        var found = new ArrayList<Study>();
        for (var study : studies) {
            var some = study.workloads().stream()
                    .filter(it -> asked.workloads.isEmpty() || asked.workloads.contains(it.name())).toList();
            if (!some.isEmpty()) found.add(changed(study, some, asked));
        }
        refuse(found.isEmpty(), name, "asks for none of " + String.join(", ", new TreeSet<>(asked.workloads)), "--workloads");
        var shapes = found.stream().filter(Study.Shape.class::isInstance).map(Study.Shape.class::cast).toList();
        refuse(shapes.isEmpty() && (asked.stageLength != null || !asked.stages.isEmpty()), name, "has no study with stages",
                "--duration and --stages");
        refuse(asked.users != null && shapes.stream().noneMatch(Study.Shape::users), name, "has no study of users", "--vus");
        refuse(asked.ratePerSecond != null && found.stream().noneMatch(study -> study instanceof Study.Steady
                || study instanceof Study.Shape shape && !shape.users()), name, "has no study at a rate", "--rate");
        return found;
    }

    private static void refuse(boolean is, String profile, String what, String option) {
        if (is) throw new Cli.Problem(Cli.REFUSED, "profile " + profile + " " + what,
                option + " would change nothing; --plan shows what the profile has");
    }

    private static Study changed(Study study, List<Run.Workload> workloads, Asked asked) {
        return switch (study) {
            case Study.Steady steady -> steady.withWorkloads(asked.ratePerSecond == null ? workloads : workloads.stream()
                    .map(it -> new Run.Workload(it.name(), asked.ratePerSecond, it.query())).toList());
            case Study.Shape shape -> {
                var changed = shape.withWorkloads(workloads).withStages(stages(shape, asked));
                double peak = changed.peak(), factor = shape.users() ? asked.users == null ? 1 : asked.users / peak
                        : asked.ratePerSecond == null ? 1 : asked.ratePerSecond / peak;
                yield changed.withStages(changed.stages().stream()
                        .map(stage -> new Study.Stage(stage.seconds(), stage.target() * factor)).toList());
            }
            case Study.Capacity _, Study.Cold _ -> study.withWorkloads(workloads);
        };
    }

    private static List<Study.Stage> stages(Study.Shape shape, Asked asked) {
        double seconds = asked.stageLength == null ? 0 : asked.stageLength.toMillis() / 1000.0;
        if (asked.stages.isEmpty()) return seconds == 0 ? shape.stages()
                : shape.stages().stream().map(stage -> new Study.Stage(seconds, stage.target())).toList();
        double each = seconds > 0 ? seconds : shape.seconds() / asked.stages.size();
        return asked.stages.stream().map(target -> new Study.Stage(each, target)).toList();
    }

    /** The same profile for other variants and workloads on one target, in the same studies. */
    Profile with(String target, List<Run.Variant> variants, List<Run.Workload> workloads) {
        var studies = workloads == null ? targets.get(target).studies() : targets.get(target).studies().stream()
                .map(study -> study.withWorkloads(study instanceof Study.Steady ? workloads : unrated(workloads))).toList();
        return new Profile(description, claims, seed, warmUpRequests, Map.of(target, new OnTarget(variants, studies)));
    }

    private static List<Run.Workload> unrated(List<Run.Workload> workloads) {
        return workloads.stream().map(it -> new Run.Workload(it.name(), null, it.query())).toList();
    }

    // ==== Said ====

    /** What a study does, in a line of a plan. */
    static String spoken(Study study) {
        return switch (study) {
            case Study.Steady steady -> "%d rounds in %d deployments, %s s settling and %s s measured, %s".formatted(
                    steady.rounds(), steady.deployments(), Cli.plain(steady.settleSeconds()),
                    Cli.plain(steady.measureSeconds()), steady.design());
            case Study.Shape shape -> "%s of %s over %s s".formatted(shape.users() ? "users" : "requests/s",
                    shape.stages().stream().map(stage -> Cli.plain(stage.target())).collect(Collectors.joining(", ")),
                    Cli.plain(shape.seconds()));
            case Study.Capacity capacity -> "the highest rate with a p99 of at most %s ms and %s %% errors; steps of %s s".formatted(
                    Cli.plain(capacity.p99Ms()), Cli.plain(100 * capacity.errorShare()),
                    Cli.plain(capacity.settleSeconds() + capacity.measureSeconds()));
            case Study.Cold cold -> "%d new environments of each variant, one at a time, %d requests each"
                    .formatted(cold.rounds(), cold.requests());
        };
    }

    // ==== Order ====

    /** The same plan for fewer variants. */
    static Run.Plan without(Run.Plan plan, Predicate<Run.Variant> leftOut) {
        var variants = plan.variants().stream().filter(leftOut.negate()).toList();
        if (variants.equals(plan.variants())) return plan;
        return new Run.Plan(plan.profile(), plan.description(), plan.claims(), plan.seed(), plan.warmUpRequests(),
                variants, plan.studies(), order(variants, plan.studies(), plan.seed()));
    }

    private static List<Run.PlannedCell> order(List<Run.Variant> variants, List<Study> studies, long seed) {
        var random = new SplittableRandom(seed);
        var cells = new ArrayList<Run.PlannedCell>();
        for (var study : studies) {
            var names = variants.stream().filter(study::asks).map(Run.Variant::name).toList();
            order(study, names, random, cells);
        }
        return cells;
    }

    /**
     * Round after round, every workload in a random order, and within it the variants: what is compared stands minutes
     * apart at most, and whatever drifts meets all variants alike. Over as many rounds as there are variants each has
     * stood once in every place, of each workload: random Latin squares.
     */
    private static void order(Study study, List<String> variants, SplittableRandom random, List<Run.PlannedCell> cells) {
        boolean together = study instanceof Study.Steady steady && steady.concurrent();
        var workloads = study.workloads().stream().map(Run.Workload::name).toList();
        var squares = new HashMap<String, List<List<String>>>();
        for (int round = 1; round <= study.rounds(); round++) {
            int row = (round - 1) % variants.size();
            for (String workload : shuffled(workloads, random)) {
                if (row == 0) squares.put(workload, square(variants, random));
                var slots = together ? List.of(variants) : squares.get(workload).get(row).stream().map(List::of).toList();
                for (List<String> slot : slots) {
                    int number = cells.size() + 1;
                    String who = together ? "all" : slot.getFirst();
                    // A steady cell's name says no study, as it has stood in every run.
                    String name = "%03d-%s-%s%s".formatted(number, who, workload,
                            study instanceof Study.Steady ? "" : "-" + study.name());
                    cells.add(new Run.PlannedCell(number, study.name(), name, round, slot, workload));
                }
            }
        }
    }

    /** Each of them once in every row and in every column: the cyclic square with rows, columns and names shuffled. */
    private static <T> List<List<T>> square(List<T> all, SplittableRandom random) {
        var names = shuffled(all, random);
        var columns = shuffled(IntStream.range(0, all.size()).boxed().toList(), random);
        return shuffled(IntStream.range(0, all.size()).boxed().toList(), random).stream()
                .map(row -> columns.stream().map(column -> names.get((row + column) % all.size())).toList()).toList();
    }

    private static <T> List<T> shuffled(List<T> list, SplittableRandom random) {
        var copy = new ArrayList<>(list);
        Collections.shuffle(copy, random);
        return copy;
    }

    // ==== Time and requests ====

    /** Requests that these cells make of a variant, about, by workload; without the warm-ups'. */
    static Map<Run.Workload, Double> requestsOf(Run.Variant variant, Run.Plan plan) {
        var requests = new LinkedHashMap<Run.Workload, Double>();
        for (var cell : plan.order()) {
            if (!cell.variants().contains(variant.name())) continue;
            var study = plan.study(cell.study());
            var workload = study.workload(cell.workload());
            double cells = study instanceof Study.Capacity ? STEPS_OF_A_SEARCH : 1;
            requests.merge(new Run.Workload(workload.name(), null, workload.query()), cells * study.requests(workload), Double::sum);
        }
        return requests;
    }

    /** How long these cells of a plan take, about. */
    static Duration timeOf(List<Run.PlannedCell> cells, Run.Plan plan) {
        double seconds = cells.stream().mapToDouble(cell -> cellSeconds(plan.study(cell.study()))).sum();
        return Duration.ofMillis(Math.round(1000 * seconds));
    }

    private static double cellSeconds(Study study) {
        return switch (study) {
            case Study.Steady steady -> steady.settleSeconds() + steady.measureSeconds() + CELL_OVERHEAD_SECONDS;
            case Study.Shape shape -> shape.seconds() + CELL_OVERHEAD_SECONDS;
            case Study.Capacity capacity -> STEPS_OF_A_SEARCH
                    * (capacity.settleSeconds() + capacity.measureSeconds() + CELL_OVERHEAD_SECONDS);
            case Study.Cold _ -> COLD_SECONDS + CELL_OVERHEAD_SECONDS;
        };
    }

    private static int cellsPerRound(Study study, List<Run.Variant> variants) {
        boolean together = study instanceof Study.Steady steady && steady.concurrent();
        return study.workloads().size() * (together ? 1 : (int) variants.stream().filter(study::asks).count());
    }

    private static double seconds(Study study, List<Run.Variant> variants) {
        return study.rounds() * cellsPerRound(study, variants) * cellSeconds(study);
    }

    private static double seconds(List<Study> studies, List<Run.Variant> variants) {
        return studies.stream().mapToDouble(study -> seconds(study, variants)).sum();
    }

    /** Every study keeps its share of the time. */
    private static List<Study> cut(List<Study> studies, List<Run.Variant> variants, Duration length) {
        double scale = length.toMillis() / 1000.0 / seconds(studies, variants);
        return scale >= 1 ? studies : studies.stream().map(study -> scaled(study, variants, scale, length)).toList();
    }

    /**
     * A study that takes about so much of its time: more or fewer rounds and starts, then shorter cells; shapes and
     * steps are as much longer or shorter.
     */
    private static Study scaled(Study study, List<Run.Variant> variants, double scale, Duration asked) {
        return switch (study) {
            case Study.Steady steady when scale > 1 -> new Study.Steady(steady.name(), steady.design(), steady.deployments()
                    * (int) Math.round(scale * steady.rounds() / steady.deployments()), steady.deployments(),
                    steady.settleSeconds(), steady.measureSeconds(), steady.workloads());
            case Study.Steady steady -> cut(steady, cellsPerRound(steady, variants), scale * seconds(steady, variants),
                    asked);
            case Study.Shape shape -> shape.withStages(shape.stages().stream().map(stage -> new Study.Stage(
                    Math.max(Study.SHORTEST_PHASE_SECONDS, tenths(stage.seconds() * scale)), stage.target())).toList());
            case Study.Capacity capacity -> new Study.Capacity(capacity.name(),
                    Math.max(Study.SHORTEST_PHASE_SECONDS, tenths(capacity.settleSeconds() * scale)),
                    Math.max(SHORTEST_STEP_SECONDS, tenths(capacity.measureSeconds() * scale)), capacity.p99Ms(),
                    capacity.errorShare(), (int) Math.ceil(capacity.rounds() * Math.min(1, scale)), capacity.workloads());
            case Study.Cold cold -> new Study.Cold(cold.name(), (int) Math.max(1, cold.rounds() * scale), cold.requests(),
                    cold.workloads());
        };
    }

    /** Fewer rounds, and if one is still too long, shorter cells. */
    private static Study.Steady cut(Study.Steady steady, int cells, double seconds, Duration asked) {
        // What a single round would leave for each of its cells.
        double secondsForEach = seconds / cells;
        int rounds = Math.clamp((long) (secondsForEach / cellSeconds(steady)), 1, steady.rounds());
        double cell = Math.min(cellSeconds(steady), secondsForEach / rounds) - CELL_OVERHEAD_SECONDS;
        double shortest = Study.SHORTEST_PHASE_SECONDS;
        double settle = steady.settleSeconds() == 0 ? 0 : tenths(Math.max(shortest,
                cell * steady.settleSeconds() / (steady.settleSeconds() + steady.measureSeconds())));
        if (cell - settle < shortest) {
            double least = cells * (CELL_OVERHEAD_SECONDS + settle + shortest) * asked.toMillis() / 1000.0 / seconds;
            throw new Cli.Problem(Cli.REFUSED,
                    "%s is too short for one round of %d cells".formatted(Cli.spoken(asked), cells),
                    "ask for at least --for %ds".formatted((int) Math.ceil(least)));
        }
        // Whole deployments, each of as many rounds as before, or of all where there are fewer.
        int roundsOfOne = Math.min(rounds, steady.rounds() / steady.deployments());
        int deployments = Math.max(1, rounds / roundsOfOne);
        return new Study.Steady(steady.name(), steady.design(), deployments * roundsOfOne, deployments, settle,
                tenths(cell - settle), steady.workloads());
    }

    private static double tenths(double seconds) { return Math.floor(seconds * 10) / 10; }
}
