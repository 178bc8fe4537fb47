import type { RotationSettings } from '../../src/core/rotation/rotation.js'
import type { SessionRecord } from '../../src/record.js'
import { makeRecord } from '../../src/testing/records.js'
import type { Rules, Secret } from './rules.js'

/*
 * One browser and its session. The browser sends several requests at a time; each waits in a queue, is read by some
 * node, and written by it later. Responses are late, get lost, and overtake each other. The browser may crash and
 * lose its youngest cookies. Other requests write to the same record. Every order of these moves is possible.
 */

/** How large the world is, in ticks and in numbers of things. */
export interface Bounds extends RotationSettings {
  readonly rotateEvery: number
  /** A crash loses the cookies of so many ticks. */
  readonly crashLoses: number
  /** A request reaches its decision at most so long after the browser chose its cookie. */
  readonly headerAge: number
  /** A response reaches the browser, or is lost, in so many ticks. */
  readonly responseDelay: number
  readonly horizon: number
  readonly requests: number
  readonly crashes: number
  /** Writes of others: data, touches. */
  readonly writes: number
  /** Whether the nodes have a near cache, which may be any age. */
  readonly nearCache: boolean
}

interface Request {
  readonly secret: Secret
  readonly age: number
  /** The record as a node has read it. */
  readonly seen?: SessionRecord | undefined
}

interface Response {
  readonly secret: Secret
  readonly age: number
}

export interface World {
  readonly now: number
  readonly record: SessionRecord
  readonly near: SessionRecord
  readonly requests: readonly Request[]
  readonly responses: readonly Response[]
  /** The cookie of the browser, then what it was one tick ago, two ticks ago, … */
  readonly jar: readonly Secret[]
  readonly issued: number
  readonly crashes: number
  readonly writes: number
}

/** One thing that may happen next. `broken`: the rule that this would break. */
export interface Move {
  readonly what: string
  readonly next: World
  readonly broken?: string
}

export const SIGNED_OUT = 'an honest request ends the session as a theft'
export const DEAD_JAR = 'an honest browser holds a dead secret'
export const TWO_ISSUES = 'two successors are issued in one period'

/** A login at tick 0. */
export function start(): World {
  const record: SessionRecord = { ...makeRecord({ userId: 'ann' }), secretHash: 's0', createdAt: 0 }
  const nothing = { requests: [], responses: [], issued: 0, crashes: 0, writes: 0 }
  return { ...nothing, now: 0, record, near: record, jar: ['s0'] }
}

/** Everything that may happen next. */
export function moves(world: World, rules: Rules, bounds: Bounds): Move[] {
  return [
    ...sends(world, bounds),
    ...world.requests.flatMap((_, at) => handles(world, at, rules, bounds)),
    ...world.responses.flatMap((_, at) => arrives(world, at)),
    ...crashes(world, bounds),
    ...others(world, bounds),
    ...ticks(world, bounds),
  ]
}

/** Whether the browser could be let in right now. */
export function hasDeadJar({ record, jar, now }: World, rules: Rules, bounds: Bounds): boolean {
  return rules.standing(record, jar[0]!, now, bounds) === 'superseded'
}

function sends(world: World, { requests }: Bounds): Move[] {
  if (world.requests.length >= requests) return []
  const secret = world.jar[0]!
  const next = { ...world, requests: [...world.requests, { secret, age: 0 }] }
  return [{ what: `the browser sends a request with ${secret}`, next }]
}

/** A node reads the record for a request, or acts on what it has read. */
function handles(world: World, at: number, rules: Rules, bounds: Bounds): Move[] {
  const request = world.requests[at]!
  if (request.seen !== undefined) return decides(world, at, request.seen, rules, bounds)
  const records = bounds.nearCache ? [world.record, world.near] : [world.record]
  return records.map((seen) => ({
    what: `a node reads version ${seen.version} for the request with ${request.secret}`,
    next: withRequest(world, at, { ...request, seen }),
  }))
}

