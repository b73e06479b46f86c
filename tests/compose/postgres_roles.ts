/** Checks that PostgreSQL gets its roles although its first start was killed before it had created them. */
import { until } from "./airflow.ts";
import { docker, type Project, run } from "./docker.ts";

const IMAGE = "postgres:18";
const SCRIPT = "/docker-entrypoint-initdb.d/databases.sh";
const START_TIMEOUT_MS = 120_000;
const ROLES = "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolcanlogin";
const OWNERS =
  "SELECT string_agg(datname || '=' || pg_get_userbyid(datdba), ' ' ORDER BY datname) FROM pg_database WHERE NOT datistemplate";

/**
 * Starts a server without the script on a new volume, as if it had been killed before the script; then with it, and runs what
 * compose.yaml runs after the start, twice.
 *
 * @throws {Error} when a role or database is missing
 */
export async function rolesAreMadeUpFor(project: Project): Promise<void> {
  const name = `${project.name}-roles`;
  const start = async (...mount: string[]) => {
    const environment = ["POSTGRES_PASSWORD=a", "SALESFLOW_DB_PASSWORD=b", "AIRFLOW_DB_PASSWORD=c"];
    const options = ["--volume", `${name}:/var/lib/postgresql`, ...mount];
    const variables = environment.flatMap((each) => ["--env", each]);
    await docker(["run", "--detach", "--name", name, ...options, ...variables, IMAGE]);
    const ready = ["exec", name, "pg_isready", "--quiet", "--host=127.0.0.1"];
    await until("PostgreSQL is ready", START_TIMEOUT_MS, async () => (await run(ready)).code === 0);
  };
  const query = async (sql: string) =>
    (await docker(["exec", "--user", "postgres", name, "psql", "-qAtc", sql])).trim();
  const expectAnswer = async (sql: string, expected: string) => {
    const found = await query(sql);
    if (found !== expected) throw new Error(`${sql}: found ${found}, expected ${expected}`);
  };
  try {
    await start();
    await docker(["stop", name]);
    await docker(["rm", name]);
    await start("--volume", `${project.folder}/k8s/compose/postgres/databases.sh:${SCRIPT}:ro`);
    await expectAnswer(ROLES, "postgres");
    for (let round = 0; round < 2; round++) {
      await docker(["exec", "--user", "postgres", name, "bash", SCRIPT, "wait"]);
      await expectAnswer(ROLES, "airflow postgres salesflow");
      await expectAnswer(OWNERS, "airflow=airflow postgres=postgres salesflow=salesflow");
    }
  } finally {
    await run(["rm", "--force", name]);
    await docker(["volume", "rm", "--force", name]);
  }
}
