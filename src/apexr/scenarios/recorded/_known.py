"""Facts about recorded data: enough for an emulator of them, without the data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any

from apexr.errors import SpecError
from apexr.scenarios.recorded._open import Opened
from apexr.scenarios.recorded._split import Split
from apexr.scenarios.recorded._view import View

ASSUMED = " (assumed)"
_MOST_WORDS = 1_000


@dataclass(frozen=True)
class Known:
    """Facts about recorded data that results and stores hold.

    Attributes
    ----------
    digest, digest_of
        That of the content, and what of it.
    layout
        The layout that was recognized.
    points, extents, origins, boundaries
        The grid that is used.
    dt
        Time from frame to frame.
    fields, constants
        Channels that are predicted, and those that are given.
    split
        The config string of the split.
    sizes
        Trajectories and frames of ``train`` and ``test``.
    told, name
        The source in short, and what the data are called; these do not identify them.
    units
        Units by name of an axis, a channel and ``time``; these do not identify the data, either.
    """

    digest: str
    digest_of: str
    layout: str
    points: tuple[int, ...]
    extents: tuple[float, ...]
    origins: tuple[float, ...]
    boundaries: tuple[str, ...]
    dt: float | None
    fields: tuple[str, ...]
    constants: tuple[str, ...]
    split: str
    sizes: Mapping[str, tuple[int, int]]
    told: str = "recorded data"
    name: str = ""
    units: tuple[tuple[str, str], ...] = ()

    def plain(self) -> dict[str, Any]:
        """Return what identifies the data, as plain data."""
        held = asdict(self)
        return {key: value for key, value in held.items() if key not in ("told", "name", "units")}

    def summary(self) -> str:
        """Return a line for those who train on the data."""
        train, test = self.sizes["train"], self.sizes["test"]
        grid = " x ".join(map(str, self.points))
        given = f", given {', '.join(self.constants)}" if self.constants else ""
        return (
            f"{self.told}: layout {self.layout}, fields {', '.join(self.fields)}{given} on {grid}"
            f" points ({', '.join(self.boundaries)}), dt {self.dt}; split {self.split}:"
            f" {train[0]} trajectories of {train[1]} frames for training, {test[0]} of {test[1]}"
            f" for testing; digest {self.digest} of {self.digest_of}"
        )

    @classmethod
    def read(cls, told: Mapping[str, Any]) -> "Known | None":
        """Return what a stored specification says; None where it is a dictionary of arrays.

        Raises
        ------
        SpecError
            If it is neither.
        """
        if "digest" not in told:
            return None
        try:
            sizes = {part: _pair(told["sizes"][part]) for part in ("train", "test")}
            points = tuple(int(one) for one in told["points"])
            known = cls(
                digest=str(told["digest"]),
                digest_of=str(told["digest_of"]),
                layout=str(told["layout"]),
                points=points,
                extents=tuple(float(one) for one in told["extents"]),
                origins=tuple(float(one) for one in told["origins"]),
                boundaries=_words(told["boundaries"]),
                dt=None if told["dt"] is None else float(told["dt"]),
                fields=_words(told["fields"]),
                constants=_words(told["constants"]),
                split=str(told["split"]),
                sizes=sizes,
            )
        except (LookupError, TypeError, ValueError) as error:
            raise SpecError(f"not a description of recorded data ({error!r})") from error
        lengths = {len(known.extents), len(known.origins), len(known.boundaries), len(points)}
        if len(lengths) > 1 or not 1 <= len(points) <= 3 or not known.fields:
            raise SpecError("not a description of recorded data: its axes do not fit together")
        return known


def _words(told: Any) -> tuple[str, ...]:
    if not isinstance(told, list | tuple) or len(told) > _MOST_WORDS:
        raise ValueError(told)
    return tuple(str(one) for one in told)


def _pair(told: Any) -> tuple[int, int]:
    samples, frames = told
    return int(samples), int(frames)


def of_opened(opened: Opened, view: View, split: Split, boundary: str) -> Known:
    """Return what is known of an open source, of which a view is used in a split."""
    axes = view.axes
    name = opened.recordings[0].name or (PurePath(opened.told).stem if opened.is_file else "")
    return Known(
        digest=opened.digest,
        digest_of=opened.digest_of,
        layout=opened.recordings[0].layout,
        points=view.shape,
        extents=tuple(float(axis.length) for axis in axes),
        origins=tuple(float(axis.origin) for axis in axes),
        boundaries=tuple(
            boundary if boundary != "auto" else axis.boundary or f"periodic{ASSUMED}"
            for axis in axes
        ),
        dt=view.dt,
        fields=view.fields,
        constants=view.constants,
        split=split.config,
        sizes={
            part: (len(getattr(split, part)), view.num_frames(getattr(split, part)))
            for part in ("train", "test")
        },
        told=opened.told,
        name=name,
        units=view.units,
    )
