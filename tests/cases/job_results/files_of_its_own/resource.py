"""Notes on resources."""
