import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findObject, type KubernetesObject, render, type Rendering } from "./chart.ts";
import { type Endpoint, isAllowed, readDagLabels, readPodLabels, readPort } from "./network.ts";

const HOME = "shop";
/** Labels of Airflow's pods, both of its official chart and of tests/e2e/airflow.yaml. */
const AIRFLOW = { tier: "airflow", component: "scheduler", release: "airflow" };
const BUCKET = ["storage.type=s3", "storage.s3.bucket=sales", "storage.s3.existingSecret=keys"];

/** Returns the clients and servers of the test. */
async function createEndpoints(
  objects: KubernetesObject[],
  { airflowIn = HOME, bucketPort = 443 } = {},
): Promise<{ callers: Record<string, Endpoint>; targets: Record<string, Endpoint> }> {
  const { stage, spark } = await readDagLabels(objects);
  const inHome = (labels: Record<string, string>) => ({ namespace: HOME, labels });
  const server = (name: string): Endpoint => ({
    ...inHome(readPodLabels(objects, `StatefulSet/sf-${name}`)),
    port: readPort(objects, `sf-${name}`),
  });
  return {
    callers: {
      stage: inHome(stage),
      doctor: inHome(readPodLabels(objects, "Pod/sf-doctor")),
      // Spark adds its own labels.
      driver: inHome({ ...spark, "spark-role": "driver" }),
      executor: inHome({ ...spark, "spark-role": "executor" }),
      airflow: { namespace: airflowIn, labels: AIRFLOW },
      // Other pods: in this namespace, in another one with the same labels, of another release.
      stranger: inHome({ app: "curious" }),
      double: { namespace: "elsewhere", labels: stage },
      sibling: inHome({ ...stage, "app.kubernetes.io/instance": "other" }),
    },
    targets: {
      postgresql: server("postgresql"),
      clickhouse: server("clickhouse"),
      stage: { ...inHome(stage), port: 8080 },
      spark: { ...inHome({ ...spark, "spark-role": "driver" }), port: 7078 },
      names: { namespace: "kube-system", labels: { "k8s-app": "kube-dns" }, port: 53, protocol: "UDP" },
      // The port of OpenShift's DNS.
      "names at 5353": { port: 5353, protocol: "UDP" },
      "API server": { port: 6443 },
      "API server at 8443": { port: 8443 },
      bucket: { port: bucketPort },
      web: { port: 80 },
    },
  };
}

/** Returns the servers that each client may connect to. */
async function findReachable(
  rendering: Rendering,
  places: Parameters<typeof createEndpoints>[1] = {},
): Promise<Record<string, string[]>> {
  const objects = await render({ ...rendering, namespace: HOME });
  const { callers, targets } = await createEndpoints(objects, places);
  return Object.fromEntries(
    Object.entries(callers).map(([name, from]) => [
      name,
      Object.keys(targets).filter((target) => isAllowed(objects, HOME, from, targets[target]!)),
    ]),
  );
}

const NAMES = ["names", "names at 5353"];
const API = ["API server", "API server at 8443"];
/** Reachable for pods that no policy selects. */
const UNRESTRICTED = [...NAMES, ...API, "bucket", "web"];
const WITH_VOLUME = {
  stage: ["postgresql", "clickhouse", ...NAMES],
  doctor: ["postgresql", "clickhouse", ...NAMES],
  // A bucket on port 443 is reachable because the API server's service uses the same port.
  driver: ["postgresql", "spark", ...NAMES, ...API, "bucket"],
  executor: ["postgresql", "spark", ...NAMES, ...API, "bucket"],
  airflow: ["postgresql", ...UNRESTRICTED],
  stranger: UNRESTRICTED,
  double: UNRESTRICTED,
  sibling: UNRESTRICTED,
};

