"""What says the same in several files says the same: versions, floors, extras, Pythons."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import apexr
from apexr.errors import how_to_install

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
RENAMED = {"dask": "dask-core"}  # in conda


@pytest.fixture
def release():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        return importlib.import_module("check_release")
    finally:
        sys.path.pop(0)


def floors(requirements):
    """Return the lowest version by name, of requirements such as ``zarr>=3`` or ``zarr >=3``."""
    found = [re.fullmatch(r"([\w-]+)(\[\w+\])? ?>=([\d.]+)", text) for text in requirements]
    return {match[1]: match[3] for match in found if match}


def test_all_files_name_one_version(release):
    assert release.disagreements() == []
    assert PROJECT["version"] == apexr.__version__


def test_a_tag_of_another_version_is_refused(release):
    assert any("the tag says 99.0" in text for text in release.disagreements("v99.0"))


def test_the_recipe_for_conda_has_the_floors():
    yaml = pytest.importorskip("yaml")  # a dependency of Dask
    text = (ROOT / "conda/recipe.yaml").read_text(encoding="utf-8")
    run = yaml.safe_load(text)["requirements"]["run"]
    declared = {
        RENAMED.get(name, name): low for name, low in floors(PROJECT["dependencies"]).items()
    }
    assert len(declared) == len(PROJECT["dependencies"])
    assert floors(run) == declared


def test_every_place_names_the_pythons_that_are_tested():
    minors = {
        text.rpartition(" ")[2] for text in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", text)
    }
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    (matrix, *others) = (
        re.findall(r'"(3\.\d+)"', line) for line in re.findall(r"python: \[.*", workflow)
    )
    assert set(matrix) == minors
    assert all(other == matrix for other in others)
    assert f">={min(minors)}" == PROJECT["requires-python"]
    words = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    assert all(minor in words for minor in minors)


def test_the_extra_all_is_every_extra_for_users():
    (text,) = EXTRAS["all"]
    mine = set(re.fullmatch(r"apexr\[(.*)\]", text)[1].split(","))
    assert mine == set(EXTRAS) - {"all", "cuda12", "cuda13", "dev", "docs", "peer"}


def test_every_extra_that_a_message_names_exists():
    named = set()
    for path in (ROOT / "src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        named |= set(re.findall(r'\bneeds\("(\w+)"', text))
        named |= set(re.findall(r"how_to_install\([\"'](\w+)[\"']\)", text))
        assert path.name == "errors.py" or "pip install" not in text, path
    from apexr._files import _place

    assert named | set(_place._EXTRAS.values()) <= set(EXTRAS)
    assert named > {"plot", "movie", "cluster"}
    assert how_to_install("plot").startswith('pip install "apexr[plot]"')


def test_bash_completes_commands(tmp_path):
    """In a home of its own: the completion is installed and completes commands and options."""
    bash = shutil.which("bash")
    apexr_command = Path(sys.executable).parent / "apexr"
    if bash is None or not apexr_command.exists():
        pytest.fail("bash and the command apexr are needed")
    env = {
        **os.environ,
        "HOME": str(tmp_path),
        "PATH": f"{apexr_command.parent}:{os.environ['PATH']}",
    }
    script = """
    apexr --install-completion || exit 1
    . "$HOME/.bashrc"
    for typed in "apexr stu" "apexr export --form"; do
      COMP_WORDS=($typed); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
      $(complete -p apexr | sed 's/.*-F \\([^ ]*\\).*/\\1/') apexr
      echo "${COMPREPLY[@]}"
    done
    """
    done = subprocess.run(
        [bash, "--norc", "-c", script], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == ["study", "--format"]
