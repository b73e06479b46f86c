/** Selects the provider of the `@std` packages; see deno.ts. */

const ROOT = new URL("../../", import.meta.url);
const CACHE = new URL(".cache/std-provider.json", ROOT);
const PROBE_TIMEOUT_MS = 3_000;
const PROBE_MAX_AGE_MS = 24 * 60 * 60 * 1000;

/** Stand-ins by `@std` specifier, as paths relative to the root. */
export const STAND_INS: Record<string, string> = {
  "@std/assert": "lib/std/assert.ts",
  "@std/cli": "lib/std/parse_args.ts",
  "@std/cli/parse-args": "lib/std/parse_args.ts",
  "@std/testing": "lib/std/bdd.ts",
  "@std/testing/bdd": "lib/std/bdd.ts",
};

/** Provider of the `@std` packages. */
export type Provider = "jsr" | "local";

/** A selected provider, and the reason. */
export interface Choice {
  /** The provider. */
  provider: Provider;
  /** Reason for the choice, for display. */
  why: string;
}

/** Content of the cache file. */
interface CachedChoice extends Choice {
  jsrUrl: string;
  /** Time of the probe, in milliseconds since 1970. */
  at: number;
}

async function probeJsr(jsrUrl: string): Promise<Choice> {
  try {
    const response = await fetch(new URL("@std/cli/meta.json", jsrUrl), {
      signal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
    });
    await response.body?.cancel();
    if (response.ok) return { provider: "jsr", why: "JSR answers" };
    return { provider: "local", why: `JSR answers with status ${response.status}` };
  } catch {
    return { provider: "local", why: "JSR cannot be reached" };
  }
}

async function readCachedChoice(jsrUrl: string): Promise<CachedChoice | undefined> {
  try {
    const choice: CachedChoice = JSON.parse(await Deno.readTextFile(CACHE));
    const fresh = choice.jsrUrl === jsrUrl && Date.now() - choice.at < PROBE_MAX_AGE_MS;
    return fresh && (choice.provider === "jsr" || choice.provider === "local") ? choice : undefined;
  } catch {
    return undefined; // absent or corrupt: probe again
  }
}

/** Selects the provider from `SALESFLOW_STD`, the cached result or a new probe. */
export async function chooseProvider(): Promise<Choice> {
  const requested = Deno.env.get("SALESFLOW_STD");
  if (requested === "jsr" || requested === "local") return { provider: requested, why: "SALESFLOW_STD" };
  if (requested) {
    console.error(`Cannot use SALESFLOW_STD=${requested}: it must be "jsr" or "local"`);
    Deno.exit(2);
  }
  const jsrUrl = Deno.env.get("JSR_URL") ?? "https://jsr.io/";
  const cached = await readCachedChoice(jsrUrl);
  if (cached) return cached;
  const choice = await probeJsr(jsrUrl);
  try {
    await Deno.mkdir(new URL(".", CACHE), { recursive: true });
    await Deno.writeTextFile(CACHE, JSON.stringify({ ...choice, jsrUrl, at: Date.now() }));
  } catch {
    // The checkout is read-only: probe again next time.
  }
  return choice;
}

/** Returns an import map with deno.json's imports, in which stand-ins replace the `@std` packages. */
export async function localImportMap(): Promise<string> {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const local = Object.fromEntries(
    Object.entries(STAND_INS).map(([specifier, path]) => [specifier, new URL(path, ROOT).href]),
  );
  return JSON.stringify({ imports: { ...imports, ...local } });
}

/**
 * Returns the arguments that make a deno subcommand use the selected provider. With `local`, the lockfile is frozen: a
 * missing or different package is an error. With `jsr`, it may grow, because it was created without access to JSR and
 * lacks the hashes of the `@std` packages.
 *
 * @param given further arguments of the subcommand; a `--frozen` among them takes precedence, such as `--frozen=false`
 *   after a change of deno.json
 */
export async function withStd(given: readonly string[] = []): Promise<string[]> {
  const { provider, why } = await chooseProvider();
  // Both work alike, so that users need not know.
  if (Deno.env.get("SALESFLOW_DEBUG")) {
    const source = provider === "jsr" ? "packages from JSR" : "stand-ins of lib/std";
    console.error(`std: ${source} (${why}; SALESFLOW_STD=jsr|local overrides)`);
  }
  if (provider === "jsr") return [];
  const imports = `--import-map=data:application/json,${encodeURIComponent(await localImportMap())}`;
  return given.some((arg) => /^--frozen(=|$)/.test(arg)) ? [imports] : [imports, "--frozen"];
}
