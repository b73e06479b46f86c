import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { Disk } from "../../faults/disk.ts";
import { checkDisks, type DiskNeed } from "../../../lib/doctor/disk.ts";

describe("checkDisks()", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await Deno.makeTempDir({ prefix: "salesflow-disk-" });
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  const store = (): DiskNeed => ({
    name: "store",
    folder: `${folder}/not/created/yet`,
    bytes: 100e6,
    setting: "--store",
  });
  const databases = (): DiskNeed => ({ name: "embedded databases", folder, bytes: 160e6, setting: "--home" });
  const engines: DiskNeed = {
    name: "database engines",
    folder: "/",
    bytes: 827e6,
    setting: "SALESFLOW_CACHE",
  };

  it("adds up the needs on one disk, and checks each disk once", async () => {
    const measure = (path: string) =>
      Promise.resolve(path === "/" ? { id: 2, freeBytes: 5e9 } : { id: 1, freeBytes: 14e6 });
    assertEquals(await checkDisks([store(), databases(), engines], measure), [
      {
        state: "failed",
        subject: "disk",
        message:
          `14 MB free in ${folder} (store, embedded databases); a run of 1,000,000 sales needs about 260 MB there`,
        remedy: "Free at least 246 MB, or choose a folder on another disk with --store, --home.",
      },
      {
        state: "ok",
        subject: "disk",
        message: "5.0 GB free in / (database engines); a run of 1,000,000 sales needs about 827 MB there",
      },
    ]);
  });

  it("names every folder of a disk", async () => {
    const [finding] = await checkDisks([store(), engines], () => Promise.resolve({ id: 1, freeBytes: 9e9 }));
    assertStringIncludes(finding!.message, `9.0 GB free in ${folder} (store), / (database engines);`);
  });

  for (
    const [freeBytes, state] of [[99e6, "failed"], [100e6, "warning"], [199e6, "warning"], [
      200e6,
      "ok",
    ]] as const
  ) {
    it(`returns ${state} for ${freeBytes / 1e6} MB where 100 MB are needed`, async () => {
      const [finding] = await checkDisks([store()], () => Promise.resolve({ id: 1, freeBytes }));
      assertEquals([finding!.state, finding!.remedy === undefined], [state, state === "ok"]);
    });
  }

  it("measures the disk when no function is given", async () => {
    const [finding] = await checkDisks([store()]);
    assertMatch(finding!.message, /^[\d.]+ [MG]B free in \/.*needs about 100 MB there$/);
  });

  it("fails on a real disk that is too small", async () => {
    const disk = await Disk.mount(14_000);
    if (!disk) return; // only root can mount one
    try {
      const [finding] = await checkDisks([{ ...store(), folder: disk.folder }]);
      assertEquals(finding!.state, "failed");
      assertStringIncludes(finding!.message, `14 MB free in ${disk.folder} (store)`);
    } finally {
      await disk.unmount();
    }
  });
});
