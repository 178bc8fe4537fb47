import { setImmediate } from 'node:timers/promises'
import type { SessionRecord } from '../../../src/record.js'
import { broken, type BrokenStore, type Patch } from './broken.js'
import { copy } from './correct-store.js'

/** A store that lists the users whose ids `fold` makes equal. */
const foldsUserIds = (fold: (userId: string) => string): Patch => {
  return (good) => ({
    listByUser: async (userId) =>
      good.select((record) => record.userId !== undefined && fold(record.userId) === fold(userId)),
  })
}

export const listing: readonly BrokenStore[] = [
  broken(
    'listByUser returns one session',
    ['listByUser: all records of the user', 'listByUser: a record is listed'],
    (good) => ({
      listByUser: async (userId) => (await good.listByUser(userId)).slice(-1),
    }),
  ),
  broken('listByUser returns ten sessions at most', ['listByUser: all records of the user'], (good) => ({
    listByUser: async (userId) => (await good.listByUser(userId)).slice(0, 10),
  })),
  broken(
    'listByUser returns a session twice',
    [
      'listByUser: all records of the user',
      'listByUser: a record is listed',
      'listByUser: a record that can',
      'listByUser: lists what update wrote',
      'listByUser: a refused insert lists',
      'listByUser: any string is a user',
      'listByUser: a result belongs to',
    ],
    (good) => ({
      async listByUser(userId) {
        const listed = await good.listByUser(userId)
        return [...listed, ...listed]
      },
    }),
  ),
  broken(
    'listByUser returns everybody for an unknown user',
    [
      'listByUser: a user without sessions',
      'listByUser: a refused insert lists',
      'listByUser: guests are listed under',
    ],
    (good) => ({
      async listByUser(userId) {
        const listed = await good.listByUser(userId)
        return listed.length > 0 ? listed : good.select(() => true)
      },
    }),
  ),
  broken('listByUser uses a user id as a prefix', ['listByUser: any string is a user'], (good) => ({
    listByUser: async (userId) => good.select((record) => record.userId?.startsWith(userId) === true),
  })),
  broken(
    'listByUser ignores the case of letters',
    ['listByUser: any string is a user'],
    foldsUserIds((userId) => userId.toLowerCase()),
  ),
  broken(
    'listByUser confuses letters with and without accents',
    ['listByUser: any string is a user'],
    foldsUserIds((userId) => userId.normalize('NFC')),
  ),
  broken(
    'listByUser ignores blanks at the end',
    ['listByUser: any string is a user'],
    foldsUserIds((userId) => userId.trimEnd()),
  ),
  broken(
    'listByUser cuts user ids at 255 characters',
    ['listByUser: any string is a user'],
    foldsUserIds((userId) => userId.slice(0, 255)),
  ),
  broken(
    'listByUser confuses lone surrogates',
    ['listByUser: any string is a user'],
    foldsUserIds((userId) => Buffer.from(userId).toString()),
  ),
  broken(
    'listByUser cuts user ids at a NUL',
    ['listByUser: any string is a user'],
    foldsUserIds((userId) => userId.replace(/\0.*/s, '')),
  ),
  broken('listByUser fails for the user __proto__', ['listByUser: the shortest and oddest'], (good) => ({
    async listByUser(userId) {
      const index: Record<string, SessionRecord[]> = {}
      for (const record of good.select(({ userId: id }) => id !== undefined)) {
        const list = (index[record.userId ?? ''] ??= [])
        list.push(record)
      }
      return index[userId] ?? []
    },
  })),
  broken('listByUser knows no empty user id', ['listByUser: the shortest and oddest'], (good) => ({
    listByUser: async (userId) => (userId === '' ? [] : good.listByUser(userId)),
  })),
  broken(
    'listByUser returns guests to the user "undefined"',
    ['listByUser: guests are listed under'],
    (good) => ({
      listByUser: async (userId) => good.select((record) => String(record.userId) === userId),
    }),
  ),
  broken(
    'listByUser returns guests to the empty user id',
    ['listByUser: guests are listed under'],
    (good) => ({
      listByUser: async (userId) => good.select((record) => (record.userId ?? '') === userId),
    }),
  ),
  broken(
    'listByUser lists a session a moment after it can be found',
    ['listByUser: a record that can'],
    (good) => {
      const listed = new Set<string>()
      return {
        async insert(record) {
          await good.insert(record)
          await setImmediate()
          await setImmediate()
          listed.add(record.id)
        },
        listByUser: async (userId) => (await good.listByUser(userId)).filter(({ id }) => listed.has(id)),
      }
    },
  ),
  broken('listByUser lists what has ended', ['listByUser: a record is listed'], (good) => {
    const ended: SessionRecord[] = []
    return {
      async delete(id) {
        const record = good.records.get(id)
        if (record !== undefined) ended.push(record)
        return good.delete(id)
      },
      listByUser: async (userId) => [
        ...(await good.listByUser(userId)),
        ...ended.filter((record) => record.userId === userId),
      ],
    }
  }),
  broken(
    'listByUser lists records as they were inserted',
    ['listByUser: lists what update wrote'],
    (good) => {
      const first = new Map<string, SessionRecord>()
      return {
        async insert(record) {
          await good.insert(record)
          first.set(record.id, copy(record))
        },
        listByUser: async (userId) =>
          (await good.listByUser(userId)).map((record) => copy(first.get(record.id)) ?? record),
      }
    },
  ),
  broken('listByUser lists what insert refused', ['listByUser: a refused insert lists'], (good) => {
    const refused: SessionRecord[] = []
    return {
      async insert(record) {
        if (good.records.has(record.id)) refused.push(record)
        await good.insert(record)
      },
      listByUser: async (userId) => [
        ...(await good.listByUser(userId)),
        ...refused.filter((record) => record.userId === userId),
      ],
    }
  }),
  broken('listByUser lists what update did not find', ['update: absent and conflict list'], (good) => {
    const absent: SessionRecord[] = []
    return {
      async update(record, ifVersion) {
        const result = await good.update(record, ifVersion)
        if (result === 'absent') absent.push(record)
        return result
      },
      listByUser: async (userId) => [
        ...(await good.listByUser(userId)),
        ...absent.filter((record) => record.userId === userId),
      ],
    }
  }),
  broken('listByUser hands out the stored objects', ['listByUser: a result belongs to'], (good) => ({
    listByUser: async (userId) => [...good.records.values()].filter((record) => record.userId === userId),
  })),
  broken('listByUser hands out its own list', ['listByUser: a result belongs to'], (good) => {
    const lists = new Map<string, SessionRecord[]>()
    return {
      async listByUser(userId) {
        const list = lists.get(userId) ?? []
        const known = new Set(list.map(({ id }) => id))
        if (!lists.has(userId)) list.push(...(await good.listByUser(userId)))
        else
          list.push(...(await good.listByUser(userId)).filter(({ id }) => known.size > 0 && !known.has(id)))
        const live = list.filter(({ id }) => good.records.has(id))
        list.splice(0, list.length, ...live.map(({ id }) => copy(good.records.get(id)) as SessionRecord))
        if (list.length > 0) lists.set(userId, list)
        return list
      },
    }
  }),
]
