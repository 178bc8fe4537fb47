import { randomBytes } from 'node:crypto'
import { SessionError } from '../../errors.js'
import { debug, isDebugging } from '../../lib/debug.js'
import { chain } from '../../lib/async/promises.js'
import type { OfferedBinding, SessionRecord } from '../../record.js'
import type { MaybePromise } from '../../store.js'
import {
  challengeOf,
  freshness,
  hasKey,
  isChallengeOf,
  isOpenOffer,
  isRegisteredBy,
  offered,
  refreshed,
  registered,
  type BindingTimes,
} from './binding.js'
import type { Client } from '../client/client.js'
import type { Events } from '../events/events.js'
import type { StaleReason } from '../events/types.js'
import { isExpired } from '../lifetime.js'
import { isSignedBy, parseProof, type Proof } from './proof.js'
import type { LiveRecords } from '../records/live-records.js'
import type { Records } from '../records/records.js'
import { ReportLimit } from '../events/report-limit.js'
import type { Settings } from '../settings.js'
import { hashOf } from '../token.js'
import type { DeviceSigns } from '../verdict.js'

/** What the browser is told to prove next. */
export interface Challenge {
  readonly sessionId: string
  readonly challenge: string
}

/** A good proof: the value of the new bound cookie, and the next challenge. */
export interface Refreshed extends Challenge {
  readonly value: string
}

const noSigns: DeviceSigns = { values: [], isSkipped: false }

// The id of a session, and 256 random bits.
const OFFER = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([\w-]{43})$/

/**
 * Binds sessions to devices, and holds those requests of a bound session that do not come from its device. Nothing is
 * written and no event is sent before the session's secret or the key's proof is verified.
 */
export class DeviceBinding {
  readonly #times: BindingTimes
  readonly #limit: ReportLimit

  constructor(
    private readonly records: Records,
    private readonly live: LiveRecords,
    private readonly events: Events,
    settings: Settings,
    ttl: number,
  ) {
    // One time for one cause: late responses and requests in queues.
    this.#times = { ttl, slack: settings.rotationGrace }
    this.#limit = new ReportLimit(settings.touchInterval)
  }

  /** What a login keeps, and what it tells the browser. */
  offer(sessionId: string): { readonly binding: OfferedBinding; readonly challenge: string } {
    const nonce = random()
    return { binding: offered(hashOf(nonce), Date.now()), challenge: `${sessionId}.${nonce}` }
  }

