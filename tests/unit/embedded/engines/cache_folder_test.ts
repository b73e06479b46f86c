import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { cacheFolder } from "../../../../lib/embedded/engines/cache_folder.ts";
import { SalesflowError } from "../../../../lib/console/errors.ts";

const CASES: [env: Record<string, string>, folder: string][] = [
  [{ SALESFLOW_CACHE: "/c", XDG_CACHE_HOME: "/x", HOME: "/h" }, "/c"],
  [{ XDG_CACHE_HOME: "/x", HOME: "/h" }, "/x/salesflow"],
  [{ HOME: "/h" }, "/h/.cache/salesflow"],
  [{ SALESFLOW_CACHE: "", XDG_CACHE_HOME: "", HOME: "/h" }, "/h/.cache/salesflow"],
];

describe("cacheFolder()", () => {
  for (const [env, folder] of CASES) {
    it(`returns ${folder} when the environment is ${JSON.stringify(env)}`, () => {
      assertEquals(cacheFolder((name) => env[name]), folder);
    });
  }

  const wrong: [env: Record<string, string>, found: string][] = [
    [{}, "HOME is not set"],
    [{ SALESFLOW_CACHE: "cache", HOME: "/h" }, "cache is not an absolute path"],
  ];
  for (const [env, found] of wrong) {
    it(`throws SalesflowError when the environment is ${JSON.stringify(env)}`, () => {
      const error = assertThrows(() => cacheFolder((name) => env[name]), SalesflowError);
      assertEquals(error.exitCode, 2);
      assertStringIncludes(error.message, found);
      assertStringIncludes(error.remedy ?? "", "SALESFLOW_CACHE");
    });
  }
});
