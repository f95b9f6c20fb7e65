import { measureSizes } from "./measure-sizes.ts";

// npm run size [--json]: what is shipped, compressed, against its limits; fails above one.

const json = process.argv.includes("--json");
const sizes = await measureSizes();
for (const { what, gzipBytes, limitBytes } of sizes) {
  const line = `${what}: ${kilobytes(gzipBytes)} KB of ${kilobytes(limitBytes)} KB${gzipBytes > limitBytes ? ", too large" : ""}`;
  if (json) console.error(line);
  else console.log(line);
}
if (json) {
  const ratios = Object.fromEntries(sizes.map(({ what, gzipBytes, limitBytes }) => [`${what} vs limit`, limitBytes / gzipBytes]));
  const checks = Object.fromEntries(sizes.map(({ what, gzipBytes, limitBytes }) => [what, { gzipBytes, limitBytes }]));
  console.log(JSON.stringify({ bench: "size", ok: sizes.every(({ gzipBytes, limitBytes }) => gzipBytes <= limitBytes), ratios, checks }));
}
process.exitCode = sizes.some(({ gzipBytes, limitBytes }) => gzipBytes > limitBytes) ? 1 : 0;

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}
