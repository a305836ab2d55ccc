"""Tables over labels: their numbers, their layout, and every way of writing them."""

import io
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

import apexr
from apexr import analysis, store
from apexr.analysis._dialects import LATEX, PLAIN
from apexr.errors import DivergenceError, MissingVariableError, SpecError
from apexr.testing import mock_experiment, no_compute

NETS = ("Conv;26;10;relu", "FNO;12;8;4;gelu", "My_Net;50%")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    store.create_study(folder)
    number = 0
    for scenario in ("1d_diff_adv", "1d_diff_burgers"):
        for train in ("one", "sup;3", "sup;10"):
            for net in NETS:
                part = mock_experiment(
                    scenario=scenario,
                    net=net,
                    train=train,
                    seeds=range(10),
                    diverged=[3] if number % 5 == 0 else [],
                    num_times=8 if train == "one" else 10,
                    random_seed=number,
                    metrics=["mean_nRMSE", "mean_correlation"],
                )
                store.publish_experiment(part, {}, store.unit_path(folder, f"{number:032x}"))
                number += 1
    return store.open_study(folder)


def one(study, **labels):
    for name, value in labels.items():
        study = study.isel(experiment=(study[name] == value).values)
    return study.squeeze("experiment")


def test_numbers_are_quantiles_with_diverged_last(study):
    numbers = apexr.table(study, steps=[1, 8], quantiles=(0.1, 0.9)).numbers
    assert len(numbers) == 18 * 2
    for row in numbers.to_dict("records"):
        labels = {name: row[name] for name in ("scenario", "train", "net")}
        values = one(study, **labels).mean_nRMSE.sel(time=row["time"]).values.astype(float)
        ordered = np.sort(np.where(np.isfinite(values), values, 1e9))
        expected = np.quantile(ordered, [0.1, 0.5])
        np.testing.assert_allclose([row["low"], row["value"]], expected)
        assert row["num_diverged"] == (~np.isfinite(values)).sum()
        assert (row["num_seeds"], row["count"]) == (10, np.isfinite(values).sum())


def test_cells_say_how_many_diverged(study):
    frame = apexr.table(study, steps=8, digits=2).to_frame()
    assert frame.columns.tolist() == list(NETS)
    assert frame.index.names == ["scenario", "training"]
    assert frame.loc[("1d_diff_adv", "one"), NETS[0]].endswith("] (1 of 10 diverged)")
    dropped = apexr.table(study, steps=8, diverged="drop")
    assert "diverged seeds are left out" in dropped.note
    assert (dropped.numbers["count"] + dropped.numbers["num_diverged"] == 10).all()
    with pytest.raises(DivergenceError):
        apexr.table(study, steps=8, diverged="raise")


def test_most_seeds_diverged():
    ds = mock_experiment(seeds=range(5), diverged=[0, 1, 2])
    text = apexr.table(ds, steps=8, digits=2).to_markdown()
    assert "∞ [" in text
    assert "–∞] (3 of 5 diverged)" in text
    assert r"$\infty$" in apexr.table(ds, steps=8).to_latex()
    gmean = apexr.table(ds, steps="gmean")
    assert np.isinf(gmean.numbers["value"]).all()
    lost = apexr.table(mock_experiment(diverged=[0, 1, 2]), steps=8, diverged="drop")
    assert "| – (3 of 3 diverged) |" in lost.to_markdown()


def test_layout_is_free(study):
    wide = apexr.table(study, steps=[1, 10], rows=("net", "train"), columns=("time", "scenario"))
    frame = wide.to_frame()
    assert frame.columns.tolist()[0] == ("1", "1d_diff_adv")
    assert frame.index.tolist()[:3] == [(NETS[0], t) for t in ("one", "sup;3", "sup;10")]
    assert frame[("10", "1d_diff_adv")][(NETS[0], "one")] == "–"
    chosen = apexr.table(study, steps=8, train=["sup;10", "one"], net=[NETS[2], NETS[0]])
    assert chosen.to_frame().columns.tolist() == [NETS[2], NETS[0]]
    assert chosen.to_frame().index.tolist()[:2] == [("1d_diff_adv", t) for t in ("sup;10", "one")]


def test_default_steps_are_powers_of_ten_and_the_last(study):
    assert sorted(set(apexr.table(study).numbers["time"])) == [1, 8, 10]
    long = mock_experiment(num_times=200)
    assert apexr.table(long).numbers["time"].tolist() == [1, 10, 100, 200]
    assert apexr.table(long, "train_loss").numbers["update_step"].tolist() == [100, 400]


def test_geometric_mean_is_that_of_the_long_table(study):
    table = apexr.table(study, steps="gmean", up_to=7, quantiles=None)
    assert "geometric mean of mean_nRMSE over the steps up to 7" in table.note
    long = analysis.aggregate_gmean(analysis.to_long(study, "mean_nRMSE"), up_to=7)
    medians = long.groupby(["scenario", "train", "net"])["gmean_mean_nRMSE"]
    expected = medians.agg(lambda v: np.median(np.nan_to_num(v, nan=1e9)))
    found = table.numbers.set_index(["scenario", "train", "net"])["value"]
    np.testing.assert_allclose(found.sort_index(), expected.sort_index(), rtol=1e-6)


