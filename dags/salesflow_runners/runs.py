"""What a DAG run means to the tool: its run id, as-of date and shards. Used in the tasks' templates."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from airflow.sdk.exceptions import AirflowSkipException

from salesflow_runners.settings import Settings

MOSCOW = ZoneInfo("Europe/Moscow")

# What stages are told about their run, as templates.
RUN_ID = ("--run-id", "{{ sales.run_id(dag_run, params) }}")
RUN_ID_AND_DATE = (*RUN_ID, "--as-of", "{{ sales.as_of(dag_run, params) }}")


class _DagRun(Protocol):
    run_after: datetime


class Runs:
    """The words that templates know as `sales`, such as `{{ sales.run_id(dag_run, params) }}`."""

    def __init__(self, settings: Settings) -> None:
        # Underscores keep these out of reach of templates.
        self._rows = settings.rows
        self._seed = settings.seed
        self._rows_per_shard = settings.rows_per_shard
        self._most_shards = settings.generate_shards

    def as_of(self, dag_run: _DagRun, params: Mapping[str, Any]) -> str:
        """The date asked for, or the Moscow date from which the run was due.

        A manual run has no logical date, and no data interval.
        """
        return params["as_of"] or dag_run.run_after.astimezone(MOSCOW).date().isoformat()

    def run_id(self, dag_run: _DagRun, params: Mapping[str, Any]) -> str:
        """The as-of date, with the number of rows and the seed where they are not the installation's own.

        So a second run for the same day repeats the first one in its place, while an experiment with other
        rows or another seed gets a folder of its own and leaves the weekly run's files alone.
        """
        as_of = self.as_of(dag_run, params)
        parts = [as_of]
        if params["rows"] != self._rows:
            parts.append(f"rows-{params['rows']}")
        seed = self.seed(dag_run, params)
        if seed != _seed(self._seed, as_of):
            parts.append(f"seed-{seed}")
        return ".".join(parts)

    def seed(self, dag_run: _DagRun, params: Mapping[str, Any]) -> int:
        """The seed asked for, or the tool's own default: the as-of date as YYYYMMDD, so that weeks differ."""
        return _seed(params["seed"], self.as_of(dag_run, params))

    def shard_options(self, *options: str) -> list[list[str]]:
        """The options of each process that may share the work; the last to finish publishes the dataset."""
        if self._most_shards == 1:
            return [list(options)]
        return [
            [*options, "--shard", f"{{{{ sales.shard(params, {number}) }}}}"]
            for number in range(1, self._most_shards + 1)
        ]

    def shard(self, params: Mapping[str, Any], number: int) -> str:
        """Which shard of how many, such as 2/4."""
        return f"{number}/{self._shards(params)}"

    def skip_surplus_shard(self, context: Mapping[str, Any]) -> None:
        """Runs before a shard starts: few rows need fewer shards than there may be."""
        shards = self._shards(context["params"])
        number = context["ti"].map_index + 1
        if number > shards:
            raise AirflowSkipException(
                f"{context['params']['rows']} rows are generated in {shards}, without shard {number}"
            )

    def _shards(self, params: Mapping[str, Any]) -> int:
        return min(self._most_shards, math.ceil(params["rows"] / self._rows_per_shard))


def _seed(asked: int | None, as_of: str) -> int:
    return int(as_of.replace("-", "")) if asked is None else asked
