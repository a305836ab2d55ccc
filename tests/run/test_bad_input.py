"""Invalid input is refused before anything is computed, with what would have been right."""

import time
import warnings

import pytest

import apexr
from _tiny import NET, SIZES
from apexr.engine import TASKS
from apexr.errors import ApexrWarning, ShapeError, SpecError, UnknownNameError
from apexr.initial import INITIAL_CONDITIONS
from apexr.networks import NETWORKS
from apexr.objectives import OBJECTIVES
from apexr.scenarios import difficulty, scenario_dict
from apexr.training import OPTIMIZERS

pytestmark = pytest.mark.acceptance

KNOWN = {
    "net": ", ".join(NETWORKS.names()),
    "task": ", ".join(TASKS.names()),
    "train": ", ".join(OBJECTIVES.names()),
    "optim_config": ", ".join(OPTIMIZERS.names()),
    "ic_config": ", ".join(INITIAL_CONDITIONS.names()),
}

NESTING = (
    *("Conv;", "adam;", "clamp;", "correct;", "loss;", "composite;", "residuum;", "clip;", "with;"),
)
"""Where the name that is not known belongs to another kind."""

UNKNOWN_NAMES = [
    ("scenario", "diff_avd", "'diff_adv'"),
    ("scenario", "diff-adv", "'diff_adv'"),
    ("scenario", "burgers", "'phy_burgers'"),
    ("net", "Cnv;2;1;relu", "'Conv'"),
    ("net", "Conv ;2;1;relu", "'Conv'"),
    ("net", "FN0;2;1;1;relu", "'FNO'"),
    ("net", "ResNet;8;2;relu", ""),
    ("net", "UNt;4;3;relu", "'UNet'"),
    ("net", "Pur;3", "'Pure'"),
    ("net", "Conv;2;1;rellu", "'relu'"),
    ("net", "Conv;2;1;gleu", "'gelu'"),
    ("train", "ones", "'one'"),
    ("train", "sup-03", "'sup'"),
    ("task", "Predict", "'predict'"),
    ("task", "predcit", "'predict'"),
    ("task", "correct;foo", ""),
    ("task", "correct;paralel", "'parallel'"),
    ("train", "dvi;3", "'div'"),
    ("train", "loss;MSA;one", "'MSE'"),
    ("train", "loss;MAE;oen", "'one'"),
    ("train", "composite;1,1;one|spu;3", "'sup'"),
    ("train", "residuum;3;stp", "'step'"),
    ("report_metrics", "mean_nrmse", "'mean_nRMSE'"),
    ("report_metrics", "nRMSE", "'mean_nRMSE'"),
    ("report_metrics", "mean_furier_nRMSE;0;5;0", "'mean_fourier_nRMSE'"),
    ("optim_config", "adm;6;constant;1e-3", "'adam'"),
    ("optim_config", "sdg;6;constant;1e-3", "'sgd'"),
    ("optim_config", "clip;1;adm;6;constant;1e-3", "'adam'"),
    ("optim_config", "with;b=0.5;adam;6;constant;1e-3", ""),
    ("optim_config", "adam;6;constnat;1e-3", "'constant'"),
    ("optim_config", "adam;6;cosin;1e-3", "'cosine'"),
    ("ic_config", "furier;5;true;true", "'fourier'"),
    ("ic_config", "gaussian;5;true;true", ""),
    ("ic_config", "clamp;0;1;furier;5;true;true", "'fourier'"),
]

MISSING_FIELDS = [
    ("net", "Conv;8;2", "ACTIVATION is missing"),
    ("net", "FNO;12;8;4", "ACTIVATION is missing"),
    ("net", "Conv;8;relu", "DEPTH must be int, got 'relu'"),
    ("net", "Conv", "HIDDEN_CHANNELS is missing"),
    ("train", "sup", "STEPS is missing"),
    ("train", "div", "STEPS is missing"),
    ("train", "chain;3", "BRANCH is missing"),
    ("train", "loss;MAE", "OBJECTIVE is missing"),
    ("train", "composite;1,2", "OBJECTIVES is missing"),
    ("task", "correct", "MODE is missing"),
    ("optim_config", "clip;1.0;adam;6", "SCHEDULE is missing"),
    ("optim_config", "adam", "UPDATES is missing"),
    ("optim_config", "adam;10;constant", "RATE is missing"),
    ("optim_config", "adam;10;warmup_cosine;0.0;1e-3", "warmup_cosine;INIT;PEAK;WARMUP"),
    ("ic_config", "fourier;5", "ZERO_MEAN is missing"),
    ("ic_config", "clamp;0;1", "INNER is missing"),
    ("net", "", "unknown network ''"),
]

