/**
 * Imperfections of real exports: other formats of valid values, which clean must convert, and defects, which it must reject.
 * Each function takes the seven canonical fields of a sale and 32 random bits that select the variant. Reformats change the
 * fields in place; defects return the line.
 */
import { toDay, toIsoDate, YEAR_DAYS } from "../domain/dates.ts";
import type { Reason } from "../domain/sale.ts";

/** Canonical fields in the order of SALE_COLUMNS. */
export type Fields = [string, string, string, string, string, string, string];

const [SALE_ID, CUSTOMER_ID, PRODUCT_ID, QUANTITY, DATE, AMOUNT, REGION] = [0, 1, 2, 3, 4, 5, 6] as const;
const FIELD_COUNT = 7;

const RUSSIAN_REGIONS: Record<string, string> = {
  North: "Север",
  South: "Юг",
  East: "Восток",
  West: "Запад",
};

function pickVariant<T>(variants: readonly T[], draw: number): T {
  return variants[draw % variants.length]!;
}

function padTwo(number: number): string {
  return String(number).padStart(2, "0");
}

function groupThousands(amount: string, blank: string): string {
  return amount.replace(".", ",").replace(/\B(?=(\d{3})+,)/g, blank);
}

/** Changes of format that keep the meaning, by kind. */
export const REFORMATS: Record<string, (fields: Fields, draw: number) => void> = {
  blanks(fields, draw) {
    const index = draw % FIELD_COUNT;
    fields[index] = pickVariant(
      [` ${fields[index]}`, `${fields[index]}  `, `\t${fields[index]} `],
      draw >>> 8,
    );
  },
  date(fields, draw) {
    const [year, month, day] = fields[DATE].split("-");
    const time = `${padTwo((draw >>> 8) % 24)}:${padTwo((draw >>> 13) % 60)}:${padTwo((draw >>> 19) % 60)}`;
    fields[DATE] = pickVariant(
      [
        `${fields[DATE]}T${time}`,
        `${fields[DATE]} ${time}`,
        `${day}.${month}.${year}`,
        `${year}/${month}/${day}`,
      ],
      draw,
    );
  },
  amount(fields, draw) {
    const amount = fields[AMOUNT];
    fields[AMOUNT] = pickVariant([
      amount.replace(/0$/, ""),
      `"${groupThousands(amount, " ")}"`,
      `"${groupThousands(amount, "\u00a0")}"`,
      `₽${amount}`,
      `${amount} RUB`,
    ], draw);
  },
  quantity(fields) {
    fields[QUANTITY] += ".0";
  },
  region(fields, draw) {
    const region = fields[REGION];
    fields[REGION] = pickVariant(
      [
        region.toLowerCase(),
        region.toUpperCase(),
        region[0]!,
        RUSSIAN_REGIONS[region]!,
        RUSSIAN_REGIONS[region]!.toUpperCase(),
      ],
      draw,
    );
  },
  quotes(fields, draw) {
    fields[draw % FIELD_COUNT] = `"${fields[draw % FIELD_COUNT]}"`;
  },
};

/** Defects by the reason for which clean rejects them. `asOf` matters to dates only. */
export const DEFECTS: Record<
  Exclude<Reason, "conflicting_duplicate">,
  (fields: Fields, draw: number, asOf: string) => string
> = {
  malformed_row: (fields, draw) =>
    pickVariant([
      fields.slice(0, 6).join(","),
      `${fields.join(",")},`,
      `${fields.slice(0, 6).join(",")},"${fields[REGION]}`,
    ], draw),
  missing_value: (fields, draw) =>
    lineWithField(fields, (draw >>> 4) % FIELD_COUNT, pickVariant(["", " ", '""'], draw)),
  invalid_sale_id: (fields, draw) =>
    lineWithField(fields, SALE_ID, pickVariant([`A${fields[SALE_ID]}`, `-${fields[SALE_ID]}`, "0"], draw)),
  invalid_customer_id: (fields, draw) =>
    lineWithField(fields, CUSTOMER_ID, pickVariant(["guest", "-1", "0"], draw)),
  invalid_product_id: (fields, draw) =>
    lineWithField(
      fields,
      PRODUCT_ID,
      pickVariant([`SKU-${fields[PRODUCT_ID]}`, "0", "1.00000E+12"], draw),
    ),
  invalid_quantity: (fields, draw) =>
    lineWithField(fields, QUANTITY, pickVariant(["0", `-${fields[QUANTITY]}`, "1.5", "two"], draw)),
  invalid_amount: (fields, draw) =>
    lineWithField(
      fields,
      AMOUNT,
      pickVariant(["0.00", `-${fields[AMOUNT]}`, `${fields[AMOUNT]}5`, "n/a"], draw),
    ),
  invalid_date: (fields, draw) =>
    lineWithField(
      fields,
      DATE,
      pickVariant([
        `${fields[DATE].slice(0, 4)}-02-30`,
        `31.04.${fields[DATE].slice(0, 4)}`,
        "yesterday",
        "2026-13-01",
      ], draw),
    ),
  date_out_of_range: (fields, draw, asOf) => {
    const days = 1 + (draw >>> 8) % 1_000;
    return lineWithField(
      fields,
      DATE,
      toIsoDate(toDay(asOf) + pickVariant([days, 1 - YEAR_DAYS - days], draw)),
    );
  },
  unknown_region: (fields, draw) =>
    lineWithField(fields, REGION, pickVariant(["Center", "Центр", "NorthEast", "?"], draw)),
};

/** Returns the line with one field replaced. */
function lineWithField(fields: Fields, position: number, value: string): string {
  return fields.map((field, index) => index === position ? value : field).join(",");
}
