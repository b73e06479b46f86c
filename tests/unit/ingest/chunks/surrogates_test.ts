import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { SurrogateCollector } from "../../../../lib/ingest/chunks/surrogates.ts";
import { toSurrogateKey } from "../../../../lib/ingest/values/ids.ts";
import { readSurrogates } from "./harness.ts";

const TEXTS = ["A-1", "Кружка", "日本", "🙂,x", 'a "b"', "a\nb", "\ud83d", "", "A-1"];

function collect(texts: readonly string[], seed = 7) {
  const collector = new SurrogateCollector(seed);
  for (const text of texts) collector.add(toSurrogateKey(text), text);
  return collector;
}

describe("SurrogateCollector", () => {
  it("writes a line for each text, and where it ends, in bytes", () => {
    const texts = TEXTS.map((text) => text.toWellFormed());
    const expected = TEXTS.map((text, index) => [toSurrogateKey(text).digits, texts[index]]);
    assertEquals(readSurrogates(collect(TEXTS).take()), expected as [string, string][]);
    const ascii = TEXTS.filter((text) => /^[\0-\x7f]*$/.test(text));
    assertEquals(readSurrogates(collect(ascii).take()).map(([, text]) => text), ascii);
  });

  it("gives the keys' halves, and another hash that depends on the seed", () => {
    const { high, low, checks } = collect(TEXTS).take();
    const keys = TEXTS.map(toSurrogateKey);
    assertEquals([...high], keys.map((key) => key.high));
    assertEquals([...low], keys.map((key) => key.low));
    assertEquals(new Set(checks).size, new Set(TEXTS).size);
    assertEquals(checks[0], checks.at(-1));
    assertEquals(collect(TEXTS, 8).take().checks.some((check) => checks.includes(check)), false);
  });

  it("gives each text once", () => {
    const collector = collect(["A"]);
    assertEquals([collector.take().ends.length, collector.take().ends.length], [1, 0]);
    collector.add(toSurrogateKey("B"), "B");
    assertEquals(readSurrogates(collector.take()).map(([, text]) => text), ["B"]);
  });
});
