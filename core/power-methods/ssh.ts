import { createHash } from "node:crypto";
import ssh2 from "ssh2"; // CommonJS: Node finds not all of its names

/** A machine that takes longer to log in and take a command is not there. */
const PATIENCE_MS = 15_000;
const MAX_OUTPUT = 2_000;

export interface SshCommand {
  /** Where to connect to: an IP address that was checked. */
  readonly address: string;
  readonly port: number;
  readonly username: string;
  readonly privateKey: string;
  readonly passphrase: string | null;
  /** `SHA256:…`, as `ssh-keygen -l` shows it; null = whichever it shows is the one from now on. */
  readonly hostKey: string | null;
  readonly command: string;
  /** The command is not given any more once it is aborted. */
  readonly signal: AbortSignal;
}

/**
 * Runs a command on a machine that is about to go down.
 *
 * A connection that ends while the command runs is its success: the machine is on its way. One that exits with another code
 * than 0 is not.
 *
 * @returns the fingerprint of the host's key.
 * @throws Error with a sentence for people.
 */
export function runOverSsh(order: SshCommand): Promise<{ readonly hostKey: string }> {
  const { address, port, username, privateKey, passphrase, command, signal } = order;
  const client = new ssh2.Client();
  let hostKey = "";
  let isRunning = false;
  return new Promise<{ readonly hostKey: string }>((resolve, reject) => {
    const done = () => resolve({ hostKey });
    const failed = (reason: string) => reject(new Error(reason));
    const giveUp = (reason: string) => {
      failed(reason);
      client.destroy(); // it may never answer a goodbye
    };
    const timer = setTimeout(
      () => giveUp(`${address} did not take the command within ${PATIENCE_MS / 1_000} seconds`),
      PATIENCE_MS,
    );
    signal.addEventListener("abort", () => {
      if (!isRunning) giveUp("It was taken back before the command was given");
    });
    client
      .on("ready", () => {
        if (signal.aborted) return;
        isRunning = true;
        client.exec(command, (error, channel) => {
          if (error) return failed(`The command was not taken: ${error.message}`);
          let output = "";
          const keep = (text: Buffer) => {
            if (output.length < MAX_OUTPUT) output += text.toString("utf8").slice(0, MAX_OUTPUT - output.length);
          };
          channel.on("data", keep).stderr.on("data", keep);
          let exitCode: number | null = null;
          channel.on("exit", (code: number | null) => {
            exitCode = code;
          });
          // after the exit, when all that it said has come
          channel.on("close", () => {
            if (exitCode === null || exitCode === 0) done();
            else failed(`The command ended with ${exitCode}${output.trim() === "" ? "" : `: ${lastLine(output)}`}`);
          });
        });
      })
      .on("error", (error) => (isRunning ? done() : failed(reasonOf(error, order, hostKey))))
      .on("close", () => (isRunning ? done() : failed(`${address} closed the connection`)))
      .connect({
        host: address,
        port,
        username,
        privateKey,
        ...(passphrase !== null && { passphrase }),
        readyTimeout: PATIENCE_MS,
        hostVerifier: (key: Buffer) => {
          hostKey = fingerprintOf(key);
          return order.hostKey === null || order.hostKey === hostKey;
        },
      });
    client.on("close", () => clearTimeout(timer));
  }).finally(() => client.end());
}

/** The fingerprint of a public key, as `ssh-keygen -l` shows it. @see RFC 4648, OpenSSH */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** A key of the hub's own for one device. */
export function newSshKey(comment: string): string {
  return ssh2.utils.generateKeyPairSync("ed25519", { comment }).private;
}

/** The line for `authorized_keys`; what is wrong with the key instead, in a sentence. */
export function publicKeyOf(
  privateKey: string,
  passphrase: string | null,
): { readonly ok: true; readonly line: string } | { readonly ok: false; readonly problem: string } {
  const parsed = ssh2.utils.parseKey(privateKey, passphrase ?? undefined);
  if (parsed instanceof Error)
    return { ok: false, problem: `This is no private key that can be read: ${parsed.message}` };
  if (!parsed.isPrivateKey()) return { ok: false, problem: "This is a public key; the private one is needed" };
  const line = `${parsed.type} ${parsed.getPublicSSH().toString("base64")} ${parsed.comment}`.trim();
  return { ok: true, line };
}

function lastLine(output: string): string {
  return output.trim().split("\n").at(-1) ?? "";
}

function reasonOf(
  error: Error & { level?: string },
  { address, hostKey, username }: SshCommand,
  shown: string,
): string {
  if (hostKey !== null && shown !== "" && shown !== hostKey)
    return `${address} shows another host key (${shown}) than the one that is pinned; nothing was sent`;
  if (error.level === "client-authentication") return `${address} does not let ${username} in with this key`;
  return `${address} cannot be reached by SSH: ${error.message}`;
}
