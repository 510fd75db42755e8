# -*- coding: latin-1 -*-
# Für Jörg: gibt jede Nachricht aus
import json
import os
from hotqueue import HotQueue

q = HotQueue('echo', serializer=json, host=os.environ['REDIS_HOST'], port=os.environ['REDIS_PORT'], db=1)

@q.worker
def echo(item):
    print('Empfänger:', item)

echo()
