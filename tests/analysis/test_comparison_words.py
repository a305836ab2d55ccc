"""The comparison in words: never more than the seeds allow."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import apexr
from apexr import analysis, store
from apexr.analysis.statistics import _verdict
from apexr.errors import SpecError
from apexr.testing import mock_experiment

A, B = "Conv;26;10;relu", "FNO;12;8;4;gelu"
quick = settings(deadline=None, derandomize=True, max_examples=15, database=None)


def result(values, name="mean_nRMSE", seeds=None, times=None):
    values = np.asarray(values, float)
    values = values[:, None] if values.ndim == 1 else values
    coords = {
        "seed": range(len(values)) if seeds is None else seeds,
        "time": range(1, values.shape[1] + 1) if times is None else times,
    }
    return xr.Dataset({name: (("seed", "time"), values)}, coords)


def say(a, b, **options):
    return apexr.summarise_comparison(result(a), other=result(b), **options)


positive = st.floats(0.01, 100)


@quick
@given(st.lists(positive, min_size=1, max_size=15))
def test_identical_sides_do_not_differ(values):
    text = say(values, values)
    assert "In short: no difference" in text
    assert "is better" not in text.split("\n", 1)[1]


@quick
@given(st.lists(st.tuples(positive, positive), min_size=1, max_size=5))
def test_below_six_seeds_nothing_is_claimed(pairs):
    a, b = zip(*pairs, strict=True)
    text = say(a, b)
    assert "is better" not in text.split("\n", 1)[1]
    assert "not enough seeds" in text or "no difference" in text


@quick
@given(st.lists(st.tuples(positive, positive), min_size=2, max_size=2), st.integers(1, 4))
def test_two_seeds_claim_nothing_even_apart(pairs, shift):
    a, b = zip(*pairs, strict=True)
    other = result(b, seeds=[10 + shift, 20])
    text = apexr.summarise_comparison(result(a), other=other)
    assert "is better" not in text.split("\n", 1)[1]


def test_equal_networks_are_rarely_told_apart():
    """In 5 % of the cases at most, however many steps are looked at."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(40):
        text = say(*np.exp(rng.normal(size=(2, 10, 3))), steps=[1, 2, 3])
        wrong += "is better" in text.split("\n", 1)[1]
    assert wrong <= 4


def test_a_clear_case():
    text = say(np.linspace(1, 2, 10), np.linspace(1.5, 3, 10))
    assert text.splitlines()[0] == "A against B: mean_nRMSE, lower is better."
    assert "A better in 10 of 10 pairs, p = 0.0020, sign test 0.0020, 80 % power for" in text
    assert ": A is better.\n" in text
    assert "Wilcoxon's exact two-sided signed-rank test, which decides." in text
    assert "In short: A is better." in text
    assert "Seeds vary the initial weights and the batches alone" in text
    assert "independent" not in text


def test_several_steps_are_corrected_and_not_independent():
    a = np.linspace(1, 2, 6)[:, None] * np.ones(3)
    text = say(a, 2 * a, steps=[1, 2, 3])
    assert "p = 0.031 (0.094 corrected), sign test 0.031: not enough seeds to tell" in text
    assert "it takes at least 6 pairs, 7 for 2 tests" not in text
    assert "it takes at least 6 pairs, 7 for 3 tests" in text
    assert "not independent" in text
    assert "Holm" in text
    assert "A is better." in say(a, 2 * a, steps=1)


def test_seeds_that_disagree():
    text = say([1, 2, 1, 2, 1, 2, 1, 2], [2, 1, 2, 1, 2, 1, 2, 1])
    assert "the seeds do not tell them apart" in text
    assert "In short: these seeds do not tell" in text


def test_a_diverging_network_is_not_flattered():
    a = np.linspace(1, 2, 10)
    b = np.where(np.arange(10) < 6, np.nan, a / 10)
    text = say(a, b)
    assert "diverged 0 of 10 of A and 6 of 10 of B" in text
    assert "B is better" not in text
    assert "A diverged seed counts as worse" in text
    flattering = say(a, b, diverged="drop")
    assert "4 pairs" in flattering
    assert "flatters whoever diverged" in flattering
    all_lost = say(a, np.full(10, np.nan))
    assert "A is better" in all_lost
    assert "no difference" in say(np.full(10, np.nan), np.full(10, np.inf))
    assert "is better." not in say(a, np.full(10, np.nan), diverged="drop").split("\n", 1)[1]


