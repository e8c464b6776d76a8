import fastifyStatic from "@fastify/static";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { App } from "../kernel/routes.ts";
import { pageForIngress } from "./ingress.ts";

/** Where `npm run build:web` puts the page. */
const PAGE_DIR = join(import.meta.dirname, "../../dist/web");

/** The addresses of the page. What stands there is decided by the page itself. */
const PAGE_PATHS = [
  "/",
  "/setup",
  "/login",
  "/devices/:key",
  "/clusters/:key",
  "/agents/:key",
  "/schedules",
  "/settings",
  "/settings/:page",
];

/** The names that the build gives its files. */
const ASSET = /^[\w-]+(?:\.[\w-]+)*$/;

const hidden = { config: { permission: "public" }, schema: { hide: true } } as const;

const NOT_BUILT =
  "PowerBeacon runs, but its page is not built. Run `npm run build:web`, then load this again. The API is at /api/docs.\n";

/**
 * Serves the built page. Its files carry a hash in their name and are kept by browsers for good; `index.html` names them and
 * is asked for each time.
 */
export async function servePage(app: App): Promise<void> {
  await app.register(fastifyStatic, { root: PAGE_DIR, serve: false, preCompressed: true, index: false });
  for (const path of PAGE_PATHS) {
    app.get(path, hidden, async (request, reply) => {
      const file = join(PAGE_DIR, "index.html");
      if (!existsSync(file)) return reply.code(503).type("text/plain").send(NOT_BUILT);
      const adapted = pageForIngress(request, () => readFileSync(file, "utf8"));
      if (adapted !== undefined)
        return reply.header("cache-control", "no-cache").type("text/html; charset=utf-8").send(adapted);
      return reply.sendFile("index.html", { cacheControl: false }).header("cache-control", "no-cache");
    });
  }
  app.get<{ Params: { file: string } }>("/assets/:file", hidden, async (request, reply) => {
    const { file } = request.params;
    if (!ASSET.test(file)) return reply.callNotFound(); // `..%2f` and the like lead elsewhere
    return reply.sendFile(join("assets", file), { maxAge: "365d", immutable: true });
  });
  for (const file of ["favicon.svg", "manifest.webmanifest"]) {
    app.get(`/${file}`, hidden, async (_request, reply) => reply.sendFile(file, { maxAge: "1d" }));
  }
}
