import api

PORT = 6379
