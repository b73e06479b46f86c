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
      measureDisk: () => Promise.resolve({ id: 1, freeBytes: 9e9 }),
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

  it("reports a store that cannot be written with the remedy of its cause, and continues", async () => {
    const store = openStore(`${folder}/store`);
    store.writeText = () =>
      Promise.reject(new SalesflowError("Cannot connect", { remedy: "Check the net." }));
    const findings = await runDoctor({ store });
    assertEquals(findings.find(({ subject }) => subject === "store"), {
      subject: "store",
      state: "failed",
      message: "Cannot connect",
      remedy: "Check the net.",
    });
    assertEquals(findings.at(-1)!.subject, "ClickHouse");
  });

  it("adds up what the store, the databases and missing engines need on one disk", async () => {
    const disk = async (options: Partial<DoctorOptions>) =>
      (await runDoctor(options)).filter(({ subject }) => subject === "disk");
    const before = Deno.env.get("SALESFLOW_CACHE");
    Deno.env.set("SALESFLOW_CACHE", `${folder}/cache`);
    try {
      const measureDisk = () => Promise.resolve({ id: 1, freeBytes: 14e6 });
      const [first, ...others] = await disk({ measureDisk });
      assertEquals([first!.state, others], ["failed", []]);
      assertStringIncludes(first!.message, "14 MB free in ");
      assertStringIncludes(first!.message, "a run of 1,000,000 sales needs about 1.1 GB there");
      assertStringIncludes(first!.remedy!, "--store, --home, SALESFLOW_CACHE");
      const urls = { postgresUrl: "postgres://h/d", clickhouseUrl: "http://h" };
      const [files] = await disk({ measureDisk, urls });
      assertStringIncludes(files!.message, "needs about 100 MB there");
    } finally {
      before === undefined ? Deno.env.delete("SALESFLOW_CACHE") : Deno.env.set("SALESFLOW_CACHE", before);
    }
  });

  it("reports a disk that cannot be measured, and continues", async () => {
    const measureDisk = () => Promise.reject(new Error("statfs failed"));
    const findings = await runDoctor({ measureDisk });
    assertEquals(findings.find(({ subject }) => subject === "disk"), {
      state: "failed",
      subject: "disk",
      message: "statfs failed",
    });
    assertEquals(findings.at(-1)!.subject, "ClickHouse");
  });
});
