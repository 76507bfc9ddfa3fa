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
    /** Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances. */
    private static final String VCPUS_QUOTA = "L-1216C47A";
    /** What a run can do without knowing is not waited for. */
    private static final Duration PATIENCE = Duration.ofSeconds(20);

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
        int free = freeConcurrency();
        if (needed > free) throw new Cli.Problem(Cli.REFUSED, "the run needs %d concurrent executions, %d are free in %s"
                .formatted(needed, free, door.region),
                "ask AWS for more (Service Quotas, Lambda, Concurrent executions), or measure fewer variants");
    }

    private int freeConcurrency() throws InterruptedException {
        return door.call("lambda:GetAccountSettings",
                () -> door.lambda().getAccountSettings().accountLimit().unreservedConcurrentExecutions());
    }

    /** Whether LMI is there; a {@link Door.Fault} where nobody may ask. A region without it refuses in forms of its own. */
    boolean offersLmi() throws InterruptedException {
        try {
            door.call("lambda:ListCapacityProviders", () -> door.lambda().listCapacityProviders(it -> it.maxItems(1)));
            return true;
        } catch (AwsServiceException unknownThere) {
            return false;
        } catch (Door.Fault fault) {
            // IAM says so in these words whatever the service.
            boolean noRight = fault.reason != Door.Reason.DENIED || fault.getMessage().contains("not authorized to perform");
            if (noRight) throw fault;
            return false;
        }
    }

    /** LMI's instances count against EC2's quota, which is 5 vCPUs in a new account. */
    void checkInstances(long providers, List<String> warnings) throws InterruptedException {
        long needed = providers * Deployment.LMI_ENVIRONMENTS * Deployment.VCPUS_PER_INSTANCE;
        if (needed == 0) return;
        try {
            double allowed = vcpuQuota();
            if (needed > allowed) throw new Cli.Problem(Cli.REFUSED,
                    "LMI's instances need %d vCPUs of EC2, the quota in %s is %.0f".formatted(needed, door.region, allowed),
                    "ask AWS for more (Service Quotas, EC2, Running On-Demand Standard instances, " + VCPUS_QUOTA
                            + "), or measure fewer LMI variants");
        } catch (Door.Fault | AwsServiceException unanswered) {
            if (unanswered instanceof Door.Fault fault && fault.reason == Door.Reason.CREDENTIALS) throw fault;
            warnings.add("whether EC2's quota allows the %d vCPUs that LMI's instances need is not known: %s"
                    .formatted(needed, Door.line(unanswered)));
        }
    }

    private double vcpuQuota() throws InterruptedException {
        return door.call("servicequotas:GetServiceQuota", PATIENCE, () -> door.quotas()
                .getServiceQuota(it -> it.serviceCode("ec2").quotaCode(VCPUS_QUOTA)).quota().value());
    }

    /** What a person must know before a run, a line each; what is not so is told with its remedy. */
    List<String> doctor(String instanceType, List<String> subnets, List<String> securityGroups) throws InterruptedException {
        var lines = new ArrayList<String>();
        lines.add("credentials  " + door.credentialsEnd().map(end -> "until " + end)
                .orElse(door.credentialsMayEnd() ? "temporary, nobody knows until when" : "they do not end"));
        lines.add("region       " + door.region);
        lines.add("LMI          " + said(() -> offersLmi() ? "offered" : "not offered here: choose another region"));
        lines.add("concurrency  " + said(() -> freeConcurrency() + " executions are free; a standard variant takes "
                + Deployment.STANDARD_ENVIRONMENTS + ", AWS keeps " + UNRESERVED_ENVIRONMENTS));
        lines.add("EC2          " + said(() -> "%.0f vCPUs of standard instances; an LMI variant takes %d of %s".formatted(
                vcpuQuota(), Deployment.LMI_ENVIRONMENTS * Deployment.VCPUS_PER_INSTANCE, instanceType)));
        lines.add("network      " + said(() -> String.join(", ", network(subnets, securityGroups).subnets())));
        return lines;
    }

    private interface Question { String answer() throws InterruptedException; }

    private static String said(Question question) throws InterruptedException {
        try {
            return question.answer();
        } catch (Cli.Problem problem) {
            return problem.getMessage() + "; " + problem.hint;
        } catch (Door.Fault | AwsServiceException unanswered) {
            return "not known: " + Door.line(unanswered);
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
