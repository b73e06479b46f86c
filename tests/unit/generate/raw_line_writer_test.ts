import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { makeCatalogue } from "../../../lib/generate/catalogue.ts";
import { LineBuffer, MAX_LINE_BYTES } from "../../../lib/generate/line_buffer.ts";
import {
  addDefectCounts,
  addSums,
  RawLineWriter,
  zeroDefectCounts,
  zeroSums,
} from "../../../lib/generate/raw_line_writer.ts";
import { toCents } from "../../../lib/domain/money.ts";
import { Shop, type ShopParameters } from "../../../lib/generate/shop.ts";

function makeShop(more: Partial<ShopParameters> = {}): Shop {
  const catalogue = makeCatalogue(100, 9);
  return new Shop({
    seed: 9,
    asOf: "2026-11-24",
    rows: 20_000,
    customers: 1_000,
    prices: Int32Array.from(catalogue, ({ priceCents }) => priceCents),
    seasons: catalogue.map(({ season }) => season),
    categories: catalogue.map(({ category }) => category),
    ...more,
  });
}

/** Writes sales [from, to); returns the lines and the counts. */
function writeRange(defectRate: number, from: number, to: number, shop = makeShop()) {
  const raw = new RawLineWriter(shop, defectRate);
  const lines = new LineBuffer(1 << 22);
  for (let index = from; index < to; index++) raw.writeSale(index, lines);
  return { text: new TextDecoder().decode(lines.filled), counts: raw.counts };
}

describe("RawLineWriter", () => {
  it("writeSale() writes only canonical sales when the defect rate is 0", () => {
    const { text, counts } = writeRange(0, 0, 20_000);
    const lines = text.trimEnd().split("\n");
    const canonical = /^\d{8},\d{6,7},\d{1,3},\d{1,2},202[56]-\d\d-\d\d,\d+\.\d\d,(North|South|East|West)$/;
    for (const line of lines) assert(canonical.test(line), line);
    assertEquals(new Set(lines.map((line) => line.split(",")[0])).size, 20_000);
    assertEquals(counts, { ...zeroDefectCounts(), rows: 20_000, raw_rows: 20_000 });
  });

  for (const rate of [0.02, 0.5]) {
    it(`counts holds what is injected when the defect rate is ${rate}`, () => {
      const { text, counts } = writeRange(rate, 0, 20_000);
      const { rows, raw_rows, duplicates, rejected, rejected_by_reason, reformatted } = counts;
      assertEquals(raw_rows, text.split("\n").length - 1);
      assertEquals(raw_rows, rows + duplicates + rejected);
      assertEquals(rejected, Object.values(rejected_by_reason).reduce((sum, count) => sum + count));
      const injected = duplicates + rejected;
      const reformattedRows = Object.values(reformatted).reduce((sum, count) => sum + count);
      for (const found of [injected, reformattedRows]) {
        assert(Math.abs(found - rate * rows) < 5 * Math.sqrt(rate * rows), `${found} at a rate of ${rate}`);
      }
      assert(Math.abs(duplicates / injected - 0.4) < 0.1);
      for (const [what, count] of Object.entries({ ...rejected_by_reason, ...reformatted })) {
        assert(count > 0, `${what} never occurs`);
      }
    });
  }

  it("writeSale() does not depend on the sales written before", () => {
    const whole = writeRange(0.2, 0, 3_000).text;
    assertEquals(
      writeRange(0.2, 0, 1_000).text + writeRange(0.2, 1_000, 1_001).text +
        writeRange(0.2, 1_001, 3_000).text,
      whole,
    );
  });

  it("writeSale() writes no line longer than MAX_LINE_BYTES", () => {
    // The largest numbers and prices that the options of the command allow.
    const shop = makeShop({
      rows: 2_000_000_000,
      customers: 100_000_000,
      prices: Int32Array.of(14_999_000),
      seasons: ["gifts"],
      categories: ["Toys"],
    });
    const { text } = writeRange(0.5, 1_999_990_000, 2_000_000_000, shop);
    const longest = Math.max(...text.split("\n").map((line) => new TextEncoder().encode(line).length + 1));
    assert(longest <= MAX_LINE_BYTES, `${longest} bytes`);
  });
});

describe("RawLineWriter.sums", () => {
  it("adds up the valid sales, not the injected rows", () => {
    const raw = new RawLineWriter(makeShop(), 0.5);
    const plain = new RawLineWriter(makeShop(), 0);
    const lines = new LineBuffer(1 << 22);
    for (let index = 0; index < 5_000; index++) {
      raw.writeSale(index, new LineBuffer(2048));
      plain.writeSale(index, lines);
    }
    const sums = zeroSums();
    for (const line of new TextDecoder().decode(lines.filled).trimEnd().split("\n")) {
      const [, , , quantity, , amount] = line.split(",");
      addSums(sums, { quantity: BigInt(quantity!), cents: toCents(amount!) });
    }
    assertEquals(raw.sums, sums);
    assertEquals(plain.sums, sums);
  });

  it("stays exact beyond 2^53", () => {
    const shop = makeShop();
    const cents = 2 ** 49 + 1;
    shop.fillSale = (index, sale) => {
      Object.assign(sale, { quantity: 1, amountCents: cents });
      return index;
    };
    const raw = new RawLineWriter(shop, 0);
    for (let index = 0; index < 101; index++) raw.writeSale(index, new LineBuffer(2048));
    assertEquals(raw.sums, { quantity: 101n, cents: 101n * BigInt(cents) });
  });
});

describe("addDefectCounts()", () => {
  it("adds every count", () => {
    const [first, second] = [writeRange(0.3, 0, 500).counts, writeRange(0.3, 500, 900).counts];
    addDefectCounts(first, second);
    assertEquals(first, writeRange(0.3, 0, 900).counts);
  });
});
