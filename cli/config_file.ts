/** `salesflow.yaml`: settings by name. */
import { isMap, isScalar, LineCounter, parseDocument, type Scalar } from "yaml";
import { didYouMean } from "../lib/console/did_you_mean.ts";
import { UsageError } from "../lib/console/errors.ts";
import { KNOWN_VARIABLES, NOT_IN_FILES } from "./variables.ts";

/** Keys that `salesflow.yaml` may have: variables without their prefix, in lower case. */
export const CONFIG_KEYS: readonly string[] = KNOWN_VARIABLES
  .filter((name) => !NOT_IN_FILES.includes(name))
  .map((name) => name.replace("SALESFLOW_", "").toLowerCase());

/** Returns the text of a value; undefined when it is not a single value. A number keeps its spelling. */
function toText(value: unknown): string | undefined {
  if (!isScalar(value)) return undefined;
  const { value: content, source } = value as Scalar;
  if (content === null) return "";
  return typeof content === "string" ? content : source ?? String(content);
}

/**
 * Parses `salesflow.yaml`: a key per setting, such as `max_rejected: 0.2`.
 *
 * @throws {UsageError} listing all mistakes, with their lines; does not quote values, which may contain a password
 */
export function parseConfigFile(
  path: string,
  text: string,
): { path: string; values: ReadonlyMap<string, string> } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => `${path}, line ${lines.linePos(offset).line}`;
  const mistakes = document.errors.map(({ code, pos }) =>
    `${at(pos[0])}: this is not valid YAML (${code.toLowerCase().replaceAll("_", " ")})`
  );
  const values = new Map<string, string>();
  // After a mistake in the notation, the rest means little.
  const contents = mistakes.length === 0 ? document.contents : null;
  if (contents !== null && !isMap(contents)) {
    // An empty document, such as one of comments only, is a scalar without a value.
    if (!isScalar(contents) || contents.value !== null) {
      mistakes.push(`${path}: it must have a setting per line, such as rows: 100000`);
    }
  }
  for (const { key, value } of isMap(contents) ? contents.items : []) {
    const name = isScalar(key) ? String(key.value) : "";
    const line = at((key as Scalar).range?.[0] ?? 0);
    const content = value === null ? "" : toText(value);
    if (!CONFIG_KEYS.includes(name)) {
      mistakes.push(`${line}: unknown setting ${name}.${didYouMean(name, CONFIG_KEYS)}`);
    } else if (content === undefined) mistakes.push(`${line}: ${name} must be a single value`);
    else if (content !== "") values.set(`SALESFLOW_${name.toUpperCase()}`, content);
  }
  if (mistakes.length > 0) {
    throw new UsageError(mistakes, "Correct the file: all settings are listed in docs/configuration.md.");
  }
  return { path, values };
}
