// Which tools a run needs, which of them this machine has, and how to get the others.

//SOURCES ../Cli.java
//SOURCES ../record/MeasuredFunction.java
//SOURCES ../record/Surroundings.java
//SOURCES Build.java
//SOURCES K6.java

import module java.base;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The subcommand of experiment.java that looks at the tools and runs nothing. */
@Command(name = "doctor", mixinStandardHelpOptions = true,
        description = "Says which tools this machine has, and how to get those that are missing.")
final class Doctor implements Callable<Integer> {
    @Option(names = "--target", paramLabel = "local|aws", defaultValue = "local",
            description = "Where a run is to be made (default: ${DEFAULT-VALUE}).")
    String target;

    @Override public Integer call() throws IOException, InterruptedException {
        tell("k6", K6.find(Build.userCache()).map(k6 -> k6.version() + ", " + k6.path()).orElse(null),
                "is downloaded, or built by Go, when a run needs it");
        var build = new Build(Build.userCache(), _ -> {});
        for (var function : MeasuredFunction.all(Cli.kitHome()).values()) {
            try {
                tell(function.name(), build.tools(function, Build.Platform.LOCAL).toString(), null);
            } catch (Build.Missing missing) {
                tell(function.name(), null, missing.getMessage() + "; " + missing.hint);
            }
        }
        tell("taskset", Surroundings.output(Path.of("/"), "taskset", "--version"),
                "apt-get install util-linux; without it functions and load share the cores");
        tell("git", Surroundings.output(Path.of("/"), "git", "--version"), "without it a run does not know its commit");
        // What another target needs, its own script knows; this machine needs nothing more.
        return target.equals("local") ? Cli.DONE : new ProcessBuilder(Cli.kitHome().resolve("jbang").toString(),
                Cli.kitHome().resolve(target + ".java").toString(), "doctor").inheritIO().start().waitFor();
    }

    private static void tell(String tool, String found, String remedy) {
        System.out.printf("%-8s %s%n", tool, found != null ? found : "missing: " + remedy);
    }
}
