// The bucket and the table that the functions write to, and the buckets that a stack would leave behind.

//SOURCES ../record/Run.java
//SOURCES ../record/Target.java
//SOURCES Door.java

import module java.base;
import com.fasterxml.jackson.databind.JsonNode;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.WriteRequest;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;

/** The stores of one stack. */
record StoresOnAws(Door door, String bucket, String table) {
    /** What BatchWriteItem takes at once. */
    private static final int ITEMS_AT_ONCE = 25;
    /** It leaves some undone when it is busy. */
    private static final Duration BUSY_PAUSE = Duration.ofSeconds(1);

    // ==== Empty ====

    void empty() throws InterruptedException {
        emptyBucket(door, bucket);
        emptyTable();
    }

    /** All versions and delete markers, as a bucket that holds any cannot be deleted. No bucket is an empty one. */
    static void emptyBucket(Door door, String bucket) throws InterruptedException {
        try {
            while (true) {
                var page = door.call("s3:ListObjectVersions on " + bucket,
                        () -> door.s3().listObjectVersions(it -> it.bucket(bucket)));
                var all = Stream.concat(page.versions().stream().map(it -> identifier(it.key(), it.versionId())),
                        page.deleteMarkers().stream().map(it -> identifier(it.key(), it.versionId()))).toList();
                if (all.isEmpty()) return;
                var errors = door.call("s3:DeleteObjects on " + bucket, () -> door.s3().deleteObjects(it -> it
                        .bucket(bucket).delete(these -> these.objects(all).quiet(true)))).errors();
                if (!errors.isEmpty()) throw new Door.Fault(Door.Reason.REFUSED,
                        "could not delete from bucket " + bucket + ": " + errors.getFirst().code(), null);
            }
        } catch (AwsServiceException answered) {
            if (answered.statusCode() != 404) throw answered;
        }
    }

    private static ObjectIdentifier identifier(String key, String version) {
        return ObjectIdentifier.builder().key(key).versionId(version).build();
    }

    private void emptyTable() throws InterruptedException {
        var ids = new ArrayDeque<String>();
        readItems(ids::add);
        while (!ids.isEmpty()) {
            var batch = Stream.generate(ids::poll).limit(Math.min(ITEMS_AT_ONCE, ids.size())).map(id -> WriteRequest
                    .builder().deleteRequest(it -> it.key(Map.of("id", AttributeValue.fromS(id)))).build()).toList();
            var undone = door.call("dynamodb:BatchWriteItem", () -> door.dynamoDb().batchWriteItem(it -> it
                    .requestItems(Map.of(table, batch)))).unprocessedItems();
            undone.getOrDefault(table, List.of()).forEach(it -> ids.add(it.deleteRequest().key().get("id").s()));
            if (!undone.isEmpty()) door.world.sleep().sleep(BUSY_PAUSE);
        }
    }

    // ==== What is in them ====

    /** Counts, and the object and item of one id unless it is null. */
    Target.Contents contents(String id) throws InterruptedException {
        var objects = new HashSet<String>();
        var bytes = new LongSummaryStatistics();
        String next = null;
        do {
            String token = next;
            var page = door.call("s3:ListObjectsV2", () -> door.s3()
                    .listObjectsV2(it -> it.bucket(bucket).continuationToken(token)));
            page.contents().forEach(object -> {
                objects.add(object.key().replaceFirst("\\.txt$", ""));
                bytes.accept(object.size());
            });
            next = page.nextContinuationToken();
        } while (next != null);
        var items = new HashSet<String>();
        readItems(items::add);
        var counts = new Run.Stored(objects.size(), items.size(), objects.equals(items),
                objects.isEmpty() ? 0 : bytes.getMin(), objects.isEmpty() ? 0 : bytes.getMax());
        return id == null ? new Target.Contents(counts, null, null)
                : new Target.Contents(counts, objectText(id + ".txt"), item(id));
    }

    private void readItems(Consumer<String> onId) throws InterruptedException {
        Map<String, AttributeValue> from = null;
        do {
            var start = from;
            var page = door.call("dynamodb:Scan", () -> door.dynamoDb().scan(it -> it
                    .tableName(table).consistentRead(true).projectionExpression("id").exclusiveStartKey(start)));
            page.items().forEach(item -> onId.accept(item.get("id").s()));
            from = page.lastEvaluatedKey().isEmpty() ? null : page.lastEvaluatedKey();
        } while (from != null);
    }

    /** Null where there is none. */
    private String objectText(String key) throws InterruptedException {
        try {
            return door.call("s3:GetObject", () -> door.s3().getObjectAsBytes(it -> it.bucket(bucket).key(key))
                    .asUtf8String());
        } catch (NoSuchKeyException none) {
            return null;
        }
    }

    /** Null where there is none. */
    private JsonNode item(String id) throws InterruptedException {
        var item = door.call("dynamodb:GetItem", () -> door.dynamoDb().getItem(it -> it
                .tableName(table).consistentRead(true).key(Map.of("id", AttributeValue.fromS(id)))).item());
        return item.isEmpty() ? null : Run.json().valueToTree(item.entrySet().stream()
                .collect(Collectors.toMap(Map.Entry::getKey, it -> Map.of("S", it.getValue().s()))));
    }
}
