"""The stand-in for AWS that the tests deploy to: ministack, with what it lacks for this stack added here.

    python standin.py PORT        on 127.0.0.1 only, until its stdin ends

ministack has CloudFormation, S3, DynamoDB, API Gateway and Lambda, and runs the Python functions. It knows nothing of Managed
Instances (LMI): capacity providers, the version $LATEST.PUBLISHED and the scaling of functions are this file's own. They
prove that the right calls are made in the right order and nothing about how LMI behaves.

Faults inside CloudFormation come in by POST /faults, as the proxy in front of this can only fault calls:
    {"create": {"Table": "reason"}, "delete": {"Table": 2}, "drain": 3}
fails the creation of a resource, refuses its deletion that often, and lets a capacity provider go only when it has been
listed that often after its deletion ("drained": true lets all go). "log_group" makes one as Lambda does by itself, "vcpus": 5 is EC2's quota, "invoked"
writes the records of an invocation of each of a stack's functions, and "lose_logs": 2 loses every second invocation's. GET
/holdings tells all that the account holds, so that a test can say "nothing left".
"""

import asyncio
import copy
import itertools
import json
import os
import sys
import threading
import time
import urllib.parse
import uuid

PORT = sys.argv[1]
os.environ.update(GATEWAY_PORT=PORT, LOG_LEVEL="ERROR", AWS_ENDPOINT_URL=f"http://127.0.0.1:{PORT}")

from hypercorn.asyncio import serve  # noqa: E402
from hypercorn.config import Config  # noqa: E402
from ministack import app as ministack  # noqa: E402
from ministack.core.responses import get_account_id, get_region  # noqa: E402
from ministack.services import apigateway_v1, cloudformation, cloudwatch_logs, dynamodb, iam, lambda_svc, s3, scheduler  # noqa: E402
from ministack.services.cloudformation import changesets, provisioners, stacks  # noqa: E402

HANDLERS = provisioners._RESOURCE_HANDLERS
faults = {}
invocations = itertools.count()

# ==== Managed Instances ====

providers = {}


def create_provider(logical_id, props, stack_name):
    name = f"{stack_name}-{logical_id}-{uuid.uuid4().hex[:8]}"
    arn = f"arn:aws:lambda:{get_region()}:{get_account_id()}:capacity-provider:{name}"
    providers[name] = {"CapacityProviderArn": arn, "State": "Active"}
    # Lambda logs of the instances' lives, to a group that it makes unless it is there, and that outlives the stack.
    make_log_group(props.get("TelemetryConfig", {}).get("LoggingConfig", {}).get("LogGroup")
                   or f"/aws/lambda/capacity-provider/{name}")
    return name, {"Arn": arn}


def make_log_group(name):
    cloudwatch_logs._log_groups.setdefault(name, {"arn": name, "creationTime": 0, "retentionInDays": None, "tags": {},
                                                  "subscriptionFilters": {}, "streams": {}})


def delete_provider(name, props):
    providers[name] |= {"State": "Deleting", "listings": faults.get("drain", 0)}


def living_providers():
    for name in [name for name, it in providers.items() if it.get("listings", 1) <= 0]:
        del providers[name]
    for it in providers.values():
        if "listings" in it:
            it["listings"] -= 1
    return [
        {
            "CapacityProviderArn": it["CapacityProviderArn"],
            "State": it["State"],
            "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
            "PermissionsConfig": {"CapacityProviderOperatorRoleArn": "arn:aws:iam::000000000000:role/r"},
        }
        for it in providers.values()
    ]


HANDLERS["AWS::Lambda::CapacityProvider"] = {"create": create_provider, "delete": delete_provider}


def managed_instances(path):
    """The reply of the calls that only LMI has, or None."""
    if path.rstrip("/") == "/2025-11-30/capacity-providers":
        return {"CapacityProviders": living_providers()}
    if path.endswith("/function-scaling-config"):
        config = {"MinExecutionEnvironments": 3, "MaxExecutionEnvironments": 3}
        return {"AppliedFunctionScalingConfig": config, "RequestedFunctionScalingConfig": config}
    return None


