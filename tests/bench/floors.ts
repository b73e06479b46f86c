/** The least that each stage could take on this machine: the same bytes written, the bare COPY, the bare SQL. */
import { withPostgres } from "../../lib/postgres/session.ts";
import { timed } from "./measure.ts";

/** Paths of a dataset's parts. */
export async function partsOf(folder: string): Promise<string[]> {
  const { parts } = JSON.parse(await Deno.readTextFile(`${folder}/manifest.json`));
  return parts.map(({ name }: { name: string }) => `${folder}/${name}`);
}

/** Writes a dataset's bytes, read beforehand, to other files, and makes them durable. */
export async function writeSameBytes(folder: string, target: string): Promise<number> {
  const contents = await Promise.all((await partsOf(folder)).map((path) => Deno.readFile(path)));
  return await timed(async () => {
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

/** Reads a dataset's bytes and does what {@linkcode writeSameBytes} does for another one. */
export async function readAndWrite(from: string, to: string, target: string): Promise<number> {
  const reading = await timed(async () => {
    for (const path of await partsOf(from)) await Deno.readFile(path);
  });
  return reading + await writeSameBytes(to, target);
}

/** psql: a new table, `\copy` of every clean part, the key, commit; in one transaction, as a person would. */
export async function psqlCopy(url: string, cleanFolder: string): Promise<number> {
  const script = [
    "\\set ON_ERROR_STOP on",
    "DROP TABLE IF EXISTS bench_sales;",
    "BEGIN;",
    `CREATE TABLE bench_sales (sale_id bigint NOT NULL, customer_id bigint NOT NULL, product_id integer NOT NULL,
      quantity integer NOT NULL, sale_date date NOT NULL, sale_amount numeric(14, 2) NOT NULL, region text NOT NULL);`
      .replaceAll(/\s+/g, " "),
    ...(await partsOf(cleanFolder)).map((path) =>
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
  return await timed(async () => {
    const process = child.spawn();
    const writer = process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script));
    await writer.close();
    const { success, stderr } = await process.output();
    if (!success) throw new Error(`psql: ${new TextDecoder().decode(stderr)}`);
  });
}

/** The shortest statement that gives the same groups. */
export async function bareAggregate(url: string): Promise<number> {
  const { signal } = new AbortController();
  return await withPostgres(
    { url, stage: "bench", signal },
    (db) =>
      timed(() =>
        db.query(`SELECT region, product_id, count(*), sum(quantity), sum(sale_amount),
          rank() OVER (PARTITION BY grouping(region, product_id) ORDER BY sum(sale_amount) DESC)
        FROM shop.sales GROUP BY GROUPING SETS ((), (region), (product_id), (region, product_id))`)
      ),
  );
}
