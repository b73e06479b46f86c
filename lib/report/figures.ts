/** The figures of a report. Amounts are whole cents, shares are whole millionths; nothing here is a float but seconds. */
import type { IsoDate } from "../domain/dates.ts";
import type { StageRecord } from "../pipeline/records.ts";
import type { ReasonCounts } from "../domain/sale.ts";

/** Sums of a group of sales. */
export interface Sums {
  sales: bigint;
  quantity: bigint;
  amountCents: bigint;
  /** Average check, rounded half up. */
  averageCents: bigint;
  /** Of the grand total, in millionths. */
  share: bigint;
}

/** Sums of a region. */
export interface Region extends Sums {
  region: string;
}

/** Sums of a product. */
export interface Product extends Sums {
  productId: number;
  /** Undefined when the run has no catalogue, or not this product in it. */
  name: string | undefined;
  category: string | undefined;
  /** Of all products up to this one, by rank, in millionths. */
  cumulative: bigint;
}

/** What became of the raw rows. */
export interface Quality {
  raw: bigint;
  clean: bigint;
  duplicates: bigint;
  rejected: bigint;
  byReason: ReasonCounts;
}

/** The run itself. */
export interface RunFacts {
  runId: string;
  asOf: IsoDate;
  source: "generated" | "ingested";
  cleanEngine: "native" | "spark";
}

/** What fits on a terminal. */
export interface Overview {
  run: RunFacts;
  /** Undefined when no sale passed the rules. */
  total: Sums | undefined;
  /** Highest amount first. */
  regions: readonly Region[];
  /** Leading products, highest amount first. */
  products: readonly Product[];
  quality: Quality;
  /** Stages that were started, in the order of the data's way. */
  stages: readonly StageRecord[];
}

/** Sales of one region on one day. */
export interface RegionDay {
  date: IsoDate;
  region: string;
  sales: bigint;
  amountCents: bigint;
}

/** A point of the share curve. */
export interface CurvePoint {
  rank: number;
  /** In millionths. */
  cumulative: bigint;
}

/** How many leading products bring a part of the whole amount. */
export interface Concentration {
  products: number;
  half: number;
  fourFifths: number;
  nearlyAll: number;
}

/** Sales of a category in a region. */
export interface CategoryRegion {
  /** Undefined for products that are not in the catalogue. */
  category: string | undefined;
  region: string;
  sales: bigint;
  amountCents: bigint;
}

/** A product that a region buys more of than the shop does. */
export interface Favourite {
  region: string;
  productId: number;
  name: string | undefined;
  category: string | undefined;
  amountCents: bigint;
  /** Its share in the region over its share in the whole, such as `1.8`. */
  lift: string;
}

/** A rejected row, as it was. */
export interface Example {
  reason: string;
  file: string;
  line: string;
  raw: string;
  /** Whether the row goes on after `raw`. */
  cut: boolean;
}

/** Everything that the report shows. */
export interface Figures extends Overview {
  days: readonly RegionDay[];
  curve: readonly CurvePoint[];
  concentration: Concentration;
  /** Empty when the run has no catalogue. */
  categories: readonly CategoryRegion[];
  favourites: readonly Favourite[];
  customers: bigint;
  /** Customers who bought more than once. */
  customersAgain: bigint;
  examples: readonly Example[];
  /** What fixes the data: source, seed, engine, fingerprints, as name and value. */
  provenance: readonly (readonly [string, string])[];
}
