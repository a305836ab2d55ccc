"""Films are read back: how many frames, how large, which colors."""

import subprocess

import matplotlib
import numpy as np
import pytest
import xarray as xr

from _tiny import python
from apexr import plots
from apexr.errors import MissingVariableError, SpecError, StoreError
from apexr.plots import _encode
from apexr.plots._stage import Stage
from apexr.testing import mock_experiment

ffmpeg = pytest.importorskip("imageio_ffmpeg")


def read(path):
    """Return all frames ``(frame, height, width, 3)`` of a film."""
    frames = ffmpeg.read_frames(str(path))
    width, height = next(frames)["size"]
    return np.array([np.frombuffer(f, np.uint8).reshape(height, width, 3) for f in frames])


def colors(values, limit):
    """Return what matplotlib makes of numbers."""
    return matplotlib.colormaps["RdBu_r"]((values / limit + 1) / 2)[..., :3] * 255


def boxes(ds, panel, **options):
    """Return the pixels of each image, by asking the figure."""
    made = {}

    class Spy(Stage):
        def __init__(self, *given):
            super().__init__(*given)
            made["windows"] = self._windows

    return Spy, made


@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_pixels_are_those_of_the_color_map(tmp_path, suffix, monkeypatch):
    ds = mock_experiment(num_spatial_dims=2, num_points=16, num_times=6)
    spy, made = boxes(ds, 64)
    monkeypatch.setattr("apexr.plots._animate.Stage", spy)
    path = plots.animate(ds, tmp_path / f"new/a.{suffix}", panel=96)
    frames = read(path)
    assert len(frames) == 7
    assert ffmpeg.count_frames_and_secs(str(path))[0] == 7
    assert frames.shape[1] % 2 == frames.shape[2] % 2 == 0
    limit = float(max(np.abs(ds.sample_reference).max(), np.abs(ds.initial_state).max()))
    whole = np.concatenate([ds.initial_state.values[:1, None], ds.sample_reference.values[:1]], 1)
    predicted = np.concatenate(
        [ds.initial_state.values[:1, None], ds.sample_rollout.values[0, :1]], 1
    )
    for frame in (0, 3, 6):
        for window, values in zip(
            made["windows"], (whole, predicted, predicted - whole), strict=True
        ):
            shown = frames[frame, window.rows, window.columns].astype(float)
            state = values[0, frame, 0].T[window.pick_rows[:, None], window.pick_columns]
            difference = np.abs(shown - colors(state, limit))
            assert np.median(difference) < 6
            assert np.quantile(difference, 0.9) < 40  # edges, in chroma at half resolution
    assert [*tmp_path.joinpath("new").iterdir()] == [path]


@pytest.mark.quick
@pytest.mark.parametrize(
    ("dims", "options"), [(1, {}), (3, {}), (3, {"view": "volume"}), (2, {"parts": ["prediction"]})]
)
def test_every_dimension(tmp_path, dims, options):
    ds = mock_experiment(num_spatial_dims=dims, num_points=8, num_times=2)
    path = plots.animate(ds, tmp_path / "a.mp4", panel=64, **options)
    frames = read(path)
    assert len(frames) == 3
    assert np.abs(frames[0].astype(int) - frames[-1]).max() > 50


def test_a_lone_trajectory_at_chosen_times(tmp_path):
    field = mock_experiment(num_spatial_dims=2, num_channels=2).sample_reference
    path = plots.animate(field, tmp_path / "a.gif", channel=1, times=[2, 4, 8], panel=64, fps=5)
    assert len(read(path)) == 3
    assert ffmpeg.count_frames_and_secs(str(path)) == (3, pytest.approx(0.6, abs=0.02))


def test_what_is_not_finite_is_gray_and_said(tmp_path, monkeypatch):
    ds = mock_experiment(num_spatial_dims=2, diverged=[1])
    spy, made = boxes(ds, 64)
    said = []
    draw = Stage.draw
    monkeypatch.setattr("apexr.plots._animate.Stage", spy)
    monkeypatch.setattr(
        spy, "draw", lambda self, shown, text: (said.append(text), draw(self, shown, text))[1]
    )
    path = plots.animate(ds, tmp_path / "a.mp4", seed=1, panel=64)
    window = made["windows"][1]
    shown = read(path)[-1, window.rows, window.columns].astype(int)
    np.testing.assert_allclose(np.median(shown, axis=(0, 1)), 0xBD, atol=4)
    assert said[0] == "time step 0   t = 0"
    assert said[-1] == "time step 8   t = 0.8   not finite: prediction, seed 1"


def test_a_lazy_rollout_is_read_chunk_by_chunk(tmp_path, monkeypatch):
    ds = mock_experiment(num_spatial_dims=2, num_points=8, num_times=20, seeds=(0,)).chunk(time=5)
    happened = []

    def seen(block, block_info=None):
        if block_info:
            happened.append(f"read {block_info[0]['chunk-location'][2]}")
        return block

    ds["sample_rollout"].data = ds.sample_rollout.data.map_blocks(seen, dtype="f4")
    happened.clear()
    draw = Stage.draw
    monkeypatch.setattr(
        Stage, "draw", lambda self, *given: (happened.append("draw"), draw(self, *given))[1]
    )
    plots.animate(ds, tmp_path / "a.mp4", panel=32, parts=["prediction"], limit=2)
    expected = ["draw", *(f for n in range(4) for f in (f"read {n}", *["draw"] * 5))]
    assert happened == expected


