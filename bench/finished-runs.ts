import { existsSync } from "node:fs";
import { appendFile, readFile } from "node:fs/promises";

/**
 * Does a run unless a file says what came of it: long benches that were stopped go on where they were.
 *
 * @param file of JSON lines `{ what, result }`, appended to as soon as the run ends; undefined: every run is done
 * @param what tells the run from others, as JSON
 * @throws SyntaxError for a line that is no JSON
 */
export async function onceOnly<Result>(file: string | undefined, what: unknown, run: () => Promise<Result>): Promise<Result> {
  if (file === undefined) return run();
  const key = JSON.stringify(what);
  const lines = existsSync(file) ? (await readFile(file, "utf8")).split("\n").filter((line) => line !== "") : [];
  const finished = lines.map((line) => JSON.parse(line) as { readonly what: unknown; readonly result: Result }); // written below
  const found = finished.find((line) => JSON.stringify(line.what) === key);
  if (found !== undefined) return found.result;
  const result = await run();
  await appendFile(file, `${JSON.stringify({ what, result })}\n`);
  return result;
}
