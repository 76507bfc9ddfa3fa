// A stretch of a file: a gzip member among others, perhaps, so that many small files can be one.

import module java.base;

/** The bytes from..from+length of a file; all of it if that is 0..Long.MAX_VALUE. */
record Slice(Path path, long from, long length) {
    Slice {
        if (from < 0 || length < 0 || from > Long.MAX_VALUE - length)
            throw new IllegalArgumentException(path + " has no bytes " + from + " to " + from + " + " + length);
    }

    static Slice whole(Path path) { return new Slice(path, 0, Long.MAX_VALUE); }

    boolean isWhole() { return from == 0 && length == Long.MAX_VALUE; }

    /** The bytes as they are; fewer if the file ends before. Close it. */
    InputStream open() throws IOException {
        if (isWhole()) return Files.newInputStream(path);
        var channel = Files.newByteChannel(path);
        try {
            return new Bounded(Channels.newInputStream(channel.position(from)), length);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static final class Bounded extends InputStream {
        private final InputStream source;
        private long left;

        Bounded(InputStream source, long length) {
            this.source = source;
            left = length;
        }

        @Override public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override public int read(byte[] into, int at, int most) throws IOException {
            if (most > 0 && left == 0) return -1;
            int got = source.read(into, at, (int) Math.min(most, left));
            left -= Math.max(0, got);
            return got;
        }

        @Override public void close() throws IOException { source.close(); }
    }
}
