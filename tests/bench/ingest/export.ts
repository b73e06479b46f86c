/** The exports that the benchmark brings in: a shop's own, and one in the columns of raw/. Deterministic. */

const CITIES = 60;
const PRODUCTS = 4_000;
const DAYS = 365;
const FIRST_DAY_MS = Date.UTC(2025, 10, 24);
const DAY_MS = 86_400_000;
const REGIONS = ["North", "South", "East", "West"];

/** Source file of {@linkcode writeShopExport}: joined ids, an expression, a lookup and a format of dates. */
export const SHOP_SOURCE = `version: 1
files: [shop.csv]
columns:
  sale_id: {join: [Order, Position], with: "-"}
  customer_id: Email
  product_id: SKU
  quantity: Quantity
  sale_date: {column: Created, format: "dd.MM.yyyy HH:mm"}
  sale_amount: "[Price] * [Quantity] - [Discount]"
  region: {column: City, lookup: cities.csv}
  product_name: Product
`;

/** Numbers from a seed; good enough to spread values. Source: Park and Miller, 1988. */
class Sequence {
  #state = 20_261_124;

  /** Returns a whole number from 0 to `limit` − 1. */
  next(limit: number): number {
    this.#state = this.#state * 48_271 % 0x7fffffff;
    return this.#state % limit;
  }
}

async function writeLines(path: string, lines: Iterable<string>): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  const encoder = new TextEncoder();
  const write = async (text: string) => {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  };
  let text = "";
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < 1 << 20) continue;
    await write(text);
    text = "";
  }
  await write(text);
}

function formatAmount(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, "0")}`;
}

function* shopLines(rows: number): Generator<string> {
  const random = new Sequence();
  const customers = Math.max(1, Math.ceil(rows / 8));
  yield "Order;Position;Email;SKU;Product;Quantity;Price;Discount;Created;City";
  for (let row = 0; row < rows; row++) {
    const product = Math.min(random.next(PRODUCTS), random.next(PRODUCTS));
    const date = new Date(FIRST_DAY_MS + random.next(DAYS) * DAY_MS).toISOString();
    const minute = random.next(1440);
    const time = `${String(Math.floor(minute / 60)).padStart(2, "0")}:${
      String(minute % 60).padStart(2, "0")
    }`;
    yield [
      `#${1_000_000 + (row >> 1)}`,
      1 + (row & 1),
      `customer${random.next(customers)}@mail.example`,
      `SKU-${String(product).padStart(5, "0")}`,
      `Product number ${product}`,
      1 + random.next(5),
      formatAmount(9_900 + product * 137),
      formatAmount(random.next(4) === 0 ? random.next(9_000) : 0),
      `${date.slice(8, 10)}.${date.slice(5, 7)}.${date.slice(0, 4)} ${time}`,
      `Town ${random.next(CITIES)}`,
    ].join(";");
  }
}

/** Writes the export of a shop, `shop.csv`, with its source file `shop.yaml` and its lookup `cities.csv` into a folder. */
export async function writeShopExport(folder: string, rows: number): Promise<void> {
  await writeLines(`${folder}/shop.csv`, shopLines(rows));
  await Deno.writeTextFile(`${folder}/shop.yaml`, SHOP_SOURCE);
  const cities = Array.from(
    { length: CITIES },
    (_, city) => `Town ${city},${REGIONS[city % REGIONS.length]}`,
  );
  await writeLines(`${folder}/cities.csv`, ["City,region", ...cities]);
}

function* canonicalLines(rows: number): Generator<string> {
  const random = new Sequence();
  yield "sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region";
  for (let row = 0; row < rows; row++) {
    const product = random.next(PRODUCTS);
    const quantity = 1 + random.next(5);
    yield [
      row + 1,
      1 + random.next(50_000),
      1 + product,
      quantity,
      new Date(FIRST_DAY_MS + random.next(DAYS) * DAY_MS).toISOString().slice(0, 10),
      formatAmount(quantity * (9_900 + product * 137)),
      REGIONS[random.next(REGIONS.length)],
    ].join(",");
  }
}

/** Writes `canonical.csv`, an export that has the columns of raw/ in their order, into a folder. */
export async function writeCanonicalExport(folder: string, rows: number): Promise<void> {
  await writeLines(`${folder}/canonical.csv`, canonicalLines(rows));
}
