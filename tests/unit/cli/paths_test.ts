import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { callerDirectory, resolveFromCaller } from "../../../cli/paths.ts";

const PROJECT = resolve(fileURLToPath(new URL("../../..", import.meta.url)));

describe("callerDirectory()", () => {
  const cases: [when: string, initial: string, current: string, expected: string][] = [
    ["the task is called from a subfolder", `${PROJECT}/docs`, PROJECT, `${PROJECT}/docs`],
    ["the task is called from outside the project", "/data", PROJECT, "/data"],
    ["INIT_CWD is not set", "", "/data", "/data"],
    ["INIT_CWD is set by another program", "/other", "/data", "/data"],
    ["INIT_CWD is not an absolute path", "x", PROJECT, PROJECT],
  ];
  for (const [when, initial, current, expected] of cases) {
    it(`returns ${expected.replace(PROJECT, "the project folder")} when ${when}`, () => {
      assertEquals(callerDirectory(initial, current), expected);
    });
  }
});

describe("resolveFromCaller()", () => {
  it("resolves relative paths, and keeps absolute ones", () => {
    assertEquals(resolveFromCaller("a/../b"), join(callerDirectory(), "b"));
    assertEquals(resolveFromCaller("/data/x"), "/data/x");
  });
});
