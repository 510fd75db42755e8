"""The Jobs API: clients submit their jobs here."""

import json

from flask import Flask, request

import jobs

app = Flask(__name__)


@app.route("/jobs", methods=["POST"])
def jobs_api():
    """Add the job that a client sent; return the job as JSON."""
    try:
        job = request.get_json(force=True)
    except Exception as e:
        ### BEGIN SOLUTION defect_01
        ### | return True, json.dumps({"status": "Error", "message": f"Invalid JSON: {e}."})
        return {"status": "Error", "message": f"Invalid JSON: {e}."}, 400
        ### END SOLUTION
    ### BEGIN SOLUTION defect_02
    ### |
    dates = [job.get("start"), job.get("end")] if isinstance(job, dict) else [None]
    if not all(isinstance(date, str) for date in dates):
        return {"status": "Error", "message": "A job is an object with start and end."}, 400
    ### END SOLUTION
    ### BEGIN SOLUTION defect_12
    ### | return json.dumps(jobs.add_job(job["start"], job["end"]))
    job_dict = jobs.add_job(job["start"], job["end"])
    return json.dumps(job_dict), 200, {"Content-Type": "application/json"}
    ### END SOLUTION


if __name__ == "__main__":
    ### BEGIN SOLUTION defect_14
    ### | app.run(debug=True, host="0.0.0.0")
    app.run(host="127.0.0.1")
    ### END SOLUTION
