import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { RawLines } from "../../../../lib/ingest/chunks/raw_lines.ts";
import { type PlainContext, PlainMapper } from "../../../../lib/ingest/plain/plain_mapper.ts";
import { HeaderNames } from "../../../../lib/ingest/source/header_names.ts";
import { nothingFound } from "../../../../lib/ingest/source/record_mapper.ts";
import { parseSourceFile } from "../../../../lib/ingest/source/source_file.ts";
import { createIdConverters, toSurrogateKey } from "../../../../lib/ingest/values/ids.ts";

const HEADER = ["Order", "Line", "Email", "SKU", "Qty", "Date", "Price", "City", "Status", "Name"];
const COLUMNS = `columns:
  sale_id: {join: [Order, Line], with: "-"}
  customer_id: Email
  product_id: SKU
  quantity: Qty
  sale_date: {column: Date, format: dd.MM.yyyy}
  sale_amount: "[Price] * [Qty]"
  region: {column: City, lookup: {Moscow: North}, default: West}
  product_name: Name
`;
const YAML = `version: 1
only: [{column: Status, in: [paid], name: unpaid}]
${COLUMNS}`;

function create(yaml = YAML, header = HEADER) {
  const told: string[] = [];
  const context: PlainContext = {
    source: parseSourceFile(yaml, "shop.yaml"),
    header: new HeaderNames(header),
    lookups: new Map(),
    ids: createIdConverters((_, text) => told.push(text)),
    found: nothingFound(),
    onSurrogateKey: (_, text) => told.push(new TextDecoder().decode(text)),
  };
  const format = { encoding: "utf-8", dialect: { delimiter: ";", quote: "csv" as const } };
  return { mapper: PlainMapper.create(format, context), told, found: context.found };
}

/** Maps a line; undefined when it must be read as text. */
function map(mapper: PlainMapper, text: string): string | undefined {
  mapper.line.open(new TextEncoder().encode(`${text}\n`));
  assertEquals(mapper.line.scan(0), "plain");
  const raw = new RawLines();
  const isMapped = mapper.map(1, raw);
  const line = new TextDecoder().decode(raw.toBytes());
  assertEquals(line !== "", isMapped);
  return isMapped ? line : undefined;
}

const LINE = "#7;1;a@x;17;2;16.11.2026;10.50;Moscow;paid;Mug";

describe("PlainMapper", () => {
  it("maps a line to a raw row, and finds its product", () => {
    const { mapper, told, found } = create();
    const [sale, customer] = ["#7-1", "a@x"].map((text) => toSurrogateKey(text).digits);
    assertEquals(map(mapper!, LINE), `${sale},${customer},17,2,2026-11-16,21.00,North\n`);
    assertEquals(
      map(mapper!, LINE.replace("Moscow", "Тула")),
      `${sale},${customer},17,2,2026-11-16,21.00,West\n`,
    );
    assertEquals(told, ["#7-1", "a@x", "#7-1"]);
    assertEquals([...found.products.values()].map(({ current }) => [current.sku, current.name]), [[
      "17",
      "Mug",
    ]]);
  });

  const others: [what: string, text: string][] = [
    ["a rule excludes", LINE.replace("paid", "open")],
    ["is the header again", HEADER.join(";")],
    ["is the header again, in capitals", HEADER.join(";").toUpperCase()],
    ["has a total", "Total;;;;;;10.00;;paid;"],
    ["has no id", LINE.replace("#7;1", ";")],
    ["has a negative amount", LINE.replace("10.50", "-10.50")],
    ["has a negative quantity", LINE.replace(";2;", ";-2;")],
    ["has an amount that is no number", LINE.replace("10.50", "x")],
    ["has an id with blanks around it", LINE.replace("#7", "#7 ")],
  ];
  for (const [what, text] of others) {
    it(`leaves a line that ${what} to be read as text, without traces`, () => {
      const { mapper, told, found } = create();
      assertEquals(map(mapper!, text), undefined);
      assertEquals([told, found.products.size], [[], 0]);
    });
  }

  it("leaves lines that begin like a total to be read as text when the id is one column", () => {
    const { mapper } = create(YAML.replace('{join: [Order, Line], with: "-"}', "Order"));
    for (const [first, isPlain] of [["T-1", true], ["Total 1", false], ["tOTAL", false], ["Итого", false]]) {
      assertEquals(map(mapper!, LINE.replace("#7", String(first))) !== undefined, isPlain);
    }
  });

  it("maps lines whose first value begins like a column's name", () => {
    const { mapper } = create();
    for (const first of ["O-1", "Orders", "Order-1", "Заказ"]) {
      assert(map(mapper!, LINE.replace("#7", first)) !== undefined, first);
    }
  });

  it("is told to forget ids that it converted", () => {
    const { mapper, told } = create();
    map(mapper!, LINE);
    mapper!.forget();
    map(mapper!, LINE);
    assertEquals(told.filter((text) => text === "a@x").length, 2);
  });

  it("is not made for what depends on other lines", () => {
    assertEquals(create(YAML.replace("[Order, Line]", "[Order, {line_within: Order}]")).mapper, undefined);
    assertEquals(
      create(`version: 1\nfill_down: {columns: [Status], within: Order}\n${COLUMNS}`).mapper,
      undefined,
    );
  });
});
