"""The HTTP API of the Jobs service: routes only; jobs.py knows what a job is.

    POST /jobs                {"start": "2012-01-01", "end": "2012-12-31"} -> 202 and the job
    GET  /jobs?limit=20       the newest jobs, newest first
    GET  /jobs/<id>           one job: {"id", "status", "start", "end"}
    GET  /jobs/<id>/results   its result; 409 and its status while there is none
    GET  /jobs/<id>/plot      its plot, a PNG; errors as for results
    GET  /health              whether Redis answers, and how many jobs wait
    GET  /                    this list for people; /openapi.json for programs

Every error is {"error": message} with the status that HTTP has for it.
"""

import json
import re

import redis
from flask import Flask, Response, jsonify, render_template_string, request, url_for
from werkzeug.exceptions import BadRequest, Conflict, HTTPException, NotFound

from jobs_kit import openapi, settings
from jobs_kit.analysis import check_range
from jobs_kit.http_server import BODY_BYTES, make_server
from jobs_kit.jobs import add_job, get_job, get_outcome, get_plot, list_jobs, q, rd

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = BODY_BYTES
app.json.sort_keys = False


@app.post("/jobs")
def jobs_api():
    """Save and queue a job; respond at once, before the work is done."""
    try:
        body = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise BadRequest("the body is not JSON") from None
    job = add_job(*_start_and_end(body))
    return jsonify(job), 202, {"Location": url_for("job_api", jid=job["id"])}


@app.get("/jobs")
def jobs_list_api():
    """List the newest jobs."""
    text = request.args.get("limit", "20")
    if not re.fullmatch("0*([1-9][0-9]{0,2}|1000)", text):
        shown = text if len(text) <= 40 else text[:40] + "..."
        raise BadRequest(f"limit is {shown!r}; it must be a whole number from 1 to 1000")
    return jsonify(list_jobs(int(text)))


@app.get("/jobs/<jid>")
def job_api(jid):
    """Show one job."""
    return jsonify(_job(jid))


@app.get("/jobs/<jid>/results")
def results_api(jid):
    """Show the result of a job."""
    _complete(jid)
    return jsonify(get_outcome(jid)[0])


@app.get("/jobs/<jid>/plot")
def plot_api(jid):
    """Show the plot of a job."""
    _complete(jid)
    plot = get_plot(jid)
    if plot is None:
        raise NotFound(f"job {jid} has no plot")
    return Response(plot, mimetype="image/png")


@app.get("/health")
def health_api():
    """Show whether Redis answers, and how many jobs wait."""
    rd.ping()
    return jsonify({"redis": "reachable", "queue_length": len(q)})


@app.get("/openapi.json")
def openapi_api():
    """Describe the API for programs."""
    return jsonify(openapi.DOCUMENT)


@app.get("/")
def page_api():
    """Describe the API for people."""
    return render_template_string(openapi.PAGE, root=request.root_url, **openapi.DOCUMENT)


@app.errorhandler(HTTPException)
def explain(error):
    """Respond to any HTTP error with JSON."""
    if error.response is not None:
        return error.response
    allowed = [(name, value) for name, value in error.get_headers() if name == "Allow"]
    return jsonify({"error": error.description}), error.code, allowed


@app.errorhandler(redis.RedisError)
def explain_redis(error):
    """Respond with 503. The reason goes to the log, because it is no business of the client's."""
    app.logger.error("Redis at %s: %s", settings.without_password(settings.redis_url()), error)
    return jsonify({"error": "Redis is not available; try again later"}), 503


def serve(port=None):
    """Serve on 127.0.0.1 until interrupted. port 0: any free port. Raises OSError if it is taken."""
    server = make_server(app, settings.api_port() if port is None else port)
    print(f"Jobs API at http://127.0.0.1:{server.effective_port}/jobs", flush=True)
    server.run()


def _start_and_end(body):
    if not isinstance(body, dict) or set(body) != {"start", "end"}:
        got = str(sorted(body) if isinstance(body, dict) else body)[:80]
        raise BadRequest(f"give an object with start and end, and nothing else; got {got}")
    try:
        check_range(**body)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    return body["start"], body["end"]


def _job(jid):
    job = get_job(jid)
    if job is None:
        raise NotFound(f"there is no job {jid}")
    return job


def _complete(jid):
    job = _job(jid)
    if job["status"] != "complete":
        message = get_outcome(jid)[1] or f"job {jid} is {job['status']}; ask again later"
        response = jsonify({"error": message, "status": job["status"]})
        response.status_code = Conflict.code
        raise Conflict(response=response)


if __name__ == "__main__":
    serve()
