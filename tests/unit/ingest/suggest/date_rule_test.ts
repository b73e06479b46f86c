import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { suggestDate } from "../../../../lib/ingest/suggest/date_rule.ts";
import { examined } from "./harness.ts";

describe("suggestDate()", () => {
  it("names no format where none is needed, and counts the values that fit", () => {
    const { value, comments } = suggestDate(
      examined("Order,Дата\n1,16.11.2026 10:14\n2,x\n3,17.11.2026 9:05\n4,18.11.2026 9:05\n"),
    );
    assertEquals(value, "Дата");
    assertStringIncludes(comments[0]!, "3 of 4 values look like dd.MM.yyyy HH:mm");
  });

  it("decides the order of day and month by another date of the export", () => {
    const { value, comments } = suggestDate(examined("Order,Order date,Posted date\n1,3/4/2026,3/16/2026\n"));
    assertEquals(value, '{column: Order date, format: "M/d/yyyy"}');
    assertStringIncludes(comments[0]!, "in Posted date, 3/16/2026 has the month first");
  });

  it("reads the times of Amazon's reports in their zone", () => {
    const text = "Order|date/time\n1|Nov 10, 2026 9:30:00 PM PST\n2|Jul 10, 2026 9:30:00 PM PDT\n";
    const { value } = suggestDate(examined(text));
    const formats = ["PST", "PDT"].map((zone) => `"MMM d, yyyy h:mm:ss a '${zone}'"`).join(", ");
    assertEquals(value, `{column: date/time, formats: [${formats}], time_zone: America/Los_Angeles}`);
  });

  it("takes the only column of dates whatever its name, and asks when there are several", () => {
    assertEquals(suggestDate(examined("Order,When\n1,2026-11-10\n")).value, "When");
    const { value, comments } = suggestDate(examined("Order,When,Then\n1,2026-11-10,2026-11-11\n"));
    assertEquals(value, "DECIDE");
    assertStringIncludes(comments[0]!, "When (1 of 1 filled, such as 2026-11-10); Then");
  });
});
