/** Builds the project's images from its Dockerfiles, and loads them into the cluster. */
import { attempt, run } from "./command.ts";
import type { Settings } from "./settings.ts";

// Build arguments that are passed on if set: sources of modules and jars on networks with mirrors.
const BUILD_SETTINGS = ["SALESFLOW_STD", "JSR_URL", "NPM_CONFIG_REGISTRY", "MAVEN_URL"];

/** Returns the name of an image in the cluster, such as `salesflow-spark:e2e`. */
export function imageName({ prefix, tag }: Settings, name: string): string {
  return `${prefix}${name}:${tag}`;
}

function buildArguments(settings: Settings, name: string, folder: string, target?: string): string[] {
  const args = BUILD_SETTINGS.filter((each) => Deno.env.get(each)).flatMap((each) => ["--build-arg", each]);
  const targetArgs = target ? ["--target", target] : [];
  return [
    "build",
    "--file",
    `k8s/${folder}/Dockerfile`,
    "--tag",
    imageName(settings, name),
    ...targetArgs,
    ...args,
    ".",
  ];
}

/** Builds the program's image, from source if Deno's compile runtime is unavailable; returns which one it is. */
async function buildProgram(settings: Settings): Promise<string> {
  const { code, stdout, stderr } = await attempt(
    "docker",
    buildArguments(settings, "salesflow", "salesflow"),
  );
  if (code === 0) return "compiled";
  await run("docker", buildArguments(settings, "salesflow", "salesflow", "source"));
  const errors = /(?<=\berror: ).+/g;
  const reasons = `${stdout}\n${stderr}`.match(errors) ?? ["see docker build"];
  return `from source; the executable: ${reasons.at(-1)}`;
}

/** Builds the three images; returns how the program's image was built. */
export async function buildImages(settings: Settings): Promise<string> {
  Deno.env.set("DOCKER_BUILDKIT", "1");
  const program = await buildProgram(settings);
  await run("docker", buildArguments(settings, "salesflow-spark", "spark"));
  await run("docker", buildArguments(settings, "salesflow-airflow", "airflow"));
  return program;
}

/** Loads an image into the cluster. */
export async function loadImage(settings: Settings, name: string): Promise<void> {
  const [program, ...args] = settings.load;
  if (program !== undefined) await run(program, [...args, imageName(settings, name)]);
}

/** Loads the project's three images. */
export async function loadImages(settings: Settings): Promise<void> {
  for (const name of ["salesflow", "salesflow-spark", "salesflow-airflow"]) await loadImage(settings, name);
}
