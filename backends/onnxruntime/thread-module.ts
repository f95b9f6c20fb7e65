/** The module of a thread, which lies beside this one: run from source, from dist, or from dist's single module of this folder. */
export function besideThisFile(name: "worker" | "team-worker"): URL {
  const here = import.meta.url; // named: a bundler would take `new URL(..., import.meta.url)` for a file to bring along
  return new URL(`./${name}${here.endsWith(".ts") ? ".ts" : ".js"}`, here);
}
