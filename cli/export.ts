import { type Command, Option } from "commander";
import { bundleToOnnx } from "../core/index.ts";
import { loadBundle } from "../node/bundle/bundle-files.ts";
import { writeWhole } from "../node/draft-file.ts";
import { packageVersion } from "../node/package-version.ts";
import { wholeNumber } from "./options.ts";
import { createOutput, formatNumber } from "./output.ts";

interface ExportOptions {
  readonly format: "onnx";
  readonly out: string;
  readonly opset: number;
  readonly json?: boolean;
}

/** `espalier export <bundle> --format onnx --out model.onnx`: a bundle in another system's format. */
export function addExport(program: Command): void {
  program
    .command("export")
    .description("write a bundle as an ONNX file")
    .argument("<bundle>", "what espalier train wrote")
    .addOption(new Option("--format <format>", "the file's format").choices(["onnx"]).default("onnx"))
    .requiredOption("--out <file>", "where to write; a file that is there is replaced")
    .option(
      "--opset <version>",
      "version of ONNX's operators: 21 is read by most programs, 23 keeps newer operators as they are",
      wholeNumber(21, 23),
      21,
    )
    .option("--json", "end with one JSON object on stdout")
    .addHelpText(
      "after",
      `
The file takes transformed features, not raw columns, and answers logits (classification) or a standardised quantity (regression). How columns become
inputs and outputs become answers is in its metadata_props under "espalier.bundle", as JSON: features, target, inputs and an example.

Examples:
  espalier export table-price --format onnx --out price.onnx
  espalier export digits --format onnx --out digits.onnx --json
`,
    )
    .action(exportBundle);
}

async function exportBundle(path: string, { format, out, opset, json = false }: ExportOptions): Promise<void> {
  const output = createOutput({ json });
  const bundle = await loadBundle(path);
  const bytes = await bundleToOnnx(bundle, { opset, producerVersion: packageVersion() });
  await writeWhole(out, bytes);
  const { graph } = bundle;
  const inputs = graph.inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape }));
  const outputs = Object.entries(graph.outputs).map(([name, value]) => ({
    name,
    dtype: graph.values[value]?.dtype,
    shape: graph.values[value]?.shape,
  }));
  output.line(`wrote ${out}: ${formatNumber(bytes.byteLength / 1024)} KB, opset ${opset}`);
  for (const [what, values] of [["input ", inputs] as const, ["output", outputs] as const]) {
    for (const { name, dtype, shape = [] } of values) output.line(`  ${what} ${name}  ${dtype} [${shape.join(", ")}]`);
  }
  output.result({ ok: true, format, out, opset, bytes: bytes.byteLength, inputs, outputs });
}
