import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { MapperSet } from "../../../../lib/ingest/chunks/mapper_set.ts";
import { RawLines } from "../../../../lib/ingest/chunks/raw_lines.ts";
import { mapRecord, RecordSink } from "../../../../lib/ingest/chunks/record_sink.ts";
import { rulesOf } from "./harness.ts";

const RULES = rulesOf(`version: 1
columns:
  sale_id: No
  customer_id: {value: "1"}
  product_id: {value: "2"}
  quantity: {value: "3"}
  sale_date: {value: 2026-11-24}
  sale_amount: Sum
  region: {value: North}
`);

describe("RecordSink", () => {
  it("gives each record the mapper of the header above it, and counts records and their lines", () => {
    const mappers = new MapperSet(RULES, { add: () => {}, addBytes: () => {} });
    const raw = new RawLines();
    const sink = new RecordSink(mappers, ["No", "Sum"], (record) => mapRecord(record, [], raw));
    sink.add(["7", "1.00"], undefined, 1, 1);
    sink.add(undefined, "odd", 2, 2);
    sink.add(["Sum", "No"], undefined, 4, 1);
    sink.add(["2.00", "8"], undefined, 5, 1);
    raw.advance(6);
    const rest = "1,2,3,2026-11-24";
    assertEquals(
      new TextDecoder().decode(raw.toBytes()),
      `7,${rest},1.00,North\n"odd"\n\n\n8,${rest},2.00,North\n`,
    );
    assertEquals([sink.count, sink.inside, sink.header], [4, 1, ["Sum", "No"]]);
    assertEquals(mappers.takeFound().excluded.get("header")?.firstLine, 4);
  });
});
