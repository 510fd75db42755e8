from hotqueue import HotQueue

q = HotQueue("ana.echo", host="redis.class.example", port=6390, username="ana", password="secret", db=2)

def echo(item):
    print("got", item)

for message in q.consume():
    echo(message)
