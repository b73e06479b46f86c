import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import type { ChunkContent } from "../../../../lib/ingest/chunks/chunk.ts";
import { surveyText } from "../../../../lib/ingest/chunks/plain_chunk.ts";
import { CSV, FakePool, mapFile, rulesOf } from "./harness.ts";

const RULES = rulesOf(`version: 1
only:
  - {column: Status, in: [paid, ""], name: unpaid}
  - {column: Sku, matches: '^[^X]', name: service}
currency: {column: Currency, is: RUB}
returns: {column: Status, in: [refund]}
columns:
  sale_id: {join: [Order, Line], with: "-"}
  customer_id: {column: Email, default: {join: [guest, Order], with: "-"}}
  product_id: {column: Sku, default: {column: Name}}
  quantity: Qty
  sale_date: {column: Date, formats: ["dd.MM.yyyy HH:mm", "d MMM yyyy"]}
  sale_amount: "[Price] * [Qty] - [Discount]"
  region: {column: City, lookup: {Москва: North, "X, Y": South}, default: {column: Status}}
  product_name: Name
`);
/** The other kinds of columns. */
const OTHER_RULES = rulesOf(`version: 1
currency: {value: RUB}
numbers: {decimal: ",", thousands: "."}
round_amounts: true
columns:
  sale_id: Order
  customer_id: {join: [Email, City], with: "/"}
  product_id: {value: "5"}
  quantity: {column: Qty, default: "1"}
  sale_date: {column: Date, time_zone: Asia/Tokyo}
  sale_amount: Price
  region: {value: "a, b"}
  product_category: City
`);
const HEADER = [
  "Order",
  "Line",
  "Email",
  "Sku",
  "Name",
  "Qty",
  "Date",
  "Price",
  "Discount",
  "City",
  "Status",
  "Currency",
];

const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;
const record = fc.tuple(
  fc.constantFrom(
    "#1",
    "7",
    "17850.0",
    "Заказ 1",
    " 8",
    "",
    "Total",
    "Order",
    "9\u00a0",
    "1234567890123456789",
    quote("a,b"),
  ),
  fc.constantFrom("1", "2", ""),
  fc.constantFrom("a@x", "", "б@x", quote("c,d"), " e "),
  fc.constantFrom("A-1", "", "X", "7", "007", "日本"),
  fc.constantFrom("Mug", "Blue mug", "", quote('27" TV'), 'TV 27"', quote("two\nlines"), "\ufeffPan"),
  fc.constantFrom("1", "2", "0", "-1", "1.5", "x", "3 шт", ""),
  fc.constantFrom(
    "16.11.2026 10:14",
    "1 Nov 2026",
    "31.02.2026 10:00",
    "2026-11-16",
    "2026-11-16 20:14",
    "",
    "x",
  ),
  fc.constantFrom(
    "10.50",
    "0.105",
    "$9.99",
    quote("1,234.50"),
    "1.234",
    "10,5",
    "-3",
    "12345678901234567890",
    "",
    "x",
  ),
  fc.constantFrom("", "0.5", "100", "1.005"),
  fc.constantFrom("Москва", "москва ", "Тула", "", quote("X, Y")),
  fc.constantFrom("paid", "", "refund", "open", " Paid"),
  fc.constantFrom("RUB", "rub", "USD", "RUB\r"),
).map((values) => values.join(","));
const line = fc.oneof(
  { arbitrary: record, weight: 12 },
  fc.constantFrom(
    "",
    "  ",
    "\t",
    "1,2",
    `${HEADER}`,
    `${HEADER.toReversed()}`,
    '"',
    '1,"',
    ",,,,,,,,,,,",
    "\ufeff",
    "\ufffd,",
  ),
);

/** Cuts a text behind so many of its lines, again and again, into chunks in an encoding. */
function chunksOf(text: string, lines: readonly number[], encoding: "utf-8" | "utf-16le"): ChunkContent[] {
  const all = text.match(/[^\n]*\n|[^\n]+$/g) ?? [""];
  const chunks: ChunkContent[] = [];
  for (let at = 0, turn = 0; at < all.length; turn++) {
    const end = at + lines[turn % lines.length]!;
    const part = all.slice(at, end).join("");
    const bytes = encoding === "utf-8"
      ? new TextEncoder().encode(part)
      : new Uint8Array(Uint16Array.from(part, (unit) => unit.charCodeAt(0)).buffer);
    chunks.push({ kind: "text", format: { ...CSV, encoding }, bytes, isLast: end >= all.length });
    at = end;
  }
  return chunks;
}

describe("readPlainChunk()", () => {
  for (const [name, rules] of Object.entries({ expressions: RULES, "other rules": OTHER_RULES })) {
    it(`gives for ${name} what reading everything as text gives`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(line, { maxLength: 30 }),
          fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
          fc.constantFrom("\n", "\r\n"),
          fc.boolean(),
          async (lines, cuts, end, hasLastEnd) => {
            const text = lines.join(end) + (hasLastEnd ? end : "");
            // Text in UTF-16 is always read as text.
            const [plain, asText] = await Promise.all(
              (["utf-8", "utf-16le"] as const).map((encoding) =>
                mapFile(chunksOf(text, cuts, encoding), HEADER, new FakePool(rules, 2))
              ),
            );
            assertEquals(plain, asText);
          },
        ),
        { numRuns: 300 },
      );
    });
  }

  it("maps single-byte encodings to the same rows", async () => {
    const text =
      "#1,1,a@x,A-1,Кружка,1,16.11.2026 10:14,10.50,,Москва,paid,RUB\nд,1,д,д,д,1,x,1,,Тула,paid,RUB\n";
    const bytes = Uint8Array.from(text, (unit) => {
      const code = unit.charCodeAt(0);
      return code < 0x80 ? code : code - 0x410 + 0xc0; // Cyrillic letters of windows-1251
    });
    const chunk = (format: string, content: Uint8Array<ArrayBuffer>): ChunkContent => ({
      kind: "text",
      format: { ...CSV, encoding: format },
      bytes: content,
      isLast: true,
    });
    const [one, other] = await Promise.all([
      mapFile([chunk("windows-1251", bytes)], HEADER, new FakePool(RULES, 1)),
      mapFile([chunk("utf-8", new TextEncoder().encode(text))], HEADER, new FakePool(RULES, 1)),
    ]);
    assertEquals(one, other);
    assert(one.rows === 2);
  });
});

describe("surveyText()", () => {
  const survey = (text: string, isLast = true) => surveyText(new TextEncoder().encode(text), "utf-8", isLast);

  it("counts lines", () => {
    assertEquals(survey("").lines, 0);
    for (let length = 0; length < 9; length++) {
      const lines = "a".repeat(length);
      assertEquals(survey(`${lines}\n\n\n${lines}\n`).lines, 4);
      assertEquals(survey(`${lines}\nb`).lines, 2);
      assertEquals(survey(`${lines}\nb`, false).lines, 1);
    }
    assertEquals(survey("\u010a\u0a0a\u8a8a\n").lines, 1);
  });

  it("reports what was lost, or cannot be decoded", () => {
    assertEquals([survey("аб\n").isSound, survey("а\ufffd\n").isSound], [true, false]);
    assertEquals(surveyText(Uint8Array.of(0x61, 0xff, 10), "utf-8", true).isSound, false);
    assertEquals(surveyText(Uint8Array.of(0x98, 10), "windows-1251", true).isSound, true);
  });
});
