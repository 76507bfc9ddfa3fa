// What AWS measured itself while the functions were under load: Lambda's record of every invocation, and the figures of
// CloudWatch.
//
// Lambda writes a platform.report for each invocation into the function's log group, as JSON. On Managed Instances (LMI)
// it tells the duration only. Logs come late, so they are read until there are as many as there were requests, or no more
// come; a figure that cannot be had is a note in the run, never a failure of it.

//SOURCES ../judge/Cost.java
//SOURCES Door.java
//SOURCES Ledger.java
//SOURCES ../record/Run.java
//SOURCES ../record/Target.java

import module java.base;
import com.fasterxml.jackson.databind.JsonNode;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.DimensionFilter;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataQuery;

/** The logs and metrics of one stack. */
record CloudWatch(Door door, Ledger.Entry stack) {
    /** Logs are late by seconds: asking more often would be throttled, asking more seldom would keep the next cell. */
    private static final Duration POLL = Duration.ofSeconds(5);
    /** What has not come when nothing new came for so long is not waited for: not every request reached a function. */
    private static final Duration QUIET = Duration.ofSeconds(30);
    /** More time than this for one cell's records would be dearer, in instances that wait, than the records are worth. */
    private static final Duration BUDGET = Duration.ofMinutes(8);
    /** The functions' time-out: what began in time may be reported so much later. */
    private static final Duration LONGEST = Duration.ofSeconds(29);
    /** Log groups read at once: an account may make only a few FilterLogEvents calls a second. */
    private static final int READERS = 3;
    /** Figures that a run can do without are not waited for as stacks are. */
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    /** GetMetricData takes 500 queries; its reply is small enough to read with so many. */
    private static final int QUERIES_AT_ONCE = 100;

    // ==== Invocations ====

    /** How many records came, and what they say of each variant's use; why none could be had, or null. */
    record Logged(long count, Map<String, Cost.Traffic> traffic, String refusal) {}

    /**
     * Writes a line for each invocation of the variants between two instants. As many records as requests are all; where
     * they stay fewer, or nobody has counted the requests, they are read until no more come.
     */
    Logged invocations(Target.Collect request, Consumer<String> progress) throws Exception {
        Instant deadline = door.world.now().plus(BUDGET);
        // Nothing at all is too early: something was asked for in every cell.
        Instant giveUp = deadline;
        for (long last = 0; ; door.world.sleep().sleep(POLL)) {
            var logged = read(request, deadline);
            if (logged.refusal() != null) return logged;
            if (request.requests() > 0 && logged.count() >= request.requests()) return logged;
            Instant now = door.world.now();
            if (logged.count() > last) giveUp = Collections.min(List.of(now.plus(QUIET), deadline));
            if (now.plus(POLL).isAfter(giveUp)) return logged;
            last = logged.count();
            progress.accept(last + " invocation records so far");
        }
    }

    private Logged read(Target.Collect request, Instant deadline) throws Exception {
        var traffic = new TreeMap<String, Cost.Traffic>();
        try (var out = new OutputStreamWriter(new GZIPOutputStream(Files.newOutputStream(request.invocationsFile())));
             var readers = Executors.newFixedThreadPool(READERS)) {
            var readings = request.variants().stream().map(Run.Variant::of)
                    .map(variant -> readers.submit(() -> read(variant, request, deadline, out))).toList();
            for (var reading : readings) traffic.put(reading.get().variant(), reading.get());
        } catch (ExecutionException failed) {
            boolean refused = failed.getCause() instanceof AwsServiceException
                    || failed.getCause() instanceof Door.Fault fault && fault.reason == Door.Reason.DENIED;
            if (refused) return new Logged(0, Map.of(), Door.line(failed.getCause()));
            throw failed.getCause() instanceof Exception cause ? cause : failed;
        }
        long count = (long) traffic.values().stream().mapToDouble(Cost.Traffic::requests).sum();
        return new Logged(count, traffic, null);
    }

