import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatBytes } from "../../../lib/console/bytes.ts";

describe("formatBytes()", () => {
  const cases: [bytes: number, text: string][] = [
    [0, "0 kB"],
    [1, "1 kB"],
    [999_000, "999 kB"],
    [999_001, "1 MB"],
    [14.4e6, "14 MB"],
    [999.4e6, "999 MB"],
    [999.5e6, "1.0 GB"],
    [68.12e9, "68.1 GB"],
  ];
  for (const [bytes, text] of cases) {
    it(`formats ${bytes} as ${text}`, () => assertEquals(formatBytes(bytes), text));
  }
});
