/**
 * `deno task test:compose`: the project's own images and its very compose.yaml, on a real container engine. In a copy of the
 * repository it does what README.md tells people to type, word for word; lets the DAG run on its schedule with all its
 * rows, by hand, and through a database outage; compares the tables, and takes everything down. Uses nothing but
 * `docker` (Compose 2.35 or newer) and what README.md uses. Ends with `N passed, N failed`.
 *
 * `--keep` leaves everything running, to look around.
 */
import { readArguments } from "../arguments.ts";
import { Airflow, moscowDay, until } from "./airflow.ts";
import {
  contents,
  dashboardQueries,
  expect,
  memoryWasEnough,
  outage,
  portsAreLocal,
  programAlone,
  removesOnlyOldThings,
  results,
  rowsArrived,
  RUN_TIMEOUT_MS,
  same,
  secretsStaySecret,
  stagesAreDone,
  type Work,
} from "./checks.ts";
import { startsWithFab } from "./airflow_image.ts";
import { docker, interrupt, Project, run, wasInterrupted } from "./docker.ts";
import { rolesAreMadeUpFor } from "./postgres_roles.ts";
import { dockerCommand } from "./readme.ts";

/** Sales of the scheduled run: the default. */
const ROWS = 1_000_000;
const START_TIMEOUT_MS = 600_000;
let passed = 0;
let failed = 0;

/** Does one check; the ones after it need what it brought about, so a failure ends the test. */
async function check<T>(name: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  try {
    const result = await work();
    passed++;
    console.log(`ok    ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
    return result;
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}`);
    throw error;
  }
}

/** Builds the program's image: the compiled program where Deno's compile runtime can be fetched, else from source. */
async function buildProgram(project: Project): Promise<string> {
  const program = (target: string) =>
    run(
      ["build", "-f", "k8s/salesflow/Dockerfile", "--target", target, "-t", `salesflow:${project.tag}`, "."],
      project.folder,
    );
  const compiled = await program("compiled");
  if (compiled.code === 0) return "compiled";
  const output = compiled.stdout + compiled.stderr;
  // That of cli/compile.ts where Deno's runtime file cannot be had; anything else is a mistake of ours.
  expect(/exit code: 75/.test(output), `the executable: ${output.slice(-4000)}`);
  const source = await program("source");
  expect(source.code === 0, (source.stdout + source.stderr).slice(-4000));
  return "source";
}

/** Up to the first healthy start, from nothing but the repository. */
async function start(project: Project): Promise<void> {
  await check("compose.yaml refuses to start without passwords", async () => {
    const { code, stderr } = await project.tryCompose("config", "--quiet");
    expect(code !== 0 && /create \.env first/.test(stderr), `exit code ${code}: ${stderr}`);
  });
  const target = await check("the program's image is built", () => buildProgram(project));
  console.log(
    target === "compiled"
      ? "      target compiled: the executable"
      : "      target source: Deno's compile runtime cannot be fetched here, so the program runs from source",
  );
  await check("the program's image runs as any user, read-only and offline", () => programAlone(project));
  await check(
    "the image for Kubernetes is built",
    () =>
      docker(
        ["build", "-f", "k8s/airflow/Dockerfile", "-t", `salesflow-airflow:${project.tag}`, "."],
        project.folder,
      ),
  );
  await check("the API server of that image starts with FAB's users", () => startsWithFab(project));
  // Compose builds only what is not there.
  await docker(["image", "rm", `salesflow:${project.tag}`]);
  await check(
    "README's first command makes .env with random passwords",
    async () =>
      project.makeEnv(await dockerCommand(".env.example > .env"), {
        SALESFLOW_BUILD: target,
        SALESFLOW_RETRY_DELAY_SECONDS: "5",
      }),
  );
  await check("a command alone, before anything is started, can write into the store", async () => {
    await project.compose("build", "salesflow");
    const alone = ["run", "--rm", "--no-TTY", "salesflow", "generate", "--rows", "100", "--run-id", "alone"];
    await project.compose(...alone);
    await docker(["image", "rm", `salesflow:${project.tag}`]);
  });
  await check(
    "PostgreSQL gets its roles after a first start that was killed before",
    () => rolesAreMadeUpFor(project),
  );
  await check("README's second builds the images and starts everything, healthy", async () => {
    await project.shell(await dockerCommand("docker compose up --wait"));
    await memoryWasEnough(project);
  });
  await check("ports are published on 127.0.0.1 only", () => portsAreLocal(project));
}

async function connect(project: Project): Promise<Airflow> {
  const password = project.secrets.AIRFLOW_ADMIN_PASSWORD!;
  const airflow = new Airflow(await project.address("airflow-api-server", 8080), "sales_pipeline", password);
  await check("Airflow lets in who has the password, and nobody else", async () => {
    await airflow.logIn(password);
    const wrong = await airflow.logIn("admin").then(() => "let in", () => "refused");
    same(wrong, "refused", "log-in with the password admin");
  });
  await check("the DAG is imported and not paused", async () => {
    same(
      await until("Airflow knows the DAG", START_TIMEOUT_MS, async () => {
        const paused = await airflow.isPaused();
        return paused === undefined ? undefined : { paused };
      }),
      { paused: false },
      "the DAG",
    );
    same(await airflow.importErrors(), [], "import errors");
  });
  return airflow;
}

