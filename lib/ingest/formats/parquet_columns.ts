/**
 * Columns of Parquet files: their names, how their values become text, and how the library is made to leave values alone. No I/O.
 */
import type { ParquetParsers, ParquetType, SchemaElement, SchemaTree } from "hyparquet";
import { type FormatValue, isNumber, makeLeafFormat, scaleOf } from "./parquet_values.ts";
import type { DecimalMark } from "./plain_number.ts";

const textDecoder = new TextDecoder();

/** Turns values into JSON. */
function makeJsonFormat(node: SchemaTree): FormatValue {
  const { element, children } = node;
  const formatLeaf = makeLeafFormat(element, ".");
  const isBare = element.type === "BOOLEAN" || isNumber(element);
  // The middle one of the three levels of a list or map has no meaning.
  const inner = children[0]?.children ?? [];
  const isMap = element.converted_type === "MAP" && inner.length === 2;
  const items = element.converted_type !== "LIST" || children.length !== 1
    ? undefined
    : makeJsonFormat(inner.length === 1 ? inner[0]! : children[0]!);
  const members = new Map(children.map((child) => [child.element.name, makeJsonFormat(child)]));
  const mapValues = isMap ? makeJsonFormat(inner[1]!) : undefined;
  const format = (value: unknown): string => {
    if (value === null || value === undefined) return "null";
    if (Array.isArray(value)) return `[${value.map(items ?? format).join(",")}]`;
    if (children.length > 0) {
      const texts = Object.entries(value).map(([name, member]) => {
        const formatMember = mapValues ?? members.get(name) ?? formatUnknown;
        return `${JSON.stringify(name)}:${formatMember(member)}`;
      });
      return `{${texts.join(",")}}`;
    }
    const text = formatLeaf(value);
    return isBare && /^(?:-?\d|true$|false$)/.test(text) ? text : JSON.stringify(text);
  };
  return format;
}

/** Turns a value of unknown type into JSON. */
function formatUnknown(value: unknown): string {
  return JSON.stringify(value, (_key, each) => typeof each === "bigint" ? String(each) : each) ?? "null";
}

/** A column as the user sees it. */
export interface ParquetColumn {
  /** Name, with points between the names of structures and their members. */
  name: string;
  /** Name of the top-level column, and of the members below it. */
  path: readonly string[];
  /** Whether each value is one text; others become JSON. */
  isText: boolean;
  /** Returns how the values are written; lists, maps and variants become JSON. */
  makeFormat(mark: DecimalMark): FormatValue;
}

/** Reports whether the members of a group are columns of their own. */
function isStructure({ element, children }: SchemaTree): boolean {
  return children.length > 0 && element.repetition_type !== "REPEATED" && element.converted_type !== "LIST" &&
    element.converted_type !== "MAP" && element.converted_type !== "MAP_KEY_VALUE" &&
    element.logical_type?.type !== "VARIANT";
}

/** Returns the columns of a schema, with those of structures one by one. */
export function columnsOf(root: SchemaTree): ParquetColumn[] {
  return root.children.flatMap((node) => {
    if (isStructure(node)) return columnsOf(node);
    const isText = node.children.length === 0 && node.element.repetition_type !== "REPEATED";
    return [{
      name: node.path.join("."),
      path: node.path,
      isText,
      makeFormat(mark: DecimalMark): FormatValue {
        if (node.element.logical_type?.type === "VARIANT") return formatUnknown;
        return isText ? makeLeafFormat(node.element, mark) : makeJsonFormat(node);
      },
    }];
  });
}

/** What the library is told that values are, so that it hands each of them to a parser before anything else. */
const PARSED_AS: { readonly [type in ParquetType]?: Partial<SchemaElement> } = {
  INT32: { converted_type: "DATE" },
  INT64: { converted_type: "TIMESTAMP_MILLIS" },
  INT96: {},
  BYTE_ARRAY: { converted_type: "UTF8" },
  FIXED_LEN_BYTE_ARRAY: { logical_type: { type: "UUID" } },
};

/** Returns parsers that turn the values of a column into text: of equal values that are stored once, once. */
export function parsersOf(format: FormatValue): Partial<ParquetParsers> {
  return {
    dateFromDays: format,
    timestampFromMilliseconds: format,
    timestampFromNanoseconds: format,
    stringFromBytes: format,
    uuidFromBytes: format,
  };
}

/** Parsers that leave values as they are stored, but for texts; for columns of several types. */
export const PHYSICAL_PARSERS: Partial<ParquetParsers> = {
  ...parsersOf((value) => value as string),
  // Keys of maps must be texts.
  stringFromBytes: (bytes) => textDecoder.decode(bytes),
};

/**
 * Returns the elements of a schema for reading values by parsers: those of {@linkcode parsersOf} for a column of the top level
 * without members, {@linkcode PHYSICAL_PARSERS} for others. Variants keep what they mean.
 */
export function physicalSchema({ element, children, path }: SchemaTree): SchemaElement[] {
  if (element.logical_type?.type === "VARIANT") return allElements({ element, children });
  if (children.length > 0) return [element, ...children.flatMap(physicalSchema)];
  const { converted_type: _converted, logical_type: logical, ...physical } = element;
  if (logical?.type === "FLOAT16") return [{ ...physical, logical_type: logical }];
  const isInnerDecimal = path.length > 1 && element.type === "BYTE_ARRAY" && scaleOf(element) !== undefined;
  return [{ ...physical, ...(element.type && !isInnerDecimal ? PARSED_AS[element.type] : {}) }];
}

function allElements({ element, children }: Pick<SchemaTree, "element" | "children">): SchemaElement[] {
  return [element, ...children.flatMap(allElements)];
}
