import type { SessionRecord } from '../../src/record.js'
import type { Rules } from './rules.js'
import { DEAD_JAR, hasDeadJar, moves, start, type Bounds, type World } from './world.js'

/** What a search has found. */
export interface Found {
  readonly states: number
  /** Each rule that can be broken, with a shortest way there. */
  readonly broken: ReadonlyMap<string, readonly string[]>
  readonly counts: { readonly issued: number; readonly settled: number }
}

interface Step {
  readonly before: Step | undefined
  readonly what: string
  readonly world: World
}

/** Breadth first through everything that can happen within the bounds: no state is left out. */
export function search(rules: Rules, bounds: Bounds): Found {
  const first: Step = { before: undefined, what: 'login', world: start() }
  const seen = new Set([keyOf(first.world, bounds)])
  const broken = new Map<string, readonly string[]>()
  const note = (rule: string, step: Step) => void (broken.has(rule) || broken.set(rule, wayTo(step)))
  const counts = { issued: 0, settled: 0 }
  let layer = [first]
  let states = 0
  while (layer.length > 0) {
    const following: Step[] = []
    for (const step of layer) {
      states += 1
      if (hasDeadJar(step.world, rules, bounds)) note(DEAD_JAR, step)
      for (const move of moves(step.world, rules, bounds)) {
        const next: Step = { before: step, what: move.what, world: move.next }
        if (move.broken !== undefined) {
          note(move.broken, next)
          continue
        }
        const key = keyOf(move.next, bounds)
        if (seen.has(key)) continue
        seen.add(key)
        if (move.what.includes('is issued')) counts.issued += 1
        if (move.what.includes('is settled')) counts.settled += 1
        following.push(next)
      }
    }
    layer = following
  }
  return { states, broken, counts }
}

function wayTo(step: Step): string[] {
  const way: string[] = []
  for (let at: Step | undefined = step; at !== undefined; at = at.before) way.unshift(at.what)
  return way
}

/** Two worlds with one key have the same future. So times count from now, and versions from the stored one. */
function keyOf(world: World, bounds: Bounds): string {
  const { now, record, near, requests, responses, jar, issued, crashes, writes } = world
  const of = (one: SessionRecord | undefined) => one && recordKey(one, now, record.version, bounds)
  return [
    now,
    of(record),
    bounds.nearCache && of(near),
    requests
      .map(({ secret, age, seen }) => `${secret},${age},${of(seen)}`)
      .toSorted()
      .join(';'),
    responses
      .map(({ secret, age }) => `${secret},${age}`)
      .toSorted()
      .join(';'),
    jar.join(),
    issued,
    crashes,
    writes,
  ].join('|')
}

function recordKey(record: SessionRecord, now: number, version: number, { rotateEvery }: Bounds): string {
  const { secretHash, nextHash, priorHash, priorUntil = 0, rotatedAt = record.createdAt } = record
  const sinceIssue = Math.min(now - rotatedAt, rotateEvery)
  const left = Math.max(0, priorUntil - now)
  const prior = left > 0 ? `${priorHash}+${left}` : ''
  return `${version - record.version} ${secretHash} ${nextHash} ${sinceIssue} ${prior}`
}
