import json

from flask import Flask, Response, request

import jobs
from body import dates_in

app = Flask(__name__)


def answer(data, status=200):
    return Response(json.dumps(data), status, mimetype="application/json")


@app.route("/jobs", methods=["POST"])
def jobs_api():
    try:
        start, end = dates_in(json.loads(request.get_data(as_text=True)))
    except ValueError as error:
        return answer({"error": str(error)}, 400)
    return answer({"job_id": jobs.add_job(start, end)})


@app.route("/jobs/<jid>", methods=["GET"])
def status_api(jid):
    try:
        return answer({"job": jobs.get_job(jid)})
    except LookupError as error:
        return answer(str(error), 404)


if __name__ == "__main__":
    app.run(debug=True, host="0.0.0.0")
