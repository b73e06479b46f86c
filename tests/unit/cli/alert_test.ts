import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { formatAlert, isWorthAnAlert, readAlertUrl } from "../../../cli/alert.ts";
import { StoppedError } from "../../../cli/stop_signal.ts";
import { SalesflowError, UsageError } from "../../../lib/console/errors.ts";

const read = (url: string) => readAlertUrl(() => url);

describe("readAlertUrl()", () => {
  it("returns the URL, and undefined when it is not set", () => {
    assertEquals(read("https://chat.example/hooks/geheim")?.href, "https://chat.example/hooks/geheim");
    assertEquals(readAlertUrl(() => undefined), undefined);
    assertEquals(read(" "), undefined);
  });

  it("refuses anything but http, without quoting it", () => {
    for (const url of ["chat.example/geheim", "ftp://geheim", "geheim"]) {
      const error = assertThrows(() => read(url), UsageError, "SALESFLOW_ALERT_URL");
      assert(!error.message.includes("geheim"));
    }
  });
});

describe("formatAlert()", () => {
  it("names run, stage, causes, remedy and folder", () => {
    const error = new SalesflowError("2 checks differ", {
      stage: "verify",
      remedy: "Look at them.",
      cause: new Error("deep"),
    });
    assertEquals(
      formatAlert(error, { run_id: "2026-11-24", folder: "/runs/2026-11-24" }),
      "Run 2026-11-24 of salesflow failed at verify: 2 checks differ: deep. Look at them. Folder: /runs/2026-11-24",
    );
  });

  it("says when trying again may help, and knows failures without a run", () => {
    const text = formatAlert(new SalesflowError("No answer.", { exitCode: 75 }), {
      run_id: null,
      folder: null,
    });
    assertEquals(
      text,
      "A run of salesflow failed for now (exit code 75: it may be repeated): No answer.",
    );
    assertStringIncludes(
      formatAlert("odd", { run_id: "r", folder: null }),
      "Run r of salesflow failed: odd.",
    );
  });
});

describe("isWorthAnAlert()", () => {
  it("is false only when a person has stopped the command", () => {
    assertEquals(isWorthAnAlert(new StoppedError("SIGINT")), false);
    assertEquals(isWorthAnAlert(new StoppedError("SIGTERM")), true);
    assertEquals(isWorthAnAlert(new Error("x")), true);
  });
});
