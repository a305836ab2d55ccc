"""Writes docs/initial_conditions.md from the registry, and its picture.

Run it as ``python docs/initial_conditions.py``; the picture needs the ``plot`` extra.
"""

import dataclasses
import inspect
from pathlib import Path

from apexr.initial import INITIAL_CONDITIONS, sample_set
from apexr.spectral import Grid

FOLDER = Path(__file__).parent
EXAMPLES = {
    "blobs": "blobs;3",
    "channels": "channels;blobs;1;true|blobs;1",
    "clamp": "clamp;0;1;grf;3;true;true",
    "diffused": "diffused;0.001;true;true",
    "discontinuities": "discontinuities;5",
    "fourier": "fourier;5;true;true",
    "fourier_modes": "fourier_modes;3",
    "grf": "grf;3;true;true",
    "modes": "modes;1,3;true",
    "noise_fourier": "noise_fourier;5;true;true",
    "noise_grf": "noise_grf;3;true;true",
    "scaled": "scaled;2;fourier;2;true;true",
    "sine_waves": "sine_waves;3",
    "white_noise": "white_noise",
}
TICKS = (0, 0.5, 1)
TEXT = """# Initial conditions

An initial condition is a distribution over states, named by a config string. `ic_config` of every
scenario takes any of these; `apexr list initial_conditions` prints them. Fields in brackets may be
left out from the end; their defaults stand in the third column. This page is written by
`docs/initial_conditions.py`.

{table}

- Normalization is done in this order: `ZERO_MEAN` subtracts the mean, `STD_ONE` divides by the
  standard deviation (it needs zero mean and excludes `MAX_ONE`), `MAX_ONE` divides by the largest
  absolute value.
- `clamp` and `scaled` take all that is left of the string. `channels` takes a list separated by
  bars, one initial condition for each channel; `clamp` and `scaled` may stand within an entry or
  around the whole list. Lists do not nest.
- A condition for one channel is drawn for each channel of a scenario. One with `channels` must
  have as many as the scenario.
- All lengths are those of a domain of extent 1, whatever the extent of the scenario.

## Functions of position

`blobs`, `discontinuities`, `sine_waves`, `fourier` and `fourier_modes`, and `channels`, `clamp` and
`scaled` around them, are functions of position as well:

```python
import jax
from apexr.initial import INITIAL_CONDITIONS
from apexr.spectral import Grid

condition = INITIAL_CONDITIONS.parse("channels;blobs;1;true|blobs;1")
function = condition.sample_function(Grid(2, 32), jax.random.PRNGKey(0))
function(Grid(2, 100).coordinates)  # (2, 100, 100): finer, the same state
function([0.5, 0.5])  # (2,): the values at one point
```

On the grid given, the function is the state that `condition.sample` draws from the same key.
Without normalization or `clamp`, whose statistics are those of that grid, it is the same for every
grid, except for `fourier`: its coefficients are drawn for all waves that a grid holds.
`fourier_modes` draws each mode from a key of its own, so that a seed means one function at every
resolution.

![One state of each](images/initial_conditions.png)
"""


def main() -> None:
    rows = ["| name | string | defaults | meaning |", "|---|---|---|---|"]
    rows += [_row(name) for name in INITIAL_CONDITIONS.names()]
    page = TEXT.format(table="\n".join(rows))
    (FOLDER / "initial_conditions.md").write_text(page, encoding="utf-8")
    _draw()


def _row(name: str) -> str:
    cls = INITIAL_CONDITIONS.registry.get(name)
    fields = [f for f in dataclasses.fields(cls) if f.default is not dataclasses.MISSING]
    defaults = ", ".join(f"{f.name.upper()} {_plain(f.default)}" for f in fields)
    _, _, text = (inspect.getdoc(cls) or "").partition(" - ")
    meaning = " ".join(text.replace("``", "`").split())
    cells = [f"`{name}`", f"`{INITIAL_CONDITIONS.usage(name)}`", defaults, meaning]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:.6g}"


def _draw() -> None:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(4, 4, figsize=(12, 11.2), layout="constrained")
    for place, (axis, (name, text)) in enumerate(zip(axes.flat, _panels(), strict=False)):
        condition = INITIAL_CONDITIONS.parse(text)
        channels = condition.num_channels or 1
        dims = 1 if name in ("modes", "sine_waves") else 2
        grid = Grid(dims, 40)
        state = sample_set(condition, grid, num_samples=1, num_channels=channels, seed=1)[0]
        if dims == 1:
            axis.plot(grid.coordinates[0], state[0])
            axis.set(box_aspect=1, ylabel="u [–]", xlim=(0, 1), xticks=TICKS)
        else:
            channel = channels - 1 if name.endswith("(2)") else 0
            looks = {"origin": "lower", "cmap": "RdBu_r", "interpolation": "nearest"}
            drawn = axis.imshow(state[channel].T, extent=(0, 1, 0, 1), **looks)
            figure.colorbar(drawn, cax=axis.inset_axes((1.04, 0, 0.05, 1)), label="u [–]")
            axis.set(xticks=TICKS, yticks=TICKS, ylabel="" if place % 4 else "y [–]")
        axis.set(xlabel="x [–]" if place >= 9 else "")
        axis.set_title(f"{name}\n{text}", fontsize=9)
    for axis in axes.flat[len(_panels()) :]:
        axis.remove()
    figure.savefig(FOLDER / "images" / "initial_conditions.png", dpi=110)
    plt.close(figure)


def _panels() -> list[tuple[str, str]]:
    panels = []
    for name, text in EXAMPLES.items():
        twice = name == "channels"
        panels += [(f"{name} ({n})", text) for n in (1, 2)] if twice else [(name, text)]
    return panels


if __name__ == "__main__":
    main()
