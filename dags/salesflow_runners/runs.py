"""Template macros that map a DAG run to salesflow's run id, as-of date and shards."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from airflow.sdk.exceptions import AirflowSkipException

from salesflow_runners.settings import Settings

MOSCOW = ZoneInfo("Europe/Moscow")

# Templated arguments of the stages.
RUN_ID_ARGUMENT = ("--run-id", "{{ sales.run_id(dag_run, params) }}")
RUN_ARGUMENTS = (*RUN_ID_ARGUMENT, "--as-of", "{{ sales.as_of(dag_run, params) }}")


class _DagRun(Protocol):
    logical_date: datetime | None
    run_after: datetime


class RunMacros:
    """The macros `sales` of the templates, such as `{{ sales.run_id(dag_run, params) }}`."""

    def __init__(self, settings: Settings) -> None:
        # Jinja's sandbox hides attributes with a leading underscore from templates.
        self._rows = settings.rows
        self._seed = settings.seed
        self._rows_per_shard = settings.rows_per_shard
        self._max_shards = settings.generate_shards
        self._is_ingested = bool(settings.source)

    def as_of(self, dag_run: _DagRun, params: Mapping[str, Any]) -> str:
        """Returns the parameter `as_of`, or else the Moscow date for which the run is.

        That is its logical date, which scheduled runs and those of a backfill have, and manual runs only if
        one was given; `run_after` of the latter two is the time at which they were created.
        """
        day = dag_run.logical_date or dag_run.run_after
        return params["as_of"] or day.astimezone(MOSCOW).date().isoformat()

    def run_id(self, dag_run: _DagRun, params: Mapping[str, Any]) -> str:
        """Returns the as-of date, with the number of rows and the seed if they differ from the defaults.

        So a second run for the same day replaces the first, while an experiment with other rows or another
        seed has its own folder and does not touch the files of the weekly run. A run with the shop's own
        exports has no such parameters.
        """
        if self._is_ingested:
            return self.as_of(dag_run, params)
        parts = [self.as_of(dag_run, params)]
        if self.rows(params) != self._rows:
            parts.append(f"rows-{self.rows(params)}")
        seed = self.seed(params)
        if seed != self._seed:
            parts.append(f"seed-{seed}")
        return ".".join(parts)

    def rows(self, params: Mapping[str, Any]) -> int:
        """Returns the parameter `rows`. In JSON, and so for its schema, 50000.0 is an integer too."""
        return int(params["rows"])

    def seed(self, params: Mapping[str, Any]) -> int:
        """Returns the parameter `seed`, or else the default of the installation."""
        return self._seed if params["seed"] is None else int(params["seed"])

    def shard_options(self, *options: str) -> list[list[str]]:
        """Returns the options of each shard. The last shard to finish publishes the dataset."""
        if self._max_shards == 1:
            return [list(options)]
        return [
            [*options, "--shard", f"{{{{ sales.shard(params, {number}) }}}}"]
            for number in range(1, self._max_shards + 1)
        ]

    def shard(self, params: Mapping[str, Any], number: int) -> str:
        """Returns number and total of a shard, such as 2/4."""
        return f"{number}/{self._shards(params)}"

    def skip_surplus_shard(self, context: Mapping[str, Any]) -> None:
        """Skips shards that the number of rows does not need. Called before a shard starts."""
        shards = self._shards(context["params"])
        number = context["ti"].map_index + 1
        if number > shards:
            raise AirflowSkipException(
                f"Skipping shard {number}: {self.rows(context['params'])} rows need {shards}"
            )

    def _shards(self, params: Mapping[str, Any]) -> int:
        return min(self._max_shards, math.ceil(self.rows(params) / self._rows_per_shard))
