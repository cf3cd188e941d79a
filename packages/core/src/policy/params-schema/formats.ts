/** The formats that are checked. */
export const formats = {
  date: isDate,
  'date-time': isDateTime,
  email: isEmail,
  uri: isUri,
  uuid: isUuid,
  ipv4: isIpv4,
  ipv6: isIpv6,
  hostname: isHostname,
} as const

/** A value of `format`. */
export type FormatName = keyof typeof formats

/** As messages say it after "must be". */
export const formatTexts: Readonly<Record<FormatName, string>> = {
  date: 'a date such as 2026-01-31',
  'date-time': 'a time such as 2026-01-31T12:00:00Z',
  email: 'an e-mail address',
  uri: 'a URI with a scheme',
  uuid: 'a UUID',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  hostname: 'a host name',
}

/** The longest text of a format, in code points; undefined where there is no limit. */
export const formatLengths: Readonly<Record<FormatName, number | undefined>> = {
  date: 10,
  'date-time': undefined,
  email: 254,
  uri: undefined,
  uuid: 36,
  ipv4: 15,
  ipv6: 45,
  hostname: 253,
}

/** Whether `name` is a format that is checked. */
export function isFormatName(name: string): name is FormatName {
  return Object.hasOwn(formats, name)
}

// Every pattern here is simple enough to take linear time in any engine: no repetition inside a repetition that
// could match the same text in two ways.
const datePattern = /^(\d{4})-(\d\d)-(\d\d)$/
const timePattern = /^(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/

/** RFC 3339 `full-date`, of a day that exists. */
function isDate(text: string): boolean {
  const [, year, month, day] = datePattern.exec(text) ?? []
  if (year === undefined) return false
  const dayNumber = Number(day)
  return dayNumber >= 1 && dayNumber <= daysIn(Number(year), Number(month))
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28
  if (month < 1 || month > 12) return 0
  return [4, 6, 9, 11].includes(month) ? 30 : 31
}

/** RFC 3339 `date-time`; second 60 only where a leap second can be, at the end of a day in UTC. */
function isDateTime(text: string): boolean {
  if (text[10] !== 'T' && text[10] !== 't') return false
  if (!isDate(text.slice(0, 10))) return false
  const parts = timePattern.exec(text.slice(11))
  if (parts === null) return false
  const [hour = 0, minute = 0, second = 0] = parts.slice(1, 4).map(Number)
  const [offsetHour, offsetMinute] = [Number(parts[5] ?? 0), Number(parts[6] ?? 0)]
  if (hour > 23 || minute > 59 || offsetHour > 23 || offsetMinute > 59) return false
  if (second < 60) return true
  const offset = (offsetHour * 60 + offsetMinute) * (parts[4] === '-' ? -1 : 1)
  const day = 24 * 60
  return second === 60 && (hour * 60 + minute - offset + day) % day === day - 1
}

const emailLocal = /^[\w!#$%&'*+/=?^`{|}~-]+(\.[\w!#$%&'*+/=?^`{|}~-]+)*$/

/** RFC 5321 `Mailbox` with a dot-string and a host name: no quotes, comments, address literals, and only ASCII. */
function isEmail(text: string): boolean {
  const at = text.indexOf('@')
  if (at < 1 || at > 64 || text.length > 254) return false
  return emailLocal.test(text.slice(0, at)) && isHostname(text.slice(at + 1))
}

const hostLabel = /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

/** RFC 1123; labels with hyphens at places 3 and 4 only where they are `xn--`. */
function isHostname(text: string): boolean {
  if (text.length === 0 || text.length > 253) return false
  return text
    .split('.')
    .every((label) => hostLabel.test(label) && (label.slice(2, 4) !== '--' || /^xn--/i.test(label)))
}

const uuidPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

function isUuid(text: string): boolean {
  return uuidPattern.test(text)
}

const ipv4Part = /^(0|[1-9][0-9]{0,2})$/

/** Four decimal parts, without leading zeros: some readers take those for octal. */
function isIpv4(text: string): boolean {
  const parts = text.split('.', 5)
  return parts.length === 4 && parts.every((part) => ipv4Part.test(part) && Number(part) <= 255)
}

const ipv6Part = /^[0-9a-f]{1,4}$/i

/** RFC 4291, without a zone. */
function isIpv6(text: string): boolean {
  if (text.length > 45) return false
  const halves = text.split('::')
  if (halves.length > 2) return false
  const groups = halves.map((half, at) => groupsOf(half, at === halves.length - 1))
  const [head, tail] = groups
  if (head === undefined) return false
  if (halves.length === 1) return head === 8
  // `::` stands for at least one group.
  return tail !== undefined && head + tail <= 7
}

/** How many groups of 16 bits; undefined where the text is no groups. The last may be an IPv4 address. */
function groupsOf(text: string, last: boolean): number | undefined {
  if (text === '') return 0
  const parts = text.split(':')
  const end = parts[parts.length - 1] ?? ''
  const mixed = last && end.includes('.')
  const plain = mixed ? parts.slice(0, -1) : parts
  if (!plain.every((part) => ipv6Part.test(part)) || (mixed && !isIpv4(end))) return undefined
  return plain.length + (mixed ? 2 : 0)
}

const uriPattern = /^[A-Za-z][A-Za-z0-9+.-]*:(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/
const userPattern = /^(?:[\w.~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*$/
const hostPattern = /^(?:[\w.~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*$/
const pathPattern = /^(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*$/
const queryPattern = /^(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*$/

/** RFC 3986 `URI`: with a scheme, and only the characters that may stand as they are. */
function isUri(text: string): boolean {
  const parts = uriPattern.exec(text)
  if (parts === null) return false
  const [, authority, path = '', query = '', fragment = ''] = parts
  if (authority === undefined && path.startsWith('//')) return false
  if (authority !== undefined && !isAuthority(authority)) return false
  return pathPattern.test(path) && queryPattern.test(query) && queryPattern.test(fragment)
}

function isAuthority(text: string): boolean {
  const at = text.lastIndexOf('@')
  if (at !== -1 && !userPattern.test(text.slice(0, at))) return false
  const hostAndPort = text.slice(at + 1)
  const end = hostAndPort.startsWith('[') ? hostAndPort.indexOf(']') + 1 : hostAndPort.indexOf(':')
  const host = end <= 0 ? hostAndPort : hostAndPort.slice(0, end)
  const port = end <= 0 ? '' : hostAndPort.slice(end)
  if (!/^(?::[0-9]{0,5})?$/.test(port)) return false
  if (host.startsWith('[')) return host.endsWith(']') && isIpv6(host.slice(1, -1))
  return hostPattern.test(host)
}
