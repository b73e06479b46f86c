"""JSON lines on standard error, with the keys that the salesflow binary uses."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone


def utc_now() -> str:
    """The time in UTC to the millisecond, such as 2026-11-24T09:45:03.120Z."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def log(level: str, stage: str, message: str, **properties: object) -> None:
    """Writes one line; `level` is INFO, WARN or ERROR."""
    line = {
        "@timestamp": utc_now(),
        "level": level,
        "message": message,
        "logger": f"salesflow.{stage}",
        **properties,
    }
    print(json.dumps(line, ensure_ascii=False), file=sys.stderr, flush=True)
