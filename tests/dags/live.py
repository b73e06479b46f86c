"""The installation of the live tests: databases, Airflow, PySpark, and salesflow from source."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conftest import DAGS, ROOT
from services import Airflow, Databases, Webhook, wait_for

ROWS = 20_000
RUN_SECONDS = 900
RUNS = "/api/v2/dags/sales_pipeline/dagRuns"

DENO = os.environ.get("SALESFLOW_TEST_DENO", "deno")
SPARK_ENVIRONMENT = os.environ.get("SALESFLOW_TEST_SPARK_ENVIRONMENT", "")


def postgres_driver() -> str:
    """Returns the Maven coordinates of the images' JDBC driver, from k8s/jars/ivy.xml."""
    found = re.search(
        r'org="(org\.postgresql)" name="(postgresql)" rev="([^"]+)"', (ROOT / "k8s/jars/ivy.xml").read_text()
    )
    assert found is not None
    return ":".join(found.groups())


class Live:
    """The running installation, and queries of its state."""

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self.store = folder / "store"
        program = folder / "salesflow"
        deno = f'"{DENO}" run -A --no-config --no-lock "{ROOT}/lib/std/deno.ts"'
        program.write_text(f'#!/bin/sh\nexec {deno} run -A "{ROOT}/cli/main.ts" "$@"\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        plain = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        self.webhook = Webhook()
        self.databases = Databases(program, plain, folder)
        environment = {
            **plain,
            "PYTHONDONTWRITEBYTECODE": "1",
            "SALESFLOW_ALERT_URL": self.webhook.url,
            "SALESFLOW_RUNNER": "local",
            "SALESFLOW_BIN": str(program),
            "SALESFLOW_STORE": self.store.as_uri(),
            "SALESFLOW_POSTGRES_URL": self.databases.postgres_url,
            "SALESFLOW_CLICKHOUSE_URL": self.databases.clickhouse_url,
            "SALESFLOW_ROWS": str(ROWS),
            "SALESFLOW_GENERATE_SHARDS": "3",
            "SALESFLOW_ROWS_PER_SHARD": str(ROWS // 2),
            "SALESFLOW_RETRY_DELAY_SECONDS": "1",
            "SALESFLOW_SPARK_SUBMIT": f"{SPARK_ENVIRONMENT}/bin/spark-submit",
            "SALESFLOW_SPARK_MASTER": "local[2]",
            "SALESFLOW_SPARK_JOB": str(ROOT / "k8s/spark/job.py"),
            "SALESFLOW_SPARK_CONF": json.dumps(
                {
                    "spark.driver.host": "127.0.0.1",
                    "spark.jars.ivy": str(ROOT / ".cache/spark/ivy"),
                    "spark.jars.packages": postgres_driver(),
                    "spark.local.dir": str(folder / "spark"),
                    "spark.sql.shuffle.partitions": "2",
                    "spark.ui.enabled": "false",
                }
            ),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "PYSPARK_PYTHON": f"{SPARK_ENVIRONMENT}/bin/python",
            **(settings or {}),
        }
        self.airflow: Airflow | None = None
        try:
            self.airflow = Airflow(self.databases.create("airflow"), DAGS, environment, folder)
            self.airflow.wait_until_healthy()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self.airflow:
            self.airflow.stop()
        self.databases.service.stop()
        self.webhook.stop()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        assert self.airflow is not None
        return self.airflow.request(method, path, body)

    def unpause(self) -> None:
        self.ask("PATCH", "/api/v2/dags/sales_pipeline", {"is_paused": False})

    def trigger(self, **conf: Any) -> dict:
        """Starts a run like the web interface: without a logical date."""
        return self.ask("POST", RUNS, {"logical_date": None, "conf": conf})

    def backdate_start(self, run_id: str, days: int) -> None:
        """Moves the start of a run into the past."""
        query = (
            f"UPDATE dag_run SET start_date = start_date - interval '{days} days' "
            f"WHERE run_id = '{run_id}' RETURNING 1"
        )
        assert self.databases.postgres(query, "airflow") == [(1,)]

    def run(self, run_id: str) -> dict:
        return self.ask("GET", f"{RUNS}/{run_id}")

    def tasks(self, run_id: str) -> list[dict]:
        return self.ask("GET", f"{RUNS}/{run_id}/taskInstances?limit=100")["task_instances"]

    def task(self, run_id: str, task_id: str) -> dict:
        (task,) = (task for task in self.tasks(run_id) if task["task_id"] == task_id)
        return task

    def wait(self, run_id: str, state: str) -> dict:
        """Waits for the end of a run; fails when it ends in another state."""

        def ended() -> dict | None:
            run = self.run(run_id)
            return run if run["state"] in ("success", "failed") else None

        run = wait_for(f"the end of {run_id}", ended, RUN_SECONDS)
        if run["state"] != state:
            raise AssertionError(f"{run_id} ended in {run['state']}:\n{self.log_of_failures(run_id)}")
        return run

    def log_of_failures(self, run_id: str) -> str:
        assert self.airflow is not None
        texts = [f"{task['task_id']}[{task['map_index']}]: {task['state']}" for task in self.tasks(run_id)]
        for path in sorted((self.airflow.home / "logs").rglob("attempt=*.log")):
            if f"run_id={run_id}" in str(path) and '"level":"error"' in (text := path.read_text()):
                texts.append(f"--- {path.parent.name}/{path.name}\n{text[-6000:]}")
        return "\n".join(texts)

    def starts(self, run_id: str, task_id: str) -> int:
        """Counts how often a task's program was started, in all tries."""
        assert self.airflow is not None
        logs = (self.airflow.home / "logs").rglob(f"run_id={run_id}/task_id={task_id}/**/attempt=*.log")
        return sum(path.read_text().count('"event":"Starting ') for path in logs)

    def record(self, run: str, stage: str) -> dict:
        """Reads the record of a stage in the store."""
        return json.loads((self.store / "runs" / run / "stages" / f"{stage}.json").read_text())

    def tables(self) -> dict[str, Any]:
        """Returns the content of all tables, without load times."""
        whole = "SELECT count(*), md5(string_agg(t::text, chr(10) ORDER BY {1})) FROM shop.{0} t"
        aggregates = "SELECT * {} FROM shop.sales_aggregates ORDER BY {} level, region, product_id"
        return {
            "sales": self.databases.postgres(whole.format("sales", "sale_id")),
            "aggregates": self.databases.postgres(aggregates.format("", "")),
            "products": self.databases.postgres("SELECT * FROM shop.products ORDER BY product_id"),
            "rejected": self.databases.postgres(whole.format("rejected_sales", "run_id, file, line")),
            "imported": self.databases.clickhouse(aggregates.format("EXCEPT imported_at", "import_date,")),
        }

    def expect_rows(self, day: str, run: str) -> None:
        """Checks that ClickHouse has this run's aggregates of the day, equal to the sales in PostgreSQL."""
        [(count, amount)] = self.databases.postgres("SELECT count(*), sum(sale_amount)::text FROM shop.sales")
        assert count == ROWS
        imported = f"FROM shop.sales_aggregates WHERE import_date = '{day}' AND level"
        total = f"SELECT run_id, toInt32(total_sales), toDecimalString(total_amount, 2) {imported} = 'total'"
        assert self.databases.clickhouse(total) == [[run, ROWS, amount]]
        assert self.databases.clickhouse(f"SELECT toInt32(count()) {imported} = 'region'") == [[4]]
