/** helm/install.sh with helm and kubectl that only write down how they were called; charts are rendered for real. */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { CHART, ciValues, type Outcome, ROOT, run } from "./chart.ts";

const RECORDER = `#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$(basename "$0") $1 $2" in
  "helm version "*) echo "$HELM_VERSION" ;;
  "helm template "*) PATH=$REAL_PATH exec helm "$@" ;;
  "helm status "*) case " $RELEASES " in *" $2 "*) ;; *) exit 1 ;; esac ;;
  "kubectl version "*) echo '{"clientVersion": {"gitVersion": "v1.20.0"},'; echo ' "serverVersion": {'
    echo "  \\"gitVersion\\": \\"$KUBERNETES_VERSION\\"}}" ;;
  "kubectl apply --filename") cat >> "$CALLS" ;;
  "kubectl get namespace") [ -n "$NAMESPACE_EXISTS" ] ;;
  "kubectl get secret") echo "$SECRET_KEYS" ;;
  "kubectl get statefulset") echo statefulset/salesflow-postgresql ;;
  "kubectl get deployment,statefulset") echo deployment/airflow-api-server ;;
esac
`;
const ALL_RELEASES = "spark-operator salesflow airflow";

let folder = "";

/** Runs the script; the calls are those that change something or wait. */
async function script(
  args: string[],
  env: Record<string, string> = {},
): Promise<Outcome & { calls: string[] }> {
  const file = `${folder}/calls-${crypto.randomUUID()}`;
  await Deno.writeTextFile(file, "");
  const path = Deno.env.get("PATH")!;
  const state = {
    HELM_VERSION: "v3.22.0",
    KUBERNETES_VERSION: "v1.35.4+x1",
    NAMESPACE_EXISTS: "",
    RELEASES: ALL_RELEASES,
    SECRET_KEYS: "",
  };
  const outcome = await run("bash", [`${ROOT}helm/install.sh`, ...args], {
    env: { ...state, PATH: `${folder}:${path}`, REAL_PATH: path, CALLS: file, ...env },
  });
  const all = (await Deno.readTextFile(file)).trim().split("\n");
  const asks = /^(kubectl (get|version)|helm (status|version|template)) /;
  return { ...outcome, calls: all.filter((call) => call !== "" && !asks.test(call)) };
}

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
    // The namespace comes with its labels, not before them.
    assertEquals(calls.slice(0, 8), [
      "kubectl apply --filename -",
      "apiVersion: v1",
      "kind: Namespace",
      "metadata:",
      "  name: salesflow",
      "  labels:",
      "    pod-security.kubernetes.io/enforce: restricted",
      "    pod-security.kubernetes.io/warn: restricted",
    ]);
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
    assertEquals(calls.filter((call) => /kind: Namespace|(create|label) namespace/.test(call)), []);
  });

  it("install takes charts by path, and values, and a namespace", async () => {
    const [one, two] = ["one", "two"].map((name) => `${folder}/${name}.yaml`) as [string, string];
    for (const path of [one, two]) await Deno.writeTextFile(path, "{}");
    const { calls } = await script([
      ...["install", "--namespace", "shop", "--operator-namespace", "spark"],
      ...["--spark-operator-chart", "/charts/operator.tgz", "--airflow-chart", "/charts/airflow"],
      ...[
        "--values",
        one,
        "--values",
        two,
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
    assertStringIncludes(
      salesflow!,
      `--namespace shop --values ${one} --values ${two} --set pipeline.rows=5`,
    );
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

  for (const release of ALL_RELEASES.split(" ")) {
    it(`upgrade changes nothing where ${release} is not installed, and says what to do`, async () => {
      const there = ALL_RELEASES.replace(release, "");
      const { code, stderr, calls } = await script(["upgrade"], { RELEASES: there });
      assertEquals([code, calls], [1, []]);
      assertMatch(stderr, new RegExp(`no release ${release} in the namespace .*install\\.sh install`));
    });
  }

  it("upgrade needs no release that is skipped", async () => {
    const { code, calls } = await script(["upgrade", "--skip-airflow", "--skip-spark-operator"], {
      RELEASES: "salesflow",
    });
    assertEquals([code, releases(calls)], [0, ["upgrade salesflow"]]);
  });

  const own = "connection fernet-key api-secret-key jwt-secret admin-password ";
  const ci = (name: string) => ["--values", ciValues().find((file) => file.includes(`/ci/${name}`))!];
  /** Values that values/airflow.yaml does not go with, and what must be said about each. */
  const withoutAirflow: [args: string[], message: RegExp, env?: Record<string, string>][] = [
    [["--set", "fullnameOverride=sales"], /no ConfigMap salesflow-dag.*--skip-airflow/],
    [["--set", "airflow.enabled=false"], /no ConfigMap salesflow-dag.*--skip-airflow/],
    [["--set", "airflow.database.create=false"], /Airflow has no database.*data\.metadataSecretName/],
    [
      ["--set", "airflow.serviceAccount.create=false", "--set", "airflow.serviceAccount.name=other"],
      /no account salesflow-airflow.*scheduler\.serviceAccount\.name/,
    ],
    [["--set", "secrets.create=false"], /Secret salesflow-airflow .* it lacks the key connection/],
    [["--set", "secrets.create=false"], /it lacks the key jwt-secret/, {
      SECRET_KEYS: own.replace("jwt-secret ", ""),
    }],
    [["--set", "postgresql.enabled=false"], /postgresql\.external\.existingSecret is empty[^]*does not take/],
    [ci("production"), /no ConfigMap salesflow-dag/],
    [ci("small"), /no ConfigMap salesflow-dag/],
    [ci("external-databases"), /no account salesflow-airflow/],
    [[], /helm is v3\.18\.6, and Airflow's chart needs 3\.19 or newer/, { HELM_VERSION: "v3.18.6" }],
    [[], /requires kubeVersion: >=1\.30/, { KUBERNETES_VERSION: "v1.29.1" }],
  ];
  for (const [args, message, env] of withoutAirflow) {
    const told = [...args.map((each) => each.replace(`${CHART}/`, "")), ...Object.values(env ?? {})].join(
      " ",
    );
    it(`install changes nothing with ${told}, and says what to do`, async () => {
      const { code, stderr, calls } = await script(["install", ...args], env);
      assertEquals([code, calls], [1, []]);
      assertMatch(stderr.replaceAll("\n", " "), message);
    });
  }

  it("install takes the values of every file in ci/ with --skip-airflow", async () => {
    for (const file of ciValues()) {
      const { code, stderr, calls } = await script(["install", "--skip-airflow", "--values", file]);
      assertEquals([code, stderr], [0, ""], file);
      assertEquals(releases(calls).at(-1), "upgrade salesflow");
    }
  });

  it("install lets a file of --airflow-values name what the chart does not make", async () => {
    const file = `${folder}/airflow.yaml`;
    await Deno.writeTextFile(
      file,
      "data: {metadataSecretName: mine}\nscheduler:\n  serviceAccount: {create: false, name: other}\n",
    );
    for (
      const set of [
        "airflow.database.create=false",
        "airflow.serviceAccount.create=false,airflow.serviceAccount.name=other",
      ]
    ) {
      const { code, stderr } = await script(["install", "--set", set, "--airflow-values", file]);
      assertEquals([code, stderr], [0, ""], set);
    }
    const secrets = { SECRET_KEYS: own.replace("connection ", "") };
    assertEquals(
      (await script(["install", "--set", "secrets.create=false", "--airflow-values", file], secrets)).code,
      0,
    );
  });

  it("install takes Secrets that somebody else made, and newer versions of helm", async () => {
    for (const HELM_VERSION of ["v3.19.0", "v4.1"]) {
      const args = ["install", "--set", "secrets.create=false"];
      const { code, stderr } = await script(args, { SECRET_KEYS: own, HELM_VERSION });
      assertEquals([code, stderr], [0, ""], HELM_VERSION);
    }
  });

  it("uninstall goes the other way round and leaves the data", async () => {
    const { calls } = await script(["uninstall"]);
    assertEquals(releases(calls), ["uninstall airflow", "uninstall salesflow", "uninstall spark-operator"]);
    assertEquals(calls.filter((call) => /delete .*(secrets|persistentvolumeclaims)/.test(call)), []);
    // The work of another installation in the namespace is left alone.
    for (const kind of ["pods", "sparkapplications"]) {
      const call = calls.find((each) => each.startsWith(`kubectl delete ${kind} `))!;
      assertStringIncludes(call, "app.kubernetes.io/name=salesflow,app.kubernetes.io/instance=salesflow");
    }
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
      assertEquals([code, calls], [2, []]);
      assertMatch(stderr, message);
    });
  }
});
