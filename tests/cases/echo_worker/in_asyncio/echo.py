import asyncio
import json
import os

from hotqueue import HotQueue

q = HotQueue("echo", serializer=json, host=os.environ.get("REDIS_HOST"), port=os.environ.get("REDIS_PORT"), db=1, socket_timeout=None)


async def echo(item):
    print(item)


async def main():
    while True:
        item = await asyncio.to_thread(q.get, block=True)
        await echo(item)


asyncio.run(main())
