"""Datasets: folders of CSV parts that exist when, and only when, their manifest.json does."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from errors import StageError
from store import Store

PART_NAME = re.compile(r"\Apart-[0-9]{5}\.csv\Z")
# Looking at a part is one or two round trips to an object store.
LOOKING_THREADS = 16
# Beside the work of Spark, which may have the same processors.
HASHING_THREADS = 2
# A task that measures a file holds it in memory, some three times. What is larger passes through the driver.
WHOLE_FILE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Part:
    """One file of a dataset: data rows without the header, bytes and SHA-256 of the whole file."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a dataset consists of."""

    dataset: str
    run_id: str
    as_of: str
    parts: tuple[Part, ...]
    facts: Mapping[str, object]
    engine: str = "spark"

    @property
    def rows(self) -> int:
        """Data rows of all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def bytes(self) -> int:
        """Bytes of all parts."""
        return sum(part.bytes for part in self.parts)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over names, rows, bytes and checksums of the parts."""
        lines = [f"{part.name}\t{part.rows}\t{part.bytes}\t{part.sha256}\n" for part in self.parts]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def to_json(self) -> str:
        """The bytes of manifest.json."""
        content = {
            "dataset": self.dataset,
            "format": 1,
            "run_id": self.run_id,
            "as_of": self.as_of,
            "engine": self.engine,
            "rows": self.rows,
            "bytes": self.bytes,
            "fingerprint": self.fingerprint,
            "parts": [asdict(part) for part in self.parts],
            "facts": self.facts,
        }
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def folder_of(run_id: str, dataset: str) -> str:
    """Folder of a run's dataset."""
    return f"runs/{run_id}/{dataset}"


def open_raw(store: Store, run_id: str, header: str) -> Manifest:
    """The manifest of raw/, whose parts are there in full size and begin with `header`."""
    folder = folder_of(run_id, "raw")
    path = f"{folder}/manifest.json"
    remedy = f'Run "salesflow generate --run-id {run_id}" or "salesflow ingest" again.'
    text = store.read_text(path)
    if text is None:
        raise StageError(f"There is no raw data of run {run_id} in {store.url}: {path} is missing", remedy)
    manifest = read_manifest(text, f"{store.url}/{path}", remedy)
    with ThreadPoolExecutor(LOOKING_THREADS) as threads:
        for fault in threads.map(lambda part: fault_of(store, folder, part, header), manifest.parts):
            if fault:
                raise StageError(fault, remedy)
    return manifest


def read_manifest(text: str, where: str, remedy: str) -> Manifest:
    """Reads manifest.json and checks that it agrees with itself."""
    try:
        content = json.loads(text)
        parts = tuple(
            Part(part["name"], part["rows"], part["bytes"], part["sha256"]) for part in content["parts"]
        )
        manifest = Manifest(
            content["dataset"],
            content["run_id"],
            content["as_of"],
            parts,
            content["facts"],
            content["engine"],
        )
        names = [part.name for part in parts]
        said = [content[key] for key in ("dataset", "format", "fingerprint", "rows", "bytes")]
        agrees = said == ["raw", 1, manifest.fingerprint, manifest.rows, manifest.bytes]
        agrees = agrees and len(set(names)) == len(names) and all(PART_NAME.match(name) for name in names)
    except (ValueError, KeyError, TypeError) as cause:
        raise StageError(f"Cannot understand {where}: {type(cause).__name__} {cause}", remedy) from cause
    if not agrees:
        raise StageError(f"{where} does not agree with itself (names, rows, bytes or fingerprint)", remedy)
    return manifest


def fault_of(store: Store, folder: str, part: Part, header: str) -> str | None:
    """What is wrong with a part; None when its size and header are right."""
    path = f"{folder}/{part.name}"
    size = store.size(path)
    if size != part.bytes:
        found = "is missing" if size is None else f"holds {size} bytes"
        return f"{store.url}/{path} {found}, the manifest says {part.bytes} bytes"
    expected = header.encode()
    line = store.head(path, len(expected) + 2).split(b"\n", 1)[0].removesuffix(b"\r")
    return None if line == expected else f"{store.url}/{path} does not begin with the line {header}"


@contextmanager
def unchanged(store: Store, manifest: Manifest) -> Iterator[None]:
    """Takes the checksums of all parts while the block runs; they must be those of the manifest."""
    folder = folder_of(manifest.run_id, manifest.dataset)
    threads = ThreadPoolExecutor(HASHING_THREADS)
    try:
        taken = [threads.submit(store.sha256, f"{folder}/{part.name}") for part in manifest.parts]
        yield
        for part, sha256 in zip(manifest.parts, taken, strict=True):
            if sha256.result() != part.sha256:
                raise StageError(
                    f"{store.url}/{folder}/{part.name} was changed: its SHA-256 is {sha256.result()}, "
                    f"the manifest says {part.sha256}",
                    "Generate or ingest the run again.",
                )
    finally:
        threads.shutdown(cancel_futures=True)


def begin_dataset(store: Store, run_id: str, dataset: str) -> None:
    """Makes room for a dataset: its manifest goes first, then everything else in its folder."""
    folder = folder_of(run_id, dataset)
    store.remove(f"{folder}/manifest.json")
    store.remove(folder)


