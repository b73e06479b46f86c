import { assertEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import {
  asTyped,
  executableInvocation,
  invocation,
  INVOCATION_VARIABLE,
  taskInvocation,
} from "../../../lib/console/invocation.ts";

let folder: string;
beforeAll(async () => {
  folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "salesflow-invocation-" }));
  for (const name of ["bin", "links", "dist", "my tools", "npx/node_modules/.bin"]) {
    await Deno.mkdir(join(folder, name), { recursive: true });
  }
  for (const name of ["bin/deno", "dist/salesflow", "my tools/deno", "npx/node_modules/.bin/deno"]) {
    await Deno.writeTextFile(join(folder, name), "", { mode: 0o755 });
  }
  await Deno.symlink(join(folder, "dist/salesflow"), join(folder, "links/salesflow"));
});
afterAll(() => Deno.remove(folder, { recursive: true }));

const environment = (variables: Record<string, string>) => (name: string) => variables[name];

describe("executableInvocation()", () => {
  const start = (at: string, variables: Record<string, string>) =>
    executableInvocation({
      executable: join(folder, "dist/salesflow"),
      folder: join(folder, at),
      environment: environment(variables),
    });

  it("is the name when PATH leads to the executable, also through a link", () => {
    assertEquals(start("bin", { PATH: `/usr/bin:${folder}/dist` }), "salesflow");
    assertEquals(start("bin", { PATH: `${folder}/none:${folder}/links` }), "salesflow");
  });

  it("is the path when PATH does not: from the working folder if it is below, else absolute", () => {
    const variables = { PATH: `/usr/bin:${folder}/bin` };
    assertEquals(start(".", variables), "dist/salesflow");
    assertEquals(start("dist", variables), "./salesflow");
    assertEquals(start("bin", variables), `${folder}/dist/salesflow`);
  });

  it("is the name when PATH cannot be read, as in the images", () => {
    assertEquals(start("bin", {}), "salesflow");
  });
});

describe("taskInvocation()", () => {
  const start = (executable: string, variables: Record<string, string>) =>
    taskInvocation({ executable: join(folder, executable), environment: environment(variables) }, "2.9.6");
  const npx = "npx/node_modules/.bin/deno";

  it("is the task when deno is installed", () => {
    assertEquals(start("bin/deno", { PATH: `/none:${folder}/bin` }), "deno task salesflow");
  });

  it("goes through npx when npx started it, though npx has deno on its PATH", () => {
    const PATH = `${folder}/npx/node_modules/.bin:${folder}/bin`;
    assertEquals(start(npx, { PATH, npm_lifecycle_event: "npx" }), "npx -y deno@2.9.6 task salesflow");
  });

  it("goes through npx when another tool took deno from npm", () => {
    assertEquals(start(npx, { PATH: `${folder}/npx/node_modules/.bin` }), "npx -y deno@2.9.6 task salesflow");
  });

  it("begins with the path of a deno that is not on PATH", () => {
    assertEquals(start("bin/deno", { PATH: "/none" }), `${folder}/bin/deno task salesflow`);
    assertEquals(start("my tools/deno", {}), `'${folder}/my tools/deno' task salesflow`);
  });
});

describe("invocation()", () => {
  it("is what the task tells, otherwise the name", () => {
    const before = Deno.env.get(INVOCATION_VARIABLE);
    try {
      Deno.env.set(INVOCATION_VARIABLE, "deno task salesflow");
      assertEquals(invocation(), "deno task salesflow");
      Deno.env.delete(INVOCATION_VARIABLE);
      assertEquals(invocation(), "salesflow");
    } finally {
      if (before !== undefined) Deno.env.set(INVOCATION_VARIABLE, before);
    }
  });
});

describe("asTyped()", () => {
  const npx = "npx -y deno@2.9.6 task salesflow";

  it("replaces the name before every command, and before the options that need none", async () => {
    const words = ["COMMAND", "--help", "--version"];
    for await (const { name } of Deno.readDir(new URL("../../../cli/commands/", import.meta.url))) {
      words.push(name.replace(".ts", ""));
    }
    for (const word of words) {
      assertEquals(asTyped(`Run "salesflow ${word}" first.`, npx), `Run "${npx} ${word}" first.`);
    }
  });

  it("replaces all commands of a text", () => {
    assertEquals(
      asTyped("Usage: salesflow run\n  salesflow run --from load", "./sf"),
      "Usage: ./sf run\n  ./sf run --from load",
    );
  });

  it("leaves a path with a dollar sign as it is", () => {
    assertEquals(asTyped("See: salesflow run", "'/a $& b/salesflow'"), "See: '/a $& b/salesflow' run");
  });

  for (
    const text of [
      "Another salesflow command is working on run 1",
      "Use the newer version of salesflow that created this schema.",
      "Run salesflow as that user.",
      "salesflow running",
      "See /data/salesflow run.csv",
      "Set SALESFLOW_HOME",
      "deno task salesflow run",
      "dist/salesflow run",
    ]
  ) it(`leaves other text as it is: ${text}`, () => assertEquals(asTyped(text, npx), text));
});
