"""A store on file:// or s3a://, accessed through Hadoop's FileSystem."""

from __future__ import annotations

import fcntl
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pyspark.sql import SparkSession

from errors import EXIT_TEMPFAIL, EXIT_USAGE, StageError
from mask import mask_url
from s3_lease import Lease, hold_lease

# Characters that Hadoop interprets as a glob pattern.
GLOB_CHARACTER = re.compile(r"([{}\[\]*?\\])")

# The URLs that the salesflow binary accepts, and s3a, Hadoop's scheme. Strict, so that no password can pass
# as a bucket name.
FOLDER_URL = re.compile(r"file://(localhost)?(?P<path>/[^?#]*)", re.IGNORECASE)
BUCKET_URL = re.compile(r"s3a?://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<path>/[^?#]*)?")

COPY_BUFFER_BYTES = 1024 * 1024


class Store:
    """A folder or a bucket. Paths are relative to its root, such as runs/2026-11-24/raw/part-00000.csv."""

    def __init__(self, spark: SparkSession, url: str) -> None:
        """`url`: file:///folder, a path, s3://bucket/prefix or s3a://bucket/prefix."""
        self.url = url
        self.root = hadoop_root(url)
        self._jvm = spark.sparkContext._jvm
        configuration = spark.sparkContext._jsc.hadoopConfiguration()
        self._is_local = self.root.startswith("file:")
        self._lease: Lease | None = None
        if self._is_local:
            # Hadoop's default local file system keeps hidden checksum files, which become stale when another
            # program writes.
            self._files = self._jvm.org.apache.hadoop.fs.RawLocalFileSystem()
            self._files.initialize(self._jvm.java.net.URI("file:///"), configuration)
        else:
            self._files = self._path("").getFileSystem(configuration)

    def _path(self, path: str):
        return self._jvm.org.apache.hadoop.fs.Path(f"{self.root}/{path}" if path else self.root)

    def spark_path(self, path: str) -> str:
        """Returns the path for Spark's writers."""
        return f"{self.root}/{path}"

    def glob_path(self, path: str) -> str:
        """Returns the path for Spark's readers, which interpret it as a glob pattern."""
        return GLOB_CHARACTER.sub(r"\\\1", self.spark_path(path))

    def exists(self, path: str) -> bool:
        """Reports whether a file or folder exists."""
        return self._files.exists(self._path(path))

    def size(self, path: str) -> int | None:
        """Returns the size of a file in bytes, or None when it does not exist."""
        return self._files.getFileStatus(self._path(path)).getLen() if self.exists(path) else None

    def head(self, path: str, limit: int) -> bytes:
        """Returns the first bytes of a file, at most `limit`."""
        stream = self._files.open(self._path(path))
        try:
            return bytes(stream.readNBytes(limit))
        finally:
            stream.close()

    def sha256(self, path: str) -> str:
        """Returns the SHA-256 of a file in hexadecimal. Streams the whole file through the driver."""
        digest = self._jvm.java.security.MessageDigest.getInstance("SHA-256")
        stream = self._jvm.java.security.DigestInputStream(self._files.open(self._path(path)), digest)
        null_stream = self._jvm.java.io.OutputStream.nullOutputStream()
        self._jvm.org.apache.hadoop.io.IOUtils.copyBytes(stream, null_stream, COPY_BUFFER_BYTES, True)
        return bytes(digest.digest()).hex()

    def read_text(self, path: str) -> str | None:
        """Returns the text of a small file, or None when it does not exist."""
        if not self.exists(path):
            return None
        stream = self._files.open(self._path(path))
        try:
            return bytes(stream.readAllBytes()).decode("utf-8")
        finally:
            stream.close()

    def write_text(self, path: str, text: str) -> None:
        """Replaces a small file atomically."""
        # An object becomes visible when it is complete; a file is written under a temporary name first.
        written = f"{path}.{uuid.uuid4()}.tmp" if self._is_local else path
        try:
            stream = self._files.create(self._path(written), True)
            try:
                stream.write(text.encode("utf-8"))
                if self._is_local:
                    stream.hsync()
            finally:
                stream.close()
            if written != path:
                self.rename(written, path)
        except BaseException:
            if written != path:
                self.remove(written)
            raise

    def rename(self, source: str, target: str) -> None:
        """Renames a file. On an object store, the target must not exist."""
        self._files.mkdirs(self._path(target).getParent())
        if not self._files.rename(self._path(source), self._path(target)):
            raise StageError(
                f"Cannot rename {source} to {target} in {self.url}", "Check that the store is writable."
            )

    @contextmanager
    def locked(self, path: str) -> Iterator[None]:
        """Holds a lock, shared with the salesflow binary, until the block ends or the process dies.

        In a bucket, the lock of a dead process expires after a minute.
        """
        if not self._is_local:
            place = urlsplit(f"{self.root}/{path}")
            with hold_lease(self._files, self._jvm, place.netloc, place.path[1:]) as self._lease:
                yield
            return
        # Like the binary, never removes the file: otherwise two processes could lock different inodes.
        with Path(self.root.removeprefix("file://"), path).open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as cause:
                raise StageError(
                    f"Another salesflow command holds {path} in {self.url}",
                    "Wait until it has finished.",
                    EXIT_TEMPFAIL,
                ) from cause
            yield

    def confirm_lock(self) -> None:
        """Raises StageError when the lock may have been lost to another process."""
        if self._lease:
            self._lease.confirm()

    def list(self, folder: str) -> dict[str, int]:
        """Returns names and sizes in bytes of a folder's entries, sorted; empty when it does not exist."""
        if not self.exists(folder):
            return {}
        found = self._files.listStatus(self._path(folder))
        return dict(sorted((status.getPath().getName(), status.getLen()) for status in found))

    def remove(self, path: str) -> None:
        """Removes a file or a folder with its contents, if it exists."""
        self._files.delete(self._path(path), True)


def hadoop_root(url: str) -> str:
    """Converts the URL of a store to Hadoop's form."""
    if not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", url):
        if not url.startswith("/"):
            raise invalid_store_error(url)
        return "file://" + url.rstrip("/")
    if found := FOLDER_URL.fullmatch(url):
        return "file://" + unquote(found["path"]).rstrip("/")
    if found := BUCKET_URL.fullmatch(url):
        return f"s3a://{found['bucket']}{(found['path'] or '').rstrip('/')}"
    raise invalid_store_error(url)


def invalid_store_error(url: str) -> StageError:
    """Returns the usage error for a URL that is not a store, without secrets that it may contain."""
    return StageError(
        f"Cannot open the store {mask_url(url)}: it must be file:///folder, /folder or s3://bucket/prefix",
        exit_code=EXIT_USAGE,
    )
