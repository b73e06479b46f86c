import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { describeIssues } from "../../../../lib/ingest/source/schema_mistakes.ts";

const SCHEMA = z.strictObject({
  name: z.string(),
  sizes: z.array(z.union([z.string(), z.strictObject({ width: z.string().min(2, "it is too short") })])),
  options: z.record(z.string(), z.string()).optional(),
});

function describeMistakes(yaml: string): string[] {
  const lines = new LineCounter();
  const document = parseDocument(yaml, { lineCounter: lines, schema: "failsafe" });
  const { error } = SCHEMA.safeParse(document.toJS(), { reportInput: true });
  const knownKeys = (path: readonly PropertyKey[]) =>
    path.length === 0 ? Object.keys(SCHEMA.shape) : ["width"];
  return describeIssues(error?.issues ?? [], { document, lines, path: "x.yaml", knownKeys });
}

describe("describeIssues()", () => {
  it("says nothing when nothing is wrong", () => {
    assertEquals(describeMistakes("name: a\nsizes: [b, {width: cc}]\n"), []);
  });

  it("names path and line, down to the branch of a union that was meant", () => {
    assertEquals(describeMistakes("name: a\nsizes:\n  - b\n  - {width: c}\n  - [d]\n"), [
      "x.yaml line 4: sizes[1].width: it is too short",
      "x.yaml line 5: sizes[2]: Invalid input",
    ]);
  });

  it("sorts by line, and says what is missing, unknown or of another type", () => {
    assertEquals(describeMistakes("options: [x]\nnane: a\nsizes: b\nzzzzz: c\n"), [
      "x.yaml line 1: name: it is missing",
      "x.yaml line 1: options: it must be a table of keys",
      "x.yaml line 2: there is no key nane. Did you mean name? " +
      "there is no key zzzzz. There are: name, sizes, options",
      "x.yaml line 3: sizes: it must be a list",
    ]);
  });
});
