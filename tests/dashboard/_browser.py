"""Pages in a real browser: Chromium without a window, driven by Playwright."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
REQUIRED = os.environ.get("APEXR_BROWSER") == "required"
WAIT = 60_000
"""Milliseconds that a busy machine is given."""
QUIET = ("GL Driver Message", "allowHTML")
"""Parts of warnings that come from the browser's drawing, or from a script of Panel."""


def chromium():
    """Skip the test where there is no browser; fail where there must be one."""
    if CHROMIUM is None:
        reason = "no Chromium is installed: run `make browser`"
        (pytest.fail if REQUIRED else pytest.skip)(reason)
    return CHROMIUM


def violations(page, leaving=()):
    """Return what axe-core calls serious or critical on a page, each with the parts that it is in.

    Parameters
    ----------
    page
        The tab.
    leaving
        Rules that are left out.
    """
    try:
        from axe_playwright_python.base import AXE_SCRIPT
    except ImportError:
        reason = "axe-playwright-python is not installed"
        (pytest.fail if REQUIRED else pytest.skip)(reason)
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return {
        one["id"]: [node["html"] for node in one["nodes"]]
        for one in found
        if one["impact"] in ("serious", "critical") and one["id"] not in leaving
    }


class Page:
    """A tab of the browser that notes what goes wrong in it."""

    def __init__(self, page):
        self.page = page
        self.problems = []
        self.requests = []
        page.set_default_timeout(WAIT)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("requestfailed", lambda request: self.problems.append(f"failed {request.url}"))
        page.on("request", lambda request: self.requests.append(request.url))

    def _console(self, message):
        told = message.text
        if message.type in ("error", "warning") and not any(part in told for part in QUIET):
            self.problems.append(told)

    def open(self, url):
        """Open a page and wait until it is drawn."""
        self.page.goto(url)
        self.page.locator(".bk-Figure").first.wait_for(state="attached")
        self.settle()

    def another(self):
        """Return a further tab of the same window; its problems are those of this one."""
        one = Page(self.page.context.new_page())
        one.problems, one.requests = self.problems, self.requests
        return one

    def settle(self):
        """Wait until the picture stays as it is: Bokeh has done what it was told."""
        before, same = None, 0
        for _ in range(200):
            time.sleep(0.2)
            now = self.picture()
            same = same + 1 if now == before else 0
            before = now
            if same == 4:
                return
        raise AssertionError("the page does not come to rest")

    def picture(self, place=None):
        """Return the pixels of the page, or of a part of it."""
        from playwright.sync_api import Error

        for _ in range(10):
            with contextlib.suppress(Error):  # replaced by another one meanwhile
                return (self.page if place is None else place).screenshot(timeout=WAIT / 10)
        raise AssertionError("no picture can be taken")

    def changed(self, before, place=None):
        """Wait until a picture is another one, and stays as it is then."""
        for _ in range(150):
            time.sleep(0.2)
            if self.picture(place) != before:
                return self.settle()
        raise AssertionError("the picture has not changed")

    def elsewhere(self):
        """Return the addresses that were asked for outside of this machine."""
        own = re.compile(r"(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|file:|blob:|data:")
        return [url for url in self.requests if not own.match(url)]


@contextlib.contextmanager
def served(*arguments):
    """Run a command of apexr that serves a page; give its address."""
    command = [sys.executable, "-u", "-m", "apexr", *map(str, arguments), "--no-open", "--port=0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if found := re.search(r"http://\S+", line):
                yield found[0].replace("localhost", "127.0.0.1")
                break
        else:
            raise AssertionError("".join(lines))
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()
