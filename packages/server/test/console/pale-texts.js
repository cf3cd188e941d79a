// Evaluated in a page: every visible text whose contrast is below WCAG 2.2 AA, with its ratio.
;(() => {
  const channels = (color) => {
    const [red = 0, green = 0, blue = 0, alpha = 1] = (color.match(/[\d.]+/g) ?? []).map(Number)
    return { red, green, blue, alpha }
  }
  const over = (top, below) => {
    const mix = (a, b) => a * top.alpha + b * (1 - top.alpha)
    return {
      red: mix(top.red, below.red),
      green: mix(top.green, below.green),
      blue: mix(top.blue, below.blue),
      alpha: 1,
    }
  }
  const canvas = { red: 255, green: 255, blue: 255, alpha: 1 }
  const groundOf = (element) => {
    const own = channels(getComputedStyle(element).backgroundColor)
    if (own.alpha === 1) return own
    return over(own, element.parentElement === null ? canvas : groundOf(element.parentElement))
  }
  const luminance = ({ red, green, blue }) => {
    const linear = [red, green, blue]
      .map((channel) => channel / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
  }
  const contrast = (a, b) => {
    const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y)
    return (light + 0.05) / (dark + 0.05)
  }
  const needed = ({ fontSize, fontWeight }) => {
    const isLarge = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && Number(fontWeight) >= 700)
    return isLarge ? 3 : 4.5
  }

  const pale = []
  const check = (element, style, text) => {
    const ground = groundOf(element)
    const ratio = contrast(over(channels(style.color), ground), ground)
    if (ratio < needed(style)) pale.push(`${ratio.toFixed(2)} ${text}`)
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
    const element = node.parentElement
    const text = node.data.trim()
    // What is clipped away is for screen readers only; what is disabled is exempt.
    const isShown =
      element.checkVisibility() && element.closest('.unseen, :disabled, noscript, script') === null
    if (text !== '' && isShown) check(element, getComputedStyle(element), text)
  }
  for (const field of document.querySelectorAll('input[placeholder]')) {
    check(field, getComputedStyle(field, '::placeholder'), field.placeholder)
  }
  return pale
})()
