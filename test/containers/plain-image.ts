import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { ROOT } from "../guards/source-files.ts";
import { buildContext } from "./build-context.ts";
import { assignments, execForm, parseDockerfile, type Stage, type Step, stepsOf } from "./dockerfile.ts";

/**
 * A Dockerfile carried out without Docker, on this machine and in a folder: `/app` of the image is `app` below it.
 *
 * COPY and RUN of the build stages are done word for word. RUN of the last stage is not: it sets up Debian itself (packages,
 * rights, owners), which only a container may have done to it. So this shows what is in an image and that it runs; the base
 * image and those steps it does not show.
 */
export interface PlainImage {
  readonly folder: string;
  /** What runs in a container: the command, or the health check, with its working directory and environment. */
  readonly command: PlainCommand;
  readonly healthCheck: PlainCommand;
  /** The folders that outlive a container. */
  readonly volumes: readonly string[];
}

export interface PlainCommand {
  readonly words: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** The user of the image where this machine can give it, so that what is root's cannot be written. */
  readonly identity: { readonly uid?: number; readonly gid?: number };
}

/** @param folder where it is built, empty and there. */
export async function carryOut(dockerfile: string, folder: string): Promise<PlainImage> {
  const stages = parseDockerfile(fs.readFileSync(join(ROOT, dockerfile), "utf8"));
  const context = join(folder, "context");
  layOutContext(context);
  const folderOf = (name: string) => join(folder, name);
  // stages wait for those that they copy from; the others are built at the same time, as BuildKit does it
  const built = new Map<string, Promise<void>>();
  for (const [index, stage] of stages.entries()) {
    const isLast = index === stages.length - 1;
    const name = stage.name ?? "image";
    const earlier = (from: string) => built.get(from) ?? Promise.reject(new Error(`there is no stage ${from}`));
    const build = async () => {
      const root = folderOf(name);
      fs.mkdirSync(root, { recursive: true });
      let cwd = root;
      for (const step of stage.steps) {
        if (step.instruction === "WORKDIR") fs.mkdirSync((cwd = join(root, step.text)), { recursive: true });
        if (step.instruction === "RUN" && !isLast)
          await (step.text.startsWith("npm ci ") ? install : run)(step.text, cwd);
        if (step.instruction !== "COPY") continue;
        const { from } = step.flags;
        if (from !== undefined) await earlier(from);
        copy(step, from === undefined ? context : folderOf(from), cwd);
      }
    };
    built.set(name, build());
  }
  await Promise.all(built.values());
  const last = stages.at(-1);
  if (!last) throw new Error(`${dockerfile} has no stage`);
  return describeImage(last, folderOf(last.name ?? "image"));
}

/** As in a checkout made with the strictest umask: readable for its owner alone. An image has to work from that, too. */
function layOutContext(context: string): void {
  for (const path of buildContext()) {
    const target = join(context, path);
    fs.mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    fs.copyFileSync(join(ROOT, path), target);
    fs.chmodSync(target, 0o600);
  }
}

/** Of a folder COPY takes what is inside it. */
function copy(step: Step, from: string, cwd: string): void {
  const paths = step.text.split(/\s+/);
  const destination = paths.pop() ?? "";
  const isFolder = destination.endsWith("/");
  for (const path of paths) {
    const source = join(from, path);
    const isInto = isFolder && fs.statSync(source).isFile();
    const target = join(cwd, destination, isInto ? path.slice(path.lastIndexOf("/") + 1) : "");
    fs.cpSync(source, target, { recursive: true, verbatimSymlinks: true });
  }
}

const LAYERS = join(tmpdir(), `powerbeacon-layers-${process.getuid?.() ?? 0}`);
const DAY_MS = 86_400_000;
const layers = new Map<string, Promise<string>>();

/**
 * Installs once what the same files ask for, for all images and for later runs, too: so does Docker with its layers. The packages
 * are shared by hard links, as nothing writes to them.
 */
