"""Errors that people see: what was found, and what to do next; and what kind of failure an exception is."""

from __future__ import annotations

import re

from py4j.java_gateway import JavaObject
from py4j.protocol import Py4JError, Py4JJavaError, Py4JNetworkError

DONE = 0
FINAL = 1
USAGE = 2
TRY_AGAIN = 75


class StageError(Exception):
    """An error with an exit code and a remedy; its message never holds a secret."""

    def __init__(self, message: str, remedy: str | None = None, exit_code: int = FINAL) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.exit_code = exit_code


# Failures that go away by themselves: the other side is down, restarting, overloaded, or was in the way.
PASSING = (
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
# SQLSTATE: connection lost, no disk, memory or connection left, serialization failure or deadlock, idle,
# transaction or statement timeout, in use, lock not available, shut down or starting.
# https://www.postgresql.org/docs/18/errcodes-appendix.html
PASSING_STATES = re.compile(r"\A(?:08...|53[123]00|40001|40P01|25P0[34]|55006|55P03|57014|57P0[1235])\Z")
REMEDY_TRY_AGAIN = (
    "Run the stage again; if it goes on, look at the log of the server or cluster that is named."
)
REMEDY_LOOK = "The log above has the whole chain of causes."
# What to do about causes that people meet; a key is part of a class name, or the start of a SQLSTATE.
REMEDIES = {
    "AccessDeniedException": "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do.",
    "NoAuthWithAWSException": "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
    "UnknownStoreException": "Create the bucket, or correct its name in --store.",
    "28": "Check user and password in SALESFLOW_POSTGRES_URL, and pg_hba.conf of the server.",
    "3D": "Create the database, or correct its name in SALESFLOW_POSTGRES_URL.",
    "3F": 'Run "salesflow migrate" first.',
    "42P01": 'Run "salesflow migrate" first.',
    "42501": "Connect as the owner of the schema shop, or grant the rights.",
    "25006": "Connect to the primary server.",
}


def explain(error: BaseException) -> StageError:
    """The error as people should see it."""
    if isinstance(error, StageError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return StageError("Stopped by SIGINT", "Run the same command again.", TRY_AGAIN)
    if isinstance(error, Py4JNetworkError):
        return StageError(
            "The Java process of Spark ended", "Run the stage again; see its log for why.", TRY_AGAIN
        )
    causes = java_causes(error)
    messages = [first_line(text) for _, text, _ in causes] or [first_line(str(error)) or type(error).__name__]
    message = ": ".join(dict.fromkeys(text for text in messages if text))
    if "stopped SparkContext" in message:
        return StageError(
            "Spark's cluster could not be reached, or ended the application", REMEDY_TRY_AGAIN, TRY_AGAIN
        )
    passing = any(
        (state and PASSING_STATES.match(state)) or any(word in f"{name}: {text}" for word in PASSING)
        for name, text, state in causes
    )
    if passing:
        return StageError(message, REMEDY_TRY_AGAIN, TRY_AGAIN)
    return StageError(message, remedy_for(causes))


def remedy_for(causes: list[tuple[str, str, str | None]]) -> str:
    """What to do about a final failure."""
    for key, remedy in REMEDIES.items():
        for name, _, state in causes:
            if key in name or (state or "").startswith(key):
                return remedy
    return REMEDY_LOOK


def java_causes(error: BaseException) -> list[tuple[str, str, str | None]]:
    """Class, message and SQLSTATE of the Java exceptions underneath, outermost first."""
    at = getattr(error, "_origin", None)
    if isinstance(error, Py4JJavaError):
        at = error.java_exception
    causes: list[tuple[str, str, str | None]] = []
    while isinstance(at, JavaObject) and len(causes) < 12:
        try:
            name = at.getClass().getName()
            state = at.getSQLState() if name.startswith("org.postgresql.") else None
            causes.append((name, at.getMessage() or "", state))
            at = at.getCause()
        except Py4JError:
            break
    return causes


def is_missing_file(error: BaseException) -> bool:
    """Whether a file was not there, for the driver or for a task."""
    return any(
        name == "java.io.FileNotFoundException" or "FAILED_READ_FILE.FILE_NOT_EXIST" in text
        for name, text, _ in java_causes(error)
    )


def first_line(text: str) -> str:
    """The first line of a message, without the class name that Java puts before it."""
    line = text.strip().split("\n", 1)[0]
    return re.sub(r"\A(?:[a-z0-9_]+\.)+[A-Z]\w+: ", "", line)
