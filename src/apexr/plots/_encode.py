"""Frames to a film: raw pictures through a pipe to an encoder, one after the other."""

import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from apexr.errors import SpecError, StoreError, needs

_MP4 = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "18", "-pix_fmt", "yuv420p")
SUFFIXES = (".mp4", ".gif")


def check_film(path: Path) -> None:
    """Raise unless the suffix is that of a film.

    Raises
    ------
    SpecError
        Naming the suffixes that there are.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise SpecError(f"cannot film to {path.name!r}: the suffix must be one of {[*SUFFIXES]}")


def encoder() -> str:
    """Return the path of the encoder's program.

    Raises
    ------
    MissingExtraError
        If the package of the ``movie`` extra is not installed.
    """
    with needs("movie", "films need"):
        import imageio_ffmpeg
    return str(imageio_ffmpeg.get_ffmpeg_exe())


def encode(
    frames: Iterable[np.ndarray],
    path: Path,
    size: tuple[int, int],
    fps: float,
    palette: np.ndarray,
) -> int:
    """Write a film and return the number of its frames.

    Parameters
    ----------
    frames
        Pictures ``(height, width, 4)`` of bytes: red, green, blue, and a fourth that is ignored.
        They may share memory; none is kept.
    path
        ``.mp4`` (H.264, for every player) or ``.gif``. It appears when it is complete.
    size
        Width and height, both even.
    fps
        Frames per second.
    palette
        Up to 256 colors ``(color, 3)`` of bytes that a gif may use.

    Raises
    ------
    StoreError
        With what the encoder said, if it fails.
    """
    program = encoder()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        with _inputs(path, size, fps, palette) as options:
            count = _pipe([program, "-y", "-loglevel", "error", *options, str(partial)], frames)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return count


@contextmanager
def _inputs(
    path: Path, size: tuple[int, int], fps: float, palette: np.ndarray
) -> Iterator[list[str]]:
    """Give the encoder's options; a gif needs its palette as a second picture."""
    shape = ["-f", "rawvideo", "-pix_fmt", "rgb0", "-s", f"{size[0]}x{size[1]}", "-r", f"{fps:g}"]
    if path.suffix.lower() == ".mp4":
        yield [*shape, "-i", "-", "-an", *_MP4, "-movflags", "+faststart"]
        return
    with tempfile.TemporaryDirectory() as folder:
        colors = Path(folder) / "palette.rgb"
        square = np.resize(palette, (256, 3)).astype(np.uint8)
        square[len(palette) :] = palette[-1]
        colors.write_bytes(square.tobytes())
        second = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "16x16", "-i", str(colors)]
        yield [*shape, "-i", "-", *second, "-lavfi", "paletteuse=dither=none", "-loop", "0"]


def _pipe(command: list[str], frames: Iterable[np.ndarray]) -> int:
    """Feed the encoder and return how many frames it got."""
    count = 0
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=said, stderr=said)
        try:
            pipe: Any = process.stdin
            for picture in frames:
                pipe.write(np.ascontiguousarray(picture).data)
                count += 1
            pipe.close()
        except BrokenPipeError:
            pass
        except BaseException:
            process.kill()
            raise
        finally:
            code = process.wait()
        said.seek(0)
        words = said.read().decode(errors="replace").strip()
    if code:
        raise StoreError(f"the encoder failed (exit code {code}): {words[-500:]}")
    return count
