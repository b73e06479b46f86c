import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findObject, listCiValues, render, type Rendering, ROOT, run } from "./chart.ts";

/** Reads the settings like the DAG and prints them as JSON. */
const READ_SETTINGS = `
import dataclasses, json, os, sys
sys.path.insert(0, "dags")
from salesflow_runners.settings import Settings
settings = Settings.from_environment(os.environ)
print(json.dumps(dataclasses.asdict(settings)))
`;

async function readSettings(rendering: Rendering): Promise<Record<string, unknown>> {
  const env: Record<string, string> = findObject(await render(rendering), "ConfigMap", "sf-dag").data;
  const { code, stdout, stderr } = await run("python3", ["-B", "-c", READ_SETTINGS], { env });
  assertEquals(code, 0, stderr);
  return JSON.parse(stdout);
}

describe("settings of the DAG", () => {
  for (const file of listCiValues()) {
    const name = file.slice(file.lastIndexOf("/") + 1);
    it(`are accepted by the DAG with ci/${name}`, async () => {
      const objects = await render({ files: [file], set: ["fullnameOverride=sf"] });
      if (!objects.some(({ metadata }) => metadata.name === "sf-dag")) return;
      const settings = await readSettings({ files: [file], set: ["fullnameOverride=sf"] });
      assertEquals([settings.runner, settings.namespace], ["kubernetes", "shop"]);
    });
  }

  it("contain only variables that the DAG reads", async () => {
    const source = await Deno.readTextFile(`${ROOT}dags/salesflow_runners/settings.py`);
    const exports = ["pipeline.source.name=shop.yaml", "pipeline.source.files.shop\\.yaml=version: 1"];
    const set = ["spark.dynamicAllocation.enabled=true", "pipeline.seed=7", ...exports];
    for (const variable of Object.keys(findObject(await render({ set }), "ConfigMap", "sf-dag").data)) {
      assertStringIncludes(source, `"${variable}"`);
    }
  });

  it("contain every value", async () => {
    const settings = await readSettings({
      set: [
        "pipeline.rows=123456789",
        "pipeline.seed=7",
        "pipeline.retries=5",
        "pipeline.retryDelaySeconds=9",
        "pipeline.pool=sales",
        "pipeline.generate.maxShards=8",
        "pipeline.generate.rowsPerShard=20000000",
        "images.salesflow.repository=registry.example.com/salesflow",
        "images.salesflow.tag=2.0.0",
        "images.spark.tag=2.0.1",
        "images.pullSecrets={one,two}",
        "images.pullPolicy=Always",
        "stages.resources.limits.memory=4Gi",
        "stages.nodeSelector.pool=batch",
        "stages.tolerations[0].key=batch",
        "stages.tolerations[0].operator=Exists",
        "stages.labels.team=sales",
        "stages.runAsUser=1000",
        "stages.startupTimeoutSeconds=60",
        "spark.driver.memory=2g",
        "spark.executor.instances=5",
        "spark.dynamicAllocation.enabled=true",
        "spark.dynamicAllocation.maxExecutors=12",
        "spark.conf.spark\\.network\\.timeout=300s",
        "spark.ttlSeconds=120",
      ],
    });
    const numbers = [
      "rows",
      "seed",
      "retries",
      "retry_delay",
      "generate_shards",
      "rows_per_shard",
      "run_as_user",
    ];
    assertEquals(
      numbers.map((name) => settings[name]),
      [123456789, 7, 5, 9, 8, 20000000, 1000],
    );
    assertEquals([settings.pool, settings.startup_timeout, settings.spark_ttl], ["sales", 60, 120]);
    assertEquals(
      [settings.image, settings.spark_image],
      ["registry.example.com/salesflow:2.0.0", "salesflow-spark:2.0.1"],
    );
    assertEquals([settings.image_pull_policy, settings.image_pull_secrets], ["Always", ["one", "two"]]);
    assertEquals(settings.resources, {
      requests: { cpu: "500m", memory: "512Mi" },
      limits: { memory: "4Gi" },
    });
    assertEquals(settings.node_selector, { pool: "batch" });
    assertEquals(settings.tolerations, [{ key: "batch", operator: "Exists" }]);
    assertEquals(settings.labels, { "app.kubernetes.io/instance": "sf", team: "sales" });
    assertEquals((settings.spark_driver as { memory: string }).memory, "2g");
    assertEquals((settings.spark_executor as { instances: number }).instances, 5);
    assertEquals(settings.spark_dynamic_allocation, { minExecutors: 1, maxExecutors: 12 });
    assertEquals(settings.spark_conf, { "spark.network.timeout": "300s" });
  });

  it("contain a source file with its lookup tables, or one in a bucket", async () => {
    const settings = await readSettings({
      set: [
        "pipeline.source.name=shop.yaml",
        "pipeline.source.files.shop\\.yaml=version: 1",
        "pipeline.source.files.regions\\.csv=City",
        "pipeline.source.waitHours=3",
        "pipeline.source.retrySeconds=600",
      ],
    });
    assertEquals(
      [settings.source, settings.source_config_map, settings.export_wait_hours, settings.export_retry],
      ["/etc/salesflow/source/shop.yaml", "sf-source", 3, 600],
    );
    const bucket = await readSettings({ set: ["pipeline.source.name=s3://sales/shop.yaml"] });
    assertEquals([bucket.source, bucket.source_config_map], ["s3://sales/shop.yaml", ""]);
  });

  it("contain CPUs as text even if they are numbers in YAML", async () => {
    const settings = await readSettings({
      set: [
        "stages.resources.requests.cpu=1",
        "stages.resources.limits.cpu=1.5",
        "spark.driver.coreRequest=1",
        "spark.executor.coreRequest=0.5",
        "spark.executor.coreLimit=2",
      ],
    });
    assertEquals(settings.resources, {
      requests: { cpu: "1", memory: "512Mi" },
      limits: { cpu: "1.5", memory: "2Gi" },
    });
    const cpus = ({ coreRequest, coreLimit }: Record<string, unknown>) => [coreRequest, coreLimit];
    assertEquals(cpus(settings.spark_driver as Record<string, unknown>), ["1", undefined]);
    assertEquals(cpus(settings.spark_executor as Record<string, unknown>), ["0.5", "2"]);
  });

  it("contain the default seed of salesflow when pipeline.seed is null", async () => {
    assertEquals((await readSettings({})).seed, 1);
  });

  it("refer to accounts, claims, secrets and config maps that the chart creates", async () => {
    const objects = await render();
    const { data } = findObject(objects, "ConfigMap", "sf-dag");
    findObject(objects, "ServiceAccount", data.SALESFLOW_K8S_SERVICE_ACCOUNT);
    findObject(objects, "ServiceAccount", data.SALESFLOW_SPARK_SERVICE_ACCOUNT);
    findObject(objects, "PersistentVolumeClaim", data.SALESFLOW_K8S_STORE_CLAIM);
    for (const name of data.SALESFLOW_K8S_SECRETS.split(",")) findObject(objects, "Secret", name);
    for (const name of data.SALESFLOW_K8S_CONFIG_MAPS.split(",")) findObject(objects, "ConfigMap", name);
  });
});
