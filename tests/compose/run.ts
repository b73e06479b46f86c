/**
 * `deno task test:compose`: the project's own images and its very compose.yaml, on a real container engine. Builds,
 * brings everything up, lets the DAG run on its schedule, by hand, and through a database outage, compares the tables, and takes
 * everything down. Uses nothing but `docker` (Compose 2.35 or newer). Ends with `N passed, N failed`.
 *
 * `--keep` leaves everything running, to look around.
 */
import { Airflow, until } from "./airflow.ts";
import {
  contents,
  dashboardQueries,
  expect,
  outage,
  PARAMS,
  portsAreLocal,
  programAlone,
  rowsArrived,
  RUN_TIMEOUT_MS,
  same,
  secretsStaySecret,
  stagesAreDone,
} from "./checks.ts";
import { docker, interrupt, Project, run, wasInterrupted } from "./docker.ts";

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

/** Builds the images: the compiled program where Deno's compile runtime can be fetched, else the program from source. */
async function build(project: Project): Promise<string> {
  const program = (target: string) =>
    run([
      "build",
      "-f",
      "k8s/salesflow/Dockerfile",
      "--target",
      target,
      "-t",
      `salesflow:${project.tag}`,
      ".",
    ]);
  let target = "compiled";
  const compiled = await program(target);
  if (compiled.code !== 0) {
    const output = compiled.stdout + compiled.stderr;
    // That of cli/compile.ts where Deno's runtime file cannot be had; anything else is a mistake of ours.
    expect(/exit code: 75/.test(output), `the executable: ${output.slice(-4000)}`);
    target = "source";
    const source = await program(target);
    expect(source.code === 0, (source.stdout + source.stderr).slice(-4000));
  }
  project.setBuild(target);
  await project.compose("build");
  await docker(["build", "-f", "k8s/airflow/Dockerfile", "-t", `salesflow-airflow:${project.tag}`, "."]);
  return target;
}

async function test(project: Project): Promise<void> {
  await check("compose.yaml refuses to start without passwords", async () => {
    const { code, stderr } = await run(["compose", "--env-file", "/dev/null", "config", "--quiet"]);
    expect(code !== 0 && /make \.env first/.test(stderr), `exit code ${code}: ${stderr}`);
  });
  const target = await check("all images are built from the project's Dockerfiles", () => build(project));
  console.log(
    target === "compiled"
      ? "      target compiled: the executable"
      : "      target source: Deno's compile runtime cannot be fetched here, so the program runs from source",
  );
  await check("the program's image runs as any user, read-only and offline", () => programAlone(project));
  await check(
    "docker compose up --wait: all services are healthy",
    () => project.compose("up", "--wait", "--no-build"),
  );
  await check("ports are published on 127.0.0.1 only", () => portsAreLocal(project));

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
  await check("the latest scheduled run starts by itself and succeeds", async () => {
    const dagRun = await until(
      "there is a scheduled run",
      120_000,
      async () => (await airflow.runs("scheduled"))[0],
    );
    const tasks = await airflow.success(dagRun, RUN_TIMEOUT_MS);
    const runId = await project.postgres(
      "SELECT run_id FROM shop.pipeline_runs ORDER BY loaded_at DESC LIMIT 1",
    );
    await stagesAreDone(project, tasks, runId.trim());
  });

  const runId = `${PARAMS.as_of}.seed-${PARAMS.seed}`;
  await check("a run triggered over REST brings its rows to ClickHouse", async () => {
    const dagRun = await airflow.trigger(PARAMS);
    await stagesAreDone(project, await airflow.success(dagRun, RUN_TIMEOUT_MS), runId);
    await rowsArrived(project);
  });
  await check("the dashboard's queries return rows", () => dashboardQueries(project));
  const before = await contents(project);
  await check("a second run ends right although PostgreSQL is away in the middle of it", async () => {
    const dagRun = await airflow.trigger(PARAMS);
    await outage(project, airflow, dagRun, runId);
    const tasks = await airflow.success(dagRun, RUN_TIMEOUT_MS);
    await stagesAreDone(project, tasks, runId);
    const tries = tasks.find((task) => task.task_id === "aggregate")?.try_number ?? 0;
    expect(tries >= 2, `aggregate was tried ${tries} times: the outage passed it by`);
  });
  await check(
    "both runs left the same tables",
    async () => same(await contents(project), before, "contents"),
  );
  await check("docker compose run --rm salesflow doctor finds nothing wrong", async () => {
    const report = await project.compose("run", "--rm", "--no-TTY", "salesflow", "doctor");
    expect(/ClickHouse/.test(report) && !/^(broken|warning)/m.test(report), report);
  });
  await check("no password is in any log", () => secretsStaySecret(project));
}

async function showState(project: Project): Promise<void> {
  const { stdout } = await project.tryCompose("ps", "--all");
  const logs = await project.tryCompose("logs", "--no-color", "--tail", "25");
  console.error(`${stdout}\n${logs.stdout}`);
}

if (import.meta.main) {
  const keep = Deno.args.includes("--keep");
  const project = await Project.create({ SALESFLOW_ROWS: "50000", SALESFLOW_RETRY_DELAY_SECONDS: "5" });
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
  else await check("everything is taken down, volumes too", remove).catch(console.error);
  console.log(`${passed} passed, ${failed} failed`);
  Deno.exit(failed === 0 ? 0 : 1);
}
