"""Writes the workbooks and Parquet files of this folder, as common programs write them.

pip install openpyxl==3.1.5 xlsxwriter==3.3.1 pyarrow==26.0.1 && python make_data.py
"""

import base64
import datetime
import decimal
import pathlib

import openpyxl
import openpyxl.cell.rich_text as rich
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import xlsxwriter

HERE = pathlib.Path(__file__).parent
DAY = datetime.date(2026, 11, 15)
TIME = datetime.datetime(2026, 11, 15, 21, 30, 7)


def write_openpyxl() -> None:
    """Write a workbook with several sheets, all types of cells and formulas without values."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Orders"
    sheet.append(["Order", "Date", "Price", "Paid", "Note"])
    sheet.append(["A-1", DAY, 19.99, True, "a & b"])
    sheet.append(
        [
            "A-2",
            TIME,
            0.1 + 0.2,
            False,
            rich.CellRichText("plain ", rich.TextBlock(rich.InlineFont(b=True), "bold")),
        ]
    )
    sheet.append([])
    sheet.append([12345678901234567890, datetime.time(9, 5), 1e-7, None, "=C2*2"])
    sheet.merge_cells("A6:C6")
    sheet["A6"] = "merged"
    sheet["E6"] = "#N/A"
    sheet.append([None] * 5)
    book.create_sheet("2").append(["named as a number"])
    hidden = book.create_sheet("Hidden")
    hidden.sheet_state = "hidden"
    hidden.append(["secret"])
    book.create_chartsheet("Chart")
    book.save(HERE / "openpyxl.xlsx")


def write_xlsxwriter() -> None:
    """Write a workbook with days from 1904 and formulas with values."""
    book = xlsxwriter.Workbook(HERE / "xlsxwriter.xlsx", {"date_1904": True})
    sheet = book.add_worksheet("Отчёт")
    date = book.add_format({"num_format": 'dd.mm.yyyy"г."'})
    money = book.add_format({"num_format": '#,##0.00 "руб."'})
    sheet.write_row(1, 1, ["Номер", "Дата", "Сумма"])
    sheet.write(2, 1, "№1")
    sheet.write_datetime(2, 2, TIME, date)
    sheet.write_formula(2, 3, "=1+1", money, 1234.5)
    sheet.write_formula(3, 3, '="a"&"b"', None, "ab")
    sheet.write_formula(4, 3, "=1/0", None, "#DIV/0!")
    sheet.write_formula(5, 3, "=TRUE", None, True)
    sheet.write_rich_string(6, 1, "rich ", money, "text")
    sheet.write(7, 1, "line\nbreak\tand\x01control")
    book.close()


def types_table() -> pa.Table:
    """Return two rows with values of each type, and one of nulls."""
    big = 2**63 - 1
    moment = datetime.datetime(2026, 11, 15, 21, 30, 7, 250_000)
    midnight = datetime.datetime(2026, 11, 15)
    before = datetime.datetime(1969, 12, 31, 23, 59, 59, 1)
    columns = {
        "bool": pa.array([True, False, None]),
        "int8": pa.array([-128, 127, None], pa.int8()),
        "uint8": pa.array([0, 255, None], pa.uint8()),
        "int32": pa.array([-(2**31), 2**31 - 1, None], pa.int32()),
        "uint32": pa.array([0, 2**32 - 1, None], pa.uint32()),
        "int64": pa.array([-big - 1, big, None], pa.int64()),
        "uint64": pa.array([0, 2**64 - 1, None], pa.uint64()),
        "float16": pa.array([0.5, -2.0, None], pa.float16()),
        "float": pa.array([0.1, 19.99, None], pa.float32()),
        "double": pa.array([0.1 + 0.2, 1e-7, None], pa.float64()),
        "decimal9": pa.array(
            [decimal.Decimal("-0.05"), decimal.Decimal("1234567.89"), None], pa.decimal128(9, 2)
        ),
        "decimal38": pa.array(
            [
                decimal.Decimal("-0.0000000001"),
                decimal.Decimal("1234567890123456789012345678.9012345678"),
                None,
            ],
            pa.decimal128(38, 10),
        ),
        "date": pa.array([DAY, datetime.date(1969, 12, 31), None]),
        "time_ms": pa.array([datetime.time(9, 5), datetime.time(23, 59, 59, 250_000), None], pa.time32("ms")),
        "time_us": pa.array([datetime.time(9, 5, 0, 1), datetime.time(0), None], pa.time64("us")),
        "local_ms": pa.array([moment, midnight, None], pa.timestamp("ms")),
        "local_us": pa.array([before, moment, None], pa.timestamp("us")),
        "local_ns": pa.array([1, moment, None], pa.timestamp("ns")),
        "utc_ms": pa.array([moment, midnight, None], pa.timestamp("ms", "UTC")),
        "utc_us": pa.array([before, moment, None], pa.timestamp("us", "Europe/Moscow")),
        "utc_ns": pa.array([-1, moment, None], pa.timestamp("ns", "UTC")),
        "text": pa.array(["Север, юг", "", None]),
        "binary": pa.array([b"abc", "й".encode(), None], pa.binary()),
        "fixed": pa.array([b"abc", b"def", None], pa.binary(3)),
        "dictionary": pa.array(["North", "South", None]).dictionary_encode(),
        "null": pa.nulls(3),
    }
    return pa.table(columns)


def write_parquet() -> None:
    """Write a file for each way of storing values."""
    types = types_table()
    pq.write_table(types, HERE / "types.parquet", use_dictionary=False)
    pq.write_table(types, HERE / "types_v2.parquet", data_page_version="2.0", compression="zstd")
    required = pa.schema(
        [pa.field(field.name, field.type, nullable=False) for field in types.schema if field.name != "null"]
    )
    pq.write_table(types.drop_columns(["null"]).slice(0, 2).cast(required), HERE / "required.parquet")
    int32_decimal = types.select(["decimal9"]).append_column(
        "decimal18",
        pa.array(
            [decimal.Decimal("-1.5"), decimal.Decimal("123456789012345.678"), None], pa.decimal128(18, 3)
        ),
    )
    pq.write_table(int32_decimal, HERE / "integer_decimals.parquet", store_decimal_as_integer=True)
    moments = types.select(["local_us", "utc_us"])
    pq.write_table(moments, HERE / "int96.parquet", use_deprecated_int96_timestamps=True)
    pq.write_table(moments, HERE / "version1.parquet", version="1.0")
    nested = pa.table(
        {
            "order": [{"id": "A-1", "at": {"day": DAY}}, {"id": None, "at": None}, None],
            "tags": [["a", None], [], None],
            "lines": pa.array(
                [
                    [{"sku": "K1", "price": decimal.Decimal("0.10"), "at": TIME, "ok": True, "n": 2**60}],
                    [],
                    None,
                ],
                pa.list_(
                    pa.struct(
                        [
                            ("sku", pa.string()),
                            ("price", pa.decimal128(20, 2)),
                            ("at", pa.timestamp("us", "UTC")),
                            ("ok", pa.bool_()),
                            ("n", pa.int64()),
                        ]
                    )
                ),
            ),
            "map": pa.array([[("a", 1)], [], None], pa.map_(pa.string(), pa.int64())),
            "order.id": ["x", "y", "z"],
        }
    )
    pq.write_table(nested, HERE / "nested.parquet")
    for codec in ("none", "snappy", "gzip", "brotli", "zstd", "lz4"):
        rows = pa.table({"id": range(1000), "region": [f"Region {index % 7}" for index in range(1000)]})
        pq.write_table(rows, HERE / f"codec_{codec}.parquet", compression=codec, row_group_size=400)
    pq.write_table(pa.table({"id": pa.array([], pa.int64())}), HERE / "empty.parquet")
    encodings = {
        "delta32": "DELTA_BINARY_PACKED",
        "delta64": "DELTA_BINARY_PACKED",
        "lengths": "DELTA_LENGTH_BYTE_ARRAY",
        "prefixes": "DELTA_BYTE_ARRAY",
        "split": "BYTE_STREAM_SPLIT",
        "runs": "RLE",
    }
    rows = pa.table(
        {
            "delta32": pa.array([index * index for index in range(300)], pa.int32()),
            "delta64": pa.array([2**60 - index for index in range(300)], pa.int64()),
            "lengths": [f"Region {index % 7}" for index in range(300)],
            "prefixes": [f"Region {index}" for index in range(300)],
            "split": [index / 8 for index in range(300)],
            "runs": [index % 100 < 50 for index in range(300)],
        }
    )
    pq.write_table(
        rows,
        HERE / "encodings.parquet",
        use_dictionary=False,
        column_encoding=encodings,
        write_page_checksum=True,
    )


class Kms(pe.KmsClient):
    """Wraps keys by doing nothing: the files need only look encrypted."""

    def __init__(self, _config: pe.KmsConnectionConfig) -> None:
        super().__init__()

    def wrap_key(self, key: bytes, _master: str) -> bytes:
        """Encode a key."""
        return base64.b64encode(key)

    def unwrap_key(self, key: bytes, _master: str) -> bytes:
        """Decode a key."""
        return base64.b64decode(key)


def write_encrypted() -> None:
    """Write a file whose footer is encrypted, and one with an encrypted column."""
    for name, plaintext_footer in (("encrypted", False), ("encrypted_column", True)):
        config = pe.EncryptionConfiguration(
            footer_key="f",
            column_keys={"k": ["id"]},
            plaintext_footer=plaintext_footer,
            data_key_length_bits=128,
        )
        properties = pe.CryptoFactory(Kms).file_encryption_properties(pe.KmsConnectionConfig(), config)
        table = pa.table({"id": [1, 2], "region": ["a", "b"]})
        with pq.ParquetWriter(
            HERE / f"{name}.parquet", table.schema, encryption_properties=properties
        ) as writer:
            writer.write_table(table)


if __name__ == "__main__":
    write_openpyxl()
    write_xlsxwriter()
    write_parquet()
    write_encrypted()
