/** Resources that run out: a store on a disk that is full or read-only. The disks are small file systems in memory, which only root may mount. */
import { join } from "node:path";
import { type Outcome, run } from "./command.ts";
import type { FaultResult } from "./result.ts";
import { folderChecksum } from "./state.ts";

const RUN = ["--run-id", "full", "--as-of", "2026-11-24"];
const DISK_KB = 4_096;
const DATASETS = ["raw", "clean", "rejected"];
/** KB that are free when a stage begins: none of a part fits, half of it, or all but the last bytes. */
const FREE_KB: Record<string, readonly number[]> = {
  generate: [0, 8, 64, 160, 220, 240],
  clean: [0, 8, 64, 160, 220, 230],
};

async function system(program: string, ...args: string[]): Promise<boolean> {
  return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
}

/** A small disk. */
class Disk {
  private constructor(readonly folder: string) {}

  /** Undefined where disks cannot be mounted. */
  static async mount(): Promise<Disk | undefined> {
    const folder = await Deno.makeTempDir({ prefix: "salesflow-disk-" });
    if (
      Deno.uid() === 0 && await system("mount", "-t", "tmpfs", "-o", `size=${DISK_KB}k`, "salesflow", folder)
    ) {
      return new Disk(folder);
    }
    await Deno.remove(folder);
    return undefined;
  }

  /** Fills the disk until so much is free. */
  async fill(freeKb: number): Promise<void> {
    const piece = new Uint8Array(4096);
    using file = await Deno.open(join(this.folder, "ballast"), { write: true, create: true });
    let filled = 0;
    try {
      for (;;) filled += await file.write(piece);
    } catch {
      await file.truncate(Math.max(0, filled - freeKb * 1024));
    }
  }

  async empty(): Promise<void> {
    await Deno.remove(join(this.folder, "ballast"));
  }

  async readOnly(): Promise<boolean> {
    return await system("mount", "-o", "remount,ro", this.folder);
  }

  async unmount(): Promise<void> {
    await system("umount", this.folder);
    await Deno.remove(this.folder);
  }
}

function checksums(store: string): string {
  return DATASETS.map((name) => {
    try {
      return folderChecksum(`${store}/runs/full/${name}`);
    } catch {
      return "none";
    }
  }).join();
}

function stageOf(stage: string, store: string, rows: number): Promise<Outcome> {
  const args = stage === "generate" ? ["--rows", String(rows), "--seed", "1"] : [];
  return run([stage, ...RUN, ...args, "--store", store]);
}

/** A manifest without whole parts would be taken for a dataset. */
async function published(store: string, stage: string): Promise<boolean> {
  const dataset = stage === "generate" ? "raw" : "clean";
  return await Deno.stat(`${store}/runs/full/${dataset}/manifest.json`).then(() => true, () => false);
}

async function fullDisk(disk: Disk, stage: string, rows: number, expected: string): Promise<FaultResult> {
  const wrong: string[] = [];
  let hits = 0;
  for (const freeKb of FREE_KB[stage]!) {
    const what = `with ${freeKb} KB free`;
    for (const name of stage === "generate" ? DATASETS : DATASETS.slice(1)) {
      await Deno.remove(`${disk.folder}/runs/full/${name}`, { recursive: true }).catch(() => {});
    }
    await disk.fill(freeKb);
    const { code, stderr } = await stageOf(stage, disk.folder, rows);
    if (code !== 0) {
      hits++;
      if (code !== 75) wrong.push(`${what} it ended with ${code}: ${stderr.slice(-400)}`);
      if (!/the disk is full[^]*Free disk space/.test(stderr)) {
        wrong.push(`${what} it said ${stderr.slice(-400)}`);
      }
      if (await published(disk.folder, stage)) wrong.push(`${what} a dataset was published`);
    }
    await disk.empty();
    const again = await stageOf(stage, disk.folder, rows);
    if (again.code !== 0) wrong.push(`the next run ended with ${again.code}: ${again.stderr.slice(-400)}`);
    const found = checksums(disk.folder).split(",").slice(0, stage === "generate" ? 1 : 3);
    if (found.join() !== expected.split(",").slice(0, found.length).join()) {
      wrong.push(`${what} files differ`);
    }
  }
  if (hits < 3) wrong.push(`only ${hits} of the tries met a full disk`);
  return {
    fault: `disk full while ${stage} writes`,
    tried: hits,
    outcome: "gave up with 75, nothing published; right files when there is space again",
    wrong,
  };
}

async function readOnlyStore(disk: Disk, rows: number): Promise<FaultResult> {
  const wrong: string[] = [];
  if (!await disk.readOnly()) wrong.push("the disk could not be made read-only");
  const stages = ["generate", "clean"];
  for (const stage of stages) {
    const { code, stderr } = await stageOf(stage, disk.folder, rows);
    if (code !== 1 || !/Cannot write .*not allowed[^]*writable/.test(stderr)) {
      wrong.push(`${stage} ended with ${code}: ${stderr.slice(-400)}`);
    }
  }
  return { fault: "read-only store", tried: stages.length, outcome: "refused with a remedy", wrong };
}

/** Tries all of them. @param rows sales of the run */
export async function resourceFaults(rows: number): Promise<FaultResult[]> {
  const disk = await Disk.mount();
  if (!disk) {
    return ["disk full", "read-only store"].map((fault) => ({
      fault,
      tried: 0,
      outcome: "",
      wrong: [],
      skipped: "only root can mount a small disk",
    }));
  }
  const sound = await Deno.makeTempDir({ prefix: "salesflow-sound-" });
  try {
    for (const stage of ["generate", "clean"]) {
      const { code, stderr } = await stageOf(stage, sound, rows);
      if (code !== 0) throw new Error(`the undisturbed run failed: ${stderr}`);
    }
    const results: FaultResult[] = [];
    for (const stage of ["generate", "clean"]) {
      results.push(await fullDisk(disk, stage, rows, checksums(sound)));
    }
    return [...results, await readOnlyStore(disk, rows)];
  } finally {
    await disk.unmount();
    await Deno.remove(sound, { recursive: true });
  }
}
