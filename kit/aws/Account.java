// What somebody's AWS account allows in a region, asked before anything is made.

//SOURCES ../Cli.java
//SOURCES ../record/Run.java
//SOURCES Deployment.java
//SOURCES Door.java

import module java.base;
import software.amazon.awssdk.awscore.exception.AwsServiceException;

/** The account that the credentials belong to. */
record Account(Door door, String number) {
    /** AWS keeps so many of an account's environments for functions that reserve none. */
    private static final int UNRESERVED_ENVIRONMENTS = 100;

    /** Finds credentials and account. The first call of all is this one, and it makes nothing. */
    static Account of(Door door) throws InterruptedException {
        door.resolve();
        return new Account(door, door.call("sts:GetCallerIdentity", () -> door.sts().getCallerIdentity().account()));
    }

    void checkCredentialsLast(Duration needed, List<String> warnings) {
        Instant end = door.world.now().plus(needed);
        door.credentialsEnd().filter(end::isAfter).ifPresent(ends -> {
            throw new Cli.Problem(Cli.REFUSED, "the AWS credentials end at " + ends
                    + ", the run needs them until about " + end.truncatedTo(ChronoUnit.SECONDS),
                    "renew them, take a profile that renews itself (SSO, a role, credential_process), or a shorter run");
        });
        if (door.credentialsMayEnd()) warnings.add("these AWS credentials are temporary and do not say until when; the run "
                + "needs them for " + Cli.spoken(needed) + ". If they end, renew them, then run it again with --resume");
    }

    void checkConcurrency(List<Run.Variant> variants) throws InterruptedException {
        long standard = variants.stream().filter(variant -> !variant.lmi()).count();
        long needed = standard * Deployment.STANDARD_ENVIRONMENTS + UNRESERVED_ENVIRONMENTS;
        int free = door.call("lambda:GetAccountSettings",
                () -> door.lambda().getAccountSettings().accountLimit().unreservedConcurrentExecutions());
        if (needed > free) throw new Cli.Problem(Cli.REFUSED, "the run needs %d concurrent executions, %d are free in %s"
                .formatted(needed, free, door.region),
                "ask AWS for more (Service Quotas, Lambda, Concurrent executions), or measure fewer variants");
    }

    boolean offersLmi() throws InterruptedException {
        try {
            door.call("lambda:ListCapacityProviders", () -> door.lambda().listCapacityProviders(it -> it.maxItems(1)));
            return true;
        } catch (AwsServiceException unknownThere) {
            return false;
        }
    }

    /** Where LMI's instances go. */
    record Network(List<String> subnets, List<String> securityGroups) {}

    /** What is asked for, and the default VPC's for what is not. */
    Network network(List<String> askedSubnets, List<String> askedSecurityGroups) throws InterruptedException {
        var subnets = !askedSubnets.isEmpty() ? askedSubnets : door.ec2("DescribeSubnets", "subnetId",
                Map.of("Filter.1.Name", "default-for-az", "Filter.1.Value.1", "true"));
        if (subnets.isEmpty()) throw new Cli.Problem(Cli.REFUSED,
                "there is no default VPC in " + door.region + " for LMI's instances",
                "name subnets and security groups: --subnets, --security-groups");
        if (!askedSecurityGroups.isEmpty()) return new Network(subnets, askedSecurityGroups);
        var vpcs = door.ec2("DescribeSubnets", "vpcId", Map.of("SubnetId.1", subnets.getFirst()));
        return new Network(subnets, door.ec2("DescribeSecurityGroups", "groupId",
                Map.of("Filter.1.Name", "group-name", "Filter.1.Value.1", "default",
                        "Filter.2.Name", "vpc-id", "Filter.2.Value.1", vpcs.getFirst())));
    }
}
