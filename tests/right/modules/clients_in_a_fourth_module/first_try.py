q = HotQueue(“queue”)
