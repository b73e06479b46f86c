import { assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  catchUsageError,
  exitCodeOf,
  messageChain,
  SalesflowError,
  UsageError,
} from "../../../lib/console/errors.ts";

describe("exitCodeOf()", () => {
  const cases: [name: string, error: unknown, code: number][] = [
    ["an unexpected error", new TypeError("x"), 1],
    ["a value that is not an error", "x", 1],
    ["a permanent failure", new SalesflowError("x"), 1],
    ["a temporary failure", new SalesflowError("x", { exitCode: 75 }), 75],
    ["a usage error", new UsageError(["x"]), 2],
  ];
  for (const [name, error, code] of cases) {
    it(`returns ${code} for ${name}`, () => assertEquals(exitCodeOf(error), code));
  }
});

describe("messageChain()", () => {
  const refused = new Error("connection refused");
  const cases: [name: string, error: unknown, messages: string[]][] = [
    ["the message of an error", new Error("a"), ["a"]],
    ["the name of an error without a message", new RangeError(), ["RangeError"]],
    ["a thrown string", "a", ["a"]],
    ["nothing for undefined", undefined, []],
    [
      "the messages of causes, outermost first",
      new Error("a", { cause: new Error("b", { cause: "c" }) }),
      ["a", "b", "c"],
    ],
    [
      "no message that an earlier one contains",
      new Error("cannot connect: refused", { cause: new Error("refused") }),
      ["cannot connect: refused"],
    ],
    [
      "the first error of an AggregateError",
      new SalesflowError("cannot connect", { cause: new AggregateError([refused], "all failed") }),
      ["cannot connect", "all failed", "connection refused"],
    ],
    ["the message of an empty AggregateError", new AggregateError([], "none"), ["none"]],
  ];
  for (const [name, error, messages] of cases) {
    it(`returns ${name}`, () => assertEquals(messageChain(error), messages));
  }

  it("terminates when an error is its own cause", () => {
    const error = new Error("a");
    error.cause = error;
    assertEquals(messageChain(error), ["a"]);
  });

  it("returns at most 8 messages", () => {
    let error = new Error("0");
    for (let number = 1; number < 20; number++) error = new Error(`${number}`, { cause: error });
    assertEquals(messageChain(error), ["19", "18", "17", "16", "15", "14", "13", "12"]);
  });
});

describe("catchUsageError()", () => {
  it("returns undefined when the check passes", () => assertEquals(catchUsageError(() => 1), undefined));

  it("returns a UsageError that the check throws", () => {
    const error = new UsageError(["a"]);
    assertEquals(
      catchUsageError(() => {
        throw error;
      }),
      error,
    );
  });

  it("throws other errors", () => {
    const check = () => {
      throw new SalesflowError("a");
    };
    assertThrows(() => catchUsageError(check), SalesflowError, "a");
  });
});

describe("SalesflowError", () => {
  it("has the given properties", () => {
    const cause = new Error("b");
    const details = {
      exitCode: 75,
      remedy: "wait",
      stage: "load",
      runId: "r",
      evidence: { rows: 1 },
      cause,
    } as const;
    const error = new SalesflowError("a", details);
    const { message, exitCode, remedy, stage, runId, evidence } = error;
    assertEquals({ exitCode, remedy, stage, runId, evidence, cause: error.cause }, details);
    assertEquals(message, "a");
    assertEquals("cause" in new SalesflowError("a"), false);
  });
});

describe("UsageError", () => {
  it("lists all mistakes in its message", () => {
    const { message, mistakes, remedy, name } = new UsageError(["a", "b"], "see help");
    assertEquals([message, mistakes, remedy, name], ["a\nb", ["a", "b"], "see help", "UsageError"]);
  });
});
