"""What notebooks show of scenarios, networks and trainers: harmless HTML with the facts."""

import re
from html.parser import HTMLParser

import jax
import numpy as np
import pytest

import apexr
from apexr._html import as_html, card, listing, picture_of
from apexr.errors import UnknownNameError
from apexr.networks import NETWORKS
from apexr.scenarios import difficulty, scenario_dict


class Page(HTMLParser):
    """The elements of a page, their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.attributes, self.text = [], set(), set(), ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag != "img":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + " "


SMALL = {"num_points": 16, "batch_size": 2, "num_train_samples": 2, "train_temporal_horizon": 3}


def test_a_scenario_tells_its_equation_and_sizes():
    scene = difficulty.Advection(**SMALL, ic_config="fourier;3;true;true")
    page = Page(scene._repr_html_())
    assert page.open == []
    assert "uₜ = -c Σ_d ∂_d u" in page.text
    for fact in ("1d_diff_adv", "16 points", "2 trajectories, 4 frames", "fourier;3;true;true"):
        assert fact in page.text
    # 2 trajectories of 4 frames of 16 numbers of 4 bytes
    assert f"{2 * 4 * 16 * 4 / 1e6:.3g} MB" in page.text


def test_networks_tell_their_numbers():
    scene = difficulty.Advection(**SMALL)
    network = scene.get_network("Conv;4;2;relu", jax.random.key(0))
    count = sum(leaf.size for leaf in jax.tree.leaves(network) if hasattr(leaf, "size"))
    assert f"{count:,} in" in Page(network._repr_html_()).text
    assert "Conv;4;2;relu" in Page(NETWORKS.parse("Conv;4;2;relu")._repr_html_()).text


def test_a_trainer_shows_its_data():
    trainer = difficulty.Advection(**SMALL).get_trainer(train_config="sup;2")
    page = Page(trainer._repr_html_())
    assert {"objective", "sup;2"} <= {*page.text.split()}
    assert "img" in page.elements
    assert "windows  4 " in re.sub(r" +", "  ", page.text).replace("  4  ", "  4 ")


def test_the_dictionary_of_scenarios_is_a_table():
    page = Page(scenario_dict._repr_html_())
    assert {"table", "tr", "td"} <= page.elements
    for key in scenario_dict:
        assert f" {key} " in f" {page.text}"
        assert key in repr(scenario_dict)


def test_texts_of_strangers_are_shown_as_they_are():
    hostile = "<script>alert(1)</script>\x1b[2J <img src=x onerror=alert(2)> ``<b>``"
    page = Page(card(hostile, {hostile: hostile}, hostile) + listing((hostile,), [(hostile,)]))
    assert page.open == []
    assert page.elements <= {"div", "b", "table", "tr", "td", "th", "thead", "tbody", "code"}
    assert page.attributes <= {"style"}
    assert "\x1b" not in page.text
    assert "<script>alert(1)</script>" in page.text
    assert as_html("a & b") == "a &amp; b"


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (200, 7)])
def test_a_picture_is_a_bitmap_of_its_size(shape):
    import base64

    values = np.linspace(-1, 1, np.prod(shape)).reshape(shape)
    values.flat[0] = np.nan
    code = re.search(r"base64,([^\"]+)", picture_of(values, "x"))[1]
    content = base64.b64decode(code)
    assert content[:2] == b"BM"
    assert int.from_bytes(content[2:6], "little") == len(content)
    wide, high = (int.from_bytes(content[at : at + 4], "little") for at in (18, 22))
    assert wide == shape[1]
    assert high == -(-shape[0] // -(-shape[0] // 96))


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("navier_stokes", "phy_decay_turb"),
        ("kuramoto_sivashinsky", "diff_ks"),
        ("gray-scott", "phy_gs"),
        ("diff_avd", "diff_adv"),
    ],
)
def test_near_misses_get_a_hint_and_no_list_of_sixty(given, nearest):
    with pytest.raises(UnknownNameError) as caught:
        scenario_dict[given]
    said = str(caught.value)
    assert "did you mean" in said
    assert repr(nearest) in said
    assert len(said) < 200
    assert "apexr list scenarios" in said


def test_another_number_is_no_misspelling():
    with pytest.raises(ValueError, match="precision must be") as caught:
        apexr.run("diff_adv", precision="bfloat16", progress=False)
    assert "did you mean" not in str(caught.value)
