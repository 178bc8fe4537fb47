import { setTimeout as pause } from 'node:timers/promises'
import { SessionError } from '../../errors.js'
import { isSessionRecord, type SessionRecord } from '../../record.js'
import type { SessionStore } from '../../store.js'
import {
  copyOf,
  dropCopy,
  getAll,
  isCopied,
  isOwn,
  original,
  takeOver,
  type Copied,
  type Found,
} from './copied.js'
import { patient } from './patient.js'

/** The options of `copySessions()`. */
export interface CopyOptions {
  /** Where the sessions are. It needs `scan`. */
  readonly from: SessionStore
  /** Where they go. It needs `scan` too. */
  readonly to: SessionStore
  /**
   * Makes the copies count, and empties `from` as it goes. Say it once no app writes to `from` alone any more: each has
   * `movingStore`, or is stopped. Default false.
   */
  readonly finish?: boolean | undefined
  /** How many records are read at a time. Default 500. */
  readonly pageSize?: number | undefined
  /** Is called after each page. */
  readonly onProgress?: ((progress: CopyProgress) => void) | undefined
}

/** How far a copy has come. */
export interface CopyProgress {
  /** `copy`: it goes through `from`. `check`: it goes through `to`. */
  readonly phase: 'copy' | 'check'
  /** How many records it has read in this pass. */
  readonly done: number
}

/** What a copy has done: numbers of sessions. */
export interface CopyReport {
  /** Brought to `to`. */
  copied: number
  /** Copied before, changed in `from` since, and copied again. */
  renewed: number
  /** There already, by an earlier run. */
  present: number
  /** In `to` alone from now on. */
  moved: number
  /** Ended while they were copied, so the copy was removed. */
  ended: number
  /** Past their deadline, so left behind. */
  expired: number
  /** No whole records, so left behind. */
  damaged: number
  /** In both stores, and older in `to`: left alone. `to` was not empty before the move. */
  older: number
  /** Whether a last look at both stores has found nothing that is left to do. */
  complete: boolean
}

/** So often an insert is tried where the store fails. */
const MAX_INSERTS = 8

/** An app that logs users in to `from` alone makes each pass find something new. */
const MAX_PASSES = 4

/**
 * Copies all sessions from one store to another. It can be ended at any time, and run again: what is there is passed
 * over. Beside a running app that mounts `movingStore({ from, to })`, or one that still uses `from` alone, it loses no
 * session and revives none.
 *
 * @throws SessionError UNSUPPORTED for a store that can't be gone through; also what the stores throw.
 * @example const { copied, complete } = await copySessions({ from, to })
 */
export async function copySessions(options: CopyOptions): Promise<CopyReport> {
  for (const name of ['from', 'to'] as const) {
    if (options[name].scan !== undefined) continue
    throw new SessionError(
      'UNSUPPORTED',
      `The store "${name}" can't be gone through: it has no scan. Stores of express-session have none. Mount ` +
        `movingStore({ from, to }): then each session moves when it is used, and the others expire.`,
    )
  }
  const copy = new Copying({ ...options, from: patient(options.from), to: patient(options.to) })
  for (let pass = 1; pass <= MAX_PASSES && !copy.report.complete; pass += 1) await copy.pass(pass === 1)
  return copy.report
}

class Copying {
  readonly report: CopyReport = {
    copied: 0,
    renewed: 0,
    present: 0,
    moved: 0,
    ended: 0,
    expired: 0,
    damaged: 0,
    older: 0,
    complete: false,
  }
  /** Something was written in this pass, so one more has to look. */
  #hasWritten = false
  #isFirst = true

  constructor(private readonly options: CopyOptions) {}

  /** Goes through both stores once. Complete is what needs nothing done. */
  async pass(isFirst: boolean): Promise<void> {
    this.#isFirst = isFirst
    this.#hasWritten = false
    await this.#through('copy', this.options.from, (records) => this.#bring(records))
    await this.#through('check', this.options.to, (records) => this.#check(records))
    this.report.complete = !this.#hasWritten
  }

