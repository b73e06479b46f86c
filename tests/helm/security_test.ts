import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  findObject,
  findPods,
  hasObject,
  type KubernetesObject,
  listCiValues,
  readYaml,
  render,
  ROOT,
} from "./chart.ts";

/** Returns the verbs of a role by resource. */
function readPermissions(role: KubernetesObject): Record<string, string> {
  const lines: Record<string, string> = {};
  for (const { apiGroups, resources, verbs } of role.rules) {
    for (const resource of resources) {
      lines[[...apiGroups.filter((group: string) => group !== ""), resource].join("/")] = verbs.join(" ");
    }
  }
  return lines;
}

describe("pods of the chart", () => {
  for (const file of listCiValues()) {
    it(`comply with the pod security standard "restricted" and have no token, with ${file.slice(file.lastIndexOf("/") + 1)}`, async () => {
      const templates = findPods(await render({ files: [file] }));
      assertEquals(templates.some(({ owner }) => owner.startsWith("Pod/")), true);
      for (const { owner, spec } of templates) {
        const { runAsNonRoot, runAsUser, seccompProfile, fsGroup } = spec.securityContext;
        assertEquals(
          [runAsNonRoot, runAsUser > 0, seccompProfile.type],
          [true, true, "RuntimeDefault"],
          owner,
        );
        assertEquals(fsGroup, runAsUser, owner);
        assertEquals([spec.automountServiceAccountToken, spec.enableServiceLinks], [false, false], owner);
        for (const { securityContext, resources } of [...spec.containers, ...(spec.initContainers ?? [])]) {
          assertEquals(securityContext, {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ["ALL"] },
          }, owner);
          assertEquals(typeof resources.requests.cpu, "string", owner);
          assertEquals(typeof resources.limits.memory, "string", owner);
        }
      }
    });
  }

  it("receive only the passwords of their own server", async () => {
    const objects = await render();
    for (const { owner, spec } of findPods(objects)) {
      const [container] = spec.containers;
      const names = [
        ...(container.env ?? []).map((each: KubernetesObject) => each.valueFrom?.secretKeyRef?.name),
        ...(container.envFrom ?? []).map((each: KubernetesObject) => each.secretRef?.name),
      ].filter((name) => name !== undefined);
      const wanted: Record<string, string[]> = {
        "StatefulSet/sf-postgresql": ["sf-postgresql", "sf-postgresql", "sf-postgresql"],
        "StatefulSet/sf-clickhouse": ["sf-clickhouse"],
        "Pod/sf-doctor": ["sf-postgresql-url", "sf-clickhouse-url"],
      };
      assertEquals(names, wanted[owner], owner);
    }
  });
});

describe("accounts", () => {
  it("of the stages have no role", async () => {
    const objects = await render();
    const bound = objects.filter(({ kind }) => kind === "RoleBinding")
      .flatMap(({ subjects }) => subjects.map((subject: { name: string }) => subject.name));
    assertEquals(bound.sort(), ["sf-airflow", "sf-spark"]);
    assertEquals(findObject(objects, "ServiceAccount", "sf").automountServiceAccountToken, false);
  });

  it("of Airflow's scheduler mounts its token, which Airflow's chart does not request on the pod", async () => {
    assertEquals(
      findObject(await render(), "ServiceAccount", "sf-airflow").automountServiceAccountToken,
      true,
    );
    const values = readYaml("helm/values/airflow.yaml") as Record<string, { serviceAccount?: unknown }>;
    assertEquals(values.scheduler?.serviceAccount, { create: false, name: "salesflow-airflow" });
    for (const part of ["apiServer", "dagProcessor", "migrateDatabaseJob"]) {
      assertEquals(values[part]?.serviceAccount, { automountServiceAccountToken: false }, part);
    }
    const manifest = await Deno.readTextFile(`${ROOT}tests/e2e/airflow.yaml`);
    assertEquals(/automountServiceAccountToken/.test(manifest), false);
  });

  it("of Airflow may only manage pods and SparkApplications of one namespace", async () => {
    const objects = await render();
    assertEquals(readPermissions(findObject(objects, "Role", "sf-airflow")), {
      "pods": "get list watch create patch delete",
      "pods/log": "get",
      "events": "list watch",
      "sparkoperator.k8s.io/sparkapplications": "get list create delete",
      "sparkoperator.k8s.io/sparkapplications/status": "get",
    });
    assertEquals(objects.some(({ kind }) => kind.startsWith("Cluster")), false);
    // dags/README.md lists the same permissions, for roles created by hand.
    const documented = (await Deno.readTextFile(`${ROOT}dags/README.md`)).replaceAll("\n", " ");
    for (
      const each of [
        "`pods` (create, get, list, watch, patch, delete)",
        "`pods/log` (get)",
        "`events` (list, watch)",
        "`sparkapplications.sparkoperator.k8s.io` (create, get, list, delete) and its `/status` (get)",
      ]
    ) {
      assertStringIncludes(documented, each);
    }
  });

  it("of Spark's driver may only manage its executors", async () => {
    assertEquals(readPermissions(findObject(await render(), "Role", "sf-spark")), {
      pods: "get list watch create delete deletecollection",
      configmaps: "get list watch create delete deletecollection",
      services: "get list delete deletecollection",
      persistentvolumeclaims: "get list delete deletecollection",
    });
  });

  it("of an external Airflow are bound to the role", async () => {
    const set = ["airflow.serviceAccount.create=false", "airflow.serviceAccount.name=worker"];
    const objects = await render({ set: [...set, "airflow.serviceAccount.namespace=etl"] });
    assertEquals(hasObject(objects, "ServiceAccount", "sf-airflow"), false);
    assertEquals(findObject(objects, "RoleBinding", "sf-airflow").subjects, [
      { kind: "ServiceAccount", name: "worker", namespace: "etl" },
    ]);
  });

  it("of Airflow are not created when airflow.enabled is false", async () => {
    const objects = await render({ set: ["airflow.enabled=false"] });
    for (const kind of ["ServiceAccount", "Role", "RoleBinding", "Secret"]) {
      assertEquals(hasObject(objects, kind, "sf-airflow"), false, kind);
    }
    assertEquals(hasObject(objects, "ConfigMap", "sf-dag"), false);
  });
});
