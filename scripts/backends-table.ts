import { writeFile } from "node:fs/promises";
import { renderTable } from "../test/conformance/support-table.ts";
import { tableBackends } from "../test/conformance/table-backends.ts";

// npm run backends:table: writes docs/backends.md.
await writeFile(new URL("../docs/backends.md", import.meta.url), renderTable(await tableBackends()));
process.exit(0); // Dawn keeps a process alive
