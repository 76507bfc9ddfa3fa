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

import module java.base;

/** A shape of a run; {@link #plan} lays it out for one target. */
record Profile(String description, boolean claims, long seed, int warmUpRequests, Map<String, OnTarget> targets) {
    /** Starting k6, collecting, emptying the stores, measured on two cores; only plans and the time left rest on it. */
    private static final double CELL_OVERHEAD_SECONDS = 0.9;

    /** Fewer rounds have no interval: Statistics.MINIMUM_BLOCKS. */
    static final int LEAST_ROUNDS_TO_CLAIM = 6;

    Profile {
        Run.texted("description", description);
        Run.check(targets != null && targets.values().stream().noneMatch(Objects::isNull),
                "targets is missing: variants and studies for each");
    }

    /** What the profile asks on one target. */
    record OnTarget(List<Run.Variant> variants, List<Run.Study> studies) {
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
     * The plan for one target.
     *
     * @param name      the profile's, for the record
     * @param languages only these; all where there is none
     * @param cutTo     about how long it may take at most; null for all of it. A cut run claims nothing.
     */
    Run.Plan plan(String name, String target, Set<String> languages, Duration cutTo) {
        var asked = targets.get(target);
        var variants = asked == null ? List.<Run.Variant>of() : asked.variants().stream()
                .filter(variant -> languages.isEmpty() || languages.contains(variant.language())).toList();
        if (variants.isEmpty()) {
            String among = languages.isEmpty() ? "" : " in " + String.join(", ", languages);
            throw new Cli.Problem(Cli.REFUSED, "profile " + name + " has no variant for --target " + target + among,
                    "it has variants for " + String.join(" and ", new TreeSet<>(targets.keySet())));
        }
        checkLength(name, asked.studies(), variants.size(), cutTo);
        checkClaim(name, asked.studies());
        var studies = cutTo == null ? asked.studies() : cut(asked.studies(), variants.size(), cutTo);
        try {
            return new Run.Plan(name, description, claims && cutTo == null, seed, warmUpRequests, variants, studies,
                    order(variants, studies, seed));
        } catch (IllegalArgumentException wrong) {
            throw new Cli.Problem(Cli.REFUSED, "profile " + name + ": " + wrong.getMessage(), hint(wrong.getMessage()), wrong);
        }
    }

    /** What isn't cut would only lose its claim. */
    private static void checkLength(String name, List<Run.Study> studies, int variants, Duration cutTo) {
        double seconds = studies.stream().mapToDouble(study -> seconds(study, variants)).sum();
        if (cutTo != null && cutTo.toSeconds() >= seconds) throw new Cli.Problem(Cli.REFUSED,
                "--for %s does not shorten profile %s, which takes about %s".formatted(Cli.spoken(cutTo), name,
                        Cli.spoken(Duration.ofSeconds((long) seconds))), "leave --for out");
    }

    private void checkClaim(String name, List<Run.Study> studies) {
        for (var study : studies) if (claims && study instanceof Run.Steady steady && steady.rounds() < LEAST_ROUNDS_TO_CLAIM) {
            throw new Cli.Problem(Cli.REFUSED, "profile %s claims differences from %d rounds of %s, and the least is %d"
                    .formatted(name, steady.rounds(), steady.name(), LEAST_ROUNDS_TO_CLAIM),
                    "more rounds, or \"claims\": false");
        }
    }

    /** The same profile for other variants and workloads on one target, in the same studies. */
    Profile with(String target, List<Run.Variant> variants, List<Run.Workload> workloads) {
        var studies = targets.get(target).studies().stream().<Run.Study>map(study -> switch (study) {
            case Run.Steady steady -> new Run.Steady(steady.name(), steady.design(), steady.rounds(),
                    steady.settleSeconds(), steady.measureSeconds(), workloads == null ? steady.workloads() : workloads);
        }).toList();
        return new Profile(description, claims, seed, warmUpRequests, Map.of(target, new OnTarget(variants, studies)));
    }

    // ==== Order ====

    /** The same plan for fewer variants. */
    static Run.Plan without(Run.Plan plan, Predicate<Run.Variant> leftOut) {
        var variants = plan.variants().stream().filter(leftOut.negate()).toList();
        if (variants.equals(plan.variants())) return plan;
        return new Run.Plan(plan.profile(), plan.description(), plan.claims(), plan.seed(), plan.warmUpRequests(),
                variants, plan.studies(), order(variants, plan.studies(), plan.seed()));
    }

