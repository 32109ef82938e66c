"""Log-in with a credential of the cluster: a pasted token, or a kubeconfig, pasted or as a file.

No response repeats the input. Only the credential is stored, sealed.
"""

from typing import Any

from django import forms
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from registries.cluster.credential import (
    KUBECONFIG_MAX,
    TOKEN_MAX,
    LoginCredential,
    decode_kubeconfig,
    read_kubeconfig,
    read_token,
)
from registries.domain.errors import Cause, ConsoleError, Invalid, Problem
from registries.log_in.pages import LogIn
from registries.log_in.signals import refuse
from registries.wiring import services
from registries.words.log_in import credential_text
from registries.words.problems import error_text


class CredentialForm(forms.Form):
    """The results are `credential` and `get_user()`, not `cleaned_data`. `wrong`: the fields that are to blame."""

    token = forms.CharField(required=False)
    kubeconfig = forms.FileField(required=False, allow_empty_file=True)
    kubeconfig_text = forms.CharField(required=False)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._request = request
        self._user: Any = None
        self.credential = LoginCredential()
        self.wrong: list[str] = []

    def get_user(self) -> Any:
        return self._user

    def clean(self) -> dict[str, Any]:
        self.wrong = self._given() or ["token", "kubeconfig"]
        try:
            self.credential = self._read()
            self._user = authenticate(self._request, secret=self.credential)
        except Invalid as error:
            refuse(self._request)
            raise ValidationError([credential_text(cause) for cause in error.causes]) from None
        except ConsoleError as error:
            self.wrong = []
            raise ValidationError(error_text(error)) from None
        if self._user is None:
            raise ValidationError(credential_text(Cause("token", Problem.PROOF_REFUSED)))
        return {}

    def _given(self) -> list[str]:
        """The names of the fields that are not empty."""
        return [name for name in self.fields if self.cleaned_data.get(name)]

    @sensitive_variables()
    def _read(self) -> LoginCredential:
        token = self.cleaned_data.get("token") or ""
        pasted, file = self.cleaned_data.get("kubeconfig_text") or "", self.cleaned_data.get("kubeconfig")
        given = self._given()
        if len(given) != 1:
            raise ValidationError(
                _("Enter one credential: a token or a kubeconfig.")
                if given
                else _("Paste a token, or choose a kubeconfig.")
            )
        if token:
            return read_token(token[: TOKEN_MAX + 1], timezone.now())
        if file:
            pasted = decode_kubeconfig(file.read(2 * KUBECONFIG_MAX + 4))  # two bytes a character in UTF-16
        return read_kubeconfig(pasted, services().api_server.home, timezone.now())


@method_decorator(login_not_required, name="dispatch")
class ClusterLogIn(LogIn):
    """The log-in page and dialog with the fields for a credential. The base hides posted data in error reports."""

    form_class = CredentialForm  # type: ignore[assignment]  # the base only needs get_user

    def form_valid(self, form: Any) -> HttpResponse:
        self.request.session.flush()  # drop the data of the ended session
        response = super().form_valid(form)
        services().cluster_sessions.keep(
            form.get_user(), str(self.request.session.session_key), form.credential
        )
        return response

    def event_details(self, form: Any) -> dict[str, str]:
        """Data of the event `signed-in`. The page clears its selection if the person changed."""
        return {"person": str(form.get_user().get_username())}
