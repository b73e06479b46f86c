import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { localName, parseXml } from "../../../../lib/ingest/formats/xml.ts";
import { toBytes } from "../../store/harness.ts";

const utf16 = (text: string) => new Uint8Array(Uint16Array.from(text, (char) => char.charCodeAt(0)).buffer);

/** Returns what a handler receives, in chunks of some bytes; texts are joined. */
async function parse(document: string | Uint8Array, { size = 7, maxBytes = 1e9 } = {}): Promise<string> {
  const bytes = toBytes(document);
  const chunks = (async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  })();
  let seen = "";
  const handler = {
    open: (name: string, attributes: object) => {
      seen += `<${name}${Object.entries(attributes).map(([key, value]) => ` ${key}=${value}`).join("")}>`;
    },
    close: (name: string) => {
      seen += `</${name}>`;
    },
    text: (text: string) => {
      seen += text;
    },
  };
  const onTooLong = () => {
    throw new Error("too long");
  };
  for await (const _ of parseXml(chunks, handler, { maxBytes, onTooLong }));
  return seen;
}

describe("parseXml()", () => {
  it("passes on elements, attributes and texts, in chunks of any size", async () => {
    const document = '<?xml version="1.0"?><x:a b="1" r:id="&lt;2"> é&#xe9;&amp;<c/><![CDATA[<d>]]></x:a>';
    for (const size of [1, 2, 3, 1000]) {
      assertEquals(await parse(document, { size }), "<a b=1 r:id=<2> éé&<c></c><d></a>");
    }
  });

  it("reads UTF-8 with a mark and UTF-16", async () => {
    assertEquals(await parse("\ufeff<a>Ю</a>"), "<a>Ю</a>");
    assertEquals(await parse(utf16("\ufeff<a>Ю</a>"), { size: 6 }), "<a>Ю</a>");
  });

  it("expands no entities of the document's own, inside or outside", async () => {
    const laughs = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>';
    const file = '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>';
    for (const document of [laughs, file]) {
      await assertRejects(() => parse(document), Error, "undefined entity");
    }
    assertEquals(await parse('<!DOCTYPE a SYSTEM "http://example.com/a.dtd"><a>1</a>'), "<a>1</a>");
  });

  for (const document of ["", "<a>", "<a></b>", "<a b=1/>", "<a", "text", "<a/><b/>", "<a>\u0001</a>"]) {
    it(`fails for ${JSON.stringify(document)}`, () =>
      assertRejects(() => parse(document), Error).then(() => {}));
  }

  it("stops when the document is too long", async () => {
    await assertRejects(() => parse(`<a>${"x".repeat(100)}</a>`, { maxBytes: 50 }), Error, "too long");
    assertEquals(await parse("<a>x</a>", { maxBytes: 8 }), "<a>x</a>");
  });
});

describe("localName()", () => {
  it("leaves the prefix out", () =>
    assertEquals(["x:row", "row", "r:id"].map(localName), ["row", "row", "id"]));
});
