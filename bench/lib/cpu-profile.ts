import type { Profile } from './server.js'

/** Microseconds of a function, per request. */
export interface FunctionCost {
  readonly name: string
  readonly where: string
  readonly self: number
  /** With what it calls outside the package: Node's functions, V8's, those of dependencies. */
  readonly whole: number
}

/** Where the time of a server went, in microseconds per request. */
export interface Costs {
  readonly total: number
  /** By package or part of Node. */
  readonly places: Record<string, number>
  /** By self time. */
  readonly functions: FunctionCost[]
  /** Those of the package under test, with what they call. */
  readonly packageFunctions: FunctionCost[]
}

interface Frame {
  readonly name: string
  readonly where: string
  readonly place: string
  readonly parent: Frame | undefined
}

/** Adds up the samples of a profile. */
export function costOf(profile: Profile, requests: number): Costs {
  const frames = framesOf(profile)
  const places = new Map<string, number>()
  const self = new Map<string, number>()
  const whole = new Map<string, number>()
  const shown = new Map<string, Frame>()
  let total = 0
  const add = (sums: Map<string, number>, key: string, us: number) => sums.set(key, (sums.get(key) ?? 0) + us)
  profile.samples?.forEach((id, index) => {
    const frame = frames.get(id)!
    // The profiler's own work is nobody's.
    if (frame.name === '(idle)' || frame.place === 'node: inspector') return
    const us = profile.timeDeltas![index]! / requests
    total += us
    add(places, frame.place, us)
    add(self, keyOf(frame), us)
    shown.set(keyOf(frame), frame)
    const owner = ownerOf(frame)
    if (owner?.place !== PACKAGE) return
    add(whole, keyOf(owner), us)
    shown.set(keyOf(owner), owner)
  })
  const cost = (key: string): FunctionCost => {
    const { name, where } = shown.get(key)!
    return { name, where, self: self.get(key) ?? 0, whole: whole.get(key) ?? 0 }
  }
  return {
    total,
    places: Object.fromEntries(places),
    functions: [...self.keys()].map(cost).toSorted((a, b) => b.self - a.self),
    packageFunctions: [...whole.keys()].map(cost).toSorted((a, b) => b.whole - a.whole),
  }
}

const PACKAGE = 'express-sid'
const keyOf = ({ name, where }: Frame) => `${name} ${where}`

/**
 * Who pays for a sample: the nearest frame that is ours or somebody else's middleware or route. So what the package
 * calls in Node or V8 counts as the package's, and what runs behind its `next()` does not.
 */
function ownerOf(frame: Frame): Frame | undefined {
  let at: Frame | undefined = frame
  while (at && !OWNERS.has(at.place)) at = at.parent
  return at
}

const OWNERS = new Set([PACKAGE, 'express', 'router', 'the application'])

function framesOf({ nodes }: Profile): Map<number, Frame> {
  const parents = new Map(nodes.flatMap(({ id, children }) => (children ?? []).map((child) => [child, id])))
  const frames = new Map<number, Frame>()
  // Parents stand before their children in a profile.
  for (const { id, callFrame } of nodes) {
    const { functionName, url, lineNumber } = callFrame
    frames.set(id, {
      name: functionName || '(anonymous)',
      where: url === '' ? '' : `${shortUrl(url)}:${lineNumber + 1}`,
      place: placeOf(functionName, url),
      parent: frames.get(parents.get(id)!),
    })
  }
  return frames
}

const shortUrl = (url: string) => url.replace(/^.*\/(dist\/(?:esm|cjs)\/|node_modules\/)/, '')

function placeOf(name: string, url: string): string {
  if (url.startsWith('node:')) return `node: ${/^node:(?:internal\/)?(\w+)/.exec(url)![1]}`
  if (url === '') return `native: ${name}`
  const [, dependency] = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url) ?? []
  if (dependency !== undefined) return dependency
  return url.includes('/dist/esm/') ? PACKAGE : 'the application'
}
