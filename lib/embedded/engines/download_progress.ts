/** Shows the downloads of engines: a progress bar or log lines with the engine's name and MB. */
import { logger } from "../../console/log.ts";
import { type Progress, startProgress } from "../../console/progress.ts";
import type { EngineProgress } from "./engine_package.ts";
import { engineTitle } from "./packages.ts";

/** Part of the program that the log lines name. */
const PART = "engines";

/** Shows downloads one after the other; nothing while there are none. */
export class DownloadProgress {
  readonly #draw: boolean;
  #title: string | undefined;
  #progress: Progress | undefined;

  /** Creates a display without a download. @param draw draw a bar on stderr instead of logging lines */
  constructor(draw: boolean) {
    this.#draw = draw;
  }

  /** Shows the progress of an engine. */
  update({ engine, step, doneBytes, totalBytes }: EngineProgress): void {
    const title = engineTitle(engine);
    if (step === "unpack") {
      // Reported before and after; its bytes in between are not known.
      if (this.#title === title) logger(PART).info(`${title}: downloaded, unpacking`);
      this.stop();
      return;
    }
    if (this.#title !== title) {
      this.stop();
      this.#title = title;
      this.#progress = startProgress(PART, this.#draw, { title, unit: "bytes" });
    }
    this.#progress!.update(doneBytes, totalBytes || undefined);
  }

  /** Removes the bar. */
  stop(): void {
    this.#progress?.stop();
    this.#progress = undefined;
    this.#title = undefined;
  }
}
