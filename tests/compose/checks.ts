/** Checks of the compose test. */
import { type Airflow, type Task, until } from "./airflow.ts";
import { docker, type Project, run } from "./docker.ts";
import { dockerCommand, dockerCommands } from "./readme.ts";

/** Runs usually take a few minutes; this is for busy machines. */
export const RUN_TIMEOUT_MS = 1_800_000;
const STAGES = ["migrate", "generate", "clean", "load", "aggregate", "transfer", "verify", "report"];

/** A run of the pipeline. */
export interface Work {
  runId: string;
  asOf: string;
  rows: number;
}

/** Asserts a condition. @throws {Error} with the message */
export function expect(condition: boolean, message: string): void {
  if (!condition) throw new Error(message);
}

/** Asserts that two values are equal as JSON. @throws {Error} when they differ */
export function same(found: unknown, expected: unknown, what: string): void {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  expect(a === b, `${what}: found ${a}, expected ${b}`);
}

/** Checks that the program's image runs alone: as any user, offline, with only the store writable. */
export async function programAlone(project: Project): Promise<void> {
  const isolation = [
    "--rm",
    "--network=none",
    "--read-only",
    "--cap-drop=ALL",
    "--user=12345:12345",
    "--tmpfs=/data:mode=1777",
  ];
  const image = `salesflow:${project.tag}`;
  const generate = ["generate", "--rows", "1000", "--run-id", "alone", "--store", "file:///data"];
  const { code, stderr } = await run(["run", ...isolation, image, ...generate]);
  same(code, 0, `exit code of generate (${stderr.slice(-500)})`);
  expect(/"rows_out":1\d{3}\b/.test(stderr), `generate did not log its rows: ${stderr.slice(-500)}`);
  same((await run(["run", ...isolation, image, "nonsense"])).code, 2, "exit code of an unknown command");
  const user = await docker(["image", "inspect", "--format", "{{.Config.User}}", image]);
  expect(/^[1-9]|^nonroot/.test(user), `the image runs as ${user.trim() || "root"}`);
}

/** Checks that all ports are published on localhost only. */
export async function portsAreLocal(project: Project): Promise<void> {
  const ids = (await project.compose("ps", "--all", "--quiet")).trim().split("\n");
  const format = "{{range $port, $all := .NetworkSettings.Ports}}{{range $all}}{{.HostIp}} {{end}}{{end}}";
  const addresses = (await docker(["inspect", "--format", format, ...ids])).split(/\s+/).filter((ip) =>
    ip !== ""
  );
  expect(addresses.length >= 4, `only ${addresses.length} ports are published`);
  for (const address of addresses) same(address, "127.0.0.1", "host address of a port");
}

/** Returns rows, sums and a hash of all values in the tables, which a rerun must reproduce. */
export async function contents(project: Project): Promise<Record<string, string>> {
  const hashQuery = (table: string, columns: string) =>
    `SELECT count(*), md5(string_agg(line, ',' ORDER BY line)) FROM (SELECT concat_ws('|', ${columns}) AS line FROM ${table}) t`;
  const aggregates =
    "level, region, product_id, total_sales, total_quantity, total_amount, average_sale_amount, amount_share, " +
    "amount_rank, cumulative_share, run_id";
  return {
    sales: await project.postgres(
      hashQuery("shop.sales", "sale_id, customer_id, product_id, quantity, sale_date, sale_amount, region"),
    ),
    aggregates: await project.postgres(hashQuery("shop.sales_aggregates", aggregates)),
    rejected: await project.postgres(hashQuery("shop.rejected_sales", "run_id, file, line, reason, raw")),
    clickhouse: await project.clickhouse(
      `SELECT import_date, count(), sum(total_sales), sum(total_amount), sum(cityHash64(${aggregates})) ` +
        "FROM shop.sales_aggregates GROUP BY import_date ORDER BY import_date FORMAT TSV",
    ),
  };
}

/** Compares the results of the run in ClickHouse with those in PostgreSQL. */
export async function rowsArrived(project: Project, { runId, asOf, rows }: Work): Promise<void> {
  const columns = "level, region, product_id, total_sales, total_amount, amount_rank, run_id";
  const inPostgres = await project.postgres(
    `COPY (SELECT ${columns} FROM shop.sales_aggregates ORDER BY level COLLATE "C", region COLLATE "C", product_id) TO STDOUT`,
  );
  const inClickHouse = await project.clickhouse(
    `SELECT level, region, product_id, total_sales, toDecimalString(total_amount, 2), amount_rank, run_id FROM shop.sales_aggregates ` +
      `WHERE import_date = '${asOf}' ORDER BY toString(level), toString(region), product_id FORMAT TSV`,
  );
  const [total, ...others] = inPostgres.split("\n").filter((line) => line.startsWith("total"));
  same(others.length, 0, "further rows of the level total");
  const [level, region, product, sales, , , ranBy] = total?.split("\t") ?? [];
  same([level, region, product, sales, ranBy], ["total", "All", "0", String(rows), runId], "the grand total");
  expect(inPostgres === inClickHouse, "the aggregates in ClickHouse and PostgreSQL differ");
}

