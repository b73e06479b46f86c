/** Suggests what is left out: lines by their status, currencies, and returns. No I/O. */
import { type Column, countValues } from "./column_stats.ts";
import type { Findings, SuggestedRule } from "./findings.ts";
import { counted, list, scalar } from "./yaml_text.ts";

/** Statuses of sales, in lower case with `е` for `ё`. */
const DONE =
  /^(?:paid|partially[_ ]paid|completed?|processing|shipped|delivered|sale|sold|fulfilled|closed|done|success(?:ful)?|succeeded|captured|settled|payment accepted|wc-completed|wc-processing|shipped - delivered to buyer|(?:доставлен|выкуплен|выполнен|завершен|оплачен|получен|отгружен|проведен|выдан)[оа]?|продажа)$/;
/** Those of lines that are none. */
const NOT_DONE =
  /refund|void|cancel|fail|expired|draft|unpaid|pending|hold|trash|return|declin|reject|отмен|возврат|не оплач|^нов(?:ый|ая|ое)$|ожида|аннулир|черновик|не выкуп|отказ/;
/** Neither: some of the money stays. */
const UNCLEAR = /^partially[_ ]refunded$|частичн/;
const REFUND =
  /^(?:refund(?:ed)?|returns?|возврат(?: товара| покупателя| от покупателя)?|chargeback refund|credit note)$/;
const SALE = /^(?:sale|order|payment|продажа|реализация)$/;
const YES = /^(?:да|y|yes|true|1|оплачено?)$/;
const NO = /^(?:нет|n|no|false|0)$/;
const PAID_FLAG = /^(?:is )?paid$|^оплачено?$|^заказ оплачен$/;
const CANCELLED_FLAG = /^(?:is )?cancell?ed$|^отменено?$|^заказ отменен$/;

function normal(value: string): string {
  return value.toLowerCase().replaceAll("ё", "е");
}

/** A line of `only`. */
interface OnlyLine {
  column: Column;
  values: string[];
  name: string;
  counts: [string, number][];
}

function nameOf(column: Column, good: readonly string[]): string {
  if (
    /financial|payment|оплат/.test(column.words) ||
    good.some((value) => /paid|payment|оплач/.test(normal(value)))
  ) return "unpaid";
  return good.some((value) => /deliver|доставлен|выдан|получен/.test(normal(value)))
    ? "not_delivered"
    : "not_completed";
}

function withEmpty(column: Column, counts: [string, number][]): [string, number][] {
  const empty = column.rows - column.filled.length;
  return empty > 0 ? [...counts, ["", empty]] : counts;
}

function statusLine(column: Column): OnlyLine | undefined {
  const counts = countValues(column.filled);
  const values = counts.map(([value]) => value);
  const isUnclear = (value: string) => UNCLEAR.test(normal(value));
  const good = values.filter((value) => DONE.test(normal(value)));
  if (good.length === 0) return undefined;
  const open = values.filter((value) =>
    isUnclear(value) || (!DONE.test(normal(value)) && !NOT_DONE.test(normal(value)))
  );
  const partly = column.words === "financial status" && !good.includes("partially_paid")
    ? ["partially_paid"]
    : [];
  return {
    column,
    values: [...good, ...partly, ...open.map((value) => `DECIDE: ${value}`)],
    name: nameOf(column, good),
    counts,
  };
}

function flagLine(columns: readonly Column[], name: RegExp, good: RegExp, rule: string): OnlyLine[] {
  return columns.flatMap((column) => {
    if (!name.test(column.words) || column.filled.length === 0) return [];
    const counts = countValues(column.filled);
    const values = counts.map(([value]) => value);
    if (!values.every((value) => YES.test(normal(value)) || NO.test(normal(value)))) return [];
    const accepted = values.filter((value) => good.test(normal(value)));
    if (accepted.length === 0) return [];
    return [{ column, values: accepted, name: rule, counts }];
  });
}

/** Columns of reports of marketplaces whose lines are not only sales. */
function reportLines(findings: Findings): OnlyLine[] {
  return findings.columns.flatMap((column) => {
    const counts = countValues(column.filled);
    const has = (value: string) => counts.some(([each]) => normal(each) === value);
    if (column.words === "amount description" && has("principal")) {
      return [{ column, values: ["Principal"], name: "not_principal", counts }];
    }
    if (column.words === "обоснование для оплаты" && has("продажа")) {
      return [{ column, values: ["Продажа", "Возврат"], name: "not_sale", counts }];
    }
    return [];
  });
}

