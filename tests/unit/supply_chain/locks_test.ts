import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parseDenoLock, splitId } from "../../supply_chain/deno_lock.ts";
import { imagesOfChart, imagesOfCompose, imagesOfDockerfile } from "../../supply_chain/images.ts";
import { REQUIREMENTS, ROOT } from "../../supply_chain/inventory.ts";
import { parseJars } from "../../supply_chain/jars.ts";
import { normalizedName, parseRequirements } from "../../supply_chain/requirements.ts";
import engines from "../../../lib/embedded/engines/packages.json" with { type: "json" };

const SHA512 = /^sha512-[A-Za-z0-9+/]{86}==$/;
const HASH = "a".repeat(64);

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

/** Files of a name below the root, but for those that no one commits. */
async function find(name: RegExp, folder = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(new URL(folder || ".", ROOT))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory && !/^(\.|node_modules$|dist$)/.test(entry.name)) {
      found.push(...await find(name, `${path}/`));
    } else if (name.test(entry.name)) found.push(path);
  }
  return found.sort();
}

describe("every lock", () => {
  it("has the SHA-512 of each npm package and database engine", async () => {
    const { npm } = parseDenoLock(await read("deno.lock"));
    assert(npm.size > 80);
    const packages = [...npm.values(), ...Object.values(engines).flatMap((each) => Object.values(each))];
    for (const { name, integrity } of packages) assertMatch(integrity ?? "", SHA512, name);
  });

  it("has the exact version of each package that deno.json imports", async () => {
    const { imports } = JSON.parse(await read("deno.json"));
    for (const specifier of Object.values<string>(imports)) {
      assertMatch(specifier, /^(npm|jsr):\/?(@[\w-]+\/)?[\w.-]+@\d+\.\d+\.\d+(\/|$)/);
    }
  });

  it("of Python packages is known, has a hash of each and a version of every package that is asked for", async () => {
    const locks = [REQUIREMENTS.airflow, REQUIREMENTS.spark, ...REQUIREMENTS.development].sort();
    assertEquals(await find(/^requirements.*\.txt$/), locks);
    assertEquals(await find(/^requirements.*\.in$/), locks.map((path) => path.replace(/txt$/, "in")));
    for (const path of locks) {
      const requirements = parseRequirements(await read(path));
      assert(requirements.length > 0, path);
      for (const { name, hashes } of requirements) {
        assert(hashes.length > 0, `${name} of ${path} has no hash`);
      }
      const asked = (await read(path.replace(/txt$/, "in"))).matchAll(/^([\w.-]+)(?:\[.*\])?==(\S+)$/gm);
      for (const [, name, version] of asked) {
        assert(
          requirements.some((each) =>
            each.name === normalizedName(name!) && each.version === version && each.direct
          ),
          `${path} does not lock ${name} ${version}`,
        );
      }
    }
  });

  it("of jars has the jars that Ivy is asked for", async () => {
    const jars = parseJars(await read("k8s/jars/jars.sha256"));
    const asked = [
      ...(await read("k8s/jars/ivy.xml")).matchAll(/<dependency org="(.+?)" name="(.+?)" rev="(.+?)"/g),
    ];
    assert(asked.length >= 5);
    for (const [, group, name, version] of asked) {
      const found = jars.filter((jar) => jar.group === group && jar.name === name && jar.version === version);
      assertEquals(found.length, 1, `${group}:${name}:${version}`);
    }
  });
});

describe("parseDenoLock()", () => {
  const lock = (npm: Record<string, unknown>, more = {}) => JSON.stringify({ version: "5", npm, ...more });

  it("resolves dependencies by name or id, optional ones and those with peers too", () => {
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

  it("reads packages of JSR when there are some", () => {
    const jsr = {
      "@std/cli@1.0.32": { integrity: HASH, dependencies: ["jsr:@std/internal"] },
      "@std/internal@1.0.1": { integrity: HASH },
    };
    const { dependencies, integrity } = parseDenoLock(lock({}, { jsr })).jsr.get("@std/cli@1.0.32")!;
    assertEquals([dependencies, integrity], [["@std/internal@1.0.1"], HASH]);
  });

  it("resolves a range of JSR to the version that is locked for it", () => {
    const jsr = {
      "@std/testing@1.0.20": { integrity: HASH, dependencies: ["jsr:@std/assert@^1.0.19"] },
      "@std/assert@1.0.19": { integrity: HASH },
      "@std/assert@1.1.0": { integrity: HASH },
    };
    const specifiers = { "jsr:@std/assert@^1.0.19": "1.1.0" };
    const { dependencies } = parseDenoLock(lock({}, { jsr, specifiers })).jsr.get("@std/testing@1.0.20")!;
    assertEquals(dependencies, ["@std/assert@1.1.0"]);
  });

  it("throws when a dependency could be several packages, or the lock is of another version", () => {
    const twice = lock({ "a@1.0.0": { dependencies: ["b"] }, "b@1.0.0": {}, "b@2.0.0": {} });
    assertThrows(() => parseDenoLock(twice), Error, "Cannot tell which package of deno.lock b is");
    assertThrows(() => parseDenoLock(`{"version":"6"}`), Error, "version must be 5, it is 6");
  });
});

describe("parseRequirements()", () => {
  it("reads versions, hashes and who asks for what", () => {
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

  it("throws at whatever is not of a lock", () => {
    for (
      const line of ["foo>=1", "foo", "-r other.txt", "    --hash=md5:abc", "foo @ https://host/foo.whl"]
    ) {
      assertThrows(() => parseRequirements(`a==1\n${line}`), Error, "Cannot read line 2");
    }
  });
});

describe("parseJars()", () => {
  it("reads group, name and version, and throws at a jar without a group", () => {
    assertEquals(parseJars(`${HASH}  org.x/third-party-core-2.24.12.jar\n`), [
      { group: "org.x", name: "third-party-core", version: "2.24.12", sha256: HASH },
    ]);
    assertThrows(() => parseJars(`${HASH}  core-2.24.12.jar\n`), Error, "Cannot read as a jar");
  });
});

describe("imagesOf…()", () => {
  it("find the images of others in Dockerfiles, compose files and values, and leave out the project's own", () => {
    assertEquals(imagesOfDockerfile("FROM a/b:1 AS x\nFROM x AS y\nFROM spark\nFROM c:2\n"), [
      "a/b:1",
      "c:2",
    ]);
    const compose = "services: {a: {image: 'p:1'}, b: {image: 'own:${TAG:-local}'}, c: {build: .}}";
    assertEquals(imagesOfCompose(compose), ["p:1"]);
    const values =
      "images: {pullPolicy: Always, own: {repository: own, tag: ''}, p: {repository: r/p, tag: '2'}}";
    assertEquals(imagesOfChart(values), ["r/p:2"]);
  });
});
