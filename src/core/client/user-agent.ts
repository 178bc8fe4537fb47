import { parse } from 'bowser'
import { cleanText } from '../../lib/text/clean-text.js'

/** The browser engines that a session can be held to. */
export type Engine = 'Blink' | 'Gecko' | 'WebKit'

const MAX_USER_AGENT_CHARACTERS = 512
const MAX_NAME_CHARACTERS = 40

/** The `User-Agent` header without control characters, at most 512 characters; `''` where it is absent. */
export function cleanUserAgent(header: string | undefined): string {
  return header === undefined ? '' : cleanText(header, MAX_USER_AGENT_CHARACTERS)
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
const MAX_RECENT = 256
const unknown: Description = { label: 'Unknown browser', engine: undefined }

function describe(text: string): Description {
  const userAgent = cleanUserAgent(text)
  if (userAgent === '') return unknown
  const known = recent.get(userAgent)
  if (known !== undefined) return known
  const parsed = parse(userAgent)
  const description = { label: label(parsed, userAgent), engine: engine(parsed, userAgent) }
  if (recent.size >= MAX_RECENT) recent.clear()
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

/**
 * A name fit to be shown: parts of the user agent can come through the parser as they are. Mozilla is not one,
 * since all browsers begin with it.
 */
function asName(name: string | undefined): string | undefined {
  if (name === undefined || name === 'Mozilla' || name.length > MAX_NAME_CHARACTERS) return undefined
  return /^\w[\w .+!-]*$/.test(name) ? name : undefined
}

/** `curl/8.5.0` names itself. */
function toolName(userAgent: string): string | undefined {
  return asName(/^([^/]+)\/\d/.exec(userAgent)?.[1])
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
