/** Encodings of exports. */

/** Reports whether a text is a label from the Encoding standard, such as `utf-8` or `windows-1251`. */
export function isEncoding(label: string): boolean {
  try {
    return new TextDecoder(label) !== undefined;
  } catch {
    return false;
  }
}
