"""Build the source distribution and the wheel, and refuse what a stranger should not get.

``python tools/check_distribution.py [FOLDER]`` leaves both in the folder, if one is named. It fails
for files that do not belong there, for a page on the index with a link that leads nowhere, and for
what twine refuses.
"""

import email
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BESIDE_THE_CODE = {
    ".gitignore",  # hatchling takes it along
    "CHANGELOG.md",
    "CITATION.cff",
    "LICENSE",
    "PKG-INFO",
    "README.md",
    "pyproject.toml",
}
CODE = re.compile(
    r"apexr/(\w+/)*(\w+\.py|__init__\.pyi|(difficulty|normalized|_shared)\.pyi|py\.typed)|apexr/experiment/reference_errors\.json"
)
METADATA = re.compile(
    r"apexr-[\w.]+\.dist-info/(METADATA|WHEEL|RECORD|entry_points\.txt|licenses/LICENSE)"
)
RELATIVE = re.compile(r"\]\((?!https://|#)[^)]*\)")


def main(*folders: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(folders[0] if folders else scratch)
        build = [
            sys.executable,
            "-m",
            "build",
            "--no-isolation",
            "--outdir",
            str(folder),
            str(ROOT),
        ]
        subprocess.run(build, check=True, stdout=subprocess.DEVNULL)
        (source,), (wheel,) = folder.glob("apexr-*.tar.gz"), folder.glob("apexr-*.whl")
        files = [source, wheel]
        subprocess.run([sys.executable, "-m", "twine", "check", "--strict", *files], check=True)
        wrong = [*strays_of_source(source), *strays_of_wheel(wheel), *dead_links(wheel)]
    if wrong:
        sys.exit("\n".join(wrong))


def strays_of_source(path: Path) -> list[str]:
    """Return a complaint for each file of a source distribution that does not belong there."""
    with tarfile.open(path) as archive:
        names = [name.partition("/")[2] for name in archive.getnames()]
    found = {name.removeprefix("src/") for name in names}
    missing = [f"{path.name} lacks {name}" for name in BESIDE_THE_CODE - found]
    return missing + [
        f"{path.name} holds {name}" for name in found - BESIDE_THE_CODE if not CODE.fullmatch(name)
    ]


def strays_of_wheel(path: Path) -> list[str]:
    """Return a complaint for each file of a wheel that does not belong there, or is missing."""
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
    here = {str(file.relative_to(ROOT / "src")) for file in (ROOT / "src/apexr").rglob("*")}
    here = {name for name in here if CODE.fullmatch(name)}
    return [f"{path.name} lacks {name}" for name in sorted(here - names)] + [
        f"{path.name} holds {name}"
        for name in sorted(names)
        if not (CODE.fullmatch(name) or METADATA.fullmatch(name))
    ]


def dead_links(path: Path) -> list[str]:
    """Return a complaint for each link of the page on the index that leads into a clone."""
    with zipfile.ZipFile(path) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        page = email.message_from_bytes(archive.read(name)).get_payload()
    return [f"the page on the index links to {link}" for link in RELATIVE.findall(page)]


if __name__ == "__main__":
    main(*sys.argv[1:])
