/**
 * `deno task sbom`: writes dist/sbom.cdx.json, a list of everything that is locked (CycloneDX 1.6), or the file named
 * as the argument. It reads the project's files only; see docs/supply_chain.md.
 */
import { dirname } from "node:path";
import { billOfMaterials } from "./bom.ts";
import { readInventory } from "../inventory.ts";

const [path = "dist/sbom.cdx.json"] = Deno.args;
const text = billOfMaterials(await readInventory());
await Deno.mkdir(dirname(path), { recursive: true });
await Deno.writeTextFile(path, text);
const { components } = JSON.parse(text);
console.log(`${path}: ${components.length} components`);
