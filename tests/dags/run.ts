/**
 * `deno task test:airflow`: lints and tests the DAG with a real Airflow, in a Python environment under .cache/. Arguments are
 * passed on to pytest. Prints `N passed, N failed` at the end. Needs Python 3.12 or 3.11, and Java 17 for Spark.
 */
import { passOnArguments } from "../arguments.ts";
import {
  ensureSparkVenv,
  ensureVenv,
  findPython,
  lint,
  reportAndExit,
  run,
  SHORT_SESSIONS,
} from "../python.ts";

const pytestArgs = passOnArguments(
  "deno task test:airflow [pytest's arguments]",
  "Lints and tests the DAG with a real Airflow. Arguments go to pytest, such as -k NAME.",
);
const HOME = ".cache/airflow";
const CODE = ["dags", "tests/dags"];

const python = await findPython(["3.12", "3.11"]);
const airflow = await ensureVenv(HOME, ["dags/requirements.txt", "tests/dags/requirements.txt"], python);
const spark = await ensureSparkVenv();

const failedChecks = await lint(airflow, `${HOME}/ruff`, CODE);
const airflowHome = await Deno.makeTempDir({ prefix: "salesflow-airflow-" });
const result = await run(
  `${airflow}/bin/python`,
  ["-m", "pytest", "-c", "tests/dags/pytest.ini", "tests/dags", "--durations=10", ...pytestArgs],
  {
    capture: true,
    env: {
      ...SHORT_SESSIONS,
      AIRFLOW_HOME: airflowHome,
      PATH: `${airflow}/bin:${Deno.env.get("PATH")}`,
      PYTHONDONTWRITEBYTECODE: "1",
      SALESFLOW_TEST_DENO: Deno.execPath(),
      SALESFLOW_TEST_SPARK_ENVIRONMENT: spark,
    },
  },
);
await Deno.remove(airflowHome, { recursive: true });
reportAndExit(result, failedChecks);
