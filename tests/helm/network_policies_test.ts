import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { find, type KubernetesObject, render, type Rendering } from "./chart.ts";
import { type End, isAllowed, labelsOf, labelsOfDag, portOf } from "./network.ts";

const HOME = "shop";
/** Labels of the pods of Airflow's chart, and of the test's own Airflow. */
const AIRFLOW = { tier: "airflow", component: "scheduler", release: "airflow" };
const BUCKET = ["storage.type=s3", "storage.s3.bucket=sales", "storage.s3.existingSecret=keys"];

/** Who calls, and what there is to call. */
async function ends(
  objects: KubernetesObject[],
  { airflowIn = HOME, bucketPort = 443 } = {},
): Promise<{ callers: Record<string, End>; targets: Record<string, End> }> {
  const { stage, spark } = await labelsOfDag(objects);
  const here = (labels: Record<string, string>) => ({ namespace: HOME, labels });
  const server = (name: string): End => ({
    ...here(labelsOf(objects, `StatefulSet/sf-${name}`)),
    port: portOf(objects, `sf-${name}`),
  });
  return {
    callers: {
      stage: here(stage),
      doctor: here(labelsOf(objects, "Pod/sf-doctor")),
      // Spark adds labels of its own, which change nothing.
      driver: here({ ...spark, "spark-role": "driver" }),
      executor: here({ ...spark, "spark-role": "executor" }),
      airflow: { namespace: airflowIn, labels: AIRFLOW },
      // Somebody else's pods: of this namespace, of another one with the very labels of ours, of another release.
      stranger: here({ app: "curious" }),
      double: { namespace: "elsewhere", labels: stage },
      sibling: here({ ...stage, "app.kubernetes.io/instance": "other" }),
    },
    targets: {
      postgresql: server("postgresql"),
      clickhouse: server("clickhouse"),
      stage: { ...here(stage), port: 8080 },
      spark: { ...here({ ...spark, "spark-role": "driver" }), port: 7078 },
      names: { namespace: "kube-system", labels: { "k8s-app": "kube-dns" }, port: 53, protocol: "UDP" },
      // As OpenShift's are reached.
      "names at 5353": { port: 5353, protocol: "UDP" },
      "API server": { port: 6443 },
      "API server at 8443": { port: 8443 },
      bucket: { port: bucketPort },
      web: { port: 80 },
    },
  };
}

/** What each caller reaches. */
async function reached(
  rendering: Rendering,
  places: Parameters<typeof ends>[1] = {},
): Promise<Record<string, string[]>> {
  const objects = await render({ ...rendering, namespace: HOME });
  const { callers, targets } = await ends(objects, places);
  return Object.fromEntries(
    Object.entries(callers).map(([name, from]) => [
      name,
      Object.keys(targets).filter((target) => isAllowed(objects, HOME, from, targets[target]!)),
    ]),
  );
}

const NAMES = ["names", "names at 5353"];
const API = ["API server", "API server at 8443"];
/** Whom no policy of the chart selects. */
const FREE = [...NAMES, ...API, "bucket", "web"];
const WITH_VOLUME = {
  stage: ["postgresql", "clickhouse", ...NAMES],
  doctor: ["postgresql", "clickhouse", ...NAMES],
  // The port of a bucket on the web is that of the API server's service.
  driver: ["postgresql", "spark", ...NAMES, ...API, "bucket"],
  executor: ["postgresql", "spark", ...NAMES, ...API, "bucket"],
  airflow: ["postgresql", ...FREE],
  stranger: FREE,
  double: FREE,
  sibling: FREE,
};

describe("network policies", () => {
  it("let everybody reach what they need, and nothing else", async () => {
    assertEquals(await reached({}), WITH_VOLUME);
  });

  it("do so with labels of people, too", async () => {
    const set = ["commonLabels.team=data", "stages.labels.cost=sales", "fullnameOverride=sf"];
    assertEquals(await reached({ set, release: "weekly" }), WITH_VOLUME);
  });

  it("open the bucket's port, the one of its address included", async () => {
    const opened = { ...WITH_VOLUME, stage: [...WITH_VOLUME.stage, "bucket"] };
    opened.doctor = opened.stage;
    assertEquals(await reached({ set: BUCKET }), opened);
    const addresses: [string, number][] = [
      ["http://minio:9000", 9000],
      ["http://minio.storage.svc:9000/", 9000],
      ["https://s3.example.com:8444", 8444],
      ["https://s3.example.com", 443],
      ["http://[fd00::7]:9000", 9000],
    ];
    for (const [address, bucketPort] of addresses) {
      const set = [...BUCKET, `storage.s3.endpoint=${address}`];
      assertEquals(await reached({ set }, { bucketPort }), opened, address);
    }
    const web = await reached({ set: [...BUCKET, "storage.s3.endpoint=http://minio"] }, { bucketPort: 80 });
    assertEquals(web.stage, [...opened.stage, "web"]);
  });

  it("let an Airflow of another namespace reach PostgreSQL, and there nobody else", async () => {
    const set = ["create=false", "name=worker", "namespace=etl"].map((each) =>
      `airflow.serviceAccount.${each}`
    );
    assertEquals((await reached({ set }, { airflowIn: "etl" })).airflow, WITH_VOLUME.airflow);
    assertEquals((await reached({ set }, { airflowIn: HOME })).airflow, FREE);
    assertEquals((await reached({}, { airflowIn: "etl" })).airflow, FREE);
  });

  it("keep Airflow away from PostgreSQL when its database is not there", async () => {
    for (const set of ["airflow.database.create=false", "networkPolicy.airflowPodLabels.tier=other"]) {
      assertEquals((await reached({ set: [set] })).airflow, FREE, set);
    }
  });

  it("let more clients in when networkPolicy.extraClients names them", async () => {
    const set = ["networkPolicy.extraClients[0].podSelector.matchLabels.app=curious"];
    assertEquals((await reached({ set })).stranger, ["postgresql", "clickhouse", ...FREE]);
  });

  it("open the ports of databases outside the cluster only where there are some", async () => {
    const set = [
      "postgresql.enabled=false",
      "postgresql.external.existingSecret=warehouse",
      "airflow.database.create=false",
      "networkPolicy.externalDatabasePorts={5433}",
    ];
    const objects = await render({ set, namespace: HOME });
    const { stage, spark } = await labelsOfDag(objects);
    for (const labels of [stage, spark]) {
      const to = (port: number) => isAllowed(objects, HOME, { namespace: HOME, labels }, { port });
      assertEquals([to(5433), to(5432)], [true, false]);
    }
  });

  it("let the servers call nobody", async () => {
    const objects = await render();
    for (const server of ["postgresql", "clickhouse"]) {
      const { policyTypes, egress } = find(objects, "NetworkPolicy", `sf-${server}`).spec;
      assertEquals([policyTypes, egress], [["Ingress", "Egress"], []]);
    }
  });

  it("are not there when networkPolicy.enabled is false", async () => {
    const objects = await render({ set: ["networkPolicy.enabled=false"] });
    assertEquals(objects.filter(({ kind }) => kind === "NetworkPolicy"), []);
  });
});
