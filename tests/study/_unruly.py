"""Scenarios that do to their process what no scenario should; workers import them from here."""

import os
import time
from pathlib import Path

import numpy as np

from apexr.scenarios.difficulty import Advection


class Raising(Advection):
    """Advection whose solver cannot be made."""

    def get_ref_stepper(self):
        raise KeyError("the solver is not ready")


class Leaving(Advection):
    """Advection that ends its process, unless a file tells it not to.

    Parameters
    ----------
    spared
        The file.
    """

    spared: str = ""

    def get_ref_stepper(self):
        if not (self.spared and Path(self.spared).exists()):
            os._exit(3)
        return super().get_ref_stepper()


class Greedy(Advection):
    """Advection that takes memory without end."""

    def get_ref_stepper(self):
        held = []
        while True:
            held.append(np.ones(2**22))  # 32 MB at a time
            time.sleep(0.02)
