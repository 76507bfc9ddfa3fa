///usr/bin/env jbang "$0" "$@" ; exit $?
// Runs every test/*Test.java, each as a process of its own with only the class path that it names, and adds up.
//
// Two run side by side. A machine allows one experiment at a time, so the tests that make whole runs follow one another;
// they mostly wait, for a rate or an end, and meanwhile the others have their turn.
//
//   ./jbang test/all.java                all of them
//   ./jbang test/all.java Page Reader    those whose names begin so

//JAVA 25
//DESCRIPTION Runs the kit's tests

import module java.base;

final class All {
    /** A test that takes this long hangs: the slowest takes some ten minutes on two cores. */
    private static final Duration PATIENCE = Duration.ofMinutes(25);

    /** The tests that start experiment.java, one at a time. */
    private static final Set<String> MAKE_RUNS = Set.of("AwsRunTest", "ExperimentTest", "KillerTest", "OwnFunctionTest");

    /** @param skipped what this machine can't test, such as a full disk where nobody may mount one */
    record Result(String test, long passed, long failed, long skipped, Duration took, String output) {}

    public static void main(String... names) throws Exception {
        var lanes = tests(names).stream().collect(Collectors.partitioningBy(test -> MAKE_RUNS.contains(name(test))));
        var results = new ArrayList<Result>();
        try (var both = Executors.newFixedThreadPool(lanes.size())) {
            var running = lanes.values().stream().map(lane -> both.submit(() -> runAll(lane))).toList();
            for (var lane : running) results.addAll(lane.get());
        }
        long passed = results.stream().mapToLong(Result::passed).sum();
        long failed = results.stream().mapToLong(Result::failed).sum();
        long skipped = results.stream().mapToLong(Result::skipped).sum();
        if (skipped > 0) System.out.println(skipped + " skipped, which this machine can't test");
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 && passed > 0 ? 0 : 1);
    }

    private static List<Path> tests(String... names) throws IOException {
        try (var files = Files.list(Path.of("test"))) {
            return files.filter(file -> file.toString().endsWith("Test.java"))
                    .filter(file -> names.length == 0 || Arrays.stream(names)
                            .anyMatch(name -> file.getFileName().toString().startsWith(name)))
                    .sorted().toList();
        }
    }

    private static String name(Path test) { return test.getFileName().toString().replace(".java", ""); }

    private static List<Result> runAll(List<Path> lane) throws IOException, InterruptedException {
        var results = new ArrayList<Result>();
        for (Path test : lane) {
            var result = run(test);
            results.add(result);
            String line = "%-28s %4d passed %3d failed %s %5.1f s".formatted(result.test(), result.passed(), result.failed(),
                    result.skipped() == 0 ? "" : result.skipped() + " skipped", result.took().toMillis() / 1000.0);
            System.out.println(result.failed() == 0 ? line : line + "\n" + result.output());
        }
        return results;
    }

    /** A test that does not compile, hangs or finds nothing to test counts as one failure. */
    private static Result run(Path test) throws IOException, InterruptedException {
        String name = name(test);
        Path output = Files.createTempFile("lambda-kit-" + name, ".txt");
        var began = Instant.now();
        var process = new ProcessBuilder("./jbang", test.toString())
                .redirectErrorStream(true).redirectOutput(output.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(new File("/dev/null"))).start();
        boolean ended = process.waitFor(PATIENCE);
        if (!ended) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        String said = Files.readString(output);
        Files.delete(output);
        long passed = count(said, "tests successful");
        long failed = count(said, "tests failed") + count(said, "containers failed");
        long skipped = count(said, "tests aborted") + count(said, "tests skipped");
        boolean broken = !ended || process.exitValue() != 0 || passed + skipped == 0;
        if (broken && failed == 0) failed = 1;
        return new Result(name, passed, failed, skipped, Duration.between(began, Instant.now()), said);
    }

    private static long count(String output, String what) {
        return Pattern.compile("\\[\\s*(\\d+) " + what).matcher(output).results()
                .mapToLong(match -> Long.parseLong(match.group(1))).sum();
    }
}