EXTRA_FIELDS = [
    ("net", "Conv;8;2;relu;99", "nothing is expected after the last field, got '99'"),
    ("net", "Conv;8;2;99;relu", "unknown activation '99'"),
    ("train", "one;5", "got '5'"),
    ("train", "div;2;true;true;junk", "got 'junk'"),
    ("train", "loss;MAE;one;5", "got '5'"),
    ("task", "correct;parallel;junk", "got 'junk'"),
    ("train", "sup;2;true;junk", "got 'junk'"),
    ("task", "predict;sequential", "got 'sequential'"),
    ("report_metrics", "mean_nRMSE;junk", "got 'junk'"),
    ("optim_config", "adam;10;constant;1e-3;junk", "got 'junk'"),
    ("ic_config", "fourier;5;true;true;junk", "got 'junk'"),
]

ILL_TYPED = [
    ("train", "sup;2;yes", "CUT must be true or false, got 'yes'"),
    ("train", "div;2;true;1", "CUTDIV must be true or false, got '1'"),
    ("train", "weights;1,x;sup;2", "WEIGHTS must be a number, got 'x'"),
    ("train", "weights;1,inf;sup;2", "WEIGHTS must be finite numbers"),
    ("ic_config", "fourier;5;yes;yes", "ZERO_MEAN must be true or false, got 'yes'"),
    ("ic_config", "fourier;5;1;1", "ZERO_MEAN must be true or false, got '1'"),
    ("optim_config", "adam;1e4;constant;1e-3", "UPDATES must be int, got '1e4'"),
    ("optim_config", "adam;6;exp;0.1;2;0.5;1", "STAIRCASE must be true or false, got '1'"),
    ("net", "Conv;8.0;2;relu", "HIDDEN_CHANNELS must be int, got '8.0'"),
    ("net", None, "must be a string like NAME;ARG, got None"),
    ("train", 5, "must be a string like NAME;ARG, got 5"),
    ("task", ["predict"], "must be a string like NAME;ARG"),
    ("report_metrics", None, "report_metrics must be a string, got None"),
    ("report_metrics", "mean_nRMSE, mean_MSE", "remove the blank in ' mean_MSE'"),
    ("report_metrics", "", "name at least one metric"),
    ("ic_config", 3, "ic_config must be a string, got 3"),
    ("num_points", 16.0, "num_points must be an integer, got 16.0"),
    ("num_points", "16", "num_points must be an integer, got '16'"),
    ("num_points", True, "num_points must be an integer, got True"),
    ("num_points", None, "num_points must be an integer, got None"),
    ("advection_gamma", "fast", "advection_gamma must be a finite number, got 'fast'"),
    ("advection_gamma", float("inf"), "advection_gamma must be a finite number, got inf"),
    ("advection_gamma", float("nan"), "advection_gamma must be a finite number, got nan"),
    ("advection_gamma", 10**400, "advection_gamma must be a finite number"),
    ("vlim", 1.0, "vlim must be a sequence of numbers, got 1.0"),
    ("vlim", (-1, 0, 1), "vlim must hold 2 numbers, got (-1, 0, 1)"),
    ("vlim", (-1, "b"), "vlim[1] must be a finite number, got 'b'"),
    ("num_seeds", 2.0, "num_seeds must be an integer from 1 to"),
    ("num_seeds", "2", "num_seeds must be an integer from 1 to"),
    ("start_seed", None, "start_seed must be an integer from 0 to"),
    ("scenario", None, "scenario must be a key or a scenario object, got None"),
    ("scenario", difficulty.Advection, "must be a key or a scenario object"),
]

