import { encodeQR } from 'qr'

/** So much of nothing around it, in modules, is what readers need to find it (ISO/IEC 18004). */
const quietZone = 4

/** A text as a QR code, for the camera of another device. Dark on light in either theme: not every reader takes the opposite. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const { size, path } = qrPath(text)
  return (
    <svg className="qr-code" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label}>
      <rect className="qr-light" width={size} height={size} />
      <path className="qr-dark" d={path} shapeRendering="crispEdges" />
    </svg>
  )
}

/** The code's dark modules as the path of an image, each a unit wide, with the quiet zone around them. */
export function qrPath(text: string): { readonly size: number; readonly path: string } {
  const modules = encodeQR(text, 'raw', { ecc: 'medium', border: quietZone })
  const path = modules
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('')
  return { size: modules.length, path }
}
