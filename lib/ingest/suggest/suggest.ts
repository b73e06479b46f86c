/** Suggests a source file for exports, as YAML with the evidence in comments. No I/O. */
import { toPrintable } from "../../console/printable.ts";
import { suggestAmount, suggestQuantity } from "./amount_rules.ts";
import { suggestDate } from "./date_rule.ts";
import { suggestCurrency, suggestOnly, suggestReturns, withoutReportLines } from "./filter_rules.ts";
import { examine, type Findings, type SuggestedRule } from "./findings.ts";
import { suggestCustomer, suggestFillDown, suggestProduct, suggestSaleId } from "./id_rules.ts";
import { suggestRegion } from "./region_rule.ts";
import type { Sample } from "./sample.ts";
import { comments, list, scalar } from "./yaml_text.ts";

/** Writes a key with its comments. */
function entry(key: string, rule: Pick<SuggestedRule, "comments" | "value">, indent = ""): string[] {
  const { value } = rule;
  return [
    ...comments(rule.comments, indent),
    ...(typeof value === "string"
      ? [`${indent}${key}: ${value}`]
      : [`${indent}${key}:`, ...value.map((line) => `${indent}  ${line}`)]),
  ];
}

function describeSample({ rows, totals, sample }: Findings): string[] {
  const { files, others, headerLine, broken, isPart } = sample;
  return [
    `Suggested by salesflow from ${isPart ? "the first " : ""}${rows.length + totals} records of ` +
    `${files.slice(0, 3).join(", ")}${files.length > 3 ? ` and ${files.length - 3} more files` : ""}.`,
    "Read it, decide what stands behind DECIDE, and try it: salesflow source preview --source THIS_FILE",
    ...(headerLine > 1 ? [`The header is on line ${headerLine}; it is found by its columns.`] : []),
    ...(totals > 0
      ? [`${totals} ${totals === 1 ? "line is a total" : "lines are totals"}: excluded by itself.`]
      : []),
    ...(broken > 0
      ? [
        `${broken} ${
          broken === 1 ? "line is no record" : "lines are no records"
        }: clean rejects them as malformed_row.`,
      ]
      : []),
    ...(others.length > 0
      ? [
        `These files have other columns, and need a source file of their own: ${
          others.slice(0, 10).join(", ")
        }`,
      ]
      : []),
  ];
}

function formatEntry({ encoding, sheet }: Sample): string[] {
  const parts = [
    ...(encoding === undefined ? [] : [`encoding: ${scalar(encoding)}`]),
    ...(sheet === undefined ? [] : [`sheet: ${scalar(sheet)}`]),
  ];
  if (parts.length === 0) return [];
  const evidence = [
    ...(encoding === undefined ? [] : [`The text is no UTF-8, and reads well as ${encoding}`]),
    ...(sheet === undefined ? [] : [`The sheet ${sheet} looks most like a table of sales`]),
  ];
  return entry("format", { comments: evidence, value: `{${parts.join(", ")}}` });
}

function numbersEntry({ numbers }: Findings): string[] {
  if (numbers.isUndecided) {
    return entry("numbers", {
      comments: [
        `DECIDE: does the comma of ${numbers.example} stand before decimals, or between thousands? Then write decimal: "," or decimal: ".", thousands: ","`,
      ],
      value: `{decimal: "DECIDE: , or .", thousands: ""}`,
    });
  }
  if (!numbers.style) return [];
  const { decimal, thousands } = numbers.style;
  const group = thousands === "" ? "" : `, thousands: ${JSON.stringify(thousands)}`;
  return entry("numbers", {
    comments: [
      `${numbers.telling} ${
        numbers.telling === 1 ? "number is" : "numbers are"
      } written so, such as ${numbers.example}`,
    ],
    value: `{decimal: "${decimal}"${group}}`,
  });
}

/** Rounds amounts that are written with more than two decimals, as databases do; where only some are, clean rejects them. */
function roundingEntry({ uses, value }: SuggestedRule): string[] {
  const [amount] = uses;
  if (!amount || uses.length > 1 || typeof value !== "string") return [];
  const long = amount.filled.filter((text) =>
    /\d[.,]\d{2}\d+\D*$/.test(text) && !/^\D*\d{1,3}[.,]\d{3}\D*$/.test(text)
  );
  if (long.length <= amount.filled.length / 2) return [];
  return entry("round_amounts", {
    comments: [
      `${long.length} of ${amount.filled.length} amounts have more than two decimals, such as ${long[0]}`,
    ],
    value: "true",
  });
}

/**
 * Suggests a source file. Where only a person can decide, `DECIDE` stands in a value, which `ingest` refuses, and a comment above
 * asks the question.
 *
 * @param files paths and globs that it shall name
 */
export function suggestSource(sample: Sample, files: readonly string[]): string {
  const everything = examine(sample);
  const findings = examine(sample, withoutReportLines(everything));
  const saleId = suggestSaleId(findings);
  const order = saleId.key;
  const customer = suggestCustomer(findings, findings.best("order") ?? order);
  const product = suggestProduct(findings);
  const quantity = suggestQuantity(findings);
  const date = suggestDate(findings);
  const amount = suggestAmount(findings, order);
  const region = suggestRegion(findings);
  const only = suggestOnly(everything);
  const returns = suggestReturns(findings);
  const perOrder = [only, returns, customer, date, region].flatMap((rule) => rule?.uses ?? []);
  const fillDown = order && saleId.isOrder
    ? suggestFillDown(findings, order, [...perOrder, ...everything.all("currency").slice(0, 1)])
    : undefined;
  const currency = suggestCurrency(everything, amount.uses, fillDown?.columns ?? []);
  const optional = (key: string, rule: SuggestedRule | undefined) => rule ? entry(key, rule) : [];
  const columns: [string, SuggestedRule | undefined][] = [
    ["sale_id", saleId],
    ["customer_id", customer],
    ["product_id", product.id],
    ["quantity", quantity],
    ["sale_date", date],
    ["sale_amount", amount],
    ["region", region],
    ["product_name", product.name],
    ["product_category", product.category],
  ];
  return [
    ...comments(describeSample(everything)),
    "version: 1",
    ...(files.length > 0 ? [`files: ${list(files.map((file) => toPrintable(file, Infinity)))}`] : []),
    ...formatEntry(sample),
    ...numbersEntry(findings),
    ...optional("fill_down", fillDown && { ...fillDown, uses: [] }),
    ...optional("only", only),
    ...(currency
      ? entry("currency", currency)
      : comments(["Nothing says the currency; if it is not RUB: currency: {value: EUR}"])),
    ...optional("returns", returns),
    "columns:",
    ...columns.flatMap(([key, rule]) => rule ? entry(key, rule, "  ") : []),
    ...roundingEntry(amount),
    ...comments([
      saleId.conflict === undefined
        ? "A later export corrects an earlier one"
        : `A later line corrects an earlier one: ${saleId.conflict} comes again with other values`,
    ]),
    "on_conflict: last",
    "",
  ].join("\n");
}
