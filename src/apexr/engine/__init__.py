"""From plain parts to named arrays: emulators, their training and their evaluation."""

from apexr._doors import check_all
from apexr.engine._callbacks import (
    CALLBACKS,
    Callback,
    Recorder,
    TestSet,
    callback,
    parse_callbacks,
)
from apexr.engine._climate import Histogram, Plan, Ranges, StatesBlock, Tally, climate_blocks
from apexr.engine._clocks import Clocked, clocked, emulator_programs, solver_programs
from apexr.engine._decompose import decompose
from apexr.engine._emulators import (
    EmulatorPlan,
    count_operations,
    count_parameters,
    draw_emulators,
    draws_on_host,
    outline_emulators,
    skeleton,
)
from apexr.engine._ensemble import Block, EnsembleMode, ensemble_blocks
from apexr.engine._evaluate import (
    STREAMED_BYTES,
    Evaluated,
    compile_rollouts,
    evaluate,
    score_rollouts,
)
from apexr.engine._fitted import fitted, moments_of, needs_statistics
from apexr.engine._ladder import Judged, Problem, Rung, judge, on_grid
from apexr.engine._lyapunov import block_means, kaplan_yorke, lyapunov_growth
from apexr.engine._mixed import Mixed
from apexr.engine._own import OwnNetwork
from apexr.engine._room import (
    available_bytes,
    bytes_of_data,
    require_room_for_data,
    require_room_for_training,
)
from apexr.engine._stacked import Stacked, select_seed, stacked, unstacked
from apexr.engine._tasks import MODES, TASKS, Correct, Corrected, Predict, Task, task
from apexr.engine._weights import from_flat_weights, named_shapes, named_weights, with_weights

__all__ = [
    "CALLBACKS",
    "MODES",
    "STREAMED_BYTES",
    "TASKS",
    "Block",
    "Callback",
    "Clocked",
    "Correct",
    "Corrected",
    "EmulatorPlan",
    "EnsembleMode",
    "Evaluated",
    "Histogram",
    "Judged",
    "Mixed",
    "OwnNetwork",
    "Plan",
    "Predict",
    "Problem",
    "Ranges",
    "Recorder",
    "Rung",
    "Stacked",
    "StatesBlock",
    "Tally",
    "Task",
    "TestSet",
    "available_bytes",
    "block_means",
    "bytes_of_data",
    "callback",
    "climate_blocks",
    "clocked",
    "compile_rollouts",
    "count_operations",
    "count_parameters",
    "decompose",
    "draw_emulators",
    "draws_on_host",
    "emulator_programs",
    "ensemble_blocks",
    "evaluate",
    "fitted",
    "from_flat_weights",
    "judge",
    "kaplan_yorke",
    "lyapunov_growth",
    "moments_of",
    "named_shapes",
    "named_weights",
    "needs_statistics",
    "on_grid",
    "outline_emulators",
    "parse_callbacks",
    "require_room_for_data",
    "require_room_for_training",
    "score_rollouts",
    "select_seed",
    "skeleton",
    "solver_programs",
    "stacked",
    "task",
    "unstacked",
    "with_weights",
]

check_all(globals())
