import { dropOldest } from './lib/drop-oldest.js'
import { deepFreeze } from './lib/json/freeze.js'
import { decodeRecord, isSessionRecord, type SessionRecord } from './record.js'

/** How many records are remembered: about 2 MB. */
const MAX_REMEMBERED = 1_000

interface Remembered {
  readonly text: string
  /** Absent until the text is read a second time: most sessions of a big site are not read again so soon. */
  record: SessionRecord | undefined
}

/**
 * Reads the records of one store. A page and what belongs to it are many requests of one session in a moment, and
 * parsing its record is half of what a lookup costs in the process. So the last texts are remembered, and from the
 * second reading on the record too: the same text is not parsed again. Another text, such as after a touch, is.
 *
 * A record that is remembered is frozen, since one object is returned to many requests.
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
    const isSame = known?.text === text
    if (isSame && known.record !== undefined) return known.record
    const record = decodeRecord(id, from === 0 ? text : text.slice(from))
    if (!isSessionRecord(record)) this.#remembered.delete(id)
    else if (isSame) known.record = deepFreeze(record)
    else this.#remember(record.id, text)
    return record
  }

  #remember(id: string, text: string): void {
    // Deleted first, so that the map stays in the order of use.
    this.#remembered.delete(id)
    this.#remembered.set(id, { text, record: undefined })
    dropOldest(this.#remembered, MAX_REMEMBERED)
  }

  /** Forgets a session that was ended, so that nothing of its user stays in memory. */
  forget(id: string): void {
    this.#remembered.delete(id)
  }
}
