import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { findObject, findPods, hasObject, type KubernetesObject, render } from "./chart.ts";

const EXTERNAL_POSTGRES = [
  "postgresql.enabled=false",
  "postgresql.external.existingSecret=warehouse",
  "airflow.database.create=false",
];
const EXTERNAL_CLICKHOUSE = ["clickhouse.enabled=false", "clickhouse.external.existingSecret=analytics"];
const BUCKET = ["storage.type=s3", "storage.s3.bucket=sales", "storage.s3.existingSecret=keys"];

function findDoctor(objects: KubernetesObject[]): KubernetesObject {
  return findObject(objects, "Pod", "sf-doctor");
}

describe("servers", () => {
  it("are StatefulSets of the official images, with a retained volume", async () => {
    const objects = await render();
    for (
      const [name, image] of [["postgresql", "postgres:18"], [
        "clickhouse",
        "clickhouse/clickhouse-server:26.3",
      ]]
    ) {
      const { spec } = findObject(objects, "StatefulSet", `sf-${name}`);
      assertEquals(spec.template.spec.containers[0].image, image);
      assertEquals(spec.persistentVolumeClaimRetentionPolicy, {
        whenDeleted: "Retain",
        whenScaled: "Retain",
      });
      assertEquals(spec.serviceName, findObject(objects, "Service", `sf-${name}`).metadata.name);
      assertEquals(spec.selector.matchLabels, findObject(objects, "Service", `sf-${name}`).spec.selector);
    }
  });

  it("mount PostgreSQL's volume at the data folder of version 18 and later", async () => {
    const { spec } = findObject(await render(), "StatefulSet", "sf-postgresql");
    const mounts = spec.template.spec.containers[0].volumeMounts;
    const data = mounts.find(({ name }: { name: string }) => name === "data");
    assertEquals(data.mountPath, "/var/lib/postgresql");
  });

  it("use settings, sizes, storage classes, node selectors and resources from values", async () => {
    const objects = await render({
      set: [
        "postgresql.settings.work_mem=64MB",
        "postgresql.persistence.size=7Gi",
        "postgresql.persistence.storageClass=fast",
        "postgresql.nodeSelector.disk=ssd",
        "postgresql.resources.limits.memory=3Gi",
        "images.postgresql.repository=mirror.example.com/postgres",
      ],
    });
    const { spec } = findObject(objects, "StatefulSet", "sf-postgresql");
    const pod = spec.template.spec;
    assertEquals(pod.containers[0].args.includes("work_mem=64MB"), true);
    assertEquals(pod.containers[0].args.includes("wal_level=minimal"), true);
    assertEquals(pod.containers[0].image, "mirror.example.com/postgres:18");
    assertEquals(pod.containers[0].resources.limits.memory, "3Gi");
    assertEquals(pod.nodeSelector, { disk: "ssd" });
    assertEquals(spec.volumeClaimTemplates[0].spec, {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "fast",
      resources: { requests: { storage: "7Gi" } },
    });
  });

  it("are omitted when external, and the stages use the named Secrets", async () => {
    const objects = await render({ set: [...EXTERNAL_POSTGRES, ...EXTERNAL_CLICKHOUSE] });
    assertEquals(objects.some(({ kind }) => kind === "StatefulSet" || kind === "Service"), false);
    assertEquals(hasObject(objects, "Secret", "sf-postgresql-url"), false);
    const secrets = findDoctor(objects).spec.containers[0].envFrom.flatMap((each: KubernetesObject) =>
      each.secretRef ? [each.secretRef.name] : []
    );
    assertEquals(secrets, ["warehouse", "analytics"]);
    assertEquals(
      findObject(objects, "ConfigMap", "sf-dag").data.SALESFLOW_K8S_SECRETS,
      "warehouse,analytics",
    );
  });

  it("create missing roles of PostgreSQL at every start", async () => {
    const { spec } = findObject(await render(), "StatefulSet", "sf-postgresql");
    const [container] = spec.template.spec.containers;
    const roles = container.volumeMounts.find(({ name }: { name: string }) => name === "roles").mountPath;
    assertEquals(container.lifecycle.postStart.exec.command, ["bash", `${roles}/roles.sh`, "wait"]);
  });

  it("create Airflow's role and database unless airflow.database.create is false", async () => {
    const script = (objects: KubernetesObject[]) =>
      findObject(objects, "ConfigMap", "sf-postgresql").data["roles.sh"];
    assertMatch(script(await render()), /CREATE DATABASE airflow OWNER airflow/);
    const without = await render({ set: ["airflow.database.create=false"] });
    assertEquals(/airflow/i.test(script(without)), false);
    assertEquals("connection" in findObject(without, "Secret", "sf-airflow").stringData, false);
  });
});

