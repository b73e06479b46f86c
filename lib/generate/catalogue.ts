/** The shop's product catalogue: names and departments from faker, things and prices by department. */
import { faker } from "@faker-js/faker/locale/en";
import { fromCents } from "../domain/money.ts";
import type { SeasonName } from "./calendar.ts";

/** A product as sold; the index in the catalogue + 1 is its product_id. */
export interface Product {
  name: string;
  category: string;
  season: SeasonName;
  /** Usual unit price in cents. */
  priceCents: number;
  /** Lowest and highest unit price of any day, in cents. */
  priceFromCents: number;
  priceToCents: number;
}

interface Department {
  /** As faker calls it. */
  category: string;
  season: SeasonName;
  /** Range of usual unit prices in roubles. */
  priceFrom: number;
  priceTo: number;
  name: () => string;
}

/** Names such as "Practical Bamboo Lamp": adjective and material are faker's, the thing is one that the department sells. */
function goods(...things: string[]): () => string {
  return () =>
    `${faker.commerce.productAdjective()} ${faker.commerce.productMaterial()} ${
      faker.helpers.arrayElement(things)
    }`;
}

/** Departments of an online shop. What is sold, and for how much, is this project's assumption. */
export const DEPARTMENTS: readonly Department[] = [
  { category: "Books", season: "school", priceFrom: 250, priceTo: 2_500, name: () => faker.book.title() },
  { category: "Music", season: "gifts", priceFrom: 400, priceTo: 4_000, name: () => faker.music.album() },
  { category: "Grocery", season: "steady", priceFrom: 60, priceTo: 1_500, name: () => faker.food.dish() },
  {
    category: "Electronics",
    season: "gifts",
    priceFrom: 1_500,
    priceTo: 90_000,
    name: goods("Headphones", "Speaker", "Camera", "Television", "Charger", "Soundbar", "Projector"),
  },
  {
    category: "Computers",
    season: "school",
    priceFrom: 2_000,
    priceTo: 150_000,
    name: goods("Laptop", "Keyboard", "Mouse", "Monitor", "Tablet", "Printer", "Router"),
  },
  {
    category: "Home",
    season: "steady",
    priceFrom: 300,
    priceTo: 25_000,
    name: goods("Lamp", "Chair", "Table", "Blanket", "Shelf", "Mirror", "Kettle"),
  },
  {
    category: "Garden",
    season: "summer",
    priceFrom: 200,
    priceTo: 18_000,
    name: goods("Spade", "Bench", "Planter", "Lantern", "Hose", "Parasol", "Grill"),
  },
  {
    category: "Beauty",
    season: "spring",
    priceFrom: 150,
    priceTo: 6_000,
    name: goods("Soap", "Brush", "Comb", "Cream", "Perfume", "Towel", "Razor"),
  },
  {
    category: "Toys",
    season: "gifts",
    priceFrom: 200,
    priceTo: 9_000,
    name: goods("Train", "Puzzle", "Doll", "Kite", "Ball", "Robot", "Castle"),
  },
  {
    category: "Clothing",
    season: "winter",
    priceFrom: 500,
    priceTo: 20_000,
    name: goods("Shirt", "Coat", "Dress", "Scarf", "Gloves", "Hat", "Sweater"),
  },
  {
    category: "Shoes",
    season: "spring",
    priceFrom: 900,
    priceTo: 18_000,
    name: goods("Boots", "Sneakers", "Sandals", "Loafers", "Slippers", "Trainers"),
  },
  {
    category: "Sports",
    season: "summer",
    priceFrom: 300,
    priceTo: 40_000,
    name: goods("Bike", "Skis", "Racket", "Skateboard", "Tent", "Helmet", "Kayak"),
  },
];

/** Lowest and highest price of any day, as shares of the usual one; lib/generate/shop.ts keeps inside them. */
export const PRICE_LOW = 0.8;
/** See {@linkcode PRICE_LOW}. */
export const PRICE_HIGH = 1.15;

/**
 * Makes the catalogue; the same seed and size give the same products.
 *
 * @param size products, at least 1
 * @param seed whole number, 0 … 2^53 − 1
 */
export function makeCatalogue(size: number, seed: number): Product[] {
  faker.seed([seed % 4_294_967_296, Math.floor(seed / 4_294_967_296)]);
  return Array.from({ length: size }, () => {
    const department = faker.helpers.arrayElement(DEPARTMENTS);
    // Cheap things are more common than dear ones: the price is uniform on a logarithmic scale.
    const unit = faker.number.float({ min: 0, max: 1 });
    const roubles = department.priceFrom *
      Math.exp(unit * Math.log(department.priceTo / department.priceFrom));
    // Price tags end in 90 kopecks below 1,000 roubles, and in 90 roubles above.
    const priceCents = roubles < 1_000
      ? Math.floor(roubles) * 100 + 90
      : Math.floor(roubles / 100) * 10_000 + 9_000;
    return {
      name: department.name(),
      category: department.category,
      season: department.season,
      priceCents,
      priceFromCents: Math.round(priceCents * PRICE_LOW),
      priceToCents: Math.round(priceCents * PRICE_HIGH),
    };
  });
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The catalogue as CSV, for people and for shop.products. */
export function catalogueCsv(products: readonly Product[]): string {
  const lines = products.map((product, index) =>
    [
      index + 1,
      quoted(product.name),
      product.category,
      fromCents(BigInt(product.priceFromCents)),
      fromCents(BigInt(product.priceToCents)),
    ].join(",")
  );
  return ["product_id,name,category,price_from,price_to", ...lines, ""].join("\n");
}
