"""Print how the modules of apexr import each other: ``make graph``, or this file with packages.

``python tools/import_graph.py [PACKAGE ...]`` prints a line for each package: its files, the arrows
(imports of one of its files by another) and the floors (the files of the longest chain of such
imports). For the packages that are named it prints that chain, too, from the top down. What
``__init__.py`` lists is no import; files that import each other stand on one floor.
"""

import sys
from collections.abc import Mapping

import grimp  # comes with import-linter

ROOT = "apexr"


def arrows(modules: set[str], graph: grimp.ImportGraph) -> dict[str, set[str]]:
    """Return which of the modules each of them imports."""
    return {one: graph.find_modules_directly_imported_by(one) & modules - {one} for one in modules}


def rings(imports: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    """Return for each module all that it imports, through others, and that import it back."""
    below = {one: reached(one, imports) for one in imports}
    return {
        one: frozenset({one, *(other for other in below[one] if one in below[other])})
        for one in imports
    }


def reached(start: str, imports: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    ahead = [start]
    while ahead:
        new = imports[ahead.pop()] - found
        found |= new
        ahead += new
    return found


def longest(imports: Mapping[str, set[str]]) -> list[str]:
    """Return the modules of the longest chain of imports, from the top down."""
    ring = rings(imports)
    chains: dict[frozenset[str], list[str]] = {}

    def chain(floor: frozenset[str]) -> list[str]:
        if floor not in chains:
            below = {ring[other] for one in floor for other in imports[one]} - {floor}
            lower = max((chain(other) for other in sorted(below, key=sorted)), key=len, default=[])
            chains[floor] = [" = ".join(sorted(floor)), *lower]
        return chains[floor]

    return max((chain(ring[one]) for one in sorted(imports)), key=len, default=[])


def files_of(package: str, graph: grimp.ImportGraph) -> set[str]:
    """Return the modules that are files of a package, other than ``__init__.py``."""
    return {one for one in graph.find_descendants(package) if not graph.find_children(one)}


def main(*named: str) -> None:
    sys.setrecursionlimit(10_000)
    graph = grimp.build_graph(ROOT, cache_dir=None)
    packages = {one for one in graph.find_children(ROOT) if graph.find_children(one)}
    wanted = [f"{ROOT}.{one.removeprefix(f'{ROOT}.')}" for one in named]
    if unknown := [one for one in wanted if one not in packages]:
        sys.exit(f"no package: {', '.join(unknown)}; there are {', '.join(sorted(packages))}")
    print(f"{'package':20}{'files':>7}{'arrows':>8}{'floors':>8}")
    for package in wanted or [ROOT, *sorted(packages)]:
        imports = arrows(files_of(package, graph), graph)
        chain = longest(imports)
        count = sum(map(len, imports.values()))
        name = package.removeprefix(f"{ROOT}.")
        print(f"{name:20}{len(imports):7}{count:8}{len(chain):8}")
        if wanted:
            print("\n".join(f"  {one.replace(f'{package}.', '')}" for one in chain))


if __name__ == "__main__":
    main(*sys.argv[1:])
