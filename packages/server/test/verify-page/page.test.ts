import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ProofBundle } from '@bailiwick/core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { bundleOf, entries, noteAt, otherKey, verifierKey } from '../../../core/test/audit/bundles.ts'
import { makeTestDir, removeTestDir } from '../../../store/test/harness/data-dir.ts'
import { verifyPage } from '../../src/verify-page.ts'
import { violationsOf } from '../console/axe.ts'
import { findChromium, launchChromium } from '../console/chromium.ts'

const executable = findChromium()
const phone = { viewport: { width: 390, height: 844 } }
const desk = { viewport: { width: 1440, height: 900 } }

describe.skipIf(executable === undefined)('the page that checks bundles, in a browser', () => {
  let dir: string
  let file: string
  let server: Server
  let served: string
  let browser: Browser
  let pages: Page[] = []
  /** What went wrong on the pages, and every request but that for the page itself. */
  let troubles: string[] = []

  beforeAll(async () => {
    dir = await makeTestDir()
    const { html, contentSecurityPolicy } = await verifyPage()
    file = join(dir, 'verify.html')
    await writeFile(file, html)
    server = createServer((_, response) => {
      response.writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': contentSecurityPolicy,
      })
      response.end(html)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    served = `http://127.0.0.1:${(server.address() as AddressInfo).port}/log/verify.html`
    browser = await launchChromium(executable ?? '')
  })
  afterEach(async () => {
    await Promise.all(pages.map((page) => page.context().close()))
    pages = []
    expect(troubles).toEqual([])
    troubles = []
  })
  afterAll(async () => {
    await browser.close()
    await new Promise((resolve) => server.close(resolve))
    await removeTestDir(dir)
  })

  async function visit(
    address = pathToFileURL(file).href,
    options: BrowserContextOptions = desk,
  ): Promise<Page> {
    const page = await (await browser.newContext(options)).newPage()
    pages.push(page)
    page.on('pageerror', (error) => troubles.push(error.message))
    page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()))
    page.on('request', (request) => {
      const url = request.url()
      if (url !== address && !url.startsWith('data:')) troubles.push(`requested ${url}`)
    })
    await page.goto(address)
    return page
  }

  const paste = async (page: Page, bundle: ProofBundle | string, key = ''): Promise<void> => {
    await page.fill('#keys', key)
    await page.fill('#pasted', typeof bundle === 'string' ? bundle : JSON.stringify(bundle))
    await page.waitForSelector('.verdict')
  }
  const verdict = (page: Page) => page.textContent('.verdict strong')
  const text = (page: Page) => page.innerText('#result')
  const signOfPayload = async (page: Page) =>
    (await page.locator('.checks li').last().locator('span').allInnerTexts()).slice(0, 2)
  const notChecked = 'Whether a payload belongs to the record was not checked: there is none in the bundle'

  test.each([
    ['from a file', () => pathToFileURL(file).href],
    ['from a service', () => served],
  ])('proves a record %s, and shows it with its payload', async (_, address) => {
    const page = await visit(address())
    await paste(page, bundleOf(0), verifierKey)
    expect(await verdict(page)).toBe('Proven')
    const shown = await text(page)
    expect(shown).toContain('Escalation required: human_approval_required')
    expect(shown).toContain('"to": "Zoë"')
    expect(shown).toContain('5 hashes lead from the record to the root in the checkpoint')
    expect(shown).toContain('log.example.com/main')
    expect(shown).toContain('That what the record says is true')
    await page.click('text=All of it, as it was hashed')
    expect(await text(page)).toContain('refund_amount > 500 && customer != \\"Zoë 😂\\"')
  })

  test('does not call proven what only the key in the bundle signed, until the key of the log is entered', async () => {
    const page = await visit()
    await paste(page, bundleOf(0))
    expect(await verdict(page)).toBe('It holds together, but who signed it is not known')
    expect(await page.locator('.unsure').innerText()).toContain('signed with the key in the bundle')
    await page.fill('#keys', `\n ${verifierKey} \n`)
    await page.waitForSelector('.verdict.proven')
    await page.fill('#keys', otherKey)
    await page.waitForSelector('.verdict.refuted')
    expect(await text(page)).toContain('not signed by the key that you entered')
  })

  test('says what is proven and what is not where only the key is missing', async () => {
    const page = await visit()
    await paste(page, { ...bundleOf(0), verifierKeys: [] })
    expect(await verdict(page)).toBe('It holds together, but no signature was checked')
    const said = (await page.textContent('.verdict')) ?? ''
    expect(said).toContain('Proven: the record and its proof lead to the root in the checkpoint.')
    expect(said).toContain('Not proven: that the log has signed that checkpoint.')
    expect(said).not.toContain('forged')
    expect(await page.locator('.unsure').innerText()).toContain('there is no key')
    await page.fill('#keys', 'not a key')
    await page.waitForSelector('.verdict.unsupported')
    expect(await verdict(page)).toBe('Not checked')
    await page.fill('#keys', verifierKey)
    await page.waitForSelector('.verdict.proven')
  })

  const good = bundleOf(4)
  const changes: [string, Partial<ProofBundle>][] = [
    ['record', { record: good.record.replace('support', 'suppport') }],
    ['index', { index: 5 }],
    ['proof', { proof: good.proof.toReversed() }],
    ['size', { size: 22 }],
    ['root', { checkpoint: good.checkpoint?.replace(/\n[A-Za-z0-9+/]/, '\nA') ?? '' }],
    [
      'signature',
      {
        checkpoint: noteAt(22)
          .split('\n\n')
          .with(0, good.checkpoint?.split('\n\n')[0] ?? '')
          .join('\n\n'),
      },
    ],
    ['checkpoint', { checkpoint: noteAt(22) }],
    [
      'payload',
      {
        payload: { ...good.payload, body: '{"context":{},"params":{"amount":1}}' } as ProofBundle['payload'],
      },
    ],
    ['salt', { payload: { ...good.payload, salt: '00'.repeat(32) } as ProofBundle['payload'] }],
    ['missing payload', { payload: { state: 'none' } }],
  ]

  test('refutes a bundle with any part of it changed, and shows nothing of it as proven', async () => {
    const page = await visit()
    for (const [part, change] of changes) {
      await paste(page, { ...good, ...change }, verifierKey)
      expect(await verdict(page), part).toBe('Not proven')
      const shown = await text(page)
      expect(shown).not.toContain('The payload\n')
      expect(shown).not.toContain('The checkpoint\n')
      expect(await page.locator('.no').count()).toBe(1)
    }
  })

  test('takes a file that is chosen, and one that is dropped', async () => {
    const page = await visit()
    await page.fill('#keys', verifierKey)
    const buffer = Buffer.from(JSON.stringify(bundleOf(1)))
    await page.setInputFiles('#file', { name: 'one\u202Ecod.json', mimeType: 'application/json', buffer })
    await page.waitForSelector('.verdict.proven')
    expect(await page.textContent('#file-name')).toBe('one␣U+202Ecod.json')
    const content = JSON.stringify(JSON.stringify(bundleOf(2)))
    const dropped = await page.evaluateHandle(`(() => {
      const transfer = new DataTransfer()
      transfer.items.add(new File([${content}], 'two.json'))
      return transfer
    })()`)
    await page.dispatchEvent('#drop', 'drop', { dataTransfer: dropped })
    await page.waitForSelector('#file-name:text-is("two.json")')
    await page.waitForSelector('.verdict.proven')
    expect(await text(page)).toContain('dec_2')
  })

  test('drops its verdict with the input that it was about', async () => {
    const page = await visit()
    await paste(page, bundleOf(0), verifierKey)
    await page.fill('#pasted', '')
    expect(await page.locator('.verdict').count()).toBe(0)
    await paste(page, 'nothing of the kind')
    expect(await verdict(page)).toBe('Not proven')
  })

  test('says of erased and withheld payloads what they are', async () => {
    const page = await visit()
    await paste(page, { ...bundleOf(0), payload: { state: 'erased' } }, verifierKey)
    expect(await text(page)).toContain('Erased, by the word of whoever made the bundle')
    expect(await signOfPayload(page)).toEqual(['–', notChecked])
    await paste(page, { ...bundleOf(0), payload: { state: 'withheld' } }, verifierKey)
    expect(await text(page)).toContain('Left out of this bundle')
    expect(await verdict(page)).toBe('Proven')
    expect(await signOfPayload(page)).toEqual(['–', notChecked])
    await paste(page, { ...bundleOf(0), payload: { state: 'withheld' } })
    await page.waitForSelector('.verdict.self-signed')
    expect(await signOfPayload(page)).toEqual(['–', notChecked])
  })

  test('ticks a payload that was checked, and that a record has none', async () => {
    const page = await visit()
    await paste(page, bundleOf(0), verifierKey)
    expect(await signOfPayload(page)).toEqual(['✓', 'The payload belongs to the record'])
    const without = entries.findIndex(({ payload }) => payload === 'none')
    await paste(page, bundleOf(without), verifierKey)
    expect(await signOfPayload(page)).toEqual(['✓', 'The record has no payload'])
    await paste(page, { ...bundleOf(without), payload: { state: 'withheld' } }, verifierKey)
    expect(await signOfPayload(page)).toEqual(['✗', 'The payload belongs to the record'])
  })

  test('says that it could not check, and not that it is false, where the browser knows no Ed25519', async () => {
    const page = await visit()
    await page.evaluate(() => Object.defineProperty(crypto, 'subtle', { value: undefined }))
    await paste(page, bundleOf(0), verifierKey)
    expect(await verdict(page)).toBe('Not checked')
    expect(await text(page)).toContain('cannot check Ed25519 signatures here')
  })

  test('can reach no network, even where its own script tries', async () => {
    const page = await visit(served)
    const reached = await page.evaluate(`(async () => {
      const tried = await fetch('${served}').then(() => 'reached', () => 'refused')
      const image = await new Promise((resolve) => {
        const made = new Image()
        made.addEventListener('load', () => resolve('reached'))
        made.addEventListener('error', () => resolve('refused'))
        made.src = '${served}'
      })
      return [tried, image]
    })()`)
    expect(reached).toEqual(['refused', 'refused'])
    // That is what the browser has to say of it.
    expect(troubles.filter((trouble) => !/Content Security Policy/.test(trouble))).toEqual([])
    troubles = []
  })

  test.each([
    ['light', phone],
    ['dark', phone],
    ['light', desk],
    ['dark', desk],
  ] as const)('reads well, and axe finds nothing, in %s at %o', async (colorScheme, size) => {
    const page = await visit(undefined, { ...size, colorScheme })
    const pale = await readFile(new URL('../console/pale-texts.js', import.meta.url), 'utf8')
    const index = entries.length - 2
    for (const [bundle, key] of [
      [bundleOf(index), verifierKey],
      [bundleOf(0), ''],
      [{ ...bundleOf(0), verifierKeys: [] }, ''],
      [{ ...bundleOf(0), size: 3 }, verifierKey],
    ] as const) {
      await paste(page, bundle, key)
      expect(await page.evaluate(pale)).toEqual([])
      expect(await violationsOf(page)).toEqual([])
      const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
      expect(await page.evaluate(overflow)).toBe(0)
    }
  })
})

describe('the page', () => {
  test('is one file that names no other, with a policy that allows its own script and style only', async () => {
    const { html, contentSecurityPolicy } = await verifyPage()
    expect(html).not.toMatch(/\b(src|href)="(?!data:)/)
    expect(html.match(/<script/g)).toHaveLength(1)
    expect(html.match(/<\/script>/g)).toHaveLength(1)
    expect(html).not.toMatch(/^\s*(import|export) /m)
    expect(contentSecurityPolicy).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'/,
    )
    expect(contentSecurityPolicy).toContain("connect-src 'none'")
    expect(contentSecurityPolicy).not.toMatch(/unsafe|\*|self/)
    expect(html).toContain(`content="${contentSecurityPolicy}"`)
  })
})
