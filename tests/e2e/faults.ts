/** Pods that are lost in the middle of their work. */
import { Follower, kubectl, until } from "./command.ts";
import { askPostgres, psqlIn } from "./tables.ts";
import type { SeenPod, Watch } from "./watch.ts";

const POLL_MS = 200;
const LIMIT_MS = 5 * 60_000;
/** By this name the test's own session is found again, to be ended. */
const READER = "salesflow e2e reader";

function lose(namespace: string, pod: string): Promise<string> {
  return kubectl("delete", "pod", pod, "--namespace", namespace, "--grace-period=0", "--force");
}

function running(watch: Watch, stage: string, role: SeenPod["role"]): Promise<SeenPod> {
  const ask = () =>
    Promise.resolve(
      [...watch.pods.values()].find((pod) =>
        pod.stage === stage && pod.role === role && pod.phases.has("Running")
      ),
    );
  return until(`a ${role} of ${stage} runs`, LIMIT_MS, ask, POLL_MS);
}

/** Deletes the driver of a Spark stage when its executor works on a task. */
export async function loseDriver(namespace: string, watch: Watch, stage: string): Promise<string> {
  const executor = await running(watch, stage, "executor");
  await until(`an executor of ${stage} works`, LIMIT_MS, async () => {
    const log = await kubectl("logs", executor.name, "--namespace", namespace);
    return /Running task/.test(log) || undefined;
  }, POLL_MS);
  const driver = await running(watch, stage, "driver");
  await lose(namespace, driver.name);
  return driver.name;
}

/**
 * Deletes the pod of `load` when it has everything in place but the tables: somebody who reads shop.sales for long makes it
 * wait for a moment to swap them.
 */
export async function loseLoad(namespace: string, watch: Watch): Promise<string> {
  const reader =
    `SET application_name = '${READER}'; BEGIN; LOCK TABLE shop.sales IN ACCESS SHARE MODE; SELECT pg_sleep(600)`;
  const session = new Follower("kubectl", psqlIn(namespace, reader), () => {});
  try {
    const pod = await running(watch, "load", "stage");
    await until("load waits for its moment", LIMIT_MS, async () => {
      const waiting = await askPostgres(
        namespace,
        `SELECT 1 FROM pg_stat_activity WHERE application_name = 'salesflow load' AND xact_start IS NOT NULL
           AND query ~ '^(LOCK TABLE|SAVEPOINT|ROLLBACK TO|SET LOCAL)'`,
      );
      return waiting !== "" || undefined;
    }, POLL_MS);
    await lose(namespace, pod.name);
    return pod.name;
  } finally {
    // Ending kubectl leaves the session behind.
    await askPostgres(
      namespace,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${READER}'`,
    );
    await session.stop();
  }
}
