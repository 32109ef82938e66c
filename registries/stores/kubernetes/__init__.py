"""The store on a Kubernetes cluster. The only place that imports the `kubernetes` package; no Django here.

client.py talks to the API server, failures.py says what went wrong, watch.py follows what happens, journal.py
remembers it, store.py is the store. Nothing is imported here: the package is loaded only where it is used.
"""
