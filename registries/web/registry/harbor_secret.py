"""更换密码 (change password) for a robot account of Harbor: with a person's account, the console creates a second robot
account or renews the secret."""

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from registries.audit.action import Action
from registries.domain.errors import Cause, Conflict, ConsoleError, NotFound, Problem, TooManyRequests
from registries.domain.registry import RegistrySecret
from registries.log_in.access import ConsoleRequest
from registries.probe import Reason
from registries.probe.credentials import CredentialsError, check_credentials
from registries.probe.harbor import HarborAccount
from registries.probe.harbor_robot import CHANGED, HarborError, HarborProblem
from registries.service.copies import MOST
from registries.web.forms import HarborForm, NewPasswordForm
from registries.web.registry import rotation
from registries.web.registry.password import COPY_GONE, form_page, with_copies
from registries.web.responses import gone, with_registry
from registries.wiring import services
from registries.words import labels, providers
from registries.words.causes import cause_text
from registries.words.language import sentences
from registries.words.problems import error_text

SECOND = "second"
"""The value of `way` for a second robot account."""
TEXTS = {
    HarborProblem.WRONG_ACCOUNT: gettext_lazy(
        "Harbor refused the user name or the password of the Harbor account. With OIDC login, use"
        " a local account."
    ),
    HarborProblem.NO_RIGHT: gettext_lazy(
        "This Harbor account may not manage robot accounts. Use a project administrator, or for a system robot account"
        " a system administrator. A robot account cannot renew secrets."
    ),
    HarborProblem.NO_ROBOT: gettext_lazy(
        "Harbor has no robot account of this name, or the Harbor account does not see it. Check the user name of the"
        " registry."
    ),
    HarborProblem.NO_API: gettext_lazy(
        "This address has no API of Harbor 2.2 or newer. Create a new secret by hand and type it here."
    ),
    HarborProblem.DISABLED: gettext_lazy("The robot account is disabled. Enable it in Harbor first."),
    HarborProblem.EXPIRED: gettext_lazy("The robot account has expired. Extend it in Harbor first."),
    HarborProblem.REFUSED: gettext_lazy(
        "Harbor refused the request. Create a new secret by hand and type it here."
    ),
    HarborProblem.NO_PERMISSIONS: gettext_lazy(
        "Harbor does not show the permissions of this robot account, because Harbor 1 created it."
        " Create a second one by hand."
    ),
    HarborProblem.PERMISSIONS_REFUSED: gettext_lazy(
        "Harbor refused a second robot account with the same permissions. This version of Harbor may not know one of"
        " them any more. Create the second one by hand."
    ),
    HarborProblem.UNCERTAIN: gettext_lazy(
        "Harbor gave no usable answer. It may have created the robot account %(robot)s: delete it there, and try again."
        " The registry was not changed."
    ),
    HarborProblem.LEFT_OVER: gettext_lazy(
        "The registry could not be changed. The new robot account %(robot)s is not used: delete it in Harbor."
    ),
    HarborProblem.UNEXPECTED: gettext_lazy(
        "Harbor gave an unexpected answer. Create a new secret by hand and type it here."
    ),
}


@sensitive_post_parameters("password", "harbor_password")
@sensitive_variables("form", "typed", "account")
@require_POST
@with_registry(Action.PASSWORD)
def renew_secret(request: ConsoleRequest, registry: RegistrySecret) -> HttpResponse:
    """Creates a second account or renews the secret, and shows the run that stores it; or the dialog with what stands
    in the way."""
    form = HarborForm(request.POST)
    if not providers.is_robot(registry.provider, registry.username):
        form.add_error(None, _("This is not a robot account of Harbor."))
        return _again(request, registry, form, 422)
    account = _account(form)
    if account is None:
        return _again(request, registry, form, 422)
    try:
        return _renew(request, registry, form, account)
    except NotFound:
        return gone(request, registry.key, Problem.GONE)
    except HarborError as error:
        form.add_error(None, _text(error))
        return _again(request, registry, form, 422)
    except ConsoleError as error:
        form.add_error(None, error_text(error))
        status = {TooManyRequests: 429, Conflict: 409}.get(type(error), 422)
        return _again(request, registry, form, status)


@sensitive_variables("form", "account")
def _renew(
    request: ConsoleRequest, registry: RegistrySecret, form: HarborForm, account: HarborAccount
) -> HttpResponse:
    typed = NewPasswordForm(request.POST).typed()
    if typed["uid"] != registry.uid:
        raise Conflict(str(registry.key), Problem.RECREATED)
    targets = with_copies(request, registry, request.POST.getlist("copies")[:MOST])
    if targets is None:
        form.add_error(None, COPY_GONE)
        return _again(request, registry, form, 409)
    rotation.require_version(registry, typed["version"])
    run = services().harbor_secrets.begin(
        access=request.access,
        registries=targets,
        generation=registry.generation,
        account=account,
        second=request.POST.get("way") == SECOND,
    )
    return rotation.progress(request, run)


@sensitive_variables("form", "typed", "password")
def _account(form: HarborForm) -> HarborAccount | None:
    """The typed account; None with errors in the form."""
    typed = form.typed()
    username, password = typed["harbor_username"].strip(), typed["harbor_password"]
    form.add_causes(Cause(name, Problem.REQUIRED) for name in typed if not typed[name].strip())
    if form.errors:
        return None
    try:
        check_credentials(username, password)
    except CredentialsError as error:
        text = cause_text(Cause(error.field, Problem(error.problem)))
        form.add_error(f"harbor_{error.field}", text)
        return None
    return HarborAccount(username, password)


def _text(error: HarborError) -> str:
    problem = error.problem
    if problem in CHANGED:
        return str(TEXTS[HarborProblem(problem)]) % {"robot": error.robot}
    text = labels.reason(problem) if isinstance(problem, Reason) else str(TEXTS[problem])
    return sentences(text, _("Nothing was changed in Harbor."))


def _again(request: ConsoleRequest, registry: RegistrySecret, form: HarborForm, status: int) -> HttpResponse:
    """The dialog with the errors of the Harbor account."""
    return form_page(request, registry, NewPasswordForm(), status=status, harbor=form)
