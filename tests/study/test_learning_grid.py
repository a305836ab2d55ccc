"""docs/learning_study.py in a tiny size: from configurations to table and picture."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import apexr
from _tiny import SIZES

SCRIPT = Path(__file__).parents[2] / "docs" / "learning_study.py"
NETS = ("Pure;3", "MLP;4;1;relu")
TRAININGS = ("one", "div;3")
TINY = {**SIZES, "num_points": 12}
PAGE = "<!-- table: {} -->\nold\n<!-- end -->\n"


@pytest.fixture(scope="module")
def grid(tmp_path_factory):
    """Return the script, cut down and run, and the folder that it wrote."""
    folder = tmp_path_factory.mktemp("grid")
    spec = importlib.util.spec_from_file_location("learning_study", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.NETS, script.TRAININGS, script.STEPS = NETS, TRAININGS, (1, 3, 5)
    script.SIZES = {"scenario": "diff_burgers", "num_seeds": 2, **TINY}
    script.PAGE, script.PICTURE = folder / "page.md", folder / "error.png"
    script.PAGE.write_text("".join(map(PAGE.format, script.TABLES)), encoding="utf-8")
    script.main(folder / "study.zarr")
    return script, folder


def test_all_combinations_are_run_once(grid):
    script, folder = grid
    listed = apexr.list_experiments(folder / "study.zarr")
    assert (listed["state"] == "published").all()
    made = set(zip(listed["net"], listed["task"], listed["train"], strict=True))
    asked = {(c["net"], c["task"], c["train"]) for c in script.configs()}
    assert made == asked
    assert len(listed) == len(NETS) * len(TRAININGS) * len(script.TASKS)


def test_rows_hold_the_medians_over_seeds(grid):
    script, folder = grid
    study = apexr.open_study(folder / "study.zarr")
    rows = script.tabulate(study)
    error = study.mean_nRMSE.values
    np.testing.assert_allclose(rows["step_3"], np.median(error[:, :, 2], axis=1), rtol=1e-6)
    means = np.exp(np.log(error).mean(axis=2))
    np.testing.assert_allclose(rows["gmean"], np.median(means, axis=1), rtol=1e-6)
    assert rows["net"].tolist() == study.net.values.tolist()
    assert (rows["diverged"] == 0).all()
    assert (rows["parameters"] > 0).all()


def test_the_page_and_the_picture_are_written(grid):
    script, folder = grid
    page = (folder / "page.md").read_text(encoding="utf-8")
    assert "old" not in page
    assert "8 experiments of 2 seeds" in page
    assert page.count("| `Pure;3` | 3 |") == len(script.TABLES) - 1
    assert "nan" not in page
    assert (folder / "error.png").stat().st_size < 150_000
