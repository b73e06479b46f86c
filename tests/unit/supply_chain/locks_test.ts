import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseDenoLock, splitId } from "../../supply_chain/deno_lock.ts";
import { parseChartImages, parseComposeImages, parseDockerfileImages } from "../../supply_chain/images.ts";
import { REQUIREMENTS, ROOT } from "../../supply_chain/inventory.ts";
import { parseJars } from "../../supply_chain/jars.ts";
import { normalizeName, parseRequirements } from "../../supply_chain/requirements.ts";
import engines from "../../../lib/embedded/engines/packages.json" with { type: "json" };

const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/;
const HASH = "a".repeat(64);

async function readFile(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

/** Returns the files whose names match, except in folders that are not committed. */
async function findFiles(name: RegExp, folder = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder || ".", ROOT))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory && !/^(\.|node_modules$|dist$)/.test(entry.name)) {
      found.push(...await findFiles(name, `${path}/`));
    } else if (name.test(entry.name)) found.push(path);
  }
  return found.sort();
}

describe("every lock", () => {
  it("contains the SHA-512 of each npm package and database engine", async () => {
    const { npm } = parseDenoLock(await readFile("deno.lock"));
    assert(npm.size > 80);
    const packages = [...npm.values(), ...Object.values(engines).flatMap((each) => Object.values(each))];
    for (const { name, integrity } of packages) assertMatch(integrity ?? "", SHA512, name);
  });

  it("pins the exact version of each package that deno.json imports", async () => {
    const { imports } = JSON.parse(await readFile("deno.json"));
    for (const specifier of Object.values<string>(imports)) {
      assertMatch(specifier, /^(npm|jsr):\/?(@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+(\/|$)/);
    }
  });

  it("of Python packages is listed, and has hashes and all direct dependencies", async () => {
    const locks = [REQUIREMENTS.spark, ...REQUIREMENTS.development].sort();
    assertEquals(await findFiles(/^requirements.*\.txt$/), locks);
    assertEquals(await findFiles(/^requirements.*\.in$/), locks.map((path) => path.replace(/txt$/, "in")));
    for (const path of locks) {
      const requirements = parseRequirements(await readFile(path));
      assert(requirements.length > 0, path);
      for (const { name, hashes } of requirements) {
        assert(hashes.length > 0, `${name} of ${path} has no hash`);
      }
      const required = (await readFile(path.replace(/txt$/, "in"))).matchAll(
        /^([\w.-]+)(?:\[.*\])?==(\S+)$/gm,
      );
      for (const [, name, version] of required) {
        assert(
          requirements.some((each) =>
            each.name === normalizeName(name!) && each.version === version && each.direct
          ),
          `${path} does not lock ${name} ${version}`,
        );
      }
    }
  });

  it("of jars contains the dependencies in ivy.xml", async () => {
    const jars = parseJars(await readFile("k8s/jars/jars.sha256"));
    const required = [
      ...(await readFile("k8s/jars/ivy.xml")).matchAll(/<dependency org="(.+?)" name="(.+?)" rev="(.+?)"/g),
    ];
    assert(required.length >= 5);
    for (const [, group, name, version] of required) {
      const found = jars.filter((jar) => jar.group === group && jar.name === name && jar.version === version);
      assertEquals(found.length, 1, `${group}:${name}:${version}`);
    }
  });
});

describe("parseDenoLock()", () => {
  const lock = (npm: Record<string, unknown>, more = {}) => JSON.stringify({ version: "5", npm, ...more });

  it("resolves dependencies by name or id, including optional ones and ones with peers", () => {
    const { npm } = parseDenoLock(lock({
      "@a/b@1.0.0": { dependencies: ["c@2.0.0", "d"], optionalDependencies: ["e"] },
      "c@1.0.0": {},
      "c@2.0.0": {},
      "d@1.0.0_@a+b@1.0.0": {},
      "e@1.0.0": {},
    }));
    assertEquals(npm.get("@a/b@1.0.0")!.dependencies, ["c@2.0.0", "d@1.0.0_@a+b@1.0.0", "e@1.0.0"]);
    assertEquals(splitId("d@1.0.0_@a+b@1.0.0"), { name: "d", version: "1.0.0" });
  });

  it("parses JSR packages", () => {
    const jsr = {
      "@std/cli@1.0.32": { integrity: HASH, dependencies: ["jsr:@std/internal"] },
      "@std/internal@1.0.1": { integrity: HASH },
    };
    const { dependencies, integrity } = parseDenoLock(lock({}, { jsr })).jsr.get("@std/cli@1.0.32")!;
    assertEquals([dependencies, integrity], [["@std/internal@1.0.1"], HASH]);
  });

  it("resolves a JSR range to its locked version", () => {
    const jsr = {
      "@std/testing@1.0.20": { integrity: HASH, dependencies: ["jsr:@std/assert@^1.0.19"] },
      "@std/assert@1.0.19": { integrity: HASH },
      "@std/assert@1.1.0": { integrity: HASH },
    };
    const specifiers = { "jsr:@std/assert@^1.0.19": "1.1.0" };
    const { dependencies } = parseDenoLock(lock({}, { jsr, specifiers })).jsr.get("@std/testing@1.0.20")!;
    assertEquals(dependencies, ["@std/assert@1.1.0"]);
  });

  it("throws when a dependency is ambiguous, or the version of the lock is not supported", () => {
    const twice = lock({ "a@1.0.0": { dependencies: ["b"] }, "b@1.0.0": {}, "b@2.0.0": {} });
    assertThrows(() => parseDenoLock(twice), Error, "Cannot resolve b to one package of deno.lock");
    assertThrows(() => parseDenoLock(`{"version":"6"}`), Error, "version must be 5, it is 6");
  });
});

describe("parseRequirements()", () => {
  it("parses versions, hashes and dependents", () => {
    const text = [
      "# This file was autogenerated",
      "Foo.bar==1.0 ; sys_platform == 'win32' \\",
      `    --hash=sha256:${HASH} \\`,
      `    --hash=sha256:${"b".repeat(64)}`,
      "    # via",
      "    #   -c other.txt",
      "    #   -r requirements.in",
      "    #   via_x",
      "baz==2",
      "    # via foo-bar",
    ].join("\n");
    assertEquals(parseRequirements(text), [
      { name: "foo-bar", version: "1.0", hashes: [HASH, "b".repeat(64)], direct: true, via: ["via-x"] },
      { name: "baz", version: "2", hashes: [], direct: false, via: ["foo-bar"] },
    ]);
  });

  it("throws on lines that do not belong in a lock", () => {
    for (
      const line of ["foo>=1", "foo", "-r other.txt", "    --hash=md5:abc", "foo @ https://host/foo.whl"]
    ) {
      assertThrows(() => parseRequirements(`a==1\n${line}`), Error, "Cannot read line 2");
    }
  });
});

describe("parseJars()", () => {
  it("parses group, name and version, and throws on a jar without a group", () => {
    assertEquals(parseJars(`${HASH}  org.x/third-party-core-2.24.12.jar\n`), [
      { group: "org.x", name: "third-party-core", version: "2.24.12", sha256: HASH },
    ]);
    assertThrows(() => parseJars(`${HASH}  core-2.24.12.jar\n`), Error, "Cannot read as a jar");
  });
});

describe("parseDockerfileImages(), parseComposeImages() and parseChartImages()", () => {
  it("return third-party images, without the project's own", () => {
    assertEquals(parseDockerfileImages("FROM a/b:1 AS x\nFROM x AS y\nFROM spark\nFROM c:2\n"), [
      "a/b:1",
      "c:2",
    ]);
    const compose = "services: {a: {image: 'p:1'}, b: {image: 'own:${TAG:-local}'}, c: {build: .}}";
    assertEquals(parseComposeImages(compose), ["p:1"]);
    const values =
      "images: {pullPolicy: Always, own: {repository: own, tag: ''}, p: {repository: r/p, tag: '2'}}";
    assertEquals(parseChartImages(values), ["r/p:2"]);
  });
});
