"""Mirrors (accelerators): `listing` keeps and probes them, `files` has the configuration of nodes for them."""
