"""The failure callback, with a real HTTP server."""

from __future__ import annotations

import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest

from salesflow_runners.alerts import report_failure

CONTEXT = {
    "ti": SimpleNamespace(dag_id="sales_pipeline", task_id="load", run_id="manual__1", try_number=4),
    "exception": RuntimeError("load failed for good (exit code 1)"),
}


@pytest.fixture
def webhook():
    received: list[dict] = []
    status = [200]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(
                {"path": self.path, "type": self.headers["Content-Type"], "body": json.loads(body)}
            )
            self.send_response(status[0])
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield SimpleNamespace(
        url=f"http://127.0.0.1:{server.server_port}/token-hunter2", received=received, status=status
    )
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.INFO)
    return caplog


def test_report_failure_says_what_failed(log, monkeypatch) -> None:
    monkeypatch.delenv("SALESFLOW_ALERT_URL", raising=False)
    report_failure(CONTEXT)
    (line,) = log.messages
    assert line.startswith(
        "Stage load of sales_pipeline failed in manual__1 (try 4): load failed for good (exit code 1)."
    )


def test_report_failure_posts_to_the_webhook(log, monkeypatch, webhook) -> None:
    monkeypatch.setenv("SALESFLOW_ALERT_URL", webhook.url)
    report_failure(CONTEXT)
    (request,) = webhook.received
    assert request["path"] == "/token-hunter2"
    assert request["type"] == "application/json"
    assert request["body"]["text"] == log.messages[0]
    assert "hunter2" not in log.text


def test_report_failure_survives_a_failing_webhook(log, monkeypatch, webhook) -> None:
    webhook.status[0] = 500
    monkeypatch.setenv("SALESFLOW_ALERT_URL", webhook.url)
    report_failure(CONTEXT)
    assert "could not be delivered" in log.messages[-1]
    assert "hunter2" not in log.text


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/hunter2", "nonsense-hunter2", "http://[hunter2"])
def test_report_failure_survives_a_wrong_address(log, monkeypatch, address) -> None:
    monkeypatch.setenv("SALESFLOW_ALERT_URL", address)
    report_failure(CONTEXT)
    assert "could not be delivered" in log.messages[-1]
    assert "hunter2" not in log.text
