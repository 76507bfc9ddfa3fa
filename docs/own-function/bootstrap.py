"""A function that needs nothing but Python: it speaks Lambda's Runtime API itself. Replace `answer`."""

import json
import os
import threading
import urllib.request

API = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"


def answer(event):
    name = (event.get("queryStringParameters") or {}).get("name", "world")
    return 200, {"greeting": f"Hello, {name}!", "length": len(name)}


def serve():
    while True:
        with urllib.request.urlopen(f"{API}/next") as invocation:
            id = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
            event = json.load(invocation)
        status, body = answer(event)
        headers = {"content-type": "application/json"}
        reply = json.dumps({"statusCode": status, "headers": headers, "body": json.dumps(body)}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{API}/{id}/response", reply, headers)).close()


# One loop for each request that Lambda may send at once: 1 on the standard model, 16 on Managed Instances.
for _ in range(int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY", "1"))):
    threading.Thread(target=serve).start()
