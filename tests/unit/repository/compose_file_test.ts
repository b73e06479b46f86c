/** Static checks of compose.yaml and the files it mounts, for what running them would not show. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { parse } from "yaml";
import { dockerCommands } from "../../compose/readme.ts";

const ROOT = new URL("../../../", import.meta.url);
const MIB = 1024 ** 2;
/** README.md requires 8 GiB; the rest is for the system and Docker. */
const MAX_MEMORY_BYTES = 7 * 1024 * MIB;

interface Service {
  scale?: number;
  restart?: string;
  mem_limit?: string;
  healthcheck?: { test: string[] };
  security_opt?: string[];
  logging?: { driver: string; options: Record<string, string> };
  ports?: string[];
  volumes?: string[];
  post_start?: { command: string[]; user: string }[];
  profiles?: string[];
  environment?: Record<string, string | number>;
}

function readFile(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

const text = await readFile("compose.yaml");
const services: Record<string, Service> = parse(text, { merge: true }).services;
const started = Object.entries(services).filter(([, { scale }]) => scale !== 0);
/** Long-running services; the others run once. */
const running = started.filter(([, { restart }]) => restart !== "no");

function parseBytes(limit: string): number {
  const [, number, unit] = /^(\d+)([mg])$/.exec(limit)!;
  return Number(number) * (unit === "g" ? 1024 * MIB : MIB);
}

function sumOfLimits(entries: [string, Service][]): number {
  return entries.reduce((sum, [, { mem_limit }]) => sum + parseBytes(mem_limit!), 0);
}

describe("compose.yaml", () => {
  it("sets memory limits, health checks and security options for every container", () => {
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

  it("fits into 8 GiB, and states the sum of its limits in its header and README", async () => {
    assert(sumOfLimits(running) < MAX_MEMORY_BYTES, `${sumOfLimits(running) / MIB} MiB`);
    const defaults = sumOfLimits(running.filter(([, { profiles }]) => !profiles)) / MIB / 1024;
    const stated = defaults.toFixed(1);
    assert(text.includes(`the limits below add up to ${stated})`), stated);
    assertMatch(await readFile("README.md"), new RegExp(`limits\\s+add\\s+up\\s+to\\s+${stated} GiB`));
    assertMatch(
      await readFile("README.ru.md"),
      new RegExp(`сумма\\s+лимитов\\s+${stated.replace(".", ",")} ГиБ`),
    );
  });

  it("publishes ports on 127.0.0.1 only", () => {
    const ports = Object.values(services).flatMap((service) => service.ports ?? []);
    assert(ports.length >= 5, `only ${ports.length} ports`);
    for (const port of ports) assertMatch(port, /^127\.0\.0\.1:\$\{\w+_PORT:-\d+\}:\d+$/);
  });

  it("requires every password and has no default for any", async () => {
    const passwords = [...(await readFile(".env.example")).matchAll(/^(\w+)=$/gm)].map(([, name]) => name!);
    assert(passwords.length >= 10, `only ${passwords.length} passwords`);
    const required = new Set([...text.matchAll(/\$\{(\w+):\?create \.env first/g)].map(([, name]) => name!));
    assertEquals([...required].sort(), [...passwords].sort());
    // Every variable without a default must be required, so that Compose rejects the file when one is missing.
    const bare = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!);
    for (const name of bare) assert(required.has(name), `${name} has neither a default nor a check`);
  });

  it("uses every setting of .env.example", async () => {
    const optional = [...(await readFile(".env.example")).matchAll(/^#(\w+)=/gm)].map(([, name]) => name!);
    assert(optional.includes("SALESFLOW_ALERT_URL"));
    for (const name of optional) assert(text.includes(`\${${name}:-`), `${name} is not used`);
  });

  it("uses each secret for one purpose only", () => {
    const { environment } = services["airflow-scheduler"]!;
    const secrets = Object.entries(environment!).filter(([name]) => /SECRET|FERNET/.test(name))
      .map(([, value]) => value);
    assertEquals(secrets.length, 3);
    assertEquals(new Set(secrets).size, 3);
  });

  it("creates missing roles of PostgreSQL after every start", () => {
    const { post_start, volumes } = services.postgres!;
    const script = "/docker-entrypoint-initdb.d/databases.sh";
    assert(volumes!.includes(`./k8s/compose/postgres/databases.sh:${script}:ro`));
    assertEquals(post_start, [{ command: ["bash", script, "wait"], user: "postgres" }]);
  });

  it("starts ClickHouse once, and checks its health over the network", () => {
    const { environment, healthcheck } = services.clickhouse!;
    assert(!("CLICKHOUSE_DB" in environment!), "the entrypoint would start a temporary server to create it");
    assert(healthcheck!.test.includes("http://clickhouse:8123/ping"));
  });
});

/** The system tables in the configuration of ClickHouse's image: programs/server/config.xml of ClickHouse 26. */
const SYSTEM_LOGS = [
  ...["aggregated_zookeeper_log", "asynchronous_insert_log", "asynchronous_metric_log", "azure_queue_log"],
  ...["background_schedule_pool_log", "backup_log", "blob_storage_log", "crash_log", "error_log"],
  ...["latency_log", "metric_log", "opentelemetry_span_log", "part_log", "processors_profile_log"],
  ...["query_log", "query_metric_log", "query_thread_log", "query_views_log", "s3queue_log", "text_log"],
  ...["trace_log", "transposed_metric_log", "zookeeper_connection_log"],
];

describe("ClickHouse's settings", () => {
  it("are those of the chart", () => {
    assert(
      services.clickhouse!.volumes!.includes(
        "./helm/salesflow/files/clickhouse.xml:/etc/clickhouse-server/config.d/salesflow.xml:ro",
      ),
    );
  });

  it("log to the console only, and keep no system table forever", async () => {
    const settings = await readFile("helm/salesflow/files/clickhouse.xml");
    assertMatch(
      settings,
      /<logger>[^]*<console>true<\/console>\s*<log remove="1"\/>\s*<errorlog remove="1"\/>\s*<\/logger>/,
    );
    const tables = [
      ...settings.matchAll(
        /<(\w+_log)(?: remove="1"\/>|><ttl>event_date \+ INTERVAL \d+ DAY DELETE<\/ttl><\/\1>)/g,
      ),
    ];
    assertEquals(tables.map(([, table]) => table!).sort(), SYSTEM_LOGS);
  });
});

describe("Grafana's files", () => {
  it("refer to the provisioned data source and its type", async () => {
    const [source] = parse(await readFile("k8s/compose/grafana/datasources/clickhouse.yaml")).datasources;
    const dashboard = await readFile("k8s/compose/grafana/dashboards/sales.json");
    const named = [...dashboard.matchAll(/"datasource": \{\s*"type": "([^"]+)",\s*"uid": "([^"]+)"/g)];
    assertEquals(named.length, JSON.parse(dashboard).panels.length * 2 + 1);
    for (const [, type, uid] of named) assertEquals({ type, uid }, { type: source.type, uid: source.uid });
  });

  it("log in as a read-only user", async () => {
    const [source] = parse(await readFile("k8s/compose/grafana/datasources/clickhouse.yaml")).datasources;
    const users = await readFile("k8s/compose/clickhouse/reader.xml");
    const user = source.jsonData.username;
    assertMatch(
      users,
      new RegExp(`<users>\\s*<${user}>[^]*<profile>${user}</profile>[^]*</${user}>\\s*</users>`),
    );
    assertMatch(users, new RegExp(`<profiles>\\s*<${user}>[^]*<readonly>2</readonly>\\s*</${user}>`));
  });
});

describe("README.ru.md", () => {
  it("has the same Docker commands as README.md and .env.example", async () => {
    const english = await dockerCommands("README.md");
    assertEquals(await dockerCommands("README.ru.md"), english);
    const createEnv = english.find((line) => line.includes(".env.example > .env"));
    assert(createEnv && (await readFile(".env.example")).includes(createEnv), `${createEnv}`);
  });
});
