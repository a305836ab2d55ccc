"""The page on networks: its own network trains, its texts are those of the script."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

import apexr
from _tiny import SIZES

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def script():
    """The script, imported under a name of its own; its network is forgotten afterwards."""
    spec = importlib.util.spec_from_file_location("networks_page", DOCS / "networks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    apexr.networks.NETWORKS.registry.unregister("Taper")


def test_the_network_of_the_script_trains_as_any_other(script):
    assert "Taper" in apexr.networks.NETWORKS.names()
    scenario = apexr.difficulty.Diffusion(**SIZES)
    result, network = scenario(network_config="taper;8;tanh", num_seeds=1, progress=False)
    assert np.isfinite(result.train_loss).all()
    assert result.net.item() == "Taper;8;tanh"  # as it is registered
    assert result.num_parameters == scenario.get_parameter_count("Taper;8;TANH")
    assert isinstance(network, apexr.networks.Sequential)
    assert scenario.get_receptive_field(network_config="Taper;8;tanh") == ((4, 4),)


def test_the_page_shows_the_script_and_its_table(script):
    page = (DOCS / "networks.md").read_text()
    source = (DOCS / "networks.py").read_text()
    start, end = source.index('@network("Taper")'), source.index("def train()")
    assert source[start:end].strip() in page
    table = (DOCS / "networks_table.md").read_text()
    assert table in page
    assert table == script.table()


def test_the_page_has_the_usage_of_every_network(script):
    page = (DOCS / "networks.md").read_text()
    kind = apexr.networks.NETWORKS
    for name in set(kind.names()) - {"Taper"}:
        assert f"`{kind.usage(name)}`" in page
        assert any(kind.parse(config).__config_name__ == name for config in script.EXAMPLES)
