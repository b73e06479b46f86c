/** Deploys Airflow to the cluster, and calls its REST API through a forwarded port. */
import { parse, parseAllDocuments, stringify } from "yaml";
import { Follower, kubectl, ROOT, run, until } from "./command.ts";
import { imageName } from "./images.ts";
import type { Settings } from "./settings.ts";

const DAG = "sales_pipeline";
const POLL_MS = 2_000;
/** A run takes five minutes on a slow machine, and up to twice that when pods are lost. */
const RUN_LIMIT_MS = 30 * 60_000;

interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: unknown;
}

/** The part of helm/values/airflow.yaml that is copied into the test's manifest. */
interface AirflowValues {
  env: EnvVar[];
  extraEnvFrom: string;
  securityContexts: { pod: unknown; containers: unknown };
  apiServer: { args: string[]; env: EnvVar[] };
}

/** Returns the variables that Airflow's chart would set. */
function chartEnvironment(namespace: string): EnvVar[] {
  const secret = (name: string, key: string) => ({
    name,
    valueFrom: { secretKeyRef: { name: "salesflow-airflow", key } },
  });
  return [
    secret("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "connection"),
    secret("AIRFLOW__CORE__FERNET_KEY", "fernet-key"),
    secret("AIRFLOW__API__SECRET_KEY", "api-secret-key"),
    secret("AIRFLOW__API_AUTH__JWT_SECRET", "jwt-secret"),
    { name: "AIRFLOW__CORE__EXECUTOR", value: "LocalExecutor" },
    {
      name: "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
      value: `http://airflow-api-server.${namespace}.svc:8080/execution/`,
    },
  ];
}

/** Returns the test's manifest with the settings of helm/values/airflow.yaml. */
export async function createAirflowManifest(settings: Settings): Promise<string> {
  const values: AirflowValues = parse(await Deno.readTextFile(`${ROOT}helm/values/airflow.yaml`));
  const documents = parseAllDocuments(await Deno.readTextFile(`${ROOT}tests/e2e/airflow.yaml`))
    .map((document) => document.toJS());
  const { spec } = documents.find(({ kind }) => kind === "Deployment").spec.template;
  spec.securityContext = values.securityContexts.pod;
  for (const container of [...spec.initContainers, ...spec.containers]) {
    Object.assign(container, {
      image: imageName(settings, "salesflow-airflow"),
      env: [...chartEnvironment(settings.namespace), ...values.env],
      envFrom: parse(values.extraEnvFrom),
      securityContext: values.securityContexts.containers,
      volumeMounts: [{ name: "logs", mountPath: "/opt/airflow/logs" }],
    });
    if (container.name !== "api-server") continue;
    container.args = values.apiServer.args;
    container.env.push(...values.apiServer.env);
  }
  return documents.map((document) => stringify(document)).join("---\n");
}

/** Deploys Airflow from the test's manifest and waits until it is ready. Called again, it applies new settings. */
export async function deployAirflow(settings: Settings): Promise<void> {
  const inNamespace = ["--namespace", settings.namespace];
  await run("kubectl", ["apply", ...inNamespace, "--filename", "-"], await createAirflowManifest(settings));
  // Running pods have read their settings from the ConfigMap at startup.
  const running = await kubectl(
    "get",
    "pods",
    ...inNamespace,
    "--selector",
    "tier=airflow",
    "--output",
    "name",
  );
  if (running !== "") await kubectl("rollout", "restart", "deployment/airflow", ...inNamespace);
  await kubectl("rollout", "status", "deployment/airflow", ...inNamespace, "--timeout", "10m");
}

/** A task instance of a DAG run. */
export interface TaskInstance {
  task_id: string;
  map_index: number;
  state: string | null;
  try_number: number;
}

/** A DAG run. */
export interface DagRun {
  dag_run_id: string;
  state: string;
  run_type: string;
}

/** Client of Airflow's REST API through a forwarded port. */
export class Airflow {
  readonly #forward: Follower;
  readonly #address: string;
  #token = "";

  private constructor(forward: Follower, address: string) {
    this.#forward = forward;
    this.#address = address;
  }

  /** Forwards a port to the API and logs in. */
  static async connect({ namespace }: Settings): Promise<Airflow> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const target = ["port-forward", "--namespace", namespace, "service/airflow-api-server", ":8080"];
    const forward = new Follower("kubectl", target, (line) => {
      const port = /127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port) resolve(`http://127.0.0.1:${port}`);
    });
    const airflow = new Airflow(forward, await promise);
    const template = 'go-template={{index .data "admin-password" | base64decode}}';
    const password = await kubectl(
      "get",
      "secret",
      "salesflow-airflow",
      "--namespace",
      namespace,
      "--output",
      template,
    );
    const response = await until(
      "Airflow accepts the password of the Secret",
      () => airflow.#send("POST", "/auth/token", { username: "admin", password }),
    );
    airflow.#token = (response as { access_token: string }).access_token;
    return airflow;
  }

  /** Stops forwarding. */
  close(): Promise<void> {
    return this.#forward.stop();
  }

  async #send(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.#address + path, {
      method,
      headers: {
        "content-type": "application/json",
        ...(this.#token ? { authorization: `Bearer ${this.#token}` } : {}),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: HTTP ${response.status}: ${text.slice(0, 500)}`);
    return JSON.parse(text);
  }

  /** Waits until the DAG is imported without errors, and unpauses it. */
  async unpause(): Promise<void> {
    await until("the DAG is imported", async () => {
      const { import_errors } = await this.#send("GET", "/api/v2/importErrors") as {
        import_errors: unknown[];
      };
      if (import_errors.length > 0) throw new Error(JSON.stringify(import_errors));
      return await this.#send("GET", `/api/v2/dags/${DAG}`);
    });
    await this.#send("PATCH", `/api/v2/dags/${DAG}`, { is_paused: false });
  }

  /** Returns the default of a parameter of the DAG. */
  async parameter(name: string): Promise<unknown> {
    const path = `/api/v2/dags/${DAG}/details`;
    const { params } = await this.#send("GET", path) as { params: Record<string, { value: unknown }> };
    return params[name]?.value;
  }

  /** Triggers a DAG run. */
  async trigger(conf: Record<string, unknown>): Promise<DagRun> {
    return await this.#send("POST", `/api/v2/dags/${DAG}/dagRuns`, { logical_date: null, conf }) as DagRun;
  }

  /** Waits until there is a DAG run; returns all. */
  async waitForRun(): Promise<DagRun[]> {
    return await until("the DAG is scheduled", async () => {
      const runs = await this.runs();
      return runs.length > 0 ? runs : undefined;
    }, { pauseMs: POLL_MS });
  }

  /** Returns all DAG runs, newest first. */
  async runs(): Promise<DagRun[]> {
    const path = `/api/v2/dags/${DAG}/dagRuns?order_by=-run_after`;
    return (await this.#send("GET", path) as { dag_runs: DagRun[] }).dag_runs;
  }

  /** Returns the task instances of a DAG run. */
  async tasks({ dag_run_id }: DagRun): Promise<TaskInstance[]> {
    const path = `/api/v2/dags/${DAG}/dagRuns/${encodeURIComponent(dag_run_id)}/taskInstances`;
    return (await this.#send("GET", path) as { task_instances: TaskInstance[] }).task_instances;
  }

  /** Returns the log of a task instance. */
  async log(run: DagRun, { task_id, map_index, try_number }: TaskInstance): Promise<string> {
    const path =
      `/api/v2/dags/${DAG}/dagRuns/${encodeURIComponent(run.dag_run_id)}/taskInstances/${task_id}` +
      `/logs/${try_number}?map_index=${map_index}&full_content=true`;
    const { content } = await this.#send("GET", path) as { content: { event?: string }[] | string };
    return typeof content === "string" ? content : content.map(({ event }) => event ?? "").join("\n");
  }

  /**
   * Waits until a DAG run has finished; returns its tasks.
   *
   * @throws {Error} with the ends of the failed tasks' logs when it failed
   */
  async finished(run: DagRun): Promise<TaskInstance[]> {
    const { state } = await until(`run ${run.dag_run_id} ends`, async () => {
      const now = (await this.runs()).find(({ dag_run_id }) => dag_run_id === run.dag_run_id);
      return now && ["success", "failed"].includes(now.state) ? now : undefined;
    }, { limitMs: RUN_LIMIT_MS, pauseMs: POLL_MS });
    const tasks = await this.tasks(run);
    if (state === "success") return tasks;
    const failed = tasks.filter((task) => task.state === "failed");
    const logs = await Promise.all(
      failed.map(async (task) => `${task.task_id}: ${(await this.log(run, task)).slice(-4000)}`),
    );
    throw new Error(`Run ${run.dag_run_id} failed.\n${logs.join("\n\n")}`);
  }
}
