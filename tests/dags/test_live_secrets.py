"""A run with recognisable, wrong passwords fails on the live scheduler without leaking them anywhere."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

import pytest

import live as installation
from live import SPARK_ENVIRONMENT, Live
from services import Airflow

POSTGRES_PASSWORD = "marked/pg 4f1c+é"
CLICKHOUSE_PASSWORD = "marked/ch 9b7e+é"
"""Both change when percent-encoded."""

LOOK_SECONDS = 0.02

pytestmark = pytest.mark.skipif(
    not SPARK_ENVIRONMENT, reason="run by tests/dags/run.ts, which prepares PySpark"
)


def with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    netloc = f"{parts.username}:{quote(password, safe='')}@{parts.hostname}:{parts.port}"
    return parts._replace(netloc=netloc).geturl()


def forms(password: str) -> set[str]:
    """Returns the password verbatim, percent-encoded, and as part of base64 at every offset."""
    found = set()
    for text in (password, password.split("+")[0]):  # also the part that escaping does not change
        found |= {text, quote(text), quote(text, safe=""), quote_plus(text)}
    for text in (password, quote(password, safe="")):
        data = text.encode()
        for before in range(3):
            encoded = base64.b64encode(b"x" * before + data).decode().rstrip("=")
            # The first and last characters also encode adjacent bytes.
            core = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
            found |= {core, core.replace("+", "-").replace("/", "_")}
    return found


FORMS = forms(POSTGRES_PASSWORD) | forms(CLICKHOUSE_PASSWORD)


def leaked(text: str) -> set[str]:
    """Returns the forms of the passwords that a text contains."""
    return {form for form in FORMS if form in text}


class CommandLines:
    """Polls the command lines of all processes."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> CommandLines:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(LOOK_SECONDS):
            for folder in Path("/proc").iterdir():
                if folder.name.isdigit():
                    try:
                        line = (folder / "cmdline").read_bytes()
                    except OSError:
                        continue
                    self.seen.add(line.replace(b"\0", b" ").decode(errors="replace"))


@pytest.fixture(scope="module")
def failing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The installation of the live tests, with passwords that the databases reject."""

    class WithMarkedPasswords(Airflow):
        def __init__(self, url: str, dags: Path, environment: Mapping[str, str], folder: Path) -> None:
            passwords = {
                "SALESFLOW_POSTGRES_URL": POSTGRES_PASSWORD,
                "SALESFLOW_CLICKHOUSE_URL": CLICKHOUSE_PASSWORD,
            }
            marked = {name: with_password(environment[name], word) for name, word in passwords.items()}
            super().__init__(url, dags, {**environment, **marked}, folder)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(installation, "Airflow", WithMarkedPasswords)
        found = Live(tmp_path_factory.mktemp("secrets"))
    yield found
    found.stop()


@pytest.mark.parametrize("password", [POSTGRES_PASSWORD, CLICKHOUSE_PASSWORD])
def test_leaked_recognises_every_form(password: str) -> None:
    url = with_password("postgres://shop@db:5432/shop", password)
    for text in (
        f"password={password}",
        url,
        json.dumps({"url": f"postgres://shop:{password}@db"}),
        *(base64.b64encode(("u" * length + ":" + password + "@db").encode()).decode() for length in range(3)),
        *(base64.urlsafe_b64encode(("u" * length + url).encode()).decode() for length in range(3)),
    ):
        assert leaked(text), text
    assert not leaked("postgres://shop:***@db:5432/shop")


def everything_in_airflow(live: Live) -> Iterator[tuple[str, str]]:
    """Yields all rows of Airflow's database: rendered templates, serialized DAG, task results, events."""
    import psycopg2

    assert live.airflow is not None
    url = live.airflow.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    connection = psycopg2.connect(url.replace("postgresql+psycopg2", "postgresql", 1))
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            for (table,) in cursor.fetchall():
                cursor.execute(f'SELECT t::text FROM public."{table}" t')
                yield table, "\n".join(row for (row,) in cursor.fetchall())
    finally:
        connection.close()


def files_below(*folders: Path) -> Iterator[tuple[str, str]]:
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                yield str(path), path.read_text(errors="replace")


def test_a_failing_run_leaks_no_password(failing: Live) -> None:
    assert failing.airflow is not None
    failing.unpause()
    with CommandLines() as lines:
        run = failing.trigger(rows=1000)
        failing.wait(run["dag_run_id"], "failed")
    tasks: list[dict[str, Any]] = failing.tasks(run["dag_run_id"])
    assert [task["task_id"] for task in tasks if task["state"] == "failed"] == ["migrate"]
    logs = dict(files_below(failing.airflow.home / "logs"))
    assert "password authentication failed" in "".join(logs.values())
    texts = {
        **{f"rendered fields of {task['task_id']}": json.dumps(task["rendered_fields"]) for task in tasks},
        **{f"table {name}": rows for name, rows in everything_in_airflow(failing)},
        **logs,
        **{str(service.log): service.output() for service in failing.airflow.services},
        **dict(files_below(failing.store)),
        **{f"command line {line}": line for line in lines.seen},
    }
    assert any("migrate" in line and "--run-id" in line for line in lines.seen)
    assert any(name.endswith("stages/migrate.json") for name in texts), (
        "the failure is recorded in the run's folder"
    )
    assert {name: found for name, text in texts.items() if (found := leaked(text))} == {}
