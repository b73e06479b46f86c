import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { runLocation } from "../../../cli/session.ts";
import { openStore } from "../../../lib/store/open_store.ts";

describe("runLocation()", () => {
  const environment = (name: string) => name === "AWS_REGION" ? "eu-west-1" : undefined;
  const cases: [store: string, names: string[], location: string][] = [
    ["/data/my shop", [], "/data/my shop/runs/2026-11-24"],
    ["/data/100%", ["report", "report.html"], "/data/100%/runs/2026-11-24/report/report.html"],
    ["s3://bucket/shop", [], "s3://bucket/shop/runs/2026-11-24"],
    ["s3://bucket", ["report", "report.html"], "s3://bucket/runs/2026-11-24/report/report.html"],
  ];
  for (const [url, names, location] of cases) {
    it(`returns ${location} when the store is ${url}`, () => {
      const store = openStore(url, environment);
      assertEquals(runLocation({ store, runId: "2026-11-24" }, ...names), location);
    });
  }
});
