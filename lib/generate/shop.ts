/** The model of the shop: which customer buys which product where, how many, and at what price. No I/O. */
import type { IsoDate } from "../domain/dates.ts";
import { REGIONS } from "../domain/sale.ts";
import { AliasTable } from "./alias_table.ts";
import { Calendar, type SeasonName, SEASONS } from "./calendar.ts";
import { Random, Stream } from "./random.ts";

/** What fixes every byte of the raw data. */
export interface ShopParameters {
  seed: number;
  asOf: IsoDate;
  /** Distinct valid sales. */
  rows: number;
  customers: number;
  /** Of each product: usual price in cents, and season. */
  prices: Int32Array;
  seasons: readonly SeasonName[];
}

/** One sale, as numbers. */
export interface Sale {
  saleId: number;
  customerId: number;
  productId: number;
  quantity: number;
  /** 0 … 364, counted from the first day of the year. */
  day: number;
  amountCents: number;
  /** Index in REGIONS. */
  region: number;
}

/** Ids of valid sales are even, those of injected rows odd, so neither ever meets the other. */
const FIRST_SALE_ID = 10_000_000;
const FIRST_CUSTOMER_ID = 100_001;

/** Share of customers who live in each region, and so, nearly, of its sales. */
export const REGION_WEIGHTS: readonly number[] = [0.22, 0.28, 0.17, 0.33];
/** Share of sales outside the customer's home region. */
export const AWAY_SHARE = 0.07;
/** Popularity of the product of rank r is 1 / (r + offset)^exponent: Zipf's law as generalised by Mandelbrot (1953). */
export const ZIPF_EXPONENT = 0.9;
const ZIPF_OFFSET = 4;
/** A region likes a product between 1 / (1 + TASTE) and 1 + TASTE times as much as the shop does. */
const TASTE = 1;

/** Shares of the quantities 1, 2, 3 …; the last entry stands for bulk orders of 10 … 30. */
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
const BULK_FROM = 10;
const BULK_TO = 30;

/** A promotion week in eight: 15 % off; other weeks drift between −5 % and +12 %. */
const PROMOTION_SHARE = 1 / 8;
const PROMOTION_FACTOR = 0.85;
const DRIFT_LOW = 0.95;
const DRIFT_WIDTH = 0.17;
const WEEK_DAYS = 7;
const WEEKS_PER_PRODUCT = 64;

/** Sales by number; any of them can be made without the others. */
export class Shop {
  readonly random: Random;
  readonly calendar: Calendar;
  readonly #parameters: ShopParameters;
  readonly #homes = new AliasTable(REGION_WEIGHTS);
  readonly #quantities = new AliasTable(QUANTITY_WEIGHTS);
  /** By region × 12 + month. */
  readonly #products: readonly AliasTable[];

  /** Last day of the year of sales. */
  get asOf(): IsoDate {
    return this.#parameters.asOf;
  }

  constructor(parameters: ShopParameters) {
    this.#parameters = parameters;
    this.random = new Random(parameters.seed);
    this.calendar = new Calendar(parameters.asOf, parameters.rows, this.random);
    this.#products = this.#tastes();
  }

  #tastes(): AliasTable[] {
    const { prices, seasons } = this.#parameters;
    const popularity = this.#popularity();
    return REGIONS.flatMap((_, region) => {
      const likes = prices.map((_, product) =>
        this.random.uint32(Stream.Taste, product * REGIONS.length + region) & 0xff
      );
      return Array.from({ length: 12 }, (_, month) =>
        new AliasTable(popularity.map((weight, product) => {
          const like = likes[product]! / 255;
          return weight * SEASONS[seasons[product]!][month]! *
            (like < 0.5 ? 1 / (1 + TASTE * (1 - 2 * like)) : 1 + TASTE * (2 * like - 1));
        })));
    });
  }

  /** Weight of each product: a seeded order of the products gives the ranks. */
  #popularity(): Float64Array {
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

  /** Unit price of a product on a day, in cents; whole tens of kopecks, inside the product's range of the catalogue. */
  priceCents(product: number, day: number): number {
    const week = Math.floor((this.calendar.firstDay + day) / WEEK_DAYS) % WEEKS_PER_PRODUCT;
    const unit = this.random.unit(Stream.Price, product * WEEKS_PER_PRODUCT + week);
    const factor = unit < PROMOTION_SHARE
      ? PROMOTION_FACTOR
      : DRIFT_LOW + DRIFT_WIDTH * (unit - PROMOTION_SHARE) / (1 - PROMOTION_SHARE);
    return Math.round(this.#parameters.prices[product]! * factor / 10) * 10;
  }

  /** Fills `sale` with the valid sale number `index` (0 … rows − 1). */
  make(index: number, sale: Sale): void {
    this.#fill(index, this.calendar.dayOf(index), sale);
    sale.saleId = FIRST_SALE_ID + 2 * index;
  }

  /** Fills `sale` with a plausible sale that is not one of the valid ones; its number is odd. */
  makeExtra(index: number, sale: Sale): void {
    // Drawn from the far end of the streams, which valid sales never reach.
    this.#fill(0xffffffff - index, this.calendar.dayOf(index), sale);
    sale.saleId = FIRST_SALE_ID + 2 * index + 1;
  }

  #fill(index: number, day: number, sale: Sale): void {
    const { random } = this;
    const unit = random.unit(Stream.Customer, index);
    // The square makes some customers come again and again: a tenth of them places a third of the orders.
    const customer = Math.floor(unit * unit * this.#parameters.customers);
    let region = this.#homes.pick(random.unit(Stream.HomeRegion, customer));
    if (random.unit(Stream.Travel, index) < AWAY_SHARE) {
      region = this.#homes.pick(random.unit(Stream.AwayRegion, index));
    }
    const product = this.#products[region * 12 + this.calendar.months[day]!]!.pick(
      random.unit(Stream.Product, index),
    );
    let quantity = 1 + this.#quantities.pick(random.unit(Stream.Quantity, index));
    if (quantity === BULK_FROM) quantity += random.below(BULK_TO - BULK_FROM + 1, Stream.BulkQuantity, index);
    sale.customerId = FIRST_CUSTOMER_ID + customer;
    sale.productId = product + 1;
    sale.quantity = quantity;
    sale.day = day;
    sale.region = region;
    sale.amountCents = quantity * this.priceCents(product, day);
  }
}
