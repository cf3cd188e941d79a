import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  base: '/',
  plugins: [react()],
  server: { proxy: { '/v1': 'http://127.0.0.1:7420' } },
  build: {
    // The service ships the console, so it is built into the service's package.
    outDir: '../server/console',
    emptyOutDir: true,
    target: 'es2022',
    // The service's content security policy forbids data: addresses, so nothing may be inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
})