OUT_OF_RANGE = [
    ("net", "Conv;0;2;relu", "HIDDEN_CHANNELS must be at least 1"),
    ("net", "Conv;-3;2;relu", "HIDDEN_CHANNELS must be at least 1"),
    ("net", "Conv;8;-1;relu", "DEPTH must be at least 0"),
    ("net", "Conv;99999999999;2;relu", "HIDDEN_CHANNELS must be int of at most 1_000_000_000"),
    ("net", "FNO;100;2;1;relu", "MODES must be at most 9 on 16 points"),
    ("net", "FNO;0;2;1;relu", "MODES must be at least 1"),
    ("train", "sup;0", "STEPS must be at least 1"),
    ("train", "sup;-2", "STEPS must be at least 1"),
    ("train", "sup;5", "unroll at most 4 steps or raise train_temporal_horizon"),
    ("train", "div;5", "unroll at most 4 steps or raise train_temporal_horizon"),
    ("train", "chain;5;2", "unroll at most 4 steps"),
    ("train", "mix;3;2", "a training window of 6 frames"),
    ("train", "loss;MAE;div;5", "unroll at most 4 steps"),
    ("train", "composite;1,1;one|div;5", "unroll at most 4 steps"),
    ("train", "div;0", "STEPS must be at least 1"),
    ("train", "chain;2;3", "BRANCH must be at most STEPS (2), got 3"),
    ("train", "chain;3;2;true;true;1", "one number for each of the 2 steps of a branch, got 1"),
    ("train", "weights;1,2;sup;3", "one number for each of the 3 time levels of 'sup;3', got 2"),
    ("train", "weights;1,2;composite;1,1;one|sup;2", "has no time levels of its own"),
    ("train", "composite;1;one|sup;2", "one number for each of the 2 objectives, got 1"),
    ("train", "loss;nMSE;residuum;3", "LOSS must be absolute (MSE or MAE)"),
    ("train", "cut;0;sup;3", "EVERY must be at least 1"),
    ("optim_config", "clip;0;adam;6;constant;1e-3", "MAX_NORM must be above 0"),
    ("optim_config", "sgd;6;warmup_cosine;0;1e-3;6", "WARMUP must be below UPDATES"),
    ("ic_config", "fourier;0;true;true", "CUTOFF must be at least 1"),
    ("ic_config", "fourier;-2;true;true", "CUTOFF must be at least 1"),
    ("ic_config", "diffused;-1;true;true", "INTENSITY must be above 0"),
    ("ic_config", "grf;nan;true;true", "POWERLAW_EXPONENT must be finite"),
    ("ic_config", "clamp;1;0;fourier;5;true;true", "LOWER must be below UPPER"),
    ("optim_config", "adam;0;constant;1e-3", "UPDATES must be at least 1"),
    ("optim_config", "adam;-5;constant;1e-3", "UPDATES must be at least 1"),
    ("optim_config", "adam;10;constant;nan", "RATE must be at least 0"),
    ("optim_config", "adam;10;constant;-1e-3", "RATE must be at least 0"),
    ("optim_config", "adam;10;warmup_cosine;0;1e-3;10", "WARMUP must be below UPDATES"),
    ("report_metrics", "mean_nRMSE,mean_nRMSE", "'mean_nRMSE' is named twice"),
    ("callbacks", "net", "EVERY is missing"),
    ("num_points", 1, "num_points must be at least 2, got 1"),
    ("num_points", 0, "num_points must be at least 2, got 0"),
    ("num_points", -16, "num_points must be at least 2, got -16"),
    ("num_spatial_dims", 0, "num_spatial_dims must be at least 1 and at most 3, got 0"),
    ("num_spatial_dims", 4, "num_spatial_dims must be at least 1 and at most 3, got 4"),
    ("num_train_samples", 0, "num_train_samples must be at least 1"),
    ("num_test_samples", -1, "num_test_samples must be at least 1"),
    ("train_temporal_horizon", 0, "train_temporal_horizon must be at least 1"),
    ("test_temporal_horizon", 0, "test_temporal_horizon must be at least 1"),
    ("num_warmup_steps", -1, "num_warmup_steps must be at least 0"),
    ("batch_size", 0, "batch_size must be at least 1"),
    ("record_loss_every", 0, "record_loss_every must be at least 1"),
    ("num_trjs_returned", 0, "num_trjs_returned must be at least 1"),
    ("num_trjs_returned", 50, "num_trjs_returned must be at most num_test_samples (3), got 50"),
    ("train_seed", -1, "train_seed must be at least 0"),
    ("train_seed", 2**40, "train_seed must be at least 0 and at most"),
    ("test_seed", 2**32, "test_seed must be at least 0 and at most"),
    ("num_seeds", 0, "num_seeds must be an integer from 1 to"),
    ("num_seeds", -1, "num_seeds must be an integer from 1 to"),
    ("num_seeds", 2**40, "num_seeds must be an integer from 1 to"),
    ("start_seed", -1, "start_seed must be an integer from 0 to"),
    ("start_seed", 2**33, "start_seed must be an integer from 0 to"),
    ("start_seed", 2**32 - 1, "seeds must be at most 4294967295"),
    ("vlim", (1, -1), "vlim must be (low, high) with low < high"),
    ("coarse_proportion", 0.0, "coarse_proportion must be above 0"),
    ("gammas", (0, 7, 0, 0, 0), "gammas of Advection follows from its other parameters"),
    ("num_channels", 2, "num_channels of Advection follows from its other parameters"),
]

