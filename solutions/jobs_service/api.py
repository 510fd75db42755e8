"""The Jobs API: its routes, and nothing else."""
### BEGIN SOLUTION imports

import json

from flask import Flask, request

import jobs
### END SOLUTION
### BEGIN SOLUTION modules

app = Flask(__name__)


@app.route("/jobs", methods=["POST"])
def jobs_api():
    """Take a job, a JSON object with start and end; answer at once with the job and its id."""
    ### BEGIN SOLUTION job_status
    ### | body = request.get_json(force=True)
    body = request.get_json(force=True, silent=True)
    dates = [body.get("start"), body.get("end")] if isinstance(body, dict) else []
    if not dates or not all(isinstance(text, str) for text in dates):
        example = '{"start": "2012-01-01", "end": "2012-12-31"}'
        return {"error": f"send a JSON object such as {example}"}, 400
    ### END SOLUTION
    job = jobs.add_job(body["start"], body["end"])
    return json.dumps(job), 202, {"Content-Type": "application/json"}
### BEGIN SOLUTION job_status


@app.route("/jobs/<jid>")
def job_api(jid):
    """Show one job."""
    job = jobs.get_job(jid)
    if job is None:
        return {"error": f"there is no job {jid}"}, 404
    return job
### END SOLUTION
### BEGIN SOLUTION job_results


@app.route("/jobs/<jid>/results")
def results_api(jid):
    """Show what a job came to, or say that it is not ready."""
    job = jobs.get_job(jid)
    if job is None:
        return {"error": f"there is no job {jid}"}, 404
    if job["status"] != "complete":
        ### BEGIN SOLUTION failing_job
        ### | return {"error": "not ready; ask again later", "status": job["status"]}, 409
        why = jobs.get_error(jid) or "not ready; ask again later"
        return {"error": why, "status": job["status"]}, 409
        ### END SOLUTION
    return jobs.get_result(jid)
### END SOLUTION


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=5000)
### END SOLUTION
