"""Other packages add their own kinds by entry points."""

import importlib
import sys
import textwrap

import pytest

from apexr._registry import Registry
from apexr.errors import ApexrWarning, SpecError, UnknownNameError
from apexr.networks import NETWORKS
from apexr.spectral import Grid

ENTRY_POINTS = """\
[apexr.networks]
Halve = fake_emulators:Halve
Bare = fake_emulators:Bare
Broken = fake_emulators_broken:Network

[apexr.fruits]
Fig = fake_emulators:FIG
Lost = fake_emulators:no_such_name
"""
MODULE = '''
from apexr._grammar import PositiveInt
from apexr.networks import NetworkSpec, network

FIG = "a fig"


@network("Halve")
class Halve(NetworkSpec):
    """Halve;TIMES - half of the state, several times."""

    times: PositiveInt = 1

    def build(self, grid, num_channels, key):
        return lambda state: state / 2**self.times


class Bare(NetworkSpec):
    """Bare;SCALE - registered by its entry point alone."""

    scale: float

    def build(self, grid, num_channels, key):
        return lambda state: state * self.scale
'''


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Put an installed package with entry points on the path."""
    (tmp_path / "fake_emulators.py").write_text(textwrap.dedent(MODULE))
    (tmp_path / "fake_emulators_broken.py").write_text("raise RuntimeError('half installed')\n")
    info = tmp_path / "fake_emulators-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-emulators\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(ENTRY_POINTS)
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    monkeypatch.setattr(NETWORKS.registry, "_plugins", None)
    yield tmp_path
    for name in ("Halve", "Bare"):
        NETWORKS.registry.unregister(name)
    for module in ("fake_emulators", "fake_emulators_broken"):
        sys.modules.pop(module, None)


@pytest.mark.usefixtures("installed")
def test_plugins_are_listed_without_being_loaded():
    assert {"Halve", "Bare", "Broken", "Conv", "FNO"} <= set(NETWORKS.names())
    assert "halve" in NETWORKS.registry
    assert "fake_emulators" not in sys.modules


@pytest.mark.usefixtures("installed")
def test_plugins_are_parsed_like_any_other():
    spec = NETWORKS.parse("halve;2")
    assert str(spec) == "Halve;2"
    assert spec.build(Grid(1, 4), 1, None)(8.0) == 2.0
    assert NETWORKS.usage("Halve") == "Halve[;TIMES]"
    assert NETWORKS.describe("Halve") == "Halve;TIMES - half of the state, several times."
    with pytest.raises(SpecError, match="TIMES must be at least 1"):
        NETWORKS.parse("Halve;0")


@pytest.mark.usefixtures("installed")
def test_a_class_need_not_be_decorated():
    spec = NETWORKS.parse("bare;0.5")
    assert str(spec) == "Bare;0.5"
    assert spec.build(Grid(1, 4), 1, None)(8.0) == 4.0


@pytest.mark.usefixtures("installed")
def test_a_broken_plugin_names_its_package_and_harms_nobody():
    with (
        pytest.warns(ApexrWarning, match="'Broken' of fake-emulators .*half installed"),
        pytest.raises(UnknownNameError) as caught,
    ):
        NETWORKS.parse("Broken;1")
    assert "Halve" in str(caught.value)
    assert "did you mean 'Broken'" not in str(caught.value)
    assert str(NETWORKS.parse("Conv;2;1;relu")) == "Conv;2;1;relu"
    assert "Broken" not in NETWORKS.names()
    with pytest.raises(UnknownNameError):  # and says so once
        NETWORKS.parse("Broken;1")


@pytest.mark.usefixtures("installed")
def test_any_object_can_be_an_entry_point():
    fruits = Registry("fruit", "apexr.fruits")
    fruits.register("apple")("an apple")
    assert fruits.names() == ("apple", "Fig", "Lost")
    assert fruits.loaded() == {"apple": "an apple"}
    assert fruits.get("fig") == "a fig"
    with (
        pytest.warns(ApexrWarning, match="'Lost' of fake-emulators"),
        pytest.raises(UnknownNameError, match=r"known: apple, Fig\)"),
    ):
        fruits.get("Lost")


@pytest.mark.usefixtures("installed")
def test_what_is_registered_here_goes_before_a_plugin():
    fruits = Registry("fruit", "apexr.fruits")
    fruits.register("fig")("my own fig")
    assert fruits.get("Fig") == "my own fig"
    assert fruits.names() == ("fig", "Lost")
