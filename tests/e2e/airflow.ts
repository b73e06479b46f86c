/** Airflow in the cluster: put there, and asked over its REST API through a forwarded port. */
import { parse, parseAllDocuments, stringify } from "yaml";
import { Follower, kubectl, ROOT, run, until } from "./command.ts";
import { imageName } from "./images.ts";
import type { Settings } from "./settings.ts";

const DAG = "sales_pipeline";
const POLL_MS = 2_000;

interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: unknown;
}

/** The part of helm/values/airflow.yaml that the test's manifest takes over. */
interface AirflowValues {
  env: EnvVar[];
  extraEnvFrom: string;
  securityContexts: { pod: unknown; containers: unknown };
  apiServer: { args: string[]; env: EnvVar[] };
}

/** What Airflow's chart would set by itself. */
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

/** The test's manifest with the settings of helm/values/airflow.yaml. */
export async function airflowManifest(settings: Settings): Promise<string> {
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

/** Starts Airflow from the test's manifest and waits until it serves; done again, it takes new settings over. */
export async function deployAirflow(settings: Settings): Promise<void> {
  const inNamespace = ["--namespace", settings.namespace];
  await run("kubectl", ["apply", ...inNamespace, "--filename", "-"], await airflowManifest(settings));
  // Settings come from a ConfigMap, which a running process has read already.
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
  await kubectl("rollout", "status", "deployment/airflow", ...inNamespace, "--timeout", "5m");
}

/** One try of a stage. */
export interface TaskInstance {
  task_id: string;
  map_index: number;
  state: string | null;
  try_number: number;
}

/** A run of the DAG. */
export interface DagRun {
  dag_run_id: string;
  state: string;
  run_type: string;
}

/** Airflow's REST API behind a forwarded port. */
export class Airflow {
  readonly #forward: Follower;
  readonly #address: string;
  #token = "";

  private constructor(forward: Follower, address: string) {
    this.#forward = forward;
    this.#address = address;
  }

  /** Opens a way to the API and logs in. */
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
    const answer = await until(
      "Airflow accepts the password of the Secret",
      60_000,
      () => airflow.#send("POST", "/auth/token", { username: "admin", password }),
    );
    airflow.#token = (answer as { access_token: string }).access_token;
    return airflow;
  }

  /** Closes the way. */
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

  /** Waits until the DAG is there, without import errors, and lets it be scheduled. */
  async unpause(): Promise<void> {
    await until("the DAG is there", 180_000, async () => {
      const { import_errors } = await this.#send("GET", "/api/v2/importErrors") as {
        import_errors: unknown[];
      };
      if (import_errors.length > 0) throw new Error(JSON.stringify(import_errors));
      return await this.#send("GET", `/api/v2/dags/${DAG}`);
    });
    await this.#send("PATCH", `/api/v2/dags/${DAG}`, { is_paused: false });
  }

  /** What a parameter of the DAG is when a run does not say. */
  async parameter(name: string): Promise<unknown> {
    const path = `/api/v2/dags/${DAG}/details`;
    const { params } = await this.#send("GET", path) as { params: Record<string, { value: unknown }> };
    return params[name]?.value;
  }

  /** Starts a run by hand. */
  async trigger(conf: Record<string, unknown>): Promise<DagRun> {
    return await this.#send("POST", `/api/v2/dags/${DAG}/dagRuns`, { logical_date: null, conf }) as DagRun;
  }

  /** All runs, as soon as there is one. */
  async waitForRun(): Promise<DagRun[]> {
    return await until("the DAG is scheduled", 120_000, async () => {
      const runs = await this.runs();
      return runs.length > 0 ? runs : undefined;
    }, POLL_MS);
  }

  /** All runs, the newest first. */
  async runs(): Promise<DagRun[]> {
    const path = `/api/v2/dags/${DAG}/dagRuns?order_by=-run_after`;
    return (await this.#send("GET", path) as { dag_runs: DagRun[] }).dag_runs;
  }

  /** The stages of a run, as they stand. */
  async tasks({ dag_run_id }: DagRun): Promise<TaskInstance[]> {
    const path = `/api/v2/dags/${DAG}/dagRuns/${encodeURIComponent(dag_run_id)}/taskInstances`;
    return (await this.#send("GET", path) as { task_instances: TaskInstance[] }).task_instances;
  }

  /** The log of one try of a stage. */
  async log(run: DagRun, { task_id, map_index, try_number }: TaskInstance): Promise<string> {
    const path =
      `/api/v2/dags/${DAG}/dagRuns/${encodeURIComponent(run.dag_run_id)}/taskInstances/${task_id}` +
      `/logs/${try_number}?map_index=${map_index}&full_content=true`;
    const { content } = await this.#send("GET", path) as { content: { event?: string }[] | string };
    return typeof content === "string" ? content : content.map(({ event }) => event ?? "").join("\n");
  }

  /**
   * Waits for the end of a run.
   *
   * @throws {Error} when it failed, with the last lines of the stages that did
   */
  async finished(run: DagRun, limitMs: number): Promise<TaskInstance[]> {
    const { state } = await until(`run ${run.dag_run_id} ends`, limitMs, async () => {
      const now = (await this.runs()).find(({ dag_run_id }) => dag_run_id === run.dag_run_id);
      return now && ["success", "failed"].includes(now.state) ? now : undefined;
    }, POLL_MS);
    const tasks = await this.tasks(run);
    if (state === "success") return tasks;
    const failed = tasks.filter((task) => task.state === "failed");
    const logs = await Promise.all(
      failed.map(async (task) => `${task.task_id}: ${(await this.log(run, task)).slice(-4000)}`),
    );
    throw new Error(`Run ${run.dag_run_id} failed.\n${logs.join("\n\n")}`);
  }
}
