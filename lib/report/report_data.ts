/** Data of a report. Amounts are integers in cents, shares are integers in millionths; only seconds are floats. */
import type { IsoDate } from "../domain/dates.ts";
import type { StageRecord } from "../pipeline/records.ts";
import type { Reason, ReasonCounts } from "../domain/sale.ts";

/** Sums of a group of sales. */
export interface Sums {
  /** Number of sales. */
  sales: bigint;
  /** Sum of their quantities. */
  quantity: bigint;
  /** Sum of their amounts, in cents. */
  amountCents: bigint;
  /** Average check in cents, rounded half up. */
  averageCents: bigint;
  /** Share of the total amount, in millionths. */
  share: bigint;
}

/** Sums of a region. */
export interface Region extends Sums {
  /** Name of the region. */
  region: string;
}

/** Sums of a product. */
export interface Product extends Sums {
  /** Its product_id. */
  productId: bigint;
  /** Undefined if the run has no catalogue, or the catalogue lacks the product. */
  name: string | undefined;
  /** Its category in the catalogue; undefined like the name. */
  category: string | undefined;
  /** Share of this product and all with a higher amount, in millionths. */
  cumulativeShare: bigint;
}

/** Counts of raw rows by outcome. */
export interface Quality {
  /** Raw rows. */
  raw: bigint;
  /** Rows in clean/. */
  clean: bigint;
  /** Rows dropped as duplicates. */
  duplicates: bigint;
  /** Rows in rejected/. */
  rejected: bigint;
  /** Rejected rows by reason. */
  byReason: ReasonCounts;
  /** Amounts of the rejected rows by reason; undefined when an older version cleaned the run, or its files were removed. */
  amounts: Record<Reason, RejectedAmount> | undefined;
}

/** Amounts of rows that were rejected for one reason. */
export interface RejectedAmount {
  /** Rows with a valid amount. */
  rows: bigint;
  /** Their sum in cents. */
  amountCents: bigint;
}

/** Lines of exports that a rule left out. */
export interface Exclusion {
  /** Name of the rule. */
  rule: string;
  /** Number of lines. */
  lines: bigint;
  /** Sum of the amounts that could be computed, in cents. */
  amountCents: bigint;
}

/** Facts about the run. */
export interface RunFacts {
  /** Id of the run. */
  runId: string;
  /** Last day of its sales, and the import date. */
  asOf: IsoDate;
  /** Where its raw data come from. */
  source: "generated" | "ingested";
  /** Engine that cleaned them. */
  cleanEngine: "native" | "spark";
  /** ISO 4217 code of all amounts. */
  currency: string;
}

/** Data of the summary for the terminal. */
export interface Overview {
  /** The run that the tables hold. */
  run: RunFacts;
  /** Undefined if no row was accepted. */
  total: Sums | undefined;
  /** What ingest left out on purpose; empty for generated sales. */
  exclusions: Exclusion[];
  /** Sorted by amount, descending. */
  regions: readonly Region[];
  /** The products with the highest amounts, descending. */
  products: readonly Product[];
  /** Raw rows by outcome. */
  quality: Quality;
  /** Records of the stages that were started, in execution order. */
  stages: readonly StageRecord[];
  /** What a person should check in the mapping of the exports: sentences without a full stop. */
  warnings: readonly string[];
}

/** Sales of one region on one day. */
export interface RegionDay {
  /** The day. */
  date: IsoDate;
  /** The region. */
  region: string;
  /** Number of sales. */
  sales: bigint;
  /** Sum of their amounts, in cents. */
  amountCents: bigint;
}

/** A point of the cumulative share curve. */
export interface CurvePoint {
  /** Rank of a product by amount, from 1. */
  rank: number;
  /** Share of the products up to this rank, in millionths. */
  cumulativeShare: bigint;
}

/** Number of top products that together make up a part of the total amount. */
export interface Concentration {
  /** Number of all products. */
  products: number;
  /** Products that make up 50% of the amount. */
  half: number;
  /** Products that make up 80%. */
  fourFifths: number;
  /** Products that make up 95%. */
  nearlyAll: number;
}

/** Sales of a category in a region. */
export interface CategoryRegion {
  /** Undefined for products that the catalogue lacks. */
  category: string | undefined;
  /** The region. */
  region: string;
  /** Number of sales. */
  sales: bigint;
  /** Sum of their amounts, in cents. */
  amountCents: bigint;
}

/** A product with a higher share in a region than in the whole shop. */
export interface Favourite {
  /** The region. */
  region: string;
  /** Its product_id. */
  productId: bigint;
  /** Its name in the catalogue, if it has one. */
  name: string | undefined;
  /** Its category in the catalogue, if it has one. */
  category: string | undefined;
  /** Its amount in the region, in cents. */
  amountCents: bigint;
  /** Share in the region divided by the share in the whole shop, such as `1.8`. */
  lift: string;
}

/** A rejected row, unchanged. */
export interface RejectedExample {
  /** Why the row was rejected. */
  reason: string;
  /** Raw part, or the export that it was ingested from. */
  file: string;
  /** Line number in that file, from 1. */
  line: string;
  /** Text of the row. */
  raw: string;
  /** Whether `raw` is only the start of the row. */
  truncated: boolean;
}

/** Data of the report. */
export interface ReportData extends Overview {
  /** Sales by day and region, in order of days. */
  days: readonly RegionDay[];
  /** Cumulative share of the products by rank. */
  curve: readonly CurvePoint[];
  /** How many products make up which part of the amount. */
  concentration: Concentration;
  /** Empty if the run has no catalogue. */
  categories: readonly CategoryRegion[];
  /** Products that sell better in a region than elsewhere. */
  favourites: readonly Favourite[];
  /** Number of customers with a sale. */
  customers: bigint;
  /** Customers with more than one sale. */
  repeatCustomers: bigint;
  /** The first rejected rows of each reason. */
  examples: readonly RejectedExample[];
  /** Everything that determines the data, as name and value: source, seed, engine, fingerprints. */
  provenance: readonly (readonly [string, string])[];
}
