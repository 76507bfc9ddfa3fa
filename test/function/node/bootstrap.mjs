// The measured function in a fourth language, for the tests: on this machine only, without an SDK. It keeps the contract
// of function/README.md, and asks Lambda's Runtime API for its invocations itself.

import { createHash, randomUUID } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const { env } = process;
const API = `http://${env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;
const CONCURRENCY = Number(env.AWS_LAMBDA_MAX_CONCURRENCY ?? 1);

class Refusal extends Error {
    constructor(status, code, message) {
        super(message);
        Object.assign(this, { status, code });
    }
}

// ==== Workloads ====

async function answer({ httpMethod, pathParameters, queryStringParameters }) {
    if (httpMethod !== "GET") throw new Refusal(405, "method_not_allowed", "only GET is served");
    const query = queryStringParameters ?? {};
    switch (pathParameters?.workload) {
        case "hello": return { message: "hello" };
        case "io": return io(integer(query, "delay_ms", 0, 15_000));
        case "cpu": return cpu(text(query, "seed", 256), integer(query, "hash_loops", 1, 1_000_000));
        case "mixed": return mixed(integer(query, "delay_ms", 0, 15_000), text(query, "seed", 256),
            integer(query, "hash_loops", 1, 1_000_000));
        case "store": return store();
        case "health": return health();
        default: throw new Refusal(404, "not_found", "the workloads are hello, io, cpu, mixed, store and health");
    }
}

async function io(delayMs) {
    await sleep(delayMs);
    return { delayMs };
}

function cpu(seed, hashLoops) {
    let digest = sha256(seed);
    for (let loop = 0; loop < hashLoops; loop++) digest = sha256(digest);
    return { seed, hashLoops, digest: digest.toString("hex") };
}

async function mixed(delayMs, seed, hashLoops) {
    return { ...await io(delayMs), ...cpu(seed, hashLoops) };
}

async function store() {
    const id = randomUUID();
    await put("PUT", `${env.AWS_ENDPOINT_URL_S3}/${env.KIT_BUCKET}/${id}.txt`, { "content-type": "text/plain" }, id,
        "s3_failed", "S3 did not store the object");
    // DynamoDB Local checks no signature, but must find one.
    await put("POST", env.AWS_ENDPOINT_URL_DYNAMODB, {
        "content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.PutItem",
        authorization: `AWS4-HMAC-SHA256 Credential=local/20260101/${env.AWS_REGION}/dynamodb/aws4_request, `
            + "SignedHeaders=host, Signature=none",
    }, JSON.stringify({ TableName: env.KIT_TABLE, Item: { id: { S: id } } }),
        "dynamodb_failed", "DynamoDB did not store the item");
    return { id, digest: sha256(id).toString("hex") };
}

async function put(method, url, headers, body, code, message) {
    const reply = await ask(method, url, headers, body).catch(error => ({ status: 0, text: error.message }));
    if (reply.status === 200) return;
    console.error(message, reply);
    throw new Refusal(502, code, message);
}

function health() {
    return {
        language: "javascript",
        runtime: `node ${process.versions.node}`,
        memoryMb: Number(env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE),
        architecture: process.arch === "x64" ? "x86_64" : process.arch,
        concurrency: CONCURRENCY,
    };
}

function sha256(data) { return createHash("sha256").update(data).digest(); }

function integer(query, name, least, most) {
    const digits = query[name] ?? "";
    const value = Number(digits);
    if (/^[0-9]{1,8}$/.test(digits) && value >= least && value <= most) return value;
    throw new Refusal(400, "bad_request", `${name} must be an integer from ${least} to ${most}`);
}

function text(query, name, most) {
    const value = query[name] ?? "";
    const characters = [...value].length;
    if (characters >= 1 && characters <= most) return value;
    throw new Refusal(400, "bad_request", `${name} must have 1 to ${most} characters`);
}

// ==== Replies ====

async function reply(event) {
    let status = 200, body;
    try {
        body = await answer(event);
    } catch (error) {
        if (!(error instanceof Refusal)) console.error(error);
        const { code, message } = error instanceof Refusal ? error : { code: "internal", message: "see the log" };
        status = error.status ?? 500;
        body = { error: { code, message } };
    }
    const { user, system } = process.cpuUsage();
    const meta = {
        variant: env.KIT_VARIANT, environment: env.AWS_LAMBDA_LOG_STREAM_NAME, cold: firstAnswer(), pid: process.pid,
        cpuNs: (user + system) * 1000,
    };
    return {
        statusCode: status, headers: { "content-type": "application/json" }, body: JSON.stringify({ ...body, ...meta }),
    };
}

let answered = false;

/** Whether this is the environment's first: the marker outlives a process that was started again. */
function firstAnswer() {
    if (answered) return false;
    answered = true;
    try {
        const name = env.AWS_LAMBDA_LOG_STREAM_NAME.replace(/[^A-Za-z0-9]/g, "_");
        closeSync(openSync(join(tmpdir(), `answered-${name}`), "wx"));
        return true;
    } catch (error) {
        if (error.code === "EEXIST") return false;
        throw error;
    }
}

// ==== The Runtime API ====

const agent = new http.Agent({ keepAlive: true });

function ask(method, url, headers = {}, body = "") {
    return new Promise((resolve, reject) => {
        const bytes = Buffer.from(body);
        const request = http.request(url, { method, agent, headers: { ...headers, "content-length": bytes.length } });
        request.on("error", reject);
        request.on("response", async response => {
            try {
                const chunks = await response.toArray();
                resolve({ status: response.statusCode, headers: response.headers, text: Buffer.concat(chunks).toString() });
            } catch (error) {
                reject(error);
            }
        });
        request.end(bytes);
    });
}

async function serve() {
    for (;;) {
        const invocation = await ask("GET", `${API}/next`);
        const id = invocation.headers["lambda-runtime-aws-request-id"];
        await ask("POST", `${API}/${id}/response`, {}, JSON.stringify(await reply(JSON.parse(invocation.text))));
    }
}

// On the standard model one request comes at a time, on Managed Instances so many.
for (let poll = 0; poll < CONCURRENCY; poll++) serve();