def test_high_values_may_be_good():
    a, b = result(np.linspace(0.8, 0.9, 8), "r"), result(np.linspace(0.5, 0.6, 8), "r")
    assert "A is better" in apexr.summarise_comparison(a, "r", other=b, better="higher")
    assert "B is better" in apexr.summarise_comparison(a, "r", other=b)


def test_no_seed_in_both():
    a = result(np.linspace(1, 2, 8))
    b = result(np.linspace(3, 4, 8), seeds=range(8, 16))
    text = apexr.summarise_comparison(a, other=b)
    assert "no seed in both, A better with probability 1.0" in text
    assert "8 against 8 seeds" in text
    assert "Mann-Whitney" in text
    assert "In short: A is better." in text


def test_seeds_without_partner_are_said():
    a, b = result(np.linspace(1, 2, 8)), result(np.linspace(2, 3, 8), seeds=range(1, 9))
    text = apexr.summarise_comparison(a, other=b)
    assert "of 7 pairs" in text
    assert "Seeds without a partner, not compared: 1 of A, 1 of B." in text


def test_a_study(tmp_path):
    store.create_study(tmp_path)
    number = 0
    for train in ("one", "sup;5"):
        for net in (A, B):
            part = mock_experiment(net=net, train=train, seeds=range(8), random_seed=number)
            store.publish_experiment(part, {}, store.unit_path(tmp_path, f"{number:032x}"))
            number += 1
    study = store.open_study(tmp_path)
    text = apexr.summarise_comparison(study, net=(A, B))
    assert text.startswith(f"A = {A} against B = {B} (1d_diff_adv, predict): mean_nRMSE")
    assert "- one, time step 1: A / B" in text
    assert "- sup;5, time step 8: A / B" in text
    assert "corrected for 4 tests" in text
    assert text == study.apexr.summarise_comparison(net=(A, B))
    gmean = analysis.geometric_mean(study)
    assert "gmean_mean_nRMSE" in apexr.summarise_comparison(gmean, net=(A, B), train="one")
    with pytest.raises(SpecError, match="has test_sample besides"):
        apexr.summarise_comparison(study, "nRMSE", net=(A, B))
    with pytest.raises(SpecError, match=r"need the time \[99\]"):
        apexr.summarise_comparison(study, steps=99, net=(A, B))


# --- power ------------------------------------------------------------------------------------


def test_the_signed_rank_test_decides_where_the_sign_test_does_not():
    """Nine of twelve pairs and the three others by little: sizes tell what signs do not."""
    ratios = np.r_[np.linspace(0.3, 0.7, 9), 1.01, 1.02, 1.03]
    text = say(ratios, np.ones(12))
    assert "A better in 9 of 12 pairs, p = 0.0068, sign test 0.15" in text
    assert "A is better" in text


def test_a_median_and_ranks_that_disagree_claim_nothing():
    ratios = np.exp(np.r_[np.linspace(0.5, 2, 24), -np.linspace(0.01, 0.1, 26)])
    found = analysis.paired_ratio(result(ratios), other=result(np.ones(50)), statistic="median")
    assert found.p_wilcoxon.item() < 0.01
    assert found.signed_ranks.item() > 0 > np.log(found.ratio.item())
    assert "is better." not in say(ratios, np.ones(50)).split("\n", 1)[1]


@pytest.mark.parametrize("pairs", [6, 7, 10, 20])
def test_the_smallest_ratio_is_told_as_often_as_said(pairs):
    """Log-normal ratios of that median, drawn: the test says so in about 80 % of the draws."""
    from apexr.analysis.statistics._power import smallest_effect
    from apexr.analysis.statistics._rank_tests import signed_rank_test

    rng = np.random.default_rng(pairs)
    effect = smallest_effect(pairs, 1.0, 0.95)
    drawn = rng.normal(effect, 1.0, (2000, pairs))
    assert abs((signed_rank_test(drawn) <= 0.05).mean() - 0.8) < 0.05
    assert np.isinf(smallest_effect(5, 1.0, 0.95))