async function scheduledRun(project: Project, airflow: Airflow): Promise<void> {
  const dagRun = await until(
    "there is a scheduled run",
    120_000,
    async () => (await airflow.runs("scheduled"))[0],
  );
  const tasks = await airflow.success(dagRun.dag_run_id, RUN_TIMEOUT_MS);
  const day = moscowDay(dagRun.run_after);
  await stagesAreDone(project, tasks, day);
  await rowsArrived(project, { runId: day, asOf: day, rows: ROWS });
  await memoryWasEnough(project);
}

/** Starts a run as README does, and waits for its rows. */
async function runByHand(project: Project, airflow: Airflow): Promise<Work> {
  const command = await dockerCommand("airflow dags trigger");
  const rows = Number(/"rows": (\d+)/.exec(command)?.[1]);
  await project.shell(command);
  const [dagRun, ...others] = await airflow.runs("manual");
  same([dagRun !== undefined, others.length], [true, 0], "runs by hand");
  const asOf = moscowDay(dagRun!.run_after);
  const work = { runId: `${asOf}.rows-${rows}`, asOf, rows };
  await stagesAreDone(project, await airflow.success(dagRun!.dag_run_id, RUN_TIMEOUT_MS), work.runId);
  await rowsArrived(project, work);
  return work;
}

async function test(project: Project): Promise<void> {
  await start(project);
  const airflow = await connect(project);
  await check(
    `the latest scheduled run starts by itself and brings ${ROWS} sales through`,
    () => scheduledRun(project, airflow),
  );
  const work = await check(
    "README's third command starts a run whose rows come to ClickHouse",
    () => runByHand(project, airflow),
  );
  await check("README's commands show the run, its rows and its report", () => results(project, work));
  await check("the dashboard's queries return rows", () => dashboardQueries(project, work.asOf));
  const before = await contents(project);
  await check(
    "the same run over REST ends right although PostgreSQL is away in the middle of it",
    async () => {
      const dagRun = await airflow.trigger({ rows: work.rows, as_of: work.asOf });
      await outage(project, airflow, dagRun, work.runId);
      const tasks = await airflow.success(dagRun, RUN_TIMEOUT_MS);
      await stagesAreDone(project, tasks, work.runId);
      const tries = tasks.find((task) => task.task_id === "aggregate")?.try_number ?? 0;
      expect(tries >= 2, `aggregate was tried ${tries} times: the outage passed it by`);
    },
  );
  await check(
    "both runs left the same tables",
    async () => same(await contents(project), before, "contents"),
  );
  await check("docker compose run --rm salesflow doctor finds nothing wrong", async () => {
    const report = await project.compose("run", "--rm", "--no-TTY", "salesflow", "doctor");
    expect(/ClickHouse/.test(report) && !/^(FAIL|warn)/m.test(report), report);
  });
  await check("README's commands remove only what is old", () => removesOnlyOldThings(project, work));
  await check("README's command for updates leaves everything healthy", async () => {
    await project.shell(await dockerCommand("docker compose up --build --wait"));
  });
  await check("no password is in any log", () => secretsStaySecret(project));
  await check("no container ran out of memory", () => memoryWasEnough(project));
}

async function stopped(project: Project): Promise<void> {
  await project.shell(await dockerCommand("docker compose down"));
  same((await project.containers()).length, 0, "containers");
  expect((await project.volumes()).length >= 4, "volumes are missing");
}

async function showState(project: Project): Promise<void> {
  const { stdout } = await project.tryCompose("ps", "--all");
  const logs = await project.tryCompose("logs", "--no-color", "--tail", "25");
  console.error(`${stdout}\n${logs.stdout}`);
}

if (import.meta.main) {
  const { flags: { keep = false } } = readArguments({
    command: "deno task test:compose",
    summary: "Runs the README's commands for Docker in a copy of the repository.",
    flags: { keep: { help: "leaves the project running" } },
  });
  const project = await Project.create();
  const remove = async () => {
    await project.remove();
    same(await project.leftovers(), [], "what is left");
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, interrupt);
  try {
    await test(project);
  } catch (error) {
    failed = Math.max(failed, 1); // what happened between two checks counts as well
    console.error(error);
    if (!wasInterrupted()) await showState(project);
  }
  if (keep) console.log(`project ${project.name} is left running`);
  else {
    if (failed === 0) {
      await check("README's last command stops everything and keeps the data", () => stopped(project)).catch(
        console.error,
      );
    }
    await check("everything is taken down, volumes too", remove).catch(console.error);
  }
  console.log(`${passed} passed, ${failed} failed`);
  Deno.exit(failed === 0 ? 0 : 1);
}
