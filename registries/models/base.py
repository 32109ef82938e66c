"""The database tables. Only the module named in a docstring writes its table; stores/embedded writes the others."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from registries.domain.access import EVERYWHERE, OWNER_MAX, Access, Role
from registries.domain.errors import ConsoleError

NAME = 253
NAMESPACE = 63


class StoreVersion(models.Model):
    """One row: the resourceVersion of the last write.

    Every writer updates this row first, so that versions become visible in order.
    """

    value = models.BigIntegerField(default=0)


class StoredResource(models.Model):
    """A resource as JSON. Its password is sealed."""

    kind = models.CharField(max_length=32)
    namespace = models.CharField(max_length=NAMESPACE, blank=True)
    name = models.CharField(max_length=NAME)
    uid = models.CharField(max_length=36, unique=True)
    resource_version = models.BigIntegerField(unique=True)
    body = models.TextField()
    sealed_password = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["kind", "namespace", "name"], name="one_per_name"),)


class StoreChange(models.Model):
    """One write, with the resource as it was then and without its password. Kept for a while, for indexes and watches.

    There is one row for each resourceVersion, so a gap shows that older rows were removed.
    """

    resource_version = models.BigIntegerField(primary_key=True)
    type = models.CharField(max_length=8, help_text="a ChangeType")
    kind = models.CharField(max_length=32)
    at = models.DateTimeField(default=timezone.now, db_index=True)
    written = models.BigIntegerField(db_index=True, help_text="bytes of all bodies up to this one")
    body = models.TextField()


class DeletedRegistry(models.Model):
    """A registry to restore: its resource, sealed with the password. Written by stores/trash.py.

    The row is written before the deletion. A process that dies in between leaves a row of a registry that exists.
    """

    uid = models.CharField(max_length=36, unique=True)
    namespace = models.CharField(max_length=NAMESPACE)
    name = models.CharField(max_length=NAME)
    sealed = models.TextField(help_text="JSON of the resource")
    at = models.DateTimeField(default=timezone.now, db_index=True)
    gone = models.BooleanField(default=False, help_text="the deletion is known to have happened")
    begun = models.BooleanField(default=False, help_text="a restoration began, and its result is unknown")

    class Meta:
        indexes = (models.Index(fields=["namespace", "name"], name="deleted_by_name"),)


class Grant(models.Model):
    """A role in one or in all namespaces. Written by grants.py."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="grants")
    namespace = models.CharField(max_length=NAMESPACE, help_text=f"{EVERYWHERE} for all")
    role = models.CharField(max_length=16, choices=[(role.value, role.value) for role in Role])

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "namespace"], name="one_role_per_namespace"),)


class ApiToken(models.Model):
    """An API token, stored as a digest. Written by tokens.py."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=64)
    prefix = models.CharField(max_length=16, help_text="the first characters, to recognise it by")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the whole, in hexadecimal")
    namespaces = models.TextField(
        blank=True, help_text="names with blanks between; empty for all of the person's"
    )
    role = models.CharField(max_length=16, choices=[(role.value, role.value) for role in Role])
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    last_used_from = models.CharField(max_length=45, blank=True)
    revoked_at = models.DateTimeField(null=True)


class VerificationRecord(models.Model):
    """One test of a stored registry. It runs until `finished_at` is set. Written by history.py."""

    uid = models.CharField(max_length=36)
    namespace = models.CharField(max_length=NAMESPACE)
    name = models.CharField(max_length=NAME)
    person = models.CharField(max_length=150)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    outcome = models.TextField(blank=True, help_text="JSON of history.Outcome, without a server's words")

    class Meta:
        indexes = (models.Index(fields=["uid", "-started_at"], name="history_of_one"),)
        constraints = (
            models.UniqueConstraint(
                fields=["uid"], condition=models.Q(finished_at__isnull=True), name="one_test_under_way"
            ),
        )


class Trial(models.Model):
    """A test of typed values, kept for an hour without the values. Written by runs/single.py."""

    id = models.UUIDField(primary_key=True)
    owner = models.CharField(max_length=OWNER_MAX)
    started_at = models.DateTimeField(default=timezone.now, db_index=True)
    finished_at = models.DateTimeField(null=True)
    outcome = models.TextField(blank=True)


class ApiBucket(models.Model):
    """The rate limit bucket of one caller, with the time when it is full. Written by limits.py."""

    caller = models.CharField(max_length=255, unique=True)
    full_at = models.BigIntegerField(default=0, db_index=True, help_text="microseconds since the epoch")


class Pause(models.Model):
    """The end of a registry's Retry-After, per namespace and user name. Written by pauses.py."""

    namespace = models.CharField(max_length=NAMESPACE)
    registry = models.CharField(max_length=300, help_text="host:port")
    username = models.CharField(max_length=256)
    until = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["namespace", "registry", "username"], name="one_pause_each"),
        )