def write_parts(store: Store, rows: DataFrame, folder: str, header: str) -> dict[str, Part]:
    """Writes `text` of every partition, which begins with `header`, to a temporary folder.

    Returns what each file is to become; there is at least one.
    """
    rows.write.option("maxRecordsPerFile", 0).text(store.spark_path(folder), lineSep="\n")
    taken = measure(rows.sparkSession, store, folder)
    # Spark makes a file without a byte when there are no rows at all.
    measured = {name: facts for name, facts in taken.items() if facts[1] > 0}
    if not measured:
        store.write_text(f"{folder}/part-header", header + "\n")
        measured = measure(rows.sparkSession, store, folder)
    names = sorted(measured)
    return {name: Part(f"part-{index:05d}.csv", *measured[name]) for index, name in enumerate(names)}


def place_parts(store: Store, parts: Mapping[str, Part], source: str, target: str) -> None:
    """Moves written parts to where the dataset is to be; in a bucket, each is copied by the service."""
    with ThreadPoolExecutor(LOOKING_THREADS) as threads:
        moves = [
            threads.submit(store.rename, f"{source}/{name}", f"{target}/{part.name}")
            for name, part in parts.items()
        ]
        for move in moves:
            move.result()


def measure(spark: SparkSession, store: Store, folder: str) -> dict[str, tuple[int, int, str]]:
    """Rows, bytes and SHA-256 of each file as it lies in the store."""
    sizes = {name: size for name, size in store.list(folder).items() if not name.startswith(("_", "."))}
    small = [name for name, size in sizes.items() if size <= WHOLE_FILE_BYTES]
    large = {name: size for name, size in sizes.items() if size > WHOLE_FILE_BYTES}
    return {**measure_small(spark, store, folder, small), **measure_large(spark, store, folder, large)}


def measure_large(
    spark: SparkSession, store: Store, folder: str, sizes: Mapping[str, int]
) -> dict[str, tuple[int, int, str]]:
    """Measures files of any size: the cluster counts their lines, their bytes pass through the driver."""
    if not sizes:
        return {}
    paths = [store.pattern_path(f"{folder}/{name}") for name in sizes]
    lines = spark.read.text(paths, lineSep="\n").groupBy(F.col("_metadata.file_name").alias("name")).count()
    counted = {row["name"]: row["count"] for row in lines.collect()}
    with ThreadPoolExecutor(HASHING_THREADS) as threads:
        taken = threads.map(lambda name: store.sha256(f"{folder}/{name}"), sizes)
        return {
            name: (counted[name] - 1, size, sha256)
            for (name, size), sha256 in zip(sizes.items(), taken, strict=True)
        }


def measure_small(
    spark: SparkSession, store: Store, folder: str, names: Sequence[str]
) -> dict[str, tuple[int, int, str]]:
    """Measures files that fit into memory, by the cluster."""
    if not names:
        return {}
    text = F.col("content").cast("string")
    line_feeds = F.octet_length(text) - F.octet_length(F.replace(text, F.lit("\n"), F.lit("")))
    files = spark.read.format("binaryFile").load([store.pattern_path(f"{folder}/{name}") for name in names])
    rows = files.select(
        F.col("_metadata.file_name").alias("name"),
        (line_feeds - 1).alias("rows"),
        F.col("length").alias("bytes"),
        F.sha2("content", 256).alias("sha256"),
    ).collect()
    return {row["name"]: (row["rows"], row["bytes"], row["sha256"]) for row in rows}


def publish(store: Store, manifest: Manifest) -> None:
    """Puts the manifest in place: from here on the dataset exists."""
    store.write_text(f"{folder_of(manifest.run_id, manifest.dataset)}/manifest.json", manifest.to_json())


def read_lines(spark: SparkSession, store: Store, manifest: Manifest) -> DataFrame:
    """Every line of a dataset's parts as `value`, with its place: `part`, `block` and `seq`."""
    folder = folder_of(manifest.run_id, manifest.dataset)
    paths = [store.pattern_path(f"{folder}/{part.name}") for part in manifest.parts]
    numbers = spark.createDataFrame(
        [(part.name, number) for number, part in enumerate(manifest.parts)], "file string, part int"
    )
    # The line end is given because the default takes a lone \r for one, too. The number grows from line to
    # line inside a split, which is all that is asked of it.
    lines = spark.read.text(paths, lineSep="\n").select(
        "value",
        F.col("_metadata.file_name").alias("file"),
        F.col("_metadata.file_block_start").alias("block"),
        F.monotonically_increasing_id().alias("seq"),
    )
    return lines.join(F.broadcast(numbers), "file").select("part", "block", "seq", "value")


BLOCKS = "part int, block long, file string, first_seq long, part_start long, lines_before long"


def number_blocks(outcomes: Sequence, manifest: Manifest) -> list[tuple[int, int, str, int, int, int]]:
    """Every split in file order, as rows of BLOCKS, from the counted outcomes of its lines."""
    lines: dict[tuple[int, int], int] = {}
    first: dict[tuple[int, int], int] = {}
    for row in outcomes:
        place = (row["part"], row["block"])
        lines[place] = lines.get(place, 0) + row["lines"]
        first[place] = min(first.get(place, row["first_seq"]), row["first_seq"])
    blocks = []
    position = part_start = 0
    at_part = -1
    for part, block in sorted(lines):
        if part != at_part:
            at_part, part_start = part, position
        name = manifest.parts[part].name
        blocks.append((part, block, name, first[part, block], part_start, position - part_start))
        position += lines[part, block]
    return blocks
