"""TensorBoard, MLflow, Weights & Biases: curves written through the libraries themselves."""

import importlib
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apexr.errors import SpecError, needs
from apexr.trackers._kind import Curves, Subject

_OURS = "apexr_id"
_SQLITE = "sqlite:///"


def _check(logger: Any, texts: Mapping[str, Any]) -> None:
    """Refuse wrong options, before any work."""
    every, name = logger.every, type(logger).__name__
    if not isinstance(every, int) or isinstance(every, bool) or every < 1:
        raise SpecError(f"{name}: every must be a positive integer, got {every!r}")
    for option, value in texts.items():
        if not isinstance(value, str) or not value:
            raise SpecError(f"{name}: {option} must be text, got {value!r}")


def _import(extra: str, module: str) -> Any:
    with needs(extra, f"the tracker {extra!r} needs"):
        return importlib.import_module(module)


def _settings(subject: Subject) -> dict[str, Any]:
    """Return what a tracker records of an experiment besides its curves."""
    return {**subject.config, "seeds": ",".join(map(str, subject.seeds)), _OURS: subject.id}


@dataclass(frozen=True)
class TensorBoard:
    """Event files for ``tensorboard --logdir FOLDER``, one folder an experiment.

    Parameters
    ----------
    folder
        Where they lie. Workers write there, so they must see the same path.
    every
        Updates from one loss that is written to the next.

    Raises
    ------
    SpecError
        For a wrong option.
    MissingExtraError
        If TensorBoard is not installed: it is in the extra ``tensorboard``.
    """

    folder: str = "tensorboard"
    every: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", str(Path(self.folder).absolute()))
        _check(self, {"folder": self.folder})
        _import("tensorboard", "tensorboard.summary")

    def start(self, subject: Subject) -> Curves:
        """Return the hook of an experiment; run again, it goes on in the same folder."""
        module = _import("tensorboard", "tensorboard.summary")
        name = re.sub(r"[^A-Za-z0-9_.-]+", "_", subject.name)
        return _Events(self.every, module.Writer(str(Path(self.folder, name))))


class _Events(Curves):
    def __init__(self, every: int, writer: Any) -> None:
        super().__init__(every)
        self._writer = writer

    def write(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def end(self, finished: bool) -> None:
        self._writer.close()


@dataclass(frozen=True)
class MLflow:
    """Runs of MLflow, one an experiment, with its configuration as parameters.

    Parameters
    ----------
    uri
        Where they are tracked: a database of this machine, or the URL of a server.
    experiment
        Name of the group of runs.
    every
        Updates from one loss that is written to the next.

    Raises
    ------
    SpecError
        For a wrong option.
    MissingExtraError
        If MLflow is not installed: it is in the extra ``mlflow``.
    """

    uri: str = f"{_SQLITE}mlflow.db"
    experiment: str = "apexr"
    every: int = 100

    def __post_init__(self) -> None:
        _check(self, {"uri": self.uri, "experiment": self.experiment})
        if self.uri.startswith(_SQLITE):  # workers have working directories of their own
            path = Path(self.uri.removeprefix(_SQLITE)).absolute()
            object.__setattr__(self, "uri", f"{_SQLITE}{path}")
        _import("mlflow", "mlflow")

    def start(self, subject: Subject) -> Curves:
        """Return the hook of an experiment; run again, it goes on with the run it had."""
        mlflow = _import("mlflow", "mlflow")
        client = mlflow.MlflowClient(tracking_uri=self.uri)
        held = client.get_experiment_by_name(self.experiment)
        group = held.experiment_id if held else client.create_experiment(self.experiment)
        ours = f"tags.{_OURS} = '{subject.id}' and attributes.status != 'FINISHED'"
        found = client.search_runs([group], filter_string=ours)
        run = found[0].info.run_id if found else self._new(client, group, subject)
        return _Runs(self.every, client, mlflow.entities.Metric, run)

    def _new(self, client: Any, group: str, subject: Subject) -> str:
        tags = {_OURS: subject.id}
        run = str(client.create_run(group, run_name=subject.name, tags=tags).info.run_id)
        for name, value in _settings(subject).items():
            client.log_param(run, name, value)
        return run


class _Runs(Curves):
    def __init__(self, every: int, client: Any, metric: Any, run: str) -> None:
        super().__init__(every)
        self._client, self._metric, self._run = client, metric, run

    def write(self, values: Mapping[str, float], step: int) -> None:
        now = int(time.time() * 1000)
        metrics = [self._metric(name, value, now, step) for name, value in values.items()]
        self._client.log_batch(self._run, metrics=metrics)

    def end(self, finished: bool) -> None:
        self._client.set_terminated(self._run, "FINISHED" if finished else "KILLED")


@dataclass(frozen=True)
class WandB:
    """Runs of Weights & Biases, one an experiment, by default kept on this machine.

    Parameters
    ----------
    project
        Name of the project.
    folder
        Where the runs lie; ``wandb sync`` uploads them.
    mode
        ``"offline"`` or ``"online"``.
    every
        Updates from one loss that is written to the next.

    Raises
    ------
    SpecError
        For a wrong option.
    MissingExtraError
        If its library is not installed: it is in the extra ``wandb``.
    """

    project: str = "apexr"
    folder: str = "."
    mode: str = "offline"
    every: int = 100

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", str(Path(self.folder).absolute()))
        _check(self, {"project": self.project})
        if self.mode not in ("offline", "online"):
            raise SpecError(f"WandB: mode must be 'offline' or 'online', got {self.mode!r}")
        _import("wandb", "wandb")

    def start(self, subject: Subject) -> Curves:
        """Return the hook of an experiment; run again, it has the same id."""
        wandb = _import("wandb", "wandb")
        Path(self.folder).mkdir(parents=True, exist_ok=True)
        run = wandb.init(
            project=self.project,
            dir=self.folder,
            mode=self.mode,
            name=subject.name,
            id=subject.id,
            resume="allow",
            reinit="create_new",
            config=_settings(subject),
            settings=wandb.Settings(silent=True, console="off"),
        )
        run.define_metric("train_loss/*", step_metric="update_step")
        run.define_metric("test/*", step_metric="time")
        return _WandBRun(self.every, run)


class _WandBRun(Curves):
    def __init__(self, every: int, run: Any) -> None:
        super().__init__(every)
        self._run = run

    def write(self, values: Mapping[str, float], step: int) -> None:
        tested = any(name.startswith("test/") for name in values)
        self._run.log({"time" if tested else "update_step": step, **values})

    def end(self, finished: bool) -> None:
        self._run.finish(exit_code=0 if finished else 1)
