"""The processes of the live tests: embedded databases and Airflow's services, each with a log file."""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

START_SECONDS = 180
STOP_SECONDS = 30
USER = "tester"


def wait_for(what: str, look: Callable[[], Any], seconds: float, pause: float = 0.5) -> Any:
    """Polls until `look` returns a truthy value, and returns it."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(pause)
    return found


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Service:
    """A process in its own group, whose output goes to a file."""

    def __init__(self, name: str, command: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        with self.log.open("w") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
            )

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def check(self) -> None:
        """Fails when the process has exited."""
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.output()[-4000:]}")

    def stop(self) -> None:
        """Terminates the process, then kills its group."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                if number == signal.SIGTERM:
                    self.process.terminate()
                else:
                    os.killpg(self.process.pid, number)
                self.process.wait(STOP_SECONDS)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


class Webhook:
    """A chat webhook: an HTTP server that stores requests."""

    def __init__(self) -> None:
        self.received: list[dict[str, Any]] = []
        self.status = 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.received.append(
                    {"path": self.path, "type": self.headers["Content-Type"], "body": json.loads(body)}
                )
                self.send_response(hook.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/token-hunter2"

    def texts_about(self, run_id: str) -> list[str]:
        return [text for sent in self.received if run_id in (text := sent["body"]["text"])]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Databases:
    """PostgreSQL and ClickHouse, started by `salesflow up`."""

    def __init__(self, program: Path, environment: Mapping[str, str], folder: Path) -> None:
        self.service = Service(
            "databases", [str(program), "up", "--home", str(folder / "home")], environment, folder
        )
        pattern = r"PostgreSQL: (?P<postgres>\S+)\nClickHouse: (?P<clickhouse>\S+)\n"

        def look() -> re.Match[str] | None:
            self.service.check()
            return re.search(pattern, self.service.output())

        found = wait_for("the embedded databases", look, START_SECONDS)
        self.postgres_url: str = found["postgres"]
        self.clickhouse_url: str = found["clickhouse"]

    def create(self, name: str) -> str:
        """Creates a database on the PostgreSQL server and returns its URL."""
        import psycopg2

        connection = psycopg2.connect(self.postgres_url)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
        connection.close()
        return self.url_of(name)

    def url_of(self, name: str) -> str:
        """Returns the URL of another database on the PostgreSQL server."""
        return urlsplit(self.postgres_url)._replace(path=f"/{name}").geturl()

    def postgres(self, query: str, database: str | None = None) -> list[tuple]:
        """Runs a query, by default on the database of the shop, and returns its rows."""
        import psycopg2

        connection = psycopg2.connect(self.url_of(database) if database else self.postgres_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(query)
                return cursor.fetchall()
        finally:
            connection.close()

    def clickhouse(self, query: str) -> list[list]:
        url = urlsplit(self.clickhouse_url)
        request = urllib.request.Request(
            f"{url.scheme}://{url.hostname}:{url.port}/",
            data=f"{query} FORMAT JSONCompactEachRow".encode(),
            headers={"X-ClickHouse-User": url.username or "", "X-ClickHouse-Key": url.password or ""},
        )
        with urllib.request.urlopen(request, timeout=60) as response:
            return [json.loads(line) for line in response.read().splitlines()]

    def passwords(self) -> list[str]:
        urls = (self.postgres_url, self.clickhouse_url)
        return [password for url in urls if (password := urlsplit(url).password)]


class Airflow:
    """API server, scheduler and DAG processor on a PostgreSQL database."""

    def __init__(self, database_url: str, dags: Path, environment: Mapping[str, str], folder: Path) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        self.home = folder / "airflow"
        self.home.mkdir()
        self.password = secrets.token_hex(16)
        passwords = self.home / "passwords.json"
        passwords.write_text(json.dumps({USER: self.password}))
        self.environment = {
            **environment,
            "AIRFLOW_HOME": str(self.home),
            "AIRFLOW__API__BASE_URL": self.url,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(urlsplit(self.url).port),
            "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url}/execution/",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__PARALLELISM": "2",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
            "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "10",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database_url.replace(
                urlsplit(database_url).scheme, "postgresql+psycopg2", 1
            ),
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        }
        migrated = subprocess.run(
            ["airflow", "db", "migrate"], env=self.environment, capture_output=True, text=True
        )
        if migrated.returncode != 0:
            raise RuntimeError(f"airflow db migrate failed:\n{(migrated.stdout + migrated.stderr)[-4000:]}")
        self.services = [
            Service(name, ["airflow", name], self.environment, folder)
            for name in ("api-server", "scheduler", "dag-processor")
        ]
        self.token = ""

    def wait_until_healthy(self) -> None:
        """Waits until all services are healthy and the DAG has been parsed."""

        def healthy() -> bool:
            for service in self.services:
                service.check()
            try:
                parts = self.request("GET", "/api/v2/monitor/health")
                if any(parts[name]["status"] != "healthy" for name in ("scheduler", "dag_processor")):
                    return False
                self.token = self.token or self.log_in()
                return bool(self.request("GET", "/api/v2/dags")["dags"])
            except OSError:
                return False

        wait_for("Airflow", healthy, START_SECONDS)

    def log_in(self) -> str:
        answer = self.request("POST", "/auth/token", {"username": USER, "password": self.password})
        return answer["access_token"]

    def request(self, method: str, path: str, body: Any = None) -> Any:
        """Calls the REST API; adds the response body to errors."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.loads(response.read() or b"null")
        except urllib.error.HTTPError as error:
            error.add_note(f"{method} {path}: {error.read().decode(errors='replace')[:2000]}")
            raise

    def stop(self) -> None:
        for service in reversed(self.services):
            service.stop()