def test_relative_to_a_baseline(study):
    plain = apexr.table(study, steps=8).numbers
    table = apexr.table(study, steps=8, relative_to={"net": NETS[1]})
    frame = table.numbers.set_index(["scenario", "train", "net"])
    base = plain[plain.net == NETS[1]].set_index(["scenario", "train"])["value"]
    for row in plain.to_dict("records"):
        labels = (row["scenario"], row["train"])
        found = frame.loc[(*labels, row["net"])]
        np.testing.assert_allclose(found["high"], row["high"] / base[labels])
    assert (frame.xs(NETS[1], level="net")["value"] == 1).all()
    assert "divided by the median of net=FNO" in table.note


def test_the_best_is_bold(study):
    table = apexr.table(study, steps=8)
    best = table.numbers[table.numbers["best"]]
    least = table.numbers.groupby(["scenario", "train"])["value"].min()
    found = best.set_index(["scenario", "train"])["value"].sort_index()
    np.testing.assert_array_equal(found, least)
    high = apexr.table(study, "mean_correlation", steps=8).numbers
    most = high.groupby(["scenario", "train"])["value"].max()
    found = high[high["best"]].set_index(["scenario", "train"])["value"].sort_index()
    np.testing.assert_allclose(found, most)
    assert table.to_markdown().count("**") == 2 * 6
    assert table.to_latex().count(r"\textbf{") == 6
    assert table.to_html().count("<strong>") == 6
    by_train = apexr.table(study, steps=8, compare="train")
    assert by_train.numbers["best"].sum() == 6


def test_several_variables(study):
    table = apexr.table(study, ["mean_nRMSE", "num_parameters"], steps=8, train="one")
    frame = table.to_frame()
    assert frame[(NETS[0], "num_parameters")].tolist() == ["1234"] * 2
    assert len(apexr.table(study, ["train_seconds", "num_parameters"]).to_frame()) == 6


def test_csv_keeps_every_number(study):
    table = apexr.table(study, steps=8)
    back = pd.read_csv(io.StringIO(table.to_csv()), dtype=str)  # whose own floats lose digits
    np.testing.assert_array_equal([float(text) for text in back["value"]], table.numbers["value"])
    assert back["net"].tolist() == table.numbers["net"].tolist()


def test_latex_is_escaped_and_rectangular(study):
    text = apexr.table(study, steps=[1, 8], rows=("scenario", "train"), columns=("time", "net"))
    latex = text.to_latex()
    assert r"My\_Net;50\%" in latex
    assert r"1d\_diff\_adv" in latex
    assert r"\multicolumn{3}{c}{8}" in latex
    body = [line for line in latex.splitlines() if line.endswith(r"\\")]
    spans = [
        line.count("&") + sum(int(p[0]) - 1 for p in line.split(r"\multicolumn{")[1:])
        for line in body
    ]
    assert set(spans) == {2 + 6 - 1}
    assert LATEX.escape("a_b & 5% {x} #1 ^ ~ \\") == (
        r"a\_b \& 5\% \{x\} \#1 \textasciicircum{} \textasciitilde{} \textbackslash{}"
    )
    assert latex.count("{") == latex.count("}")


class _Rows(HTMLParser):
    def __init__(self):
        super().__init__()
        self.widths = []

    def handle_starttag(self, tag, attrs):
        if tag == "tr":
            self.widths.append(0)
        if tag in ("td", "th"):
            self.widths[-1] += int(dict(attrs).get("colspan", 1))


def test_html_and_markdown_are_rectangular(study):
    table = apexr.table(study, steps=[1, 8], rows=("scenario", "train"), columns=("time", "net"))
    rows = _Rows()
    rows.feed(table.to_html())
    assert set(rows.widths) == {2 + 6}
    assert table._repr_html_() == table.to_html()
    lines = [line for line in str(table).splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {2 + 6 + 1}


def test_files_hold_the_text(study, tmp_path):
    table = apexr.table(study, steps=8)
    for ending in ("markdown", "latex", "html", "csv"):
        write = getattr(table, f"to_{ending}")
        assert write(tmp_path / ending) == write()
        assert (tmp_path / ending).read_text(encoding="utf-8") == write()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.42345, "0.423"),
        (9.9996, "10.0"),
        (12345.6, "12300"),
        (123456.0, "1.23e+05"),
        (0.00123, "0.00123"),
        (0.000123456, "1.23e-04"),
        (0, "0.00"),
        (-1.5, "-1.50"),
        (np.inf, "∞"),
        (np.nan, "–"),
    ],
)
def test_significant_digits(value, text):
    assert PLAIN.number(value, 3) == text


def test_powers_of_ten_in_latex():
    assert LATEX.number(1.234e-7, 2) == r"$1.2 \times 10^{-7}$"