def test_limits_are_those_given_for_all_frames(tmp_path):
    ds = mock_experiment(num_spatial_dims=2)
    narrow = read(plots.animate(ds, tmp_path / "a.mp4", panel=64, limit=0.01))
    wide = read(plots.animate(ds, tmp_path / "b.mp4", panel=64, limit=1000))
    assert narrow[-1].std() > wide[-1].std() + 10


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"path": "no/a.html"}, SpecError, r"the suffix must be one of \['.mp4', '.gif'\]"),
        ({"fps": 0}, SpecError, "fps must be positive"),
        ({"panel": 3}, SpecError, "panel at least 32"),
        ({"limit": -1}, SpecError, "limit must be positive"),
        ({"parts": "prediction"}, SpecError, "parts must be some of"),
        ({"parts": ["predicted"]}, SpecError, "part must be one of"),
        ({"view": "cube"}, SpecError, "view must be one of"),
        ({"times": [99]}, MissingVariableError, "no 'time 99'"),
        ({"seed": 99}, MissingVariableError, "no 'seed 99'"),
    ],
)
def test_bad_input_writes_nothing(tmp_path, options, error, words):
    ds = mock_experiment(num_spatial_dims=3, num_points=4)
    with pytest.raises(error, match=words):
        plots.animate(ds, **{"path": tmp_path / "a.mp4", **options})
    assert not list(tmp_path.iterdir())


def test_an_encoder_that_fails_leaves_nothing(tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_text("old")
    monkeypatch.setattr(_encode, "_MP4", ("-c:v", "no_such_encoder"))
    with pytest.raises(StoreError, match="no_such_encoder"):
        plots.animate(mock_experiment(), tmp_path / "a.mp4", panel=32)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    assert (tmp_path / "a.mp4").read_text() == "old"


def test_an_interrupt_ends_the_encoder(tmp_path, monkeypatch):
    started = []
    real = subprocess.Popen

    def popen(*arguments, **options):
        started.append(real(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", popen)

    def broken(self, shown, text):
        raise KeyboardInterrupt

    monkeypatch.setattr(Stage, "draw", broken)
    with pytest.raises(KeyboardInterrupt):
        plots.animate(mock_experiment(), tmp_path / "a.mp4", panel=32)
    assert started[-1].poll() is not None
    assert not list(tmp_path.iterdir())


FILM = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == BLOCKED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Block())
import apexr
from apexr.testing import mock_experiment
try:
    mock_experiment(num_spatial_dims=2, num_points=4).apexr.plot.animate("a.mp4")
except apexr.errors.MissingExtraError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("package", "extra"), [("imageio_ffmpeg", "movie"), ("matplotlib", "plot")]
)
def test_without_the_extras_it_is_said_what_to_install(tmp_path, package, extra):
    said = python(FILM.replace("BLOCKED", repr(package)), cwd=tmp_path)
    assert said.startswith(f'films need the package {package}: pip install "apexr[{extra}]"')
    assert f'pip install ".[{extra}]"' in said
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_200_frames_take_seconds(tmp_path):
    import time

    ds = mock_experiment(num_spatial_dims=2, num_points=160, num_times=199, seeds=(0,)).chunk(
        time=20
    )
    started = time.perf_counter()
    path = plots.animate(ds, tmp_path / "a.mp4")
    assert time.perf_counter() - started < 30
    assert ffmpeg.count_frames_and_secs(str(path)) == (200, 10.0)


def recorded(num_spatial_dims=2, num_updates=4, **more):
    """Return a result whose rollouts were recorded while it was trained."""
    ds = mock_experiment(num_spatial_dims=num_spatial_dims, num_points=8, num_times=5, **more)
    scale = xr.DataArray(
        np.linspace(0, 1, num_updates, dtype="f4"),
        {"update_step_sample_rollout": 100 * np.arange(num_updates)},
    )
    history = (ds.sample_rollout * scale).transpose("seed", scale.dims[0], ...)
    return ds.assign(sample_rollout_history=history)


@pytest.mark.parametrize("dims", [1, 2])
def test_a_film_over_the_training_shows_one_time_step_of_each_record(tmp_path, monkeypatch, dims):
    ds = recorded(dims)
    drawn = []
    monkeypatch.setattr(
        "apexr.plots._animate.Stage.draw",
        lambda self, shown, said, draw=Stage.draw: (
            drawn.append(([*map(np.array, shown)], said)),
            draw(self, shown, said),
        )[1],
    )
    options = {"over": "training", "times": [3], "seed": 1, "panel": 64}
    path = plots.animate(ds.chunk(update_step_sample_rollout=2), tmp_path / "a.gif", **options)
    assert len(read(path)) == len(drawn) == 4
    labels = {"seed": 1, "sample": 0, "time": 3, "channel": 0}
    for place, ((reference, prediction, error), said) in enumerate(drawn):
        assert said == f"update {100 * place}"
        axes = ("x",) if dims == 1 else ("y", "x")
        right = ds.sample_reference.sel({k: v for k, v in labels.items() if k != "seed"})
        then = ds.sample_rollout_history.sel(labels).isel(update_step_sample_rollout=place)
        np.testing.assert_array_equal(reference, right.transpose(*axes))
        np.testing.assert_array_equal(prediction, then.transpose(*axes))
        np.testing.assert_array_equal(error, (then - right).transpose(*axes))


def test_a_film_over_a_training_that_recorded_nothing_says_what_to_do(tmp_path):
    with pytest.raises(MissingVariableError, match="callbacks='sample_rollout;EVERY'"):
        plots.animate(mock_experiment(), tmp_path / "a.gif", over="training")
    with pytest.raises(SpecError, match="shows one time step"):
        plots.animate(recorded(), tmp_path / "a.gif", over="training", times=[1, 2])
    with pytest.raises(SpecError, match="over must be one of time, training"):
        plots.animate(recorded(), tmp_path / "a.gif", over="trainings")
    with pytest.raises(MissingVariableError, match="time 9"):
        plots.animate(recorded(), tmp_path / "a.gif", over="training", times=[9])
