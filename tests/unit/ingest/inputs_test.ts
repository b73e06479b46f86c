import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { afterAll, describe, it } from "@std/testing/bdd";
import { SalesflowError, UsageError } from "../../../lib/console/errors.ts";
import { findInputs, folderOf } from "../../../lib/ingest/inputs.ts";

const folder = await Deno.makeTempDir({ prefix: "salesflow-inputs-" });
afterAll(() => Deno.remove(folder, { recursive: true }));
await Deno.mkdir(`${folder}/inbox/old`, { recursive: true });
for (const name of ["b.csv", "a.csv", "c.jsonl", ".hidden", "old/z.csv"]) {
  await Deno.writeTextFile(`${folder}/inbox/${name}`, name);
}

async function pathsOf(patterns: string[], order: "given" | "names" = "names"): Promise<string[]> {
  return (await findInputs(patterns, folder, order)).map(({ path }) => path.slice(folder.length + 1));
}

describe("findInputs()", () => {
  it("finds files of folders and globs by name, but no hidden ones", async () => {
    assertEquals(await pathsOf(["inbox"]), ["inbox/a.csv", "inbox/b.csv", "inbox/c.jsonl"]);
    assertEquals(await pathsOf(["inbox/*.csv"]), ["inbox/a.csv", "inbox/b.csv"]);
    assertEquals(await pathsOf([`${folder}/inbox/**/*.csv`]), [
      "inbox/a.csv",
      "inbox/b.csv",
      "inbox/old/z.csv",
    ]);
  });

  it("keeps the order that is given, and each file once", async () => {
    assertEquals(await pathsOf(["inbox/b.csv", "inbox/a.csv", "inbox"], "given"), [
      "inbox/b.csv",
      "inbox/a.csv",
      "inbox/c.jsonl",
    ]);
  });

  it("names all patterns that fit nothing", async () => {
    const error = await assertRejects(() => findInputs(["inbox/*.xlsx", "x/*"], folder, "names"), UsageError);
    assertEquals(error.mistakes.length, 2);
    await assertRejects(
      () => findInputs(["http://x/a.csv"], folder, "names"),
      UsageError,
      "it must be a path",
    );
  });

  it("opens files, and says what is wrong with a missing one", async () => {
    const [input, missing] = await findInputs(["inbox/a.csv", "none.csv"], folder, "given");
    const { bytes, localPath } = await input!.open();
    const pieces = await Array.fromAsync(bytes);
    assertEquals([new TextDecoder().decode(pieces[0]), localPath], ["a.csv", input!.path]);
    assertEquals([(await input!.stat())!.size, await missing!.stat()], [5, undefined]);
    const error = await assertRejects(() => missing!.open(), SalesflowError, "There is no file");
    assertEquals(error.exitCode, 2);
  });

  it("has a remedy for a folder and for a file without permission", async () => {
    const [vanishing] = await findInputs(["later"], folder, "given");
    await Deno.mkdir(`${folder}/later`);
    const isFolder = await assertRejects(() => vanishing!.open(), SalesflowError, "later: it is a folder");
    assertStringIncludes(isFolder.remedy!, "FOLDER/*.csv");
    const [input] = await findInputs(["inbox/a.csv"], folder, "given");
    const open = Deno.open;
    // Simulated, because root may read every file.
    Deno.open = () => Promise.reject(new Deno.errors.PermissionDenied("os error 13"));
    try {
      const denied = await assertRejects(() => input!.open(), SalesflowError, "a.csv: permission denied");
      assertStringIncludes(denied.remedy!, "permission to read");
    } finally {
      Deno.open = open;
    }
  });

  it("takes the name of the base folder for no pattern", async () => {
    const base = `${folder}/[week] *`;
    await Deno.mkdir(base);
    await Deno.writeTextFile(`${base}/d.csv`, "");
    for (const pattern of ["*.csv", "d.csv", "."]) {
      assertEquals((await findInputs([pattern], base, "names")).map(({ path }) => path), [`${base}/d.csv`]);
    }
  });

  it("takes neither folders nor pipes from a folder, nor from a pattern", async () => {
    const base = `${folder}/mixed`;
    await Deno.mkdir(`${base}/folder`, { recursive: true });
    await Deno.writeTextFile(`${base}/a.csv`, "");
    await Deno.symlink(`${base}/folder`, `${base}/link`);
    await Deno.symlink(`${base}/nothing`, `${base}/broken`);
    const { code } = await new Deno.Command("mkfifo", { args: [`${base}/pipe`] }).output();
    assertEquals(code, 0);
    for (const pattern of [base, "*", "."]) {
      const names = (await findInputs([pattern], base, "names")).map(({ name }) => name);
      assertEquals(names, ["a.csv", "broken"], pattern);
    }
  });

  it("takes neither source files, lookups nor hidden files from a folder, nor from a pattern", async () => {
    const base = `${folder}/with-source`;
    await Deno.mkdir(base);
    for (const name of ["a.csv", "shop.yaml", "shop.YML", "towns.csv", ".hidden.csv"]) {
      await Deno.writeTextFile(`${base}/${name}`, "");
    }
    const skip = new Set([`${base}/towns.csv`]);
    for (const pattern of [base, "*"]) {
      const names = (await findInputs([pattern], base, "names", skip)).map(({ name }) => name);
      assertEquals(names, ["a.csv"], pattern);
    }
    const named = await findInputs(["towns.csv", ".hidden.csv"], base, "names", skip);
    assertEquals(named.map(({ name }) => name), [".hidden.csv", "towns.csv"]);
  });

  it("reads pipes and standard input once", async () => {
    const { code } = await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
    assertEquals(code, 0);
    const inputs = await findInputs(["pipe", "-", "inbox/a.csv"], folder, "given");
    assertEquals(inputs.map(({ readOnce }) => readOnce), [true, true, false]);
  });
});

describe("folderOf()", () => {
  it("returns the folder of paths and URLs", () => {
    assertEquals([folderOf("/a/b.yaml"), folderOf("s3://bucket/a/b.yaml")], ["/a", "s3://bucket/a"]);
  });
});
