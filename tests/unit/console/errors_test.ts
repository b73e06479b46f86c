import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { exitCodeOf, messageChain, SalesflowError, UsageError } from "../../../lib/console/errors.ts";

describe("exitCodeOf()", () => {
  const cases: [what: string, error: unknown, code: number][] = [
    ["an error that nobody foresaw", new TypeError("x"), 1],
    ["something that is no error", "x", 1],
    ["a failure for good", new SalesflowError("x"), 1],
    ["a failure for now", new SalesflowError("x", { exitCode: 75 }), 75],
    ["wrong usage", new UsageError(["x"]), 2],
  ];
  for (const [what, error, code] of cases) {
    it(`is ${code} for ${what}`, () => assertEquals(exitCodeOf(error), code));
  }
});

describe("messageChain()", () => {
  const refused = new Error("connection refused");
  const cases: [what: string, error: unknown, messages: string[]][] = [
    ["one error", new Error("a"), ["a"]],
    ["an error without a message", new RangeError(), ["RangeError"]],
    ["no error", "a", ["a"]],
    ["nothing", undefined, []],
    ["causes, outermost first", new Error("a", { cause: new Error("b", { cause: "c" }) }), ["a", "b", "c"]],
    [
      "a cause whose words are said already",
      new Error("cannot connect: refused", { cause: new Error("refused") }),
      [
        "cannot connect: refused",
      ],
    ],
    [
      "several errors at once",
      new SalesflowError("cannot connect", { cause: new AggregateError([refused], "all failed") }),
      [
        "cannot connect",
        "all failed",
        "connection refused",
      ],
    ],
    ["an empty list of errors", new AggregateError([], "none"), ["none"]],
  ];
  for (const [what, error, messages] of cases) {
    it(`tells ${what}`, () => assertEquals(messageChain(error), messages));
  }

  it("ends when an error is its own cause", () => {
    const error = new Error("a");
    error.cause = error;
    assertEquals(messageChain(error), ["a"]);
  });
});

describe("SalesflowError", () => {
  it("keeps what it was given", () => {
    const cause = new Error("b");
    const error = new SalesflowError("a", { exitCode: 75, remedy: "wait", stage: "load", runId: "r", cause });
    assertEquals([error.message, error.exitCode, error.remedy, error.stage, error.runId, error.cause], [
      "a",
      75,
      "wait",
      "load",
      "r",
      cause,
    ]);
    assertEquals("cause" in new SalesflowError("a"), false);
  });

  it("lists every mistake when usage is wrong", () => {
    const error = new UsageError(["a", "b"], "see help");
    assertEquals([error.message, error.mistakes, error.remedy, error.name], [
      "a\nb",
      ["a", "b"],
      "see help",
      "UsageError",
    ]);
  });
});
