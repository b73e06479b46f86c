import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import {
  checkTag,
  defaultRegistry,
  executableName,
  IMAGES,
  pointToRegistry,
  ROOT,
} from "../../release/names.ts";

const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));

describe("IMAGES", () => {
  it("are the images that chart and Airflow's values use, with Dockerfiles that exist", async () => {
    const values = await read("helm/salesflow/values.yaml") + await read("helm/values/airflow.yaml");
    for (const [name, dockerfile] of Object.entries(IMAGES)) {
      assertStringIncludes(`${values}\n`, `epository: ${name}\n`);
      assertStringIncludes(await read(dockerfile), "FROM ");
    }
  });
});

describe("checkTag()", () => {
  const chart = 'version: 1.2.0\nappVersion: "1.2.0"\n';
  it("accepts the version of the program and of the chart", () => checkTag("v1.2.0", "1.2.0", chart));

  it("throws TypeError naming what differs", () => {
    assertThrows(() => checkTag("v1.2.0", "1.2.1", chart), TypeError, ": 1.2.1 in deno.json");
    assertThrows(() => checkTag("1.2.0", "1.2.0", chart), TypeError, "appVersion");
    assertThrows(() => checkTag("v1.2.0", "1.2.0", "version: 1.2.0\n"), TypeError, ": none in helm/");
  });
});

describe("defaultRegistry()", () => {
  it("is GitHub's, in lower case", () => {
    assertEquals(defaultRegistry("MyShop"), "ghcr.io/myshop");
    assertEquals(defaultRegistry(""), undefined);
  });
});

describe("executableName()", () => {
  it("is an archive, except for Windows", () => {
    assertEquals(executableName("1.0.0", "macos-arm64"), "salesflow-1.0.0-macos-arm64.tar.gz");
    assertEquals(executableName("1.0.0", "windows-x64"), "salesflow-1.0.0-windows-x64.exe");
  });
});

describe("pointToRegistry()", () => {
  it("changes both images of ours in the chart's values, and nothing else", async () => {
    const values = await read("helm/salesflow/values.yaml");
    const changed = pointToRegistry(values, "ghcr.io/shop").split("\n");
    const lines = values.split("\n");
    assertEquals(changed.filter((line, index) => line !== lines[index]).map((line) => line.trim()), [
      "repository: ghcr.io/shop/salesflow",
      "repository: ghcr.io/shop/salesflow-spark",
    ]);
  });

  it("throws TypeError when an image is missing", () => {
    assertThrows(
      () => pointToRegistry("  repository: salesflow\n", "r"),
      TypeError,
      "salesflow-spark 0 times",
    );
  });
});
