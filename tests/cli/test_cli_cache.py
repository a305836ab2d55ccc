"""`apexr cache` shows and clears what is kept on disk."""

from typer.testing import CliRunner

import apexr
from apexr.cli import app
from apexr.experiment import _data, disk_cache


def test_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(_data, "LITTLE", 0)
    runner = CliRunner()
    monkeypatch.setenv(disk_cache.LIMIT, "0")
    assert "switched off" in runner.invoke(app, ["cache"]).output
    monkeypatch.setenv(disk_cache.LIMIT, "1GB")
    sizes = {"num_points": 18, "num_test_samples": 2, "test_temporal_horizon": 3}
    apexr.difficulty.Advection(**sizes).get_test_data()
    shown = runner.invoke(app, ["cache"])
    assert shown.exit_code == 0
    assert "diff_adv test float32" in shown.output
    assert "up to 1 GB" in shown.output
    assert "freed" in runner.invoke(app, ["cache", "--clear"]).output
    assert disk_cache.entries() == []
