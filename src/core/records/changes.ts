import { AsyncResource } from 'node:async_hooks'
import type { SessionRecord } from '../../record.js'

type Found = SessionRecord | undefined
export type Edit = (current: SessionRecord) => SessionRecord

interface Waiting {
  readonly edit: Edit
  readonly resolve: (written: Found) => void
  readonly reject: (error: unknown) => void
}

/**
 * Lets the changes of one session that this process makes at the same time share a compare-and-set: while one is under
 * way the others queue, and then they are written together. Otherwise a thousand simultaneous writes would be a
 * thousand losers of the same race, each of which tries again.
 */
export class Changes {
  /** For each session with a change under way, those that come after it. */
  readonly #queues = new Map<string, Waiting[]>()

  constructor(private readonly write: (record: SessionRecord, edit: Edit) => Promise<Found>) {}

  /** Changes a record by `edit`, together with others of the same session. An edit that throws fails alone. */
  change(record: SessionRecord, edit: Edit): Promise<Found> {
    return new Promise((resolve, reject) => {
      const queue = this.#queues.get(record.id)
      if (queue !== undefined) {
        // Bound, since it runs in the turn of the one that began.
        queue.push({ edit: AsyncResource.bind(edit), resolve, reject })
      } else {
        this.#queues.set(record.id, [])
        void this.#run(record, [{ edit, resolve, reject }])
      }
    })
  }

  async #run(record: SessionRecord, first: readonly Waiting[]): Promise<void> {
    let current = record
    let batch = first
    while (batch.length > 0) {
      current = (await this.#writeTogether(current, batch)) ?? current
      batch = this.#queues.get(record.id)!.splice(0)
    }
    this.#queues.delete(record.id)
  }

  /** Writes one batch and tells each of it how it went. Never rejects. */
  async #writeTogether(record: SessionRecord, batch: readonly Waiting[]): Promise<Found> {
    const failures = new Map<Waiting, unknown>()
    const tooLate = new Set<Waiting>()
    const editAll: Edit = (before) => {
      failures.clear()
      tooLate.clear()
      let after = before
      for (const waiting of batch) {
        if (after.endedBy !== undefined) {
          // One of the batch has ended the session: what comes after it finds none.
          tooLate.add(waiting)
          continue
        }
        try {
          after = waiting.edit(after)
        } catch (error) {
          failures.set(waiting, error)
        }
      }
      if (failures.size === batch.length) throw new NothingToWrite()
      return after
    }
    let written: Found
    try {
      written = await this.write(record, editAll)
    } catch (error) {
      for (const waiting of batch) waiting.reject(failures.get(waiting) ?? error)
      return undefined
    }
    for (const waiting of batch) {
      if (failures.has(waiting)) waiting.reject(failures.get(waiting))
      else waiting.resolve(tooLate.has(waiting) ? undefined : written)
    }
    return written
  }
}

/** Ends a batch in which every edit has failed. Nobody sees it. */
class NothingToWrite extends Error {}
