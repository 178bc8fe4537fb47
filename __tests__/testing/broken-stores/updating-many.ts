import type { UpdateResult } from '../../../src/store.js'
import { broken, type BrokenStore } from './broken.js'

const ORDER = 'updateMany: one result for each'
const TWO = 'updateMany: of two updates'
const NONE = 'updateMany: no updates'

export const updatingMany: readonly BrokenStore[] = [
  broken('updateMany returns its results in another order', [ORDER, TWO], (good) => ({
    updateMany: async (updates) => (await good.updateMany(updates)).toReversed(),
  })),
  broken('updateMany stops at the first that is not ok', [ORDER], (good) => ({
    async updateMany(updates) {
      const results: UpdateResult[] = []
      for (const { record, ifVersion } of updates) {
        const result = await good.update(record, ifVersion)
        results.push(result)
        if (result !== 'ok') break
      }
      return results
    },
  })),
  broken('updateMany compares no versions', [ORDER, TWO], (good) => ({
    updateMany(updates) {
      for (const { record } of updates) if (good.records.has(record.id)) good.records.set(record.id, record)
      return updates.map(({ record }) => (good.records.has(record.id) ? 'ok' : 'absent'))
    },
  })),
  broken('updateMany creates what is absent', [ORDER], (good) => ({
    async updateMany(updates) {
      const results = await good.updateMany(updates)
      for (const { record } of updates) if (!good.records.has(record.id)) await good.insert(record)
      return results
    },
  })),
  broken('updateMany fails without updates', [NONE], (good) => ({
    async updateMany(updates) {
      if (updates.length === 0) throw new Error('nothing to do')
      return good.updateMany(updates)
    },
  })),
]
