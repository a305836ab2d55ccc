"""The study that the pages are tested with, as it looks while it runs."""

from apexr import store
from apexr.testing import mock_experiment

SCENARIOS, NETS = ("1d_a", "1d_b"), ("Conv;26;10;relu", "FNO;12;8;4;gelu", "Res;16;4;relu")
CONFIG = {"scenario": "1d_b", "task": "predict", "net": "FNO;12;8;4;gelu", "train": "one"}


def name(number):
    """Return the id of an experiment."""
    return f"{number:032x}"


def publish(path, number, **keywords):
    """Publish one experiment of a study."""
    ds = mock_experiment(random_seed=number, **keywords)
    store.publish_experiment(ds, {}, store.unit_path(path, name(number)))


def make_study(path):
    """Make six experiments: five published, one with a diverged seed, one failed."""
    store.create_study(path)
    for number, (scenario, net) in enumerate((s, n) for s in SCENARIOS for n in NETS):
        if number == 4:
            error = RuntimeError("out of <b>memory</b>")
            store.Study.at(path).notes.record_failure(
                name(number), error, {**CONFIG, "scenario_kwargs": "{}"}
            )
        else:
            publish(
                path,
                number,
                scenario=scenario,
                net=net,
                diverged=(2,) if number == 1 else (),
                metrics=("mean_nRMSE", "mean_correlation"),
            )
    return path
