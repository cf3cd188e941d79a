// For a page: how many controls it has, and those that take a press on fewer pixels than asked for, with what they take.
globalThis.smallTargets = async (least) => {
  const selector = 'a[href], button, input, select, textarea, summary'
  const isShown = (element) =>
    element.checkVisibility({ visibilityProperty: true }) && getComputedStyle(element).clipPath === 'none'
  // Inside of a sentence a link is as high as its line, which 2.5.8 allows.
  const isInText = (element) =>
    element.matches('a') &&
    getComputedStyle(element).display === 'inline' &&
    getComputedStyle(element, '::after').position !== 'absolute' &&
    [...element.parentNode.childNodes].some(
      (node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim() !== '',
    )
  const areaOf = (element) => {
    const label = element.matches('input') ? element.closest('label') : null
    const owns = (x, y) => {
      const found = document.elementFromPoint(x, y)
      return found !== null && (element.contains(found) || (label?.contains(found) ?? false))
    }
    const [{ left, top, width, height }] = element.getClientRects()
    const [x, y] = [left + width / 2, top + height / 2]
    const reach = (across, down) => {
      let pixels = 0
      while (pixels < least && owns(x + across * (pixels + 1), y + down * (pixels + 1))) pixels += 1
      return pixels
    }
    return { width: 1 + reach(-1, 0) + reach(1, 0), height: 1 + reach(0, -1) + reach(0, 1) }
  }
  const controls = [...document.querySelectorAll(selector)].filter((each) => isShown(each) && !isInText(each))
  const small = []
  for (const element of controls) {
    // It shows only with the focus.
    if (element.matches('.skip')) continue
    element.scrollIntoView({ block: 'center', behavior: 'instant' })
    await new Promise((painted) => requestAnimationFrame(painted))
    if (!element.isConnected) continue
    const { width, height } = areaOf(element)
    if (height >= least && width >= 24) continue
    const name = element.getAttribute('aria-label') ?? element.textContent.trim()
    small.push(`${element.localName} ${name.slice(0, 60)}: ${width} × ${height}`)
  }
  return { measured: controls.length, small }
}
