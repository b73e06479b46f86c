/** compose.yaml and the files that it mounts, as text: what no run of them would show. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parse } from "yaml";
import { dockerCommands } from "../../compose/readme.ts";

const ROOT = new URL("../../../", import.meta.url);
const MIB = 1024 ** 2;
/** Of the 8 GiB that README.md asks for, the rest is for the system and Docker itself. */
const MOST_MEMORY = 7 * 1024 * MIB;

interface Service {
  scale?: number;
  restart?: string;
  mem_limit?: string;
  healthcheck?: { test: string[] };
  security_opt?: string[];
  logging?: { driver: string; options: Record<string, string> };
  ports?: string[];
  profiles?: string[];
  environment?: Record<string, string | number>;
}

function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

const text = await read("compose.yaml");
const services: Record<string, Service> = parse(text, { merge: true }).services;
const started = Object.entries(services).filter(([, { scale }]) => scale !== 0);
/** Those that go on running; the others do their work and end. */
const running = started.filter(([, { restart }]) => restart !== "no");

function bytes(limit: string): number {
  const [, number, unit] = /^(\d+)([mg])$/.exec(limit)!;
  return Number(number) * (unit === "g" ? 1024 * MIB : MIB);
}

function sumOfLimits(some: [string, Service][]): number {
  return some.reduce((sum, [, { mem_limit }]) => sum + bytes(mem_limit!), 0);
}

describe("compose.yaml", () => {
  it("limits, watches and confines every container", () => {
    assert(running.length >= 8, `only ${running.length} services run`);
    for (const [name, service] of started) {
      assertMatch(service.mem_limit ?? "", /^\d+[mg]$/, `mem_limit of ${name}`);
      assert(service.security_opt?.includes("no-new-privileges:true"), `security_opt of ${name}`);
      const { driver, options } = service.logging ?? {};
      assertEquals(driver, "json-file", `logging of ${name}`);
      assert(options?.["max-size"] && options["max-file"], `the log of ${name} is rotated`);
    }
    for (const [name, { healthcheck, restart }] of running) {
      assert(healthcheck?.test.length, `healthcheck of ${name}`);
      assertEquals(restart, "unless-stopped", `restart of ${name}`);
    }
  });

  it("fits into a machine with 8 GiB, and its header and README say how much it takes", async () => {
    assert(sumOfLimits(running) < MOST_MEMORY, `${sumOfLimits(running) / MIB} MiB`);
    const usual = sumOfLimits(running.filter(([, { profiles }]) => !profiles)) / MIB / 1024;
    const said = usual.toFixed(1);
    assert(text.includes(`the limits below add up to ${said})`), said);
    assertMatch(await read("README.md"), new RegExp(`limits\\s+add\\s+up\\s+to\\s+${said} GiB`));
    assertMatch(await read("README.ru.md"), new RegExp(`сумма\\s+лимитов\\s+${said.replace(".", ",")} ГиБ`));
  });

  it("publishes ports on 127.0.0.1 only", () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    assert(ports.length >= 5, `only ${ports.length} ports`);
    for (const port of ports) assertMatch(port, /^127\.0\.0\.1:\$\{\w+_PORT:-\d+\}:\d+$/);
  });

  it("requires every password, none of which has a default", async () => {
    const passwords = [...(await read(".env.example")).matchAll(/^(\w+)=$/gm)].map(([, name]) => name!);
    assert(passwords.length >= 10, `only ${passwords.length} passwords`);
    const required = new Set([...text.matchAll(/\$\{(\w+):\?make \.env first/g)].map(([, name]) => name!));
    assertEquals([...required].sort(), [...passwords].sort());
    // A variable without a default is one of these: Compose refuses the whole file when one is missing.
    const bare = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!);
    for (const name of bare) assert(required.has(name), `${name} has neither a default nor a check`);
  });

  it("asks for every setting that .env.example offers", async () => {
    const offered = [...(await read(".env.example")).matchAll(/^#(\w+)=/gm)].map(([, name]) => name!);
    assert(offered.includes("SALESFLOW_ALERT_URL"));
    for (const name of offered) assert(text.includes(`\${${name}:-`), `${name} is not used`);
  });

  it("uses one secret for one purpose", () => {
    const { environment } = services["airflow-scheduler"]!;
    const secrets = Object.entries(environment!).filter(([name]) => /SECRET|FERNET/.test(name))
      .map(([, value]) => value);
    assertEquals(secrets.length, 3);
    assertEquals(new Set(secrets).size, 3);
  });

  it("starts ClickHouse once, and asks it over the network", () => {
    const { environment, healthcheck } = services.clickhouse!;
    assert(!("CLICKHOUSE_DB" in environment!), "the entrypoint would start a server to make it");
    assert(healthcheck!.test.includes("http://clickhouse:8123/ping"));
  });
});

describe("Grafana's files", () => {
  it("name the data source that is provisioned, and its type", async () => {
    const [source] = parse(await read("k8s/compose/grafana/datasources/clickhouse.yaml")).datasources;
    const dashboard = await read("k8s/compose/grafana/dashboards/sales.json");
    const named = [...dashboard.matchAll(/"datasource": \{\s*"type": "([^"]+)",\s*"uid": "([^"]+)"/g)];
    assertEquals(named.length, JSON.parse(dashboard).panels.length * 2 + 1);
    for (const [, type, uid] of named) assertEquals({ type, uid }, { type: source.type, uid: source.uid });
  });

  it("log in as a user who may only read", async () => {
    const [source] = parse(await read("k8s/compose/grafana/datasources/clickhouse.yaml")).datasources;
    const users = await read("k8s/compose/clickhouse/reader.xml");
    const user = source.jsonData.username;
    assertMatch(
      users,
      new RegExp(`<users>\\s*<${user}>[^]*<profile>${user}</profile>[^]*</${user}>\\s*</users>`),
    );
    assertMatch(users, new RegExp(`<profiles>\\s*<${user}>[^]*<readonly>2</readonly>\\s*</${user}>`));
  });
});

describe("README.ru.md", () => {
  it("gives the same commands for Docker as README.md and .env.example", async () => {
    const english = await dockerCommands("README.md");
    assertEquals(await dockerCommands("README.ru.md"), english);
    const makesEnv = english.find((line) => line.includes(".env.example > .env"));
    assert(makesEnv && (await read(".env.example")).includes(makesEnv), `${makesEnv}`);
  });
});
