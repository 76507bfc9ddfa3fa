// HTTP on the loopback for the front door and the Runtime API, by the Jetty that S3Proxy brings (Stores.java names it; to
// name Jetty here as well would mix its versions, and S3Proxy would not start).
//
// No thread waits here. A handler gets a request and answers it then or later, from whichever thread has the answer: a
// runtime client's poll is parked as an object, and answered by the thread that brings the next call. With a thread for
// each poll and each caller, three hand-overs were the greater part of what a request cost.

import module java.base;
import org.eclipse.jetty.http.HttpField;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.io.ArrayByteBufferPool;
import org.eclipse.jetty.io.ByteBufferPool;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.*;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.*;

/** A server on a free port of the loopback. */
final class Http implements AutoCloseable {
    /** What all servers share: threads that only pass messages on, so few are enough, however many servers there are. */
    private static final QueuedThreadPool THREADS;
    private static final Scheduler SCHEDULER;
    private static final ByteBufferPool BUFFERS;

    static {
        // Jetty says nothing that a target should hear, and its library for that costs a tenth of a second to load.
        System.setProperty("slf4j.provider", "org.slf4j.helpers.NOP_FallbackServiceProvider");
        System.setProperty("slf4j.internal.verbosity", "ERROR");
        THREADS = new QueuedThreadPool(1000, 4);
        SCHEDULER = new ScheduledExecutorScheduler("http", true);
        BUFFERS = new ArrayByteBufferPool();
        THREADS.setDaemon(true);
        THREADS.setName("http");
        THREADS.setReservedThreads(0);
        try {
            THREADS.start();
            SCHEDULER.start();
        } catch (Exception failed) {
            throw new ExceptionInInitializerError(failed);
        }
    }

    interface Handler { void handle(Exchange exchange); }

    private final Server server;
    private final ServerConnector connector;

    private Http(Server server, ServerConnector connector) {
        this.server = server;
        this.connector = connector;
    }

    static Http listen(Handler handler) throws IOException {
        var server = new Server(THREADS, SCHEDULER, BUFFERS);
        var configuration = new HttpConfiguration();
        configuration.setSendServerVersion(false);
        configuration.setUriCompliance(UriCompliance.UNSAFE);
        // A client that finds its kept connection closed would count that as a failure of the function; a poll waits long.
        configuration.setIdleTimeout(Duration.ofDays(1).toMillis());
        // Without acceptors the one selector does their work.
        var connector = new ServerConnector(server, 0, 1, new HttpConnectionFactory(configuration));
        connector.setHost("127.0.0.1");
        connector.setIdleTimeout(Duration.ofDays(1).toMillis());
        server.addConnector(connector);
        server.setHandler(new org.eclipse.jetty.server.Handler.Abstract.NonBlocking() {
            @Override public boolean handle(Request request, Response response, Callback callback) {
                handler.handle(new Exchange(request, response, callback));
                return true;
            }
        });
        try {
            server.start();
        } catch (IOException | RuntimeException failed) {
            throw failed;
        } catch (Exception failed) {
            throw new IOException(failed);
        }
        return new Http(server, connector);
    }

    int port() { return connector.getLocalPort(); }

    /** Closes all connections, those of parked requests too. */
    @Override public void close() {
        try {
            server.setStopTimeout(0);
            server.stop();
        } catch (Exception failed) {
            throw new IllegalStateException(failed);
        }
    }

    /** A request and its answer to come, given once. */
    static final class Exchange {
        private final Request request;
        private final Response response;
        private final Callback callback;

        private Exchange(Request request, Response response, Callback callback) {
            this.request = request;
            this.response = response;
            this.callback = callback;
        }

        String method() { return request.getMethod(); }

        /** With escapes decoded. */
        String path() { return request.getHttpURI().getDecodedPath(); }

        /** As it was sent; null where there is none. */
        String rawQuery() { return request.getHttpURI().getQuery(); }

        String protocol() { return request.getConnectionMetaData().getProtocol(); }

        String remoteAddress() { return Request.getRemoteAddr(request); }

        int localPort() { return Request.getLocalPort(request); }

        /** Calls with each header as it came: a name that comes twice has two. */
        void forEachHeader(BiConsumer<String, String> header) {
            for (HttpField field : request.getHeaders()) header.accept(field.getName(), field.getValue());
        }

        /** Calls with the body once all of it has come, or with null when it is longer than that. Both may be in another thread. */
        void withBody(int mostBytes, Consumer<byte[]> then) {
            if (request.getLength() == 0) {
                then.accept(new byte[0]);
                return;
            }
            Content.Source.asByteArrayAsync(request, mostBytes).whenComplete((body, failed) -> then.accept(body));
        }

        /** Headers before the answer; the last value of a name stays. */
        void header(String name, String value) { response.getHeaders().put(name, value); }

        void headers(String name, List<String> values) {
            response.getHeaders().remove(name);
            values.forEach(value -> response.getHeaders().add(name, value));
        }

        void answer(int status, byte[] body) {
            response.setStatus(status);
            if (status != 204) response.getHeaders().put("Content-Length", body.length);
            response.write(true, ByteBuffer.wrap(body), callback);
        }
    }
}
