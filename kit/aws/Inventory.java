// What of the kit's is in an account and region, whichever machine has made it: found by name and tag, not by a ledger.

//SOURCES Deployment.java
//SOURCES Door.java

import module java.base;
import software.amazon.awssdk.services.cloudformation.model.Stack;
import software.amazon.awssdk.services.cloudformation.model.StackStatus;

/** All that bears the kit's name. */
record Inventory(List<String> stacks, List<String> buckets, List<String> providers, List<String> logGroups) {
    static Inventory of(Door door) throws InterruptedException {
        var stacks = door.call("cloudformation:DescribeStacks", () -> door.cloudFormation()
                .describeStacksPaginator(it -> { }).stacks().stream()
                .filter(stack -> stack.stackStatus() != StackStatus.DELETE_COMPLETE)
                .filter(stack -> stack.tags().stream().anyMatch(tag -> tag.key().equals(Deployment.TAG)))
                .map(Stack::stackName).toList());
        var buckets = door.call("s3:ListBuckets", () -> door.s3().listBuckets().buckets().stream()
                .map(it -> it.name()).filter(Inventory::isOurs).toList());
        var providers = door.call("lambda:ListCapacityProviders", () -> door.lambda()
                .listCapacityProvidersPaginator(it -> { }).capacityProviders().stream()
                .map(it -> it.capacityProviderArn().replaceFirst(".*:", "")).filter(Inventory::isOurs).toList());
        var groups = new ArrayList<String>();
        for (String prefix : Deployment.LOG_GROUPS) groups.addAll(door.call("logs:DescribeLogGroups", () -> door.logs()
                .describeLogGroupsPaginator(it -> it.logGroupNamePrefix(prefix + Deployment.STACK_PREFIX)).logGroups()
                .stream().map(it -> it.logGroupName()).toList()));
        return new Inventory(stacks, buckets, providers, groups);
    }

    private static boolean isOurs(String name) { return name.startsWith(Deployment.STACK_PREFIX); }

    /** What belongs to none of these stacks, a line for each. */
    List<String> besides(Collection<String> stackNames) {
        Predicate<String> elses = name -> stackNames.stream().noneMatch(name::contains);
        return Stream.of(kind("stack", stacks), kind("bucket", buckets), kind("capacity provider", providers),
                kind("log group", logGroups)).flatMap(it -> it).filter(elses).toList();
    }

    private static Stream<String> kind(String kind, List<String> names) {
        return names.stream().map(name -> kind + " " + name);
    }

    /** How many capacity providers belong to none of these stacks: those that cost money by the hour. */
    long providersBesides(Collection<String> stackNames) {
        return providers.stream().filter(name -> stackNames.stream().noneMatch(name::contains)).count();
    }
}
