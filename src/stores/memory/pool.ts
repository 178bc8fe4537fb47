import type { SessionRecord } from '../../record.js'
import { DeadlineHeap, type HeapItem } from './deadline-heap.js'

/** A session in memory. */
export interface Entry extends HeapItem {
  record: SessionRecord
  /** About what it takes. */
  bytes: number
  /** Counts the inserted sessions: where it stands among those of its user. */
  readonly order: number
}

/** All sessions of one kind, by deadline. */
export class Pool {
  readonly #heap = new DeadlineHeap<Entry>()
  /** What they take together. */
  bytes = 0

  add(entry: Entry): void {
    this.#heap.add(entry, entry.record.expiresAt)
    this.bytes += entry.bytes
  }

  remove(entry: Entry): void {
    this.#heap.remove(entry)
    this.bytes -= entry.bytes
  }

  /** A later deadline moves nothing now: the entry is looked at again when the old one has come. So a touch is cheap. */
  replace(entry: Entry, record: SessionRecord, bytes: number): void {
    this.bytes += bytes - entry.bytes
    Object.assign(entry, { record, bytes })
    if (record.expiresAt < this.#heap.timeOf(entry)) this.#heap.move(entry, record.expiresAt)
  }

  /** Looks at up to `limit` entries that are due, and returns how many it has seen: what has expired is given to `end`. */
  sweep(now: number, limit: number, end: (entry: Entry) => void): number {
    for (let count = 0; count < limit; count++) {
      const entry = this.#heap.first
      if (entry === undefined || this.#heap.timeOf(entry) > now) return count
      if (entry.record.expiresAt <= now) end(entry)
      else this.#heap.move(entry, entry.record.expiresAt)
    }
    return limit
  }

  /** The one whose deadline is next. Where all have the same idle timeout, it is the one seen longest ago. */
  next(): Entry | undefined {
    for (;;) {
      const entry = this.#heap.first
      if (entry === undefined || entry.record.expiresAt === this.#heap.timeOf(entry)) return entry
      this.#heap.move(entry, entry.record.expiresAt)
    }
  }
}
