/**
 * What real exports do to good rows: odd spellings that cleaning must convert, and defects that it must refuse. Each function takes
 * the seven canonical fields of a sale and a draw of 32 bits, and returns the fields (or the line) as they are written.
 */
import { toDay, toIsoDate, YEAR_DAYS } from "../domain/dates.ts";
import type { Reason } from "../domain/sale.ts";

/** Canonical fields in the order of SALE_COLUMNS. */
export type Fields = [string, string, string, string, string, string, string];

const [SALE_ID, CUSTOMER_ID, PRODUCT_ID, QUANTITY, DATE, AMOUNT, REGION] = [0, 1, 2, 3, 4, 5, 6] as const;
const FIELDS = 7;

const RUSSIAN: Record<string, string> = { North: "Север", South: "Юг", East: "Восток", West: "Запад" };

function choose<T>(choices: readonly T[], draw: number): T {
  return choices[draw % choices.length]!;
}

function two(number: number): string {
  return String(number).padStart(2, "0");
}

function grouped(amount: string, blank: string): string {
  return amount.replace(".", ",").replace(/\B(?=(\d{3})+,)/g, blank);
}

/** Spellings that mean the same sale. */
export const REFORMATS: Record<string, (fields: Fields, draw: number) => void> = {
  blanks(fields, draw) {
    const place = draw % FIELDS;
    fields[place] = choose([` ${fields[place]}`, `${fields[place]}  `, `\t${fields[place]} `], draw >>> 8);
  },
  date(fields, draw) {
    const [year, month, day] = fields[DATE].split("-");
    const time = `${two((draw >>> 8) % 24)}:${two((draw >>> 13) % 60)}:${two((draw >>> 19) % 60)}`;
    fields[DATE] = choose(
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
    fields[AMOUNT] = choose([
      amount.replace(/0$/, ""),
      `"${grouped(amount, " ")}"`,
      `"${grouped(amount, "\u00a0")}"`,
      `₽${amount}`,
      `${amount} RUB`,
    ], draw);
  },
  quantity(fields) {
    fields[QUANTITY] += ".0";
  },
  region(fields, draw) {
    const region = fields[REGION];
    fields[REGION] = choose(
      [
        region.toLowerCase(),
        region.toUpperCase(),
        region[0]!,
        RUSSIAN[region]!,
        RUSSIAN[region]!.toUpperCase(),
      ],
      draw,
    );
  },
  quotes(fields, draw) {
    fields[draw % FIELDS] = `"${fields[draw % FIELDS]}"`;
  },
};

/** Defects, each refused for exactly the reason that it is listed under. `asOf` matters to dates only. */
export const DEFECTS: Record<
  Exclude<Reason, "conflicting_duplicate">,
  (fields: Fields, draw: number, asOf: string) => string
> = {
  malformed_row: (fields, draw) =>
    choose([
      fields.slice(0, 6).join(","),
      `${fields.join(",")},`,
      `${fields.slice(0, 6).join(",")},"${fields[REGION]}`,
    ], draw),
  missing_value: (fields, draw) => put(fields, (draw >>> 4) % FIELDS, choose(["", " ", '""'], draw)),
  invalid_sale_id: (fields, draw) =>
    put(fields, SALE_ID, choose([`A${fields[SALE_ID]}`, `-${fields[SALE_ID]}`, "0"], draw)),
  invalid_customer_id: (fields, draw) => put(fields, CUSTOMER_ID, choose(["guest", "-1", "0"], draw)),
  invalid_product_id: (fields, draw) =>
    put(fields, PRODUCT_ID, choose([`SKU-${fields[PRODUCT_ID]}`, "0", "99999999999"], draw)),
  invalid_quantity: (fields, draw) =>
    put(fields, QUANTITY, choose(["0", `-${fields[QUANTITY]}`, "1.5", "two"], draw)),
  invalid_amount: (fields, draw) =>
    put(fields, AMOUNT, choose(["0.00", `-${fields[AMOUNT]}`, `${fields[AMOUNT]}5`, "n/a"], draw)),
  invalid_date: (fields, draw) =>
    put(
      fields,
      DATE,
      choose([
        `${fields[DATE].slice(0, 4)}-02-30`,
        `31.04.${fields[DATE].slice(0, 4)}`,
        "yesterday",
        "2026-13-01",
      ], draw),
    ),
  date_out_of_range: (fields, draw, asOf) => {
    const away = 1 + (draw >>> 8) % 1_000;
    return put(fields, DATE, toIsoDate(toDay(asOf) + choose([away, 1 - YEAR_DAYS - away], draw)));
  },
  unknown_region: (fields, draw) => put(fields, REGION, choose(["Center", "Центр", "NorthEast", "?"], draw)),
};

function put(fields: Fields, place: number, value: string): string {
  return fields.map((field, index) => index === place ? value : field).join(",");
}