UNKNOWN_KEYWORDS = [
    ("num_point", "'num_points'"),
    ("n_points", "'num_points'"),
    ("nett", "'net'"),
    ("trian", "'train'"),
    ("seeds", "'num_seeds'"),
    ("ic", "known: num_spatial_dims, num_points"),
    ("diffusion_gamma", "for Advection"),
    ("", "unknown scenario keyword ''"),
]


def refused(**change):
    """Return the error of a run, which must come before anything is trained or simulated."""
    keywords = {"scenario": "diff_adv", "net": NET, "num_seeds": 2, **SIZES, **change}
    scenario = keywords.pop("scenario")
    started = time.process_time()
    with pytest.raises(SpecError) as caught:
        apexr.run(scenario, progress=False, **keywords)
    assert time.process_time() - started < 1
    return str(caught.value)


@pytest.fixture(autouse=True)
def _nothing_is_computed(no_training):
    return no_training


@pytest.mark.parametrize(("field", "given", "nearest"), UNKNOWN_NAMES)
def test_unknown_names_come_with_the_nearest_and_all(field, given, nearest):
    said = refused(**{field: given})
    assert given in said
    if nearest:
        assert f"did you mean {nearest}" in said
    if field in KNOWN and not given.startswith(NESTING):
        assert f"(known: {KNOWN[field]})" in said


def test_unknown_names_are_lookup_errors():
    with pytest.raises(UnknownNameError):
        apexr.run("diff_avd")
    with pytest.raises(KeyError):
        scenario_dict["diff_avd"]


@pytest.mark.parametrize(("field", "given", "expected"), MISSING_FIELDS + EXTRA_FIELDS)
def test_strings_with_too_few_or_too_many_fields(field, given, expected):
    said = refused(**{field: given})
    assert expected in said
    assert f"\n  {given}\n" in said
    assert "^" in said


@pytest.mark.parametrize(("field", "given", "expected"), ILL_TYPED)
def test_values_of_the_wrong_type(field, given, expected):
    assert expected in refused(**{field: given})


@pytest.mark.parametrize(("field", "given", "expected"), OUT_OF_RANGE)
def test_values_out_of_range(field, given, expected):
    assert expected in refused(**{field: given})


@pytest.mark.parametrize(("name", "expected"), UNKNOWN_KEYWORDS)
def test_unknown_keywords(name, expected):
    said = refused(**{name: 1})
    assert repr(name) in said
    assert expected in said


