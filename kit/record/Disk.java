// Files that are there whole or not at all, and trees that are deleted.
//
// A text is written beside its place under a name that nobody can guess, and takes its place in one step. So a reader,
// a full disk or a kill between two bytes finds the old file or the new one, and nobody can plant a link at the name
// that is written to. Several files are all written before the first of them takes its place.

import module java.base;

/** Writing files whole, and deleting trees. */
final class Disk {
    private Disk() {}

    /** Writes one file; see {@link #write(SequencedMap)}. */
    static void write(Path file, String text) throws IOException {
        var one = new LinkedHashMap<Path, String>();
        one.put(file, text);
        write(one);
    }

    /**
     * Writes texts to files, all or none: what can't be written is found out before any file is replaced, and leaves
     * nothing behind. A symbolic link stays one, and the file that it leads to is replaced.
     *
     * @throws IOException with a message that names the file
     */
    static void write(SequencedMap<Path, String> texts) throws IOException {
        var written = new LinkedHashMap<Path, Path>();
        try {
            for (var text : texts.entrySet()) {
                Path file = Files.isSymbolicLink(text.getKey()) ? text.getKey().toRealPath() : text.getKey();
                if (Files.isDirectory(file)) throw new FileSystemException(file.toString(), null, "is a directory");
                // A directory of its own may be none, as for "run.json" alone.
                Path directory = file.toAbsolutePath().getParent();
                Path temporary = Files.createTempFile(directory, ".", ".unfinished");
                written.put(temporary, file);
                Files.writeString(temporary, text.getValue());
                asReadableAsOthers(temporary);
            }
            for (var file : written.entrySet()) {
                Files.move(file.getKey(), file.getValue(), StandardCopyOption.ATOMIC_MOVE);
            }
        } catch (FileSystemException named) {
            throw named;
        } catch (IOException failed) {
            throw new IOException("cannot write " + texts.lastEntry().getKey() + ": " + failed.getMessage(), failed);
        } finally {
            for (Path temporary : written.keySet()) Files.deleteIfExists(temporary);
        }
    }

    /** A temporary file is its owner's alone, which is more than a report or a record asks for. */
    private static void asReadableAsOthers(Path file) throws IOException {
        if (!Files.getFileStore(file).supportsFileAttributeView(PosixFileAttributeView.class)) return;
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    }

    /** Deletes a directory and all in it, or a file; what isn't there is deleted already. Links are not followed. */
    static void delete(Path tree) throws IOException {
        if (!Files.exists(tree, LinkOption.NOFOLLOW_LINKS)) return;
        try (var files = Files.walk(tree)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) Files.delete(file);
        }
    }
}
