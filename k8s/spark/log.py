"""JSON log lines on stderr, with the keys of the salesflow binary."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone


def utc_now() -> str:
    """Returns the current UTC time with milliseconds, such as 2026-11-24T09:45:03.120Z."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def log(level: str, stage: str, message: str, **properties: object) -> None:
    """Writes one line. `level` is INFO, WARN or ERROR; `properties` are added as they are."""
    line = {
        "@timestamp": utc_now(),
        "level": level,
        "message": message,
        "logger": f"salesflow.{stage}",
        **properties,
    }
    print(json.dumps(line, ensure_ascii=False), file=sys.stderr, flush=True)
