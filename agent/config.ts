import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { AgentError } from "./agent-error.ts";

/** Settings that may also be given as a file, `JOIN_CODE_FILE` (Docker and systemd credentials). */
const SECRETS = ["JOIN_CODE"] as const;

const Environment = z.object({
  HUB_URL: z.url("is not an address such as http://192.168.1.10:8080").optional(),
  JOIN_CODE: z.string().trim().min(1).optional(),
  STATE_DIR: z.string().min(1).optional(),
  LISTEN: z.enum(["on", "off"]).default("on"),
  LOG_LEVEL: z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
});

/** The names of all settings, for the guard that compares them with `docker-compose.yml`. */
export const SETTING_NAMES: readonly string[] = Object.keys(Environment.shape);

export interface AgentConfig {
  readonly hubUrl: string | undefined;
  readonly joinCode: string | undefined;
  readonly stateDir: string;
  /** Only where it is `off`: then UDP 7 and 9 are left to other programs. */
  readonly listen?: "off";
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
}

/**
 * Reads the agent's settings from the environment. An empty variable counts as unset.
 *
 * @throws AgentError that lists every problem.
 */
export function readConfig(environment: NodeJS.ProcessEnv): AgentConfig {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const problems: string[] = [];
  const parsed = Environment.safeParse({ ...set, ...readSecretFiles(set, problems) });
  if (!parsed.success) problems.push(...parsed.error.issues.map(({ path, message }) => `${path.join(".")} ${message}`));
  if (problems.length > 0 || !parsed.success) throw new AgentError(`Settings: ${problems.join("; ")}`);
  return {
    hubUrl: parsed.data.HUB_URL,
    joinCode: parsed.data.JOIN_CODE,
    stateDir: parsed.data.STATE_DIR ?? defaultStateDir(set),
    ...(parsed.data.LISTEN === "off" && { listen: "off" as const }),
    logLevel: parsed.data.LOG_LEVEL,
  };
}

function readSecretFiles(set: NodeJS.ProcessEnv, problems: string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of SECRETS) {
    const file = set[`${name}_FILE`];
    if (file === undefined) continue;
    if (set[name] !== undefined) problems.push(`${name} and ${name}_FILE are both set; choose one`);
    try {
      values[name] = readFileSync(file, "utf8").trim();
    } catch (error) {
      problems.push(`${name}_FILE cannot be read: ${(error as Error).message}`);
    }
  }
  return values;
}

/** As the XDG Base Directory Specification has it; the system's place where the agent runs as a service. */
function defaultStateDir(set: NodeJS.ProcessEnv): string {
  if (process.getuid?.() === 0) return "/var/lib/powerbeacon-agent";
  const stateHome = set["XDG_STATE_HOME"] ?? join(homedir(), ".local", "state");
  return join(stateHome, "powerbeacon-agent");
}
