import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import {
  type ClickHouseFacts,
  diagnoseClickHouse,
  diagnosePostgres,
  type PostgresFacts,
} from "../../../lib/doctor/databases.ts";
import { checkDisks } from "../../../lib/doctor/disk.ts";
import { doctor, type DoctorOptions } from "../../../lib/doctor/doctor.ts";
import { SalesflowError } from "../../../lib/console/errors.ts";
import { openStore } from "../../../lib/store/open_store.ts";

let folder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "salesflow-doctor-" });
});
afterAll(() => Deno.remove(folder, { recursive: true }));

describe("diagnosePostgres()", () => {
  const fine: PostgresFacts = {
    server: "h:5432/d",
    version: "18.1",
    number: 180_001,
    replica: false,
    migrated: true,
    lacking: [],
  };
  const cases: [what: string, facts: Partial<PostgresFacts>, state: string, words: RegExp, remedy: RegExp][] =
    [
      ["all is well", {}, "fine", /18\.1 at h:5432\/d, tables are there/, /^$/],
      ["there are no tables yet", { migrated: false }, "fine", /tables can be made/, /^$/],
      ["the server is old", { version: "13.9", number: 130_009 }, "broken", /13\.9/, /14 or newer/],
      ["the oldest one will do", { version: "14.0", number: 140_000 }, "fine", /14\.0/, /^$/],
      ["it is a replica", { replica: true }, "broken", /read-only replica/, /primary/],
      [
        "rights are lacking",
        { lacking: ["CREATE on the schema shop", "INSERT on shop.products"] },
        "broken",
        /lacks CREATE on the schema shop; INSERT on shop\.products/,
        /salesflow_writer/,
      ],
      [
        "the schema cannot be made",
        { migrated: false, lacking: ["CREATE on the database d"] },
        "broken",
        /lacks CREATE on the database d/,
        /owner of the database/,
      ],
    ];
  for (const [what, facts, state, words, remedy] of cases) {
    it(`diagnosePostgres() finds it ${state} when ${what}`, () => {
      const found = diagnosePostgres({ ...fine, ...facts });
      assertEquals(found.state, state);
      assertMatch(found.found, words);
      assertMatch(found.remedy ?? "", remedy);
    });
  }
});

describe("diagnoseClickHouse()", () => {
  const fine: ClickHouseFacts = { server: "h:8123", version: "26.3.1.12", migrated: true, lacking: [] };
  const cases: [what: string, facts: Partial<ClickHouseFacts>, state: string, words: RegExp][] = [
    ["all is well", {}, "fine", /26\.3\.1\.12 at h:8123, tables are there/],
    ["there are no tables yet", { migrated: false }, "fine", /not made yet/],
    ["the server is old", { version: "23.7.9.1" }, "broken", /23\.7/],
    ["the oldest one will do", { version: "23.8.1.1" }, "fine", /23\.8/],
    ["it is older by a year", { version: "22.12.1.1" }, "broken", /22\.12/],
    ["rights are lacking", { lacking: ["INSERT on shop.*"] }, "broken", /lacks INSERT on shop\.\*/],
  ];
  for (const [what, facts, state, words] of cases) {
    it(`diagnoseClickHouse() finds it ${state} when ${what}`, () => {
      const found = diagnoseClickHouse({ ...fine, ...facts });
      assertEquals([found.state, found.remedy === undefined], [state, state === "fine"]);
      assertMatch(found.found, words);
    });
  }
});

describe("checkDisks()", () => {
  it("checkDisks() measures the nearest folder that exists, each folder once", async () => {
    const places = new Map([
      ["store", `${folder}/not/made/yet`],
      ["embedded databases", folder],
      ["database engines", "/"],
    ]);
    const findings = await checkDisks(places, (at) => Promise.resolve(at === "/" ? 5e9 : 1.5e9));
    assertEquals(findings.map(({ state, found }) => [state, found]), [
      ["warning", `1.5 GB free in ${folder} (store, embedded databases)`],
      ["fine", "5.0 GB free in / (database engines)"],
    ]);
    assertStringIncludes(findings[0]!.remedy!, "keep 2 GB free");
  });

  it("checkDisks() asks the system", async () => {
    const [finding] = await checkDisks(new Map([["store", `${folder}/none`]]));
    assertMatch(finding!.found, /^[\d.]+ GB free in \//);
  });
});

describe("doctor()", () => {
  const examine = (more: Partial<DoctorOptions>) =>
    doctor({
      store: openStore(`${folder}/store`),
      home: `${folder}/home`,
      urls: { postgresUrl: undefined, clickhouseUrl: undefined },
      signal: new AbortController().signal,
      open: (database) => Promise.reject(new SalesflowError(`no ${database}`, { remedy: "Mend it." })),
      onFinding: () => {},
      free: () => Promise.resolve(9e9),
      ...more,
    });

  it("doctor() examines each database although the other does not start", async () => {
    const findings = await examine({});
    assertEquals(findings.filter(({ state }) => state === "broken"), [
      { state: "broken", subject: "PostgreSQL", found: "no postgres", remedy: "Mend it." },
      { state: "broken", subject: "ClickHouse", found: "no clickhouse", remedy: "Mend it." },
    ]);
    assertEquals(findings.filter(({ subject }) => subject === "disk").length > 0, true);
  });

  it("doctor() says so when the store cannot be written, and goes on", async () => {
    const store = openStore(`${folder}/store`);
    store.writeText = () => Promise.reject(new SalesflowError("Cannot write it"));
    const findings = await examine({ store });
    const found = findings.find(({ subject }) => subject === "store")!;
    assertEquals([found.state, found.found], ["broken", "Cannot write it"]);
    assertStringIncludes(found.remedy!, "another --store");
    assertEquals(findings.at(-1)!.subject, "ClickHouse");
  });
});
