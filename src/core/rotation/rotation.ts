import type { SessionRecord } from '../../record.js'

/*
 * Rotation of secrets, and what an outdated one means. Pure: a record in, a decision or a record out.
 *
 * A session has a current secret. Once in `rotateEvery` one request is issued a successor ("next"). Nothing is lost
 * if its response is: both secrets are good. When the successor is presented at least `rotationGrace` after it was
 * issued, it becomes the current one, and the old one ("prior") stays good for another `rotationGrace`. After that the
 * old one is superseded: whoever presents it holds a copy of the cookie, or the rightful owner presents it after a
 * thief has moved on. Either way there are two holders, and the session has to end.
 *
 *           issue                    presented, grace over          grace over
 *   current ─────► current + next ──────────────────────► current + prior ─────► current
 *
 * No honest browser presents a superseded secret as long as
 * rotationGrace >= cookies lost in a crash (30 s in Chromium) + delay of a response + age of a Cookie header.
 */

/** How secrets rotate, in milliseconds. */
export interface RotationSettings {
  /** A session gets a new secret at most this often; `false`: never. */
  readonly rotateEvery: number | false
  /** How long an outdated secret stays good: for responses that get lost, crashes of browsers and requests in queues. */
  readonly rotationGrace: number
  /** Present where sessions can be bound to devices. A bound session does not rotate: its copies are useless anyway. */
  readonly deviceBinding?: object | undefined
}

/** What a secret is to a session. `superseded`: it was good once. `unknown`: it never was. */
export type Standing = 'current' | 'next' | 'prior' | 'superseded' | 'unknown'

/**
 * The standing of a secret.
 *
 * @param matches whether the hash of the presented secret is this one, compared in constant time.
 * @param provesSeries whether the presented secret has the series half of this session. Called only where nothing else
 * matches, since it costs another hash.
 */
export function standingOf(
  record: SessionRecord,
  now: number,
  matches: (storedHash: string) => boolean,
  provesSeries: () => boolean,
): Standing {
  if (matches(record.secretHash)) return 'current'
  if (record.nextHash !== undefined && matches(record.nextHash)) return 'next'
  const isPrior =
    record.priorHash !== undefined && now < (record.priorUntil ?? 0) && matches(record.priorHash)
  if (isPrior) return 'prior'
  return provesSeries() ? 'superseded' : 'unknown'
}

/**
 * Whether a successor may be issued to a request with this standing. Only the holder of the current secret gets one,
 * and one in a period: the same one for everybody would let a thief follow the chain unseen.
 */
export function isIssueDue(
  record: SessionRecord,
  standing: Standing,
  now: number,
  { rotateEvery, deviceBinding }: RotationSettings,
): boolean {
  if (rotateEvery === false || standing !== 'current' || record.userId === undefined) return false
  if (now - (record.rotatedAt ?? record.createdAt) < rotateEvery) return false
  // A client that keeps its token in a file of its own would have to write it anew, and has no cookie to be copied.
  if (record.via === 'bearer') return false
  return deviceBinding === undefined || record.binding?.state !== 'bound'
}

/** The record with a successor. One that nobody has used is replaced; two in a row are worth a report. */
export function withSuccessor(record: SessionRecord, nextHash: string, now: number): SessionRecord {
  const unusedRotations = record.nextHash === undefined ? 0 : (record.unusedRotations ?? 0) + 1
  return { ...record, nextHash, rotatedAt: now, unusedRotations }
}

/** Whether a presented successor takes its place: not before every response and every crash has had its time. */
export function isSettleDue(
  record: SessionRecord,
  standing: Standing,
  now: number,
  { rotationGrace }: RotationSettings,
): boolean {
  return standing === 'next' && now - (record.rotatedAt ?? now) >= rotationGrace
}

/** The record in which the successor is the current secret, and the old one is good for another grace. */
export function settled(
  record: SessionRecord,
  now: number,
  { rotationGrace }: RotationSettings,
): SessionRecord {
  return {
    ...record,
    secretHash: record.nextHash ?? record.secretHash,
    nextHash: undefined,
    priorHash: record.secretHash,
    priorUntil: now + rotationGrace,
    unusedRotations: 0,
  }
}
