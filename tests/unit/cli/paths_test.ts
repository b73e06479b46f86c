import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { here } from "../../../cli/paths.ts";

const PROJECT = resolve(fileURLToPath(new URL("../../..", import.meta.url)));

describe("here()", () => {
  const cases: [when: string, called: string, current: string, expected: string][] = [
    ["the task was called in a subfolder", `${PROJECT}/docs`, PROJECT, `${PROJECT}/docs`],
    ["the task was called elsewhere, by the path of the project", "/data", PROJECT, "/data"],
    ["no task runner says anything", "", "/data", "/data"],
    ["the variable is another program's", "/other", "/data", "/data"],
    ["the variable is no folder", "x", PROJECT, PROJECT],
  ];
  for (const [when, called, current, expected] of cases) {
    it(`here() is ${expected.replace(PROJECT, "the project")} when ${when}`, () => {
      assertEquals(here(called, current), expected);
    });
  }
});
