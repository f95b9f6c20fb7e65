import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { EspalierError } from "../core/index.ts";
import { checkBundlePlace, saveBundle } from "../node/bundle/bundle-files.ts";
import { importOnnxBundle } from "../node/formats/import-onnx-file.ts";
import { list, positiveNumber } from "./options.ts";
import { createOutput } from "./output.ts";

interface ImportOptions {
  readonly out: string;
  readonly classes?: readonly string[];
  readonly columns?: readonly string[];
  readonly target?: string;
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly dimension?: Readonly<Record<string, number>>;
  readonly json?: boolean;
}

/** `espalier import model.onnx --classes cat,dog --out pets`: another system's model as a bundle. */
export function addImport(program: Command): void {
  program
    .command("import")
    .description("make a bundle of an ONNX file: to serve it, or to learn on with its body")
    .argument("<file>", "an ONNX file from an image or numbers to classes or one quantity, or what espalier export wrote")
    .requiredOption("--out <bundle>", "where to write the bundle: a folder, or a file ending in .safetensors")
    .option("--classes <names>", "the classes in the order of the model's output (a,b,c), or a .txt file with one a line", list)
    .option("--columns <names>", "the numbers that the model reads, in its order (a,b,c)", list)
    .option("--target <name>", "what the answer is called")
    .option("--scale <factor>", "times the bytes of an image; 1/255 when left out", positiveNumber)
    .option("--mean <numbers>", "taken off an image's scaled values, one a channel (0.485,0.456,0.406)", numbers)
    .option("--std <numbers>", "divides them then, one a channel (0.229,0.224,0.225)", numbers)
    .option("--dimension <name=size>", "the size of a dimension that the file leaves open (may be given again)", dimension)
    .option("--json", "end with one JSON object on stdout")
    .addHelpText(
      "after",
      `
An ONNX file does not say what its numbers mean: check the first predictions against the model's own documentation.

Examples:
  espalier import mobilenet.onnx --classes labels.txt --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225 --out mobilenet
  espalier train photos/ --from mobilenet --freeze
  espalier import price.onnx --columns rooms,area --target price --out price
`,
    )
    .action(importFile);
}

async function importFile(path: string, options: ImportOptions): Promise<void> {
  const { out, classes, columns, target, scale, mean, std, dimension: dimensions, json = false } = options;
  const output = createOutput({ json });
  await checkBundlePlace(out);
  const bundle = await importOnnxBundle(path, {
    name: basename(out).replace(/\.safetensors$/, ""),
    ...(classes && { classes: await namesOf(classes) }),
    ...(columns && { columns }),
    ...(target !== undefined && { target }),
    ...(scale !== undefined && { scale }),
    ...(mean && { mean }),
    ...(std && { standardDeviation: std }),
    ...(dimensions && { dimensions }),
  });
  await saveBundle(out, bundle);
  const { inputs, target: answer, version } = bundle.manifest;
  for (const { name, kind, shape } of inputs.slice(0, 10)) output.line(`  input ${name}  ${kind}${shape.length > 0 ? ` [${shape.join(", ")}]` : ""}`);
  output.line(`  answer ${answer.column}  ${answer.task}${answer.task === "classification" ? ` of ${answer.classes.length} classes` : ""}`);
  output.line(`wrote ${out} (version ${version}); serve it with: espalier serve ${out}`);
  output.result({ ok: true, bundle: out, version, task: answer.task, target: answer.column, inputs: inputs.map(({ name }) => name) });
}

/** Names, or those in the file that the only one is. */
async function namesOf(classes: readonly string[]): Promise<readonly string[]> {
  const [file] = classes;
  if (file === undefined || classes.length > 1 || !file.endsWith(".txt")) return classes;
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new EspalierError("FILE_UNREADABLE", `cannot read the classes in ${file}`, { path: file }, { cause });
  });
  return text.split(/\r?\n/).flatMap((line) => (line.trim() === "" ? [] : [line.trim()]));
}

function numbers(text: string): readonly number[] {
  const values = text.split(",").map((item) => (item.trim() === "" ? NaN : Number(item)));
  if (values.every(Number.isFinite)) return values;
  throw new InvalidArgumentError("It must be numbers with commas between them.");
}

function dimension(text: string, before: Readonly<Record<string, number>> = {}): Readonly<Record<string, number>> {
  const [, name = "", size = ""] = /^(.+)=(\d+)$/.exec(text) ?? [];
  if (name !== "" && Number(size) > 0) return { ...before, [name]: Number(size) };
  throw new InvalidArgumentError("It must be a name and a size, such as height=224.");
}
