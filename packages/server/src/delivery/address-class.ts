import { BlockList } from 'node:net'

/**
 * Where an address leads. `never`: to no webhook receiver under any setting, such as a cloud's metadata
 * service, multicast or an address that a transition mechanism hides.
 */
export type AddressClass = 'public' | 'private' | 'never'

/** Loopback, RFC 1918, carrier-grade NAT, benchmarking. */
const privateIPv4 = [
  ['127.0.0.0', 8],
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['198.18.0.0', 15],
] as const

/** Unspecified, link-local, protocol assignments, documentation, 6to4 relays, multicast, reserved, metadata. */
const neverIPv4 = [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['192.88.99.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // The metadata services of Alibaba and Azure, which are not link-local.
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
] as const

/** Loopback, unique local, the former site-local. */
const privateIPv6 = [
  ['::1', 128],
  ['fc00::', 7],
  ['fec0::', 10],
] as const

/** Unspecified, link-local, multicast, discard, documentation, protocol assignments with Teredo, local NAT64, segment routing, metadata. */
const neverIPv6 = [
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
  ['100::', 64],
  ['2001:db8::', 32],
  ['3fff::', 20],
  ['2001::', 23],
  ['64:ff9b:1::', 48],
  ['5f00::', 16],
  // The metadata services of AWS and Google.
  ['fd00:ec2::254', 128],
  ['fd20:ce::254', 128],
] as const

/** An interface's part that carries an IPv4 address (RFC 5214), under whichever network. */
const isatap = /(^|:)(0|200|):5efe:[0-9a-f.:]+$/i

type Network = readonly [address: string, prefix: number]

/**
 * Makes the function that tells where an IP address leads. An IPv6 address that carries an IPv4 one leads
 * where that leads.
 *
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry and its IPv4 companion
 */
export function createAddressClassifier(): (address: string, family: 4 | 6) => AddressClass {
  const never = blockList(neverIPv4, neverIPv6)
  // IPv4-compatible addresses, long deprecated: everything below ::/96 but `::` and `::1`.
  never.addRange('::2', '::ffff:ffff', 'ipv6')
  const privates = blockList(privateIPv4, privateIPv6)

  return (address, family) => {
    const type = family === 4 ? 'ipv4' : 'ipv6'
    // A link-local address from a resolver may name its interface.
    const bare = address.replace(/%.*$/, '')
    // Before the private ones, for metadata services lie inside private networks.
    if (never.check(bare, type) || (family === 6 && isatap.test(bare))) return 'never'
    return privates.check(bare, type) ? 'private' : 'public'
  }
}

function blockList(ipv4: readonly Network[], ipv6: readonly Network[]): BlockList {
  const list = new BlockList()
  for (const [address, prefix] of ipv6) list.addSubnet(address, prefix, 'ipv6')
  for (const [address, prefix] of ipv4) {
    // Also matches the IPv4-mapped form, ::ffff:a.b.c.d.
    list.addSubnet(address, prefix, 'ipv4')
    for (const [embedded, embeddedPrefix] of embeddings(address, prefix)) {
      list.addSubnet(embedded, embeddedPrefix, 'ipv6')
    }
  }
  return list
}

/** The IPv6 networks through which a translator or relay reaches an IPv4 network: SIIT, NAT64 and 6to4. */
function embeddings(address: string, prefix: number): readonly Network[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number)
  const high = ((a << 8) | b).toString(16)
  const low = ((c << 8) | d).toString(16)
  return [
    [`::ffff:0:${high}:${low}`, 96 + prefix],
    [`64:ff9b::${high}:${low}`, 96 + prefix],
    [`2002:${high}:${low}::`, 16 + prefix],
  ]
}
