import numpy as np
import pandas as pd
import pytest

from apexr import analysis
from apexr.errors import MissingVariableError, SpecError


def long_table(**columns):
    rows = {
        "seed": [0, 0, 1, 1],
        "scenario": ["s"] * 4,
        "task": ["predict"] * 4,
        "net": ["Conv"] * 4,
        "train": ["one"] * 4,
        "scenario_kwargs": ["{}"] * 4,
        "time_step": [1, 2, 1, 2],
        "mean_nRMSE": [1.0, 4.0, 9.0, 1.0],
    }
    return pd.DataFrame({**rows, **columns}, index=[7, 3, 5, 1])


def test_geometric_mean():
    table = long_table()
    before = table.copy()
    result = analysis.aggregate_gmean(table)
    pd.testing.assert_frame_equal(table, before)
    np.testing.assert_allclose(result["gmean_mean_nRMSE"], [2.0, 3.0])
    assert result["num_diverged"].tolist() == [0, 0]
    assert result.columns.tolist()[:6] == list(table.columns[:6])
    np.testing.assert_allclose(
        analysis.aggregate_gmean(table, up_to=1)["gmean_mean_nRMSE"], [1.0, 9.0]
    )


def test_geometric_mean_of_what_is_no_plain_number():
    table = long_table(mean_nRMSE=[0.0, 4.0, np.nan, 1.0])
    result = analysis.aggregate_gmean(table)
    assert result["gmean_mean_nRMSE"][0] == 0
    assert result["gmean_mean_nRMSE"][1] == np.inf  # worse than every finite one
    assert result["num_diverged"].tolist() == [0, 1]
    table = long_table(mean_nRMSE=[1.0, 1.0, np.inf, 1.0])
    pooled = analysis.aggregate_gmean(table, grouping_cols=["net"])
    assert pooled["gmean_mean_nRMSE"].tolist() == [np.inf]
    assert pooled["num_diverged"].tolist() == [1]


def test_geometric_mean_of_another_value_and_of_missing_labels():
    table = long_table(other=[1.0, 1, 4, 4], scenario_kwargs=[None] * 4)
    result = analysis.aggregate_gmean(table, value_col="other")
    np.testing.assert_allclose(result["gmean_other"], [1.0, 4.0])
    with pytest.raises(MissingVariableError, match=r"'othr' here.*did you mean 'other'"):
        analysis.aggregate_gmean(table, value_col="othr")


def test_relative_by_config():
    table = long_table(train=["one", "sup;5", "sup;5", "one"])
    before = table.copy()
    result = analysis.relative_by_config(table)
    pd.testing.assert_frame_equal(table, before)
    assert result["mean_nRMSE_rel"].tolist() == [1.0, 4.0, 9.0, 1.0]
    assert result.columns.tolist() == [*table.columns, "mean_nRMSE_rel"]
    assert result.index.equals(table.index)


@pytest.mark.parametrize(("train", "found"), [(["one"] * 4, 2), (["one", "a", "b", "c"], 0)])
def test_relative_needs_one_reference(train, found):
    with pytest.raises(SpecError, match=f"it holds for {found} where seed="):
        analysis.relative_by_config(long_table(train=train))


def test_split_train():
    table = long_table(train=["one", "sup;5", "loss;MAE;cut;2;div;3;true", "ONE"])
    result = analysis.split_train(table)
    assert result["category"].tolist() == ["one", "sup", "div", "ONE"]
    assert result["type"].tolist() == ["sup", "sup", "div", "sup"]
    assert result["rollout"].tolist() == [1, 5, 3, 1]
    assert "category" not in table


def test_read_in_kwargs():
    texts = ["{}", '{"a": 1, "ic": "fourier;5"}', "{'b': (1, -inf), 'a': nan}", '{"c": true}']
    table = long_table(scenario_kwargs=texts)
    result = analysis.read_in_kwargs(table)
    assert result.index.equals(table.index)
    assert result.columns.tolist()[-4:] == ["a", "ic", "b", "c"]
    np.testing.assert_array_equal(result["a"].astype(float), [np.nan, 1, np.nan, np.nan])
    assert result["b"].tolist()[2] == (1, -np.inf)
    assert result["c"].tolist()[3] is True
    assert "a" not in table
    assert analysis.read_in_kwargs(result).columns.equals(result.columns)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "{'a': open('x')}",
        "[1]",
        "",
        "{" * 5000,
        "x" * 200_000,
        "{'seed': 1}",
    ],
)
def test_kwargs_are_read_and_never_run(text):
    with pytest.raises(SpecError):
        analysis.read_in_kwargs(long_table(scenario_kwargs=[text] * 4))


def test_empty_tables():
    empty = long_table().iloc[:0]
    assert analysis.split_train(empty).empty
    assert analysis.read_in_kwargs(empty).empty
    assert analysis.aggregate_gmean(empty).empty
    assert analysis.relative_by_config(empty).empty
