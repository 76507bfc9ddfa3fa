// What analyze.java makes of a made-up run: what every test of a study's findings asks for.

//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/judge/Findings.java
//SOURCES ../kit/judge/Gates.java
//SOURCES ../kit/record/Run.java
//SOURCES ../kit/report/Exhibit.java
//SOURCES ../kit/report/Exhibits.java
//SOURCES ../kit/report/Tables.java
//SOURCES ../kit/report/Words.java
//SOURCES MadeUpRun.java

import module java.base;
import org.junit.jupiter.api.io.TempDir;

/** A test of this kind writes each run into a directory of its own and reads it as a run is read. */
abstract class ShownRuns {
    @TempDir Path directory;

    interface Question<T> { T ask(Findings findings) throws IOException; }

    /** A run without any steady load. */
    static MadeUpRun none(String... variants) { return new MadeUpRun(0, 2, variants); }

    final <T> T read(MadeUpRun madeUp, Question<T> question) throws IOException {
        var run = Run.read(madeUp.write(directory));
        try (var findings = Findings.read(run, directory, (_, _) -> {})) {
            return question.ask(findings);
        }
    }

    /** The exhibit of that name, of a run that is valid. */
    final Exhibit exhibit(String name, MadeUpRun madeUp) throws IOException {
        return read(madeUp, findings -> Exhibits.ofRun(findings, true).stream()
                .filter(exhibit -> exhibit.name().equals(name)).findFirst().orElseThrow());
    }

    /** An exhibit's table as text. */
    final String table(String name, MadeUpRun madeUp) throws IOException {
        return Tables.markdown(exhibit(name, madeUp).table().orElseThrow());
    }

    /** What the gates raise. */
    final List<String> flags(MadeUpRun madeUp) throws IOException {
        return read(madeUp, findings -> Gates.check(findings).stream().filter(Gates.Checked::isRaised).map(Words::of).toList());
    }
}
