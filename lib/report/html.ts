/** HTML templates that escape by default. The only module of the report that converts text to markup. */
import { htmlEscape } from "escape-goat";

/** Markup that is safe to insert into a page. Created by {@linkcode html} and {@linkcode trustedHtml} only. */
export class Html {
  readonly #markup: string;

  /** Takes markup as it is; only {@linkcode html} and {@linkcode trustedHtml} call it. */
  constructor(markup: string) {
    this.#markup = markup;
  }

  /** Returns the markup. */
  toString(): string {
    return this.#markup;
  }
}

/** A value in a template. Text and numbers are escaped, markup is not, arrays are concatenated, `undefined` and `false` are omitted. */
export type Child = string | number | bigint | Html | undefined | false | readonly Child[];

/** Returns a visible form of a control character: its control picture if there is one, or else its code point. */
function toVisible(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  return code === 0x7f ? "\u2421" : `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
}

/**
 * Escapes text for use between tags and in quoted attributes. Replaces control and bidirectional formatting characters
 * with visible forms, so that a cell shows what is in the data.
 */
export function escapeHtml(text: string): string {
  return htmlEscape(
    // deno-lint-ignore no-control-regex
    text.replace(/[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, toVisible),
  );
}

function render(child: Child): string {
  if (child === undefined || child === false) return "";
  if (child instanceof Html) return child.toString();
  if (typeof child === "object") return child.map(render).join("");
  return escapeHtml(String(child));
}

/** Template tag: the literal parts are markup, the substitutions are escaped. */
export function html(markup: TemplateStringsArray, ...children: readonly Child[]): Html {
  let text = markup[0]!;
  children.forEach((child, index) => text += render(child) + markup[index + 1]!);
  return new Html(text);
}

/** Marks text as safe markup. Only for constants and for sources that escape their data, such as the chart library. */
export function trustedHtml(markup: string): Html {
  return new Html(markup);
}
