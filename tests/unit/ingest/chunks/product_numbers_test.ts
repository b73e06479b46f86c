import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ProductNumberer, ProductNumbers } from "../../../../lib/ingest/chunks/product_numbers.ts";

const MUG = { id: "1", sku: "A", name: "Mug", category: "" };
const PAN = { id: "2", sku: "B", name: "Pan", category: "Kitchen" };

describe("ProductNumberer and ProductNumbers", () => {
  it("describe each product once, and call it by its number then", () => {
    const [numberer, numbers] = [new ProductNumberer(), new ProductNumbers()];
    const first = numberer.number([MUG, PAN]);
    const second = numberer.number([PAN, { ...MUG }, { ...MUG, name: "Blue mug" }]);
    assertEquals([first.added.length, second.added.length, second.restarts], [2, 1, false]);
    assertEquals(numbers.read(structuredClone(first)), [MUG, PAN]);
    assertEquals(numbers.read(structuredClone(second)), [PAN, MUG, { ...MUG, name: "Blue mug" }]);
  });

  it("keep the numbers of threads apart", () => {
    const [one, other, numbers] = [new ProductNumberer(), new ProductNumberer(), new ProductNumbers()];
    const messages = [one.number([MUG]), other.number([PAN]), one.number([MUG]), other.number([PAN])];
    assertEquals(messages.map((message) => numbers.read(message)), [[MUG], [PAN], [MUG], [PAN]]);
  });

  it("begin again when a message did not arrive", () => {
    const [numberer, numbers] = [new ProductNumberer(), new ProductNumbers()];
    numberer.number([MUG]);
    numberer.forget();
    assertEquals(numbers.read(numberer.number([PAN])), [PAN]);
    assertEquals(numbers.read(numberer.number([MUG, PAN])), [MUG, PAN]);
  });

  it("begin again when there are too many", () => {
    const [numberer, numbers] = [new ProductNumberer(), new ProductNumbers()];
    let restarts = 0;
    for (let turn = 0; turn < 8; turn++) {
      const products = Array.from({ length: 20_000 }, (_, index) => ({ ...MUG, sku: `${turn}-${index}` }));
      const message = numberer.number(products);
      if (message.restarts) restarts++;
      assertEquals(numbers.read(message), products);
    }
    assertEquals(restarts, 2);
  });
});
