import { assertEquals } from "@std/assert";
import { afterAll, beforeEach, describe, it } from "@std/testing/bdd";
import { fileURLToPath } from "node:url";
import { clean } from "../../../lib/clean/clean.ts";
import { ingest } from "../../../lib/ingest/ingest.ts";
import { findInputs } from "../../../lib/ingest/inputs.ts";
import { type ColumnMap, sourceOfMap } from "../../../lib/ingest/source/column_copier.ts";
import { makeContext, makeTestStore, readRows, RUN_ID } from "../store/harness.ts";

const DATA = fileURLToPath(new URL("./data/hard/", import.meta.url));
const AS_OF = "2026-11-24";

const place = await makeTestStore();
const { store } = place;
afterAll(() => place.remove());
beforeEach(() => store.remove(`runs/${RUN_ID}`));

/** Returns the clean rows of an export. */
async function rowsOf(file: string, map: ColumnMap = {}): Promise<string[]> {
  const context = makeContext(store, { asOf: AS_OF });
  const rules = { source: sourceOfMap(map, undefined), lookups: [], copies: true };
  const inputs = await findInputs([file], DATA, "given");
  await ingest(context, { inputs, rules, workers: 2 });
  await clean(context, { maxRejected: 1, checkDateRange: true, workers: 1 });
  return await readRows(store, "clean");
}

const IN_RUSSIAN: ColumnMap = {
  sale_id: "Номер, №",
  customer_id: "Клиент, код",
  product_id: "Товар, код",
  quantity: "Кол-во, шт",
  sale_date: "Дата, время",
  sale_amount: "Сумма, руб.",
  region: "Регион, округ",
};
const WITH_BREAKS: ColumnMap = {
  sale_id: "номер заказа",
  customer_id: "клиент",
  product_id: "товар",
  quantity: "количество",
  sale_date: "дата",
  sale_amount: "сумма руб.",
  region: "регион",
};

describe("ingest() of exports that are easily misread", () => {
  const cases: [what: string, file: string, map: ColumnMap, rows: string[]][] = [
    ["quotes that PySpark escaped with backslashes", "04c_written_by_pyspark.csv", {}, [
      "1,11,101,1,2026-03-01,100.00,North",
      "2,12,102,1,2026-03-02,200.00,South",
      "3,13,103,1,2026-03-03,300.00,East",
      "4,14,104,2,2026-03-04,400.00,West",
      "5,15,105,2,2026-03-05,500.00,West",
      "6,16,106,2,2026-03-06,600.00,North",
    ]],
    ["commas in names that semicolons separate", "08_header_commas.csv", IN_RUSSIAN, [
      "1,11,101,1,2026-03-01,1234.56,North",
      "2,12,101,1,2026-03-01,100.00,South",
    ]],
    ["line breaks in names", "42_header_linebreak.csv", WITH_BREAKS, [
      "1,11,101,1,2026-03-01,1234.56,North",
      "2,12,101,1,2026-03-02,100.00,South",
    ]],
    ["delimiters behind the last value", "12_trailing_delim.csv", {}, [
      "1,11,101,1,2026-03-01,1234.56,North",
      "2,11,101,1,2026-03-01,100.00,North",
    ]],
    ["a second header in another order", "19_concat_other_order.csv", {}, [
      "1,11,101,1,2026-03-01,10.00,North",
      "2,12,102,3,2026-03-01,20.00,South",
    ]],
    ["no-break spaces in a name", "35_nbsp_header.csv", {}, ["1,11,101,1,2026-03-01,10.00,North"]],
    ["zeros between gzip members", "24_zero_padded.csv.gz", {}, [
      "1,11,101,1,2026-03-01,10.00,North",
      "2,11,101,1,2026-03-01,10.00,North",
    ]],
  ];
  for (const [what, file, map, rows] of cases) {
    it(`reads ${what}`, async () => assertEquals(await rowsOf(file, map), rows));
  }
});
