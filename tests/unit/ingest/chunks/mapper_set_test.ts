import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { MapperSet, type SurrogateSink } from "../../../../lib/ingest/chunks/mapper_set.ts";
import { RawLines } from "../../../../lib/ingest/chunks/raw_lines.ts";
import { ColumnCopier, sourceOfMap } from "../../../../lib/ingest/source/column_copier.ts";
import { RecordMapper } from "../../../../lib/ingest/source/record_mapper.ts";
import { SALE_COLUMNS } from "../../../../lib/domain/sale.ts";
import { rulesOf } from "./harness.ts";

const RULES = {
  ...rulesOf(`version: 1
columns:
  sale_id: No
  customer_id: {value: "1"}
  product_id: Sku
  quantity: {value: "1"}
  sale_date: {value: 2026-11-24}
  sale_amount: Sum
  region: {column: City, lookup: regions.csv}
  product_name: Name
`),
  lookups: [{ path: "regions.csv", columns: 1, text: "city,region\nMoscow,North\n" }],
};
const HEADER = ["No", "Sku", "Sum", "City", "Name"];

/** Calls back with the texts of surrogate keys. */
function sinkOf(onText: (text: string, digits: string) => void): SurrogateSink {
  return {
    add: (key, text) => onText(text, key.digits),
    addBytes: ({ digits }, text) => onText(new TextDecoder().decode(text), new TextDecoder().decode(digits)),
  };
}
const NOWHERE = sinkOf(() => {});
const FORMAT = { encoding: "utf-8", dialect: { delimiter: ",", quote: "csv" as const } };

describe("MapperSet", () => {
  it("makes one mapper for each header, with lookups", () => {
    const set = new MapperSet(structuredClone(RULES), NOWHERE);
    const mapper = set.get(HEADER);
    assert(set.get([...HEADER]) === mapper);
    assert(mapper instanceof RecordMapper);
    const row = ["5", "1", "1", "1", "2026-11-24", "2.00", "North"];
    assertEquals(mapper.map(["5", "1", "2.00", "moscow", ""], 2, []), row);
    const other = set.get(HEADER.toReversed());
    assertEquals(other.map(["", "moscow", "2.00", "1", "5"], 3, []), row);
  });

  it("copies columns when the rules only stand for --map", () => {
    const set = new MapperSet({ source: sourceOfMap({}, undefined), lookups: [], copies: true }, NOWHERE);
    assert(set.get(SALE_COLUMNS) instanceof ColumnCopier);
  });

  it("reports surrogate keys", () => {
    const keys = new Map<string, string>();
    const set = new MapperSet(RULES, sinkOf((text, digits) => keys.set(text, digits)));
    const row = set.get(HEADER).map(["N-5", "1", "2.00", "", ""], 2, [])!;
    assertEquals([...keys], [["N-5", row[0]!]]);
  });

  it("discards what was found, and tells of the same surrogate keys again", () => {
    const texts: string[] = [];
    const set = new MapperSet(RULES, sinkOf((text) => texts.push(text)));
    const map = () => set.get(HEADER).map(["7", "A", "2.00", "", ""], 2, []);
    map();
    map();
    set.discardFound();
    assertEquals([texts.length, set.takeFound().products.length], [1, 0]);
    map();
    assertEquals([texts[0] === texts[1], set.takeFound().products.length], [true, 1]);
  });

  it("takes what was found below all headers in the order of the lines, once", () => {
    const set = new MapperSet(RULES, NOWHERE);
    const [first, second] = [set.get(HEADER), set.get(HEADER.toReversed())];
    second.map(["Old", "", "1.00", "7", "1"], 1, []);
    second.map(["", "", "-1.00", "7", "2"], 2, []);
    first.map(["3", "7", "1.00", "", "New"], 3, []);
    first.map(["4", "7", "-2.00", "", "New"], 4, []);
    second.map(["", "", "1.00", "7", "5"], 5, []);
    const { excluded, products } = set.takeFound();
    assertEquals([...excluded], [["return", { lines: 2, cents: -300n, firstLine: 2 }]]);
    assertEquals(products, [{ id: "7", sku: "7", name: "New", category: "" }]);
    assertEquals(set.takeFound(), { excluded: new Map(), products: [], currencies: new Map() });
  });

  it("maps bytes with what is shared, once for each header", () => {
    const texts: string[] = [];
    const set = new MapperSet(RULES, sinkOf((text) => texts.push(text)));
    const mapper = set.getPlain(HEADER, FORMAT)!;
    assert(set.getPlain([...HEADER], FORMAT) === mapper);
    const map = () => {
      mapper.line.open(new TextEncoder().encode("N-5,A,2.00,Moscow,Mug\n"));
      mapper.line.scan(0);
      assert(mapper.map(2, new RawLines()));
    };
    map();
    map();
    assertEquals(texts, ["N-5", "A", "N-5"]);
    assertEquals(set.takeFound().products.map(({ sku, name }) => [sku, name]), [["A", "Mug"]]);
    set.discardFound();
    map();
    assertEquals(texts.filter((text) => text === "A").length, 2);
  });

  it("maps no bytes when values are copied as they stand", () => {
    const set = new MapperSet({ source: sourceOfMap({}, undefined), lookups: [], copies: true }, NOWHERE);
    assertEquals(set.getPlain(SALE_COLUMNS, FORMAT), undefined);
  });
});
