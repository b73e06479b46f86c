"""Secrets in URLs never reach a message."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from errors import StageError
from mask import mask_url
from postgres import Target, parse_url
from store import hadoop_root

SECRET = "hush-hush"
MASKED = {
    "gs://bucket/prefix": "gs://bucket/prefix",
    "data/2026": "data/2026",
    "50%": "50%",
    "https://key:pw@minio/b": "https://…",
    "s3://bucket?secret=pw": "s3://…",
    "http//key:pw@minio": "…",
}
# Text before and after a secret in URLs that were pasted without percent-encoding.
PIECES = [
    *["", "12", "/", "?", "#", "@", ":", "&", "=", "%zz", "\\", " ", "[", "é"],
    *["?sslmode=", "?a=", "12?host="],
]
STARTS = [
    *["postgres://", "postgresql://", "s3://", "s3a://", "S3://", "https://", "file://", "http//", "s3:", ""],
]
ENDS = ["@host", "@host/shop", "@bucket/p", "@host:1/default", "@", "@[::1]/x?a=b"]


@pytest.mark.parametrize("text", MASKED)
def test_mask_url_masks(text: str) -> None:
    assert mask_url(text) == MASKED[text]


def visible_text(read: Callable[[str], object], url: str) -> str:
    """Returns what the user sees of a URL: the error, or the name that was parsed from it."""
    try:
        result = read(url)
    except StageError as error:
        return f"{error.message} {error.remedy} {error.__cause__}"
    return result.server if isinstance(result, Target) else str(result)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("read", [parse_url, hadoop_root], ids=["parse_url", "hadoop_root"])
def test_secrets_are_hidden_wherever_they_are_in_a_url(read: Callable[[str], object], start: str) -> None:
    for user, before, after, end in itertools.product(["shop:", "me@h:"], PIECES, PIECES, ENDS):
        url = f"{start}{user}{before}{SECRET}{after}{end}"
        assert SECRET not in visible_text(read, url), url
