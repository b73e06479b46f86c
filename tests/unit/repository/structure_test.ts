/** Rules of the source tree: import directions, and one test file per source file. */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { posix } from "node:path";

const ROOT = new URL("../../../", import.meta.url);

/** Folders by layer, lowest first. A file may import only its own folder and lower layers. */
const LAYERS = [
  ["lib/domain", "lib/console"],
  ["lib/connection"],
  ["lib/workers", "lib/store", "lib/postgres", "lib/clickhouse", "lib/embedded"],
  ["lib/dataset"],
  ["lib/pipeline"],
  [
    ...[
      "lib/generate",
      "lib/ingest",
      "lib/clean",
      "lib/load",
      "lib/aggregate",
      "lib/transfer",
      "lib/migrate",
    ],
    ...["lib/verify", "lib/report", "lib/doctor", "lib/compare"],
  ],
  // Removes what the stages leave.
  ["lib/prune"],
  ["cli"],
];
/** Selects the `@std` packages before anything is downloaded, so it must be independent of the rest. */
const BOOTSTRAP = "lib/std";
const LAUNCHERS = ["cli/from_source.ts", "cli/compile.ts"];

/** Entry points of workers and of the host process, which no test can import. */
const ENTRY_POINTS = [
  "lib/clean/worker.ts",
  "lib/generate/worker.ts",
  "lib/ingest/chunks/worker.ts",
  "lib/embedded/host/host_main.ts",
];
const TEST_FOLDERS = ["tests/unit", "tests/integration"];

/** Returns the TypeScript files below a folder, relative to the root, without declaration files. */
async function findSources(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(new URL(`${folder}/`, ROOT))) {
    const path = `${folder}/${name}`;
    if (isDirectory) paths.push(...await findSources(path));
    else if (name.endsWith(".ts") && !name.endsWith(".d.ts")) paths.push(path);
  }
  return paths.sort();
}

const IMPORT = /(?:^(?:import|export)\b[^;]*?\bfrom |\bimport\()"(\.[^"]+)"/gm;

interface Source {
  text: string;
  /** Imported files, relative to the root. */
  imports: string[];
}

async function readSources(): Promise<Map<string, Source>> {
  const sources = new Map<string, Source>();
  for (const path of [...await findSources("cli"), ...await findSources("lib")]) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    const imports = [...text.matchAll(IMPORT)].map(([, target]) => posix.join(posix.dirname(path), target!));
    sources.set(path, { text, imports });
  }
  return sources;
}

function folderOf(path: string): string {
  return path.startsWith("cli/") ? "cli" : path.split("/").slice(0, 2).join("/");
}

function layerOf(path: string): number {
  return LAYERS.findIndex((folders) => folders.includes(folderOf(path)));
}

/** Returns the first import cycle as a list of files; undefined if there is none. */
function findCycle(sources: ReadonlyMap<string, Source>): string[] | undefined {
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const next of sources.get(path)?.imports ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle) return cycle;
    }
    done.add(path);
    return undefined;
  };
  for (const path of sources.keys()) {
    const cycle = visit(path, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/** Returns whether a file contains run-time code, not only types. */
function hasCode(text: string): boolean {
  return /^(export )?(default |async |abstract )*(function|class|const|let|enum)\b|^(await |if |try )/m.test(
    text,
  );
}

const sources = await readSources();

describe("imports of cli/ and lib/", () => {
  it("are found", () => {
    assert(sources.get("lib/store/open_store.ts")!.imports.includes("lib/store/file_store.ts"));
    assert(sources.get("cli/main.ts")!.imports.includes("cli/commands/clean.ts"));
  });

  it("have no cycle", () => {
    assertEquals(findCycle(sources), undefined);
    const cycle = new Map(
      [["a", ["b"]], ["b", ["c"]], ["c", ["b"]]].map(([path, imports]) =>
        [path as string, { text: "", imports: imports as string[] }] as const
      ),
    );
    assertEquals(findCycle(cycle), ["b", "c", "b"]);
  });

  it("point to lower layers; no stage imports another", () => {
    const wrong: string[] = [];
    for (const [path, { imports }] of sources) {
      if (folderOf(path) === BOOTSTRAP || LAUNCHERS.includes(path)) continue;
      assert(layerOf(path) >= 0, `${path} is in no layer`);
      for (const target of imports) {
        const sameFolder = folderOf(path) === folderOf(target);
        if (!sameFolder && layerOf(target) >= layerOf(path)) wrong.push(`${path} imports ${target}`);
      }
    }
    assertEquals(wrong, []);
  });

  it("of lib/std stay within lib/std, and only launchers import it", () => {
    for (const [path, { imports }] of sources) {
      const reachesStd = imports.some((target) => folderOf(target) === BOOTSTRAP);
      if (folderOf(path) === BOOTSTRAP) {
        assert(imports.every((target) => folderOf(target) === BOOTSTRAP), path);
      } else assertEquals(reachesStd, LAUNCHERS.includes(path), path);
    }
  });
});

describe("every source file", () => {
  it("has a test file of the same name", async () => {
    const tests = new Set(
      (await Promise.all(["tests/unit", "tests/integration", "tests/cli"].map(findSources))).flat(),
    );
    const missing = [...sources]
      .filter(([path, { text }]) => hasCode(text) && !ENTRY_POINTS.includes(path))
      .map(([path]) => path)
      .filter((path) => {
        const mirrored = path.replace(/^lib\//, "").replace(/\.ts$/, "_test.ts");
        const places = TEST_FOLDERS.map((folder) => `${folder}/${mirrored}`);
        // Tests of the real command.
        if (path.startsWith("cli/")) places.push(`tests/cli/${posix.basename(mirrored)}`);
        return !places.some((place) => tests.has(place));
      });
    assertEquals(missing, []);
  });
});
