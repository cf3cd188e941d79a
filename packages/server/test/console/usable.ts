import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { violationsOf } from './axe.ts'
import { controlsOf, frames, overflowOf, paleTexts } from './pages.ts'

/** A telephone, and a screen on a desk. */
export const sizes = [
  { width: 390, height: 844 },
  { width: 1440, height: 900 },
] as const

/**
 * Expects that whoever sees little, or nothing, could use the page as it is, on a telephone and on a desk, in light and
 * in dark: no sideways scrolling, a name for every control, texts that stand out, and nothing that axe finds.
 */
export async function expectUsable(page: Page, what: string): Promise<void> {
  const before = page.viewportSize()
  for (const size of sizes) {
    await page.setViewportSize(size)
    await frames(page)
    const where = `${what}, ${size.width} pixels wide`
    expect(await overflowOf(page), where).toBe(0)
    const controls = await controlsOf(page)
    expect(controls.length, where).toBeGreaterThan(0)
    expect(
      controls.filter(({ name }) => name === ''),
      `controls without a name on ${where}`,
    ).toEqual([])
    await expectNoViolations(page, where, themeOf(size))
  }
  if (before !== null) await page.setViewportSize(before)
}

/**
 * The same of texts and of what axe finds only, as the page stands.
 *
 * @param theme the only one in which axe looks, where a page is shown in several sizes; absent: both
 */
export async function expectNoViolations(page: Page, where: string, theme?: Theme): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    expect(await paleTexts(page), `pale texts on ${where}, ${colorScheme}`).toEqual([])
    if (theme !== undefined && theme !== colorScheme) continue
    // Axe measures contrasts as well, once: in dark, on a desk.
    expect(await violationsOf(page, colorScheme === 'dark'), `${where}, ${colorScheme}`).toEqual([])
  }
}

/**
 * The theme in which axe looks at a page of this size. Of what it looks for only the contrast of texts differs with the
 * theme, which `paleTexts` measures in both: so each theme and each size once, and not each with each.
 */
export function themeOf(size: (typeof sizes)[number]): Theme {
  return size === sizes[0] ? 'light' : 'dark'
}

type Theme = 'light' | 'dark'
