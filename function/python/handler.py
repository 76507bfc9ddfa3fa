"""The measured function in Python. The contract that it keeps, word for word, is ../README.md."""

import hashlib
import json
import logging
import os
import platform
import re
import tempfile
import time
import uuid

import boto3
from botocore.config import Config
from botocore.handlers import add_expect_header

VARIANT = os.environ["KIT_VARIANT"]
BUCKET = os.environ["KIT_BUCKET"]
TABLE = os.environ["KIT_TABLE"]
MEMORY_MB = int(os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
CONCURRENCY = int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY", "1"))
ENVIRONMENT = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]

CLIENTS = Config(
    connect_timeout=1,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    request_checksum_calculation="when_required",
    s3={"addressing_style": "path"},
)
S3 = boto3.client("s3", config=CLIENTS)
# "Expect: 100-continue" would cost a round trip, to ask whether 36 bytes are welcome.
S3.meta.events.unregister("before-call.s3", add_expect_header)
DYNAMODB = boto3.client("dynamodb", config=CLIENTS)

log = logging.getLogger()


class Refusal(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def handler(event, context):
    try:
        workload = (event.get("pathParameters") or {}).get("workload")
        query = event.get("queryStringParameters") or {}
        return reply(200, route(event["httpMethod"], workload, query))
    except Refusal as refusal:
        return reply(refusal.status, {"error": {"code": refusal.code, "message": refusal.message}})
    except Exception:
        log.exception("unexpected failure")
        return reply(500, {"error": {"code": "internal", "message": "unexpected failure, see the function's log"}})


def route(method, workload, query):
    if method != "GET":
        raise Refusal(405, "method_not_allowed", "only GET is served")
    match workload:
        case "hello":
            return hello()
        case "io":
            return io(integer(query, "delay_ms", 0, 15_000))
        case "cpu":
            return cpu(text(query, "seed", 256), integer(query, "hash_loops", 1, 1_000_000))
        case "mixed":
            delay_ms = integer(query, "delay_ms", 0, 15_000)
            return mixed(delay_ms, text(query, "seed", 256), integer(query, "hash_loops", 1, 1_000_000))
        case "store":
            return store()
        case "health":
            return health()
        case _:
            raise Refusal(404, "not_found", "the workloads are hello, io, cpu, mixed, store and health")


def hello():
    return {"message": "hello"}


def io(delay_ms):
    time.sleep(delay_ms / 1000)
    return {"delayMs": delay_ms}


def cpu(seed, hash_loops):
    digest = hashlib.sha256(seed.encode()).digest()
    for _ in range(hash_loops):
        digest = hashlib.sha256(digest).digest()
    return {"seed": seed, "hashLoops": hash_loops, "digest": digest.hex()}


def mixed(delay_ms, seed, hash_loops):
    return io(delay_ms) | cpu(seed, hash_loops)


def store():
    id = str(uuid.uuid4())
    put_object(id)
    put_item(id)
    return {"id": id, "digest": hashlib.sha256(id.encode()).hexdigest()}


def health():
    return {
        "language": "python",
        "runtime": f"python {platform.python_version()}",
        "memoryMb": MEMORY_MB,
        "architecture": {"aarch64": "arm64"}.get(platform.machine(), platform.machine()),
        "concurrency": CONCURRENCY,
    }


def put_object(id):
    try:
        S3.put_object(Bucket=BUCKET, Key=f"{id}.txt", Body=id.encode(), ContentType="text/plain")
    except Exception:
        log.exception("S3")
        raise Refusal(502, "s3_failed", "S3 did not store the object")


def put_item(id):
    try:
        DYNAMODB.put_item(TableName=TABLE, Item={"id": {"S": id}})
    except Exception:
        log.exception("DynamoDB")
        raise Refusal(502, "dynamodb_failed", "DynamoDB did not store the item")


def integer(query, name, least, most):
    digits = query.get(name) or ""
    if not re.fullmatch("[0-9]{1,8}", digits) or not least <= int(digits) <= most:
        raise Refusal(400, "bad_request", f"{name} must be an integer from {least} to {most}")
    return int(digits)


def text(query, name, most):
    value = query.get(name) or ""
    if not 1 <= len(value) <= most:
        raise Refusal(400, "bad_request", f"{name} must have 1 to {most} characters")
    return value


def reply(status, answer):
    body = answer | {
        "variant": VARIANT,
        "environment": ENVIRONMENT,
        "cold": first_answer(),
        "pid": os.getpid(),
        "cpuNs": time.process_time_ns(),
    }
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(body, ensure_ascii=False, separators=(",", ":")),
    }


ANSWERED = False


def first_answer():
    """Whether this is the environment's first: under LMI its workers are processes that share only the temp dir."""
    global ANSWERED
    if ANSWERED:
        return False
    ANSWERED = True
    marker = os.path.join(tempfile.gettempdir(), "answered-" + re.sub("[^A-Za-z0-9]", "_", ENVIRONMENT))
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False
