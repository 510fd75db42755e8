import random


def uuid4():
    return random.random()
