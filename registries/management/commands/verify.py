"""`manage.py verify`: a run of tests over all registries, for a CronJob, or with --interval as a service.

With --image or --running-images it also looks whether images can be pulled.
"""

import random
import re
import signal
import threading
import time
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.utils import timezone
from django.utils.translation import get_language, override

from registries.domain.access import EVERYWHERE, Access, Role
from registries.domain.errors import Conflict, ConsoleError, Invalid, NotFound, Problem
from registries.domain.query import Criteria, Filter
from registries.domain.registry import Key, RegistrySecret
from registries.management.database import require_migrated
from registries.probe.image import ImageResult
from registries.pull_secrets.matching import read_image
from registries.runs.run import ItemState, RunState, RunView
from registries.service.images import image_query
from registries.web.lists.verdicts import image_view
from registries.wiring import services
from registries.words import labels
from registries.words.problems import error_text, problem_text

PERSON = "manage.py verify"
JITTER = 0.1
"""Every wait is shorter or longer by up to this share, so that several consoles do not test at the same moment."""
AGAIN = 0.2
"""Seconds between two attempts to cancel the run."""
FINE, FAILED, USAGE = 0, 1, 2
LISTED = 100
"""Images in the output that cannot be pulled."""
LOOKED_AT = 12
"""Images of one registry that one test looks at: all of them share its time."""
NAMED = 10
"""Namespaces in the output whose pods cannot be listed."""
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def duration(text: str) -> timedelta:
    """Reads a number with the unit s, m, h or d, such as 90s, 15m, 24h or 7d."""
    match = re.fullmatch(r"(\d{1,6})([smhd])", text)
    if match is None or not int(match[1]):
        raise ArgumentTypeError(f"{text} is no duration: write 90s, 15m, 24h or 7d")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