# ==== What AWS does and ministack does not ====


def create_schedule(logical_id, props, stack_name):
    """A schedule with the date from which on it is due, which ministack's own creation leaves out."""
    scheduler._create_schedule(props["Name"], props | {"StartDate": scheduler._to_epoch(props["StartDate"])})
    return props["Name"], {"Arn": scheduler._schedule_arn("default", props["Name"])}


HANDLERS["AWS::Scheduler::Schedule"]["create"] = create_schedule


def tell_concurrency(create):
    """Lambda tells a function on LMI how many requests at once it will get."""
    def telling(logical_id, props, stack_name):
        if config := props.get("CapacityProviderConfig"):
            most = config["LambdaManagedInstancesCapacityProviderConfig"]["PerExecutionEnvironmentMaxConcurrency"]
            variables = props.get("Environment", {}).get("Variables", {}) | {"AWS_LAMBDA_MAX_CONCURRENCY": str(most)}
            props = props | {"Environment": {"Variables": variables}}
        created = create(logical_id, props, stack_name)
        publish(created[0])
        return created
    return telling


published = {}


def publish(function):
    """What the version $LATEST.PUBLISHED of a function is from now on."""
    published[function] = copy.deepcopy(lambda_svc._functions[function]["config"])


def published_configuration(scope):
    """The reply to who asks for that version's configuration, or None."""
    function = scope["path"].split("/")[-2]
    if scope["method"] != "GET" or not scope["path"].endswith("/configuration") or function not in published:
        return None
    now = lambda_svc._functions[function]["config"]
    return published[function] | {"State": now["State"], "LastUpdateStatus": now["LastUpdateStatus"]}


HANDLERS["AWS::Lambda::Function"]["create"] = tell_concurrency(HANDLERS["AWS::Lambda::Function"]["create"])


def emit_json_logs(func, request_id, log_text, error, duration_ms, *, log_source=None):
    """Lambda's JSON log format; on LMI a report has the duration only."""
    config = func.get("config") or func
    group = cloudwatch_logs._log_groups.get(config["LoggingConfig"]["LogGroup"])
    if group is None or ("lose_logs" in faults and next(invocations) % faults["lose_logs"] == 0):
        return
    metrics = {"durationMs": float(duration_ms)}
    if "CapacityProviderConfig" not in config:
        metrics |= {"billedDurationMs": duration_ms, "memorySizeMB": config["MemorySize"], "maxMemoryUsedMB": 64}
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{int(time.time() * 1000) % 1000:03d}Z"
    records = [
        {"time": stamp, "type": "platform.start", "record": {"requestId": request_id, "version": "$LATEST"}},
        {"time": stamp, "type": "platform.report",
         "record": {"requestId": request_id, "status": "error" if error else "success", "metrics": metrics}},
    ]
    now = int(time.time() * 1000)
    stream = group["streams"].setdefault(time.strftime("%Y/%m/%d/[$LATEST]") + uuid.uuid4().hex, {
        "events": [], "uploadSequenceToken": "1", "creationTime": now,
        "firstEventTimestamp": None, "lastEventTimestamp": None, "lastIngestionTime": None})
    cloudwatch_logs._append_log_events(
        stream, [{"timestamp": now, "message": json.dumps(record), "ingestionTime": now} for record in records])


lambda_svc._emit_lambda_logs = emit_json_logs


def last_of_repeated(query):
    """In an event's queryStringParameters AWS has the last of repeated parameters, ministack the first."""
    return urllib.parse.urlencode(dict(urllib.parse.parse_qsl(query.decode(), keep_blank_values=True))).encode()


def refuse_if_not_empty(delete):
    def refusing(physical_id, props):
        bucket = s3._buckets.get(physical_id)
        if bucket and bucket.get("objects"):
            raise ValueError(f"The bucket you tried to delete is not empty: {physical_id}")
        delete(physical_id, props)
    return refusing


HANDLERS["AWS::S3::Bucket"]["delete"] = refuse_if_not_empty(HANDLERS["AWS::S3::Bucket"]["delete"])


