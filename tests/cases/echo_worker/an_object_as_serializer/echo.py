import json
import os

from hotqueue import HotQueue


class Utf8:
    def dumps(self, value):
        return json.dumps(value, ensure_ascii=False).encode("utf-8")

    def loads(self, data):
        return json.loads(data.decode("utf-8"))


q = HotQueue(
    name="echo",
    serializer=Utf8(),
    host=os.environ["REDIS_HOST"],
    port=int(os.environ["REDIS_PORT"]),
    db=1,
)


@q.worker
def echo(item):
    print("\033[1m%s\033[0m" % (item,))


echo()