class ClusterSession(models.Model):
    """A session with a sealed credential of the cluster. Written by cluster_sessions.py.

    It is Django's `request.user` during the session. There is no account: only the cluster knows the person.
    """

    uid = models.UUIDField(default=uuid4, unique=True)
    person = models.CharField(max_length=150)
    owner = models.CharField(max_length=OWNER_MAX, blank=True, help_text="Access.owner of the person")
    session_key = models.CharField(max_length=40, blank=True)
    sealed = models.TextField(blank=True)
    last_login = models.DateTimeField(default=timezone.now, help_text="Django writes it under this name")
    expires_at = models.DateTimeField(db_index=True)

    is_authenticated = is_active = True
    is_anonymous = False
    access: Access | None = None
    """The person's access, or None with the error in `trouble`. Neither is stored."""
    trouble: ConsoleError | None = None

    def get_username(self) -> str:
        return self.person

    def get_session_auth_hash(self) -> str:
        """Ties the browser session to this row, not to a later row with the same id."""
        return salted_hmac("registries.ClusterSession", self.uid.hex).hexdigest()


class AuditEntry(models.Model):
    """One action with person, source and outcome, without passwords and tokens. Written by audit/log.py.

    Repeated refusals are one row with a `count`, from `at` until `last_at`. `note` is a code or a name in no language,
    or the changed fields as JSON.
    """

    at = models.DateTimeField(default=timezone.now)
    person = models.CharField(max_length=150)
    owner = models.CharField(max_length=OWNER_MAX, blank=True, help_text="Access.owner of the person")
    source = models.CharField(max_length=45, blank=True)
    action = models.CharField(max_length=32)
    namespace = models.CharField(max_length=NAMESPACE, blank=True)
    name = models.CharField(max_length=NAME, blank=True)
    uid = models.CharField(max_length=36, blank=True)
    outcome = models.CharField(max_length=32)
    failed = models.BooleanField(default=False, help_text="refused, or a test that failed")
    run = models.UUIDField(null=True, help_text="the run that did it; the run may be deleted")
    note = models.CharField(max_length=255, blank=True)
    count = models.PositiveIntegerField(default=1)
    last_at = models.DateTimeField(null=True, help_text="the last of several refusals")
    repeat = models.CharField(
        max_length=64, null=True, unique=True, help_text="equal for equal refusals within an hour"
    )
    administrators_only = models.BooleanField(
        default=False,
        help_text="the namespace must not read it: a stranger's attempt, or an earlier namespace",
    )

    class Meta:
        indexes = (
            models.Index(fields=["uid", "-at"], name="events_of_one"),
            models.Index(fields=["owner", "action", "source"], name="events_of_owner"),
            models.Index(fields=["namespace", "-at"], name="events_of_namespace"),
            models.Index(fields=["run", "-at"], name="events_of_run", condition=models.Q(run__isnull=False)),
            # Every column that the page filters by: a search reads this index alone.
            models.Index(
                fields=[
                    *("-at", "-id", "run", "namespace", "person", "action", "failed", "outcome"),
                    *("administrators_only", "name", "owner"),
                ],
                name="events_by_time",
            ),
        )


class Channel(models.Model):
    """Where messages about changes go. Written by events/channels.py and events/outbox.py."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    namespace = models.CharField(max_length=NAMESPACE, blank=True, help_text="empty for all namespaces")
    name = models.CharField(max_length=64)
    service = models.CharField(max_length=16)
    language = models.CharField(max_length=2, default="zh")
    host = models.CharField(max_length=255, blank=True, help_text="of the URL; all that is shown of it")
    sealed = models.TextField(help_text="JSON of the fields")
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, help_text="the last message that arrived")
    failed_at = models.DateTimeField(null=True, help_text="the last attempt, if it failed")
    trouble = models.CharField(max_length=16, blank=True)
    code = models.CharField(max_length=32, blank=True, help_text="an error number or a reason code")
    repeat_at = models.DateTimeField(null=True, help_text="when alerts of failing registries are sent again")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["namespace", "name"], name="one_channel_per_name"),)


class Delivery(models.Model):
    """One message to one channel: the changes of one group. Written by events/outbox.py."""

    id = models.UUIDField(primary_key=True, default=uuid4, help_text="stays the same in every attempt")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    group = models.CharField(max_length=400, help_text="Change.group")
    state = models.CharField(
        max_length=12, default="collecting", help_text="collecting, due, sent or given_up"
    )
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)
    fence = models.PositiveIntegerField(default=0, help_text="counts the claims")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["channel", "group"], condition=models.Q(state="collecting"), name="one_collecting"
            ),
        )
        indexes = (
            models.Index(
                fields=["due_at"], condition=models.Q(state__in=("collecting", "due")), name="deliveries_due"
            ),
        )


class DeliveryItem(models.Model):
    """One change in a delivery."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="items")
    change = models.TextField(help_text="JSON of events.change.Change")


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
