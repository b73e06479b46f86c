/** What the URLs of both databases have in common. Messages name the URL, never show any of it: a password may reach anywhere. */
import { readFileSync } from "node:fs";
import { UsageError } from "../console/errors.ts";

/** How a database's URLs look. */
export interface UrlKind {
  /** With colon; the first one is the usual one. */
  schemes: readonly string[];
  /** A whole URL, for messages. */
  example: string;
  /** Parameters that may follow the `?`. */
  parameters: readonly string[];
}

/** A parameter's name that may be shown; anything else may be a piece of a password. */
const PLAIN_WORD = /^[a-z_]{1,40}$/;

/** Reads one URL and collects what is wrong with it. */
export class UrlReader {
  readonly url: URL;
  /** Whole sentences. */
  readonly mistakes: string[] = [];
  readonly #name: string;

  /**
   * @param name what to call the URL, such as the variable that it comes from
   * @throws {UsageError} when it is no URL of the kind, and looking further makes no sense
   */
  constructor(text: string, { schemes, example, parameters }: UrlKind, name: string) {
    this.#name = name;
    const refuse = (why: string) => new UsageError([`Cannot use ${name}: ${why}`]);
    let url: URL;
    try {
      url = new URL(text);
    } catch {
      throw refuse(`it is not a URL, such as ${example}`); // without the cause, which shows it
    }
    if (!schemes.includes(url.protocol)) {
      throw refuse(`it must begin with ${schemes[0]}//, such as ${example}`);
    }
    // The rest of a password that holds one of these, which ended the host too early.
    if (`${url.pathname}${url.search}${url.hash}`.includes("@")) {
      throw refuse("it has an @ behind its host; in a password / is %2F, ? is %3F, # is %23 and @ is %40");
    }
    if (url.hostname === "") throw refuse(`it names no host, such as ${example}`);
    this.url = url;
    for (const parameter of url.searchParams.keys()) {
      if (parameters.includes(parameter)) continue;
      const shown = PLAIN_WORD.test(parameter) ? `the parameter ${parameter}` : "a parameter";
      this.mistakes.push(`Cannot use ${shown} in ${name}: it must be one of ${parameters.join(", ")}`);
    }
  }

  /** Text without its percent-encoding. */
  decoded(text: string, what: string): string {
    try {
      return decodeURIComponent(text);
    } catch {
      this.wrong(what, "it has a % that is not followed by two hexadecimal digits");
      return "";
    }
  }

  /** The file that a parameter names; undefined when it names none. */
  file(parameter: string): string | undefined {
    const path = this.url.searchParams.get(parameter);
    if (!path) return undefined;
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      const missing = (error as { code?: string }).code === "ENOENT";
      this.wrong(
        `the file of ${parameter}`,
        missing ? "there is no such file" : "it cannot be read",
      );
      return undefined;
    }
  }

  /** Notes a mistake in a part of the URL. */
  wrong(part: string, why: string): void {
    this.mistakes.push(`Cannot use ${part} in ${this.#name}: ${why}`);
  }

  /** @throws {UsageError} with every mistake found */
  finish(): void {
    if (this.mistakes.length > 0) throw new UsageError(this.mistakes);
  }
}
