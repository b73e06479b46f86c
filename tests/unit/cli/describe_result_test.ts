import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { describeResult } from "../../../cli/describe_result.ts";

describe("describeResult()", () => {
  const cases: [what: string, text: string][] = [
    [
      describeResult({ rowsIn: 1_020_000, rowsOut: 2_505 }, 0.5, 2_040_000),
      "1,020,000 rows in, 2,505 rows out, 0.50 s, 2,040,000 rows/s",
    ],
    [describeResult({ rowsIn: 0, rowsOut: 2_000 }, 1, 2_000), "2,000 rows, 1.00 s, 2,000 rows/s"],
    [describeResult({ rowsIn: 0, rowsOut: 0 }, 0.012, 0), "0 rows in, 0 rows out, 0.01 s"],
    [
      describeResult({ rowsIn: 9, rowsOut: 9, summary: "28 checks agree" }, 0.5, 18),
      "28 checks agree, 0.50 s",
    ],
  ];
  for (const [actual, expected] of cases) it(`returns "${expected}"`, () => assertEquals(actual, expected));
});
