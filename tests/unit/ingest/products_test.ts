import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ProductList } from "../../../lib/ingest/products.ts";
import type { Product } from "../../../lib/ingest/source/record_mapper.ts";

function toCsv(...chunks: Product[][]): string[] {
  const list = new ProductList();
  for (const products of chunks) list.add(products);
  const [header, ...lines] = list.toCsv().split("\n");
  assertEquals([header, lines.pop()], ["product_id,name,category,price_from,price_to,sku", ""]);
  assertEquals(list.size, lines.length);
  return lines;
}

const product = (id: string, name: string, category = "", sku = id): Product => ({ id, sku, name, category });

describe("ProductList", () => {
  it("keeps the last name and category that are not empty", () => {
    assertEquals(
      toCsv([product("7", "Cup", "Old")], [product("7", "", "Kitchen")], [
        product("7", "Mug"),
        product("8", ""),
      ]),
      ["7,Mug,Kitchen,,,7", '8,8,"",,,8'],
    );
  });

  it("leaves out what PostgreSQL refuses: the number 0, and NUL characters", () => {
    assertEquals(toCsv([product("000", "Deleted"), product("7", "a\0b", "\0", "x\0")]), [
      "7,a\ufffdb,\ufffd,,,x\ufffd",
    ]);
  });

  it("does not change what it was given", () => {
    const first = product("7", "Cup");
    toCsv([first], [product("7", "Mug")]);
    assertEquals(first.name, "Cup");
  });

  it("sorts by number, not by text, and takes ids with leading zeros for the same", () => {
    const long = "9223372036854775807";
    assertEquals(
      toCsv([product("10", "c"), product("9", "b")], [product(long, "d", "", "SKU-1"), product("007", "a")], [
        product("7", "z"),
      ]),
      ['7,z,"",,,007', '9,b,"",,,9', '10,c,"",,,10', `${long},d,"",,,SKU-1`],
    );
  });

  it("quotes commas and quotes, makes line breaks spaces, and names a product without a name by its id", () => {
    assertEquals(
      toCsv([product("1", 'TV 27", big\r\nblack', "a,b", "x"), product("2", "", "", 'S,"1"')]),
      ['1,"TV 27"", big black","a,b",,,x', '2,"S,""1""","",,,"S,""1"""'],
    );
  });

  it("has only a header without products", () => assertEquals(toCsv(), []));
});
