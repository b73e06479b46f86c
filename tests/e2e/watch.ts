/** What ran in the namespace while nobody asked: pods of stages live for seconds and are removed when they end. */
import { Follower } from "./command.ts";

/** A pod of a stage, as last seen. */
export interface SeenPod {
  name: string;
  stage: string;
  /** `stage` for the binary, `driver` or `executor` for Spark. */
  role: string;
  phases: Set<string>;
  runAsUser: string;
  /** Whether a token of its service account may be mounted. */
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

/** kubectl's template for one line of fields. It would turn tabs into blanks while watching. */
function template(fields: string[]): string {
  const escaped = fields.map((field) => {
    const key = field.startsWith(`${LABELS}.`) ? field.slice(LABELS.length + 1) : undefined;
    return key ? `${LABELS}.${key.replaceAll(".", "\\.")}` : field;
  });
  return `jsonpath=${escaped.map((field) => `{${field}}`).join("|")}{"\\n"}`;
}

/** Watches the pods and SparkApplications of the pipeline. */
export class Watch {
  readonly pods: Map<string, SeenPod> = new Map();
  /** States that each SparkApplication went through. */
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
        template(fields),
      ], onLine);
    const state = [".metadata.name", `${LABELS}.salesflow/stage`, ".status.applicationState.state"];
    this.#followers = [
      watch("pods", FIELDS, (line) => this.#seePod(line)),
      watch("sparkapplications", state, (line) => this.#seeApplication(line)),
    ];
  }

  #seePod(line: string): void {
    const [name = "", stage = "", role = "", phase = "", runAsUser = "", token = ""] = line.split("|");
    if (name === "") return;
    const pod = this.pods.get(name) ??
      { name, stage, role: role || "stage", phases: new Set(), runAsUser, hasToken: token !== "false" };
    pod.phases.add(phase);
    this.pods.set(name, pod);
  }

  #seeApplication(line: string): void {
    const [name = "", stage = "", state = ""] = line.split("|");
    if (name === "") return;
    const application = this.applications.get(name) ?? { stage, states: new Set() };
    if (state !== "") application.states.add(state);
    this.applications.set(name, application);
  }

  /** Forgets everything seen so far. */
  reset(): void {
    this.pods.clear();
    this.applications.clear();
  }

  /** Ends the watch. */
  async stop(): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower.stop()));
  }
}
