import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import pc from "picocolors";
import { EspalierError, profileColumns, type ColumnProfile, type Manifest } from "../core/index.ts";
import { bundleFileEnding, loadBundle } from "../node/bundle/bundle-files.ts";
import { listImages } from "../node/sources/images/image-files.ts";
import { openFiles } from "../node/sources/open-files.ts";
import { addDataOptions, type DataOptions, readingOptions } from "./data-options.ts";
import { createOutput, formatNumber, formatTable, type Output } from "./output.ts";

interface InspectOptions extends DataOptions {
  readonly json?: boolean;
}

/** `espalier inspect <bundle|data>`: what is in it, column by column or part by part. */
export function addInspect(program: Command): void {
  const command = program
    .command("inspect")
    .description("show what a bundle, a data file or a folder of images holds")
    .argument("<path>", "a bundle, a data file (CSV or JSON lines), or a folder of images")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExamples:\n  espalier inspect table.csv\n  espalier inspect table-price --json\n");
  addDataOptions(command).action(async (path: string, options: InspectOptions) => {
    const output = createOutput(options);
    if (await holdsImages(path)) await inspectImages(path, output);
    else if (await isBundle(path)) await inspectBundle(path, output);
    else await inspectData(path, options, output);
  });
}

/** A folder that is no bundle and has images below it. */
async function holdsImages(path: string): Promise<boolean> {
  const info = await stat(path).catch(() => undefined); // what is not there is reported by `isBundle`
  if (info?.isDirectory() !== true || (await stat(join(path, "manifest.json")).catch(() => undefined)) !== undefined) return false;
  const files = await listImages(path).catch(() => []); // a folder without images may still be a damaged bundle, which says so itself
  return files.length > 0;
}

/** Images by class, and by the folder's own parts. */
async function inspectImages(path: string, output: Output): Promise<void> {
  const files = await listImages(path);
  const parts = [...new Set(files.map(({ part }) => part ?? "images"))];
  const classes = [...new Set(files.map(({ label }) => label ?? "(no class)"))];
  const count = (label: string, part: string): number =>
    files.filter((file) => (file.label ?? "(no class)") === label && (file.part ?? "images") === part).length;
  output.line(`${pc.bold(path)}  ${files.length} images, ${classes.length} classes\n`);
  for (const line of formatTable([["class", ...parts], ...classes.map((label) => [label, ...parts.map((part) => count(label, part))])]))
    output.line(line);
  const counts = Object.fromEntries(classes.map((label) => [label, Object.fromEntries(parts.map((part) => [part, count(label, part)]))]));
  output.result({ ok: true, kind: "images", path, images: files.length, classes: counts });
}

/** A folder, or a file with the ending of bundles; data never looks like that. @throws FILE_UNREADABLE when there is nothing */
async function isBundle(path: string): Promise<boolean> {
  const found = await stat(path).catch((cause: unknown) => {
    throw new EspalierError("FILE_UNREADABLE", `cannot read ${path}: there is no such file or bundle`, { path }, { cause });
  });
  return found.isDirectory() || path.endsWith(bundleFileEnding);
}

async function inspectBundle(path: string, output: Output): Promise<void> {
  const { manifest, graph } = await loadBundle(path);
  const { name, version, createdAt, model, target, inputs, metrics, lineage, example } = manifest;
  output.line(`${pc.bold(name)}  version ${version}  created ${createdAt}`);
  output.line(`${target.task} of "${target.column}"${target.task === "classification" ? `: ${listed(target.classes)}` : ""}`);
  output.line(`model ${JSON.stringify(model)}, ${graph.nodes.length} nodes, ${countWeights(manifest)} weights`);
  output.line(
    `trained on ${lineage.data.rows} rows of ${lineage.data.source} with seed ${lineage.seed}${lineage.run === undefined ? "" : `, run ${lineage.run}`}`,
  );
  output.line(`\n${pc.bold("Inputs")}`);
  for (const row of formatTable(inputs.map((field) => [`  ${field.name}`, field.kind, field.optional ? "optional" : "required", rangeOf(field)])))
    output.line(row);
  output.line(`\n${pc.bold("Metrics on held-out rows")}`);
  for (const row of formatTable(Object.entries(metrics).map(([metric, value]) => [`  ${metric}`, value]))) output.line(row);
  output.line(`\nexample ${exampleText(example)}`);
  output.result({
    ok: true,
    kind: "bundle",
    name,
    version,
    createdAt,
    model,
    task: target.task,
    target: target.column,
    inputs,
    metrics,
    lineage,
    example,
  });
}

async function inspectData(path: string, options: InspectOptions, output: Output): Promise<void> {
  const table = await openFiles([path], readingOptions(options));
  const { rows, columns } = await profileColumns(table);
  output.line(`${pc.bold(path)}  ${rows} rows, ${Object.keys(columns).length} columns\n`);
  for (const note of table.notes) output.note(note);
  const lines = Object.entries(columns).map(([name, profile]) => {
    const [different, values] = describe(profile);
    return [name, profile.kind, `${profile.missing} missing`, different, values];
  });
  for (const row of formatTable([["column", "type", "", "different", "values"], ...lines])) output.line(row);
  output.result({ ok: true, kind: "data", path, rows, columns, notes: table.notes });
}

function describe(profile: ColumnProfile): [distinct: string, values: string] {
  switch (profile.kind) {
    case "number": {
      if (profile.count === 0) return ["0", ""];
      const { min, max, mean, standardDeviation } = profile;
      return [
        distinctOf(profile),
        `${formatNumber(min)} to ${formatNumber(max)}, mean ${formatNumber(mean)}, deviation ${formatNumber(standardDeviation)}`,
      ];
    }
    case "string":
      return [
        distinctOf(profile),
        profile.top
          .slice(0, 5)
          .map(({ value, count }) => `${shorten(value)} (${count})`)
          .join(", "),
      ];
    case "tensor":
      return ["", `tensors of shape [${profile.shape.join(", ")}]`];
    default:
      return profile satisfies never;
  }
}

function distinctOf({ distinct, distinctExact }: { readonly distinct: number; readonly distinctExact: boolean }): string {
  return distinctExact ? String(distinct) : `over ${distinct}`;
}

function rangeOf({ categories, range }: Manifest["inputs"][number]): string {
  if (categories !== undefined) return listed(categories);
  return range === undefined ? "" : `${formatNumber(range[0])} to ${formatNumber(range[1])}`;
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map(shorten).join(", ");
  return names.length > 8 ? `${shown} and ${names.length - 8} more` : shown;
}

function shorten(text: string): string {
  return text.length > 24 ? `${text.slice(0, 24)}...` : text;
}

/** The pixels of an image would fill the screen; the whole example is in the JSON. */
function exampleText(example: Manifest["example"]): string {
  return JSON.stringify(example, (_, value: unknown) => (Array.isArray(value) && value.length > 40 ? `${value.length} numbers` : value));
}

function countWeights({ tensors }: Manifest): number {
  return Object.values(tensors).reduce((sum, { shape }) => sum + shape.reduce((product, n) => product * n, 1), 0);
}
