"""The two clients of Redis."""

q = HotQueue("queue", serializer=json, host="172.17.0.1", port=6379, db=1, socket_timeout=None)
rd = redis.Redis(host="172.17.0.1", port=6379, db=0)
