/** Suggestions for exports that are given as texts or lie in ../data/suggest/. */
import { fileURLToPath } from "node:url";
import { parseDocument } from "yaml";
import { findInputs } from "../../../../lib/ingest/inputs.ts";
import { preview } from "../../../../lib/ingest/preview.ts";
import { parseSourceFile } from "../../../../lib/ingest/source/source_file.ts";
import { examine, type Findings } from "../../../../lib/ingest/suggest/findings.ts";
import { findTable } from "../../../../lib/ingest/suggest/find_table.ts";
import { type Sample, takeSample } from "../../../../lib/ingest/suggest/sample.ts";
import { suggestSource } from "../../../../lib/ingest/suggest/suggest.ts";

/** Returns the path of an export in ../data/suggest/. */
export function dataPath(name: string): string {
  return fileURLToPath(new URL(`../data/suggest/${name}`, import.meta.url));
}

/** Returns the sample of a delimited text. */
export function sampleOf(text: string): Sample {
  const { header, rows } = findTable(text, true, 1000)!;
  const records = rows.filter((row) => row !== undefined);
  return {
    names: header.names,
    rows: records,
    broken: rows.length - records.length,
    headerLine: header.line,
    files: ["shop.csv"],
    others: [],
    isPart: false,
    isTyped: false,
  };
}

/** Returns what is known of a delimited text. */
export function examined(text: string): Findings {
  return examine(sampleOf(text));
}

/** Returns the suggestion for an export in ../data/suggest/, as text and as an object. */
export async function suggestFor(name: string): Promise<{ yaml: string; source: Record<string, unknown> }> {
  const yaml = suggestSource(await takeSample(await findInputs([dataPath(name)], "/", "names")), [name]);
  const document = parseDocument(yaml, { schema: "failsafe" });
  if (document.errors.length > 0) throw document.errors[0];
  return { yaml, source: document.toJS() };
}

/** Puts all places into one region, and keeps what may be a sale; what else is not decided stays. */
export function decide(yaml: string): string {
  return yaml.replaceAll(/: DECIDE # /g, ": North # ").replaceAll(/, "DECIDE: [^",]*"\]/g, "]");
}

/** Maps an export in ../data/suggest/ by its suggestion: amounts of the rows with their ids, and excluded lines. */
export async function mapBySuggestion(
  name: string,
): Promise<{ rows: string[]; excluded: Record<string, number> }> {
  const { yaml } = await suggestFor(name);
  const source = parseSourceFile(decide(yaml), "shop.yaml");
  const lines: string[] = [];
  const { excluded, texts } = await preview(
    await findInputs([dataPath(name)], "/", "names"),
    { source, lookups: [], copies: false },
    ({ after }) => void lines.push(after),
  );
  const rows = lines.map((line) => {
    const [sale, , product, quantity, date, amount] = line.trim().split(",");
    return [texts.get(sale!) ?? sale, texts.get(product!) ?? product, quantity, date, amount].join(" ");
  });
  return { rows, excluded: Object.fromEntries([...excluded].map(([rule, { lines }]) => [rule, lines])) };
}
