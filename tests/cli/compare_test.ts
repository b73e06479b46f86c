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

describe("salesflow compare", () => {
  it("shows the change between the last two imports", async () => {
    const { code, stdout } = await run(home.args("compare"));
    assertEquals(code, 0);
    assertStringIncludes(stdout, "2026-11-17 (run 2026-11-17) → 2026-11-24 (run 2026-11-24)");
    assertStringIncludes(stdout, "Rose most");
  });

  it("prints parts that add up, by region and by product", async () => {
    const { stdout } = await run(home.args("compare", "2026-11-24", "2026-11-17", "--json"));
    const compared = JSON.parse(stdout);
    assertEquals(Object.keys(compared), await documentedFields("compare --json"));
    const cents = (text: string) => BigInt(text.replace(".", ""));
    assertEquals(cents(compared.change), cents(compared.after.amount) - cents(compared.before.amount));
    for (const part of [compared, ...compared.regions, ...compared.products]) {
      assertEquals(cents(part.by_quantity) + cents(part.by_price) + cents(part.by_mix), cents(part.change));
    }
    const sum = (parts: { change: string }[]) =>
      parts.reduce((total, { change }) => total + cents(change), 0n);
    assertEquals([sum(compared.regions), sum(compared.products)], [
      cents(compared.change),
      cents(compared.change),
    ]);
  });

  it("names the imports that there are when one is not", async () => {
    const { code, stdout, stderr } = await run(home.args("compare", "2026-01-01"));
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, "There are: 2026-11-17, 2026-11-24");
  });
});
