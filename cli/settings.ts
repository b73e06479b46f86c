/** All settings of the program, from the declarations of its options and of what has no flag. */
import { type Command, flagName, type Option, variableName } from "./command.ts";
import { CONFIG_KEYS } from "./config_file.ts";

/** A setting that has a variable. */
export interface Setting {
  /** Its variable. */
  variable: string;
  /** Its key in salesflow.yaml; undefined where it cannot stand there. */
  key: string | undefined;
  /** Its flag; undefined when it has none. */
  flag: string | undefined;
  /** What it means. */
  help: string;
  /** Its default, for people. */
  defaultText: string;
  /** Whether its value may contain a secret. */
  secret: boolean;
}

/** Settings without a flag. */
const OTHERS: readonly (Pick<Setting, "variable" | "help" | "defaultText"> & { secret?: boolean })[] = [
  {
    variable: "SALESFLOW_POSTGRES_URL",
    help: "`postgres://user:password@host:5432/database?sslmode=verify-full&sslrootcert=/ca.pem`",
    defaultText: "an embedded database",
    secret: true,
  },
  {
    variable: "SALESFLOW_POSTGRES_URL_FILE",
    help: "File with that URL, in place of it",
    defaultText: "none",
  },
  {
    variable: "SALESFLOW_CLICKHOUSE_URL",
    help: "`https://user:password@host:8443?sslrootcert=/ca.pem`",
    defaultText: "an embedded database",
    secret: true,
  },
  {
    variable: "SALESFLOW_CLICKHOUSE_URL_FILE",
    help: "File with that URL, in place of it",
    defaultText: "none",
  },
  {
    variable: "SALESFLOW_RETRIES",
    help: "Retries after the first attempt when a database or bucket fails",
    defaultText: "6",
  },
  {
    variable: "SALESFLOW_TIMEOUT_SECONDS",
    help: "Longest wait for an answer, and for another command's lock",
    defaultText: "120",
  },
  {
    variable: "SALESFLOW_ALERT_URL",
    help: 'Webhook to which a failed `run` is posted, as `{"text": "…"}`; the DAG posts failed stages there',
    defaultText: "none",
    secret: true,
  },
  {
    variable: "SALESFLOW_CACHE",
    help: "Folder for the database engines",
    defaultText: "~/.cache/salesflow",
  },
  {
    variable: "SALESFLOW_S3_ENDPOINT",
    help: "Service of the s3:// store",
    defaultText: "Amazon S3",
  },
  { variable: "AWS_REGION", help: "Region of the s3:// store", defaultText: "us-east-1" },
  { variable: "AWS_ACCESS_KEY_ID", help: "Key of the s3:// store", defaultText: "none", secret: true },
  { variable: "AWS_SECRET_ACCESS_KEY", help: "Its secret", defaultText: "none", secret: true },
  { variable: "AWS_SESSION_TOKEN", help: "Its token, if it is temporary", defaultText: "none", secret: true },
  {
    variable: "AWS_CA_BUNDLE",
    help: "File with the authorities to trust at the s3:// store",
    defaultText: "the usual ones",
  },
  {
    variable: "SALESFLOW_DEBUG",
    help: "1 shows where an unexpected error comes from, and which @std packages are used",
    defaultText: "off",
  },
  {
    variable: "SALESFLOW_STD",
    help: "jsr or local: where the @std packages come from, when run from source",
    defaultText: "found out",
  },
  { variable: "SALESFLOW_ENV_FILE", help: "Another .env", defaultText: ".env in the working folder" },
  {
    variable: "SALESFLOW_CONFIG",
    help: "Another salesflow.yaml",
    defaultText: "salesflow.yaml in the working folder",
  },
];

function keyOf(variable: string): string | undefined {
  const key = variable.replace("SALESFLOW_", "").toLowerCase();
  return CONFIG_KEYS.includes(key) ? key : undefined;
}

function describeOption([name, option]: [string, Option]): Setting {
  const variable = variableName(name);
  return {
    variable,
    key: keyOf(variable),
    flag: `--${flagName(name)}`,
    help: option.help,
    defaultText: option.defaultText ?? (option.placeholder === undefined ? "off" : "none"),
    secret: false,
  };
}

/** Returns all settings: those of options, each as the first command that has it declares it, then the others. */
export function describeSettings(commands: readonly Command[]): Setting[] {
  const options = new Map<string, Setting>();
  for (const command of commands) {
    for (const entry of Object.entries(command.options)) {
      if (!entry[1].flagOnly && !options.has(entry[0])) options.set(entry[0], describeOption(entry));
    }
  }
  const others = OTHERS.map((setting): Setting => ({
    secret: false,
    flag: undefined,
    key: keyOf(setting.variable),
    ...setting,
  }));
  return [...options.values(), ...others];
}

/** Lines between which docs/configuration.md has the reference. */
const MARKS = ["<!-- settings: written by `deno task docs` -->", "<!-- end of settings -->"] as const;

/**
 * Returns the text of docs/configuration.md with the reference of these settings in its place.
 *
 * @throws {TypeError} when the text has no place for it
 */
export function updateReference(text: string, settings: readonly Setting[]): string {
  const [begin, end] = MARKS.map((mark) => text.indexOf(mark));
  if (begin! < 0 || end! < begin!) throw new TypeError(`The text must have the lines ${MARKS.join(" and ")}`);
  return `${text.slice(0, begin)}${MARKS[0]}\n\n${formatReference(settings)}\n\n${text.slice(end)}`;
}

/** Returns the settings as a Markdown table. */
function formatReference(settings: readonly Setting[]): string {
  const escape = (text: string) => text.replaceAll("|", "\\|");
  const code = (text: string | undefined) => text === undefined ? "" : `\`${text}\``;
  const rows = settings.map(({ variable, key, flag, help, defaultText }) =>
    `| ${code(variable)} | ${code(key)} | ${code(flag)} | ${escape(defaultText)} | ${escape(help)} |`
  );
  return [
    "| variable | `salesflow.yaml` | flag | default | |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
  ].join("\n");
}
