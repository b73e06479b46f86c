/** Checks .github/workflows with actionlint, and for what it does not know of this project. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parse } from "yaml";
import deno from "../../../deno.json" with { type: "json" };
import { ACTIONLINT, goTool } from "../../faults/go_tool.ts";

interface Step {
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

interface Job {
  permissions?: Record<string, string>;
  "timeout-minutes"?: number;
  steps: Step[];
}

const ROOT = new URL("../../../", import.meta.url);
const FOLDER = new URL(".github/workflows/", ROOT);
const files = (await Array.fromAsync(Deno.readDir(FOLDER), ({ name }) => name)).sort();

const tool = await goTool(ACTIONLINT);
if (!tool) console.warn("Go is not installed: skipping actionlint");

for (const file of files) {
  const text = await Deno.readTextFile(new URL(file, FOLDER));
  const jobs = Object.entries<Job>(parse(text).jobs);
  const steps = jobs.flatMap(([, { steps }]) => steps);

  describe(`.github/workflows/${file}`, () => {
    (tool ? it : it.skip)("passes actionlint", async () => {
      const { success, stdout } = await new Deno.Command(tool!, {
        args: ["-no-color", `.github/workflows/${file}`],
        cwd: ROOT,
      }).output();
      assert(success, new TextDecoder().decode(stdout));
    });

    it("pins every action by the hash of a commit, with its version beside it", () => {
      const lines = [...text.matchAll(/^ *-? *uses: (.*)$/gm)].map(([, line]) => line!);
      assertEquals(lines.length, steps.filter(({ uses }) => uses).length);
      for (const line of lines) assertMatch(line, /^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
      const hashes = Map.groupBy(lines, (line) => line.split("@")[0]);
      for (const [action, pins] of hashes) assertEquals(new Set(pins).size, 1, action);
    });

    it("runs tasks of this project that exist", () => {
      const tasks = steps.flatMap(({ run = "" }) =>
        [...run.matchAll(/\bdeno@[\d.]+ task (\S+)/g)].map(([, name]) => name!)
      );
      assert(tasks.length > 3, tasks.join(" "));
      for (const name of tasks) assert(Object.hasOwn(deno.tasks, name), name);
    });

    it("gives each job only the permissions that it names, a time limit, and no stored credentials", () => {
      assertEquals(parse(text).permissions, {});
      for (const [name, job] of jobs) {
        assert(Object.keys(job.permissions ?? {}).length > 0, name);
        assert(job["timeout-minutes"], name);
      }
      for (const step of steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"))) {
        assertEquals(step.with?.["persist-credentials"], false);
      }
    });

    it("puts no expression into a shell script, where its text would be executed", () => {
      for (const { run = "" } of steps) assert(!run.includes("${{"), run);
    });
  });
}

describe(".github/workflows", () => {
  it("has the release", () => assert(files.includes("release.yml")));
});
