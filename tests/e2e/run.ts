/**
 * The whole system on the current Kubernetes context, from images to an uninstallation; ends with `N passed, N failed`.
 * tests/e2e/README.md says what it needs and how it is told.
 */
import { assert, assertEquals } from "@std/assert";
import { readArguments } from "../arguments.ts";
import { Airflow } from "./airflow.ts";
import { startBucket } from "./bucket.ts";
import { kubectl, until } from "./command.ts";
import { loseDriver, loseLoad } from "./faults.ts";
import { buildImages, loadImages } from "./images.ts";
import {
  callInstall,
  claims,
  clearNamespace,
  collectLogs,
  helmTest,
  install,
  packOperator,
  prepareNamespace,
  removeNamespaces,
  secrets,
  serverPods,
  uninstall,
} from "./installation.ts";
import { shareOperator } from "./neighbour.ts";
import { readSettings } from "./settings.ts";
import { askPostgres, readTables, type Tables } from "./tables.ts";
import { Watch } from "./watch.ts";

const STAGES = ["aggregate", "clean", "generate", "load", "migrate", "report", "transfer", "verify"];
const ROWS = 20_000;
const LAST_LOAD = "SELECT to_char(max(loaded_at), 'YYYYMMDDHH24MISSUS') FROM shop.pipeline_runs";

readArguments({
  command: "deno task test:e2e",
  summary:
    "Tests the whole system on the current Kubernetes context. Settings are environment variables: tests/e2e/README.md.",
  flags: {},
});
const settings = readSettings();
const { namespace } = settings;

/** What one step leaves for the next. */
const seen: {
  /** The namespace may be thrown away. */
  isOurs?: boolean;
  airflow?: Airflow;
  watch?: Watch;
  tables?: Tables;
  passwords?: Awaited<ReturnType<typeof secrets>>;
} = {};

function known<T>(value: T | undefined): T {
  assert(value !== undefined);
  return value;
}

async function assertTablesAreTheSame(): Promise<void> {
  assertEquals(await readTables(namespace), known(seen.tables));
}

