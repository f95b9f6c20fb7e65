import { tfjsWasmDriver } from "../../backends/tfjs/index.ts";
import { describeBackend } from "./describe-backend.ts";
import { skips } from "./skips.ts";

describeBackend(tfjsWasmDriver, { skip: skips["tfjs-wasm"] ?? {} });
