/** HTML that escapes by default: the one place of the report where text becomes markup. */

/** Markup that may stand in a page as it is. Made by {@linkcode html} and {@linkcode trusted} only. */
export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

/** What a template takes: text and numbers are escaped, markup is not, lists are joined, `undefined` and `false` are nothing. */
export type Child = string | number | bigint | Html | undefined | false | readonly Child[];

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A control character as something that can be seen: a control picture, or its code for those that reorder text. */
function visible(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? "\u2421" : `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
}

/**
 * Text as it may stand between tags and in quoted attributes. Control characters, and those that reorder the text around
 * them, are made visible, so that a cell shows what is in the data.
 */
export function escape(text: string): string {
  return text
    // deno-lint-ignore no-control-regex
    .replace(/[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, visible)
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

function render(child: Child): string {
  if (child === undefined || child === false) return "";
  if (child instanceof Html) return child.toString();
  if (typeof child === "object") return child.map(render).join("");
  return escape(String(child));
}

/** Tagged template: what is written in the template is markup, what is put in is escaped. */
export function html(markup: TemplateStringsArray, ...children: readonly Child[]): Html {
  let text = markup[0]!;
  children.forEach((child, index) => text += render(child) + markup[index + 1]!);
  return new Html(text);
}

/** Markup from a source that escapes by itself, such as the chart library. Never for data. */
export function trusted(markup: string): Html {
  return new Html(markup);
}
