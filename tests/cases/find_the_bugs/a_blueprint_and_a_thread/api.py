from datetime import date

from flask import Blueprint, Flask, jsonify, request
from flask.views import MethodView

import jobs

routes = Blueprint("routes", __name__)


class Jobs(MethodView):
    def post(self):
        try:
            job = request.get_json(force=True)
            date.fromisoformat(job["start"]), date.fromisoformat(job["end"])
        except Exception as e:
            return jsonify({"status": "Error", "message": str(e)}), "400"
        return jsonify(jobs.add_job(job["start"], job["end"]))


routes.add_url_rule("/jobs", view_func=Jobs.as_view("jobs"))


def create_app():
    app = Flask(__name__)
    app.register_blueprint(routes)
    return app


if __name__ == "__main__":
    create_app().run(host="0.0.0.0", port=5000)
