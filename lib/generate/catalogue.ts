/** Product catalogue of the shop: names from faker, prices by kind of product. */
import { quoteField } from "../dataset/csv_field.ts";
import { faker } from "@faker-js/faker/locale/en";
import { fromCents } from "../domain/money.ts";
import type { SeasonName } from "./calendar.ts";
import { priceRange, toShelfPrice } from "./prices.ts";

/** A product; its product_id is its index in the catalogue + 1. */
export interface Product {
  /** Product name. */
  name: string;
  /** Name of the department. */
  category: string;
  /** Seasonal demand curve. */
  season: SeasonName;
  /** Regular unit price in cents. */
  priceCents: number;
  /** Lowest unit price of any day, in cents. */
  priceFromCents: number;
  /** Highest unit price of any day, in cents. */
  priceToCents: number;
}

/** A kind of product: its names, and what it costs. */
interface Kind {
  name: () => string;
  /** Lowest regular unit price in roubles. */
  priceFrom: number;
  /** Highest regular unit price in roubles. */
  priceTo: number;
}

/** A department of the shop. */
export interface Department {
  /** Named as in faker. */
  category: string;
  /** Seasonal demand curve. */
  season: SeasonName;
  /** What it sells. */
  kinds: readonly Kind[];
}

/** Returns kinds with names such as "Practical Bamboo Lamp": adjective and material from faker. */
function makeKinds(prices: Record<string, [from: number, to: number]>): Kind[] {
  return Object.entries(prices).map(([noun, [priceFrom, priceTo]]) => ({
    name: () => `${faker.commerce.productAdjective()} ${faker.commerce.productMaterial()} ${noun}`,
    priceFrom,
    priceTo,
  }));
}

/** Departments of the shop. Their products and prices are assumptions of this project. */
export const DEPARTMENTS: readonly Department[] = [
  {
    category: "Books",
    season: "school",
    kinds: [{ name: () => faker.book.title(), priceFrom: 250, priceTo: 2_500 }],
  },
  {
    category: "Music",
    season: "gifts",
    kinds: [{ name: () => faker.music.album(), priceFrom: 400, priceTo: 4_000 }],
  },
  {
    category: "Grocery",
    season: "steady",
    kinds: [{ name: () => faker.food.dish(), priceFrom: 60, priceTo: 1_500 }],
  },
  {
    category: "Electronics",
    season: "gifts",
    kinds: makeKinds({
      Headphones: [900, 25_000],
      Speaker: [1_200, 30_000],
      Camera: [12_000, 90_000],
      Television: [14_000, 90_000],
      Charger: [400, 3_500],
      Soundbar: [6_000, 50_000],
      Projector: [8_000, 80_000],
    }),
  },
  {
    category: "Computers",
    season: "school",
    kinds: makeKinds({
      Laptop: [28_000, 140_000],
      Keyboard: [700, 12_000],
      Mouse: [400, 7_000],
      Monitor: [9_000, 60_000],
      Tablet: [9_000, 80_000],
      Printer: [6_000, 40_000],
      Router: [1_500, 14_000],
    }),
  },
  {
    category: "Home",
    season: "steady",
    kinds: makeKinds({
      Lamp: [600, 9_000],
      Chair: [1_500, 18_000],
      Table: [3_000, 25_000],
      Blanket: [800, 7_000],
      Shelf: [900, 9_000],
      Mirror: [900, 12_000],
      Kettle: [900, 8_000],
    }),
  },
  {
    category: "Garden",
    season: "summer",
    kinds: makeKinds({
      Spade: [400, 2_500],
      Bench: [3_000, 18_000],
      Planter: [250, 3_500],
      Lantern: [300, 3_000],
      Hose: [500, 5_000],
      Parasol: [2_500, 16_000],
      Grill: [2_000, 25_000],
    }),
  },
  {
    category: "Beauty",
    season: "spring",
    kinds: makeKinds({
      Soap: [90, 600],
      Brush: [200, 2_000],
      Comb: [120, 900],
      Cream: [250, 4_000],
      Perfume: [1_200, 12_000],
      Towel: [300, 2_500],
      Razor: [300, 6_000],
    }),
  },
  {
    category: "Toys",
    season: "gifts",
    kinds: makeKinds({
      Train: [800, 7_000],
      Puzzle: [250, 2_500],
      Doll: [400, 5_000],
      Kite: [300, 2_500],
      Ball: [200, 2_500],
      Robot: [900, 9_000],
      Castle: [1_200, 9_000],
    }),
  },
  {
    category: "Clothing",
    season: "winter",
    kinds: makeKinds({
      Shirt: [700, 5_000],
      Coat: [4_000, 25_000],
      Dress: [1_500, 12_000],
      Scarf: [400, 4_000],
      Gloves: [400, 4_000],
      Hat: [400, 4_500],
      Sweater: [1_500, 9_000],
    }),
  },
  {
    category: "Shoes",
    season: "spring",
    kinds: makeKinds({
      Boots: [3_000, 18_000],
      Sneakers: [2_500, 16_000],
      Sandals: [1_000, 7_000],
      Loafers: [2_000, 12_000],
      Slippers: [400, 2_500],
      Trainers: [2_500, 14_000],
    }),
  },
  {
    category: "Sports",
    season: "summer",
    kinds: makeKinds({
      Bike: [12_000, 80_000],
      Skis: [8_000, 50_000],
      Racket: [1_000, 15_000],
      Skateboard: [1_500, 12_000],
      Tent: [3_000, 30_000],
      Helmet: [1_200, 9_000],
      Kayak: [18_000, 90_000],
    }),
  },
];

/**
 * Generates the catalogue; deterministic in seed and size.
 *
 * @param size number of products, at least 1
 * @param seed whole number, 0 … 2^53 − 1
 */
export function makeCatalogue(size: number, seed: number): Product[] {
  faker.seed([seed % 4_294_967_296, Math.floor(seed / 4_294_967_296)]);
  return Array.from({ length: size }, () => {
    const { category, season, kinds } = faker.helpers.arrayElement(DEPARTMENTS);
    const { name, priceFrom, priceTo } = faker.helpers.arrayElement(kinds);
    // Log-uniform, so that cheap products are more common than expensive ones.
    const unit = faker.number.float({ min: 0, max: 1 });
    const roubles = priceFrom * Math.exp(unit * Math.log(priceTo / priceFrom));
    const priceCents = toShelfPrice(roubles * 100, faker.datatype.boolean() ? 90 : 99);
    const { from, to } = priceRange(priceCents);
    return { name: name(), category, season, priceCents, priceFromCents: from, priceToCents: to };
  });
}

/** Formats the catalogue as products.csv, which load copies into shop.products. */
export function catalogueCsv(products: readonly Product[]): string {
  const lines = products.map((product, index) =>
    [
      index + 1,
      quoteField(product.name),
      product.category,
      fromCents(BigInt(product.priceFromCents)),
      fromCents(BigInt(product.priceToCents)),
    ].join(",")
  );
  return ["product_id,name,category,price_from,price_to", ...lines, ""].join("\n");
}
