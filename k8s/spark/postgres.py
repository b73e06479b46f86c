"""PostgreSQL over JDBC: connection URLs, the driver's connections, options for parallel reads and writes."""

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

from errors import EXIT_USAGE, StageError
from mask import mask_url

DRIVER = "org.postgresql.Driver"
URL_VARIABLE = "SALESFLOW_POSTGRES_URL"
URL_EXAMPLE = "postgresql://user:password@host:5432/database"
URL_PARAMETERS = (
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "connect_timeout",
    "application_name",
    "host",
)
SSL_MODES = ("disable", "require", "verify-ca", "verify-full")
TIMEOUT_VARIABLE = "SALESFLOW_TIMEOUT_SECONDS"
# As in the salesflow binary: limit for a statement, and for waiting on a lock that another command holds.
DEFAULT_TIMEOUT_S = 120
MAX_TIMEOUT_S = 86_400
# A statement that touches every row gets one more second per this many rows, as in the binary.
MIN_ROWS_PER_S = 20_000
MAX_TIMEOUT_MS = 2**31 - 1
# Timeout for checking after a failure whether the server still responds.
PING_TIMEOUT_S = 5
# Rows per round trip, which the JDBC driver buffers in memory.
FETCH_ROWS = 10_000
BATCH_ROWS = 5_000


open_connections: set[JavaObject] = set()


@dataclass(frozen=True)
class Target:
    """A PostgreSQL database. `server` is for messages; only `properties` contain the password."""

    server: str
    jdbc_url: str
    properties: Mapping[str, str] = field(repr=False)
    # Timeout of statements whose work does not grow with the rows.
    timeout_s: int = DEFAULT_TIMEOUT_S


def target_from_environment(environment: Mapping[str, str] = os.environ) -> Target:
    """Reads SALESFLOW_POSTGRES_URL, or the file named by SALESFLOW_POSTGRES_URL_FILE."""
    url, path = environment.get(URL_VARIABLE), environment.get(f"{URL_VARIABLE}_FILE")
    timeout_s = read_timeout(environment)
    if url and path:
        raise StageError(f"Set {URL_VARIABLE} or {URL_VARIABLE}_FILE, not both", exit_code=EXIT_USAGE)
    if url:
        return parse_url(url, timeout_s)
    if not path:
        raise StageError(
            f"Set {URL_VARIABLE} or {URL_VARIABLE}_FILE, such as {URL_EXAMPLE}", exit_code=EXIT_USAGE
        )
    try:
        with open(path, encoding="utf-8") as file:
            return parse_url(file.read().strip(), timeout_s)
    except (OSError, UnicodeDecodeError) as cause:
        raise StageError(
            f"Cannot read {URL_VARIABLE}_FILE={mask_url(path)}: {type(cause).__name__}", exit_code=EXIT_USAGE
        ) from None


def read_timeout(environment: Mapping[str, str]) -> int:
    """Reads SALESFLOW_TIMEOUT_SECONDS."""
    text = environment.get(TIMEOUT_VARIABLE) or str(DEFAULT_TIMEOUT_S)
    if re.match(r"\A[0-9]{1,6}\Z", text) and 1 <= int(text) <= MAX_TIMEOUT_S:
        return int(text)
    raise StageError(
        f"Cannot use {TIMEOUT_VARIABLE} {text}: it must be a whole number from 1 to {MAX_TIMEOUT_S}",
        exit_code=EXIT_USAGE,
    )


