import { type IncomingMessage, type Server, createServer } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { App } from "../kernel/routes.ts";
import { StartError } from "../kernel/start-error.ts";

/**
 * The page inside Home Assistant: its supervisor passes calls on from `<Home Assistant>/api/hassio_ingress/<token>/…` to a
 * port of its own, with that prefix taken off and named in `X-Ingress-Path`. Who logs in there does so at the hub, as anywhere.
 *
 * @see https://developers.home-assistant.io/docs/apps/presentation#ingress
 */

/** Where the supervisor calls from, on every installation. */
const SUPERVISOR = "172.30.32.2";
const INGRESS_PATH = /^\/api\/hassio_ingress\/[\w-]{16,128}$/;
const HOST_NAME = /^(?:[\w.-]+|\[[\da-f:.]+\])(?=(?::\d+)?$)/i;
const REQUEST_TIMEOUT_MS = 30_000;

/** How a call came in through Home Assistant. */
interface Passage {
  /** What the browser puts before every path of ours: `/api/hassio_ingress/<token>`. */
  readonly path: string;
  /** Between the browser and Home Assistant. */
  readonly isSecure: boolean;
  /** Where the hub itself is found, past Home Assistant; null = nobody knows. */
  readonly ownAddress: string | null;
}

export interface IngressOptions {
  readonly host: string;
  readonly port: number;
  /** The port of the hub itself. */
  readonly hubPort: number;
  readonly publicUrl: string | null;
  /** The only address that may call; the supervisor's unless said otherwise. */
  readonly from?: string | undefined;
}

export interface Ingress {
  readonly port: number;
  close(): Promise<void>;
}

/** Calls through Home Assistant, and no other: what a header says elsewhere does not bring one in here. */
const passages = new WeakMap<IncomingMessage, Passage>();

/** Opens the door for the supervisor to the same routes. @throws StartError when the port is taken or may not be opened. */
export async function startIngress(app: App, options: IngressOptions): Promise<Ingress> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    const passage = passageOf(request, options);
    if (!passage)
      return void response.writeHead(403, { "content-type": "text/plain" }).end("For Home Assistant alone\n");
    passages.set(request, passage);
    app.routing(request, response);
  });
  server.on("connection", (socket) => {
    if (socket.remoteAddress?.replace(/^::ffff:/i, "") !== (options.from ?? SUPERVISOR)) socket.destroy();
  });
  await opened(server, options);
  const address = server.address();
  return {
    port: typeof address === "object" && address ? address.port : options.port,
    close: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function opened(server: Server, { host, port }: IngressOptions): Promise<void> {
  await new Promise<void>((done, failed) => {
    server.once("error", ({ message }) =>
      failed(new StartError(`The port ${port} for Home Assistant's ingress could not be opened: ${message}`)),
    );
    server.listen({ host, port }, done);
  });
}

/** Takes what Home Assistant says of its own address off the call, as it is not the hub's. */
function passageOf({ headers }: IncomingMessage, { hubPort, publicUrl }: IngressOptions): Passage | undefined {
  const path = headers["x-ingress-path"];
  if (typeof path !== "string" || !INGRESS_PATH.test(path)) return undefined;
  const isSecure = headers["x-forwarded-proto"] === "https";
  const named = headers["x-forwarded-host"] ?? headers.host;
  const [hostName] = HOST_NAME.exec(String(named)) ?? [];
  delete headers["x-forwarded-proto"];
  delete headers["x-forwarded-host"];
  headers.host = `${hostName ?? "localhost"}:${hubPort}`;
  const known = hostName === undefined ? null : `http://${headers.host}`;
  return { path, isSecure, ownAddress: publicUrl ?? known };
}

/** What stands around answers that go through Home Assistant: it may frame them, and keeps their cookies below its path. */
export function adaptToIngress(app: App): void {
  app.addHook("onRequest", async (request, reply) => {
    if (!passages.has(request.raw)) return;
    const policy = String(reply.getHeader("content-security-policy"));
    void reply.removeHeader("x-frame-options");
    void reply.header("content-security-policy", policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'"));
  });
  app.addHook("onSend", async (request, reply) => {
    const passage = passages.get(request.raw);
    if (passage) moveCookies(reply, passage);
  });
}

function moveCookies(reply: FastifyReply, { path, isSecure }: Passage): void {
  const cookies = [reply.getHeader("set-cookie") ?? []].flat();
  if (cookies.length === 0) return;
  const moved = cookies.map((cookie) => {
    const text = String(cookie).replace("; Path=/", `; Path=${path}/`);
    return isSecure && !text.includes("; Secure") ? `${text}; Secure` : text;
  });
  void reply.removeHeader("set-cookie").header("set-cookie", moved);
}

/**
 * The page as it is served below a path: its files are found there, and it is told where it stands. Home Assistant is what
 * a person installs, so there is no manifest.
 *
 * @returns undefined for a call that did not come through Home Assistant.
 */
export function pageForIngress({ raw }: FastifyRequest, page: () => string): string | undefined {
  const passage = passages.get(raw);
  if (!passage) return undefined;
  const { path, ownAddress } = passage;
  const place = `<html data-base="${path}"${ownAddress === null ? "" : ` data-address="${ownAddress}"`}`;
  return page()
    .replace(/\s*<link rel="manifest"[^>]*>/, "")
    .replaceAll(/((?:src|href)=")\//g, `$1${path}/`)
    .replace("<html", () => place);
}

/** Where the API stands, as browsers see it. */
export function basePathOf({ raw }: FastifyRequest): string {
  return passages.get(raw)?.path ?? "";
}