def test_seeds_needed_is_the_formula():
    rng = np.random.default_rng(0)
    a, b = np.exp(rng.normal(size=(2, 12)))
    z = 1.959963984540054 + 0.8416212335729143
    paired = analysis.seeds_needed(result(a), other=result(b), ratio=1.3)
    spread = np.log(a / b).std(ddof=1) / np.sqrt(2)
    assert paired.spread.item() == pytest.approx(spread)
    assert paired.seeds.item() == np.ceil(2 * (z * spread / np.log(1.3)) ** 2)
    alone = analysis.seeds_needed(result(a), ratio=1 / 1.3)
    assert alone.seeds.item() == np.ceil(2 * (z * np.log(a).std(ddof=1) / np.log(1.3)) ** 2)
    assert analysis.seeds_needed(result(a), ratio=1000.0).seeds.item() == 6
    a[3] = np.nan
    assert np.isinf(analysis.seeds_needed(result(a), other=result(b)).seeds).all()
    assert np.isinf(analysis.seeds_needed(result(a)).smallest_ratio).all()


@pytest.mark.parametrize("options", [{"ratio": 1}, {"ratio": -2}, {"power": 1}, {"net": "A"}])
def test_seeds_needed_says_what_is_wrong(options):
    with pytest.raises(SpecError, match=r"ratio must|power must|two values"):
        analysis.seeds_needed(result(np.ones(3)), **options)


def several(factors, scenarios=("a", "b"), seeds=12, noise=0.02):
    """Return a study of networks whose errors differ by factors, on several scenarios."""
    rng = np.random.default_rng(0)
    base = np.exp(rng.normal(0, 0.3, (len(scenarios), seeds)))
    rows = [(net, place) for net in factors for place in range(len(scenarios))]
    errors = [
        factors[net] * base[place] * np.exp(rng.normal(0, noise, seeds)) for net, place in rows
    ]
    text = np.array
    return xr.Dataset(
        {"mean_nRMSE": (("experiment", "seed"), np.array(errors))},
        {
            "experiment": text([f"{place:02d}" for place in range(len(rows))], dtype=object),
            "seed": range(seeds),
            "net": ("experiment", text([net for net, _ in rows], dtype=object)),
            "scenario": (
                "experiment",
                text([scenarios[place] for _, place in rows], dtype=object),
            ),
        },
    )


def test_all_pairs_on_all_scenarios_are_corrected_together():
    study = several({"P": 1.0, "Q": 1.5, "R": 1.0})
    text = apexr.summarise_comparison(study, correction="holm")
    assert [line.split(":")[0] for line in text.splitlines() if " against " in line] == [
        "A = P against B = Q",
        "A = P against B = R",
        "A = Q against B = R",
    ]
    assert "corrected for 6 tests by Holm's method" in text
    assert "All in all: 4 of 6 comparisons of 3 pairs told." in text
    assert apexr.summarise_comparison(study, net=["P", "Q", "R"]) == text


def test_holm_by_hand():
    assert _verdict.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert _verdict.holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])


def test_all_pairs_of_equal_networks_are_rarely_told_apart():
    wrong = 0
    for draw in range(20):
        rng = np.random.default_rng(draw)
        study = several({"A": 1.0, "B": 1.0, "C": 1.0}, seeds=8)
        values = np.exp(rng.normal(size=study.mean_nRMSE.shape))
        study["mean_nRMSE"] = (study.mean_nRMSE.dims, values)
        wrong += " 0 of " not in apexr.summarise_comparison(study, correction="holm")
    assert wrong <= 2


def test_p_values_may_stay_as_they_are():
    study = several({"A": 1.0, "B": 1.05, "C": 1.0}, seeds=6, noise=0.01)
    text = apexr.summarise_comparison(study, correction="none")
    assert "not corrected for 6 tests" in text
    assert "0.3 claims are to be expected" in text
    assert "A is better" in text
    assert "A is better" not in apexr.summarise_comparison(study, correction="holm")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"correction": "bonferroni"}, "holm"),
        ({"net": ["A", "B", "A"]}, "different values"),
        ({"net": ["A", "B", "C"], "scenario": ["a", "b", "c"]}, "one label"),
        ({"net": ["A", "B", "D"]}, "no experiment has"),
    ],
)
def test_pairs_that_mean_nothing(options, words):
    with pytest.raises(SpecError, match=words):
        apexr.summarise_comparison(several({"A": 1.0, "B": 1.0, "C": 1.0}), **options)


def test_a_study_of_one_network_has_no_pairs():
    with pytest.raises(SpecError, match="nothing to compare"):
        apexr.summarise_comparison(several({"A": 1.0}, scenarios=("a",)), correction="holm")
