"""The store on a Kubernetes cluster. The only place that imports the `kubernetes` package; no Django here.

client.py talks to the API server, failures.py says what went wrong, watch.py tells what happens, journal.py remembers
it, follower.py keeps the two going, in each process its own (processes.py), store.py is the store. proof.py reads
people's credentials, gate.py lets them in, reviews.py asks what they may do. Nothing is imported here: the package is
loaded only where it is used.
"""
