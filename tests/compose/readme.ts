/** What the READMEs tell people to type for compose.yaml, so that tests do that and nothing like it. */

const ROOT = new URL("../../", import.meta.url);

/** The shell commands of a README's section on Docker, in their order, without what is said beside them. */
export async function dockerCommands(readme = "README.md"): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(readme, ROOT));
  const section = text.split(/^## /m).find((part) => part.includes("docker compose up"));
  if (!section) throw new Error(`${readme} has no section on docker compose`);
  return [...section.matchAll(/```sh\n([^]*?)```/g)]
    .flatMap(([, block]) => block!.split("\n"))
    .map((line) => line.replace(/(^| +)# .*$/, ""))
    .filter((line) => line !== "");
}

/** The one command of README.md that holds a text. @throws {Error} when none or several do */
export async function dockerCommand(part: string): Promise<string> {
  const found = (await dockerCommands()).filter((command) => command.includes(part));
  if (found.length === 1) return found[0]!;
  throw new Error(`README.md must have one command with "${part}": it has ${found.length}`);
}
