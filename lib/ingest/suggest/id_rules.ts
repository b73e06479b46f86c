/** Suggests the rules of sale_id, customer_id and product_id. No I/O. */
import { type Column, countValues, shareOf } from "./column_stats.ts";
import { describeFilled, type Findings, type SuggestedRule, undecided } from "./findings.ts";
import { isMarketplace } from "./vocabulary.ts";
import { columnRule, counted, list, scalar } from "./yaml_text.ts";

/** Share of empty product ids from which the shop keeps none for many of its products, so that the name stands in. */
const MANY_EMPTY = 0.2;

/** What repeats of an id say. */
interface Repeats {
  /** Ids of several products, with one of them as example. */
  ofOrders: number;
  example: string;
  /** Ids that come again with the same product and other values. */
  conflicts: number;
  conflict: string;
  /** Ids that come again. */
  repeated: number;
}

function findRepeats({ rows }: Findings, id: Column, product: Column | undefined): Repeats {
  const seen = new Map<string, { products: Set<string>; records: Set<string> }>();
  for (const row of rows) {
    const key = row[id.index]!.trim().toLowerCase();
    if (key === "") continue;
    const known = seen.get(key) ?? { products: new Set(), records: new Set() };
    known.products.add((product ? row[product.index]! : row.join("\0")).trim().toLowerCase());
    known.records.add(row.join("\0"));
    seen.set(key, known);
  }
  const result: Repeats = { ofOrders: 0, example: "", conflicts: 0, conflict: "", repeated: 0 };
  const counts = new Map(
    countValues(id.filled).map(([value, count]) => [value.toLowerCase(), { value, count }]),
  );
  for (const [key, { products, records }] of seen) {
    const { value, count } = counts.get(key)!;
    if (count > 1) result.repeated++;
    if (products.size > 1) {
      result.ofOrders++;
      result.example ||= value;
    } else if (records.size > 1) {
      result.conflicts++;
      result.conflict ||= value;
    }
  }
  return result;
}

/** A suggestion for sale_id. */
export interface SuggestedSaleId extends SuggestedRule {
  /** Column of the order's number, or of the line's id. */
  key?: Column;
  /** Whether several lines of one order are told apart by their number. */
  isOrder: boolean;
  /** An id that comes again with other values. */
  conflict?: string;
}

/** Suggests sale_id. */
export function suggestSaleId(findings: Findings): SuggestedSaleId {
  const product = findings.best("sku") ?? findings.best("productName");
  const line = findings.all("line").find((column) => findRepeats(findings, column, product).ofOrders === 0);
  const key = line ?? findings.best("order");
  if (!key) {
    const distinct = findings.columns.filter((column) =>
      column.filled.length === column.rows && countValues(column.filled).length > column.rows / 3
    );
    return {
      ...undecided("which column is the number of the order, or of its line?", distinct),
      isOrder: false,
    };
  }
  const repeats = findRepeats(findings, key, product);
  const conflict = repeats.conflicts > 0 ? { conflict: repeats.conflict } : {};
  const found = { key, uses: [key] };
  if (repeats.ofOrders === 0) {
    const remark = repeats.repeated === 0
      ? `${describeFilled(key)}, none comes twice`
      : `${describeFilled(key)}; repeated ones (${repeats.repeated}) always have the same product`;
    const option = line || repeats.repeated > 0 ? [] : [
      `If an order can have several lines: {join: ${joinOf(findings, key).join}, with: "${
        separatorOf(key)
      }"}`,
    ];
    return {
      ...found,
      ...conflict,
      isOrder: false,
      comments: [`${key.name}: ${remark}`, ...option],
      value: columnRule(key.name),
    };
  }
  const { join, uses } = joinOf(findings, key);
  return {
    ...found,
    uses,
    isOrder: true,
    comments: [
      `${key.name} is the number of an order: those of several products (${repeats.ofOrders}), such as ${repeats.example}, have numbered lines`,
    ],
    value: `{join: ${join}, with: "${separatorOf(key)}"}`,
  };
}

/** Ids of lines must not look like numbers of orders: 1001-1 is one in many shops. */
function separatorOf({ filled }: Column): string {
  return shareOf(filled, (value) => /^\d+$/.test(value)) > 0.5 || filled.some((value) => value.includes("-"))
    ? "/"
    : "-";
}

/** With totals in the file, the product is part of the id: a line without one that begins with Total is no sale. */
function joinOf(findings: Findings, key: Column): { join: string; uses: Column[] } {
  const sku = findings.totals > 0 ? findings.best("sku") ?? findings.best("productName") : undefined;
  const parts = [key, ...(sku ? [sku] : [])];
  const names = parts.map(({ name }) => scalar(name));
  return { join: `[${[...names, `{line_within: ${scalar(key.name)}}`].join(", ")}]`, uses: parts };
}

