from .clients import q, rd
