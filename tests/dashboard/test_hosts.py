"""A page answers to the names of this machine alone, and its filters show labels as text."""

import http.client
import time

import pytest

from apexr.dashboard._elements import panel
from apexr.dashboard._records import Records
from apexr.dashboard._serve import _free_port, serve
from apexr.dashboard._study import StudyPage


def answer(port, host):
    """Return the status and the body of the page when it is asked for under a name."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest("GET", "/", skip_host=True)
    connection.putheader("Host", host)
    connection.endheaders()
    reply = connection.getresponse()
    return reply.status, reply.read()


def answers(port):
    for _ in range(100):
        try:
            return answer(port, f"127.0.0.1:{port}")
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise AssertionError("nothing is served")


def test_foreign_hosts_get_nothing():
    pn, port = panel(), _free_port()
    served = serve(lambda: pn.pane.HTML("words"), "a", port=port, show=False, threaded=True)
    try:
        assert answers(port)[0] == 200
        assert answer(port, f"localhost:{port}")[0] == 200
        for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}", ""):
            status, body = answer(port, host)
            assert status in (400, 421)
            assert body == b"" or status == 400
    finally:
        served.stop()


@pytest.mark.parametrize("label", ["<img src=x onerror=alert(1)>", "a & b"])
def test_filters_show_labels_as_text(study, label):
    page = StudyPage(records := Records(study))
    records.table.loc[0, "net"] = label
    page.update()
    shown = page.filters["net"].options
    assert label in shown.values()
    assert not any("<" in text or "& " in text for text in shown)
