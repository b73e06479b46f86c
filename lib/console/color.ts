/** Colours for the terminal: one decision for everything that is printed. */
import { styleText } from "node:util";

/** A colour or weight of text. */
export type Style = "bold" | "cyan" | "green" | "red" | "yellow";

/** What the decision depends on besides the stream. */
export interface ColourOptions {
  /** Format of the logs; what programs read stays plain. @default {"text"} */
  format?: "text" | "json" | undefined;
  /** Whether NO_COLOR is set. @default {Deno.noColor} */
  noColor?: boolean;
  /** Returns the value of an environment variable. @default {Deno.env.get} */
  environment?: (name: string) => string | undefined;
}

/** Returns whether to colour text for the stream: only on a terminal, and not with NO_COLOR, TERM=dumb, CI or JSON logs. */
export function hasColour(stream: { isTerminal(): boolean }, options: ColourOptions = {}): boolean {
  const { format = "text", noColor = Deno.noColor, environment = (name) => Deno.env.get(name) } = options;
  if (noColor || format === "json" || !stream.isTerminal()) return false;
  return environment("TERM") !== "dumb" && /^(|0|false)$/i.test(environment("CI") ?? "");
}

/** Applies a style if `colour` is true. Does not look at any stream: see {@linkcode hasColour}. */
export function paint(style: Style, text: string, colour: boolean): string {
  return colour ? styleText(style, text, { validateStream: false }) : text;
}
