// Writes every model of layers.json as toKerasConfig writes it, for Keras to read:
//
//     node test/golden/write-keras-configs.ts > /tmp/written.json && venv/bin/python test/golden/make-layers.py --check /tmp/written.json
import { readFileSync } from "node:fs";
import { fromKerasConfig, toKerasConfig } from "../../core/index.ts";

const cases = JSON.parse(readFileSync(new URL("layers.json", import.meta.url), "utf8")) as readonly {
  readonly name: string;
  readonly model: unknown;
}[];
console.log(JSON.stringify(Object.fromEntries(cases.map(({ name, model }) => [name, toKerasConfig(fromKerasConfig(model))]))));
