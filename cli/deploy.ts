import { type Command, Option } from "commander";
import pc from "picocolors";
import { withInterrupt } from "./interrupt.ts";
import { createOutput, formatNumber } from "./output.ts";

interface CloudDeployOptions {
  readonly target: "cloudflare";
  readonly dryRun?: boolean;
  readonly out?: string;
  readonly json?: boolean;
}

/** `espalier deploy <bundle> --target cloudflare`: a bundle as an edge worker. */
export function addDeploy(program: Command): void {
  program
    .command("deploy")
    .description("make an edge worker of a bundle, and deploy it")
    .argument("<bundle>", "what espalier train wrote")
    .addOption(new Option("--target <platform>", "where to").choices(["cloudflare"]).makeOptionMandatory())
    .option("--dry-run", "build and check everything, but send nothing")
    .option("--out <folder>", "where to write the worker; <model>-worker when left out")
    .option("--json", "end with one JSON object on stdout")
    .addHelpText(
      "after",
      "\nExamples:\n  espalier deploy table-price --target cloudflare --dry-run\n  espalier deploy table-price --target cloudflare --out worker\n",
    )
    .action((bundle: string, options: CloudDeployOptions) => withInterrupt((signal) => deployBundle(bundle, options, signal)));
}

async function deployBundle(bundle: string, { dryRun = false, out, json = false }: CloudDeployOptions, signal: AbortSignal): Promise<void> {
  const output = createOutput({ json });
  const { deploy } = await import("../server/node/deploy/index.ts");
  const onOutput = (text: string): void => output.detail(text.trimEnd());
  const deployment = await deploy({ bundle, dryRun, signal, onOutput, ...(out !== undefined && { out }) });
  const { worker, folder, gzipBytes, bundleBytes, deployed, url } = deployment;
  output.line(
    `${pc.bold(worker)} in ${folder}: ${formatNumber(gzipBytes / 1024)} KB of code (gzip), ${formatNumber(bundleBytes / 1024)} KB of model`,
  );
  output.line(deployed ? `deployed${url === undefined ? "" : ` at ${url}`}` : "nothing was sent (--dry-run)");
  output.result({ ok: true, ...deployment });
}
