"""Trackers by name, in runs and studies: what they write, when they end, what is refused."""

import dataclasses
import signal
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import apexr
from _tiny import NET, SIZES
from apexr.errors import MissingExtraError, SpecError
from apexr.study import load_study
from apexr.trackers import MLflow, TensorBoard, WandB
from apexr.training import tracker

TINY = {"scenario": "diff_adv", "net": NET, "num_seeds": 2, **SIZES}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A run that TensorBoard has watched, and its folder."""
    folder = tmp_path_factory.mktemp("watched")
    logger = TensorBoard(str(folder / "events"), every=3)
    return apexr.run(**TINY, trackers=[logger], progress=False), folder / "events"


def test_tensorboard_holds_what_the_result_holds(result):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    ds, folder = result
    (run,) = folder.iterdir()
    assert run.name.startswith("1d_diff_adv_Conv_2_1_tanh_one_")
    events = EventAccumulator(str(run))
    events.Reload()

    def curve(tag):
        return {e.step: e.tensor_proto.float_val[0] for e in events.Tensors(tag)}

    for seed in (0, 1):
        losses = ds.train_loss.sel(seed=seed)
        held = dict(zip(losses.update_step.values.tolist(), losses.values.tolist(), strict=True))
        assert curve(f"train_loss/seed_{seed}") == pytest.approx(held)
    median = ds.mean_nRMSE.median("seed").values
    assert curve("test/mean_nRMSE") == pytest.approx(dict(enumerate(median.tolist(), start=1)))


class Diary:
    """What a logger of one's own was told, by experiment."""

    def __init__(self):
        self.told = {}

    def start(self, subject):
        entries = self.told.setdefault(subject.id, [])

        class Page:
            every = 2

            def __call__(self, moment):
                entries.append(moment.update_step)

            def close(self, result):
                entries.append("unfinished" if result is None else result["net"].item())

        return Page()


def test_every_experiment_of_a_study_has_a_hook_of_its_own(tmp_path):
    diary, seen = Diary(), []
    study = {**TINY, "train_seed": [0, 1], "num_seeds": 1}
    every = tracker(every=3)(lambda moment: seen.append(moment.update_step))
    apexr.run_study(study, tmp_path / "study.zarr", trackers=[diary, every], progress=False)
    assert list(diary.told.values()) == [[0, 2, 4, NET]] * 2
    assert seen == [0, 3] * 2
    apexr.run_study(study, tmp_path / "study.zarr", trackers=[diary], progress=False)
    assert list(diary.told.values()) == [[0, 2, 4, NET]] * 2  # nothing was run


def test_what_is_interrupted_is_closed_without_a_result(tmp_path):
    diary = Diary()
    press = tracker(every=3)(lambda moment: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        apexr.run(**TINY, trackers=[diary, press], store=tmp_path / "adv.zarr", progress=False)
    ((*_, last),) = diary.told.values()
    assert last == "unfinished"


def test_a_broken_library_costs_no_training(tmp_path, caplog, monkeypatch):
    def fail(*_):
        raise OSError("no space left")

    monkeypatch.setattr("apexr.trackers._loggers._Events.write", fail)
    monkeypatch.setattr("apexr.trackers._loggers._Events.end", fail)
    ds = apexr.run(**TINY, trackers=[TensorBoard(str(tmp_path), every=1)], progress=False)
    assert ds.sizes["seed"] == 2
    said = [record.message for record in caplog.records if "no space left" in record.message]
    assert 1 <= len(said) <= 2  # while it writes, and when it ends
    assert "it writes nothing more of this experiment" in said[0]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"tensorbord": {}}, "unknown tracker 'tensorbord'; did you mean 'tensorboard'?"),
        ({"tensorboard": 3}, "trackers.tensorboard must be a table of options, got 3"),
        ("tensorboard", "trackers must be a table of tables"),
        ({"tensorboard": {"floder": "x"}}, "unexpected keyword argument 'floder'"),
        ({"tensorboard": {"every": 0}}, "every must be a positive integer, got 0"),
        ({"os:getcwd": {}}, "'os:getcwd' is a program, which is run; allow that"),
    ],
)
def test_wrong_tables_are_refused(table, problem, tmp_path):
    with pytest.raises(SpecError) as caught:
        apexr.run_study({**TINY, "trackers": table}, tmp_path / "study.zarr", progress=False)
    assert problem in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["nowhere_to_be_found:thing", "os:nothing", "os:getcwd"])
def test_an_import_path_must_lead_to_a_tracker(name):
    with pytest.raises(SpecError):
        apexr.run(**TINY, trackers=[name], progress=False)


