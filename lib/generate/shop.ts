/** Model of the shop: who buys which product, where, how many and at what price. No I/O. */
import { type IsoDate, YEAR_DAYS } from "../domain/dates.ts";
import { REGIONS } from "../domain/sale.ts";
import { AliasTable } from "./alias_table.ts";
import { Calendar, type SeasonName, SEASONS } from "./calendar.ts";
import { Customers } from "./customers.ts";
import { popularityWeights } from "./popularity.ts";
import { PriceList } from "./prices.ts";
import { Random, Stream } from "./random.ts";

/** Parameters of the model. */
export interface ShopParameters {
  /** Seed of the random numbers. */
  seed: number;
  /** Last day of the year of sales. */
  asOf: IsoDate;
  /** Number of distinct valid sales. */
  rows: number;
  /** Number of new customers a year. */
  customers: number;
  /** Regular price of each product in cents. */
  prices: Int32Array;
  /** Season of each product. */
  seasons: readonly SeasonName[];
  /** Category of each product. */
  categories: readonly string[];
}

/** One sale, as numbers. */
export interface Sale {
  /** Even for valid sales, odd for extra ones. */
  saleId: number;
  /** Id of the customer. */
  customerId: number;
  /** Index in the catalogue + 1. */
  productId: number;
  /** Number of pieces. */
  quantity: number;
  /** 0 … 364, counted from the first day of the year. */
  day: number;
  /** Amount in cents: quantity × unit price. */
  amountCents: number;
  /** Index in REGIONS. */
  region: number;
}

/** Valid sales have even ids, extra ones odd ids, so that they never collide. */
const FIRST_SALE_ID = 10_000_000;
const FIRST_CUSTOMER_ID = 100_001;
/** Distance of the keys of extra sales from those of the valid ones. */
const EXTRA_KEYS = 2 ** 41;
const MONTHS = Array.from({ length: 12 }, (_, month) => month);

/** Share of customers who live in each region; its share of sales is close to that. */
export const REGION_WEIGHTS: readonly number[] = [0.22, 0.28, 0.17, 0.33];
/** Share of sales in a region drawn anew, which may be the customer's home region again. */
export const AWAY_SHARE = 0.07;
/** Share of sales that are drawn from the customer's favourite category; more in its season. */
export const FAVOURITE_SHARE = 0.35;
/** Regional demand for a product is 1 / (1 + TASTE_SPREAD) to 1 + TASTE_SPREAD times the average. */
const TASTE_SPREAD = 0.6;

/** Quantities of one range of prices. */
interface QuantityRange {
  /** Highest regular unit price in cents. */
  maxPriceCents: number;
  /** Shares of the quantities 1, 2, 3 …; a tenth entry is the share of bulk orders of 10 … 30. */
  weights: readonly number[];
}

/** Quantities by price: the more expensive a product, the fewer pieces. */
export const QUANTITIES: readonly QuantityRange[] = [
  { maxPriceCents: 200_000, weights: [0.62, 0.21, 0.08, 0.04, 0.02, 0.012, 0.007, 0.005, 0.003, 0.003] },
  { maxPriceCents: 1_500_000, weights: [0.86, 0.1, 0.02, 0.01, 0.005, 0.005] },
  { maxPriceCents: Infinity, weights: [0.965, 0.03, 0.005] },
];
const MIN_BULK_QUANTITY = 10;
const MAX_BULK_QUANTITY = 30;

/** Returns the index in QUANTITIES of a price. */
function quantityRange(priceCents: number): number {
  return QUANTITIES.findIndex(({ maxPriceCents }) => priceCents <= maxPriceCents);
}

/** Returns the average number of pieces of a sale. */
function meanQuantity({ weights }: QuantityRange): number {
  return weights.reduce((sum, weight, index) => {
    const quantity = index + 1 === MIN_BULK_QUANTITY
      ? (MIN_BULK_QUANTITY + MAX_BULK_QUANTITY) / 2
      : index + 1;
    return sum + weight * quantity;
  }, 0);
}

const TWO_16 = 65_536;

/** Source of sales by index; each is computed independently of the others. */
export class Shop {
  /** Random numbers of the seed. */
  readonly random: Random;
  /** Days of the year and their sales. */
  readonly calendar: Calendar;
  readonly #asOf: IsoDate;
  readonly #customers: Customers;
  readonly #prices: PriceList;
  readonly #homes = new AliasTable(REGION_WEIGHTS);
  readonly #quantities = QUANTITIES.map(({ weights }) => new AliasTable(weights));
  /** Index in QUANTITIES by product. */
  readonly #quantityRanges: Uint8Array;
  /** Products by region × 12 + month. */
  readonly #products: readonly AliasTable[];
  readonly #categories: AliasTable;
  /** Products of each category: their sampling tables by category × 12 + month, and their numbers. */
  readonly #favourites: readonly AliasTable[];
  readonly #productsOf: readonly Uint32Array[];
  /** Share of sales from a favourite category, by category × 12 + month. */
  readonly #favouriteShares: Float64Array;
  readonly #maxFavouriteShare: number;

  /** Last day of the year of sales. */
  get asOf(): IsoDate {
    return this.#asOf;
  }

