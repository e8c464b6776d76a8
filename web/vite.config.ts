import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { type Plugin, defineConfig } from "vite";

const PAGE_DIR = join(import.meta.dirname, "../dist/web");

/** The page, built into `dist/web`, from where the hub serves it. */
export default defineConfig({
  root: import.meta.dirname,
  build: {
    outDir: `${PAGE_DIR}.${process.pid}`,
    emptyOutDir: true,
    target: "baseline-widely-available",
    modulePreload: { polyfill: false }, // it would be an inline script
  },
  // its files find each other wherever they stand; the page names them from the root, or from where Home Assistant shows it
  experimental: { renderBuiltUrl: (_file, { hostType }) => (hostType === "html" ? undefined : { relative: true }) },
  // `npm run dev:web`: the page from its sources, the rest from a hub that runs beside it
  server: {
    // but for the page's own modules under `api/`
    proxy: { "^/api/(?!.+\\.ts(?:\\?|$))": { target: "http://localhost:8080", changeOrigin: false } },
  },
  plugins: [compressed(), inPlaceAtOnce()],
});

/** Lays a `.gz` and a `.br` beside each text file, so that the hub compresses nothing per request. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle({ dir = "" }) {
      for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
        if (!/\.(?:js|css|svg|html|webmanifest)$/.test(name)) continue;
        const file = join(dir, name);
        const content = readFileSync(file);
        writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }));
        writeFileSync(`${file}.br`, brotliCompressSync(content));
      }
    },
  };
}

/** Puts the whole page in the place of the former one: a hub that serves it meanwhile never sees half of it. */
function inPlaceAtOnce(): Plugin {
  let built = "";
  return {
    name: "in-place-at-once",
    apply: "build",
    writeBundle({ dir = "" }) {
      built = dir;
    },
    closeBundle(error) {
      if (error === undefined && built !== "") replacePage(built);
    },
  };
}

function replacePage(built: string): void {
  for (let tries = 0; ; tries++) {
    rmSync(PAGE_DIR, { recursive: true, force: true });
    try {
      return renameSync(built, PAGE_DIR);
    } catch (error) {
      if (tries === 10) throw error; // another build was faster, between these two lines
    }
  }
}