def without_rollback(deploy):
    """OnStackFailure=DELETE, the only one that is used here, deletes a stack that failed without rolling it back first."""
    def deploying(name, stack_id, template, parameters, disable_rollback, *more, **named):
        return deploy(name, stack_id, template, parameters, True, *more, **named)
    return deploying


changesets._deploy_stack_async = without_rollback(changesets._deploy_stack_async)

# ==== Faults ====


def faulty(handler):
    """The handler, unless a fault is set for the logical id; a delete knows only the physical one, which contains it."""
    create, delete = handler["create"], handler["delete"]

    def failing_create(logical_id, props, stack_name):
        if reason := faults.get("create", {}).get(logical_id):
            # The events of a stack that fails are in no order of cause and effect.
            stacks._add_event(cloudformation._stacks[stack_name]["StackId"], stack_name, "Api", "AWS::ApiGateway::RestApi",
                              "CREATE_FAILED", "Resource creation cancelled")
            raise ValueError(reason)
        return create(logical_id, props, stack_name)

    def failing_delete(physical_id, props, *more):
        for logical_id, times in faults.get("delete", {}).items():
            if times > 0 and logical_id.lower() in physical_id.lower():
                faults["delete"][logical_id] -= 1
                raise ValueError("the resource is in use")
        delete(physical_id, props, *more)

    return handler | {"create": failing_create, "delete": failing_delete}


for of_this_stack in ("AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::Lambda::CapacityProvider", "AWS::Lambda::Function"):
    HANDLERS[of_this_stack] = faulty(HANDLERS[of_this_stack])

# ==== The server ====


def holdings():
    held = {
        "buckets": s3._buckets, "tables": dynamodb._tables, "functions": lambda_svc._functions, "roles": iam._roles,
        "log groups": cloudwatch_logs._log_groups, "APIs": apigateway_v1._rest_apis, "API keys": apigateway_v1._api_keys,
        "usage plans": apigateway_v1._usage_plans,
        "schedules": [name.split("/")[-1] for name in scheduler._schedules], "providers": {name: None for name in providers if living_providers()},
        "stacks": {name: None for name, it in cloudformation._stacks.items() if it["StackStatus"] != "DELETE_COMPLETE"},
    }
    return {kind: sorted(names) for kind, names in held.items()}


async def reply(send, body):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


async def app(scope, receive, send):
    if scope["type"] == "http":
        if scope["path"] == "/faults":
            faults.clear()
            faults.update(json.loads((await receive())["body"]))
            if faults.get("drained"):
                providers.clear()
            if group := faults.get("log_group"):
                make_log_group(group)
            if stack := faults.get("invoked"):
                for name in [name for name in lambda_svc._functions if name.startswith(stack)]:
                    emit_json_logs(lambda_svc._functions[name], uuid.uuid4().hex, "", None, 1)
            return await reply(send, faults)
        if scope["path"] == "/holdings":
            return await reply(send, holdings())
        if (b"x-amz-target", b"ServiceQuotasV20190624.GetServiceQuota") in scope["headers"]:
            return await reply(send, {"Quota": {"QuotaCode": "L-1216C47A", "Value": faults.get("vcpus", 64)}})
        if (answer := managed_instances(scope["path"])) is not None:
            return await reply(send, answer)
        if scope["method"] == "POST" and scope["path"].endswith("/versions"):
            publish(scope["path"].split("/")[-2])
        if b"LATEST.PUBLISHED" in scope["query_string"]:
            if (answer := published_configuration(scope)) is not None:
                return await reply(send, answer)
            scope = scope | {"query_string": b""}
        if "/_user_request_/" in scope["path"]:
            scope = scope | {"query_string": last_of_repeated(scope["query_string"])}
    await ministack.app(scope, receive, send)


def end_with_stdin():
    sys.stdin.read()
    os._exit(0)


config = Config()
config.bind = [f"127.0.0.1:{PORT}"]
config.keep_alive_timeout = 75
config.loglevel = "ERROR"
threading.Thread(target=end_with_stdin, daemon=True).start()
asyncio.run(serve(app, config))
