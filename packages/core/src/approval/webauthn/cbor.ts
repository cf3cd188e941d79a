/** What CBOR (RFC 8949) is read into. Numbers that JavaScript cannot hold exactly are no CBOR here. */
export type Cbor = number | string | boolean | null | Buffer | readonly Cbor[] | CborMap

/** By texts and integers, as the formats of WebAuthn name their members. */
export type CborMap = ReadonlyMap<number | string, Cbor>

/** A value and where it ends. */
export interface CborItem {
  readonly value: Cbor
  readonly end: number
}

const depthMax = 6

/**
 * Reads the value that begins at `at`, as CTAP2 writes it: definite and shortest lengths, no tags, no fractions, no name
 * twice. Undefined for all else, so that no two readers of the same bytes can differ.
 */
export function readCbor(bytes: Buffer, at: number, depth = 0): CborItem | undefined {
  const head = readHead(bytes, at)
  if (head === undefined || depth > depthMax) return undefined
  const { value, end } = head
  switch (head.major) {
    case 0:
      return { value, end }
    case 1:
      return { value: -1 - value, end }
    case 2:
      return end + value > bytes.length
        ? undefined
        : { value: bytes.subarray(end, end + value), end: end + value }
    case 3:
      return readText(bytes, end, value)
    case 4:
      return readList(bytes, end, value, depth)
    case 5:
      return readMap(bytes, end, value, depth)
    default:
      return readSimple(head)
  }
}

interface Head {
  readonly major: number
  readonly value: number
  readonly end: number
}

function readHead(bytes: Buffer, at: number): Head | undefined {
  const first = bytes[at]
  if (first === undefined) return undefined
  const [major, short] = [first >> 5, first & 0x1f]
  if (short < 24) return { major, value: short, end: at + 1 }
  const length = lengths[short - 24]
  if (length === undefined || at + 1 + length > bytes.length) return undefined
  const value = bytes.readUIntBE(at + 1, length)
  const isShortest = value >= (length === 1 ? 24 : 2 ** (length * 4))
  return isShortest ? { major, value, end: at + 1 + length } : undefined
}

const lengths = [1, 2, 4] as const

function readText(bytes: Buffer, at: number, length: number): CborItem | undefined {
  const end = at + length
  if (end > bytes.length) return undefined
  try {
    return { value: new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(at, end)), end }
  } catch {
    return undefined
  }
}

function readList(bytes: Buffer, at: number, length: number, depth: number): CborItem | undefined {
  const items: Cbor[] = []
  let end = at
  for (let left = length; left > 0; left--) {
    const item = readCbor(bytes, end, depth + 1)
    if (item === undefined) return undefined
    items.push(item.value)
    end = item.end
  }
  return { value: items, end }
}

function readMap(bytes: Buffer, at: number, length: number, depth: number): CborItem | undefined {
  const members = new Map<number | string, Cbor>()
  let end = at
  for (let left = length; left > 0; left--) {
    const name = readCbor(bytes, end, depth + 1)
    const value = name && readCbor(bytes, name.end, depth + 1)
    if (value === undefined || name === undefined) return undefined
    if (typeof name.value !== 'number' && typeof name.value !== 'string') return undefined
    if (members.has(name.value)) return undefined
    members.set(name.value, value.value)
    end = value.end
  }
  return { value: members, end }
}

const simple: ReadonlyMap<number, Cbor> = new Map<number, Cbor>([
  [20, false],
  [21, true],
  [22, null],
])

function readSimple({ major, value, end }: Head): CborItem | undefined {
  const known = major === 7 ? simple.get(value) : undefined
  return known === undefined ? undefined : { value: known, end }
}