describe("secrets", () => {
  it("contain URLs with the servers' passwords, and are kept on uninstallation", async () => {
    const objects = await render({ namespace: "shop" });
    const text = (name: string) => findObject(objects, "Secret", name).stringData;
    const { password, "airflow-password": airflow } = text("sf-postgresql");
    assertEquals(
      text("sf-postgresql-url").SALESFLOW_POSTGRES_URL,
      `postgresql://salesflow:${password}@sf-postgresql.shop.svc:5432/salesflow`,
    );
    assertEquals(
      text("sf-clickhouse-url").SALESFLOW_CLICKHOUSE_URL,
      `http://salesflow:${text("sf-clickhouse").password}@sf-clickhouse.shop.svc:8123`,
    );
    assertEquals(
      text("sf-airflow").connection,
      `postgresql://airflow:${airflow}@sf-postgresql.shop.svc:5432/airflow`,
    );
    for (const { kind, metadata } of objects) {
      if (kind === "Secret") {
        assertEquals(metadata.annotations?.["helm.sh/resource-policy"], "keep", metadata.name);
      }
    }
  });

  it("contain unique passwords that need no escaping in URLs", async () => {
    const objects = await render();
    const texts = objects.filter(({ kind }) => kind === "Secret").flatMap(({ stringData }) =>
      Object.entries<string>(stringData).filter(([key]) => key.includes("password")).map(([, value]) => value)
    );
    assertEquals(texts.length, 5);
    assertEquals(new Set(texts).size, 5);
    for (const text of texts) assertMatch(text, /^[A-Za-z0-9]{24,}$/);
  });

  it("contain a Fernet key of 32 bytes", async () => {
    const key = findObject(await render(), "Secret", "sf-airflow").stringData["fernet-key"];
    assertEquals(Uint8Array.fromBase64(key, { alphabet: "base64url" }).length, 32);
  });

  it("are not created when secrets.create is false", async () => {
    const objects = await render({ set: ["secrets.create=false"] });
    assertEquals(objects.filter(({ kind }) => kind === "Secret"), []);
  });
});

