"""What another benchmark's strings and keywords do in silence or with bad errors: refused here.

One entry for each input of which it is known that it gave a wrong answer, was taken for something
else, or ended in an error that did not name it. What is read otherwise by design stands below.
"""

import time

import pytest

import apexr
from _tiny import NET, SIZES
from apexr.errors import SpecError
from apexr.networks import NETWORKS
from apexr.training import OPTIMIZERS

pytestmark = pytest.mark.acceptance

FIXED = "follows from its other parameters"
FLAG = "must be true or false"
BURGERS = {"scenario": "diff_burgers"}

SILENT = {
    "coefficients of another equation": [
        ({"gammas": (0, 7, 0, 0, 0)}, FIXED),
        ({**BURGERS, "gammas": (0, 0, 99, 0, 0)}, FIXED),
        ({**BURGERS, "num_channels": 5}, FIXED),
    ],
    "seeds over 32 bits": [
        ({"train_seed": 2**40}, "train_seed must be at least 0 and at most"),
        ({"start_seed": 2**33}, "start_seed must be an integer from 0 to"),
        ({"start_seed": 2**32 - 1, "num_seeds": 2}, "seeds must be at most 4294967295"),
    ],
    "other words for true": [
        ({"ic_config": "fourier;5;yes;yes"}, FLAG),
        ({"ic_config": "fourier;5;1;1"}, FLAG),
        ({"train": "sup;2;yes"}, FLAG),
        ({"optim_config": "adam;6;exp;0.1;2;0.5;yes"}, FLAG),
    ],
    "more fields than there are": [
        ({"ic_config": "fourier;5;true;true;junk"}, "got 'junk'"),
        ({"train": "one;5"}, "got '5'"),
        ({"optim_config": "adam;10;constant;1e-3;junk"}, "got 'junk'"),
        ({"net": "Conv;8;2;99;relu"}, "unknown activation '99'"),
        ({"train": "sup;2;true;junk"}, "got 'junk'"),
        ({"report_metrics": "mean_nRMSE;junk"}, "got 'junk'"),
        ({"task": "predict;junk"}, "got 'junk'"),
    ],
    "initial states that are NaN": [
        ({"ic_config": "fourier;0;true;true"}, "CUTOFF must be at least 1"),
        ({"ic_config": "fourier;-2;true;true"}, "CUTOFF must be at least 1"),
        ({"ic_config": "diffused;-1;true;true"}, "INTENSITY must be above 0"),
        ({"num_points": 1}, "num_points must be at least 2"),
    ],
    "bounds reversed": [
        ({"ic_config": "clamp;1;0;fourier;5;true;true"}, "LOWER must be below UPPER"),
    ],
    "nothing to train": [
        ({"train": "sup;0"}, "STEPS must be at least 1"),
        ({"optim_config": "adam;0;constant;1e-3"}, "UPDATES must be at least 1"),
        ({"optim_config": "adam;-5;constant;1e-3"}, "UPDATES must be at least 1"),
        ({"optim_config": "adam;10;constant;nan"}, "RATE must be at least 0"),
        ({"optim_config": "adam;10;constant;-1e-3"}, "RATE must be at least 0"),
        ({"num_seeds": 0}, "num_seeds must be an integer from 1"),
        ({"num_seeds": -1}, "num_seeds must be an integer from 1"),
        ({"test_temporal_horizon": 0}, "test_temporal_horizon must be at least 1"),
    ],
    "more than there is": [
        ({"num_trjs_returned": 50}, "num_trjs_returned must be at most num_test_samples"),
    ],
}

