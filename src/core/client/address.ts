import { isIP, SocketAddress } from 'node:net'
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

/** How much of an address a session keeps. */
export type AddressPolicy = 'whole' | 'network' | 'none'

/** The part of an address that is kept. What is not an address is no network. */
export function keptAddress(ip: string, policy: AddressPolicy = 'whole'): string {
  if (policy === 'whole') return ip
  return policy === 'none' ? '' : (networkOf(ip) ?? '')
}

/**
 * Whether two addresses are of one network. The network itself, as a session may keep it, is an address in it. An
 * unknown address (`''`) is like any other: nothing known, nothing to report.
 */
export function sameNetwork(a: string, b: string): boolean {
  if (a === b || a === '' || b === '') return true
  const network = networkOf(a)
  return network !== undefined && network === networkOf(b)
}

// Where sessions keep the network alone, each request asks for that of its address.
const recent = new Map<string, string | undefined>()
const MAX_RECENT = 256

/**
 * The network of an address, by its first address: an IPv4 /24 or an IPv6 /48, which is what a household or an office
 * usually has. `undefined` for what is no address.
 */
function networkOf(ip: string): string | undefined {
  const known = recent.get(ip)
  if (known !== undefined || recent.has(ip)) return known
  const network = findNetwork(ip)
  if (recent.size >= MAX_RECENT) recent.clear()
  recent.set(ip, network)
  return network
}

function findNetwork(ip: string): string | undefined {
  const version = isIP(ip)
  if (version === 0) return undefined
  if (version === 4) return ip.replace(/\d+$/, '0')
  // As everybody writes it: in lower case, and with the longest row of zeros left out.
  const { address } = new SocketAddress({ address: ip, family: 'ipv6' })
  // All IPv4 addresses in IPv6 form are of one /48, so that form can't stay: `::ffff:102:304` is 1.2.3.4.
  if (isMapped(address)) return findNetwork(address.slice(MAPPED.length))
  const head = groupsOf(address).slice(0, 3).join(':')
  return new SocketAddress({ address: `${head}::`, family: 'ipv6' }).address
}

/** All eight groups of an IPv6 address. */
function groupsOf(address: string): string[] {
  // `::1.2.3.4` ends with two groups, and only the first three are ever looked at.
  const [left = [], right] = address
    .replace(/[\d.]+\.\d+$/, '0:0')
    .split('::')
    .map((part) => part.split(':').filter((group) => group !== ''))
  if (right === undefined) return left
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0')
  return [...left, ...zeros, ...right]
}
