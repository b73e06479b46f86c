"""PostgreSQL over JDBC: its address, the driver's conversations, options for parallel reading and writing."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from py4j.java_gateway import JavaObject
from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from errors import USAGE, StageError
from mask import mask_url

DRIVER = "org.postgresql.Driver"
VARIABLE = "SALESFLOW_POSTGRES_URL"
EXAMPLE = "postgresql://user:password@host:5432/database"
PARAMETERS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "application_name", "host")
SSL_MODES = ("disable", "require", "verify-ca", "verify-full")
TIMEOUT_VARIABLE = "SALESFLOW_TIMEOUT_SECONDS"
# As with the salesflow binary: the longest time of a statement, and the longest wait for another command
# that is at the same work.
TIMEOUT_S = 120
LONGEST_TIMEOUT_S = 86_400
# A statement that touches every row may take a second more for so many; the binary grants as much.
SLOWEST_ROWS_PER_S = 20_000
MOST_MS = 2**31 - 1
# Wait for a sign of life after a failure.
ALIVE_S = 5
# Rows that one round trip brings; the driver holds as many in memory.
FETCH_ROWS = 10_000
BATCH_ROWS = 5_000


open_connections: set[JavaObject] = set()


@dataclass(frozen=True)
class Target:
    """Where PostgreSQL is; `server` is for messages, and only `properties` hold the password."""

    server: str
    jdbc_url: str
    properties: Mapping[str, str] = field(repr=False)
    # Longest time of a statement whose work does not grow with the rows.
    timeout_s: int = TIMEOUT_S


def target_from_environment(environment: Mapping[str, str] = os.environ) -> Target:
    """The server that SALESFLOW_POSTGRES_URL names, or the file of SALESFLOW_POSTGRES_URL_FILE."""
    direct, path = environment.get(VARIABLE), environment.get(f"{VARIABLE}_FILE")
    timeout_s = timeout_from(environment)
    if direct and path:
        raise StageError(f"Set {VARIABLE} or {VARIABLE}_FILE, not both", exit_code=USAGE)
    if direct:
        return parse_url(direct, timeout_s)
    if not path:
        raise StageError(f"Set {VARIABLE} or {VARIABLE}_FILE, such as {EXAMPLE}", exit_code=USAGE)
    try:
        with open(path, encoding="utf-8") as file:
            return parse_url(file.read().strip(), timeout_s)
    except (OSError, UnicodeDecodeError) as cause:
        raise StageError(
            f"Cannot read {VARIABLE}_FILE={mask_url(path)}: {type(cause).__name__}", exit_code=USAGE
        ) from None


def timeout_from(environment: Mapping[str, str]) -> int:
    """Seconds of SALESFLOW_TIMEOUT_SECONDS."""
    text = environment.get(TIMEOUT_VARIABLE) or str(TIMEOUT_S)
    if re.match(r"\A[0-9]{1,6}\Z", text) and 1 <= int(text) <= LONGEST_TIMEOUT_S:
        return int(text)
    raise StageError(
        f"Cannot use {TIMEOUT_VARIABLE} {text}: it must be a whole number from 1 to {LONGEST_TIMEOUT_S}",
        exit_code=USAGE,
    )


def parse_url(url: str, timeout_s: int = TIMEOUT_S) -> Target:
    """Takes a connection URL apart, with every mistake in one error; the URL itself is never shown."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 5432
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("postgres", "postgresql"):
        raise StageError(
            "The PostgreSQL URL cannot be understood (it is not shown: it may hold a password)",
            f"Write it as {EXAMPLE}, with special characters of the password as %XX.",
            USAGE,
        )
    # The rest of a password that holds one of these, which ended the host too early.
    if "@" in parts.path + parts.query + parts.fragment:
        raise StageError(
            "The PostgreSQL URL has an @ behind its host",
            "In a password write / as %2F, ? as %3F, # as %23 and @ as %40.",
            USAGE,
        )
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    user = unquote(parts.username or "")
    database = unquote(parts.path[1:]) or user
    host = given.get("host", host)
    mistakes = mistakes_in(given, host) + ([] if user else ["The PostgreSQL URL names no user"])
    if mistakes:
        raise StageError("\n".join(mistakes), exit_code=USAGE)
    properties = {
        "driver": DRIVER,
        "user": user,
        "password": unquote(parts.password or ""),
        "connectTimeout": given.get("connect_timeout", "10"),
        "ApplicationName": given.get("application_name", "salesflow aggregate"),
        "tcpKeepAlive": "true",
        # For each read. Tasks fetch and append small batches, and never wait as long for one.
        "socketTimeout": str(timeout_s),
        **tls_properties(given),
    }
    address = f"[{host}]" if ":" in host else host
    # What may follow in a JDBC URL is not the database's name.
    jdbc_url = f"jdbc:postgresql://{address}:{port}/{database.replace('%', '%25').replace('?', '%3F')}"
    return Target(f"{host}:{port}/{database}", jdbc_url, properties, timeout_s)


