import pytest

from _tiny import loaded_after


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("dashboard", "nothing.zarr"), "not an apexr study"),
        (("dashboard", "nothing.zarr", "--export", "page.png"), "a page ends in .html"),
        (("dashboard", "nothing.zarr", "--experiment", "0" * 32), "goes with --export"),
        (("explore", "diff_burger"), "did you mean 'diff_burgers'"),
        (("explore", "--port", "70000"), "a port is a number from 0 to 65535, got 70000"),
    ],
    ids=["study", "suffix", "experiment", "scenario", "port"],
)
def test_what_cannot_be_shown_is_refused(apexr_command, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    told = apexr_command(*arguments)
    assert told.code == 2
    assert words in told.err


def test_help_loads_no_panel():
    code = """
import sys
from apexr.cli import main
sys.argv = ["apexr", "dashboard", "--help"]
try:
    main()
except SystemExit:
    pass
"""
    assert loaded_after(code, "panel", "bokeh", "jax") == []


def test_a_report_is_written(apexr_command, study, tmp_path):
    folder = tmp_path / "results"
    told = apexr_command(
        "report", study, "--output", folder, "--title", "A <study>", "--up-to", "5"
    )
    assert told.code == 0
    assert told.out.strip() == str(folder / "index.html")
    page = (folder / "index.html").read_text("utf-8")
    assert "A &lt;study&gt;" in page
    assert all(net in page for net in ("Conv;26;10;relu", "FNO;12;8;4;gelu"))
    assert list(folder.glob("*.md"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--metric", "mean_nRMS"), "did you mean 'mean_nRMSE'"),
        (("--by", "nett"), "did you mean 'net'"),
        (("--baseline", "Conv;26"), "Conv;26;10;relu"),
        (("--decompose", "--decomposition", "a.nc"), "give one of them"),
    ],
    ids=["metric", "by", "baseline", "both"],
)
def test_a_report_that_cannot_be_written_is_refused(apexr_command, study, tmp_path, options, words):
    told = apexr_command("report", study, "-o", tmp_path / "results", *options)
    assert told.code == 2
    assert words in told.err
    assert not (tmp_path / "results").exists()


def test_a_leaderboard_of_something_else_is_refused(apexr_command, study, tmp_path):
    told = apexr_command("leaderboard", study, "-o", tmp_path / "board")
    assert told.code == 2
    assert "no published study" in told.err
    assert "apexr publish" in told.err
    assert not (tmp_path / "board").exists()
