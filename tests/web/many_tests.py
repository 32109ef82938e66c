"""Tests of many registries: the dialog, as tests use it."""

from django.test import Client

from registries.models import Run

PATH = "/registries/-/verify/"


def begin(client: Client, **values: str) -> str:
    response = client.post(PATH, values)
    assert response.status_code == 200, response.content.decode()
    return response.content.decode()


def latest() -> Run:
    return Run.objects.latest("created_at")