def parse_url(url: str, timeout_s: int = DEFAULT_TIMEOUT_S) -> Target:
    """Parses a connection URL. Reports all mistakes in one error, which never contains the URL itself."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "127.0.0.1", parts.port or 5432
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("postgres", "postgresql"):
        raise StageError(
            "The PostgreSQL URL is invalid (not shown, as it may contain a password)",
            f"Write it as {URL_EXAMPLE}, with special characters of the password percent-encoded (%XX).",
            EXIT_USAGE,
        )
    # The rest of a password with an unencoded / ? or #, which ended the host too early.
    if "@" in parts.path + parts.query + parts.fragment:
        raise StageError(
            "The PostgreSQL URL has an @ after its host",
            "In passwords, write / as %2F, ? as %3F, # as %23 and @ as %40.",
            EXIT_USAGE,
        )
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    user = unquote(parts.username or "")
    database = unquote(parts.path[1:]) or user
    host = given.get("host", host)
    mistakes = find_mistakes(given, host) + ([] if user else ["The PostgreSQL URL has no user"])
    if mistakes:
        raise StageError("\n".join(mistakes), exit_code=EXIT_USAGE)
    properties = {
        "driver": DRIVER,
        "user": user,
        "password": unquote(parts.password or ""),
        "connectTimeout": given.get("connect_timeout", "10"),
        "ApplicationName": given.get("application_name", "salesflow aggregate"),
        "tcpKeepAlive": "true",
        # Per read. Tasks fetch and append small batches, so none of their reads takes this long.
        "socketTimeout": str(timeout_s),
        **tls_properties(given),
    }
    address = f"[{host}]" if ":" in host else host
    # Escaped, because parameters may follow the database name in a JDBC URL.
    jdbc_url = f"jdbc:postgresql://{address}:{port}/{database.replace('%', '%25').replace('?', '%3F')}"
    return Target(f"{host}:{port}/{database}", jdbc_url, properties, timeout_s)


def find_mistakes(given: Mapping[str, str], host: str) -> list[str]:
    """Returns the mistakes in the parameters of a URL."""
    # Only a plain word is certainly a parameter name and not part of a password; values are never shown.
    mistakes = [
        f"Cannot use {f'the parameter {name}' if re.fullmatch('[a-z_]{1,40}', name) else 'a parameter'} "
        f"in the PostgreSQL URL: it must be one of {', '.join(URL_PARAMETERS)}"
        for name in given
        if name not in URL_PARAMETERS
    ]
    mode = given.get("sslmode", "disable")
    if mode not in SSL_MODES:
        allowed = ", ".join(SSL_MODES)
        mistakes.append(f"Cannot use sslmode in the PostgreSQL URL: it must be one of {allowed}")
    if not re.match(r"\A[1-9]\d{0,3}\Z", given.get("connect_timeout", "10")):
        mistakes.append("Cannot use connect_timeout in the PostgreSQL URL: it must be 1 to 9999 seconds")
    if host.startswith("/"):
        mistakes.append(
            "Cannot use a socket directory as host in the PostgreSQL URL: the JDBC driver supports TCP only"
        )
    return mistakes


def tls_properties(given: Mapping[str, str]) -> dict[str, str]:
    """Translates libpq's TLS parameters to those of the JDBC driver."""
    mode = given.get("sslmode", "disable")
    properties = {name: given[name] for name in ("sslrootcert", "sslcert", "sslkey") if name in given}
    if mode == "require" and "sslrootcert" in given:
        # libpq verifies the certificate as soon as a root certificate is given.
        mode = "verify-ca"
    if mode.startswith("verify") and "sslrootcert" not in given:
        # Java's trust store; by default the driver requires a file in the home folder.
        properties["sslfactory"] = "org.postgresql.ssl.DefaultJavaSSLFactory"
    return {"sslmode": mode, **properties}


