import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import {
  isIssueDue,
  isSettleDue,
  settled,
  standingOf,
  withSuccessor,
} from '../../src/core/rotation/rotation.js'
import type { SessionRecord } from '../../src/record.js'
import { makeRecord } from '../../src/testing/records.js'

// The functions of the package, beside a second description of the same rules that knows no records: the secrets of a
// session are the numbers 0, 1, 2, …, in the order of their issue.

class Oracle {
  current = 0
  next: number | undefined
  prior: number | undefined
  priorUntil = 0
  issuedAt = 0
  issued = 0
  unused = 0

  standing(secret: number, now: number): string {
    if (secret === this.current) return 'current'
    if (secret === this.next) return 'next'
    if (secret === this.prior && now < this.priorUntil) return 'prior'
    return secret <= this.issued ? 'superseded' : 'unknown'
  }

  use(secret: number, now: number, every: number | false, grace: number): void {
    const found = this.standing(secret, now)
    if (found === 'current' && every !== false && now - this.issuedAt >= every) {
      this.unused = this.next === undefined ? 0 : this.unused + 1
      this.issued += 1
      this.next = this.issued
      this.issuedAt = now
    } else if (found === 'next' && now - this.issuedAt >= grace) {
      ;[this.prior, this.current, this.next] = [this.current, secret, undefined]
      this.priorUntil = now + grace
      this.unused = 0
    }
  }
}

const hash = (secret: number) => `hash of ${secret}`

function standing(record: SessionRecord, secret: number, issued: number, now: number) {
  return standingOf(
    record,
    now,
    (stored) => stored === hash(secret),
    () => secret <= issued,
  )
}

/** What the engine does with one use of a secret. */
function use(record: SessionRecord, secret: number, issued: number, now: number, settings: Settings) {
  const found = standing(record, secret, issued, now)
  if (isIssueDue(record, found, now, settings)) return withSuccessor(record, hash(issued + 1), now)
  return isSettleDue(record, found, now, settings) ? settled(record, now, settings) : record
}

type Settings = { rotateEvery: number | false; rotationGrace: number }

const settingsArbitrary = fc
  .record({
    rotationGrace: fc.integer({ min: 1, max: 20 }),
    more: fc.integer({ min: 0, max: 40 }),
    off: fc.nat(9),
  })
  .map(({ rotationGrace, more, off }) => ({
    rotationGrace,
    rotateEvery: off === 0 ? (false as const) : 2 * rotationGrace + more,
  }))

/** How much later, and how far back from the newest secret the one is that is used. -1: one that was never issued. */
const usesArbitrary = fc.array(
  fc.record({
    later: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 90 })),
    back: fc.integer({ min: -1, max: 3 }),
  }),
  { minLength: 1, maxLength: 60 },
)

const runs = process.env.SID_LONG === '1' ? 200_000 : 2_000

it('the functions and the oracle agree on every standing, issue and settlement', () => {
  const seen = new Set<string>()
  const agree = (settings: Settings, uses: { later: number; back: number }[]) => {
    const oracle = new Oracle()
    let record: SessionRecord = { ...makeRecord(), secretHash: hash(0), createdAt: 0 }
    let now = 0
    for (const { later, back } of uses) {
      now += later
      const { issued } = oracle
      const secret = Math.max(0, issued - back)
      const expected = oracle.standing(secret, now)
      seen.add(expected)
      assert.equal(standing(record, secret, issued, now), expected)
      record = use(record, secret, issued, now, settings)
      oracle.use(secret, now, settings.rotateEvery, settings.rotationGrace)
      expectSame(record, oracle, now)
    }
  }
  fc.assert(fc.property(settingsArbitrary, usesArbitrary, agree), { numRuns: runs })
  expect([...seen].toSorted()).toEqual(['current', 'next', 'prior', 'superseded', 'unknown'])
})

/** By `assert`, which costs less than `expect`: it is called some hundred thousand times. */
function expectSame(record: SessionRecord, oracle: Oracle, now: number): void {
  const { secretHash, nextHash, rotatedAt, unusedRotations = 0 } = record
  assert.equal(secretHash, hash(oracle.current))
  assert.equal(nextHash, oracle.next === undefined ? undefined : hash(oracle.next))
  assert.equal(rotatedAt ?? 0, oracle.issuedAt)
  assert.equal(unusedRotations, oracle.unused)
  if (oracle.prior === undefined || now >= oracle.priorUntil) return
  assert.equal(record.priorHash, hash(oracle.prior))
  assert.equal(record.priorUntil, oracle.priorUntil)
}

it('a guest never gets a successor', () => {
  const record = makeRecord({ userId: undefined, createdAt: 0 })
  const settings = { rotateEvery: 10, rotationGrace: 5 }
  expect(isIssueDue(record, 'current', 1_000, settings)).toBe(false)
})
