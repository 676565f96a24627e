import { defineConfig } from 'vitest/config';

// Fixed names: the console embeds exactly these files and answers them with an ETag.
export default defineConfig({
  base: '/assets/',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2022',
    assetsDir: '.',
    cssCodeSplit: false,
    modulePreload: false,
    rollupOptions: {
      output: {
        entryFileNames: 'app.js',
        chunkFileNames: '[name].js',
        assetFileNames: 'app[extname]',
      },
    },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8989' } },
  test: { environment: 'happy-dom', include: ['test/**/*.test.{ts,tsx}'] },
});
