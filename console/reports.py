"""What Django's page of an error, with CONSOLE_DEBUG, and its mails to ADMINS show of a request."""

from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

SHOWN_META = {
    "REQUEST_METHOD",
    "PATH_INFO",
    "REMOTE_ADDR",
    "SERVER_PROTOCOL",
    "CONTENT_TYPE",
    "CONTENT_LENGTH",
}


class ReportFilter(SafeExceptionReporterFilter):
    """Shows the names of fields, variables and settings, and no value of them. Django hides what has a name like
    `password`, and nothing at all with CONSOLE_DEBUG; a password is also in a form, in a list, and in a URL."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return {} if request is None else dict.fromkeys(request.POST, self.cleansed_substitute)

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()

    def get_safe_settings(self) -> dict[str, Any]:
        return dict.fromkeys(super().get_safe_settings(), self.cleansed_substitute)

    def get_safe_request_meta(self, request: HttpRequest) -> dict[str, Any]:
        meta = super().get_safe_request_meta(request)
        return {
            name: value if name in SHOWN_META else self.cleansed_substitute for name, value in meta.items()
        }

    def get_safe_cookies(self, request: HttpRequest) -> dict[str, Any]:
        return dict.fromkeys(request.COOKIES, self.cleansed_substitute)
