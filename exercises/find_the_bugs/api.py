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
        return True, json.dumps({"status": "Error", "message": f"Invalid JSON: {e}."})

    return json.dumps(jobs.add_job(job["start"], job["end"]))


if __name__ == "__main__":
    app.run(debug=True, host="0.0.0.0")
