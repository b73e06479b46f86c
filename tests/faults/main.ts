/** `deno task test:faults [--tries N] [--seed N] [--rows N]`: the kill matrix, as a table. */
import Table from "cli-table3";
import { chooseTries, KillMatrix, type TryResult } from "./kill_matrix.ts";

function argument(name: string, fallback: number): number {
  const place = Deno.args.indexOf(`--${name}`);
  return place < 0 ? fallback : Number(Deno.args[place + 1]);
}

const tries = argument("tries", 104);
const seed = argument("seed", crypto.getRandomValues(new Uint32Array(1))[0]!);
const rows = argument("rows", 50_000);
console.log(`${tries} tries with ${rows} sales; repeat them with --seed ${seed}`);

const home = await Deno.makeTempDir({ prefix: "salesflow-faults-" });
const results: TryResult[] = [];
try {
  const matrix = await KillMatrix.prepare(home, rows);
  for (const [index, chosen] of chooseTries(tries, seed).entries()) {
    const result = await matrix.try(index, chosen);
    results.push(result);
    const { victim, stage, share, hit, faults } = result;
    const outcome = faults.length > 0 ? `FAILED: ${faults.join("; ")}` : "ok";
    console.log(
      `${index + 1}/${tries} kill -9 ${victim} at ${(share * 100).toFixed(0)} % of ${stage}${
        hit ? "" : " (too late)"
      }: ${outcome}`,
    );
  }
} finally {
  await Deno.remove(home, { recursive: true });
}

const table = new Table({
  head: ["fault", "stage", "tries", "hit in time", "recovered whole"],
  style: { head: [], border: [] },
});
for (const victim of ["command", "PostgreSQL"] as const) {
  for (const stage of new Set(results.map((result) => result.stage))) {
    const same = results.filter((result) => result.victim === victim && result.stage === stage);
    if (same.length === 0) continue;
    const fine = same.filter(({ faults }) => faults.length === 0).length;
    table.push([`kill -9 of the ${victim}`, stage, same.length, same.filter(({ hit }) => hit).length, fine]);
  }
}
console.log(table.toString());
const failed = results.filter(({ faults }) => faults.length > 0).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
Deno.exit(failed > 0 || results.length < tries ? 1 : 0);
