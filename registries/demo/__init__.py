"""Registries on loopback with different behaviours, so that every result of a connection test can be seen. Only
seed.py uses Django."""
