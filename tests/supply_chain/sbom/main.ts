/**
 * `deno task sbom [FILE]`: writes all locked dependencies as CycloneDX 1.6 to a file, by default dist/sbom.cdx.json. Does
 * not use the network; see docs/supply_chain.md.
 */
import { dirname } from "node:path";
import { readArguments } from "../../arguments.ts";
import { buildBom } from "./bom.ts";
import { readInventory } from "../inventory.ts";

const { argument: path = "dist/sbom.cdx.json" } = readArguments({
  command: "deno task sbom",
  summary: "Writes all locked dependencies as CycloneDX 1.6.",
  flags: {},
  argument: { name: "FILE", help: "where to write, by default dist/sbom.cdx.json" },
});
const text = buildBom(await readInventory());
await Deno.mkdir(dirname(path), { recursive: true });
await Deno.writeTextFile(path, text);
const { components } = JSON.parse(text);
console.log(`${path}: ${components.length} components`);
