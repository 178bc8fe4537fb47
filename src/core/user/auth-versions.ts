import type { SessionRecord } from '../../record.js'
import type { Client } from '../client/client.js'
import type { Ending } from '../ending.js'
import type { LiveRecords } from '../records/live-records.js'
import type { Settings } from '../settings.js'
import { ageOf, versionOf } from './auth-version.js'

/** Ends sessions whose user has another version than at their login, when they are used. */
export class AuthVersions {
  constructor(
    private readonly live: LiveRecords,
    private readonly ending: Ending,
    private readonly settings: Settings,
  ) {}

  /**
   * The session of a user who was just loaded, if it is not older than the user's version.
   *
   * @param client who uses it, where that is known.
   * @throws SessionError USER_INVALID where `authVersion` says nothing.
   */
  async admit(
    record: SessionRecord,
    user: unknown,
    client: Client | undefined,
  ): Promise<SessionRecord | undefined> {
    const version = versionOf(user, this.settings)!
    const age = ageOf(record, version)
    if (age === 'current') return record
    if (age === 'unknown') return this.#adopt(record, version)
    await this.ending.revokeFound(record, { cause: 'authVersion', client })
    return undefined
  }

  /** From before the option, or of a node that does not know it: it gets the version of its next use. */
  async #adopt(record: SessionRecord, version: string): Promise<SessionRecord | undefined> {
    try {
      const edit = (current: SessionRecord): SessionRecord =>
        current.authVersion === undefined ? { ...current, authVersion: version } : current
      return await this.live.change(record, edit)
    } catch {
      // The failure was told as a `storeError`. The next use tries again.
      return record
    }
  }
}
