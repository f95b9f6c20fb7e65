import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cruise } from "dependency-cruiser";
import { drawLayers, reduceLayers, type LayerGraph } from "./layer-graph.ts";
import { isTest, layerOf, root } from "./layer.ts";

// npm run graph [-- --check]: draws which folder imports which into ARCHITECTURE.md; with --check it only says whether the diagram is stale.

const page = join(root, "ARCHITECTURE.md");
const [begin, end] = ["<!-- module graph: begin -->", "<!-- module graph: end -->"];

process.exitCode = await main(process.argv.includes("--check"));

async function main(check: boolean): Promise<number> {
  if (!existsSync(page)) return refuse("ARCHITECTURE.md is missing");
  const text = readFileSync(page, "utf8");
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) return refuse(`ARCHITECTURE.md lacks the lines ${begin} and ${end}, in this order`);
  const drawn = `${text.slice(0, from)}${begin}\n\n${drawLayers(reduceLayers(await readLayers()))}\n\n${text.slice(to)}`;
  if (drawn === text) return 0;
  if (check) return refuse("ARCHITECTURE.md's module graph is stale; run npm run graph");
  writeFileSync(page, drawn);
  return 0;
}

/**
 * Folder to folder, without tests. Core's own files (its index, tensors, errors ...) are used by all of its folders and import all of them:
 * within core they are left out, from outside they are `core`.
 */
async function readLayers(): Promise<LayerGraph> {
  const cruised = await cruise(["core", "backends", "server", "node", "cli", "browser"], {
    baseDir: root,
    tsPreCompilationDeps: true,
    doNotFollow: { path: "^node_modules/" },
    includeOnly: "^(core|backends|server|node|cli|browser)/",
  });
  if (typeof cruised.output === "string") throw new Error("dependency-cruiser answered with a text; a result was expected");
  const graph = new Map<string, Set<string>>();
  for (const { source, dependencies } of cruised.output.modules) {
    if (isTest(source)) continue;
    const layer = layerOf(source);
    const imported = graph.get(layer) ?? new Set();
    graph.set(layer, imported);
    for (const { resolved } of dependencies) {
      const other = layerOf(resolved);
      if (other !== layer && /\.tsx?$/.test(resolved) && !isTest(resolved) && !(layer.startsWith("core") && other === "core")) imported.add(other);
    }
  }
  graph.set("core", new Set());
  return graph;
}

function refuse(message: string): number {
  console.error(message);
  return 1;
}
