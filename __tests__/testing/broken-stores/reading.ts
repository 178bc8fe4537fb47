import type { SessionRecord } from '../../../src/record.js'
import { broken, type BrokenStore } from './broken.js'
import { copy } from './correct-store.js'

export const reading: readonly BrokenStore[] = [
  broken('get hands out the stored object', ['get: a result belongs to'], (good) => ({
    get: async (id) => good.records.get(id),
  })),
  broken('get hands out a shallow copy', ['get: a result belongs to'], (good) => ({
    async get(id) {
      const record = good.records.get(id)
      return record && { ...record }
    },
  })),
  broken(
    'get throws for an unknown id',
    ['get: an unknown id is undefined', 'get: an id that was'],
    (good) => ({
      async get(id) {
        if (!good.records.has(id)) throw new Error('not found')
        return good.get(id)
      },
    }),
  ),
  broken(
    'get returns null for an unknown id',
    ['get: an unknown id is undefined', 'get: an id that was'],
    (good) => ({
      get: async (id) => (await good.get(id)) ?? (null as unknown as undefined),
    }),
  ),
  broken('get ignores the case of letters in an id', ['get: an id that was'], (good) => ({
    get: (id) => good.get(id.toLowerCase()),
  })),
  broken('get cuts an id at a NUL', ['get: an id that was'], (good) => ({
    get: (id) => good.get(id.replace(/\0.*/s, '')),
  })),
  broken('get throws for a long id', ['get: an id that was'], (good) => ({
    async get(id) {
      if (id.length > 255) throw new Error('ENAMETOOLONG')
      return good.get(id)
    },
  })),
  broken('get looks ids up in a plain object', ['get: an id that was'], (good) => ({
    get: async (id) => copy((Object.fromEntries(good.records) as Record<string, SessionRecord>)[id]),
  })),
  broken(
    'get reads a replica that lags',
    ['update: ok replaces the whole', 'update: forty writers that read'],
    (good) => {
      const replica = new Map<string, SessionRecord>()
      return {
        async get(id) {
          const seen = replica.get(id)
          const record = good.records.get(id)
          if (record !== undefined) replica.set(id, record)
          return copy(seen ?? record)
        },
      }
    },
  ),
]
