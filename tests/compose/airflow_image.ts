/** Checks of the Airflow image on its own, without the other services. */
import { PermanentError, until } from "./airflow.ts";
import { docker, type Project, run } from "./docker.ts";

const FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager";
const START_TIMEOUT_MS = 300_000;

/**
 * Checks that Airflow's API server, with FAB as its auth manager and SQLite as its database, gets healthy and lets a user in.
 * FAB depends on more of Airflow's pinned packages than anything else in the image.
 *
 * @throws {Error} with the end of the log, when it does not or logs a traceback
 */
export async function startsWithFab(project: Project): Promise<void> {
  const name = `${project.name}-fab`;
  const user =
    "--username ada --password ada --firstname Ada --lastname L --role Admin --email ada@example.com";
  const command = `airflow db migrate && airflow users create ${user} && exec airflow api-server`;
  const environment = [
    `AIRFLOW__CORE__AUTH_MANAGER=${FAB}`,
    "AIRFLOW__API__WORKERS=1",
    "AIRFLOW__API_AUTH__JWT_SECRET=not-a-secret-but-64-characters-long-for-the-test-of-the-image-only",
    "CONNECTION_CHECK_MAX_COUNT=0",
  ].flatMap((each) => ["--env", each]);
  const image = `salesflow-airflow:${project.tag}`;
  const log = async () => {
    const { stdout, stderr } = await run(["logs", name]);
    return stdout + stderr;
  };
  await docker(["run", "--detach", "--name", name, ...environment, image, "bash", "-c", command]);
  try {
    const logIn = ["exec", name, "curl", "--silent", "--fail", "--header", "Content-Type: application/json"];
    const answer = await until("Airflow with FAB lets a user in", START_TIMEOUT_MS, async () => {
      const state = await docker(["inspect", "--format", "{{.State.Running}}", name]);
      if (state.trim() !== "true") throw new PermanentError(`It ended: ${(await log()).slice(-4000)}`);
      const body = ["--data", '{"username": "ada", "password": "ada"}', "http://127.0.0.1:8080/auth/token"];
      const { code, stdout } = await run([...logIn, ...body]);
      return code === 0 ? stdout : undefined;
    });
    const output = await log();
    if (!/"access_token"/.test(answer) || /Traceback/.test(output)) {
      throw new Error(`Airflow with FAB answered ${answer.slice(0, 40)}; its log: ${output.slice(-4000)}`);
    }
  } finally {
    await docker(["rm", "--force", "--volumes", name]);
  }
}
