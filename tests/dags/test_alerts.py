"""The failure callbacks, with a real HTTP server."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from salesflow_runners.alerts import report_run_failure, report_task_failure
from salesflow_runners.outcomes import to_exception
from services import Webhook

LOG_URL = "http://127.0.0.1:8080/dags/sales_pipeline/runs/manual__1/tasks/load?try_number=4"
TI = SimpleNamespace(
    dag_id="sales_pipeline", task_id="load", run_id="manual__1", try_number=4, log_url=LOG_URL
)
CONTEXT = {"ti": TI, "exception": RuntimeError("load failed permanently (exit code 1)")}
TIMED_OUT = {
    "dag": SimpleNamespace(dag_id="sales_pipeline"),
    "run_id": "manual__1",
    "reason": "timed_out",
}
NOT_DELIVERED = "Cannot deliver the alert"


@pytest.fixture
def webhook():
    hook = Webhook()
    yield hook
    hook.stop()


@pytest.fixture
def log(caplog, monkeypatch):
    monkeypatch.delenv("SALESFLOW_ALERT_URL", raising=False)
    caplog.set_level(logging.INFO)
    return caplog


def test_report_failure_includes_the_error_and_the_url_of_the_log(log) -> None:
    report_task_failure(CONTEXT)
    (line,) = log.messages
    assert line.startswith(
        "Stage load of sales_pipeline failed in manual__1 (try 4): load failed permanently (exit code 1). "
    )
    assert line.endswith(f" Log: {LOG_URL}")


def test_report_failure_says_what_to_do_without_an_export(log) -> None:
    error = to_exception("ingest", 75, "There is no export of 2026-11-17 or later")
    report_task_failure({"ti": SimpleNamespace(**{**vars(TI), "task_id": "ingest"}), "exception": error})
    (line,) = log.messages
    assert "ingest has no new export that it can read yet (exit code 75)" in line
    assert "There is no export of 2026-11-17 or later. Put the export where the source file says" in line


def test_report_failure_works_without_task_and_exception(log) -> None:
    report_task_failure({})
    assert log.messages[0].startswith("A stage failed: no exception was recorded. ")
    assert "Log:" not in log.messages[0]


def test_report_run_failure_reports_a_timeout(log, monkeypatch, webhook) -> None:
    monkeypatch.setenv("SALESFLOW_ALERT_URL", webhook.url)
    report_run_failure(TIMED_OUT)
    (text,) = webhook.texts_about("manual__1")
    assert text.startswith("Run manual__1 of sales_pipeline failed: it exceeded the time limit of a run")
    assert text == log.messages[0]


def test_report_run_failure_includes_the_last_stage_if_known(log) -> None:
    report_run_failure({**TIMED_OUT, "ti": TI})
    assert "; the last stage was load. " in log.messages[0]
    assert log.messages[0].endswith(f" Log: {LOG_URL}")


@pytest.mark.parametrize("context", [{}, {"reason": "something new"}, {"ti": TI}], ids=str)
def test_report_run_failure_works_with_an_incomplete_context(log, context) -> None:
    report_run_failure(context)
    assert context.get("reason", "no reason was recorded") in log.messages[0]


def test_report_run_failure_reports_nothing_when_a_task_failed(log, monkeypatch, webhook) -> None:
    monkeypatch.setenv("SALESFLOW_ALERT_URL", webhook.url)
    report_run_failure({**TIMED_OUT, "reason": "task_failure", "ti": TI})
    assert (log.messages, webhook.received) == ([], [])


def test_report_failure_posts_to_the_webhook(log, monkeypatch, webhook) -> None:
    monkeypatch.setenv("SALESFLOW_ALERT_URL", webhook.url)
    report_task_failure(CONTEXT)
    (request,) = webhook.received
    assert request["path"] == "/token-hunter2"
    assert request["type"] == "application/json"
    assert request["body"]["text"] == log.messages[0]
    assert "hunter2" not in log.text


def test_report_failure_survives_a_failing_webhook(log, monkeypatch, webhook) -> None:
    webhook.status = 500
    monkeypatch.setenv("SALESFLOW_ALERT_URL", webhook.url)
    report_task_failure(CONTEXT)
    assert NOT_DELIVERED in log.messages[-1]
    assert "hunter2" not in log.text


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/hunter2", "nonsense-hunter2", "http://[hunter2"])
def test_report_failure_survives_an_invalid_url(log, monkeypatch, url) -> None:
    monkeypatch.setenv("SALESFLOW_ALERT_URL", url)
    report_task_failure(CONTEXT)
    assert NOT_DELIVERED in log.messages[-1]
    assert "hunter2" not in log.text
