"""The records of a run in the store: reads run.json, writes stages/<stage>.json."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import date

from errors import StageError
from log import utc_now
from store import Store


def read_as_of(store: Store, run_id: str, manifest_as_of: str) -> date:
    """Returns the run's as-of date, on which run.json and the manifest of raw/ must agree."""
    path = f"runs/{run_id}/run.json"
    text = store.read_text(path)
    remedy = "Generate or ingest the run again."
    try:
        as_of = date.fromisoformat(manifest_as_of)
        run_as_of = as_of if text is None else date.fromisoformat(json.loads(text)["as_of"])
    except (ValueError, KeyError, TypeError) as cause:
        raise StageError(f"Cannot read as_of of run {run_id} in {store.url}: {cause}", remedy) from cause
    if as_of != run_as_of:
        raise StageError(
            f"{path} in {store.url} says as_of {run_as_of}, the manifest of raw/ says {as_of}", remedy
        )
    return as_of


class StageRecord:
    """stages/<stage>.json: the state of the stage's latest attempt."""

    def __init__(self, store: Store, run_id: str, stage: str) -> None:
        self._store = store
        self._path = f"runs/{run_id}/stages/{stage}.json"
        self._started = time.monotonic()
        self._content = {
            "stage": stage,
            "status": "running",
            "engine": "spark",
            "attempt": self._attempts_before() + 1,
            "started_at": utc_now(),
            "finished_at": None,
            "seconds": None,
            "rows_in": None,
            "rows_out": None,
            "facts": {},
            "error": None,
        }
        self._write()

    def _attempts_before(self) -> int:
        try:
            return int(json.loads(self._store.read_text(self._path) or '{"attempt": 0}')["attempt"])
        except (ValueError, KeyError, TypeError):
            # The unreadable record is about to be replaced.
            return 0

    def _write(self) -> None:
        self._store.write_text(self._path, json.dumps(self._content, indent=2, ensure_ascii=False) + "\n")

    def _finish(self, status: str, **changes: object) -> None:
        seconds = round(time.monotonic() - self._started, 3)
        self._content |= {"status": status, "finished_at": utc_now(), "seconds": seconds, **changes}
        self._write()

    def mark_done(self, rows_in: int, rows_out: int, facts: Mapping[str, object]) -> None:
        """Records that the stage succeeded."""
        self._finish("done", rows_in=rows_in, rows_out=rows_out, facts=facts)

    def mark_failed(self, error: StageError) -> None:
        """Records that the stage failed."""
        details = {"message": error.message, "remedy": error.remedy, "exit_code": error.exit_code}
        self._finish("failed", error=details)
