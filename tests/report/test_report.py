"""The report of a study: what it says, that labels in it are inert, that it needs no JAX."""

import html.parser
import re
import subprocess
import sys

import numpy as np
import pytest
import xarray as xr

import apexr
from apexr._report._claims import not_supported, supported
from apexr.analysis import geometric_mean
from apexr.analysis.statistics._verdict import compare_pairs
from apexr.errors import MissingVariableError, SpecError, StoreError
from apexr.store import join_experiments
from apexr.testing import mock_experiment

TINY = {
    "num_points": 24,
    "num_train_samples": 4,
    "train_temporal_horizon": 5,
    "num_test_samples": 3,
    "test_temporal_horizon": 6,
    "optim_config": "adam;5;constant;1e-3",
    "record_loss_every": 5,
}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>|[x](javascript:3)`$\\frac{"


def mocked(nets=("Conv;4;1;relu", "FNO;4;4;2;gelu"), seeds=range(8), **options):
    parts = {
        f"{place:064x}": mock_experiment(
            net=net, seeds=tuple(seeds), random_seed=place, num_points=8, **options
        )
        for place, net in enumerate(nets)
    }
    return join_experiments(parts)


class Reader(html.parser.HTMLParser):
    """Collects tags with their attributes, and the text."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], ""

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def read(page):
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    return reader


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Return the folder of a report of a stored study with its errors split."""
    folder = tmp_path_factory.mktemp("report")
    nets = ["Conv;4;1;relu", "Pure;3"]
    configs = {"scenario": "diff_burgers", "net": nets, "num_seeds": 3, **TINY}
    apexr.run_study(configs, folder / "study", progress=False)
    parts = folder / "parts.nc"
    apexr.store.publish_dataset(apexr.decompose(folder / "study"), parts)
    return folder


def test_a_report_is_written_without_jax(written):
    asked = f"{str(written / 'study')!r}, {str(written / 'out')!r}"
    code = (
        "import sys, apexr\n"
        f"print(apexr.report({asked}, decomposition={str(written / 'parts.nc')!r}))\n"
        "assert not {'jax', 'equinox', 'optax'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    page = written / "out" / "index.html"
    assert done.stdout.strip() == str(page)
    reader = read(page)
    for words in (
        "2 experiments (1 scenario, 2 networks, 1 training, 1 task) with 3 seeds each, 6 runs",
        "4 training trajectories of 5 steps; 3 test trajectories of 6 steps",
        "optimizer adam;5;constant;1e-3",
        "apexr.plot.metric(study, by='net', variable='mean_nRMSE', logy=True)",
        "apexr.plot.decomposition(one)",
        "Unsupported claims",
        "no solver was timed",
    ):
        assert words in reader.text, words
    sources = [attrs["src"] for tag, attrs in reader.tags if tag == "img"]
    assert len(sources) == 5
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    text = (written / "out" / "report.md").read_text(encoding="utf-8")
    pictures = re.findall(r"!\[.*?\]\((figures/\w+\.png)\)", text)
    assert len(pictures) == 5
    for picture in pictures:
        assert (written / "out" / picture).stat().st_size > 1_000


def test_the_code_makes_the_figures(written):
    """Each line of code in the Markdown runs, in order."""
    apexr.report(written / "study", written / "again", decomposition=written / "parts.nc")
    text = (written / "again" / "report.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)\n```", text, re.DOTALL)
    assert len(blocks) >= 8
    space = {}
    for block in blocks:
        exec(block, space)


def test_clear_differences_are_claimed_and_no_others():
    study = mocked(("a", "b", "c"), seeds=range(12))
    errors = study.mean_nRMSE.values
    errors[1] = errors[0] * 2
    errors[2] = errors[0] * np.exp(np.random.default_rng(0).normal(0, 0.01, errors[0].shape))
    study["mean_nRMSE"] = (study.mean_nRMSE.dims, errors, study.mean_nRMSE.attrs)
    pairs = [{"net": pair} for pair in (("a", "b"), ("a", "c"), ("b", "c"))]
    found = compare_pairs(geometric_mean(study), "mean_nRMSE", pairs)
    told = supported(found)
    assert len(told) == 2
    assert told[0].startswith("a has a lower error than b by a factor of 2.0")
    assert told[1].startswith("c has a lower error than b")
    assert "1 of 3 comparisons" in not_supported(found, 0.95)[0]


def test_labels_of_strangers_are_inert(tmp_path):
    study = mocked((HOSTILE, "# b\n\n<b>"), scenario=f"1d_{HOSTILE}", seeds=range(3))
    page = apexr.report(study, tmp_path / "out", title=HOSTILE)
    reader = read(page)
    allowed = {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "nav", "a", "section"),
        *("ul", "li", "pre", "code", "div", "table", "caption", "thead", "tbody", "tr", "th", "td"),
        *("figure", "img", "figcaption", "strong", "sup"),
    }
    assert {tag for tag, _ in reader.tags} <= allowed
    assert not [a for _, attrs in reader.tags for a in attrs if a.startswith("on")]
    assert all(attrs["href"].startswith("#") for tag, attrs in reader.tags if tag == "a")
    assert "alert(1)" in reader.text
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    outside = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    plain = re.sub(r"\\.", "", outside)
    assert "<" not in plain
    assert not re.search(r"\]\((?!figures/)", plain)
    heads = re.findall(r"^#+ .*", plain, re.MULTILINE)
    assert len(heads) == 1 + len([tag for tag, _ in reader.tags if tag == "h2"])


def test_one_result_has_a_report_too(tmp_path):
    page = apexr.report(mock_experiment(num_points=8, seeds=(0, 1)), tmp_path / "out")
    assert "nothing was compared" in read(page).text


def test_diverged_runs_are_counted(tmp_path):
    study = mocked(seeds=range(4), diverged=(2,))
    text = read(apexr.report(study, tmp_path / "out")).text
    assert "2 runs diverged." in text
    assert "1 of 4 diverged" in text


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"variable": "mean_RMSE"}, MissingVariableError, "mean_nRMSE"),
        ({"variable": "train_loss"}, SpecError, "error over time steps"),
        ({"by": "nett"}, MissingVariableError, "net"),
        ({"baseline": "Conv"}, SpecError, "no experiment has"),
        ({"up_to": 0}, SpecError, "up_to"),
        ({"decomposition": True}, SpecError, "by its path"),
        ({"decomposition": "nowhere.nc"}, SpecError, "cannot read"),
        ({"decomposition": xr.Dataset({"error": 1.0})}, MissingVariableError, "one_step"),
    ],
)
def test_bad_arguments_are_refused(given, error, words, tmp_path):
    with pytest.raises(error, match=words):
        apexr.report(mocked(seeds=(0, 1)), tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_what_is_no_study_is_refused(tmp_path):
    with pytest.raises(StoreError):
        apexr.report(tmp_path / "nothing", tmp_path / "out")
    taken = tmp_path / "file"
    taken.write_text("")
    with pytest.raises(SpecError, match="is a file"):
        apexr.report(mocked(seeds=(0, 1)), taken)
