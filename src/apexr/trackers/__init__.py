"""Trackers: who watches trainings, in one run or in all of a study, here and on workers.

A *hook* is called with a :class:`apexr.training.Moment` before some of the updates. A *logger*
gives a hook for each experiment that it watches: :class:`TensorBoard`, :class:`MLflow` and
:class:`WandB` write losses and errors through the libraries of that name, each an extra of apexr
(``tensorboard``, ``mlflow``, ``wandb``), and without the internet.
"""

from apexr._doors import check_all
from apexr.trackers._attend import attending
from apexr.trackers._kind import Curves, Logger, Subject, Watcher
from apexr.trackers._loggers import MLflow, TensorBoard, WandB
from apexr.trackers._named import LOGGERS, as_trackers, read_trackers

__all__ = [
    "LOGGERS",
    "Curves",
    "Logger",
    "MLflow",
    "Subject",
    "TensorBoard",
    "WandB",
    "Watcher",
    "as_trackers",
    "attending",
    "read_trackers",
]

check_all(globals())
