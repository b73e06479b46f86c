/** `salesflow source suggest`: a first source file for exports. */
import { findInputs } from "../../lib/ingest/inputs.ts";
import { takeSample } from "../../lib/ingest/suggest/sample.ts";
import { suggestSource } from "../../lib/ingest/suggest/suggest.ts";
import { callerDirectory } from "../paths.ts";

/**
 * Returns a source file as text.
 *
 * @param files paths, globs, folders, URLs of buckets, or `-`
 * @throws {SalesflowError} when a file cannot be read, or none has a header and a record
 */
export async function suggestFor(files: readonly string[]): Promise<string> {
  const inputs = await findInputs(files, callerDirectory(), "names");
  return suggestSource(await takeSample(inputs), files.filter((file) => file !== "-"));
}
