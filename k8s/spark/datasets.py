"""Datasets: folders of CSV parts that exist if and only if their manifest.json does."""

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
# Requests to the store in parallel; checking a part takes one or two round trips.
STORE_THREADS = 16
# Few, because Spark may be using the same processors.
HASH_THREADS = 2
# A task that measures a file holds it in memory about three times. Larger files stream through the driver.
MAX_BUFFERED_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Part:
    """One file of a dataset: data rows without the header; bytes and SHA-256 of the whole file."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """The content of a dataset; see docs/data_contract.md."""

    dataset: str
    run_id: str
    as_of: str
    parts: tuple[Part, ...]
    facts: Mapping[str, object]
    engine: str = "spark"

    @property
    def rows(self) -> int:
        """Total data rows of all parts."""
        return sum(part.rows for part in self.parts)

    @property
    def bytes(self) -> int:
        """Total bytes of all parts."""
        return sum(part.bytes for part in self.parts)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the parts' names, rows, bytes and checksums."""
        lines = [f"{part.name}\t{part.rows}\t{part.bytes}\t{part.sha256}\n" for part in self.parts]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    def to_json(self) -> str:
        """Returns the text of manifest.json."""
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


def dataset_folder(run_id: str, dataset: str) -> str:
    """Returns the folder of a run's dataset."""
    return f"runs/{run_id}/{dataset}"


def open_raw(store: Store, run_id: str, header: str) -> Manifest:
    """Returns the manifest of raw/, after checking that all parts have their size and begin with `header`."""
    folder = dataset_folder(run_id, "raw")
    path = f"{folder}/manifest.json"
    remedy = f'Run "salesflow generate --run-id {run_id}" or "salesflow ingest" again.'
    text = store.read_text(path)
    if text is None:
        raise StageError(f"There is no raw data of run {run_id} in {store.url}: {path} is missing", remedy)
    manifest = parse_manifest(text, f"{store.url}/{path}", remedy)
    with ThreadPoolExecutor(STORE_THREADS) as threads:
        for mismatch in threads.map(lambda part: check_part(store, folder, part, header), manifest.parts):
            if mismatch:
                raise StageError(mismatch, remedy)
    return manifest


def parse_manifest(text: str, where: str, remedy: str) -> Manifest:
    """Parses the manifest.json of raw/ and checks its consistency."""
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
        stated = [content[key] for key in ("dataset", "format", "fingerprint", "rows", "bytes")]
        is_consistent = stated == ["raw", 1, manifest.fingerprint, manifest.rows, manifest.bytes]
        is_consistent = is_consistent and len(set(names)) == len(names)
        is_consistent = is_consistent and all(PART_NAME.match(name) for name in names)
    except (ValueError, KeyError, TypeError) as cause:
        raise StageError(f"Cannot parse {where}: {type(cause).__name__} {cause}", remedy) from cause
    if not is_consistent:
        raise StageError(f"{where} is inconsistent (names, rows, bytes or fingerprint)", remedy)
    return manifest


def parse_on_conflict(manifest: Manifest) -> str:
    """Returns which of the sales with one sale_id stays: `first`, also where raw/ does not say, or `last`."""
    value = manifest.facts.get("on_conflict", "first")
    if value not in ("first", "last"):
        raise StageError(
            f"on_conflict in raw/manifest.json of run {manifest.run_id} is {json.dumps(value)}, "
            "not first or last",
            "Ingest the run again.",
        )
    return str(value)


def check_part(store: Store, folder: str, part: Part, header: str) -> str | None:
    """Returns what is wrong with a part, or None when its size and header are correct."""
    path = f"{folder}/{part.name}"
    size = store.size(path)
    if size != part.bytes:
        found = "is missing" if size is None else f"holds {size} bytes"
        return f"{store.url}/{path} {found}, the manifest says {part.bytes} bytes"
    expected = header.encode()
    line = store.head(path, len(expected) + 2).split(b"\n", 1)[0].removesuffix(b"\r")
    return None if line == expected else f"{store.url}/{path} does not begin with the line {header}"


@contextmanager
def verify_checksums(store: Store, manifest: Manifest) -> Iterator[None]:
    """Computes the checksums of all parts while the block runs, then compares them with the manifest."""
    folder = dataset_folder(manifest.run_id, manifest.dataset)
    threads = ThreadPoolExecutor(HASH_THREADS)
    try:
        checksums = [threads.submit(store.sha256, f"{folder}/{part.name}") for part in manifest.parts]
        yield
        for part, sha256 in zip(manifest.parts, checksums, strict=True):
            if sha256.result() != part.sha256:
                raise StageError(
                    f"{store.url}/{folder}/{part.name} was changed: its SHA-256 is {sha256.result()}, "
                    f"the manifest says {part.sha256}",
                    "Generate or ingest the run again.",
                )
    finally:
        threads.shutdown(cancel_futures=True)


def begin_dataset(store: Store, run_id: str, dataset: str) -> None:
    """Removes an earlier version of a dataset: the manifest first, then the rest of its folder."""
    folder = dataset_folder(run_id, dataset)
    store.remove(f"{folder}/manifest.json")
    store.remove(folder)


