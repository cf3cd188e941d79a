import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { HttpEnv } from './asker.ts'

/** The built console by URL path. Empty where it has not been built. */
export type ConsoleFiles = ReadonlyMap<string, { readonly bytes: Buffer; readonly type: string }>

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
}

/** The addresses of the console's pages. */
const pages = /^\/(sign-in|approvals|delegations|grants|decisions|agents|policies|people|account)(\/|$)/

/** Reads the built console into memory: it is small, and no request then names a file. */
export async function readConsoleFiles(dir: string): Promise<ConsoleFiles> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const read = await Promise.all(
    files.map(async (file) => {
      const path = `/${relative(dir, file).split(sep).join('/')}`
      return [
        path,
        { bytes: await readFile(file), type: types[extname(file)] ?? 'application/octet-stream' },
      ] as const
    }),
  )
  return new Map(read)
}

/**
 * Serves the console; every address of its pages gets the one document, which reads the address itself. A browser
 * gets it for an unknown address too, with status 404, for its own page that says so.
 */
export function serveConsole(app: OpenAPIHono<HttpEnv>, files: ConsoleFiles): void {
  const index = files.get('/index.html')
  app.get('*', async (context, next) => {
    const { path } = context.req
    const file = files.get(path)
    const page = path === '/' || pages.test(path)
    const isUnknown = file === undefined && !page
    if (isUnknown && (index === undefined || !wantsHtml(context.req.header('accept')))) return await next()
    const chosen = file ?? index
    if (chosen === undefined)
      return context.text('The console has not been built: run `npm run build`.\n', 404)
    const cache = path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
    return context.body(new Uint8Array(chosen.bytes), isUnknown ? 404 : 200, {
      'content-type': chosen.type,
      'cache-control': cache,
    })
  })
}

function wantsHtml(accept: string | undefined): boolean {
  return /(^|,)\s*text\/html\s*(;(?!\s*q=0(\.0*)?\s*(,|$))|,|$)/i.test(accept ?? '')
}
