import { defineConfig } from "vite";

/** One file that runs with nothing but Node: what a Raspberry Pi gets. */
export default defineConfig({
  build: {
    ssr: "agent/main.ts",
    target: "node22",
    outDir: "dist",
    emptyOutDir: false,
    rolldownOptions: {
      output: {
        entryFileNames: "powerbeacon-agent.mjs",
        codeSplitting: false,
        banner: "#!/usr/bin/env node",
        // the text of a module stays in memory; names stay too, so that stack traces from other people's machines are readable
        minify: { compress: true, mangle: false, codegen: true },
      },
    },
  },
  ssr: { noExternal: true, target: "node" },
});
