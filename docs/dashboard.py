"""The screenshots of docs/dashboard.md: a small study is run, and both pages are looked at.

Run it with ``make docs-dashboard`` (a few minutes on two cores). The study lies in
``docs/_build/dashboard``, or in the folder that is given, ``python docs/dashboard.py FOLDER``; what
is finished is not run again.
"""

import contextlib
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apexr

HERE = Path(__file__).resolve().parent
SIZES = {
    "num_points": 64,
    "num_train_samples": 10,
    "train_temporal_horizon": 20,
    "num_test_samples": 6,
    "test_temporal_horizon": 60,
    "num_trjs_returned": 2,
    "optim_config": "adam;400;warmup_cosine;0.0;3e-3;40",
    "record_loss_every": 10,
    "batch_size": 10,
    "num_seeds": 3,
    "report_metrics": "mean_nRMSE,mean_correlation",
}
NETS = ("Conv;12;4;relu", "Res;12;2;relu", "FNO;12;8;4;gelu")
TOO_FAST = {**SIZES, "optim_config": "adam;40;constant;3.0"}
"""Makes seeds of the linear network diverge, which the page has to show."""


def study(folder: Path) -> Path:
    """Run what is missing of the study; seeds of its last experiment diverge."""
    configs = [
        {"scenario": key, "net": net, "train": train, **SIZES}
        for key in ("diff_burgers", "diff_ks")
        for net in NETS
        for train in ("one", "sup;3")
    ]
    configs.append({"scenario": "diff_burgers", "net": "Pure;3", "train": "sup;5", **TOO_FAST})
    apexr.run_study(configs, folder)
    return folder


@contextlib.contextmanager
def served(*arguments: str) -> Iterator[str]:
    """Serve a page; give its address."""
    command = [sys.executable, "-u", "-m", "apexr", *arguments, "--no-open", "--port=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = (re.search(r"http://\S+", line) for line in process.stdout)
        yield next(match[0] for match in found if match)
        process.terminate()


def look(browser: Any, url: str, place: str, steps: int = 0, press: str = "") -> None:
    """Open a page, press a button and move its slider, and keep a picture of it."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(url)
    page.locator(".bk-Figure, table, .bk-btn").last.wait_for(state="attached", timeout=120_000)
    page.wait_for_timeout(3000)
    if press:
        page.get_by_role("button", name=press).click()
        page.locator(".bk-Figure").nth(3).wait_for(state="attached", timeout=300_000)
    for _ in range(steps):
        page.locator(".noUi-handle").first.press("ArrowRight")
    page.wait_for_timeout(4000)
    page.screenshot(path=HERE / "dashboard" / place)
    page.close()


def main(folder: Path = HERE / "_build" / "dashboard") -> None:
    """Run the study and take all pictures."""
    from playwright.sync_api import sync_playwright

    path = study(folder / "study.zarr")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        with served("dashboard", str(path)) as url:
            ids = apexr.list_experiments(path)["id"].tolist()
            look(browser, url, "study.png")
            look(browser, f"{url}?b={','.join(ids[6:9])}&scale=log", "compare.png")
            look(browser, f"{url}?view=statistics&a={','.join(ids[:12])}", "statistics.png")
            split = f"{url}?view=decomposition&a={','.join(ids[:2])}"
            look(browser, split, "decomposition.png", press="Split the errors")
        with served("explore", "diff_ks") as url:
            look(browser, url, "explorer.png", steps=60)
        browser.close()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