describe("storage", () => {
  it("is a claim that is kept on uninstallation, mounted into the stages", async () => {
    const objects = await render({
      set: ["storage.pvc.size=3Gi", "storage.pvc.accessModes={ReadWriteMany}"],
    });
    const claim = findObject(objects, "PersistentVolumeClaim", "sf-store");
    assertEquals(claim.metadata.annotations?.["helm.sh/resource-policy"], "keep");
    assertEquals(claim.spec, { accessModes: ["ReadWriteMany"], resources: { requests: { storage: "3Gi" } } });
    const pod = findDoctor(objects).spec;
    assertEquals(pod.containers[0].args, ["doctor", "--store", "file:///var/lib/salesflow"]);
    assertEquals(pod.volumes[1].persistentVolumeClaim.claimName, "sf-store");
    assertEquals(pod.containers[0].volumeMounts[1].mountPath, "/var/lib/salesflow");
  });

  it("keeps all pods with the store on one node, unless several can mount it", async () => {
    const sameNode = {
      labelSelector: {
        matchLabels: { "app.kubernetes.io/name": "salesflow", "app.kubernetes.io/instance": "sf" },
        matchExpressions: [{
          key: "app.kubernetes.io/component",
          operator: "In",
          values: ["stage", "spark", "test"],
        }],
      },
      topologyKey: "kubernetes.io/hostname",
    };
    const affinity = async (...set: string[]) => {
      const objects = await render({ set });
      const found = JSON.parse(findObject(objects, "ConfigMap", "sf-dag").data.SALESFLOW_K8S_AFFINITY);
      assertEquals(findDoctor(objects).spec.affinity, found);
      return found;
    };
    const required = "requiredDuringSchedulingIgnoredDuringExecution";
    assertEquals(await affinity(), { podAffinity: { [required]: [sameNode] } });
    assertEquals(await affinity("storage.pvc.existingClaim=runs"), {
      podAffinity: { [required]: [sameNode] },
    });
    const own = `stages.affinity.podAffinity.${required}[0].topologyKey=zone`;
    assertEquals(await affinity(own), { podAffinity: { [required]: [{ topologyKey: "zone" }, sameNode] } });
    assertEquals(await affinity("storage.pvc.accessModes={ReadWriteMany}"), {});
    assertEquals(await affinity(...BUCKET), {});
  });

  it("is an existing claim if one is named", async () => {
    const set = ["storage.pvc.existingClaim=runs", "storage.pvc.mountPath=/data"];
    const objects = await render({ set });
    assertEquals(hasObject(objects, "PersistentVolumeClaim", "sf-store"), false);
    const settings = findObject(objects, "ConfigMap", "sf-dag").data;
    assertEquals([settings.SALESFLOW_STORE, settings.SALESFLOW_K8S_STORE_CLAIM], ["file:///data", "runs"]);
  });

  it("is a bucket with storage.type s3: no claim, credentials from the Secret, location from values", async () => {
    const place = [
      "storage.s3.prefix=a/b",
      "storage.s3.endpoint=http://minio:9000",
      "storage.s3.region=ru-1",
    ];
    const objects = await render({ set: [...BUCKET, ...place] });
    assertEquals(hasObject(objects, "PersistentVolumeClaim", "sf-store"), false);
    assertEquals(findDoctor(objects).spec.volumes, [{ name: "tmp", emptyDir: {} }]);
    const { SALESFLOW_STORE, SALESFLOW_K8S_SECRETS, SALESFLOW_K8S_STORE_CLAIM } =
      findObject(objects, "ConfigMap", "sf-dag").data;
    assertEquals(
      [SALESFLOW_STORE, SALESFLOW_K8S_SECRETS, SALESFLOW_K8S_STORE_CLAIM],
      ["s3://sales/a/b", "sf-postgresql-url,sf-clickhouse-url,keys", undefined],
    );
    const { AWS_REGION, SALESFLOW_S3_ENDPOINT } = findObject(objects, "ConfigMap", "sf-stage").data;
    assertEquals([AWS_REGION, SALESFLOW_S3_ENDPOINT], ["ru-1", "http://minio:9000"]);
  });

  it("needs no Secret with storage.s3.credentials=workloadIdentity", async () => {
    const identity = ["storage.s3.existingSecret=", "storage.s3.credentials=workloadIdentity"];
    const role = "serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn=arn:aws:iam::1:role/sales";
    const objects = await render({ set: [...BUCKET, ...identity, `stages.${role}`, `spark.${role}`] });
    const names = findDoctor(objects).spec.containers[0].envFrom.flatMap((each: KubernetesObject) =>
      each.secretRef ? [each.secretRef.name] : []
    );
    assertEquals(names, ["sf-postgresql-url", "sf-clickhouse-url"]);
    // The driver's account, and that of executors and of the binary.
    for (const name of ["sf", "sf-spark"]) {
      const { annotations } = findObject(objects, "ServiceAccount", name).metadata;
      assertEquals(annotations?.["eks.amazonaws.com/role-arn"], "arn:aws:iam::1:role/sales");
    }
  });

  it("sets no endpoint by default, so that the client uses Amazon's", async () => {
    const { data } = findObject(await render({ set: BUCKET }), "ConfigMap", "sf-stage");
    assertEquals(["AWS_REGION" in data, "SALESFLOW_S3_ENDPOINT" in data], [true, false]);
  });
});

describe("names and labels", () => {
  it("follow fullnameOverride and commonLabels", async () => {
    const objects = await render({ set: ["fullnameOverride=sales", "commonLabels.team=data"] });
    for (const { kind, metadata } of objects) {
      assertMatch(metadata.name, /^sales(-|$)/, kind);
      assertEquals(metadata.labels.team, "data", kind);
    }
    for (const { labels, owner } of findPods(objects)) assertEquals(labels.team, "data", owner);
  });

  it("of the servers' pods contain no version, which would restart them on each chart upgrade", async () => {
    for (const { owner, labels } of findPods(await render())) {
      if (!owner.startsWith("StatefulSet/")) continue;
      assertEquals(Object.keys(labels).sort(), [
        "app.kubernetes.io/component",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/managed-by",
        "app.kubernetes.io/name",
      ], owner);
    }
  });

  it("are not too long with the longest release name that helm allows", async () => {
    const objects = await render({ release: "a".repeat(53) });
    for (const { kind, metadata } of objects) {
      // Pods of a StatefulSet have a label of its name, a dash and ten characters; the limit of labels is 63.
      assertEquals(metadata.name.length <= (kind === "StatefulSet" ? 52 : 63), true, metadata.name);
    }
  });
});
