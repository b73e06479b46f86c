/**
 * Tests the Spark engine in a Python environment of its own: lint, then pytest (arguments are passed on). Ends with
 * `N passed, N failed`. Needs Python 3.10 or newer, Java 17 and PostgreSQL.
 */
import { goTool, VERSITYGW } from "../faults/go_tool.ts";
import { finish, lint, run, SHORT_SESSIONS, sparkEnvironment } from "../python.ts";

const CODE = ["k8s/spark", "tests/spark", "tests/bench"];

const environment = await sparkEnvironment();
const failedChecks = await lint(environment, ".cache/spark/ruff", CODE);
// Without Go the service cannot be built; what needs it is then shown as skipped.
const s3Server = await goTool(VERSITYGW) ?? "";
// A folder of our own: pytest's usual one is cleared by other sessions of pytest.
const folder = await Deno.makeTempDir({ prefix: "salesflow-spark-" });
const result = await run(
  `${environment}/bin/python`,
  ["-m", "pytest", "-c", "tests/spark/pytest.ini", `--basetemp=${folder}/t`, "tests/spark", ...Deno.args],
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
finish(result, failedChecks);
