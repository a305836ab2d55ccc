"""Interruptions, precision and weights on the command line."""

import signal

import numpy as np
import pytest

import apexr
from _tiny import NET, SIZES
from apexr.engine import CALLBACKS, Callback, callback

SET = [part for key, value in SIZES.items() for part in ("--set", f"{key}={value}")]
RUN = ("run", "diff_adv", "--net", NET, *SET, "--no-progress")


@pytest.fixture
def ctrl_c():
    """Register a callback that presses Ctrl-C at update 3, once."""
    pressed = []

    @callback("ctrl_c")
    class Pressed(Callback):
        """ctrl_c;EVERY - an interruption."""

        every: int

        def measure(self, moment, test):
            if moment.update_step == 3 and not pressed:
                pressed.append(signal.raise_signal(signal.SIGINT))
            return moment.losses

    yield
    CALLBACKS.registry.unregister("ctrl_c")


@pytest.mark.usefixtures("ctrl_c")
def test_an_interrupted_run_says_how_far_it_is_and_goes_on(apexr_command, tmp_path):
    store = tmp_path / "adv.zarr"
    arguments = (*RUN, "--set", "callbacks=ctrl_c;3", "--store", store)
    first = apexr_command(*arguments)
    assert first.code == 130
    assert first.err.endswith(
        "interrupted: stopped after 6 of 6 updates; the same call goes on from there\n"
    )
    assert "Traceback" not in first.err
    assert not store.exists()
    second = apexr_command(*arguments, "--checkpoint-seconds", "5")
    assert second.code == 0, second.err
    assert apexr.open_experiment(store).train_loss.size == 2


def test_precision_and_weights(apexr_command, tmp_path):
    store = tmp_path / "adv.zarr"
    done = apexr_command(*RUN, "--precision", "float64", "--store", store)
    assert done.code == 0, done.err
    assert apexr.open_experiment(store).train_loss.dtype == np.float64
    path = tmp_path / "adv.safetensors"
    done = apexr_command("export", store, "--format", "safetensors", "--output", path)
    assert done.out == f"written to {path}\n"
    arrays, told = apexr.store.read_safetensors(path)
    assert told["precision"] == "float64"
    assert arrays["layers.0.weight"].dtype == np.float64


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--precision", "double"], "'double' is not one of 'float32', 'float64'"),
        (["--checkpoint-seconds", "-1"], "checkpoint_seconds must be a number of seconds"),
        (["--set", "precision=float64"], "precision is given by --precision"),
        (["--set", "callbacks=weight_norm"], "EVERY is missing"),
    ],
)
def test_what_cannot_be_meant(apexr_command, arguments, said):
    done = apexr_command(*RUN, *arguments)
    assert done.code == 2
    assert said in done.err


def test_callbacks_are_listed(apexr_command):
    done = apexr_command("list", "callbacks")
    assert "weight_norm;EVERY - √Σw² over all weights of the network." in done.out