    private Cost.Traffic read(Run.Variant variant, Target.Collect request, Instant deadline, Writer out) throws Exception {
        double requests = 0, billedMs = 0, initMs = 0;
        String next = null;
        do {
            String token = next;
            var page = door.call("logs:FilterLogEvents", () -> door.logs().filterLogEvents(it -> it
                    .logGroupName("/aws/lambda/" + stack.stackName() + "-" + variant.name())
                    .startTime(request.from().toEpochMilli()).endTime(request.to().plus(LONGEST).toEpochMilli())
                    .filterPattern("{ $.type = \"platform.report\" }").nextToken(token)));
            for (var event : page.events()) {
                var invocation = invocation(variant.name(), event.message(), Instant.ofEpochMilli(event.timestamp()),
                        event.logStreamName());
                if (invocation == null) continue;
                requests++;
                billedMs += invocation.billedMs() == null ? 0 : invocation.billedMs();
                initMs += invocation.initMs() == null ? 0 : invocation.initMs();
                String line = Run.line(invocation) + "\n";
                synchronized (out) { out.write(line); }
            }
            next = page.nextToken();
        } while (next != null && door.world.now().isBefore(deadline));
        return new Cost.Traffic(variant.name(), variant.lmi(), stack.architecture(), variant.memoryMb(), requests, billedMs,
                initMs, 0, requests * Cost.REPLY_BYTES, requests * Cost.LOG_BYTES);
    }

    private static final Pattern TEXT_REPORT = Pattern.compile("REPORT RequestId: (\\S+)\\s+Duration: ([\\d.]+) ms\\s+"
            + "Billed Duration: (\\d+) ms\\s+Memory Size: (\\d+) MB\\s+Max Memory Used: (\\d+) MB"
            + "(?:\\s+Init Duration: ([\\d.]+) ms)?.*", Pattern.DOTALL);

    /** Lambda's report in its JSON form, or in the older text form that stand-ins write; null for any other line. */
    static Run.Invocation invocation(String variant, String message, Instant logged, String stream) throws IOException {
        String environment = stream.substring(stream.lastIndexOf(']') + 1);
        var text = TEXT_REPORT.matcher(message);
        if (text.matches()) {
            double durationMs = Double.parseDouble(text.group(2));
            Double initMs = text.group(6) == null ? null : Double.valueOf(text.group(6));
            return new Run.Invocation(text.group(1), variant, environment, startOf(logged, durationMs), "ok", durationMs,
                    Double.valueOf(text.group(3)), initMs, Integer.valueOf(text.group(4)), Double.valueOf(text.group(5)));
        }
        if (!message.contains("\"platform.report\"")) return null;
        JsonNode report = Run.json().readTree(message), record = report.path("record"), metrics = record.path("metrics");
        double durationMs = metrics.path("durationMs").asDouble();
        String status = switch (record.path("status").asText("success")) {
            case "success" -> "ok";
            case "timeout" -> "timeout";
            default -> "error";
        };
        Instant ended = report.has("time") ? Instant.parse(report.get("time").asText()) : logged;
        Integer memoryMb = metrics.has("memorySizeMB") ? metrics.get("memorySizeMB").asInt() : null;
        return new Run.Invocation(record.path("requestId").asText(), variant, environment, startOf(ended, durationMs),
                status, durationMs, number(metrics, "billedDurationMs"), number(metrics, "initDurationMs"), memoryMb,
                number(metrics, "maxMemoryUsedMB"));
    }

    private static Instant startOf(Instant ended, double durationMs) {
        return ended.minusNanos((long) (durationMs * 1e6));
    }

    private static Double number(JsonNode metrics, String name) {
        return metrics.has(name) ? metrics.get(name).asDouble() : null;
    }

    // ==== Metrics ====

    private record Series(String subject, String namespace, String metric, Map<String, String> dimensions,
                          String statistic) {}

