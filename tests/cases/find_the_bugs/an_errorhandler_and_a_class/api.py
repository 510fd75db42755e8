from dataclasses import dataclass

from flask import Flask, abort, jsonify, request
from werkzeug.exceptions import HTTPException

import jobs

app = Flask(__name__)


@dataclass
class Wanted:
    start: str
    end: str

    def __post_init__(self):
        for value in (self.start, self.end):
            if not isinstance(value, str):
                raise TypeError(f"no text: {value!r}")


@app.errorhandler(HTTPException)
def explain(error):
    return jsonify(error=error.description), error.code


@app.route("/jobs", methods=["POST"])
def jobs_api():
    body = request.get_json(force=True, silent=True)
    try:
        wanted = Wanted(**body)
    except TypeError as problem:
        abort(400, str(problem))
    return jobs.add_job(wanted.start, wanted.end), 202


def main():
    app.run(host="::1")


if __name__ == "__main__":
    main()