const STEPS: [name: string, step: () => Promise<string | void>][] = [
  ["the namespace is free", async () => {
    const remark = await clearNamespace(settings);
    seen.isOurs = true;
    return remark;
  }],
  ["images are built from the project's Dockerfiles", () => buildImages(settings)],
  ["images are brought into the cluster", () => loadImages(settings)],
  ["install.sh brings spark-operator, databases and Airflow's parts; all of them serve", async () => {
    try {
      await install(settings);
    } finally {
      await prepareNamespace(settings);
    }
    const { metadata } = JSON.parse(await kubectl("get", "namespace", namespace, "--output", "json"));
    assertEquals(metadata.labels["pod-security.kubernetes.io/enforce"], "restricted");
  }],
  ["install.sh once more, with the operator's chart as an archive, changes nothing", async () => {
    const [pods, passwords] = [await serverPods(settings), await secrets(settings)];
    await callInstall({ ...settings, operatorChart: await packOperator(settings) });
    assertEquals([await serverPods(settings), await secrets(settings)], [pods, passwords]);
  }],
  ["a second installation shares spark-operator, and leaves it to the first when it goes", async () => {
    await shareOperator(settings);
  }],
  ["helm test: salesflow doctor reaches both databases and the store", async () => {
    await helmTest(settings);
  }],
  ["the DAG is there; its scheduled run goes through all stages", async () => {
    seen.airflow = await Airflow.connect(settings);
    seen.watch = new Watch(namespace);
    await seen.airflow.unpause();
    const [run] = await seen.airflow.waitForRun();
    assertEquals(known(run).run_type, "scheduled");
    const tasks = await seen.airflow.finished(known(run));
    assertEquals(new Set(tasks.map(({ state }) => state)), new Set(["success"]));
    assertEquals([...new Set(tasks.map(({ task_id }) => task_id))].sort(), STAGES);
  }],
  ["pods ran the stages, without tokens but for Spark's drivers", () => {
    const pods = [...known(seen.watch).pods.values()];
    assertEquals([...new Set(pods.map(({ stage }) => stage))].sort(), STAGES);
    assertEquals(pods.filter(({ stage }) => stage === "generate").length, 2);
    for (const { name, role, hasToken, runAsUser } of pods) {
      assertEquals([hasToken, runAsUser], [role === "driver", "185"], name);
    }
    return Promise.resolve(`${pods.length} pods`);
  }],
  ["SparkApplications cleaned and aggregated", () => {
    const applications = [...known(seen.watch).applications.values()];
    assertEquals(applications.map(({ stage }) => stage).sort(), ["aggregate", "clean"]);
    for (const { stage, states } of applications) {
      assert(states.has("RUNNING") || states.has("COMPLETED"), stage);
    }
    const roles = (stage: string) =>
      [...known(seen.watch).pods.values()].filter((pod) => pod.stage === stage).map(({ role }) => role)
        .sort();
    assertEquals([roles("clean"), roles("aggregate")], [["driver", "executor"], ["driver", "executor"]]);
    return Promise.resolve();
  }],
  ["nothing of the stages is left: no pods, SparkApplications, services, configurations", async () => {
    const kinds = "pods,sparkapplications,services,configmaps,persistentvolumeclaims";
    await until("the run's objects are gone", async () => {
      const left = await kubectl("get", kinds, "--namespace", namespace, "--output", "name");
      const odd = left.split("\n").filter((name) =>
        /-(driver|exec)|spark-|sparkapplication|salesflow-(clean|load)/.test(name)
      );
      if (odd.length > 0) throw new Error(odd.join(", "));
      return true;
    });
  }],
  ["rows arrived in ClickHouse and add up across all boundaries", async () => {
    const tables = await readTables(namespace);
    assert(tables.rawRows > ROWS && tables.cleanRows > 0.9 * ROWS, JSON.stringify(tables));
    assertEquals(tables.rawRows, tables.cleanRows + tables.refusedRows);
    assertEquals([tables.sales, tables.cleanEngine], [tables.cleanRows, "spark"]);
    assert(tables.aggregates > 5 && tables.totalAmount !== "");
    assertEquals(
      [tables.clickhouseAggregates, tables.clickhouseTotalAmount],
      [tables.aggregates, tables.totalAmount],
    );
    seen.tables = tables;
    return `${tables.sales} sales, ${tables.clickhouseAggregates} aggregates, ${tables.totalAmount} roubles`;
  }],
  ["pods lost in the middle of stages are replaced, and the tables are the same", async () => {
    const airflow = known(seen.airflow);
    const watch = known(seen.watch);
    watch.reset();
    const run = await airflow.trigger({ as_of: known(seen.tables).runId });
    const ended = new AbortController();
    const [tasks, ...lost] = await Promise.all([
      airflow.finished(run).finally(() => ended.abort("the run has ended")),
      loseDriver(namespace, watch, "clean", ended.signal),
      loseLoad(namespace, watch, ended.signal),
    ]);
    const tries = (stage: string) => tasks.find(({ task_id }) => task_id === stage)?.try_number;
    assertEquals([tries("clean"), tries("load"), tries("transfer")], [2, 2, 1]);
    await assertTablesAreTheSame();
    return `lost ${lost.join(" and ")}`;
  }],
  ["an upgrade changes settings and keeps passwords and data", async () => {
    seen.passwords = await secrets(settings);
    await seen.airflow?.close();
    await seen.watch?.stop();
    assertEquals(await askPostgres(namespace, "SHOW work_mem"), "4MB");
    const values = ["postgresql.settings.work_mem=8MB", "pipeline.rows=15000"];
    await install(settings, { action: "upgrade", values });
    assertEquals(await askPostgres(namespace, "SHOW work_mem"), "8MB");
    assertEquals(await secrets(settings), seen.passwords);
    await assertTablesAreTheSame();
    await helmTest(settings);
    const airflow = seen.airflow = await Airflow.connect(settings);
    assertEquals((await airflow.runs()).length, 2);
    await until("the DAG has taken the number of rows over", async () => {
      const rows = await airflow.parameter("rows");
      return rows === 15_000 || undefined;
    });
  }],
  ["an uninstallation leaves volumes and passwords; an installation finds them again", async () => {
    await seen.airflow?.close();
    const before = await claims(settings);
    assertEquals(Object.keys(before).length, settings.bucket ? 2 : 3);
    await uninstall(settings);
    assertEquals(await kubectl("get", "pods", "--namespace", namespace, "--output", "name"), "");
    assertEquals(await claims(settings), before);
    assertEquals(await secrets(settings), known(seen.passwords));
    await install(settings);
    assertEquals(await claims(settings), before);
    await assertTablesAreTheSame();
    await helmTest(settings);
  }],
  ["runs move to a bucket, Spark chooses its executors, and the tables are the same", async () => {
    const bucket = settings.bucket ?? await startBucket(settings);
    if (!bucket) return "not tried: this machine has no Go to build a bucket service with";
    const values = ["enabled=true", "minExecutors=1", "maxExecutors=2"].map((each) =>
      `spark.dynamicAllocation.${each}`
    );
    await install(settings, { action: "upgrade", values, bucket });
    await helmTest(settings);
    const airflow = seen.airflow = await Airflow.connect(settings);
    const watch = seen.watch = new Watch(namespace);
    await until("the DAG has taken the number of rows back", async () => {
      const rows = await airflow.parameter("rows");
      return rows === ROWS || undefined;
    });
    const before = await askPostgres(namespace, LAST_LOAD);
    await airflow.finished(await airflow.trigger({ as_of: known(seen.tables).runId }));
    assert(await askPostgres(namespace, LAST_LOAD) > before);
    await assertTablesAreTheSame();
    const executors = [...watch.pods.values()].filter(({ stage, role }) =>
      stage === "clean" && role === "executor"
    );
    assert(executors.length >= 1 && executors.length <= 2, `${executors.length} executors`);
    await airflow.close();
    await watch.stop();
    return `${executors.length} executors cleaned`;
  }],
  ["an uninstallation with --purge leaves nothing", async () => {
    await uninstall(settings, { purge: true });
    assertEquals(await secrets(settings), {});
    await kubectl(
      "wait",
      "--for=delete",
      "persistentvolumeclaims",
      "--all",
      "--namespace",
      namespace,
      "--timeout=10m",
    );
    assertEquals(await claims(settings), {});
  }],
];

