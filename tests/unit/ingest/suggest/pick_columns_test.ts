import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { pickColumns } from "../../../../lib/ingest/suggest/pick_columns.ts";
import { toColumns } from "../../../../lib/ingest/suggest/column_stats.ts";

describe("pickColumns()", () => {
  it("takes names whose values fit, the best first", () => {
    const names = ["Amount", "Line total", "Quantity", "Currency", "Date", "Email"];
    const picked = pickColumns(toColumns(names, [
      ["5.00", "5.00", "two", "RUB", "2026-11-10", "a@x.example"],
      ["6.00", "6.00", "one", "EUR", "2026-11-11", ""],
    ]));
    const named = (role: Parameters<typeof picked.get>[0]) => picked.get(role)!.map(({ name }) => name);
    assertEquals(named("amount"), ["Line total", "Amount"]);
    assertEquals([named("quantity"), named("currency"), named("date"), named("customer")], [
      [],
      ["Currency"],
      ["Date"],
      [
        "Email",
      ],
    ]);
  });
});