async function install(line: string, cwd: string): Promise<void> {
  const hash = createHash("sha256").update(`${process.version}\n${line}`);
  for (const name of fs.readdirSync(cwd).toSorted())
    hash.update(`\n${name}\n`).update(fs.readFileSync(join(cwd, name)));
  const layer = join(LAYERS, hash.digest("hex").slice(0, 16));
  if (!layers.has(layer)) layers.set(layer, openLayer(layer, line, cwd));
  execFileSync("cp", ["-al", join((await layers.get(layer)) ?? "", "node_modules"), cwd]);
}

/** @returns the layer's folder, as a former run left it or freshly made. */
async function openLayer(layer: string, line: string, from: string): Promise<string> {
  if (!fs.existsSync(layer)) {
    forgetOldLayers();
    const aside = fs.mkdtempSync(`${layer}.`);
    fs.cpSync(from, aside, { recursive: true });
    await run(line, aside);
    fs.renameSync(aside, layer);
  }
  fs.utimesSync(layer, new Date(), new Date());
  return layer;
}

function forgetOldLayers(): void {
  fs.mkdirSync(LAYERS, { recursive: true });
  for (const name of fs.readdirSync(LAYERS)) {
    const layer = join(LAYERS, name);
    if (fs.statSync(layer).mtimeMs < Date.now() - DAY_MS) fs.rmSync(layer, { recursive: true, force: true });
  }
}

const OFFLINE = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ECONNRESET|ENOTCACHED/;

async function run(line: string, cwd: string): Promise<void> {
  const shell = spawn("sh", ["-c", line], { cwd, env: buildEnvironment(), stdio: ["ignore", "pipe", "pipe"] });
  const [output, errors, [code]] = await Promise.all([text(shell.stdout), text(shell.stderr), once(shell, "close")]);
  if (code === 0) return;
  const hint = OFFLINE.test(errors) ? "The npm registry cannot be reached, and building an image needs it. " : "";
  throw new Error(`${hint}"${line}" ended with code ${code}:\n${`${output}\n${errors}`.slice(-3_000)}`);
}

/** What a fresh container has, with this machine's way to the npm registry; nothing of the npm that runs the tests. */
function buildEnvironment(): Record<string, string> {
  const wanted =
    /^(HOME|TMPDIR|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|(https?|no)_proxy|npm_config_(registry|cache|userconfig|cafile))$/i;
  const kept = Object.entries(process.env).filter(([name]) => wanted.test(name)) as [string, string][];
  return { ...Object.fromEntries(kept), PATH: containerPath(), npm_config_prefer_offline: "true" };
}

/** Node as in the image, and no program out of the project's own `node_modules/.bin`. */
function containerPath(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  return [dirname(process.execPath), ...folders].join(delimiter);
}

function describeImage(stage: Stage, folder: string): PlainImage {
  const last = (instruction: string) => stepsOf(stage, instruction).at(-1)?.text ?? "";
  const volumes = stepsOf(stage, "VOLUME").map(({ text: path }) => join(folder, path));
  const set = stepsOf(stage, "ENV").flatMap(({ text: line }) => Object.entries(assignments(line)));
  const env = Object.fromEntries(
    set.map(([name, value]) => [name, value.startsWith("/") ? join(folder, value) : value] as const),
  );
  const identity = identityOf(last("USER"));
  for (const volume of volumes) {
    fs.mkdirSync(volume, { recursive: true });
    if (identity.uid !== undefined) fs.chownSync(volume, identity.uid, identity.gid ?? identity.uid);
  }
  const frame = { cwd: join(folder, last("WORKDIR")), env: { PATH: containerPath(), ...env }, identity };
  const words = (line: string) => execForm(line) ?? ["sh", "-c", line];
  return {
    folder,
    volumes,
    command: { words: words(last("CMD")), ...frame },
    healthCheck: { words: words(last("HEALTHCHECK").replace(/^CMD\s+/, "")), ...frame },
  };
}

/** Only root can start a process as somebody else, who must be able to enter the folder of Node. */
function identityOf(user: string): { uid?: number; gid?: number } {
  const [uid = 0, gid = uid] = user.split(":").map(Number);
  if (process.getuid?.() !== 0) return {};
  return spawnSync(process.execPath, ["--version"], { uid, gid }).status === 0 ? { uid, gid } : {};
}
