"""Errors with a remedy and an exit code, and the classification of exceptions as transient or permanent."""

from __future__ import annotations

import re

from py4j.java_gateway import JavaObject
from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError

# As with the salesflow binary. 75 is EX_TEMPFAIL of sysexits.h: a retry may succeed.
EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_TEMPFAIL = 75


class StageError(Exception):
    """An error with an exit code and a remedy. Its message never contains a secret."""

    def __init__(self, message: str, remedy: str | None = None, exit_code: int = EXIT_FAILURE) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.exit_code = exit_code


# Parts of class names and messages of errors that a retry may resolve: the other side is unreachable,
# restarting or overloaded.
TRANSIENT_ERRORS = (
    "java.net.ConnectException",
    "java.net.SocketException",
    "java.net.SocketTimeoutException",
    "java.net.NoRouteToHostException",
    "java.net.UnknownHostException",
    "java.nio.channels.ClosedChannelException",
    "ConnectTimeoutException",
    "AWSClientIOException",
    "AWSServiceThrottledException",
    "AWSStatus500Exception",
    "All masters are unresponsive",
    "Master removed our application",
    "ExecutorLostFailure",
    "FetchFailedException",
)
# SQLSTATEs that a retry may resolve: connection lost; out of disk, memory or connections; serialization
# failure or deadlock; idle, transaction or statement timeout; object in use; lock not available; shutting
# down or starting up.
# https://www.postgresql.org/docs/18/errcodes-appendix.html
TRANSIENT_SQLSTATES = re.compile(r"\A(?:08...|53[123]00|40001|40P01|25P0[34]|55006|55P03|57014|57P0[1235])\Z")
RETRY_REMEDY = "Run the stage again. If the error persists, check the log of the server or cluster it names."
SEE_LOG_REMEDY = "See the log above for the full chain of causes."
# Remedies by cause; a key is part of a class name, or the start of a SQLSTATE.
REMEDIES = {
    "AccessDeniedException": "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and their permissions.",
    "NoAuthWithAWSException": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "UnknownStoreException": "Create the bucket, or correct its name in --store.",
    "28": "Check user and password in SALESFLOW_POSTGRES_URL, and the server's pg_hba.conf.",
    "3D": "Create the database, or correct its name in SALESFLOW_POSTGRES_URL.",
    "3F": 'Run "salesflow migrate" first.',
    "42P01": 'Run "salesflow migrate" first.',
    "42501": "Connect as the owner of the schema shop, or grant the privileges.",
    "25006": "Connect to the primary server.",
}


def to_stage_error(error: BaseException) -> StageError:
    """Converts any exception to an error for the user: message, remedy and exit code."""
    if isinstance(error, StageError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return StageError("Stopped by SIGINT", "Run the same command again.", EXIT_TEMPFAIL)
    if isinstance(error, Py4JNetworkError):
        return StageError(
            "Spark's Java process exited",
            "See its log for the reason, then run the stage again.",
            EXIT_TEMPFAIL,
        )
    causes = java_causes(error)
    messages = [first_line(text) for _, text, _ in causes] or [first_line(str(error)) or type(error).__name__]
    message = ": ".join(dict.fromkeys(text for text in messages if text))
    if "stopped SparkContext" in message:
        return StageError(
            "The Spark cluster is unreachable or ended the application", RETRY_REMEDY, EXIT_TEMPFAIL
        )
    is_transient = any(
        (state and TRANSIENT_SQLSTATES.match(state))
        or any(pattern in f"{name}: {text}" for pattern in TRANSIENT_ERRORS)
        for name, text, state in causes
    )
    if is_transient:
        return StageError(message, RETRY_REMEDY, EXIT_TEMPFAIL)
    return StageError(message, remedy_for(causes))


def remedy_for(causes: list[tuple[str, str, str | None]]) -> str:
    """Returns the remedy for a permanent failure."""
    for key, remedy in REMEDIES.items():
        for name, _, state in causes:
            if key in name or (state or "").startswith(key):
                return remedy
    return SEE_LOG_REMEDY


def java_causes(error: BaseException) -> list[tuple[str, str, str | None]]:
    """Returns class, message and SQLSTATE of the underlying Java exceptions, outermost first."""
    exception = getattr(error, "_origin", None)
    if isinstance(error, Py4JJavaError):
        exception = error.java_exception
    causes: list[tuple[str, str, str | None]] = []
    while isinstance(exception, JavaObject) and len(causes) < 12:
        try:
            name = exception.getClass().getName()
            state = exception.getSQLState() if name.startswith("org.postgresql.") else None
            causes.append((name, exception.getMessage() or "", state))
            exception = exception.getCause()
        except Py4JError:
            break
    return causes


def is_missing_file(error: BaseException) -> bool:
    """Reports whether the driver or a task did not find a file."""
    return any(
        name == "java.io.FileNotFoundException" or "FAILED_READ_FILE.FILE_NOT_EXIST" in text
        for name, text, _ in java_causes(error)
    )


def first_line(text: str) -> str:
    """Returns the first line of a message, without the class name that Java prepends."""
    line = text.strip().split("\n", 1)[0]
    return re.sub(r"\A(?:[a-z0-9_]+\.)+[A-Z]\w+: ", "", line)
