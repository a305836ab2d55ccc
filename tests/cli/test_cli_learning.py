"""Tasks, trainings and optimizers on the command line."""

import pytest

from _tiny import NET, SIZES

SET = [part for name, value in SIZES.items() for part in ("--set", f"{name}={value}")]


def test_a_corrected_solver_is_trained_along_its_own_trajectory(apexr_command):
    strings = ["--task", "correct;sequential", "--train", "loss;MAE;div;2;true", "--net", NET]
    changed = ["--set", "optim_config=clip;1.0;with;b1=0.8;adamw;6;cosine;1e-3"]
    rest = [part for part in zip(SET[::2], SET[1::2], strict=True) if "optim" not in part[1]]
    flat = [part for pair in rest for part in pair]
    said = apexr_command("run", "diff_burgers", *strings, *changed, *flat, "--no-progress")
    assert said.code == 0, said.err
    assert "task correct;sequential\n" in said.out
    assert "train loss;mae;div;2;true\n" in said.out  # its canonical form


@pytest.mark.parametrize(
    ("option", "given", "expected"),
    [
        ("--train", "div;9", "unroll at most 4 steps or raise train_temporal_horizon"),
        ("--train", "dvi;2", "did you mean 'div'?"),
        ("--train", "loss;MSA;one", "unknown loss 'MSA'; did you mean 'MSE'?"),
        ("--task", "correct;paralel", "did you mean 'parallel'?"),
        ("--set", "optim_config=sdg;6;constant;1", "did you mean 'sgd'?"),
    ],
)
def test_slips_are_answered_before_any_work(apexr_command, option, given, expected):
    sizes = [f"--set={value}" for value in SET[1::2] if "optim" not in value]
    said = apexr_command("run", "diff_burgers", *sizes, option, given, "--no-progress")
    assert said.code == 2
    assert expected in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("trainings", "div;STEPS;CUT;CUTDIV - each step is compared with one of the reference"),
        ("tasks", "correct;MODE - the network h corrects the coarse solver S"),
        ("optimizers", "lion;UPDATES;SCHEDULE;… - the sign of an interpolated momentum"),
        ("schedules", "cosine;INIT;ALPHA - half a cosine"),
    ],
)
def test_lists_tell_what_there_is(apexr_command, what, line):
    assert line in apexr_command("list", what).out
