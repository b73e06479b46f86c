/** The fields that docs/json.md documents. */
import { assert } from "@std/assert";

/** Returns the names in the table below a heading of docs/json.md, in order. */
export async function documentedFields(heading: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("../../docs/json.md", import.meta.url));
  const section = text.split(/^## /m).find((part) => part.split("\n")[0]!.replaceAll("`", "") === heading);
  assert(section, `docs/json.md has no section ${heading}`);
  const fields = [...section.matchAll(/^\| `(\w+)` +\|/gm)].map(([, name]) => name!);
  assert(fields.length > 0, heading);
  return fields;
}