    private static List<Run.PlannedCell> order(List<Run.Variant> variants, List<Run.Study> studies, long seed) {
        var random = new SplittableRandom(seed);
        var names = variants.stream().map(Run.Variant::name).toList();
        var cells = new ArrayList<Run.PlannedCell>();
        for (var study : studies) switch (study) {
            case Run.Steady steady -> order(steady, names, random, cells);
        }
        return cells;
    }

    /**
     * Round after round, every workload in a random order, and within it every variant in a random order: what is
     * compared stands minutes apart at most, and whatever drifts meets all variants alike.
     */
    private static void order(Run.Steady study, List<String> variants, SplittableRandom random,
                              List<Run.PlannedCell> cells) {
        var workloads = study.workloads().stream().map(Run.Workload::name).toList();
        for (int round = 1; round <= study.rounds(); round++) {
            for (String workload : shuffled(workloads, random)) {
                var slots = study.concurrent() ? List.of(variants)
                        : shuffled(variants, random).stream().map(List::of).toList();
                for (List<String> slot : slots) {
                    int number = cells.size() + 1;
                    String who = study.concurrent() ? "all" : slot.getFirst();
                    String name = "%03d-%s-%s".formatted(number, who, workload);
                    cells.add(new Run.PlannedCell(number, study.name(), name, round, slot, workload));
                }
            }
        }
    }

    private static <T> List<T> shuffled(List<T> list, SplittableRandom random) {
        var copy = new ArrayList<>(list);
        Collections.shuffle(copy, random);
        return copy;
    }

    // ==== Time ====

    /** How long these cells of a plan take, about. */
    static Duration timeOf(List<Run.PlannedCell> cells, Run.Plan plan) {
        double seconds = cells.stream().mapToDouble(cell -> switch (plan.study(cell.study())) {
            case Run.Steady steady -> cellSeconds(steady);
        }).sum();
        return Duration.ofMillis(Math.round(1000 * seconds));
    }

    private static double cellSeconds(Run.Steady steady) {
        return steady.settleSeconds() + steady.measureSeconds() + CELL_OVERHEAD_SECONDS;
    }

    private static int cellsPerRound(Run.Steady steady, int variants) {
        return steady.workloads().size() * (steady.concurrent() ? 1 : variants);
    }

    private static double seconds(Run.Study study, int variants) {
        return switch (study) {
            case Run.Steady steady -> steady.rounds() * cellsPerRound(steady, variants) * cellSeconds(steady);
        };
    }

    /** Every study keeps its share of the time. */
    private static List<Run.Study> cut(List<Run.Study> studies, int variants, Duration length) {
        double all = studies.stream().mapToDouble(study -> seconds(study, variants)).sum();
        return studies.stream().<Run.Study>map(study -> switch (study) {
            case Run.Steady steady -> cut(steady, variants, length,
                    length.toMillis() / 1000.0 * seconds(study, variants) / all);
        }).toList();
    }

    /** Fewer rounds, and if one is still too long, shorter cells. */
    private static Run.Steady cut(Run.Steady steady, int variants, Duration asked, double seconds) {
        int cells = cellsPerRound(steady, variants);
        // What a single round would leave for each of its cells.
        double secondsForEach = seconds / cells;
        int rounds = Math.clamp((long) (secondsForEach / cellSeconds(steady)), 1, steady.rounds());
        double cell = Math.min(cellSeconds(steady), secondsForEach / rounds) - CELL_OVERHEAD_SECONDS;
        double shortest = Run.Steady.SHORTEST_PHASE_SECONDS;
        double settle = steady.settleSeconds() == 0 ? 0 : tenths(Math.max(shortest,
                cell * steady.settleSeconds() / (steady.settleSeconds() + steady.measureSeconds())));
        if (cell - settle < shortest) {
            double least = cells * (CELL_OVERHEAD_SECONDS + settle + shortest) * asked.toMillis() / 1000.0 / seconds;
            throw new Cli.Problem(Cli.REFUSED,
                    "%s is too short for one round of %d cells".formatted(Cli.spoken(asked), cells),
                    "ask for at least --for %ds".formatted((int) Math.ceil(least)));
        }
        return new Run.Steady(steady.name(), steady.design(), rounds, settle, tenths(cell - settle), steady.workloads());
    }

    private static double tenths(double seconds) { return Math.floor(seconds * 10) / 10; }
}
