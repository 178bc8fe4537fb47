import { broken, type BrokenStore } from './broken.js'

export const gathering: readonly BrokenStore[] = [
  broken(
    'getMany returns in an order of its own',
    [
      'getMany: returns records in the order',
      'getMany: an id given twice',
      'getMany: a thousand ids are',
      'getMany: ids that were never',
    ],
    (good) => ({
      getMany: async (ids) =>
        (await good.getMany(ids)).sort((a, b) => (a?.id ?? '').localeCompare(b?.id ?? '')),
    }),
  ),
  broken(
    'getMany leaves out what is absent',
    [
      'getMany: returns records in the order',
      'getMany: an id given twice',
      'getMany: a thousand ids are',
      'getMany: ids that were never',
    ],
    (good) => ({
      getMany: async (ids) => (await good.getMany(ids)).filter((record) => record !== undefined),
    }),
  ),
  broken('getMany returns an id once', ['getMany: an id given twice'], (good) => ({
    getMany: async (ids) => good.getMany([...new Set(ids)]),
  })),
  broken('getMany takes 500 ids at most', ['getMany: a thousand ids are'], (good) => ({
    getMany: async (ids) => good.getMany(ids.slice(0, 500)),
  })),
  broken('getMany fails without ids', ['getMany: an id given twice'], (good) => ({
    async getMany(ids) {
      if (ids.length === 0) throw new Error('syntax error near IN ()')
      return good.getMany(ids)
    },
  })),
  broken('getMany hands out the stored objects', ['getMany: a result belongs to'], (good) => ({
    getMany: async (ids) => ids.map((id) => good.records.get(id)),
  })),
  broken('getMany fails where one id is no UUID', ['getMany: ids that were never'], (good) => ({
    async getMany(ids) {
      if (ids.some((id) => id.length !== 36)) throw new Error('invalid input syntax for type uuid')
      return good.getMany(ids)
    },
  })),
]
