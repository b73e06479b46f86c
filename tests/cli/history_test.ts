import { assertEquals, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { run, type Servers, startServers, useHome } from "./command.ts";
import { documentedFields } from "./json_fields.ts";

const home = useHome();
let servers: Servers;
beforeAll(async () => {
  servers = await startServers(home.path);
  for (const asOf of ["2026-11-17", "2026-11-24"]) {
    assertEquals((await run(home.args("run", "--rows", "500", "--as-of", asOf, "--quiet"))).code, 0);
  }
});
afterAll(async () => void await servers.stop());

describe("salesflow history", () => {
  it("shows all imports, each against the one before", async () => {
    const { code, stdout, stderr } = await run(home.args("history"));
    assertEquals([code, stderr], [0, ""]);
    const rows = stdout.split("\n").filter((line) => /│ 2026/.test(line));
    assertEquals(rows.map((row) => row.split("│")[1]!.trim()), ["2026-11-17", "2026-11-24"]);
    assertStringIncludes(rows[1]!, "%");
  });

  it("prints exact results for other programs", async () => {
    const imports = JSON.parse((await run(home.args("history", "--json"))).stdout);
    assertEquals(Object.keys(imports[0]), await documentedFields("history --json"));
    assertEquals(imports.map(({ sales }: { sales: number }) => sales), [500, 500]);
    const [{ total_amount }] = JSON.parse(
      (await run(
        home.args(
          "sql",
          "postgres",
          "SELECT total_amount FROM shop.sales_aggregates WHERE level = 'total'",
          "--format",
          "json",
        ),
      )).stdout,
    );
    assertEquals(imports[1].amount, total_amount);
  });
});
