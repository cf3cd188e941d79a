import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'

const folder = new URL('../verify-page/', import.meta.url)

/** The page that checks proof bundles in a browser: one file that needs no network, and may not use any. */
export interface VerifyPage {
  readonly html: string
  /** What the page says of itself in a meta element; a server says the same. */
  readonly contentSecurityPolicy: string
}

/** Puts the page together from its parts. Nothing but its own script and style, by their hashes, may run in it. */
export async function verifyPage(): Promise<VerifyPage> {
  const part = (name: string): Promise<string> => readFile(new URL(name, folder), 'utf8')
  const [page, style, verifier, view] = await Promise.all(
    ['page.html', 'page.css', 'verify.js', 'page.js'].map(part),
  )
  const script = withoutModules(`${verifier}\n${view}`)
  const contentSecurityPolicy = [
    "default-src 'none'",
    `script-src '${sourceHash(script)}'`,
    `style-src '${sourceHash(style ?? '')}'`,
    'img-src data:',
    "connect-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const html = (page ?? '')
    .replace('content=""', () => `content="${contentSecurityPolicy}"`)
    .replace('<style></style>', () => `<style>${style}</style>`)
    .replace('<script type="module"></script>', () => `<script type="module">${script}</script>`)
  return { html, contentSecurityPolicy }
}

/** What checks a bundle in that page, as a module of its own: the same file, for pages that have a look of their own. */
export function verifierScript(): Promise<string> {
  return readFile(new URL('verify.js', folder), 'utf8')
}

// The parts are modules, so that each can be read and tested by itself; in the page they are one.
function withoutModules(source: string): string {
  return source.replaceAll(/^import .*\n/gm, '').replaceAll(/^export /gm, '')
}

function sourceHash(source: string): string {
  return `sha256-${hash('sha256', source, 'base64')}`
}
