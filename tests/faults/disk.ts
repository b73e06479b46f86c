/** Small disks: file systems in memory, which only root may mount. */
import { join } from "node:path";

async function system(program: string, ...args: string[]): Promise<boolean> {
  return (await new Deno.Command(program, { args, stdout: "null", stderr: "null" }).output()).success;
}

/** A small disk. */
export class Disk {
  private constructor(readonly folder: string) {}

  /** Undefined where disks cannot be mounted. @param sizeKb of the whole disk */
  static async mount(sizeKb: number): Promise<Disk | undefined> {
    const folder = await Deno.makeTempDir({ prefix: "salesflow-disk-" });
    const options = `size=${sizeKb}k,mode=755`;
    if (Deno.uid() === 0 && await system("mount", "-t", "tmpfs", "-o", options, "salesflow", folder)) {
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

  /** Takes out what {@linkcode Disk.fill} put in. */
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

/** Why a fault of disks is not tried. */
export const NO_DISK = "only root can mount a small disk";