class Command(BaseCommand):
    help = (
        "Test stored registries and record the verdicts. Exit status: 0 all connected, 1 some did not or "
        "it was stopped, 2 wrong usage. With --image or --running-images, 0 also means that the images can "
        "be pulled. With --interval it goes on until it is stopped."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--namespace", default="", help="only this one")
        parser.add_argument("--status", choices=[it.value for it in Filter], help="only those of this status")
        parser.add_argument(
            "--older-than",
            type=duration,
            metavar="24h",
            help="only those whose last test is older, or missing",
        )
        parser.add_argument("--name", default="", help="only registries of this name")
        parser.add_argument(
            "--image",
            nargs="?",
            const="",
            metavar="REF",
            help="also look whether this image can be pulled, only at registries that have it by its name; "
            "without REF, the probe image of each registry that has one",
        )
        parser.add_argument(
            "--running-images",
            action="store_true",
            help="also look whether the images that pods run can be pulled, "
            "only at registries whose images pods of their namespace run",
        )
        parser.add_argument("--interval", type=duration, metavar="15m", help="again and again, so far apart")

    @override("en")
    def handle(self, *args: Any, **options: Any) -> None:
        require_migrated()
        self._stopped, self._over = threading.Event(), threading.Event()
        self._cancel: Callable[[], None] = lambda: None
        if options["image"] and read_image(options["image"]) is None:
            raise CommandError(problem_text(Problem.IMAGE_NAME), returncode=USAGE)
        if options["running_images"] and options["image"] is not None:
            raise CommandError("Give --image or --running-images, not both.", returncode=USAGE)
        if options["running_images"] and not services().images.available:
            raise CommandError("Only a console with the registries of a cluster sees pods.", returncode=USAGE)
        before = {it: signal.signal(it, self._stop) for it in (signal.SIGTERM, signal.SIGINT)}
        try:
            fine = self._all(**options)
        finally:
            self._over.set()
            for number, handler in before.items():
                signal.signal(number, handler)
        if not fine and options["interval"] is None:
            raise SystemExit(FAILED)

    def _all(self, *, interval: timedelta | None, **options: Any) -> bool:
        """Does all runs. True if every test of the last run succeeded."""
        fine = self._once(**options)
        while interval is not None and self._rest(_about(interval)):
            fine = self._once(**options)
        return fine

    def _rest(self, seconds: float) -> bool:
        """Sleeps. False after a signal. Waits a second at a time, to notice a signal that came just before a wait."""
        until = time.monotonic() + seconds
        while not self._stopped.is_set() and (left := until - time.monotonic()) > 0:
            self._stopped.wait(min(left, 1.0))
        return not self._stopped.is_set()

    def _once(self, *, image: str | None, running_images: bool, **choice: Any) -> bool:
        """Does one run. True if every test succeeded, and every image can be pulled."""
        access = Access.from_grants(PERSON, [(EVERYWHERE, Role.ADMIN)])
        chosen = _chosen(access, **choice)
        random.shuffle(chosen)  # no registry is always first, or always left over when a run is stopped
        if image is None and not running_images:
            return self._run(access, chosen)
        unread = False
        if running_images:
            images, unread = self._running(access, chosen)
        else:
            images = {it.key: (image or it.probe_image,) for it in chosen if _has(it, image or "")}
        if not images and (image or running_images):
            self.stdout.write(f"None of these registries has {image or 'an image that pods run'}.")
            return running_images and not unread
        return self._run(access, [it for it in chosen if it.key in images], images) and not unread

    def _running(
        self, access: Access, chosen: list[RegistrySecret]
    ) -> tuple[dict[Key, tuple[str, ...]], bool]:
        """The images that pods run from each registry; whether the pods of a namespace could not be listed."""
        found = services().images.of_registries(access=access, registries=chosen)
        unread = sorted({it.namespace for it, images in found.items() if images is None})
        if unread:
            names = ", ".join(unread[:NAMED]) + (f" and {len(unread) - NAMED} more" if unread[NAMED:] else "")
            self.stdout.write(f"The pods of these namespaces could not be listed: {names}")
        left = sum(len(images[LOOKED_AT:]) for images in found.values() if images)
        if left:
            self.stdout.write(f"{left} images are left out: {LOOKED_AT} of each registry are looked at.")
        return {it: images[:LOOKED_AT] for it, images in found.items() if images}, bool(unread)

    def _run(
        self,
        access: Access,
        chosen: list[RegistrySecret],
        images: Mapping[Key, tuple[str, ...]] | None = None,
    ) -> bool:
        runs, kind = (services().verify_runs, None) if images is None else services().image_runs(images)
        try:
            services().schedule.placing.update(timezone.now())  # it knows the credentials
            run = runs.propose(access=access, registries=chosen)
            self._cancel = partial(runs.cancel, access=access, run_id=run)
            runs.work(access=access, run_id=run, access_now=lambda access: access)
        except Conflict:
            self.stdout.write("Another `manage.py verify` is under way; nothing was done.")
            return images is None
        except ConsoleError as error:
            raise CommandError(error_text(error)) from error
        view = runs.view(access=access, run_id=run)
        fine = self._report(view)
        return fine if kind is None else self._report_images(access, images or {}, kind.answers) and fine

    def _stop(self, *_: Any) -> None:
        """Begin no further test; tests under way end and are recorded.

        The cancelling is left to a thread, because a signal may interrupt a query of this one.
        """
        self._stopped.set()
        threading.Thread(target=self._keep_cancelling, daemon=True).start()

    def _keep_cancelling(self) -> None:
        """Cancels until the command ends, because the run may not have begun yet."""
        try:
            self._cancel()
            while not self._over.wait(AGAIN):
                self._cancel()
        finally:
            connections.close_all()

    def _report(self, view: RunView) -> bool:
        for group in view.groups:
            if not group.ok:
                text = labels.reason(group.reason) if group.state is ItemState.DONE else ""
                self.stdout.write(f"  {group.count:5}  {group.reason or group.problem}  {text}".rstrip())
        gone = f", {view.gone} gone" if view.gone else ""
        cut = "" if view.state is RunState.DONE else f", stopped with {view.total - view.ended} to go"
        self.stdout.write(
            f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {view.total} registries: {view.succeeded} connected, "
            f"{view.failed} failed{gone}, {view.left_alone} left alone{cut}"
        )
        fine = all(it.ok or it.problem in (Problem.UNDER_WAY, Problem.GONE) for it in view.groups)
        return fine and view.state is RunState.DONE

    def _report_images(
        self,
        access: Access,
        images: Mapping[Key, tuple[str, ...]],
        answers: Mapping[Key, tuple[ImageResult, ...]],
    ) -> bool:
        """True if the images of every registry that still exists can be pulled."""
        bad = [(key, it) for key in sorted(answers) for it in answers[key] if not it.ok]
        for key, answer in bad[:LISTED]:
            self.stdout.write(f"  {key}  {answer.image}  {answer.reason}  {answer.message(get_language())}")
        if bad[LISTED:]:
            self.stdout.write(f"  {len(bad) - LISTED} more")
        good = [(key, it) for key in sorted(answers) for it in answers[key] if it.ok]
        for key, answer in good[:LISTED]:
            self.stdout.write(f"  {key}  {answer.image}  {_found(answer)}")
        here = [it for it in images if it in answers or services().index.known(access, it) is not None]
        total, seen = sum(len(images[it]) for it in here), sum(map(len, answers.values()))
        unknown = total - seen
        self.stdout.write(
            f"{total} images: {seen - len(bad)} can be pulled, {len(bad)} cannot, {unknown} unknown"
        )
        return not bad and not unknown


def _found(image: ImageResult) -> str:
    """The platforms of an image with sizes and times, the nodes that it is not for, and the pulls that are left."""
    view = image_view(image)
    platforms = ", ".join(" ".join(filter(None, it)) for it in view.platforms)
    missing = ", ".join(nodes for nodes, covered in view.nodes if not covered)
    return "; ".join(filter(None, (platforms, view.rate, missing and f"missing for {missing}", view.pulls)))


def _chosen(
    access: Access, *, namespace: str, name: str, status: str | None, older_than: timedelta | None, **_: Any
) -> list[RegistrySecret]:
    criteria = Criteria(namespace=namespace, status=Filter(status) if status else None)
    try:
        found = services().index.matching(access=access, criteria=criteria)
    except NotFound:
        raise CommandError(f"There is no namespace {namespace}.", returncode=USAGE) from None
    older = [it for it in found if older_than is None or _is_older(it, older_than)]
    return [it for it in older if not name or it.name == name]


def _has(registry: RegistrySecret, image: str) -> bool:
    """Whether the image, or else the probe image, belongs to a registry by its name."""
    try:
        image_query(registry.address, image or registry.probe_image)
    except Invalid:
        return False
    return True


def _is_older(registry: RegistrySecret, age: timedelta) -> bool:
    at = registry.verification.at
    return at is None or datetime.now(UTC) - at > age


def _about(interval: timedelta) -> float:
    return interval.total_seconds() * random.uniform(1 - JITTER, 1 + JITTER)
