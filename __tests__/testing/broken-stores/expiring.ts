import { setImmediate } from 'node:timers/promises'
import type { SessionRecord } from '../../../src/record.js'
import { broken, type BrokenStore } from './broken.js'

export const expiring: readonly BrokenStore[] = [
  broken(
    'deleteExpired removes whatever it meets',
    [
      'deleteExpired: removes what expires at',
      'deleteExpired: a deadline that update moved later',
      'deleteExpired: what it removed is no',
      'deleteExpired: many sweeps at once',
    ],
    (good) => ({
      deleteExpired: (_, limit) => good.deleteExpired(Infinity, limit),
    }),
  ),
  broken(
    'deleteExpired removes a millisecond too early',
    ['deleteExpired: removes what expires at', 'deleteExpired: a deadline that update moved later'],
    (good) => ({
      deleteExpired: (now, limit) => good.deleteExpired(now + 1, limit),
    }),
  ),
  broken(
    'deleteExpired removes a millisecond too late',
    [
      'deleteExpired: removes what expires at',
      'deleteExpired: works through at most',
      'deleteExpired: called until it returns',
      'deleteExpired: a deadline that update moved later',
      'deleteExpired: a deadline that update moved earlier',
      'deleteExpired: what it removed is ended',
      'deleteExpired: what it removed is no',
      'deleteExpired: many sweeps at once',
    ],
    (good) => ({
      deleteExpired: (now, limit) => good.deleteExpired(now - 1, limit),
    }),
  ),
  broken(
    'deleteExpired ignores the limit',
    [
      'deleteExpired: works through at most',
      'deleteExpired: called until it returns',
      'deleteExpired: many sweeps at once',
    ],
    (good) => ({
      deleteExpired: (now) => good.deleteExpired(now, Infinity),
    }),
  ),
  broken(
    'deleteExpired ignores the limit, and says that it kept it',
    ['deleteExpired: works through at most'],
    (good) => ({
      deleteExpired: async (now, limit) => Math.min(limit, await good.deleteExpired(now, Infinity)),
    }),
  ),
  broken(
    'deleteExpired returns nothing',
    [
      'deleteExpired: works through at most',
      'deleteExpired: called until it returns',
      'deleteExpired: many sweeps at once',
    ],
    (good) => ({
      async deleteExpired(now, limit) {
        await good.deleteExpired(now, limit)
        return 0
      },
    }),
  ),
  broken(
    'deleteExpired returns limit for ever',
    [
      'deleteExpired: removes what expires at',
      'deleteExpired: works through at most',
      'deleteExpired: called until it returns',
      'deleteExpired: a deadline that update moved later',
      'deleteExpired: a deadline that update moved earlier',
      'deleteExpired: what it removed is ended',
      'deleteExpired: what it removed is no',
      'deleteExpired: many sweeps at once',
    ],
    (good) => ({
      async deleteExpired(now, limit) {
        // Without copies, as `good` makes them: the contract asks it a hundred thousand times.
        let left = limit
        for (const { id, expiresAt } of good.records.values()) {
          if (expiresAt <= now && left-- > 0) good.records.delete(id)
        }
        return limit
      },
    }),
  ),
  broken('deleteExpired leaves guests alone', ['deleteExpired: removes what expires at'], (good) => ({
    async deleteExpired(now, limit) {
      const due = good.select(({ userId, expiresAt }) => userId !== undefined && expiresAt <= now)
      for (const { id } of due.slice(0, limit)) good.records.delete(id)
      return Math.min(due.length, limit)
    },
  })),
  broken(
    'deleteExpired goes by the deadlines that insert saw',
    [
      'deleteExpired: a deadline that update moved later',
      'deleteExpired: a deadline that update moved earlier',
    ],
    (good) => {
      const deadlines = new Map<string, number>()
      return {
        async insert(record) {
          await good.insert(record)
          deadlines.set(record.id, record.expiresAt)
        },
        async deleteExpired(now, limit) {
          const due = good.select(({ id }) => (deadlines.get(id) ?? Infinity) <= now).slice(0, limit)
          for (const { id } of due) good.records.delete(id)
          return due.length
        },
      }
    },
  ),
  broken(
    'deleteExpired puts off what is alive, and then forgets about it',
    ['deleteExpired: a deadline that update moved later'],
    (good) => {
      const looks = new Map<string, number>()
      const look = ({ id, expiresAt }: SessionRecord) => {
        looks.set(id, Math.min(expiresAt, looks.get(id) ?? Infinity))
      }
      return {
        async insert(record) {
          await good.insert(record)
          look(record)
        },
        async update(record, ifVersion) {
          const result = await good.update(record, ifVersion)
          if (result === 'ok' && looks.has(record.id)) look(record)
          return result
        },
        async deleteExpired(now, limit) {
          const due = good.select(({ id }) => (looks.get(id) ?? Infinity) <= now).slice(0, limit)
          for (const { id, expiresAt } of due) {
            looks.delete(id)
            if (expiresAt <= now) good.records.delete(id)
          }
          return due.length
        },
      }
    },
  ),
  broken(
    'deleteExpired goes by the latest deadline that a record ever had',
    ['deleteExpired: a deadline that update moved earlier'],
    (good) => {
      const latest = new Map<string, number>()
      const see = ({ id, expiresAt }: SessionRecord) => {
        latest.set(id, Math.max(expiresAt, latest.get(id) ?? 0))
      }
      return {
        async insert(record) {
          await good.insert(record)
          see(record)
        },
        async update(record, ifVersion) {
          const result = await good.update(record, ifVersion)
          if (result === 'ok') see(record)
          return result
        },
        async deleteExpired(now, limit) {
          const due = good.select(({ id }) => (latest.get(id) ?? 0) <= now).slice(0, limit)
          for (const { id } of due) good.records.delete(id)
          return due.length
        },
      }
    },
  ),
  broken(
    'deleteExpired hides the expired from get alone',
    ['deleteExpired: what it removed is ended', 'deleteExpired: what it removed is no'],
    (good) => {
      const hidden = new Set<string>()
      return {
        get: async (id) => (hidden.has(id) ? undefined : good.get(id)),
        async deleteExpired(now, limit) {
          const due = good.select(({ id, expiresAt }) => expiresAt <= now && !hidden.has(id)).slice(0, limit)
          for (const { id } of due) hidden.add(id)
          return due.length
        },
      }
    },
  ),
  broken('deleteExpired leaves the expired in the list', ['deleteExpired: what it removed is no'], (good) => {
    const removed: SessionRecord[] = []
    return {
      async deleteExpired(now, limit) {
        const due = good.select(({ expiresAt }) => expiresAt <= now).slice(0, limit)
        removed.push(...due)
        return good.deleteExpired(now, limit)
      },
      listByUser: async (userId) => [
        ...(await good.listByUser(userId)),
        ...removed.filter((record) => record.userId === userId),
      ],
    }
  }),
  broken('deleteExpired fails when two run at once', ['deleteExpired: many sweeps at once'], (good) => {
    let isRunning = false
    return {
      async deleteExpired(now, limit) {
        if (isRunning) throw new Error('database is locked')
        isRunning = true
        await setImmediate()
        isRunning = false
        return good.deleteExpired(now, limit)
      },
    }
  }),
  broken(
    'deleteExpired tells of what is alive as well',
    ['onRemoved: tells of the records', 'onRemoved: many sweeps at once'],
    (good) => ({
      deleteExpired(now, limit, onRemoved) {
        if (onRemoved !== undefined) onRemoved(good.select(({ expiresAt }) => expiresAt <= now + 90_000))
        return good.deleteExpired(now, limit)
      },
    }),
  ),

  broken(
    'deleteExpired tells what it has found, whoever removes it',
    ['onRemoved: many sweeps at once'],
    (good) => ({
      async deleteExpired(now, limit, onRemoved) {
        const due = good.select(({ expiresAt }) => expiresAt <= now).slice(0, limit)
        await setImmediate()
        for (const { id } of due) good.records.delete(id)
        onRemoved?.(due)
        return due.length
      },
    }),
  ),
]
