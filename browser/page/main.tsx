import { render } from "preact";
import { App } from "./app.tsx";
import { createTryOut } from "./try-out.ts";

const root = document.getElementById("app");
if (root !== null) render(<App tryOut={createTryOut()} />, root);
