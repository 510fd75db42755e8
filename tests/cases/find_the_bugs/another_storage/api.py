from flask import Flask, abort, jsonify, request

from jobs import add_job

app = Flask(__name__)


@app.post("/jobs")
def new_job():
    body = request.get_json()
    try:
        start, end = body["start"], body["end"]
        jid = add_job(start, end)
    except (KeyError, TypeError, ValueError):
        abort(422)
    return jsonify(job_id=jid), 201


app.run("0.0.0.0", 5001, debug=False)
