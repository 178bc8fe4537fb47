import { setImmediate } from 'node:timers/promises'
import { broken, type BrokenStore } from './broken.js'

export const deleting: readonly BrokenStore[] = [
  broken(
    'delete returns always true',
    [
      'delete: true once, false ever',
      'delete: an unknown id is false',
      'delete: an id that was',
      'delete: of many at once',
    ],
    (good) => ({
      async delete(id) {
        await good.delete(id)
        return true
      },
    }),
  ),
  broken(
    'delete returns always false',
    ['delete: true when the record', 'delete: true once, false ever', 'delete: of many at once'],
    (good) => ({
      async delete(id) {
        await good.delete(id)
        return false
      },
    }),
  ),
  broken('delete removes nothing', ['delete: true when the record', 'delete: of many at once'], (good) => {
    const ended = new Set<string>()
    return {
      async delete(id) {
        if (!good.records.has(id) || ended.has(id)) return false
        ended.add(id)
        return true
      },
    }
  }),
  broken(
    'delete returns before it has removed',
    ['delete: true when the record', 'delete: of many at once'],
    (good) => {
      const ended = new Set<string>()
      return {
        async delete(id) {
          if (!good.records.has(id) || ended.has(id)) return false
          ended.add(id)
          void setImmediate().then(() => good.delete(id))
          return true
        },
      }
    },
  ),
  broken('delete looks, and removes a moment later', ['delete: of many at once'], (good) => ({
    async delete(id) {
      const isThere = good.records.has(id)
      await setImmediate()
      await good.delete(id)
      return isThere
    },
  })),
  broken('delete uses an id as a pattern', ['delete: an id that was'], (good) => ({
    async delete(id) {
      const found = good.select((record) => record.id === id || (id === '*' && record.id !== id))
      for (const record of found) good.records.delete(record.id)
      return found.length > 0
    },
  })),
]
