// A pack is one file, and in a browser node one page: everything is in one script, and nothing is fetched beside it.
export default defineNuxtConfig({
  compatibilityDate: '2026-01-01',
  ssr: false,
  nitro: { preset: 'static' },
  // A frame that belongs to no origin has no paths of its own, only what stands after the #.
  router: { options: { hashMode: true } },
  experimental: { appManifest: false, entryImportMap: false },
  telemetry: { enabled: false },
  vite: {
    build: {
      assetsInlineLimit: 100 * 1024,
      rollupOptions: { output: { inlineDynamicImports: true } },
    },
  },
});