def mistakes_in(given: Mapping[str, str], host: str) -> list[str]:
    """What is wrong with the parameters of a URL."""
    # Only a plain word is surely a name and no piece of a password; values are not shown at all.
    mistakes = [
        f"Cannot use {f'the parameter {name}' if re.fullmatch('[a-z_]{1,40}', name) else 'a parameter'} "
        f"in the PostgreSQL URL: it must be one of {', '.join(PARAMETERS)}"
        for name in given
        if name not in PARAMETERS
    ]
    mode = given.get("sslmode", "disable")
    if mode not in SSL_MODES:
        allowed = ", ".join(SSL_MODES)
        mistakes.append(f"Cannot use sslmode in the PostgreSQL URL: it must be one of {allowed}")
    if not re.match(r"\A[1-9]\d{0,3}\Z", given.get("connect_timeout", "10")):
        mistakes.append("Cannot use connect_timeout in the PostgreSQL URL: it must be 1 to 9999 seconds")
    if host.startswith("/"):
        mistakes.append(
            "Cannot use a socket's folder as host in the PostgreSQL URL: Java connects by TCP only"
        )
    return mistakes


def tls_properties(given: Mapping[str, str]) -> dict[str, str]:
    """libpq's words for encryption in those of the JDBC driver."""
    mode = given.get("sslmode", "disable")
    found = {name: given[name] for name in ("sslrootcert", "sslcert", "sslkey") if name in given}
    if mode == "require" and "sslrootcert" in given:
        # libpq looks at the certificate as soon as there is an authority to check it against.
        mode = "verify-ca"
    if mode.startswith("verify") and "sslrootcert" not in given:
        # The authorities that Java trusts; without this the driver wants a file in the home folder.
        found["sslfactory"] = "org.postgresql.ssl.DefaultJavaSSLFactory"
    return {"sslmode": mode, **found}


class Connection:
    """One connection of the driver; every value arrives as PostgreSQL's text."""

    def __init__(self, connection: JavaObject, timeout_s: int) -> None:
        self._connection = connection
        self._timeout_s = timeout_s

    def allow(self, rows: int) -> None:
        """Sets the longest time of the statements that follow, each of which may touch so many rows.

        The server ends a statement first, with the clearer error; an answer that does not come at all,
        because the server's machine or the way to it is gone, is awaited half of the timeout longer.
        """
        statement_ms = self._timeout_s * 1000 + rows * 1000 // SLOWEST_ROWS_PER_S
        self._connection.setNetworkTimeout(None, min(statement_ms + self._timeout_s * 500, MOST_MS))
        self.execute(f"SET statement_timeout = {min(statement_ms, MOST_MS)}")

    def is_alive(self) -> bool:
        """Whether the server still answers; in a transaction that failed it does."""
        return self._connection.isValid(ALIVE_S)

    def execute(self, sql: str) -> None:
        """Runs statements that return nothing."""
        statement = self._connection.createStatement()
        try:
            statement.execute(sql)
        finally:
            statement.close()

    def query(self, sql: str, *values: str) -> list[tuple[str | None, ...]]:
        """The rows of one statement; `values` are bound as text."""
        statement = self._connection.prepareStatement(sql)
        try:
            for index, value in enumerate(values, start=1):
                statement.setString(index, value)
            rows = statement.executeQuery()
            width = rows.getMetaData().getColumnCount()
            found = []
            while rows.next():
                found.append(tuple(rows.getString(column) for column in range(1, width + 1)))
            return found
        finally:
            statement.close()

    @contextmanager
    def transaction(self, begin: str = "") -> Iterator[None]:
        """Commits when the block ends, rolls back when it throws; `begin` is what may follow BEGIN."""
        self.execute(f"BEGIN {begin}")
        try:
            yield
        except BaseException:
            # A dead connection cannot roll back; the server does it by itself.
            with suppress(Py4JError):
                self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")


