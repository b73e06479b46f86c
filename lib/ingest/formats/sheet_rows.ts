/** Turns the XML of a sheet into rows of texts. No I/O. */
import { type DecimalMark, formatNumber } from "./plain_number.ts";
import { formatSerial } from "./workbook_dates.ts";
import { unescapeText, type Workbook } from "./workbook_parts.ts";
import type { XmlHandler } from "./xml.ts";

/** A row that has a value. */
export interface SheetRow {
  /** Texts of the cells as far as the last one that is not empty. */
  values: string[];
  /** Number of the row in the sheet, from 1. */
  line: number;
}

/** Limits of a sheet, from the specifications of Excel. */
const [MAX_ROWS, MAX_COLUMNS] = [1_048_576, 16_384];

/** Whole numbers as they are written; those with more digits than a number can hold are ids. */
const WHOLE_NUMBER = /^(?:0|-?[1-9]\d*)$/;
const ISO_DATE_TIME = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}:\d{2}:\d{2})(?:\.\d+)?Z?)?$/;
const MIDNIGHT = "00:00:00";

const [CODE_A, CODE_Z] = [65, 90];

/** Returns the index of the column of a reference such as `AB12`. */
function columnOf(reference: string): number {
  let column = 0;
  for (let at = 0; at < reference.length; at++) {
    const code = reference.charCodeAt(at);
    if (code < CODE_A || code > CODE_Z) break;
    column = column * 26 + code - CODE_A + 1;
  }
  if (column < 1 || column > MAX_COLUMNS) throw new Error(`there is no cell ${reference}`);
  return column - 1;
}

/** Reads a cell's content, element by element. */
class Cell {
  type = "";
  style = "";
  value: string | undefined;
  formula: string | undefined;
  inlineText = "";

  constructor(readonly column: number) {}
}

/** Receives the XML of a sheet and collects its rows. */
export class SheetRows implements XmlHandler {
  readonly #workbook: Pick<Workbook, "is1904" | "dateStyles" | "sharedTexts">;
  readonly #mark: DecimalMark;
  #rows: SheetRow[] = [];
  #line = 0;
  #values: string[] = [];
  #nextColumn = 0;
  #cell: Cell | undefined;
  /** Element whose text is being read: a value, a formula, or an inline text. */
  #element: "v" | "f" | "t" | "" = "";
  #isInCells = false;
  #isPhonetic = false;

  /** Creates a handler. */
  constructor(workbook: Pick<Workbook, "is1904" | "dateStyles" | "sharedTexts">, mark: DecimalMark) {
    this.#workbook = workbook;
    this.#mark = mark;
  }

  /** Takes the rows that are complete. */
  take(): SheetRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  /** An element begins. */
  open(name: string, attributes: Readonly<Record<string, string>>): void {
    if (!this.#isInCells) {
      this.#isInCells = name === "sheetData";
      return;
    }
    switch (name) {
      case "row":
        this.#openRow(attributes.r);
        break;
      case "c":
        this.#cell = new Cell(attributes.r === undefined ? this.#nextColumn : columnOf(attributes.r));
        this.#cell.type = attributes.t ?? "n";
        this.#cell.style = attributes.s ?? "";
        break;
      case "v":
      case "f":
        this.#element = name;
        if (this.#cell) this.#cell[name === "v" ? "value" : "formula"] = "";
        break;
      case "t":
        this.#element = this.#isPhonetic ? "" : "t";
        break;
      case "rPh":
        this.#isPhonetic = true;
    }
  }

  /** Text between elements. */
  text(text: string): void {
    if (!this.#cell) return;
    if (this.#element === "v") this.#cell.value += text;
    else if (this.#element === "f") this.#cell.formula += text;
    else if (this.#element === "t") this.#cell.inlineText += text;
  }

  /** An element ends. */
  close(name: string): void {
    switch (name) {
      case "v":
      case "f":
      case "t":
        this.#element = "";
        break;
      case "rPh":
        this.#isPhonetic = false;
        break;
      case "c":
        if (this.#cell) this.#closeCell(this.#cell);
        this.#cell = undefined;
        break;
      case "row":
        if (this.#values.length > 0) this.#rows.push({ values: this.#values, line: this.#line });
        this.#values = [];
        break;
      case "sheetData":
        this.#isInCells = false;
    }
  }

  #openRow(number: string | undefined): void {
    const line = number === undefined ? this.#line + 1 : Number(number);
    if (!Number.isInteger(line) || line <= this.#line || line > MAX_ROWS) {
      throw new Error(`row ${number ?? line} follows row ${this.#line}`);
    }
    this.#line = line;
    this.#nextColumn = 0;
  }

  #closeCell(cell: Cell): void {
    this.#nextColumn = cell.column + 1;
    const text = this.#format(cell);
    if (text === "") return;
    while (this.#values.length < cell.column) this.#values.push("");
    this.#values[cell.column] = text;
  }

  /** Returns the text of a cell. A formula without a calculated value is given as it is, so that it is refused later. */
  #format({ type, style, value, formula, inlineText }: Cell): string {
    if (type === "inlineStr") return unescapeText(inlineText);
    if (value === undefined || value === "" && type === "n") {
      return formula === undefined ? "" : `=${formula}`;
    }
    switch (type) {
      case "s":
        return this.#sharedText(value);
      case "str":
        return unescapeText(value);
      case "b":
        return value === "1" ? "true" : value === "0" ? "false" : value;
      case "d": {
        const [, date, time = MIDNIGHT] = ISO_DATE_TIME.exec(value) ?? [];
        return date === undefined ? value : time === MIDNIGHT ? date : `${date} ${time}`;
      }
      case "n":
        return this.#formatNumber(value, style);
      default: // e: an error such as #N/A
        return value;
    }
  }

  #sharedText(value: string): string {
    const text = this.#workbook.sharedTexts[Number(value)];
    if (text === undefined) throw new Error(`there is no shared text ${value}`);
    return text;
  }

  #formatNumber(value: string, style: string): string {
    const isDate = style !== "" && this.#workbook.dateStyles[Number(style)] === true;
    if (!isDate && WHOLE_NUMBER.test(value)) return value;
    const number = value.trim() === "" ? NaN : Number(value);
    if (Number.isNaN(number)) return value;
    return isDate
      ? formatSerial(number, this.#workbook.is1904, this.#mark)
      : formatNumber(number, this.#mark);
  }
}