/** Checks that all tasks have succeeded and that the stage records agree. */
export async function stagesAreDone(project: Project, tasks: Task[], runId: string): Promise<void> {
  same(tasks.map((task) => task.task_id).sort(), [...STAGES].sort(), "tasks");
  for (const task of tasks) same(task.state, "success", `state of ${task.task_id}`);
  for (const stage of STAGES.slice(1)) {
    const record = JSON.parse(
      await project.inside("airflow-scheduler", `cat /var/lib/salesflow/runs/${runId}/stages/${stage}.json`),
    );
    same(record.status, "done", `record of ${stage}`);
    const engine = stage === "clean" || stage === "aggregate" ? "spark" : "native";
    same(record.engine, engine, `engine of ${stage}`);
  }
}

/**
 * Stops PostgreSQL, which is also Airflow's metadata database, until a stage has failed. On a slow machine the scheduler
 * may fail before the stage, and its container restarts with the stage in it.
 */
export async function outage(
  project: Project,
  airflow: Airflow,
  dagRun: string,
  runId: string,
): Promise<void> {
  await until("aggregate is running", RUN_TIMEOUT_MS, async () => {
    const task = (await airflow.tasks(dagRun)).find((each) => each.task_id === "aggregate");
    expect(task?.state !== "success", "aggregate finished before it was seen running");
    return task?.state === "running";
  });
  const scheduler = await project.startedAt("airflow-scheduler");
  await project.compose("stop", "--timeout", "30", "postgres");
  await until(
    "Airflow has lost its database",
    120_000,
    async () => await airflow.databaseHealth() === "unhealthy",
  );
  const record = `cat /var/lib/salesflow/runs/${runId}/stages/aggregate.json`;
  await until("aggregate has failed, or the scheduler with it", 300_000, async () => {
    if (await project.startedAt("airflow-scheduler") !== scheduler) return true;
    const { stdout } = await project.tryCompose(
      "exec",
      "--no-TTY",
      "airflow-scheduler",
      "bash",
      "-c",
      record,
    );
    return stdout !== "" && JSON.parse(stdout).error?.exit_code === 75;
  });
  await project.compose("start", "postgres");
}

/** Checks that the dashboard's queries return rows. They need only ClickHouse, not Grafana's image. */
export async function dashboardQueries(project: Project, asOf: string): Promise<void> {
  const file = new URL("../../k8s/compose/grafana/dashboards/sales.json", import.meta.url);
  const { templating, panels } = JSON.parse(await Deno.readTextFile(file));
  const queries: string[] = [
    templating.list[0].query,
    ...panels.map((panel: Panel) => panel.targets[0].rawSql),
  ];
  same(queries.length, 9, "queries of the dashboard");
  for (const query of queries) {
    const sql = query.replaceAll("${import_date}", asOf)
      .replaceAll("$__dateFilter(import_date)", "import_date >= '2020-01-01'");
    const rows = await project.clickhouse(`${sql} FORMAT TSV`);
    expect(rows.trim() !== "", `no rows: ${sql}`);
  }
}

interface Panel {
  targets: [{ rawSql: string }];
}

/** Runs the commands of README.md that show the results of a run. */
export async function results(project: Project, { runId }: Work): Promise<void> {
  const status = await project.shell(await dockerCommand("salesflow status"));
  expect(status.includes(runId), `salesflow status does not show ${runId}: ${status}`);
  const regions = (await project.shell(await dockerCommand("salesflow sql clickhouse"))).split("\n");
  same(regions.filter((line) => line.includes(runId)).length, 4, `regions of ${runId} in ${regions}`);
  await project.shell(await dockerCommand("docker compose cp"));
  const report = await Deno.readTextFile(`${project.folder}/runs/${runId}/report/report.html`);
  expect(report.includes(runId), "the copied report is of another run");
}

/** Runs the commands of README.md that delete old data, and checks that they delete nothing recent. */
export async function removesOnlyOldThings(project: Project, { runId }: Work): Promise<void> {
  const commands = (await dockerCommands()).filter((command) => /\b90d?\b/.test(command));
  same(commands.length, 3, "commands that delete old data");
  const count = () =>
    project.inside(
      "airflow-scheduler",
      "find /opt/airflow/logs /var/lib/salesflow/runs -name '*task_id=*' -o -name report.html | wc -l",
    );
  const before = await count();
  for (const command of commands) await project.shell(command);
  same(await count(), before, "logs and reports");
  await project.inside("airflow-scheduler", `test -f /var/lib/salesflow/runs/${runId}/report/report.html`);
}

/** Checks that no container ran out of memory. */
export async function memoryWasEnough(project: Project): Promise<void> {
  same(await project.outOfMemory(), [], "containers that ran out of memory");
}

/** Checks that no password is in the containers' logs or in Airflow's task logs. */
export async function secretsStaySecret(project: Project): Promise<void> {
  const logs = await project.compose("logs", "--no-color") +
    await project.inside("airflow-scheduler", "find /opt/airflow/logs -name '*.log' -exec cat {} +");
  expect(logs.includes("spark-submit"), "the task logs are missing from the logs");
  for (const [name, value] of Object.entries(project.secrets)) {
    expect(!logs.includes(value) && !logs.includes(encodeURIComponent(value)), `${name} is in the logs`);
  }
}
