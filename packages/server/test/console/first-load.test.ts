import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { isLeftOut } from '../../../../test/tools.ts'

const folder = new URL('../../console/', import.meta.url)
const built = existsSync(fileURLToPath(new URL('index.html', folder)))
const bytesMax = 200_000

/** Every script that the page loads before it can show anything: those it names, and what they import. */
async function firstScripts(): Promise<ReadonlyMap<string, Buffer>> {
  const html = await readFile(new URL('index.html', folder), 'utf8')
  const found = new Map<string, Buffer>()
  const queue = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map((match) => match[1] ?? '')
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (found.has(file)) continue
    const bytes = await readFile(new URL(file, folder))
    found.set(file, bytes)
    const imports = bytes.toString('utf8').matchAll(/(?:from|import)\s*["`']\.\/([^"`']+\.js)["`']/g)
    queue.push(...[...imports].map((match) => `assets/${match[1]}`))
  }
  return found
}

test.skipIf(isLeftOut('the built console (npm run build)', built))(
  'the first page needs less than 200 kB of script, compressed',
  async () => {
    const scripts = await firstScripts()
    const sizes = [...scripts.values()].map((bytes) => gzipSync(bytes).length)
    expect(scripts.size).toBeGreaterThan(0)
    const total = sizes.reduce((sum, size) => sum + size, 0)
    expect(total).toBeGreaterThan(30_000)
    expect(total).toBeLessThan(bytesMax)
  },
)
