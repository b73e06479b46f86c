"""The same weekly job as it is commonly written: random rows by the csv module, pandas, SQLAlchemy, clickhouse-connect.

A yardstick for `deno task bench:usual`, not a straw man: every step is vectorised or batched where its library does
so by itself. It neither proves its numbers nor survives a kill. Prints one JSON object: seconds of each stage.
"""

import csv
import json
import os
import random
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import pandas as pd
from sqlalchemy import create_engine, text

COLUMNS = [
    "sale_id",
    "customer_id",
    "product_id",
    "quantity",
    "sale_date",
    "sale_amount",
    "region",
]
REGIONS = ["North", "South", "East", "West"]
PRODUCTS = 500
CUSTOMERS = 50_000

AGGREGATES = """
CREATE TABLE usual.sales_aggregates AS
WITH windows AS (
  SELECT region, product_id,
    count(*) OVER (PARTITION BY region, product_id) AS total_sales,
    sum(sale_amount) OVER (PARTITION BY region, product_id) AS total_amount,
    avg(sale_amount) OVER (PARTITION BY region, product_id) AS average_sale_amount
  FROM usual.sales
)
SELECT region, product_id, max(total_sales) AS total_sales, max(total_amount) AS total_amount,
  round(max(average_sale_amount), 2) AS average_sale_amount
FROM windows GROUP BY region, product_id
"""


def generate(path: Path, rows: int) -> None:
    prices = [round(random.uniform(100, 20_000), 2) for _ in range(PRODUCTS)]
    today = date.today()
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for sale_id in range(1, rows + 1):
            product = random.randrange(PRODUCTS)
            quantity = random.randint(1, 5)
            row = [
                sale_id,
                random.randint(1, CUSTOMERS),
                product + 1,
                quantity,
                today - timedelta(days=random.randrange(365)),
                round(quantity * prices[product], 2),
                random.choice(REGIONS),
            ]
            writer.writerow(row)
            if random.random() < 0.01:
                writer.writerow(row)


def clean(raw: Path, target: Path) -> None:
    sales = pd.read_csv(raw)
    sales = sales.drop_duplicates(subset="sale_id").dropna()
    sales["sale_date"] = pd.to_datetime(sales["sale_date"])
    sales = sales[
        (sales["quantity"] > 0)
        & (sales["sale_amount"] > 0)
        & sales["region"].isin(REGIONS)
    ]
    sales.to_csv(target, index=False)


def load(path: Path, engine) -> None:
    sales = pd.read_csv(path, parse_dates=["sale_date"])
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA IF EXISTS usual CASCADE"))
        connection.execute(text("CREATE SCHEMA usual"))
        connection.execute(
            text(
                "CREATE TABLE usual.sales (sale_id bigint PRIMARY KEY, customer_id bigint, product_id integer, "
                "quantity integer, sale_date date, sale_amount numeric(14, 2), region text)"
            )
        )
        sales.to_sql(
            "sales",
            connection,
            schema="usual",
            if_exists="append",
            index=False,
            chunksize=10_000,
        )


def aggregate(engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS usual.sales_aggregates"))
        connection.execute(text(AGGREGATES))


def transfer(engine, clickhouse_url: str) -> None:
    aggregates = pd.read_sql("SELECT * FROM usual.sales_aggregates", engine)
    aggregates["import_date"] = date.today()
    url = urlsplit(clickhouse_url)
    client = clickhouse_connect.get_client(
        host=url.hostname, port=url.port, username=url.username, password=url.password
    )
    client.command("CREATE DATABASE IF NOT EXISTS usual")
    client.command("DROP TABLE IF EXISTS usual.sales_aggregates")
    client.command(
        "CREATE TABLE usual.sales_aggregates (region String, product_id Int32, total_sales Int64, "
        "total_amount Float64, average_sale_amount Float64, import_date Date) ENGINE = MergeTree ORDER BY product_id"
    )
    client.insert_df("sales_aggregates", aggregates, database="usual")
    arrived = client.command("SELECT count() FROM usual.sales_aggregates")
    if int(arrived) != len(aggregates):
        raise SystemExit(
            f"{arrived} of {len(aggregates)} aggregates arrived in ClickHouse"
        )


def main() -> None:
    folder, rows = Path(sys.argv[1]), int(sys.argv[2])
    postgres = os.environ["SALESFLOW_POSTGRES_URL"].replace(
        "postgres://", "postgresql+psycopg2://"
    )
    engine = create_engine(postgres)
    raw, cleaned = folder / "raw.csv", folder / "clean.csv"
    stages = {
        "generate": lambda: generate(raw, rows),
        "clean": lambda: clean(raw, cleaned),
        "load": lambda: load(cleaned, engine),
        "aggregate": lambda: aggregate(engine),
        "transfer": lambda: transfer(engine, os.environ["SALESFLOW_CLICKHOUSE_URL"]),
    }
    seconds = {}
    for name, stage in stages.items():
        begun = time.perf_counter()
        stage()
        seconds[name] = time.perf_counter() - begun
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
