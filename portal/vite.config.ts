import { defineConfig } from "vite";

/** The portal's pages: one document and its script and style, named by their content. */
export default defineConfig({
  publicDir: false,
  build: {
    target: "es2022",
    outDir: "dist",
    emptyOutDir: true,
    // The content policy allows no data: address for anything but pictures.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: true,
  },
});
