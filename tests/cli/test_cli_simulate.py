"""`apexr simulate`."""

import pytest

SIZES = ["--steps", "4", "--samples", "2", "--set", "num_points=16", "--seed", "7"]


@pytest.mark.parametrize("extra", [["--memory", "4GB"], ["--every", "2", "--warmup", "1"]])
def test_simulate_and_show(apexr_command, tmp_path, extra):
    store = tmp_path / "adv.zarr"
    made = apexr_command("simulate", "diff_adv", *SIZES, "--store", store, *extra)
    assert made.code == 0, made.err
    assert f"sample 2, time {3 if '--every' in extra else 5}, channel 1, x 16" in made.out
    assert "scenario 1d_diff_adv" in made.out
    assert "seed 7" in made.out
    assert f"stored in {store}" in made.out
    shown = apexr_command("show", store)
    assert shown.out.strip() in made.out
    again = apexr_command("simulate", "diff_adv", *SIZES, "--store", store)
    assert again.code == 2
    assert "trajectories are stored here already" in again.err
    assert apexr_command("simulate", "diff_adv", *SIZES, "--store", store, "--overwrite").code == 0


def test_simulate_draws(apexr_command, tmp_path):
    path = tmp_path / "adv.png"
    assert apexr_command("simulate", "diff_adv", *SIZES, "--plot", path).code == 0
    assert path.stat().st_size > 1000


def test_simulate_refuses(apexr_command):
    assert "did you mean 'diff_adv'" in apexr_command("simulate", "diff_avd").err
    refused = apexr_command("simulate", "diff_adv", "--steps", "-1")
    assert refused.code == 2
    assert "num_steps must be" in refused.err
