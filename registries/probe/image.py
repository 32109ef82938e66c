"""The question whether an image can be pulled, and the answer."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .answer import Answer
from .catalogue import MESSAGES
from .image_words import HINTS, NOTES
from .image_words import MESSAGES as IMAGE_MESSAGES
from .manifest import runs_on
from .reason import ImageReason, Reason

UPLINK = 10.0
"""Mbit/s of an edge node's connection, for the time of a pull."""
_QUOTA = re.compile(r"([0-9]{1,9})(?:\s*;\s*w=([0-9]{1,9}))?")


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """`name` is the image as kubelets write it in full; `repository` and `reference` (a tag or a digest) are its parts.

    `nodes` has the number of nodes per platform, where it is known. With `decides` the image is looked at only after a
    log-in that proves nothing, and a refusal of the image is then the result of the test.
    """

    name: str
    repository: str
    reference: str
    nodes: Mapping[str, int] | None = None
    decides: bool = False


@dataclass(frozen=True, slots=True)
class PlatformSize:
    """A platform of an image. `size` is in bytes, compressed; None if it was not read."""

    name: str
    size: int | None = None

    def minutes(self, uplink: float = UPLINK) -> float | None:
        """The duration of a pull at `uplink` Mbit/s."""
        return None if self.size is None else self.size * 8 / (uplink * 1e6) / 60


@dataclass(frozen=True, slots=True)
class NodePlatform:
    """`count` nodes of the cluster have this platform. `covered` says whether the image has it."""

    name: str
    count: int
    covered: bool


@dataclass(frozen=True, slots=True)
class PullQuota:
    """What the registry says of pulls: `remaining` of `limit` in `seconds` (Docker Hub's headers ratelimit-*)."""

    remaining: int
    limit: int
    seconds: int


def quota_of(answer: Answer) -> PullQuota | None:
    """Docker Hub's headers `ratelimit-limit: 100;w=21600` and `ratelimit-remaining`. None: pulls are not counted."""
    remaining = _QUOTA.fullmatch(answer.header("ratelimit-remaining") or "")
    limit = _QUOTA.fullmatch(answer.header("ratelimit-limit") or "")
    if remaining is None or limit is None:
        return None
    return PullQuota(int(remaining[1]), int(limit[1]), int(limit[2] or remaining[2] or 0))


@dataclass(frozen=True, slots=True)
class ImageResult:
    """Whether an image can be pulled. It holds no text that a server chose.

    `cause` is a Reason that explains FAILED. `note` is a key of image_words.NOTES: why platforms or sizes are missing.
    `proves`: the registry refuses this image to a random user, so it checked the password.
    """

    image: str
    reason: ImageReason
    cause: str | None = None
    retry_after: int | None = None
    digest: str = ""
    platforms: tuple[PlatformSize, ...] = ()
    nodes: tuple[NodePlatform, ...] = ()
    quota: PullQuota | None = None
    note: str = ""
    proves: bool = False

    @property
    def ok(self) -> bool:
        """Whether nodes can pull it. True also if only nodes of some platforms can."""
        return self.reason is ImageReason.PULLABLE or any(it.covered for it in self.nodes)

    def message(self, language: str | None = "zh") -> str:
        cause = MESSAGES[Reason(self.cause)].of(language) if self.cause in list(Reason) else ""
        return IMAGE_MESSAGES[self.reason].filled(language, {"cause": cause})

    def hint(self, language: str | None = "zh") -> str:
        text = HINTS.get(self.reason)
        return text.of(language) if text else ""

    def note_text(self, language: str | None = "zh") -> str:
        text = NOTES.get(self.note)
        return text.of(language) if text else ""

    def values(self) -> dict[str, Any]:
        """Plain data for the history and for other programs. Sizes are in bytes, times in seconds."""
        quota = self.quota
        return {
            "image": self.image,
            "reason": self.reason.value,
            "cause": self.cause or "",
            "retryAfter": self.retry_after,
            "digest": self.digest,
            "platforms": [{"name": it.name, "size": it.size} for it in self.platforms],
            "nodes": [{"name": it.name, "count": it.count, "covered": it.covered} for it in self.nodes],
            "pulls": {"remaining": quota.remaining, "limit": quota.limit, "seconds": quota.seconds}
            if quota
            else None,
            "note": self.note,
            "proves": self.proves,
        }

    @classmethod
    def of_values(cls, values: Mapping[str, Any] | None) -> "ImageResult | None":
        """Reads `values()`. None for a reason of another version."""
        if not values or values["reason"] not in list(ImageReason):
            return None
        quota = values["pulls"]
        return cls(
            image=values["image"],
            reason=ImageReason(values["reason"]),
            cause=values["cause"] or None,
            retry_after=values["retryAfter"],
            digest=values["digest"],
            platforms=tuple(PlatformSize(it["name"], it["size"]) for it in values["platforms"]),
            nodes=tuple(NodePlatform(it["name"], it["count"], it["covered"]) for it in values["nodes"]),
            quota=PullQuota(quota["remaining"], quota["limit"], quota["seconds"]) if quota else None,
            note=values["note"],
            proves=values["proves"],
        )

    def to_json(self, language: str | None = "zh", uplink: float = UPLINK) -> dict[str, Any]:
        """Plain data with stable names and texts, for the API and the command line."""
        minutes = (_rounded(it.minutes(uplink)) for it in self.platforms)
        values = self.values()
        platforms = [{**it, "minutes": some} for it, some in zip(values["platforms"], minutes, strict=True)]
        return {
            **values,
            "platforms": platforms,
            "ok": self.ok,
            "message": self.message(language),
            "hint": self.hint(language),
            "noteText": self.note_text(language),
        }


def _rounded(minutes: float | None) -> float | None:
    return None if minutes is None else round(minutes, 1)


def node_platforms(nodes: Mapping[str, int], platforms: Iterable[str]) -> tuple[NodePlatform, ...]:
    """The platforms of the nodes, each with whether an image for `platforms` runs there."""
    offered = tuple(platforms)
    return tuple(
        NodePlatform(name, count, any(runs_on(it, name) for it in offered))
        for name, count in sorted(nodes.items())
    )
