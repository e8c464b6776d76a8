import packageJson from "../package.json" with { type: "json" };

/** The one version of hub and agent. */
export const VERSION: string = packageJson.version;
