"""What schemathesis must be told of this API: how a stream of JSON lines is sent, and names that exist."""
import json
import os
import uuid

import schemathesis

# {parameter: [value, ...]} of things that exist on the node; empty where all names are to be invented.
KNOWN = json.loads(os.environ.get("HUILIAN_KNOWN", "{}"))


@schemathesis.serializer("application/x-ndjson")
def json_lines(_context, value):
    return {"data": value.encode("utf-8", "surrogatepass") if isinstance(value, str) else json.dumps(value).encode()}


@schemathesis.hook
def map_path_parameters(_context, path_parameters):
    """Names that exist come together: those of one record, or of one ticket."""
    if not path_parameters or not KNOWN:
        return path_parameters
    spread = sum(len(str(value)) for value in path_parameters.values())
    return {name: KNOWN[name][spread % len(KNOWN[name])] if name in KNOWN else value for name, value in path_parameters.items()}


@schemathesis.hook
def before_call(_context, case, *_more):
    """A call under a key that was used before is answered with what it made then, be it gone by now: each gets a key of its own."""
    if KNOWN and case.headers and "Idempotency-Key" in case.headers:
        case.headers["Idempotency-Key"] = str(uuid.uuid4())
