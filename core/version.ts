import packageJson from "../package.json" with { type: "json" };

/** The one version of hub, agent and page. */
export const VERSION = packageJson.version;