function explain(error: unknown): string {
  const lines: string[] = [];
  for (let at = error; at instanceof Error; at = at.cause) lines.push(at.message);
  return lines.join("\n  because: ") || String(error);
}

/** Runs the steps in order up to the first that fails; returns how many passed. */
async function runSteps(): Promise<number> {
  for (const [index, [name, step]] of STEPS.entries()) {
    const started = performance.now();
    const seconds = () => `${((performance.now() - started) / 1000).toFixed(0).padStart(4)} s`;
    try {
      const remark = await step();
      console.log(`ok   ${seconds()}  ${name}${remark ? ` (${remark})` : ""}`);
    } catch (error) {
      console.log(`FAIL ${seconds()}  ${name}\n${explain(error)}`);
      for (const [left] of STEPS.slice(index + 1)) console.log(`not run      ${left}`);
      return index;
    }
  }
  return STEPS.length;
}

/** Takes everything away; what has been shown to be somebody else's stays untouched. */
async function cleanUp(passed: number): Promise<void> {
  if (!seen.isOurs) return;
  if (settings.keep) {
    console.log(
      `SALESFLOW_E2E_KEEP is set: everything stays in ${namespace} and ${settings.operatorNamespace}`,
    );
    return;
  }
  try {
    if (passed < STEPS.length) await uninstall(settings, { purge: true });
  } catch (error) {
    console.log(explain(error));
  }
  await removeNamespaces(settings);
}

// Ctrl-C reaches the programs that a step runs too; what they leave is taken away here, once.
let interrupted: Promise<never> | undefined;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.addSignalListener(signal, () => {
    console.log(`Stopped by ${signal}`);
    interrupted ??= cleanUp(0).then(() => Deno.exit(1), () => Deno.exit(1));
  });
}

console.log(`context ${await kubectl("config", "current-context")}, namespace ${namespace}`);
const passed = await runSteps();
await interrupted;
await seen.airflow?.close();
await seen.watch?.stop();
if (passed < STEPS.length) console.log(await collectLogs(settings));
await cleanUp(passed);
console.log(`${passed} passed, ${STEPS.length - passed} failed`);
Deno.exit(passed === STEPS.length ? 0 : 1);
