import { writeFile } from "node:fs/promises";
import { skips } from "../test/conformance/skips.ts";
import { renderTable } from "../test/conformance/support-table.ts";
import { tableBackends } from "../test/conformance/table-backends.ts";

// npm run backends:table: writes docs/backends.md.
await writeFile(new URL("../docs/backends.md", import.meta.url), renderTable(await tableBackends(), skips));
process.exit(0); // Dawn keeps a process alive
