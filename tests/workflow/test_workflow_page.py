"""A researcher's first session, from a printed scenario to a table of a study.

The calls are those that users of the field's benchmark know; only the trainings are shorter.
"""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import seaborn as sns

import apexr as apebench

SHORT = {
    "num_points": 32,
    "num_train_samples": 4,
    "train_temporal_horizon": 5,
    "num_test_samples": 3,
    "test_temporal_horizon": 10,
    "optim_config": "adam;12;constant;1e-3",
    "batch_size": 5,
    "record_loss_every": 4,
}
SEEDS = 2
NETS = ["Conv;26;10;relu", "FNO;12;8;4;gelu"]
BASE = {"scenario", "task", "train", "net", "seed", "scenario_kwargs"}

pytestmark = pytest.mark.usefixtures("figure")


@pytest.fixture
def figure():
    """Give each test an empty figure and close all in the end."""
    plt.figure()
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def called():
    """Return what calling a scenario gives."""
    adv_scene = apebench.scenarios.difficulty.Advection(**SHORT)
    data, trained_nets = adv_scene(
        task_config="predict",
        network_config="Conv;26;10;relu",
        train_config="one",
        num_seeds=SEEDS,
    )
    return data, trained_nets


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Return the four results of a study of two networks."""
    configs = [
        {
            "scenario": "diff_adv",
            "task": "predict",
            "net": net,
            "train": "one",
            "start_seed": 0,
            "num_seeds": SEEDS,
            **SHORT,
        }
        for net in NETS
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("workflow"))
        yield apebench.run_study_convenience(
            configs, do_loss=True, do_metrics=True, do_sample_rollouts=True
        )


def lines():
    return plt.gca().get_lines()


def test_a_scenario_is_printed(capsys):
    adv_scene = apebench.scenarios.difficulty.Advection()
    print(adv_scene)
    printed = capsys.readouterr().out
    expected = """
    num_spatial_dims=1, num_points=160, num_channels=1, ic_config='fourier;5;true;true',
    num_warmup_steps=0, num_train_samples=50, train_temporal_horizon=50, train_seed=0,
    num_test_samples=30, test_temporal_horizon=200, test_seed=773,
    optim_config='adam;10_000;warmup_cosine;0.0;1e-3;2_000', batch_size=20, num_trjs_returned=1,
    record_loss_every=100, vlim=(-1.0, 1.0), report_metrics='mean_nRMSE', callbacks='',
    """
    fields = [field.strip() for field in expected.replace("\n", " ").split(", ")]
    rejoined = printed.replace("\n  ", " ")
    for field in filter(None, fields):
        assert f" {field.rstrip(',')}" in rejoined
    assert printed.startswith("Advection(\n  num_spatial_dims=1,\n")
    assert apebench.scenarios.difficulty.Advection(adv_difficulty=4.0) == adv_scene


def test_a_scenario_is_called(called):
    data, trained_nets = called
    assert data.scenario.item() == "1d_diff_adv"
    assert data.sizes["seed"] == SEEDS
    assert trained_nets.layers[0].weight.shape[0] == SEEDS


def test_the_wide_table(called):
    wide = apebench.to_wide(called[0])
    assert set(wide.columns[:6]) == BASE
    assert len(wide) == SEEDS
    for column in ("mean_nRMSE_0001", "mean_nRMSE_0010", "train_loss_000000", "train_loss_000008"):
        assert column in wide
    assert "sample_rollout_000" in wide
    assert wide["seed"].tolist() == [0, 1]


def test_the_loss_is_drawn(called):
    data_loss = apebench.melt_loss(called[0])
    assert set(data_loss.columns) == BASE | {"update_step", "train_loss"}
    sns.lineplot(data_loss, x="update_step", y="train_loss")
    plt.yscale("log")
    plt.show()
    assert lines()[0].get_xdata().tolist() == [0, 4, 8]


def test_the_metric_is_drawn(called):
    data_metrics = apebench.melt_metrics(called[0])
    assert set(data_metrics.columns) == BASE | {"time_step", "mean_nRMSE"}
    sns.lineplot(data_metrics, x="time_step", y="mean_nRMSE")
    plt.ylim(-0.05, 1.05)
    plt.grid()
    plt.show()
    assert lines()[0].get_xdata().tolist() == list(range(1, 11))


def test_the_rollout_is_drawn(called):
    rollout = apebench.melt_sample_rollouts(called[0])
    picture = np.array(rollout["sample_rollout"][0])[:, 0, :].T
    plt.imshow(picture, origin="lower", aspect="auto", vmin=-1, vmax=1, cmap="RdBu_r")
    plt.xlabel("time")
    plt.ylabel("space")
    plt.show()
    assert picture.shape == (32, 11)
    np.testing.assert_array_equal(picture[:, 0], called[0].initial_state[0, 0])


def test_tables_of_the_wide_table_are_the_same(called):
    data, _ = called
    wide = apebench.to_wide(data)
    for melt, value in (
        (apebench.melt_loss, "train_loss"),
        (apebench.melt_metrics, "mean_nRMSE"),
    ):
        direct, detour = melt(data), melt(wide)
        assert set(direct.columns) == set(detour.columns)
        np.testing.assert_allclose(sorted(direct[value]), sorted(detour[value]))


def test_an_experiment_is_run_by_name(called):
    data, networks = apebench.run_experiment(
        scenario="diff_adv",
        task="predict",
        net="Conv;26;10;relu",
        train="one",
        start_seed=0,
        num_seeds=SEEDS,
        **SHORT,
    )
    np.testing.assert_allclose(data.mean_nRMSE, called[0].mean_nRMSE, rtol=1e-4)
    assert networks.layers[0].weight.shape[0] == SEEDS


def test_a_study_gives_three_tables_and_the_networks(study):
    metric_df, loss_df, sample_rollout_df, network_weights_list = study
    assert BASE | {"time_step", "mean_nRMSE"} <= set(metric_df.columns)
    assert BASE | {"update_step", "train_loss"} <= set(loss_df.columns)
    assert BASE | {"sample_index", "sample_rollout"} <= set(sample_rollout_df.columns)
    assert len(network_weights_list) == len(NETS)


def test_a_study_is_drawn(study):
    metric_df, loss_df, *_ = study
    sns.lineplot(loss_df, x="update_step", y="train_loss", hue="net")
    plt.yscale("log")
    plt.show()
    assert [text.get_text() for text in plt.gca().get_legend().get_texts()] == NETS
    plt.figure()
    sns.lineplot(metric_df, x="time_step", y="mean_nRMSE", hue="net")
    plt.ylim(-0.05, 1.05)
    plt.grid()
    plt.show()
    assert [text.get_text() for text in plt.gca().get_legend().get_texts()] == NETS


def test_a_study_is_printed_as_a_table(study, capsys):
    metric_df = study[0]
    print(
        metric_df.groupby(["net", "time_step"])[["mean_nRMSE"]]
        .median()
        .reset_index()
        .pivot(index="time_step", columns="net")
        .query("time_step in [1, 2, 3, 4, 5, 10, 20, 50, 100, 200]")
        .round(3)
        .to_markdown()
    )
    printed = capsys.readouterr().out.splitlines()
    assert "('mean_nRMSE', 'Conv;26;10;relu')" in printed[0]
    assert "('mean_nRMSE', 'FNO;12;8;4;gelu')" in printed[0]
    steps = [int(line.split("|")[1]) for line in printed[2:]]
    assert steps == [1, 2, 3, 4, 5, 10]
