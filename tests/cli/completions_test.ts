import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { run } from "./command.ts";

describe("salesflow completions", () => {
  for (const shell of ["bash", "zsh", "fish"]) {
    it(`prints a script for ${shell}, with all commands and options`, async () => {
      const { code, stdout, stderr } = await run(["completions", shell]);
      assertEquals([code, stderr], [0, ""]);
      for (const part of ["doctor", "completions", "max-rejected", "migrate generate clean"]) {
        assertStringIncludes(stdout, part);
      }
    });
  }
});
