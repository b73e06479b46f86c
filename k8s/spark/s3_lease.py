"""A lock in a bucket: an object created by a conditional PUT and renewed while its owner is alive.

The salesflow binary uses the same lease (lib/store/s3/lease.ts). Hadoop has no conditional PUT, so requests
go through its AWS SDK client; version 2.24 of the SDK has no setter for the condition, so it is set as a
header. Expiry is computed from the bucket's clock only, because the clocks of the machines may differ.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from py4j.java_gateway import JavaObject, JVMView
from py4j.protocol import Py4JError, Py4JJavaError

from errors import EXIT_TEMPFAIL, RETRY_REMEDY, StageError, to_stage_error
from log import utc_now

# A lease that has not been renewed for this long is free.
EXPIRY_S = 60
RENEW_INTERVAL_S = 15
# Wait for a renewal in progress.
RELEASE_TIMEOUT_S = 5
# Precondition failed; concurrent write; object deleted.
CONFLICT_STATUSES = (412, 409, 404)


class Lease:
    """A lease held by this process, renewed by a thread. Created by `hold_lease`."""

    def __init__(self, lease_object: LeaseObject, etag: str) -> None:
        self._object = lease_object
        self._etag = etag
        self._renewed = time.monotonic()
        self._lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True, name="salesflow-lease")
        self._thread.start()

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_INTERVAL_S):
            requested = time.monotonic()
            # Other failures are retried; `confirm` detects when the lease has expired.
            with suppress(Exception):
                etag = self._object.put("If-Match", self._etag)
                if etag is None:
                    self._lost = True
                    return
                self._etag, self._renewed = etag, requested

    def confirm(self) -> None:
        """Raises StageError when the lease has expired or another process took it."""
        if self._lost or time.monotonic() - self._renewed > EXPIRY_S:
            raise StageError(
                f"The lock {self._object.name} was lost: it was not renewed in time",
                "Run the same command again.",
                EXIT_TEMPFAIL,
            )

    def release(self) -> None:
        """Deletes the lease. If that fails, it expires."""
        self._ended.set()
        self._thread.join(RELEASE_TIMEOUT_S)
        with suppress(StageError, Py4JError):
            # A lost lease belongs to another process.
            self.confirm()
            self._object.delete()


@contextmanager
def hold_lease(files: JavaObject, jvm: JVMView, bucket: str, key: str) -> Iterator[Lease]:
    """Holds the lease until the block ends. `files` is Hadoop's S3AFileSystem of the bucket.

    Raises StageError with EXIT_TEMPFAIL when another process holds it.
    """
    lease_object = LeaseObject(files, jvm, bucket, key)
    try:
        etag = acquire(lease_object)
    except Py4JJavaError as error:
        raise to_lock_error(error, lease_object.name) from error
    if etag is None:
        raise StageError(
            f"Another salesflow command holds {lease_object.name}",
            f"Wait until it has finished. The lock of a killed command expires after {EXPIRY_S} seconds.",
            EXIT_TEMPFAIL,
        )
    lease = Lease(lease_object, etag)
    try:
        yield lease
    finally:
        lease.release()


def acquire(lease_object: LeaseObject) -> str | None:
    """Creates the lease or takes over an expired one. Returns its ETag, or None when it is held."""
    etag = lease_object.put("If-None-Match", "*")
    if etag is not None:
        return etag
    current = lease_object.head()
    if current is None or current[1] < EXPIRY_S * 1000:
        return None
    return lease_object.put("If-Match", current[0])


class LeaseObject:
    """The object of a lease, with the three requests it needs."""

    def __init__(self, files: JavaObject, jvm: JVMView, bucket: str, key: str) -> None:
        self.name = f"s3://{bucket}/{key}"
        self._files = files
        self._client = files.getS3AInternals().getAmazonS3Client("the lock of a run")
        self._sdk = jvm.software.amazon.awssdk
        self._bucket = bucket
        self._key = key

    @contextmanager
    def _span(self) -> Iterator[None]:
        # Hadoop logs a warning for requests outside an audit span.
        span = self._files.createSpan("salesflow_lock", self._key, None)
        try:
            yield
        finally:
            span.deactivate()

    def put(self, condition: str, value: str) -> str | None:
        """Writes the lease if the condition holds. Returns the new ETag, or None when it does not hold."""
        header = (
            self._sdk.awscore.AwsRequestOverrideConfiguration.builder().putHeader(condition, value).build()
        )
        request = self._sdk.services.s3.model.PutObjectRequest.builder().bucket(self._bucket).key(self._key)
        content = json.dumps({"owner": str(uuid.uuid4()), "renewed_at": utc_now()})
        body = self._sdk.core.sync.RequestBody.fromString(content)
        with self._span():
            try:
                return self._client.putObject(request.overrideConfiguration(header).build(), body).eTag()
            except Py4JJavaError as error:
                if http_status(error) in CONFLICT_STATUSES:
                    return None
                raise

    def head(self) -> tuple[str, int] | None:
        """Returns the ETag of the lease and its age in milliseconds, or None when it does not exist."""
        request = self._sdk.services.s3.model.HeadObjectRequest.builder().bucket(self._bucket).key(self._key)
        with self._span():
            try:
                response = self._client.headObject(request.build())
            except Py4JJavaError as error:
                if http_status(error) in CONFLICT_STATUSES:
                    return None
                raise
        date = response.sdkHttpResponse().firstMatchingHeader("Date")
        if not date.isPresent():
            return None
        now = self._sdk.utils.DateUtils.parseRfc822Date(date.get())
        return response.eTag(), now.toEpochMilli() - response.lastModified().toEpochMilli()

    def delete(self) -> None:
        """Deletes the lease."""
        request = (
            self._sdk.services.s3.model.DeleteObjectRequest.builder().bucket(self._bucket).key(self._key)
        )
        with self._span():
            self._client.deleteObject(request.build())


def http_status(error: Py4JJavaError) -> int | None:
    """Returns the HTTP status of the response, or None when there was none."""
    try:
        return int(error.java_exception.statusCode())
    except Py4JError:
        return None


def to_lock_error(error: Py4JJavaError, name: str) -> StageError:
    """Converts a failed request to an error with a remedy."""
    status = http_status(error)
    message = f"Cannot lock {name}: {to_stage_error(error).message}"
    if status in (401, 403):
        return StageError(message, "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and their permissions.")
    if status is not None and status < 500 and status not in (408, 429):
        return StageError(message, "The service must support conditional writes (If-None-Match, If-Match).")
    return StageError(message, RETRY_REMEDY, EXIT_TEMPFAIL)
