"""JSON log lines."""

from __future__ import annotations

import json
import re

import pytest

from log import log, utc_now


def test_log_writes_one_json_line_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    log("WARN", "clean", "Север\n", run_id="a", remedy=None)
    out, err = capsys.readouterr()
    line = json.loads(err)
    assert (out, err.count("\n")) == ("", 1)
    assert list(line) == ["@timestamp", "level", "message", "logger", "run_id", "remedy"]
    assert (line["level"], line["message"], line["logger"]) == ("WARN", "Север\n", "salesflow.clean")
    assert "Север" in err


def test_utc_now_has_milliseconds() -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", utc_now())
