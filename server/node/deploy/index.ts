export { deploy, type Deployment, type DeployOptions } from "./deploy.ts";