def test_a_study_file_names_its_trackers(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "of_ones_own", SimpleNamespace(Diary=Diary))
    file = tmp_path / "study.toml"
    text = "scenario = 'diff_adv'\n[trackers.tensorboard]\nfolder = 'runs'\nevery = 7\n"
    file.write_text(text)
    planned, trackers = load_study(file)
    assert len(planned) == 1
    assert trackers == (TensorBoard("runs", every=7),)
    file.write_text(f"{text}[trackers.'of_ones_own:Diary']\n")
    with pytest.raises(SpecError, match="allow that with --allow-python"):
        load_study(file)
    assert isinstance(load_study(file, allow_python=True)[1][1], Diary)


def test_a_library_that_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(MissingExtraError, match=r'pip install "apexr\[wandb\]"'):
        apexr.run_study(TINY, tmp_path / "study.zarr", trackers=["wandb"], progress=False)
    assert not list(tmp_path.iterdir())


@dataclasses.dataclass
class Call:
    """A call of a library that stands in for the real one."""

    name: str
    options: dict


def stand_in(calls, name):
    return lambda *given, **options: calls.append(Call(name, {**options, "given": given}))


def test_what_wandb_is_told(monkeypatch, tmp_path):
    calls = []
    methods = {name: stand_in(calls, name) for name in ("define_metric", "log", "finish")}
    run = SimpleNamespace(**methods)
    fake = ModuleType("wandb")
    fake.Settings = dict
    fake.init = lambda **options: calls.append(Call("init", options)) or run
    monkeypatch.setitem(sys.modules, "wandb", fake)
    ds = apexr.run(**TINY, trackers=[WandB("p", str(tmp_path), every=3)], progress=False)

    (init,) = [call.options for call in calls if call.name == "init"]
    assert (init["project"], init["mode"], init["resume"]) == ("p", "offline", "allow")
    assert init["config"]["net"] == NET
    assert init["id"] == ds.attrs["experiment_id"]
    logs = [call.options["given"][0] for call in calls if call.name == "log"]
    losses = [log for log in logs if "train_loss/seed_1" in log]
    assert [log["update_step"] for log in losses] == [0, 3]
    assert losses[0]["train_loss/seed_1"] == pytest.approx(ds.train_loss.values[1, 0])
    assert [log["time"] for log in logs if "test/mean_nRMSE" in log] == [1, 2, 3, 4, 5]
    assert calls[-1].options["exit_code"] == 0


@pytest.mark.parametrize("held", [(), ("old",)])
def test_what_mlflow_is_told(monkeypatch, tmp_path, held):
    calls = []

    class Client:
        def __init__(self, tracking_uri):
            calls.append(Call("client", {"uri": tracking_uri}))

        def get_experiment_by_name(self, name):
            return None

        def create_experiment(self, name):
            return "1"

        def search_runs(self, groups, filter_string):
            return [SimpleNamespace(info=SimpleNamespace(run_id=name)) for name in held]

        def create_run(self, group, run_name, tags):
            calls.append(Call("create_run", tags))
            return SimpleNamespace(info=SimpleNamespace(run_id="new"))

        log_param = staticmethod(stand_in(calls, "log_param"))
        log_batch = staticmethod(stand_in(calls, "log_batch"))
        set_terminated = staticmethod(stand_in(calls, "set_terminated"))

    fake = ModuleType("mlflow")
    fake.MlflowClient = Client
    fake.entities = SimpleNamespace(Metric=lambda *values: values)
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    monkeypatch.chdir(tmp_path)
    ds = apexr.run(**TINY, trackers=[MLflow(every=3)], progress=False)

    by_name = {call.name: call.options for call in calls}
    assert by_name["client"]["uri"] == f"sqlite:///{tmp_path}/mlflow.db"
    name = held[0] if held else "new"
    assert by_name["set_terminated"]["given"] == (name, "FINISHED")
    assert ("create_run" in by_name) == (not held)  # one that was interrupted goes on
    batches = [call.options["metrics"] for call in calls if call.name == "log_batch"]
    losses = [metric for batch in batches for metric in batch if metric[0] == "train_loss/seed_0"]
    assert [(value, step) for _, value, _, step in losses] == [
        (pytest.approx(float(ds.train_loss[0, place])), 3 * place) for place in range(2)
    ]


def test_the_search_of_the_documentation(capsys):
    """An Optuna search whose trials a tracker reports and ends."""
    page = (Path(__file__).parents[2] / "docs" / "trackers.md").read_text()
    code = page.partition("<!-- search -->")[2].partition("<!-- end -->")[0]
    code = code.partition("```python\n")[2].partition("```")[0]
    names = {}
    exec(code.replace("n_trials=4", "n_trials=1"), names)
    (trial,) = names["search"].trials
    assert list(trial.intermediate_values) == [0, 50, 100, 150]
    assert trial.value == names["search"].best_value > 0
    assert str(names["search"].best_params) in capsys.readouterr().out
