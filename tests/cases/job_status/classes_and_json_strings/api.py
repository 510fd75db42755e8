from flask import Blueprint, Flask, request
from flask.views import MethodView
from werkzeug.exceptions import HTTPException, UnprocessableEntity

import jobs


class JobsApi(MethodView):
    def post(self):
        body = request.get_json(force=True)
        match body:
            case {"start": str(start), "end": str(end)}:
                return vars(jobs.add_job(start, end)), 202
        raise UnprocessableEntity("start and end, both text")

    def get(self, jid):
        return vars(jobs.find(jid))


blueprint = Blueprint("jobs", __name__)
blueprint.add_url_rule("/jobs", view_func=JobsApi.as_view("all"), methods=["POST"])
blueprint.add_url_rule("/jobs/<jid>", view_func=JobsApi.as_view("one"), methods=["GET"])

app = Flask(__name__)
app.register_blueprint(blueprint)


@app.errorhandler(HTTPException)
def explain(error):
    return {"error": error.description}, error.code


@app.errorhandler(jobs.NoSuchJob)
def no_such_job(error):
    return {"error": "no such job", "id": str(error)}, 404


if __name__ == "__main__":
    app.run()
