/** Extracts the Docker commands from the READMEs, so that tests run exactly these. */

const ROOT = new URL("../../", import.meta.url);

/** Returns the shell commands in a README's section on Docker, in order and without comments. */
export async function dockerCommands(readme = "README.md"): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(readme, ROOT));
  const section = text.split(/^## /m).find((part) => part.includes("docker compose up"));
  if (!section) throw new Error(`${readme} has no section on docker compose`);
  return [...section.matchAll(/```sh\n([^]*?)```/g)]
    .flatMap(([, block]) => block!.split("\n"))
    .map((line) => line.replace(/(^| +)# .*$/, ""))
    .filter((line) => line !== "");
}

/** Returns the command of README.md that contains a text. @throws {Error} unless there is exactly one */
export async function dockerCommand(part: string): Promise<string> {
  const found = (await dockerCommands()).filter((command) => command.includes(part));
  if (found.length === 1) return found[0]!;
  throw new Error(`README.md must have one command with "${part}": it has ${found.length}`);
}
