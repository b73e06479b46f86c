"""A PostgreSQL server for the tests, on a free port, with a password that needs quoting everywhere."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import psycopg.sql

ROOT = Path(__file__).resolve().parents[2]
USER = "pipeline"
PASSWORD = "s3cret 'p@ss:w/rd?%41#"
WAIT_TIMEOUT_S = 60


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int

    def url(self, database: str, password: str = PASSWORD) -> str:
        """Returns a connection URL with all parts percent-encoded."""
        return f"postgresql://{USER}:{quote(password, safe='')}@127.0.0.1:{self.port}/{quote(database)}"

    def connect(self, database: str, autocommit: bool = True) -> psycopg.Connection:
        """Opens a connection for the test itself."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=PASSWORD,
            dbname=database,
            autocommit=autocommit,
        )

    def create(self, database: str) -> None:
        """Creates a database with the shop's tables and one empty partition of shop.sales."""
        with self.connect("postgres") as db:
            db.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(database)))
        with self.connect(database) as db:
            db.execute("CREATE SCHEMA IF NOT EXISTS shop")
            for path in sorted((ROOT / "lib" / "migrate" / "postgres").glob("[0-9]*.sql")):
                db.execute(path.read_text())
            db.execute(
                "CREATE TABLE shop.sales_only PARTITION OF shop.sales "
                "FOR VALUES FROM (MINVALUE) TO (MAXVALUE)"
            )


def binaries() -> Path:
    """Returns the folder of initdb and postgres: Debian's newest version, or the one on PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    on_path = shutil.which("postgres")
    assert found or on_path, "install PostgreSQL (Debian: apt-get install postgresql) to run these tests"
    return found[-1].parent if found else Path(str(on_path)).parent


def free_port() -> int:
    """Returns a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def unprivileged_user() -> str | None:
    """Returns the user to run PostgreSQL as, which refuses to run as root; None for the current user."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def running_server() -> Iterator[Server]:
    """Starts a server with an empty cluster; stops and removes it afterwards."""
    user = unprivileged_user()
    home = Path(tempfile.mkdtemp(prefix="salesflow-pg-"))
    try:
        (home / "password").write_text(PASSWORD)
        if user:
            for path in (home, home / "password"):
                shutil.chown(path, user)
        data = home / "data"
        programs = binaries()
        initdb = [programs / "initdb", "-D", data, "-U", USER, "-A", "scram-sha-256", "-E", "UTF8"]
        subprocess.run(
            [*initdb, "--locale=C", "--no-sync", f"--pwfile={home}/password"],
            check=True,
            user=user,
            cwd=home,
            stdout=subprocess.DEVNULL,
        )
        port = free_port()
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": home,
            "fsync": "off",
            "autovacuum": "off",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, *options], user=user, cwd=home, stdout=log, stderr=log
            )
        try:
            wait_until_ready(Server(port), process)
            yield Server(port)
        finally:
            process.terminate()
            process.wait(WAIT_TIMEOUT_S)
    finally:
        shutil.rmtree(home)


def wait_until_ready(server: Server, process: subprocess.Popen) -> None:
    """Waits until the server accepts connections."""
    deadline = time.monotonic() + WAIT_TIMEOUT_S
    while True:
        try:
            server.connect("postgres").close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None, "PostgreSQL exited during startup"
            assert time.monotonic() < deadline, "PostgreSQL does not respond"
            time.sleep(0.05)
