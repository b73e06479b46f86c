/** The project's images, built from its own Dockerfiles and brought into the cluster. */
import { attempt, run } from "./command.ts";
import type { Settings } from "./settings.ts";

// Passed on when they are set: who provides modules and jars on networks with mirrors.
const BUILD_SETTINGS = ["SALESFLOW_STD", "JSR_URL", "NPM_CONFIG_REGISTRY", "MAVEN_URL"];

/** Name of an image in the cluster, such as `salesflow-spark:e2e`. */
export function imageName({ prefix, tag }: Settings, name: string): string {
  return `${prefix}${name}:${tag}`;
}

function buildArguments(settings: Settings, name: string, folder: string, target?: string): string[] {
  const args = BUILD_SETTINGS.filter((each) => Deno.env.get(each)).flatMap((each) => ["--build-arg", each]);
  const goal = target ? ["--target", target] : [];
  return [
    "build",
    "--file",
    `k8s/${folder}/Dockerfile`,
    "--tag",
    imageName(settings, name),
    ...goal,
    ...args,
    ".",
  ];
}

/** Builds the program's image as an executable, or from source where the compile runtime cannot be had; says which. */
async function buildProgram(settings: Settings): Promise<string> {
  const { code, stdout, stderr } = await attempt(
    "docker",
    buildArguments(settings, "salesflow", "salesflow"),
  );
  if (code === 0) return "compiled";
  await run("docker", buildArguments(settings, "salesflow", "salesflow", "source"));
  const why = /(?<=\berror: ).+/g;
  const reasons = `${stdout}\n${stderr}`.match(why) ?? ["see docker build"];
  return `from source; the executable: ${reasons.at(-1)}`;
}

/** Builds the three images; returns what is to be known about them. */
export async function buildImages(settings: Settings): Promise<string> {
  Deno.env.set("DOCKER_BUILDKIT", "1");
  const program = await buildProgram(settings);
  await run("docker", buildArguments(settings, "salesflow-spark", "spark"));
  await run("docker", buildArguments(settings, "salesflow-airflow", "airflow"));
  return program;
}

/** Brings an image to where the cluster's nodes find it. */
export async function loadImage(settings: Settings, name: string): Promise<void> {
  const [program, ...args] = settings.load;
  if (program !== undefined) await run(program, [...args, imageName(settings, name)]);
}

/** The same for the three images of the project. */
export async function loadImages(settings: Settings): Promise<void> {
  for (const name of ["salesflow", "salesflow-spark", "salesflow-airflow"]) await loadImage(settings, name);
}
