/** Deletes pods in the middle of their work. */
import { Follower, kubectl, until } from "./command.ts";
import { askPostgres, psqlArguments } from "./tables.ts";
import type { SeenPod, Watch } from "./watch.ts";

const POLL_MS = 200;
const TIMEOUT_MS = 5 * 60_000;
/** Application name of the test's own session, to find and terminate it. */
const READER = "salesflow e2e reader";

function deletePod(namespace: string, pod: string): Promise<string> {
  return kubectl("delete", "pod", pod, "--namespace", namespace, "--grace-period=0", "--force");
}

function waitForPod(watch: Watch, stage: string, role: SeenPod["role"]): Promise<SeenPod> {
  const poll = () =>
    Promise.resolve(
      [...watch.pods.values()].find((pod) =>
        pod.stage === stage && pod.role === role && pod.phases.has("Running")
      ),
    );
  return until(`a ${role} of ${stage} is running`, TIMEOUT_MS, poll, POLL_MS);
}

/** Deletes the driver of a Spark stage while its executor runs a task. */
export async function loseDriver(namespace: string, watch: Watch, stage: string): Promise<string> {
  const executor = await waitForPod(watch, stage, "executor");
  await until(`an executor of ${stage} runs a task`, TIMEOUT_MS, async () => {
    const log = await kubectl("logs", executor.name, "--namespace", namespace);
    return /Running task/.test(log) || undefined;
  }, POLL_MS);
  const driver = await waitForPod(watch, stage, "driver");
  await deletePod(namespace, driver.name);
  return driver.name;
}

/**
 * Deletes the pod of `load` just before it swaps the tables. A long-running reader of shop.sales makes it wait for the
 * lock.
 */
export async function loseLoad(namespace: string, watch: Watch): Promise<string> {
  const reader =
    `SET application_name = '${READER}'; BEGIN; LOCK TABLE shop.sales IN ACCESS SHARE MODE; SELECT pg_sleep(600)`;
  const session = new Follower("kubectl", psqlArguments(namespace, reader), () => {});
  try {
    const pod = await waitForPod(watch, "load", "stage");
    await until("load waits for the lock", TIMEOUT_MS, async () => {
      const waiting = await askPostgres(
        namespace,
        `SELECT 1 FROM pg_stat_activity WHERE application_name = 'salesflow load' AND xact_start IS NOT NULL
           AND query ~ '^(LOCK TABLE|SAVEPOINT|ROLLBACK TO|SET LOCAL)'`,
      );
      return waiting !== "" || undefined;
    }, POLL_MS);
    await deletePod(namespace, pod.name);
    return pod.name;
  } finally {
    // Stopping kubectl does not end the session.
    await askPostgres(
      namespace,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${READER}'`,
    );
    await session.stop();
  }
}
