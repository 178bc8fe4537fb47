import { parse } from 'bowser'
import { BlockList, isIP, SocketAddress } from 'node:net'

/** Who made a request, as far as it says so itself. Both values are cleaned; `''` is unknown. */
export interface Client {
  readonly userAgent: string
  readonly ip: string
}

/** The browser engines that a session can be held to. */
export type Engine = 'Blink' | 'Gecko' | 'WebKit'

/** What differs between two clients; the gravest difference where there are several. */
export type ClientChange = 'engine' | 'userAgent' | 'network'

const MOST_USER_AGENT_CHARACTERS = 512
const MOST_ADDRESS_CHARACTERS = 64
const MOST_NAME_CHARACTERS = 40

// C0, DEL and C1: what could forge a line in a log or steer a terminal.
// oxlint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f]/
const controls = new RegExp(control, 'g')

/** The `User-Agent` header without control characters, at most 512 characters; `''` where it is absent. */
export function cleanUserAgent(header: string | undefined): string {
  return header === undefined ? '' : clean(header, MOST_USER_AGENT_CHARACTERS)
}

/**
 * An address in the form that is recorded and shown: an IPv4 address that came in through an IPv6 socket
 * (`::ffff:1.2.3.4`) as plain IPv4; no zone id, which names a network card of ours; no port, which some proxies
 * add. What is not an address stays as it is, within 64 characters and without control characters.
 */
export function cleanAddress(ip: string | undefined): string {
  if (ip === undefined || ip === '') return ''
  const address = isMapped(ip) ? ip.slice(MAPPED.length) : ip
  // By far the most frequent case needs no more than a look at its few characters.
  if (plainAddress.test(address)) return address
  return withoutExtras(clean(address, MOST_ADDRESS_CHARACTERS))
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

function clean(text: string, most: number): string {
  const short = text.length > most ? text.slice(0, most) : text
  return control.test(short) ? short.replace(controls, '') : short
}

/**
 * The user agent for people: `Chrome on macOS`, `curl`, `Unknown browser on Linux`, `Unknown browser`.
 * Never throws; at most 84 characters, and only letters, digits, spaces and `. _ + ! -`.
 */
export function labelOf(userAgent: string): string {
  return describe(userAgent).label
}

/** The browser's engine; `undefined` for bots, tools, engines of the past and what can't be told. */
export function engineOf(userAgent: string): Engine | undefined {
  return describe(userAgent).engine
}

interface Description {
  readonly label: string
  readonly engine: Engine | undefined
}

// A parse takes some 11 microseconds, and a session whose client changed asks again with each request.
const recent = new Map<string, Description>()
const MOST_RECENT = 256
const unknown: Description = { label: 'Unknown browser', engine: undefined }

function describe(text: string): Description {
  const userAgent = cleanUserAgent(text)
  if (userAgent === '') return unknown
  const known = recent.get(userAgent)
  if (known !== undefined) return known
  const parsed = parse(userAgent)
  const description = { label: label(parsed, userAgent), engine: engine(parsed, userAgent) }
  if (recent.size >= MOST_RECENT) recent.clear()
  recent.set(userAgent, description)
  return description
}

type Parsed = ReturnType<typeof parse>

function label({ browser, os }: Parsed, userAgent: string): string {
  // `Samsung Internet for Android on Android` says it twice.
  const browserName =
    asName(browser.name?.replace(/ for Android$/, '')) ?? toolName(userAgent) ?? unknown.label
  const osName = asName(os.name)
  return osName === undefined ? browserName : `${browserName} on ${osName}`
}

/** A name fit to be shown: parts of the user agent can come through the parser as they are. */
function asName(name: string | undefined): string | undefined {
  return name !== undefined && name.length <= MOST_NAME_CHARACTERS && /^[\w .+!-]+$/.test(name)
    ? name
    : undefined
}

/** `curl/8.5.0` names itself. Browsers all call themselves Mozilla. */
function toolName(userAgent: string): string | undefined {
  const name = asName(/^([^/]+)\/\d/.exec(userAgent)?.[1])
  return name === 'Mozilla' ? undefined : name
}

function engine({ engine: found, platform }: Parsed, userAgent: string): Engine | undefined {
  if (platform.type === 'bot') return undefined
  switch (found.name) {
    case 'Blink':
    case 'Gecko':
    case 'WebKit':
      return found.name
    case 'EdgeHTML':
      // The parser takes today's Edge on phones (EdgA, EdgiOS) for the EdgeHTML of 2015 to 2020 (Edge).
      if (/\bEdge\//.test(userAgent)) return undefined
      return /AppleWebKit\/537\.36/.test(userAgent) ? 'Blink' : 'WebKit'
    default:
      return undefined
  }
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

/**
 * How the client of a request differs from the one on record, `undefined` where it does not. Another engine is
 * another browser for certain, since user agents change with updates and device modes and engines do not.
 */
export function compareClients(recorded: Client, seen: Client): ClientChange | undefined {
  if (recorded.userAgent !== seen.userAgent) {
    const [before, now] = [engineOf(recorded.userAgent), engineOf(seen.userAgent)]
    return before !== undefined && now !== undefined && before !== now ? 'engine' : 'userAgent'
  }
  return sameNetwork(recorded.ip, seen.ip) ? undefined : 'network'
}
