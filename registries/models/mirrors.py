"""The table of mirrors. Written by mirrors/listing.py."""

from django.db import models
from django.utils import timezone


class Mirror(models.Model):
    """A mirror of a registry, and what its last probe showed. Mirrors are used in the order of their ids.

    `upstream` and `address` are canonical, host[:port], with http:// before them for plain HTTP.
    """

    upstream = models.CharField(max_length=300)
    address = models.CharField(max_length=300)
    image = models.CharField(max_length=512, blank=True, help_text="whose digest is compared")
    resolves = models.BooleanField(default=True, help_text="it may say which image a tag is")
    created_at = models.DateTimeField(default=timezone.now)
    probed_at = models.DateTimeField(null=True)
    verdict = models.CharField(max_length=16, blank=True, help_text="a mirrors.listing.Verdict")
    reason = models.CharField(max_length=64, blank=True, help_text="why the mirror or the upstream failed")
    digest = models.CharField(max_length=80, blank=True)
    upstream_digest = models.CharField(max_length=80, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["upstream", "address"], name="one_mirror_each"),)
