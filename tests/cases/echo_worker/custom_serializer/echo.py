import json
import threading

from hotqueue import HotQueue


class Readable:
    @staticmethod
    def dumps(message):
        return json.dumps(message, indent=1)

    @staticmethod
    def loads(text):
        return json.loads(text)


q = HotQueue("echo", serializer=Readable, host="localhost", socket_timeout=None)


@q.worker()
def echo(item):
    print(item, end=" ", flush=True)


threading.Thread(target=echo).start()
