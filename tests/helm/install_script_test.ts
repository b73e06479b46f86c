/**
 * Tests helm/install.sh with fake helm and kubectl that record their calls; `helm template` is the real one. SALESFLOW_TEST_BASH
 * names another bash to run it with, such as the 3.2 of macOS.
 */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { CHART, listCiValues, type Outcome, ROOT, run } from "./chart.ts";

const RECORDER = `#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
case "$(basename "$0") $1 $2" in
  "helm version "*) echo "$HELM_VERSION" ;;
  "helm template "*) PATH=$REAL_PATH exec helm "$@" ;;
  "helm list --all-namespaces") printf 'NAME NAMESPACE REVISION\\n%s\\n' "$OPERATOR" ;;
  "helm list --namespace") case $OPERATOR in "spark-operator $3 "*) echo spark-operator ;; esac ;;
  "helm get values") echo "{\\"spark\\":{\\"jobNamespaces\\":$WATCHED,\\"x\\":[]}}" ;;
  "helm status "*) case " $RELEASES " in *" $2 "*) ;; *) exit 1 ;; esac ;;
  "kubectl version "*) echo '{"clientVersion": {"gitVersion": "v1.20.0"},'; echo ' "serverVersion": {'
    echo "  \\"gitVersion\\": \\"$KUBERNETES_VERSION\\"}}" ;;
  "kubectl apply --filename") cat >> "$CALLS" ;;
  "kubectl get namespace") case " $NAMESPACES " in *" $3 "*) ;; *) exit 1 ;; esac ;;
  "kubectl get secret") echo "$SECRET_KEYS" ;;
  "kubectl get configmap") echo 4711 ;;
  "kubectl get statefulset") echo statefulset/salesflow-postgresql ;;
  "kubectl get deployment,statefulset") echo deployment/airflow-api-server ;;
esac
`;
const BASH = Deno.env.get("SALESFLOW_TEST_BASH") ?? "bash";
const ALL_RELEASES = "spark-operator salesflow airflow";

let folder = "";

/** Runs the script; returns only the calls that change something or wait. */
async function runScript(
  args: string[],
  env: Record<string, string> = {},
): Promise<Outcome & { calls: string[] }> {
  const file = `${folder}/calls-${crypto.randomUUID()}`;
  await Deno.writeTextFile(file, "");
  const path = Deno.env.get("PATH")!;
  const state = {
    HELM_VERSION: "v3.22.0",
    KUBERNETES_VERSION: "v1.35.4+x1",
    NAMESPACES: "",
    OPERATOR: "",
    RELEASES: ALL_RELEASES,
    SECRET_KEYS: "",
    WATCHED: "[]",
  };
  const outcome = await run(BASH, [`${ROOT}helm/install.sh`, ...args], {
    env: { ...state, PATH: `${folder}:${path}`, REAL_PATH: path, CALLS: file, ...env },
  });
  const all = (await Deno.readTextFile(file)).trim().split("\n");
  const readOnlyCalls = /^(kubectl (get|version)|helm (get|list|status|version|template)) /;
  return { ...outcome, calls: all.filter((call) => call !== "" && !readOnlyCalls.test(call)) };
}

