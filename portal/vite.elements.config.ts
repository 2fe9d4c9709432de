import { defineConfig } from "vite";

/** The elements as one classic script, because worker templates load them with a plain script tag. */
export default defineConfig({
  publicDir: false,
  build: {
    target: "es2022",
    outDir: "dist/assets",
    emptyOutDir: false,
    reportCompressedSize: true,
    lib: {
      entry: "src/elements/main.ts",
      formats: ["iife"],
      name: "groundworkElements",
      fileName: () => "crowd-html-elements.js",
    },
  },
});
