/**
 * `deno task test:airflow`: tests the DAG with a real Airflow in a Python environment of its own under .cache/: lint, then
 * pytest with everything up to the live scheduler (arguments are passed on). Ends with `N passed, N failed`. Needs Python
 * 3.12 or 3.11, and Java 17 for Spark.
 */
import { countTests, environment, findPython, run } from "./python.ts";

const HOME = ".cache/airflow";
const CODE = ["dags", "tests/dags"];

const python = await findPython(["3.12", "3.11"]);
const airflow = await environment(HOME, ["dags/requirements.txt", "tests/dags/requirements.txt"], python);
// The same one that `deno task test:spark` uses, whichever comes first.
const locks = ["k8s/spark/requirements.txt", "tests/spark/requirements.txt"];
const spark = await environment(".cache/spark", locks, "python3");

let failedChecks = 0;
for (const args of [["check"], ["format", "--check"]]) {
  const { code } = await run(`${airflow}/bin/ruff`, [...args, "--cache-dir", `${HOME}/ruff`, ...CODE]);
  if (code !== 0) failedChecks++;
}
const airflowHome = await Deno.makeTempDir({ prefix: "salesflow-airflow-" });
const { code, output } = await run(
  `${airflow}/bin/python`,
  ["-m", "pytest", "-c", "tests/dags/pytest.ini", "tests/dags", "--durations=10", ...Deno.args],
  {
    capture: true,
    env: {
      AIRFLOW_HOME: airflowHome,
      PATH: `${airflow}/bin:${Deno.env.get("PATH")}`,
      PYTHONDONTWRITEBYTECODE: "1",
      SALESFLOW_TEST_DENO: Deno.execPath(),
      SALESFLOW_TEST_SPARK_ENVIRONMENT: spark,
    },
  },
);
await Deno.remove(airflowHome, { recursive: true });
const { passed, failed } = countTests(output);
// Tests that could not be collected, or a session that broke off, fail without a test of their own.
const lost = code !== 0 && failed === 0 ? 1 : 0;
console.log(`${passed} passed, ${failed + failedChecks + lost} failed`);
Deno.exit(code !== 0 || failedChecks > 0 ? 1 : 0);
