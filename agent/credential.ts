import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { HubKey } from "#contracts/enrolment.ts";
import { Instant } from "#contracts/instant.ts";
import { Key } from "#contracts/key.ts";
import { AgentError } from "./agent-error.ts";

/** What an agent keeps of its joining: who it is, how it shows that, and the key that it obeys. */
export const Credential = z.object({
  hubUrl: z.url(),
  hubKey: HubKey,
  agentId: z.uuid(),
  agent: Key,
  username: z.string(),
  password: z.string(),
  baseTopic: z.string().min(1),
  mqttUrl: z.url({ protocol: /^(mqtts?|wss?)$/ }),
  /** Who may have signed the broker's certificate (PEM), besides those that this machine knows. */
  mqttCa: z.string().optional(),
  joinedAt: Instant,
});
export type Credential = z.infer<typeof Credential>;

/** The file that holds the credential. */
export function credentialFile(stateDir: string): string {
  return join(stateDir, "credential.json");
}

/** The stored credential; undefined before the agent has joined. @throws AgentError when the file is damaged or unreadable. */
export async function readCredential(stateDir: string): Promise<Credential | undefined> {
  const file = credentialFile(stateDir);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new AgentError(`The credential ${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
  try {
    return Credential.parse(JSON.parse(text));
  } catch (cause) {
    throw new AgentError(`The credential ${file} is damaged; join again with --replace`, { cause });
  }
}

/** Writes the credential so that a crash leaves the old one or the new one, readable by this user only. */
export async function writeCredential(stateDir: string, credential: Credential): Promise<void> {
  await prepareStateDir(stateDir);
  const file = credentialFile(stateDir);
  const temporary = `${file}.${process.pid}.tmp`;
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(credential, null, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  await syncDirectory(stateDir);
}

/** Creates the state directory, for this user only. @throws AgentError when that is not possible. */
export async function prepareStateDir(stateDir: string): Promise<void> {
  try {
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    await chmod(stateDir, 0o700);
  } catch (cause) {
    throw new AgentError(`The state directory ${stateDir} cannot be used: ${(cause as Error).message}`, { cause });
  }
}

async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === "win32") return; // Windows cannot open a directory; its rename is journalled
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
