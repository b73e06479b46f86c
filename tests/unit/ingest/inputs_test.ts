import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { SalesflowError, UsageError } from "../../../lib/console/errors.ts";
import { findInputs, folderOf, type Input } from "../../../lib/ingest/inputs.ts";
import { FakeBucket } from "../store/fake_bucket.ts";
import { joinBytes } from "../store/harness.ts";

async function read(input: Input): Promise<string> {
  return new TextDecoder().decode(joinBytes(await Array.fromAsync((await input.open()).bytes)));
}

let folder: string;
beforeAll(async () => {
  folder = await Deno.makeTempDir();
  await Deno.mkdir(`${folder}/in/deep`, { recursive: true });
  for (const name of ["b.csv", "a.csv", "c[1].csv", "x.txt", ".hidden.csv", "deep/d.csv", "deep/a.csv"]) {
    await Deno.writeTextFile(`${folder}/in/${name}`, name);
  }
  await Deno.symlink(`${folder}/none`, `${folder}/in/broken.csv`);
  await Deno.mkdir(`${folder}/in/folder.csv`);
});
afterAll(() => Deno.remove(folder, { recursive: true }));

describe("findInputs()", () => {
  const found: [patterns: string[], order: "given" | "names", names: string[]][] = [
    [["in/b.csv", "in/a.csv"], "given", ["in/b.csv", "in/a.csv"]],
    [["in/b.csv", "in/a.csv"], "names", ["in/a.csv", "in/b.csv"]],
    [["in/[ab].csv"], "given", ["in/a.csv", "in/b.csv"]],
    [["in/*.csv"], "given", ["in/a.csv", "in/b.csv", "in/broken.csv", "in/c[1].csv"]],
    [["in/c[1].csv"], "given", ["in/c[1].csv"]],
    [["in/**/a.csv"], "given", ["in/a.csv", "in/deep/a.csv"]],
    [["in/deep"], "given", ["in/deep/a.csv", "in/deep/d.csv"]],
    [["in/deep/", "in/deep/d.csv", "in/../in/deep/*"], "given", ["in/deep/a.csv", "in/deep/d.csv"]],
    [["in/none.csv"], "given", ["in/none.csv"]],
    [[], "given", []],
  ];
  for (const [patterns, order, names] of found) {
    it(`finds what ${patterns.join(" and ") || "nothing"} names, in the order of ${order}`, async () => {
      const inputs = await findInputs(patterns, folder, order);
      assertEquals(inputs.map(({ path }) => path), names.map((name) => `${folder}/${name}`));
      assertEquals(inputs.map(({ name }) => name), names.map((name) => name.split("/").at(-1)!));
    });
  }

  it("finds absolute paths whatever the base", async () => {
    const [input] = await findInputs([`${folder}/in/a.csv`], "/nowhere", "given");
    assertEquals([await read(input!), input!.readOnce, (await input!.open()).localPath], [
      "a.csv",
      false,
      `${folder}/in/a.csv`,
    ]);
    assertEquals((await input!.stat())?.size, "a.csv".length);
  });

  it("reads pipes and standard input once", async () => {
    const path = `${folder}/pipe`;
    assertEquals((await new Deno.Command("mkfifo", { args: [path] }).output()).code, 0);
    const [pipe, stdin] = await findInputs([path, "-"], folder, "given");
    assertEquals([pipe!.readOnce, await pipe!.stat()], [true, undefined]);
    const writing = Deno.writeTextFile(path, "piped");
    const { bytes, localPath } = await pipe!.open();
    assertEquals([new TextDecoder().decode(joinBytes(await Array.fromAsync(bytes))), localPath], [
      "piped",
      undefined,
    ]);
    await writing;
    assertEquals([stdin!.path, stdin!.name, stdin!.readOnce, await stdin!.stat()], [
      "standard input",
      "stdin",
      true,
      undefined,
    ]);
  });

  it("lists all patterns that fit nothing", async () => {
    await Deno.mkdir(`${folder}/empty`, { recursive: true });
    const error = await assertRejects(
      () => findInputs(["in/a.csv", "in/*.pdf", "empty"], folder, "given"),
      UsageError,
    );
    assertEquals(error.mistakes, [
      `There is no file that fits ${folder}/in/*.pdf`,
      `There is no file that fits ${folder}/empty`,
    ]);
    await assertRejects(
      () => findInputs(["http://host/a.csv"], folder, "given"),
      UsageError,
      "s3://bucket/name",
    );
  });

  it("says why a file cannot be opened", async () => {
    const open = async (path: string) => await (await findInputs([path], folder, "given"))[0]!.open();
    await assertRejects(() => open("in/brok*"), SalesflowError, "There is no file");
    const missing = await assertRejects(() => open("in/none.csv"), SalesflowError, "There is no file");
    assertEquals([missing.exitCode, missing.stage], [2, "ingest"]);
    const original = Deno.open;
    // Simulated, because root may read every file.
    Deno.open = () => Promise.reject(new Deno.errors.PermissionDenied("os error 13"));
    try {
      const denied = await assertRejects(() => open("in/a.csv"), SalesflowError, "a.csv: permission denied");
      assertStringIncludes(denied.remedy!, "permission to read");
    } finally {
      Deno.open = original;
    }
    const [input] = await findInputs(["in/b.csv"], folder, "given");
    await Deno.rename(`${folder}/in/b.csv`, `${folder}/in/old`);
    await Deno.mkdir(`${folder}/in/b.csv`);
    try {
      await assertRejects(() => input!.open(), SalesflowError, `Cannot read ${folder}/in/b.csv`);
      assertEquals(await input!.stat(), undefined);
    } finally {
      await Deno.remove(`${folder}/in/b.csv`);
      await Deno.rename(`${folder}/in/old`, `${folder}/in/b.csv`);
    }
  });
});

