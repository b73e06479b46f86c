import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ByteMemo } from "../../../../lib/ingest/plain/byte_memo.ts";
import { viewOf } from "../../../../lib/ingest/plain/bytes.ts";

const toView = (text: string) => viewOf(new TextEncoder().encode(text));

/** Looks for a key that stands somewhere in a text. */
function find(memo: ByteMemo, key: string, before = ""): string | undefined {
  const view = toView(`${before}${key};x`);
  const [begin, end] = [before.length, view.byteLength - 2];
  if (!memo.find(view, begin, end)) return undefined;
  return read(memo);
}

function read({ values, begin, end }: ByteMemo): string {
  return new TextDecoder().decode(new Uint8Array(values.buffer, values.byteOffset + begin, end - begin));
}

function add(memo: ByteMemo, key: string, value: string): void {
  const view = toView(key);
  assertEquals(memo.find(view, 0, view.byteLength), false);
  memo.add(view, 0, view.byteLength, toView(value));
  assertEquals(read(memo), value);
}

describe("ByteMemo", () => {
  it("finds what was added, wherever the key stands, and nothing else", () => {
    const memo = new ByteMemo();
    for (let index = 0; index < 5_000; index++) add(memo, `key-${index}`, `value ${index * 7}`);
    add(memo, "", "nothing");
    assertEquals(memo.size, 5_001);
    for (let index = 0; index < 5_000; index++) {
      assertEquals(find(memo, `key-${index}`, "abc".slice(index % 4)), `value ${index * 7}`);
      assertEquals(find(memo, `key-${index}x`), undefined);
    }
    assertEquals([find(memo, ""), find(memo, "key-")], ["nothing", undefined]);
  });

  it("tells keys apart of which one is the beginning of the other", () => {
    const memo = new ByteMemo();
    const keys = ["\0", "\0\0", "\0\0\0\0", "\0\0\0\0\0", "a", "a\0"];
    keys.forEach((key, index) => add(memo, key, String(index)));
    assertEquals(keys.map((key) => find(memo, key)), keys.map((_, index) => String(index)));
  });

  it("keeps long values, and counts bytes", () => {
    const memo = new ByteMemo();
    const long = "x".repeat(40_000);
    add(memo, "a", long);
    add(memo, "b", "");
    assertEquals([find(memo, "a"), find(memo, "b")], [long, ""]);
    assertEquals(memo.bytes > long.length, true);
  });

  it("forgets everything", () => {
    const memo = new ByteMemo();
    add(memo, "a", "1");
    memo.clear();
    assertEquals([find(memo, "a"), memo.size, memo.bytes], [undefined, 0, 0]);
    add(memo, "a", "2");
    assertEquals(find(memo, "a"), "2");
  });
});