def write_parts(store: Store, rows: DataFrame, folder: str, header: str) -> dict[str, Part]:
    """Writes the column `text`, whose partitions each begin with `header`, to a temporary folder.

    Returns the part for each file name, at least one.
    """
    rows.write.option("maxRecordsPerFile", 0).text(store.spark_path(folder), lineSep="\n")
    written = measure(rows.sparkSession, store, folder)
    # Without rows, Spark writes one empty file.
    measured = {name: facts for name, facts in written.items() if facts[1] > 0}
    if not measured:
        store.write_text(f"{folder}/part-header", header + "\n")
        measured = measure(rows.sparkSession, store, folder)
    names = sorted(measured)
    return {name: Part(f"part-{index:05d}.csv", *measured[name]) for index, name in enumerate(names)}


def move_parts(store: Store, parts: Mapping[str, Part], source: str, target: str) -> None:
    """Moves written parts to the folder of the dataset. In a bucket, the service copies each one."""
    with ThreadPoolExecutor(STORE_THREADS) as threads:
        moves = [
            threads.submit(store.rename, f"{source}/{name}", f"{target}/{part.name}")
            for name, part in parts.items()
        ]
        for move in moves:
            move.result()


def measure(spark: SparkSession, store: Store, folder: str) -> dict[str, tuple[int, int, str]]:
    """Returns rows, bytes and SHA-256 of each file as stored."""
    sizes = {name: size for name, size in store.list(folder).items() if not name.startswith(("_", "."))}
    small = [name for name, size in sizes.items() if size <= MAX_BUFFERED_BYTES]
    large = {name: size for name, size in sizes.items() if size > MAX_BUFFERED_BYTES}
    return {**measure_small(spark, store, folder, small), **measure_large(spark, store, folder, large)}


def measure_large(
    spark: SparkSession, store: Store, folder: str, sizes: Mapping[str, int]
) -> dict[str, tuple[int, int, str]]:
    """Measures files of any size: the cluster counts lines, the driver computes checksums."""
    if not sizes:
        return {}
    paths = [store.glob_path(f"{folder}/{name}") for name in sizes]
    lines = spark.read.text(paths, lineSep="\n").groupBy(F.col("_metadata.file_name").alias("name")).count()
    line_counts = {row["name"]: row["count"] for row in lines.collect()}
    with ThreadPoolExecutor(HASH_THREADS) as threads:
        checksums = threads.map(lambda name: store.sha256(f"{folder}/{name}"), sizes)
        return {
            name: (line_counts[name] - 1, size, sha256)
            for (name, size), sha256 in zip(sizes.items(), checksums, strict=True)
        }


def measure_small(
    spark: SparkSession, store: Store, folder: str, names: Sequence[str]
) -> dict[str, tuple[int, int, str]]:
    """Measures files that fit in memory on the cluster."""
    if not names:
        return {}
    text = F.col("content").cast("string")
    line_feeds = F.octet_length(text) - F.octet_length(F.replace(text, F.lit("\n"), F.lit("")))
    files = spark.read.format("binaryFile").load([store.glob_path(f"{folder}/{name}") for name in names])
    rows = files.select(
        F.col("_metadata.file_name").alias("name"),
        (line_feeds - 1).alias("rows"),
        F.col("length").alias("bytes"),
        F.sha2("content", 256).alias("sha256"),
    ).collect()
    return {row["name"]: (row["rows"], row["bytes"], row["sha256"]) for row in rows}


def publish_dataset(store: Store, manifest: Manifest) -> None:
    """Writes the manifest, which makes the dataset exist."""
    store.write_text(f"{dataset_folder(manifest.run_id, manifest.dataset)}/manifest.json", manifest.to_json())


def read_lines(spark: SparkSession, store: Store, manifest: Manifest) -> DataFrame:
    """Returns every line of a dataset's parts as `value`, with its id: `part`, `block` and `seq`."""
    folder = dataset_folder(manifest.run_id, manifest.dataset)
    paths = [store.glob_path(f"{folder}/{part.name}") for part in manifest.parts]
    numbers = spark.createDataFrame(
        [(part.name, number) for number, part in enumerate(manifest.parts)], "file string, part int"
    )
    # lineSep is set because by default a lone \r also ends a line. The id only has to increase from line to
    # line within a split.
    lines = spark.read.text(paths, lineSep="\n").select(
        "value",
        F.col("_metadata.file_name").alias("file"),
        F.col("_metadata.file_block_start").alias("block"),
        F.monotonically_increasing_id().alias("seq"),
    )
    return lines.join(F.broadcast(numbers), "file").select("part", "block", "seq", "value")


BLOCKS_SCHEMA = "part int, block long, file string, first_seq long, part_start long, lines_before long"


def number_blocks(status_counts: Sequence, manifest: Manifest) -> list[tuple[int, int, str, int, int, int]]:
    """Returns the splits in file order, as rows of BLOCKS_SCHEMA, computed from the counts of their lines."""
    lines: dict[tuple[int, int], int] = {}
    first: dict[tuple[int, int], int] = {}
    for row in status_counts:
        split = (row["part"], row["block"])
        lines[split] = lines.get(split, 0) + row["lines"]
        first[split] = min(first.get(split, row["first_seq"]), row["first_seq"])
    blocks = []
    position = part_start = 0
    current_part = -1
    for part, block in sorted(lines):
        if part != current_part:
            current_part, part_start = part, position
        name = manifest.parts[part].name
        blocks.append((part, block, name, first[part, block], part_start, position - part_start))
        position += lines[part, block]
    return blocks