describe("findInputs() in a bucket", () => {
  let bucket: FakeBucket;
  const names = ["SALESFLOW_S3_ENDPOINT", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
  beforeAll(() => {
    bucket = new FakeBucket();
    for (const name of names) Deno.env.set(name, name.endsWith("ENDPOINT") ? bucket.endpoint : "x");
    for (const key of ["in/b.csv", "in/a.csv", "in/a+1.csv", "in/deep/d.csv", "top.csv"]) {
      bucket.put(key, key);
    }
  });
  afterAll(async () => {
    for (const name of names) Deno.env.delete(name);
    await bucket.close();
  });

  const found: [pattern: string, base: string, paths: string[]][] = [
    ["s3://shop/in/b.csv", "/nowhere", ["in/b.csv"]],
    ["b.csv", "s3://shop/in", ["in/b.csv"]],
    ["in/a+1.csv", "s3://shop/", ["in/a+1.csv"]],
    ["s3://shop/in/", "/nowhere", ["in/a+1.csv", "in/a.csv", "in/b.csv"]],
    ["s3://shop/in/?.csv", "/nowhere", ["in/a.csv", "in/b.csv"]],
    ["*.csv", "s3://shop/in/deep", ["in/deep/d.csv"]],
    ["s3://shop", "/nowhere", ["top.csv"]],
    ["s3://shop/", "/nowhere", ["top.csv"]],
  ];
  for (const [pattern, base, paths] of found) {
    it(`finds what ${pattern} names below ${base}`, async () => {
      const inputs = await findInputs([pattern], base, "given");
      assertEquals(inputs.map(({ path }) => path), paths.map((path) => `s3://shop/${path}`));
      assertEquals(await Promise.all(inputs.map(read)), paths);
      for (const input of inputs) {
        assertEquals([input.readOnce, (await input.open()).localPath], [false, undefined]);
        assertEquals((await input.stat())?.size, input.path.length - "s3://shop/".length);
      }
    });
  }

  it("says that nothing fits", async () => {
    for (const pattern of ["s3://shop/in/none.csv", "s3://shop/in/deep"]) {
      await assertRejects(
        () => findInputs([pattern], "/", "given"),
        UsageError,
        `no file that fits ${pattern}`,
      );
    }
  });
});

describe("folderOf()", () => {
  it("returns the folder of a path or URL", () => {
    assertEquals(["/a/b/shop.yaml", "s3://shop/in/shop.yaml", "s3://shop/shop.yaml"].map(folderOf), [
      "/a/b",
      "s3://shop/in",
      "s3://shop",
    ]);
  });
});
