/** Product catalogue of the shop: names from faker, nouns and prices by department. */
import { faker } from "@faker-js/faker/locale/en";
import { fromCents } from "../domain/money.ts";
import type { SeasonName } from "./calendar.ts";

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

interface Department {
  /** Named as in faker. */
  category: string;
  season: SeasonName;
  /** Lowest regular unit price in roubles. */
  priceFrom: number;
  /** Highest regular unit price in roubles. */
  priceTo: number;
  name: () => string;
}

/** Returns a source of names such as "Practical Bamboo Lamp": adjective and material from faker, a noun of the department. */
function productNames(...nouns: string[]): () => string {
  return () =>
    `${faker.commerce.productAdjective()} ${faker.commerce.productMaterial()} ${
      faker.helpers.arrayElement(nouns)
    }`;
}

/** Departments of the shop. Their products and prices are assumptions of this project. */
export const DEPARTMENTS: readonly Department[] = [
  { category: "Books", season: "school", priceFrom: 250, priceTo: 2_500, name: () => faker.book.title() },
  { category: "Music", season: "gifts", priceFrom: 400, priceTo: 4_000, name: () => faker.music.album() },
  { category: "Grocery", season: "steady", priceFrom: 60, priceTo: 1_500, name: () => faker.food.dish() },
  {
    category: "Electronics",
    season: "gifts",
    priceFrom: 1_500,
    priceTo: 90_000,
    name: productNames("Headphones", "Speaker", "Camera", "Television", "Charger", "Soundbar", "Projector"),
  },
  {
    category: "Computers",
    season: "school",
    priceFrom: 2_000,
    priceTo: 150_000,
    name: productNames("Laptop", "Keyboard", "Mouse", "Monitor", "Tablet", "Printer", "Router"),
  },
  {
    category: "Home",
    season: "steady",
    priceFrom: 300,
    priceTo: 25_000,
    name: productNames("Lamp", "Chair", "Table", "Blanket", "Shelf", "Mirror", "Kettle"),
  },
  {
    category: "Garden",
    season: "summer",
    priceFrom: 200,
    priceTo: 18_000,
    name: productNames("Spade", "Bench", "Planter", "Lantern", "Hose", "Parasol", "Grill"),
  },
  {
    category: "Beauty",
    season: "spring",
    priceFrom: 150,
    priceTo: 6_000,
    name: productNames("Soap", "Brush", "Comb", "Cream", "Perfume", "Towel", "Razor"),
  },
  {
    category: "Toys",
    season: "gifts",
    priceFrom: 200,
    priceTo: 9_000,
    name: productNames("Train", "Puzzle", "Doll", "Kite", "Ball", "Robot", "Castle"),
  },
  {
    category: "Clothing",
    season: "winter",
    priceFrom: 500,
    priceTo: 20_000,
    name: productNames("Shirt", "Coat", "Dress", "Scarf", "Gloves", "Hat", "Sweater"),
  },
  {
    category: "Shoes",
    season: "spring",
    priceFrom: 900,
    priceTo: 18_000,
    name: productNames("Boots", "Sneakers", "Sandals", "Loafers", "Slippers", "Trainers"),
  },
  {
    category: "Sports",
    season: "summer",
    priceFrom: 300,
    priceTo: 40_000,
    name: productNames("Bike", "Skis", "Racket", "Skateboard", "Tent", "Helmet", "Kayak"),
  },
];

/** Lower bound of the price on any day, as a factor of the regular price; shop.ts stays within the bounds. */
export const MIN_PRICE_FACTOR = 0.8;
/** Upper bound of the price on any day, as a factor of the regular price. */
export const MAX_PRICE_FACTOR = 1.15;

/**
 * Generates the catalogue; deterministic in seed and size.
 *
 * @param size number of products, at least 1
 * @param seed whole number, 0 … 2^53 − 1
 */
export function makeCatalogue(size: number, seed: number): Product[] {
  faker.seed([seed % 4_294_967_296, Math.floor(seed / 4_294_967_296)]);
  return Array.from({ length: size }, () => {
    const department = faker.helpers.arrayElement(DEPARTMENTS);
    // Log-uniform, so that cheap products are more common than expensive ones.
    const unit = faker.number.float({ min: 0, max: 1 });
    const roubles = department.priceFrom *
      Math.exp(unit * Math.log(department.priceTo / department.priceFrom));
    // Prices end in 90 kopecks below 1,000 roubles, and in 90 roubles above.
    const priceCents = roubles < 1_000
      ? Math.floor(roubles) * 100 + 90
      : Math.floor(roubles / 100) * 10_000 + 9_000;
    return {
      name: department.name(),
      category: department.category,
      season: department.season,
      priceCents,
      priceFromCents: Math.round(priceCents * MIN_PRICE_FACTOR),
      priceToCents: Math.round(priceCents * MAX_PRICE_FACTOR),
    };
  });
}

/** Quotes a CSV field if it needs quotes. */
function quoteField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
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
