"""Descriptions of a published study: for archives, for readers of data sets, and for people."""

import json
import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr

from apexr import __version__
from apexr.analysis._dialects import MARKDOWN, one_line
from apexr.errors import how_to_install
from apexr.schema import diverged_seeds

_SOFTWARE = "https://github.com/apexr/apexr"
_TYPES = {".zip": "application/zip", ".toml": "application/toml", ".cff": "text/yaml"}
_TEXT, _NUMBER, _WHOLE = "sc:Text", "sc:Float", "sc:Integer"


@dataclass(frozen=True)
class Made:
    """An experiment of a study.

    Attributes
    ----------
    id
        Its id, whatever its seeds.
    units
        Names of the files in the study that hold it, without their endings.
    result
        Their content.
    """

    id: str
    units: tuple[str, ...]
    result: xr.Dataset


@dataclass(frozen=True)
class About:
    """The facts about a study.

    Attributes
    ----------
    title, authors, license
        As in :func:`apexr.publish`.
    date
        Day of the publication, ``2027-01-31``.
    study_file
        Name of the file that it was asked for with.
    """

    title: str
    authors: tuple[str, ...]
    license: str
    date: str
    study_file: str

    @property
    def said(self) -> str:
        """A sentence of what it is."""
        return f"{self.title}: trainings and rollouts of neural PDE emulators, made by apexr."


def crate(about: About, folder: Path, sums: Mapping[str, str], results: Sequence[Made]) -> str:
    """Return the description by RO-Crate 1.1: all files, and an action for each experiment."""
    files = [
        {
            "@id": name,
            "@type": "File",
            "name": name,
            "contentSize": str((folder / name).stat().st_size),
            "encodingFormat": _media_type(name),
            "sha256": digest,
        }
        for name, digest in sorted(sums.items())
    ]
    people = [{"@id": f"#{n}", "@type": "Person", "name": p} for n, p in _numbered(about.authors)]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": about.title,
        "description": about.said,
        "datePublished": about.date,
        "license": {"@id": _license(about)},
        "author": [{"@id": one["@id"]} for one in people],
        "hasPart": [{"@id": one["@id"]} for one in files],
    }
    software = {
        "@id": _SOFTWARE,
        "@type": "SoftwareApplication",
        "name": "apexr",
        "softwareVersion": __version__,
        "url": _SOFTWARE,
    }
    described = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
        "about": {"@id": "./"},
    }
    terms = {"@id": _license(about), "@type": "CreativeWork", "name": about.license}
    actions = [_action(about, one, files) for one in results]
    root["mentions"] = [{"@id": one["@id"]} for one in actions]
    graph = [described, root, *files, *people, software, terms, *actions]
    context = "https://w3id.org/ro/crate/1.1/context"
    return json.dumps({"@context": context, "@graph": graph}, indent=1) + "\n"


def _action(about: About, made: Made, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return how an experiment was made."""
    result = made.result
    units = [f"/experiments/{unit}" for unit in made.units]
    held = [one["@id"] for one in files if any(unit in f"/{one['@id']}" for unit in units)]
    return {
        "@id": f"#{made.id}",
        "@type": "CreateAction",
        "name": one_line("  ".join(str(result[n].item()) for n in ("scenario", "net", "train"))),
        "instrument": {"@id": _SOFTWARE},
        "object": {"@id": about.study_file},
        "result": [{"@id": one} for one in held],
        "endTime": str(result.attrs.get("created", about.date)),
    }


def croissant(about: About, table: Path, digest: str) -> str:
    """Return the description by Croissant 1.0 of the table of errors."""
    heads = table.read_text(encoding="utf-8").partition("\n")[0].strip().split(",")
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"errors/{name}",
            "name": name,
            "description": f"Column {name}.",
            "dataType": _data_type(name),
            "source": {"fileObject": {"@id": table.name}, "extract": {"column": name}},
        }
        for name in heads
    ]
    told = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": about.title,
        "description": about.said,
        "license": _license(about),
        "url": _SOFTWARE,
        "version": "1.0.0",
        "datePublished": about.date,
        "creator": [{"@type": "sc:Person", "name": one} for one in about.authors],
        "citeAs": f"{'; '.join(about.authors)}: {about.title}, {about.date[:4]}",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": table.name,
                "name": table.name,
                "contentUrl": table.name,
                "encodingFormat": "text/csv",
                "sha256": digest,
            }
        ],
        "recordSet": [
            {"@type": "cr:RecordSet", "@id": "errors", "name": "errors", "field": fields}
        ],
    }
    return json.dumps(told, indent=1) + "\n"


def citation(about: About) -> str:
    """Return how to cite the study, in the Citation File Format."""
    lines = ["cff-version: 1.2.0", "message: If you use these data, please cite them."]
    lines += ["type: dataset", f"title: {json.dumps(about.title)}", "authors:"]
    lines += [f"  - name: {json.dumps(one)}" for one in about.authors]
    lines += [f"date-released: {about.date}", f"license: {json.dumps(about.license)}"]
    return "\n".join(lines) + "\n"


def readme(about: About, results: Sequence[Made]) -> str:
    """Return what a reader of the folder has to know."""
    rows = [
        [str(one.result[name].item()) for name in ("scenario", "net", "train")]
        + [str(one.result.sizes["seed"]), str(int(diverged_seeds(one.result).sum())), one.id]
        for one in results
    ]
    head = ["scenario", "network", "training", "seeds", "diverged", "id"]
    table = [head, ["---"] * len(head), *([MARKDOWN.escape(text) for text in row] for row in rows)]
    lines = [f"# {MARKDOWN.escape(about.title)}", "", MARKDOWN.escape("; ".join(about.authors))]
    lines += [
        "",
        f"Trainings and rollouts of neural PDE emulators, made by apexr {__version__}.",
        "",
    ]
    lines += [f"| {' | '.join(row)} |" for row in table]
    lines += ["", f"To read it, install apexr: {how_to_install('plot')}.", ""]
    lines += ["```console", "$ apexr show study.zarr"]
    lines += [
        "$ apexr verify .            # every byte",
        "$ apexr verify . --rerun 1  # and a result",
    ]
    lines += [f"$ apexr study {about.study_file} --store again.zarr", "```", ""]
    lines += [
        "`study.zarr` holds an experiment in each file, `errors.csv` the errors over time,",
        f"`{about.study_file}` what was asked for, `requirements.lock` the versions of packages,",
        "`checksums.sha256` the digest of each file (`sha256sum --check checksums.sha256`).",
    ]
    return "\n".join(lines) + "\n"


def _numbered(names: Sequence[str]) -> list[tuple[str, str]]:
    return [(f"author-{number}", name) for number, name in enumerate(names, 1)]


def _license(about: About) -> str:
    return f"https://spdx.org/licenses/{about.license}"


def _media_type(name: str) -> str:
    known = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0]
    return known or "application/octet-stream"


def _data_type(column: str) -> str:
    if column in ("seed", "time_step", "test_sample"):
        return _WHOLE
    return _TEXT if column in ("scenario", "task", "net", "train", "scenario_kwargs") else _NUMBER


_CR = (
    *("citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject"),
    *("fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField"),
    *("path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate"),
    *("separator", "source", "subField"),
    "transform",
)
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    **{name: f"cr:{name}" for name in _CR},
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "sc": "https://schema.org/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
}
"""The names of Croissant 1.0."""
