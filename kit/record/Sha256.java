// SHA-256, as files are named, records are checked and the contract's digests are defined by it.

import module java.base;

/** SHA-256 in lower-case hex. */
final class Sha256 {
    private Sha256() {}

    static String of(byte[] bytes) { return HexFormat.of().formatHex(digest().digest(bytes)); }

    /** Of a file's content, which may be larger than memory. */
    static String of(Path file) throws IOException {
        try (var in = Files.newInputStream(file)) {
            return of(in);
        }
    }

    /** Of all that is left in a stream, which stays open. */
    static String of(InputStream in) throws IOException {
        var digest = digest();
        in.transferTo(new java.security.DigestOutputStream(OutputStream.nullOutputStream(), digest));
        return HexFormat.of().formatHex(digest.digest());
    }

    /** For what has to be hashed in parts, or again and again. */
    static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException everyJavaHasIt) {
            throw new AssertionError(everyJavaHasIt);
        }
    }
}
