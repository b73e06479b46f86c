import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { decodeLine, RangeValidator } from "../../../lib/clean/validate.ts";
import { BLANK, CANONICAL, CONVERTED, REJECTED } from "../../../lib/clean/row_status.ts";
import { REASONS } from "../../../lib/domain/sale.ts";
import { joinBytes } from "../store/harness.ts";

const LINE = "7,11,22,3,2026-11-24,10.00,North";

function validate(lines: readonly string[], seed = 1) {
  return new RangeValidator(undefined, seed).validate(joinBytes([lines.join("\n")]));
}

/** Returns sale_id and content hash of each accepted row. */
function rows(lines: readonly string[], seed = 1): string[] {
  const { idLow, idHigh, hashLow, hashHigh } = validate(lines, seed);
  return Array.from(idLow, (low, row) => [idHigh[row], low, hashHigh[row], hashLow[row]].join(" "));
}

describe("RangeValidator", () => {
  it("validate() returns the status of each line", () => {
    const cases: [line: string, status: number][] = [
      [LINE, CANONICAL],
      [`${LINE}\r`, CANONICAL],
      [` ${LINE}`, CONVERTED],
      ["", BLANK],
      [" \t\u00a0", BLANK],
      [`0${LINE}`, CONVERTED],
      ["a,b", REJECTED + REASONS.indexOf("malformed_row")],
      [LINE.replace("7", ""), REJECTED + REASONS.indexOf("missing_value")],
      [LINE.replace("North", "N"), CONVERTED],
      [LINE.replace("North", "Nord"), REJECTED + REASONS.indexOf("unknown_region")],
    ];
    assertEquals([...validate(cases.map(([line]) => line)).statuses], cases.map(([, status]) => status));
  });

  it("validate() returns the same sale_id and hash for the same values in any format", () => {
    const formats = [
      LINE,
      "07,011,0022,3.0,24.11.2026,₽10,N",
      '"7","11","22","3","2026-11-24T10:00:00","10,00","Север"',
      " 7 ,\t11,22\u00a0,3, 2026/11/24 ,10.0 RUB, nOrTh ",
    ];
    assertEquals(new Set(rows(formats)).size, 1);
  });

  it("validate() returns the same hash for large ids and amounts on the fast and the slow path", () => {
    for (const id of ["999999999999999", "1000000000000000", "9007199254740993", "9223372036854775807"]) {
      const large = `${id},${id},${id},2147483647,9999-12-31,999999999999.99,West`;
      assertEquals([...validate([large, ` ${large}`]).statuses], [CANONICAL, CONVERTED]);
      assertEquals(new Set(rows([large, ` ${large}`])).size, 1);
    }
  });

  it("validate() returns another hash when any bits of any value differ", () => {
    const fields = LINE.split(",");
    const variants: Record<number, string[]> = {
      1: ["12", "4294967307", "9223372036854775807", "9007199254740993", "9007199254740992"],
      2: ["23", "4294967318", "9223372036854775807", "9007199254740993", "9007199254740992"],
      3: ["4", "2147483647"],
      4: ["2026-11-23", "2026-10-24", "2025-11-24", "0001-01-01"],
      5: ["10.01", "42949672.96", "42949682.96", "999999999999.99"],
      6: ["South", "East", "West"],
    };
    const lines = Object.entries(variants).flatMap(([index, values]) =>
      values.map((value) => fields.with(Number(index), value).join(","))
    );
    for (const seed of [0, 1, 2 ** 32 - 1]) {
      assertEquals(new Set(rows([LINE, ...lines], seed)).size, lines.length + 1);
    }
  });

  it("validate() keeps the whole sale_id, which does not affect the hash", () => {
    const ids = ["1", "4294967296", "4294967297", "9223372036854775807"];
    const found = rows(ids.map((id) => LINE.replace("7", id))).map((row) => row.split(" "));
    assertEquals(
      found.map(([high, low]) => BigInt(high!) * 4294967296n + BigInt(low!)),
      ids.map(BigInt),
    );
    assertEquals(new Set(found.map(([, , high, low]) => `${high} ${low}`)).size, 1);
  });

  it("validate() grows when there are more lines than estimated", () => {
    const lines = Array.from({ length: 5_000 }, () => "");
    assertEquals(validate([...lines, LINE]).statuses.length, 5_001);
    const short = Array.from({ length: 5_000 }, (_, index) => `${index + 1},1,1,1,2026-01-01,1.00,E`);
    assertEquals(new Set(rows(short)).size, 5_000);
  });
});

describe("decodeLine()", () => {
  it("decodes invalid UTF-8 as U+FFFD and keeps a byte order mark", () => {
    assertEquals(decodeLine(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0xff, 0xd0), 0, 6), "\ufeffa\ufffd\ufffd");
  });
});
