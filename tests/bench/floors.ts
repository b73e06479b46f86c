/** Lower bounds for the stages on this machine: writing the same bytes, a plain COPY, the bare SQL statement. */
import { withPostgres } from "../../lib/postgres/session.ts";
import { measure } from "./measure.ts";

/** Returns the paths of a dataset's parts. */
export async function listParts(folder: string): Promise<string[]> {
  const { parts } = JSON.parse(await Deno.readTextFile(`${folder}/manifest.json`));
  return parts.map(({ name }: { name: string }) => `${folder}/${name}`);
}

/** Measures writing and syncing the bytes of a dataset to other files, without the time to read them. */
export async function writeSameBytes(folder: string, target: string): Promise<number> {
  const contents = await Promise.all((await listParts(folder)).map((path) => Deno.readFile(path)));
  return await measure(async () => {
    for (const [index, bytes] of contents.entries()) {
      using file = await Deno.open(`${target}/floor-${index}.csv`, {
        write: true,
        create: true,
        truncate: true,
      });
      for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
      await file.syncData();
    }
  });
}

/** Measures reading a dataset, and {@linkcode writeSameBytes} of another one. */
export async function readAndWrite(from: string, to: string, target: string): Promise<number> {
  const reading = await measure(async () => {
    for (const path of await listParts(from)) await Deno.readFile(path);
  });
  return reading + await writeSameBytes(to, target);
}

/** Measures psql: create a table, `\copy` every clean part, add the primary key, in one transaction. */
export async function psqlCopy(url: string, cleanFolder: string): Promise<number> {
  const script = [
    "\\set ON_ERROR_STOP on",
    "DROP TABLE IF EXISTS bench_sales;",
    "BEGIN;",
    `CREATE TABLE bench_sales (sale_id bigint NOT NULL, customer_id bigint NOT NULL, product_id bigint NOT NULL,
      quantity integer NOT NULL, sale_date date NOT NULL, sale_amount numeric(14, 2) NOT NULL, region text NOT NULL);`
      .replaceAll(/\s+/g, " "),
    ...(await listParts(cleanFolder)).map((path) =>
      `\\copy bench_sales from '${path}' with (format csv, header true)`
    ),
    "ALTER TABLE bench_sales ADD PRIMARY KEY (sale_id);",
    "COMMIT;",
  ].join("\n");
  const child = new Deno.Command("psql", {
    args: ["-qX", url],
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  });
  return await measure(async () => {
    const process = child.spawn();
    const writer = process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script));
    await writer.close();
    const { success, stderr } = await process.output();
    if (!success) throw new Error(`psql: ${new TextDecoder().decode(stderr)}`);
  });
}

/** Measures the shortest statement that computes the same groups. */
export async function bareAggregate(url: string): Promise<number> {
  const { signal } = new AbortController();
  return await withPostgres(
    { url, stage: "bench", signal },
    (db) =>
      measure(() =>
        db.query(`SELECT region, product_id, count(*), sum(quantity), sum(sale_amount),
          rank() OVER (PARTITION BY grouping(region, product_id) ORDER BY sum(sale_amount) DESC)
        FROM shop.sales GROUP BY GROUPING SETS ((), (region), (product_id), (region, product_id))`)
      ),
  );
}