const MAIL = /^\S+@\S+\.\S+$/;

/** Suggests customer_id. */
export function suggestCustomer(findings: Findings, order: Column | undefined): SuggestedRule {
  const { columns } = findings;
  const named = findings.best("customer");
  const column = named && !named.isVague
    ? named
    : columns.find(({ filled }) => shareOf(filled, (value) => MAIL.test(value)) > 0.5) ?? named;
  if (!column) {
    if (!isMarketplace(columns.map(({ words }) => words))) {
      return undecided("which column is the customer?", columns.filter(({ filled }) => filled.length > 0));
    }
    return {
      comments: ["A marketplace's report does not say who bought: all sales count for one customer"],
      value: '{value: "1"}',
      uses: [],
    };
  }
  const empty = column.rows - column.filled.length;
  const isMail = shareOf(column.filled, (value) => MAIL.test(value)) > 0.5;
  const guest = order ? `{join: [guest, ${scalar(order.name)}], with: "-"}` : "guest";
  const withGuest = `{column: ${scalar(column.name)}, default: ${guest}}`;
  const evidence = `${column.name}: ${describeFilled(column)}`;
  if (isMail || /\bid\b|\bno\b/.test(column.words) && empty > 0) {
    return {
      comments: [`${evidence}; without one it was a guest${order ? ", each order another" : ""}`],
      value: withGuest,
      uses: [column, ...(order ? [order] : [])],
    };
  }
  const option = empty > 0 ? [`clean rejects the ${empty} without one; to keep them: ${withGuest}`] : [];
  return { comments: [evidence, ...option], value: columnRule(column.name), uses: [column] };
}

/** Suggests product_id, with product_name and product_category where there are columns for them. */
export function suggestProduct(
  findings: Findings,
): { id: SuggestedRule; name: SuggestedRule | undefined; category: SuggestedRule | undefined } {
  const sku = findings.best("sku");
  const named = findings.all("productName").filter(({ index }) => index !== sku?.index);
  const name = named[0];
  const simple = (column: Column | undefined, isExtra: boolean): SuggestedRule | undefined =>
    column &&
    {
      comments: isExtra ? [] : [`${column.name}: ${describeFilled(column)}`],
      value: columnRule(column.name),
      uses: [column],
    };
  const category = findings.all("category").find(({ index }) =>
    index !== sku?.index && index !== name?.index
  );
  const extras = { name: simple(name, true), category: simple(category, true) };
  const id = sku ?? name;
  if (!id) {
    return {
      id: undecided(
        "which column is the product?",
        findings.columns.filter(({ filled }) => filled.length > 0),
      ),
      ...extras,
    };
  }
  const empty = id.rows - id.filled.length;
  if (!sku || !name || empty === 0) return { id: simple(id, false)!, ...extras };
  const withName = `{column: ${scalar(sku.name)}, default: {column: ${scalar(name.name)}}}`;
  const evidence = `${sku.name}: ${describeFilled(sku)}`;
  const isMany = empty >= sku.rows * MANY_EMPTY;
  return {
    id: isMany
      ? {
        comments: [`${evidence}; the name stands in for what lacks one`],
        value: withName,
        uses: [sku, name],
      }
      : {
        comments: [`${evidence}; clean rejects the others. To count them by their name: ${withName}`],
        value: columnRule(sku.name),
        uses: [sku],
      },
    ...extras,
  };
}

/** Suggests fill_down: columns that only the first line of an order has. */
export function suggestFillDown(
  { rows }: Findings,
  order: Column,
  used: readonly Column[],
): { columns: Column[]; value: string; comments: string[] } | undefined {
  const columns = [...new Map(used.map((column) => [column.index, column])).values()].filter((column) => {
    if (column.index === order.index) return false;
    let [following, empty] = [0, 0];
    let before = "";
    let isFirstFilled = false;
    for (const row of rows) {
      const key = row[order.index]!.trim();
      const isFilled = row[column.index]!.trim() !== "";
      if (key !== "" && key === before) {
        if (!isFirstFilled) continue;
        following++;
        if (!isFilled) empty++;
      } else isFirstFilled = isFilled;
      before = key;
    }
    return following > 0 && empty >= following * 0.9;
  });
  if (columns.length === 0) return undefined;
  const repeated = countValues(order.filled).filter(([, count]) => count > 1);
  return {
    columns,
    value: `{columns: ${list(columns.map(({ name }) => name))}, within: ${scalar(order.name)}}`,
    comments: [
      `Only the first line of an order has these (orders of several lines: ${counted(repeated.slice(0, 3))})`,
    ],
  };
}
