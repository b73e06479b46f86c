/** Components of the SBOM, one per package. */
import { Buffer } from "node:buffer";
import * as Enums from "@cyclonedx/cyclonedx-library/Enums";
import * as Models from "@cyclonedx/cyclonedx-library/Models";
import { PackageURL } from "packageurl-js";
import type { LockedPackage } from "../deno_lock.ts";
import type { Jar } from "../jars.ts";
import type { Requirement } from "../requirements.ts";

const { Application, Container, Library, Platform } = Enums.ComponentType;
const { Distribution } = Enums.ExternalReferenceType;

interface Identity {
  /** Type in the package URL, such as `npm`. */
  kind: string;
  group?: string | undefined;
  name: string;
  version: string;
  qualifiers?: Record<string, string>;
}

/** Creates components, deduplicated by package URL, which is also their reference in the document. */
export class Catalogue {
  readonly #components = new Map<string, Models.Component>();

  /** All components. */
  get all(): Models.Component[] {
    return [...this.#components.values()];
  }

  #add(type: Enums.ComponentType, { kind, group, name, version, qualifiers }: Identity): Models.Component {
    const purl = new PackageURL(kind, group, name, version, qualifiers, undefined).toString();
    const known = this.#components.get(purl);
    if (known) return known;
    const component = new Models.Component(type, name, {
      version,
      purl,
      bomRef: purl,
      ...(group ? { group } : {}),
    });
    this.#components.set(purl, component);
    return component;
  }

  /** Adds a part of the project: the executable, an image, its tests. */
  addPart(name: string, version: string, description: string, isImage = false): Models.Component {
    const bomRef = `salesflow/${name}`;
    const type = isImage ? Container : Application;
    const component = new Models.Component(type, name, { version, bomRef, description });
    this.#components.set(bomRef, component);
    return component;
  }

  /** Adds an npm package, with the hash of its tarball. */
  addNpm(
    { name, version, integrity }: Pick<LockedPackage, "name" | "version" | "integrity">,
  ): Models.Component {
    const component = this.#add(Library, { kind: "npm", ...splitScope(name), version });
    const [, sha512] = /^sha512-(.+)$/.exec(integrity ?? "") ?? [];
    if (!sha512) throw new Error(`Cannot list ${name}@${version}: its lock has no SHA-512`);
    component.hashes.set(Enums.HashAlgorithm["SHA-512"], Buffer.from(sha512, "base64").toString("hex"));
    return component;
  }

  /** Adds a JSR package. Package URLs have no type for JSR yet. The lock has the hash of the package's file list. */
  addJsr({ name, version, integrity }: LockedPackage): Models.Component {
    const component = this.#add(Library, { kind: "generic", ...splitScope(name), version });
    const references: [string, string | undefined][] = [
      [`https://jsr.io/${name}@${version}`, undefined],
      ...(integrity ? [[`https://jsr.io/${name}/${version}_meta.json`, integrity] as [string, string]] : []),
    ];
    for (const [url, sha256] of references) {
      const reference = new Models.ExternalReference(url, Distribution);
      if (sha256) reference.hashes.set(Enums.HashAlgorithm["SHA-256"], sha256);
      component.externalReferences.add(reference);
    }
    component.description = "From JSR, or a stand-in in lib/std if JSR is unreachable." +
      (integrity ? "" : " deno.lock has no hash of it.");
    return component;
  }

  /**
   * Adds a Python package. A version has several distributions (wheels by platform, the source), any of which may be
   * installed; the lock has their hashes but not their names, so each becomes a reference.
   */
  addPython({ name, version, hashes }: Requirement): Models.Component {
    const component = this.#add(Library, { kind: "pypi", name, version });
    const sha256 = Enums.HashAlgorithm["SHA-256"];
    const listed = new Set([...component.externalReferences].map(({ hashes }) => hashes.get(sha256)));
    for (const hash of hashes.filter((hash) => !listed.has(hash))) {
      const reference = new Models.ExternalReference(`pkg:pypi/${name}@${version}`, Distribution);
      reference.hashes.set(sha256, hash);
      component.externalReferences.add(reference);
    }
    return component;
  }

  /** Adds a jar. */
  addJar({ group, name, version, sha256 }: Jar): Models.Component {
    const component = this.#add(Library, { kind: "maven", group, name, version });
    component.hashes.set(Enums.HashAlgorithm["SHA-256"], sha256);
    return component;
  }

  /** Adds a container image. Its version is a tag, so its content may change. */
  addImage(reference: string): Models.Component {
    const [, path = "", version = ""] = /^(.+):([^:/]+)$/.exec(reference) ?? [];
    const parts = path.split("/");
    // Docker's rule: the first part is a registry if it looks like a host.
    const registry = parts.length > 1 && /[.:]/.test(parts[0]!) ? parts.shift() : undefined;
    const name = parts.pop()!;
    return this.#add(Container, {
      kind: "docker",
      group: parts.join("/") || undefined,
      name,
      version,
      ...(registry ? { qualifiers: { repository_url: registry } } : {}),
    });
  }

  /** Adds the runtime that `deno compile` embeds in the executable. */
  addDeno(version: string): Models.Component {
    const identity = { kind: "github", group: "denoland", name: "deno", version: `v${version}` };
    const component = this.#add(Platform, identity);
    component.description = "Runtime in the executable. deno compile downloads it; no lock has its hash.";
    return component;
  }
}

function splitScope(name: string): { group: string | undefined; name: string } {
  const [scope, rest] = name.split("/");
  return rest ? { group: scope, name: rest } : { group: undefined, name };
}
