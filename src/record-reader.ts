import { dropOldest } from './lib/drop-oldest.js'
import { deepFreeze } from './lib/json/freeze.js'
import { decodeRecord, isSessionRecord, type SessionRecord } from './record.js'

/** How many records are remembered: about 2 MB. */
const MAX_REMEMBERED = 1_000

interface Remembered {
  readonly text: string
  readonly record: SessionRecord
}

/**
 * Reads the records of one store. A page and what belongs to it are many requests of one session in a moment, and
 * parsing its record is half of what a lookup costs in the process. So the last records are remembered, each with the
 * text that it was read from: the same text is not parsed again. Another text, such as after a touch, is.
 *
 * Records are frozen, since one object is returned to many requests.
 */
export class RecordReader {
  readonly #remembered = new Map<string, Remembered>()

  /**
   * @param text what the store holds for this id.
   * @param from where the record begins in it.
   * @example reader.read(id, row.record)
   */
  read(id: string, text: string, from = 0): SessionRecord {
    const known = this.#remembered.get(id)
    if (known !== undefined && known.text === text) return known.record
    const record = deepFreeze(decodeRecord(id, from === 0 ? text : text.slice(from)))
    this.#remembered.delete(id)
    if (isSessionRecord(record)) {
      this.#remembered.set(record.id, { text, record })
      dropOldest(this.#remembered, MAX_REMEMBERED)
    }
    return record
  }

  /** Forgets a session that was ended, so that nothing of its user stays in memory. */
  forget(id: string): void {
    this.#remembered.delete(id)
  }
}
