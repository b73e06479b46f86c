import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { literal, logger, setUpLogging, triesLeft } from "../../../lib/console/log.ts";
import { startProgress } from "../../../lib/console/progress.ts";

/** The messages that are logged while `work` runs. */
async function messagesOf(work: () => void): Promise<string[]> {
  const write = Deno.stderr.writeSync;
  const lines: string[] = [];
  await setUpLogging("json", false);
  Deno.stderr.writeSync = (bytes) => {
    lines.push(new TextDecoder().decode(bytes));
    return bytes.length;
  };
  try {
    work();
  } finally {
    Deno.stderr.writeSync = write;
  }
  return lines.map((line) => JSON.parse(line).message);
}

describe("triesLeft()", () => {
  for (const [count, words] of [[1, "1 try left"], [2, "2 tries left"], [0, "0 tries left"]] as const) {
    it(`triesLeft() says ${words}`, () => assertEquals(triesLeft(count), words));
  }
});

describe("literal()", () => {
  it("literal() keeps braces from being placeholders", async () => {
    const text = "a {b} {{c}} }";
    assertEquals(await messagesOf(() => logger("test").info(literal(text))), [text]);
  });
});

describe("startProgress()", () => {
  it("startProgress() names its unit without quotation marks in a log line", async () => {
    const { now } = performance;
    try {
      const messages = await messagesOf(() => {
        const progress = startProgress("engines", false, "bytes");
        performance.now = () => now.call(performance) + 60_000;
        progress.update(177_817_999);
      });
      assertEquals(messages, ["177817999 bytes so far"]);
    } finally {
      performance.now = now;
    }
  });
});
