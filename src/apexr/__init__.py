"""apexr: a laboratory for neural emulators of partial differential equations.

Every public name is loaded when it is first used, so that importing the package loads neither
JAX nor HoloViews.
"""

from apexr._lazy import import_after, lazy_names

__version__ = "0.1.0"
"""The version of the package."""

_HOMES = {
    # one experiment
    "run": "apexr._run:run",
    "run_experiment": "apexr._run:run_experiment",
    "evaluate": "apexr._run:evaluate",
    "load_networks": "apexr._trained:load_networks",
    # the solver alone
    "simulate": "apexr._simulate:simulate",
    "open_trajectories": "apexr.store:open_trajectories",
    # scenarios
    "scenarios": "apexr.scenarios",
    "difficulty": "apexr.scenarios.difficulty",
    "normalized": "apexr.scenarios.normalized",
    "physical": "apexr.scenarios.physical",
    "BaseScenario": "apexr.scenarios:BaseScenario",
    "EquationScenario": "apexr.scenarios:EquationScenario",
    "Recorded": "apexr.scenarios:Recorded",
    # studies
    "publish": "apexr.study:publish",
    "run_study": "apexr.study:run_study",
    "run_study_convenience": "apexr.study:run_study_convenience",
    "open_study": "apexr.store:open_study",
    "open_rollouts": "apexr.store:open_rollouts",
    "open_experiment": "apexr.store:open_experiment",
    "list_experiments": "apexr.store:list_experiments",
    # comparisons with solvers
    "climate": "apexr.comparisons:climate",
    "clock": "apexr.comparisons:clock",
    "decompose": "apexr.comparisons:decompose",
    "ensemble": "apexr.comparisons:ensemble",
    "lyapunov": "apexr.comparisons:lyapunov",
    "solver_ladder": "apexr.comparisons:solver_ladder",
    # what a results section needs
    "leaderboard": "apexr._report._leaderboard:leaderboard",
    "report": "apexr._report:report",
    # other programs
    "import_results": "apexr.transfer:import_results",
    # tables
    "table": "apexr.analysis:table",
    "rank_table": "apexr.analysis:rank_table",
    "summarise_comparison": "apexr.analysis:summarise_comparison",
    "to_long": "apexr.analysis:to_long",
    "to_well": "apexr.analysis:to_well",
    "to_wide": "apexr.analysis:to_wide",
    "melt_data": "apexr.analysis:melt_data",
    "melt_loss": "apexr.analysis:melt_loss",
    "melt_metrics": "apexr.analysis:melt_metrics",
    "melt_sample_rollouts": "apexr.analysis:melt_sample_rollouts",
    "aggregate_gmean": "apexr.analysis:aggregate_gmean",
    "relative_by_config": "apexr.analysis:relative_by_config",
    "split_train": "apexr.analysis:split_train",
    "read_in_kwargs": "apexr.analysis:read_in_kwargs",
    # what config strings name, as the published benchmark calls it
    "components": "apexr.components",
    # the layers
    "analysis": "apexr.analysis",
    "comparisons": "apexr.comparisons",
    "dashboard": "apexr.dashboard",
    "engine": "apexr.engine",
    "errors": "apexr.errors",
    "initial": "apexr.initial",
    "labels": "apexr.labels",
    "metrics": "apexr.metrics",
    "networks": "apexr.networks",
    "objectives": "apexr.objectives",
    "plot": "apexr.plots",
    "schema": "apexr.schema",
    "scraper": "apexr.scraper",
    "spectral": "apexr.spectral",
    "steppers": "apexr.steppers",
    "store": "apexr.store",
    "study": "apexr.study",
    "testing": "apexr.testing",
    "trackers": "apexr.trackers",
    "training": "apexr.training",
    "transfer": "apexr.transfer",
}

__all__ = ["__version__", *sorted(_HOMES)]  # noqa: PLE0604 - the keys are strings

__getattr__ = lazy_names(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__


import_after("xarray", "apexr.accessor")
