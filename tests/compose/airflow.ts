/** Client of Airflow's REST API. */
import { wasInterrupted } from "./docker.ts";

const POLL_MS = 2_000;
const RESPONSE_TIMEOUT_MS = 20_000;

/** A task instance of a DAG run. */
export interface Task {
  task_id: string;
  state: string | null;
  try_number: number;
}

/** A DAG run. */
export interface Run {
  dag_run_id: string;
  /** The time it was scheduled for, in UTC. */
  run_after: string;
}

/** Returns the date in Moscow at a moment, such as 2026-11-24. */
export function moscowDay(moment: string): string {
  return new Date(moment).toLocaleDateString("sv-SE", { timeZone: "Europe/Moscow" });
}

/** Waits until `poll` returns a value. @throws {Error} naming `what` after `timeoutMs` */
export async function until<T>(
  what: string,
  timeoutMs: number,
  poll: () => Promise<T | undefined | null | false>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < deadline) {
    if (wasInterrupted()) throw new PermanentError("Interrupted");
    try {
      const found = await poll();
      if (found !== undefined && found !== null && found !== false) return found;
      last = undefined;
    } catch (error) {
      if (error instanceof PermanentError) throw error;
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`Timed out after ${timeoutMs / 1000} s, waiting until ${what}`, { cause: last });
}

/** An error that makes further polling useless. */
export class PermanentError extends Error {}

/** The DAG in an Airflow instance. */
export class Airflow {
  readonly #url: string;
  readonly #dag: string;
  readonly #password: string;
  #token = "";

  constructor(address: string, dag: string, password: string) {
    this.#url = `http://${address}`;
    this.#dag = dag;
    this.#password = password;
  }

  async #request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { "Content-Type": "application/json", Authorization: `Bearer ${this.#token}` };
    const signal = AbortSignal.timeout(RESPONSE_TIMEOUT_MS);
    return await fetch(`${this.#url}${path}`, { headers, signal, ...init });
  }

  /** Sends a request as the user admin. @throws {Error} with status and body when it fails */
  // deno-lint-ignore no-explicit-any -- responses of Airflow
  async #json(path: string, init: RequestInit = {}): Promise<any> {
    let response = await this.#request(path, init);
    if (response.status === 401) {
      await response.body?.cancel();
      this.#token = await this.logIn(this.#password);
      response = await this.#request(path, init);
    }
    if (response.ok) return await response.json();
    throw new Error(
      `${init.method ?? "GET"} ${path}: ${response.status} ${(await response.text()).slice(0, 500)}`,
    );
  }

  /** Exchanges a password for a token. @throws {Error} when it is wrong */
  async logIn(password: string): Promise<string> {
    const body = JSON.stringify({ username: "admin", password });
    const response = await this.#request("/auth/token", { method: "POST", body });
    if (!response.ok) throw new Error(`log-in failed: ${response.status} ${await response.text()}`);
    return (await response.json()).access_token;
  }

  /** Returns the health of the metadata database, such as `healthy`. */
  async databaseHealth(): Promise<string> {
    const response = await this.#request("/api/v2/monitor/health");
    return (await response.json()).metadatabase.status;
  }

  /** Returns the import errors of DAG files. */
  async importErrors(): Promise<string[]> {
    const { import_errors } = await this.#json("/api/v2/importErrors");
    return import_errors.map((error: { stack_trace: string }) => error.stack_trace);
  }

  /** Returns whether the DAG is paused; undefined until Airflow has imported it. */
  async isPaused(): Promise<boolean | undefined> {
    const { dags } = await this.#json("/api/v2/dags?limit=50");
    return dags.find((dag: { dag_id: string }) => dag.dag_id === this.#dag)?.is_paused;
  }

  /** Returns the DAG runs of a type: `scheduled` or `manual`. */
  async runs(type: string): Promise<Run[]> {
    return (await this.#json(`/api/v2/dags/${this.#dag}/dagRuns?run_type=${type}`)).dag_runs;
  }

  /** Triggers a DAG run; returns its id. */
  async trigger(params: Record<string, unknown>): Promise<string> {
    const body = JSON.stringify({ logical_date: null, conf: params });
    const run = await this.#json(`/api/v2/dags/${this.#dag}/dagRuns`, { method: "POST", body });
    return run.dag_run_id;
  }

  /** Returns the state of a DAG run. */
  async state(runId: string): Promise<string> {
    return (await this.#json(`/api/v2/dags/${this.#dag}/dagRuns/${encodeURIComponent(runId)}`)).state;
  }

  /** Returns the task instances of a DAG run. */
  async tasks(runId: string): Promise<Task[]> {
    const path = `/api/v2/dags/${this.#dag}/dagRuns/${encodeURIComponent(runId)}/taskInstances`;
    return (await this.#json(path)).task_instances;
  }

  /** Waits until a DAG run has succeeded; returns its tasks. @throws {Error} with the states of the tasks when it fails */
  async success(runId: string, timeoutMs: number): Promise<Task[]> {
    await until(`${runId} has succeeded`, timeoutMs, async () => {
      const state = await this.state(runId);
      if (state === "failed") {
        const tasks = await this.tasks(runId);
        throw new PermanentError(
          `${runId} failed: ${tasks.map((task) => `${task.task_id} ${task.state}`).join(", ")}`,
        );
      }
      return state === "success";
    });
    return await this.tasks(runId);
  }
}