BADLY_SAID = {
    "networks that cannot be": [
        ({"net": "Conv;0;2;relu"}, "HIDDEN_CHANNELS must be at least 1"),
        ({"net": "Conv;-3;2;relu"}, "HIDDEN_CHANNELS must be at least 1"),
        ({"net": "Conv;8;-1;relu"}, "DEPTH must be at least 0"),
        ({"net": "FNO;100;8;4;gelu"}, "MODES must be at most"),
        ({"net": "UNet;4;3;relu", "num_points": 20}, "20 points"),
        ({"net": "UNet;4;3;relu", "num_points": 30}, "30 points"),
        ({"net": "UNet;4;3;relu", "num_points": 33}, "33 points"),
    ],
    "fields left out": [
        ({"net": "Conv;8;2"}, "ACTIVATION is missing"),
        ({"net": "FNO;12;8;4"}, "ACTIVATION is missing"),
        ({"net": "Conv;8;relu"}, "DEPTH must be int, got 'relu'"),
        ({"optim_config": "adam;10;constant"}, "RATE is missing"),
        ({"ic_config": "fourier;5"}, "ZERO_MEAN is missing"),
        ({"train": "sup"}, "STEPS is missing"),
        ({"task": "correct"}, "MODE is missing"),
        ({"callbacks": "net"}, "EVERY is missing"),
        ({"report_metrics": "mean_fourier_nRMSE;0"}, "is missing"),
    ],
    "names that are not known": [
        ({"net": "ResNet;8;2;relu"}, "known: "),
        ({"net": "Conv ;8;2;relu"}, "did you mean 'Conv'"),
        ({"scenario": "diff_avd"}, "did you mean 'diff_adv'"),
        ({"ic_config": "gaussian;5;true;true"}, "known: "),
        ({"train": "sup-03"}, "did you mean 'sup'"),
        ({"task": "correct;foo"}, "'foo'"),
        ({"task": "Predict"}, "did you mean 'predict'"),
        ({"report_metrics": "mean_nrmse"}, "did you mean 'mean_nRMSE'"),
        ({"report_metrics": "mean_nRMSE, mean_MSE"}, "remove the blank in ' mean_MSE'"),
    ],
    "numbers": [
        ({"optim_config": "adam;1e4;constant;1e-3"}, "UPDATES must be int, got '1e4'"),
        ({"train": "sup;7"}, "unroll at most 4 steps or raise train_temporal_horizon"),
    ],
}

ROWS = [
    pytest.param(change, expected, id=f"{habit}-{number}")
    for habits in (SILENT, BADLY_SAID)
    for habit, inputs in habits.items()
    for number, (change, expected) in enumerate(inputs)
]


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize(("change", "expected"), ROWS)
def test_it_is_refused_at_once(change, expected):
    keywords = {"scenario": "diff_adv", "net": NET, "num_seeds": 2, **SIZES, **change}
    started = time.process_time()
    with pytest.raises(SpecError) as caught:
        apexr.run(progress=False, **keywords)
    assert time.process_time() - started < 1
    said = str(caught.value)
    assert expected in said
    texts = [value for value in change.values() if isinstance(value, str)]
    assert all(text in said for text in texts if text != "diff_burgers")


def test_a_study_of_all_of_them_says_every_one():
    study = [{"scenario": "diff_adv", "net": NET, **SIZES, **row.values[0]} for row in ROWS]
    with pytest.raises(SpecError) as caught:
        apexr.study.plan_study(study)
    said = str(caught.value)
    assert said.startswith(f"{len(ROWS)} of {len(ROWS)} experiments are invalid:")
    assert all(row.values[1] in said for row in ROWS)


def test_what_documents_promise_works():
    assert str(NETWORKS.parse("Pure;3")) == "Pure;3"
    assert OPTIMIZERS.parse("sgd;10;constant;1e-3").updates == 10
    assert OPTIMIZERS.parse("adam;6;exp;0.1;2;0.5;true").schedule.staircase


def test_seeds_count_on_over_31_bits():
    study = [{"scenario": "diff_adv", "start_seed": 2**31 - 1, "num_seeds": 2}]
    (one,) = apexr.study.plan_study(study)
    assert one.seeds == (2**31 - 1, 2**31)
