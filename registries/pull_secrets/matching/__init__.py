"""Which credentials of its pull secrets a kubelet tries for an image.

Pure functions of texts, equal to the kubelet's own code: package credentialprovider of Kubernetes 1.20 (keyring.go),
whose rules are the same in 1.36.
"""

from .images import DEFAULT_DOMAIN, ImageReference, image_name, read_image, split_domain
from .keyring import host_of_key, lookup, matches

__all__ = [
    "DEFAULT_DOMAIN",
    "ImageReference",
    "host_of_key",
    "image_name",
    "lookup",
    "matches",
    "read_image",
    "split_domain",
]