  /**
   * Builds the calendar and the sampling tables.
   *
   * @param parameters determine every sale
   */
  constructor({ seed, asOf, rows, customers, prices, seasons, categories }: ShopParameters) {
    this.#asOf = asOf;
    this.random = new Random(seed);
    this.calendar = new Calendar(asOf, rows, this.random);
    this.#customers = new Customers(rows, customers, this.random);
    this.#prices = new PriceList(prices, this.calendar.firstDay, YEAR_DAYS, this.random);
    this.#quantityRanges = Uint8Array.from(prices, quantityRange);
    const means = QUANTITIES.map(meanQuantity);
    const weights = popularityWeights(
      prices,
      (product) => means[this.#quantityRanges[product]!]!,
      this.random,
    );
    const inMonth = (product: number, month: number) =>
      weights[product]! * SEASONS[seasons[product]!][month]!;
    this.#products = REGIONS.flatMap((_, region) => {
      const tastes = Float64Array.from(weights, (_, product) => this.#taste(product, region));
      return MONTHS.map((month) =>
        new AliasTable(weights.map((_, product) => inMonth(product, month) * tastes[product]!))
      );
    });
    const names = [...new Set(categories)];
    this.#productsOf = names.map((name) =>
      Uint32Array.from(categories.keys().filter((product) => categories[product] === name))
    );
    const sumOf = (products: Uint32Array, weightOf: (product: number) => number) =>
      products.reduce((sum, product) => sum + weightOf(product), 0);
    const categoryWeights = this.#productsOf.map((products) =>
      sumOf(products, (product) => weights[product]!)
    );
    this.#categories = new AliasTable(categoryWeights);
    this.#favouriteShares = Float64Array.from(
      this.#productsOf.flatMap((products, category) =>
        MONTHS.map((month) =>
          FAVOURITE_SHARE * sumOf(products, (product) => inMonth(product, month)) / categoryWeights[category]!
        )
      ),
    );
    this.#maxFavouriteShare = Math.max(...this.#favouriteShares);
    this.#favourites = this.#productsOf.flatMap((products) =>
      MONTHS.map((month) => new AliasTable(Float64Array.from(products, (product) => inMonth(product, month))))
    );
  }

  /** Returns the demand for a product in a region, relative to the average. */
  #taste(product: number, region: number): number {
    const taste = 2 * this.random.unit(Stream.Taste, product * REGIONS.length + region) - 1;
    return taste < 0 ? 1 / (1 - TASTE_SPREAD * taste) : 1 + TASTE_SPREAD * taste;
  }

  /** Returns the unit price of a product on a day, in cents, within the product's range of the catalogue. */
  priceCents(product: number, day: number): number {
    return this.#prices.priceCents(product, day);
  }

  /** Fills `sale` with valid sale `index` (0 … rows − 1). Returns its key, from which further properties may be drawn. */
  fillSale(index: number, sale: Sale): number {
    const day = this.calendar.dayOf(index);
    const key = this.calendar.keyOf(index, day);
    this.#fill(key, day, sale);
    sale.saleId = FIRST_SALE_ID + 2 * key;
    return key;
  }

  /** Fills `sale` with a plausible sale that is not one of the valid ones; its id is odd. */
  fillExtraSale(index: number, sale: Sale): void {
    const day = this.calendar.dayOf(index);
    const key = this.calendar.keyOf(index, day);
    // The draws of a sale that is years away.
    this.#fill(key + EXTRA_KEYS, day, sale);
    sale.saleId = FIRST_SALE_ID + 2 * key + 1;
  }

  #fill(key: number, day: number, sale: Sale): void {
    const { random } = this;
    const customer = this.#customers.customerOf(key);
    const draw = random.uint32(Stream.Travel, key);
    let region = this.#homes.pick(random.unit(Stream.HomeRegion, customer));
    if (draw >>> 16 < AWAY_SHARE * TWO_16) region = this.#homes.pick(random.unit(Stream.AwayRegion, key));
    const { month: before, nextShare } = this.calendar.mixes[day]!;
    const month = (draw & 0xffff) < nextShare * TWO_16 ? (before + 1) % 12 : before;
    const unit = random.unit(Stream.Product, key);
    let product = -1;
    const choice = random.unit(Stream.Category, key);
    if (choice < this.#maxFavouriteShare) {
      const category = this.#categories.pick(random.unit(Stream.FavouriteCategory, customer));
      const favourite = category * 12 + month;
      if (choice < this.#favouriteShares[favourite]!) {
        product = this.#productsOf[category]![this.#favourites[favourite]!.pick(unit)]!;
      }
    }
    if (product < 0) product = this.#products[region * 12 + month]!.pick(unit);
    const quantities = this.#quantities[this.#quantityRanges[product]!]!;
    let quantity = 1 + quantities.pick(random.unit(Stream.Quantity, key));
    if (quantity === MIN_BULK_QUANTITY) {
      quantity += random.below(MAX_BULK_QUANTITY - MIN_BULK_QUANTITY + 1, Stream.BulkQuantity, key);
    }
    sale.customerId = FIRST_CUSTOMER_ID + customer;
    sale.productId = product + 1;
    sale.quantity = quantity;
    sale.day = day;
    sale.region = region;
    sale.amountCents = quantity * this.priceCents(product, day);
  }
}
