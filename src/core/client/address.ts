import { BlockList, isIP, SocketAddress } from 'node:net'
import { cleanText } from '../../lib/text/clean-text.js'

const MAX_CHARACTERS = 64

/**
 * An address in the form that is recorded and shown: an IPv4 address that came in through an IPv6 socket
 * (`::ffff:1.2.3.4`) as plain IPv4; no zone id, which names a network card of ours; no port, which some proxies
 * add. What is not an address stays as it is, within 64 characters and without control characters; `''` where
 * it is absent.
 */
export function cleanAddress(ip: string | undefined): string {
  if (ip === undefined) return ''
  const address = isMapped(ip) ? ip.slice(MAPPED.length) : ip
  // Nearly always there is nothing to take off, and a look at a few characters tells.
  return plainAddress.test(address) ? address : withoutExtras(cleanText(address, MAX_CHARACTERS))
}

const MAPPED = '::ffff:'
const plainAddress = /^(?:[0-9.]{7,15}|[0-9a-f:]{2,39})$/i

function isMapped(ip: string): boolean {
  return ip.includes('.') && ip.slice(0, MAPPED.length).toLowerCase() === MAPPED
}

/** Azure's gateway, for one, writes `1.2.3.4:5678` and `[2001:db8::1]:5678` into X-Forwarded-For. */
function withoutExtras(text: string): string {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text
  const withoutZone = bare.replace(/%.*$/, '')
  return isIP(withoutZone) === 0 ? text : withoutZone
}

/**
 * Whether two addresses are of one network: an IPv4 /24 or an IPv6 /48, which is what a household or an office
 * usually has. An unknown address (`''`) is like any other: nothing known, nothing to report.
 */
export function sameNetwork(a: string, b: string): boolean {
  if (a === b || a === '' || b === '') return true
  const [first, second] = [parseAddress(a), parseAddress(b)]
  if (first === undefined || first.family !== second?.family) return false
  const network = new BlockList()
  network.addSubnet(first.address, first.family === 'ipv4' ? 24 : 48, first.family)
  return network.check(second.address, second.family)
}

function parseAddress(text: string): SocketAddress | undefined {
  const version = isIP(text)
  if (version === 0) return undefined
  const address = new SocketAddress({ address: text, family: version === 4 ? 'ipv4' : 'ipv6' })
  // All IPv4 addresses in IPv6 form are of one /48, so that form can't stay: `::ffff:102:304` is 1.2.3.4.
  return isMapped(address.address) ? parseAddress(address.address.slice(MAPPED.length)) : address
}
