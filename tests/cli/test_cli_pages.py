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
