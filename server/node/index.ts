export { folderAssets } from "./folder-assets.ts";
export { listen, type Listener } from "./listen.ts";
export { serve, type RunningServer, type ServeOptions } from "./serve.ts";
