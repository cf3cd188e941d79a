// For a page: what has the focus, and where something stands over it; null once a round is complete.
globalThis.coveredFocus = async () => {
  const related = (one, other) => one.contains(other) || other.contains(one)
  const look = () => {
    const element = document.activeElement
    window.tabStops ??= new Set()
    // Beyond the last stop there is the browser itself, and then the first one again.
    if (element === null || element === document.body) return { name: '', hidden: [] }
    if (window.tabStops.has(element)) return null
    window.tabStops.add(element)
    const area = element.closest('label') ?? element
    const parts = [0.1, 0.5, 0.9]
    const isSeen = (x, y) => {
      const found = document.elementFromPoint(x, y)
      return found !== null && (related(found, element) || related(found, area))
    }
    const hidden = [...element.getClientRects()]
      .filter(({ width, height }) => width > 0 && height > 0)
      .flatMap(({ left, top, width, height }) =>
        parts.flatMap((across) => parts.map((down) => [left + across * width, top + down * height])),
      )
      .filter(([x, y]) => !isSeen(x, y))
    const name = (element.getAttribute('aria-label') ?? element.textContent ?? '').trim() || element.tagName
    return { name, hidden: hidden.map((point) => point.map(Math.round).join(',')) }
  }
  // The page may scroll, and rows may take their places, before it is painted.
  for (let frames = 0; frames < 2; frames++) await new Promise((painted) => requestAnimationFrame(painted))
  return look()
}
