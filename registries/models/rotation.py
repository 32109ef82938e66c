"""The tables of runs that change credentials. Written by runs/rotation_rows.py."""

from django.db import models
from django.utils import timezone

from .base import Run, RunItem


class Rotation(models.Model):
    """The new values of a run, sealed. Deleted when the run has ended, and after a day at the latest."""

    run = models.OneToOneField(Run, on_delete=models.CASCADE, related_name="rotation")
    sealed = models.TextField(help_text="JSON of the values that change")
    anyway = models.BooleanField(default=False, help_text="keep what does not connect")
    undoing = models.BooleanField(default=False, help_text="the old values are written back")
    by_token = models.BooleanField(
        default=False, help_text="may do what a token allows: not without its caller"
    )
    created_at = models.DateTimeField(default=timezone.now, db_index=True)


class RotationTarget(models.Model):
    """The values of one registry before the run, sealed, with which it can be created again."""

    item = models.OneToOneField(RunItem, on_delete=models.CASCADE, related_name="rotation")
    sealed = models.TextField(help_text="JSON of a Draft")
    begun = models.BooleanField(default=False, help_text="it may have been written")
    replacing = models.BooleanField(default=False, help_text="it is deleted and created again")
