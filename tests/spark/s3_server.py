"""An S3 service for tests: versitygw, whose bucket is a folder that tests can look into."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster import is_listening, wait_until
from server import WAIT_TIMEOUT_S, free_port

PROGRAM = os.environ.get("SALESFLOW_TEST_S3_SERVER")
BUCKET, PREFIX = "shop", "weekly"
KEYS = {"AWS_ACCESS_KEY_ID": "keeper", "AWS_SECRET_ACCESS_KEY": "marked-s3-5c1d", "AWS_REGION": "us-east-1"}

needs_s3_server = pytest.mark.skipif(not PROGRAM, reason="needs Go, to build an S3 service")


def bucket_folder(home: Path) -> Path:
    """Returns the folder of the prefix in the bucket of a service that runs in `home`."""
    return home / "objects" / BUCKET / PREFIX


@contextmanager
def running_s3_server(home: Path) -> Iterator[str]:
    """Starts a service with a bucket and yields its URL; its files are in `home`."""
    attributes, objects = home / "attributes", home / "objects"
    attributes.mkdir()
    (objects / BUCKET).mkdir(parents=True)
    port = free_port()
    keys = {"ROOT_ACCESS_KEY": KEYS["AWS_ACCESS_KEY_ID"], "ROOT_SECRET_KEY": KEYS["AWS_SECRET_ACCESS_KEY"]}
    process = subprocess.Popen(
        [str(PROGRAM), "--port", f"127.0.0.1:{port}", "posix", "--sidecar", attributes, objects],
        env={**os.environ, **keys},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: is_listening(port), process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(WAIT_TIMEOUT_S)
