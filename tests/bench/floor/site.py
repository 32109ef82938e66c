"""One table, one view, and the addresses."""

from django.contrib.auth.mixins import LoginRequiredMixin
from django.db import models
from django.http import HttpResponse
from django.urls import path
from django.views.generic import ListView


class Row(models.Model):
    namespace = models.CharField(max_length=63)
    name = models.CharField(max_length=253)
    display_name = models.CharField(max_length=128)
    domain = models.CharField(max_length=253)
    username = models.CharField(max_length=256)
    provider = models.CharField(max_length=32)
    status = models.CharField(max_length=32)
    tested_at = models.DateTimeField()

    class Meta:
        app_label = "floor"
        ordering = ("namespace", "name")
        indexes = (models.Index(fields=["namespace", "name"], name="rows_in_order"),)


class Rows(LoginRequiredMixin, ListView):  # type: ignore[type-arg]  # a ListView takes no argument at run time
    model = Row
    paginate_by = 50
    template_name = "rows.html"
    context_object_name = "rows"


urlpatterns = [
    path("", Rows.as_view()),
    path("healthz", lambda request: HttpResponse("ok")),
    path("login/", lambda request: HttpResponse("ok"), name="login"),
]
