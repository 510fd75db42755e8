"""A first try."""
