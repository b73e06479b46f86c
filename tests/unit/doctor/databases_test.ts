import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { ClickHouseError } from "@clickhouse/client";
import { ClickHouseFailure } from "../../../lib/clickhouse/errors.ts";
import {
  type ClickHouseFacts,
  diagnoseClickHouse,
  diagnosePostgres,
  type PostgresFacts,
} from "../../../lib/doctor/databases.ts";

describe("diagnosePostgres()", () => {
  const usable: PostgresFacts = {
    server: "h:5432/d",
    version: "18.1",
    versionNumber: 180_001,
    replica: false,
    migrated: true,
    missing: [],
  };
  const cases: [
    what: string,
    facts: Partial<PostgresFacts>,
    state: string,
    message: RegExp,
    remedy: RegExp,
  ][] = [
    ["the tables exist", {}, "ok", /18\.1 at h:5432\/d, tables exist/, /^$/],
    ["there are no tables yet", { migrated: false }, "ok", /tables can be created/, /^$/],
    ["the server is too old", { version: "13.9", versionNumber: 130_009 }, "failed", /13\.9/, /14 or newer/],
    [
      "the version is the oldest supported one",
      { version: "14.0", versionNumber: 140_000 },
      "ok",
      /14\.0/,
      /^$/,
    ],
    ["the server is a replica", { replica: true }, "failed", /read-only replica/, /primary/],
    [
      "privileges on the tables are missing",
      { missing: ["CREATE on the schema shop", "INSERT on shop.products"] },
      "failed",
      /lacks CREATE on the schema shop; INSERT on shop\.products/,
      /salesflow_writer/,
    ],
    [
      "the schema cannot be created",
      { migrated: false, missing: ["CREATE on the database d"] },
      "failed",
      /lacks CREATE on the database d/,
      /owner of the database/,
    ],
  ];
  for (const [what, facts, state, message, remedy] of cases) {
    it(`returns ${state} when ${what}`, () => {
      const result = diagnosePostgres({ ...usable, ...facts });
      assertEquals(result.state, state);
      assertMatch(result.message, message);
      assertMatch(result.remedy ?? "", remedy);
    });
  }
});

describe("diagnoseClickHouse()", () => {
  const usable: ClickHouseFacts = { server: "h:8123", version: "26.3.1.12", migrated: true, missing: [] };
  const cases: [what: string, facts: Partial<ClickHouseFacts>, state: string, message: RegExp][] = [
    ["the tables exist", {}, "ok", /26\.3\.1\.12 at h:8123, tables exist/],
    ["there are no tables yet", { migrated: false }, "ok", /no tables yet/],
    ["the server is one version too old", { version: "23.7.9.1" }, "failed", /23\.7/],
    ["the version is the oldest supported one", { version: "23.8.1.1" }, "ok", /23\.8/],
    ["the server is of an earlier year", { version: "22.12.1.1" }, "failed", /22\.12/],
    ["privileges are missing", { missing: ["INSERT on shop.*"] }, "failed", /lacks INSERT on shop\.\*/],
  ];
  for (const [what, facts, state, message] of cases) {
    it(`returns ${state} when ${what}`, () => {
      const result = diagnoseClickHouse({ ...usable, ...facts });
      assertEquals([result.state, result.remedy === undefined], [state, state === "ok"]);
      assertMatch(result.message, message);
    });
  }

  it("tells what failed when the server cannot report privileges", () => {
    const error = new ClickHouseFailure(
      new ClickHouseError({ message: "No space left.", code: "243", type: "NOT_ENOUGH_SPACE" }),
    );
    const failed = { action: "fill a staging table", error };
    const result = diagnoseClickHouse({ ...usable, failed });
    assertEquals(result, {
      state: "failed",
      message:
        "version 26.3.1.12 at h:8123: cannot fill a staging table: ClickHouse at h:8123 has no disk space left: No space left. (code 243, NOT_ENOUGH_SPACE)",
      remedy: "Free disk space on the ClickHouse server, then run again.",
    });
  });
});
