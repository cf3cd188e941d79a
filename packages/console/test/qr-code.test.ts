import { decodeQR } from 'qr/decode.js'
import { expect, test } from 'vitest'
import { qrPath } from '../src/parts/qr-code.tsx'

const address =
  'otpauth://totp/Bailiwick:ada%40example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Bailiwick'

/** What a camera would see of the path, so many dots for each module. */
function seen({ size, path }: ReturnType<typeof qrPath>, dots = 4) {
  const width = size * dots
  const data = new Uint8Array(width * width * 3).fill(255)
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let row = 0; row < dots; row++) {
      const start = ((Number(y) * dots + row) * width + Number(x) * dots) * 3
      data.fill(0, start, start + dots * 3)
    }
  }
  return { width, height: width, data }
}

test('what a camera sees of the code is the address, letter by letter', () => {
  expect(decodeQR(seen(qrPath(address)))).toBe(address)
})

test('around the code are four modules of nothing, without which not every reader finds it', () => {
  const { size, path } = qrPath(address)
  const places = [...path.matchAll(/M(\d+) (\d+)/g)].flatMap(([, x, y]) => [Number(x), Number(y)])
  expect(Math.min(...places)).toBe(4)
  expect(Math.max(...places)).toBe(size - 5)
})
