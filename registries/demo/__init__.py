"""Loopback registries of every behaviour, so that every verdict of a connection test can be seen.

Standard library, and `cryptography` for the certificates; no Django, except in seed.py.
"""
