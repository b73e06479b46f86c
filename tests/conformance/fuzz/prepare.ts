/**
 * For the tests of the Spark engine: `prepare.ts FOLDER ROUNDS` makes a store of fuzzed runs that the native engine has
 * cleaned, and prints a JSON line for each: `run_id`, `date_range` and `exit_code` (0 when the run was published).
 */
import { exitCodeOf } from "../../../lib/console/errors.ts";
import { openStore } from "../../../lib/store/open_store.ts";
import { fuzzSettings } from "./dice.ts";
import { cleanRound, fuzzRuns, putRound, wrongHeaderRuns } from "./native.ts";

const [folder, usualRounds] = Deno.args;
const { seed, rounds } = fuzzSettings(Number(usualRounds));
const store = openStore(folder!);
for (const run of [...fuzzRuns(seed, rounds), ...wrongHeaderRuns()]) {
  await putRound(store, run);
  const exitCode = await cleanRound(store, run).then(() => 0, exitCodeOf);
  console.log(JSON.stringify({ run_id: run.runId, date_range: run.round.dateRange, exit_code: exitCode }));
}
