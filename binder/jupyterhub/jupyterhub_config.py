"""Give each user of a JupyterHub a Redis: their own, or a user of the class's.

README.md beside this file explains it. Load it at the end of your own configuration:
load_subconfig("jobs-kit/binder/jupyterhub/jupyterhub_config.py")
"""

import csv
import os

c = get_config()  # noqa: F821 (JupyterHub defines it)


def class_redis(spawner):
    """Return the REDIS_URL of a user in the list that `jobs-kit classroom init` wrote, or ""."""
    path = os.environ.get("JOBS_KIT_STUDENTS")
    if not path:
        return ""
    with open(path, newline="", encoding="utf-8") as file:
        urls = {row["user"]: row["REDIS_URL"] for row in csv.DictReader(file)}
    if spawner.user.name not in urls:
        spawner.log.warning("%s is not in %s: they get their own Redis", spawner.user.name, path)
    return urls.get(spawner.user.name, "")


c.Spawner.cmd = ["jobs-kit", "run", "jupyterhub-singleuser"]
c.Spawner.environment.update({"REDIS_URL": class_redis})
