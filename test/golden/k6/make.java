///usr/bin/env jbang "$0" "$@" ; exit $?
//JAVA 25
//DESCRIPTION Records the golden files: script.js run by a real k6 against a small server on this machine

// `./jbang test/golden/k6/make.java 1.8.1=/path/to/k6 0.40.0=/path/to/an/old/k6` writes 1.8.1.json.gz, what k6
// recorded, and 1.8.1.summary.json, what k6 says that it recorded. Recording again gives other numbers, which the tests
// take as well.

import module java.base;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;

final class MakeGoldens {
    public static void main(String... binaries) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", MakeGoldens::answer);
        server.start();
        for (String binary : binaries) {
            String version = binary.substring(0, binary.indexOf('=')), k6 = binary.substring(binary.indexOf('=') + 1);
            ProcessBuilder run = new ProcessBuilder(k6, "run", "--quiet", "--no-usage-report",
                    "--out", "json=" + version + ".json.gz", "script.js");
            run.directory(new File("test/golden/k6")).inheritIO();
            run.environment().put("BASE", "http://127.0.0.1:" + server.getAddress().getPort());
            run.environment().put("SUMMARY", version + ".summary.json");
            int code = run.start().waitFor();
            System.out.println(version + " ended with " + code + " (99, a crossed threshold, is meant to happen)");
        }
        server.stop(0);
        System.exit(0);
    }

    private static void answer(HttpExchange exchange) throws IOException {
        exchange.getRequestBody().readAllBytes();
        try {
            switch (exchange.getRequestURI().getPath()) {
                case "/404" -> reply(exchange, 404, "nothing here");
                case "/503" -> reply(exchange, 503, "too much");
                case "/slow" -> {
                    Thread.sleep(600);
                    reply(exchange, 200, "late");
                }
                case "/redirect" -> {
                    exchange.getResponseHeaders().add("Location", "/ok?redirected");
                    reply(exchange, 302, "there");
                }
                case "/cut" -> exchange.close();
                default -> reply(exchange, 200, "fine".repeat(ThreadLocalRandom.current().nextInt(1, 50)));
            }
        } catch (InterruptedException e) {
            exchange.close();
        }
    }

    private static void reply(HttpExchange exchange, int status, String body) throws IOException {
        try (exchange) {
            exchange.sendResponseHeaders(status, body.length());
            exchange.getResponseBody().write(body.getBytes(StandardCharsets.US_ASCII));
        }
    }
}
