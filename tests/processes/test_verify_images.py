"""`manage.py verify --image`: whether images can be pulled, in its output and its exit status."""

import re

import pytest
from django.core.management import CommandError, call_command

from registries.models import VerificationRecord
from registries.verification.history import Result, from_json
from tests.cast import Cast, Probing


def host(values: dict[str, str]) -> str:
    return values["domain"].removeprefix("http://")


def verify(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    """Exit status and output."""
    status = 0
    try:
        call_command("verify", *options)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, capsys.readouterr().out


IMAGES = {
    "demo/app:1.0": (0, ""),
    "demo/app:amd64": (0, ""),
    "demo/app:2.0": (1, "image_tag_missing"),
    "demo/app": (1, "image_tag_missing"),
    "demo/other:1.0": (1, "image_repository_unknown"),
}


@pytest.mark.parametrize(("image", "expected"), IMAGES.items())
def test_an_image_is_looked_at_where_its_name_belongs(
    cast: Cast,
    probing: Probing,
    capsys: pytest.CaptureFixture[str],
    image: str,
    expected: tuple[int, str],
) -> None:
    harbor, (status, reason) = probing("harbor"), expected
    cast.add("harbor", **harbor)
    cast.add("hub", **probing("dockerhub"))
    name = f"{host(harbor)}/{image}"

    found, out = verify(capsys, "--image", name)

    assert found == status
    assert "1 registries: 1 connected, 0 failed, 0 left alone" in out
    counts = "1 can be pulled, 0 cannot, 0 unknown" if status == 0 else "0 can be pulled, 1 cannot, 0 unknown"
    assert f"1 images: {counts}" in out
    full = name if ":" in image else f"{name}:latest"
    assert (f"  team-a/harbor  {full}  {reason}  " in out) is (status == 1)
    found = re.search(rf"^  team-a/harbor  {re.escape(full)}  linux/amd64 [0-9.]+ [kM]B", out, re.MULTILINE)
    assert bool(found) is (status == 0), out
    assert cast.find("harbor").verification.reason == "ok"
    [row] = VerificationRecord.objects.all()
    kept = from_json(row.outcome)
    assert isinstance(kept, Result)
    assert kept.image
    assert kept.image.ok is (status == 0)


def test_without_a_name_it_is_the_probe_image_of_each(
    cast: Cast, probing: Probing, capsys: pytest.CaptureFixture[str]
) -> None:
    harbor, hub, down = probing("harbor"), probing("dockerhub"), probing("down")
    cast.add("good", **harbor, probe_image=f"{host(harbor)}/demo/app:1.0")
    cast.add("bare", **harbor)
    assert verify(capsys, "--image")[0] == 0

    cast.add("away", **down, probe_image=f"{host(down)}/demo/app:1.0")
    cast.add("missing", "team-b", **hub, probe_image=f"{host(hub)}/demo/app:9")
    status, out = verify(capsys, "--image")

    assert status == 1
    assert "3 registries: 2 connected, 1 failed, 0 left alone" in out
    assert "3 images: 1 can be pulled, 1 cannot, 1 unknown" in out
    assert re.search(r"^  team-b/missing  \S+/demo/app:9  image_tag_missing  ", out, re.MULTILINE)
    assert cast.find("bare").verification.at is None


CHOICES = {
    ("--name", "one"): 1,
    ("--name", "one", "--namespace", "team-b"): 1,
    ("--name", "other"): 1,
    ("--namespace", "team-b"): 1,
    (): 3,
}


@pytest.mark.parametrize(("options", "count"), CHOICES.items())
def test_the_other_options_choose_as_ever(
    cast: Cast,
    probing: Probing,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    count: int,
) -> None:
    harbor = probing("harbor")
    cast.add("one", **harbor)
    cast.add("other", **harbor)
    cast.add("one", "team-b", **harbor)
    count += "one" in options and "--namespace" not in options

    status, out = verify(capsys, *options, "--image", f"{host(harbor)}/demo/app:1.0")

    assert (status, f"{count} images: {count} can be pulled" in out) == (0, True)


def test_an_image_of_no_registry_is_a_failure(
    cast: Cast, probing: Probing, capsys: pytest.CaptureFixture[str]
) -> None:
    cast.add("harbor", **probing("harbor"))

    for image in ("nginx", "elsewhere.example/demo/app:1.0", "harbor.localhost/demo/app"):
        assert verify(capsys, "--image", image) == (1, f"None of these registries has {image}.\n")
    assert cast.find("harbor").verification.at is None


@pytest.mark.parametrize("image", ["x:", "UPPER/case", "a b", "https://h.example/a", "h.example/a@sha256:1"])
def test_no_image_name_is_wrong_usage(cast: Cast, image: str) -> None:
    with pytest.raises(CommandError) as error:
        call_command("verify", "--image", image)
    assert error.value.returncode == 2


def test_without_a_cluster_no_pods_are_seen(cast: Cast) -> None:
    with pytest.raises(CommandError, match="of a cluster") as error:
        call_command("verify", "--running-images")
    assert error.value.returncode == 2
