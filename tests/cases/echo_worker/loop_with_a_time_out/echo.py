import json, os
from hotqueue import HotQueue

def main():
    q = HotQueue(name="echo", serializer=json, host=os.getenv("REDIS_HOST"), port=os.getenv("REDIS_PORT"), socket_timeout=None)
    while True:
        item = q.get(block=True, timeout=1)
        if item is not None:
            print(f"-> {item!r}")

if __name__ == "__main__":
    main()
