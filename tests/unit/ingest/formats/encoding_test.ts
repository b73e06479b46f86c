import { assert } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { isEncoding } from "../../../../lib/ingest/formats/encoding.ts";

describe("isEncoding()", () => {
  it("knows the labels of the Encoding standard", () => {
    assert(["utf-8", "UTF-16LE", "windows-1251", "latin1"].every(isEncoding));
    assert(!["klingon", "", "utf-9"].some(isEncoding));
  });
});
