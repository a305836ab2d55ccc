"""seaborn, hvPlot and matplotlib draw tables and Datasets as they are."""

import matplotlib
import numpy as np
import pytest

import apexr
from apexr import store
from apexr.testing import mock_experiment

matplotlib.use("agg")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("libraries")
    store.create_study(folder)
    nets = ("Conv;26;10;relu", "FNO;12;8;4;gelu")
    for number, net in enumerate(nets):
        part = mock_experiment(net=net, diverged=[1], random_seed=number)
        store.publish_experiment(part, {}, store.unit_path(folder, f"{number:032x}"))
    return apexr.open_study(folder)


@pytest.fixture
def axes():
    import matplotlib.pyplot as plt

    yield plt.figure().gca()
    plt.close("all")


@pytest.mark.quick
def test_seaborn(study, axes):
    import seaborn as sns

    table = apexr.to_long(study, "mean_nRMSE")
    sns.lineplot(table, x="time_step", y="mean_nRMSE", hue="net", ax=axes)
    assert [t.get_text() for t in axes.get_legend().get_texts()] == study.net.values.tolist()
    sound = table[np.isfinite(table["mean_nRMSE"])]  # seaborn leaves the others out
    means = sound.groupby(["net", "time_step"])["mean_nRMSE"].mean()
    drawn = axes.get_lines()[0].get_ydata()
    np.testing.assert_allclose(drawn, means["Conv;26;10;relu"], rtol=1e-6)


def test_seaborn_draws_medians_in_which_diverged_seeds_are_the_worst(study, axes):
    import seaborn as sns

    table = apexr.to_long(study, "mean_nRMSE")
    medians = table.groupby(["net", "time_step"])["mean_nRMSE"].median().reset_index()
    sns.lineplot(medians, x="time_step", y="mean_nRMSE", hue="net", ax=axes)
    worst = study.mean_nRMSE.isel(experiment=0).sel(seed=[0, 2]).max("seed")
    np.testing.assert_allclose(axes.get_lines()[0].get_ydata(), worst, rtol=1e-6)


def test_seaborn_draws_the_numbers_of_a_table(study, axes):
    import seaborn as sns

    numbers = apexr.table(study, steps=[1, 4, 8]).numbers
    sns.barplot(numbers, x="time", y="value", hue="net", ax=axes)
    heights = [bar.get_height() for bar in axes.patches if bar.get_height()]
    np.testing.assert_allclose(sorted(heights), sorted(numbers["value"]), rtol=1e-6)


@pytest.mark.quick
def test_hvplot():
    hvplot = pytest.importorskip("hvplot.xarray")
    assert hvplot is not None
    ds = mock_experiment(diverged=[1])
    picture = ds.mean_nRMSE.hvplot.line(x="time", by="seed")
    assert len(picture) == 3
    lines = {key: curve.dimension_values(1) for key, curve in picture.data.items()}
    assert sum(np.isnan(values).all() for values in lines.values()) == 1


@pytest.mark.quick
def test_matplotlib(axes):
    ds = mock_experiment(diverged=[1])
    lines = ds.mean_nRMSE.plot.line(x="time", ax=axes)
    assert len(lines) == 3
    np.testing.assert_array_equal(lines[2].get_ydata(), ds.mean_nRMSE[2])
    assert axes.get_xlabel() == "time step [1]"
