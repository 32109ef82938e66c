"""Why a container waits for its image: pure functions of the pod, its Secrets and the registries of its namespace.

The texts are those of kubelets with containerd, Docker and CRI-O.
"""

from .explanation import MESSAGE_MAX, explain, fault_of, is_pull_reason
from .kinds import KEY_MAX, Code, Explanation, Fault, Flaw, Near, PodSecret, SecretState, Waiting, nearest_key

__all__ = [
    "KEY_MAX",
    "MESSAGE_MAX",
    "Code",
    "Explanation",
    "Fault",
    "Flaw",
    "Near",
    "PodSecret",
    "SecretState",
    "Waiting",
    "explain",
    "fault_of",
    "is_pull_reason",
    "nearest_key",
]