  async #through(
    phase: CopyProgress['phase'],
    store: SessionStore,
    work: (records: readonly SessionRecord[]) => Promise<void>,
  ): Promise<void> {
    const { pageSize = 500, onProgress } = this.options
    let done = 0
    let after: string | undefined
    do {
      const { records, next } = await store.scan!(pageSize, after)
      await work(records)
      done += records.length
      onProgress?.({ phase, done })
      after = next
    } while (after !== undefined)
  }

  /** Brings a page of `from` to `to`. */
  async #bring(page: readonly SessionRecord[]): Promise<void> {
    const { from, to, finish } = this.options
    const records = this.#usable(page).map(original)
    const held = await getAll(to, records.map(idOf))
    const written = (
      await Promise.all(records.map(async (record, at) => this.#bringOne(record, held[at])))
    ).filter((copy) => copy !== undefined)
    if (written.length > 0) this.#hasWritten = true
    // Read again after the copy is there: what has ended meanwhile must leave nothing behind.
    const still = await getAll(from, written.map(idOf))
    await Promise.all(written.map(async ({ id }, at) => still[at] === undefined && this.#drop(id)))
    if (finish === true) await this.#finish(records)
  }

  #usable(page: readonly SessionRecord[]): SessionRecord[] {
    const now = Date.now()
    const whole = page.filter((record) => isSessionRecord(record))
    const live = whole.filter(({ expiresAt }) => expiresAt > now)
    if (this.#isFirst) {
      this.report.damaged += page.length - whole.length
      this.report.expired += whole.length - live.length
    }
    return live
  }

  /** Returns the copy that was written. */
  async #bringOne(record: SessionRecord, held: Found, attempt = 1): Promise<Copied | undefined> {
    const { to } = this.options
    if (held === undefined) {
      const copy = copyOf(record)
      try {
        await to.insert(copy)
      } catch (error) {
        // Two copies may run, and the app moves sessions too.
        const taken = (await getAll(to, [record.id]))[0] !== undefined
        if (!taken && attempt >= MAX_INSERTS) throw error
        if (taken) return undefined
        await pause(attempt * 200)
        return this.#bringOne(record, undefined, attempt + 1)
      }
      this.report.copied += 1
      return copy
    }
    if (isCopied(held) && held.copiedFrom < record.version) {
      const copy = copyOf(record)
      if ((await to.update(copy, held.version)) !== 'ok') return undefined
      this.report.renewed += 1
      return copy
    }
    if (this.#isFirst) this.report[isOwn(held) && held.version < record.version ? 'older' : 'present'] += 1
    return undefined
  }

  /** Makes the copies of a page the sessions, and empties `from` of them. */
  async #finish(records: readonly SessionRecord[]): Promise<void> {
    const { from, to } = this.options
    const copies = await getAll(to, records.map(idOf))
    // In this order: who takes a mark off has read the copy first.
    const sources = await getAll(from, records.map(idOf))
    await Promise.all(copies.map(async (copy, at) => this.#finishOne(copy, sources[at])))
  }

  async #finishOne(copy: Found, source: Found): Promise<void> {
    if (copy === undefined || source === undefined) return
    const record = original(source)
    if (isCopied(copy)) {
      if (record.version !== copy.copiedFrom || !(await takeOver(this.options, copy, record))) return
    } else {
      // It has moved before, and what is left in `from` is the rest of that.
      if (copy.version < record.version) return
      await this.options.from.delete(record.id)
    }
    this.#hasWritten = true
    this.report.moved += 1
  }

  /** Finds the copies that a run before this one has left of sessions which ended in that moment. */
  async #check(page: readonly SessionRecord[]): Promise<void> {
    const copies = page.filter((record) => isCopied(record))
    const sources = await getAll(this.options.from, copies.map(idOf))
    await Promise.all(copies.map(async ({ id }, at) => sources[at] === undefined && this.#drop(id)))
  }

  async #drop(id: string): Promise<void> {
    if (!(await dropCopy(this.options.to, id))) return
    this.report.ended += 1
    this.#hasWritten = true
  }
}

function idOf({ id }: SessionRecord): string {
  return id
}
