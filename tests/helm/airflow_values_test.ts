/**
 * Tests helm/values/airflow.yaml: what it says, and what Airflow's official chart makes of it. The latter needs the chart, as a
 * folder or archive in SALESFLOW_E2E_AIRFLOW_CHART.
 */
import { assertEquals } from "@std/assert";
import { beforeAll, describe, it } from "@std/testing/bdd";
import { parseAllDocuments } from "yaml";
import {
  findObject,
  hasObject,
  type KubernetesObject,
  MIN_KUBERNETES_VERSION,
  readYaml,
  ROOT,
  run,
} from "./chart.ts";

// deno-lint-ignore no-explicit-any -- values of any shape
const values = readYaml("helm/values/airflow.yaml") as any;

describe("values for Airflow's chart", () => {
  it("create nothing for Redis and for the job that creates users, which are off", () => {
    assertEquals(values.redis, { enabled: false });
    assertEquals(values.createUserJob, { enabled: false, serviceAccount: { create: false } });
  });

  it("ask the scheduler for its health, without starting another Airflow", () => {
    const { startupProbe, livenessProbe, env } = values.scheduler;
    for (const { command } of [startupProbe, livenessProbe]) {
      assertEquals([command[0], command.at(-1)], ["curl", "http://127.0.0.1:8974/health"]);
    }
    assertEquals(env, [{ name: "AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK", value: "True" }]);
    assertEquals(values.scheduler.safeToEvict, false);
  });

  it("give the scheduler memory for all tasks that it may run at once", () => {
    const parallelism = values.env.find(({ name }: { name: string }) =>
      name === "AIRFLOW__CORE__PARALLELISM"
    );
    const limit = Number(/^(\d+)Gi$/.exec(values.scheduler.resources.limits.memory)?.[1]) * 1024;
    // Measured: 190 MB for a pod that is followed, and less than 1 GiB for the scheduler.
    assertEquals(limit >= 1024 + Number(parallelism.value) * 190, true);
  });
});

const ARCHIVE = Deno.env.get("SALESFLOW_E2E_AIRFLOW_CHART");
const CHART = ARCHIVE === "official" ? undefined : ARCHIVE;
const official = CHART ? it : it.skip;
const WHERE = CHART ? "" : " (SALESFLOW_E2E_AIRFLOW_CHART names no chart)";

describe("Airflow's chart with these values", () => {
  let objects: KubernetesObject[] = [];

  beforeAll(async () => {
    if (!CHART) return;
    const fixed = ["--namespace", "shop", "--kube-version", MIN_KUBERNETES_VERSION];
    const args = ["template", "airflow", CHART, ...fixed, "--values", `${ROOT}helm/values/airflow.yaml`];
    const { code, stdout, stderr } = await run("helm", args);
    assertEquals(code, 0, stderr);
    objects = parseAllDocuments(stdout).map((document) => document.toJS()).filter((object) =>
      object !== null
    );
  });

  official(`restarts the scheduler only when it does not answer, and lets nothing evict it${WHERE}`, () => {
    const { spec } = findObject(objects, "StatefulSet", "airflow-scheduler");
    const { containers } = spec.template.spec;
    const [scheduler, groomer] = ["scheduler", "scheduler-log-groomer"].map((name) =>
      containers.find((container: { name: string }) => container.name === name)
    );
    for (const probe of [scheduler.startupProbe, scheduler.livenessProbe]) {
      assertEquals(probe.exec.command, values.scheduler.livenessProbe.command);
      assertEquals(probe.periodSeconds * probe.failureThreshold >= 300, true);
    }
    const variables = (container: { env: { name: string; value?: string }[] }) =>
      Object.fromEntries(container.env.map(({ name, value }) => [name, value]));
    assertEquals(variables(scheduler).AIRFLOW__SCHEDULER__ENABLE_HEALTH_CHECK, "True");
    assertEquals(variables(groomer).CONNECTION_CHECK_MAX_COUNT, "0");
    const annotations = spec.template.metadata.annotations;
    assertEquals(annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"], "false");
  });

  official(`gives no pod the addresses of the namespace's Services as variables${WHERE}`, () => {
    const pods = objects.filter(({ kind }) => /^(Deployment|StatefulSet|Job)$/.test(kind));
    assertEquals(pods.length, 4);
    for (const { metadata, spec } of pods) {
      assertEquals(spec.template.spec.enableServiceLinks, false, metadata.name);
    }
  });

  official(`creates no account and no Secret that nothing uses${WHERE}`, () => {
    assertEquals(hasObject(objects, "ServiceAccount", "airflow-create-user-job"), false);
    // The chart creates this one for any executor.
    const secrets = objects.filter(({ kind }) => kind === "Secret");
    assertEquals(secrets.map(({ metadata }) => metadata.name), ["airflow-broker-url"]);
    // install.sh --purge deletes by this label.
    const { labels } = findObject(objects, "Secret", "airflow-broker-url").metadata;
    assertEquals(labels.release, "airflow");
  });
});
