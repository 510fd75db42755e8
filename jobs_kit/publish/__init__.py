"""Carry the course to places where its repository is not."""
