"""Reads the cases of tests/conformance, which both engines must pass; see its README.md."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "conformance"
COLUMNS = ["sale_id", "customer_id", "product_id", "quantity", "sale_date", "sale_amount", "region"]
HEADER = ",".join(COLUMNS)
AS_OF = "2026-11-24"
BLANK_LINE = re.compile(rb"\A(?:[ \t]|\xc2\xa0|\xe2\x80\xaf)*\r?\Z")


@dataclass
class CleanCase:
    """Input and expected output of the stage clean."""

    name: str
    parts: list[bytes]
    as_of: str = AS_OF
    date_range: bool = True
    on_conflict: str | None = None
    max_rejected: float = 1
    rows_in: int = 0
    duplicates: int = 0
    clean: list[bytes] = field(default_factory=list)
    rejected: list[tuple[int, int, str, bytes]] = field(default_factory=list)
    fails: int | None = None
    amounts: dict[str, tuple[int, str]] | None = None


def decode(content: Any) -> bytes:
    """Returns the bytes of a piece of content or of a list of pieces."""
    if isinstance(content, list):
        return b"".join(decode(piece) for piece in content)
    if isinstance(content, str):
        return content.encode()
    if "base64" in content:
        return base64.b64decode(content["base64"])
    return content["repeat"].encode() * content["times"]


def count_rows(part: bytes) -> int:
    """Counts the data rows of a raw part: lines that are not blank, without the header."""
    lines = part.split(b"\n")
    return max(0, sum(not BLANK_LINE.match(line) for line in lines) - 1)


def case_files(folder: str) -> list[Path]:
    """Returns the files of a folder of cases, at least one."""
    found = sorted((FOLDER / folder).glob("*.json"))
    assert found, f"no cases in {FOLDER / folder}"
    return found


def read_json(path: Path) -> Any:
    """Parses a file of cases."""
    return json.loads(path.read_text(encoding="utf-8"))


def parse_clean_case(case: dict[str, Any]) -> CleanCase:
    """Parses one case of clean/*.json."""
    known = {"name", "as_of", "date_range", "on_conflict", "max_rejected", "rows_in", "duplicates", "fails"}
    assert set(case) <= known | {"amounts", "parts", "clean", "rejected"}, f"unknown keys in {case['name']}"
    return CleanCase(
        **{key: value for key, value in case.items() if key in known},
        amounts={reason: (rows, amount) for reason, (rows, amount) in case.get("amounts", {}).items()},
        parts=[decode(part) for part in case["parts"]],
        clean=[row.encode() for row in case.get("clean", [])],
        rejected=[(part, line, reason, decode(raw)) for part, line, reason, raw in case.get("rejected", [])],
    )


def parse_value_table(table: dict[str, Any]) -> list[tuple[str, str | None, str | None]]:
    """Returns raw line, clean row or None, and reason or None, for each entry of a table of values."""
    column = COLUMNS.index(table["field"])
    entries = [(text, clean, None) for text, clean in table["accepted"]]
    entries += [(text, None, reason) for text, reason in table["rejected"]]
    rows: list[tuple[str, str | None, str | None]] = []
    for number, (text, clean, reason) in enumerate(entries, start=1):
        row = [str(number), "11", "22", "3", table["as_of"], "10.00", "North"]
        raw = ",".join([*row[:column], text, *row[column + 1 :]])
        rows.append(
            (raw, None if clean is None else ",".join([*row[:column], clean, *row[column + 1 :]]), reason)
        )
    return rows


def read_value_case(path: Path) -> CleanCase:
    """Reads a table of values as one case."""
    table = read_json(path)
    rows = parse_value_table(table)
    return CleanCase(
        name=path.stem,
        parts=["".join(f"{line}\n" for line in [HEADER, *[raw for raw, _, _ in rows]]).encode()],
        as_of=table["as_of"],
        date_range=table.get("date_range", True),
        rows_in=len(rows),
        clean=[clean.encode() for _, clean, _ in rows if clean is not None],
        rejected=[
            (0, line, reason, sanitize(raw))
            for line, (raw, _, reason) in enumerate(rows, start=2)
            if reason is not None
        ],
    )


def sanitize(raw: str) -> bytes:
    """Returns a raw line as it is written to rejected/."""
    return raw.replace("\0", "\ufffd").encode()
