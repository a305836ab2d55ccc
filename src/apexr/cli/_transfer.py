"""`apexr export` and `apexr import`: results for and from other programs."""

import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from apexr.cli._app import app
from apexr.cli._parameters import one_of, read_parameters
from apexr.cli._text import counted, say
from apexr.errors import StoreError


class Format(enum.StrEnum):
    """The formats that ``apexr export`` writes."""

    csv = enum.auto()
    parquet = enum.auto()
    wide = enum.auto()
    netcdf = enum.auto()
    well = enum.auto()
    safetensors = enum.auto()


_SUFFIXES = {
    Format.csv: ".csv",
    Format.parquet: ".parquet",
    Format.wide: ".csv",
    Format.netcdf: ".nc",
    Format.well: ".hdf5",
    Format.safetensors: ".safetensors",
}
"""How files of a format end."""


@app.command()
def export(
    store: Annotated[str, typer.Argument(help="Store of an experiment or a study, also a URL.")],
    format: Annotated[
        Format,
        typer.Option(
            help="Long table (csv, parquet), wide table, netCDF, The Well, or weights.",
            metavar=f"[{'|'.join(Format)}]",
            parser=one_of(Format),
        ),
    ] = Format.csv,
    variable: Annotated[
        str | None,
        typer.Option(help="Variable of the long table, mean_nRMSE by default, or of The Well."),
    ] = None,
    experiment: Annotated[str | None, typer.Option(help="Id of one experiment of a study.")] = None,
    output: Annotated[Path | None, typer.Option(help="File to write.")] = None,
) -> None:
    """Write a result or a study for other programs; large tables are written piece by piece."""
    from apexr import store as stores
    from apexr.schema import identifier

    study = stores.Study.at(store)
    source = study.place if experiment is None else study.unit(study.full_id(experiment))
    stem = study.place.name.removesuffix(".zarr")
    if format in (Format.csv, Format.parquet):
        variable = variable or "mean_nRMSE"
        stem += f"_{identifier(variable)}"
    path = output or Path(stem + _SUFFIXES[format])
    if path.is_dir():
        raise StoreError(f"{path}: cannot be written, it is a folder; name a file")
    path = path if path.suffix else path.with_suffix(_SUFFIXES[format])
    say(f"written to {_exported(source, format, variable, path)}")


def _exported(source: Any, format: Format, variable: str | None, path: Path) -> Path:
    """Write what a store holds to a file and return its path."""
    from apexr import analysis
    from apexr import store as stores

    if format is Format.safetensors:
        stores.export_safetensors(source, path)
        return path
    data = _opened(source, format)
    if format is Format.well:
        analysis.to_well(data, path, variable)
    elif format is Format.netcdf:
        stores.publish_dataset(data, path, overwrite=True)
    elif format is Format.wide:
        analysis.write_table(iter([analysis.to_wide(data)]), path)
    else:
        analysis.to_long(data, str(variable), path)
    return path


def _opened(source: Any, format: Format) -> Any:
    from apexr import store as stores

    if stores.is_study(source):
        return stores.open_study(source)
    if stores.is_published(source) and stores.kind_of(source) == "trajectories":
        if format in (Format.netcdf, Format.well):
            held = stores.open_trajectories(source)
            return held if format is Format.well else held.to_dataset()
        raise StoreError(f"{source}: holds trajectories; export them as netcdf or well")
    return stores.open_experiment(source)


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="Wide tables (CSV) of results.")],
    store: Annotated[str, typer.Option(help="Study that takes the experiments in.")],
    weights: Annotated[
        Path | None, typer.Option(help="Networks (.eqx) of the table; by default those next to it.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(help="Scenario key, where the table does not tell.")
    ] = None,
    parameters: Annotated[
        list[str] | None,
        typer.Option("--set", help="Scenario parameter, KEY=VALUE, that the table does not tell."),
    ] = None,
) -> None:
    """Bring results of the published benchmark into a study; nothing in the files is run."""
    import apexr

    keywords = read_parameters(parameters or [])
    if weights is not None and len(files) > 1:
        raise typer.BadParameter("weights are of one table", param_hint="--weights")
    for file in files:
        found = apexr.import_results(file, store, weights=weights, scenario=scenario, **keywords)
        for one in found:
            networks = f"networks of {one.weights.name}" if one.weights else "no networks"
            say(f"{one.id} {counted(len(one.seeds), 'seed')}, {networks}")
    say(f"imported into {store}")
