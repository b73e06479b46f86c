"""Stores for tests: writes raw data, reads datasets and checks them against docs/data_contract.md."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

from cases import CleanCase, count_rows

RUN_ID = "test-run"
REJECTED_HEADER = b"file,line,reason,raw\n"
REASONS = [
    "malformed_row",
    "missing_value",
    "invalid_sale_id",
    "invalid_customer_id",
    "invalid_product_id",
    "invalid_quantity",
    "invalid_amount",
    "invalid_date",
    "date_out_of_range",
    "unknown_region",
    "conflicting_duplicate",
]
KEYS = ["dataset", "format", "run_id", "as_of", "engine", "rows", "bytes", "fingerprint", "parts", "facts"]


def fingerprint(parts: list[dict[str, Any]]) -> str:
    """Returns the fingerprint of the parts."""
    lines = [f"{part['name']}\t{part['rows']}\t{part['bytes']}\t{part['sha256']}\n" for part in parts]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def write_raw(
    store: Path, parts: list[bytes], as_of: str, run_id: str = RUN_ID, on_conflict: str | None = None
) -> Path:
    """Writes raw/ with its manifest, and run.json. Without `on_conflict`, the manifest does not say it."""
    run = store / "runs" / run_id
    (run / "raw").mkdir(parents=True)
    listed = []
    for number, content in enumerate(parts):
        name = f"part-{number:05d}.csv"
        (run / "raw" / name).write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        listed.append({"name": name, "rows": count_rows(content), "bytes": len(content), "sha256": sha256})
    manifest = {
        "dataset": "raw",
        "format": 1,
        "run_id": run_id,
        "as_of": as_of,
        "engine": "native",
        "rows": sum(part["rows"] for part in listed),
        "bytes": sum(part["bytes"] for part in listed),
        "fingerprint": fingerprint(listed),
        "parts": listed,
        "facts": {
            "source": "ingested",
            "files": [],
            **({} if on_conflict is None else {"on_conflict": on_conflict}),
        },
    }
    (run / "raw" / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    description = {"run_id": run_id, "as_of": as_of, "source": "ingested", "parameters": {}}
    (run / "run.json").write_text(json.dumps(description, indent=2) + "\n")
    return run


def read_manifest(run: Path, dataset: str) -> dict[str, Any]:
    """Reads the manifest of a dataset, after checking it against the parts."""
    folder = run / dataset
    text = (folder / "manifest.json").read_text()
    manifest = json.loads(text)
    assert text == json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    assert list(manifest) == KEYS
    assert (manifest["dataset"], manifest["format"], manifest["run_id"]) == (dataset, 1, run.name)
    for part in manifest["parts"]:
        assert list(part) == ["name", "rows", "bytes", "sha256"]
        content = (folder / part["name"]).read_bytes()
        assert part["bytes"] == len(content)
        assert part["sha256"] == hashlib.sha256(content).hexdigest()
        assert content.endswith(b"\n")
        assert part["rows"] == content.count(b"\n") - 1
    assert manifest["rows"] == sum(part["rows"] for part in manifest["parts"])
    assert manifest["bytes"] == sum(part["bytes"] for part in manifest["parts"])
    assert manifest["fingerprint"] == fingerprint(manifest["parts"])
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["manifest.json", *[part["name"] for part in manifest["parts"]]]
    return manifest


def read_rows(run: Path, dataset: str, header: bytes) -> list[bytes]:
    """Returns the lines of all parts without headers, in order."""
    rows = []
    for part in read_manifest(run, dataset)["parts"]:
        first, *lines = (run / dataset / part["name"]).read_bytes().split(b"\n")
        assert first + b"\n" == header
        rows += lines[:-1]
    return rows


def parse_rejected(line: bytes) -> tuple[str, int, str, bytes]:
    """Parses a line of rejected/: three plain fields, and the raw line in quotes."""
    file, number, reason, quoted = line.split(b",", 3)
    assert len(quoted) > 1
    assert quoted[:1] == quoted[-1:] == b'"'
    inner = quoted[1:-1]
    assert b'"' not in inner.replace(b'""', b"")
    raw = inner.replace(b'""', b'"')
    # A CSV reader must return the same.
    csv.field_size_limit(1 << 20)
    [[*plain, text]] = csv.reader(io.StringIO(line.decode(), newline=""), strict=True)
    assert (plain, text.encode()) == ([file.decode(), number.decode(), reason.decode()], raw)
    return file.decode(), int(number), reason.decode(), raw


def check_datasets(run: Path, case: CleanCase) -> None:
    """Checks that datasets and manifests are as the case expects."""
    rejected = [parse_rejected(line) for line in read_rows(run, "rejected", REJECTED_HEADER)]
    expected = [(f"part-{part:05d}.csv", line, reason, raw) for part, line, reason, raw in case.rejected]
    assert rejected == expected
    header = b"sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region\n"
    assert sorted(read_rows(run, "clean", header)) == sorted(case.clean)
    facts = read_manifest(run, "clean")["facts"]
    counts = dict.fromkeys(REASONS, 0)
    for _, _, reason, _ in case.rejected:
        counts[reason] += 1
    raw = json.loads((run / "raw" / "manifest.json").read_text())["fingerprint"]
    assert list(facts.items())[:5] == [
        ("rows_in", case.rows_in),
        ("rows_out", len(case.clean)),
        ("duplicates", case.duplicates),
        ("rejected", len(case.rejected)),
        ("rejected_by_reason", counts),
    ]
    assert list(facts["rejected_by_reason"]) == REASONS
    kept = ["on_conflict"] if case.on_conflict == "last" else []
    amounts = facts["rejected_amounts"]
    assert list(amounts) == REASONS
    assert all(amounts[reason]["rows"] <= count for reason, count in counts.items())
    for reason, (rows, amount) in (case.amounts or {}).items():
        assert amounts[reason] == {"rows": rows, "amount": amount}, reason
    assert list(facts)[5:] == ["rejected_amounts", "date_from", "date_to", *kept, "raw", "rejects"]
    assert facts.get("on_conflict", "first") == (case.on_conflict or "first")
    assert facts["date_to"] == (case.as_of if case.date_range else None)
    assert facts["raw"] == raw == read_manifest(run, "rejected")["facts"]["raw"]
    assert facts["rejects"] == read_manifest(run, "rejected")["fingerprint"]


def is_nothing_published(run: Path) -> bool:
    """Reports whether neither dataset exists and no temporary file is left."""
    leftovers = [path for path in run.rglob("*") if path.is_file() and "raw" not in path.parts]
    return all(path.name in ("run.json", ".lock-run") or path.parent.name == "stages" for path in leftovers)
