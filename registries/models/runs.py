"""The tables of runs, and of those that change credentials."""

from django.db import models
from django.utils import timezone

from registries.domain.access import OWNER_MAX

from .base import NAME, NAMESPACE


class Run(models.Model):
    """Work on an explicit list of registries, first proposed, then confirmed. Written by runs/."""

    id = models.UUIDField(primary_key=True)
    kind = models.CharField(max_length=16)
    person = models.CharField(max_length=150)
    owner = models.CharField(
        max_length=OWNER_MAX, db_index=True, help_text="Access.owner: a later account has another"
    )
    state = models.CharField(max_length=16)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    beat_at = models.DateTimeField(
        null=True, help_text="the last sign of life of the process that works on it"
    )
    fence = models.PositiveIntegerField(
        default=0, help_text="counts the claims: an earlier claim begins nothing any more"
    )
    forget = models.BooleanField(default=False, help_text="a deletion keeps nothing for an undo")
    robots = models.JSONField(
        default=list, help_text="the robot account of Harbor that was created for the run, and the one before"
    )


class RunItem(models.Model):
    """One registry of a run."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="items")
    namespace = models.CharField(max_length=NAMESPACE)
    name = models.CharField(max_length=NAME)
    uid = models.CharField(max_length=36)
    state = models.CharField(max_length=16)
    problem = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=64, blank=True, help_text="the verdict's code, of a test")
    duration_ms = models.PositiveIntegerField(null=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (
            models.Index(fields=["run", "state"], name="items_by_state"),
            models.Index(fields=["run", "-ended_at"], name="items_by_end"),
        )


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