def test_ranks(study):
    table = apexr.rank_table(study, steps=8)
    numbers = table.numbers[table.numbers["scenario"] != "mean rank"]
    for _, group in numbers.groupby(["scenario", "train"]):
        np.testing.assert_array_equal(group["value"], group["median"].rank())
    means = numbers.groupby("net")["value"].mean()
    last = table.numbers[table.numbers["scenario"] == "mean rank"].set_index("net")["value"]
    np.testing.assert_allclose(last[means.index], means)
    assert table.to_frame().index[-1] == ("mean rank", "")
    assert "mean rank over the 6 rows" in table.note


def test_ranks_of_ties_and_of_the_diverged(tmp_path):
    store.create_study(tmp_path)
    parts = [
        mock_experiment(net="a"),
        mock_experiment(net="b"),
        mock_experiment(net="c", diverged=[0, 1, 2]),
        mock_experiment(net="d", diverged=[0, 1]),
    ]
    for number, part in enumerate(parts):
        store.publish_experiment(part, {}, store.unit_path(tmp_path, f"{number:032x}"))
    study = store.open_study(tmp_path)
    table = apexr.rank_table(study, steps=8)
    assert table.numbers.set_index("net")["value"].to_dict() == {
        "a": 1.5,
        "b": 1.5,
        "c": 3.5,
        "d": 3.5,
    }
    assert table.numbers["best"].sum() == 2
    high = apexr.rank_table(study, "mean_nRMSE", steps=8, better="higher", net=["a", "c"])
    assert high.numbers.set_index("net")["value"].to_dict() == {"a": 1, "c": 2}


def test_rollouts_are_not_read(study):
    """Of a study in which nothing but one metric may be computed, that metric's table is made."""
    with no_compute():
        forbidden = study.sample_rollout.data.sum()
        poisoned = study.assign(sample_rollout=study.sample_rollout / 0 + forbidden)
    table = apexr.table(poisoned, steps=8)
    assert len(table.numbers) == 18


def test_accessor(study):
    assert study.apexr.table(steps=8).to_csv() == apexr.table(study, steps=8).to_csv()
    assert study.apexr.rank_table(steps=8).to_csv() == apexr.rank_table(study, steps=8).to_csv()


def test_single_results():
    table = apexr.table(mock_experiment(num_times=10), digits=2)
    assert table.to_frame().index.tolist() == ["1", "10"]
    single = apexr.table(mock_experiment().isel(seed=0))
    assert "[" not in single.to_markdown().splitlines()[2]
    per_sample = apexr.table(mock_experiment(), "nRMSE", steps=8)
    assert len(per_sample.to_frame()) == 4


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"columns": "nett"}, MissingVariableError, "no label 'nett'.*did you mean 'net'"),
        ({"rows": "time", "columns": "net"}, SpecError, "they differ in scenario: 1d_diff_adv"),
        ({"rows": "net", "columns": "net"}, SpecError, "both in rows and in columns"),
        ({"steps": 11}, SpecError, r"has no time \[11\]; it goes from 1 to 10"),
        ({"steps": "mean"}, SpecError, "expected numbers, or 'gmean'"),
        ({"train": "sup"}, SpecError, "no experiment has train='sup'.*did you mean 'sup;3'"),
        ({"relative_to": {"net": "Conv"}}, SpecError, "of the baseline; there is net"),
        ({"relative_to": {"size": 3}}, MissingVariableError, "no label 'size'"),
        ({"quantiles": (0.9, 0.1)}, SpecError, "quantiles must be two"),
        ({"compare": "size"}, MissingVariableError, "no label 'size'"),
        ({"variable": "mean_MSE"}, MissingVariableError, "there is train_loss"),
        ({"diverged": "best"}, SpecError, "diverged must be one of"),
        ({"digits": 0}, SpecError, "digits must be"),
    ],
)
def test_bad_input(study, options, error, message):
    with pytest.raises(error, match=message):
        apexr.table(study, **options)


def test_a_table_says_which_ratios_its_seeds_tell():
    """As :func:`apexr.analysis.seeds_needed` tells it for each cell."""
    one = mock_experiment(seeds=range(8), num_points=8)
    told = apexr.table(one, steps=[2, 5])
    expected = apexr.analysis.seeds_needed(one.sel(time=[2, 5])).smallest_ratio
    np.testing.assert_allclose(told.numbers["smallest_ratio"], expected, rtol=1e-6)
    low, high = sorted(f"{value:.3g}" for value in expected.values)
    words = f"so many seeds tell ratios of {low}" + ("" if low == high else f" to {high}")
    assert words in told.note
    few = apexr.table(mock_experiment(seeds=range(3), num_points=8), steps=[2])
    assert "too few seeds to tell any two apart (6 at least)" in few.note
    assert "ratios" not in apexr.table(one, "num_parameters").note


def test_markdown_has_no_markup_of_labels():
    one = mock_experiment(net="[x](y)\n\n# z <b> `c` $d$", num_points=8)
    two = mock_experiment(net="plain", num_points=8, random_seed=1)
    study = apexr.store.join_experiments({"a" * 64: one, "b" * 64: two})
    text = apexr.table(study, steps=[2], rows="net", columns="time").to_markdown()
    assert r"\[x\](y) # z \<b\> \`c\` \$d\$" in text
