"""Files of a store, on file:// and s3a://, through Hadoop's FileSystem."""

from __future__ import annotations

import fcntl
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pyspark.sql import SparkSession

from errors import TRY_AGAIN, USAGE, StageError
from mask import mask_url
from s3_lease import Lease, hold_lease

# Hadoop reads these in a path as a pattern.
GLOB = re.compile(r"([{}\[\]*?\\])")

# As the salesflow binary takes them, and s3a, Hadoop's own word. No password passes for a bucket's name.
FOLDER_URL = re.compile(r"file://(localhost)?(?P<path>/[^?#]*)", re.IGNORECASE)
BUCKET_URL = re.compile(r"s3a?://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?P<path>/[^?#]*)?")

COPY_BYTES = 1024 * 1024


class Store:
    """A folder or a bucket; paths are relative to its root, such as runs/2026-11-24/raw/part-00000.csv."""

    def __init__(self, spark: SparkSession, url: str) -> None:
        """`url`: file:///folder, a path, s3://bucket/prefix or s3a://bucket/prefix."""
        self.url = url
        self.root = hadoop_root(url)
        self._jvm = spark.sparkContext._jvm
        configuration = spark.sparkContext._jsc.hadoopConfiguration()
        self._is_local = self.root.startswith("file:")
        self._lease: Lease | None = None
        if self._is_local:
            # Hadoop's usual local file system keeps hidden checksum files, which would be wrong as soon as
            # another program writes.
            self._files = self._jvm.org.apache.hadoop.fs.RawLocalFileSystem()
            self._files.initialize(self._jvm.java.net.URI("file:///"), configuration)
        else:
            self._files = self._path("").getFileSystem(configuration)

    def _path(self, path: str):
        return self._jvm.org.apache.hadoop.fs.Path(f"{self.root}/{path}" if path else self.root)

    def spark_path(self, path: str) -> str:
        """The path for Spark's readers and writers."""
        return f"{self.root}/{path}"

    def pattern_path(self, path: str) -> str:
        """The path for Spark's readers, which take it for a pattern."""
        return GLOB.sub(r"\\\1", self.spark_path(path))

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        return self._files.exists(self._path(path))

    def size(self, path: str) -> int | None:
        """Size in bytes; None when there is no such file."""
        return self._files.getFileStatus(self._path(path)).getLen() if self.exists(path) else None

    def head(self, path: str, limit: int) -> bytes:
        """The first bytes of a file, at most `limit`."""
        stream = self._files.open(self._path(path))
        try:
            return bytes(stream.readNBytes(limit))
        finally:
            stream.close()

    def sha256(self, path: str) -> str:
        """SHA-256 of a file, in hexadecimal; the bytes pass through this machine, however many there are."""
        digest = self._jvm.java.security.MessageDigest.getInstance("SHA-256")
        stream = self._jvm.java.security.DigestInputStream(self._files.open(self._path(path)), digest)
        nowhere = self._jvm.java.io.OutputStream.nullOutputStream()
        self._jvm.org.apache.hadoop.io.IOUtils.copyBytes(stream, nowhere, COPY_BYTES, True)
        return bytes(digest.digest()).hex()

    def read_text(self, path: str) -> str | None:
        """Whole text of a small file; None when there is none."""
        if not self.exists(path):
            return None
        stream = self._files.open(self._path(path))
        try:
            return bytes(stream.readAllBytes()).decode("utf-8")
        finally:
            stream.close()

    def write_text(self, path: str, text: str) -> None:
        """Replaces a small file in one step: readers see the old text or the new."""
        # Objects appear whole when they are closed; files need a temporary name.
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
        """Renames a file; on an object store there must be none at the target."""
        self._files.mkdirs(self._path(target).getParent())
        if not self._files.rename(self._path(source), self._path(target)):
            raise StageError(
                f"Cannot rename {source} to {target} in {self.url}", "See that the store can be written."
            )

    @contextmanager
    def locked(self, path: str) -> Iterator[None]:
        """Holds a lock that the salesflow binary honours, too, until the block ends or the process dies.

        In a bucket the lock of a process that died is free after a minute.
        """
        if not self._is_local:
            place = urlsplit(f"{self.root}/{path}")
            with hold_lease(self._files, self._jvm, place.netloc, place.path[1:]) as self._lease:
                yield
            return
        # The file stays, as it does with the binary: removing it would let a third process lock another one.
        with Path(self.root.removeprefix("file://"), path).open("ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as taken:
                raise StageError(
                    f"Another salesflow command holds {path} in {self.url}",
                    "Wait until it is done.",
                    TRY_AGAIN,
                ) from taken
            yield

    def confirm_lock(self) -> None:
        """Raises StageError when a lock that was taken may be somebody else's by now."""
        if self._lease:
            self._lease.confirm()

    def list(self, folder: str) -> dict[str, int]:
        """Names directly inside a folder, sorted, with their sizes in bytes; none when it does not exist."""
        if not self.exists(folder):
            return {}
        found = self._files.listStatus(self._path(folder))
        return dict(sorted((status.getPath().getName(), status.getLen()) for status in found))

    def remove(self, path: str) -> None:
        """Removes a file or a whole folder; fine when there is none."""
        self._files.delete(self._path(path), True)


def hadoop_root(url: str) -> str:
    """The store's address as Hadoop writes it."""
    if not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", url):
        if not url.startswith("/"):
            raise wrong_store(url)
        return "file://" + url.rstrip("/")
    if found := FOLDER_URL.fullmatch(url):
        return "file://" + unquote(found["path"]).rstrip("/")
    if found := BUCKET_URL.fullmatch(url):
        return f"s3a://{found['bucket']}{(found['path'] or '').rstrip('/')}"
    raise wrong_store(url)


def wrong_store(url: str) -> StageError:
    """The usage error for an address that is no store; secrets in it are not repeated."""
    return StageError(
        f"Cannot open the store {mask_url(url)}: it must be file:///folder, /folder or s3://bucket/prefix",
        exit_code=USAGE,
    )
