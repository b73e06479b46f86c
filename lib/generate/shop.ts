/** Model of the shop: who buys which product, where, how many and at what price. No I/O. */
import type { IsoDate } from "../domain/dates.ts";
import { REGIONS } from "../domain/sale.ts";
import { AliasTable } from "./alias_table.ts";
import { Calendar, type SeasonName, SEASONS } from "./calendar.ts";
import { Random, Stream } from "./random.ts";

/** Parameters of the model. */
export interface ShopParameters {
  /** Seed of the random numbers. */
  seed: number;
  /** Last day of the year of sales. */
  asOf: IsoDate;
  /** Number of distinct valid sales. */
  rows: number;
  /** Number of customers. */
  customers: number;
  /** Regular price of each product in cents. */
  prices: Int32Array;
  /** Season of each product. */
  seasons: readonly SeasonName[];
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

/** Share of customers who live in each region; its share of sales is close to that. */
export const REGION_WEIGHTS: readonly number[] = [0.22, 0.28, 0.17, 0.33];
/** Share of sales in a region drawn anew, which may be the customer's home region again. */
export const AWAY_SHARE = 0.07;
/** A product of rank r has the popularity 1 / (r + offset)^exponent: the Zipf–Mandelbrot law (1953). */
export const ZIPF_EXPONENT = 0.9;
const ZIPF_OFFSET = 4;
/** Regional demand for a product is 1 / (1 + TASTE_SPREAD) to 1 + TASTE_SPREAD times the average. */
const TASTE_SPREAD = 1;

/** Shares of the quantities 1, 2, 3 …; the last entry is the share of bulk orders of 10 … 30. */
export const QUANTITY_WEIGHTS: readonly number[] = [
  0.62,
  0.21,
  0.08,
  0.04,
  0.02,
  0.012,
  0.007,
  0.005,
  0.003,
  0.003,
];
const MIN_BULK_QUANTITY = 10;
const MAX_BULK_QUANTITY = 30;

/** One week in eight is a promotion at 15 % off; in other weeks the price varies from −5 % to +12 %. */
const PROMOTION_SHARE = 1 / 8;
const PROMOTION_FACTOR = 0.85;
const MIN_PRICE_VARIATION = 0.95;
const PRICE_VARIATION_WIDTH = 0.17;
const WEEK_DAYS = 7;
/** Weekly prices of a product repeat after this many weeks. */
const PRICE_CYCLE_WEEKS = 64;

/** Source of sales by index; each is computed independently of the others. */
export class Shop {
  /** Random numbers of the seed. */
  readonly random: Random;
  /** Days of the year and their sales. */
  readonly calendar: Calendar;
  readonly #parameters: ShopParameters;
  readonly #homes = new AliasTable(REGION_WEIGHTS);
  readonly #quantities = new AliasTable(QUANTITY_WEIGHTS);
  /** Product sampling tables by region × 12 + month. */
  readonly #products: readonly AliasTable[];

  /** Last day of the year of sales. */
  get asOf(): IsoDate {
    return this.#parameters.asOf;
  }

  /**
   * Builds the calendar and the sampling tables.
   *
   * @param parameters determine every sale
   */
  constructor(parameters: ShopParameters) {
    this.#parameters = parameters;
    this.random = new Random(parameters.seed);
    this.calendar = new Calendar(parameters.asOf, parameters.rows, this.random);
    this.#products = this.#buildProductTables();
  }

  #buildProductTables(): AliasTable[] {
    const { prices, seasons } = this.#parameters;
    const weights = this.#popularityWeights();
    return REGIONS.flatMap((_, region) => {
      const tastes = prices.map((_, product) =>
        this.random.uint32(Stream.Taste, product * REGIONS.length + region) & 0xff
      );
      return Array.from({ length: 12 }, (_, month) =>
        new AliasTable(weights.map((weight, product) => {
          const taste = tastes[product]! / 255;
          return weight * SEASONS[seasons[product]!][month]! *
            (taste < 0.5 ? 1 / (1 + TASTE_SPREAD * (1 - 2 * taste)) : 1 + TASTE_SPREAD * (2 * taste - 1));
        })));
    });
  }

  /** Returns the popularity of each product; a seeded permutation of the products gives the ranks. */
  #popularityWeights(): Float64Array {
    const size = this.#parameters.prices.length;
    const order = Uint32Array.from({ length: size }, (_, product) => product);
    const key = order.map((product) => this.random.uint32(Stream.Popularity, product));
    order.sort((a, b) => key[a]! - key[b]! || a - b);
    const weights = new Float64Array(size);
    order.forEach((product, rank) => {
      weights[product] = 1 / Math.pow(rank + 1 + ZIPF_OFFSET, ZIPF_EXPONENT);
    });
    return weights;
  }

  /** Returns the unit price of a product on a day, in cents: a multiple of ten, within the product's range of the catalogue. */
  priceCents(product: number, day: number): number {
    const week = Math.floor((this.calendar.firstDay + day) / WEEK_DAYS) % PRICE_CYCLE_WEEKS;
    const unit = this.random.unit(Stream.Price, product * PRICE_CYCLE_WEEKS + week);
    const factor = unit < PROMOTION_SHARE
      ? PROMOTION_FACTOR
      : MIN_PRICE_VARIATION + PRICE_VARIATION_WIDTH * (unit - PROMOTION_SHARE) / (1 - PROMOTION_SHARE);
    return Math.round(this.#parameters.prices[product]! * factor / 10) * 10;
  }

  /** Fills `sale` with valid sale `index` (0 … rows − 1). */
  fillSale(index: number, sale: Sale): void {
    this.#fill(index, this.calendar.dayOf(index), sale);
    sale.saleId = FIRST_SALE_ID + 2 * index;
  }

  /** Fills `sale` with a plausible sale that is not one of the valid ones; its id is odd. */
  fillExtraSale(index: number, sale: Sale): void {
    // Indices from the far end of the streams, which valid sales never reach.
    this.#fill(0xffffffff - index, this.calendar.dayOf(index), sale);
    sale.saleId = FIRST_SALE_ID + 2 * index + 1;
  }

  #fill(index: number, day: number, sale: Sale): void {
    const { random } = this;
    const unit = random.unit(Stream.Customer, index);
    // Squared, so that some customers buy often: a tenth of them places a third of the orders.
    const customer = Math.floor(unit * unit * this.#parameters.customers);
    let region = this.#homes.pick(random.unit(Stream.HomeRegion, customer));
    if (random.unit(Stream.Travel, index) < AWAY_SHARE) {
      region = this.#homes.pick(random.unit(Stream.AwayRegion, index));
    }
    const product = this.#products[region * 12 + this.calendar.months[day]!]!.pick(
      random.unit(Stream.Product, index),
    );
    let quantity = 1 + this.#quantities.pick(random.unit(Stream.Quantity, index));
    if (quantity === MIN_BULK_QUANTITY) {
      quantity += random.below(MAX_BULK_QUANTITY - MIN_BULK_QUANTITY + 1, Stream.BulkQuantity, index);
    }
    sale.customerId = FIRST_CUSTOMER_ID + customer;
    sale.productId = product + 1;
    sale.quantity = quantity;
    sale.day = day;
    sale.region = region;
    sale.amountCents = quantity * this.priceCents(product, day);
  }
}
