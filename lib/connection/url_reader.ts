/** Validation shared by the URLs of both databases. Messages never quote a URL: a password may extend into any part of it. */
import { readFileSync } from "node:fs";
import { UsageError } from "../console/errors.ts";

/** Format of a database's URLs. */
export interface UrlFormat {
  /** Accepted schemes, with colon; the first one is suggested in messages. */
  schemes: readonly string[];
  /** A complete URL, for messages. */
  example: string;
  /** Accepted query parameters. */
  parameters: readonly string[];
}

/** A parameter name that is safe to show; any other may be part of a password. */
const SAFE_NAME = /^[a-z_]{1,40}$/;

/** Parses one URL and collects its mistakes. */
export class UrlReader {
  /** The parsed URL. */
  readonly url: URL;
  /** Mistakes found so far, as sentences. */
  readonly mistakes: string[] = [];
  readonly #name: string;

  /**
   * Parses the URL.
   *
   * @param name of the URL in messages, such as its variable
   * @throws {UsageError} when the URL cannot be parsed or has another scheme, so that its parts cannot be checked
   */
  constructor(text: string, { schemes, example, parameters }: UrlFormat, name: string) {
    this.#name = name;
    const usageError = (why: string) => new UsageError([`Cannot use ${name}: ${why}`]);
    let url: URL;
    try {
      url = new URL(text);
    } catch {
      throw usageError(`it is not a URL, such as ${example}`); // without the cause, which quotes the URL
    }
    if (!schemes.includes(url.protocol)) {
      throw usageError(`it must begin with ${schemes[0]}//, such as ${example}`);
    }
    // One of these characters in a password ended the host too early.
    if (`${url.pathname}${url.search}${url.hash}`.includes("@")) {
      throw usageError(
        "it has an @ after the host; in a password, write / as %2F, ? as %3F, # as %23 and @ as %40",
      );
    }
    if (url.hostname === "") throw usageError(`it has no host, such as ${example}`);
    this.url = url;
    for (const parameter of url.searchParams.keys()) {
      if (parameters.includes(parameter)) continue;
      const shown = SAFE_NAME.test(parameter) ? `the parameter ${parameter}` : "a parameter";
      this.mistakes.push(`Cannot use ${shown} in ${name}: it must be one of ${parameters.join(", ")}`);
    }
  }

  /** Percent-decodes a part of the URL; an empty string when it is invalid. */
  decode(text: string, part: string): string {
    try {
      return decodeURIComponent(text);
    } catch {
      this.addMistake(part, "it has a % that is not followed by two hexadecimal digits");
      return "";
    }
  }

  /** Reads the file that a parameter names; undefined when it is not set or cannot be read. */
  readFile(parameter: string): string | undefined {
    const path = this.url.searchParams.get(parameter);
    if (!path) return undefined;
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      const isMissing = (error as { code?: string }).code === "ENOENT";
      this.addMistake(
        `the file of ${parameter}`,
        isMissing ? "there is no such file" : "it cannot be read",
      );
      return undefined;
    }
  }

  /** Adds a mistake in a part of the URL. */
  addMistake(part: string, why: string): void {
    this.mistakes.push(`Cannot use ${part} in ${this.#name}: ${why}`);
  }

  /**
   * Throws if there are mistakes.
   *
   * @throws {UsageError} listing all mistakes
   */
  throwMistakes(): void {
    if (this.mistakes.length > 0) throw new UsageError(this.mistakes);
  }
}