function decides(world: World, at: number, seen: SessionRecord, rules: Rules, bounds: Bounds): Move[] {
  const { now, record } = world
  const request = world.requests[at]!
  const { secret } = request
  const isCurrent = seen.version === record.version
  const standing = rules.standing(seen, secret, now, bounds)
  if (standing === 'superseded') {
    const again = withRequest(world, at, { ...request, seen: undefined })
    if (rules.provesTheft && !isCurrent)
      return [{ what: `${secret} looks superseded: read again`, next: again }]
    return [{ what: `${secret} is superseded: the session ends`, next: again, broken: SIGNED_OUT }]
  }
  const done = without(world, at)
  const letIn = { what: `${secret} is ${standing}: let in`, next: done }
  if (rules.isSettleDue(seen, standing, now, bounds)) {
    if (!isCurrent) return [letIn]
    const next = written(done, rules.settled(seen, now, bounds))
    return [{ what: `${secret} is settled`, next }]
  }
  if (!rules.isIssueDue(seen, standing, now, bounds) || !isCurrent) return [letIn]
  return issues(done, secret, rules, bounds)
}

/** The successor is stored. Whether it is also sent, the store's acknowledgement decides. */
function issues(done: World, secret: Secret, rules: Rules, bounds: Bounds): Move[] {
  const { record, now } = done
  const successor = `s${done.issued + 1}`
  const isEarly = now - (record.rotatedAt ?? record.createdAt) < bounds.rotateEvery
  const next = { ...written(done, rules.withSuccessor(record, successor, now)), issued: done.issued + 1 }
  const sent = { ...next, responses: [...next.responses, { secret: successor, age: 0 }] }
  return [
    { what: `${successor} is stored for ${secret}, and its node never hears of it`, next },
    { what: `${successor} is issued for ${secret}`, next: sent, ...(isEarly && { broken: TWO_ISSUES }) },
  ]
}

function arrives(world: World, at: number): Move[] {
  const { secret } = world.responses[at]!
  const lost = { ...world, responses: world.responses.toSpliced(at, 1) }
  return [
    { what: `${secret} reaches the browser`, next: { ...lost, jar: [secret, ...world.jar.slice(1)] } },
    { what: `the response with ${secret} is lost`, next: lost },
  ]
}

/** The jar is what it was on disk. Requests on their way stay on their way, and nobody waits for their responses. */
function crashes(world: World, bounds: Bounds): Move[] {
  const onDisk = world.jar.at(-1)!
  if (world.crashes >= bounds.crashes || onDisk === world.jar[0]) return []
  const next = { ...world, jar: world.jar.map(() => onDisk), responses: [], crashes: world.crashes + 1 }
  return [{ what: `the browser crashes, and has ${onDisk} again`, next }]
}

function others(world: World, bounds: Bounds): Move[] {
  const found: Move[] = []
  if (world.writes < bounds.writes) {
    const next = { ...written(world, world.record), writes: world.writes + 1 }
    found.push({ what: 'another request writes', next })
  }
  if (bounds.nearCache && world.near.version !== world.record.version) {
    found.push({ what: 'the near cache reads again', next: { ...world, near: world.record } })
  }
  return found
}

/** Time passes, unless something has to happen first. */
function ticks(world: World, bounds: Bounds): Move[] {
  const { requests, responses } = world
  if (world.now >= bounds.horizon) return []
  if (requests.some(({ age }) => age >= bounds.headerAge)) return []
  if (responses.some(({ age }) => age >= bounds.responseDelay)) return []
  const older = <T extends { age: number }>(one: T): T => ({ ...one, age: one.age + 1 })
  const jar = [world.jar[0]!, ...world.jar].slice(0, bounds.crashLoses + 1)
  const next = {
    ...world,
    now: world.now + 1,
    requests: requests.map(older),
    responses: responses.map(older),
    jar,
  }
  return [{ what: `tick ${next.now}`, next }]
}

function written(world: World, record: SessionRecord): World {
  return { ...world, record: { ...record, version: world.record.version + 1 } }
}

function withRequest(world: World, at: number, request: Request): World {
  return { ...world, requests: world.requests.with(at, request) }
}

function without(world: World, at: number): World {
  return { ...world, requests: world.requests.toSpliced(at, 1) }
}
