"""Studies: many experiments, resumable, read back lazily."""

from apexr.study._configs import Planned, plan_study
from apexr.study._run import run_study, run_study_convenience

__all__ = ["Planned", "plan_study", "run_study", "run_study_convenience"]
