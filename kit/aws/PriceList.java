// What AWS charges today: the prices that decide the bill from AWS's own price list, the rest from data/prices.json.
//
// The price list is a service of its own that not everybody may ask. Where it does not answer, or not as expected, the
// file's price stands, and a warning says so with the file's date.

//SOURCES ../judge/Cost.java
//SOURCES Door.java
//SOURCES ../record/Run.java

import module java.base;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.pricing.model.Filter;
import software.amazon.awssdk.services.pricing.model.FilterType;

/** The prices of one region; {@code json} has all of them, in the form of data/prices.json: what a run carries. */
record PriceList(Cost.Tariff tariff, JsonNode json) {
    private static final String FROM_AWS = "price-list";
    /** A region that the file has; its prices stand for those of a region that neither the file nor AWS tells of. */
    private static final String REFERENCE = "us-east-1";
    /** The price list is asked for a better estimate, which is not worth more waiting than this. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** The product of one meter in the price list. The usage type is a region's prefix and this. */
    private record Product(Cost.Meter meter, String service, Map<String, String> filters, String usageType) {}

    private static List<Product> products(String architecture) {
        boolean arm = architecture.equals("arm64");
        return List.of(
                new Product(Cost.Meter.gbSeconds(architecture), "AWSLambda",
                        Map.of("group", arm ? "AWS-Lambda-Duration-ARM" : "AWS-Lambda-Duration"), ""),
                new Product(Cost.Meter.LAMBDA_REQUESTS, "AWSLambda",
                        Map.of("group", arm ? "AWS-Lambda-Requests-ARM" : "AWS-Lambda-Requests"), ""),
                new Product(Cost.Meter.REST_API_REQUESTS, "AmazonApiGateway", Map.of("productFamily", "API Calls"),
                        "ApiGatewayRequest"),
                new Product(Cost.Meter.S3_PUTS, "AmazonS3", Map.of("group", "S3-API-Tier1"), "Requests-Tier1"),
                new Product(Cost.Meter.DYNAMODB_WRITES, "AmazonDynamoDB", Map.of("group", "DDB-WriteUnits"),
                        "WriteRequestUnits"));
    }

    Cost.Bill bill(List<Cost.Use> uses) { return Cost.bill(tariff, uses); }

    /** Prices in the form of data/prices.json. */
    static PriceList of(JsonNode prices, String region) {
        return new PriceList(Cost.Prices.of(prices).tariff(region, Cost.Discount.NONE), prices);
    }

    /** The prices of data/prices.json. */
    static PriceList ofFile(Path kit, String region) throws IOException {
        var file = Run.json().readTree(kit.resolve("data/prices.json").toFile());
        inPlaceOf(file, region);
        return of(file, region);
    }

    /** Where they come from, in words. */
    String from() {
        String file = "data/prices.json of " + json.path("compiled").asText();
        boolean live = json.findValuesAsText("source").contains(FROM_AWS);
        return live ? "AWS's price list of " + json.at("/sources/" + FROM_AWS + "/date").asText() + ", the rest " + file
                : file;
    }

    /** The price list's, and the file's where it is silent; warnings say which and why. */
    static PriceList live(Door door, Path kit, String architecture, String instanceType, List<String> warnings)
            throws IOException, InterruptedException {
        var file = Run.json().readTree(kit.resolve("data/prices.json").toFile());
        String fromFile = "data/prices.json of " + file.path("compiled").asText();
        if (inPlaceOf(file, door.region)) warnings.add("data/prices.json has no prices of " + door.region
                + ": those of " + REFERENCE + " stand for what AWS's price list does not tell");
        var silent = new TreeSet<String>();
        String refusal = null;
        var prices = (ObjectNode) file.at("/regions/" + door.region);
        ((ObjectNode) file.path("sources")).putObject(FROM_AWS).put("title", "AWS Price List Query API")
                .put("url", "").put("date", LocalDate.ofInstant(door.world.now(), ZoneOffset.UTC).toString());
        try {
            for (var product : products(architecture)) {
                var tiers = tiers(door, product.service(), product.filters(), product.usageType());
                if (tiers.isEmpty()) silent.add(product.meter().title);
                else ((ObjectNode) prices.at("/prices/" + product.meter().key())).put("source", FROM_AWS)
                        .set("tiers", Run.json().valueToTree(tiers));
            }
            var hour = tiers(door, "AmazonEC2", Map.of("instanceType", instanceType, "operatingSystem", "Linux",
                    "tenancy", "Shared", "preInstalledSw", "NA", "capacitystatus", "Used"), "");
            if (hour.isEmpty()) silent.add(instanceType);
            else ((ObjectNode) prices.at("/instances/" + instanceType)).put("source", FROM_AWS)
                    .put("usdPerHour", hour.getFirst().usd());
        } catch (Door.Fault | AwsServiceException refused) {
            refusal = Door.line(refused);
        }
        if (refusal != null) warnings.add("AWS's price list did not answer (" + refusal + "): " + fromFile + " does");
        else if (!silent.isEmpty()) warnings.add("AWS's price list did not tell " + String.join(", ", silent) + ": "
                + fromFile + " does");
        return of(file, door.region);
    }

    /** Lets the reference stand for a region that the file does not have; returns whether that was so. */
    private static boolean inPlaceOf(JsonNode file, String region) {
        if (file.path("regions").has(region)) return false;
        ((ObjectNode) file.path("regions")).set(region, file.at("/regions/" + REFERENCE).deepCopy());
        return true;
    }

    /** On-demand tiers of the one product that the filters leave; empty when they leave none, or several that differ. */
    private static List<Cost.Tier> tiers(Door door, String service, Map<String, String> filters, String usageType)
            throws IOException, InterruptedException {
        var matches = Stream.concat(filters.entrySet().stream(), Stream.of(Map.entry("regionCode", door.region)))
                .map(it -> Filter.builder().type(FilterType.TERM_MATCH).field(it.getKey()).value(it.getValue()).build())
                .toList();
        var products = door.call("pricing:GetProducts", PATIENCE, () -> door.pricing().getProducts(it -> it
                .serviceCode(service).filters(matches).maxResults(100))).priceList();
        var found = new HashSet<List<Cost.Tier>>();
        for (String text : products) {
            JsonNode product = Run.json().readTree(text);
            if (!product.at("/product/attributes/usagetype").asText().matches("(\\w+-)?" + usageType + ".*")) continue;
            var dimensions = new ArrayList<JsonNode>();
            for (JsonNode offer : product.at("/terms/OnDemand")) offer.path("priceDimensions").forEach(dimensions::add);
            dimensions.sort(Comparator.comparingDouble(dimension -> dimension.path("beginRange").asDouble()));
            var tiers = dimensions.stream().map(dimension -> new Cost.Tier(dimension.at("/pricePerUnit/USD").asDouble(),
                    dimension.path("endRange").asText().equals("Inf") ? 0 : dimension.path("endRange").asDouble()))
                            .filter(tier -> tier.usd() > 0).toList();
            if (!tiers.isEmpty()) found.add(tiers);
        }
        return found.size() == 1 ? found.iterator().next() : List.of();
    }
}