  /**
   * Lets a request use its session, or says why not. The record is the one to go on with: it is read again where an
   * old one could make an honest browser look like a thief.
   */
  admit(record: SessionRecord, client: Client, signs = noSigns): MaybePromise<SessionRecord | SessionError> {
    const hashes = signs.values.map(hashOf)
    const found = freshness(record.binding, hashes, Date.now(), this.#times)
    if (found === 'fresh') return record
    if (found !== 'unknown') return this.#stale(record, signs.isSkipped ? 'skipped' : found, client)
    return chain(this.records.findFresh(record.id), (current = record) => {
      const again = freshness(current.binding, hashes, Date.now(), this.#times)
      return again === 'fresh' ? current : this.#stale(current, signs.isSkipped ? 'skipped' : again, client)
    })
  }

  /**
   * Keeps the key that a proof brings along, if the proof responds to the open offer of a session. Nothing is enforced
   * yet.
   *
   * @returns the first challenge; `undefined` for anything else, and then nothing has changed.
   */
  async register(proofText: string): Promise<Challenge | undefined> {
    const proof = parseProof(proofText)
    const [, id = '', nonce = ''] = OFFER.exec(proof?.challenge ?? '') ?? []
    if (proof?.key === undefined || id === '') return undefined
    const { key } = proof
    const hash = hashOf(nonce)
    const isOpen = ({ binding }: SessionRecord) => isOpenOffer(binding, hash, Date.now())
    const isDone = ({ binding }: SessionRecord) => isRegisteredBy(binding, hash, key, Date.now())
    const record = await this.#find(id)
    if (record === undefined || !(isOpen(record) || isDone(record)) || !isSignedBy(proof, key))
      return undefined
    const challengeKey = random()
    const changed = await this.live.change(record, (current) =>
      // An offer serves one key: of two registrations at a time, one finds it used.
      isOpen(current) ? { ...current, binding: registered(hash, key, challengeKey, Date.now()) } : current,
    )
    const isKept = changed !== undefined && isDone(changed)
    if (isDebugging) debug(`binding of session ${id}: the key is ${isKept ? 'registered' : 'refused'}`)
    return isKept ? this.#challenge(changed) : undefined
  }

  /**
   * Issues a bound cookie for a good proof. A proof that is missing, bad, or responds to an old challenge gets a
   * challenge: an honest browser sends a proof again where it has not received the response.
   *
   * @returns `undefined` where no such session can be refreshed any more.
   * @throws SessionError 503 where the store fails; then the browser tries again later.
   */
  async refresh(
    sessionId: string,
    proofText: string | undefined,
    client: Client,
  ): Promise<Refreshed | Challenge | undefined> {
    const record = await this.#find(sessionId)
    if (record === undefined || !hasKey(record.binding)) return undefined
    const proof = proofText === undefined ? undefined : parseProof(proofText)
    if (proof === undefined || !proves(record, proof)) {
      if (isDebugging) debug(`binding of session ${sessionId}: no good proof, a challenge is sent`)
      return this.#challenge(record)
    }

    const answered = record.binding.challengeKey
    const value = random()
    const fresh = { valueHash: hashOf(value), challengeKey: random() }
    let isIssued = false
    const changed = await this.live.change(record, (current) => {
      const { binding } = current
      // Of two good proofs of one challenge, one finds it used.
      isIssued = hasKey(binding) && binding.challengeKey === answered
      if (!isIssued || !hasKey(binding)) return current
      // The deadline stays: the browser renews the proof for any request, and that one says whether its user is active.
      return { ...current, binding: refreshed(binding, fresh, Date.now(), this.#times) }
    })
    if (changed === undefined) return undefined
    if (isDebugging)
      debug(`binding of session ${sessionId}: ${isIssued ? 'a bound cookie is issued' : 'late proof'}`)
    if (!isIssued) return this.#challenge(changed)
    if (record.binding.state === 'registered') this.#reportBound(changed, client)
    return { ...this.#challenge(changed)!, value }
  }

  /** A live session, as the store has it now. One past its deadline is left alone: an id alone must change nothing. */
  async #find(id: string): Promise<SessionRecord | undefined> {
    const record = await this.records.findFresh(id)
    return record === undefined || isExpired(record, Date.now()) ? undefined : record
  }

  #challenge(record: SessionRecord): Challenge | undefined {
    if (!hasKey(record.binding)) return undefined
    const challenge = challengeOf(record, record.binding, Date.now(), this.#times)
    return { sessionId: record.id, challenge }
  }

  #reportBound(record: SessionRecord, client: Client): void {
    const { binding } = record
    if (hasKey(binding)) this.events.emit('bind', { record, client, algorithm: binding.key.algorithm })
  }

  #stale(record: SessionRecord, reason: StaleReason, client: Client): SessionError {
    if (isDebugging) debug(`binding of session ${record.id}: the bound cookie is ${reason}`)
    if (this.#limit.allows(record.id)) this.events.emit('stale', { record, client, reason })
    return reason === 'skipped' ? unavailable() : required()
  }
}

function proves(record: SessionRecord, proof: Proof): boolean {
  const { binding } = record
  if (!hasKey(binding)) return false
  return isChallengeOf(record, binding, proof.challenge, Date.now()) && isSignedBy(proof, binding.key)
}

/** 256 random bits in base64url. */
function random(): string {
  return randomBytes(32).toString('base64url')
}

function required(): SessionError {
  return new SessionError(
    'BINDING_REQUIRED',
    'The session of this cookie is bound to its device, and nothing shows that this request comes from there. ' +
      'The cookie was copied, or the browser has lost its key. Log in again.',
  )
}

function unavailable(): SessionError {
  return new SessionError(
    'BINDING_UNAVAILABLE',
    'The browser could not renew the proof of its device (Secure-Session-Skipped says why). Try again in a minute.',
  )
}