class Connection:
    """A JDBC connection; all values are returned as PostgreSQL's text."""

    def __init__(self, connection: JavaObject, timeout_s: int) -> None:
        self._connection = connection
        self._timeout_s = timeout_s

    def set_statement_timeout(self, rows: int) -> None:
        """Sets the timeout of subsequent statements, each of which may touch this many rows.

        The server's timeout fires first, with the clearer error. The network timeout, for an unreachable
        server, is longer by half of the base timeout.
        """
        statement_ms = self._timeout_s * 1000 + rows * 1000 // MIN_ROWS_PER_S
        self._connection.setNetworkTimeout(None, min(statement_ms + self._timeout_s * 500, MAX_TIMEOUT_MS))
        self.execute(f"SET statement_timeout = {min(statement_ms, MAX_TIMEOUT_MS)}")

    def is_alive(self) -> bool:
        """Reports whether the server responds, which it does in a failed transaction too."""
        return self._connection.isValid(PING_TIMEOUT_S)

    def execute(self, sql: str) -> None:
        """Runs statements that return no rows."""
        statement = self._connection.createStatement()
        try:
            statement.execute(sql)
        finally:
            statement.close()

    def query(self, sql: str, *values: str) -> list[tuple[str | None, ...]]:
        """Runs one statement and returns its rows; `values` are bound as text."""
        statement = self._connection.prepareStatement(sql)
        try:
            for index, value in enumerate(values, start=1):
                statement.setString(index, value)
            rows = statement.executeQuery()
            width = rows.getMetaData().getColumnCount()
            result = []
            while rows.next():
                result.append(tuple(rows.getString(column) for column in range(1, width + 1)))
            return result
        finally:
            statement.close()

    @contextmanager
    def transaction(self, begin: str = "") -> Iterator[None]:
        """Commits at the end of the block, rolls back when it raises. `begin` is appended to BEGIN."""
        self.execute(f"BEGIN {begin}")
        try:
            yield
        except BaseException:
            # If the connection is dead, the server rolls back.
            with suppress(Py4JError):
                self.execute("ROLLBACK")
            raise
        self.execute("COMMIT")


@contextmanager
def connect(spark: SparkSession, target: Target) -> Iterator[Connection]:
    """Opens a connection, and closes it at the end of the block."""
    jvm = spark.sparkContext._jvm
    properties = jvm.java.util.Properties()
    for name, value in target.properties.items():
        properties.setProperty(name, value)
    try:
        driver = jvm.java.lang.Thread.currentThread().getContextClassLoader().loadClass(DRIVER)
    except Py4JError as cause:
        raise StageError(
            "Spark has no PostgreSQL JDBC driver",
            "Add it to Spark's jars, pass it with --jars, or set SALESFLOW_POSTGRES_JAR to its path.",
            EXIT_USAGE,
        ) from cause
    # Not through DriverManager, which does not see jars passed to spark-submit.
    connection = driver.getDeclaredConstructor(None).newInstance(None).connect(target.jdbc_url, properties)
    open_connections.add(connection)
    try:
        session = Connection(connection, target.timeout_s)
        session.set_statement_timeout(rows=0)
        # Shorter than the statement timeout, because a lock timeout is the clearer error.
        lock_ms = target.timeout_s * 900
        session.execute(f"SET lock_timeout = {lock_ms}; SET search_path = pg_catalog; SET timezone = 'UTC'")
        yield session
    finally:
        open_connections.discard(connection)
        # If it is already lost, the error that lost it is the one to report.
        with suppress(Py4JError):
            connection.close()


def cancel_statements() -> None:
    """Cancels the running statements of all open connections."""
    for connection in list(open_connections):
        with suppress(Py4JError):
            connection.cancelQuery()


def quote_literal(text: str) -> str:
    """Returns text as an SQL literal, for statements where values cannot be bound."""
    return "'" + text.replace("'", "''") + "'"


def read_properties(target: Target, columns: Mapping[str, str], snapshot: str) -> dict[str, str]:
    """Returns options for reading `columns` (name to Spark type) in an exported snapshot."""
    begin = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    return {
        **target.properties,
        "fetchsize": str(FETCH_ROWS),
        "customSchema": ", ".join(f"{name} {data_type}" for name, data_type in columns.items()),
        "sessionInitStatement": f"{begin}; SET TRANSACTION SNAPSHOT {quote_literal(snapshot)}",
    }


def write_properties(target: Target) -> dict[str, str]:
    """Returns options for appending rows to a table."""
    return {**target.properties, "batchsize": str(BATCH_ROWS), "reWriteBatchedInserts": "true"}


def page_ranges(pages: int, ranges: int) -> Sequence[str]:
    """Returns conditions that partition a table into at most `ranges` ranges of its pages."""
    count = max(1, min(ranges, pages))
    bounds = [pages * index // count for index in range(1, count)]
    starts = ["true", *[f"ctid >= '({bound},0)'::tid" for bound in bounds]]
    ends = [*[f"ctid < '({bound},0)'::tid" for bound in bounds], "true"]
    return [f"{start} AND {end}" for start, end in zip(starts, ends, strict=True)]
