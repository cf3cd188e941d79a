// For a page with a long list: scrolls over all of it, screen by screen and by leaps, and looks at each frame.
globalThis.scrollOver = async () => {
  const nextFrame = () => new Promise((resolve) => requestAnimationFrame(resolve))
  const list = document.querySelector('.decisions-body')
  const seen = { frames: 0, rows: 0, nodes: 0, blank: [] }

  /** The longest stretch of the list on screen that no row covers, in pixels. */
  const longestGap = () => {
    const place = list.getBoundingClientRect()
    const [top, bottom] = [Math.max(place.top, 0), Math.min(place.bottom, innerHeight)]
    const rows = [...list.querySelectorAll('[role=row]')].map((row) => row.getBoundingClientRect())
    let [reached, gap] = [top, 0]
    for (const row of rows.sort((one, other) => one.top - other.top)) {
      if (row.bottom <= top || row.top >= bottom) continue
      gap = Math.max(gap, row.top - reached)
      reached = Math.max(reached, row.bottom)
    }
    return Math.max(gap, bottom - reached)
  }
  // Rows whose height is not known yet may stand a little apart until they have been measured; a row is 58 pixels high.
  const look = () => {
    seen.frames += 1
    seen.rows = Math.max(seen.rows, list.querySelectorAll('[role=row]').length)
    seen.nodes = Math.max(seen.nodes, document.querySelectorAll('*').length)
    const gap = longestGap()
    if (gap > 40) seen.blank.push(`${Math.round(gap)} pixels at ${Math.round(scrollY)}`)
  }
  const to = async (place) => {
    scrollTo(0, place)
    // The page is told of the scroll at the start of the frame, before this is.
    await nextFrame()
    look()
  }

  const height = document.documentElement.scrollHeight
  // Some screens one after the other, as with a wheel, from three places.
  for (const start of [0, height / 3, height - 30_000]) {
    for (let screens = 0; screens < 60; screens++) await to(start + screens * 450)
  }
  // Leaps, as with the bar beside the page: forwards, and back.
  for (let leap = 0; leap <= 50; leap++) await to((height * ((leap * 37) % 101)) / 100)
  for (let leap = 100; leap >= 0; leap -= 2) await to((height * leap) / 100)
  return seen
}
