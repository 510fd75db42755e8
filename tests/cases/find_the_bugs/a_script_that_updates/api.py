import json
import os

from flask import Flask, Response, request

from jobs import add_job

app = Flask(__name__)


def answer(code, **fields):
    return Response(json.dumps(fields), code, mimetype="application/json")


@app.post("/jobs")
def jobs_api():
    try:
        job = json.loads(request.data)
        if {type(job["start"]), type(job["end"])} != {str}:
            return answer(422, error="start and end are texts")
    except (ValueError, TypeError, KeyError) as e:
        return answer(400, error=repr(e))
    return answer(201, job=add_job(job["start"], job["end"]))


if __name__ == "__main__":
    app.run(host=os.environ.get("API_HOST", "127.0.0.1"), debug=os.environ.get("API_DEBUG") == "1")
