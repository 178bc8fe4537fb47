import {
  isIssueDue,
  isSettleDue,
  settled,
  standingOf,
  withSuccessor,
  type RotationSettings,
  type Standing,
} from '../../src/core/rotation/rotation.js'
import type { SessionRecord } from '../../src/record.js'

/*
 * The rules of rotation, as the searches run them: those of the package, and those that others may think of first.
 * Each of the latter has one thing wrong, and a search finds what.
 */

/** In a search a secret is a short name, and its own hash. All secrets of the session have its series. */
export type Secret = string

/** What a server does with a secret. Times are whole ticks. */
export interface Rules {
  standing(record: SessionRecord, secret: Secret, now: number, settings: RotationSettings): Standing
  isIssueDue(record: SessionRecord, standing: Standing, now: number, settings: RotationSettings): boolean
  withSuccessor(record: SessionRecord, next: Secret, now: number): SessionRecord
  isSettleDue(record: SessionRecord, standing: Standing, now: number, settings: RotationSettings): boolean
  settled(record: SessionRecord, now: number, settings: RotationSettings): SessionRecord
  /** Whether a theft is concluded only by a compare-and-set that succeeds on the record in which it shows. */
  readonly provesTheft: boolean
  /** Whether an unused successor is given again to everybody who presents the secret before it. */
  readonly sharesSuccessor: boolean
}

/** The rules of this package: its own functions. */
export const rules: Rules = {
  standing: (record, secret, now) =>
    standingOf(
      record,
      now,
      (hash) => hash === secret,
      () => true,
    ),
  isIssueDue,
  withSuccessor,
  isSettleDue,
  settled,
  provesTheft: true,
  sharesSuccessor: false,
}

const whenPresented: Rules['isSettleDue'] = (_, standing) => standing === 'next'

/** The naive designs: each is the package's with one rule replaced. */
export const naive = {
  /** A successor takes over when it is first presented, and the old secret is dead at once. */
  noGrace: {
    ...rules,
    isSettleDue: whenPresented,
    settled: (record, now, settings) => ({ ...settled(record, now, settings), priorHash: undefined }),
  },
  /** The old secret dies a grace after its successor was sent, whether or not that has arrived. */
  graceFromIssue: {
    ...rules,
    standing(record, secret, now, settings) {
      const standing = rules.standing(record, secret, now, settings)
      const isOver = record.nextHash !== undefined && now - (record.rotatedAt ?? 0) >= settings.rotationGrace
      return standing === 'current' && isOver ? 'superseded' : standing
    },
  },
  /** A successor takes over when it is first presented; the old secret is good for a grace from then on. */
  firstUse: { ...rules, isSettleDue: whenPresented },
  /** A successor that nobody has presented is replaced soon, and not a period later. */
  reissueSoon: {
    ...rules,
    isIssueDue: (record, standing, now, settings) =>
      isIssueDue(record, standing, now, settings) ||
      (standing === 'current' && record.nextHash !== undefined && now > (record.rotatedAt ?? 0)),
  },
  /** A theft is concluded from the record at hand, which may be an old one. */
  staleRead: { ...rules, provesTheft: false },
  /** Everybody who presents the old secret is given the same successor. */
  sharedSuccessor: { ...rules, sharesSuccessor: true },
} satisfies Record<string, Rules>
