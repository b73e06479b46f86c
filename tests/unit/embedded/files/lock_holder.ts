/** A process that holds a file lock until it is disposed. */
export async function lockInOtherProcess(path: string): Promise<AsyncDisposable & { pid: number }> {
  const script =
    `(await Deno.open(Deno.args[0], { write: true, create: true })).lockSync(true); console.log("locked"); await Deno.stdin.read(new Uint8Array(1))`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-config",
      "--no-lock",
      `data:text/javascript,${encodeURIComponent(script)}`,
      path,
    ],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  if ((await reader.read()).done) throw new Error("the process has not locked the file");
  return {
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await reader.cancel();
      await child.status;
    },
  };
}
