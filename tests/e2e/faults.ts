/** Deletes pods in the middle of their work. */
import { Follower, kubectl, until } from "./command.ts";
import { askPostgres, psqlArguments } from "./tables.ts";
import type { SeenPod, Watch } from "./watch.ts";

const POLL_MS = 200;
/** The callers' signal ends a wait: a pod comes within its DAG run, whose length depends on the machine. */
const WAIT_LIMIT_MS = 60 * 60_000;
/** Application name of the test's own session, to find and terminate it. */
const READER = "salesflow e2e reader";

function deletePod(namespace: string, pod: string): Promise<string> {
  return kubectl("delete", "pod", pod, "--namespace", namespace, "--grace-period=0", "--force");
}

function waitFor<T>(what: string, signal: AbortSignal, poll: () => Promise<T | undefined>): Promise<T> {
  return until(what, poll, { limitMs: WAIT_LIMIT_MS, pauseMs: POLL_MS, signal });
}

function waitForPod(
  watch: Watch,
  stage: string,
  role: SeenPod["role"],
  signal: AbortSignal,
): Promise<SeenPod> {
  const poll = () =>
    Promise.resolve(
      [...watch.pods.values()].find((pod) =>
        pod.stage === stage && pod.role === role && pod.phases.has("Running")
      ),
    );
  return waitFor(`a ${role} of ${stage} is running`, signal, poll);
}

/**
 * Deletes the driver of a Spark stage while its executor runs a task.
 *
 * @param ended is aborted when the DAG run has ended
 */
export async function loseDriver(
  namespace: string,
  watch: Watch,
  stage: string,
  ended: AbortSignal,
): Promise<string> {
  const executor = await waitForPod(watch, stage, "executor", ended);
  await waitFor(`an executor of ${stage} runs a task`, ended, async () => {
    const log = await kubectl("logs", executor.name, "--namespace", namespace);
    return /Running task/.test(log) || undefined;
  });
  const driver = await waitForPod(watch, stage, "driver", ended);
  await deletePod(namespace, driver.name);
  return driver.name;
}

/**
 * Deletes the pod of `load` just before it swaps the tables. A long-running reader of shop.sales makes it wait for the
 * lock.
 *
 * @param ended is aborted when the DAG run has ended
 */
export async function loseLoad(namespace: string, watch: Watch, ended: AbortSignal): Promise<string> {
  const reader =
    `SET application_name = '${READER}'; BEGIN; LOCK TABLE shop.sales IN ACCESS SHARE MODE; SELECT pg_sleep(${
      WAIT_LIMIT_MS / 1000
    })`;
  const session = new Follower("kubectl", psqlArguments(namespace, reader), () => {});
  try {
    const pod = await waitForPod(watch, "load", "stage", ended);
    await waitFor("load waits for the lock", ended, async () => {
      const waiting = await askPostgres(
        namespace,
        `SELECT 1 FROM pg_stat_activity WHERE application_name = 'salesflow load' AND xact_start IS NOT NULL
           AND query ~ '^(LOCK TABLE|SAVEPOINT|ROLLBACK TO|SET LOCAL)'`,
      );
      return waiting !== "" || undefined;
    });
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
