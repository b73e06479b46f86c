/** Small disks: tmpfs mounts. Require root. */
import { join } from "node:path";

async function runCommand(program: string, ...args: string[]): Promise<boolean> {
  return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
}

/** A small disk. */
export class Disk {
  private constructor(readonly folder: string) {}

  /** Mounts a disk; undefined if not permitted. @param sizeKb total size */
  static async mount(sizeKb: number): Promise<Disk | undefined> {
    const folder = await Deno.makeTempDir({ prefix: "salesflow-disk-" });
    const options = `size=${sizeKb}k,mode=755`;
    if (Deno.uid() === 0 && await runCommand("mount", "-t", "tmpfs", "-o", options, "salesflow", folder)) {
      return new Disk(folder);
    }
    await Deno.remove(folder);
    return undefined;
  }

  /** Fills the disk, except for `freeKb`. */
  async fill(freeKb: number): Promise<void> {
    const block = new Uint8Array(4096);
    using file = await Deno.open(join(this.folder, "ballast"), { write: true, create: true });
    let filled = 0;
    try {
      for (;;) filled += await file.write(block);
    } catch {
      await file.truncate(Math.max(0, filled - freeKb * 1024));
    }
  }

  /** Frees the space that {@linkcode Disk.fill} has taken. */
  async empty(): Promise<void> {
    await Deno.remove(join(this.folder, "ballast"));
  }

  /** Makes the disk read-only; returns whether that worked. */
  async remountReadOnly(): Promise<boolean> {
    return await runCommand("mount", "-o", "remount,ro", this.folder);
  }

  /** Unmounts and removes the disk. */
  async unmount(): Promise<void> {
    await runCommand("umount", this.folder);
    await Deno.remove(this.folder);
  }
}

/** Reason for skipping disk faults. */
export const NO_DISK = "only root can mount a small disk";
