import { defineConfig } from 'vite';

// A pack is one file, and in a browser node one page: one script, and pictures inside it.
export default defineConfig({
  build: {
    assetsInlineLimit: 100 * 1024,
    rollupOptions: { output: { inlineDynamicImports: true } },
  },
});
