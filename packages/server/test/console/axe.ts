import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

/**
 * What axe finds wrong with the page as it is, one line for each element. That targets are large enough, or far enough
 * from each other (WCAG 2.2, 2.5.8), axe looks at only where it is told to.
 *
 * @param withContrast whether it also measures how texts stand out, which takes two thirds of its time
 */
export async function violationsOf(page: Page, withContrast = true): Promise<readonly string[]> {
  // Half a megabyte of script, which stays where it is until the page is loaded anew.
  const isThere = await page.evaluate<boolean>('window.axe !== undefined')
  const builder = new AxeBuilder(isThere ? { page, axeSource: 'void 0' } : { page })
  // In one frame, without a page of axe's own: the console has no frames. What is right is not written up.
  const { violations } = await builder
    .setLegacyMode(true)
    .options({
      resultTypes: ['violations'],
      rules: { 'target-size': { enabled: true }, 'color-contrast': { enabled: withContrast } },
    })
    .analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary ?? ''}`),
  )
}
