/** `salesflow source suggest`: a first source file for an export. */
import { findInputs } from "../../lib/ingest/inputs.ts";
import { readSample } from "../../lib/ingest/suggest/sample.ts";
import { suggestSource } from "../../lib/ingest/suggest/suggest.ts";
import { callerDirectory } from "../paths.ts";

/**
 * Returns the text of a source file for exports of one kind, of which the first is looked at.
 *
 * @param files as on the command line
 * @throws {SalesflowError} when there is no such file, or it cannot be read
 */
export async function suggestFor(files: readonly string[]): Promise<string> {
  const inputs = await findInputs(files, callerDirectory(), "names");
  return suggestSource(await readSample(inputs[0]!), files);
}
