import { defineConfig } from 'vitest/config'
import { LongFirst } from './test/long-first.ts'
import { TallyReporter } from './test/reporter.ts'
import { temporaryFolder } from './test/setup/temporary-folder.ts'

// Tests run on the sources. Vitest hands these conditions to its workers, so they must not contain
// `import`: it would make `require` inside CommonJS packages find ES modules.
const conditions = ['bailiwick-source', 'node']

// What the workers and the processes that they start find in their environment, unless whoever runs the tests has chosen.
const folder = process.env['TMPDIR'] ?? temporaryFolder()
if (folder !== undefined) process.env['TMPDIR'] = folder

export default defineConfig({
  ssr: { resolve: { conditions } },
  environments: { __vitest__: { resolve: { conditions } } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/setup/postgres.ts'],
    // Files share the modules of their worker: loading them for each took more than a minute of the whole run.
    isolate: false,
    sequence: { sequencer: LongFirst },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ['default', new TallyReporter()],
  },
})
