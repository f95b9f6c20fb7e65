import { measureSizes } from "../scripts/measure-sizes.ts";
import type { Bench } from "./bench.ts";

/** What is shipped against what it may be: a ratio above 1 is within its limit. `npm run size` fails where one is not. */
export const bench: Bench = {
  name: "size",
  description: "compressed size of the edge worker's code and of the digits demo's JavaScript before training, against their limits",
  async run({ log }) {
    const sizes = await measureSizes();
    for (const { what, gzipBytes, limitBytes } of sizes) log(`${what}: ${gzipBytes} bytes of ${limitBytes}`);
    const ratios = Object.fromEntries(sizes.map(({ what, gzipBytes, limitBytes }) => [`${what} vs limit`, limitBytes / gzipBytes]));
    const checks = Object.fromEntries(sizes.map(({ what, gzipBytes, limitBytes }) => [what, { gzipBytes, limitBytes }]));
    return { ratios, spread: {}, checks }; // a build is the same every time
  },
};
