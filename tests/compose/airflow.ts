/** Airflow's REST API, as far as the test needs it. */
import { wasInterrupted } from "./docker.ts";

const POLL_MS = 2_000;
const ANSWER_TIMEOUT_MS = 20_000;

/** A task of a run. */
export interface Task {
  task_id: string;
  state: string | null;
  try_number: number;
}

/** A run of the DAG. */
export interface Run {
  dag_run_id: string;
  /** When it was due, in UTC. */
  run_after: string;
}

/** The day of a moment in Moscow, such as 2026-11-24. */
export function moscowDay(moment: string): string {
  return new Date(moment).toLocaleDateString("sv-SE", { timeZone: "Europe/Moscow" });
}

/** Waits until `look` returns something. @throws {Error} naming what was waited for, after `timeoutMs` */
export async function until<T>(
  what: string,
  timeoutMs: number,
  look: () => Promise<T | undefined | null | false>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < deadline) {
    if (wasInterrupted()) throw new Final("Interrupted");
    try {
      const found = await look();
      if (found !== undefined && found !== null && found !== false) return found;
      last = undefined;
    } catch (error) {
      if (error instanceof Final) throw error;
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`Waited ${timeoutMs / 1000} s in vain until ${what}`, { cause: last });
}

/** Waiting any longer is of no use. */
export class Final extends Error {}

/** One Airflow and one DAG. */
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
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    return await fetch(`${this.#url}${path}`, { headers, signal, ...init });
  }

  /** Asks as the user admin. @throws {Error} with the status and the answer when Airflow refuses */
  // deno-lint-ignore no-explicit-any -- the shape of the answer is Airflow's
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
    if (!response.ok) throw new Error(`log-in refused: ${response.status} ${await response.text()}`);
    return (await response.json()).access_token;
  }

  /** What Airflow says about its metadata database, such as `healthy`. */
  async databaseHealth(): Promise<string> {
    const response = await this.#request("/api/v2/monitor/health");
    return (await response.json()).metadatabase.status;
  }

  /** Messages of DAG files that cannot be imported. */
  async importErrors(): Promise<string[]> {
    const { import_errors } = await this.#json("/api/v2/importErrors");
    return import_errors.map((error: { stack_trace: string }) => error.stack_trace);
  }

  /** Whether the DAG is paused; undefined while Airflow does not know it yet. */
  async isPaused(): Promise<boolean | undefined> {
    const { dags } = await this.#json("/api/v2/dags?limit=50");
    return dags.find((dag: { dag_id: string }) => dag.dag_id === this.#dag)?.is_paused;
  }

  /** Runs of a type: `scheduled` or `manual`. */
  async runs(type: string): Promise<Run[]> {
    return (await this.#json(`/api/v2/dags/${this.#dag}/dagRuns?run_type=${type}`)).dag_runs;
  }

  /** Starts a run by hand; returns its id. */
  async trigger(params: Record<string, unknown>): Promise<string> {
    const body = JSON.stringify({ logical_date: null, conf: params });
    const run = await this.#json(`/api/v2/dags/${this.#dag}/dagRuns`, { method: "POST", body });
    return run.dag_run_id;
  }

  /** State of a run. */
  async state(runId: string): Promise<string> {
    return (await this.#json(`/api/v2/dags/${this.#dag}/dagRuns/${encodeURIComponent(runId)}`)).state;
  }

  /** All tasks of a run. */
  async tasks(runId: string): Promise<Task[]> {
    const path = `/api/v2/dags/${this.#dag}/dagRuns/${encodeURIComponent(runId)}/taskInstances`;
    return (await this.#json(path)).task_instances;
  }

  /** Waits for a run to succeed; returns its tasks. @throws {Error} when it fails, naming the states of its tasks */
  async success(runId: string, timeoutMs: number): Promise<Task[]> {
    await until(`${runId} has succeeded`, timeoutMs, async () => {
      const state = await this.state(runId);
      if (state === "failed") {
        const tasks = await this.tasks(runId);
        throw new Final(
          `${runId} failed: ${tasks.map((task) => `${task.task_id} ${task.state}`).join(", ")}`,
        );
      }
      return state === "success";
    });
    return await this.tasks(runId);
  }
}
