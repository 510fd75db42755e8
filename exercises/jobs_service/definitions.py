"""The thirteen definitions of a Jobs service, in no order."""

q = HotQueue("queue", serializer=json, host="172.17.0.1", port=6379, db=1, socket_timeout=None)


def add_job(start, end, status="submitted"):
    """Make a job, save it, queue it; return it as a dict."""
    jid = generate_jid()
    job_dict = instantiate_job(jid, status, start, end)
    save_job(..., ...)
    queue_job(...)
    return job_dict


# the decorator that makes this a worker of the queue is missing
def execute_job(jid):
    """Do the job with this id."""
    ...


def instantiate_job(jid, status, start, end):
    """Return a job as a dict of texts. Redis answers with bytes, so bytes are decoded."""
    values = {"id": jid, "status": status, "start": start, "end": end}
    return {
        name: value.decode() if isinstance(value, bytes) else value
        for name, value in values.items()
    }


def queue_job(jid):
    """Put the id of a job on the queue."""
    ...


rd = redis.Redis(host="172.17.0.1", port=6379, db=0)


def update_job_status(jid, status):
    """Set the status of the job with this id. Raises KeyError if there is none."""
    job_key = generate_job_key(jid)
    if not rd.exists(job_key):
        raise KeyError(jid)
    rd.hset(job_key, "status", status)


def save_job(job_key, job_dict):
    """Save a job as a hash: its key, and the four fields of the dict."""
    ...


@app.route("/jobs", methods=["POST"])
def jobs_api():
    """Take a job, a JSON object with start and end; answer at once with the job and its id."""
    body = request.get_json(force=True)
    job = jobs.add_job(body["start"], body["end"])
    return json.dumps(job), 202, {"Content-Type": "application/json"}


app = Flask(__name__)


def generate_job_key(jid):
    """Return the Redis key of a job: "job.1f6e3c1c-…"."""
    return f"job.{jid}"


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=5000)


def generate_jid():
    """Return a new id, such as "1f6e3c1c-6f5e-4c53-9a29-7d0a54a9a1e9"."""
    return str(uuid.uuid4())
