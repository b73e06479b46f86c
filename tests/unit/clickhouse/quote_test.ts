import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { quoteIdentifier } from "../../../lib/clickhouse/quote.ts";

describe("quoteIdentifier()", () => {
  const cases: [string[], string][] = [
    [["shop", "sales"], "`shop`.`sales`"],
    [["a`; DROP TABLE b; --\\"], "`a\\`; DROP TABLE b; --\\\\`"],
  ];
  for (const [names, expected] of cases) {
    it(`quoteIdentifier() returns ${expected}`, () => assertEquals(quoteIdentifier(...names), expected));
  }
});
