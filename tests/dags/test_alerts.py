"""The failure callbacks, with a real HTTP server."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from salesflow_runners.alerts import report_failure, report_run_failure
from services import Webhook

LOG_URL = "http://127.0.0.1:8080/dags/sales_pipeline/runs/manual__1/tasks/load?try_number=4"
TI = SimpleNamespace(
    dag_id="sales_pipeline", task_id="load", run_id="manual__1", try_number=4, log_url=LOG_URL
)
CONTEXT = {"ti": TI, "exception": RuntimeError("load failed for good (exit code 1)")}
TIMED_OUT = {
    "dag": SimpleNamespace(dag_id="sales_pipeline"),
    "run_id": "manual__1",
    "reason": "timed_out",
}
NOT_DELIVERED = "could not be delivered"


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


def test_report_failure_says_what_failed_and_where_the_log_is(log) -> None:
    report_failure(CONTEXT)
    (line,) = log.messages
    assert line.startswith(
        "Stage load of sales_pipeline failed in manual__1 (try 4): load failed for good (exit code 1). "
    )
    assert line.endswith(f" Log: {LOG_URL}")


def test_report_failure_does_without_a_task_and_an_exception(log) -> None:
    report_failure({})
    assert log.messages[0].startswith("A stage failed: no exception was recorded. ")
    assert "Log:" not in log.messages[0]


def test_report_run_failure_tells_of_a_run_that_took_too_long(log, monkeypatch, webhook) -> None:
    monkeypatch.setenv("SALESFLOW_ALERT_URL", webhook.url)
    report_run_failure(TIMED_OUT)
    (text,) = webhook.texts_about("manual__1")
    assert text.startswith("Run manual__1 of sales_pipeline failed: it took longer than a run may")
    assert text == log.messages[0]


def test_report_run_failure_names_the_last_stage_when_it_is_known(log) -> None:
    report_run_failure({**TIMED_OUT, "ti": TI})
    assert "; the last stage was load. " in log.messages[0]
    assert log.messages[0].endswith(f" Log: {LOG_URL}")


@pytest.mark.parametrize("context", [{}, {"reason": "something new"}, {"ti": TI}], ids=str)
def test_report_run_failure_does_without_what_is_missing(log, context) -> None:
    report_run_failure(context)
    assert context.get("reason", "no reason was recorded") in log.messages[0]


def test_report_run_failure_says_nothing_again_when_a_task_failed(log, monkeypatch, webhook) -> None:
    monkeypatch.setenv("SALESFLOW_ALERT_URL", webhook.url)
    report_run_failure({**TIMED_OUT, "reason": "task_failure", "ti": TI})
    assert (log.messages, webhook.received) == ([], [])


def test_report_failure_posts_to_the_webhook(log, monkeypatch, webhook) -> None:
    monkeypatch.setenv("SALESFLOW_ALERT_URL", webhook.url)
    report_failure(CONTEXT)
    (request,) = webhook.received
    assert request["path"] == "/token-hunter2"
    assert request["type"] == "application/json"
    assert request["body"]["text"] == log.messages[0]
    assert "hunter2" not in log.text


def test_report_failure_survives_a_failing_webhook(log, monkeypatch, webhook) -> None:
    webhook.status = 500
    monkeypatch.setenv("SALESFLOW_ALERT_URL", webhook.url)
    report_failure(CONTEXT)
    assert NOT_DELIVERED in log.messages[-1]
    assert "hunter2" not in log.text


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/hunter2", "nonsense-hunter2", "http://[hunter2"])
def test_report_failure_survives_a_wrong_address(log, monkeypatch, address) -> None:
    monkeypatch.setenv("SALESFLOW_ALERT_URL", address)
    report_failure(CONTEXT)
    assert NOT_DELIVERED in log.messages[-1]
    assert "hunter2" not in log.text
