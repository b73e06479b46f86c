"""Independent reference implementation of the aggregates of docs/data_contract.md, in plain integers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

Sale = tuple[str, int, int, str]
Row = tuple[str, str, int, int, int, str, str, str, int, str]


def recount(sales: Iterable[Sale]) -> list[Row]:
    """Computes the aggregates, sorted and without run_id; decimals are texts with all digits."""
    cells: dict[tuple[str, str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for region, product, quantity, amount in sales:
        cents = int(Decimal(amount) * 100)
        keys = [
            ("total", "All", 0),
            ("region", region, 0),
            ("product", "All", product),
            ("region_product", region, product),
        ]
        for key in keys:
            cell = cells[key]
            cell[0] += 1
            cell[1] += quantity
            cell[2] += cents
    if not cells:
        return []
    grand_total = cells["total", "All", 0][2]
    windows: dict[tuple[str, str], list[tuple[str, str, int]]] = defaultdict(list)
    for level, region, product in cells:
        windows[level, region if level == "region_product" else ""].append((level, region, product))
    rows: list[Row] = []
    for keys in windows.values():
        keys.sort(key=lambda key: (-cells[key][2], key[1].encode(), key[2]))
        window_total = sum(cells[key][2] for key in keys)
        running = 0
        for rank, key in enumerate(keys, start=1):
            count, quantity, cents = cells[key]
            running += cents
            average = format_fixed(half_up(cents, count), 2)
            share = format_fixed(half_up(cents * 1_000_000, grand_total), 6)
            cumulative = format_fixed(half_up(running * 1_000_000, window_total), 6)
            rows.append((*key, count, quantity, format_fixed(cents, 2), average, share, rank, cumulative))
    return sorted(rows)


def half_up(numerator: int, denominator: int) -> int:
    """Divides positive integers, rounding half up."""
    quotient, remainder = divmod(numerator, denominator)
    return quotient + (1 if 2 * remainder >= denominator else 0)


def format_fixed(number: int, digits: int) -> str:
    """Formats an integer with a decimal point before its last `digits` digits."""
    text = str(number).rjust(digits + 1, "0")
    return f"{text[:-digits]}.{text[-digits:]}"
