import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";

const MODULE = new URL("../../../cli/stop_signal.ts", import.meta.url).href;
/** Prints the error of the first signal after a delay, and never exits by itself. */
const SCRIPT = `import { stopSignal } from ${JSON.stringify(MODULE)};
const signal = stopSignal("Try again.");
signal.addEventListener("abort", () => {
  setTimeout(() => console.log(signal.reason.message, signal.reason.exitCode, signal.reason.remedy), 50);
});
setInterval(() => {}, 1_000);
console.log("ready");`;

describe("stopSignal()", () => {
  it("aborts once for signals in quick succession, and exits with 75 on a later one", async () => {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-config", "--no-lock", SCRIPT],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    assertEquals((await reader.read()).value, "ready\n");
    child.kill("SIGINT");
    child.kill("SIGTERM");
    assertEquals((await reader.read()).value?.replace(/SIG\w+/, "SIG…"), "Stopped by SIG… 75 Try again.\n");
    const repeated = setInterval(() => child.kill("SIGINT"), 50);
    const { code } = await child.status.finally(() => clearInterval(repeated));
    assertEquals(code, 75);
    await reader.cancel();
  });
});
