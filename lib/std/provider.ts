/** Who provides the `@std` packages; see deno.ts. */

const ROOT = new URL("../../", import.meta.url);
const CACHE = new URL(".cache/std-provider.json", ROOT);
const PROBE_TIMEOUT_MS = 3_000;
const PROBE_MAX_AGE_MS = 24 * 60 * 60 * 1000;

/** `@std` specifiers the project uses, and the stand-in for each, relative to the root. */
export const STAND_INS: Record<string, string> = {
  "@std/assert": "lib/std/assert.ts",
  "@std/cli": "lib/std/parse_args.ts",
  "@std/cli/parse-args": "lib/std/parse_args.ts",
  "@std/testing": "lib/std/bdd.ts",
  "@std/testing/bdd": "lib/std/bdd.ts",
};

/** `jsr` or `local`. */
export type Provider = "jsr" | "local";

interface Choice {
  provider: Provider;
  why: string;
}

interface Kept extends Choice {
  jsrUrl: string;
  at: number;
}

async function probe(jsrUrl: string): Promise<Choice> {
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

async function kept(jsrUrl: string): Promise<Kept | undefined> {
  try {
    const choice: Kept = JSON.parse(await Deno.readTextFile(CACHE));
    const fresh = choice.jsrUrl === jsrUrl && Date.now() - choice.at < PROBE_MAX_AGE_MS;
    return fresh && (choice.provider === "jsr" || choice.provider === "local") ? choice : undefined;
  } catch {
    return undefined; // absent or torn: ask again
  }
}

/** The provider to use and the reason, from `SALESFLOW_STD`, the kept answer or a probe. */
export async function chooseProvider(): Promise<Choice> {
  const asked = Deno.env.get("SALESFLOW_STD");
  if (asked === "jsr" || asked === "local") return { provider: asked, why: "SALESFLOW_STD" };
  if (asked) {
    console.error(`Cannot use SALESFLOW_STD=${asked}: it must be "jsr" or "local"`);
    Deno.exit(2);
  }
  const jsrUrl = Deno.env.get("JSR_URL") ?? "https://jsr.io/";
  const known = await kept(jsrUrl);
  if (known) return known;
  const choice = await probe(jsrUrl);
  try {
    await Deno.mkdir(new URL(".", CACHE), { recursive: true });
    await Deno.writeTextFile(CACHE, JSON.stringify({ ...choice, jsrUrl, at: Date.now() }));
  } catch {
    // A read-only checkout: the probe is repeated next time.
  }
  console.error(
    `std: ${choice.provider === "jsr" ? "packages from JSR" : "stand-ins of lib/std"} (${choice.why}; ` +
      `SALESFLOW_STD=jsr|local overrides)`,
  );
  return choice;
}

/** The import map for the stand-ins: deno.json's imports with the `@std` ones replaced. */
export async function localImportMap(): Promise<string> {
  const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const local = Object.fromEntries(
    Object.entries(STAND_INS).map(([specifier, path]) => [specifier, new URL(path, ROOT).href]),
  );
  return JSON.stringify({ imports: { ...imports, ...local } });
}

/**
 * Arguments that make a deno subcommand use the chosen provider. With `local` deno.lock must hold everything as it is:
 * a package that is missing there, or is another one, is an error. With `jsr` the lock may grow, because it lacks the
 * hashes of the `@std` packages: JSR was out of reach where it was made.
 *
 * @param given arguments that the subcommand gets anyway; a `--frozen` among them, such as `--frozen=false` after a
 *   change of deno.json, is left to decide
 */
export async function withStd(given: readonly string[] = []): Promise<string[]> {
  const { provider } = await chooseProvider();
  if (provider === "jsr") return [];
  const imports = `--import-map=data:application/json,${encodeURIComponent(await localImportMap())}`;
  return given.some((arg) => /^--frozen(=|$)/.test(arg)) ? [imports] : [imports, "--frozen"];
}
