import type { SessionRecord } from '../../../src/record.js'
import type { EndsChannel, EndsListener, UpdateResult } from '../../../src/store.js'
import { broken, type BrokenStore } from './broken.js'
import { CorrectStore } from './correct-store.js'

/** A store that also tells which sessions end. */
export class HearingStore extends CorrectStore {
  readonly listeners = new Set<EndsListener>()
  /** Whether it tells that a record was marked as ended. */
  tellsMarks = true
  /** Whether it takes each update for an end. */
  tellsUpdates = false
  /** Whether a sign of life reaches others than its sender. */
  beatsForAll = true
  /** Whether a channel that is closed hears no more. */
  closes = true

  override async update(record: SessionRecord, ifVersion: number): Promise<UpdateResult> {
    const result = await super.update(record, ifVersion)
    const isMarked = this.tellsMarks && record.endedBy !== undefined
    if (result === 'ok' && (isMarked || this.tellsUpdates)) this.tell(record.id)
    return result
  }

  override async delete(id: string): Promise<boolean> {
    const wasThere = await super.delete(id)
    if (wasThere) this.tell(id)
    return wasThere
  }

  hearEnds(listener: EndsListener): EndsChannel {
    this.listeners.add(listener)
    listener.alive()
    return {
      beat: () => {
        for (const one of this.beatsForAll ? this.listeners : [listener]) one.alive()
      },
      close: () => {
        if (this.closes) this.listeners.delete(listener)
      },
    }
  }

  tell(id: string): void {
    for (const listener of this.listeners) listener.ended(id)
  }
}

const hearingStore = (faults: Partial<HearingStore>) => () => Object.assign(new HearingStore(), faults)
const nothing = () => ({})

export const hearing: readonly BrokenStore[] = [
  broken(
    'hearEnds takes each update for an end',
    ['hearEnds: hears what delete'],
    nothing,
    hearingStore({ tellsUpdates: true }),
  ),
  broken(
    'hearEnds does not hear that a record was marked',
    ['hearEnds: hears an update'],
    nothing,
    hearingStore({ tellsMarks: false }),
  ),
  broken(
    'hearEnds brings a sign of life to its sender alone',
    ['hearEnds: a sign of life'],
    nothing,
    hearingStore({ beatsForAll: false }),
  ),
  broken(
    'hearEnds hears on after it was closed',
    ['hearEnds: hears nothing any more'],
    nothing,
    hearingStore({ closes: false }),
  ),
]
