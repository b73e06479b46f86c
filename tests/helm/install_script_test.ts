/** helm/install.sh with helm and kubectl that only write down how they were called. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { type Outcome, ROOT, run } from "./chart.ts";

const RECORDER = `#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$(basename "$0") $1 $2" in
  "kubectl get namespace") [ -n "$NAMESPACE_EXISTS" ] ;;
  "kubectl get statefulset") echo statefulset/salesflow-postgresql ;;
  "kubectl get deployment,statefulset") echo deployment/airflow-api-server ;;
esac
`;

let folder = "";

/** Runs the script; the calls are those that change something or wait. */
async function script(
  args: string[],
  env: Record<string, string> = {},
): Promise<Outcome & { calls: string[] }> {
  const file = `${folder}/calls-${crypto.randomUUID()}`;
  await Deno.writeTextFile(file, "");
  const path = `${folder}:${Deno.env.get("PATH")}`;
  const outcome = await run("bash", [`${ROOT}helm/install.sh`, ...args], {
    env: { PATH: path, CALLS: file, NAMESPACE_EXISTS: "", ...env },
  });
  const all = (await Deno.readTextFile(file)).trim().split("\n");
  return { ...outcome, calls: all.filter((call) => !/^kubectl (get|version)/.test(call)) };
}

const short = (call: string) => call.split(" ").slice(0, 3).join(" ");
const releases = (calls: string[]) =>
  calls.filter((call) => call.startsWith("helm ")).map((call) =>
    /(install|upgrade|uninstall|crds).*?(spark-operator|salesflow|airflow)/.exec(call)!.slice(1).join(" ")
  );

describe("helm/install.sh", () => {
  beforeAll(async () => {
    folder = await Deno.makeTempDir();
    for (const name of ["helm", "kubectl"]) {
      await Deno.writeTextFile(`${folder}/${name}`, RECORDER, { mode: 0o755 });
    }
  });
  afterAll(() => Deno.remove(folder, { recursive: true }));

  it("install brings the operator, the chart and Airflow, in this order, with pinned versions", async () => {
    const { code, calls, stderr } = await script(["install"]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(releases(calls), [
      "crds spark-operator",
      "upgrade spark-operator",
      "upgrade salesflow",
      "upgrade airflow",
    ]);
    assertEquals(calls.slice(0, 2).map(short), ["kubectl create namespace", "kubectl label namespace"]);
    const helm = (release: string) =>
      calls.find((call) => call.startsWith("helm upgrade") && call.includes(release))!;
    assertMatch(
      helm(" spark-operator "),
      /--install .*--version \d+\.\d+\.\d+ .*spark\.jobNamespaces=\{salesflow\}/,
    );
    assertMatch(helm(" airflow "), /--repo https:\S+ --version \d+\.\d+\.\d+ --namespace salesflow/);
    assertMatch(calls.at(-1)!, /rollout status deployment\/airflow-api-server/);
  });

  it("install leaves an existing namespace as it is", async () => {
    const { calls } = await script(["install"], { NAMESPACE_EXISTS: "1" });
    assertEquals(
      calls.filter((call) => call.includes("namespace salesflow") && !call.includes("--namespace")),
      [],
    );
  });

  it("install takes charts by path, and values, and a namespace", async () => {
    const { calls } = await script([
      ...["install", "--namespace", "shop", "--operator-namespace", "spark"],
      ...["--spark-operator-chart", "/charts/operator.tgz", "--airflow-chart", "/charts/airflow"],
      ...[
        "--values",
        "one.yaml",
        "--values",
        "two.yaml",
        "--set",
        "pipeline.rows=5",
        "--airflow-values",
        "three.yaml",
      ],
    ]);
    const [operator, salesflow, airflow] = calls.filter((call) => call.startsWith("helm upgrade"));
    assertMatch(
      operator!,
      /spark-operator \/charts\/operator\.tgz --namespace spark .*jobNamespaces=\{shop\}/,
    );
    assertMatch(salesflow!, /--namespace shop --values one\.yaml --values two\.yaml --set pipeline\.rows=5/);
    assertMatch(airflow!, /airflow \/charts\/airflow --namespace shop .*--values three\.yaml/);
    for (const call of calls) assertEquals(/--(repo|version)/.test(call), false, call);
  });

  it("install leaves out what is there already", async () => {
    const { calls } = await script(["install", "--skip-airflow", "--skip-spark-operator"]);
    assertEquals(releases(calls), ["upgrade salesflow"]);
  });

  it("upgrade installs nothing that is not there", async () => {
    const { calls } = await script(["upgrade"]);
    for (const call of calls.filter((each) => each.startsWith("helm upgrade"))) {
      assertEquals(call.includes("--install"), false, call);
    }
  });

  it("uninstall goes the other way round and leaves the data", async () => {
    const { calls } = await script(["uninstall"]);
    assertEquals(releases(calls), ["uninstall airflow", "uninstall salesflow", "uninstall spark-operator"]);
    assertEquals(calls.filter((call) => /delete .*(secrets|persistentvolumeclaims)/.test(call)), []);
  });

  it("uninstall --purge removes the data of this release only", async () => {
    const { calls } = await script(["uninstall", "--purge", "--skip-airflow", "--skip-spark-operator"]);
    assertEquals(releases(calls), ["uninstall salesflow"]);
    const selector = "--selector app.kubernetes.io/name=salesflow,app.kubernetes.io/instance=salesflow";
    assertStringIncludes(calls.at(-1)!, `delete persistentvolumeclaims,secrets --namespace salesflow`);
    assertStringIncludes(calls.at(-1)!, selector);
  });

  const wrong: [args: string[], message: RegExp][] = [
    [[], /^Usage:/],
    [["start"], /there is no action start/],
    [["install", "--names", "x"], /there is no option --names/],
    [["install", "x"], /there is no argument x/],
    [["install", "--values"], /--values needs a value/],
    [["install", "--purge"], /--purge goes with uninstall only/],
  ];
  for (const [args, message] of wrong) {
    it(`refuses "${args.join(" ")}" and changes nothing`, async () => {
      const { code, stderr, calls } = await script(args);
      assertEquals([code, calls], [2, [""]]);
      assertMatch(stderr, message);
    });
  }
});
