import { setImmediate } from 'node:timers/promises'
import { broken, type BrokenStore } from './broken.js'
import { copy } from './correct-store.js'

export const inserting: readonly BrokenStore[] = [
  broken('insert overwrites', ['insert: never overwrites, it throws', 'insert: of many at once'], (good) => ({
    async insert(record) {
      good.records.set(record.id, copy(record))
    },
  })),
  broken(
    'insert ignores a taken id without a word',
    ['insert: never overwrites, it throws', 'insert: of many at once'],
    (good) => ({
      async insert(record) {
        if (!good.records.has(record.id)) await good.insert(record)
      },
    }),
  ),
  broken(
    'insert throws where the id is taken, and overwrites all the same',
    ['insert: never overwrites, it throws', 'insert: of many at once'],
    (good) => ({
      async insert(record) {
        const isTaken = good.records.has(record.id)
        good.records.set(record.id, copy(record))
        if (isTaken) throw new Error('the id is taken')
      },
    }),
  ),
  broken('insert looks for the id, and writes a moment later', ['insert: of many at once'], (good) => ({
    async insert(record) {
      if (good.records.has(record.id)) throw new Error('the id is taken')
      await setImmediate()
      good.records.set(record.id, copy(record))
    },
  })),
  broken('insert keeps the object that it was given', ['insert: a change of the inserted'], (good) => ({
    async insert(record) {
      if (good.records.has(record.id)) throw new Error('the id is taken')
      good.records.set(record.id, record)
    },
  })),
]
