from hotqueue import HotQueue


class ReliableQueue(HotQueue):
    """A HotQueue with a lease."""

    def __init__(self, name, lease=6.0, **options):
        super().__init__(name, **options)
        self.lease = lease
