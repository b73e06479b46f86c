import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { run } from "../../faults/command.ts";

/** Returns the text of every file below a folder. */
function readFiles(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    const path = join(folder, name);
    if (isDirectory) { for (const [inner, text] of readFiles(path)) found.set(inner, text); }
    else found.set(path, Deno.readTextFileSync(path));
  }
  return found;
}

describe("salesflow with paths that lead out of the store", () => {
  let folder: string;
  const env = () => ({ SALESFLOW_STORE: join(folder, "store"), SALESFLOW_HOME: join(folder, "home") });
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "salesflow-escape-" });
    await Deno.mkdir(join(folder, "store"));
    await Deno.writeTextFile(join(folder, "precious"), "mine\n");
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  const ids = [
    "../precious",
    "a/../../precious",
    "/etc/passwd",
    "..",
    ".hidden",
    "a..b",
    "A",
    "a/b",
    "a%2fb",
    "a\\b",
    "a\nb",
  ];
  it("generate rejects run ids that are not plain names, and changes nothing", async () => {
    const before = readFiles(folder);
    const outcomes = await Promise.all(
      ids.map((id) => run(["generate", "--rows", "10"], { ...env(), SALESFLOW_RUN_ID: id })),
    );
    for (const { code, stderr } of outcomes) {
      assertEquals(code, 2, stderr);
      assertMatch(stderr, /SALESFLOW_RUN_ID/);
    }
    assertEquals(readFiles(folder), before);
  });

  it("clean rejects a manifest with parts elsewhere, and does not read them", async () => {
    const setup = await run(["generate", "--run-id", "forged", "--rows", "10"], env());
    assertEquals(setup.code, 0, setup.stderr);
    const path = join(folder, "store/runs/forged/raw/manifest.json");
    const manifest = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, manifest.replace('"part-00000.csv"', '"../../../../precious"'));
    const { code, stdout, stderr } = await run(["clean", "--run-id", "forged"], env());
    assertEquals(code, 1, stderr);
    assertMatch(stderr, /Cannot parse runs\/forged\/raw\/manifest\.json/);
    assertEquals(`${stdout}${stderr}`.includes("mine"), false);
    assertEquals(await Deno.readTextFile(join(folder, "precious")), "mine\n");
  });

  it("load and verify reject manifests with parts elsewhere, and do not read them", async () => {
    const id = ["--run-id", "whole"];
    const setup = await run(["run", ...id, "--rows", "200", "--as-of", "2026-11-24"], env());
    assertEquals(setup.code, 0, setup.stderr);
    const forgeries = [["load", "clean"], ["load", "rejected"], ["verify", "raw"], ["verify", "clean"], [
      "verify",
      "rejected",
    ]];
    for (const [stage, dataset] of forgeries) {
      const path = join(folder, `store/runs/whole/${dataset}/manifest.json`);
      const manifest = await Deno.readTextFile(path);
      const forged = manifest.replace('"part-00000.csv"', '"../../../../precious"');
      assert(forged !== manifest);
      await Deno.writeTextFile(path, forged);
      const { code, stdout, stderr } = await run([stage!, ...id], env());
      assertEquals(code, 1, stderr);
      assertMatch(stderr, new RegExp(`Cannot parse runs/whole/${dataset}/manifest\\.json`));
      assertEquals(`${stdout}${stderr}`.includes("mine"), false);
      await Deno.writeTextFile(path, manifest);
    }
    assertEquals((await run(["verify", ...id], env())).code, 0);
  });

  it("commands replace symbolic links instead of writing to their targets", async () => {
    const at = (path: string) => join(folder, "store/runs/linked", path);
    const args = ["--run-id", "linked", "--as-of", "2026-11-24"];
    const links = [
      ...["run.json", "stages/generate.json", "raw/part-00000.csv", "raw/manifest.json", "raw/defects.json"],
      ...["raw/products.csv", "clean/part-00000.csv", "clean/manifest.json", "rejected/part-00000.csv"],
    ];
    for (const link of links) {
      await Deno.mkdir(join(at(link), ".."), { recursive: true });
      await Deno.symlink(join(folder, "precious"), at(link));
    }
    // The target of these two is not valid JSON, so the command fails; without them the run is new.
    for (const link of ["run.json", "stages/generate.json"]) {
      const { code } = await run(["generate", "--rows", "50", ...args], env());
      assert(code !== 0, link);
      await Deno.remove(at(link));
    }
    for (const command of [["generate", "--rows", "50"], ["clean"]]) {
      const { code, stderr } = await run([...command, ...args], env());
      assertEquals(code, 0, stderr);
    }
    for (const link of links) assertEquals((await Deno.lstat(at(link))).isSymlink, false, link);
    assertEquals(await Deno.readTextFile(join(folder, "precious")), "mine\n");
  });

  it("ingest names files itself, regardless of the names of the exports", async () => {
    const file = join(folder, "..;rm -rf $HOME.csv");
    await Deno.writeTextFile(
      file,
      "sale_id,customer_id,product_id,quantity,sale_date,sale_amount,region\n1,1,1,1,2026-11-01,1.00,North\n",
    );
    const { code, stderr } = await run(
      ["ingest", file, "--run-id", "taken", "--as-of", "2026-11-24"],
      env(),
    );
    assertEquals(code, 0, stderr);
    const raw = [...Deno.readDirSync(join(folder, "store/runs/taken/raw"))].map(({ name }) => name).sort();
    assertEquals(raw, ["manifest.json", "part-00000.csv"]);
  });
});
