/** What both providers of `@std` must do; runs with whichever was chosen. */
import { parseArgs } from "@std/cli/parse-args";
import { afterAll, afterEach, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";

const OPTIONS: { string: string[]; boolean: string[]; collect: string[] } = {
  string: ["name", "map"],
  boolean: ["force", "quiet"],
  collect: ["map"],
};
const EMPTY = { force: false, quiet: false, map: [], _: [] };

describe("parseArgs()", () => {
  const cases: [string, string[], Record<string, unknown>][] = [
    ["nothing is given", [], EMPTY],
    ["a value follows after a blank", ["--name", "a"], { ...EMPTY, name: "a" }],
    ["a value follows after an equals sign", ["--name=a=b"], { ...EMPTY, name: "a=b" }],
    ["a value is empty", ["--name="], { ...EMPTY, name: "" }],
    ["a value is missing at the end", ["--name"], { ...EMPTY, name: "" }],
    ["a value is missing before an option", ["--name", "--force"], { ...EMPTY, name: "", force: true }],
    ["an option is repeated", ["--name=a", "--name=b"], { ...EMPTY, name: "b" }],
    ["a collected option is repeated", ["--map", "a=b", "--map=c=d"], { ...EMPTY, map: ["a=b", "c=d"] }],
    ["a switch is given", ["--force"], { ...EMPTY, force: true }],
    ["a switch stands before a positional", ["--force", "file"], { ...EMPTY, force: true, _: ["file"] }],
    ["positionals are given", ["a", "--name", "x", "b"], { ...EMPTY, name: "x", _: ["a", "b"] }],
    ["a double dash ends the options", ["a", "--", "--name", "b"], { ...EMPTY, _: ["a", "--name", "b"] }],
    ["a text looks like a number", ["--name", "007"], { ...EMPTY, name: "007" }],
  ];
  for (const [when, args, expected] of cases) {
    it(`parses when ${when}`, () => {
      const parsed: Record<string, unknown> = parseArgs(args, {
        ...OPTIONS,
        unknown: (_arg: string, key?: string) => key === undefined,
      });
      for (const [name, value] of Object.entries(expected)) assertEquals(parsed[name], value, name);
    });
  }

  it("calls unknown() for options that are not declared", () => {
    const seen: string[] = [];
    const unknown = (arg: string, key?: string) => {
      if (key !== undefined) seen.push(arg.split("=")[0]!);
      return key === undefined;
    };
    const parsed: Record<string, unknown> = parseArgs(["--other=1", "--force", "--more"], {
      ...OPTIONS,
      unknown,
    });
    assertEquals(seen, ["--other", "--more"]);
    assertEquals(parsed.force, true);
  });
});

describe("bdd", () => {
  const order: string[] = [];
  beforeAll(() => void order.push("beforeAll"));
  beforeEach(() => void order.push("beforeEach"));
  afterEach(() => void order.push("afterEach"));
  afterAll(() => assertEquals(order.at(-1), "afterEach"));
  it("runs beforeAll() once, before the first test", () => assertEquals(order, ["beforeAll", "beforeEach"]));
  it("runs beforeEach() and afterEach() around each test", () => {
    assertEquals(order, ["beforeAll", "beforeEach", "afterEach", "beforeEach"]);
  });
});

describe("assertions", () => {
  it("fail when they should", async () => {
    assertThrows(() => assert(false));
    assertThrows(() => assertEquals({ a: [1] } as unknown, { a: [2] }));
    assertThrows(() => assertStringIncludes("abc", "d"));
    assertThrows(() => assertMatch("abc", /d/));
    assertThrows(() => assertThrows(() => {}));
    assertThrows(() =>
      assertThrows(() => {
        throw new TypeError("x");
      }, RangeError)
    );
    await assertRejects(() => assertRejects(() => Promise.resolve()));
    await assertRejects(() => assertRejects(() => Promise.reject(new Error("x")), Error, "y"));
  });
  it("return the error that they waited for", async () => {
    assertEquals(
      assertThrows(
        () => {
          throw new TypeError("x");
        },
        TypeError,
        "x",
      ).message,
      "x",
    );
    assertEquals((await assertRejects(() => Promise.reject(new RangeError("y")), RangeError)).message, "y");
  });
});
