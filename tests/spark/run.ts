/**
 * `deno task test:spark`: lints and tests the Spark engine, in a Python environment under .cache/. Arguments are passed on to
 * pytest. Prints `N passed, N failed` at the end. Needs Python 3.10 or newer, Java 17 and PostgreSQL.
 */
import { passOnArguments } from "../arguments.ts";
import { goTool, VERSITYGW } from "../faults/go_tool.ts";
import { ensureSparkVenv, lint, reportAndExit, run, SHORT_SESSIONS } from "../python.ts";

const pytestArgs = passOnArguments(
  "deno task test:spark [pytest's arguments]",
  "Lints and tests the Spark engine. Arguments go to pytest, such as -k NAME.",
);
const CODE = ["k8s/spark", "tests/spark", "tests/bench"];

const environment = await ensureSparkVenv();
const failedChecks = await lint(environment, ".cache/spark/ruff", CODE);
// Built with Go; without it, tests that need the service are skipped.
const s3Server = await goTool(VERSITYGW) ?? "";
// Not pytest's default folder, which other pytest sessions clear.
const folder = await Deno.makeTempDir({ prefix: "salesflow-spark-" });
const result = await run(
  `${environment}/bin/python`,
  ["-m", "pytest", "-c", "tests/spark/pytest.ini", `--basetemp=${folder}/t`, "tests/spark", ...pytestArgs],
  {
    capture: true,
    env: {
      ...SHORT_SESSIONS,
      SALESFLOW_TEST_DENO: Deno.execPath(),
      SALESFLOW_TEST_S3_SERVER: s3Server,
      PYTHONDONTWRITEBYTECODE: "1",
    },
  },
);
await Deno.remove(folder, { recursive: true });
reportAndExit(result, failedChecks);
