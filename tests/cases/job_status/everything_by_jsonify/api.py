from flask import Flask, abort, jsonify, request

from jobs import add_job, read_job

app = Flask(__name__)


@app.errorhandler(404)
def not_found(error):
    return jsonify(message="not found"), 404


@app.post("/jobs")
def jobs_api():
    body = request.get_json()
    try:
        start, end = body["start"], body["end"]
    except (KeyError, TypeError, IndexError):
        return jsonify(message="start and end are needed"), 400
    if type(start) is not str or type(end) is not str:
        abort(422)
    return jsonify(add_job(start, end)), 201


@app.get("/jobs/<uuid:jid>/")
def show(jid):
    job = read_job(jid)
    if not job:
        abort(404)
    return jsonify(job)


app.run(port=5001)
