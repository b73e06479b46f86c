import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { join } from "node:path";
import { tarballRequest } from "../../../../lib/embedded/engines/registry.ts";

const PACKAGE = { name: "@scope/engine", version: "1.2.3-beta.4", integrity: "" };
const FILE = "@scope/engine/-/engine-1.2.3-beta.4.tgz";
const BASIC = btoa("anna:secret");

const CASES: [npmrc: Record<string, string>, url: string, authorization: string | undefined][] = [
  [{ registry: "https://npm.example.com" }, `https://npm.example.com/${FILE}`, undefined],
  [{ registry: "https://npm.example.com/" }, `https://npm.example.com/${FILE}`, undefined],
  [
    { registry: "https://a.example.com/npm/", "//a.example.com/npm/:_authToken": "t0" },
    `https://a.example.com/npm/${FILE}`,
    "Bearer t0",
  ],
  [
    { registry: "https://a.example.com/", "@scope:registry": "http://b.example.com:4873/x" },
    `http://b.example.com:4873/x/${FILE}`,
    undefined,
  ],
  [
    { registry: "https://a.example.com/repo/npm/", "//a.example.com/:_authToken": "parent" },
    `https://a.example.com/repo/npm/${FILE}`,
    "Bearer parent",
  ],
  [
    {
      registry: "https://a.example.com/",
      "//a.example.com/:username": "anna",
      "//a.example.com/:_password": btoa("secret"),
    },
    `https://a.example.com/${FILE}`,
    `Basic ${BASIC}`,
  ],
  [
    { registry: "https://a.example.com/", "//other.example.com/:_authToken": "t0" },
    `https://a.example.com/${FILE}`,
    undefined,
  ],
];

describe("tarballRequest()", () => {
  for (const [npmrc, url, authorization] of CASES) {
    it(`returns ${url} ${authorization ? "with" : "without"} credentials when npmrc is ${JSON.stringify(npmrc)}`, () => {
      const request = tarballRequest(PACKAGE, npmrc);
      assertEquals(request.url.href, url);
      assertEquals(request.headers, authorization ? { authorization } : {});
    });
  }
});

describe("tarballRequest() without npmrc", () => {
  const names = ["npm_config_userconfig", "npm_config_registry"] as const;
  let before: (string | undefined)[];
  let folder: string;

  beforeEach(async () => {
    before = names.map((name) => Deno.env.get(name));
    names.forEach((name) => Deno.env.delete(name));
    folder = await Deno.makeTempDir();
  });

  afterEach(async () => {
    names.forEach((name, at) => {
      const value = before[at];
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    });
    await Deno.remove(folder, { recursive: true });
  });

  it("reads the user's .npmrc", async () => {
    const npmrc = join(folder, "npmrc");
    await Deno.writeTextFile(
      npmrc,
      "@scope:registry=https://npm.example.com/r/\n//npm.example.com/r/:_authToken=t1\n",
    );
    Deno.env.set("npm_config_userconfig", npmrc);
    const request = tarballRequest(PACKAGE);
    assertEquals(request.url.href, `https://npm.example.com/r/${FILE}`);
    assertEquals(request.headers, { authorization: "Bearer t1" });
  });

  it("reads npm_config_registry from the environment", () => {
    Deno.env.set("npm_config_registry", "https://env.example.com/npm");
    assertEquals(tarballRequest(PACKAGE).url.href, `https://env.example.com/npm/${FILE}`);
  });
});
