// Who may import whom. Run with: npx depcruise --config .dependency-cruiser.cjs core backends server node cli browser
// Type-only imports count like all others: what a file must know of another is the same, and no exception for cycles was needed.

const tests = "\\.test\\.tsx?$|(^|/)testing/|^test/"; // they may look at everything: a contract's suite opens several backends
const roots = "^(server/node|server/edge|node|cli|browser)/"; // the composition roots: platform parts and backends by name
const portableServer = { path: "^server/", pathNot: `${tests}|${roots}` };

/** What each backend may load beside core and its own folder. A backend that is not named here may load nothing. */
const backendPackages = {
  onnxruntime: "^node_modules/(onnxruntime-node|onnxruntime-web|onnxruntime-common|koffi)/",
  tfjs: "^node_modules/@tensorflow/tfjs-",
  webgpu: "^node_modules/webgpu/",
};

/** Backends with a half that runs in Node only (threads, the package's place on disk). */
const backendsWithNodeHalf = "^backends/onnxruntime/";

/** @param {string} name @param {string} comment @param {object} from @param {object} to */
function forbid(name, comment, from, to) {
  return { name, comment, severity: "error", from, to };
}

module.exports = {
  forbidden: [
    forbid("no-cycles", "Move what both sides need into a file of its own.", {}, { circular: true }),
    forbid("no-unresolved", "An import that leads nowhere.", {}, { couldNotResolve: true, pathNot: "\\?(url|raw|worker|no-inline)|^virtual:" }),
    forbid("core-alone", "core imports core only: no npm, no node:, nothing above it.", { path: "^core/", pathNot: tests }, { pathNot: "^core/" }),
    forbid(
      "core-by-its-door",
      "Outside core, a name comes from core/index.ts.",
      { path: "^(backends|server|node|browser)/", pathNot: tests },
      { path: "^core/", pathNot: "^core/index\\.ts$" },
    ),
    forbid(
      "core-by-its-door-from-cli",
      "The command line may also take errors and name suggestions directly: what `--help` needs must start fast.",
      { path: "^cli/", pathNot: tests },
      { path: "^core/", pathNot: "^core/(index|errors|nearest)\\.ts$" },
    ),
    forbid(
      "backends-apart",
      "A backend knows core and its own folder, not another backend and nothing above.",
      { path: "^backends/([^/]+)/", pathNot: tests },
      { path: "^(backends|server|node|cli|browser|test|bench|examples|scripts)/", pathNot: "^backends/$1/" },
    ),
    ...Object.entries(backendPackages).map(([backend, packages]) =>
      forbid(
        `backend-${backend}-packages`,
        "A backend loads its own packages only.",
        { path: `^backends/${backend}/`, pathNot: tests },
        { path: "^node_modules/", pathNot: packages },
      ),
    ),
    forbid(
      "backend-without-packages",
      "A backend that loads a package is listed in backendPackages.",
      { path: "^backends/", pathNot: `${tests}|^backends/(${Object.keys(backendPackages).join("|")})/` },
      { path: "^node_modules/" },
    ),
    forbid(
      "backend-without-node",
      "A backend works in pages and workers too; one with a half for Node is listed.",
      { path: "^backends/", pathNot: `${tests}|${backendsWithNodeHalf}` },
      { dependencyTypes: ["core"] },
    ),
    forbid(
      "backend-by-its-door",
      "A backend is entered by its index.ts; webgpu's door to Dawn is a second one, because pages must not see it.",
      { pathNot: `${tests}|^backends/` },
      { path: "^backends/[^/]+/", pathNot: "^backends/[^/]+/index\\.ts$|^backends/webgpu/dawn\\.ts$" },
    ),
    forbid("server-portable", "The server runs on Node and in workers: no node:.", portableServer, { dependencyTypes: ["core"] }),
    forbid("server-without-roots", "The server is given its backend and its platform; it names none.", portableServer, {
      path: `^(backends|test|bench|examples|scripts)/|${roots}`,
    }),
    forbid("server-small-packages", "The server's packages are hono and small portable ones, listed here.", portableServer, {
      path: "^node_modules/",
      pathNot: "^node_modules/(hono|hono-openapi|zod|@scalar/hono-api-reference)/",
    }),
    forbid(
      "product-alone",
      "What is shipped does not import tests, benches, scripts or a test's folder. A demo may show an example's data.",
      { path: "^(core|backends|server|node|cli|browser)/", pathNot: tests },
      { path: "^(test|bench|scripts|examples)/|/testing/", pathNot: "^examples/data/" },
    ),
    forbid(
      "edge-without-node",
      "The edge worker runs where there is no Node.",
      { path: "^server/edge/", pathNot: `${tests}|\\.node\\.ts$` },
      { dependencyTypes: ["core"] },
    ),
  ],
  options: {
    tsPreCompilationDeps: true, // type-only imports too
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "^node_modules/" },
    exclude: { path: "^(bench/node_modules|dist)/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "require", "node", "default", "types"] },
  },
};
