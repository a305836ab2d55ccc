"""Studies: many experiments, resumable, read back lazily.

A study is data: a list of dictionaries, each with the keywords of :func:`apexr.run`; a *grid*, one
dictionary in which every list is an axis and all combinations are experiments; or a TOML or JSON
file with either::

    scenario = ["diff_adv", "diff_burgers"]
    net = ["Conv;26;10;relu", "FNO;12;8;4;gelu"]
    num_seeds = 10

    [zip]                                    # keys that vary together
    train = ["one", "sup;3"]
    optim_config = ["adam;10_000;constant;1e-3", "adam;10_000;constant;3e-4"]

A value of a grid that is a list itself stands in one more list (``vlim = [[-1, 1]]``). A file with
``common`` (values of all), ``experiments`` (a list) and ``grid`` (one or more) has all three.
Either may have a table ``trackers``, see :mod:`apexr.trackers`, and ``packed = true``, which makes
one file of each experiment.
"""

from apexr._doors import check_all
from apexr.study._archive import Repeated, is_archive, publish, summary_of, verify_archive
from apexr.study._clients import connect, local_cluster, slurm_cluster
from apexr.study._configs import Settings, load_study, load_whole, plan_study
from apexr.study._estimate import Outlook
from apexr.study._planned import Planned
from apexr.study._read import read_study
from apexr.study._run import preview, run_planned, run_study, run_study_convenience
from apexr.study._work import Failure

__all__ = [
    "Failure",
    "Outlook",
    "Planned",
    "Repeated",
    "Settings",
    "connect",
    "is_archive",
    "load_study",
    "load_whole",
    "local_cluster",
    "plan_study",
    "preview",
    "publish",
    "read_study",
    "run_planned",
    "run_study",
    "run_study_convenience",
    "slurm_cluster",
    "summary_of",
    "verify_archive",
]

_STUDIES = ("plan_study", "read_study", "run_study", "run_study_convenience")

check_all(globals(), _STUDIES, dict.fromkeys(_STUDIES, ("configs", "config", "study")), filled=True)
check_all(globals(), own={"local_cluster": ("workers",)})
