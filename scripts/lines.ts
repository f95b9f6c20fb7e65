import { readFileSync } from "node:fs";
import { join } from "node:path";
import { countCodeLines } from "./code-lines.ts";
import { isTest, layerOf, root, sourceFiles } from "./layer.ts";

// npm run lines: code lines per layer, without comments, blank lines and tests; fails when a file is too long to be read in one go.

const maxLines = 400;

const files = sourceFiles()
  .filter((path) => !isTest(path))
  .map((path) => ({ path, layer: layerOf(path), lines: countCodeLines(readFileSync(join(root, path), "utf8"), path) }));
const layers = new Set(files.map((file) => file.layer));

printRow("layer", "files", "lines", "longest file");
for (const layer of [...layers].toSorted()) {
  const members = files.filter((file) => file.layer === layer);
  const longest = members.reduce((best, file) => (file.lines > best.lines ? file : best));
  printRow(layer, String(members.length), String(sum(members)), `${longest.path} (${longest.lines})`);
}
printRow("all", String(files.length), String(sum(files)), "");

const tooLong = files.filter(({ lines }) => lines > maxLines);
for (const { path, lines } of tooLong) console.error(`${path}: ${lines} code lines, more than ${maxLines}; give its second idea a file of its own`);
process.exitCode = tooLong.length > 0 ? 1 : 0;

function printRow(layer: string, count: string, lines: string, longest: string): void {
  console.log(`${layer.padEnd(22)}${count.padStart(6)}${lines.padStart(8)}  ${longest}`.trimEnd());
}

function sum(members: readonly { readonly lines: number }[]): number {
  return members.reduce((total, file) => total + file.lines, 0);
}
