import { assert, assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { chooseTries, KillMatrix } from "./kill_matrix.ts";

const SEED = 20261124;
const TRIES = 8;

describe("salesflow run after kill -9", () => {
  let home: string;
  let matrix: KillMatrix;
  beforeAll(async () => {
    home = await Deno.makeTempDir({ prefix: "salesflow-faults-" });
    matrix = await KillMatrix.prepare(home, 5_000);
  });
  afterAll(() => Deno.remove(home, { recursive: true }));

  for (const [index, chosen] of chooseTries(TRIES, SEED).entries()) {
    const { victim, stage, share } = chosen;
    it(`produces the same files and tables when ${victim === "command" ? "the command" : victim} is killed at ${(share * 100).toFixed(0)} % of ${stage}`, async () => {
      const { hit, faults } = await matrix.try(index, chosen);
      assertEquals(faults, []);
      assert(hit, "the kill came too late, twice");
    });
  }
});
