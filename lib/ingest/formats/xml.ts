/** Reads XML piece by piece. Entities and document type definitions are not expanded, and nothing outside is fetched. */
import { SaxesParser } from "saxes";

/** Receives the content of a document, in order. Names are without their namespace's prefix. */
export interface XmlHandler {
  /** An element begins. */
  open(name: string, attributes: Readonly<Record<string, string>>): void;
  /** An element ends. */
  close?(name: string): void;
  /** Text between elements; one text may come in several pieces. */
  text?(text: string): void;
}

/** Returns a name without its namespace's prefix. */
export function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

function encodingOf(head: Uint8Array): string {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  return head[0] === 0xfe && head[1] === 0xff ? "utf-16be" : "utf-8";
}

/**
 * Parses a document; yields after each piece, so that the caller can pass on what the handler has.
 *
 * @param maxBytes size above which `onTooLong` is called, which must throw
 * @throws {Error} when the document is not well-formed
 */
export async function* parseXml(
  bytes: AsyncIterable<Uint8Array>,
  handler: XmlHandler,
  { maxBytes, onTooLong }: { maxBytes: number; onTooLong: () => never },
): AsyncGenerator<void> {
  const parser = new SaxesParser<{ xmlns: false; position: false }>({ xmlns: false, position: false });
  parser.on("opentag", ({ name, attributes }) => handler.open(localName(name), attributes));
  parser.on("closetag", ({ name }) => handler.close?.(localName(name)));
  parser.on("text", (text) => handler.text?.(text));
  parser.on("cdata", (text) => handler.text?.(text));
  parser.on("error", (error) => {
    throw error;
  });
  let decoder: TextDecoder | undefined;
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    if (size > maxBytes) onTooLong();
    decoder ??= new TextDecoder(encodingOf(chunk));
    parser.write(decoder.decode(chunk, { stream: true }));
    yield;
  }
  parser.write(decoder?.decode() ?? "").close();
  yield;
}
