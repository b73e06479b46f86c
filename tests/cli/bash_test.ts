import { describeCompletions } from "./interactive_shell.ts";

await describeCompletions("bash");
