"""A part of each kind is added from outside by one file, and works wherever a name does.

All six meet in one experiment with an answer known in closed form: the equation ``uₜ = -r u``
shrinks every state by ``exp(-r dt)``, and the network has that factor as its only weight.
"""

import importlib.util
import textwrap

import numpy as np
import pytest

import apexr
from apexr.initial import INITIAL_CONDITIONS
from apexr.metrics import METRICS
from apexr.networks import NETWORKS
from apexr.training import OPTIMIZERS

FILES = {
    "equation": '''
        """An equation and its scenario."""
        import dataclasses
        import numpy as np
        import apexr
        from apexr.spectral import laplacian
        from apexr.steppers import Equation

        @dataclasses.dataclass(frozen=True)
        class Decay(Equation):
            """uₜ = -r u."""
            r: float = 1.0

            def linear_symbol(self, grid):
                return -self.r * np.ones_like(laplacian(grid))

        class Decaying(apexr.EquationScenario):
            """States that decay."""
            dt: float = 0.1
            r: float = 1.0

            def equation(self):
                return Decay(r=self.r)

        apexr.scenarios.scenario_dict["outside_decay"] = Decaying
    ''',
    "network": '''
        """A network."""
        import equinox as eqx
        import jax.numpy as jnp
        from apexr.networks import NetworkSpec, network

        class Scale(eqx.Module):
            """Gives the state times a factor."""
            factor: jnp.ndarray

            def __call__(self, state):
                return self.factor * state

        @network("OutsideScale")
        class ScaleSpec(NetworkSpec):
            """OutsideScale;START - the state times a factor."""
            start: float

            def build(self, grid, num_channels, key):
                return Scale(jnp.float32(self.start))
    ''',
    "metric": '''
        """A metric with a mask: the error on the first half of the grid."""
        import jax.numpy as jnp
        from apexr.metrics import Metric, metric

        @metric("mean_outside_half")
        class HalfError(Metric):
            """mean_outside_half - the largest error on the first half of the grid."""

            def sample_error(self, prediction, target):
                mask = jnp.arange(target.shape[-1]) < target.shape[-1] // 2
                return jnp.max(jnp.where(mask, jnp.abs(prediction - target), 0.0))
    ''',
    "optimizer": '''
        """An optimizer."""
        import optax
        from apexr.training import optimizer

        @optimizer("outside_descent")
        def descent(rate, *, times: float = 1.0):
            """Gradient descent, several times the rate."""
            return optax.chain(optax.scale(times), optax.sgd(rate))
    ''',
    "initial_condition": '''
        """An initial condition."""
        import jax.numpy as jnp
        from apexr.initial import InitialCondition, initial_condition

        @initial_condition("outside_wave")
        class Wave(InitialCondition):
            """outside_wave;NUMBER - a sine."""
            number: int

            def sample(self, grid, key):
                x = grid.coordinates / grid.domain_extent
                return jnp.sin(2 * jnp.pi * self.number * x)
    ''',
    "plot": '''
        """A plot."""
        import holoviews as hv

        def final_errors(ds, variable="mean_nRMSE"):
            """Return the error of each seed at the last step, as bars."""
            last = ds[variable].isel(time=-1)
            return hv.Bars((last["seed"].values, last.values), ["seed"], [variable])
    ''',
}


@pytest.fixture
def outside(tmp_path):
    """Import the files, none of which knows another one or is known to the package."""
    modules = {}
    for name, text in FILES.items():
        path = tmp_path / f"outside_{name}.py"
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        spec = importlib.util.spec_from_file_location(path.stem, path)
        modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(modules[name])
    yield modules
    del apexr.scenarios.scenario_dict["outside_decay"]
    for kind, name in (
        (NETWORKS, "OutsideScale"),
        (METRICS, "mean_outside_half"),
        (OPTIMIZERS, "outside_descent"),
        (INITIAL_CONDITIONS, "outside_wave"),
    ):
        kind.registry.unregister(name)


def test_six_files_make_one_experiment(outside):
    ds = apexr.run(
        "outside_decay",
        net="OutsideScale;0.5",
        ic_config="outside_wave;2",
        optim_config="with;times=2;outside_descent;60;constant;0.5",
        report_metrics="mean_nRMSE,mean_outside_half",
        num_points=16,
        num_train_samples=2,
        num_test_samples=2,
        train_temporal_horizon=3,
        test_temporal_horizon=4,
        record_loss_every=10,
        batch_size=4,
        num_trjs_returned=2,
        num_seeds=2,
        progress=False,
    )
    factor = np.exp(-0.1)
    wave = np.sin(4 * np.pi * np.arange(16) / 16)
    steps = np.arange(1, 5)
    truth = ds["sample_reference"].isel(sample=0, channel=0).transpose("time", "x").values
    np.testing.assert_allclose(truth, factor ** steps[:, None] * wave, atol=1e-5)

    rollout = ds["sample_rollout"].isel(seed=0, sample=0, channel=0).transpose("time", "x").values
    np.testing.assert_allclose(rollout, truth, atol=1e-4)  # the weight was found
    half = np.abs(rollout - truth)[:, :8].max(axis=1)
    said = ds["mean_outside_half"].isel(seed=0).values
    np.testing.assert_allclose(said, half, atol=1e-6)
    assert float(ds["train_loss"].isel(seed=0, update_step=0)) > 0.01

    bars = outside["plot"].final_errors(ds)
    np.testing.assert_allclose(bars.dimension_values(1), ds["mean_nRMSE"].isel(time=-1).values)


@pytest.mark.usefixtures("outside")
def test_they_are_listed_with_their_forms():
    assert NETWORKS.usage("OutsideScale") == "OutsideScale;START"
    assert INITIAL_CONDITIONS.usage("outside_wave") == "outside_wave;NUMBER"
    assert OPTIMIZERS.usage("outside_descent") == "outside_descent;UPDATES;SCHEDULE"
    assert "mean_outside_half" in METRICS.names()