    /**
     * Writes the figures of the variants, of LMI's capacity and of the API; returns a note for what could not be had. They
     * are minutes late and not waited for, as instances cost money meanwhile: a cell's last minutes may be missing.
     */
    List<String> metrics(Target.Collect request) throws Exception {
        var series = new ArrayList<Series>();
        for (String variant : request.variants()) {
            var function = Map.of("FunctionName", stack.stackName() + "-" + variant);
            series.add(new Series(variant, "AWS/Lambda", "Throttles", function, "Sum"));
            series.add(new Series(variant, "AWS/Lambda", "Errors", function, "Sum"));
            series.add(new Series(variant, "AWS/Lambda", "ConcurrentExecutions", function, "Maximum"));
        }
        var api = Map.of("ApiName", stack.stackName(), "Stage", stack.outputs().get("ApiStage"));
        for (String metric : List.of("Latency", "IntegrationLatency")) for (String statistic : List.of("p50", "p99"))
            series.add(new Series("door", "AWS/ApiGateway", metric, api, statistic));
        try (var out = Files.newBufferedWriter(request.metricsFile())) {
            if (request.variants().stream().map(Run.Variant::of).anyMatch(Run.Variant::lmi)) series.addAll(capacity());
            for (int from = 0; from < series.size(); from += QUERIES_AT_ONCE)
                write(series.subList(from, Math.min(from + QUERIES_AT_ONCE, series.size())), request, out);
            return List.of();
        } catch (Door.Fault | AwsServiceException missing) {
            return List.of("CloudWatch's metrics are missing: " + Door.line(missing));
        }
    }

    /** LMI has a metric for each provider, instance type and function version, among them the throttles by reason. */
    private List<Series> capacity() throws InterruptedException {
        var series = new ArrayList<Series>();
        String next = null;
        do {
            String token = next;
            var ofProviders = DimensionFilter.builder().name("CapacityProviderName").build();
            var page = door.call("cloudwatch:ListMetrics", PATIENCE, () -> door.cloudWatch().listMetrics(it -> it
                    .namespace("AWS/Lambda").dimensions(List.of(ofProviders)).nextToken(token)));
            for (var metric : page.metrics()) {
                var dimensions = metric.dimensions().stream().collect(Collectors.toMap(Dimension::name, Dimension::value));
                String provider = dimensions.getOrDefault("CapacityProviderName", "");
                if (!provider.startsWith(stack.stackName())) continue;
                String subject = dimensions.getOrDefault("FunctionName", provider).replace(stack.stackName() + "-", "");
                String name = metric.metricName();
                String statistic = name.endsWith("Throttles") ? "Sum" : name.contains("Concurrency") ? "Maximum" : "Average";
                series.add(new Series(subject, "AWS/Lambda", name, dimensions, statistic));
            }
            next = page.nextToken();
        } while (next != null);
        return series;
    }

    private void write(List<Series> series, Target.Collect request, Writer out) throws Exception {
        var queries = IntStream.range(0, series.size()).mapToObj(i -> query("m" + i, series.get(i))).toList();
        Instant from = request.from().truncatedTo(ChronoUnit.MINUTES), to = request.to().plus(1, ChronoUnit.MINUTES);
        String next = null;
        do {
            String token = next;
            var page = door.call("cloudwatch:GetMetricData", PATIENCE, () -> door.cloudWatch().getMetricData(it -> it
                    .metricDataQueries(queries).startTime(from).endTime(to).nextToken(token)));
            for (var result : page.metricDataResults()) for (int i = 0; i < result.values().size(); i++) {
                var of = series.get(Integer.parseInt(result.id().substring(1)));
                String name = of.metric() + (of.statistic().startsWith("p") ? "." + of.statistic() : "");
                out.write(Run.line(new Run.Metric(result.timestamps().get(i), of.subject(), name,
                        result.values().get(i))) + "\n");
            }
            next = page.nextToken();
        } while (next != null);
    }

    private static MetricDataQuery query(String id, Series series) {
        var dimensions = series.dimensions().entrySet().stream()
                .map(it -> Dimension.builder().name(it.getKey()).value(it.getValue()).build()).toList();
        return MetricDataQuery.builder().id(id).metricStat(stat -> stat.period(60).stat(series.statistic())
                .metric(it -> it.namespace(series.namespace()).metricName(series.metric()).dimensions(dimensions)))
                        .build();
    }
}