/** Returns the helm actions among the calls, such as `upgrade salesflow`. */
const helmActions = (calls: string[]) =>
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

  it("install installs the operator, the chart and Airflow, in this order, with pinned versions", async () => {
    const { code, calls, stderr } = await runScript(["install"]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(helmActions(calls), [
      "crds spark-operator",
      "upgrade spark-operator",
      "upgrade salesflow",
      "upgrade airflow",
    ]);
    // The namespace is created with its labels, not labelled afterwards.
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
      /--install .*--version \d+\.\d+\.\d+ .*--set-json spark\.jobNamespaces=\["salesflow"\] /,
    );
    assertMatch(helm(" airflow "), /--repo https:\S+ --version \d+\.\d+\.\d+ --namespace salesflow/);
    assertMatch(helm(" airflow "), /--set-string airflowPodAnnotations\.salesflow\\\.settings=4711 /);
    assertMatch(calls.at(-1)!, /rollout status deployment\/airflow-api-server/);
  });

  it("uses nothing that bash 3.2 lacks, and no program that macOS lacks", async () => {
    const script = (await Deno.readTextFile(`${ROOT}helm/install.sh`)).replaceAll(/^ *#.*$/gm, "");
    const newer =
      /\b(mapfile|readarray|coproc|sha256sum|tac|realpath)\b|(declare|local) -[An]|\$\{\w+(\^|,|@[A-Z]\})|\|&|&>>|;;?&|=~ [^ ]*\(|\\b/;
    assertEquals(newer.exec(script), null);
    // "${array[@]}" ends the script with "unbound variable" when the array is empty, unless it stands in ${array[@]+…}.
    const neverEmpty = ["chart", "install"];
    const bare = [...script.matchAll(/(?<!\[@\]\+)"\$\{(\w+)\[@\]\}"/g)].map(([, name]) => name!);
    assertEquals(bare.filter((name) => !neverEmpty.includes(name)), []);
  });

  it("install does not change an existing namespace", async () => {
    const { calls } = await runScript(["install"], { NAMESPACES: "salesflow" });
    assertEquals(calls.filter((call) => /kind: Namespace|(create|label) namespace/.test(call)), []);
  });

  it("install accepts charts by path, values files and a namespace", async () => {
    const [one, two] = ["one", "two"].map((name) => `${folder}/${name}.yaml`) as [string, string];
    for (const path of [one, two]) await Deno.writeTextFile(path, "{}");
    const { calls } = await runScript([
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
      /spark-operator \/charts\/operator\.tgz --namespace spark .*jobNamespaces=\["shop"\]/,
    );
    assertStringIncludes(
      salesflow!,
      `--namespace shop --values ${one} --values ${two} --set pipeline.rows=5`,
    );
    assertMatch(airflow!, /airflow \/charts\/airflow --namespace shop .*--values three\.yaml/);
    for (const call of calls) assertEquals(/--(repo|version)/.test(call), false, call);
  });

  it("install skips what is already installed", async () => {
    const { calls } = await runScript(["install", "--skip-airflow", "--skip-spark-operator"]);
    assertEquals(helmActions(calls), ["upgrade salesflow"]);
  });

  /** An operator that another installation brought: as `helm list` shows it, and the namespaces it watches. */
  const shared = (...watched: string[]) => ({
    OPERATOR: "spark-operator spark-operator 1",
    NAMESPACES: "team-a salesflow",
    WATCHED: JSON.stringify(watched),
  });
  const watchedAfter = (calls: string[]) =>
    /spark\.jobNamespaces=(\S+)/.exec(
      calls.find((call) => /^helm upgrade .*spark-operator /.test(call)) ?? "",
    )?.[1];

  it("install adds its namespace to those that an installed operator watches, without those that are gone", async () => {
    const cases: [watched: string[], expected: string[]][] = [
      [["team-a"], ["team-a", "salesflow"]],
      [["salesflow"], ["salesflow"]],
      [["team-a", "gone", "salesflow"], ["team-a", "salesflow"]],
      [[""], ["", "salesflow"]],
    ];
    for (const [watched, expected] of cases) {
      const { code, stderr, calls } = await runScript(["install"], shared(...watched));
      assertEquals([code, stderr, watchedAfter(calls)], [0, "", JSON.stringify(expected)]);
    }
  });

  it("install changes nothing and prints a remedy when the operator is in another namespace", async () => {
    const args = ["install", "--operator-namespace", "mine"];
    const { code, stderr, calls } = await runScript(args, shared("team-a"));
    assertEquals([code, calls], [1, []]);
    assertMatch(
      stderr,
      /in the namespace spark-operator: .*--operator-namespace spark-operator.*\s.*--skip-spark-operator/,
    );
  });

  it("uninstall leaves an operator to the other namespaces that it watches", async () => {
    const { code, stderr, calls } = await runScript(["uninstall"], shared("team-a", "salesflow"));
    assertEquals([code, stderr, watchedAfter(calls)], [0, "", '["team-a"]']);
    assertMatch(
      calls.find((call) => call.startsWith("helm upgrade"))!,
      /--reuse-values spark-operator .* --wait/,
    );
    assertEquals(calls.filter((call) => /^helm uninstall spark-operator/.test(call)), []);
    // The last one takes it along.
    const last = await runScript(["uninstall"], shared("salesflow", "gone"));
    assertEquals(watchedAfter(last.calls), undefined);
    assertEquals(helmActions(last.calls).at(-1), "uninstall spark-operator");
  });

  it("upgrade never installs a missing release", async () => {
    const { calls } = await runScript(["upgrade"]);
    for (const call of calls.filter((each) => each.startsWith("helm upgrade"))) {
      assertEquals(call.includes("--install"), false, call);
    }
  });

  for (const release of ALL_RELEASES.split(" ")) {
    it(`upgrade changes nothing and prints a remedy when ${release} is not installed`, async () => {
      const installed = ALL_RELEASES.replace(release, "");
      const { code, stderr, calls } = await runScript(["upgrade"], { RELEASES: installed });
      assertEquals([code, calls], [1, []]);
      assertMatch(stderr, new RegExp(`no release ${release} in the namespace .*install\\.sh install`));
    });
  }

  it("upgrade does not require skipped releases", async () => {
    const { code, calls } = await runScript(["upgrade", "--skip-airflow", "--skip-spark-operator"], {
      RELEASES: "salesflow",
    });
    assertEquals([code, helmActions(calls)], [0, ["upgrade salesflow"]]);
  });

  const allKeys = "connection fernet-key api-secret-key jwt-secret admin-password ";
  const ci = (name: string) => ["--values", listCiValues().find((file) => file.includes(`/ci/${name}`))!];
  /** Values that are incompatible with values/airflow.yaml, and the expected message. */
  const incompatible: [args: string[], message: RegExp, env?: Record<string, string>][] = [
    [["--set", "fullnameOverride=sales"], /no ConfigMap salesflow-dag.*--skip-airflow/],
    [["--set", "airflow.enabled=false"], /no ConfigMap salesflow-dag.*--skip-airflow/],
    [["--set", "airflow.database.create=false"], /Airflow has no database.*data\.metadataSecretName/],
    [
      ["--set", "airflow.serviceAccount.create=false", "--set", "airflow.serviceAccount.name=other"],
      /no service account salesflow-airflow.*scheduler\.serviceAccount\.name/,
    ],
    [["--set", "secrets.create=false"], /Secret salesflow-airflow .* it has no key connection/],
    [["--set", "secrets.create=false"], /it has no key jwt-secret/, {
      SECRET_KEYS: allKeys.replace("jwt-secret ", ""),
    }],
    [
      ["--set", "postgresql.enabled=false"],
      /postgresql\.external\.existingSecret is empty[^]*rejects these values/,
    ],
    [ci("production"), /no ConfigMap salesflow-dag/],
    [ci("small"), /no ConfigMap salesflow-dag/],
    [ci("external-databases"), /no service account salesflow-airflow/],
    [[], /helm is v3\.18\.6, and Airflow's chart needs 3\.19 or newer/, { HELM_VERSION: "v3.18.6" }],
    [[], /requires kubeVersion: >=1\.30/, { KUBERNETES_VERSION: "v1.29.1" }],
  ];
  for (const [args, message, env] of incompatible) {
    const title = [...args.map((each) => each.replace(`${CHART}/`, "")), ...Object.values(env ?? {})].join(
      " ",
    );
    it(`install changes nothing and prints a remedy with ${title}`, async () => {
      const { code, stderr, calls } = await runScript(["install", ...args], env);
      assertEquals([code, calls], [1, []]);
      assertMatch(stderr.replaceAll("\n", " "), message);
    });
  }

  it("install accepts every values file in ci/ with --skip-airflow", async () => {
    for (const file of listCiValues()) {
      const { code, stderr, calls } = await runScript(["install", "--skip-airflow", "--values", file]);
      assertEquals([code, stderr], [0, ""], file);
      assertEquals(helmActions(calls).at(-1), "upgrade salesflow");
    }
  });

  it("install accepts a file of --airflow-values that names what the chart does not create", async () => {
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
      const { code, stderr } = await runScript(["install", "--set", set, "--airflow-values", file]);
      assertEquals([code, stderr], [0, ""], set);
    }
    const secrets = { SECRET_KEYS: allKeys.replace("connection ", "") };
    assertEquals(
      (await runScript(["install", "--set", "secrets.create=false", "--airflow-values", file], secrets)).code,
      0,
    );
  });

  it("install accepts existing Secrets, and newer versions of helm", async () => {
    for (const HELM_VERSION of ["v3.19.0", "v4.1"]) {
      const args = ["install", "--set", "secrets.create=false"];
      const { code, stderr } = await runScript(args, { SECRET_KEYS: allKeys, HELM_VERSION });
      assertEquals([code, stderr], [0, ""], HELM_VERSION);
    }
  });

  it("uninstall removes the releases in reverse order and keeps the data", async () => {
    const { calls } = await runScript(["uninstall"]);
    assertEquals(helmActions(calls), [
      "uninstall airflow",
      "uninstall salesflow",
      "uninstall spark-operator",
    ]);
    assertEquals(calls.filter((call) => /delete .*(secrets|persistentvolumeclaims)/.test(call)), []);
    // Pods of other installations in the namespace are not deleted.
    for (const kind of ["pods", "sparkapplications"]) {
      const call = calls.find((each) => each.startsWith(`kubectl delete ${kind} `))!;
      assertStringIncludes(call, "app.kubernetes.io/name=salesflow,app.kubernetes.io/instance=salesflow");
    }
  });

  it("uninstall --purge deletes the data of this release only", async () => {
    const { calls } = await runScript(["uninstall", "--purge", "--skip-airflow", "--skip-spark-operator"]);
    assertEquals(helmActions(calls), ["uninstall salesflow"]);
    const selector = "--selector app.kubernetes.io/name=salesflow,app.kubernetes.io/instance=salesflow";
    assertStringIncludes(calls.at(-1)!, `delete persistentvolumeclaims,secrets --namespace salesflow`);
    assertStringIncludes(calls.at(-1)!, selector);
    const airflow = (await runScript(["uninstall", "--purge"])).calls.at(-1)!;
    assertStringIncludes(
      airflow,
      "delete persistentvolumeclaims,secrets --namespace salesflow --selector release=airflow",
    );
  });

  const invalid: [args: string[], message: RegExp][] = [
    [[], /^Usage:/],
    [["start"], /unknown action: start/],
    [["install", "--names", "x"], /unknown option: --names/],
    [["install", "x"], /unexpected argument: x/],
    [["install", "--values"], /--values needs a value/],
    [["install", "--purge"], /--purge is only valid with uninstall/],
  ];
  for (const [args, message] of invalid) {
    it(`rejects "${args.join(" ")}" and changes nothing`, async () => {
      const { code, stderr, calls } = await runScript(args);
      assertEquals([code, calls], [2, []]);
      assertMatch(stderr, message);
    });
  }
});
