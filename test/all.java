///usr/bin/env jbang "$0" "$@" ; exit $?
// Runs every test/*Test.java, each as a process of its own with only the class path that it names, and adds up.
//
//   ./jbang test/all.java                all of them
//   ./jbang test/all.java Page Reader    those whose names begin so

//JAVA 25
//DESCRIPTION Runs the kit's tests

import module java.base;

final class All {
    /** A test that says nothing for this long hangs: the slowest takes a few minutes on two cores. */
    private static final Duration PATIENCE = Duration.ofMinutes(15);

    record Result(String test, long passed, long failed, Duration took, String output) {}

    public static void main(String... names) throws Exception {
        var results = new ArrayList<Result>();
        for (Path test : tests(names)) {
            var result = run(test);
            results.add(result);
            System.out.printf("%-28s %4d passed %3d failed  %5.1f s%n",
                    result.test(), result.passed(), result.failed(), result.took().toMillis() / 1000.0);
            if (result.failed() > 0) System.out.println(result.output());
        }
        long passed = results.stream().mapToLong(Result::passed).sum();
        long failed = results.stream().mapToLong(Result::failed).sum();
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

    /** A test that does not compile, hangs or finds nothing to test counts as one failure. */
    private static Result run(Path test) throws IOException, InterruptedException {
        String name = test.getFileName().toString().replace(".java", "");
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
        long failed = count(said, "tests failed") + count(said, "tests aborted") + count(said, "containers failed");
        boolean broken = !ended || process.exitValue() != 0 || passed == 0;
        if (broken && failed == 0) failed = 1;
        return new Result(name, passed, failed, Duration.between(began, Instant.now()), said);
    }

    private static long count(String output, String what) {
        return Pattern.compile("\\[\\s*(\\d+) " + what).matcher(output).results()
                .mapToLong(match -> Long.parseLong(match.group(1))).sum();
    }
}