@pytest.mark.parametrize(
    ("key", "change", "expected"),
    [
        ("diff_ks_cons", {"num_spatial_dims": 2}, "must be 1, got 2; in more dimensions take"),
        ("diff_burgers", {"num_channels": 5}, "num_channels of Burgers"),
        ("diff_burgers", {"gammas": (0, 0, 99, 0, 0)}, "gammas of Burgers"),
        ("diff_burgers", {"order": 5}, "order must be at least 0 and at most 4, got 5"),
        ("diff_burgers", {"num_substeps": 0}, "num_substeps must be at least 1"),
        ("diff_burgers", {"etdrk_coefficients": "complex"}, "one of 'real', 'exact'"),
        ("diff_burgers", {"conservative": 1}, "conservative must be True or False, got 1"),
        ("diff_lin", {"gammas": ()}, "gammas must hold at least one number"),
        ("diff_lin_simple", {"linear_term_order": -1}, "linear_term_order must be at least 0"),
        ("diff_lin_simple", {"linear_term_order": 10**9}, "linear_term_order must be"),
        ("diff_nonlin", {"deltas": (1, 2)}, "deltas must hold 3 numbers"),
        ("diff_adv", {"adv_difficulty": "x"}, "advection_gamma must be a finite number"),
    ],
)
def test_parameters_of_single_scenarios(key, change, expected):
    assert expected in refused(scenario=key, **change)


def test_every_entrance_refuses_alike():
    scenario = difficulty.Advection(**SIZES)
    with pytest.raises(SpecError, match="ACTIVATION is missing"):
        scenario(network_config="Conv;8;2")
    with pytest.raises(SpecError, match="STEPS must be at least 1"):
        scenario(train_config="sup;0")
    with pytest.raises(SpecError, match="unknown task 'Predict'"):
        scenario(task_config="Predict")
    with pytest.raises(SpecError, match="num_seeds must be an integer"):
        scenario(num_seeds=0)
    with pytest.raises(SpecError, match="ACTIVATION is missing"):
        apexr.run(scenario, net="Conv;8;2")
    with pytest.raises(SpecError, match="num_points must be at least 2"):
        apexr.run(scenario, num_points=1)
    with pytest.raises(SpecError, match="unknown network 'cnv'"):
        apexr.run_experiment(
            scenario="diff_adv", task="predict", net="cnv", train="one", start_seed=0, num_seeds=1
        )
    with pytest.raises(SpecError, match="unroll at most 4 steps"):
        scenario.get_trainer(train_config="sup;5")
    with pytest.raises(SpecError, match="MODES must be at most 9"):
        scenario.get_network("FNO;100;2;1;relu", None)
    with pytest.raises(SpecError, match="1 of 1 experiments"):
        apexr.run_study([{"scenario": "diff_adv", "net": "Conv;8;2"}], "never_made")


def test_networks_that_change_the_shape():
    from apexr.networks import NETWORKS, NetworkSpec, network

    @network("Cut")
    class Cut(NetworkSpec):
        """Cut - gives half of the state."""

        def build(self, grid, num_channels, key):
            return lambda state: state[..., ::2]

    try:
        with pytest.raises(ShapeError, match=r"'Cut' maps \(1, 16\) to \(1, 8\)"):
            apexr.run("diff_adv", net="Cut", **SIZES)
    finally:
        NETWORKS.registry.unregister("Cut")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batch_size": 13}, "batch_size 13 is larger than the 12 training windows"),
        ({"train_seed": 5, "test_seed": 5}, "train_seed and test_seed are both 5"),
        ({"ic_config": "fourier;9;true;true"}, "16 points hold waves up to 8"),
        ({"record_loss_every": 7}, "record_loss_every is 7, but there are 6 updates"),
    ],
)
def test_what_works_but_may_not_be_meant_is_said_once(monkeypatch, change, said):
    monkeypatch.undo()  # data may be made here
    monkeypatch.setattr("apexr.experiment._run.execute", lambda *_, **__: ("result", None))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        apexr.run("diff_adv", net=NET, num_seeds=2, **{**SIZES, **change})
    ours = [w for w in caught if issubclass(w.category, ApexrWarning)]
    assert [said in str(w.message) for w in ours] == [True]
    assert ours[0].filename == __file__  # it points at the caller


def test_a_batch_of_all_windows_is_fine(monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr("apexr.experiment._run.execute", lambda *_, **__: ("result", None))
    with warnings.catch_warnings():
        warnings.simplefilter("error", ApexrWarning)
        apexr.run("diff_adv", net=NET, num_seeds=2, **{**SIZES, "batch_size": 12})
