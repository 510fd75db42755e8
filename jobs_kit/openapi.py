"""The description of the API in the format of OpenAPI 3.1, and a page for people made from it.

https://spec.openapis.org/oas/v3.1.1.html
"""

DATE = {"type": "string", "format": "date", "examples": ["2012-01-01"]}
STATUS = {"type": "string", "enum": ["submitted", "in progress", "complete", "failed"]}
JOB = {
    "type": "object",
    "required": ["id", "status", "start", "end"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "status": STATUS,
        "start": DATE,
        "end": DATE,
    },
}
RANGE = {
    "type": "object",
    "required": ["start", "end"],
    "additionalProperties": False,
    "properties": {"start": DATE, "end": DATE},
}
ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {"error": {"type": "string"}, "status": STATUS},
}
HEALTH = {
    "type": "object",
    "required": ["redis", "queue_length"],
    "properties": {
        "redis": {"const": "reachable"},
        "queue_length": {"type": "integer", "minimum": 0},
    },
}
ERRORS = {
    400: "the request is wrong; the message says what",
    404: "there is no such job, or it has expired",
    409: "the job is not complete; ask again later unless it failed",
    413: "the body is too large",
    415: "the body isn't text that the server can read",
    503: "Redis is not available; try again later",
}
JID = {"name": "jid", "in": "path", "required": True, "schema": {"type": "string"}}
LIMIT = {
    "name": "limit",
    "in": "query",
    "schema": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 20},
}


def _json(schema):
    return {"application/json": {"schema": schema}}


def _operation(summary, code, description, content, errors, **more):
    """Return one operation: what it does, its good response, and the errors it may give."""
    responses = {str(code): {"description": description, "content": content}}
    for error in errors:
        responses[str(error)] = {"description": ERRORS[error], "content": _json(ERROR)}
    return {"summary": summary, "responses": responses, **more}


POST_JOB = _operation(
    "Add a job; it is done later",
    202,
    "the job is saved and queued",
    _json(JOB),
    (400, 413, 503),
    requestBody={"required": True, "content": _json(RANGE)},
)
LIST_JOBS = _operation(
    "List the newest jobs",
    200,
    "the jobs, newest first",
    _json({"type": "array", "items": JOB}),
    (400, 503),
    parameters=[LIMIT],
)
GET_JOB = _operation("Show a job", 200, "the job", _json(JOB), (404, 503), parameters=[JID])
GET_RESULTS = _operation(
    "Show the result of a job",
    200,
    "the result of the analysis",
    _json({"type": "object"}),
    (404, 409, 503),
    parameters=[JID],
)
GET_PLOT = _operation(
    "Show the plot of a job",
    200,
    "a picture",
    {"image/png": {"schema": {"type": "string", "format": "binary"}}},
    (404, 409, 503),
    parameters=[JID],
)
GET_HEALTH = _operation(
    "Show whether Redis answers, and how many jobs wait", 200, "all is well", _json(HEALTH), (503,)
)

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {
        "title": "Jobs API",
        "version": "1",
        "description": "Summarizes the weather of Seattle from 2012 to 2015. A job takes a while, "
        "so you get its id at once and ask for the result later.",
    },
    "paths": {
        "/jobs": {"post": POST_JOB, "get": LIST_JOBS},
        "/jobs/{jid}": {"get": GET_JOB},
        "/jobs/{jid}/results": {"get": GET_RESULTS},
        "/jobs/{jid}/plot": {"get": GET_PLOT},
        "/health": {"get": GET_HEALTH},
    },
}

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{{ info.title }}</title>
<style>
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
code, pre { background: #f2f2f2; padding: .1rem .3rem } pre { padding: .6rem; overflow: auto }
td { padding: .1rem .8rem .1rem 0; vertical-align: top } h2 { margin-top: 2rem; font-size: 1.2rem }
</style>
<h1>{{ info.title }}</h1>
<p>{{ info.description }}</p>
<pre>curl -d '{"start": "2012-01-01", "end": "2012-12-31"}' {{ root }}jobs</pre>
{% for path, operations in paths.items() %}{% for method, operation in operations.items() %}
<h2><code>{{ method.upper() }} {{ path }}</code></h2>
<p>{{ operation.summary }}.</p>
<table>
{% for code, response in operation.responses.items() -%}
<tr><td>{{ code }}<td>{{ response.description }}
{% endfor %}</table>
{% endfor %}{% endfor %}
<p>For programs: <a href="{{ root }}openapi.json">openapi.json</a>.</p>
"""
