"""A build replaces a tracked picture where one can see a difference, and only there."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")
plt = pytest.importorskip("matplotlib.pyplot")

spec = importlib.util.spec_from_file_location(
    "redrawn", Path(__file__).parents[2] / "docs" / "redrawn.py"
)
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)


def draw(path, scale=1.0, title="one title", size=3):
    figure, axes = plt.subplots(figsize=(size, 2))
    axes.plot(scale * np.sin(np.linspace(0, 6, 50)))
    axes.set_ylim(-1.2, 1.2)
    axes.set_title(title)
    figure.savefig(path, dpi=200)
    plt.close(figure)


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ({}, True),
        ({"scale": 1.001}, True),
        ({"scale": 1.1}, False),
        ({"title": "one titel"}, False),
        ({"size": 4}, False),
    ],
)
def test_what_looks_the_same_stays(tmp_path, changed, kept):
    tracked = tmp_path / "picture.png"
    draw(tracked)
    before = tracked.read_bytes()
    with module.redrawn(tracked) as new:
        draw(new, **changed)
    assert (tracked.read_bytes() == before) is kept


def test_a_new_picture_comes(tmp_path):
    with module.redrawn(tmp_path / "below" / "new.png") as new:
        draw(new)
    assert (tmp_path / "below" / "new.png").is_file()


def test_all_frames_of_a_film_are_compared(tmp_path):
    tracked = tmp_path / "film.gif"
    frames = [Image.new("RGB", (32, 32), (place, 0, 0)) for place in (0, 80, 160)]
    frames[0].save(tracked, save_all=True, append_images=frames[1:])
    before = tracked.read_bytes()
    for last, kept in (((160, 0, 0), True), ((250, 0, 0), False)):
        with module.redrawn(tracked) as new:
            frames[0].save(
                new, save_all=True, append_images=[frames[1], Image.new("RGB", (32, 32), last)]
            )
        assert (tracked.read_bytes() == before) is kept
