"""The REST contract (api.md) over the service: who asks, what a body holds, errors as Status, and the document.

Imports the service through wiring, the domain, resource, drafts, errors and labels; no views and no tables.
"""
