/** Records which pods ran in the namespace: pods of stages live for seconds and are deleted when they end. */
import { Follower } from "./command.ts";

/** A recorded pod of a stage. */
export interface SeenPod {
  name: string;
  stage: string;
  /** `stage` for the salesflow command, `driver` or `executor` for Spark. */
  role: string;
  phases: Set<string>;
  runAsUser: string;
  /** Whether its service account's token is mounted. */
  hasToken: boolean;
}

const LABELS = ".metadata.labels";
const FIELDS = [
  ".metadata.name",
  `${LABELS}.salesflow/stage`,
  `${LABELS}.spark-role`,
  ".status.phase",
  ".spec.securityContext.runAsUser",
  ".spec.automountServiceAccountToken",
];

/** Returns kubectl's output template for a line of fields, separated by `|` because --watch converts tabs to spaces. */
function lineTemplate(fields: string[]): string {
  const escaped = fields.map((field) => {
    const key = field.startsWith(`${LABELS}.`) ? field.slice(LABELS.length + 1) : undefined;
    return key ? `${LABELS}.${key.replaceAll(".", "\\.")}` : field;
  });
  return `jsonpath=${escaped.map((field) => `{${field}}`).join("|")}{"\\n"}`;
}

/** Watches the pods and SparkApplications of the pipeline. */
export class Watch {
  readonly pods: Map<string, SeenPod> = new Map();
  /** States of each SparkApplication so far. */
  readonly applications: Map<string, { stage: string; states: Set<string> }> = new Map();
  readonly #followers: Follower[];

  constructor(namespace: string) {
    const watch = (kind: string, fields: string[], onLine: (line: string) => void) =>
      new Follower("kubectl", [
        "get",
        kind,
        "--namespace",
        namespace,
        "--selector",
        "salesflow/stage",
        "--watch",
        "--output",
        lineTemplate(fields),
      ], onLine);
    const state = [".metadata.name", `${LABELS}.salesflow/stage`, ".status.applicationState.state"];
    this.#followers = [
      watch("pods", FIELDS, (line) => this.#recordPod(line)),
      watch("sparkapplications", state, (line) => this.#recordApplication(line)),
    ];
  }

  #recordPod(line: string): void {
    const [name = "", stage = "", role = "", phase = "", runAsUser = "", token = ""] = line.split("|");
    if (name === "") return;
    const pod = this.pods.get(name) ??
      { name, stage, role: role || "stage", phases: new Set(), runAsUser, hasToken: token !== "false" };
    pod.phases.add(phase);
    this.pods.set(name, pod);
  }

  #recordApplication(line: string): void {
    const [name = "", stage = "", state = ""] = line.split("|");
    if (name === "") return;
    const application = this.applications.get(name) ?? { stage, states: new Set() };
    if (state !== "") application.states.add(state);
    this.applications.set(name, application);
  }

  /** Clears all records. */
  reset(): void {
    this.pods.clear();
    this.applications.clear();
  }

  /** Stops watching. */
  async stop(): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower.stop()));
  }
}
