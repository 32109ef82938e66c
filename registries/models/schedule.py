"""The tables of the checks that run by themselves. Only the modules named in a docstring write its table."""

from django.db import models
from django.utils import timezone

from .base import NAME, NAMESPACE


class ScheduledCredential(models.Model):
    """A distinct credential: its next test, and the state over its tests. Written by schedule/rows.py; its
    claims by schedule/claims.py."""

    digest = models.CharField(max_length=80, unique=True, help_text="keyed (schedule/digest.py), never shown")
    host = models.CharField(max_length=300, db_index=True, help_text="host:port")
    username = models.CharField(max_length=256)
    interval = models.PositiveIntegerField(null=True, help_text="seconds; none: never tested by the schedule")
    due_at = models.DateTimeField(null=True, db_index=True)
    claimed_until = models.DateTimeField(null=True, db_index=True)
    claimed_by = models.CharField(max_length=64, blank=True)
    fence = models.PositiveIntegerField(
        default=0, help_text="counts the claims: an earlier one records nothing"
    )
    state = models.CharField(max_length=16, default="new", help_text="a schedule.state.State")
    settled = models.CharField(max_length=16, default="new", help_text="the last confirmed state")
    since = models.DateTimeField(null=True, help_text="the beginning of the settled state")
    failures = models.PositiveIntegerField(default=0, help_text="failed tests in a row")
    recent = models.CharField(
        max_length=21, blank=True, help_text="+, x (refused) or - for each result, newest last"
    )
    tested_at = models.DateTimeField(null=True, db_index=True)
    tested_reason = models.CharField(max_length=64, blank=True, help_text="of the last test")
    outcome = models.TextField(blank=True, help_text="JSON of the last confirmed outcome")
    reason = models.CharField(max_length=64, blank=True, help_text="the code of `outcome`")
    outcome_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True, help_text="the last message that it still fails")
    behind = models.BooleanField(default=False, db_index=True, help_text="a registry lacks this outcome")


class ScheduledRegistry(models.Model):
    """A registry and its credential. Written by schedule/rows.py."""

    uid = models.CharField(max_length=36, unique=True)
    namespace = models.CharField(max_length=NAMESPACE)
    name = models.CharField(max_length=NAME)
    fingerprint = models.CharField(max_length=64, help_text="of its specification, to notice a change")
    credential = models.ForeignKey(ScheduledCredential, on_delete=models.CASCADE, related_name="registries")
    joined_at = models.DateTimeField(
        null=True, help_text="when it got this credential; none: before this was noted"
    )
    written_at = models.DateTimeField(null=True, help_text="when a verdict was written to the resource")
    written_reason = models.CharField(max_length=64, blank=True)


class CheckInterval(models.Model):
    """How often a namespace, or one registry with a uid, is tested. Written by schedule/intervals.py."""

    namespace = models.CharField(max_length=NAMESPACE)
    uid = models.CharField(max_length=36, blank=True)
    seconds = models.PositiveIntegerField(help_text="0: never")
    chosen_at = models.DateTimeField(
        default=timezone.now, help_text="an earlier namespace of this name is known by it"
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=["namespace", "uid"], name="one_interval_each"),)


class StateChange(models.Model):
    """A confirmed change of one registry: ok, failing or flapping, or failing for another reason.

    Written by schedule/telling.py. The history reads it.
    """

    uid = models.CharField(max_length=36)
    namespace = models.CharField(max_length=NAMESPACE)
    name = models.CharField(max_length=NAME)
    host = models.CharField(max_length=300)
    at = models.DateTimeField(db_index=True)
    before = models.CharField(max_length=16)
    after = models.CharField(max_length=16)
    reason = models.CharField(max_length=64)
    since = models.DateTimeField(null=True, help_text="the beginning of the state before")
    waits = models.BooleanField(default=False, help_text="for the end of a silence, to be told then")

    class Meta:
        indexes = (
            models.Index(fields=["uid", "-at"], name="changes_of_one"),
            models.Index(fields=["at"], condition=models.Q(waits=True), name="changes_that_wait"),
        )


class DayRecord(models.Model):
    """The tests of one registry on one day, and how long it was failing. Written by schedule/days.py."""

    uid = models.CharField(max_length=36)
    day = models.DateField(db_index=True, help_text="in the console's time zone")
    ok = models.PositiveIntegerField(default=0)
    unproven = models.PositiveIntegerField(
        default=0, help_text="of `ok`, those that say nothing about the password"
    )
    failed = models.PositiveIntegerField(default=0)
    down = models.PositiveIntegerField(default=0, help_text="seconds")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["uid", "day"], name="one_record_a_day"),)


class NetworkIncident(models.Model):
    """A time in which the console's own network failed. At most one is open. Written by schedule/network.py."""

    open = models.BooleanField(null=True, unique=True, help_text="true, or nothing once it has ended")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    hosts = models.PositiveIntegerField(help_text="tested when it began")
    failed = models.PositiveIntegerField()


class Silence(models.Model):
    """A time without messages: until a moment (snooze), once, or every week. Written by schedule/silences.py.

    Empty `namespace`, `host` and `uid` stand for all of them.
    """

    namespace = models.CharField(max_length=NAMESPACE, blank=True)
    host = models.CharField(max_length=300, blank=True)
    uid = models.CharField(max_length=36, blank=True)
    starts_at = models.DateTimeField(help_text="the first time, of a weekly one")
    ends_at = models.DateTimeField(help_text="the end of the first time, of a weekly one")
    weekly = models.BooleanField(
        default=False, help_text="again each week, at this time in the console's zone"
    )
    last_day = models.DateField(null=True, help_text="the last day of a weekly one")
    reason = models.CharField(max_length=200)
    person = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now)


class ExpiryNotice(models.Model):
    """The last message about a date of one registry that runs out. Written by schedule/expiry.py."""

    uid = models.CharField(max_length=36)
    namespace = models.CharField(
        max_length=NAMESPACE, blank=True, help_text="of an old row perhaps not known"
    )
    what = models.CharField(max_length=32, help_text="a domain.registry.Ending")
    ends = models.DateField()
    days = models.PositiveSmallIntegerField(help_text="the days before the end that were told last")
    told_at = models.DateTimeField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=["uid", "what"], name="one_notice_each"),)
