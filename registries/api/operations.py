"""The operations of the API, one by one, for its OpenAPI document and its page. Texts are lazy translations."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from registries.api import examples
from registries.api.bodies import MERGE_PATCH
from registries.api.operation import BASE, ONE, READ_ERRORS, SECRETS, WRITE_ERRORS, Operation, Text
from registries.api.rule_operations import RULE_OPERATIONS
from registries.api.status import JSON
from registries.domain.resource import KIND

_WATCH = ("watch", "resourceVersion", "timeoutSeconds", "allowWatchBookmarks")
_LISTING = ("page", "limit", "continue", "search", "labelSelector", "fieldSelector", *_WATCH)


def _of_run(name: str, verb: str, summary: Text, description: Text, example: Any) -> Operation:
    answer = (200, _("The run."), "Run", example)
    errors = (400, 401, 403, 404, 409, 429, 500, 503)
    path = f"{BASE}/runs/{{run}}/{verb}"
    return Operation(name, "POST", path, summary, description, answer, errors, ("run",))


OPERATIONS = (
    Operation(
        "listNamespaces",
        "GET",
        f"{BASE}/namespaces",
        _("List namespaces"),
        _("The namespaces that the caller can see, with counts and the caller's permissions."),
        (200, _("The namespaces, sorted by name."), "NamespaceList", examples.NAMESPACES),
        (400, 401, 429, 500, 503),
    ),
    Operation(
        "listAll",
        "GET",
        f"{BASE}/namespaces/_all_/registry-secrets",
        _("List registries in all namespaces"),
        _("All namespaces that the caller can see. An empty list is not an error."),
        (
            200,
            _("A page sorted by namespace and name, or a stream of changes."),
            f"{KIND}List",
            examples.LIST,
        ),
        (400, 401, 429, 500, 503),
        _LISTING,
        also=("WatchEvent",),
    ),
    Operation(
        "list",
        "GET",
        SECRETS,
        _("List registries"),
        _(
            "A page with metadata.continue is not the last one: send its value as continue. A page has at most 4 MiB,"
            " so it can be shorter than limit."
        ),
        (200, _("A page sorted by name, or a stream of changes."), f"{KIND}List", examples.LIST),
        READ_ERRORS,
        ("namespace", *_LISTING),
        also=("WatchEvent",),
    ),
    Operation(
        "create",
        "POST",
        SECRETS,
        _("Create a registry"),
        _("The new registry secret is not tested. Call verify next."),
        (201, _("Created."), KIND, examples.SECRET),
        (*WRITE_ERRORS, 409, 422),
        ("namespace", "dryRun"),
        (f"New{KIND}", examples.NEW),
    ),
    Operation(
        "get",
        "GET",
        ONE,
        _("Get a registry"),
        _("ETag is the resourceVersion."),
        (200, _("The registry secret."), KIND, examples.SECRET),
        READ_ERRORS,
        ("namespace", "name"),
    ),
    Operation(
        "edit",
        "PATCH",
        ONE,
        _("Edit information"),
        _(
            "Changes only the information, such as the display name. There is another operation for the password. To"
            " change anything else, delete the registry secret and create it again."
        ),
        (200, _("Updated."), KIND, examples.SECRET),
        (*WRITE_ERRORS, 409, 422),
        ("namespace", "name", "dryRun"),
        (f"{KIND}Patch", examples.PATCH),
        types=(MERGE_PATCH, JSON),
    ),
    Operation(
        "changePassword",
        "PUT",
        f"{ONE}/password",
        _("Change the password"),
        _(
            "The registry secret keeps its uid and everything else, and is not tested yet: call verify next. With"
            " test: true, the new password is tested first with the stored domain and username, and a 422 says that"
            " it did not connect and that nothing was changed."
        ),
        (200, _("Changed."), KIND, examples.SECRET),
        (*WRITE_ERRORS, 409, 422),
        ("namespace", "name", "dryRun"),
        ("NewPassword", examples.NEW_PASSWORD),
    ),
    Operation(
        "rotatePassword",
        "POST",
        f"{ONE}/rotations",
        _("Change the password with copies"),
        _(
            "Starts a run. The first is tested with its stored password and rolled back if it does not connect,"
            " unless anyway is true. A later failure stops the run: then retry it, roll it back or leave it."
        ),
        (201, _("Started."), "Run", examples.ROTATION),
        (*WRITE_ERRORS, 409, 422),
        ("namespace", "name"),
        ("NewRotation", examples.NEW_ROTATION),
    ),
    Operation(
        "delete",
        "DELETE",
        ONE,
        _("Delete a registry"),
        _(
            "Images that use this credential can no longer be pulled once it is deleted. The header Warning says "
            "what the deletion means for a rule, also in a dry run."
        ),
        (204, _("Deleted."), "", None),
        (*WRITE_ERRORS, 409),
        ("namespace", "name", "dryRun", "forget", "copies"),
        ("DeleteOptions", examples.DELETE),
        optional_body=True,
    ),
    Operation(
        "undo",
        "POST",
        f"{ONE}/undo",
        _("Undo a deletion"),
        _(
            "Restores the registry secret that was deleted last under this name, or the one with uid, with its"
            " password, labels, annotations and tests. It gets a new uid. Possible for CONSOLE_UNDO_HOURS. After "
            "that, and after a deletion with forget or with kubectl, the response is a 404. While the name is taken, "
            "it is a 409, and the deleted one can be restored later."
        ),
        (201, _("Restored."), KIND, examples.SECRET),
        (*WRITE_ERRORS, 409, 422),
        ("namespace", "name"),
        ("Undo", examples.UNDO),
        optional_body=True,
    ),
    Operation(
        "verify",
        "POST",
        f"{ONE}/verify",
        _("Test a registry"),
        _(
            "Without a body: tests the stored credential and records the verdict. With domain, "
            "username and password: tests these and records nothing; {name} need not exist. If the"
            " registry refuses, the response is a 200 with success: false. During a Retry-After of"
            " the registry nothing is sent: the verdict is rate_limited with the remaining "
            "seconds, and is not recorded. With an image, the test also tells whether it can be pulled."
        ),
        (200, _("The verdict."), "Verdict", examples.VERDICT),
        (*WRITE_ERRORS, 409, 422),
        ("namespace", "name"),
        ("Credential", examples.TYPED),
        optional_body=True,
    ),
    Operation(
        "listImages",
        "GET",
        f"{ONE}/images",
        _("List images that pods run"),
        _(
            "The images that pods of the namespace run from this registry, to choose one for verify. With domain, those"
            " from this address; {name} need not exist. Pods are listed within the caller's rights. At most 50 for"
            " each name of the registry."
        ),
        (200, _("The images, sorted by name."), "ImageList", examples.IMAGES),
        (400, 401, 403, 404, 429, 500, 503),
        ("namespace", "name", "domain"),
    ),
    Operation(
        "listTests",
        "GET",
        f"{ONE}/tests",
        _("List past tests"),
        _("The last 20 verdicts, newest first, without the registry's own text."),
        (200, _("The tests."), "TestList", examples.TESTS),
        READ_ERRORS,
        ("namespace", "name"),
    ),
    Operation(
        "listRuns",
        "GET",
        f"{BASE}/runs",
        _("List runs"),
        _("Your started runs that are still kept, newest first, at most 20."),
        (200, _("The runs."), "RunList", examples.RUNS),
        (400, 401, 429, 500, 503),
    ),
    Operation(
        "createRun",
        "POST",
        f"{BASE}/runs",
        _("Start a run"),
        _(
            "Starts a run on exactly these items, which continues in the background. If an item "
            "does not exist, nothing is done. A person can have one test run at a time: the 409 "
            "names the current one."
        ),
        (201, _("Started."), "Run", examples.RUN),
        (*WRITE_ERRORS, 409, 422),
        (),
        ("NewRun", examples.NEW_RUN),
    ),
    Operation(
        "getRun",
        "GET",
        f"{BASE}/runs/{{run}}",
        _("Get a run"),
        _("Your own run, while it is kept."),
        (200, _("The run."), "Run", examples.RUN),
        READ_ERRORS,
        ("run",),
    ),
    _of_run(
        "cancelRun",
        "cancel",
        _("Cancel a run"),
        _("No new items start. Those under way finish and are recorded."),
        examples.RUN,
    ),
    _of_run(
        "retryRun",
        "retry",
        _("Retry a change of passwords"),
        _(
            "Goes on with what failed or still waits, up to a day later. The response is a 409 while the run is "
            "under way and after its end, and a 404 for another kind of run."
        ),
        examples.ROTATION,
    ),
    _of_run(
        "rollBackRun",
        "roll-back",
        _("Roll back a change of passwords"),
        _(
            "Gives everything that was changed its old password, except where somebody set another one meanwhile."
        ),
        examples.ROTATION,
    ),
    _of_run(
        "leaveRun",
        "leave",
        _("Keep a stopped password change"),
        _("What waits stays unchanged, and the passwords that the run kept are forgotten."),
        examples.ROTATION,
    ),
    *RULE_OPERATIONS,
)
