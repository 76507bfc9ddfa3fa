// The functions that a run can measure, and what they are asked.
//
// The kit's own do the contract's workloads with the parameters that a profile gives. A function of --function joins
// them where it keeps the contract; one that has workloads of its own is measured without them, as they could not answer.

//SOURCES ../Cli.java
//SOURCES Contract.java
//SOURCES MeasuredFunction.java
//SOURCES Profile.java
//SOURCES Run.java

import module java.base;
import com.fasterxml.jackson.databind.JsonNode;

/**
 * The kit's functions and a user's.
 *
 * @param byName       all of them
 * @param own          those of --function
 * @param ownWorkloads what all of {@code own} are asked; empty where that is the profile's workloads
 */
record Functions(SequencedMap<String, MeasuredFunction> byName, List<MeasuredFunction> own,
                 Map<String, MeasuredFunction.Workload> ownWorkloads) {
    /** The contract's bounds: function/README.md. */
    private static final int MOST_DELAY_MS = 15_000, MOST_HASH_LOOPS = 1_000_000, LONGEST_SEED = 256;
    /** What one vCPU comes with, so that both computes are compared with one vCPU each. */
    private static final int STANDARD_MB = 1769, LMI_MB = 2048;

    /** Reads the kit's functions, and a user's from their folders; throws a Problem when they can't be measured together. */
    static Functions of(Path kitHome, List<Path> ownFolders) throws IOException {
        var byName = MeasuredFunction.all(kitHome);
        var own = new ArrayList<MeasuredFunction>();
        for (Path folder : ownFolders) {
            var function = MeasuredFunction.read(folder.toAbsolutePath().normalize());
            if (byName.putIfAbsent(function.name(), function) != null) throw new Cli.Problem(Cli.REFUSED,
                    "there is a function " + function.name() + " already", "give the folder another name");
            own.add(function);
            if (!own.getFirst().workloads().equals(function.workloads())) throw new Cli.Problem(Cli.REFUSED,
                    own.getFirst().name() + " and " + function.name() + " have different workloads",
                    "functions that are measured together are asked the same");
        }
        return new Functions(byName, own, own.isEmpty() ? Map.of() : own.getFirst().workloads());
    }

    boolean haveOwnWorkloads() { return !ownWorkloads.isEmpty(); }

    MeasuredFunction of(Run.Variant variant) { return byName.get(variant.language()); }

    boolean keepContract(List<Run.Variant> variants) {
        return variants.stream().allMatch(variant -> of(variant).contract());
    }

    /** The profile with a user's functions in it: measured alone if they have their own workloads, else beside the kit's. */
    Profile joining(Profile profile, String target) {
        if (own.isEmpty()) return profile;
        if (!target.equals("local")) throw new Cli.Problem(Cli.REFUSED,
                "--function is for this machine", "docs/own-function.md says what AWS needs");
        var variants = new ArrayList<Run.Variant>();
        if (!haveOwnWorkloads()) variants.addAll(profile.targets().get(target).variants());
        for (var function : own) for (String compute : new TreeSet<>(function.local().memoryMb().keySet()).reversed()) {
            int memoryMb = compute.equals(Run.Variant.LMI) ? LMI_MB : STANDARD_MB;
            variants.add(Run.Variant.of(function.name() + "-" + compute + "-" + memoryMb));
        }
        var workloads = new TreeMap<>(ownWorkloads).entrySet().stream().map(it -> new Run.Workload(
                it.getKey(), it.getValue().ratePerSecond(), it.getValue().query())).toList();
        return profile.with(target, variants, workloads.isEmpty() ? null : workloads);
    }

    /** Throws a Problem when a plan names a function that is not among these. */
    void checkVariants(Run.Plan plan) {
        for (var variant : plan.variants()) if (of(variant) == null) throw new Cli.Problem(Cli.REFUSED,
                "there is no function " + variant.language() + " for " + variant.name(),
                "the functions are " + String.join(", ", byName.keySet()) + "; --function DIR names one of your own");
    }

    /** Throws a Problem when a profile's workload is unknown, or has parameters that cannot be. */
    void checkWorkloads(Run.Plan plan) {
        for (var study : plan.studies()) for (var workload : study.workloads()) try {
            expected(workload);
            checkLoad(workload);
        } catch (IllegalArgumentException wrong) {
            throw new Cli.Problem(Cli.REFUSED, "profile " + plan.profile() + ", workload " + workload.name() + ": "
                    + wrong.getMessage(), "k6/profiles/README.md has the workloads with their parameters");
        }
    }

    /** A function has no more than so many places at a time: what is asked beyond would be throttled, which is no latency. */
    private void checkLoad(Run.Workload workload) {
        Double ratePerSecond = workload.ratePerSecond();
        if (ratePerSecond == null || !workload.name().equals("io") || ownWorkloads.containsKey("io")) return;
        double atOnce = ratePerSecond * Integer.parseInt(workload.query().get("delay_ms")) / 1000;
        Run.check(atOnce <= Run.LMI_CONCURRENCY, "ratePerSecond times delay_ms is %.0f requests at once, and a function takes %d"
                .formatted(atOnce, Run.LMI_CONCURRENCY));
    }

    /** What a correct reply to a workload's request holds. */
    MeasuredFunction.Expected expected(Run.Workload workload) {
        if (ownWorkloads.containsKey(workload.name())) return ownWorkloads.get(workload.name()).expected();
        var fields = new TreeMap<String, JsonNode>();
        contracted(workload.name(), workload.query()).forEach((name, value) -> fields.put(name, Run.json().valueToTree(value)));
        return new MeasuredFunction.Expected(200, fields, null, null);
    }

    private static Map<String, Object> contracted(String workload, Map<String, String> query) {
        return switch (workload) {
            case "hello" -> Map.of("message", "hello");
            case "io" -> Map.of("delayMs", number(query, "delay_ms", 0, MOST_DELAY_MS));
            case "cpu" -> {
                int hashLoops = number(query, "hash_loops", 1, MOST_HASH_LOOPS);
                String seed = query.getOrDefault("seed", "");
                int characters = seed.codePointCount(0, seed.length());
                Run.check(characters >= 1 && characters <= LONGEST_SEED,
                        "seed has %d characters, not 1 to %d, such as lambda-kit".formatted(characters, LONGEST_SEED));
                yield Map.of("hashLoops", hashLoops, "digest", Contract.digest(seed, hashLoops));
            }
            case "mixed" -> {
                var both = new TreeMap<>(contracted("io", query));
                both.putAll(contracted("cpu", query));
                yield both;
            }
            case "store" -> Map.of();
            default -> throw new IllegalArgumentException("there is no such workload: hello, io, cpu, mixed or store");
        };
    }

    private static int number(Map<String, String> query, String name, int least, int most) {
        String text = query.getOrDefault(name, "");
        boolean isOne = text.matches("[0-9]{1,8}") && Integer.parseInt(text) >= least && Integer.parseInt(text) <= most;
        Run.check(isOne, "%s is '%s', not %d to %d, such as \"50\"".formatted(name, text, least, most));
        return Integer.parseInt(text);
    }

    /** "/io?delay_ms=25": the path of a workload's request, below a variant's own. */
    static String path(Run.Workload workload) {
        var parameters = new StringJoiner("&", "?", "").setEmptyValue("");
        new TreeMap<>(workload.query()).forEach((name, value) ->
                parameters.add(name + "=" + URLEncoder.encode(value, StandardCharsets.UTF_8)));
        return "/" + workload.name() + parameters;
    }
}
