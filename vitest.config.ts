import { defineConfig } from 'vitest/config'
import { TallyReporter } from './test/reporter.ts'

// Tests run on the sources. Vitest hands these conditions to its workers, so they must not contain
// `import`: it would make `require` inside CommonJS packages find ES modules.
const conditions = ['bailiwick-source', 'node']

export default defineConfig({
  ssr: { resolve: { conditions } },
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    projects: [
      // Pure packages: their tests share the modules of a worker, which saves loading them for each file.
      {
        extends: true,
        test: {
          name: 'pure',
          include: ['packages/{cel,core}/test/**/*.test.ts'],
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['packages/{store,server,console}/test/**/*.test.ts', 'test/**/*.test.ts'],
          globalSetup: ['test/setup/postgres.ts'],
        },
      },
    ],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ['default', new TallyReporter()],
  },
})
