/** Tests the steps of a release with fake docker and helm that record their calls. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, beforeEach, describe, it } from "@std/testing/bdd";
import { createHash } from "node:crypto";
import deno from "../../../deno.json" with { type: "json" };

const ROOT = new URL("../../../", import.meta.url);
const DIGEST = `sha256:${"a1".repeat(32)}`;
const REGISTRY = "registry.example/shop";
const VERSION = deno.version;
const RECORDER = `#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$*" in
  *"$FAILS"*) [ -z "$FAILS" ] || exit 3 ;;
esac
case "$(basename "$0") $1 $2" in
  "docker buildx imagetools") case "$3" in inspect) echo "${DIGEST}" ;; esac ;;
  "helm package "*) cp "$2/values.yaml" "$4/salesflow-${VERSION}.tgz" ;;
esac
`;

describe("deno task release", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "salesflow-release-test-" });
    await Deno.mkdir(`${folder}/bin`);
    for (const name of ["docker", "helm"]) {
      await Deno.writeTextFile(`${folder}/bin/${name}`, RECORDER, { mode: 0o755 });
    }
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));
  beforeEach(() => Deno.writeTextFile(`${folder}/calls`, ""));

  async function release(args: string[], env: Record<string, string> = {}) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-config", "--no-lock", "tests/release/main.ts", ...args],
      cwd: ROOT,
      env: {
        PATH: `${folder}/bin:${Deno.env.get("PATH")}`,
        CALLS: `${folder}/calls`,
        FAILS: "",
        GITHUB_REPOSITORY_OWNER: "",
        ...env,
      },
    }).output();
    const calls = (await Deno.readTextFile(`${folder}/calls`)).trimEnd().split("\n");
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr), calls };
  }

  it("version accepts the tag of this version only", async () => {
    assertEquals((await release(["version", "--tag", `v${VERSION}`])).stdout, `${VERSION}\n`);
    const { code, stderr } = await release(["version", "--tag", "v0.0.1"]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "The tag v0.0.1 is not the version that is released");
  });

  it("files builds executable, chart, bill of materials and checksums", async () => {
    // Deno in place of denort: packing works, but the result would not run the program.
    const env = { DENORT_BIN: Deno.execPath() };
    const into = `${folder}/files`;
    const target = `${Deno.build.os === "darwin" ? "macos" : "linux"}-${
      Deno.build.arch === "aarch64" ? "arm64" : "x64"
    }`;
    const args = ["files", "--target", target, "--registry", REGISTRY, "--folder", into];
    const { code, stdout, stderr } = await release(args, env);
    assertEquals(code, 0, stderr);
    const archive = `salesflow-${VERSION}-${target}.tar.gz`;
    const names = [archive, `salesflow-${VERSION}.cdx.json`, `salesflow-${VERSION}.tgz`];
    assertEquals(stdout.trimEnd().split("\n"), [...names, "SHA256SUMS"]);
    const sums = (await Deno.readTextFile(`${into}/SHA256SUMS`)).trimEnd().split("\n");
    assertEquals(
      sums,
      await Promise.all(names.map(async (name) => {
        const bytes = await Deno.readFile(`${into}/${name}`);
        return `${createHash("sha256").update(bytes).digest("hex")}  ${name}`;
      })),
    );
    const list = await new Deno.Command("tar", { args: ["-tzvf", `${into}/${archive}`] }).output();
    const entries = new TextDecoder().decode(list.stdout).trimEnd().split("\n");
    assertEquals(entries.map((line) => line.split(/\s+/).at(-1)), ["LICENSE", "README.md", "salesflow"]);
    assertMatch(entries.at(-1)!, /^-rwxr?-xr?-x/);
    assertStringIncludes(
      await Deno.readTextFile(`${into}/${names[2]}`),
      `repository: ${REGISTRY}/salesflow\n`,
    );
    assertEquals(JSON.parse(await Deno.readTextFile(`${into}/${names[1]}`)).bomFormat, "CycloneDX");
  });

  it("images builds all three, and pushes them only when all are built", async () => {
    const images = ["salesflow", "salesflow-spark", "salesflow-airflow"];
    const args = ["images", "--architecture", "arm64", "--push"];
    const { code, stdout, calls } = await release(args, { GITHUB_REPOSITORY_OWNER: "Shop" });
    const names = images.map((image) => `ghcr.io/shop/${image}:${VERSION}-arm64`);
    assertEquals([code, stdout.trimEnd().split("\n")], [0, names]);
    assertEquals(calls.slice(3), names.map((name) => `docker push ${name}`));
    for (const [index, name] of names.entries()) {
      const file = `k8s/${images[index]!.replace("salesflow-", "")}/Dockerfile`;
      assertEquals(calls[index], `docker build --platform linux/arm64 --file ${file} --tag ${name} .`);
    }
    await Deno.writeTextFile(`${folder}/calls`, "");
    const failed = await release([...args, "--registry", REGISTRY], { FAILS: "k8s/airflow" });
    assertEquals(failed.code, 1);
    assertStringIncludes(failed.stderr, "docker build failed with exit code 3");
    assertEquals(failed.calls.filter((call) => call.startsWith("docker push")), []);
  });

  it("publish joins the architectures, pushes the chart, and prints the digests for GitHub", async () => {
    const { code, stdout, calls } = await release([
      "publish",
      "--registry",
      REGISTRY,
      "--folder",
      `${folder}/files`,
    ]);
    assertEquals(code, 0);
    const lines = ["salesflow", "salesflow-spark", "salesflow-airflow"].map((name) => `${name}=${DIGEST}`);
    assertEquals(stdout.trimEnd().split("\n"), lines);
    const name = `${REGISTRY}/salesflow:${VERSION}`;
    assertEquals(
      calls[0],
      `docker buildx imagetools create --tag ${name} ${name}-amd64 ${name}-arm64`,
    );
    assertEquals(calls.at(-1), `helm push ${folder}/files/salesflow-${VERSION}.tgz oci://${REGISTRY}/charts`);
  });

  it("refuses unknown steps, and steps without a registry", async () => {
    for (const args of [["nothing"], [], ["images"]]) {
      const { code, stderr, calls } = await release(args);
      assertEquals([code, calls], [2, [""]], stderr);
      assert(stderr.startsWith("error: Give "), stderr);
    }
  });
});