@contextmanager
def connect(spark: SparkSession, target: Target) -> Iterator[Connection]:
    """A connection that is closed in every case."""
    jvm = spark.sparkContext._jvm
    properties = jvm.java.util.Properties()
    for name, value in target.properties.items():
        properties.setProperty(name, value)
    try:
        driver = jvm.java.lang.Thread.currentThread().getContextClassLoader().loadClass(DRIVER)
    except Py4JError as cause:
        raise StageError(
            "Spark has no PostgreSQL JDBC driver",
            "Put it among Spark's jars, pass it with --jars, or name it in SALESFLOW_POSTGRES_JAR.",
            USAGE,
        ) from cause
    # Not by way of DriverManager, which does not see jars that were passed to spark-submit.
    connection = driver.getDeclaredConstructor(None).newInstance(None).connect(target.jdbc_url, properties)
    open_connections.add(connection)
    try:
        session = Connection(connection, target.timeout_s)
        session.allow(rows=0)
        # Shorter than a statement may take, because that another command is at work is the clearer error.
        lock_ms = target.timeout_s * 900
        session.execute(f"SET lock_timeout = {lock_ms}; SET search_path = pg_catalog; SET timezone = 'UTC'")
        yield session
    finally:
        open_connections.discard(connection)
        # When it is lost already, what lost it is the error to report.
        with suppress(Py4JError):
            connection.close()


def cancel_statements() -> None:
    """Asks PostgreSQL to give up what the driver's connections are waiting for."""
    for connection in list(open_connections):
        with suppress(Py4JError):
            connection.cancelQuery()


def quote_text(text: str) -> str:
    """A text as an SQL literal, for the few places where values cannot be bound."""
    return "'" + text.replace("'", "''") + "'"


def read_properties(target: Target, columns: Mapping[str, str], snapshot: str) -> dict[str, str]:
    """Options for reading `columns` (name to Spark type) as they were in an exported snapshot."""
    begin = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    return {
        **target.properties,
        "fetchsize": str(FETCH_ROWS),
        "customSchema": ", ".join(f"{name} {data_type}" for name, data_type in columns.items()),
        "sessionInitStatement": f"{begin}; SET TRANSACTION SNAPSHOT {quote_text(snapshot)}",
    }


def write_properties(target: Target) -> dict[str, str]:
    """Options for appending rows to a table."""
    return {**target.properties, "batchsize": str(BATCH_ROWS), "reWriteBatchedInserts": "true"}


def page_ranges(pages: int, ranges: int) -> Sequence[str]:
    """Conditions that split a table of so many pages into ranges of its pages, none left out."""
    count = max(1, min(ranges, pages))
    bounds = [pages * index // count for index in range(1, count)]
    starts = ["true", *[f"ctid >= '({bound},0)'::tid" for bound in bounds]]
    ends = [*[f"ctid < '({bound},0)'::tid" for bound in bounds], "true"]
    return [f"{start} AND {end}" for start, end in zip(starts, ends, strict=True)]
