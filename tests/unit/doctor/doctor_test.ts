import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { doctor, type DoctorOptions } from "../../../lib/doctor/doctor.ts";
import type { Finding } from "../../../lib/doctor/finding.ts";
import { openStore } from "../../../lib/store/open_store.ts";

describe("doctor()", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "salesflow-doctor-" });
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  const runDoctor = (options: Partial<DoctorOptions>) =>
    doctor({
      store: openStore(`${folder}/store`),
      home: `${folder}/home`,
      urls: { postgresUrl: undefined, clickhouseUrl: undefined },
      signal: new AbortController().signal,
      openDatabase: (database) =>
        Promise.reject(new SalesflowError(`no ${database}`, { remedy: "Start it." })),
      onFinding: () => {},
      measureFreeBytes: () => Promise.resolve(9e9),
      ...options,
    });

  it("checks each database even if the other does not start", async () => {
    const findings = await runDoctor({});
    assertEquals(findings.filter(({ state }) => state === "failed"), [
      { state: "failed", subject: "PostgreSQL", message: "no postgres", remedy: "Start it." },
      { state: "failed", subject: "ClickHouse", message: "no clickhouse", remedy: "Start it." },
    ]);
    assertEquals(findings.filter(({ subject }) => subject === "disk").length > 0, true);
  });

  it("reports each finding as it returns it, and leaves nothing in the store", async () => {
    const reported: Finding[] = [];
    assertEquals(await runDoctor({ onFinding: (finding) => reported.push(finding) }), reported);
    const store = openStore(`${folder}/store`);
    assertEquals(reported.find(({ subject }) => subject === "store"), {
      state: "ok",
      subject: "store",
      message: `${store.url} is readable and writable`,
    });
    assertEquals(await store.list("runs"), []);
  });

  it("reports a store that cannot be written, and continues", async () => {
    const store = openStore(`${folder}/store`);
    store.writeText = () => Promise.reject(new SalesflowError("Cannot write"));
    const findings = await runDoctor({ store });
    const finding = findings.find(({ subject }) => subject === "store")!;
    assertEquals([finding.state, finding.message], ["failed", "Cannot write"]);
    assertStringIncludes(finding.remedy!, "another --store");
    assertEquals(findings.at(-1)!.subject, "ClickHouse");
  });

  it("reports a disk that cannot be measured, and continues", async () => {
    const measureFreeBytes = () => Promise.reject(new Error("statfs failed"));
    const findings = await runDoctor({ measureFreeBytes });
    assertEquals(findings.find(({ subject }) => subject === "disk"), {
      state: "failed",
      subject: "disk",
      message: "statfs failed",
    });
    assertEquals(findings.at(-1)!.subject, "ClickHouse");
  });
});
