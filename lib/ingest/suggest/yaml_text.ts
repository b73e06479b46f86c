/** Writes pieces of YAML, as a person would. No I/O. */
import { toPrintable } from "../../console/printable.ts";
import { looksLikeExpression } from "../values/expression.ts";

/** Texts that need no quotes, in tables of one line either. */
const PLAIN = /^[\p{L}\p{N}_][\p{L}\p{N}_.%/+-]*(?: [\p{L}\p{N}_.%/+()№-]+)*$/u;
/** Characters of a line, as far as they are. */
const WIDTH = 110;

/** Writes a text, with quotes where YAML needs them. */
export function scalar(text: string): string {
  return PLAIN.test(text) ? text : JSON.stringify(text);
}

/** Writes a list in one line. */
export function list(texts: readonly string[]): string {
  return `[${texts.map(scalar).join(", ")}]`;
}

/** Writes a column's name as the rule of a column; what may be meant as an expression is no short form. */
export function columnRule(name: string): string {
  return looksLikeExpression(name) ? `{column: ${scalar(name)}}` : scalar(name);
}

/** Writes comments, each as lines that are not too long. */
export function comments(texts: readonly string[], indent = ""): string[] {
  return texts.flatMap((text) => {
    const lines: string[] = [];
    let line = `${indent}#`;
    for (const word of toPrintable(text, 2000).split(" ")) {
      if (line.length + word.length + 1 > WIDTH && line.length > indent.length + 2) {
        lines.push(line);
        line = `${indent}#  `;
      }
      line += ` ${word}`;
    }
    return [...lines, line];
  });
}

/** Maximum number of values in a comment. */
const MAX_NAMED = 12;

/** Writes values with their counts, the first ones of them. */
export function counted(counts: readonly (readonly [value: string, count: number])[]): string {
  const named = counts.slice(0, MAX_NAMED).map(([value, count]) =>
    `${value === "" ? "(empty)" : toPrintable(value, 60)} ${count}`
  );
  const more = counts.length - named.length;
  return named.join(", ") + (more > 0 ? `, and ${more} more` : "");
}
