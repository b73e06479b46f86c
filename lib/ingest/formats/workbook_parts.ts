/** Parts of a workbook beside its sheets: what sheets there are, number formats and shared texts. */
import { posix } from "node:path";
import { damagedFile, fileError } from "./file_error.ts";
import { isDateFormat } from "./workbook_dates.ts";
import { localName, parseXml, type XmlHandler } from "./xml.ts";
import type { ZipArchive } from "./zip_archive.ts";

/** A sheet of a workbook, hidden or not. */
export interface Sheet {
  /** As on its tab. */
  name: string;
  /** Path of its part in the archive. */
  path: string;
  /** Whether it has cells; charts and macros are sheets, too. */
  hasCells: boolean;
}

/** A workbook without its cells. */
export interface Workbook {
  /** In the order of their tabs. */
  sheets: readonly Sheet[];
  /** Whether it counts days from 1904. */
  is1904: boolean;
  /** Whether a cell style shows dates, by the style's index. */
  dateStyles: readonly boolean[];
  /** Texts that cells refer to by index. */
  sharedTexts: readonly string[];
}

/** Maximum size of a sheet's XML: a million rows of a hundred columns. Its rows are not kept. */
const MAX_SHEET_BYTES = 4 * 1024 ** 3;
/** Maximum size of the XML of other parts, which are kept. */
const MAX_PART_BYTES = 512 * 1024 ** 2;

const TOO_LARGE_REMEDY = "Save the sheet as CSV, or split it into several workbooks.";

interface Relationship {
  type: string;
  path: string;
}

/** Characters that XML cannot hold, such as `_x000D_` for a carriage return, and `_x005F_` before a text that looks so. */
const ESCAPED_CHARACTER = /_x([0-9A-Fa-f]{4})_/g;

/** Replaces the escapes of a text in a workbook. */
export function unescapeText(text: string): string {
  if (!text.includes("_x")) return text;
  return text.replace(ESCAPED_CHARACTER, (_, code) => String.fromCharCode(parseInt(code, 16)));
}

/** Parses a part of the archive, which must be there; yields after each piece. */
export async function* parsePart(
  archive: ZipArchive,
  path: string,
  handler: XmlHandler,
): AsyncGenerator<void> {
  const entry = archive.find(path);
  if (!entry) throw damagedFile(archive.name, "workbook", new Error(`it lacks ${path}`));
  const maxBytes = path.includes("sheets/") ? MAX_SHEET_BYTES : MAX_PART_BYTES;
  yield* parseXml(archive.read(entry), handler, {
    maxBytes,
    onTooLong() {
      throw fileError(`${archive.name}/${path} has more than ${maxBytes} bytes`, TOO_LARGE_REMEDY);
    },
  });
}

async function readPart(archive: ZipArchive, path: string, handler: XmlHandler): Promise<void> {
  for await (const _ of parsePart(archive, path, handler));
}

/** Reads what a part refers to within the archive, by id. */
async function readRelationships(archive: ZipArchive, path: string): Promise<Map<string, Relationship>> {
  const { dir, base } = posix.parse(path);
  const relationships = new Map<string, Relationship>();
  const relationshipsPath = posix.join(dir, "_rels", `${base}.rels`);
  if (!archive.find(relationshipsPath)) return relationships;
  await readPart(archive, relationshipsPath, {
    open(name, { Id: id, Type: type = "", Target: target = "", TargetMode: mode }) {
      if (name !== "Relationship" || id === undefined || mode === "External") return;
      const absolute = posix.join("/", target.startsWith("/") ? "" : dir, target);
      relationships.set(id, { type: type.slice(type.lastIndexOf("/") + 1), path: absolute.slice(1) });
    },
  });
  return relationships;
}

/** Reads which cell styles show dates. */
async function readDateStyles(archive: ZipArchive, path: string): Promise<boolean[]> {
  const codes = new Map<number, string>();
  const formatIds: number[] = [];
  let section = "";
  await readPart(archive, path, {
    open(name, attributes) {
      if (name === "numFmts" || name === "cellXfs") section = name;
      else if (section === "numFmts" && name === "numFmt") {
        codes.set(Number(attributes.numFmtId), attributes.formatCode ?? "");
      } else if (section === "cellXfs" && name === "xf") formatIds.push(Number(attributes.numFmtId ?? 0));
    },
    close(name) {
      if (name === section) section = "";
    },
  });
  return formatIds.map((id) => isDateFormat(id, codes.get(id)));
}

/** Reads the shared texts, without the phonetic texts beside them. */
async function readSharedTexts(archive: ZipArchive, path: string): Promise<string[]> {
  const texts: string[] = [];
  let text = "";
  let isInText = false;
  let isPhonetic = false;
  await readPart(archive, path, {
    open(name) {
      if (name === "si") text = "";
      else if (name === "t") isInText = !isPhonetic;
      else if (name === "rPh") isPhonetic = true;
    },
    text(piece) {
      if (isInText) text += piece;
    },
    close(name) {
      if (name === "si") texts.push(unescapeText(text));
      else if (name === "t") isInText = false;
      else if (name === "rPh") isPhonetic = false;
    },
  });
  return texts;
}

/**
 * Reads a workbook without its cells.
 *
 * @throws {Error} when a part is missing or is not well-formed
 */
export async function readWorkbook(archive: ZipArchive): Promise<Workbook> {
  const root = [...(await readRelationships(archive, "")).values()].find(({ type }) =>
    type === "officeDocument"
  );
  const path = root?.path ?? "xl/workbook.xml";
  const relationships = await readRelationships(archive, path);
  const sheets: Sheet[] = [];
  let is1904 = false;
  await readPart(archive, path, {
    open(name, attributes) {
      if (name === "workbookPr") is1904 = attributes.date1904 === "1" || attributes.date1904 === "true";
      if (name !== "sheet") return;
      const id = Object.keys(attributes).find((attribute) => localName(attribute) === "id");
      const part = relationships.get(attributes[id ?? ""] ?? "");
      if (!part) throw new Error(`it lacks the sheet ${attributes.name}`);
      sheets.push({ name: attributes.name ?? "", path: part.path, hasCells: part.type === "worksheet" });
    },
  });
  const pathOf = (wanted: string) => [...relationships.values()].find(({ type }) => type === wanted)?.path;
  const [styles, texts] = [pathOf("styles"), pathOf("sharedStrings")];
  return {
    sheets,
    is1904,
    dateStyles: styles !== undefined ? await readDateStyles(archive, styles) : [],
    sharedTexts: texts !== undefined ? await readSharedTexts(archive, texts) : [],
  };
}
