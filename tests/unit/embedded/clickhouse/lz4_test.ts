import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { decodeLz4Frames } from "../../../../lib/embedded/clickhouse/lz4.ts";

/** Frames compressed with python-lz4 4.4.5, which wraps the reference library. */
const FRAMES: [what: string, hex: string, plain: string][] = [
  ["text too short to compress", "04224d1868400500000000000000610500008068656c6c6f00000000", "hello"],
  [
    "a match that overlaps itself",
    "04224d1868406400000000000000230c0000002f616202004a50626162616200000000",
    "ab".repeat(50),
  ],
  [
    "block and content checksums",
    "04224d187c4064000000000000005e0c0000002f616202004a5062616261624c432d26000000004ed1893a",
    "ab".repeat(50),
  ],
  [
    "no content size",
    "04224d1860408215000000af73616c6573666c6f77200a00ff0b50666c6f772000000000",
    "salesflow ".repeat(30),
  ],
  [
    "a length of several bytes",
    "04224d186840e803000000000000f10e0000001f780100ffffffd250787878787800000000",
    "x".repeat(1000),
  ],
  ["nothing", "04224d1860408200000000", ""],
];

const HELLO = FRAMES[0]?.[1] ?? "";
const decode = (hex: string) => new TextDecoder().decode(decodeLz4Frames(Uint8Array.fromHex(hex)));

describe("decodeLz4Frames()", () => {
  for (const [what, hex, plain] of FRAMES) {
    it(`decodes ${what}`, () => assertEquals(decode(hex), plain));
  }

  it("decodes consecutive frames", () => {
    assertEquals(decode(FRAMES.map(([, hex]) => hex).join("")), FRAMES.map(([, , plain]) => plain).join(""));
  });

  const broken: [what: string, hex: string][] = [
    ["it is not LZ4", "1f8b08000000"],
    ["a frame is truncated", HELLO.slice(0, -10)],
    ["the version is unknown", HELLO.replace("04224d1868", "04224d18a8")],
    ["it needs a dictionary", HELLO.replace("04224d1868", "04224d1869")],
    ["a match starts before the data", "04224d186040820500000010610900" + "0000000000"],
  ];
  for (const [what, hex] of broken) {
    it(`throws RangeError when ${what}`, () =>
      void assertThrows(() => decode(hex), RangeError, "Cannot decode LZ4"));
  }
});
