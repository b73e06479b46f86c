/** A fake clock for a process and its children, by libfaketime. */

/** Locations of the multi-threaded library in Debian's package `libfaketime` and others. */
const LIBRARIES = [
  "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
  "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
  "/usr/lib64/faketime/libfaketimeMT.so.1",
  "/usr/lib/faketime/libfaketimeMT.so.1",
];

/** Reason for skipping clock faults. */
export const NO_CLOCK = "libfaketime is not installed";

/** A clock with a wrong time of day; the monotonic clock is not affected. */
export class FakeClock {
  readonly #file: string;
  readonly #library: string;

  private constructor(file: string, library: string) {
    this.#file = file;
    this.#library = library;
  }

  /** Creates a clock; undefined if libfaketime is missing. */
  static async create(): Promise<FakeClock | undefined> {
    for (const library of LIBRARIES) {
      if (!await Deno.stat(library).then(() => true, () => false)) continue;
      const clock = new FakeClock(await Deno.makeTempFile({ prefix: "salesflow-clock-" }), library);
      await Deno.chmod(clock.#file, 0o644);
      clock.set(0);
      return clock;
    }
    return undefined;
  }

  /** Environment variables for the process. */
  get env(): Record<string, string> {
    return {
      LD_PRELOAD: this.#library,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
    };
  }

  /** Sets the clock for all its processes. @param seconds offset from the correct time */
  set(seconds: number): void {
    Deno.writeTextFileSync(this.#file, `${seconds < 0 ? "-" : "+"}${Math.abs(Math.round(seconds))}\n`);
  }

  /** Sets the clock to a moment. */
  setTo(moment: string): void {
    this.set((Date.parse(moment) - Date.now()) / 1000);
  }

  /** Removes the clock's file. */
  async remove(): Promise<void> {
    await Deno.remove(this.#file);
  }
}
