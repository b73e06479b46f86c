"""A lock in a bucket: an object that only one can create, renewed while its owner lives.

The salesflow binary makes and honours the same one (lib/store/s3/lease.ts). Hadoop has no conditional PUT,
so its own client of the AWS SDK is asked; the SDK's 2.24 has no setter for the condition, which is a header.
Only the bucket's clock counts: those of the machines may differ.
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

from errors import REMEDY_TRY_AGAIN, TRY_AGAIN, StageError, explain
from log import utc_now

# A lease that is not renewed for so long is free.
EXPIRY_S = 60
RENEW_S = 15
# Wait for a renewal that is under way.
FAREWELL_S = 5
# The condition does not hold; somebody else is writing; the object is gone.
REFUSALS = (412, 409, 404)


class Lease:
    """A lease that this process holds; use `hold_lease`."""

    def __init__(self, place: Place, etag: str) -> None:
        self._place = place
        self._etag = etag
        self._renewed = time.monotonic()
        self._lost = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, daemon=True, name="salesflow-lease")
        self._thread.start()

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_S):
            asked = time.monotonic()
            # What fails otherwise is tried again; `confirm` knows when it has been too long.
            with suppress(Exception):
                etag = self._place.put("If-Match", self._etag)
                if etag is None:
                    self._lost = True
                    return
                self._etag, self._renewed = etag, asked

    def confirm(self) -> None:
        """Does nothing while the lease is held. Raises StageError when somebody else may have taken it."""
        if self._lost or time.monotonic() - self._renewed > EXPIRY_S:
            raise StageError(
                f"The lock {self._place.name} was lost: it could not be renewed in time",
                "Run the same command again.",
                TRY_AGAIN,
            )

    def release(self) -> None:
        """Gives the lease back; one that cannot be deleted expires."""
        self._ended.set()
        self._thread.join(FAREWELL_S)
        with suppress(StageError, Py4JError):
            # A lost one is somebody else's.
            self.confirm()
            self._place.delete()


@contextmanager
def hold_lease(files: JavaObject, jvm: JVMView, bucket: str, key: str) -> Iterator[Lease]:
    """Holds the lease until the block ends. `files` is Hadoop's S3AFileSystem of the bucket.

    Raises StageError, with the exit code for trying again, when somebody else holds it.
    """
    place = Place(files, jvm, bucket, key)
    try:
        etag = take(place)
    except Py4JJavaError as error:
        raise explain_failure(error, place.name) from error
    if etag is None:
        raise StageError(
            f"Another salesflow command holds {place.name}",
            f"Wait until it is done; the lock of one that was killed is free after {EXPIRY_S} seconds.",
            TRY_AGAIN,
        )
    lease = Lease(place, etag)
    try:
        yield lease
    finally:
        lease.release()


def take(place: Place) -> str | None:
    """Creates the lease or takes an expired one over; returns its ETag, None when somebody else holds it."""
    etag = place.put("If-None-Match", "*")
    if etag is not None:
        return etag
    found = place.look()
    if found is None or found[1] < EXPIRY_S * 1000:
        return None
    return place.put("If-Match", found[0])


class Place:
    """Where the lease is, with the three requests that are needed."""

    def __init__(self, files: JavaObject, jvm: JVMView, bucket: str, key: str) -> None:
        self.name = f"s3://{bucket}/{key}"
        self._files = files
        self._client = files.getS3AInternals().getAmazonS3Client("the lock of a run")
        self._sdk = jvm.software.amazon.awssdk
        self._bucket = bucket
        self._key = key

    @contextmanager
    def _span(self) -> Iterator[None]:
        # Hadoop wants to know what each request of its client belongs to, and warns otherwise.
        span = self._files.createSpan("salesflow_lock", self._key, None)
        try:
            yield
        finally:
            span.deactivate()

    def put(self, condition: str, value: str) -> str | None:
        """Writes the lease when the condition holds; returns its ETag, None when it does not hold."""
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
                if status_of(error) in REFUSALS:
                    return None
                raise

    def look(self) -> tuple[str, int] | None:
        """ETag of the lease, and milliseconds since it was renewed; None when it is gone."""
        request = self._sdk.services.s3.model.HeadObjectRequest.builder().bucket(self._bucket).key(self._key)
        with self._span():
            try:
                answer = self._client.headObject(request.build())
            except Py4JJavaError as error:
                if status_of(error) in REFUSALS:
                    return None
                raise
        date = answer.sdkHttpResponse().firstMatchingHeader("Date")
        if not date.isPresent():
            return None
        now = self._sdk.utils.DateUtils.parseRfc822Date(date.get())
        return answer.eTag(), now.toEpochMilli() - answer.lastModified().toEpochMilli()

    def delete(self) -> None:
        """Removes the lease."""
        request = (
            self._sdk.services.s3.model.DeleteObjectRequest.builder().bucket(self._bucket).key(self._key)
        )
        with self._span():
            self._client.deleteObject(request.build())


def status_of(error: Py4JJavaError) -> int | None:
    """HTTP status of the service's answer; None when there was no answer."""
    try:
        return int(error.java_exception.statusCode())
    except Py4JError:
        return None


def explain_failure(error: Py4JJavaError, name: str) -> StageError:
    """What a failure of the service means."""
    status = status_of(error)
    message = f"Cannot lock {name}: {explain(error).message}"
    if status in (401, 403):
        return StageError(message, "Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and what they may do.")
    if status is not None and status < 500 and status not in (408, 429):
        return StageError(message, "The service must know conditional writes (If-None-Match, If-Match).")
    return StageError(message, REMEDY_TRY_AGAIN, TRY_AGAIN)
