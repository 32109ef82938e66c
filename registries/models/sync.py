"""The tables of registries that are kept in sync in other namespaces. Written by sync/rows.py."""

from django.db import models
from django.utils import timezone

from registries.domain.access import OWNER_MAX

from .base import NAME, NAMESPACE


class SyncRule(models.Model):
    """A source, and the namespaces that have a copy: those with `labels`, those in `names`, or all of them."""

    uid = models.CharField(max_length=36, unique=True, help_text="of the source")
    namespace = models.CharField(max_length=NAMESPACE)
    name = models.CharField(max_length=NAME)
    labels = models.CharField(max_length=500, blank=True, help_text="a label selector")
    names = models.TextField(blank=True, help_text="namespaces, separated by spaces")
    bind = models.BooleanField(default=False, help_text="default service accounts name the pull secret")
    owner = models.CharField(max_length=OWNER_MAX, help_text="Access.owner of the person who acts")
    person = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=16, default="new", help_text="a sync.states.RuleState")
    problem = models.CharField(max_length=64, blank=True, help_text="a Problem")
    ending = models.BooleanField(
        default=False, help_text="switched off; it unbinds what it bound, then it goes"
    )
    due_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True)
    claimed_by = models.CharField(max_length=64, blank=True)
    fence = models.PositiveIntegerField(default=0, help_text="counts claims: an earlier one writes nothing")


class SyncCopy(models.Model):
    """What a rule found or did in one namespace."""

    rule = models.ForeignKey(SyncRule, on_delete=models.CASCADE, related_name="copies")
    namespace = models.CharField(max_length=NAMESPACE)
    uid = models.CharField(
        max_length=36, blank=True, db_index=True, help_text="of the copy that the rule made"
    )
    mark = models.CharField(
        max_length=120, blank=True, help_text="sync.states.mark of the copy as it was made"
    )
    source_mark = models.CharField(max_length=120, blank=True, help_text="the mark of the source then")
    state = models.CharField(max_length=16, help_text="a sync.states.CopyState")
    problem = models.CharField(max_length=64, blank=True, help_text="a Problem")
    begun = models.BooleanField(default=False, help_text="a write was begun, and may have happened")
    bound = models.BooleanField(default=False)
    made_binding = models.BooleanField(default=False, help_text="the rule bound it, and no person did since")
    at = models.DateTimeField(default=timezone.now, help_text="when it came to this state")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["rule", "namespace"], name="one_copy_a_namespace"),)
