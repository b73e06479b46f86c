import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CHART, listCiValues, MIN_KUBERNETES_VERSION, render, renderTemplate, run } from "./chart.ts";

describe("the chart", () => {
  for (const file of listCiValues()) {
    const name = file.slice(file.lastIndexOf("/") + 1);
    it(`passes helm lint with ci/${name}`, async () => {
      const { code, stdout, stderr } = await run("helm", [
        "lint",
        CHART,
        "--strict",
        "--kube-version",
        MIN_KUBERNETES_VERSION,
        "--values",
        file,
      ]);
      assertEquals([code, /WARNING|ERROR/.exec(stdout + stderr)], [0, null], stdout + stderr);
    });

    it(`renders objects with unique names and the chart's labels with ci/${name}`, async () => {
      const objects = await render({ files: [file], release: "weekly" });
      const names = objects.map((object) => `${object.kind}/${object.metadata.name}`);
      assertEquals(names, [...new Set(names)]);
      for (const object of objects) {
        const labels = object.metadata.labels;
        assertEquals(labels["app.kubernetes.io/name"], "salesflow");
        assertEquals(labels["app.kubernetes.io/instance"], "weekly");
        assertMatch(labels["helm.sh/chart"] ?? "", /^salesflow-\d/);
      }
    });
  }

  it("rejects an unsupported Kubernetes version", async () => {
    const { code, stderr } = await run("helm", ["template", "sf", CHART, "--kube-version", "1.29.0"]);
    assertEquals(code, 1);
    assertMatch(stderr, /requires kubeVersion: >=1\.30/);
  });

  it("generates new passwords if it cannot read those in the cluster", async () => {
    const [first, second] = await Promise.all([renderTemplate(), renderTemplate()]);
    const password = (text: string) => /admin-password: "(\w+)"/.exec(text)?.[1];
    assertMatch(password(first.stdout) ?? "", /^[A-Za-z0-9]{32}$/);
    assertEquals(password(first.stdout) === password(second.stdout), false);
  });
});