describe("network policies", () => {
  it("allow the required connections and no others", async () => {
    assertEquals(await findReachable({}), WITH_VOLUME);
  });

  it("work with custom labels", async () => {
    const set = ["commonLabels.team=data", "stages.labels.cost=sales", "fullnameOverride=sf"];
    assertEquals(await findReachable({ set, release: "weekly" }), WITH_VOLUME);
  });

  it("open the bucket's port, including one in its URL", async () => {
    const opened = { ...WITH_VOLUME, stage: [...WITH_VOLUME.stage, "bucket"] };
    opened.doctor = opened.stage;
    assertEquals(await findReachable({ set: BUCKET }), opened);
    const addresses: [string, number][] = [
      ["http://minio:9000", 9000],
      ["http://minio.storage.svc:9000/", 9000],
      ["https://s3.example.com:8444", 8444],
      ["https://s3.example.com", 443],
      ["http://[fd00::7]:9000", 9000],
    ];
    for (const [address, bucketPort] of addresses) {
      const set = [...BUCKET, `storage.s3.endpoint=${address}`];
      assertEquals(await findReachable({ set }, { bucketPort }), opened, address);
    }
    const web = await findReachable({ set: [...BUCKET, "storage.s3.endpoint=http://minio"] }, {
      bucketPort: 80,
    });
    assertEquals(web.stage, [...opened.stage, "web"]);
  });

  it("open the agent of EKS Pod Identity, and no other plain HTTP, with storage.s3.credentials=workloadIdentity", async () => {
    const identity = ["storage.s3.existingSecret=", "storage.s3.credentials=workloadIdentity"];
    for (const [set, expected] of [[BUCKET, false], [[...BUCKET, ...identity], true]] as const) {
      const objects = await render({ set, namespace: HOME });
      const { stage, spark } = await readDagLabels(objects);
      for (const labels of [stage, spark, readPodLabels(objects, "Pod/sf-doctor")]) {
        const to = (address: string, port: number) =>
          isAllowed(objects, HOME, { namespace: HOME, labels }, { address, port });
        for (const agent of ["169.254.170.23", "fd00:ec2::23"]) assertEquals(to(agent, 80), expected, agent);
        assertEquals([to("169.254.169.254", 80), to("169.254.170.23", 81)], [false, false]);
      }
    }
  });

  it("allow connections from an Airflow in another namespace to PostgreSQL, but not from other pods there", async () => {
    const set = ["create=false", "name=worker", "namespace=etl"].map((each) =>
      `airflow.serviceAccount.${each}`
    );
    assertEquals((await findReachable({ set }, { airflowIn: "etl" })).airflow, WITH_VOLUME.airflow);
    assertEquals((await findReachable({ set }, { airflowIn: HOME })).airflow, UNRESTRICTED);
    assertEquals((await findReachable({}, { airflowIn: "etl" })).airflow, UNRESTRICTED);
  });

  it("deny connections from Airflow to PostgreSQL when Airflow's database is elsewhere", async () => {
    for (const set of ["airflow.database.create=false", "networkPolicy.airflowPodLabels.tier=other"]) {
      assertEquals((await findReachable({ set: [set] })).airflow, UNRESTRICTED, set);
    }
  });

  it("allow connections from networkPolicy.extraClients", async () => {
    const set = ["networkPolicy.extraClients[0].podSelector.matchLabels.app=curious"];
    assertEquals((await findReachable({ set })).stranger, ["postgresql", "clickhouse", ...UNRESTRICTED]);
  });

  it("open the ports of external databases only if there are some", async () => {
    const set = [
      "postgresql.enabled=false",
      "postgresql.external.existingSecret=warehouse",
      "airflow.database.create=false",
      "networkPolicy.externalDatabasePorts={5433}",
    ];
    const objects = await render({ set, namespace: HOME });
    const { stage, spark } = await readDagLabels(objects);
    for (const labels of [stage, spark]) {
      const to = (port: number) => isAllowed(objects, HOME, { namespace: HOME, labels }, { port });
      assertEquals([to(5433), to(5432)], [true, false]);
    }
  });

  it("deny all connections from the servers", async () => {
    const objects = await render();
    for (const server of ["postgresql", "clickhouse"]) {
      const { policyTypes, egress } = findObject(objects, "NetworkPolicy", `sf-${server}`).spec;
      assertEquals([policyTypes, egress], [["Ingress", "Egress"], []]);
    }
  });

  it("are not rendered when networkPolicy.enabled is false", async () => {
    const objects = await render({ set: ["networkPolicy.enabled=false"] });
    assertEquals(objects.filter(({ kind }) => kind === "NetworkPolicy"), []);
  });
});
