import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import { chromium, type Browser } from 'playwright-core'
import { isLeftOut } from '../../../../test/tools.ts'

// The first has no windows to draw, and takes two thirds of the time.
const names = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome']

// Nothing of a test may leave the machine, and a test may run as root in a container.
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/**
 * The browser to test in: the one that BAILIWICK_CHROMIUM names, else an installed one. Where there is none,
 * says so loudly and returns undefined.
 *
 * @throws where BAILIWICK_CHROMIUM names a file that cannot be run: whoever sets it wants these tests; and where there is
 *   none in CI
 */
export function findChromium(): string | undefined {
  const named = process.env['BAILIWICK_CHROMIUM']
  if (named !== undefined && named !== '') {
    if (canRun(named)) return named
    throw new Error(`BAILIWICK_CHROMIUM names ${named}, which cannot be run`)
  }
  const folders = [
    '/usr/bin',
    ...(process.env['PATH'] ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder)),
  ]
  const found = names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(canRun)
  isLeftOut(`a browser (${names.join(', ')}, or what BAILIWICK_CHROMIUM names)`, found !== undefined)
  return found
}

/** Starts the browser without a window. */
export function launchChromium(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args })
}

function canRun(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
