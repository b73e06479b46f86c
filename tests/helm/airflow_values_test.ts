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