/** Returns the records that are sales or returns by what a marketplace's report says: the others are of fees and the like. */
export function withoutReportLines(findings: Findings): readonly (readonly string[])[] {
  const lines = reportLines(findings);
  return findings.rows.filter((row) =>
    lines.every(({ column, values }) => values.includes(row[column.index]!.trim()))
  );
}

/** Suggests `only`; undefined when no column says what is a sale. The value is a list, each with its comment. */
export function suggestOnly(findings: Findings): SuggestedRule | undefined {
  const status = findings.all("status").map(statusLine).find((line) => line !== undefined);
  const lines = [
    ...reportLines(findings),
    ...(status ? [status] : []),
    ...flagLine(findings.columns, PAID_FLAG, YES, "not_paid"),
    ...flagLine(findings.columns, CANCELLED_FLAG, NO, "cancelled"),
  ];
  if (lines.length === 0) return undefined;
  return {
    comments: ["Other lines are excluded, and counted under the name"],
    value: lines.flatMap(({ column, values, name, counts }) => [
      `# ${column.name}: ${counted(withEmpty(column, counts))}`.replaceAll("\n", " "),
      ...(values.some((value) => value.startsWith("DECIDE"))
        ? ["# DECIDE: which of these are sales? Remove DECIDE: before those, and the others"]
        : []),
      `- {column: ${scalar(column.name)}, in: ${list(values)}, name: ${name}}`,
    ]),
    uses: lines.map(({ column }) => column),
  };
}

/** Suggests `returns`; undefined when no column tells returns from sales. */
export function suggestReturns(findings: Findings): SuggestedRule | undefined {
  for (const column of findings.all("document")) {
    const counts = countValues(column.filled);
    const refunds = counts.map(([value]) => value).filter((value) => REFUND.test(normal(value)));
    const sales = counts.map(([value]) => value).filter((value) => SALE.test(normal(value)));
    if (refunds.length === 0 && sales.length === 0) continue;
    const usual = sales.some((value) => /\p{Script=Cyrillic}/u.test(value)) ? "Возврат" : "Refund";
    return {
      comments: [`${column.name}: ${counted(withEmpty(column, counts))}`],
      value: `{column: ${scalar(column.name)}, in: ${list(refunds.length > 0 ? refunds : [usual])}}`,
      uses: [column],
    };
  }
  return undefined;
}

/** Share of lines that must have a currency for it to be asked of each. */
const MIN_FILLED = 0.9;

/** Marks of currencies beside amounts. */
const MARKS: readonly [mark: RegExp, code: string][] = [
  [/₽|руб|р\.|RUB/i, "RUB"],
  [/€|EUR/, "EUR"],
  [/£|GBP/, "GBP"],
  [/\$|USD/, "USD"],
  [/₸|KZT/, "KZT"],
  [/BYN/, "BYN"],
];

/**
 * Suggests `currency`; undefined when nothing says it.
 *
 * @param amounts columns of amounts
 * @param filledDown columns that take the value of the line before
 */
export function suggestCurrency(
  findings: Findings,
  amounts: readonly Column[],
  filledDown: readonly Column[],
): SuggestedRule | undefined {
  const column = findings.best("currency");
  if (column) {
    const counts = countValues(column.filled.filter((value) => /^[A-Za-z]{3}$/.test(value)));
    const [first, second] = counts;
    const isMissing = column.filled.length < column.rows * MIN_FILLED &&
      !filledDown.some(({ index }) => index === column.index);
    if (isMissing && !second) {
      return {
        comments: [`${column.name} says only ${first![0]}, and is empty on most lines`],
        value: `{value: ${first![0].toUpperCase()}}`,
        uses: [],
      };
    }
    const isTie = second !== undefined && second[1] === first![1];
    const code = isTie ? `DECIDE: ${counts.map(([value]) => value).join(" or ")}` : first![0].toUpperCase();
    return {
      comments: [
        `${column.name}: ${counted(withEmpty(column, counts))}${
          counts.length > 1 ? "; amounts of others are excluded" : ""
        }`,
        ...(isTie ? ["DECIDE: which currency does the report count in?"] : []),
      ],
      value: `{column: ${scalar(column.name)}, is: ${scalar(code)}}`,
      uses: [column],
    };
  }
  for (const { name, filled } of amounts) {
    for (const [mark, code] of MARKS) {
      const marked = filled.filter((value) => mark.test(value));
      if (marked.length > 0) {
        return { comments: [`${name}: such as ${marked[0]}`], value: `{value: ${code}}`, uses: [] };
      }
    }
  }
  return undefined;
}
