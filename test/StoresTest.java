///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DEPS org.junit.platform:junit-platform-console-standalone:6.0.3
//SOURCES ../kit/local/Stores.java

import module java.base;
import module java.net.http;
import org.junit.jupiter.api.*;
import org.junit.jupiter.api.io.TempDir;
import org.junit.platform.console.ConsoleLauncher;

import static org.junit.jupiter.api.Assertions.*;

/** The stores of a local run, with DynamoDB Local and with a DynamoDB that the user has named. */
final class StoresTest {
    public static void main(String... args) throws Exception {
        if (args.length == 0) {
            ConsoleLauncher.main("execute", "--select-class=StoresTest", "--disable-banner", "--fail-if-no-tests",
                    "--details=tree");
            return;
        }
        // The stores' own process, which ends as local.java does when it can't serve, whatever runs in it already.
        try {
            Stores.serve(args.length > 1 ? Optional.of(URI.create(args[1])) : Optional.empty());
            Thread.sleep(Long.MAX_VALUE);
        } finally {
            Runtime.getRuntime().halt(1);
        }
    }

    @TempDir Path temporary;

    private Stores start(Optional<URI> dynamodb) throws IOException {
        Path directory = Files.createTempDirectory(temporary, "stores");
        return Stores.start(List.of(), List.of("StoresTest", "stores"), dynamodb, directory, directory.resolve("log"));
    }

    private static void put(URI dynamodb, String id) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(dynamodb).header("Content-Type", "application/x-amz-json-1.0")
                .header("X-Amz-Target", "DynamoDB_20120810.PutItem").header("X-Amz-Date", "20260101T000000Z")
                .header("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, "
                        + "SignedHeaders=host, Signature=0")
                .POST(HttpRequest.BodyPublishers.ofString("""
                        {"TableName": "%s", "Item": {"id": {"S": "%s"}}}""".formatted(Stores.TABLE, id)));
        try (var client = HttpClient.newHttpClient()) {
            var response = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
            assertEquals(200, response.statusCode(), response.body());
        }
    }

    @Test void items_are_counted_and_emptied() throws Exception {
        try (var stores = start(Optional.empty())) {
            assertEquals(0, stores.contents(null).stored().items());
            put(stores.dynamodb(), "one");
            put(stores.dynamodb(), "two");
            assertEquals(2, stores.contents(null).stored().items());
            assertEquals("one", stores.contents("one").item().at("/id/S").asText());
            stores.empty();
            assertEquals(0, stores.contents(null).stored().items());
        }
    }

    /** Another DynamoDB Local stands for whatever speaks the protocol; its own table shows that it is that one. */
    @Test void a_named_dynamodb_is_used_in_place_of_dynamodb_local() throws Exception {
        try (var other = start(Optional.empty()); var stores = start(Optional.of(other.dynamodb()))) {
            assertEquals(other.dynamodb(), stores.dynamodb());
            put(stores.dynamodb(), "one");
            assertEquals(1, other.contents(null).stored().items());
            assertEquals(1, stores.contents(null).stored().items());
            stores.empty();
            assertEquals(0, other.contents(null).stored().items());
        }
    }

    @Test void a_named_dynamodb_that_does_not_answer_is_told_by_the_log() {
        var failed = assertThrows(IOException.class, () -> start(Optional.of(URI.create("http://127.0.0.1:9"))).close());
        assertTrue(failed.getMessage().startsWith("the stores did not start, see "), failed.getMessage());
    }
}
