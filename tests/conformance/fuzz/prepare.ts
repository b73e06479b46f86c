/**
 * For the tests of the Spark engine: `prepare.ts FOLDER ROUNDS` writes fuzzed runs to a store, cleans them with the native
 * engine, and prints a JSON line per run: `run_id`, `date_range` and `exit_code` (0 when the run was published).
 */
import { exitCodeOf } from "../../../lib/console/errors.ts";
import { openStore } from "../../../lib/store/open_store.ts";
import { fuzzSettings } from "./prng.ts";
import { cleanRound, fuzzRuns, putRound, wrongHeaderRuns } from "./native.ts";

const [folder, defaultRounds] = Deno.args;
const { seed, rounds } = fuzzSettings(Number(defaultRounds));
const store = openStore(folder!);
for (const run of [...fuzzRuns(seed, rounds), ...wrongHeaderRuns()]) {
  await putRound(store, run);
  const exitCode = await cleanRound(store, run).then(() => 0, exitCodeOf);
  console.log(JSON.stringify({ run_id: run.runId, date_range: run.round.dateRange, exit_code: exitCode }));
}
