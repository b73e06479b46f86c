/** A clock that is wrong or jumps, for one process and those it starts: libfaketime answers in place of the system. */

/** Where Debian's package `libfaketime` and others put the library for programs with threads. */
const LIBRARIES = [
  "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
  "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
  "/usr/lib64/faketime/libfaketimeMT.so.1",
  "/usr/lib/faketime/libfaketimeMT.so.1",
];

/** Why a fault of clocks is not tried. */
export const NO_CLOCK = "libfaketime is not installed";

/** A clock; the time of day is wrong, the time that passes is right. */
export class FalseClock {
  readonly #file: string;
  readonly #library: string;

  private constructor(file: string, library: string) {
    this.#file = file;
    this.#library = library;
  }

  /** Undefined where the library is missing. */
  static async make(): Promise<FalseClock | undefined> {
    for (const library of LIBRARIES) {
      if (!await Deno.stat(library).then(() => true, () => false)) continue;
      const clock = new FalseClock(await Deno.makeTempFile({ prefix: "salesflow-clock-" }), library);
      await Deno.chmod(clock.#file, 0o644);
      clock.set(0);
      return clock;
    }
    return undefined;
  }

  /** For the environment of a process. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** Makes the clock jump, at once and for all its processes. @param seconds ahead of the right time */
  set(seconds: number): void {
    Deno.writeTextFileSync(this.#file, `${seconds < 0 ? "-" : "+"}${Math.abs(Math.round(seconds))}\n`);
  }

  /** Makes the clock show this moment now. */
  show(moment: string): void {
    this.set((Date.parse(moment) - Date.now()) / 1000);
  }

  async remove(): Promise<void> {
    await Deno.remove(this.#file);
  }
}
