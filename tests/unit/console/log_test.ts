import { assertEquals, assertMatch } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import {
  escapePlaceholders,
  formatAttemptsLeft,
  logFormat,
  logger,
  onBeforeLog,
  relayWarnings,
  setUpLogging,
  type Warning,
  writeWarning,
} from "../../../lib/console/log.ts";
import { captureLog } from "./captured_log.ts";

afterAll(() => onBeforeLog(() => {}));

describe("formatAttemptsLeft()", () => {
  for (
    const [count, expected] of [[1, "1 attempt left"], [2, "2 attempts left"], [
      0,
      "0 attempts left",
    ]] as const
  ) {
    it(`returns "${expected}"`, () => assertEquals(formatAttemptsLeft(count), expected));
  }
});

describe("escapePlaceholders()", () => {
  it("keeps braces from being parsed as placeholders", async () => {
    const text = "a {b} {{c}} }";
    const records = await captureLog(() => logger("test").info(escapePlaceholders(text)));
    assertEquals(records.map(({ message }) => message), [text]);
  });
});

describe("setUpLogging()", () => {
  it("writes JSON with the part of the program and the properties of the message", async () => {
    const [record] = await captureLog(() => logger("clean").info("{done} rows", { done: 7 }));
    assertEquals([record!.logger, record!.level, record!.message, record!.done], [
      "salesflow.clean",
      "INFO",
      "7 rows",
      7,
    ]);
    assertEquals(logFormat(), "json");
  });

  it("writes only warnings and errors when quiet", async () => {
    const records = await captureLog(() => {
      logger("test").info("a");
      logger("test").warn("b");
      logger("test").error("c");
    }, true);
    assertEquals(records.map(({ message }) => message), ["b", "c"]);
  });

  it("writes text with the level of warnings, but not of information", async () => {
    const { writeSync } = Deno.stderr;
    let text = "";
    await setUpLogging("text", false);
    Deno.stderr.writeSync = (bytes) => {
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    };
    try {
      logger("clean").info("a");
      logger("clean").warn("b");
    } finally {
      Deno.stderr.writeSync = writeSync;
    }
    assertMatch(text, /^\d\d:\d\d:\d\d UTC clean: a\n\d\d:\d\d:\d\d UTC warning clean: b\n$/);
    assertEquals(logFormat(), "text");
  });
});

describe("onBeforeLog()", () => {
  it("sets the function that runs before each line", async () => {
    let calls = 0;
    onBeforeLog(() => calls++);
    await captureLog(() => {
      logger("test").info("a");
      logger("test").info("b");
    });
    assertEquals(calls, 2);
  });
});

describe("relayWarnings() and writeWarning()", () => {
  it("pass on warnings and errors unchanged, and drop information", async () => {
    const warnings: Warning[] = [];
    relayWarnings((warning) => warnings.push(warning));
    logger("clean").info("a");
    logger("clean").warn("{count} rows of {{x}}", { count: 3 });
    assertEquals(warnings, [{ part: "clean", text: "3 rows of {x}" }]);
    const [record] = await captureLog(() => writeWarning(warnings[0]!));
    assertEquals([record!.logger, record!.level, record!.message], [
      "salesflow.clean",
      "WARN",
      "3 rows of {x}",
    ]);
  });
});
