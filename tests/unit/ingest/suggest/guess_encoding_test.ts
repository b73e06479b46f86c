import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { guessEncoding } from "../../../../lib/ingest/suggest/guess_encoding.ts";

const ALPHABET = "АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯабвгдежзийклмнопрстуфхцчшщъыьэюя№ё";

/** Encodes a text in an encoding of one byte a character. */
function encode(text: string, encoding: string): Uint8Array {
  const bytes = new Map(
    Array.from(
      { length: 256 },
      (_, byte) => [new TextDecoder(encoding).decode(new Uint8Array([byte])), byte],
    ),
  );
  return Uint8Array.from(text, (character) => bytes.get(character)!);
}

describe("guessEncoding()", () => {
  const text = "Заказ;Дата;Количество\n1;10.11.2026;Чайник красный с крышкой\n";

  for (const encoding of ["windows-1251", "koi8-r", "ibm866"]) {
    it(`knows ${encoding}`, () => {
      assertEquals(guessEncoding(encode(text, encoding)), encoding);
      assertEquals(encode(ALPHABET, encoding).length, ALPHABET.length);
    });
  }

  it("knows UTF-16 without a mark, and western letters", () => {
    const wide = new Uint8Array(
      Uint16Array.from("Order,Date\n1,2", (character) => character.charCodeAt(0)).buffer,
    );
    assertEquals(guessEncoding(wide), "utf-16le");
    assertEquals(guessEncoding(encode("Stück;Größe;Maß\n1;2;3\n", "windows-1252")), "windows-1252");
  });

  it("names none for UTF-8, even cut within a character, and for byte order marks", () => {
    assertEquals(guessEncoding(new TextEncoder().encode(text)), undefined);
    assertEquals(guessEncoding(new TextEncoder().encode("Заказ").subarray(0, 9)), undefined);
    assertEquals(guessEncoding(new Uint8Array([0xff, 0xfe, 65, 0, 66, 0])), undefined);
  });
});
