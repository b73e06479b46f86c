/** A store on a disk that becomes full while each stage writes, or that is read-only. */
import { startEmbedded } from "../../lib/embedded/embedded.ts";
import { type Outcome, run } from "./command.ts";
import { Disk, NO_DISK } from "./disk.ts";
import type { FaultResult } from "./result.ts";
import { folderChecksum } from "./state.ts";

const GENERATED_RUN = "generated";
/** A separate run, because the generated one must stay. */
const INGESTED_RUN = "ingested";
const DISK_KB = 8_192;

/** A stage that writes to the store. */
interface WritingStage {
  name: "generate" | "ingest" | "clean" | "report";
  /** Folders of the run that it creates. */
  outputs: readonly string[];
  /** The file that publishes them to readers. */
  marker: string;
  /** Free space in KB when it starts: from none to almost enough. */
  freeKb: readonly number[];
}

const STAGES: readonly WritingStage[] = [
  {
    name: "generate",
    outputs: ["raw"],
    marker: "raw/manifest.json",
    freeKb: [0, 8, 64, 160, 220, 240],
  },
  {
    name: "clean",
    outputs: ["clean", "rejected"],
    marker: "clean/manifest.json",
    freeKb: [0, 8, 64, 160, 220, 230],
  },
  {
    name: "report",
    outputs: ["report"],
    marker: "report/report.html",
    freeKb: [0, 4, 8, 32, 64, 100],
  },
  {
    name: "ingest",
    outputs: ["raw"],
    marker: "raw/manifest.json",
    freeKb: [0, 8, 64, 160, 200, 220],
  },
];

function runIdOf(stage: string): string {
  return stage === "ingest" ? INGESTED_RUN : GENERATED_RUN;
}

class FullStore {
  readonly #disk: Disk;
  readonly #home: string;
  readonly #rows: number;

  constructor(disk: Disk, home: string, rows: number) {
    this.#disk = disk;
    this.#home = home;
    this.#rows = rows;
  }

  get #exportFile(): string {
    return `${this.#home}/export.csv`;
  }

  run(stage: string): Promise<Outcome> {
    const common = ["--run-id", runIdOf(stage), "--as-of", "2026-11-24", "--store", this.#disk.folder];
    const own = stage === "generate"
      ? ["--rows", String(this.#rows), "--seed", "1"]
      : stage === "ingest"
      ? [this.#exportFile]
      : [];
    return run([stage, ...own, ...common], { SALESFLOW_HOME: this.#home });
  }

  async runOrThrow(stage: string): Promise<void> {
    const { code, stderr } = await this.run(stage);
    if (code !== 0) throw new Error(`${stage} without faults failed: ${stderr}`);
  }

  /** Saves the output of generate as an export for ingest. */
  async saveExport(): Promise<void> {
    const raw = this.#path("generate", "raw");
    const parts = [...Deno.readDirSync(raw)].map(({ name }) => name)
      .filter((name) => name.startsWith("part-")).sort();
    const texts = parts.map((name) => Deno.readTextFileSync(`${raw}/${name}`));
    const lines = texts.map((text, at) => at === 0 ? text : text.slice(text.indexOf("\n") + 1));
    await Deno.writeTextFile(this.#exportFile, lines.join(""));
  }

  #path(stage: string, name: string): string {
    return `${this.#disk.folder}/runs/${runIdOf(stage)}/${name}`;
  }

  #checksums({ name: stage, outputs }: WritingStage): string {
    return outputs.map((name) => folderChecksum(this.#path(stage, name))).join();
  }

  async #isPublished({ name: stage, marker }: WritingStage): Promise<boolean> {
    return await Deno.stat(this.#path(stage, marker)).then(() => true, () => false);
  }

  /** Runs a stage with several amounts of free space. */
  async try(stage: WritingStage): Promise<FaultResult> {
    const wrong: string[] = [];
    let hits = 0;
    await this.runOrThrow(stage.name);
    const expected = this.#checksums(stage);
    for (const freeKb of stage.freeKb) {
      const what = `with ${freeKb} KB free`;
      for (const name of stage.outputs) await Deno.remove(this.#path(stage.name, name), { recursive: true });
      await this.#disk.fill(freeKb);
      const { code, stderr } = await this.run(stage.name);
      if (code !== 0) {
        hits++;
        if (code !== 75) wrong.push(`${what} it exited with ${code}: ${stderr.slice(-400)}`);
        if (!/the disk is full[^]*Free disk space/.test(stderr)) {
          wrong.push(`${what} its message was ${stderr.slice(-400)}`);
        }
        if (await this.#isPublished(stage)) wrong.push(`${what} partial data was published`);
      }
      await this.#disk.empty();
      const again = await this.run(stage.name);
      if (again.code !== 0) wrong.push(`the next run exited with ${again.code}: ${again.stderr.slice(-400)}`);
      else if (this.#checksums(stage) !== expected) wrong.push(`${what} files differ`);
    }
    if (hits < 3) wrong.push(`only ${hits} attempts met a full disk`);
    return {
      fault: `disk full while ${stage.name} writes`,
      tried: hits,
      outcome: "exited with 75, nothing published; correct files once space is free",
      wrong,
    };
  }

  /** Runs the stages on a read-only disk. */
  async tryReadOnly(): Promise<FaultResult> {
    const wrong: string[] = [];
    if (!await this.#disk.remountReadOnly()) wrong.push("the disk could not be made read-only");
    for (const { name } of STAGES) {
      const { code, stderr } = await this.run(name);
      if (code !== 1 || !/Cannot write .*the file system is read-only[^]*--store/.test(stderr)) {
        wrong.push(`${name} exited with ${code}: ${stderr.slice(-400)}`);
      }
    }
    return { fault: "read-only store", tried: STAGES.length, outcome: "rejected with a remedy", wrong };
  }
}

/** Tests all store faults. @param rows sales of the run */
export async function resourceFaults(home: string, rows: number): Promise<FaultResult[]> {
  const disk = await Disk.mount(DISK_KB);
  if (!disk) {
    return ["disk full", "read-only store"].map((fault) => ({
      fault,
      tried: 0,
      outcome: "",
      wrong: [],
      skipped: NO_DISK,
    }));
  }
  try {
    const databases = await startEmbedded(home); // shared by the commands
    try {
      const store = new FullStore(disk, home, rows);
      const results: FaultResult[] = [];
      for (const stage of STAGES) {
        if (stage.name === "report") {
          for (const name of ["migrate", "load", "aggregate", "transfer", "verify"]) {
            await store.runOrThrow(name);
          }
        }
        results.push(await store.try(stage));
        if (stage.name === "generate") await store.saveExport();
      }
      return [...results, await store.tryReadOnly()];
    } finally {
      await databases.close();
    }
  } finally {
    await disk.unmount();
  }
}
