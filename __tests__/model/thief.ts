import type { RotationSettings } from '../../src/core/rotation/rotation.js'
import type { SessionRecord } from '../../src/record.js'
import { makeRecord } from '../../src/testing/records.js'
import type { Rules, Secret } from './rules.js'

/*
 * A thief has copied the cookie once, and tries everything: in each tick nothing, or any secret that the thief has,
 * before the owner's request or after it. The owner makes one request a tick, save while away. Responses arrive.
 */

export interface Theft extends RotationSettings {
  readonly rotateEvery: number
  /** `browser`: keeps the cookie that came last, as every browser does. `any`: keeps all of them. */
  readonly thief: 'browser' | 'any'
  readonly stealsAt: number
  /** The ticks in which the owner makes no request. */
  readonly away: readonly [from: number, to: number]
  readonly horizon: number
}

interface Situation {
  readonly record: SessionRecord
  /** What the owner's browser has, and what the thief has. */
  readonly jar: Secret
  readonly loot: readonly Secret[]
  readonly issued: number
  /** The most successors in a row that nobody has used: what the event `rotationUnused` reports. */
  readonly unused: number
  readonly hasEnded: boolean
  /** What the thief did, for the reader of a failure. */
  readonly way: readonly string[]
}

export interface Outcome {
  /** A way in which the thief can still be let in at the end. */
  readonly lasting: readonly string[] | undefined
  /** The fewest unused successors in a row on such a way; `Infinity` where there is none. */
  readonly unused: number
}

/** Every strategy of the thief, and how it ends. */
export function steal(rules: Rules, theft: Theft): Outcome {
  const record: SessionRecord = { ...makeRecord({ userId: 'ann' }), secretHash: 's0', createdAt: 0 }
  const nothing = { loot: [], issued: 0, unused: 0, hasEnded: false, way: [] }
  let situations: Situation[] = [{ ...nothing, record, jar: 's0' }]
  for (let now = 0; now < theft.horizon; now += 1) {
    const next = new Map<string, Situation>()
    for (const one of situations.flatMap((before) => tick(before, now, rules, theft))) {
      const key = keyOf(one, now, theft)
      if (!one.hasEnded && !next.has(key)) next.set(key, one)
    }
    situations = [...next.values()]
  }
  const isLetIn = (one: Situation, secret: Secret) =>
    rules.standing(one.record, secret, theft.horizon, theft) !== 'superseded'
  const lasting = situations.filter((one) => one.loot.some((secret) => isLetIn(one, secret)))
  const unused = Math.min(...lasting.map((one) => one.unused))
  return { lasting: lasting.find((one) => one.unused === unused)?.way, unused }
}

/** What can come of one tick: one outcome for each thing that the thief may do in it. */
function tick(before: Situation, now: number, rules: Rules, theft: Theft): Situation[] {
  const isAway = now >= theft.away[0] && now < theft.away[1]
  const ownerActs = (one: Situation) => (isAway ? one : uses(one, 'owner', one.jar, now, rules, theft))
  const stolen = now === theft.stealsAt ? { ...before, loot: [before.jar] } : before
  const thiefActs = (one: Situation, secret: Secret) => uses(one, 'thief', secret, now, rules, theft)
  return [
    ownerActs(stolen),
    ...stolen.loot.flatMap((secret) => [
      ownerActs(thiefActs(stolen, secret)),
      thiefActs(ownerActs(stolen), secret),
    ]),
  ]
}

/** One request, answered at once. */
function uses(
  one: Situation,
  who: 'owner' | 'thief',
  secret: Secret,
  now: number,
  rules: Rules,
  theft: Theft,
): Situation {
  if (one.hasEnded) return one
  const { record } = one
  const way = who === 'thief' ? [...one.way, `${now}: ${secret}`] : one.way
  const standing = rules.standing(record, secret, now, theft)
  if (standing === 'superseded') return { ...one, hasEnded: true, way }
  if (rules.isSettleDue(record, standing, now, theft)) {
    return { ...one, record: rules.settled(record, now, theft), way }
  }
  if (rules.isIssueDue(record, standing, now, theft)) {
    const successor = `s${one.issued + 1}`
    const next = rules.withSuccessor(record, successor, now)
    const unused = Math.max(one.unused, next.unusedRotations ?? 0)
    return given({ ...one, record: next, issued: one.issued + 1, unused, way }, who, successor, theft)
  }
  const isShared = rules.sharesSuccessor && standing === 'current' && record.nextHash !== undefined
  return isShared ? given({ ...one, way }, who, record.nextHash, theft) : { ...one, way }
}

function given(one: Situation, who: 'owner' | 'thief', secret: Secret, { thief }: Theft): Situation {
  if (who === 'owner') return { ...one, jar: secret }
  if (thief === 'browser') return { ...one, loot: [secret] }
  return { ...one, loot: [...new Set([...one.loot, secret])] }
}

/** Equal up to the names of the secrets: situations with one key have the same future. */
function keyOf(one: Situation, now: number, { rotateEvery }: Theft): string {
  const { secretHash, nextHash, priorHash, priorUntil = 0, rotatedAt = 0, unusedRotations } = one.record
  const left = Math.max(0, priorUntil - now - 1)
  const names = new Map<Secret | undefined, number>()
  const nameOf = (secret: Secret | undefined) => {
    if (secret !== undefined && !names.has(secret)) names.set(secret, names.size)
    return names.get(secret)
  }
  const parts = [secretHash, nextHash, left > 0 ? priorHash : undefined, one.jar].map(nameOf)
  const sinceIssue = Math.min(now - rotatedAt, rotateEvery)
  const loot = one.loot.map(nameOf).toSorted((a, b) => a! - b!)
  return [parts, loot, sinceIssue, left, unusedRotations, one.unused, one.hasEnded].join('|')
}
