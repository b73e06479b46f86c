"""Brings the benchmark's exports in as DuckDB and pandas do it. Prints one JSON object: seconds of each way.

Usage: peers.py FOLDER WAY, with a folder that has shop.csv, cities.csv and canonical.csv. What a way leaves
out is said in main.ts. Imports and DuckDB's start are not measured.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

SHOP = """
SELECT hash("Order" || '-' || "Position") AS sale_id, hash(Email) AS customer_id, hash(SKU) AS product_id,
  Quantity::INTEGER AS quantity, strptime(Created, '%d.%m.%Y %H:%M')::DATE AS sale_date,
  (Price::DECIMAL(14, 2) * Quantity::INTEGER - Discount::DECIMAL(14, 2))::DECIMAL(14, 2) AS sale_amount,
  cities.region AS region
FROM read_csv('{folder}/shop.csv', delim = ';', header = true, all_varchar = true) AS shop
LEFT JOIN read_csv('{folder}/cities.csv', header = true, all_varchar = true) AS cities USING (City)
"""
IDS = """
SELECT DISTINCT hash(id) AS number, id AS text FROM (
  SELECT unnest(["Order" || '-' || "Position", Email, SKU]) AS id
  FROM read_csv('{folder}/shop.csv', delim = ';', header = true, all_varchar = true))
"""
CANONICAL = """
SELECT sale_id::BIGINT AS sale_id, customer_id::BIGINT AS customer_id,
  product_id::BIGINT AS product_id, quantity::INTEGER AS quantity,
  sale_date::DATE AS sale_date, sale_amount::DECIMAL(14, 2) AS sale_amount, region
FROM read_csv('{folder}/canonical.csv', header = true, all_varchar = true)
"""
DECIMALS = 100


def copy(query: str, folder: Path, name: str) -> Callable[[], object]:
    """Returns a step that writes the rows of a query."""
    import duckdb

    connection = duckdb.connect()
    statement = f"COPY ({query.format(folder=folder)}) TO '{folder}/{name}' (HEADER)"
    return lambda: connection.execute(statement)


def duckdb_shop(folder: Path) -> list[Callable[[], object]]:
    """Converts the shop's export, without a directory of ids."""
    return [copy(SHOP, folder, "duckdb-shop.csv")]


def duckdb_shop_ids(folder: Path) -> list[Callable[[], object]]:
    """Converts the shop's export, and lists which text each id stands for."""
    return [copy(SHOP, folder, "duckdb-shop.csv"), copy(IDS, folder, "duckdb-ids.csv")]


def duckdb_canonical(folder: Path) -> list[Callable[[], object]]:
    """Converts the export in the columns of raw/."""
    return [copy(CANONICAL, folder, "duckdb-canonical.csv")]


def pandas_shop(folder: Path) -> list[Callable[[], object]]:
    """Converts the shop's export; hashes ids, without a directory."""
    import pandas as pd
    from pandas.util import hash_array

    def convert() -> None:
        shop = pd.read_csv(folder / "shop.csv", sep=";", dtype=str)
        cities = pd.read_csv(folder / "cities.csv", dtype=str)
        sale_ids = shop["Order"] + "-" + shop["Position"]
        quantity = shop["Quantity"].astype("int64")
        cents = [
            (shop[name].astype("float64") * DECIMALS).round().astype("int64")
            for name in ("Price", "Discount")
        ]
        amount = (cents[0] * quantity - cents[1]) / DECIMALS
        sales = pd.DataFrame(
            {
                "sale_id": hash_array(sale_ids.to_numpy(dtype=object)),
                "customer_id": hash_array(shop["Email"].to_numpy(dtype=object)),
                "product_id": hash_array(shop["SKU"].to_numpy(dtype=object)),
                "quantity": quantity,
                "sale_date": pd.to_datetime(
                    shop["Created"], format="%d.%m.%Y %H:%M"
                ).dt.date,
                "sale_amount": amount.map("{:.2f}".format),
                "region": shop[["City"]].merge(cities, on="City", how="left")["region"],
            }
        )
        sales.to_csv(folder / "pandas-shop.csv", index=False)

    return [convert]


def pandas_canonical(folder: Path) -> list[Callable[[], object]]:
    """Converts the export in the columns of raw/."""
    import pandas as pd

    def convert() -> None:
        sales = pd.read_csv(folder / "canonical.csv", parse_dates=["sale_date"])
        sales["sale_amount"] = sales["sale_amount"].map("{:.2f}".format)
        sales.to_csv(folder / "pandas-canonical.csv", index=False)

    return [convert]


WAYS = [duckdb_shop, duckdb_shop_ids, duckdb_canonical, pandas_shop, pandas_canonical]


def main() -> None:
    """Runs one way, and prints its seconds."""
    folder = Path(sys.argv[1])
    way = next(way for way in WAYS if way.__name__ == sys.argv[2])
    steps = way(folder)
    begun = time.perf_counter()
    for step in steps:
        step()
    print(json.dumps({"seconds": time.perf_counter() - begun}))


main()
