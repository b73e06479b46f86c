import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { didYouMean } from "../../../lib/console/did_you_mean.ts";

describe("didYouMean()", () => {
  const commands = ["run", "migrate", "generate", "ingest", "clean", "load", "up", "sql", "verify"];
  const cases: [word: string, found: string][] = [
    ["cleen", " Did you mean clean?"],
    ["genrate", " Did you mean generate?"],
    ["migrte", " Did you mean migrate?"],
    ["verfiy", " Did you mean verify?"],
    ["lod", " Did you mean load?"],
    ["a", ""],
    ["destroy", ""],
    ["", ""],
  ];
  for (const [word, found] of cases) {
    it(`${found ? `suggests${found.replace(" Did you mean", "").replace("?", "")}` : "suggests nothing"} for ${JSON.stringify(word)}`, () => {
      assertEquals(didYouMean(word, commands), found);
    });
  }
});
