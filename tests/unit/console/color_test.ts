import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type ColourOptions, hasColour, paint } from "../../../lib/console/color.ts";

describe("hasColour()", () => {
  const cases: [
    when: string,
    isTerminal: boolean,
    env: Record<string, string>,
    options: ColourOptions,
    expected: boolean,
  ][] = [
    ["on a terminal", true, { TERM: "xterm" }, {}, true],
    ["on a terminal of unknown kind", true, {}, {}, true],
    ["in a file or pipe", false, { TERM: "xterm" }, {}, false],
    ["with NO_COLOR", true, {}, { noColor: true }, false],
    ["with TERM=dumb", true, { TERM: "dumb" }, {}, false],
    ["with CI=true", true, { CI: "true" }, {}, false],
    ["with CI=1", true, { CI: "1" }, {}, false],
    ["with CI=false", true, { CI: "false" }, {}, true],
    ["with an empty CI", true, { CI: "" }, {}, true],
    ["with JSON logs", true, {}, { format: "json" }, false],
    ["with text logs", true, {}, { format: "text" }, true],
  ];
  for (const [when, isTerminal, env, options, expected] of cases) {
    it(`returns ${expected} ${when}`, () => {
      const environment = (name: string) => env[name];
      const stream = { isTerminal: () => isTerminal };
      assertEquals(hasColour(stream, { noColor: false, environment, ...options }), expected);
    });
  }
});

describe("paint()", () => {
  it("applies a style only when asked to", () => {
    assertEquals(paint("red", "error:", true), "\x1b[31merror:\x1b[39m");
    assertEquals(paint("red", "error:", false), "error:");
  });
});
